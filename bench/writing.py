"""Audited writes, one customer at a time, each beside a program that only sets the column."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

from sqlalchemy import text

from bench.measured import Measured
from bench.measuring import Figure, in_turns
from bench.revenue import split
from data import customers, probe, queries
from data.access import script_actor
from data.database import snapshot

TIMES = 300
BARE = text("UPDATE customers SET deleted_at = :at WHERE id = :id AND deleted_at IS NULL")
BACK = text("UPDATE customers SET deleted_at = NULL WHERE id = :id AND deleted_at IS NOT NULL")
ROUND_TRIPS = "A bare UPDATE is two round trips with its commit. Audited it is eight: the head of the chain locked, the customer, the orders before, the UPDATE, the orders after, the event, the head moved, the commit (a restore asks besides whether somebody was erased). See below."


def bench_writes(measured: Measured) -> list[Figure]:
    """An audited, chained delete and its restore beside the bare UPDATEs with commit, taken in turns."""
    database, actor = measured.database, script_actor()
    with snapshot(database) as moment:
        found = queries.list_customers(moment.connection, database.schema, limit=2 * TIMES).items
    ids = [customer.id for customer in found]

    def bare(statement: Any, numbers: Any, **given: Any) -> Callable[[], None]:
        def run() -> None:
            with database.engine.begin() as connection:
                connection.execute(statement, {"id": next(numbers), **given})

        return run

    def audited(action: Callable[..., Any], numbers: Any) -> Callable[[], None]:
        return lambda: action(database, [next(numbers)], actor=actor, reason="mistake")

    ours, theirs = ids[:TIMES], ids[TIMES:]
    deleting = in_turns(
        {
            "bare": bare(BARE, iter(theirs), at=datetime(2026, 1, 1)),
            "audited": audited(customers.delete_many, iter(ours)),
        },
        times=TIMES,
    )
    restoring = in_turns(
        {"bare": bare(BACK, iter(theirs)), "audited": audited(customers.restore_many, iter(ours))}, times=TIMES
    )
    return [
        _figure("audited, chained delete", deleting, 3),
        _figure("audited, chained restore", restoring, 4),
    ]


def _figure(name: str, taken: dict[str, float], bound: float) -> Figure:
    audited, bare = taken["audited"] * 1000, taken["bare"] * 1000
    return Figure(name, audited, "ms", "bare UPDATE with commit", bare, bound, why=ROUND_TRIPS)


def bench_probe(measured: Measured) -> list[Figure]:
    """The live probe: how long others wait for it, of the five seconds that it is allowed."""
    split(measured)()  # a server that has just started reads from the disk
    found = probe.probe(measured.database, actor=script_actor())
    assert found.even
    assert found.rolled_back
    return [Figure("live probe, others wait", found.seconds, "s", "5 s", 5, 1)]
