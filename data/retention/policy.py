"""The policy: when a deleted customer is due to be erased, and what erasing many waits for."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Connection

from data import queries
from data.errors import Conflict
from data.records import Time
from data.schema import Schema
from data.settings import Retention

COMMAND = "python -m data.backup_check --restored-url URL"


def due_at(policy: Retention, deleted_at: Time | None) -> datetime | None:
    """When a customer deleted then is due (UTC); None where nobody ever is, or the time cannot be read as one."""
    if policy.days is None or not isinstance(deleted_at, datetime):
        return None
    try:
        return deleted_at + timedelta(days=policy.days)
    except OverflowError:
        return None


@dataclass(frozen=True)
class BackupCheck:
    """The last comparison with a restored backup: its event, when (UTC), by whom, whether the copy was true (else
    its first differences, as sentences), and how many things could not be seen."""

    event_id: int
    at: Time
    actor: str
    passed: bool
    unseen: int
    differences: tuple[str, ...] = ()


def last_backup_check(connection: Connection, schema: Schema) -> BackupCheck | None:
    """The last backup check by the events; None where there was none. One that cannot be read did not pass."""
    row = queries.last_backup_check(connection, schema)
    if row is None:
        return None
    try:
        body = json.loads(row.body)
        told = tuple(map(str, body["differences"]))
        return BackupCheck(row.id, row.at, row.actor, body["passed"] is True, int(body["unseen"]), told)
    except (ValueError, KeyError, TypeError):
        return BackupCheck(row.id, row.at, row.actor, False, 0, ("Its event cannot be read.",))


def backup_blocker(connection: Connection, schema: Schema, at: datetime) -> str | None:
    """Why more than one customer cannot be erased at this time (UTC), as a sentence with the command; None where they can."""
    days, last = schema.settings.retention.backup_check_days, last_backup_check(connection, schema)
    if last is None:
        found = "no backup was ever checked"
    elif not last.passed:
        found = "the last backup check found differences"
    elif not isinstance(last.at, datetime) or at - last.at > timedelta(days=days):
        found = f"the last backup check is more than {days} {'day' if days == 1 else 'days'} old"
    else:
        return None
    return f"More than one customer is only erased where a backup was checked in the last {days} days, and {found}. Run: {COMMAND}"


def require_backup(connection: Connection, schema: Schema, at: datetime) -> None:
    """Raises Conflict where more than one customer cannot be erased at this time (UTC)."""
    words = backup_blocker(connection, schema, at)
    if words:
        raise Conflict(words)
