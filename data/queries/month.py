"""The orders of one month: what a figure of the split is made of."""

from __future__ import annotations

from sqlalchemy import (
    Boolean,
    Connection,
    Integer,
    String,
    and_,
    case,
    false,
    func,
    null,
    or_,
    select,
    true,
    type_coerce,
)
from sqlalchemy.sql import ColumnElement

from data.errors import InvalidInput
from data.money import exact
from data.queries.checks import part_of_order
from data.queries.paging import Id, Keys, read_page
from data.queries.revenue import FIRST_YEAR, has_dates, month_expression, read_month, window
from data.records import MonthOrder, Page
from data.schema import Schema, is_text
from data.times import UTCDateTime

# A year from 1000 and a month from 01 to 12, as `read_month` reads it, in SQLite's words.
READABLE = [f"[1-9][0-9][0-9][0-9]-{month}" for month in ("0[1-9]", "1[0-2]")]


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
    linked = and_(orders.c.customer_id == customers.c.id, schema.is_linked)
    dated = orders.c.ordered_at
    key = dated if month else orders.c.id
    # As SQLite stores it: its own type of time cannot compare what is no time.
    sorted_by = type_coerce(key, String()) if month and schema.dialect == "sqlite" else key
    statement = (
        select(
            orders.c.id.label("id"),
            type_coerce(dated, UTCDateTime()).label("ordered_at"),
            orders.c.customer_id.label("customer_id"),
            customers.c.name.label("customer_name"),
            part_of_order(schema).label("state"),
            (orders.c.status if schema.settings.orders.status else null()).label("status"),
            exact(orders.c.total, dialect=schema.dialect, decimals=schema.settings.money.decimals).label("total"),
            type_coerce(case((schema.is_revenue, 1), else_=0), Boolean()).label("counted"),
            type_coerce(key, String()).label("sort_key"),
        )
        .select_from(orders.source.outerjoin(customers.source, linked))
        .where(_of_currency(schema, currency), _of_month(schema, month))
    )
    keys = Keys(month or "no date", sorted_by, orders.c.id, _parse_order_id)
    rows, previous, following = read_page(connection, statement, keys, limit=limit, after=after, before=before)
    return Page([MonthOrder(*row[:-1]) for row in rows], previous, following, scanned=not month)


def _of_currency(schema: Schema, currency: str) -> ColumnElement[bool]:
    if schema.keeps_currency:
        return schema.orders.c.currency == currency
    return true() if currency == schema.settings.money.currency else false()


def _of_month(schema: Schema, month: str | None) -> ColumnElement[bool]:
    """The same orders that the statements of revenue count in this month; None: in none."""
    found = month_expression(schema)
    if schema.dialect == "sqlite":
        # The window for its index; the month because text such as 2024-0x stands within a window too.
        unread = or_(found.is_(None), and_(*(~found.op("GLOB")(readable) for readable in READABLE)))
        return and_(found == month, *window(schema, month, month)) if month else unread
    number = type_coerce(found, Integer())
    if month is None:
        return or_(number.is_(None), number < FIRST_YEAR * 100 + 1, func.mod(number, 100) == 0)
    return and_(*window(schema, month, month)) if has_dates(schema) else number == int(month.replace("-", ""))


def _parse_order_id(value: object) -> Id | None:
    """An order's id as a cursor holds it."""
    if isinstance(value, str):
        return value if is_text(value) else None
    return value if type(value) is int and abs(value) < 2**63 else None
