"""What happens at the demo company: who joins when, who orders what, who is deleted. The same for the same seed."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from data.demo.people import TROUBLE

Numbers = NDArray[np.int64]
Floats = NDArray[np.float64]
Action = Literal["delete", "restore"]

NEVER = 2**62
# January to December; the year's peak is in November and December, its dip in summer.
SEASON = (0.86, 0.84, 0.95, 1.0, 1.02, 0.95, 0.8, 0.74, 1.0, 1.1, 1.42, 1.6)
GROWTH = 1.02  # a month
GUESTS, REFUNDS = 0.08, 0.03
# The shares of all orders that the five best customers have, each order worth several; the second is deleted.
BEST = (0.02, 0.019, 0.009, 0.007, 0.006)
BEST_WORTH = 3
BEST_ORDERS = 3000  # at most, so that a company of millions has no customer of hundreds of thousands
WAITING = (2, 28)  # days until a refund
REASONS = ("requested", "duplicate", "inactive", "mistake", "fraud")
REASON_SHARES = (0.32, 0.24, 0.26, 0.12, 0.06)
NOTES = {
    "requested": "Asked for it on the phone; wants no more mail from us.",
    "duplicate": "Signed up a second time with another address.",
    "inactive": "The shop has closed; letters come back.",
    "mistake": "Entered at the fair by the wrong team.",
    "fraud": "Three cards refused in one evening.",
}
FAREWELL, REGRET = "Moves its purchasing to another house.", "Deleted the wrong one; still buys from us."
ACTORS = ("mara", "ivo", "chen")


@dataclass(frozen=True)
class Calendar:
    """The company's months. Times are seconds since 1970 in UTC; `now` ends the last month."""

    starts: Numbers
    now: int

    @classmethod
    def until(cls, now: datetime, months: int) -> Calendar:
        """The `months` months up to and with the current one."""
        current = np.datetime64(now.astimezone(UTC).replace(tzinfo=None), "M")
        starts = np.arange(current - months + 1, current + 1).astype("datetime64[s]").astype(np.int64)
        return cls(starts, int(now.timestamp()))

    @property
    def ends(self) -> Numbers:
        """The end of each month; the last one's is now."""
        return np.append(self.starts[1:], self.now)

    def times(self, place: Floats) -> Numbers:
        """Places (3.5 is the middle of the fourth month) as times, more of them by day than by night.

        The current month has as many places as any other, squeezed into what has passed of it: so the closed
        months stay the same while it lasts, and nothing is dated in the future.
        """
        month = np.minimum(place.astype(np.int64), len(self.starts) - 1)
        length = (self.ends - self.starts)[month]
        even = self.starts[month] + ((place - month) * length).astype(np.int64)
        day, second = even - even % 86400, even % 86400
        busy = day + np.interp(second, [0, 2000, 43200, 84400, 86399], [0, 25200, 50400, 79200, 86399]).astype(np.int64)
        return np.where(busy < self.now, busy, even)

    def weights(self) -> Floats:
        """How busy each month is; the current one counts as half over."""
        month_of_year = self.starts.astype("datetime64[s]").astype("datetime64[M]").astype(np.int64) % 12
        weights: Floats = np.array(SEASON)[month_of_year] * GROWTH ** np.arange(len(self.starts))
        weights[-1] *= 0.5
        return weights


@dataclass(frozen=True)
class Deletion:
    """Customers deleted (or restored) at one moment by one person."""

    at: int
    action: Action
    ids: list[int]
    actor: str
    reason: str
    note: str | None


@dataclass(frozen=True)
class Base:
    """The customers as numbers; customer n is at index n - 1. Sorted by `created`."""

    created: Numbers
    cumulative: Floats  # of the customers' shares of the orders
    ended: Numbers  # when the customer was deleted for good
    best: Numbers  # the numbers of the best customers, the best first
    deletions: list[Deletion]

    @property
    def still_deleted(self) -> Numbers:
        """The numbers of the customers who stay deleted."""
        return np.flatnonzero(self.ended < NEVER) + 1


