"""Erasing people: their columns are blanked in place; the row, its orders and every amount stay."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row

from data import compensation, erasures, events, queries
from data.access import Actor, Permission
from data.errors import BooksMoved, Conflict, NotPermitted
from data.events import Draft, Reason
from data.inspection.blanking import Blank, blanks_of
from data.jobs.batch import Batch, Result, seen
from data.records import Customer, CustomerId, Event, Impact, JobItem
from data.retention.policy import due_at, require_backup
from data.schema import Schema

RETENTION = "retention"  # the reason's code of erasures that the policy asks for
People = Mapping[CustomerId, tuple[Customer, Impact]]


@dataclass(frozen=True)
class Erasing:
    """Why, for whom and when people are erased, within a transaction that holds the chain's `head`."""

    actor: Actor
    reason: str
    head: Row[*tuple[Any, ...]]
    at: datetime
    job: str | None = None
    request_id: int | None = None


def erase(connection: Connection, schema: Schema, batch: Batch) -> list[Result]:
    """Erases the batch's customers within its transaction; a result for each, in the order of the items.

    Whoever is not deleted any more, was deleted anew since the ids were frozen, or is not due any more is a conflict.
    Raises NotPermitted (the role, or a job that nobody approved), Conflict (a column that cannot be blanked, or is
    filled again; many without a passed backup check), EvenbooksError (the file of erasures), BooksMoved: the caller
    must roll back.
    """
    batch.actor.require(Permission.ERASE_CUSTOMERS)
    if not queries.is_approved(connection, schema, batch.job.request_id):
        raise NotPermitted("Nobody is erased before a second person has approved it.")
    blanks = require_blanks(connection, schema)
    if batch.job.total > 1:
        require_backup(connection, schema, batch.at)
    ids = [item.customer_id for item in batch.items]
    found = queries.get_customers_with_impact(connection, schema, ids, by_month=True)
    before = blank_already(connection, schema, ids, blanks)
    answers: dict[CustomerId, Result] = {}
    for item in batch.items:
        answer = _refused(schema, batch, item, found, before, blanks)
        if answer is not None:
            answers[item.customer_id] = answer
    todo = {key: found[key] for key in ids if key not in answers}
    if todo:
        what = Erasing(
            batch.actor, batch.reason.code, batch.head, batch.at, job=batch.job.id, request_id=batch.job.request_id
        )
        for key, event_id in blank(connection, schema, todo, what, blanks=blanks).items():
            answers[key] = Result(key, "done", event_id=event_id)
    return [answers[key] for key in ids]


def _refused(
    schema: Schema,
    batch: Batch,
    item: JobItem,
    found: People,
    before: Mapping[CustomerId, Event],
    blanks: Sequence[Blank],
) -> Result | None:
    """What becomes of a customer who is not erased; None of one who is to be."""
    key = item.customer_id
    if key not in found:
        return Result(key, "not_found")
    if key in before:
        return Result(key, "already", event_id=before[key].id)
    deleted_at = found[key][0].deleted_at
    words = None
    if deleted_at is None:
        words = "Is not deleted any more."
    elif seen(deleted_at) != item.seen:
        words = "Was restored and deleted anew since."
    elif batch.reason.code == RETENTION:
        due = due_at(schema.settings.retention, deleted_at)
        words = None if due and due <= batch.at else "Is not due yet."
    words = words or too_long(key, blanks)
    return Result(key, "conflict", words) if words else None


def blank_already(
    connection: Connection, schema: Schema, ids: Sequence[CustomerId], blanks: Sequence[Blank]
) -> dict[CustomerId, Event]:
    """Those of these customers who were erased and are blank still, each with the event. Whoever was filled again, or has
    something in a column that [customers] erase names only now, may be erased anew."""
    told = queries.list_deletions(connection, schema, ids, action="erase")
    filled = filled_columns(connection, schema, list(told), blanks)
    return {key: event for key, event in told.items() if key not in filled}


def filled_columns(
    connection: Connection, schema: Schema, ids: Sequence[CustomerId], blanks: Sequence[Blank]
) -> dict[CustomerId, str]:
    """Those of these customers of whom something is held, each with the first such column. What has a default may hold it."""
    meant = [one.column for one in blanks if one.how != "default"]
    if not ids or not meant:
        return {}
    found = {}
    for key, row in queries.read_columns(connection, schema, ids, columns=meant).items():
        held = next((column for column in meant if not _is_blank(key, row[column])), None)
        if held is not None:
            found[key] = held
    return found


