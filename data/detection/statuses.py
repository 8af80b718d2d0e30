"""Orders that may not be meant to count: statuses, and the orders' own marks of deletion."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from data.detection import reading
from data.detection.order_query import needs_query
from data.detection.reading import Reader, is_whole
from data.detection.tables import Column
from data.detection.words import listed, raw_words, words_of

if TYPE_CHECKING:
    from data.detection.composing import Draft

# What a status says of an order that is no revenue, or not yet.
NO_REVENUE = listed("""
    cancel canceled cancelled void voided failed draft pending refunded returned rejected declined expired abandoned trash deleted
    open unpaid quote hold new created storniert offen entwurf annulee brouillon cancelado pendiente
""")
MOST_STATUSES = 12


def say_statuses(reader: Reader, draft: Draft) -> None:
    """Comments on the statuses of orders with how often each occurs, and on orders that are marked as deleted."""
    for c in draft.pair.orders.columns.values():
        words = set(words_of(c.name))
        if {"by", "email", "note", "customer", "user"} & words:
            continue
        if "deleted" in words:
            _say_deleted(reader, draft, c)
        elif ("status" in words or ({"canceled", "paid"} & words and c.kind == "boolean")) and not {
            "time",
            "date",
        } & words:
            _say_status(reader, draft, c)


def _say_status(reader: Reader, draft: Draft, c: Column) -> None:
    if c.kind in {"datetime", "date", "binary", "other"}:
        return
    counts = reader.counts(draft.pair.orders, c.name)
    if not 1 < len(counts) <= MOST_STATUSES:
        return
    if c.kind == "boolean":
        draft.say(
            "orders", "", f"{c.name} has {counted(counts)}. Every order counts, unless [orders] where leaves some out."
        )
        return
    draft.say("orders", "", f"{c.name} has {counted(counts)}. Every order counts, unless you name those that do:")
    revenue = [value for value, _ in counts if value is not None and not NO_REVENUE & set(raw_words(str(value)))]
    shown = ", ".join(str(v) if type(v) is int else f'"{v}"' for v in revenue or [counts[0][0]])
    name = "status" if needs_query(draft.pair) else c.name
    where = f", once the query has {c.name} AS status" if needs_query(draft.pair) else ""
    draft.say("orders", "", f'  status = "{name}" with revenue_statuses = [{shown}]{where}')


def _say_deleted(reader: Reader, draft: Draft, c: Column) -> None:
    """Orders that another program shows as deleted still count, which somebody may not expect."""
    if c.kind in {"datetime", "date", "text"}:
        marked = len(reader.values(draft.pair.orders, c.name))
    else:
        marked = sum(bool(value) for value in reader.values(draft.pair.orders, c.name))
    line = f"{draft.pair.orders.path}.{c.name} looks like deleted orders"
    if marked:
        draft.doubts.append(f"{line}: {marked} of the sample have it, and they count. [orders] where leaves them out.")
    else:
        draft.say("orders", "", f"{line}: none of the sample has it, and all count.")


def counted(counts: list[tuple[Any, int]]) -> str:
    """Values with how often each occurs, as a person reads them."""
    words = {None: "NULL", True: "true", False: "false"}
    shown = ", ".join(f"{words[v] if v is None or isinstance(v, bool) else v}: {n}" for v, n in counts) or "no rows"
    return shown if is_whole(counts) else f"{shown} in the first {reading.GROUPED:,} rows"
