"""Statements of the backup check: what was found before, and which rows a copy has."""

from __future__ import annotations

from typing import Any, Literal

from sqlalchemy import Connection, Integer, Row, func, select

from data.queries.checks import monthly_part
from data.queries.revenue import Key
from data.records import CustomerId, Figures, Time
from data.schema import Lens, Schema

Rows = Literal["customers", "orders"]
Bounds = tuple[int, int]
SPREAD = 1_000_003  # ids are added by their remainders, so that no sum is too large


def last_backup_check(connection: Connection, schema: Schema) -> Row[*tuple[Any, ...]] | None:
    """The last comparison with a restored backup: `id`, `at`, `actor`, `body` (JSON text); None where there was none."""
    events = schema.own.events
    statement = select(events.c.id, events.c.at, events.c.actor, events.c.body)
    statement = statement.where(events.c.action == "backup_check").order_by(events.c.id.desc()).limit(1)
    return connection.execute(statement).first()


def _lens(schema: Schema, rows: Rows) -> Lens:
    return schema.customers if rows == "customers" else schema.orders


def id_bounds(connection: Connection, schema: Schema, rows: Rows) -> Bounds | None:
    """The least and the greatest id; None where there is no row, or they are not numbered."""
    lens = _lens(schema, rows)
    if not isinstance(lens.c.id.type, Integer):
        return None
    low, high = connection.execute(select(func.min(lens.c.id), func.max(lens.c.id)).select_from(lens.source)).one()
    return (low, high) if type(low) is int and type(high) is int else None


def count_between(connection: Connection, schema: Schema, rows: Rows, low: int, high: int) -> tuple[int, int]:
    """How many have an id of this range, both ends included; and a sum over the ids that tells one lost and another added."""
    lens = _lens(schema, rows)
    counted = (func.count(), func.coalesce(func.sum(lens.c.id % SPREAD), 0))
    statement = select(*counted).select_from(lens.source).where(lens.c.id >= low, lens.c.id <= high)
    number, added = connection.execute(statement).one()
    return int(number), int(added)


def ids_between(
    connection: Connection, schema: Schema, rows: Rows, low: CustomerId, high: CustomerId
) -> set[CustomerId]:
    """The ids of this range, both ends included."""
    lens = _lens(schema, rows)
    return set(connection.execute(select(lens.c.id).where(lens.c.id >= low, lens.c.id <= high)).scalars())


def list_customers_after(
    connection: Connection, schema: Schema, after: CustomerId | None, *, limit: int
) -> list[tuple[CustomerId, Time | None]]:
    """The next customers in id order, active and deleted, with when they were added."""
    customers = schema.customers
    statement = select(customers.c.id, customers.c.created_at).order_by(customers.c.id).limit(limit)
    if after is not None:
        statement = statement.where(customers.c.id > after)
    return [(row[0], row[1]) for row in connection.execute(statement)]


def monthly_totals_up_to(connection: Connection, schema: Schema, last_order: int, *, first: str) -> dict[Key, Figures]:
    """The total by month and currency, from the month `first` on, of the orders up to this number."""
    return monthly_part(connection, schema, "total", first=first, chunk=schema.orders.c.id <= last_order)
