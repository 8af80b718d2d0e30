"""Deleting and restoring the customers of a batch: few statements for all of them, an event and a proof for each."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Connection
from sqlalchemy.exc import DBAPIError, IntegrityError

from data import compensation, events, queries
from data.errors import BooksMoved, Erased
from data.events import Draft
from data.faults import SIGNALLED, error_code, error_words
from data.jobs.batch import Batch, Result, seen
from data.records import Customer, CustomerId, Impact, JobItem
from data.schema import Schema

OTHER_PROGRAM = "Another program changed this customer at that very moment."
UNIQUE = "Another customer has this e-mail address, or something else that no two may have."


class _Unlike(Exception):
    """Not as many rows were changed as customers were read: another program was quicker."""


def carry(connection: Connection, schema: Schema, batch: Batch) -> list[Result]:
    """Deletes or restores the batch's customers within its transaction; a result for each, in the order of the items.

    Raises BooksMoved where a customer's orders or amounts, or those of a month, are not the same before and after; the
    caller must roll back.
    """
    ids = [item.customer_id for item in batch.items]
    found = queries.get_customers(connection, schema, ids)
    results = _refused(connection, schema, batch, found)
    todo = [key for key in ids if key not in results]
    if todo:
        _watch(connection, schema, batch, {key: found[key].deleted_at for key in todo})
        before, months = queries.impact(connection, schema, todo), queries.months_of(connection, schema, todo)
        conflicts = _mark(connection, schema, batch, todo)
        after = queries.impact(connection, schema, todo)
        if queries.months_of(connection, schema, todo) != months:
            raise BooksMoved(f"Nothing was changed: {_moved(batch, len(todo))} by month. {_CAUSE}")
        done = [key for key in todo if key not in conflicts]
        drafts = [_draft(schema, batch, found[key], before[key], after[key]) for key in done]
        written = events.append(connection, schema, drafts, head=batch.head, at=batch.at) if drafts else []
        results |= {key: Result(key, "conflict", words) for key, words in conflicts.items()}
        results |= {key: Result(key, "done", None, number) for key, number in zip(done, written, strict=True)}
    return [results[key] for key in ids]


_CAUSE = "Something in the database, such as a trigger, changes orders with their customer."


def _moved(batch: Batch, count: int) -> str:
    return f"to {batch.job.kind} these {count} customers would have moved the reports"


def _refused(
    connection: Connection, schema: Schema, batch: Batch, found: Mapping[CustomerId, Customer]
) -> dict[CustomerId, Result]:
    """What is said already of those who are not as they were when the job was prepared, or are as they are to be."""
    ids = [item.customer_id for item in batch.items]
    restores, undone = batch.job.kind == "restore", batch.job.undo_of
    erased = queries.erased_ids(connection, schema, ids) if restores else set()
    turns = queries.last_turns(connection, schema, ids) if undone else {}
    results: dict[CustomerId, Result] = {}
    for item in batch.items:
        key, customer = item.customer_id, found.get(item.customer_id)
        if customer is None:
            results[key] = Result(key, "not_found")
        elif key in erased:
            results[key] = Result(key, "conflict", str(Erased(key)))
        elif undone and turns.get(key, (0, None))[1] != undone:
            results[key] = Result(key, "conflict", "Somebody changed this customer since, so it stays as it is.")
        elif (customer.deleted_at is None) == restores:
            results[key] = Result(key, "already")
        elif words := _changed_meanwhile(item, customer):
            results[key] = Result(key, "conflict", words)
    return results


def _changed_meanwhile(item: JobItem, customer: Customer) -> str | None:
    if seen(customer.deleted_at) == item.seen:
        return None
    if customer.deleted_at is None:
        return "Restored by somebody since this was prepared."
    return "Deleted anew by somebody since this was prepared."


def _watch(connection: Connection, schema: Schema, batch: Batch, before: Mapping[CustomerId, Any]) -> None:
    """Where the customers' table cannot roll back, what was marked is marked back if the transaction fails."""
    if compensation.is_lasting(connection, schema):
        after = dict.fromkeys(before, batch.at if batch.job.kind == "delete" else None)
        compensation.watch(connection, compensation.Marked(schema, before, after, batch.head.event_id))


def _mark(connection: Connection, schema: Schema, batch: Batch, ids: Sequence[CustomerId]) -> dict[CustomerId, str]:
    """Marks these customers, and answers why some could not be: those are found by halves, and the others are marked."""
    try:
        with connection.begin_nested():
            if batch.job.kind == "delete":
                count = queries.mark_deleted(connection, schema, ids, at=batch.at)
            else:
                count = queries.mark_restored(connection, schema, ids)
            if count != len(ids):
                raise _Unlike
    except (_Unlike, DBAPIError) as error:
        words = _why(error)
        if words is None:
            raise
    else:
        return {}
    if len(ids) == 1:
        return {ids[0]: words}
    half = len(ids) // 2
    return _mark(connection, schema, batch, ids[:half]) | _mark(connection, schema, batch, ids[half:])


def _why(error: Exception) -> str | None:
    """Why a customer could not be marked, where it is this customer's own affair; never with anybody's address."""
    if isinstance(error, _Unlike):
        return OTHER_PROGRAM
    if isinstance(error, DBAPIError) and error_code(error) in SIGNALLED:
        return f"A rule of the database refused this: {error_words(error)}"
    return UNIQUE if isinstance(error, IntegrityError) else None


def _draft(schema: Schema, batch: Batch, customer: Customer, before: Impact, after: Impact) -> Draft:
    """The event of one customer, with the proof that its orders and amounts are the same before and after."""
    if before != after:
        raise BooksMoved(
            f"Nothing was changed: to {batch.job.kind} customer {customer.id} would have moved the reports "
            f"({before.orders} orders before, {after.orders} after, their amounts compared). {_CAUSE}"
        )
    figures = events.impact_body(before, schema.settings.money.decimals)
    deleted_at = batch.at if batch.job.kind == "delete" else customer.deleted_at
    body: dict[str, Any] = {"before": figures, "after": figures, "deleted_at": events.stamp(deleted_at)}
    if batch.job.request_id is not None:
        body["request"] = batch.job.request_id
    return Draft(batch.job.kind, batch.actor, batch.reason, customer.id, batch.job.id, body)
