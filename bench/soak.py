"""`make soak`: 50 people at once on 1,000,000 customers and 10,000,000 orders, for ten minutes.

MINUTES=, PEOPLE=, CUSTOMERS=, ORDERS=, ENGINE= and SEED= change that, PACE=3 makes them click three times as often. The
database, the dashboard and the people are three processes of this machine. Exits 1 when anybody met what nobody should
meet (bench/tab.py), when a kind of action happened less often than so many people do it, when 95 in 100 runs of a page
took longer than 500 ms, when the dashboard's memory grew after the first minute or still grows at the end, or when the
books are not even then.
"""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections import defaultdict
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from browser_server import dashboard

from bench.api_client import CLIENTS, CYCLE
from bench.company import company
from bench.doors import make_token
from bench.measuring import say
from bench.memory import Watched, growth
from bench.people import ARRIVING, PAUSE
from data import integrity, queries
from data.database import Database, attach, snapshot
from data.settings import load_settings

ROOT = Path(__file__).resolve().parent.parent
P95 = 0.5  # seconds
ENOUGH = 0.25  # of what was to be expected: a slow machine does less, a broken page nothing
# Of all clicks, as the people's habits have it.
SHARES = {
    "customers": 0.2,
    "next page": 0.16,
    "previous page": 0.07,
    "search by name": 0.06,
    "search by e-mail": 0.017,
    "search by number": 0.017,
    "select": 0.035,
    "delete": 0.035,
    "undo": 0.014,
    "deleted customers": 0.023,
    "select deleted": 0.03,
    "restore": 0.02,
    "revenue": 0.035,
    "revenue, another period": 0.07,
    "integrity": 0.01,
    "history": 0.03,
    "older events": 0.03,
    "a customer's life": 0.03,
}
REQUESTS = ("API: list", "API: deleted", "API: one", "API: delete", "API: restore", "API: history")
CHANGING = ("delete", "restore", "undo", "API: delete", "API: restore")
TICKS = os.sysconf("SC_CLK_TCK")


@dataclass
class Met:
    """What the people met: seconds by action, and troubles."""

    taken: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))
    errors: list[str] = field(default_factory=list)

    def read(self, lines: Sequence[str]) -> None:
        """The people's own account."""
        for line in lines:
            told = json.loads(line)
            if isinstance(told, dict):
                self.errors.append(told["error"])
            else:
                self.taken[told[0]].append(told[1])

    def too_few(self, least: Mapping[str, int]) -> list[str]:
        """The kinds of action that happened less often than they must, in words."""
        return [
            f"{kind} {len(self.taken[kind])} times, not {number}"
            for kind, number in least.items()
            if len(self.taken[kind]) < number
        ]

    @property
    def reruns(self) -> list[float]:
        """Every run of a page, the API's requests apart."""
        return [s for action, seconds in self.taken.items() if not action.startswith("API") for s in seconds]


def percentile(seconds: Sequence[float], share: float) -> float:
    """The seconds within which this share of them were done."""
    ordered = sorted(seconds)
    return ordered[min(len(ordered) - 1, int(len(ordered) * share))] if ordered else 0.0


def table(met: Met) -> None:
    """Counts and times by action, and over all."""
    rows = [*sorted(met.taken.items()), ("all runs of a page", met.reruns)]
    say(f"\n{'':32} {'count':>7} {'p50':>8} {'p95':>8} {'p99':>8} {'longest':>8}  ms")
    for action, seconds in rows:
        figures = [1000 * percentile(seconds, share) for share in (0.5, 0.95, 0.99, 1)]
        say(f"{action:32} {len(seconds):7,} " + " ".join(f"{ms:8.0f}" for ms in figures))


def least(minutes: float, people: int, pace: float) -> dict[str, int]:
    """How often each kind of action must have happened: a quarter of what so many people do in that time, once at least."""
    seconds = 60 * minutes - ARRIVING / 2
    clicks = people * max(0.0, seconds) * pace / statistics.mean(PAUSE)
    rounds = CLIENTS * 60 * minutes / CYCLE
    expected = {kind: share * clicks for kind, share in SHARES.items()} | dict.fromkeys(REQUESTS, rounds)
    return {kind: max(1, int(number * ENOUGH)) for kind, number in expected.items()}


