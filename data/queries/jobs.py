"""Statements on evenbooks_jobs and evenbooks_job_items, and on many customers at once."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import fields
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Any

from sqlalchemy import (
    Connection,
    and_,
    bindparam,
    func,
    insert,
    or_,
    select,
    true,
    update,
)

from data.queries.batches import numbered
from data.queries.searching import matching
from data.records import CustomerId, ItemResult, Job, JobItem, JobState
from data.schema import Schema

COLUMNS = [field.name for field in fields(Job)]
# A lease ends within seconds. One that ends later than this was given by a clock that has been put back since.
LONGEST_LEASE = timedelta(minutes=1)


def list_ids_to_freeze(
    connection: Connection,
    schema: Schema,
    *,
    deleted: bool,
    search: str,
    reason: str,
    after: CustomerId | None,
    limit: int,
) -> list[tuple[CustomerId, Any]]:
    """Of the customers that a list shows (active, or deleted ones) the ids after this one, each with its deleted_at."""
    key, deleted_at = schema.customers.c.id, schema.customers.c.deleted_at
    state, *others = matching(schema, deleted=deleted, search=search, reason=reason)
    # Nearly all are active: tested as a truth value, MariaDB does not walk the index on deleted_at.
    found = select(key, deleted_at).where(state if deleted else state.is_(true()), *others)
    if after is not None:
        found = found.where(key > after)
    return [(row[0], row[1]) for row in connection.execute(found.order_by(key).limit(limit))]


def find_undo(connection: Connection, schema: Schema, job_id: str) -> Job | None:
    """The latest job that undoes this one, whatever became of it, unless it was refused, failed or never started."""
    jobs = schema.own.jobs
    lasting = jobs.c.state.in_(["waiting", "running", "stopped", "done"])
    found = select(*_columns(schema)).where(jobs.c.undo_of == job_id, lasting).order_by(jobs.c.made_at.desc()).limit(1)
    row = connection.execute(found).first()
    return _job(row) if row else None


def insert_job(connection: Connection, schema: Schema, job: Job) -> None:
    """Keeps a new job."""
    row = {name: getattr(job, name) for name in COLUMNS} | {"preview": json.dumps(dict(job.preview))}
    connection.execute(insert(schema.own.jobs), row)


def insert_job_items(connection: Connection, schema: Schema, job_id: str, items: Sequence[JobItem]) -> None:
    """Keeps customers of a job, none of which has a result yet."""
    rows = [{"job_id": job_id, "number": i.number, "customer_id": i.customer_id, "seen": i.seen} for i in items]
    if rows:
        connection.execute(insert(schema.own.job_items), rows)


def get_job(connection: Connection, schema: Schema, job_id: str) -> Job | None:
    """The job with this id; None where there is none."""
    jobs = schema.own.jobs
    row = connection.execute(select(*_columns(schema)).where(jobs.c.id == job_id)).first()
    return _job(row) if row else None


def list_jobs(connection: Connection, schema: Schema, *, limit: int) -> list[Job]:
    """The latest jobs, newest first, without drafts."""
    jobs = schema.own.jobs
    latest = select(*_columns(schema)).where(jobs.c.state != "draft").order_by(jobs.c.made_at.desc(), jobs.c.id)
    return [_job(row) for row in connection.execute(latest.limit(limit))]


def list_free_jobs(connection: Connection, schema: Schema, *, at: datetime) -> list[str]:
    """The ids of the running jobs that nobody works on at this time (UTC), the oldest first."""
    jobs = schema.own.jobs
    free = select(jobs.c.id).where(_is_free(schema, at)).order_by(jobs.c.made_at, jobs.c.id)
    return list(connection.execute(free).scalars())


def claim_job(
    connection: Connection, schema: Schema, job_id: str, *, owner: str, at: datetime, until: datetime
) -> bool:
    """Takes a running job that nobody works on; whether it was free."""
    jobs = schema.own.jobs
    claimed = update(jobs).where(jobs.c.id == job_id, _is_free(schema, at))
    return connection.execute(claimed.values(owner=owner, lease_until=until)).rowcount == 1


def _is_free(schema: Schema, at: datetime) -> Any:
    c = schema.own.jobs.c
    over = or_(c.lease_until <= at, c.lease_until > at + LONGEST_LEASE)
    return and_(c.state == "running", or_(c.owner.is_(None), over))


def move_job(
    connection: Connection,
    schema: Schema,
    job_id: str,
    *,
    was: Sequence[JobState],
    state: JobState,
    owner_is: str | None = None,
    **values: Any,
) -> bool:
    """Moves a job from one of these states (and of this owner, where one is given) to another; whether it was in one.

    Nobody works on it then. `values` are other columns to set.
    """
    jobs = schema.own.jobs
    found = update(jobs).where(jobs.c.id == job_id, jobs.c.state.in_(was))
    if owner_is is not None:
        found = found.where(jobs.c.owner == owner_is)
    moved = {"owner": None, "lease_until": None, "error": None, **values, "state": state}
    return connection.execute(found.values(moved)).rowcount == 1


def advance_job(
    connection: Connection, schema: Schema, job_id: str, *, done: int, changed: int, until: datetime
) -> None:
    """Notes how far a job is, and until when its owner has it."""
    jobs = schema.own.jobs
    connection.execute(update(jobs).where(jobs.c.id == job_id).values(done=done, changed=changed, lease_until=until))


def list_job_items(
    connection: Connection,
    schema: Schema,
    job_id: str,
    *,
    after: int = 0,
    limit: int,
    result: ItemResult | None = None,
) -> list[JobItem]:
    """The job's customers after this number, in order; those of one result where it is given."""
    items = schema.own.job_items
    found = select(*(items.c[field.name] for field in fields(JobItem)))
    found = found.where(items.c.job_id == job_id, items.c.number > after)
    if result is not None:
        found = found.where(items.c.result == result)
    return [JobItem(*row) for row in connection.execute(found.order_by(items.c.number).limit(limit))]


