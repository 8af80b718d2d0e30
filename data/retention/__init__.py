"""Retention: who is due to be erased, asking for it, and erasing again after a backup was restored."""

from data.retention.due import DryRun, Survey, Totals, dry_run, due_ids, survey, totals
from data.retention.policy import BackupCheck, backup_blocker, due_at, last_backup_check, require_backup

__all__ = [
    "BackupCheck",
    "DryRun",
    "Survey",
    "Totals",
    "backup_blocker",
    "dry_run",
    "due_at",
    "due_ids",
    "last_backup_check",
    "require_backup",
    "survey",
    "totals",
]
