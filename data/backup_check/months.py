"""The months of the two: those that are over to the last digit and order, the others as far as they can be compared."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal

from data import queries
from data.backup_check.sides import NEVER, Comparison, Side, Times
from data.errors import ChecksumCut
from data.integrity.contents import measure
from data.integrity.look import Progress
from data.money import add, plain
from data.queries.revenue import Key
from data.records import Figures

Months = Mapping[Key, Figures]
EITHER = (
    "Either the copy is not true, or an order of that month was added or changed in the live database since, which a "
    "newer copy has too."
)


def last_month(held: Months, times: Times) -> str:
    """The last month of the copy's orders, those dated later than today left out."""
    return max((month for month, _ in held if month and month <= f"{times.now:%Y-%m}"), default=NEVER)


def compare_months(ours: Side, theirs: Side, times: Times, held: Months, found: Comparison, progress: Progress) -> None:
    """Each month and currency of every order, of those that count as revenue, and in the months that were over when the
    copy was made order by order. `held` is what the copy has of whatever status."""
    known = queries.monthly_orders(ours.connection, ours.schema)
    differing = _compare(ours, theirs, times, held, known, found, counting=False)
    counted = held
    if theirs.schema.settings.orders.revenue_statuses:
        counted = queries.monthly_orders(theirs.connection, theirs.schema, counting=True)
        also = queries.monthly_orders(ours.connection, ours.schema, counting=True)
        differing |= _compare(ours, theirs, times, counted, also, found, counting=True)
    over = {month for month, _ in {*held, *known} if month and month < max(times.first_open, times.last_month)}
    rest = sorted(month for month in over if month not in differing | theirs.replay.seals.keys())
    for number, month in enumerate(rest):
        progress(number / len(rest), f"Comparing the orders of {month}")
        _compare_orders(ours, theirs, month, found)
    decimals = theirs.schema.settings.money.decimals
    currencies = {currency for _, currency in counted}
    bounds = queries.id_bounds(theirs.connection, theirs.schema, "orders")
    found.figures |= {
        "totals": {c: plain(add(f.total for k, f in counted.items() if k[1] == c), decimals) for c in currencies},
        "months_compared": len(over),
        "last_order": bounds[1] if bounds else None,
    }


def _compare(
    ours: Side, theirs: Side, times: Times, held: Months, known: Months, found: Comparison, *, counting: bool
) -> set[str]:
    """Tells the months that differ, and answers them. What the live database has beyond the copy's last order may have
    come later, where the month may not have been over when the copy was made."""
    differing = [key for key in sorted({*held, *known}, key=str) if _pair(held.get(key)) != _pair(known.get(key))]
    bounds = queries.id_bounds(theirs.connection, theirs.schema, "orders") if differing else None
    earlier = known
    if bounds:
        earlier = queries.monthly_orders(ours.connection, ours.schema, counting=counting, up_to=bounds[1])
    for key in differing:
        month, words = key[0], _words(key, held, known, theirs, counting=counting)
        is_of_both = _pair(held.get(key)) != _pair(earlier.get(key))
        was_over = month and (month < times.first_open or (month < times.last_month and bounds and is_of_both))
        if was_over:
            found.differences.append(f"{words}. {EITHER}")
        elif month and month < times.running:
            found.blind.append(
                f"{words}. That month is over, but maybe was not yet when the copy was made: check a newer copy."
            )
        elif is_of_both and month is None:
            found.blind.append(f"{words}. Orders without a date are of no month, so nobody can say which is right.")
        elif is_of_both:
            of_both = _words(key, held, earlier, theirs, counting=counting)
            found.unseen.append(f"{of_both}. The month was not over, and orders change in it.")
    return {month for month, _ in differing if month}


def _compare_orders(ours: Side, theirs: Side, month: str, found: Comparison) -> None:
    """A month whose totals are the same: each order's customer, date, amount, and whether it counts."""
    grains = {
        one.currency: one.grain
        for side in (theirs, ours)
        for one in queries.month_currencies(side.connection, side.schema, month)
    }
    try:
        for currency, grain in sorted(grains.items()):
            sums = {measure(s.connection, s.schema, month, currency, grain=grain).checksum for s in (ours, theirs)}
            if len(sums) > 1:
                found.differences.append(
                    f"{month}: the orders ({currency}) are not the same ones, though their total is: one is of another "
                    f"customer, date, amount or status. {EITHER}"
                )
    except ChecksumCut as error:
        found.blind.append(f"{month}: {error}")


def _pair(figures: Figures | None) -> tuple[int, Decimal]:
    return (figures.orders, figures.total) if figures else (0, Decimal(0))


def _words(key: Key, held: Months, known: Months, theirs: Side, *, counting: bool) -> str:
    decimals, sides = theirs.schema.settings.money.decimals, []
    which = " that count" if counting else ""
    for name, figures in (("the copy", held), ("the live database", known)):
        orders, total = _pair(figures.get(key))
        word = "order" if orders == 1 else "orders"
        sides.append(f"{name} has {orders} {word}{which} worth {key[1]} {plain(total, decimals)}")
    return f"{key[0] or 'No date'}: {', '.join(sides)}"
