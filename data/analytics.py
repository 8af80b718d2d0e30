"""What the deletions mean: revenue at rest, deletions, active against deleted over time, and who came back.

Money is counted by order and heads by customer, never one for the other. Months of deletions and restores are in UTC.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from itertools import accumulate

from sqlalchemy import Connection

from data import money, queries
from data.months import MOST_MONTHS, months_between
from data.queries.analytics import Rest
from data.queries.revenue import month_order
from data.records import Figures, Time
from data.schema import Schema
from data.times import read_time

# Why somebody is deleted, where no event of ours says so. A reason's code has no blanks, so these are none.
BEFORE, OUTSIDE = "before Evenbooks", "outside Evenbooks"
Change = tuple[str | None, str, str, int]  # month, delete or restore, reason, how many


@dataclass(frozen=True)
class AtRest:
    """The orders of customers who are deleted now, by the month of their deletion (None: no readable time), why, and currency."""

    month: str | None
    why: str
    currency: str
    orders: int
    revenue: Decimal


@dataclass(frozen=True)
class Deleted:
    """How many customers were deleted in a month, and why. Who was deleted twice counts twice."""

    month: str | None
    why: str
    customers: int


@dataclass(frozen=True)
class AtMonthEnd:
    """How many customers were active and deleted at the end of a month, or now; `active` None: that cannot be known."""

    month: str
    active: int | None
    deleted: int


@dataclass(frozen=True)
class OverTime:
    """Active against deleted customers, a point a month. `since` is the month in which the events begin.

    `active` and `deleted` are counted now. `moved` is how many more are deleted now than the events and the times of
    deletion say: somebody else deleted or restored them, and nobody kept when. `undated` were made at no readable time,
    and count from the first month; None where no column says when customers were made.
    """

    months: list[AtMonthEnd]
    since: str | None
    active: int
    deleted: int
    moved: int
    undated: int | None


@dataclass(frozen=True)
class WonBack:
    """Customers who were restored, how many of them ordered since, and those orders by month and currency.

    A deletion that was only undone is none that somebody came back from.
    """

    restored: int
    back: int
    months: list[Figures]


@dataclass(frozen=True)
class Analytics:
    """Everything, from one snapshot."""

    at_rest: list[AtRest]
    deletions: list[Deleted]
    over_time: OverTime
    won_back: WonBack


def read(connection: Connection, schema: Schema) -> Analytics:
    """All of it; to be read in one snapshot. Amounts are exact, by currency."""
    baseline = _read_baseline(connection, schema)
    changes = queries.count_changes_by_month(connection, schema)
    heads = queries.count_deleted_by_time(connection, schema)
    silent = _add_heads((rest, baseline.why(rest)) for rest in heads)
    deleted = sum(rest.customers for rest in heads)
    restored, back = queries.count_won_back(connection, schema)
    won = queries.revenue_won_back(connection, schema)
    return Analytics(
        at_rest=_add_rest(queries.revenue_of_deleted(connection, schema), baseline),
        deletions=_deletions(changes, silent),
        over_time=_over_time(connection, schema, changes, silent, baseline, deleted),
        won_back=WonBack(restored, back, [won[key] for key in sorted(won, key=month_order)]),
    )


def untold_deletions(connection: Connection, schema: Schema) -> Counter[tuple[str | None, str]]:
    """How many are deleted now without an event of ours that did it, by month and whether it was before Evenbooks or past it."""
    baseline = _read_baseline(connection, schema)
    return _add_heads((rest, baseline.why(rest)) for rest in queries.count_deleted_by_time(connection, schema))


@dataclass(frozen=True)
class _Baseline:
    """The first event: when it was written, and the months in which those were deleted who were so already."""

    at: Time | None = None
    months: Counter[str | None] | None = None

    def why(self, rest: Rest) -> str:
        """The reason's code, or whether it was before our time or past us, as the list of deleted customers says it."""
        if rest.event_at is not None and rest.event_at == rest.deleted_at:
            return rest.reason or "other"
        later = isinstance(self.at, datetime) and isinstance(rest.deleted_at, datetime) and self.at < rest.deleted_at
        return OUTSIDE if later or rest.event_at is not None else BEFORE


