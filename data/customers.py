"""What is done to customers: delete, restore, add, edit. One transaction each, its event inside."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from decimal import Decimal
from typing import Any, Literal, TypeVar

from sqlalchemy import Connection

from data import events, queries
from data.access import Actor, Permission, script_actor
from data.database import Database, database_of, default, in_transaction, in_transaction_of, in_utc, now, snapshot
from data.errors import BooksMoved, Conflict, CustomerNotFound, EmailTaken, InvalidInput
from data.events import Draft, Reason
from data.money import plain
from data.records import Customer, CustomerId, Impact, Outcome
from data.schema import FormField, Schema, is_text

T = TypeVar("T")
Action = Literal["delete", "restore"]
PAGE = 500
EMAIL = re.compile(r"[^@\s]+@[^@\s]+")


def soft_delete(
    customer_id: CustomerId,
    *,
    actor: Actor | None = None,
    reason: str | None = None,
    connection: Connection | None = None,
) -> Outcome:
    """Deletes one customer softly: sets `deleted_at` (UTC, whole seconds), writes the event, proves the orders stay.

    Repeating is no error: `changed` is then False and the first time stamp stays. Without an actor it is
    `os:<user>` with every right, and the reason "script". With a connection it works in the caller's
    transaction. Raises CustomerNotFound, NotPermitted, InvalidInput (reason), BooksMoved.
    """
    return _one("delete", customer_id, actor, reason, connection)


def restore(
    customer_id: CustomerId,
    *,
    actor: Actor | None = None,
    reason: str | None = None,
    connection: Connection | None = None,
) -> Outcome:
    """Restores one customer: clears `deleted_at`. The rest is as with `soft_delete`."""
    return _one("restore", customer_id, actor, reason, connection)


def _one(
    action: Action, customer_id: CustomerId, actor: Actor | None, reason: str | None, connection: Connection | None
) -> Outcome:
    def work(own: Connection, database: Database) -> Outcome:
        why = events.read_reason(database.settings, reason or "script")
        return change(own, database.schema, action, [customer_id], actor=actor or script_actor(), reason=why)[0]

    return in_transaction_of(connection, work)


def delete_many(
    database: Database, ids: Sequence[CustomerId], *, actor: Actor, reason: str, note: str | None = None
) -> list[Outcome]:
    """Deletes these customers in one transaction, all or none; outcomes in the order of the ids."""
    why = events.read_reason(database.settings, reason, note)
    return in_transaction(database, lambda c: change(c, database.schema, "delete", ids, actor=actor, reason=why))


def restore_many(
    database: Database, ids: Sequence[CustomerId], *, actor: Actor, reason: str, note: str | None = None
) -> list[Outcome]:
    """Restores these customers in one transaction, all or none; outcomes in the order of the ids."""
    why = events.read_reason(database.settings, reason, note)
    return in_transaction(database, lambda c: change(c, database.schema, "restore", ids, actor=actor, reason=why))


def change(
    connection: Connection,
    schema: Schema,
    action: Action,
    ids: Sequence[CustomerId],
    *,
    actor: Actor,
    reason: Reason,
    batch_id: str | None = None,
    at: datetime | None = None,
) -> list[Outcome]:
    """Deletes or restores customers within the caller's transaction, an event for each that changed.

    `at` (UTC) is the time that is written; it defaults to now. Every customer's orders are counted and
    added up by month before and after, from one snapshot; a difference raises BooksMoved, and the caller must
    roll back. Outcomes are in the order of the ids.
    """
    actor.require(Permission.CHANGE_CUSTOMERS)
    at = at or now()
    head = events.take_turns(connection, schema)
    keys = [_known_key(schema, customer_id) for customer_id in ids]
    found = queries.get_customers_with_impact(connection, schema, keys, by_month=True)
    for key in keys:
        if key not in found:
            raise CustomerNotFound(key)
    todo = [key for key in dict.fromkeys(keys) if (found[key][0].deleted_at is None) == (action == "delete")]
    written: dict[CustomerId, int] = {}
    if todo:
        _mark(connection, schema, action, todo, at)
        after = queries.impact(connection, schema, todo, by_month=True)
        drafts = []
        for key in todo:
            customer, before = found[key]
            body = _proof(schema, action, customer, before, after[key])
            body["deleted_at"] = events.stamp(at if action == "delete" else customer.deleted_at)
            drafts.append(Draft(action, actor, reason, key, batch_id, body))
            found[key] = replace(customer, deleted_at=at if action == "delete" else None), before
        written = dict(zip(todo, events.append(connection, schema, drafts, head=head, at=at), strict=True))
    return [_outcome(connection, schema, action, *found[key], written.get(key)) for key in keys]


def _outcome(
    connection: Connection, schema: Schema, action: Action, customer: Customer, impact: Impact, written: int | None
) -> Outcome:
    event_id = written or queries.last_event_id(connection, schema, customer.id, action)
    decimals = schema.settings.money.decimals
    # The same digits on every engine: at least the money's decimals, more only where there are more.
    revenue = {currency: Decimal(plain(amount, decimals)) for currency, amount in impact.revenue.items()}
    return Outcome(written is not None, customer, impact.orders, revenue, event_id)


def _known_key(schema: Schema, customer_id: CustomerId) -> CustomerId:
    key = schema.parse_id(customer_id)
    if key is None:
        raise CustomerNotFound(customer_id)
    return key


def _mark(connection: Connection, schema: Schema, action: Action, ids: Sequence[CustomerId], at: datetime) -> None:
    if action == "delete":
        count = queries.mark_deleted(connection, schema, ids, at=at)
    else:
        count = queries.mark_restored(connection, schema, ids)
    if count != len(ids):
        # Our own writers take turns, so it was another program, between our reading and our writing.
        raise Conflict(
            "Another program changed one of these customers at this very moment. Nothing was changed; try again."
        )


def _proof(schema: Schema, action: Action, customer: Customer, before: Impact, after: Impact) -> dict[str, Any]:
    """Before and after for the event's body. Raises BooksMoved where they differ."""
    decimals = schema.settings.money.decimals
    body = {"before": events.impact_body(before, decimals), "after": events.impact_body(after, decimals)}
    if body["before"] != body["after"]:
        raise BooksMoved(
            f"Nothing was changed: to {action} customer {customer.id} would have moved the reports "
            f"({before.orders} orders before, {after.orders} after, their amounts by month compared). Something in the "
            "database, such as a trigger, changes orders with their customer."
        )
    return body


