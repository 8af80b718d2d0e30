"""Revenue by month. A total is a sum over orders alone: nothing here that computes one knows of deletion."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from decimal import Decimal
from functools import lru_cache
from typing import Any

from sqlalchemy import (
    CompoundSelect,
    Connection,
    FromClause,
    Select,
    String,
    and_,
    func,
    literal,
    or_,
    select,
    true,
    union_all,
)
from sqlalchemy.sql import ColumnElement

from data import money
from data.months import FIRST_YEAR, months_between, read_month
from data.queries.amounts import exact_sum
from data.queries.dates import (
    has_dates,
    in_month,
    in_no_month,
    month_expression,
    month_of,
    since_first_year,
    window,
    zone_of,
)
from data.records import Customer, Figures, Impact, MonthlyRevenue
from data.schema import Schema, currency_of, is_active

Key = tuple[str | None, str]
MOST_BRANCHES = 1200  # months; one mistyped year must not make a statement of 90,000 parts


def monthly_totals(
    connection: Connection, schema: Schema, *, first: str | None = None, last: str | None = None
) -> dict[Key, Figures]:
    """Orders and revenue by month (YYYY-MM; None: no readable date) and currency, from orders alone.

    `first` and `last` are months, both included; orders without a date belong to no window.
    """
    return _by_month(connection, schema, False, first=first, last=last)


def monthly_no_customer(
    connection: Connection, schema: Schema, *, first: str | None = None, last: str | None = None
) -> dict[Key, Figures]:
    """The same for the orders of no customer (guests)."""
    return _by_month(connection, schema, True, first=first, last=last)


def monthly_deleted(
    connection: Connection, schema: Schema, *, first: str | None = None, last: str | None = None
) -> dict[Key, Figures]:
    """The same for the orders of deleted customers, read from the customers' side, who are few."""
    customers, orders = schema.customers, schema.orders
    source = customers.source.join(orders.source, schema.names(orders.c.customer_id))
    condition = and_(schema.is_revenue, schema.is_linked, ~is_active(customers))
    return grouped_by_month(connection, schema, source, condition, first=first, last=last)


def revenue_by_month(
    connection: Connection,
    schema: Schema,
    *,
    first: str | None = None,
    last: str | None = None,
    missing: Mapping[Key, Decimal],
) -> list[MonthlyRevenue]:
    """The quick split by month and currency, oldest first, no date last.

    Total, deleted and no customer are counted now; `missing` is the last full check's figure; active is
    what remains, so it is derived. To be read in one snapshot.
    """
    totals = monthly_totals(connection, schema, first=first, last=last)
    deleted = monthly_deleted(connection, schema, first=first, last=last)
    guests = monthly_no_customer(connection, schema, first=first, last=last)
    rows = []
    for key in sorted(totals, key=month_order):
        total, gone, guest = totals[key], deleted.get(key), guests.get(key)
        parts = [gone.total if gone else Decimal(0), guest.total if guest else Decimal(0), missing.get(key, Decimal(0))]
        rows.append(
            MonthlyRevenue(
                month=total.month,
                currency=total.currency,
                orders=total.orders,
                active=money.add([total.total, *(-part for part in parts)]),
                deleted=parts[0],
                no_customer=parts[1],
                missing_customer=parts[2],
                total=total.total,
                deleted_orders=gone.orders if gone else 0,
                cost=total.cost,
            )
        )
    return rows


def month_order(key: Key) -> tuple[bool, str, str]:
    """Sorts keys by month, no date last, then by currency."""
    month, currency = key
    return month is None, month or "", currency


def list_deleted_by_revenue(
    connection: Connection, schema: Schema, *, first: str | None = None, last: str | None = None, limit: int = 10
) -> list[tuple[Customer, str, Impact]]:
    """The deleted customers with the most revenue in these months, at most `limit` a currency: customer, currency, impact."""
    customers, orders = schema.customers, schema.orders
    revenue = exact_sum(schema, orders.c.total)
    currency = [orders.c.currency] if schema.keeps_currency else []
    amounts = (
        select(
            customers.c.id.label("customer_id"),
            currency_of(schema).label("currency"),
            func.count().label("orders"),
            revenue.label("revenue"),
        )
        .select_from(customers.source.join(orders.source, schema.names(orders.c.customer_id)))
        .where(schema.is_revenue, schema.is_linked, ~is_active(customers), *window(schema, first, last))
        .where(~in_no_month(schema) if first or last else true())
        .group_by(customers.c.id, *currency)
        .subquery("amounts")
    )
    a = amounts.c
    place = func.row_number().over(partition_by=a.currency, order_by=[a.revenue.desc(), a.customer_id])
    ranked = select(amounts, place.label("place")).subquery("ranked").c
    rows = connection.execute(
        select(*customers.labelled, ranked.currency, ranked.orders, ranked.revenue)
        .join(customers.source, schema.names(ranked.customer_id))
        .where(ranked.place <= limit)
        .order_by(ranked.revenue.desc(), customers.c.id)
    )
    return [
        (Customer(*row[:-3]), row.currency, Impact(row.orders, row.orders, {row.currency: row.revenue})) for row in rows
    ]


def month_bounds(connection: Connection, schema: Schema) -> tuple[str, str] | None:
    """The first and the last month with a dated order; None where there is none."""
    if has_dates(schema):
        low, high = (month_of(schema, end) for end in _ends(connection, schema))
        if low and high:
            return low, high
    grouped = grouped_by_month(connection, schema, schema.orders.source, true())
    months = [month for month, _ in grouped if month]
    return (min(months), max(months)) if months else None


