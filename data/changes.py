"""Deleting and restoring within a transaction: what is read, written and proved, in which order."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from typing import Any, Literal

from sqlalchemy import Connection, Row

from data import compensation, events, queries, requesting
from data.access import Actor, Permission
from data.database import now
from data.errors import BooksMoved, Conflict, CustomerNotFound, Erased
from data.events import Draft, Reason
from data.money import plain
from data.records import Customer, CustomerId, Impact, Outcome, Request
from data.requesting import Approved, Wanted
from data.schema import Schema

Action = Literal["delete", "restore"]
ACTIONS: tuple[Action, ...] = ("delete", "restore")
Found = Mapping[CustomerId, tuple[Customer, Impact]]


@dataclass(frozen=True)
class Wish:
    """One customer to be deleted or restored. `key` is the id as `Schema.parse_id` answers it.

    A deletion that needs approval becomes a request, unless it is `approved`, or `rehearsed`: rolled back in any case.
    """

    action: Action
    key: CustomerId
    actor: Actor
    reason: Reason
    batch_id: str | None = None
    approved: Approved | None = None
    rehearsed: bool = False

    def waits(self, schema: Schema) -> bool:
        """Whether somebody has to approve it first."""
        return requesting.needed(schema.settings, self.action) and not (self.approved or self.rehearsed)


def change(
    connection: Connection,
    schema: Schema,
    action: Action,
    ids: Sequence[CustomerId],
    *,
    actor: Actor,
    reason: Reason,
    batch_id: str | None = None,
    approved: Approved | None = None,
    rehearsed: bool = False,
    at: datetime | None = None,
) -> list[Outcome]:
    """Deletes or restores customers within the caller's transaction, an event for each that changed.

    `at` (UTC) is the time that is written; it defaults to now. Every customer's orders are counted and
    added up by month before and after, from one snapshot; a difference raises BooksMoved, and the caller must
    roll back. Outcomes are in the order of the ids. Where deletions wait for approval, and this one is neither `approved`
    nor `rehearsed` (rolled back by the caller in any case), it becomes a request. Raises Erased for who cannot come back.
    """
    actor.require(Permission.CHANGE_CUSTOMERS)
    head = events.take_turns(connection, schema)
    keys = [known_key(schema, customer_id) for customer_id in ids]
    wishes = [Wish(action, key, actor, reason, batch_id, approved, rehearsed) for key in keys]
    found = queries.get_customers_with_impact(connection, schema, [w.key for w in wishes], by_month=True)
    for wish in wishes:
        if wish.key not in found:
            raise CustomerNotFound(wish.key)
    return _carry_out(connection, schema, wishes, found, head, at or now())


def change_each(connection: Connection, schema: Schema, wishes: Sequence[Wish]) -> list[Outcome | CustomerNotFound]:
    """The wishes of several callers, of different customers, within one transaction; an answer to each.

    Raises as `change` does, and then nothing is done of any; only a customer who is not there is one's own affair.
    """
    for wish in wishes:
        wish.actor.require(Permission.CHANGE_CUSTOMERS)
    head = events.take_turns(connection, schema)
    found = queries.get_customers_with_impact(connection, schema, [w.key for w in wishes], by_month=True)
    there = [wish for wish in wishes if wish.key in found]
    outcomes = {o.customer.id: o for o in _carry_out(connection, schema, there, found, head, now())}
    return [outcomes.get(wish.key) or CustomerNotFound(wish.key) for wish in wishes]


def known_key(schema: Schema, customer_id: CustomerId) -> CustomerId:
    """The id as the database's key. Raises CustomerNotFound where it cannot be one."""
    key = schema.parse_id(customer_id)
    if key is None:
        raise CustomerNotFound(customer_id)
    return key


def _carry_out(
    connection: Connection,
    schema: Schema,
    wishes: Sequence[Wish],
    found: Found,
    head: Row[*tuple[Any, ...]],
    at: datetime,
) -> list[Outcome]:
    """The wishes of customers that were found, who are wished one thing each; outcomes in their order."""
    todo = {w.key: w for w in wishes if (found[w.key][0].deleted_at is None) == (w.action == "delete")}
    _refuse_erased(connection, schema, todo)
    waiting = [wish for wish in todo.values() if wish.waits(schema)]
    asked: dict[CustomerId, Request] = {}
    if waiting:
        asked = _ask(connection, schema, waiting, found, head, at)
        todo = {key: wish for key, wish in todo.items() if key not in asked}
        head = events.take_turns(connection, schema)  # which has moved
    changed: dict[CustomerId, Customer] = {}
    written: dict[CustomerId, int] = {}
    if todo:
        with _marked_back(connection, schema, todo, found, head, at):
            for action in ACTIONS:
                _mark(connection, schema, action, [key for key, wish in todo.items() if wish.action == action], at)
            after = queries.impact(connection, schema, list(todo), by_month=True)
            drafts = [_draft(schema, wish, *found[key], after[key], at) for key, wish in todo.items()]
            written = dict(zip(todo, events.append(connection, schema, drafts, head=head, at=at), strict=True))
        changed = {k: replace(found[k][0], deleted_at=at if w.action == "delete" else None) for k, w in todo.items()}
    return [
        _waiting_outcome(schema, *found[w.key], asked[w.key])
        if w.key in asked
        else _outcome(
            connection, schema, w.action, changed.get(w.key, found[w.key][0]), found[w.key][1], written.get(w.key)
        )
        for w in wishes
    ]


