"""The live probe: a real customer deleted inside a transaction, the totals read again, everything rolled back."""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from sqlalchemy import Connection
from sqlalchemy.exc import DBAPIError

from data import changes, events, money, queries
from data.access import Actor, Permission, Role
from data.database import Database, now, snapshot
from data.errors import Conflict, CustomerNotFound, DatabaseUnavailable, InvalidInput, NotProbed
from data.events import Reason
from data.faults import Code, error_code, translated
from data.queries.probing import TimeOver
from data.records import Customer, CustomerId, Figures, Outcome, Revenue
from data.schema import Schema

LONGEST_WAIT = 2.0  # seconds for others to finish, before anything begins
CUT_OFF: set[Code] = {1969, 3024, "57014"}  # the limit of a statement's time: MariaDB's, MySQL's, PostgreSQL's
# Counting the active part joins every order to its customer, which takes many times as long as adding them up.
ROOM = 20
NONE = Figures(None, "", 0, Decimal(0))


@dataclass(frozen=True)
class Totals:
    """All orders of one currency: how many and how much, and what of it is of deleted customers; each counted by itself.

    `active` is counted by itself too, or None where that would have taken too long.
    """

    currency: str
    orders: int
    total: Decimal
    deleted_orders: int
    deleted: Decimal
    active: Decimal | None = None

    @property
    def not_deleted(self) -> Decimal:
        """Total less deleted: derived, so no evidence."""
        return money.add([self.total, -self.deleted])


@dataclass(frozen=True)
class Probe:
    """What a probe saw. `orders` and `revenue` are the customer's own; `before` and `after` have one entry a currency.

    Both were read at `at` (UTC), in one snapshot; `seconds` is how long others had to wait. `even`: no total moved, and
    what is deleted rose by exactly what is the customer's (active fell by it, where it was counted). `rolled_back`:
    the customer and the chain were looked at afterwards and are as they were.
    """

    customer: Customer
    orders: int
    revenue: Revenue
    before: list[Totals]
    after: list[Totals]
    at: datetime
    seconds: float
    even: bool
    rolled_back: bool


@dataclass(frozen=True)
class _Seen:
    """Inside the transaction: where the chain was, and the event that was to be rolled back."""

    outcome: Outcome
    before: list[Totals]
    after: list[Totals]
    at: datetime
    seconds: float
    head: int
    hash: str
    whole: bool


def probe(database: Database, *, actor: Actor, customer_id: CustomerId | None = None, at_most: float = 5.0) -> Probe:
    """Deletes a customer by the product's own code inside a transaction, reads the totals before and after, rolls back.

    Without an id it is the active customer of the latest order. `at_most` bounds the seconds that others wait. Nothing
    is written, and no event stays. Raises NotPermitted, CustomerNotFound, InvalidInput (deleted, or nobody there),
    NotProbed (a table cannot roll back; stopped for time), DatabaseUnavailable (others hold the locks), BooksMoved.
    """
    actor.require(Permission.PROBE)
    with snapshot(database) as moment:
        customer = _choose(moment.connection, database.schema, customer_id)
        _refuse_lasting(moment.connection, database.schema)
    with translated(database.engine.url):
        seen = _rehearse(database, customer, actor, at_most)
    return Probe(
        customer=customer,
        orders=seen.outcome.orders,
        revenue=seen.outcome.revenue,
        before=seen.before,
        after=seen.after,
        at=seen.at,
        seconds=seen.seconds,
        even=_even(seen.before, seen.after, seen.outcome),
        rolled_back=seen.whole and _is_undone(database, customer, seen),
    )


def _choose(connection: Connection, schema: Schema, customer_id: CustomerId | None) -> Customer:
    if customer_id is None:
        found = queries.find_customer_to_probe(connection, schema)
        if found is None:
            raise InvalidInput("There is no active customer to run the probe with.", field="customer_id")
        return found
    customer = queries.get_customer(connection, schema, customer_id)
    if customer is None:
        raise CustomerNotFound(customer_id)
    if customer.deleted_at is not None:
        words = f"{customer.name} (customer {customer.id}) is deleted already. Name an active customer."
        raise InvalidInput(words, field="customer_id")
    return customer


def _refuse_lasting(connection: Connection, schema: Schema) -> None:
    """Raises NotProbed where something of the probe would stay after rolling back."""
    lasting = queries.list_without_transactions(connection, schema)
    used = [schema.customer_table, *([schema.order_table] if schema.order_table is not None else []), *schema.own.all]
    involved = [f"{table.name} ({lasting[table.name]})" for table in used if table.name in lasting]
    if involved:
        raise NotProbed(f"The probe was not run: {', '.join(involved)} cannot roll back. Nothing was changed.")
    if lasting and queries.may_have_triggers(connection, schema):
        names = ", ".join(f"{name} ({engine})" for name, engine in list(lasting.items())[:3])
        raise NotProbed(
            f"The probe was not run: a trigger may run with the delete and write to {names}, which cannot roll back. "
            "Nothing was changed."
        )


