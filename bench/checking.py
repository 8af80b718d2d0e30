"""The integrity check as a process of its own: how long, and how much memory."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

from bench.measuring import Figure, say
from data.database import Database

ROOT = Path(__file__).resolve().parent.parent


def bench_check(database: Database, covered: float) -> list[Figure]:
    """The whole check beside the textbook join with the covering indexes: open months, then every month sealed."""
    taken, megabytes = run_check(database)
    figures = [
        Figure("whole check / textbook join, covering indexes", taken, f"{covered:.2f} s", taken / covered, 4),
        Figure("memory of the check, MB / 300 MB", megabytes, "300", megabytes / 300, 1),
    ]
    return figures


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
