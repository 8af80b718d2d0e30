"""The orders of one month: what a figure of the split is made of."""

from __future__ import annotations

from sqlalchemy import Connection, String, and_, case, false, null, select, true, type_coerce
from sqlalchemy.sql import ColumnElement

from data.errors import InvalidInput
from data.months import read_month
from data.queries.amounts import exact
from data.queries.checks import part_of_order
from data.queries.dates import date_key, in_month, in_no_month
from data.queries.orders import order_key
from data.queries.paging import Id, Keys, read_page
from data.records import MonthOrder, Page
from data.schema import Schema, is_text
from data.times import UTCDateTime


def list_month_orders(
    connection: Connection,
    schema: Schema,
    month: str | None,
    *,
    currency: str,
    limit: int = 50,
    after: str | None = None,
    before: str | None = None,
) -> Page[MonthOrder]:
    """A page of a month's orders in this currency, of whatever status, by date and id; of the orders without a
    readable date (None) by id. Those that count add up to the month's total. An order query's ids must differ.

    Raises InvalidInput where the month or a cursor cannot be read, or `limit` is not 1 to 1000.
    """
    if month is not None and read_month(month) != month:
        raise InvalidInput(f"A month looks like 2026-03; found {month}.", field="month")
    customers, orders = schema.customers, schema.orders
    linked = and_(schema.names(orders.c.customer_id), schema.is_linked)
    dated = orders.c.ordered_at
    order_id = order_key(schema)
    key = date_key(schema) if month else order_id
    statement = (
        select(
            order_id.label("id"),
            type_coerce(dated, UTCDateTime()).label("ordered_at"),
            orders.c.customer_id.label("customer_id"),
            customers.c.name.label("customer_name"),
            part_of_order(schema).label("state"),
            (orders.c.status if schema.settings.orders.status else null()).label("status"),
            exact(schema, orders.c.total).label("total"),
            case((schema.is_revenue, true()), else_=false()).label("counted"),
            type_coerce(key, String()).label("sort_key"),
        )
        .select_from(orders.source.outerjoin(customers.source, linked))
        .where(_of_currency(schema, currency), in_month(schema, month) if month else in_no_month(schema))
    )
    keys = Keys(month or "no date", key, order_id, _parse_order_id)
    rows, previous, following = read_page(connection, statement, keys, limit=limit, after=after, before=before)
    return Page([MonthOrder(*row[:-1]) for row in rows], previous, following, scanned=not month)


def _of_currency(schema: Schema, currency: str) -> ColumnElement[bool]:
    if schema.keeps_currency:
        return schema.orders.c.currency == currency
    return true() if currency == schema.settings.money.currency else false()


def _parse_order_id(value: object) -> Id | None:
    """An order's id as a cursor holds it."""
    if isinstance(value, str):
        return value if is_text(value) else None
    return value if type(value) is int and abs(value) < 2**63 else None
