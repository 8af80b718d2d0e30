"""Deletions and what they mean: what rests with the deleted, who went and came when, and what came back."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

from sqlalchemy import (
    Connection,
    Date,
    DateTime,
    FromClause,
    String,
    and_,
    case,
    cast,
    extract,
    func,
    null,
    select,
    type_coerce,
)
from sqlalchemy import literal_column as words
from sqlalchemy.sql import ColumnElement

from data.months import read_month
from data.queries.amounts import exact, exact_sum
from data.queries.dates import has_dates, in_no_month, month_expression, window
from data.queries.revenue import Key, currency_keys, grouped_by_month
from data.records import Figures, Time
from data.schema import Schema, currency_of, is_active

CHUNK = 10_000  # rows in memory at once
UNDONE = "undo"  # the reason of a restore that only took a deletion back


class Rest(NamedTuple):
    """What the orders of customers add up to who were deleted at this time; `event_at` and `reason` are those of the last
    event that deleted them, None where there is none. `customers` is counted apart from money, and then 0 beside it."""

    deleted_at: Time | None
    event_at: Time | None
    reason: str | None
    currency: str
    orders: int
    revenue: Any
    customers: int


def revenue_of_deleted(connection: Connection, schema: Schema) -> list[Rest]:
    """Revenue of everybody who is deleted now, by the time of the deletion, its event and currency."""
    orders, customers = schema.orders, schema.customers
    source, told = _with_deletions(schema)
    source = source.join(orders.source, and_(schema.names(orders.c.customer_id), schema.is_linked))
    measured: list[Any] = [currency_of(schema).label("currency"), func.count().label("orders")]
    statement = (
        select(*told, *measured, exact_sum(schema, orders.c.total).label("revenue"))
        .select_from(source)
        .where(~is_active(customers), schema.is_revenue)
        .group_by(*told, *currency_keys(schema))
    )
    return [Rest(*row[:6], 0) for row in connection.execute(statement)]


def count_deleted_by_time(connection: Connection, schema: Schema) -> list[Rest]:
    """How many customers are deleted now, with and without orders, by the time of the deletion and its event."""
    source, told = _with_deletions(schema)
    statement = select(*told, func.count()).select_from(source).where(~is_active(schema.customers)).group_by(*told)
    return [Rest(*row[:3], "", 0, None, row[3]) for row in connection.execute(statement)]


def _with_deletions(schema: Schema) -> tuple[FromClause, list[ColumnElement[Any]]]:
    """The customers, each with the last event that deleted them (LEFT JOIN); and the columns to tell them apart by."""
    customers, events = schema.customers, schema.own.events
    last = (
        select(events.c.customer_id.label("customer_id"), func.max(events.c.id).label("id"))
        .where(events.c.action == "delete", events.c.customer_id.is_not(None))
        .group_by(events.c.customer_id)
        .subquery("last_deletions")
    )
    source = customers.source.outerjoin(last, customers.c.id == last.c.customer_id)
    source = source.outerjoin(events, events.c.id == last.c.id)
    return source, [customers.c.deleted_at, events.c.at, events.c.reason]


def count_changes_by_month(connection: Connection, schema: Schema) -> list[tuple[str | None, str, str, int]]:
    """Every deletion and restore that was ever made through us: month, action, reason, how many."""
    events = schema.own.events
    month = _month_of(schema, events.c.at, is_date=True)
    statement = (
        select(
            month.label("month"), events.c.action, func.coalesce(events.c.reason, "other").label("why"), func.count()
        )
        .where(events.c.action.in_(["delete", "restore"]))
        .group_by(month, events.c.action, events.c.reason)
    )
    return [(read_month(row[0]), row[1], row[2], row[3]) for row in connection.execute(statement)]


def count_created_by_month(connection: Connection, schema: Schema) -> dict[str | None, int]:
    """How many customers, active or deleted, were made in each month; None: no readable date, or no such column."""
    customers = schema.customers
    known = "created_at" in schema.present
    is_date = known and isinstance(schema.physical("created_at").type, (Date, DateTime))
    month = _month_of(schema, customers.c.created_at, is_date=is_date) if known else null()
    statement = select(month.label("month"), func.count()).select_from(customers.source)
    found: dict[str | None, int] = {}
    for raw, count in connection.execute(statement.group_by(month) if known else statement):
        found[read_month(raw)] = found.get(read_month(raw), 0) + count
    return found


class Order(NamedTuple):
    """An order that counts as revenue: `month` None where it has no readable date, `customer` as the order names it."""

    month: str | None
    currency: str
    is_guest: bool
    customer: str | None
    total: Any


def stream_orders(
    connection: Connection, schema: Schema, *, first: str | None = None, last: str | None = None
) -> Iterator[Order]:
    """Every order that counts as revenue, with its exact amount (Decimal), for whoever adds up by other means.

    `first` and `last` are months, both included; orders without a date belong to no window.
    """
    link = schema.orders.c.customer_id
    guest = case((schema.is_guest, 1), else_=0)
    columns: list[Any] = [
        month_expression(schema),
        currency_of(schema),
        guest,
        link,
        exact(schema, schema.orders.c.total),
    ]
    statement = select(*columns).where(schema.is_revenue, *window(schema, first, last))
    for month, currency, is_guest, customer, total in connection.execute(statement.execution_options(yield_per=CHUNK)):
        named = None if customer is None else str(customer)
        if read_month(month) or not (first or last):
            yield Order(read_month(month), currency, bool(is_guest), named, total)


def stream_customers(connection: Connection, schema: Schema) -> Iterator[tuple[str, bool]]:
    """Every customer's id, as text, and whether they are deleted."""
    customers = schema.customers
    statement = select(customers.c.id, case((is_active(customers), 0), else_=1)).select_from(customers.source)
    for customer_id, deleted in connection.execute(statement.execution_options(yield_per=CHUNK)):
        yield str(customer_id), bool(deleted)


