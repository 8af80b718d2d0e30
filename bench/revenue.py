"""What the reports cost: the quick monthly split, and Analytics."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from sqlalchemy import text

from bench.measured import BARE, Measured
from bench.measuring import Figure, in_turns, reading, seconds
from data import analytics, queries

MOST_ROWS = "The demo grows, so its last 24 months hold 73 of 100 orders, and MariaDB compares each row of an index range once more; deleted customers and guests are read beside."


def split(measured: Measured, first: str | None = None) -> Callable[[], Any]:
    """The quick split since this month, or of all history, on a snapshot of its own."""
    schema = measured.database.schema
    return reading(measured.database, lambda c: queries.revenue_by_month(c, schema, first=first, missing={}))


def bench_revenue(measured: Measured) -> list[Figure]:
    """The quick split beside a bare SUM, which reads every order and groups nothing."""
    bare = reading(measured.database, lambda c: c.execute(text(BARE)).all())
    works = {"bare": bare, "all": split(measured), "recent": split(measured, measured.months[-24])}
    for work in works.values():
        work()
    taken = in_turns(works, times=7)
    return [
        Figure("split of all history", taken["all"], "s", "bare SUM(total)", taken["bare"], 4),
        Figure(
            "split of the last 24 months", taken["recent"], "s", "bare SUM(total)", taken["bare"], 1.2, why=MOST_ROWS
        ),
    ]


def bench_analytics(measured: Measured) -> list[Figure]:
    """All that Analytics shows, from one snapshot."""
    schema = measured.database.schema
    shown = seconds(reading(measured.database, lambda c: analytics.read(c, schema)), times=3)
    return [Figure("Analytics, everything", shown, "s", "textbook join, covering indexes", measured.covered, 1)]
