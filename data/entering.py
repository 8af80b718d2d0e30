"""What forms say of a customer: adding and editing, one transaction each, the event inside."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from sqlalchemy import Connection

from data import events, queries
from data.access import Actor, Permission
from data.database import Database, in_transaction, now
from data.errors import Conflict, CustomerNotFound, EmailTaken, InvalidInput
from data.events import Draft
from data.records import Customer, CustomerId
from data.schema import FormField, Schema, is_text
from data.settings import EMAIL


def add(database: Database, values: Mapping[str, str], *, actor: Actor, reason: str | None = None) -> Customer:
    """What `data.customers.add` does, without the log line."""
    schema = database.schema
    actor.require(Permission.CHANGE_CUSTOMERS)
    if schema.add_blocker:
        raise InvalidInput(schema.add_blocker)
    clean = _clean(schema, values, schema.form_fields)

    def work(connection: Connection) -> Customer:
        head = events.take_turns(connection, schema)
        _refuse_taken_email(connection, schema, clean, None)
        row = {**schema.settings.customers.insert, **{f.column: clean[f.key] for f in schema.form_fields}}
        key = queries.insert_customer(
            connection, schema, values=row, created_at=now() if schema.stamps_creation else None
        )
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
) -> tuple[Customer, bool]:
    """What `data.customers.edit` does, without the log line; and whether anything was changed."""
    schema = database.schema
    actor.require(Permission.CHANGE_CUSTOMERS)
    fields = [f for f in schema.form_fields if values.get(f.key, "").strip() != shown.get(f.key, "").strip()]
    clean = _clean(schema, values, fields)

    def work(connection: Connection) -> tuple[Customer, bool]:
        head = events.take_turns(connection, schema)
        customer = queries.get_customer(connection, schema, customer_id)
        if customer is None:
            raise CustomerNotFound(customer_id)
        if customer.deleted_at is not None:
            raise Conflict(f"{customer.name} was deleted meanwhile. Restore first, then edit.")
        if not fields:
            return customer, False
        present = queries.get_form_values(connection, schema, customer.id)
        if any(present[f.key] != shown.get(f.key, "") for f in fields):
            raise Conflict(f"{customer.name} was changed by somebody else meanwhile. Look again, then edit.")
        _refuse_taken_email(connection, schema, clean, customer)
        changed = {f.column: clean[f.key] for f in fields}
        queries.update_customer(connection, schema, customer.id, values=changed)
        draft = Draft("edit", actor, None, customer.id, body={"columns": sorted(changed)})
        events.append(connection, schema, [draft], head=head, at=now())
        return queries.get_customer(connection, schema, customer.id) or customer, True

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
