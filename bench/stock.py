"""A company as it was before: the textbook's report on stock indexes, and the migration, with a shop that goes on writing."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from unittest import mock

from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from bench.measured import Measured
from bench.measuring import Figure, say, seconds
from bench.revenue import split
from data import integrity
from data.database import Database, attach
from data.engines import make_engine
from data.migration import migrate
from data.settings import load_settings

INDEXES = (
    "CREATE INDEX bench_bare_1 ON orders (ordered_at, total)",
    "CREATE INDEX bench_bare_2 ON orders (customer_id, ordered_at, total)",
)
PAUSE = 0.01  # seconds between two writes of the shop
ONLINE = "Both are made one after the other without keeping the shop from writing, which costs more than by hand the more it writes."
WAITS = "While a table is altered or an index is made, InnoDB and PostgreSQL let a shop write or make it wait as the statement's kind is; what waits longest is told by --dry-run."


def bench_stock(measured: Measured) -> list[Figure]:
    """The textbook's report, then the migration of this company as if it had none yet, then the order indexes."""
    textbook = measured.textbook(2)
    say(f"textbook join with stock indexes {textbook:.2f} s")
    unmigrate(measured)
    settings = load_settings(database_url=measured.url)
    migrated, checked, first = run_migration(measured)
    indexed, _, second = run_migration(measured, revenue_index=True)
    bare = make_bare_indexes(measured)
    # Attached anew: the tables are others now.
    quick = Measured(attach(settings), measured.engine, measured.customers, measured.orders)
    work = split(quick)
    work()
    everything = seconds(work, times=3)
    join = "textbook join, stock indexes"
    return [
        Figure("split of all history", everything, "s", join, textbook, 0.15),
        Figure("migration", migrated, "s", join, textbook, 1),
        Figure("the whole check on stock indexes", checked, "s", join, textbook, 4),
        Figure("making the order indexes", indexed, "s", "bare CREATE INDEX", bare, 1.5, why=ONLINE),
        Figure("a shop's longest wait, migration", first, "s", "1 s", 1, 1, why=WAITS),
        Figure("a shop's longest wait, order indexes", second, "s", "1 s", 1, 1, why=WAITS),
    ]


def run_migration(measured: Measured, *, revenue_index: bool = False) -> tuple[float, float, float]:
    """Seconds of the migration, of the check that ends it, and of the longest wait of a shop meanwhile."""
    checked = [0.0]

    def check(database: Database) -> integrity.Report:
        start = time.perf_counter()
        report = run_and_record(database)
        checked[0] = time.perf_counter() - start
        assert report.even
        return report

    run_and_record, start = integrity.run_and_record, time.perf_counter()
    with shop(measured) as longest, mock.patch.object(integrity, "run_and_record", check):
        migrate(load_settings(database_url=measured.url), revenue_index=revenue_index, say=lambda line: None)
        taken = time.perf_counter() - start - checked[0]
    say(f"{'order indexes' if revenue_index else 'migration'} {taken:.1f} s, then the check {checked[0]:.1f} s")
    return taken, checked[0], longest[0]


def unmigrate(measured: Measured) -> None:
    """Takes out all that Evenbooks made, as no command does: the copy is thrown away afterwards."""
    listed = text("SELECT table_name FROM information_schema.tables WHERE table_name LIKE 'evenbooks%'")
    with measured.database.engine.begin() as connection:
        tables = [row[0] for row in connection.execute(listed)]
        if measured.engine == "mariadb":
            connection.execute(text("SET SESSION foreign_key_checks = 0"))
        for name in tables:
            cascade = "" if measured.engine == "mariadb" else " CASCADE"
            connection.execute(text(f"DROP TABLE IF EXISTS {name}{cascade}"))
        on = " ON customers" if measured.engine == "mariadb" else ""
        connection.execute(text(f"DROP INDEX idx_customers_deleted_at{on}"))
        connection.execute(text("ALTER TABLE customers DROP COLUMN deleted_at"))
    measured.database.engine.dispose()


def make_bare_indexes(measured: Measured) -> float:
    """Seconds of the same two indexes, made by hand; they are dropped again."""
    start = time.perf_counter()
    for statement in INDEXES:
        with measured.database.engine.begin() as connection:
            connection.execute(text(statement))
    taken = time.perf_counter() - start
    for number in (1, 2):
        with measured.database.engine.begin() as connection:
            connection.execute(
                text(f"DROP INDEX bench_bare_{number}{' ON orders' if measured.engine == 'mariadb' else ''}")
            )
    return taken


@contextmanager
def shop(measured: Measured) -> Iterator[list[float]]:
    """Another program that renames a customer and alters an order in one transaction, and takes both back; yields its
    longest wait (seconds), from the first statement until both were done, tries that ended in a deadlock included."""
    longest, refused, done, ended = [0.0], [0], [0], threading.Event()
    engine = make_engine(load_settings(database_url=measured.url).url)

    def write() -> None:
        with engine.connect() as connection:
            connection.execute(text("UPDATE customers SET name = CONCAT(name, '.') WHERE id = 1"))
            connection.execute(text("UPDATE orders SET total = total + 1 WHERE id = 1"))
            connection.rollback()

    def go_on() -> None:
        while not ended.wait(PAUSE):
            start = time.perf_counter()
            while not ended.is_set():
                try:
                    write()
                    done[0] += 1
                    break
                except DBAPIError:
                    refused[0] += 1
            longest[0] = max(longest[0], time.perf_counter() - start)

    thread = threading.Thread(target=go_on)
    thread.start()
    try:
        yield longest
    finally:
        ended.set()
        thread.join()
        engine.dispose()
    say(f"a shop wrote {done[0]} times meanwhile; {refused[0]} of its transactions ended in a deadlock or a time-out")
