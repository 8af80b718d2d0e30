"""Statements on the orders of given customers."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

from sqlalchemy import Connection, case, func, select

from data.money import exact_sum
from data.records import CustomerId, Impact
from data.schema import Schema, currency_of


def impact(connection: Connection, schema: Schema, ids: Sequence[CustomerId]) -> dict[CustomerId, Impact]:
    """What each customer's orders amount to, by id; a customer without orders has an empty Impact.

    Joined through the customers' own key, so that the ids are theirs in spelling too.
    """
    customers, orders = schema.customers, schema.orders
    statuses = bool(schema.settings.orders.revenue_statuses)
    counted = case((schema.is_revenue, orders.c.total)) if statuses else orders.c.total
    statement = (
        select(
            customers.c.id,
            currency_of(schema).label("currency"),
            func.count().label("all_orders"),
            (func.count(case((schema.is_revenue, 1))) if statuses else func.count()).label("orders"),
            exact_sum(counted, dialect=schema.dialect, decimals=schema.settings.money.decimals).label("revenue"),
        )
        .join_from(customers, orders, orders.c.customer_id == customers.c.id)
        .where(customers.c.id.in_(ids), schema.is_linked)
        .group_by(customers.c.id, *([orders.c.currency] if schema.keeps_currency else []))
    )
    found = {customer_id: Impact() for customer_id in ids}
    for row in connection.execute(statement):
        sofar = found[row.id]
        revenue: dict[str, Decimal] = (
            {**sofar.revenue, row.currency: row.revenue} if row.orders else dict(sofar.revenue)
        )
        found[row.id] = Impact(sofar.orders + row.orders, sofar.all_orders + row.all_orders, revenue)
    return found


def count_open_orders(connection: Connection, schema: Schema, ids: Sequence[CustomerId]) -> int:
    """How many of these customers' orders no report counts as revenue yet (none where every order counts)."""
    if not schema.settings.orders.revenue_statuses:
        return 0
    found = impact(connection, schema, ids).values()
    return sum(one.all_orders - one.orders for one in found)