def get_all_active(*, connection: Connection | None = None) -> Iterator[Customer]:
    """Every active customer in id order, read in pages, so that memory stays small however many there are."""
    after: str | None = None
    while True:
        page = _read(connection, lambda c, schema, at=after: queries.list_customers(c, schema, limit=PAGE, after=at))
        yield from page.items
        if page.next is None:
            return
        after = page.next


def get_by_id_active(customer_id: CustomerId, *, connection: Connection | None = None) -> Customer | None:
    """The active customer with this id; None when absent or deleted."""
    customer = _read(connection, lambda c, schema: queries.get_customer(c, schema, customer_id))
    return customer if customer and customer.deleted_at is None else None


def _read(connection: Connection | None, work: Callable[..., T]) -> T:
    if connection is not None:
        with in_utc(connection):
            return work(connection, database_of(connection).schema)
    database = default()
    with snapshot(database) as moment:
        return work(moment.connection, database.schema)


def add(database: Database, values: Mapping[str, str], *, actor: Actor, reason: str | None = None) -> Customer:
    """Adds a customer from the form's values (by `Schema.form_fields` key), with its event.

    Raises InvalidInput (blank, overlong, not an e-mail address), EmailTaken (its `customer` is the other
    one, perhaps deleted), NotPermitted.
    """
    schema = database.schema
    actor.require(Permission.CHANGE_CUSTOMERS)
    if schema.add_blocker:
        raise InvalidInput(schema.add_blocker)
    clean = _clean(schema, values, schema.form_fields)

    def work(connection: Connection) -> Customer:
        head = events.take_turns(connection, schema)
        _refuse_taken_email(connection, schema, clean, None)
        row = {**schema.settings.customers.insert, **{f.column: clean[f.key] for f in schema.form_fields}}
        stamped = "created_at" in schema.present and schema.physical("created_at").server_default is None
        key = queries.insert_customer(connection, schema, values=row, created_at=now() if stamped else None)
        customer = queries.get_customer(connection, schema, key)
        if customer is None or customer.deleted_at is not None:
            raise InvalidInput(
                "The new customer would not be in the list. [customers] insert must meet [customers] where."
            )
        draft = Draft("add", actor, events.read_reason(database.settings, reason) if reason else None, customer.id)
        events.append(connection, schema, [draft], head=head, at=now())
        return customer

    return in_transaction(database, work)


