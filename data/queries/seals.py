"""Statements on evenbooks_seals, and on the events that seal and unseal."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, Row, insert, select, update

from data.records import Seal
from data.schema import Schema


def list_seals(connection: Connection, schema: Schema, *, month: str | None = None) -> list[Seal]:
    """The seals in force, newest month first; of one month where it is given."""
    seals = schema.own.seals
    statement = (
        select(*_columns(schema))
        .where(seals.c.unsealed_event_id.is_(None))
        .order_by(seals.c.month.desc(), seals.c.currency, seals.c.event_id)
    )
    if month is not None:
        statement = statement.where(seals.c.month == month)
    return [Seal(*row) for row in connection.execute(statement)]


def get_seal_rows(connection: Connection, schema: Schema, event_id: int) -> list[Row[*tuple[Any, ...]]]:
    """What an event's seals look like in the table, in force or not: the columns of a Seal, `detail`, `unsealed_event_id`."""
    seals = schema.own.seals
    statement = select(*_columns(schema), seals.c.detail, seals.c.unsealed_event_id)
    return list(connection.execute(statement.where(seals.c.event_id == event_id).order_by(seals.c.currency)))


def insert_seals(connection: Connection, schema: Schema, rows: Sequence[Mapping[str, Any]]) -> None:
    """Keeps the seals of one event, a row a currency."""
    connection.execute(insert(schema.own.seals), [dict(row) for row in rows])


def mark_unsealed(connection: Connection, schema: Schema, month: str, *, event_id: int) -> int:
    """Ends the seals of a month that are in force; answers how many they were. No row is ever removed."""
    seals = schema.own.seals
    statement = update(seals).where(seals.c.month == month, seals.c.unsealed_event_id.is_(None))
    return connection.execute(statement.values(unsealed_event_id=event_id)).rowcount


def last_seal_action(connection: Connection, schema: Schema, month: str, *, after: int = 0) -> str | None:
    """What the last event about this month's seal did (`seal`, `unseal`), among those after event `after`; None: no such event."""
    events = schema.own.events
    about = events.c.body.contains(f'"month":"{month}"', autoescape=True)
    statement = (
        select(events.c.action)
        .where(events.c.id > after, events.c.action.in_(["seal", "unseal"]), about)
        .order_by(events.c.id.desc())
        .limit(1)
    )
    return connection.execute(statement).scalar()


def _columns(schema: Schema) -> list[Any]:
    """In the order of Seal's fields."""
    c = schema.own.seals.c
    return [
        c.month,
        c.currency,
        c.orders,
        c.all_orders,
        c.total,
        c.checksum,
        c.mapping,
        c.event_id,
        c.sealed_at,
        c.actor,
    ]
