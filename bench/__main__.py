"""`make bench`: what things cost on a real server, each beside its yardstick in the same run.

CUSTOMERS= and ORDERS= set the size (1,000,000 and 10,000,000), ENGINE=postgresql the engine (mariadb). The server is
private and has its default durability (a flush to disk with every commit). Exits 1 when a figure misses its bound.
"""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any

from sqlalchemy import text

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT), str(ROOT / "tests")]
from servers import fresh_mariadb, fresh_postgresql, mariadb, postgresql

from bench.checking import bench_check
from bench.dashboard import dashboard_memory
from bench.doors import bench_doors
from bench.jobs import bench_jobs
from bench.measuring import Figure, reading, say, seconds
from data import customers, queries
from data.access import script_actor
from data.database import Database, attach, snapshot
from data.migration import migrate
from data.months import months_between
from data.settings import load_settings

TEXTBOOK = """
SELECT {month} AS month,
       CASE WHEN o.customer_id IS NULL THEN 'no customer' WHEN c.id IS NULL THEN 'missing'
            WHEN c.deleted_at IS NULL THEN 'active' ELSE 'deleted' END AS part,
       COUNT(*), SUM(o.total)
FROM orders o LEFT JOIN customers c ON c.id = o.customer_id
GROUP BY 1, 2
"""
MONTHS = {
    "mariadb": "DATE_FORMAT(o.ordered_at, '%Y-%m')",
    "postgresql": "to_char(o.ordered_at, 'YYYY-MM')",
}
BARE = "SELECT SUM(total) FROM orders"


def bench_revenue(database: Database, textbook: float, covered: float) -> list[Figure]:
    """The quick monthly split beside the textbook join and a bare SUM."""
    schema = database.schema
    bare = seconds(reading(database, lambda c: c.execute(text(BARE)).all()), times=3)
    say(f"bare SUM(total) {bare:.2f} s; textbook join {textbook:.2f} s, with the covering indexes {covered:.2f} s")
    with snapshot(database) as moment:
        bounds = queries.month_bounds(moment.connection, schema)
        assert bounds
    first = list(months_between(*bounds))[-24]

    def split(first: str | None) -> Callable[[], Any]:
        return reading(database, lambda c: queries.revenue_by_month(c, schema, first=first, missing={}))

    everything, recent = seconds(split(None), times=3), seconds(split(first), times=3)
    return [
        Figure(
            "split of all history / textbook join, stock indexes",
            everything,
            f"{textbook:.2f} s",
            everything / textbook,
            0.15,
        ),
        Figure("split of all history / bare SUM(total)", everything, f"{bare:.2f} s", everything / bare, 4),
        Figure("split of the last 24 months / bare SUM(total)", recent, f"{bare:.2f} s", recent / bare, 1.2),
    ]


def bench_lists(database: Database, size: int) -> list[Figure]:
    """A page in id order, the first and one nine tenths in."""
    schema = database.schema

    def page(after: str | None) -> float:
        work = reading(database, lambda c: queries.list_customers(c, schema, limit=50, after=after))
        work()
        return seconds(work, times=31)

    deep = size * 9 // 10
    start, far = page(None), page(queries.paging.write_cursor("id", deep, deep))
    return [
        Figure("list page in id order / 20 ms", start, "0.020 s", start / 0.020, 1),
        Figure(f"page {deep:,} rows in / first page", far, f"{start:.4f} s", far / start, 2),
    ]


def bench_delete(database: Database, *, times: int = 300) -> list[Figure]:
    """An audited, chained delete beside a bare one-row UPDATE with commit, taken in turns."""
    schema = database.schema
    with snapshot(database) as moment:
        page = queries.list_customers(moment.connection, schema, limit=2 * times)
    ids = [c.id for c in page.items]
    # The delete without audit: what a program does that only sets the column.
    bare, actor = text("UPDATE customers SET deleted_at = :at WHERE id = :id AND deleted_at IS NULL"), script_actor()

    def update(customer_id: Any) -> None:
        with database.engine.begin() as connection:
            connection.execute(bare, {"id": customer_id, "at": datetime(2026, 1, 1)})

    def delete(customer_id: Any) -> None:
        customers.delete_many(database, [customer_id], actor=actor, reason="mistake")

    measured: dict[str, list[float]] = {"bare": [], "audited": []}
    for number in range(times):
        for name, work, customer_id in (("bare", update, ids[number]), ("audited", delete, ids[times + number])):
            start = time.perf_counter()
            work(customer_id)
            measured[name].append(time.perf_counter() - start)
    yardstick, audited = (statistics.median(measured[name]) for name in ("bare", "audited"))
    return [
        Figure(
            "audited, chained delete / bare UPDATE with commit", audited, f"{yardstick:.4f} s", audited / yardstick, 3
        )
    ]


def main() -> int:
    """Makes the data, measures, prints a table."""
    size, orders = int(os.environ.get("CUSTOMERS", 1_000_000)), int(os.environ.get("ORDERS", 10_000_000))
    engine = os.environ.get("ENGINE", "mariadb")
    textbook_sql = text(TEXTBOOK.format(month=MONTHS[engine]))
    with running(engine) as url:
        start = time.perf_counter()
        command = [
            sys.executable,
            "-m",
            "data.demo",
            "--customers",
            str(size),
            "--orders",
            str(orders),
            "--database-url",
            url,
        ]
        subprocess.run(command, check=True, cwd=ROOT)
        say(f"made {size:,} customers and {orders:,} orders in {time.perf_counter() - start:.0f} s")
        settings = load_settings(database_url=url)
        database = attach(settings)
        textbook = seconds(reading(database, lambda c: c.execute(textbook_sql).all()), times=2)
        migrate(settings, revenue_index=True, say=lambda line: None)
        with database.engine.begin() as connection:
            connection.execute(text(f"ANALYZE {'TABLE ' if engine == 'mariadb' else ''}customers, orders"))
        covered = seconds(reading(database, lambda c: c.execute(textbook_sql).all()), times=3)
        figures = [
            *bench_revenue(database, textbook, covered),
            *bench_check(database, covered),
            *bench_lists(database, size),
            *bench_delete(database),
            *bench_jobs(database),
            *bench_doors(database),
        ]
        megabytes = dashboard_memory(url)
        figures.append(Figure("dashboard's memory, MB / 400 MB", megabytes, "400", megabytes / 400, 1))
    say(f"\n{'':52} {'measured':>10} {'yardstick':>10} {'ratio':>7} {'bound':>6}")
    for f in figures:
        say(
            f"{f.name:52} {f.value:10.4f} {f.yardstick:>10} {f.ratio:7.3f} {f.bound:6.2f}  {'' if f.held else 'MISSED'}"
        )
    return 0 if all(f.held for f in figures) else 1


@contextmanager
def running(engine: str) -> Iterator[str]:
    """The URL of an empty database on a private server of this engine, with memory for all of the data."""
    if engine == "postgresql":
        memory = ("-c shared_buffers=2GB", "-c work_mem=256MB", "-c maintenance_work_mem=512MB", "-c fsync=on")
        with postgresql(*memory) as server, fresh_postgresql(server) as url:
            yield url
        return
    memory = ("--innodb-buffer-pool-size=3G", "--innodb-log-file-size=1G")
    with (
        mariadb(*memory, "--tmp-table-size=256M", "--max-heap-table-size=256M") as server,
        fresh_mariadb(server) as url,
    ):
        yield url


if __name__ == "__main__":
    sys.exit(main())
