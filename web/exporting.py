"""The deleted customers as a file, read from the replica where there is one."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator, Iterator

from anyio import to_thread
from fastapi import Request
from starlette.responses import Response, StreamingResponse

from data import exports
from data.access import Permission
from data.demo import attached
from data.replica import source_of_reports
from web.admitting import new_router, route
from web.failing import name_error
from web.shapes import BecauseOf
from web.threads import READERS

log = logging.getLogger("evenbooks.api")
router = new_router("customers")

LAG = "Evenbooks-Replica-Lag"
LAG_TOLD = {
    "description": "Seconds that the replica is behind, at most; absent where the file is read from the database itself.",
    "schema": {"type": "number"},
}


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
    responses={
        200: {
            "description": "The file.",
            "content": {"text/csv": {"schema": {"type": "string"}}},
            "headers": {LAG: LAG_TOLD},
        }
    },
)
def export_deleted_customers(request: Request, reason: BecauseOf = None) -> Response:
    """Every deleted customer (or those of a reason), the last deleted first: when, by whom and why, and what the orders are worth."""
    source = source_of_reports(attached())
    (sheet,) = exports.deleted_customers(source.database, {"reason": reason})
    lines = exports.csv_pages(sheet)
    # The first page is read before the answer begins, so that a database that does not answer is a 503.
    first = next(lines)
    headers = {"Content-Disposition": 'attachment; filename="deleted_customers.csv"'}
    if source.lag is not None:
        headers[LAG] = f"{source.lag:.1f}"
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
