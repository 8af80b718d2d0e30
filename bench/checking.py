"""The integrity check as a process of its own: how long, and how much memory; seals; the audit in plain SQL."""

from __future__ import annotations

import logging
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path
from unittest import mock

from sqlalchemy import text
from sqlalchemy.engine import make_url

from bench.measured import Measured
from bench.measuring import Figure, in_turns, reading, say
from bench.revenue import split
from data import integrity, seals
from data.access import script_actor
from data.database import now
from data.integrity.contents import measure_month

logging.disable(logging.WARNING)  # Streamlit warns that nobody runs its server
from ui.books import read_books

logging.disable(logging.NOTSET)

ROOT = Path(__file__).resolve().parent.parent
CHECKSUM = {  # of a month's orders, by somebody who needs no proof of which order changed
    "mariadb": "SELECT COUNT(*), SUM(total), BIT_XOR(CONV(LEFT(SHA2(CONCAT_WS('|', id, customer_id, ordered_at, total), 256), 15), 16, 10)) ",
    "postgresql": "SELECT COUNT(*), SUM(total), BIT_XOR(('x' || LEFT(encode(sha256(CONCAT_WS('|', id, customer_id, ordered_at, total)::bytea), 'hex'), 15))::bit(60)) ",
}
HASHES = "Every order of a sealed month is written out and hashed: that is the evidence. Where the server's SHA-256 has no help from the processor, it is most of this."


def bench_check(measured: Measured) -> list[Figure]:
    """What Financial Integrity shows at once beside the quick split; the whole check beside the textbook join with the
    covering indexes, with open months, then with every month sealed; and a seal's checksum."""
    os.environ["DATABASE_URL"] = measured.url
    works = {"split": split(measured), "shown": lambda: read_books.__wrapped__("")}
    for work in works.values():
        work()
    at_once = in_turns(works, times=5)
    opened, memory = run_check(measured.url)
    audit = run_audit(measured)
    sealing = bench_seal(measured)
    seal_all(measured)
    sealed, more_memory = run_check(measured.url)
    at_sealed = in_turns(works, times=5)
    join = "textbook join, covering indexes"
    return [
        Figure("Financial Integrity at once", at_once["shown"], "s", "quick split", at_once["split"], 1.5),
        Figure("the same, every month sealed", at_sealed["shown"], "s", "quick split", at_sealed["split"], 1.5),
        Figure("whole check", opened, "s", join, measured.covered, 4),
        Figure("whole check, every month sealed", sealed, "s", join, measured.covered, 4, why=HASHES),
        Figure("memory of the check", max(memory, more_memory), "MB", "300 MB", 300, 1),
        *sealing,
        Figure("audit in plain SQL", audit, "s", "whole check", opened, 4),
    ]


def bench_seal(measured: Measured) -> list[Figure]:
    """The checksum of the last month that is over, beside a plain one in one statement."""
    month = next(month for month in reversed(measured.months) if month < f"{now():%Y-%m}")
    year, number = int(month[:4]), int(month[5:])
    after = f"{year + number // 12}-{number % 12 + 1:02}-01"
    plain = text(f"{CHECKSUM[measured.engine]} FROM orders WHERE ordered_at >= '{month}-01' AND ordered_at < '{after}'")
    schema = measured.database.schema
    taken = in_turns(
        {
            "plain": reading(measured.database, lambda c: c.execute(plain).all()),
            "seal": reading(measured.database, lambda c: measure_month(c, schema, month)),
        },
        times=5,
    )
    return [Figure(f"seal of {month}, its checksum", taken["seal"], "s", "plain SHA-256 of it", taken["plain"], 3)]


def seal_all(measured: Measured) -> None:
    """Seals every month that is over. The check that sealing asks for runs once, not once a month."""
    database = measured.database
    report, start = integrity.run_and_record(database), time.perf_counter()
    months = [month for month in measured.months if month < f"{now():%Y-%m}"]
    with mock.patch.object(seals, "run", return_value=report):
        for month in months:
            seals.seal(database, month, actor=script_actor())
    say(f"sealed {len(months)} months in {time.perf_counter() - start:.0f} s")


def run_check(url: str) -> tuple[float, float]:
    """Runs `python -m data.integrity --json`; answers its seconds and its greatest memory in MB. It must be even."""
    start = time.perf_counter()
    process = subprocess.Popen(
        [sys.executable, "-m", "data.integrity", "--json"],
        cwd=ROOT,
        env={**os.environ, "DATABASE_URL": url},
        stdout=subprocess.DEVNULL,
    )
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    taken = time.perf_counter() - start
    assert process.returncode == 0, f"the check ended with {process.returncode}"
    say(f"the check took {taken:.1f} s and {usage.ru_maxrss / 1024:.0f} MB")
    return taken, usage.ru_maxrss / 1024


def run_audit(measured: Measured) -> float:
    """Seconds of `python -m data.sql audit` in the server's own client. No answer may be red."""
    command = [sys.executable, "-m", "data.sql", "audit"]
    environment = {**os.environ, "DATABASE_URL": measured.url}
    script = subprocess.run(command, cwd=ROOT, env=environment, check=True, capture_output=True).stdout
    url = make_url(measured.url)
    if measured.engine == "mariadb":
        client = [
            shutil.which("mariadb") or "mysql",
            f"--socket={url.query['unix_socket']}",
            "-uroot",
            str(url.database),
        ]
    else:
        client = ["psql", "-q", "-h", str(url.query["host"]), "-U", "postgres", "-d", str(url.database)]
        client += ["-v", "ON_ERROR_STOP=1"]
    start = time.perf_counter()
    done = subprocess.run(client, input=script, check=False, capture_output=True)
    assert done.returncode == 0, done.stderr.decode()[-2000:]
    say(f"the audit in plain SQL took {time.perf_counter() - start:.1f} s")
    return time.perf_counter() - start
