"""`python -m data.retention`."""

import sys

from data.retention.cli import main

sys.exit(main())
