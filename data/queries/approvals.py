"""Statements on evenbooks_approvals: what waits for a second person, and what became of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, and_, exists, func, insert, or_, select, update

from data.records import CustomerId, JobState, Request, RequestState
from data.schema import Schema


def get_request(connection: Connection, schema: Schema, request_id: int) -> Request | None:
    """The request with this number; None where there is none."""
    statement = select(*request_columns(schema)).where(schema.own.approvals.c.id == request_id)
    row = connection.execute(statement).first()
    return Request(*row) if row else None


def get_request_names(connection: Connection, schema: Schema, ids: Sequence[int]) -> dict[int, str]:
    """The hashed names of whoever asked, as they are kept, by request."""
    c = schema.own.approvals.c
    return {number: words for number, words in connection.execute(select(c.id, c.names).where(c.id.in_(ids)))}


def list_waiting_requests(connection: Connection, schema: Schema, ids: Sequence[CustomerId]) -> list[Request]:
    """The requests about one of these customers alone that nobody has answered, whether or not they are over."""
    c = schema.own.approvals.c
    mine = and_(c.state == "waiting", c.customer_id.in_(ids), c.job_id.is_(None))
    return [Request(*row) for row in connection.execute(select(*request_columns(schema)).where(mine).order_by(c.id))]


def list_requests(
    connection: Connection,
    schema: Schema,
    *,
    at: datetime,
    state: RequestState | None = None,
    decided: bool = False,
    oldest_first: bool = False,
    before_id: int | None = None,
    limit: int = 50,
) -> list[Request]:
    """Requests, newest first unless asked otherwise, in this state at this time (UTC); `decided`: all but the waiting ones."""
    c = schema.own.approvals.c
    statement = select(*request_columns(schema)).order_by(c.id if oldest_first else c.id.desc()).limit(limit)
    if state is not None:
        statement = statement.where(_in_state(schema, state, at))
    if decided:
        statement = statement.where(~_in_state(schema, "waiting", at))
    if before_id is not None:
        statement = statement.where(c.id < before_id)
    return [Request(*row) for row in connection.execute(statement)]


def list_overdue_requests(connection: Connection, schema: Schema, *, at: datetime, limit: int = 200) -> list[Request]:
    """The first requests that nobody answered in time."""
    c = schema.own.approvals.c
    over = and_(c.state == "waiting", c.expires_at <= at)
    return [
        Request(*row)
        for row in connection.execute(select(*request_columns(schema)).where(over).order_by(c.id).limit(limit))
    ]


def count_waiting_requests(connection: Connection, schema: Schema, *, at: datetime) -> int:
    """How many requests wait at this time (UTC)."""
    statement = select(func.count()).where(_in_state(schema, "waiting", at))
    return int(connection.execute(statement.select_from(schema.own.approvals)).scalar_one())


def insert_requests(connection: Connection, schema: Schema, requests: Sequence[Request], names: Sequence[str]) -> None:
    """Keeps new requests, each with its requester's hashed names."""
    rows = [{**asdict(one), "names": words} for one, words in zip(requests, names, strict=True)]
    if rows:
        connection.execute(insert(schema.own.approvals), rows)


def end_request(
    connection: Connection,
    schema: Schema,
    request_id: int,
    *,
    state: RequestState,
    at: datetime,
    by: str,
    event_id: int,
) -> bool:
    """Ends a request that waits, and answers whether it still did."""
    table = schema.own.approvals
    statement = update(table).where(table.c.id == request_id, table.c.state == "waiting")
    values = {"state": state, "decided_at": at, "decided_by": by, "decision_id": event_id}
    return connection.execute(statement.values(values)).rowcount == 1


def is_job_waiting(connection: Connection, schema: Schema, job_id: str) -> bool:
    """Whether this job waits for approval."""
    c = schema.own.jobs.c
    return connection.execute(select(c.id).where(c.id == job_id, c.state == "waiting")).first() is not None


def get_notes(connection: Connection, schema: Schema, event_ids: Sequence[int]) -> dict[int, str]:
    """The free notes of these events, by event; absent where there is none, or none any more."""
    c = schema.own.events.c
    rows = connection.execute(select(c.id, c.note).where(c.id.in_(event_ids), c.note.is_not(None)))
    return {event_id: note for event_id, note in rows}


def count_changed_since(connection: Connection, schema: Schema, requests: Sequence[Request]) -> dict[int, int]:
    """How many customers of each request (by number) were edited, deleted or restored after it was asked for."""
    return {one.id: _count_changed(connection, schema, one) for one in requests}


def _count_changed(connection: Connection, schema: Schema, request: Request) -> int:
    c, items = schema.own.events.c, schema.own.job_items
    concerned = c.customer_id == request.customer_id
    if request.job_id is not None:
        concerned = exists().where(items.c.job_id == request.job_id, items.c.customer_id == c.customer_id)
    counted = select(func.count(c.customer_id.distinct())).where(
        c.id > request.id, c.action.in_(["edit", "delete", "restore"]), concerned
    )
    return int(connection.execute(counted).scalar_one())


def move_waiting_job(
    connection: Connection, schema: Schema, job_id: str, *, state: JobState, at: datetime, error: str | None = None
) -> bool:
    """Lets a job that waits for approval run, or ends it (`error` says why), and answers whether it still waited."""
    table = schema.own.jobs
    ended = {} if state == "running" else {"ended_at": at if state == "refused" else None, "error": error}
    statement = update(table).where(table.c.id == job_id, table.c.state == "waiting")
    return connection.execute(statement.values(state=state, **ended)).rowcount == 1


def _in_state(schema: Schema, state: RequestState, at: datetime) -> Any:
    """Whether a request is in this state at that time: one that waits beyond its time has expired."""
    c = schema.own.approvals.c
    if state == "waiting":
        return and_(c.state == "waiting", c.expires_at > at)
    if state == "expired":
        return or_(c.state == "expired", and_(c.state == "waiting", c.expires_at <= at))
    return c.state == state


def request_columns(schema: Schema) -> list[Any]:
    """In the order of Request's fields."""
    c = schema.own.approvals.c
    return [
        *(c.id, c.kind, c.state, c.customer_id, c.job_id, c.actor, c.owner, c.role, c.door, c.reason),
        *(c.requested_at, c.expires_at, c.decided_at, c.decided_by, c.decision_id),
    ]