def seen_in(
    connection: Connection, schema: Schema, job_id: str, ids: Sequence[CustomerId]
) -> dict[CustomerId, str | None]:
    """The deleted_at (its stamp) that a job froze, of those of these customers whom it is about."""
    items = schema.own.job_items
    found = select(items.c.customer_id, items.c.seen).where(items.c.customer_id.in_(ids), items.c.job_id == job_id)
    return {row[0]: row[1] for row in connection.execute(found)}


def count_job_items(connection: Connection, schema: Schema, job_id: str) -> dict[ItemResult, int]:
    """How many customers of a job had each result so far."""
    items = schema.own.job_items
    counted = select(items.c.result, func.count()).where(items.c.job_id == job_id, items.c.result.is_not(None))
    return {row[0]: row[1] for row in connection.execute(counted.group_by(items.c.result))}


def record_results(
    connection: Connection,
    schema: Schema,
    job_id: str,
    *,
    first: int,
    last: int,
    result: ItemResult,
    words: str | None,
    event_id: int | None,
) -> None:
    """Notes what became of the customers from one number to another; `event_id` the first one's, the others' follow."""
    asked = {"of_job": job_id, "first": first, "last": last, "became": result, "said": words}
    offset = {} if event_id is None else {"offset": event_id - first}
    connection.execute(_record_results(schema, event_id is not None), {**asked, **offset})


@lru_cache(maxsize=16)
def _record_results(schema: Schema, with_events: bool) -> Any:
    items = schema.own.job_items
    values: dict[str, Any] = {"result": bindparam("became"), "words": bindparam("said")}
    written = {"event_id": items.c.number + bindparam("offset")} if with_events else {}
    return update(items).where(numbered(schema)).values({**values, **written})


def _columns(schema: Schema) -> list[Any]:
    return [schema.own.jobs.c[name] for name in COLUMNS]


def _job(row: Any) -> Job:
    return Job(**{**row._mapping, "preview": json.loads(row.preview)})
