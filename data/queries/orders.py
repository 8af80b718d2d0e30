"""Statements on the orders of given customers."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from decimal import Decimal
from functools import lru_cache
from typing import Any

from sqlalchemy import Connection, Null, Select, and_, bindparam, case, func, null, select

from data import money
from data.money import exact_sum
from data.queries.revenue import month_expression
from data.records import Customer, CustomerId, Impact
from data.schema import Schema, currency_of

MEASURES = 6  # columns behind the customer's own


def get_customers_with_impact(
    connection: Connection, schema: Schema, ids: Sequence[CustomerId], *, by_month: bool = False
) -> dict[CustomerId, tuple[Customer, Impact]]:
    """The customers with these ids, active or deleted, each with what the orders amount to (also by month, where asked
    for); by id."""
    rows = connection.execute(_impact(schema, whole=True, by_month=by_month), {"ids": list(ids)}).all()
    impacts = _add_up(((row.id, *row[-MEASURES:]) for row in rows), by_month)
    return {row.id: (Customer(*row[:-MEASURES]), impacts[row.id]) for row in rows}


def impact(
    connection: Connection, schema: Schema, ids: Sequence[CustomerId], *, by_month: bool = False
) -> dict[CustomerId, Impact]:
    """What each customer's orders amount to, by id; an empty Impact without orders, or without such a customer."""
    rows = connection.execute(_impact(schema, whole=False, by_month=by_month), {"ids": list(ids)})
    none = Impact(months={}) if by_month else Impact()
    return dict.fromkeys(ids, none) | _add_up(map(tuple, rows), by_month)


def _add_up(rows: Iterable[tuple[Any, ...]], by_month: bool) -> dict[CustomerId, Impact]:
    """Rows of (id, month, currency, every order, the last order, orders that count, revenue) as an Impact a customer."""
    found: dict[CustomerId, Impact] = {}
    for customer_id, month, currency, all_orders, last, orders, revenue in rows:
        sofar = found.get(customer_id, Impact(months={} if by_month else None))
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


@lru_cache(maxsize=16)
def _impact(schema: Schema, *, whole: bool, by_month: bool) -> Select[Any]:
    """With the `whole` customers or with their ids alone, which is what remains to be read after a change.

    Built once: building it costs more than running it. Joined through the customers' own key, so that the
    ids are theirs in spelling too.
    """
    customers, orders = schema.customers, schema.orders
    statuses = bool(schema.settings.orders.revenue_statuses)
    counted = case((schema.is_revenue, orders.c.total)) if statuses else orders.c.total
    columns = customers.labelled if whole else [customers.c.id.label("id")]
    told_apart = [c for c in customers.c.values() if not isinstance(c, Null)] if whole else [customers.c.id]
    months = [month_expression(schema)] if by_month else []
    return (
        select(
            *columns,
            (months[0] if months else null()).label("month"),
            currency_of(schema).label("currency"),
            func.count(orders.c.id).label("all_orders"),
            func.max(orders.c.id).label("last_order"),
            func.count(case((schema.is_revenue, orders.c.id)) if statuses else orders.c.id).label("orders"),
            exact_sum(counted, dialect=schema.dialect, decimals=schema.settings.money.decimals).label("revenue"),
        )
        .select_from(
            customers.source.outerjoin(orders.source, and_(orders.c.customer_id == customers.c.id, schema.is_linked))
        )
        .where(customers.c.id.in_(bindparam("ids", expanding=True)))
        # By every column, because MariaDB does not see that they follow from the id.
        .group_by(*told_apart, *months, *([orders.c.currency] if schema.keeps_currency else []))
    )
