"""Statements on the chain of events."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Any

from sqlalchemy import Connection, Insert, Row, Select, Update, bindparam, func, insert, select, update
from sqlalchemy.sql import ColumnElement

from data.engines import IDLE
from data.records import CustomerId, Event
from data.schema import Schema

# Whoever holds the chain and vanishes must not hold it for hours; MariaDB's sessions are told so when they begin.
_LOCK_CHAIN = (
    f"SET LOCAL idle_in_transaction_session_timeout = '{IDLE}s'; LOCK TABLE evenbooks_chain IN SHARE ROW EXCLUSIVE MODE"
)
# Events are numbered in the order in which they were written, by servers whose clocks may differ or be put back; by less.
SLACK = timedelta(days=2)


@dataclass(frozen=True)
class EventFilter:
    """Which events: each field narrows them, None does not. `who` is a part of the actor's name, small or capital;
    `since` and `until` are times in UTC, the second not included."""

    customer_id: CustomerId | None = None
    batch_id: str | None = None
    action: str | None = None
    who: str | None = None
    door: str | None = None
    reason: str | None = None
    since: datetime | None = None
    until: datetime | None = None

    @property
    def scans(self) -> bool:
        """Whether no index serves it, so that events are read until the page is full."""
        return not (self.customer_id or self.batch_id) and bool(self.action or self.who or self.door or self.reason)


EVERY = EventFilter()


def lock_head(connection: Connection, schema: Schema) -> Row[*tuple[Any, ...]]:
    """The chain's head (`event_id`, `hash`), locked: the first statement of every change.

    Reading after the lock makes before and after one snapshot: on PostgreSQL the whole table's, since a row's would
    fail whoever waited for it. SQLite leaves FOR UPDATE out; its transaction began IMMEDIATE. Raises sqlalchemy.exc.NoResultFound where there is no head.
    """
    if schema.dialect == "postgresql":
        connection.exec_driver_sql(_LOCK_CHAIN)
    return connection.execute(_head_for_update(schema)).one()


@lru_cache(maxsize=16)
def _head_for_update(schema: Schema) -> Select[Any]:
    chain = schema.own.chain
    head = select(chain.c.event_id, chain.c.hash).where(chain.c.id == 1)
    return head if schema.dialect == "postgresql" else head.with_for_update()


def get_head(connection: Connection, schema: Schema) -> Row[*tuple[Any, ...]] | None:
    """The chain's head without a lock; None where there is none."""
    chain = schema.own.chain
    return connection.execute(select(chain.c.event_id, chain.c.hash).where(chain.c.id == 1)).first()


def append_events(
    connection: Connection, schema: Schema, rows: Sequence[Mapping[str, Any]], *, first: bool = False
) -> None:
    """Inserts events that follow one another and moves the head to the last (`first`: makes the head)."""
    # One row alone is no "many": the driver would build it anew.
    connection.execute(_insert_event(schema), dict(rows[0]) if len(rows) == 1 else [dict(row) for row in rows])
    head = {"event_id": rows[-1]["id"], "hash": rows[-1]["hash"]}
    if first:
        connection.execute(insert(schema.own.chain), {"id": 1, **head})
    else:
        connection.execute(_move_head(schema), {"to_event_id": head["event_id"], "to_hash": head["hash"]})


@lru_cache(maxsize=16)
def _insert_event(schema: Schema) -> Insert:
    return insert(schema.own.events)


@lru_cache(maxsize=16)
def _move_head(schema: Schema) -> Update:
    chain = schema.own.chain
    statement = update(chain).where(chain.c.id == 1)
    return statement.values(event_id=bindparam("to_event_id"), hash=bindparam("to_hash"))


def touch_chain(connection: Connection, schema: Schema) -> None:
    """An UPDATE of no row, which an account or a server that may not write refuses all the same."""
    chain = schema.own.chain
    connection.execute(update(chain).where(chain.c.id == 1, chain.c.id == 0).values(event_id=chain.c.event_id))


def stream_chain(connection: Connection, schema: Schema, *, chunk: int = 2000) -> Iterator[Row[*tuple[Any, ...]]]:
    """Every event, whole, in the order of the chain, a chunk at a time."""
    events = schema.own.events
    last = -(2**62)
    while True:
        rows = connection.execute(select(events).where(events.c.id > last).order_by(events.c.id).limit(chunk)).all()
        yield from rows
        if len(rows) < chunk:
            return
        last = rows[-1].id