def _rehearse(database: Database, customer: Customer, actor: Actor, at_most: float) -> _Seen:
    """The transaction, rolled back whatever happens."""
    with database.engine.connect().execution_options(write=True) as connection:
        began: list[float] = []
        try:
            with queries.limited(connection, min(LONGEST_WAIT, at_most)) as limit:
                head = events.take_turns(connection, database.schema)
                began.append(time.monotonic())
                limit.allow(at_most)
                found = _before_and_after(connection, database.schema, customer, actor, at_most)
                written = queries.get_head(connection, database.schema)
        except Exception as error:
            if not queries.roll_back(connection):
                raise NotProbed(_left("The probe was stopped")) from error
            if _is_over(error):
                raise _too_late(bool(began), at_most) from error
            raise
        whole = queries.roll_back(connection)
        seconds = time.monotonic() - began[0]
    return _Seen(*found, seconds, head.event_id, written.hash if written else "", whole)


def _before_and_after(
    connection: Connection, schema: Schema, customer: Customer, actor: Actor, at_most: float
) -> tuple[Outcome, list[Totals], list[Totals], datetime]:
    at, start = now(), time.monotonic()
    before = _read(connection, schema)
    with_active = (time.monotonic() - start) * ROOM < at_most
    if with_active:
        before = _add_active(connection, schema, before)
    # Whoever may probe need not be allowed to delete, as nothing is deleted.
    inside = Actor(actor.id, Role.ADMIN, actor.door)
    why = Reason("script")
    outcome = changes.change(connection, schema, "delete", [customer.id], actor=inside, reason=why, rehearsed=True)[0]
    if not outcome.changed:
        raise Conflict(f"{customer.name} was deleted by somebody else at this very moment. Try another customer.")
    after = _read(connection, schema)
    return outcome, before, _add_active(connection, schema, after) if with_active else after, at


def _read(connection: Connection, schema: Schema) -> list[Totals]:
    totals, deleted = queries.grand_totals(connection, schema), queries.grand_deleted(connection, schema)
    pairs = [(currency, totals.get(currency, NONE), deleted.get(currency, NONE)) for currency in {*totals, *deleted}]
    return [Totals(c, one.orders, one.total, gone.orders, gone.total) for c, one, gone in sorted(pairs)]


def _add_active(connection: Connection, schema: Schema, totals: Iterable[Totals]) -> list[Totals]:
    counted: dict[str, list[Decimal]] = {}
    for (_, currency), figures in queries.monthly_part(connection, schema, "active").items():
        counted.setdefault(currency, []).append(figures.total)
    return [
        Totals(t.currency, t.orders, t.total, t.deleted_orders, t.deleted, money.add(counted.get(t.currency, [])))
        for t in totals
    ]


def _even(before: list[Totals], after: list[Totals], outcome: Outcome) -> bool:
    """Whether the totals stayed, and the parts moved by exactly what is the customer's."""
    if [(t.currency, t.orders, t.total) for t in before] != [(t.currency, t.orders, t.total) for t in after]:
        return False
    moved = sum(b.deleted_orders for b in after) - sum(a.deleted_orders for a in before)
    return moved == outcome.orders and all(
        _moved_by(one, other, outcome.revenue) for one, other in zip(before, after, strict=True)
    )


def _moved_by(before: Totals, after: Totals, revenue: Mapping[str, Decimal]) -> bool:
    amount = revenue.get(before.currency, Decimal(0))
    rose = money.add([after.deleted, -before.deleted]) == amount
    if before.active is None or after.active is None:
        return rose
    return rose and money.add([before.active, -after.active]) == amount


def _is_over(error: Exception) -> bool:
    cut = isinstance(error, DBAPIError) and (error_code(error) in CUT_OFF or str(error.orig) == "interrupted")
    return cut or isinstance(error, TimeOver)


def _too_late(began: bool, at_most: float) -> NotProbed | DatabaseUnavailable:
    if not began:
        return DatabaseUnavailable(
            "Others are changing customers at this moment, so the probe did not begin. Try again."
        )
    seconds = f"{at_most:g} second{'' if at_most == 1 else 's'}"
    return NotProbed(f"The probe was stopped after {seconds} and rolled back. Nothing was changed.")


def _left(what: str) -> str:
    return f"{what}, but a trigger wrote to a table that cannot roll back; what it wrote is still there."


def _is_undone(database: Database, customer: Customer, seen: _Seen) -> bool:
    """Whether a fresh look finds neither the event nor the deletion; what others did meanwhile does not count."""
    with snapshot(database) as moment:
        c, schema = moment.connection, database.schema
        if queries.event_hash(c, schema, seen.head + 1) == seen.hash:
            return False
        found = queries.get_customer(c, schema, customer.id)
        if found is not None and found.deleted_at is None:
            return True
        other = queries.list_deletions(c, schema, [customer.id]).get(customer.id)
        return other is not None and other.id > seen.head
