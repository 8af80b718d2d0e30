"""The backup check: a restored copy compared with the live database, and `python -m data.backup_check`."""

from data.backup_check.cli import main
from data.backup_check.run import check
from data.backup_check.sides import Comparison

__all__ = ["Comparison", "check", "main"]
