"""`python -m data.backup_check`."""

import sys

from data.backup_check.cli import main

sys.exit(main())
