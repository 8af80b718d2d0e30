"""Looks at everything again after the work, and proves that no total moved."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, select

from data import events, money, queries
from data.errors import EvenbooksError
from data.inspection import unusable
from data.migration.own import known_of, own_present
from data.migration.pieces import pieces
from data.migration.session import Session
from data.queries.revenue import Key
from data.records import Figures
from data.reflection import reflect
from data.schema import Schema, is_active


@dataclass(frozen=True)
class Measured:
    """What must not move: who is deleted (of the whole table), and every month's total."""

    deleted: set[Any]
    totals: Mapping[Key, Figures]


def measure(connection: Connection, schema: Schema) -> Measured:
    """As of now."""
    # One scan: without the revenue index, a range a month would read the orders once a month.
    return Measured(deleted_rows(connection, schema), queries.monthly_part(connection, schema, "total"))


def deleted_rows(connection: Connection, schema: Schema) -> set[Any]:
    """Keys of every row with a deleted_at, the mapping's slice or not."""
    if not schema.migrated:
        return set()
    statement = select(schema.physical("id")).where(
        ~is_active(schema.customer_table, schema.settings.customers.deleted_at)
    )
    return set(connection.execute(statement).scalars())


def verify(
    session: Session, before: Measured, made: Collection[str], asked: Collection[str], *, all_seen: bool
) -> None:
    """Looks at everything again, also at what was `made` on demand, and raises EvenbooksError for what is not as it must be; then says the totals.

    `all_seen`: nothing was left as it is because this account may not see it.
    """
    session.settle()
    connection = session.connection
    schema = reflect(connection, session.settings)
    known = known_of(connection, schema, own_present(connection, schema), asked)
    needed = [p for p in pieces(connection, schema, known) if not p.outside and (p.name in made or not p.option)]
    absent = [p.name for p in needed if not p.there]
    problem = unusable(connection, schema) if schema.migrated else None
    problems = [f"{name} is not there" for name in absent]
    problems += [f"{schema.settings.customers.deleted_at} {problem}"] if problem else []
    problems += [f"event {link.event_id}: {p}" for link in events.walk(connection, schema) for p in link.problems]
    after = measure(connection, schema)
    fresh = sorted(after.deleted - before.deleted, key=str)
    deletions = queries.list_deletions(connection, schema, fresh) if fresh else {}
    unknown = [str(key) for key in fresh if key not in deletions]
    if unknown:
        one = "1 customer is deleted who was not before"
        people = one if len(unknown) == 1 else f"{len(unknown)} customers are deleted who were not before"
        problems.append(f"{people} ({', '.join(unknown[:3])})")
    problems += _moved(before.totals, after.totals)
    if problems:
        raise EvenbooksError(
            f"This is not as it must be: {'; '.join(problems[:5])}. Look into it, then run this again."
        )
    _say_proof(session, before, after, "everything" if all_seen else "everything that this account may see")


def _moved(before: Mapping[Key, Figures], after: Mapping[Key, Figures]) -> list[str]:
    """Months whose total is another, unless orders came in meanwhile: a shop does not stand still for us."""
    moved = []
    for month, currency in sorted(before.keys() | after.keys(), key=str):
        then, since = before.get((month, currency)), after.get((month, currency))
        if then != since and not (since and since.orders > (then.orders if then else 0)):
            shown = [money.plain(f.total) if f else "nothing" for f in (then, since)]
            moved.append(f"{month or 'no date'} {currency} was {shown[0]} and is {shown[1]}")
    return moved


def _say_proof(session: Session, before: Measured, after: Measured, what: str) -> None:
    months, orders = len({m for m, _ in after.totals if m}), sum(f.orders for f in after.totals.values())
    came = orders - sum(f.orders for f in before.totals.values())
    session.tell(f"Verified: {what} is there, the chain is whole, and nobody is deleted who was not before.")
    if came:
        session.tell(f"{came:,} orders came in meanwhile; every month without a new order has the total that it had.")
    else:
        session.tell("Every monthly total is the same before and after.")
    session.tell(f"Months: {months}; orders: {orders:,}; in all:")
    for currency in sorted({c for _, c in after.totals}):
        total = money.add(f.total for (_, c), f in after.totals.items() if c == currency)
        session.tell(f"  {currency} {money.plain(total, session.settings.money.decimals)}")
