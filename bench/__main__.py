"""`make bench`: what things cost on a real server, each beside its yardstick in the same run.

CUSTOMERS= and ORDERS= set the size (1,000,000 and 10,000,000), ENGINE=postgresql the engine (mariadb), ONLY= the parts
(names below, with commas between), EVENTS= the length of the history (1,000,000). The server is private and has its
default durability (a flush to disk with every commit). Exits 1 when a figure misses its bound or a part fails. What was measured is
kept in bench/results/, unless ONLY is set.
"""

from __future__ import annotations

import json
import os
import platform
import sys
import time
import traceback
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from bench.checking import bench_check
from bench.company import company  # first: it makes the tests' servers known
from bench.dashboard import bench_dashboard
from bench.doors import bench_doors
from bench.exporting import bench_exports
from bench.history import bench_history
from bench.jobs import bench_jobs
from bench.lists import bench_lists, bench_search
from bench.making import bench_making
from bench.measured import Measured
from bench.measuring import Figure, say, table
from bench.revenue import bench_analytics, bench_revenue
from bench.stock import bench_stock
from bench.writing import bench_probe, bench_writes
from data.database import attach
from data.settings import load_settings

RESULTS = Path(__file__).resolve().parent / "results"
Part = Callable[[Measured], list[Figure]]
# On a company without the order indexes, which the part itself makes.
STOCK: dict[str, Part] = {"demo": bench_making, "migration": bench_stock}
# On another copy, which has them; in this order, as the later ones change more.
PARTS: dict[str, Part] = {
    "revenue": bench_revenue,
    "analytics": bench_analytics,
    "lists": bench_lists,
    "search": bench_search,
    "check": bench_check,
    "probe": bench_probe,
    "writes": bench_writes,
    "exports": bench_exports,
    "dashboard": bench_dashboard,
    "http": bench_doors,
    "jobs": bench_jobs,
    "history": bench_history,
}


def main() -> int:
    """Measures, prints a table, keeps it; 0 where every figure holds."""
    size, orders = int(os.environ.get("CUSTOMERS", 1_000_000)), int(os.environ.get("ORDERS", 10_000_000))
    engine, only = os.environ.get("ENGINE", "mariadb"), [name for name in os.environ.get("ONLY", "").split(",") if name]
    unknown = [name for name in only if name not in {**STOCK, **PARTS}]
    if unknown:
        say(f"There is no part {unknown[0]}. These are: {', '.join([*STOCK, *PARTS])}.")
        return 2
    start, figures, failed = time.perf_counter(), list[dict[str, Any]](), list[str]()
    for parts, indexed in ((STOCK, False), (PARTS, True)):
        wanted = {name: part for name, part in parts.items() if not only or name in only}
        if wanted:
            with company(engine, size, orders, revenue_index=indexed) as url:
                measured = Measured(attach(load_settings(database_url=url)), engine, size, orders)
                figures += run(wanted, measured, failed)
                measured.database.engine.dispose()
    say(f"\n{table(figures)}\n\nThe whole took {(time.perf_counter() - start) / 60:.0f} min.")
    if not only:
        keep(engine, size, orders, figures, failed, time.perf_counter() - start)
    if failed:
        say(f"Not measured, for an error above: {', '.join(failed)}.")
    return 0 if all(figure["held"] for figure in figures) and not failed else 1


def run(parts: dict[str, Part], measured: Measured, failed: list[str]) -> list[dict[str, Any]]:
    """Each part's figures, as they are kept. One that fails is named in `failed`; the others are measured all the same."""
    found = []
    for name, part in parts.items():
        start = time.perf_counter()
        say(f"-- {name}")
        try:
            some = [{"part": name, **figure.as_json()} for figure in part(measured)]
        except Exception:
            traceback.print_exc()
            failed.append(name)
            continue
        say(f"{table(some)}\n({name}: {time.perf_counter() - start:.0f} s)")
        found += some
    return found


def keep(engine: str, size: int, orders: int, figures: list[dict[str, Any]], failed: list[str], taken: float) -> None:
    """Writes bench/results/ENGINE-CUSTOMERS-ORDERS.json."""
    RESULTS.mkdir(exist_ok=True)
    about = {
        "engine": engine,
        "customers": size,
        "orders": orders,
        "at": f"{datetime.now(UTC):%Y-%m-%d}",
        "minutes": round(taken / 60, 1),
        "machine": f"{os.cpu_count()} cores, {memory()} GB, {platform.system()}, Python {platform.python_version()}",
        "failed": failed,
    }
    path = RESULTS / f"{engine}-{size}-{orders}.json"
    path.write_text(json.dumps({**about, "figures": figures}, indent=1) + "\n")
    shown = path.relative_to(RESULTS.parent.parent)
    say(f"Kept in {shown}; python -m bench.tell {shown} puts it into bench/README.md.")


def memory() -> int:
    """The machine's, in GB."""
    return round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30)


if __name__ == "__main__":
    sys.exit(main())