def _is_blank(key: CustomerId, value: object) -> bool:
    """Whether nothing, or no more than a mark, stands there."""
    text = value.strip() if isinstance(value, str) else value  # CHAR is filled with blanks
    marks = [Blank("", "mark", address).mark(key) for address in (False, True)]
    return text is None or text in ("", b"", *marks)


def rehearse(connection: Connection, schema: Schema, customer_id: CustomerId) -> None:
    """Blanks this deleted customer and takes it back, so that a rule of the table is met before anybody is asked. Raises
    what erasing would; says nothing of a table that cannot roll back."""
    blanks = require_blanks(connection, schema)
    if compensation.is_lasting(connection, schema):
        return
    savepoint = connection.begin_nested()
    try:
        queries.blank_people(connection, schema, [customer_id], blanks=blanks)
        _require_blank(connection, schema, [customer_id], blanks)
    finally:
        savepoint.rollback()


def too_long(customer_id: CustomerId, blanks: Sequence[Blank]) -> str | None:
    """Why what would stand in a column does not fit into it, as a sentence; None where everything fits."""
    for one in blanks:
        mark = one.mark(customer_id)
        if one.how == "mark" and one.length is not None and len(mark) > one.length:
            return f"{one.column} takes {one.length} characters, and {mark} has {len(mark)}."
    return None


def require_blanks(connection: Connection, schema: Schema) -> list[Blank]:
    """How each column of a person is blanked. Raises Conflict, naming the columns that cannot be."""
    blanks, problems = blanks_of(connection, schema)
    if problems:
        raise Conflict(f"Nobody can be erased here. {' '.join(problems)}")
    return blanks


def blank(
    connection: Connection, schema: Schema, people: People, what: Erasing, *, blanks: Sequence[Blank]
) -> dict[CustomerId, int]:
    """Blanks these deleted customers and what was written about them, an event for each; answers their ids.

    Before and after, their orders are counted and added up by month. The file of erasures is written first: where the
    table cannot roll back, a blank row may otherwise be the only trace. Raises as `erase` does.
    """
    ids = list(people)
    expected = {key: number for number, key in enumerate(ids, start=what.head.event_id + 1)}
    if compensation.is_lasting(connection, schema):
        held = queries.read_columns(connection, schema, ids, columns=[one.column for one in blanks])
        compensation.watch(connection, compensation.Blanked(schema, held, what.head.event_id))
    customers = {key: customer for key, (customer, _) in people.items()}
    erasures.append(connection, schema, expected, customers, at=what.at, job=what.job)
    matched = queries.blank_people(connection, schema, ids, blanks=blanks)
    after = queries.get_customers_with_impact(connection, schema, ids, by_month=True)
    changed = [key for key in ids if key not in after or after[key][0].deleted_at != people[key][0].deleted_at]
    if matched != len(ids) or changed:
        raise Conflict(
            "Another program, or a rule of the database, changed one of these customers at this very moment, or they "
            "would leave the part of the table that [customers] where names. Nothing was changed."
        )
    _require_blank(connection, schema, ids, blanks)
    drafts = [_draft(schema, key, *people[key], after[key][1], what, blanks) for key in ids]
    queries.blank_notes(connection, schema, ids)
    return dict(zip(ids, events.append(connection, schema, drafts, head=what.head, at=what.at), strict=True))


def _require_blank(connection: Connection, schema: Schema, ids: Sequence[CustomerId], blanks: Sequence[Blank]) -> None:
    """Raises Conflict where a column holds something else than was put there: a trigger of theirs."""
    for key, column in filled_columns(connection, schema, ids, blanks).items():
        raise Conflict(
            f"Nobody was erased: {column} of customer {key} was filled again as it was blanked. "
            "Something in the database, such as a trigger, does that."
        )


def _draft(
    schema: Schema,
    key: CustomerId,
    customer: Customer,
    before: Impact,
    after: Impact,
    what: Erasing,
    blanks: Sequence[Blank],
) -> Draft:
    """The event. Raises BooksMoved where the customer's orders are not the same before and after."""
    decimals = schema.settings.money.decimals
    proof = {"before": events.impact_body(before, decimals), "after": events.impact_body(after, decimals)}
    if proof["before"] != proof["after"]:
        raise BooksMoved(
            f"Nobody was erased: to erase customer {key} would have moved the reports ({before.orders} orders before, "
            f"{after.orders} after, their amounts by month compared). Something in the database, such as a trigger, "
            "changes orders with their customer."
        )
    body = {
        **proof,
        "columns": sorted(one.column for one in blanks),
        "deleted_at": events.stamp(customer.deleted_at),
        "request": what.request_id,
    }
    return Draft("erase", what.actor, Reason(what.reason), key, what.job, body)
