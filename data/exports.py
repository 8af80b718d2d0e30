"""The deleted customers as a file for spreadsheets, in which nobody's text can run as a formula."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from decimal import Decimal

from data import queries
from data.database import Database, snapshot
from data.errors import InvalidInput
from data.events import stamp
from data.money import plain
from data.records import Customer, Event, Impact
from data.replica import source_of_reports
from data.spreadsheets import inert

PAGE = 500
MOST_AT_ONCE = 100_000  # customers in a file that is made whole


def deleted_customers_file(database: Database) -> str:
    """The whole file at once, for the dashboard, from the replica where there is one.

    Raises StaleReplica, and InvalidInput where it would be too large to be held in memory.
    """
    lines = []
    for line in deleted_customers(source_of_reports(database).database):
        lines.append(line)
        if len(lines) * PAGE > MOST_AT_ONCE:
            raise InvalidInput(
                f"More than {MOST_AT_ONCE:,} customers are deleted, too many for one download here. The API has them all: "
                "GET /staff/customers/deleted.csv."
            )
    return "".join(lines)


def deleted_customers(database: Database) -> Iterator[str]:
    """Every deleted customer as CSV, the last deleted first: when, by whom and why, and what the orders are worth.

    The file comes a page at a time, each from a short snapshot: no connection waits for a slow client.
    """
    schema, after, first = database.schema, None, True
    revenue = "revenue" if schema.keeps_currency else f"revenue_{database.settings.money.currency}"
    names = ["id", "name", "email", "phone", "created_at", "deleted_at", "deleted_by", "reason", "note", "orders"]
    while first or after is not None:
        with snapshot(database) as moment:
            page = queries.list_customers(
                moment.connection, schema, deleted=True, sort="deleted_at", descending=True, limit=PAGE, after=after
            )
            ids = [customer.id for customer in page.items]
            deletions = queries.list_deletions(moment.connection, schema, ids) if ids else {}
            impacts = queries.impact(moment.connection, schema, ids) if ids else {}
        rows = [_row(database, one, deletions.get(one.id), impacts[one.id]) for one in page.items]
        yield _as_csv([[*names, revenue], *rows] if first else rows)
        after, first = page.next, False


def _row(database: Database, customer: Customer, deletion: Event | None, impact: Impact) -> list[object]:
    # An event of another time is of an earlier deletion; this one was not made through us.
    told = deletion if deletion and deletion.at == customer.deleted_at else None
    why = (told.actor, told.reason, told.note) if told else (None, None, None)
    times = (stamp(customer.created_at), stamp(customer.deleted_at))
    words = [_text(value) for value in (customer.name, customer.email, customer.phone, *times, *why)]
    return [_text(customer.id), *words, impact.orders, _worth(database, impact)]


def _worth(database: Database, impact: Impact) -> str:
    """The amount, which may well begin with a minus; where currencies are kept apart, each with its own."""
    decimals = database.settings.money.decimals
    if not database.schema.keeps_currency:
        return plain(next(iter(impact.revenue.values()), Decimal(0)), decimals)
    amounts = (f"{currency} {plain(amount, decimals)}" for currency, amount in sorted(impact.revenue.items()))
    return str(_text("; ".join(amounts)))


def _text(value: object) -> object:
    """Text that no spreadsheet takes for a formula; numbers stay numbers."""
    return inert(value) if isinstance(value, str) else value


def _as_csv(rows: list[list[object]]) -> str:
    out = io.StringIO()
    csv.writer(out).writerows(rows)
    return out.getvalue()
