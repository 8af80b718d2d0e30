"""The manager's report of one month: revenue with its identity, deletions, requests, exports, and what the check said."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal

from sqlalchemy import true

from data import integrity, queries
from data.analytics import untold_deletions
from data.database import Snapshot
from data.integrity import read_kept
from data.months import month_before, next_month
from data.queries.checks import Part
from data.queries.reporting import Happened
from data.records import Customer, CustomerId, Impact, MonthlyRevenue, RequestState, Seal, Time
from data.retention import BackupCheck, last_backup_check
from data.schema import Schema

CHANGES = ("delete", "restore", "erase")
PARTS: tuple[Part, ...] = ("active", "deleted", "no_customer", "missing_customer")
HISTORY = 13  # months in the chart: the reported one, and the same a year ago at the other end
MOST_CUSTOMERS = 5


@dataclass(frozen=True)
class Verdict:
    """What the last run of the integrity check said, and when; `even` None: the sums could not be seen."""

    at: Time
    even: bool | None
    words: str


@dataclass(frozen=True)
class MonthReport:
    """One month, as of `at` (UTC).

    `revenue` has the month, the one before and the same a year ago, each by currency, the parts counted apart from the total.
    `history` is the quick split of thirteen months. Of `changes` those without an actor were no event's. `requests` are those decided in the month by what became of them, and
    as `waiting` those asked for in it; `waiting_now` wait still. `head` is the last event's number.
    """

    month: str
    at: datetime
    revenue: Mapping[str, Mapping[str, MonthlyRevenue]]
    history: list[MonthlyRevenue]
    changes: list[Happened]
    exports: list[Happened]
    top: list[tuple[Customer, str, Impact]]
    erased: Collection[CustomerId]
    requests: Mapping[RequestState, int]
    waiting_now: int
    verdict: Verdict | None
    seals: list[Seal]
    backup: BackupCheck | None
    head: int

    @property
    def rows(self) -> list[MonthlyRevenue]:
        """Those of the month and the two that it is compared with, in every currency."""
        return [row for rows in self.revenue.values() for row in rows.values()]


def year_before(month: str) -> str:
    """The same month a year ago."""
    return f"{int(month[:4]) - 1:04}{month[4:]}"


def read(moment: Snapshot, schema: Schema, month: str) -> MonthReport:
    """The report of a month (YYYY-MM). Months of orders are as everywhere, those of deletions and requests in UTC."""
    connection = moment.connection
    since, before = _beginning(month), _beginning(next_month(month))
    kept, head = queries.last_check(connection, schema), queries.get_head(connection, schema)
    report = read_kept(kept)
    first = month
    for _ in range(HISTORY - 1):
        first = month_before(first)
    missing = {(m.month, m.currency): m.missing_customer for m in report.months} if report else {}
    happened = queries.count_events(connection, schema, (*CHANGES, "export"), since=since, before=before)
    top = queries.list_deleted_by_revenue(connection, schema, first=month, last=month, limit=MOST_CUSTOMERS)
    untold = [
        Happened("delete", why, "", times)
        for (when, why), times in sorted(untold_deletions(connection, schema).items(), key=str)
        if when == month
    ]
    return MonthReport(
        month=month,
        at=moment.at,
        revenue={one: _split(moment, schema, one) for one in (month, month_before(month), year_before(month))},
        history=queries.revenue_by_month(connection, schema, first=first, last=month, missing=missing),
        changes=[*(one for one in happened if one.action in CHANGES), *untold],
        exports=[one for one in happened if one.action == "export"],
        top=top,
        erased=queries.erased_ids(connection, schema, [customer.id for customer, *_ in top]),
        requests=queries.count_requests(connection, schema, since=since, before=before),
        waiting_now=queries.count_waiting_requests(connection, schema, at=moment.at),
        verdict=Verdict(report.snapshot_at, report.even, integrity.verdict(report)) if report else None,
        seals=queries.list_seals(connection, schema, month=month),
        backup=last_backup_check(connection, schema),
        head=head.event_id if head else 0,
    )


def _beginning(month: str) -> datetime:
    return datetime(int(month[:4]), int(month[5:]), 1, tzinfo=UTC)


def _split(moment: Snapshot, schema: Schema, month: str) -> dict[str, MonthlyRevenue]:
    """A month by currency: the total from orders alone, and each order once more with its customer: what does not add up shows."""
    totals = queries.monthly_totals(moment.connection, schema, first=month, last=month)
    parts = queries.monthly_long_way(moment.connection, schema, first=month, last=month, chunk=true())
    rows = {}
    for key in totals.keys() | {key for found in parts.values() for key in found}:
        amounts = {part: parts[part][key].total if key in parts.get(part, {}) else Decimal(0) for part in PARTS}
        whole, gone = totals.get(key), parts.get("deleted", {}).get(key)
        rows[key[1]] = MonthlyRevenue(
            month,
            key[1],
            orders=whole.orders if whole else 0,
            total=whole.total if whole else Decimal(0),
            deleted_orders=gone.orders if gone else 0,
            **amounts,
        )
    return rows
