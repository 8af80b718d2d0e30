"""Every deleted customer: when, by whom and why, and what the orders are worth."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from decimal import Decimal

from data import queries
from data.database import Database, snapshot
from data.exports import sheets
from data.exports.sheets import Amounts, Column, Kind, Row, Sheet
from data.records import Customer, Event, Impact


def deleted_customers(database: Database, filters: Mapping[str, str | None]) -> list[Sheet]:
    """The last deleted first; `search` and `reason` as in the list.

    The rows come a page at a time, each from a short snapshot: no connection waits for a slow client.
    """
    revenue = "revenue" if database.schema.keeps_currency else f"revenue_{database.settings.money.currency}"
    columns = (
        Column("id", Kind.NUMBER, 10),
        Column("name", width=26),
        Column("email", width=30),
        Column("phone", width=16),
        Column("created_at", Kind.TIME, 20),
        Column("deleted_at", Kind.TIME, 20),
        Column("deleted_by", width=22),
        Column("reason", width=14),
        Column("note", width=40),
        Column("orders", Kind.NUMBER, 10),
        Column(revenue, Kind.MONEY, 18),
    )
    return [Sheet("Deleted customers", columns, _pages(database, filters), database.settings.money.decimals)]


def _pages(database: Database, filters: Mapping[str, str | None]) -> Iterator[list[Row]]:
    schema, after, first = database.schema, None, True
    search, reason = filters.get("search") or "", filters.get("reason") or ""
    while first or after is not None:
        with snapshot(database) as moment:
            page = queries.list_customers(
                moment.connection,
                schema,
                deleted=True,
                search=search,
                reason=reason,
                sort="deleted_at",
                descending=True,
                limit=sheets.PAGE,
                after=after,
            )
            ids = [customer.id for customer in page.items]
            deletions = queries.list_deletions(moment.connection, schema, ids) if ids else {}
            impacts = queries.impact(moment.connection, schema, ids) if ids else {}
        yield [_row(database, one, deletions.get(one.id), impacts[one.id]) for one in page.items]
        after, first = page.next, False


def _row(database: Database, customer: Customer, deletion: Event | None, impact: Impact) -> Row:
    # An event of another time is of an earlier deletion; this one was not made through us.
    told = deletion if deletion and deletion.at == customer.deleted_at else None
    why = (told.actor, told.reason, told.note) if told else (None, None, None)
    person = (customer.id, customer.name, customer.email, customer.phone, customer.created_at, customer.deleted_at)
    return [*person, *why, impact.orders, _worth(database, impact)]


def _worth(database: Database, impact: Impact) -> Decimal | Amounts:
    """The amount; where currencies are kept apart, each with its own."""
    if database.schema.keeps_currency:
        return Amounts(impact.revenue)
    return next(iter(impact.revenue.values()), Decimal(0))