def get_baseline(connection: Connection, schema: Schema) -> tuple[Time, str] | None:
    """When the first event, the baseline, was written, and its body; None where it is not there."""
    events = schema.own.events
    row = connection.execute(
        select(events.c.at, events.c.body).where(events.c.action == "baseline").order_by(events.c.id).limit(1)
    ).first()
    return (row.at, row.body) if row else None


def count_won_back(connection: Connection, schema: Schema) -> tuple[int, int]:
    """How many customers were ever restored, deletions that were only undone aside, and how many ordered since."""
    restored = _restored(schema)
    all_restored = connection.execute(select(func.count()).select_from(restored)).scalar_one()
    source, later = _orders_since(schema, restored)
    back = select(func.count(schema.customers.c.id.distinct())).select_from(source).where(later, schema.is_revenue)
    return int(all_restored), int(connection.execute(back).scalar_one())


def revenue_won_back(connection: Connection, schema: Schema) -> dict[Key, Figures]:
    """Orders, and their revenue, that restored customers placed after their first restore, by month and currency."""
    source, later = _orders_since(schema, _restored(schema))
    return grouped_by_month(connection, schema, source, and_(later, schema.is_revenue))


def _restored(schema: Schema) -> Any:
    """Whoever was restored, with the first time."""
    events = schema.own.events
    restored = and_(events.c.action == "restore", func.coalesce(events.c.reason, "") != UNDONE)
    first = select(events.c.customer_id.label("customer_id"), func.min(events.c.at).label("at"))
    return first.where(restored, events.c.customer_id.is_not(None)).group_by(events.c.customer_id).subquery("restored")


def _orders_since(schema: Schema, restored: Any) -> tuple[FromClause, ColumnElement[bool]]:
    """The restored with all their orders, and which of those came after the restore."""
    customers, orders = schema.customers, schema.orders
    source = customers.source.join(restored, customers.c.id == restored.c.customer_id)
    source = source.join(orders.source, and_(schema.names(orders.c.customer_id), schema.is_linked))
    return source, _ordered_after(schema, restored.c.at)


def _ordered_after(schema: Schema, at: ColumnElement[Any]) -> ColumnElement[bool]:
    """Whether an order came after a time of ours, which is in UTC and whole seconds; not where its date is no date."""
    dated = schema.orders.c.ordered_at
    if schema.dialect == "sqlite":  # which reads any spelling of ISO 8601, and answers NULL of anything else
        return func.datetime(type_coerce(dated, String())) > func.datetime(type_coerce(at, String()))
    if has_dates(schema):
        return type_coerce(dated, DateTime()) > type_coerce(at, DateTime())
    written = func.replace(func.substr(cast(dated, String()), 1, 19), "T", " ")
    if schema.dialect == "mysql":
        moment = func.date_format(at, "%Y-%m-%d %H:%i:%s")
    else:
        moment = func.to_char(at, "YYYY-MM-DD HH24:MI:SS")
    return and_(written > moment, ~in_no_month(schema))


def _month_of(schema: Schema, time: ColumnElement[Any], *, is_date: bool) -> ColumnElement[Any]:
    """The month of a time in UTC as the engine says it; `read_month` understands each. Of text its beginning counts."""
    if schema.dialect == "sqlite":
        return func.substr(type_coerce(time, String()), words("1"), words("7"))
    if not is_date:
        return func.substr(cast(time, String()), words("1"), words("7"))
    return extract("year_month", time) if schema.dialect == "mysql" else func.to_char(time, words("'YYYY-MM'"))
