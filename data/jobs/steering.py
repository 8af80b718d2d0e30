"""Starting and stopping jobs."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection

from data import approvals, events, queries
from data.access import Actor
from data.database import Database, in_transaction, now
from data.errors import Conflict, JobNotFound
from data.events import Reason
from data.jobs import worker
from data.jobs.reading import get
from data.jobs.standing import NEEDED, actor_now, standing_json
from data.records import Job


def start(database: Database, job_id: str, *, actor: Actor) -> Job:
    """Lets a draft or stopped job run, or wait where it needs approval; repeating is no error.

    It then runs for who started it, unless it was approved for who asked: then they must have the role still.
    Raises NotPermitted, JobNotFound, Conflict (a job that has ended).
    """
    known = get(database, job_id)
    actor.require(NEEDED[known.kind])
    if known.request_id is not None:
        actor_now(database, known)

    def work(connection: Connection) -> Job:
        head = events.take_turns(connection, database.schema)
        job = _job(connection, database, job_id)
        if job.state in ("running", "waiting"):
            return job
        if job.state not in ("draft", "stopped"):
            raise Conflict(f"This job has ended ({job.state}). Prepare another one.")
        moved: dict[str, Any] = {"state": "running", "ended_at": None}
        if job.request_id is None:
            moved |= {"actor": actor.id, "role": str(actor.role), "door": str(actor.door)}
            moved["standing"] = standing_json(actor)
            if approvals.needed(database.settings, job.kind):
                why, said = Reason(job.reason, job.note), _said(job)
                request = approvals.request(
                    connection, database.schema, head=head, at=now(), kind=job.kind, actor=actor, reason=why,
                    job_id=job.id, body=said,
                )  # fmt: skip
                moved |= {"state": "waiting", "request_id": request.id}
        queries.move_job(connection, database.schema, job_id, was=[job.state], **moved)
        return _job(connection, database, job_id)

    started = in_transaction(database, work)
    worker.wake(database)
    return started


def stop(database: Database, job_id: str, *, actor: Actor) -> Job:
    """Stops a running job after the batch that is being done; one that does not run stays as it is.

    Raises NotPermitted, JobNotFound, Conflict (a job that waits for approval: withdraw the request).
    """
    actor.require(NEEDED[get(database, job_id).kind])

    def work(connection: Connection) -> Job:
        events.take_turns(connection, database.schema)
        if _job(connection, database, job_id).state == "waiting":
            raise Conflict("This job waits for approval. Withdraw the request instead.")
        words = f"Stopped by {actor.id}."
        queries.move_job(connection, database.schema, job_id, was=["running"], state="stopped", error=words)
        return _job(connection, database, job_id)

    return in_transaction(database, work)


def _job(connection: Connection, database: Database, job_id: str) -> Job:
    job = queries.get_job(connection, database.schema, job_id)
    if job is None:
        raise JobNotFound(job_id)
    return job


def _said(job: Job) -> dict[str, Any]:
    """What the request's event says of the job. Not the search, which may be somebody's name."""
    figures = {name: job.preview[name] for name in ("orders", "open_orders", "revenue")}
    return {**figures, "customers": job.total}