def list_events(
    connection: Connection,
    schema: Schema,
    *,
    customer_id: CustomerId | None = None,
    where: EventFilter = EVERY,
    before_id: int | None = None,
    after_id: int | None = None,
    limit: int = 50,
) -> list[Event]:
    """Events, newest first: of one customer where an id is given, those that a filter lets through, those before an event.

    With `after_id` those that follow that event at once, still newest first.
    """
    events = schema.own.events
    conditions = _conditions(connection, schema, where)
    if customer_id is not None:
        conditions.append(events.c.customer_id == customer_id)
    if before_id is not None:
        conditions.append(events.c.id < before_id)
    if after_id is not None:
        conditions.append(events.c.id > after_id)
    order = events.c.id.desc() if after_id is None else events.c.id
    statement = select(*_event_columns(schema)).where(*conditions).order_by(order).limit(limit)
    found = [Event(*row) for row in connection.execute(statement)]
    return found if after_id is None else found[::-1]


def _conditions(connection: Connection, schema: Schema, where: EventFilter) -> list[ColumnElement[bool]]:
    """A filter's conditions. No index has the time, so days become ranges of numbers besides."""
    c = schema.own.events.c
    equal = ("customer_id", "batch_id", "action", "door", "reason")
    asked = {name: getattr(where, name) for name in equal}
    conditions: list[ColumnElement[bool]] = [c[name] == value for name, value in asked.items() if value is not None]
    if where.who is not None:
        conditions.append(func.lower(c.actor).contains(where.who.lower(), autoescape=True))
    if where.since is not None:
        conditions += [c.at >= where.since, c.id >= _first_at(connection, schema, where.since - SLACK)]
    if where.until is not None:
        conditions += [c.at < where.until, c.id < _first_at(connection, schema, where.until + SLACK)]
    return conditions


def _first_at(connection: Connection, schema: Schema, moment: datetime) -> int:
    """The first event of this time or later, found by halving; one behind the last where there is none."""
    events = schema.own.events
    low, high = 1, (connection.execute(select(func.max(events.c.id))).scalar() or 0) + 1
    following = (
        select(events.c.id, events.c.at).where(events.c.id >= bindparam("middle")).order_by(events.c.id).limit(1)
    )
    while low < high:
        middle = (low + high) // 2
        found = connection.execute(following, {"middle": middle}).first()
        if found is None or (isinstance(found.at, datetime) and found.at >= moment):
            high = middle
        else:
            low = found.id + 1
    return low


def get_event(connection: Connection, schema: Schema, event_id: int) -> Row[*tuple[Any, ...]] | None:
    """An event as it is stored, with its body, `prev` and `hash`; None where there is none."""
    events = schema.own.events
    return connection.execute(select(events).where(events.c.id == event_id)).first()


def list_bodies(connection: Connection, schema: Schema, ids: Sequence[int]) -> dict[int, str]:
    """The bodies of these events as they are stored, by id."""
    events = schema.own.events
    rows = connection.execute(select(events.c.id, events.c.body).where(events.c.id.in_(ids)))
    return {event_id: body for event_id, body in rows}


def list_deletions(
    connection: Connection, schema: Schema, ids: Sequence[CustomerId], *, action: str = "delete"
) -> dict[CustomerId, Event]:
    """The last event that deleted (or `action`: erased) each of these customers, by id; absent where there is none."""
    events = schema.own.events
    latest = (
        select(func.max(events.c.id))
        .where(events.c.customer_id.in_(ids), events.c.action == action)
        .group_by(events.c.customer_id)
    )
    rows = connection.execute(select(*_event_columns(schema)).where(events.c.id.in_(latest)))
    return {row.customer_id: Event(*row) for row in rows}


def last_event_id(connection: Connection, schema: Schema, customer_id: CustomerId, action: str) -> int | None:
    """The id of the customer's last event of this action."""
    events = schema.own.events
    statement = select(func.max(events.c.id)).where(events.c.customer_id == customer_id, events.c.action == action)
    return connection.execute(statement).scalar()


def _event_columns(schema: Schema) -> list[Any]:
    c = schema.own.events.c
    return [c.id, c.at, c.action, c.actor, c.door, c.reason, c.note, c.customer_id, c.batch_id]
