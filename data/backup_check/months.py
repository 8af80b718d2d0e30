"""The months of the two: those that are over to the last digit, the others as far as they can be compared."""

from __future__ import annotations

from collections.abc import Mapping, Set
from decimal import Decimal

from data import queries
from data.backup_check.sides import NEVER, Comparison, Side, Times
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


def compare_months(ours: Side, theirs: Side, times: Times, held: Months, found: Comparison) -> None:
    """Each month and currency of every order, of those that count as revenue, and in the months that were over when the
    copy was made whose orders they are. `held` is what the copy has of whatever status."""
    known = queries.monthly_orders(ours.connection, ours.schema)
    differing = _compare(ours, theirs, times, held, known, found, counting=False)
    counted = held
    if theirs.schema.settings.orders.revenue_statuses:
        counted = queries.monthly_orders(theirs.connection, theirs.schema, counting=True)
        also = queries.monthly_orders(ours.connection, ours.schema, counting=True)
        differing |= _compare(ours, theirs, times, counted, also, found, counting=True)
    over = {month for month, _ in {*held, *known} if month and month < max(times.first_open, times.last_month)}
    _compare_owners(ours, theirs, over - differing - theirs.replay.seals.keys(), found)
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


def _compare_owners(ours: Side, theirs: Side, months: Set[str], found: Comparison) -> None:
    """Whether the orders of these months are of the same customers."""
    held, known = (queries.monthly_owners(side.connection, side.schema) for side in (theirs, ours))
    for month in sorted(months):
        if held.get(month) != known.get(month):
            found.differences.append(
                f"{month}: orders of the copy are of other customers than in the live database. {EITHER}"
            )


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
