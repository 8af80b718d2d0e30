"""Rows that one of two databases lacks, found by counting ranges of ids and halving those that differ."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

from data import queries
from data.backup_check.sides import CLOCKS, Comparison, Side, Times
from data.queries.backups import Rows
from data.records import CustomerId, Time

SMALL = 2000  # ids of a range that are read and compared one by one
MOST_NAMED = 10
LISTED = 5000


@dataclass
class _Lacking:
    """Customers of the live database whom the copy lacks: whom it should have, and who may have come later or not."""

    times: Times
    added: set[CustomerId]
    lost: list[CustomerId] = field(default_factory=list)
    doubtful: list[CustomerId] = field(default_factory=list)

    def tell(self, key: CustomerId, at: Time | None) -> None:
        """One of them, who was added at this time. An event after the copy's last, or a time after the copy was made,
        says that they came later."""
        if key in self.added:
            return
        if not isinstance(at, datetime) or self.times.known is None:
            self._doubt(key)
        elif at < self.times.known - CLOCKS:
            self.lost.append(key)
        elif f"{at + CLOCKS:%Y-%m}" < self.times.last_month:
            self._doubt(key)  # before the copy's last order, which may be dated ahead

    def _doubt(self, key: CustomerId) -> None:
        if len(self.doubtful) <= MOST_NAMED:
            self.doubtful.append(key)

    @property
    def enough(self) -> bool:
        """Whether there are more than are named."""
        return len(self.lost) > MOST_NAMED


def missing_customers(ours: Side, theirs: Side, times: Times, found: Comparison) -> None:
    """Customers whom the copy should have and has not, or has and the live database has not: in the whole table, as they
    may leave the slice that `where` names."""
    lacking = _Lacking(times, queries.added_after(ours.connection, ours.schema, found.head.event_id))
    bounds = queries.id_bounds(theirs.connection, theirs.schema, "customers")
    if bounds:
        lost, more = _compare(ours, theirs, "customers", bounds)
        lacking.lost += lost
        _later(ours, bounds[1], lacking)
    else:
        more = _walk(ours, theirs, lacking)
    if lacking.lost:
        found.differences.append(f"The copy lacks {_named('customer', lacking.lost)} of the live database.")
    if more:
        found.differences.append(f"The live database does not have {_named('customer', more)} of the copy any more.")
    if lacking.doubtful:
        found.blind.append(
            f"Whether the copy lost {_named('customer', lacking.doubtful)}, or was made before they came, cannot be told: "
            "check a newer copy."
        )


def missing_orders(ours: Side, theirs: Side, found: Comparison) -> None:
    """Orders up to the copy's last one which one of the two lacks; by their number alone where they are not numbered."""
    bounds = queries.id_bounds(theirs.connection, theirs.schema, "orders")
    if bounds:
        # Of a query orders may come and go without being added or removed; the months tell those that are over.
        told = found.unseen if ours.schema.settings.orders.query else found.differences
        lost, more = _compare(ours, theirs, "orders", bounds)
        if lost:
            told.append(f"The copy lacks {_named('order', lost)} of the live database.")
        if more:
            told.append(f"The live database does not have {_named('order', more)} of the copy any more.")
        return
    held, known = (queries.count_state(side.connection, side.schema)["orders"] for side in (theirs, ours))
    if held > known:
        found.differences.append(f"The copy has {held} orders, and the live database only {known}.")
    elif held < known:
        found.unseen.append(
            f"Orders are not numbered, so which of the {known - held} that the copy lacks came later is told by the months "
            "alone."
        )


def _compare(
    ours: Side, theirs: Side, rows: Rows, bounds: tuple[int, int]
) -> tuple[list[CustomerId], list[CustomerId]]:
    """Ids up to the copy's greatest which the copy lacks, and which the live database lacks; of the latter only those of
    the slice, as the rest of a table is no customer or order."""
    lost: list[CustomerId] = []
    more: list[CustomerId] = []
    lowest = queries.id_bounds(ours.connection, ours.schema, rows)
    ranges = [(min(bounds[0], lowest[0] if lowest else bounds[0]), bounds[1])]
    while ranges and len(lost) + len(more) <= MOST_NAMED:
        low, high = ranges.pop()
        counts = [queries.count_between(s.connection, s.schema, rows, low, high) for s in (ours, theirs)]
        if counts[0] == counts[1]:
            continue
        if max(number for number, _ in counts) > SMALL and high > low:
            middle = (low + high) // 2
            ranges += [(middle + 1, high), (low, middle)]
            continue
        known, held = (queries.ids_between(s.connection, s.schema, rows, low, high) for s in (ours, theirs))
        lost += sorted(known - held)
        if held - known:
            more += sorted(queries.ids_of_slice(theirs.connection, theirs.schema, rows, held - known))
    return lost, more


def _later(ours: Side, last: int, lacking: _Lacking) -> None:
    """Customers of the live database beyond the copy's last: who was there before the copy was made, and who came later."""
    after: CustomerId = last
    while page := queries.list_customers_after(ours.connection, ours.schema, after, limit=LISTED):
        for key, at in page:
            lacking.tell(key, at)
        after = page[-1][0]
        if lacking.enough:
            break


def _walk(ours: Side, theirs: Side, lacking: _Lacking) -> list[CustomerId]:
    """Where customers are not numbered: whom the copy lacks; answers whom the live database lacks."""
    after: CustomerId | None = None
    while page := queries.list_customers_after(ours.connection, ours.schema, after, limit=LISTED):
        held = queries.ids_between(theirs.connection, theirs.schema, "customers", page[0][0], page[-1][0])
        for key, at in page:
            if key not in held:
                lacking.tell(key, at)
        after = page[-1][0]
    more: list[CustomerId] = []
    after = None
    while page := queries.list_customers_after(theirs.connection, theirs.schema, after, limit=LISTED):
        held = queries.ids_between(ours.connection, ours.schema, "customers", page[0][0], page[-1][0])
        more += [key for key, _ in page if key not in held]
        after = page[-1][0]
    return more


def _named(word: str, ids: Sequence[object]) -> str:
    """customer 12, or customers 12, 13, 14 and more."""
    shown = ", ".join(map(str, ids[:MOST_NAMED])) + (" and more" if len(ids) > MOST_NAMED else "")
    return f"{word}{'' if len(ids) == 1 else 's'} {shown}"
