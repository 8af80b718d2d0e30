"""Requests as they are read: lists, one, how many wait."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal

from sqlalchemy import Connection

from data import queries
from data.database import Database, snapshot
from data.errors import RequestNotFound
from data.records import Customer, Impact, Job, Request, RequestState, Revenue
from data.requesting import is_over
from data.schema import Schema

FIRST = 5  # of a job's customers


@dataclass(frozen=True)
class Case:
    """A request with what somebody needs to decide it.

    The notes are of whoever asked and of whoever decided. `customer` and `impact` as they are now, None where there is no
    such customer; `changed`: edited, deleted or restored since. `job` is what was asked for of many, and `people` the
    first of those whom it is about. `names`: the requester's, hashed, while it waits.
    """

    request: Request
    note: str | None = None
    decision_note: str | None = None
    customer: Customer | None = None
    impact: Impact | None = None
    job: Job | None = None
    people: Sequence[Customer] = ()
    changed: bool = False
    names: str = ""

    @property
    def orders(self) -> int:
        """How many orders of those concerned the reports count; of a job as it was asked for."""
        if self.job:
            return int(self.job.preview["orders"])
        return self.impact.orders if self.impact else 0

    @property
    def open_orders(self) -> int:
        """How many of them no report counts yet."""
        if self.job:
            return int(self.job.preview["open_orders"])
        return self.impact.open_orders if self.impact else 0

    @property
    def revenue(self) -> Revenue:
        """What those that count are worth, by currency."""
        if self.job:
            return {currency: Decimal(amount) for currency, amount in self.job.preview["revenue"].items()}
        return self.impact.revenue if self.impact else {}


def list_cases(connection: Connection, schema: Schema, requests: Sequence[Request]) -> list[Case]:
    """These requests, each with what belongs to it, from the connection's snapshot."""
    if not requests:
        return []
    events = [number for one in requests for number in (one.id, one.decision_id) if number is not None]
    notes = queries.get_notes(connection, schema, events)
    named = [one.customer_id for one in requests if one.customer_id is not None]
    found = queries.get_customers_with_impact(connection, schema, named) if named else {}
    waiting = [one for one in requests if one.state == "waiting"]
    changed = queries.list_changed_since(connection, schema, waiting) if waiting else set()
    names = queries.get_request_names(connection, schema, [one.id for one in waiting]) if waiting else {}

    def case(one: Request) -> Case:
        customer, impact = found.get(one.customer_id, (None, None)) if one.customer_id is not None else (None, None)
        return Case(
            request=one,
            note=notes.get(one.id),
            decision_note=notes.get(one.decision_id) if one.decision_id is not None else None,
            customer=customer,
            impact=impact,
            job=queries.get_job(connection, schema, one.job_id) if one.job_id is not None else None,
            people=_first_of(connection, schema, one.job_id) if one.job_id is not None else (),
            changed=one.id in changed,
            names=names.get(one.id, ""),
        )

    return [case(one) for one in requests]


def _first_of(connection: Connection, schema: Schema, job_id: str) -> list[Customer]:
    ids = [item.customer_id for item in queries.list_job_items(connection, schema, job_id, limit=FIRST)]
    found = queries.get_customers(connection, schema, ids) if ids else {}
    return [found[one] for one in ids if one in found]


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
