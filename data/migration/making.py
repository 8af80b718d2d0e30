"""Makes what is missing, in an order in which any interruption can be continued."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any

from sqlalchemy import Connection, select

from data import events, queries
from data.access import script_actor
from data.database import now
from data.errors import ConfigurationError, DatabaseReadOnly, DatabaseUnavailable
from data.events import Draft
from data.inspection import dangerous_keys
from data.integrity.amounts import find_unreadable
from data.migration.column import OPTION, position_sentence
from data.migration.estimate import estimate
from data.migration.found import say_found, say_todo
from data.migration.own import known_of, make_own_tables, own_names, own_present
from data.migration.piece import Known, Piece
from data.migration.pieces import pieces, too_long
from data.migration.privileges import lacking
from data.migration.refusing import refuse_options, refuse_unusable
from data.migration.session import Session, require_rights
from data.migration.unique import refuse_active_unique
from data.migration.verifying import measure, verify
from data.reflection import reflect
from data.schema import Schema

MOST_MISSING = 10_000


def run_steps(session: Session, asked: Collection[str]) -> None:
    """The whole migration within a session. Each step looks first. `asked` are the options that were given."""
    connection = session.connection
    schema = reflect(connection, session.settings)
    refuse_unusable(connection, schema)
    refuse_options(connection, schema, asked)
    say_found(session, schema)
    present = own_present(connection, schema)
    known = known_of(connection, schema, present, asked)
    found = _wanted(session, schema, known)
    wanted = _seen(session, found, asked)
    all_seen = len(wanted) == len(found)
    todo = [piece for piece in wanted if not piece.there]
    if any(piece.option == "active_unique" for piece in todo):
        refuse_active_unique(connection, schema, asked="active_unique" in asked)
    _require_privileges(session, schema, todo, present)
    say_todo(session, schema, todo, present, all_seen=all_seen)
    for line in estimate(connection, schema, todo):
        session.tell(line)
    before = None if session.dry_run else measure(connection, schema)
    make_own_tables(session, schema, present)
    # What has a name of ours, or says word for word what ours says, is ours too where it is there already.
    _record(session, schema, [piece for piece in wanted if not piece.there or piece.is_guard or piece.digest], present)
    for piece in todo:
        if not piece.outside:
            _make(session, piece)
    _note_digests(session, schema, wanted)
    if before is not None:
        verify(session, before, [piece.name for piece in todo], asked, all_seen=all_seen)
    for piece in todo:
        if piece.outside and not session.run_outside(piece.make[0]):
            raise DatabaseUnavailable(
                "The file could not be switched to its write-ahead log: others have it open, or its disk does not "
                "allow that. All the rest is done; close the others and run this again."
            )
    if session.dry_run:
        session.tell("Nothing was changed: this was a dry run.")


def _make(session: Session, piece: Piece) -> None:
    for sql in piece.clear:
        session.run(sql, table=piece.table)
    if piece.make:
        session.run(*piece.make, table=piece.table)
    for sql in piece.also_make:
        session.run(sql, table=piece.table)


def _require_privileges(session: Session, schema: Schema, todo: Sequence[Piece], present: set[str]) -> None:
    """Raises DatabaseReadOnly, naming everything that the account lacks at once; a dry run says it and goes on."""
    missing = [name for name in own_names(schema) if name not in present]
    if not todo and not missing:
        return
    session.settle()
    require_rights(session, lacking(session.connection, schema, todo, missing))


def _wanted(session: Session, schema: Schema, known: Known) -> list[Piece]:
    """The pieces, the optional ones if asked for or once made; what cannot be made here is said and left out."""
    connection, asked, made = session.connection, known.asked, known.made
    found = pieces(connection, schema, known)
    column = schema.settings.customers.deleted_at
    ours = not schema.migrated or f"column {column}" in made
    position = position_sentence(connection, schema, OPTION in asked or f"{OPTION} {column}" in made, ours)
    if position:
        session.tell(position)
    found = [piece for piece in found if not piece.option or piece.option in asked or piece.name in made]
    if not ours:  # what is theirs stays as visible as it is
        found = [piece for piece in found if piece.option != OPTION]
    if "revenue_index" in asked and schema.order_table is None:
        session.tell("[orders] is a query, so there is no table of orders to index: --revenue-index has nothing to do.")
    reason = too_long(schema) if any(piece.option == "revenue_index" for piece in found) else None
    if reason:
        session.tell(
            f"These columns of the orders cannot be indexed whole: {reason}. The revenue indexes are left out."
        )
        found = [piece for piece in found if piece.option != "revenue_index"]
    clashes = [piece.clash for piece in found if piece.clash]
    if clashes:
        raise ConfigurationError(f"{clashes[0]}. Rename or drop it, then run this again. Nothing was changed.")
    return found


def _seen(session: Session, found: Sequence[Piece], asked: Collection[str]) -> list[Piece]:
    """Without the pieces that this account cannot see, which are left as they are. Raises DatabaseReadOnly if asked for."""
    hidden = [piece for piece in found if piece.unseen]
    if any(piece.option in asked for piece in hidden):  # views are never both
        raise DatabaseReadOnly(
            f"This account may not see the triggers of {hidden[0].table}, nor make one: it needs the TRIGGER privilege "
            "there (--database-url names another account). Nothing was changed."
        )
    for piece in hidden:
        words = f"triggers, so the {piece.name}" if piece.is_guard else f"the {piece.name}, so it"
        session.tell(f"This account may not see {words} is left as it is.")
    return [piece for piece in found if not piece.unseen]


def _record(session: Session, schema: Schema, todo: Sequence[Piece], present: set[str]) -> None:
    """The baseline event, once; later an event of what is made beyond what the events say already."""
    connection, names = session.connection, [piece.name for piece in todo]
    own = schema.own.events
    begun = own.name in present and connection.execute(select(own.c.id).limit(1)).first() is not None
    if session.dry_run:
        fresh = [] if begun and set(names) <= known_of(connection, schema, present).made else names
        if not begun or fresh:
            session.tell(
                f"Then one event ({'migrate' if begun else 'baseline'}) is written to evenbooks_events, and evenbooks_chain points to it."
            )
        return
    if begun or queries.get_head(connection, schema) is not None:
        made = known_of(connection, schema, own_present(connection, schema)).made
        fresh = [name for name in names if name not in made]
        if fresh:
            _write(session, schema, {"made": fresh})
        session.settle()
        return
    body = _baseline(connection, schema, names)
    events.append(connection, schema, [Draft("baseline", script_actor(), body=body)], head=None, at=now())
    session.settle()
    session.tell(
        f"Event 1, the baseline, is written. Customers deleted already: {len(body['deleted'])}; "
        f"orders of customers who are not there: {body['missing_orders']}; "
        f"amounts that are no numbers, and so count as 0: {body['unreadable_amounts']}."
    )


def _write(session: Session, schema: Schema, body: dict[str, Any]) -> None:
    """An event of the migration, beyond the baseline."""
    session.settle()
    head = events.take_turns(session.connection, schema)
    draft = Draft("migrate", script_actor(), body=body)
    events.append(session.connection, schema, [draft], head=head, at=now())
    session.settle()


def _note_digests(session: Session, schema: Schema, wanted: Sequence[Piece]) -> None:
    """Writes down as what these pieces were made and what the server says of them, once they are: one that was made
    otherwise, or changed by hand since, is made anew next time."""
    names = {piece.name for piece in wanted if piece.digest and not piece.there}
    if names and session.dry_run:
        session.tell("Then one event (migrate) notes as what these were made.")
    elif names:
        made = pieces(session.connection, reflect(session.connection, session.settings), Known())
        _write(session, schema, {"digests": {piece.name: piece.digest for piece in made if piece.name in names}})


def _baseline(connection: Connection, schema: Schema, names: Sequence[str]) -> dict[str, Any]:
    missing = queries.count_missing_customer_orders(connection, schema)
    listed = queries.list_missing_customers(connection, schema, limit=MOST_MISSING) if missing else []
    deleted = queries.list_deleted_ids(connection, schema)
    orders = queries.count_orders_of_deleted(connection, schema) if deleted else {}
    unreadable, amounts = find_unreadable(connection, schema)
    return {
        "deleted": [[key, events.stamp(at), *orders[key]] for key, at in deleted],
        "missing": [list(one) for one in listed],
        "missing_orders": missing,
        "unreadable": amounts,
        "unreadable_amounts": unreadable,
        "mapping": schema.settings.fingerprint,
        "customers": queries.count_all_customers(connection, schema),
        "foreign_keys": dangerous_keys(connection, schema),
        "made": list(names),
    }
