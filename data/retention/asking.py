"""Asking for erasures: a job is prepared, which shows what stays, and then waits for a second person."""

from __future__ import annotations

from sqlalchemy import Connection
from sqlalchemy.exc import DBAPIError

from data import erasures, events, jobs, queries
from data.access import Actor, Permission
from data.changes import known_key
from data.database import Database, in_transaction, now, snapshot
from data.erasing import RETENTION, blank_already, rehearse, require_blanks, too_long
from data.errors import Conflict, CustomerNotFound, DatabaseReadOnly, InvalidInput
from data.faults import error_words
from data.records import CustomerId, Job
from data.retention.due import due_ids
from data.retention.policy import require_backup

ERASURE = "erasure"  # the reason's code where the person asked for it


def prepare_due(database: Database, *, actor: Actor, note: str | None = None) -> Job:
    """Freezes everybody who is due now as a draft of a job; nothing is changed, and nothing waits yet.

    Raises NotPermitted, InvalidInput (nobody is due, or the note), Conflict (a column that cannot be blanked, or a rule of
    the table that refuses the first of them; several without a passed backup check), EvenbooksError (the file of erasures cannot be written).
    """
    actor.require(Permission.ERASE_CUSTOMERS)
    _require_possible(database)
    with snapshot(database) as moment:
        ids = list(due_ids(moment.connection, database.schema, now()))
        if len(ids) > 1:
            require_backup(moment.connection, database.schema, now())
    if not ids:
        raise InvalidInput("Nobody is due to be erased.")
    _rehearse(database, ids[0])
    return jobs.prepare(database, "erase", actor=actor, reason=RETENTION, note=note, ids=ids)


def prepare_one(database: Database, customer_id: CustomerId, *, actor: Actor, note: str | None = None) -> Job:
    """The same of one deleted customer, because the person asked for it, whether due or not.

    Raises CustomerNotFound, Conflict (active: to be deleted first; erased already, and blank still; a rule of the table),
    and as `prepare_due` does.
    """
    actor.require(Permission.ERASE_CUSTOMERS)
    _require_possible(database)
    schema, key = database.schema, known_key(database.schema, customer_id)
    with snapshot(database) as moment:
        blanks = require_blanks(moment.connection, schema)
        customer = queries.get_customer(moment.connection, schema, key)
        erased = key in blank_already(moment.connection, schema, [key], blanks)
    if customer is None:
        raise CustomerNotFound(customer_id)
    if erased:
        raise Conflict(f"Customer {key} is erased already.")
    if customer.deleted_at is None:
        raise Conflict(f"Customer {key} is active. Delete the customer first; erasing cannot be taken back.")
    words = too_long(key, blanks)
    if words:
        raise Conflict(f"Customer {key} cannot be erased: {words}")
    _rehearse(database, key)
    return jobs.prepare(database, "erase", actor=actor, reason=ERASURE, note=note, ids=[key])


def _require_possible(database: Database) -> None:
    """Raises, before anybody is asked to approve what could not be done, where the file of erasures cannot be written, a
    column cannot be blanked, or this account may not blank: tried on nobody."""
    erasures.require_writable(database.settings.retention.file)
    schema = database.schema

    def blank_nobody(connection: Connection) -> None:
        queries.blank_people(connection, schema, [], blanks=require_blanks(connection, schema))
        queries.blank_notes(connection, schema, [])

    try:
        in_transaction(database, blank_nobody)
    except DatabaseReadOnly as error:
        why = error_words(error.__cause__) if isinstance(error.__cause__, DBAPIError) else str(error)
        raise Conflict(
            f"This account may not blank what is blanked of a person ({why}). The rights that it needs are printed by: "
            "python -m data.sql grants"
        ) from error


def _rehearse(database: Database, customer_id: CustomerId) -> None:
    """Raises Conflict where a rule of the table would refuse it only after somebody has approved."""

    def work(connection: Connection) -> None:
        events.take_turns(connection, database.schema)
        rehearse(connection, database.schema, customer_id)

    in_transaction(database, work)


def ask(database: Database, job_id: str, *, actor: Actor) -> Job:
    """Asks for the approval of a prepared job. Raises NotPermitted, JobNotFound, Conflict (without a passed backup check)."""
    actor.require(Permission.ERASE_CUSTOMERS)
    if jobs.get(database, job_id).total > 1:
        with snapshot(database) as moment:
            require_backup(moment.connection, database.schema, now())
    return jobs.start(database, job_id, actor=actor)
