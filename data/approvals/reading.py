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
FEW = 5_000  # customers of a job whose orders are added up wherever it is listed


@dataclass(frozen=True)
class Case:
    """A request with what somebody needs to decide it.

    The notes are of whoever asked and of whoever decided. `customer` and `impact` as they are now, None where there is no
    such customer. `job` is what was asked for of many, `people` the first of those whom it is about, and `impact` what
    all of them amount to now, None where that was not added up. `changed`: how many were edited, deleted or restored
    since. `names`: the requester's, hashed, while it waits.
    """

    request: Request
    note: str | None = None
    decision_note: str | None = None
    customer: Customer | None = None
    impact: Impact | None = None
    job: Job | None = None
    people: Sequence[Customer] = ()
    changed: int = 0
    names: str = ""

    @property
    def orders(self) -> int:
        """How many orders of those concerned the reports count: now, or, of a job that was not added up, when it was asked for."""
        return self._now.orders

    @property
    def open_orders(self) -> int:
        """How many of them no report counts yet."""
        return self._now.open_orders

    @property
    def revenue(self) -> Revenue:
        """What those that count are worth, by currency."""
        return self._now.revenue

    @property
    def asked(self) -> Impact:
        """What a job's customers amounted to when it was prepared."""
        if self.job is None:
            return Impact()
        said = self.job.preview
        revenue = {currency: Decimal(amount) for currency, amount in said["revenue"].items()}
        return Impact(int(said["orders"]), int(said["orders"]) + int(said["open_orders"]), revenue)

    @property
    def moved(self) -> bool:
        """Whether a job's figures are no longer those that it was asked for with."""
        now, then = self.impact, self.asked
        return bool(self.job and now) and (self.orders, self.open_orders, dict(self.revenue)) != (
            then.orders,
            then.open_orders,
            dict(then.revenue),
        )

    @property
    def _now(self) -> Impact:
        return self.impact or self.asked


def list_cases(
    connection: Connection, schema: Schema, requests: Sequence[Request], *, anew: bool = False
) -> list[Case]:
    """These requests, each with what belongs to it, from the connection's snapshot.

    The orders of a job that waits are added up where its customers are few, or (`anew`) however many.
    """
    if not requests:
        return []
    events = [number for one in requests for number in (one.id, one.decision_id) if number is not None]
    notes = queries.get_notes(connection, schema, events)
    named = [one.customer_id for one in requests if one.customer_id is not None]
    found = queries.get_customers_with_impact(connection, schema, named) if named else {}
    waiting = [one for one in requests if one.state == "waiting"]
    changed = queries.count_changed_since(connection, schema, waiting)
    names = queries.get_request_names(connection, schema, [one.id for one in waiting]) if waiting else {}

    def case(one: Request) -> Case:
        customer, impact = found.get(one.customer_id, (None, None)) if one.customer_id is not None else (None, None)
        job = queries.get_job(connection, schema, one.job_id) if one.job_id is not None else None
        if job and one.state == "waiting" and (anew or job.total <= FEW):
            impact = queries.job_impact(connection, schema, job.id)
        return Case(
            request=one,
            note=notes.get(one.id),
            decision_note=notes.get(one.decision_id) if one.decision_id is not None else None,
            customer=customer,
            impact=impact,
            job=job,
            people=_first_of(connection, schema, one.job_id) if one.job_id is not None else (),
            changed=changed.get(one.id, 0),
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