def _ends(connection: Connection, schema: Schema) -> tuple[Any, Any]:
    """The first and the last real date as the driver answers it; None where there is none."""
    dated = schema.orders.c.ordered_at
    low, high = connection.execute(select(func.min(dated), func.max(dated)).where(*since_first_year(schema))).one()
    return low, high


def _by_month(
    connection: Connection, schema: Schema, guests: bool, *, first: str | None, last: str | None
) -> dict[Key, Figures]:
    """The orders that count, of whoever or of guests alone."""
    # Months as ranges pay on MariaDB alone, and where the stored date is the month's own.
    if schema.dialect != "mysql" or not has_dates(schema) or zone_of(schema) or schema.order_table is None:
        return _grouped(connection, schema, guests, first, last)
    ends = _ends(connection, schema)
    low, high = (month_of(schema, end) for end in ends)
    span = tuple(months_between(max(first or low, low), min(last or high, high))) if low and high else ()
    if len(span) > MOST_BRANCHES or (any(ends) and not (low and high)):
        return _grouped(connection, schema, guests, first, last)
    undated = first is None and last is None
    statement = _month_by_month(schema, span, guests, undated) if span or undated else None
    return {} if statement is None else read_figures(schema, connection.execute(statement))


def _grouped(
    connection: Connection, schema: Schema, guests: bool, first: str | None, last: str | None
) -> dict[Key, Figures]:
    return grouped_by_month(connection, schema, schema.orders.source, _counted(schema, guests), first=first, last=last)


def _counted(schema: Schema, guests: bool) -> ColumnElement[bool]:
    return and_(schema.is_revenue, schema.is_guest) if guests else schema.is_revenue


@lru_cache(maxsize=32)
def _month_by_month(schema: Schema, span: Sequence[str], guests: bool, undated: bool) -> CompoundSelect[Any]:
    """A branch a month, and one of the orders in none. Built once: of three years that takes 10 ms of Python."""
    condition = _counted(schema, guests)
    branches = [_branch(schema, month, and_(condition, in_month(schema, month))) for month in span]
    if undated:
        branches.append(_branch(schema, None, and_(condition, _undated(schema, span))))
    return union_all(*branches)


def _undated(schema: Schema, span: Sequence[str]) -> ColumnElement[bool]:
    """The orders that are in none of these months, as ranges. Dates such as 2024-00-15 stand before each January."""
    dated = schema.orders.c.ordered_at
    years = sorted({month[:4] for month in span})
    monthless = [dated.between(f"{year}-00-00", f"{year}-00-31 23:59:59.999999") for year in years]
    return or_(dated.is_(None), dated < date(FIRST_YEAR, 1, 1), *monthless)


def _branch(schema: Schema, month: str | None, condition: ColumnElement[bool]) -> Select[Any]:
    """One month as a range of the index: no date is formatted per row, which costs more than adding does."""
    columns = measures(schema, literal(month, String()))
    return select(*columns).select_from(schema.orders.source).where(condition).group_by(*currency_keys(schema))


def grouped_by_month(
    connection: Connection,
    schema: Schema,
    source: FromClause,
    condition: ColumnElement[bool],
    *,
    first: str | None = None,
    last: str | None = None,
    as_joined: bool = False,
) -> dict[Key, Figures]:
    """Orders and amounts of a source (orders, or orders joined to customers) by month and currency.

    `as_joined` keeps MariaDB to the order of the join: where nearly every customer qualifies it would
    still begin with them and read the orders at random, minutes instead of seconds on millions.
    """
    month = month_expression(schema)
    statement = (
        select(*measures(schema, month))
        .select_from(source)
        .where(condition, *window(schema, first, last))
        .group_by(month, *currency_keys(schema))
    )
    if as_joined:
        statement = statement.prefix_with("STRAIGHT_JOIN", dialect="mysql")
    found = read_figures(schema, connection.execute(statement))
    # SQLite compares text, so what is no date may stand within the window.
    return {key: figures for key, figures in found.items() if key[0] or not (first or last)}


def measures(schema: Schema, month: ColumnElement[Any]) -> list[ColumnElement[Any]]:
    """What is counted and added up of a group of orders: month, currency, orders, total, and cost where there is one."""
    cost = [exact_sum(schema, schema.orders.c.cost).label("cost")] if schema.settings.orders.cost else []
    total = exact_sum(schema, schema.orders.c.total).label("total")
    return [month.label("month"), currency_of(schema).label("currency"), func.count().label("orders"), total, *cost]


def currency_keys(schema: Schema) -> list[ColumnElement[Any]]:
    """What to group by, to keep currencies apart."""
    return [schema.orders.c.currency] if schema.keeps_currency else []


def read_figures(schema: Schema, rows: Iterable[Any]) -> dict[Key, Figures]:
    """Rows as Figures; several unreadable months become the one month None."""
    found: dict[Key, Figures] = {}
    for row in rows:
        if not row.orders:
            continue
        key = (read_month(row.month), row.currency)
        sofar = found.get(key) or Figures(*key, orders=0, total=Decimal(0))
        cost = row.cost if schema.settings.orders.cost else Decimal(0)
        found[key] = Figures(
            *key, sofar.orders + row.orders, money.add([sofar.total, row.total]), money.add([sofar.cost, cost])
        )
    return found
