"""The file of erasures, outside the database: after a backup is restored it says who has to be erased again.

A line of JSON for each erasure: `chain` (of which database), `customer_id`, `at`, `event_id`, `job`; no personal data.
It is written before the commit, and withdrawn by another line where the transaction was rolled back. So it may name one
too many after a crash, and never one too few.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, event

from data import queries
from data.database import now
from data.errors import EvenbooksError
from data.events import stamp
from data.records import CustomerId
from data.schema import Schema


@dataclass
class Erasures:
    """What a file says: the customers of this database with the time of their last erasure; how many lines are of other
    databases, and the numbers of those that cannot be read."""

    people: dict[CustomerId, str] = field(default_factory=dict)
    others: int = 0
    unreadable: list[int] = field(default_factory=list)


def chain_name(connection: Connection, schema: Schema) -> str:
    """What tells this database, and copies of it, from others: the first digits of its first event's hash."""
    return str(queries.first_hash(connection, schema))[:16]


def append(
    connection: Connection,
    schema: Schema,
    erased: Mapping[CustomerId, int],
    *,
    at: datetime,
    job: str | None,
) -> None:
    """Adds a line for each customer (by id, with the event), within the transaction that erases them; withdraws them
    should it be rolled back. Raises EvenbooksError where the file cannot be written: then nothing must be erased."""
    path, chain = schema.settings.retention.file, chain_name(connection, schema)
    lines = [
        {"chain": chain, "customer_id": customer, "at": stamp(at), "event_id": event_id, "job": job}
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


def read(path: Path, chain: str) -> Erasures:
    """What the file says of the database of this chain. Raises EvenbooksError where there is none, or it cannot be read."""
    found, standing = Erasures(), dict[CustomerId, dict[tuple[Any, Any], str]]()
    try:
        content = path.read_text(encoding="utf-8", errors="replace")
    except OSError as error:
        raise EvenbooksError(f"The file of erasures, {path}, cannot be read ({error.strerror}).") from error
    for number, words in enumerate(content.splitlines(), start=1):
        if not words.strip():
            continue
        try:
            line = json.loads(words)
            customer, key, at = line["customer_id"], (line["event_id"], line["job"]), str(line["at"])
            of_another = line["chain"] != chain
            hash(customer)
        except (ValueError, KeyError, TypeError):
            found.unreadable.append(number)
            continue
        if of_another:
            found.others += 1
        elif "withdrawn" in line:
            standing.get(customer, {}).pop(key, None)
        else:
            standing.setdefault(customer, {})[key] = at
    found.people = {customer: max(times.values()) for customer, times in standing.items() if times}
    return found
