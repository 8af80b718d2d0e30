"""The chain of events: every change writes its own, hashed over the one before."""

from __future__ import annotations

import hashlib
import json
import secrets
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Connection, Row
from sqlalchemy.exc import NoResultFound

from data import queries
from data.access import Actor
from data.errors import EvenbooksError, InvalidInput
from data.money import plain
from data.records import CustomerId, Impact
from data.schema import Schema, as_json
from data.settings import ERASING_REASONS, Settings

GENESIS = "0" * 64  # `prev` of the first event
LONGEST_NOTE = 2000


@dataclass(frozen=True)
class Reason:
    """Why: a code of the company's list (in the hashed body), and a free note (outside it)."""

    code: str
    note: str | None = None


@dataclass(frozen=True)
class Draft:
    """An event to be written. `body` holds what is special to it, and no personal data."""

    action: str
    actor: Actor
    reason: Reason | None = None
    customer_id: CustomerId | None = None
    batch_id: str | None = None
    body: dict[str, Any] = field(default_factory=dict)


def read_reason(settings: Settings, reason: str | None, note: str | None = None, *, erases: bool = False) -> Reason:
    """A code of the list as itself; other text becomes the note under the code `other`. The codes of erasures are codes
    only where somebody is erased, or where the company lists them.

    Raises InvalidInput when there is none, or the note is overlong.
    """
    words = (reason or "").strip()
    extra = (note or "").strip() or None
    if not words:
        raise InvalidInput("Give a reason.", field="reason")
    foreign = words in ERASING_REASONS and words not in settings.reasons and not erases
    if foreign or words not in settings.reason_labels:
        code, extra = "other", "\n".join(filter(None, [words, extra]))
    else:
        code = words
    if extra and len(extra) > LONGEST_NOTE:
        raise InvalidInput(f"The note has {len(extra)} characters; {LONGEST_NOTE} are allowed.", field="reason")
    return Reason(code, extra)


def take_turns(connection: Connection, schema: Schema) -> Row[*tuple[Any, ...]]:
    """Locks the chain's head: the first statement of every change. Raises when the head is gone."""
    try:
        return queries.lock_head(connection, schema)
    except NoResultFound:
        raise EvenbooksError(
            "The chain of events has lost its head (the row of evenbooks_chain), so nothing can be changed. "
            "Run: python -m data.integrity"
        ) from None


def append(
    connection: Connection, schema: Schema, drafts: Sequence[Draft], *, head: Row[*tuple[Any, ...]] | None, at: datetime
) -> list[int]:
    """Writes events after the locked head (None: begins the chain) and moves it. Answers their ids."""
    last_id, last_hash = (head.event_id, head.hash) if head else (0, GENESIS)
    rows: list[dict[str, Any]] = []
    for number, draft in enumerate(drafts, start=last_id + 1):
        row = _row(number, draft, at)
        row["prev"], row["hash"] = last_hash, link(last_hash, row["body"])
        last_hash = row["hash"]
        rows.append(row)
    queries.append_events(connection, schema, rows, first=head is None)
    if rows:
        connection.get_execution_options().get("appended", []).append((last_id + len(rows), last_hash))
    return [row["id"] for row in rows]


def _row(number: int, draft: Draft, at: datetime) -> dict[str, Any]:
    note = draft.reason.note if draft.reason else None
    salt = secrets.token_hex(16) if note else None
    columns = {
        "id": number,
        "action": draft.action,
        "actor": draft.actor.id,
        "door": str(draft.actor.door),
        "reason": draft.reason.code if draft.reason else None,
        "customer_id": draft.customer_id,
        "batch_id": draft.batch_id,
    }
    # The note may be blanked one day (erasure), so the chain holds only its salted hash.
    noted = {"note_hash": note_hash(salt, note)} if note and salt else {}
    body = as_json({**draft.body, **columns, **noted, "at": stamp(at)})
    return {**columns, "at": at, "body": body, "note": note, "note_salt": salt}


def link(prev: str, body: str) -> str:
    """SHA-256 (hex) of the previous hash followed by the stored body."""
    return hashlib.sha256((prev + body).encode()).hexdigest()


def note_hash(salt: str, note: str) -> str:
    """SHA-256 (hex) of the salt followed by the note."""
    return hashlib.sha256((salt + note).encode()).hexdigest()


def stamp(at: object) -> str | None:
    """A time as ISO 8601 in UTC with Z; other text as it is."""
    if isinstance(at, datetime):
        return at.astimezone(UTC).isoformat().replace("+00:00", "Z")
    return None if at is None else str(at)


def impact_body(impact: Impact, decimals: int) -> dict[str, Any]:
    """An Impact for an event's body: amounts as canonical text, the months as a SHA-256 of theirs."""
    revenue = {currency: plain(amount, decimals) for currency, amount in impact.revenue.items()}
    body: dict[str, Any] = {
        "orders": impact.orders,
        "all_orders": impact.all_orders,
        "last_order": impact.last_order,
        "revenue": revenue,
    }
    if impact.months is not None:
        months = [[*key, *counts, plain(amount, decimals)] for key, (*counts, amount) in sorted(impact.months.items())]
        body["months"] = hashlib.sha256(as_json(months).encode()).hexdigest()
    return body


@dataclass(frozen=True)
class Link:
    """An event as the chain holds it: its body, and what is wrong with it (nothing, where it is whole).

    `hash` None: no event, but what is wrong with the chain's end.
    """

    event_id: int
    body: dict[str, Any]
    problems: list[str]
    hash: str | None = None
    note: str | None = None


def walk(connection: Connection, schema: Schema) -> Iterator[Link]:
    """Every event in the order of the chain, and one Link more where the head does not point to the last."""
    last_id, last_hash = 0, GENESIS
    for row in queries.stream_chain(connection, schema):
        body, problems = _read_body(row)
        if row.id != last_id + 1:
            problems.append(f"it follows event {last_id}, so events between them are missing")
        if row.prev != last_hash:
            problems.append("it does not continue the event before it")
        if row.hash != link(row.prev, row.body):
            problems.append("its hash is not that of its content")
        last_id, last_hash = row.id, row.hash
        yield Link(row.id, body, problems, row.hash, row.note)
    head = queries.get_head(connection, schema)
    if head is None or (head.event_id, head.hash) != (last_id, last_hash):
        found = f"its head points to event {head.event_id}" if head else "its head is gone"
        yield Link(last_id, {}, [f"the chain ends here, but {found}"])


def _read_body(row: Row[*tuple[Any, ...]]) -> tuple[dict[str, Any], list[str]]:
    """The body, and where the columns beside it say something else."""
    try:
        body = json.loads(row.body)
        assert isinstance(body, dict)
    except (ValueError, AssertionError):
        return {}, ["its body cannot be read"]
    names = ("id", "action", "actor", "door", "reason", "customer_id", "batch_id")
    beside = {**{name: getattr(row, name) for name in names}, "at": stamp(row.at)}
    problems = [f"its {name} is not what its body says" for name, value in beside.items() if body.get(name) != value]
    if row.note is not None and body.get("note_hash") != note_hash(row.note_salt or "", row.note):
        problems.append("its note is not the one that was written")
    return body, problems
