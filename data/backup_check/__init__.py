"""The backup check: a restored copy compared with the live database, and `python -m data.backup_check`."""

from data.backup_check.cli import main
from data.backup_check.comparing import Comparison
from data.backup_check.run import check

__all__ = ["Comparison", "check", "main"]
