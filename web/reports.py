"""The reports: revenue by month, and the whole integrity check."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated

from fastapi import Query, Request, Response

from data import integrity, queries
from data.access import Permission
from data.database import snapshot
from data.demo import attached
from data.errors import InvalidInput
from data.events import stamp
from data.integrity.report import add_up, month_as_dict
from web.admitting import new_router, route
from web.failing import Refused, as_json
from web.shapes import Integrity, Month, Revenue

router = new_router("reports")

LONGEST_WAIT = 30.0  # seconds for the run before
MOST_WAITING = 4  # the others would keep every thread of the server from its work
_running = threading.Lock()
_waiting = threading.BoundedSemaphore(MOST_WAITING)

From = Annotated[Month, Query(alias="from", description="The first month, as YYYY-MM.")]
To = Annotated[Month, Query(alias="to", description="The last month, as YYYY-MM.")]


@route(router, "GET", "/reports/revenue", Permission.READ_REVENUE, answers=Revenue)
def get_revenue(request: Request, first: From = None, last: To = None) -> Response:
    """Revenue by month and currency from one snapshot. Active is what the other parts, counted now, leave of the total."""
    if first and last and first > last:
        raise InvalidInput("from is after to.", field="from")
    database = attached()
    schema, decimals = database.schema, database.settings.money.decimals
    with snapshot(database) as moment:
        counted = queries.monthly_part(moment.connection, schema, "missing_customer", first=first, last=last)
        missing = {key: figures.total for key, figures in counted.items()}
        months = queries.revenue_by_month(moment.connection, schema, first=first, last=last, missing=missing)
    return as_json(
        {
            "snapshot_at": stamp(moment.at),
            "derived": ["active"],
            "months": [month_as_dict(month, decimals) for month in months],
            "totals": [month_as_dict(total, decimals, total=True) for total in add_up(months)],
        }
    )


@route(router, "GET", "/reports/integrity", Permission.READ_INTEGRITY, answers=Integrity)
def check_integrity(request: Request) -> Response:
    """Runs every check now and answers all of it, also (with status 200) when the books are not even."""
    with one_at_a_time():
        report = integrity.run_and_record(attached(), actor=request.state.actor)
    return as_json(report.as_dict())


@contextmanager
def one_at_a_time() -> Iterator[None]:
    """A run reads every order, so a process makes one at a time. Raises Refused after 30 s, or where many wait already."""
    if not _waiting.acquire(blocking=False):
        raise _busy()
    try:
        begun = _running.acquire(timeout=LONGEST_WAIT)
    finally:
        _waiting.release()
    if not begun:
        raise _busy()
    try:
        yield
    finally:
        _running.release()


def _busy() -> Refused:
    words = "The check is running for somebody else. Try again when it has ended."
    return Refused(503, "busy", words, {"Retry-After": str(int(LONGEST_WAIT))})
