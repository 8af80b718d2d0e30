"""Statements on the orders of given customers."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from decimal import Decimal
from functools import lru_cache
from typing import Any

from sqlalchemy import Connection, Integer, Select, String, Uuid, and_, bindparam, case, cast, func, null, select
from sqlalchemy.sql import ColumnElement

from data import money
from data.queries.amounts import exact_sum
from data.queries.customers import get_customers
from data.queries.dates import month_expression
from data.records import Customer, CustomerId, Impact
from data.schema import Schema


def get_customers_with_impact(
    connection: Connection, schema: Schema, ids: Sequence[CustomerId], *, by_month: bool = False
) -> dict[CustomerId, tuple[Customer, Impact]]:
    """The customers with these ids, active or deleted, each with what the orders amount to (also by month, where asked
    for); by id. To be read within one snapshot, as these are two statements."""
    customers = get_customers(connection, schema, ids)
    impacts = impact(connection, schema, list(customers), by_month=by_month) if customers else {}
    return {key: (customer, impacts[key]) for key, customer in customers.items()}


def impact(
    connection: Connection, schema: Schema, ids: Sequence[CustomerId], *, by_month: bool = False
) -> dict[CustomerId, Impact]:
    """What each customer's orders amount to, by id; an empty Impact without orders, or without such a customer."""
    one = len(ids) == 1
    statement = _impact(schema, by_month=by_month, one=one)
    rows = connection.execute(statement, {"this": ids[0]} if one else {"ids": list(ids)}).all()
    none = Impact(months={}) if by_month else Impact()
    told_apart = ((ids[0], row) for row in rows) if one else ((row[0], row[1:]) for row in rows)
    return dict.fromkeys(ids, none) | add_up(schema, told_apart, by_month)


def add_up(
    schema: Schema, rows: Iterable[tuple[CustomerId, Sequence[Any]]], by_month: bool
) -> dict[CustomerId, Impact]:
    """An id and (month, every order, the last order, revenue, orders that count, currency) as an Impact a customer.

    Several rows of a customer are added. The last two are there where they differ from every order's and from the company's.
    """
    found: dict[CustomerId, Impact] = {}
    selected, kept = bool(schema.settings.orders.revenue_statuses), schema.keeps_currency
    for customer_id, (month, all_orders, last, revenue, *more) in rows:
        orders = more[0] if selected else all_orders
        currency = more[-1] if kept else schema.settings.money.currency
        sofar = found.get(customer_id) or Impact(months={} if by_month else None)
        amounts = dict(sofar.revenue)
        if orders:
            amounts[currency] = money.add([amounts.get(currency, Decimal(0)), revenue])
        numbers = [number for number in (sofar.last_order, last) if isinstance(number, int)]
        months = sofar.months
        if months is not None and all_orders:
            months = {**months, (str(month), currency): (all_orders, orders, revenue)}
        found[customer_id] = Impact(
            sofar.orders + orders, sofar.all_orders + all_orders, amounts, max(numbers, default=None), months
        )
    return found


def order_key(schema: Schema) -> ColumnElement[Any]:
    """An order's id as JSON can hold it: of other kinds (a DOUBLE, PostgreSQL's NUMERIC) its text."""
    order_id = schema.orders.c.id
    plain = schema.dialect == "sqlite" or isinstance(order_id.type, (Integer, String, Uuid))
    return order_id if plain else cast(order_id, String())


def last_number(schema: Schema) -> ColumnElement[Any]:
    """The greatest id of a group's orders where they are numbered, else NULL: PostgreSQL knows none of UUIDs."""
    order_id = schema.orders.c.id
    return func.max(order_id) if schema.dialect == "sqlite" or isinstance(order_id.type, Integer) else null()


@lru_cache(maxsize=16)
def _impact(schema: Schema, *, by_month: bool, one: bool) -> Select[Any]:
    """Of `one` customer without the id: the fewer columns and groups, the sooner the next writer has the chain.

    Built once: building it costs more than running it. Joined through the customers' own key, so that the
    ids are theirs in spelling too.
    """
    customers, orders = schema.customers, schema.orders
    statuses = bool(schema.settings.orders.revenue_statuses)
    counted = case((schema.is_revenue, orders.c.total)) if statuses else orders.c.total
    told_apart = [] if one else [customers.c.id]
    months = [month_expression(schema)] if by_month else []
    return (
        select(
            *told_apart,
            (months[0] if months else null()).label("month"),
            func.count(orders.c.id).label("all_orders"),
            last_number(schema).label("last_order"),
            exact_sum(schema, counted).label("revenue"),
            *([func.count(case((schema.is_revenue, orders.c.id))).label("orders")] if statuses else []),
            *([orders.c.currency.label("currency")] if schema.keeps_currency else []),
        )
        .select_from(
            customers.source.outerjoin(orders.source, and_(schema.names(orders.c.customer_id), schema.is_linked))
        )
        .where(customers.c.id == bindparam("this") if one else customers.c.id.in_(bindparam("ids", expanding=True)))
        .group_by(*told_apart, *months, *([orders.c.currency] if schema.keeps_currency else []))
    )
