"""Deleting and restoring the customers of a batch: few statements for all of them, an event and a proof for each."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Connection
from sqlalchemy.exc import DBAPIError, IntegrityError

from data import compensation, events, queries
from data.errors import BooksMoved, Erased
from data.events import Draft, Reason
from data.faults import SIGNALLED, error_code, error_words
from data.jobs.batch import Batch, Result, seen
from data.records import CustomerId, Impact, Job, JobItem
from data.schema import Schema

OTHER_PROGRAM = "Another program changed this customer at that very moment."
NO_ORDERS = Impact()
Found = Mapping[CustomerId, Sequence[tuple[Any, ...]]]  # what somebody's orders amount to, as rows
UNIQUE = "Another customer has this e-mail address, or something else that no two may have."


class _Unlike(Exception):
    """Not as many rows were changed as customers were read: another program was quicker."""


def carry(connection: Connection, schema: Schema, batch: Batch) -> list[Result]:
    """Deletes or restores the batch's customers within its transaction; a result for each, in the order of the items.

    Raises BooksMoved where a customer's orders or amounts, or those of a month, are not the same before and after; the
    caller must roll back.
    """
    job, ids = batch.job.id, [item.customer_id for item in batch.items]
    these = {"first": batch.items[0].number, "last": batch.items[-1].number}
    was = queries.states_in(connection, schema, job, **these)
    results = _refused(connection, schema, batch, was)
    todo = [key for key in ids if key not in results]
    if todo:
        _watch(connection, schema, batch, {key: was[key] for key in todo})
        before = queries.orders_in(connection, schema, job, **these)
        months = queries.months_in(connection, schema, job, **these)
        conflicts = _mark(connection, schema, batch, todo)
        _compare(batch, before, queries.orders_in(connection, schema, job, **these))
        if months != queries.months_in(connection, schema, job, **these):
            raise BooksMoved(_moved(batch, f"these {len(todo)} customers", "their amounts by month compared"))
        done = [key for key in todo if key not in conflicts]
        impacts = queries.add_up(schema, ((key, row) for key in done for row in before.get(key, ())), by_month=False)
        again = _reasons_again(connection, schema, batch.job, done)
        drafts = [
            _draft(schema, batch, key, was[key], impacts.get(key, NO_ORDERS), again.get(key, batch.reason))
            for key in done
        ]
        written = events.append(connection, schema, drafts, head=batch.head, at=batch.at) if drafts else []
        results |= {key: Result(key, "conflict", words) for key, words in conflicts.items()}
        results |= {key: Result(key, "done", None, number) for key, number in zip(done, written, strict=True)}
    return [results[key] for key in ids]


def _compare(batch: Batch, before: Found, after: Found) -> None:
    """Raises BooksMoved where a customer's orders are not what they were."""
    if before != after:
        key = next(key for key in before.keys() | after.keys() if before.get(key) != after.get(key))
        raise BooksMoved(_moved(batch, f"customer {key}", "orders and amounts before and after compared"))


def _moved(batch: Batch, whom: str, how: str) -> str:
    return (
        f"Nothing was changed: to {batch.job.kind} {whom} would have moved the reports ({how}). Something in the database, "
        "such as a trigger, changes orders with their customer."
    )


def _refused(
    connection: Connection, schema: Schema, batch: Batch, was: Mapping[CustomerId, Any]
) -> dict[CustomerId, Result]:
    """What is said already of those who are not as they were when the job was prepared, or are as they are to be."""
    ids = [item.customer_id for item in batch.items]
    restores, undone, asked = batch.job.kind == "restore", batch.job.undo_of, batch.job.request_id
    erased = queries.erased_ids(connection, schema, ids) if restores else set()
    unturned = queries.last_turned_by(connection, schema, ids, undone) if undone else set(ids)
    # Of whom somebody restored since, what was approved is not what it would be by now.
    turned = queries.turned_since(connection, schema, ids, asked, but=batch.job.id) if asked is not None else set()
    results: dict[CustomerId, Result] = {}
    for item in batch.items:
        key = item.customer_id
        if key not in was:
            results[key] = Result(key, "not_found")
        elif key in erased:
            results[key] = Result(key, "conflict", str(Erased(key)))
        elif key not in unturned:
            results[key] = Result(key, "conflict", "Somebody changed this customer since, so it stays as it is.")
        elif (was[key] is None) == restores:
            results[key] = Result(key, "already")
        elif key in turned:
            results[key] = Result(key, "conflict", "Deleted or restored by somebody since this was asked for.")
        elif words := _changed_meanwhile(item, was[key]):
            results[key] = Result(key, "conflict", words)
    return results


def _changed_meanwhile(item: JobItem, deleted_at: object) -> str | None:
    if seen(deleted_at) == item.seen:
        return None
    return f"{'Restored' if deleted_at is None else 'Deleted anew'} by somebody since this was prepared."


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
            raise _first(error) from None
    else:
        return {}
    if len(ids) == 1:
        return {ids[0]: words}
    half = len(ids) // 2
    return _mark(connection, schema, batch, ids[:half]) | _mark(connection, schema, batch, ids[half:])


def _first(error: Exception) -> BaseException:
    """What went wrong: where there is no room, SQLite ends the whole transaction, and with it the savepoint to go back to."""
    before = error.__context__ and error.__context__.__context__  # behind the driver's own error
    return before if before and "no such savepoint" in str(error) else error


def _why(error: Exception) -> str | None:
    """Why a customer could not be marked, where it is this customer's own affair; never with anybody's address."""
    if isinstance(error, _Unlike):
        return OTHER_PROGRAM
    if isinstance(error, DBAPIError) and _is_signalled(error):
        return f"A rule of the database refused this: {error_words(error)}"
    return UNIQUE if isinstance(error, IntegrityError) else None


def _is_signalled(error: DBAPIError) -> bool:
    """Whether a trigger of theirs refused; SQLite takes that for a broken rule of the table."""
    return error_code(error) in SIGNALLED or getattr(error.orig, "sqlite_errorname", "") == "SQLITE_CONSTRAINT_TRIGGER"


def _reasons_again(
    connection: Connection, schema: Schema, job: Job, ids: Sequence[CustomerId]
) -> dict[CustomerId, Reason]:
    """Why these were deleted before the restore that is undone, so that they are deleted for the same reason again.

    Whom something else than us had deleted is absent.
    """
    if job.kind != "delete" or job.undo_of is None or not ids:
        return {}
    deletions = queries.list_deletions(connection, schema, ids)
    taken_back = queries.seen_in(connection, schema, job.undo_of, ids)
    return {
        key: Reason(event.reason, event.note)
        for key, event in deletions.items()
        if event.reason and seen(event.at) == taken_back.get(key)
    }


def _draft(schema: Schema, batch: Batch, key: CustomerId, was: object, impact: Impact, reason: Reason) -> Draft:
    """The event of one customer, whose orders were compared: the proof that they are the same before and after."""
    figures = events.impact_body(impact, schema.settings.money.decimals)
    deleted_at = batch.at if batch.job.kind == "delete" else was
    body: dict[str, Any] = {"before": figures, "after": figures, "deleted_at": events.stamp(deleted_at)}
    if batch.job.request_id is not None:
        body["request"] = batch.job.request_id
    return Draft(batch.job.kind, batch.actor, reason, key, batch.job.id, body)
