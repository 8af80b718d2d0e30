"""Statements of the integrity check: each part on its own, and what it looks at."""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any, Literal

from sqlalchemy import Connection, Row, and_, exists, func, insert, select
from sqlalchemy.sql import ColumnElement

from data.queries.revenue import Key, grouped_by_month
from data.records import CustomerId, Figures
from data.schema import Schema, is_active

Part = Literal["total", "active", "deleted", "no_customer", "missing_customer"]


def monthly_part(
    connection: Connection, schema: Schema, part: Part, *, first: str | None = None, last: str | None = None
) -> dict[Key, Figures]:
    """One part of the identity by month and currency, by a statement of its own: nothing is subtracted."""
    customers, orders = schema.customers, schema.orders
    joined = orders.source.join(customers.source, and_(orders.c.customer_id == customers.c.id, schema.is_linked))
    sources = {
        "total": (orders.source, schema.is_revenue),
        "active": (joined, and_(schema.is_revenue, is_active(customers))),
        "deleted": (joined, and_(schema.is_revenue, ~is_active(customers))),
        "no_customer": (orders.source, and_(schema.is_revenue, schema.is_guest)),
        "missing_customer": (orders.source, and_(schema.is_revenue, _is_missing(schema))),
    }
    source, condition = sources[part]
    as_joined = part == "active"
    return grouped_by_month(connection, schema, source, condition, first=first, last=last, as_joined=as_joined)


def _is_missing(schema: Schema) -> ColumnElement[bool]:
    """An order that names a customer who is not there. NOT EXISTS: NOT IN would lose the NULLs."""
    customers = schema.customers
    there = exists(select(customers.c.id).where(customers.c.id == schema.orders.c.customer_id))
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


def count_missing_customer_orders(connection: Connection, schema: Schema) -> int:
    """How many orders, of any status, name a customer who is not there."""
    statement = select(func.count()).select_from(schema.orders.source).where(_is_missing(schema))
    return int(connection.execute(statement).scalar_one())


def record_check(connection: Connection, schema: Schema, *, at: datetime, report: dict[str, Any]) -> None:
    """Keeps a run (its JSON), so that screens can say when the books were last even."""
    values = {"snapshot_at": at, "even": report["even"], "unseen": report["unseen"], "report": json.dumps(report)}
    connection.execute(insert(schema.own.checks).values(values))


def last_check(connection: Connection, schema: Schema, *, even: bool | None = None) -> Row[*tuple[Any, ...]] | None:
    """The last kept run (`snapshot_at`, `even`, `unseen`, `report` as JSON text), or the last even one."""
    checks = schema.own.checks
    statement = select(checks).order_by(checks.c.id.desc()).limit(1)
    if even is not None:
        statement = statement.where(checks.c.even == even)
    return connection.execute(statement).first()
