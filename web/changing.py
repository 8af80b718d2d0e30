"""Changing customers: add, delete, restore one, restore many. Each says why; the books say whether they may."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import Body, Query, Request, Response

from data import approvals, customers
from data.access import Actor, Permission
from data.database import Database
from data.demo import attached
from data.errors import EvenbooksError, InvalidInput
from data.records import Customer, Outcome
from web.admitting import new_router, route
from web.failing import Refused, as_json, describe
from web.shapes import (
    Changed,
    NewCustomer,
    OneCustomer,
    Restored,
    RestoredMany,
    Waiting,
    Why,
    WhyMany,
    Words,
    show_customer,
    show_outcome,
    show_waiting,
)

router = new_router("customers")

Reason = Annotated[Words, Query(description="Why: a code of the company's list, or free text. Here or in the body.")]
Note = Annotated[Words, Query(description="More about why. Here or in the body.")]
Told = Annotated[Why | None, Body()]
WithoutEmail = Annotated[
    bool,
    Query(description="Restores without the e-mail address, which is emptied first: for one that somebody else has."),
]
DEFAULT_REASON = "restored"
WAITS: dict[int | str, dict[str, Any]] = {202: {"description": "It waits for somebody's approval.", "model": Waiting}}


@route(
    router,
    "POST",
    "/staff/customers",
    Permission.CHANGE_CUSTOMERS,
    answers=OneCustomer,
    status=201,
    errors=(409,),
)
def add_customer(request: Request, body: NewCustomer) -> Response:
    """Adds a customer. An e-mail address that another customer has, active or deleted, is refused (409)."""
    given = body.model_dump(exclude={"reason"}, exclude_unset=True)
    values = {name: value or "" for name, value in given.items()}
    database = attached()
    fields = {field.key for field in database.schema.form_fields}
    for name in values:
        if name not in fields:
            raise InvalidInput(f"{name[:50]} is not a field here; these are: {', '.join(sorted(fields))}.", field=name)
    customer = customers.add(database, values, actor=request.state.actor, reason=body.reason)
    return as_json(show_customer(customer), 201)


@route(
    router,
    "DELETE",
    "/staff/customers/{customer_id:customer}",
    Permission.CHANGE_CUSTOMERS,
    answers=Changed,
    errors=(404, 409),
    responses=WAITS,
)
def delete_customer(
    request: Request, customer_id: str, reason: Reason = None, note: Note = None, body: Told = None
) -> Response:
    """Deletes a customer softly; the orders stay in every report. A reason is asked for. Repeating changes nothing.

    Where deletions wait for approval it is asked for (202), and `/staff/requests/{request_id}` says what became of it.
    """
    return _delete(request, customer_id, _why(body, reason, note))


@route(
    router,
    "DELETE",
    "/staff/customers",
    Permission.CHANGE_CUSTOMERS,
    answers=Changed,
    errors=(404, 409),
    responses=WAITS,
)
def delete_customer_by_id(
    request: Request,
    key: Annotated[Words, Query(alias="id")],
    reason: Reason = None,
    note: Note = None,
    body: Told = None,
) -> Response:
    """The same for an `id` that a path cannot name."""
    return _delete(request, key or "", _why(body, reason, note))


@route(
    router,
    "POST",
    "/staff/customers/{customer_id}/restore",
    Permission.CHANGE_CUSTOMERS,
    answers=Restored,
    errors=(404, 409),
)
def restore_customer(
    request: Request,
    customer_id: str,
    reason: Reason = None,
    note: Note = None,
    without_email: WithoutEmail = False,
    body: Told = None,
) -> Response:
    """Restores a deleted customer. Without a reason it is `restored`. Repeating changes nothing."""
    return _restore(request, customer_id, _why(body, reason, note), without_email)


@route(
    router,
    "POST",
    "/staff/customers/restore",
    Permission.CHANGE_CUSTOMERS,
    answers=RestoredMany | Restored,
    errors=(404, 409),
)
def restore_customers(
    request: Request,
    key: Annotated[Words, Query(alias="id", description="Restores this one alone; then the body has no `ids`.")] = None,
    reason: Reason = None,
    note: Note = None,
    without_email: WithoutEmail = False,
    body: Annotated[WhyMany | None, Body()] = None,
) -> Response:
    """Restores 1 to 200 customers, with a result for each in the order of `ids`; those that cannot be restored say why."""
    why = _why(body, reason, note)
    ids = body.ids if body else None
    if (key is None) == (ids is None):
        raise Refused(422, "invalid_input", "Say whom to restore: ids in the body, or one ?id=.")
    if key is not None:
        return _restore(request, key, why, without_email)
    if without_email:
        raise Refused(422, "invalid_input", "without_email is of one customer: by path, or with ?id=.")
    database = attached()
    code, words = why
    found = customers.restore_each(
        database, ids or [], actor=request.state.actor, reason=code or DEFAULT_REASON, note=words
    )
    items = [_show_each(database, asked, result) for asked, result in zip(ids or [], found, strict=True)]
    changed = sum(isinstance(result, Outcome) and result.changed for result in found)
    return as_json({"items": items, "changed": changed})


def _delete(request: Request, customer_id: str, why: tuple[str | None, str | None]) -> Response:
    database, actor = attached(), _actor(request)
    reason, note = why
    outcome = customers.delete_many(database, [customer_id], actor=actor, reason=reason or "", note=note)[0]
    if outcome.request_id is not None:
        return as_json(show_waiting(outcome, approvals.get(database, outcome.request_id)), 202)
    return as_json(show_outcome(outcome, database.settings.money.decimals))


def _restore(request: Request, customer_id: str, why: tuple[str | None, str | None], without_email: bool) -> Response:
    database, actor = attached(), _actor(request)
    reason, note = why
    outcomes = customers.restore_many(
        database,
        [customer_id],
        actor=actor,
        reason=reason or DEFAULT_REASON,
        note=note,
        without_email=[customer_id] if without_email else (),
    )
    return as_json(_show_restored(database, outcomes[0]))


def _actor(request: Request) -> Actor:
    actor: Actor = request.state.actor
    return actor


def _show_each(database: Database, asked: int | str, result: Outcome | EvenbooksError) -> dict[str, Any]:
    if isinstance(result, Outcome):
        return _show_restored(database, result)
    _, code, message = describe(result)
    return {"id": asked, "error": {"code": code, "message": message}}


def _show_restored(database: Database, outcome: Outcome) -> dict[str, Any]:
    shown = show_outcome(outcome, database.settings.money.decimals)
    warning = _warn(database, outcome.customer) if outcome.changed else None
    return {**shown, "warning": warning} if warning else shown


def _warn(database: Database, customer: Customer) -> str | None:
    """Who else has the e-mail address by now. The restore is done by then, so that a failure here must not hide it."""
    try:
        other = customers.find_sharing_email(database, customer)
    except EvenbooksError:
        return "Whether another active customer has the same e-mail address could not be seen."
    return f"{other.email} is now also the address of {other.name} (customer {other.id})." if other else None


def _why(body: Why | None, reason: str | None, note: str | None) -> tuple[str | None, str | None]:
    """Reason and note, from the body or the query. Raises Refused where the two say different things."""
    told = body or Why()
    return _one(told.reason, reason, "reason"), _one(told.note, note, "note")


def _one(told: str | None, asked: str | None, name: str) -> str | None:
    if told is not None and asked is not None and told != asked:
        raise Refused(422, "invalid_input", f"The body and the address give different texts as {name}; give one.")
    return asked if told is None else told
