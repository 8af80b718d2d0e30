"""`python -m data.tokens`."""

import sys

from data.tokens.cli import main

sys.exit(main())
