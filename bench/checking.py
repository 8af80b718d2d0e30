"""The integrity check as a process of its own: how long, and how much memory."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path
from unittest import mock

from bench.measuring import Figure, reading, say, seconds
from data import integrity, queries, seals
from data.access import script_actor
from data.database import Database, now, snapshot
from data.months import months_between
from ui.integrity import read_screen

ROOT = Path(__file__).resolve().parent.parent


def bench_check(database: Database, covered: float) -> list[Figure]:
    """What Financial Integrity shows at once beside the quick split; the whole check beside the textbook join with the
    covering indexes, with open months, then with every month sealed."""
    quick = seconds(reading(database, lambda c: queries.revenue_by_month(c, database.schema, missing={})), times=3)
    os.environ["DATABASE_URL"] = database.settings.database_url
    shown = seconds(lambda: read_screen.__wrapped__(""), times=3)
    opened, memory = run_check(database)
    seal_all(database)
    sealed, more_memory = run_check(database)
    megabytes = max(memory, more_memory)
    yardstick = f"{covered:.2f} s"
    return [
        Figure("Financial Integrity at once / quick split", shown, f"{quick:.2f} s", shown / quick, 1.5),
        Figure("whole check / textbook join, covering indexes", opened, yardstick, opened / covered, 4),
        Figure("the same, every month sealed", sealed, yardstick, sealed / covered, 4),
        Figure("memory of the check, MB / 300 MB", megabytes, "300", megabytes / 300, 1),
    ]


def seal_all(database: Database) -> None:
    """Seals every month that is over. The check that sealing asks for runs once, not once a month."""
    report, start = integrity.run_and_record(database), time.perf_counter()
    with snapshot(database) as moment:
        bounds = queries.month_bounds(moment.connection, database.schema)
    months = [month for month in months_between(*bounds) if month < f"{now():%Y-%m}"] if bounds else []
    with mock.patch.object(seals, "run", return_value=report):
        for month in months:
            seals.seal(database, month, actor=script_actor())
    say(f"sealed {len(months)} months in {time.perf_counter() - start:.0f} s")


def run_check(database: Database) -> tuple[float, float]:
    """Runs `python -m data.integrity --json`; answers its seconds and its greatest memory in MB. It must be even."""
    start = time.perf_counter()
    process = subprocess.Popen(
        [sys.executable, "-m", "data.integrity", "--json"],
        cwd=ROOT,
        env={**os.environ, "DATABASE_URL": database.settings.database_url},
        stdout=subprocess.DEVNULL,
    )
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    taken = time.perf_counter() - start
    assert process.returncode == 0, f"the check ended with {process.returncode}"
    say(f"the check took {taken:.1f} s and {usage.ru_maxrss / 1024:.0f} MB")
    return taken, usage.ru_maxrss / 1024
