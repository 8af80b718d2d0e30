"""Statements on the chain of events."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from typing import Any

from sqlalchemy import Connection, Insert, Row, Select, Update, bindparam, func, insert, select, text, update

from data.records import CustomerId, Event
from data.schema import Schema

_LOCK_CHAIN = text("LOCK TABLE evenbooks_chain IN SHARE ROW EXCLUSIVE MODE")


def lock_head(connection: Connection, schema: Schema) -> Row[*tuple[Any, ...]]:
    """The chain's head (`event_id`, `hash`), locked: the first statement of every change.

    Reading after the lock makes before and after one snapshot: on PostgreSQL the whole table's, since a row's would
    fail whoever waited for it. SQLite leaves FOR UPDATE out; its transaction began IMMEDIATE. Raises sqlalchemy.exc.NoResultFound where there is no head.
    """
    if schema.dialect == "postgresql":
        connection.execute(_LOCK_CHAIN)
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
    before_id: int | None = None,
    limit: int = 50,
) -> list[Event]:
    """Events, newest first; of one customer where an id is given."""
    events = schema.own.events
    statement = select(*_event_columns(schema)).order_by(events.c.id.desc()).limit(limit)
    if customer_id is not None:
        statement = statement.where(events.c.customer_id == customer_id)
    if before_id is not None:
        statement = statement.where(events.c.id < before_id)
    return [Event(*row) for row in connection.execute(statement)]


def list_deletions(connection: Connection, schema: Schema, ids: Sequence[CustomerId]) -> dict[CustomerId, Event]:
    """The last event that deleted each of these customers, by id; absent where there is none."""
    events = schema.own.events
    latest = (
        select(func.max(events.c.id))
        .where(events.c.customer_id.in_(ids), events.c.action == "delete")
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
