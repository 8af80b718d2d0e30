"""`python -m data.integrity`."""

import sys

from data.integrity.cli import main

sys.exit(main())
