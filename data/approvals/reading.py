"""Requests as they are read: lists, one, how many wait."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from data import queries
from data.database import Database, snapshot
from data.errors import RequestNotFound
from data.records import Request, RequestState
from data.requesting import is_over


def list_requests(
    database: Database,
    *,
    state: RequestState | None = None,
    decided: bool = False,
    before_id: int | None = None,
    limit: int = 50,
) -> list[Request]:
    """Requests, newest first; those in one state, or (`decided`) all but the waiting ones. Each as it is at this moment."""
    with snapshot(database) as moment:
        found = queries.list_requests(
            moment.connection,
            database.schema,
            at=moment.at,
            state=state,
            decided=decided,
            before_id=before_id,
            limit=limit,
        )
    return [as_of(one, moment.at) for one in found]


def get(database: Database, request_id: int) -> Request:
    """The request with this number, as it is at this moment. Raises RequestNotFound."""
    with snapshot(database) as moment:
        found = queries.get_request(moment.connection, database.schema, request_id) if is_number(request_id) else None
    if found is None:
        raise RequestNotFound(request_id)
    return as_of(found, moment.at)


def count_waiting(database: Database) -> int:
    """How many requests wait for somebody's approval at this moment."""
    with snapshot(database) as moment:
        return queries.count_waiting_requests(moment.connection, database.schema, at=moment.at)


def as_of(request: Request, at: datetime) -> Request:
    """The request as it is at this time (UTC): expired where its time is over, whether or not anybody wrote that down."""
    return replace(request, state="expired") if request.state == "waiting" and is_over(request, at) else request


def is_number(request_id: int) -> bool:
    """Whether a request can have this number; the databases raise for greater ones."""
    return 0 < request_id < 2**63