def _refuse_erased(connection: Connection, schema: Schema, todo: Mapping[CustomerId, Wish]) -> None:
    """Raises Erased where somebody is to be restored who was erased."""
    restored = [key for key, wish in todo.items() if wish.action == "restore"]
    erased = queries.erased_ids(connection, schema, restored) if restored else set()
    if erased:
        raise Erased(min(erased, key=str))


def _ask(
    connection: Connection,
    schema: Schema,
    wishes: Sequence[Wish],
    found: Found,
    head: Row[*tuple[Any, ...]],
    at: datetime,
) -> dict[CustomerId, Request]:
    """A request for each of these deletions, with what the customer's orders amount to now."""
    decimals = schema.settings.money.decimals
    wanted = [
        Wanted("delete", w.actor, w.reason, w.key, body={"now": events.impact_body(found[w.key][1], decimals)})
        for w in wishes
    ]
    asked = requesting.ask(connection, schema, wanted, head=head, at=at)
    return {wish.key: request for wish, request in zip(wishes, asked, strict=True)}


@contextmanager
def _marked_back(
    connection: Connection,
    schema: Schema,
    todo: Mapping[CustomerId, Wish],
    found: Found,
    head: Row[*tuple[Any, ...]],
    at: datetime,
) -> Iterator[None]:
    """Where the customers' table cannot roll back, what was marked is marked back if this, or the transaction, fails."""
    if not compensation.is_lasting(connection, schema):
        yield
        return
    before = {key: found[key][0].deleted_at for key in todo}
    after = {key: at if wish.action == "delete" else None for key, wish in todo.items()}
    marked = compensation.Marked(schema, before, after, head.event_id)
    compensation.watch(connection, marked)
    try:
        yield
    except BaseException:
        compensation.take_back(connection, marked)
        raise


def _mark(connection: Connection, schema: Schema, action: Action, ids: Sequence[CustomerId], at: datetime) -> None:
    if not ids:
        return
    if action == "delete":
        count = queries.mark_deleted(connection, schema, ids, at=at)
    else:
        count = queries.mark_restored(connection, schema, ids)
    if count != len(ids):
        # Our own writers take turns, so it was another program, between our reading and our writing.
        raise Conflict(
            "Another program changed one of these customers at this very moment. Nothing was changed; try again."
        )


def _draft(schema: Schema, wish: Wish, customer: Customer, before: Impact, after: Impact, at: datetime) -> Draft:
    body = _proof(schema, wish.action, customer, before, after)
    body["deleted_at"] = events.stamp(at if wish.action == "delete" else customer.deleted_at)
    if wish.approved:
        body |= {"request": wish.approved.request_id, "approved_by": wish.approved.by}
    return Draft(wish.action, wish.actor, wish.reason, wish.key, wish.batch_id, body)


def _proof(schema: Schema, action: Action, customer: Customer, before: Impact, after: Impact) -> dict[str, Any]:
    """Before and after for the event's body. Raises BooksMoved where they differ."""
    decimals = schema.settings.money.decimals
    body = {"before": events.impact_body(before, decimals)}
    # Equal amounts have equal texts, so what was equal is written twice and computed once.
    body["after"] = body["before"] if after == before else events.impact_body(after, decimals)
    if body["before"] != body["after"]:
        raise BooksMoved(
            f"Nothing was changed: to {action} customer {customer.id} would have moved the reports "
            f"({before.orders} orders before, {after.orders} after, their amounts by month compared). Something in the "
            "database, such as a trigger, changes orders with their customer."
        )
    return body


def _outcome(
    connection: Connection, schema: Schema, action: Action, customer: Customer, impact: Impact, written: int | None
) -> Outcome:
    event_id = written or queries.last_event_id(connection, schema, customer.id, action)
    return Outcome(written is not None, customer, impact.orders, _revenue(schema, impact), event_id)


def _waiting_outcome(schema: Schema, customer: Customer, impact: Impact, request: Request) -> Outcome:
    return Outcome(False, customer, impact.orders, _revenue(schema, impact), None, request.id)


def _revenue(schema: Schema, impact: Impact) -> dict[str, Decimal]:
    """The same digits on every engine: at least the money's decimals, more only where there are more."""
    decimals = schema.settings.money.decimals
    return {currency: Decimal(plain(amount, decimals)) for currency, amount in impact.revenue.items()}
