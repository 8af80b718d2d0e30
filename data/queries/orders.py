"""Statements on the orders of given customers."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from functools import lru_cache
from typing import Any

from sqlalchemy import Connection, Select, bindparam, case, func, select

from data.money import exact_sum
from data.records import Customer, CustomerId, Impact
from data.schema import Schema, currency_of


def get_customers_with_impact(
    connection: Connection, schema: Schema, ids: Sequence[CustomerId]
) -> dict[CustomerId, tuple[Customer, Impact]]:
    """The customers with these ids, active or deleted, each with what the orders amount to; by id."""
    found: dict[CustomerId, tuple[Customer, Impact]] = {}
    for row in connection.execute(_with_impact(schema), {"ids": list(ids)}):
        *columns, currency, all_orders, orders, revenue = row
        customer, sofar = found.get(row.id) or (Customer(*columns), Impact())
        if all_orders:
            amounts: dict[str, Decimal] = {**sofar.revenue, **({currency: revenue} if orders else {})}
            sofar = Impact(sofar.orders + orders, sofar.all_orders + all_orders, amounts)
        found[row.id] = customer, sofar
    return found


def impact(connection: Connection, schema: Schema, ids: Sequence[CustomerId]) -> dict[CustomerId, Impact]:
    """What each customer's orders amount to, by id; an empty Impact without orders, or without such a customer."""
    found = get_customers_with_impact(connection, schema, ids)
    return {customer_id: found[customer_id][1] if customer_id in found else Impact() for customer_id in ids}


@lru_cache(maxsize=16)
def _with_impact(schema: Schema) -> Select[Any]:
    """Built once: a delete runs it twice, and building it costs more than running it.

    Joined through the customers' own key, so that the ids are theirs in spelling too.
    """
    customers, orders = schema.customers, schema.orders
    statuses = bool(schema.settings.orders.revenue_statuses)
    counted = case((schema.is_revenue, orders.c.total)) if statuses else orders.c.total
    these = customers.c.id.in_(bindparam("ids", expanding=True))
    amounts = (
        select(
            customers.c.id.label("customer_id"),
            currency_of(schema).label("currency"),
            func.count().label("all_orders"),
            (func.count(case((schema.is_revenue, 1))) if statuses else func.count()).label("orders"),
            exact_sum(counted, dialect=schema.dialect, decimals=schema.settings.money.decimals).label("revenue"),
        )
        .join_from(customers, orders, orders.c.customer_id == customers.c.id)
        .where(these, schema.is_linked)
        .group_by(customers.c.id, *([orders.c.currency] if schema.keeps_currency else []))
        .subquery("amounts")
    )
    a = amounts.c
    return (
        select(customers, a.currency, a.all_orders, a.orders, a.revenue)
        .select_from(customers.outerjoin(amounts, a.customer_id == customers.c.id))
        .where(these)
    )
