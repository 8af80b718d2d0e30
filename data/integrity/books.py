"""The checks of the sums: the identity, the long way round, and orders of customers who are not there."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import get_args

from sqlalchemy import Connection

from data import money, queries
from data.integrity.look import Look, Progress
from data.integrity.report import EXAMPLES, Answer, Finding, span
from data.money import plain
from data.queries.checks import Part
from data.queries.revenue import Key, month_order
from data.records import Figures, MonthlyRevenue
from data.schema import Schema

PARTS = get_args(Part)
ONCE: tuple[Part, ...] = ("deleted", "no_customer")  # few rows, and an index leads to them


@dataclass
class Counted:
    """Every part by month and currency: on its own, and the long way round; orders of missing customers, whatever their status."""

    parts: dict[Part, dict[Key, Figures]] = field(default_factory=lambda: {part: {} for part in PARTS})
    long_way: dict[Part, dict[Key, Figures]] = field(default_factory=lambda: {part: {} for part in PARTS})
    missing_orders: int = 0
    chunks: int = 0

    def months(self) -> list[MonthlyRevenue]:
        """The split that the parts make, oldest month first."""
        keys: set[Key] = set().union(*self.parts.values())
        return [_month(key, self.parts) for key in sorted(keys, key=month_order)]


def count(
    connection: Connection, schema: Schema, *, first: str | None, last: str | None, progress: Progress
) -> Counted:
    """Counts every part, the long ones in chunks of the orders, so that it can be watched and stopped."""
    result = Counted()
    for part in ONCE:
        result.parts[part] = queries.monthly_part(connection, schema, part, first=first, last=last)
    chunks = queries.order_chunks(connection, schema)
    result.chunks = len(chunks)
    statuses = schema.settings.orders.revenue_statuses is not None or bool(first or last)
    for number, chunk in enumerate(chunks):
        progress(number / len(chunks), "Counting every part on its own")
        for part in PARTS:
            if part not in ONCE:
                found = queries.monthly_part(connection, schema, part, first=first, last=last, chunk=chunk)
                _add(result.parts[part], found)
                if part == "missing_customer" and not statuses:
                    result.missing_orders += sum(f.orders for f in found.values())
        if statuses:
            result.missing_orders += queries.count_missing_customer_orders(connection, schema, chunk=chunk)
        for part, found in queries.monthly_long_way(connection, schema, first=first, last=last, chunk=chunk).items():
            _add(result.long_way[part], found)
    progress(1, "Counting every part on its own")
    return result


def _add(sofar: dict[Key, Figures], found: Mapping[Key, Figures]) -> None:
    for key, figures in found.items():
        known = sofar.get(key)
        if known:
            total, cost = money.add([known.total, figures.total]), money.add([known.cost, figures.cost])
            figures = Figures(*key, known.orders + figures.orders, total, cost)
        sofar[key] = figures


def _month(key: Key, parts: Mapping[Part, Mapping[Key, Figures]]) -> MonthlyRevenue:
    none = Figures(*key, orders=0, total=Decimal(0))
    found = {part: figures.get(key, none) for part, figures in parts.items()}
    return MonthlyRevenue(
        month=key[0],
        currency=key[1],
        orders=found["total"].orders,
        active=found["active"].total,
        deleted=found["deleted"].total,
        no_customer=found["no_customer"].total,
        missing_customer=found["missing_customer"].total,
        total=found["total"].total,
        deleted_orders=found["deleted"].orders,
        cost=found["total"].cost,
    )


def identity(look: Look, counted: Counted) -> Answer:
    """Active + deleted + no customer + missing customer = total, in amount and in orders, each counted on its own."""
    broken = []
    for row in look.months:
        key = (row.month, row.currency)
        orders = sum(of[key].orders for part, of in counted.parts.items() if part != "total" and key in of)
        if row.difference or orders != row.orders:
            amount = f"{row.currency} {plain(abs(row.difference))} {'short' if row.difference > 0 else 'over'}"
            words = f"{row.month or 'no date'}: parts are {amount}, {orders} of {row.orders} orders"
            broken.append(Finding(_name(key), words))
    names = ", ".join(f"{f.words.split(',')[0]}" for f in broken[:3]) + (", ..." if len(broken) > 3 else "")
    return Answer(
        whole=f"Active + deleted + no customer + missing customer = total, {span(look.months)}.",
        broken=f"Not even, of {len(look.months)} months and currencies: {len(broken)} ({names}).",
        findings=broken,
    )


def _name(key: Key) -> str:
    return f"{key[0] or 'no date'} {key[1]}"


def long_way(look: Look, counted: Counted) -> Answer:
    """Joining every order to its customer, as a plain report would, gives the same parts and the same total."""
    found = []
    for key in sorted(set().union(*counted.parts.values(), *counted.long_way.values()), key=month_order):
        joined = [of[key] for of in counted.long_way.values() if key in of]
        total = counted.parts["total"].get(key)
        pairs = [(part, counted.long_way[part].get(key), counted.parts[part].get(key)) for part in PARTS[1:]]
        differing = [part for part, one, other in pairs if _figures(one) != _figures(other)]
        if (sum(f.orders for f in joined), money.add(f.total for f in joined)) != _figures(total):
            differing.insert(0, "total")
        if differing:
            shown = [f"{part} {_told(counted, part, key)}" for part in differing]
            found.append(Finding(_name(key), f"{_name(key)}: {'; '.join(shown)}"))
    return Answer(
        whole=f"Joined to their customers one by one, the orders add up to the same parts and totals, {span(look.months)}.",
        broken=f"Months and currencies in which joining gives other figures than adding: {len(found)}.",
        findings=found,
    )


def _figures(figures: Figures | None) -> tuple[int, Decimal]:
    return (figures.orders, figures.total) if figures else (0, Decimal(0))


def _told(counted: Counted, part: str, key: Key) -> str:
    """The two figures that differ."""
    if part == "total":
        joined = [of[key] for of in counted.long_way.values() if key in of]
        one = (sum(f.orders for f in joined), money.add(f.total for f in joined))
    else:
        one = _figures(counted.long_way[part].get(key))  # type: ignore[index]
    other = _figures(counted.parts[part].get(key))  # type: ignore[index]
    return f"{plain(one[1])} in {one[0]} orders when joined, {plain(other[1])} in {other[0]} when added"


def missing_customers(look: Look, counted: Counted) -> Answer:
    """No order names a customer who is not there, beyond those that the baseline found so."""
    known, total = look.replay.baseline.missing, counted.missing_orders
    before = look.replay.baseline.missing_orders
    listed = (
        queries.list_missing_customers(look.connection, look.schema, limit=len(known) + 100 * EXAMPLES) if total else []
    )
    # The baseline names only the first of very many; then the others are told by their number alone.
    named = sum(known.values()) >= before
    fresh = [(c, orders) for c, orders in listed if (named or c in known) and orders > known.get(c, 0)]
    findings = [Finding(str(customer), f"customer {customer}: {orders} orders") for customer, orders in fresh]
    if total > before and not findings:
        findings = [Finding("all", f"{total} orders name missing customers; {before} when Evenbooks was installed")]
    if not total:
        whole = "Every order that names a customer finds that customer."
    else:
        whole = f"Orders that name a missing customer: {total}; all of them did when Evenbooks was installed."
    beyond = sum(orders - known.get(customer, 0) for customer, orders in fresh)
    return Answer(
        whole=whole,
        broken=f"Orders that name a customer who is not there: {total}; when Evenbooks was installed, {before}. "
        f"Not known then: {max(beyond, total - before)}.",
        findings=findings,
    )
