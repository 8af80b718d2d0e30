"""Running jobs: claimed for a while, done in batches, each of which is one transaction."""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import timedelta
from itertools import groupby
from uuid import uuid4

from sqlalchemy import Connection

from data import compensation, erasing, events, queries, requesting, write_log
from data.access import Actor
from data.database import Database, ask, in_transaction, now, snapshot
from data.errors import BooksMoved, DatabaseUnavailable, EvenbooksError, JobNotFound
from data.events import Reason
from data.jobs.batch import Batch, Result
from data.jobs.carrying import carry
from data.jobs.reading import get
from data.jobs.standing import actor_now
from data.records import Job, JobItem, JobState
from data.schema import Schema

LOGGER = logging.getLogger("evenbooks")
LEASE = timedelta(seconds=15)  # after which the job of a server that was killed is anybody's
BATCH = 1000  # customers in one transaction, which others who change something wait for
REST = 0.1  # seconds after each on SQLite, which has no queue: who waits for the file looks that often


def run_pending(database: Database, *, lease: timedelta = LEASE, size: int = BATCH) -> int:
    """Does, in this thread, every job that may run and that nobody else works on; answers how many it took up.

    Raises DatabaseUnavailable and the like; what became of a job otherwise is in its row.
    """
    with snapshot(database) as moment:
        free = queries.list_free_jobs(moment.connection, database.schema, at=now())
    run = _Run(database, uuid4().hex, lease, size)
    return sum(run.take_up(job_id) for job_id in free)


class _Run:
    """Somebody who works on jobs, under an id of its own."""

    def __init__(self, database: Database, owner: str, lease: timedelta, size: int) -> None:
        self.database, self.schema = database, database.schema
        self.owner, self.lease, self.size = owner, lease, size

    def take_up(self, job_id: str) -> bool:
        """Claims a job and does it up to its end, or until it is stopped; False where somebody else was quicker."""
        if not in_transaction(self.database, lambda c: self._claim(c, job_id)):
            return False
        start = time.perf_counter()
        job = get(self.database, job_id)
        try:
            size = self._size()
            while self._is_mine(job):
                job = self._do(job, actor_now(self.database, job), size)
                if self.schema.dialect == "sqlite":
                    time.sleep(REST)
        except DatabaseUnavailable:
            raise  # whoever has it after the lease goes on
        except BooksMoved as error:
            job = self._end(job_id, "failed", str(error))
        except EvenbooksError as error:
            job = self._end(job_id, "stopped", str(error))
        except Exception:
            LOGGER.exception("Job %s stopped.", job_id)
            job = self._end(job_id, "stopped", "Something unexpected happened; the server's log says what.")
        if job.state != "running":  # else somebody else has it by now
            write_log.tell_job(job, seconds=time.perf_counter() - start)
        return True

    def _claim(self, connection: Connection, job_id: str) -> bool:
        events.take_turns(connection, self.schema)
        at = now()
        return queries.claim_job(connection, self.schema, job_id, owner=self.owner, at=at, until=at + self.lease)

    def _size(self) -> int:
        """How many to a transaction: one where the table cannot roll back, so that a killed server leaves one at most."""
        return 1 if ask(self.database, lambda c: compensation.is_lasting(c, self.schema)) else self.size

    def _is_mine(self, job: Job) -> bool:
        return job.state == "running" and job.owner == self.owner

    def _do(self, known: Job, actor: Actor, size: int) -> Job:
        """The next batch, with what became of each customer and how far the job is, all in one transaction."""

        def work(connection: Connection) -> Job:
            head = events.take_turns(connection, self.schema)
            job = queries.get_job(connection, self.schema, known.id)
            if job is None:
                raise JobNotFound(known.id)
            if not self._is_mine(job):
                return job
            at = now()
            requesting.require_approval(connection, self.schema, job, at)
            items = queries.list_job_items(connection, self.schema, job.id, after=job.done, limit=size)
            batch = Batch(job, items, actor, Reason(job.reason, job.note), head, at)
            results = (erasing.erase if job.kind == "erase" else carry)(connection, self.schema, batch) if items else []
            _record(connection, self.schema, job, items, results)
            changed = job.changed + sum(result.result == "done" for result in results)
            done, until = job.done + len(items), at + self.lease
            queries.advance_job(connection, self.schema, job.id, done=done, changed=changed, until=until)
            if items and done < job.total:
                return replace(job, done=done, changed=changed, lease_until=until)
            queries.move_job(connection, self.schema, job.id, was=["running"], state="done", ended_at=at)
            return replace(job, done=done, changed=changed, state="done", ended_at=at)

        return in_transaction(self.database, work)

    def _end(self, job_id: str, state: JobState, error: str) -> Job:
        """Ends a job that cannot go on, or not now, unless somebody else has it by now."""

        def work(connection: Connection) -> None:
            events.take_turns(connection, self.schema)
            ended_at = now() if state == "failed" else None
            queries.move_job(
                connection, self.schema, job_id, was=["running"], owner_is=self.owner, state=state, error=error,
                ended_at=ended_at,
            )  # fmt: skip

        in_transaction(self.database, work)
        return get(self.database, job_id)


def _record(
    connection: Connection, schema: Schema, job: Job, items: Sequence[JobItem], results: Sequence[Result]
) -> None:
    """Writes down the results: neighbours of the same result, whose events follow one another, in one statement."""
    for run in _runs(list(zip(items, results, strict=True))):
        (first, result), (last, _) = run[0], run[-1]
        queries.record_results(
            connection, schema, job.id, first=first.number, last=last.number, result=result.result, words=result.words,
            event_id=result.event_id,
        )  # fmt: skip


def _runs(pairs: Sequence[tuple[JobItem, Result]]) -> Iterator[list[tuple[JobItem, Result]]]:
    def kind(pair: tuple[JobItem, Result]) -> tuple[object, ...]:
        item, result = pair
        return result.result, result.words, None if result.event_id is None else result.event_id - item.number

    for _, run in groupby(pairs, kind):
        yield list(run)