def soak(url: str, minutes: float, people: int, customers: int) -> bool:
    """Lets the people at a dashboard on this database; answers whether all bounds were held."""
    database = attach(load_settings(database_url=url))
    begun = last_event(database)
    environment = {**os.environ, "TOKEN": make_token(database)}
    warm(database)
    with tempfile.TemporaryDirectory() as folder, dashboard(url, Path(folder) / "log") as at:
        watched = Watched(at.process.pid)
        watcher = threading.Thread(target=watched.watch)
        watcher.start()
        before = processor_seconds()
        start = time.monotonic()
        command = [sys.executable, "-m", "bench.people", at.url, str(minutes * 60), str(people), str(customers)]
        out = subprocess.run(command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, text=True, check=False)
        lasted = time.monotonic() - start
        spent = {name: seconds - before.get(name, 0) for name, seconds in processor_seconds().items()}
        watched.over.set()
        watcher.join()
        log = (Path(folder) / "log").read_text()
    met = Met()
    met.read(out.stdout.splitlines())
    written = last_event(database) - begun
    clicks = sum(len(met.taken[action]) for action in CHANGING)
    held = written >= 0.9 * clicks > 0  # two may click on one customer, and the second changes nothing
    say(
        f"{'held  ' if held else 'MISSED'} {written} events written for {clicks} clicks and requests that change something"
    )
    must = least(minutes, people, float(os.environ.get("PACE", 1)))
    return verdict(met, must, watched.memory, spent, lasted, log, failed=out.returncode != 0) & held & even(url)


def last_event(database: Database) -> int:
    """The number of the chain's last event."""
    with snapshot(database) as moment:
        head = queries.get_head(moment.connection, database.schema)
    return head.event_id if head else 0


def warm(database: Database) -> None:
    """Reads customers and orders once: the server of a company that works has them in memory."""
    with snapshot(database) as moment:
        connection, schema = moment.connection, database.schema
        queries.revenue_by_month(connection, schema, missing={})
        queries.list_deleted_by_revenue(connection, schema)
        queries.count_customers(connection, schema, search="warm")


def processor_seconds() -> dict[str, float]:
    """Processor seconds so far of what this process started, by the program's name."""
    used: dict[str, float] = defaultdict(float)
    for path in Path("/proc").glob("[0-9]*/stat"):
        with suppress(OSError):
            before, _, after = path.read_text().rpartition(")")
            fields = after.split()
            if int(fields[1]) == os.getpid():
                used[before.partition("(")[2]] += (int(fields[11]) + int(fields[12])) / TICKS
    return used


def verdict(
    met: Met,
    must: Mapping[str, int],
    memory: Sequence[float],
    spent: dict[str, float],
    lasted: float,
    log: str,
    *,
    failed: bool,
) -> bool:
    """Says what was met, and whether it is within the bounds."""
    table(met)
    reruns = met.reruns
    shares = ", ".join(f"{name} {seconds / lasted:.2f}" for name, seconds in spent.items() if seconds > 1)
    say(f"\n{len(reruns) / lasted:.1f} runs of a page a second; cores used: {shares}")
    grown, few = growth(memory), met.too_few(must)
    say(f"memory of the dashboard: {grown.first:.0f} MB after the first minute, {grown.last:.0f} MB at the end")
    say(f"minute by minute: {' '.join(f'{mb:.1f}' for mb in grown.by_minute)}")
    if grown.slope is None:
        say("that is too short a time to tell whether it goes on growing")
    for words in met.errors[:20]:
        say(f"ERROR {words}")
    p95 = percentile(reruns, 0.95)
    bounds = {
        f"{len(met.errors)} errors": not met.errors and not failed and "Traceback" not in log,
        f"95 in 100 runs within {1000 * p95:.0f} ms (bound 500)": bool(reruns) and p95 <= P95,
        f"every kind of action happened{': no, ' * bool(few) + '; '.join(few)}": not few,
        **grown.bounds,
    }
    for words, held in bounds.items():
        say(f"{'held  ' if held else 'MISSED'} {words}")
    if "Traceback" in log:
        say(log[log.index("Traceback") :][:4000])
    return all(bounds.values())


def even(url: str) -> bool:
    """The integrity check, of all that the people left."""
    start = time.perf_counter()
    report = integrity.run_and_record(attach(load_settings(database_url=url)))
    held = report.even is True
    say(
        f"{'held  ' if held else 'MISSED'} the books, checked in {time.perf_counter() - start:.0f} s: {integrity.verdict(report)}"
    )
    return held


def main() -> int:
    """The company, the people, the verdict."""
    size, orders = int(os.environ.get("CUSTOMERS", 1_000_000)), int(os.environ.get("ORDERS", 10_000_000))
    minutes, people = float(os.environ.get("MINUTES", 10)), int(os.environ.get("PEOPLE", 50))
    with company(os.environ.get("ENGINE", "mariadb"), size, orders, revenue_index=True) as url:
        say(f"{people} people for {minutes:g} minutes on {size:,} customers and {orders:,} orders")
        return 0 if soak(url, minutes, people, size) else 1


if __name__ == "__main__":
    sys.exit(main())