@dataclass(frozen=True)
class Orders:
    """A chunk of orders in the order of their ids. Amounts are cents; customer 0 is a guest."""

    customer: Numbers
    at: Numbers
    total: Numbers
    cost: Numbers
    refund: NDArray[np.bool_]

    def __len__(self) -> int:
        return len(self.at)

    def take(self, chosen: Any) -> Orders:
        """The orders at these places."""
        return Orders(
            self.customer[chosen], self.at[chosen], self.total[chosen], self.cost[chosen], self.refund[chosen]
        )

    def and_(self, other: Orders) -> Orders:
        """Both, one after the other."""
        join = np.concatenate
        return Orders(*(join([getattr(self, f), getattr(other, f)]) for f in self.__dataclass_fields__))


NOTHING = np.empty(0, np.int64)
NONE = Orders(NOTHING, NOTHING, NOTHING, NOTHING, np.empty(0, np.bool_))


def found_company(calendar: Calendar, customers: int, orders: int, seed: int) -> Base:
    """The customers: a third were there before the first month, the others come as the company grows."""
    rng = np.random.default_rng([seed, 1])
    months = len(calendar.starts)
    old = max(1, customers * 35 // 100)
    before = calendar.starts[0] - rng.integers(86400, 2 * 365 * 86400, old)
    places = np.interp(rng.random(customers - old), *_growth(calendar)) * (1 - 1e-9)
    created = np.sort(np.concatenate([before, calendar.times(places * months)]))
    share = np.minimum((1 - rng.random(customers)) ** (-1 / 1.3), 60)
    share /= share.sum()
    best = rng.choice(old, min(len(BEST), old), replace=False)
    share[best] = np.array(BEST[: len(best)]) * min(1.0, BEST_ORDERS / max(1, orders * BEST[0])) / (1 - sum(BEST))
    favourite = int(best[1]) + 1 if len(best) > 1 else None
    deletions = plan_deletions(calendar, created, favourite, np.random.default_rng([seed, 2]))
    return Base(created, np.cumsum(share), _ended(customers, deletions), best + 1, deletions)


def _growth(calendar: Calendar) -> tuple[Floats, Floats]:
    """The share of newcomers who have come, and the share of the months that is over by then."""
    weights = GROWTH ** np.arange(len(calendar.starts))
    over = np.concatenate([[0], np.cumsum(weights)]) / weights.sum()
    return over, np.linspace(0, 1, len(over))


def plan_deletions(
    calendar: Calendar, created: Numbers, favourite: int | None, rng: np.random.Generator
) -> list[Deletion]:
    """Who is deleted when, by whom and why, and who of them is restored; in the order of time.

    About 2 of 100 customers (3 in a large company) over the last 18 months, large numbers of them in bulk.
    `favourite`, one of the best, goes near the end.
    """
    months, customers = len(calendar.starts), len(created)
    window = min(18, months)
    there_before = np.flatnonzero(created < calendar.starts[-window]) + 1
    eligible = np.setdiff1d(there_before, [favourite or 0, *TROUBLE])
    count = min(round(customers * (0.02 if customers < 100_000 else 0.03)), len(eligible))
    chosen = rng.choice(eligible, count, replace=False)
    groups = np.array_split(chosen, min(count, 300)) if count else []
    times = calendar.times(np.sort(months - window + rng.random(len(groups)) * window)).tolist()
    plan = [_deletion(at, group.tolist(), rng) for at, group in zip(times, groups, strict=True)]
    plan += _restorations(plan, int(calendar.starts[-1]), rng)
    if favourite is not None and count:
        at = int(calendar.times(np.array([months - min(2.387, months / 2)]))[0])
        plan.append(Deletion(at, "delete", [favourite], "chen", "requested", FAREWELL))
    return sorted(plan, key=lambda one: one.at)


def _deletion(at: int, ids: list[int], rng: np.random.Generator) -> Deletion:
    reason = str(rng.choice(REASONS, p=REASON_SHARES))
    note = NOTES[reason] if rng.random() < 0.2 else None
    return Deletion(at, "delete", ids, str(rng.choice(ACTORS)), reason, note)


def _restorations(plan: list[Deletion], before: int, rng: np.random.Generator) -> list[Deletion]:
    """One of every ninth deletion was a mistake, noticed some days later."""
    days = rng.integers(1, 20, len(plan)) * 86400
    noticed = [(one, one.at + int(later)) for one, later in zip(plan[4::9], days[4::9], strict=True)]
    return [Deletion(at, "restore", one.ids[:1], one.actor, "mistake", REGRET) for one, at in noticed if at < before]


def _ended(customers: int, plan: list[Deletion]) -> Numbers:
    """When each customer was deleted for good; NEVER for the others."""
    ended = np.full(customers, NEVER, np.int64)
    for one in plan:
        ended[np.array(one.ids) - 1] = one.at if one.action == "delete" else NEVER
    return ended


def generate_orders(calendar: Calendar, base: Base, count: int, seed: int, *, chunk: int) -> Iterator[Orders]:
    """Exactly `count` orders, refunds among them, in the order of time and in chunks of at most `chunk`."""
    waiting = NONE
    for month, wanted in enumerate(allot(count, calendar.weights()).tolist()):
        parts = max(1, -(-wanted // chunk))
        for part, size in enumerate(allot(wanted, np.ones(parts)).tolist()):
            rng = np.random.default_rng([seed, 3, month, part])
            end = int(calendar.times(np.array([month + (part + 1) / parts - 1e-9]))[0])
            due, waiting = _until(waiting, end, size)
            sales = _sales(calendar, base, month + (part + rng.random(size - len(due))) / parts, rng)
            # Refunds take the places of sales from the end of the shuffle, those sent back stand at its beginning.
            shuffled = sales.take(rng.permutation(len(sales)))
            soon, later = _until(_refunds(shuffled, rng), end, size)
            rows = shuffled.take(slice(len(sales) - len(soon))).and_(due).and_(soon)
            waiting = waiting.and_(later)
            yield rows.take(np.argsort(rows.at, kind="stable"))


def allot(count: int, weights: Floats) -> Numbers:
    """`count` divided by weight into whole numbers that add up to it."""
    exact = count * weights / weights.sum()
    whole: Numbers = np.floor(exact).astype(np.int64)
    whole[np.argsort(whole - exact, kind="stable")[: count - int(whole.sum())]] += 1
    return whole


def _until(rows: Orders, end: int, limit: int) -> tuple[Orders, Orders]:
    """The first rows before `end`, at most `limit`; and the others."""
    before = np.flatnonzero(rows.at < end)[:limit]
    return rows.take(before), rows.take(np.setdiff1d(np.arange(len(rows)), before))


def _sales(calendar: Calendar, base: Base, places: Floats, rng: np.random.Generator) -> Orders:
    at = calendar.times(places)
    customer = _buyers(base, at, rng)
    # Who is deleted buys no more; one in ten of their orders comes all the same, and counts.
    gone = np.flatnonzero((base.ended[customer - 1] <= at) & (rng.random(len(at)) < 0.9))
    customer[gone] = _buyers(base, at[gone], rng)
    customer[rng.random(len(at)) < GUESTS] = 0
    total = np.clip(np.exp(rng.normal(3.9, 0.75, len(at))) * 100, 300, 400_000).astype(np.int64)
    total[np.isin(customer, base.best)] *= BEST_WORTH
    return Orders(customer, at, total, _costs(total, rng), np.zeros(len(at), np.bool_))


def _buyers(base: Base, at: Numbers, rng: np.random.Generator) -> Numbers:
    """A customer's number for each time, drawn by share from those who had joined before it."""
    joined = np.searchsorted(base.created, at)
    drawn = rng.random(len(at)) * base.cumulative[joined - 1]
    return np.minimum(np.searchsorted(base.cumulative, drawn, side="right"), joined - 1) + 1


def _refunds(sales: Orders, rng: np.random.Generator) -> Orders:
    """Refunds of the first few of these sales, each of the whole or of half, some days later."""
    first = sales.take(slice(min(int(rng.binomial(len(sales), REFUNDS)), len(sales) // 2)))
    total = -(first.total // rng.choice([1, 1, 1, 2], len(first)))
    at = first.at + rng.integers(WAITING[0] * 86400, WAITING[1] * 86400, len(first))
    return Orders(first.customer, at, total, _costs(total, rng), np.ones(len(first), np.bool_))


def _costs(total: Numbers, rng: np.random.Generator) -> Numbers:
    """What the goods cost, in cents: 56 to 74 of 100."""
    return np.rint(total * rng.uniform(0.56, 0.74, len(total))).astype(np.int64)
