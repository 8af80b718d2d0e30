"""`python -m data.sql`."""

import sys

from data.sql.cli import main

sys.exit(main())