def _read_baseline(connection: Connection, schema: Schema) -> _Baseline:
    found = queries.get_baseline(connection, schema)
    if found is None:
        return _Baseline()
    at, body = found
    try:
        return _Baseline(at, Counter(_month_of(read_time(one[1])) for one in json.loads(body)["deleted"]))
    except (ValueError, TypeError, KeyError, IndexError):  # tampered with, which the integrity check says
        return _Baseline(at)


def _month_of(time: Time | None) -> str | None:
    """The month of a time in UTC; None where it is no time."""
    return f"{time.astimezone(UTC):%Y-%m}" if isinstance(time, datetime) else None


def _add_rest(found: Iterable[Rest], baseline: _Baseline) -> list[AtRest]:
    added: dict[tuple[str | None, str, str], AtRest] = {}
    for rest in found:
        key = (_month_of(rest.deleted_at), baseline.why(rest), rest.currency)
        sofar = added.get(key) or AtRest(*key, orders=0, revenue=Decimal(0))
        added[key] = AtRest(*key, sofar.orders + rest.orders, money.add([sofar.revenue, rest.revenue]))
    return sorted(added.values(), key=lambda one: (one.month is None, one.month or "", one.why, one.currency))


def _add_heads(told: Iterable[tuple[Rest, str]]) -> Counter[tuple[str | None, str]]:
    """Those who are deleted without an event of ours that did it, by month and which kind of that."""
    added: Counter[tuple[str | None, str]] = Counter()
    for rest, why in told:
        if why in (BEFORE, OUTSIDE):
            added[_month_of(rest.deleted_at), why] += rest.customers
    return added


def _deletions(changes: Sequence[Change], silent: Counter[tuple[str | None, str]]) -> list[Deleted]:
    made = [Deleted(month, why, count) for month, action, why, count in changes if action == "delete"]
    made += [Deleted(month, why, count) for (month, why), count in silent.items()]
    return sorted(made, key=lambda one: (one.month is None, one.month or "", one.why))


def _over_time(
    connection: Connection,
    schema: Schema,
    changes: Sequence[Change],
    silent: Counter[tuple[str | None, str]],
    baseline: _Baseline,
    deleted: int,
) -> OverTime:
    created = queries.count_created_by_month(connection, schema)
    known, customers = "created_at" in schema.present, sum(created.values())
    steps: Counter[str | None] = Counter(baseline.months or {})
    for month, action, _, count in changes:
        steps[month] += count if action == "delete" else -count
    for (month, why), count in silent.items():
        if why == OUTSIDE or baseline.months is None:
            steps[month] += count
    now = f"{datetime.now(UTC):%Y-%m}"
    months = _span([*steps, *(created if known else [])], now)
    there, gone = (_running(counts, months) for counts in (created, steps))
    points = [
        AtMonthEnd(month, alive - dead if known else None, dead)
        for month, alive, dead in zip(months, there, gone, strict=True)
    ]
    # Of the last point the truth is known.
    points[-1] = AtMonthEnd(months[-1], customers - deleted if known else None, deleted)
    return OverTime(
        months=points,
        since=min(filter(None, [_month_of(baseline.at), *(month for month, *_ in changes)]), default=None),
        active=customers - deleted,
        deleted=deleted,
        moved=deleted - sum(steps.values()),
        undated=created.get(None, 0) if known else None,
    )


def _span(months: Iterable[str | None], now: str) -> list[str]:
    """From the first of these months to this one; a time in the future is none to draw."""
    first = min((month for month in months if month and month <= now), default=now)
    return list(months_between(first, now))[-MOST_MONTHS:]


def _running(counts: Mapping[str | None, int], months: Sequence[str]) -> list[int]:
    """Counts added up to the end of each of these months. What has no date, or an earlier one, counts from the first,
    and what is of the future in the last."""
    placed: Counter[str] = Counter()
    for month, count in counts.items():
        placed[min(max(month or months[0], months[0]), months[-1])] += count
    return list(accumulate(placed[month] for month in months))
