"""Statements on the customers of a job, and on some of them at once: what they are, and what their orders amount to."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from functools import lru_cache
from typing import Any

from sqlalchemy import Connection, FromClause, Select, and_, bindparam, case, func, null, or_, select
from sqlalchemy.sql import ColumnElement

from data import money
from data.queries.amounts import exact_sum
from data.queries.dates import month_expression
from data.queries.orders import last_number
from data.records import CustomerId, Impact
from data.schema import Schema, currency_of

# Of an event's action: those that change whether a customer is deleted, or may be restored.
TURNING = ("delete", "restore", "erase")


def job_impact(connection: Connection, schema: Schema, job_id: str, *, done: bool = False) -> Impact:
    """What the orders of all of a job's customers amount to, or (`done`) of those whom it changed."""
    orders, items = schema.orders, schema.own.job_items
    columns = [func.count(orders.c.id), *_counted(schema), currency_of(schema)]
    found = select(*columns).select_from(_with_orders(schema)).where(items.c.job_id == job_id)
    if done:
        found = found.where(items.c.result == "done")
    found = found.group_by(*_by_currency(schema))
    every, counting, revenue = 0, 0, dict[str, Decimal]()
    for all_orders, amount, orders_counted, currency in connection.execute(found):
        every, counting = every + all_orders, counting + orders_counted
        if orders_counted:
            revenue[currency] = money.add([revenue.get(currency, Decimal(0)), amount])
    return Impact(counting, every, revenue)


def states_in(connection: Connection, schema: Schema, job_id: str, *, first: int, last: int) -> dict[CustomerId, Any]:
    """The deleted_at of a job's customers from one number to another, by id; who is not there is absent."""
    found = connection.execute(_states(schema), {"of_job": job_id, "first": first, "last": last})
    return {row[0]: row[1] for row in found}


@lru_cache(maxsize=16)
def _states(schema: Schema) -> Select[Any]:
    customers, items = schema.customers, schema.own.job_items
    joined = items.join(customers.source, customers.c.id == items.c.customer_id)
    return select(customers.c.id, customers.c.deleted_at).select_from(joined).where(numbered(schema))


def orders_in(
    connection: Connection, schema: Schema, job_id: str, *, first: int, last: int
) -> dict[CustomerId, list[tuple[Any, ...]]]:
    """What the orders of a job's customers from one number to another amount to, by id, in rows that `add_up` reads."""
    rows: dict[CustomerId, list[tuple[Any, ...]]] = {}
    for row in connection.execute(_orders(schema), {"of_job": job_id, "first": first, "last": last}):
        rows.setdefault(row[0], []).append(row[1:])
    for several in rows.values():
        several.sort(key=str)
    return rows


@lru_cache(maxsize=16)
def _orders(schema: Schema) -> Select[Any]:
    customers, orders, currency = schema.customers, schema.orders, _by_currency(schema)
    amount, counted = _counted(schema)
    columns = [func.count(orders.c.id), last_number(schema), amount]
    columns += [counted] if schema.settings.orders.revenue_statuses else []
    grouped = select(customers.c.id, null(), *columns, *currency).group_by(customers.c.id, *currency)
    return grouped.select_from(_with_orders(schema)).where(numbered(schema))


def months_in(connection: Connection, schema: Schema, job_id: str, *, first: int, last: int) -> list[tuple[Any, ...]]:
    """The orders of these customers together by month as the engine says it and currency: how many, the amount and
    number of those that count."""
    found = connection.execute(_months(schema), {"of_job": job_id, "first": first, "last": last})
    return sorted((tuple(row) for row in found), key=str)


@lru_cache(maxsize=16)
def _months(schema: Schema) -> Select[Any]:
    month, currency = month_expression(schema), _by_currency(schema)
    columns = [func.count(schema.orders.c.id), *_counted(schema)]
    grouped = select(month, *currency, *columns).group_by(month, *currency)
    return grouped.select_from(_with_orders(schema)).where(numbered(schema))


def _with_orders(schema: Schema) -> FromClause:
    """A job's customers with their orders. Joined through the customers' own key, which orders are compared with."""
    customers, orders, items = schema.customers, schema.orders, schema.own.job_items
    there = items.join(customers.source, customers.c.id == items.c.customer_id)
    return there.join(orders.source, and_(schema.names(orders.c.customer_id), schema.is_linked))


def numbered(schema: Schema) -> ColumnElement[bool]:
    """Whether an item is of a job (`of_job`) and from one number (`first`) to another (`last`)."""
    items = schema.own.job_items
    return and_(items.c.job_id == bindparam("of_job"), items.c.number.between(bindparam("first"), bindparam("last")))


def _counted(schema: Schema) -> list[Any]:
    """The amount and the number of the orders that count as revenue."""
    orders = schema.orders
    if not schema.settings.orders.revenue_statuses:
        return [exact_sum(schema, orders.c.total), func.count(orders.c.id)]
    counted = case((schema.is_revenue, orders.c.total))
    return [exact_sum(schema, counted), func.count(case((schema.is_revenue, orders.c.id)))]


def _by_currency(schema: Schema) -> list[Any]:
    return [schema.orders.c.currency] if schema.keeps_currency else []


def turned_since(
    connection: Connection, schema: Schema, ids: Sequence[CustomerId], event_id: int, *, but: str
) -> set[CustomerId]:
    """Those of these customers whom somebody deleted, restored or erased after an event, in another batch than `but`."""
    events = schema.own.events
    elsewhere = or_(events.c.batch_id.is_(None), events.c.batch_id != but)
    later = and_(events.c.customer_id.in_(ids), events.c.id > event_id, events.c.action.in_(TURNING), elsewhere)
    return set(connection.execute(select(events.c.customer_id).where(later)).scalars())


def last_turned_by(connection: Connection, schema: Schema, ids: Sequence[CustomerId], batch_id: str) -> set[CustomerId]:
    """Those of these customers whom nobody has deleted, restored or erased since this batch did."""
    events = schema.own.events
    ours = case((events.c.batch_id == batch_id, events.c.id))
    turned = and_(events.c.customer_id.in_(ids), events.c.action.in_(TURNING))
    found = select(events.c.customer_id).where(turned).group_by(events.c.customer_id)
    return set(connection.execute(found.having(func.max(ours) == func.max(events.c.id))).scalars())
