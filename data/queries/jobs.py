"""Statements on evenbooks_jobs and evenbooks_job_items, and on many customers at once."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import fields
from datetime import datetime
from decimal import Decimal
from functools import lru_cache
from typing import Any

from sqlalchemy import (
    Connection,
    FromClause,
    Select,
    and_,
    bindparam,
    case,
    func,
    insert,
    null,
    or_,
    select,
    true,
    update,
)
from sqlalchemy.sql import ColumnElement

from data import money
from data.queries.amounts import exact_sum
from data.queries.dates import month_expression
from data.queries.orders import last_number
from data.queries.searching import matching
from data.records import CustomerId, Impact, ItemResult, Job, JobItem, JobState
from data.schema import Schema, currency_of

COLUMNS = [field.name for field in fields(Job)]
# Of an event's action: those that change whether a customer is deleted, or may be restored.
TURNING = ("delete", "restore", "erase")


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
    return and_(c.state == "running", or_(c.owner.is_(None), c.lease_until <= at))


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
    return update(items).where(_numbered(schema)).values({**values, **written})


def job_impact(connection: Connection, schema: Schema, job_id: str) -> Impact:
    """What the orders of all of a job's customers amount to."""
    orders, items = schema.orders, schema.own.job_items
    columns = [func.count(orders.c.id), *_counted(schema), currency_of(schema)]
    found = select(*columns).select_from(_with_orders(schema)).where(items.c.job_id == job_id)
    found = found.group_by(*_by_currency(schema))
    every, counting, revenue = 0, 0, dict[str, Decimal]()
    for all_orders, amount, orders_counted, currency in connection.execute(found):
        every, counting = every + all_orders, counting + orders_counted
        if orders_counted:
            revenue[currency] = money.add([revenue.get(currency, Decimal(0)), amount])
    return Impact(counting, every, revenue)


def states_in(connection: Connection, schema: Schema, job_id: str, *, first: int, last: int) -> dict[CustomerId, Any]:
    """The deleted_at of a job's customers from one number to another, by id; who is not there is absent."""
    found = connection.execute(_states(schema), {"of_job": job_id, "first": first, "last": last})
    return {row[0]: row[1] for row in found}


@lru_cache(maxsize=16)
def _states(schema: Schema) -> Select[Any]:
    customers, items = schema.customers, schema.own.job_items
    joined = items.join(customers.source, customers.c.id == items.c.customer_id)
    return select(customers.c.id, customers.c.deleted_at).select_from(joined).where(_numbered(schema))


def orders_in(
    connection: Connection, schema: Schema, job_id: str, *, first: int, last: int
) -> dict[CustomerId, list[tuple[Any, ...]]]:
    """What the orders of a job's customers from one number to another amount to, by id, in rows that `add_up` reads."""
    rows: dict[CustomerId, list[tuple[Any, ...]]] = {}
    for row in connection.execute(_orders(schema), {"of_job": job_id, "first": first, "last": last}):
        rows.setdefault(row[0], []).append(row[1:])
    for several in rows.values():
        several.sort(key=str)
    return rows


@lru_cache(maxsize=16)
def _orders(schema: Schema) -> Select[Any]:
    customers, orders, currency = schema.customers, schema.orders, _by_currency(schema)
    amount, counted = _counted(schema)
    columns = [func.count(orders.c.id), last_number(schema), amount]
    columns += [counted] if schema.settings.orders.revenue_statuses else []
    grouped = select(customers.c.id, null(), *columns, *currency).group_by(customers.c.id, *currency)
    return grouped.select_from(_with_orders(schema)).where(_numbered(schema))


def months_in(connection: Connection, schema: Schema, job_id: str, *, first: int, last: int) -> list[tuple[Any, ...]]:
    """The orders of these customers together by month as the engine says it and currency: how many, the amount and
    number of those that count."""
    found = connection.execute(_months(schema), {"of_job": job_id, "first": first, "last": last})
    return sorted((tuple(row) for row in found), key=str)


@lru_cache(maxsize=16)
def _months(schema: Schema) -> Select[Any]:
    month, currency = month_expression(schema), _by_currency(schema)
    columns = [func.count(schema.orders.c.id), *_counted(schema)]
    grouped = select(month, *currency, *columns).group_by(month, *currency)
    return grouped.select_from(_with_orders(schema)).where(_numbered(schema))


def _with_orders(schema: Schema) -> FromClause:
    """A job's customers with their orders. Joined through the customers' own key, which orders are compared with."""
    customers, orders, items = schema.customers, schema.orders, schema.own.job_items
    there = items.join(customers.source, customers.c.id == items.c.customer_id)
    return there.join(orders.source, and_(schema.names(orders.c.customer_id), schema.is_linked))


def _numbered(schema: Schema) -> ColumnElement[bool]:
    items = schema.own.job_items
    return and_(items.c.job_id == bindparam("of_job"), items.c.number.between(bindparam("first"), bindparam("last")))


def _counted(schema: Schema) -> list[Any]:
    """The amount and the number of the orders that count as revenue."""
    orders = schema.orders
    if not schema.settings.orders.revenue_statuses:
        return [exact_sum(schema, orders.c.total), func.count(orders.c.id)]
    counted = case((schema.is_revenue, orders.c.total))
    return [exact_sum(schema, counted), func.count(case((schema.is_revenue, orders.c.id)))]


def _by_currency(schema: Schema) -> list[Any]:
    return [schema.orders.c.currency] if schema.keeps_currency else []


def last_turned_by(connection: Connection, schema: Schema, ids: Sequence[CustomerId], batch_id: str) -> set[CustomerId]:
    """Those of these customers whom nobody has deleted, restored or erased since this batch did."""
    events = schema.own.events
    ours = case((events.c.batch_id == batch_id, events.c.id))
    turned = and_(events.c.customer_id.in_(ids), events.c.action.in_(TURNING))
    found = select(events.c.customer_id).where(turned).group_by(events.c.customer_id)
    return set(connection.execute(found.having(func.max(ours) == func.max(events.c.id))).scalars())


def _columns(schema: Schema) -> list[Any]:
    return [schema.own.jobs.c[name] for name in COLUMNS]


def _job(row: Any) -> Job:
    return Job(**{**row._mapping, "preview": json.loads(row.preview)})
