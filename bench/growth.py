"""`make growth`: how each cost grows from 10,000 to 10,000,000 orders, drawn as bench/growth.png.

A tenth as many customers. `python -m bench.growth draw` only draws what was kept; MOST= ends at fewer orders, ENGINE= is
as in the bench. What was measured is kept in bench/results/growth.json, size by size.
"""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Callable
from math import log10
from typing import Any

from bench.__main__ import RESULTS
from bench.company import company  # first: it makes the tests' servers known
from bench.drawing import draw
from bench.lists import NOBODY, deep_cursor, page
from bench.measured import Measured
from bench.measuring import in_turns, reading, say
from bench.revenue import split
from data import customers, integrity, jobs, queries
from data.access import script_actor
from data.database import attach, now, snapshot
from data.integrity.contents import measure_month
from data.settings import load_settings

KEPT = RESULTS / "growth.json"
SIZES = (10_000, 100_000, 1_000_000, 10_000_000)
DELETES = 61
OF_JOB = 1000


def measure(measured: Measured) -> dict[str, float]:
    """Seconds of each, the median of a few runs."""
    quick = {
        "list, first page": page(measured),
        "list, 9/10 in": page(measured, after=deep_cursor(measured)),
        "delete, audited": deleting(measured),
    }
    slow = {
        "revenue, last 24 months": split(measured, measured.months[-24]),
        "revenue, all history": split(measured),
        "search for a name": page(measured, search=NOBODY),
        "seal of a month": sealing(measured),
        "whole check": checking(measured),
    }
    for work in (*quick.values(), *slow.values()):
        work()
    return {
        **in_turns(quick, times=DELETES),
        **in_turns(slow, times=3),
        "job, per 1,000 customers": job(measured),
    }


def deleting(measured: Measured) -> Callable[[], Any]:
    """Deletes the next customer."""
    database, actor = measured.database, script_actor()
    with snapshot(database) as moment:
        found = queries.list_customers(moment.connection, database.schema, limit=DELETES + 1).items
    ids = iter([customer.id for customer in found])
    return lambda: customers.delete_many(database, [next(ids)], actor=actor, reason="mistake")


def sealing(measured: Measured) -> Callable[[], Any]:
    """What a seal of the last month that is over reads and hashes."""
    month = next(month for month in reversed(measured.months) if month < f"{now():%Y-%m}")
    return reading(measured.database, lambda c: measure_month(c, measured.database.schema, month))


def checking(measured: Measured) -> Callable[[], Any]:
    """Every check, which must find the books even."""

    def run() -> None:
        with snapshot(measured.database) as moment:
            assert integrity.run(moment.connection, measured.database.schema, moment.at).even

    return run


def job(measured: Measured) -> float:
    """Seconds a thousand customers of a job over some."""
    database, actor = measured.database, script_actor()
    first = measured.customers // 2
    made = jobs.prepare(database, "delete", ids=range(first, first + OF_JOB), actor=actor, reason="inactive")
    jobs.start(database, made.id, actor=actor)
    start = time.perf_counter()
    jobs.run_pending(database)
    taken, ended = time.perf_counter() - start, jobs.get(database, made.id)
    assert ended.state == "done", ended.error
    return taken * OF_JOB / ended.changed


def slopes(sizes: dict[int, dict[str, float]]) -> dict[str, float]:
    """How each cost grows over the last decade of sizes: 0 not at all, 1 as the orders do."""
    last, before = sorted(sizes)[-1], sorted(sizes)[-2]
    decades = log10(last / before)
    return {name: log10(sizes[last][name] / sizes[before][name]) / decades for name in sizes[last]}


def main() -> None:
    """Measures and draws, or only draws."""
    engine, most = os.environ.get("ENGINE", "mariadb"), int(os.environ.get("MOST", SIZES[-1]))
    if sys.argv[1:] != ["draw"]:
        found: dict[str, dict[str, float]] = {}
        for orders in [size for size in SIZES if size <= most]:
            with company(engine, orders // 10, orders, revenue_index=True) as url:
                measured = Measured(attach(load_settings(database_url=url)), engine, orders // 10, orders)
                found[str(orders)] = {name: float(f"{taken:.4g}") for name, taken in measure(measured).items()}
                measured.database.engine.dispose()
            say(f"{orders:>12,} orders  " + "  ".join(f"{n} {t * 1000:.1f}" for n, t in found[str(orders)].items()))
        RESULTS.mkdir(exist_ok=True)
        KEPT.write_text(json.dumps({"engine": engine, "seconds": found}, indent=1) + "\n")
    sizes = {int(orders): taken for orders, taken in json.loads(KEPT.read_text())["seconds"].items()}
    for name, slope in sorted(slopes(sizes).items(), key=lambda one: one[1]):
        say(f"{name:28} slope {slope:5.2f}  {'flat' if slope < 0.2 else 'linear' if slope > 0.7 else 'between'}")
    draw(sizes, slopes(sizes))


if __name__ == "__main__":
    main()