def edit(
    database: Database, customer_id: CustomerId, values: Mapping[str, str], *, shown: Mapping[str, str], actor: Actor
) -> Customer:
    """Changes an active customer's fields to the form's values, with an event that names the columns.

    `shown` is what the form started from: fields that somebody else changed meanwhile raise Conflict.
    Raises CustomerNotFound, Conflict (deleted or changed meanwhile), InvalidInput, EmailTaken, NotPermitted.
    """
    schema = database.schema
    actor.require(Permission.CHANGE_CUSTOMERS)
    fields = [f for f in schema.form_fields if values.get(f.key, "").strip() != shown.get(f.key, "").strip()]
    clean = _clean(schema, values, fields)

    def work(connection: Connection) -> Customer:
        head = events.take_turns(connection, schema)
        customer = queries.get_customer(connection, schema, customer_id)
        if customer is None:
            raise CustomerNotFound(customer_id)
        if customer.deleted_at is not None:
            raise Conflict(f"{customer.name} was deleted meanwhile. Restore first, then edit.")
        if not fields:
            return customer
        present = queries.get_form_values(connection, schema, customer.id)
        if any(present[f.key] != shown.get(f.key, "") for f in fields):
            raise Conflict(f"{customer.name} was changed by somebody else meanwhile. Look again, then edit.")
        _refuse_taken_email(connection, schema, clean, customer)
        changed = {f.column: clean[f.key] for f in fields}
        queries.update_customer(connection, schema, customer.id, values=changed)
        draft = Draft("edit", actor, None, customer.id, body={"columns": sorted(changed)})
        events.append(connection, schema, [draft], head=head, at=now())
        return queries.get_customer(connection, schema, customer.id) or customer

    return in_transaction(database, work)


def _refuse_taken_email(
    connection: Connection, schema: Schema, clean: Mapping[str, str | None], owner: Customer | None
) -> None:
    email = clean.get("email")
    this = owner.id if owner else None
    other = queries.find_by_email(connection, schema, email, other_than=this) if email else None
    if other:
        raise EmailTaken(other)


def _clean(schema: Schema, values: Mapping[str, str], fields: Sequence[FormField]) -> dict[str, str | None]:
    """The values trimmed, blank as NULL where the column allows it. Raises InvalidInput naming the field."""
    clean: dict[str, str | None] = {}
    for f in fields:
        words = re.sub(r"\s+", " ", values.get(f.key, "")).strip()
        if not any(c.isprintable() for c in words):
            words = ""  # only zero-width characters and the like
        if not words and f.required:
            raise InvalidInput(f"{f.label} is blank. Every customer needs one.", field=f.key)
        if f.max_length is not None and len(words) > f.max_length:
            raise InvalidInput(f"{f.label} has {len(words)} characters; {f.max_length} fit.", field=f.key)
        if any(ord(c) < 32 for c in words) or not is_text(words):
            raise InvalidInput(f"{f.label} contains a character that cannot be shown.", field=f.key)
        if f.key == "email" and words and not EMAIL.fullmatch(words):
            raise InvalidInput(f"{words} is not an e-mail address; one looks like ana@example.com.", field=f.key)
        clean[f.key] = words or (None if schema.customer_table.c[f.column].nullable else "")
    return clean
