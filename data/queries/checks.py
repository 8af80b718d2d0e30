"""Statements of the integrity check: each part on its own, and what it looks at."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import datetime
from itertools import pairwise
from typing import Any, Literal

from sqlalchemy import (
    Connection,
    FromClause,
    Row,
    String,
    Uuid,
    and_,
    case,
    exists,
    func,
    insert,
    inspect,
    or_,
    select,
    true,
)
from sqlalchemy.sql import ColumnElement

from data.queries.amounts import as_stored, can_be_unreadable, is_unreadable
from data.queries.dates import month_expression, window
from data.queries.orders import last_number, order_key
from data.queries.revenue import Key, currency_keys, grouped_by_month, measures, read_figures
from data.records import CustomerId, Figures
from data.schema import Schema, is_active

Part = Literal["total", "active", "deleted", "no_customer", "missing_customer"]
CHUNK = 250_000  # orders that are read by one statement


def order_chunks(connection: Connection, schema: Schema, *, size: int = CHUNK) -> list[ColumnElement[bool]]:
    """Conditions that split the orders into pieces of about this size; every order meets exactly one.

    Along the customers where an index has all that is read beside them, else along the orders' own key. One piece
    holds all where the orders are a query, few, or not numbered.
    """
    axis = _axis(connection, schema)
    if axis is None or isinstance(axis.type, (String, Uuid)):
        return [true()]
    orders = int(connection.execute(select(func.count()).select_from(schema.orders.source)).scalar_one())
    low, high = connection.execute(select(func.min(axis), func.max(axis))).one()
    pieces = -(-orders // size)
    if pieces < 2 or type(low) is not int or type(high) is not int:
        return [true()]
    ends = sorted({low + (high - low) * n // pieces for n in range(1, pieces)})
    if not ends:
        return [true()]
    between = [and_(axis > start, axis <= end) for start, end in pairwise(ends)]
    return [or_(axis <= ends[0], axis.is_(None)), *between, axis > ends[-1]]


def _axis(connection: Connection, schema: Schema) -> ColumnElement[Any] | None:
    """What to go along the orders by."""
    table, mapping = schema.order_table, schema.settings.orders
    if table is None:
        return None
    inspector, read = inspect(connection), [mapping.customer_id, mapping.ordered_at, mapping.total]
    indexes = [i["column_names"] for i in inspector.get_indexes(table.name, schema=table.schema)]
    if any(columns[:3] == read for columns in indexes):
        return schema.orders.c.customer_id
    key = inspector.get_pk_constraint(table.name, schema=table.schema)["constrained_columns"]
    return schema.orders.c.id if key == [mapping.id] else None


def monthly_part(
    connection: Connection,
    schema: Schema,
    part: Part,
    *,
    first: str | None = None,
    last: str | None = None,
    chunk: ColumnElement[bool] | None = None,
) -> dict[Key, Figures]:
    """One part of the identity by month and currency, by a statement of its own: nothing is subtracted.

    `chunk` is one of `order_chunks`: the part of those orders alone.
    """
    customers, orders = schema.customers, schema.orders
    joined = orders.source.join(customers.source, and_(schema.names(orders.c.customer_id), schema.is_linked))
    sources: dict[Part, tuple[FromClause, ColumnElement[bool]]] = {
        "total": (orders.source, true()),
        "active": (joined, is_active(customers)),
        "deleted": (joined, ~is_active(customers)),
        "no_customer": (orders.source, schema.is_guest),
        "missing_customer": (orders.source, _is_missing(schema)),
    }
    source, belongs = sources[part]
    condition = and_(schema.is_revenue, belongs, true() if chunk is None else chunk)
    as_joined = part == "active"
    return grouped_by_month(connection, schema, source, condition, first=first, last=last, as_joined=as_joined)


def monthly_long_way(
    connection: Connection,
    schema: Schema,
    *,
    first: str | None = None,
    last: str | None = None,
    chunk: ColumnElement[bool],
) -> dict[Part, dict[Key, Figures]]:
    """Every part at once, the long way round: each order looks for its customer (LEFT JOIN) and is told apart by what it finds."""
    customers, orders = schema.customers, schema.orders
    part, month = part_of_order(schema), month_expression(schema)
    source = orders.source.outerjoin(customers.source, schema.names(orders.c.customer_id))
    statement = (
        select(part.label("part"), *measures(schema, month))
        .select_from(source)
        .where(schema.is_revenue, chunk, *window(schema, first, last))
        .group_by(part, month, *currency_keys(schema))
    )
    rows: dict[Part, list[Any]] = {}
    for row in connection.execute(statement):
        rows.setdefault(row.part, []).append(row)
    found = {part: read_figures(schema, of) for part, of in rows.items()}
    bounded = bool(first or last)
    return {part: {k: f for k, f in of.items() if k[0] or not bounded} for part, of in found.items()}


def part_of_order(schema: Schema) -> ColumnElement[str]:
    """Which part of the identity an order belongs to, where orders are joined to their customers (LEFT JOIN)."""
    return case(
        (schema.is_guest, "no_customer"),
        (schema.customers.c.id.is_(None), "missing_customer"),
        (is_active(schema.customers), "active"),
        else_="deleted",
    )


def _is_missing(schema: Schema) -> ColumnElement[bool]:
    """An order that names a customer who is not there. NOT EXISTS: NOT IN would lose the NULLs."""
    customers = schema.customers
    there = exists(select(customers.c.id).where(schema.names(schema.orders.c.customer_id)))
    return and_(schema.is_linked, ~there)


def list_missing_customers(connection: Connection, schema: Schema, *, limit: int) -> list[tuple[CustomerId, int]]:
    """Customers whom orders name but who are not there, with their number of orders, in id order."""
    link = schema.orders.c.customer_id
    statement = (
        select(link, func.count())
        .select_from(schema.orders.source)
        .where(_is_missing(schema))
        .group_by(link)
        .order_by(link)
        .limit(limit)
    )
    return [(row[0], row[1]) for row in connection.execute(statement)]


def count_missing_customer_orders(
    connection: Connection, schema: Schema, *, chunk: ColumnElement[bool] | None = None
) -> int:
    """How many orders, of any status, name a customer who is not there; of one of `order_chunks`, or of all."""
    condition = _is_missing(schema) if chunk is None else and_(_is_missing(schema), chunk)
    return int(connection.execute(select(func.count()).select_from(schema.orders.source).where(condition)).scalar_one())


def count_amounts(connection: Connection, schema: Schema, label: str) -> tuple[int, int]:
    """How many orders that count as revenue have an amount (`label`: total or cost) that is no number, and how many none."""
    column, table = schema.orders.c[label], schema.order_table
    required = table is not None and not table.c[getattr(schema.settings.orders, label)].nullable
    if required and not can_be_unreadable(schema, column):
        return 0, 0
    counted = [func.count(case((found, 1))) for found in (is_unreadable(schema, column), column.is_(None))]
    row = connection.execute(select(*counted).select_from(schema.orders.source).where(schema.is_revenue)).one()
    return int(row[0]), int(row[1])


def list_unreadable_amounts(
    connection: Connection, schema: Schema, label: str, *, limit: int
) -> list[tuple[CustomerId, str]]:
    """The orders that count as revenue with an amount that is no number, and what is stored, in id order."""
    column, key = schema.orders.c[label], order_key(schema)
    statement = (
        select(key, as_stored(schema, column))
        .select_from(schema.orders.source)
        .where(schema.is_revenue, is_unreadable(schema, column))
        .order_by(key)
        .limit(limit)
    )
    return [(row[0], str(row[1])) for row in connection.execute(statement)]


def count_orders_of_deleted(connection: Connection, schema: Schema) -> dict[CustomerId, tuple[int, int | None]]:
    """How many orders, of any status, each deleted customer has, and the greatest of their ids, where orders are numbered (else, and without any, None)."""
    customers, orders = schema.customers, schema.orders
    linked = and_(schema.names(orders.c.customer_id), schema.is_linked)
    statement = (
        select(customers.c.id, func.count(orders.c.id), last_number(schema))
        .select_from(customers.source.outerjoin(orders.source, linked))
        .where(~is_active(customers))
        .group_by(customers.c.id)
    )
    return {row[0]: (row[1], row[2] if type(row[2]) is int else None) for row in connection.execute(statement)}


def list_order_ids(
    connection: Connection, schema: Schema, customers: Sequence[CustomerId]
) -> list[tuple[CustomerId, Any]]:
    """The ids of these customers' orders, of any status: pairs of customer (in the customers' spelling) and order."""
    owners, orders = schema.customers, schema.orders
    joined = owners.source.join(orders.source, and_(schema.names(orders.c.customer_id), schema.is_linked))
    statement = select(owners.c.id, orders.c.id).select_from(joined).where(owners.c.id.in_(customers))
    return [(row[0], row[1]) for row in connection.execute(statement)]


def list_named_but_gone(connection: Connection, schema: Schema, *, limit: int) -> list[CustomerId]:
    """Customers whom an event names but who are not in the table any more, in id order."""
    named, customers = schema.own.events.c.customer_id, schema.customers
    there = exists(select(customers.c.id).where(customers.c.id == named))
    statement = select(named).distinct().where(named.is_not(None), ~there).order_by(named).limit(limit)
    return list(connection.execute(statement).scalars())


def count_all_customers(connection: Connection, schema: Schema) -> int:
    """How many customers there are, active and deleted."""
    return int(connection.execute(select(func.count()).select_from(schema.customers.source)).scalar_one())


def count_state(connection: Connection, schema: Schema) -> dict[str, int]:
    """How many customers, deleted customers and orders (of any status) there are: what a proof names."""
    customers, orders = schema.customers, schema.orders
    counted = {
        "deleted": select(func.count()).select_from(customers.source).where(~is_active(customers)),
        "orders": select(func.count()).select_from(orders.source),
    }
    found = {name: int(connection.execute(statement).scalar_one()) for name, statement in counted.items()}
    return {"customers": count_all_customers(connection, schema), **found}


def record_check(connection: Connection, schema: Schema, *, at: datetime, report: dict[str, Any]) -> None:
    """Keeps a run (its JSON), so that screens can say when the books were last even; one that could not see is not."""
    values = {"snapshot_at": at, "even": bool(report["even"]), "unseen": report["unseen"], "report": json.dumps(report)}
    connection.execute(insert(schema.own.checks).values(values))


def last_check(connection: Connection, schema: Schema, *, even: bool | None = None) -> Row[*tuple[Any, ...]] | None:
    """The last kept run (`snapshot_at`, `even`, `unseen`, `report` as JSON text), or the last even one."""
    checks = schema.own.checks
    statement = select(checks).order_by(checks.c.id.desc()).limit(1)
    if even is not None:
        statement = statement.where(checks.c.even == even)
    return connection.execute(statement).first()
