"""Requests that wait for approval, for programs to see what became of theirs. Deciding takes a person who signed in."""

from __future__ import annotations

from typing import Annotated, Any, get_args

from fastapi import Query, Request, Response

from data import approvals, queries
from data.access import Permission
from data.database import snapshot
from data.demo import attached
from data.errors import InvalidInput, RequestNotFound
from data.queries.paging import read_cursor, write_cursor
from data.records import RequestState
from web.admitting import new_router, route
from web.customers import After, Rows
from web.failing import as_json
from web.shapes import OneRequest, Requests, Words, show_request

router = new_router("requests")

STATES = get_args(RequestState)
State = Annotated[Words, Query(description=f"Only those in this state: {', '.join(STATES)}.")]


@route(router, "GET", "/staff/requests", Permission.READ_CUSTOMERS, answers=Requests)
def list_requests(request: Request, state: State = None, after: After = None, limit: Rows = 50) -> Response:
    """Requests for approval, newest first, a page at a time."""
    if state is not None and state not in STATES:
        raise InvalidInput(f"{state[:50]} is not a state; these are: {', '.join(STATES)}.", field="state")
    before = None if after is None else _read_cursor(after)
    database = attached()
    approvals.expire_quietly(database)
    found = approvals.list_requests(database, state=state, before_id=before, limit=limit + 1)  # type: ignore[arg-type]
    shown, more = found[:limit], len(found) > limit
    last = write_cursor("requests", shown[-1].id, shown[-1].id) if more else None
    return as_json({"items": _with_notes(shown), "next": last})


@route(router, "GET", "/staff/requests/{request_id}", Permission.READ_CUSTOMERS, answers=OneRequest, errors=(404,))
def get_request(request: Request, request_id: str) -> Response:
    """One request: whether it waits, or what became of it, and why."""
    # As people write numbers: int() also takes 1_0 and other scripts' digits.
    if not (request_id.isascii() and request_id.isdecimal() and len(request_id) < 20):
        raise RequestNotFound(request_id[:50])
    database = attached()
    approvals.expire_quietly(database)
    return as_json(_with_notes([approvals.get(database, int(request_id))])[0])


def _with_notes(found: list[Any]) -> list[dict[str, Any]]:
    if not found:
        return []
    database = attached()
    numbers = [number for one in found for number in (one.id, one.decision_id) if number is not None]
    with snapshot(database) as moment:
        notes = queries.get_notes(moment.connection, database.schema, numbers)
    return [show_request(one, notes.get(one.id), notes.get(one.decision_id)) for one in found]


def _read_cursor(after: str) -> int:
    value, number = read_cursor(after, lambda raw: raw if type(raw) is int and abs(raw) < 2**63 else None, "requests")
    if value != number or not isinstance(number, int):
        raise InvalidInput("This page address cannot be read. Start again from the first page.", field="after")
    return number
