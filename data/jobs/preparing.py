"""Preparing a job: which customers, frozen, and what their orders amount to."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from itertools import islice
from typing import Any
from uuid import uuid4

from sqlalchemy import Connection

from data import events, queries
from data.access import Actor
from data.changes import known_key
from data.database import Database, in_transaction, now, snapshot
from data.errors import Conflict, InvalidInput
from data.jobs.batch import seen
from data.jobs.reading import get, undone_by
from data.jobs.standing import NEEDED, standing_json
from data.jobs.steering import start
from data.money import plain
from data.records import CustomerId, Impact, Job, JobItem, JobKind
from data.schema import Schema

PAGE = 1000  # customers that are read and written at once
OPPOSITE: dict[JobKind, JobKind] = {"delete": "restore", "restore": "delete"}
Frozen = tuple[CustomerId, Any]  # a customer and its deleted_at


def prepare(
    database: Database,
    kind: JobKind,
    *,
    actor: Actor,
    reason: str,
    note: str | None = None,
    ids: Iterable[CustomerId] | None = None,
    search: str | None = None,
    deleted_reason: str | None = None,
    undo_of: str | None = None,
) -> Job:
    """Freezes the customers of a job, and each one's deleted_at, in state draft; nothing is changed yet.

    The ids that are given; or, where `search` is not None, all that match it (active ones for delete, else deleted ones,
    those of `deleted_reason` where it is given); or what the job `undo_of` changed.
    Raises NotPermitted, InvalidInput (reason; nobody), CustomerNotFound (an id that cannot be one).
    """
    actor.require(NEEDED[kind])
    why = events.read_reason(database.settings, reason, note, erases=kind == "erase")
    job_id, schema = uuid4().hex, database.schema
    if ids is not None:
        given = iter(dict.fromkeys(known_key(schema, one) for one in ids))
        total = _freeze(database, job_id, lambda c: _given(c, schema, given))
    elif search is not None:
        of_reason, deleted = deleted_reason or "", kind != "delete"
        total = _freeze(
            database, job_id, lambda c: _matching(c, schema, deleted=deleted, search=search, reason=of_reason)
        )
    else:
        total = _freeze(database, job_id, lambda c: _changed_by(c, schema, undo_of or ""))
    if not total:
        raise InvalidInput("There is nobody to do this to.", field="ids")
    with snapshot(database) as moment:
        impact = queries.job_impact(moment.connection, schema, job_id)
    job = Job(
        id=job_id,
        kind=kind,
        state="draft",
        actor=actor.id,
        role=str(actor.role),
        door=str(actor.door),
        standing=standing_json(actor),
        reason=why.code,
        note=why.note,
        made_at=now(),
        ended_at=None,
        total=total,
        done=0,
        changed=0,
        preview=_preview(impact, schema, search),
        undo_of=undo_of,
        request_id=None,
        owner=None,
        lease_until=None,
        error=None,
    )
    # Last, so that a job which is there has all of its customers.
    in_transaction(database, lambda c: queries.insert_job(c, schema, job))
    return job


def undo(database: Database, job_id: str, *, actor: Actor) -> Job:
    """Prepares and starts the opposite job, over exactly what this job changed and nobody changed since.

    Who is deleted again by it has the reason of the deletion that the restore had taken back. Repeating is no error.
    Raises NotPermitted, JobNotFound, Conflict (an erasure, a job that is not over, or one that changed nothing).
    """
    job = get(database, job_id)
    opposite = OPPOSITE.get(job.kind)
    if opposite is None:
        raise Conflict("Nothing takes back an erasure.")
    actor.require(NEEDED[opposite])
    if job.state not in ("done", "stopped", "failed"):
        raise Conflict("This job is not over. Stop it first, then undo it.")
    if not job.changed:
        raise Conflict("This job changed nobody, so there is nothing to undo.")
    known = undone_by(database, job)
    if known is None:
        known = prepare(database, opposite, actor=actor, reason="undo", undo_of=job_id)
    return known if known.state == "done" else start(database, known.id, actor=actor)


def _freeze(database: Database, job_id: str, read: Callable[[Connection], Iterator[list[Frozen]]]) -> int:
    """Writes down, page by page, who is read from one snapshot. Answers how many they are."""
    total, schema = 0, database.schema

    def write(connection: Connection) -> None:
        queries.insert_job_items(connection, schema, job_id, items)

    with snapshot(database) as moment:
        for page in read(moment.connection):
            items = [
                JobItem(number, key, seen(deleted_at), None, None, None)
                for number, (key, deleted_at) in enumerate(page, start=total + 1)
            ]
            in_transaction(database, write)
            total += len(page)
    return total


def _given(connection: Connection, schema: Schema, ids: Iterator[CustomerId]) -> Iterator[list[Frozen]]:
    while page := list(islice(ids, PAGE)):
        found = queries.get_customers(connection, schema, page)
        yield [(key, found[key].deleted_at if key in found else None) for key in page]


def _matching(
    connection: Connection, schema: Schema, *, deleted: bool, search: str, reason: str
) -> Iterator[list[Frozen]]:
    after: CustomerId | None = None
    while page := queries.list_ids_to_freeze(
        connection, schema, deleted=deleted, search=search, reason=reason, after=after, limit=PAGE
    ):
        yield page
        after = page[-1][0]


def _changed_by(connection: Connection, schema: Schema, job_id: str) -> Iterator[list[Frozen]]:
    last = 0
    while items := queries.list_job_items(connection, schema, job_id, after=last, limit=PAGE, result="done"):
        yield from _given(connection, schema, iter([item.customer_id for item in items]))
        last = items[-1].number


def _preview(impact: Impact, schema: Schema, search: str | None) -> dict[str, Any]:
    decimals = schema.settings.money.decimals
    revenue = {currency: plain(amount, decimals) for currency, amount in impact.revenue.items()}
    return {"orders": impact.orders, "open_orders": impact.open_orders, "revenue": revenue, "search": search}
