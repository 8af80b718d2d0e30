"""Rows that one of two databases lacks, found by counting ranges of ids and halving those that differ."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from data import queries
from data.queries.backups import Rows
from data.records import CustomerId

if TYPE_CHECKING:
    from data.backup_check.comparing import Side

SMALL = 2000  # ids of a range that are read and compared one by one
MOST_NAMED = 10
CLOCKS = timedelta(days=2)
LISTED = 5000


def missing_customers(
    ours: Side, theirs: Side, moment: datetime | None, differences: list[str], unseen: list[str]
) -> None:
    """Customers whom the copy should have and has not, or has and the live database has not."""
    if ours.schema.settings.customers.where:
        unseen.append(
            "[customers] where names a slice of the table, which customers may leave, so they were not compared."
        )
        return
    bounds = queries.id_bounds(theirs.connection, theirs.schema, "customers")
    if bounds:
        lost, more = _compare(ours, theirs, "customers", bounds)
        gone: list[CustomerId] = [*lost, *_later(ours, bounds[1], moment)]
        doubtful: list[CustomerId] = []
    else:
        gone, more, doubtful = _walk(ours, theirs, moment)
    if gone:
        differences.append(f"The copy lacks {_named('customer', gone)} of the live database.")
    if more:
        differences.append(f"The live database does not have {_named('customer', more)} of the copy any more.")
    if doubtful:
        unseen.append(f"Whether {_named('customer', doubtful)} came after the copy was made cannot be told.")


def missing_orders(ours: Side, theirs: Side, differences: list[str], unseen: list[str]) -> None:
    """Orders up to the copy's last one which one of the two lacks; by their number alone where they are not numbered."""
    bounds = queries.id_bounds(theirs.connection, theirs.schema, "orders")
    if bounds:
        # Of a slice or a query orders may come and go without being added or removed.
        mapping = ours.schema.settings.orders
        told = unseen if mapping.where or mapping.query else differences
        lost, more = _compare(ours, theirs, "orders", bounds)
        if lost:
            told.append(f"The copy lacks {_named('order', lost)} of the live database.")
        if more:
            told.append(f"The live database does not have {_named('order', more)} of the copy any more.")
        return
    held, known = (queries.count_state(side.connection, side.schema)["orders"] for side in (theirs, ours))
    if held > known:
        differences.append(f"The copy has {held} orders, and the live database only {known}.")
    elif held < known:
        unseen.append(
            f"Orders are not numbered, so which of the {known - held} that the copy lacks came later cannot be told."
        )


def _compare(
    ours: Side, theirs: Side, rows: Rows, bounds: tuple[int, int]
) -> tuple[list[CustomerId], list[CustomerId]]:
    """Ids up to the copy's greatest which the copy lacks, and which the live database lacks."""
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
        more += sorted(held - known)
    return lost, more


def _later(ours: Side, last: int, moment: datetime | None) -> list[CustomerId]:
    """Customers of the live database beyond the copy's last who were there before the copy was made; the others came later."""
    lost: list[CustomerId] = []
    after: CustomerId = last
    while page := queries.list_customers_after(ours.connection, ours.schema, after, limit=LISTED):
        lost += [key for key, at in page if moment and isinstance(at, datetime) and at < moment - CLOCKS]
        after = page[-1][0]
        if len(lost) > MOST_NAMED:
            break
    return lost


def _walk(
    ours: Side, theirs: Side, moment: datetime | None
) -> tuple[list[CustomerId], list[CustomerId], list[CustomerId]]:
    """Where customers are not numbered: whom the copy lacks, whom the live database lacks, and who may have come later."""
    lost: list[CustomerId] = []
    doubtful: list[CustomerId] = []
    after: CustomerId | None = None
    while page := queries.list_customers_after(ours.connection, ours.schema, after, limit=LISTED):
        held = queries.ids_between(theirs.connection, theirs.schema, "customers", page[0][0], page[-1][0])
        for key, at in page:
            if key in held:
                continue
            if moment and isinstance(at, datetime):
                lost += [key] if at < moment - CLOCKS else []
            else:
                doubtful.append(key)
        after = page[-1][0]
    more: list[CustomerId] = []
    after = None
    while page := queries.list_customers_after(theirs.connection, theirs.schema, after, limit=LISTED):
        held = queries.ids_between(ours.connection, ours.schema, "customers", page[0][0], page[-1][0])
        more += [key for key, _ in page if key not in held]
        after = page[-1][0]
    return lost, more, doubtful


def _named(word: str, ids: Sequence[object]) -> str:
    """customer 12, or customers 12, 13, 14 and more."""
    shown = ", ".join(map(str, ids[:MOST_NAMED])) + (" and more" if len(ids) > MOST_NAMED else "")
    return f"{word}{'' if len(ids) == 1 else 's'} {shown}"
