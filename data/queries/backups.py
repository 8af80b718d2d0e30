"""Statements of the backup check: what was found before, and which rows a copy has."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any, Literal

from sqlalchemy import BigInteger, Connection, FromClause, Integer, Row, and_, cast, func, select, true
from sqlalchemy.sql import ColumnElement

from data.months import read_month
from data.queries.dates import month_expression
from data.queries.revenue import Key, grouped_by_month
from data.records import CustomerId, Figures, Time
from data.schema import Lens, Schema

Rows = Literal["customers", "orders"]
Bounds = tuple[int, int]
SPREAD = 1_000_003  # ids are added by their remainders, so that no sum is too large
NARROW = 9973  # and multiplied by these


def last_backup_check(connection: Connection, schema: Schema) -> Row[*tuple[Any, ...]] | None:
    """The last comparison with a restored backup: `id`, `at`, `actor`, `body` (JSON text); None where there was none."""
    events = schema.own.events
    statement = select(events.c.id, events.c.at, events.c.actor, events.c.body)
    statement = statement.where(events.c.action == "backup_check").order_by(events.c.id.desc()).limit(1)
    return connection.execute(statement).first()


def _lens(schema: Schema, rows: Rows) -> Lens:
    return schema.customers if rows == "customers" else schema.orders


def _ids(schema: Schema, rows: Rows) -> tuple[FromClause, ColumnElement[Any]]:
    """Where the ids are: in the whole table, whatever slice of it `where` names; of a query its own."""
    table = schema.customer_table if rows == "customers" else schema.order_table
    if table is None:
        return schema.orders.source, schema.orders.c.id
    return table, table.c[getattr(schema.settings, rows).id]


def id_bounds(connection: Connection, schema: Schema, rows: Rows) -> Bounds | None:
    """The least and the greatest id; None where there is no row, or they are not numbered."""
    source, key = _ids(schema, rows)
    if not isinstance(key.type, Integer):
        return None
    low, high = connection.execute(select(func.min(key), func.max(key)).select_from(source)).one()
    return (low, high) if type(low) is int and type(high) is int else None


def count_between(connection: Connection, schema: Schema, rows: Rows, low: int, high: int) -> tuple[int, int]:
    """How many have an id of this range, both ends included; and a sum over the ids that tells one lost and another added."""
    source, key = _ids(schema, rows)
    counted = (func.count(), func.coalesce(func.sum(key % SPREAD), 0))
    statement = select(*counted).select_from(source).where(key >= low, key <= high)
    number, added = connection.execute(statement).one()
    return int(number), int(added)


def ids_between(
    connection: Connection, schema: Schema, rows: Rows, low: CustomerId, high: CustomerId
) -> set[CustomerId]:
    """The ids of this range, both ends included."""
    source, key = _ids(schema, rows)
    return set(connection.execute(select(key).select_from(source).where(key >= low, key <= high)).scalars())


def ids_of_slice(connection: Connection, schema: Schema, rows: Rows, ids: Collection[CustomerId]) -> set[CustomerId]:
    """Which of these ids are in the slice that `where` names; all that are there where it names none."""
    lens = _lens(schema, rows)
    statement = select(lens.c.id).select_from(lens.source).where(lens.c.id.in_(ids))
    return set(connection.execute(statement).scalars())


def added_after(connection: Connection, schema: Schema, event_id: int) -> set[CustomerId]:
    """The customers whom an event later than this one added."""
    events = schema.own.events
    statement = select(events.c.customer_id).where(events.c.id > event_id, events.c.action == "add")
    return set(connection.execute(statement).scalars())


def list_customers_after(
    connection: Connection, schema: Schema, after: CustomerId | None, *, limit: int
) -> list[tuple[CustomerId, Time | None]]:
    """The next customers in id order, active and deleted, with when they were added."""
    customers = schema.customers
    statement = select(customers.c.id, customers.c.created_at).order_by(customers.c.id).limit(limit)
    if after is not None:
        statement = statement.where(customers.c.id > after)
    return [(row[0], row[1]) for row in connection.execute(statement)]


def monthly_orders(
    connection: Connection, schema: Schema, *, counting: bool = False, up_to: int | None = None
) -> dict[Key, Figures]:
    """Orders of whatever status and their amounts by month and currency; of those `counting` as revenue, and with an id
    up to a number, where asked for."""
    counts = schema.is_revenue if counting else true()
    condition = and_(counts, true() if up_to is None else schema.orders.c.id <= up_to)
    return grouped_by_month(connection, schema, schema.orders.source, condition)


def monthly_owners(connection: Connection, schema: Schema) -> dict[str | None, int]:
    """A sum by month that is another one where an order is of another customer; empty where one of the two is not numbered."""
    orders, month = schema.orders, month_expression(schema)
    if not isinstance(orders.c.id.type, Integer) or not isinstance(orders.c.customer_id.type, Integer):
        return {}
    weight = cast(orders.c.id % NARROW + 1, BigInteger)
    owners = func.sum(weight * (func.coalesce(orders.c.customer_id, -1) % SPREAD))
    found: dict[str | None, int] = {}
    for raw, added in connection.execute(select(month, owners).select_from(orders.source).group_by(month)):
        name = read_month(raw)
        found[name] = found.get(name, 0) + int(added)
    return found
