"""What is done to customers: delete, restore, add, edit. One transaction each, its event inside."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial
from typing import TypeVar
from uuid import uuid4

from sqlalchemy import Connection
from sqlalchemy.exc import IntegrityError

from data import entering, events, queries
from data.access import Actor, Permission, script_actor
from data.changes import Action, Wish, change, change_each, known_key
from data.database import Database, ask, database_of, default, in_transaction, in_transaction_of, in_utc, snapshot
from data.errors import (
    Conflict,
    CustomerNotFound,
    DatabaseUnavailable,
    EmailTaken,
    EvenbooksError,
    InvalidInput,
    OutcomeUnknown,
)
from data.events import Reason
from data.records import Customer, CustomerId, Outcome, Time
from data.restoring import restore_as_seen
from data.write_log import logged

T = TypeVar("T")
PAGE = 500
MOST_AT_ONCE = 200  # of restore_each
NOT_TRIED = (
    "The database did not answer for the customer before this one, so this one was not tried. Nothing was changed."
)


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
    transaction. Where deletions wait for approval it is asked for, `request_id` is the request's number, and nothing is
    deleted. Raises CustomerNotFound, NotPermitted, InvalidInput (reason), BooksMoved.
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


def delete_many(
    database: Database, ids: Sequence[CustomerId], *, actor: Actor, reason: str, note: str | None = None
) -> list[Outcome]:
    """Deletes these customers in one transaction, all or none; outcomes in the order of the ids.

    Where deletions wait for approval, each who is not deleted yet has a request, and nothing is deleted.
    """
    return _many("delete", database, ids, actor, reason, note)


def restore_many(
    database: Database,
    ids: Sequence[CustomerId],
    *,
    actor: Actor,
    reason: str,
    note: str | None = None,
    expected: Mapping[CustomerId, Time | None] | None = None,
    without_email: Collection[CustomerId] = (),
) -> list[Outcome]:
    """Restores these customers in one transaction, all or none; outcomes in the order of the ids.

    `expected` has each one's deleted_at as it was seen, so that nobody is restored who was deleted anew since (Conflict).
    Those of `without_email` lose their address, with an event of its own (InvalidInput where customers need one).
    Raises EmailTaken where the database keeps active e-mail addresses apart and another customer has one of theirs.
    """
    if not (expected or without_email):
        return _many("restore", database, ids, actor, reason, note)
    with logged("restore", actor, ids) as line:
        actor.require(Permission.CHANGE_CUSTOMERS)
        why = events.read_reason(database.settings, reason, note)

        def work(connection: Connection) -> list[Outcome]:
            return restore_as_seen(
                connection,
                database.schema,
                ids,
                actor=actor,
                reason=why,
                expected=expected or {},
                without_email=without_email,
            )

        with _naming_who_has_the_email(database, "restore", ids):
            outcomes = in_transaction(database, work)
        line.tell(outcomes)
    return outcomes


def restore_each(
    database: Database, ids: Sequence[CustomerId], *, actor: Actor, reason: str, note: str | None = None
) -> list[Outcome | EvenbooksError]:
    """Restores at most 200 customers, each in a transaction of its own and under one `batch_id`.

    Answers in the order of the ids what was done, or the error that this customer met; once the database does not
    answer, the rest are not tried. Raises NotPermitted and InvalidInput before anything is done.
    """
    actor.require(Permission.CHANGE_CUSTOMERS)
    why = events.read_reason(database.settings, reason, note)
    if len(ids) > MOST_AT_ONCE:
        raise InvalidInput(f"{len(ids)} customers were named; {MOST_AT_ONCE} at once are allowed.", field="ids")
    batch_id, answers = uuid4().hex, list[Outcome | EvenbooksError]()
    for customer_id in ids:
        if answers and isinstance(answers[-1], DatabaseUnavailable):
            unknown = isinstance(answers[-1], OutcomeUnknown)
            answers.append(DatabaseUnavailable(NOT_TRIED) if unknown else answers[-1])
            continue
        try:
            with logged("restore", actor, [customer_id], batch_id=batch_id) as line:
                outcome = _alone("restore", database, customer_id, actor, why, batch_id)
                line.tell([outcome])
            answers.append(outcome)
        except EvenbooksError as error:
            answers.append(error)
    return answers


def _one(
    action: Action, customer_id: CustomerId, actor: Actor | None, reason: str | None, connection: Connection | None
) -> Outcome:
    actor = actor or script_actor()
    if connection is None:
        return _many(action, default(), [customer_id], actor, reason or "script", None)[0]

    def work(own: Connection, database: Database) -> list[Outcome]:
        why = events.read_reason(database.settings, reason or "script")
        return change(own, database.schema, action, [customer_id], actor=actor, reason=why)

    with logged(action, actor, [customer_id]) as line:
        outcomes = in_transaction_of(connection, work)
        line.tell(outcomes)
    return outcomes[0]


def _many(
    action: Action, database: Database, ids: Sequence[CustomerId], actor: Actor, reason: str, note: str | None
) -> list[Outcome]:
    batch_id = uuid4().hex if len(ids) > 1 else None
    with logged(action, actor, ids, batch_id=batch_id) as line:
        actor.require(Permission.CHANGE_CUSTOMERS)
        why = events.read_reason(database.settings, reason, note)
        if len(ids) == 1:
            outcomes = [_alone(action, database, ids[0], actor, why)]
        else:
            with _naming_who_has_the_email(database, action, ids):
                work = partial(change, schema=database.schema, action=action, ids=ids, actor=actor, reason=why)
                outcomes = in_transaction(database, partial(work, batch_id=batch_id))
        line.tell(outcomes)
    return outcomes


def _alone(
    action: Action,
    database: Database,
    customer_id: CustomerId,
    actor: Actor,
    reason: Reason,
    batch_id: str | None = None,
) -> Outcome:
    """One customer, in a transaction that may be shared with others who ask at this moment."""

    def work(wishes: Sequence[Wish]) -> list[Outcome | CustomerNotFound]:
        # Of several one may wait for a row that somebody holds: then the others go on alone, at once.
        patient = len(wishes) == 1
        return in_transaction(database, lambda c: change_each(c, database.schema, wishes), patient=patient)

    key = known_key(database.schema, customer_id)
    with _naming_who_has_the_email(database, action, [key]):
        answer: Outcome | CustomerNotFound = database.turns.ask(key, Wish(action, key, actor, reason, batch_id), work)
    if isinstance(answer, CustomerNotFound):
        raise answer
    return answer


@contextmanager
def _naming_who_has_the_email(database: Database, action: Action, ids: Sequence[CustomerId]) -> Iterator[None]:
    """Where the database keeps e-mail addresses of active customers apart: who has the one that is wanted back."""
    try:
        yield
    except Conflict as error:
        if action == "restore" and isinstance(error.__cause__, IntegrityError):
            with snapshot(database) as moment:
                customers = queries.get_customers(moment.connection, database.schema, ids)
            for other in (find_sharing_email(database, customer) for customer in customers.values()):
                if other:
                    raise EmailTaken(other) from error
        raise


def find_sharing_email(database: Database, customer: Customer) -> Customer | None:
    """Another active customer with this one's e-mail address, whatever its case; None where there is none."""
    if not customer.email:
        return None
    schema, email = database.schema, customer.email
    other = ask(database, lambda c: queries.find_by_email(c, schema, email, other_than=customer.id))
    return other if other and other.deleted_at is None else None


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
    with logged("add", actor, None) as line:
        customer = entering.add(database, values, actor=actor, reason=reason)
        line.customer_id = customer.id
    return customer


def edit(
    database: Database, customer_id: CustomerId, values: Mapping[str, str], *, shown: Mapping[str, str], actor: Actor
) -> Customer:
    """Changes an active customer's fields to the form's values, with an event that names the columns.

    `shown` is what the form started from: fields that somebody else changed meanwhile raise Conflict.
    Raises CustomerNotFound, Conflict (deleted or changed meanwhile), InvalidInput, EmailTaken, NotPermitted.
    """
    with logged("edit", actor, [customer_id]) as line:
        customer, changed = entering.edit(database, customer_id, values, shown=shown, actor=actor)
        line.customer_id = customer.id
        line.outcome = "changed" if changed else "already"
    return customer
