"""How the books stand, which Revenue and Financial Integrity show: read once for both, and for every period."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from data import database as databases
from data import integrity, queries, seals
from data.database import snapshot
from data.integrity import Report
from data.records import MonthlyRevenue, Seal, Time
from ui.keeping import MINE, kept


@dataclass(frozen=True)
class Books:
    """One snapshot at `at`: the quick split of all months, the last kept run of the check (None: never, or not
    readable), when it was last even, and the seals in force."""

    at: datetime
    months: list[MonthlyRevenue]
    kept: Report | None
    last_even: Time | None
    seals: list[Seal]


@kept(spinner="Adding up the orders", after=MINE)
def read_books(url: str) -> Books:
    """The figures, kept for a minute; `url` keeps databases apart. It runs no check."""
    database = databases.default()
    with snapshot(database) as moment:
        connection, schema = moment.connection, database.schema
        row = queries.last_check(connection, schema)
        even = row if row and row.even else queries.last_check(connection, schema, even=True)
        report = integrity.read_kept(row)
        missing = {(m.month, m.currency): m.missing_customer for m in report.months} if report else {}
        return Books(
            at=moment.at,
            months=queries.revenue_by_month(connection, schema, missing=missing),
            kept=report,
            last_even=even.snapshot_at if even else None,
            seals=seals.list_seals(connection, schema),
        )
