"""Restoring with care, within a transaction: the deletion that was seen and no other, and without an e-mail address
that somebody else has by now."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence

from sqlalchemy import Connection

from data import compensation, events, queries
from data.access import Actor, Permission
from data.changes import change, known_key
from data.database import now
from data.errors import Conflict, InvalidInput
from data.events import Draft, Reason, stamp
from data.records import Customer, CustomerId, Outcome, Time
from data.schema import Schema
from data.sharing import may_lose_email


def restore_as_seen(
    connection: Connection,
    schema: Schema,
    ids: Sequence[CustomerId],
    *,
    actor: Actor,
    reason: Reason,
    expected: Mapping[CustomerId, Time | None],
    without_email: Collection[CustomerId],
) -> list[Outcome]:
    """Restores customers as `changes.change` does; first those of `without_email` lose their address, with an event of
    its own. `expected` has each one's deleted_at as it was seen.

    Raises Conflict where somebody was deleted anew since then, nobody else has an address that is to be lost, or the
    table cannot take it back if the restore fails; InvalidInput where customers need an address; and what `change` raises.
    """
    actor.require(Permission.CHANGE_CUSTOMERS)
    head = events.take_turns(connection, schema)
    found = queries.get_customers(connection, schema, [known_key(schema, customer_id) for customer_id in ids])
    for customer_id, seen in expected.items():
        customer = found.get(known_key(schema, customer_id))
        if customer and seen is not None and customer.deleted_at not in (None, seen):
            raise Conflict(_deleted_anew(connection, schema, customer))
    losing = [found[key] for key in map(schema.parse_id, without_email) if key in found]
    drafts = _drop_emails(connection, schema, losing, found.values(), actor, reason)
    if drafts:
        events.append(connection, schema, drafts, head=head, at=now())
    return change(connection, schema, "restore", ids, actor=actor, reason=reason)


def _drop_emails(
    connection: Connection,
    schema: Schema,
    customers: Sequence[Customer],
    together: Iterable[Customer],
    actor: Actor,
    reason: Reason,
) -> list[Draft]:
    losing = [customer for customer in customers if customer.email and customer.deleted_at is not None]
    if not losing:
        return []
    if not may_lose_email(schema):
        raise InvalidInput("Every customer needs an e-mail address here, so none is restored without.", field="email")
    if compensation.is_lasting(connection, schema):
        raise Conflict("This table of customers cannot take changes back, so nobody is restored without the e-mail.")
    _require_shared(connection, schema, losing, together)
    column = schema.settings.customers.email
    for customer in losing:
        queries.update_customer(connection, schema, customer.id, values={column: None}, deleted=True)
    return [Draft("edit", actor, reason, customer.id, body={"columns": [column]}) for customer in losing]


def _require_shared(
    connection: Connection, schema: Schema, losing: Sequence[Customer], together: Iterable[Customer]
) -> None:
    """Raises Conflict where an address is nobody else's: neither of an active customer nor of one restored together."""
    shared = queries.find_sharing(connection, schema, losing)
    spelled = Counter((one.email or "").casefold() for one in together)
    for customer in losing:
        if customer.id not in shared and spelled[(customer.email or "").casefold()] < 2:
            raise Conflict(
                f"Nobody else has the e-mail address of customer {customer.id}, so it need not be lost. Restore the "
                "customer with it. Nothing was changed."
            )


def _deleted_anew(connection: Connection, schema: Schema, customer: Customer) -> str:
    event = queries.list_deletions(connection, schema, [customer.id]).get(customer.id)
    ours = event is not None and event.at == customer.deleted_at
    by = f" by {event.actor}" if event and ours else ""
    return (
        f"{customer.name} (customer {customer.id}) was restored and deleted anew{by}, at {stamp(customer.deleted_at)}, "
        "since the list was read. Nothing was changed; look again."
    )
