"""Starting and stopping jobs."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection

from data import approvals, events, queries
from data.access import Actor, Permission
from data.database import Database, in_transaction, now, snapshot
from data.errors import Conflict, JobNotFound
from data.events import Reason
from data.jobs import worker
from data.jobs.reading import get
from data.jobs.standing import NEEDED, actor_now, standing_json
from data.records import Job
from data.requesting import is_in_force


def start(database: Database, job_id: str, *, actor: Actor) -> Job:
    """Lets a draft or stopped job run, or wait where it needs approval; repeating is no error.

    It then runs for who started it, unless it was approved for who asked: then they must have the role still. Where the
    approval is too old, or deletions wait only since the job was stopped, it is asked for anew.
    Raises NotPermitted, JobNotFound, Conflict (a job that has ended).
    """
    known = get(database, job_id)
    actor.require(NEEDED[known.kind])
    with snapshot(database) as moment:
        approved = is_in_force(moment.connection, database.schema, known.request_id, moment.at)
    if approved:
        actor_now(database, known)

    def work(connection: Connection) -> Job:
        head = events.take_turns(connection, database.schema)
        job = _job(connection, database, job_id)
        if job.state in ("running", "waiting"):
            return job
        if job.state not in ("draft", "stopped"):
            raise Conflict(f"This job has ended ({job.state}). Prepare another one.")
        moved: dict[str, Any] = {"state": "running", "ended_at": None}
        at = now()
        if not is_in_force(connection, database.schema, job.request_id, at):
            moved |= {"actor": actor.id, "role": str(actor.role), "door": str(actor.door), "request_id": None}
            moved["standing"] = standing_json(actor)
            if approvals.needed(database.settings, job.kind):
                why, said = Reason(job.reason, job.note), _said(job)
                request = approvals.request(
                    connection, database.schema, head=head, at=at, kind=job.kind, actor=actor, reason=why,
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

    Who may approve may stop what was asked for. Raises NotPermitted, JobNotFound, Conflict (a job that waits for
    approval: withdraw the request).
    """
    known = get(database, job_id)
    if not may_stop(actor, known):
        actor.require(NEEDED[known.kind])

    def work(connection: Connection) -> Job:
        events.take_turns(connection, database.schema)
        if _job(connection, database, job_id).state == "waiting":
            raise Conflict("This job waits for approval. Withdraw the request instead.")
        words = f"Stopped by {actor.id}."
        queries.move_job(connection, database.schema, job_id, was=["running"], state="stopped", error=words)
        return _job(connection, database, job_id)

    return in_transaction(database, work)


def may_stop(actor: Actor, job: Job) -> bool:
    """Whether this actor may stop this job: who may start it, and, of what was asked for, who may approve."""
    return actor.may(NEEDED[job.kind]) or (job.request_id is not None and actor.may(Permission.APPROVE_REQUESTS))


def _job(connection: Connection, database: Database, job_id: str) -> Job:
    job = queries.get_job(connection, database.schema, job_id)
    if job is None:
        raise JobNotFound(job_id)
    return job


def _said(job: Job) -> dict[str, Any]:
    """What the request's event says of the job. Not the search, which may be somebody's name."""
    figures = {name: job.preview[name] for name in ("orders", "open_orders", "revenue")}
    return {**figures, "customers": job.total}
