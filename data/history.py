"""The history: which events somebody asks for, a page at a time, and one event with the proof that it is whole."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from sqlalchemy import Connection

from data import queries
from data.errors import InvalidInput
from data.events import link, note_hash
from data.queries import EventFilter
from data.records import Event, Page
from data.schema import Schema, is_text

# What a filter can name, as the address and a file's filter have it; `zone` is that of the days.
FIELDS = ("customer", "batch", "action", "who", "door", "reason", "from", "to")
LONGEST = 255


def read_filter(schema: Schema, asked: Mapping[str, str | None]) -> EventFilter:
    """The filter that these words say (FIELDS, and `zone`, an IANA name): days as YYYY-MM-DD, both included.

    Raises InvalidInput where one cannot be read; its `field` says which.
    """
    said = {name: (asked.get(name) or "").strip() or None for name in FIELDS}
    for name, words in said.items():
        if words and (len(words) > LONGEST or not is_text(words)):
            raise InvalidInput("This cannot be looked for.", field=name)
    customer_id = schema.parse_id(said["customer"]) if said["customer"] else None
    if said["customer"] and customer_id is None:
        raise InvalidInput(f"{said['customer']} is no customer's number.", field="customer")
    zone = _zone(asked.get("zone"))
    return EventFilter(
        customer_id=customer_id,
        batch_id=said["batch"],
        action=said["action"],
        who=said["who"],
        door=said["door"],
        reason=said["reason"],
        since=_midnight(said["from"], zone, "from"),
        until=_midnight(said["to"], zone, "to", days=1),
    )


def _zone(name: str | None) -> ZoneInfo:
    try:
        return ZoneInfo(name or "UTC")
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise InvalidInput(f"{name} is no time zone.", field="zone") from None


def _midnight(day: str | None, zone: ZoneInfo, field: str, *, days: int = 0) -> datetime | None:
    """The beginning of a day of this zone in UTC, or of one that many days later."""
    if day is None:
        return None
    try:
        first = date.fromisoformat(day) + timedelta(days=days)
        return datetime.combine(first, time(), zone).astimezone(UTC)
    except (ValueError, OverflowError):
        raise InvalidInput(f"{day} is no day; a day is YYYY-MM-DD.", field=field) from None


def list_page(
    connection: Connection,
    schema: Schema,
    where: EventFilter,
    *,
    after: str | None = None,
    before: str | None = None,
    limit: int = 50,
) -> Page[Event]:
    """A page of events, newest first. The cursors are events' numbers: `after` asks for older ones, `before` for newer.

    Raises InvalidInput where a cursor cannot be read.
    """
    older, newer = _number(after), _number(before)
    backwards = newer is not None
    rows = queries.list_events(
        connection, schema, where=where, before_id=None if backwards else older, after_id=newer, limit=limit + 1
    )
    more = len(rows) > limit
    rows = rows[-limit:] if backwards else rows[:limit]
    first, last = (str(rows[0].id), str(rows[-1].id)) if rows else (None, None)
    has_newer, has_older = (more, True) if backwards else (older is not None, more)
    return Page(rows, first if has_newer else None, last if has_older else None, where.scans)


def _number(cursor: str | None) -> int | None:
    if cursor is None:
        return None
    if not cursor.isdecimal() or not cursor.isascii() or len(cursor) > 18:
        raise InvalidInput("This page is not there any more; here is the first.", field="after")
    return int(cursor)


@dataclass(frozen=True)
class Evidence:
    """An event as it is stored: its body, the hash before it, its own, and what is wrong with them; nothing, where it is whole."""

    id: int
    body: str
    prev: str
    hash: str
    problems: list[str]


def get_evidence(connection: Connection, schema: Schema, event_id: int) -> Evidence | None:
    """The event with the proof that it is whole: its hash computed anew, the one before, and its note; None where there is none."""
    row = queries.get_event(connection, schema, event_id)
    if row is None:
        return None
    before = queries.event_hash(connection, schema, event_id - 1) if event_id > 1 else None
    problems = []
    if row.hash != link(row.prev, row.body):
        problems.append("Its hash is not that of its content.")
    if event_id > 1 and row.prev != before:
        problems.append("It does not continue the event before it.")
    if row.note is not None and read_body(row.body).get("note_hash") != note_hash(row.note_salt or "", row.note):
        problems.append("Its note is not the one that was written.")
    return Evidence(row.id, row.body, row.prev, row.hash, problems)


def read_body(body: str) -> dict[str, Any]:
    """An event's body; nothing where it cannot be read."""
    try:
        found = json.loads(body)
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}
