"""The file of erasures, outside the database: after a backup is restored it says who has to be erased again.

A line of JSON for each erasure: `chain` (of which database), `customer_id`, `at`, `event_id`, `job`, `attempt`, and since
when the customer is one and is deleted (`created_at`, `deleted_at`), by which it is seen later that it is still the same
one; no personal data. It is written before anything is blanked, and withdrawn by another line of the same attempt where
the transaction was rolled back. So it may name one too many after a crash, and never one too few.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import uuid4

from sqlalchemy import Connection, event

from data import queries
from data.database import now
from data.errors import EvenbooksError
from data.events import stamp
from data.records import Customer, CustomerId
from data.schema import Schema


@dataclass(frozen=True)
class Named:
    """An erasure as its line says it: when (UTC), by which event and job, and the customer's stamps at that time (None
    where there was none)."""

    at: datetime
    event_id: int
    job: str | None
    created_at: str | None
    deleted_at: str | None


@dataclass
class Erasures:
    """What files say: the customers of this database with their last erasure; how many lines are of other databases, and
    which ones cannot be read, in words."""

    people: dict[CustomerId, Named] = field(default_factory=dict)
    others: int = 0
    unreadable: list[str] = field(default_factory=list)


def chain_name(connection: Connection, schema: Schema) -> str:
    """What tells this database, and copies of it, from others: the first digits of its first event's hash."""
    return str(queries.first_hash(connection, schema))[:16]


def append(
    connection: Connection,
    schema: Schema,
    erased: Mapping[CustomerId, int],
    people: Mapping[CustomerId, Customer],
    *,
    at: datetime,
    job: str | None,
) -> None:
    """Adds a line for each customer (by id, with the event), within the transaction that erases them; withdraws them
    should it be rolled back. Raises EvenbooksError where the file cannot be written: then nothing must be erased."""
    path, chain = schema.settings.retention.file, chain_name(connection, schema)
    attempt = uuid4().hex[:16]  # another server may try the same job's same event
    lines = [
        {
            "chain": chain,
            "customer_id": customer,
            "at": stamp(at),
            "event_id": event_id,
            "job": job,
            "attempt": attempt,
            "created_at": stamp(people[customer].created_at),
            "deleted_at": stamp(people[customer].deleted_at),
        }
        for customer, event_id in erased.items()
    ]
    _withdraw_if_undone(connection, path, lines)
    _write(path, lines)


def require_writable(path: Path) -> None:
    """Raises EvenbooksError where the file cannot be written, before anybody is asked to approve what could not be done."""
    _write(path, [])


def _withdraw_if_undone(connection: Connection, path: Path, lines: Sequence[Mapping[str, Any]]) -> None:
    """Once COMMIT was sent nobody knows whether it was done, so then the lines stay: one too many is no harm."""
    sent: list[bool] = []

    def commits(_connection: Connection) -> None:
        sent.append(True)

    def undone(_connection: Connection, *_: Any) -> None:
        if not sent:
            sent.append(True)
            _write(path, [{**line, "withdrawn": stamp(now())} for line in lines])

    event.listen(connection, "commit", commits)
    event.listen(connection, "rollback", undone)
    event.listen(connection, "rollback_savepoint", undone)


def _write(path: Path, lines: Sequence[Mapping[str, Any]]) -> None:
    """Whole lines at once, on the disk when this returns."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle = os.open(path, os.O_RDWR | os.O_APPEND | os.O_CREAT, 0o600)
        try:
            content = "".join(json.dumps(line) + "\n" for line in lines).encode()
            size = os.fstat(handle).st_size
            if content and size and os.pread(handle, 1, size - 1) != b"\n":
                content = b"\n" + content  # a line that was cut off must not take this one along
            while content:
                content = content[os.write(handle, content) :]
            os.fsync(handle)
        finally:
            os.close(handle)
    except OSError as error:
        raise EvenbooksError(
            f"The file of erasures, {path}, cannot be written ({error.strerror}), so nobody is erased. "
            "[retention] erasures names it."
        ) from error


def read(paths: Sequence[Path], chain: str) -> Erasures:
    """What the files say of the database of this chain. Raises EvenbooksError where one is not there, or cannot be read."""
    found, standing = Erasures(), dict[CustomerId, dict[str, Named]]()
    for path in paths:
        for number, words in enumerate(_content(path).splitlines(), start=1):
            if not words.strip():
                continue
            try:
                line = json.loads(words)
                if line["chain"] != chain:
                    found.others += 1
                elif "withdrawn" in line:
                    standing.get(line["customer_id"], {}).pop(str(line["attempt"]), None)
                else:
                    standing.setdefault(line["customer_id"], {})[str(line["attempt"])] = _named(line)
            except (ValueError, KeyError, TypeError):
                found.unreadable.append(f"line {number} of {path}")
    found.people = {
        customer: max(attempts.values(), key=lambda named: named.at)
        for customer, attempts in standing.items()
        if attempts
    }
    return found


def _content(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8", errors="replace")
    except OSError as error:
        raise EvenbooksError(f"The file of erasures, {path}, cannot be read ({error.strerror}).") from error


def _named(line: Mapping[str, Any]) -> Named:
    """Raises ValueError, KeyError or TypeError for a line that does not say what such a line says."""
    at = datetime.fromisoformat(line["at"]).astimezone(UTC)
    return Named(at, int(line["event_id"]), line["job"], line["created_at"], line["deleted_at"])
