"""A job of 100,000 customers, each change chained and audited, beside a bare UPDATE in the same batches."""

from __future__ import annotations

import time
from datetime import datetime

from sqlalchemy import bindparam, text

from bench.measured import Measured
from bench.measuring import Figure, say
from data import jobs
from data.access import script_actor
from data.database import Database
from data.jobs.running import BATCH
from data.records import Job

CUSTOMERS = 100_000
ENOUGH = 5000  # customers a second
BARE = text("UPDATE customers SET deleted_at = :at WHERE id IN :ids AND deleted_at IS NULL").bindparams(
    bindparam("ids", expanding=True)
)
BACK = text("UPDATE customers SET deleted_at = NULL WHERE deleted_at = :at")
MARK = datetime(2001, 1, 1)


def bench_jobs(measured: Measured) -> list[Figure]:
    """Deletes the first 100,000 customers as a job, takes that back as another, then marks the same ones with neither."""
    database, actor, ids = measured.database, script_actor(), range(1, CUSTOMERS + 1)
    start = time.perf_counter()
    job = jobs.prepare(database, "delete", ids=ids, actor=actor, reason="inactive")
    say(f"froze {job.total:,} customers in {time.perf_counter() - start:.1f} s")
    jobs.start(database, job.id, actor=actor)
    taken, job = carry_out(database, job)
    back, undone = carry_out(database, jobs.undo(database, job.id, actor=actor))
    assert undone.changed == job.changed
    bare = mark(database, ids)
    rate = job.changed / taken
    say(f"deleted {job.changed:,} at {rate:,.0f} a second, restored them at {undone.changed / back:,.0f}")
    why = (
        "Every change has an event of its own, written out and hashed over the one before: that is Python, on one core."
    )
    undo_rate = undone.changed / back
    return [
        Figure(f"a job over {job.changed:,} customers", rate, "/s", "5,000", ENOUGH, 1, more=True, why=why),
        Figure("its undo", undo_rate, "/s", "5,000", ENOUGH, 1, more=True, why=why),
        Figure("the job", taken, "s", "bare UPDATE in batches", bare, 25),
    ]


def carry_out(database: Database, job: Job) -> tuple[float, Job]:
    """Seconds of a job that was started, and what became of it."""
    start = time.perf_counter()
    jobs.run_pending(database)
    taken, ended = time.perf_counter() - start, jobs.get(database, job.id)
    assert ended.state == "done", ended.error
    return taken, ended


def mark(database: Database, ids: range) -> float:
    """Seconds of a program that only sets the column, in the same batches; the column is cleared again afterwards."""
    start = time.perf_counter()
    for first in range(0, len(ids), BATCH):
        with database.engine.connect().execution_options(write=True) as connection, connection.begin():
            connection.execute(BARE, {"at": MARK, "ids": list(ids[first : first + BATCH])})
    taken = time.perf_counter() - start
    with database.engine.connect().execution_options(write=True) as connection, connection.begin():
        connection.execute(BACK, {"at": MARK})
    return taken
