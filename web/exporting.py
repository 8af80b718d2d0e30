"""The deleted customers as a file for spreadsheets, in which nobody's text can run as a formula."""

from __future__ import annotations

import csv
import io
import logging
from collections.abc import AsyncIterator, Iterator
from decimal import Decimal

from anyio import to_thread
from fastapi import Request
from starlette.responses import Response, StreamingResponse

from data import queries
from data.access import Permission
from data.database import Database, snapshot
from data.demo import attached
from data.events import stamp
from data.money import plain
from data.records import Customer, Event, Impact
from data.spreadsheets import inert
from web.admitting import new_router, route
from web.failing import name_error
from web.threads import READERS

log = logging.getLogger("evenbooks.api")
router = new_router("customers")

PAGE = 500


class CsvResponse(StreamingResponse):
    """A stream of CSV."""

    media_type = "text/csv"


@route(
    router,
    "GET",
    "/staff/customers/deleted.csv",
    Permission.READ_CUSTOMERS,
    answers=None,
    response_class=CsvResponse,
    responses={200: {"description": "The file.", "content": {"text/csv": {"schema": {"type": "string"}}}}},
)
def export_deleted_customers(request: Request) -> Response:
    """Every deleted customer, the last deleted first: when, by whom and why, and what the orders are worth."""
    database = attached()
    lines = _lines(database)
    # The first page is read before the answer begins, so that a database that does not answer is a 503.
    first = next(lines)
    headers = {"Content-Disposition": 'attachment; filename="deleted_customers.csv"'}
    return CsvResponse(_watched(first, lines), headers=headers)


async def _watched(first: str, lines: Iterator[str]) -> AsyncIterator[str]:
    """The stream, broken off where it fails, so that nobody takes a part for the whole."""
    yield first
    try:
        while (page := await to_thread.run_sync(next, lines, None, limiter=READERS)) is not None:
            yield page
    except Exception as error:
        log.error("deleted.csv broke off: %s", name_error(error))
        raise ConnectionAbortedError("deleted.csv broke off") from None


def _lines(database: Database) -> Iterator[str]:
    """The file a page at a time, each from a short snapshot: no connection waits for a slow client."""
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
