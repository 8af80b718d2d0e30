"""The policy: when a deleted customer is due to be erased, and what erasing many waits for."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Connection

from data import queries
from data.errors import Conflict
from data.events import stamp
from data.records import Time
from data.schema import Schema
from data.settings import Retention
from data.times import read_time

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
    its first differences, as sentences; None, and what was in doubt, where it could not be seen), how many things could
    not be seen, and the time (UTC) that the copy was not made before, None where that is not known."""

    event_id: int
    at: Time
    actor: str
    passed: bool | None
    unseen: int
    differences: tuple[str, ...] = ()
    copy_at: Time | None = None


def last_backup_check(connection: Connection, schema: Schema) -> BackupCheck | None:
    """The last backup check by the events; None where there was none. One that cannot be read did not pass."""
    row = queries.last_backup_check(connection, schema)
    if row is None:
        return None
    try:
        body = json.loads(row.body)
        differences, passed = list(map(str, body["differences"])), body["passed"]
        told = tuple(differences or map(str, body.get("blind", [])))
        result = passed if passed in (True, None) and not differences else False
        copy_at = read_time(body.get("copy_at"))
        return BackupCheck(row.id, row.at, row.actor, result, int(body["unseen"]), told, copy_at)
    except (ValueError, KeyError, TypeError):
        return BackupCheck(row.id, row.at, row.actor, False, 0, ("Its event cannot be read.",))


def backup_blocker(connection: Connection, schema: Schema, at: datetime) -> str | None:
    """Why more than one customer cannot be erased at this time (UTC), as a sentence with the command; None where they can."""
    days, last = schema.settings.retention.backup_check_days, last_backup_check(connection, schema)
    span = f"{days} {'day' if days == 1 else 'days'}"
    if last is None:
        found = "no backup was ever checked"
    elif last.passed is None:
        found = "the last backup check could not see enough"
    elif not last.passed:
        found = "the last backup check found differences"
    elif not isinstance(last.at, datetime) or at - last.at > timedelta(days=days):
        found = f"the last backup check is more than {span} old"
    elif not isinstance(last.copy_at, datetime) or at - last.copy_at > timedelta(days=days):
        known = f"of {stamp(last.copy_at)}" if last.copy_at else "of a time that it does not say"
        found = f"the last one that was checked is {known}, so make a new one"
    else:
        return None
    return (
        f"More than one customer is only erased where a backup of the last {span} was checked in that time, and {found}. "
        f"Run: {COMMAND}"
    )


def require_backup(connection: Connection, schema: Schema, at: datetime) -> None:
    """Raises Conflict where more than one customer cannot be erased at this time (UTC)."""
    words = backup_blocker(connection, schema, at)
    if words:
        raise Conflict(words)
