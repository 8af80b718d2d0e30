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
from data.inspection import dangerous_keys, is_view
from data.migration.found import say_found, say_todo
from data.migration.own import made_by_us, make_own_tables, own_present
from data.migration.pieces import Piece, pieces, refuse_unusable, too_long
from data.migration.session import Session
from data.migration.verifying import measure, verify
from data.reflection import reflect
from data.schema import Schema

MOST_MISSING = 10_000


def run_steps(session: Session, asked: Collection[str]) -> None:
    """The whole migration within a session. Each step looks first. `asked` are the options that were given."""
    connection = session.connection
    schema = reflect(connection, session.settings)
    refuse_unusable(connection, schema)
    if "guard_orders" in asked and schema.order_table is None:
        raise ConfigurationError(
            "[orders] is a query, so there is no one table of orders to guard. Leave out --guard-orders. Nothing was changed."
        )
    if "guard_orders" in asked:
        _refuse_view(connection, schema)
    say_found(session, schema)
    present = own_present(connection, schema)
    wanted = _wanted(session, schema, asked, present)
    todo = [piece for piece in wanted if not piece.there]
    say_todo(session, schema, todo, present)
    before = None if session.dry_run else measure(connection, schema)
    make_own_tables(session, schema, present)
    # A guard has a name of ours, so one that is there already is ours too.
    _record(session, schema, [piece for piece in wanted if not piece.there or piece.is_guard], present)
    for piece in todo:
        if not piece.outside:
            for sql in piece.clear:
                session.run(sql, table=piece.table)
            session.run(*piece.make, table=piece.table)
    if before is not None:
        verify(session, before, [piece.name for piece in todo])
    for piece in todo:
        if piece.outside and not session.run_outside(piece.make[0]):
            raise DatabaseUnavailable(
                "The file could not be switched to its write-ahead log: others have it open, or its disk does not "
                "allow that. All the rest is done; close the others and run this again."
            )
    if session.dry_run:
        session.tell("Nothing was changed: this was a dry run.")


def _refuse_view(connection: Connection, schema: Schema) -> None:
    """Raises ConfigurationError where the orders to guard are a view: triggers belong to tables."""
    orders = schema.order_table
    if orders is not None and is_view(connection, orders):
        raise ConfigurationError(
            f"{orders.name} is a view, and only a table can be guarded. Leave out --guard-orders. Nothing was changed."
        )


def _wanted(session: Session, schema: Schema, asked: Collection[str], present: set[str]) -> list[Piece]:
    """The pieces, the optional ones if asked for or once made; what cannot be made here is said and left out."""
    connection, found = session.connection, pieces(session.connection, schema)
    made = made_by_us(connection, schema) if schema.own.events.name in present else set()
    found = [piece for piece in found if not piece.option or piece.option in asked or piece.name in made]
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
    return _seen(session, found, asked)


def _seen(session: Session, found: Sequence[Piece], asked: Collection[str]) -> list[Piece]:
    """Without the pieces that this account cannot see, which are left as they are. Raises DatabaseReadOnly if asked for."""
    hidden = [piece for piece in found if piece.unseen]
    if any(piece.option in asked for piece in hidden):
        raise DatabaseReadOnly(
            f"This account may not see the triggers of {hidden[0].table}, nor make one: it needs the TRIGGER privilege "
            "there (--database-url names another account). Nothing was changed."
        )
    for piece in hidden:
        session.tell(f"This account may not see triggers, so the {piece.name} is left as it is.")
    return [piece for piece in found if not piece.unseen]


def _record(session: Session, schema: Schema, todo: Sequence[Piece], present: set[str]) -> None:
    """The baseline event, once; later an event of what is made beyond what the events say already."""
    connection, names = session.connection, [piece.name for piece in todo]
    own = schema.own.events
    begun = own.name in present and connection.execute(select(own.c.id).limit(1)).first() is not None
    if session.dry_run:
        fresh = [] if begun and set(names) <= made_by_us(connection, schema) else names
        if not begun or fresh:
            session.tell(
                f"Then one event ({'migrate' if begun else 'baseline'}) is written to evenbooks_events, and evenbooks_chain points to it."
            )
        return
    if begun or queries.get_head(connection, schema) is not None:
        fresh = [name for name in names if name not in made_by_us(connection, schema)]
        session.settle()
        if fresh:
            head = events.take_turns(connection, schema)
            draft = Draft("migrate", script_actor(), body={"made": fresh})
            events.append(connection, schema, [draft], head=head, at=now())
            session.settle()
        return
    body = _baseline(connection, schema, names)
    events.append(connection, schema, [Draft("baseline", script_actor(), body=body)], head=None, at=now())
    session.settle()
    session.tell(
        f"Event 1, the baseline, is written. Customers deleted already: {len(body['deleted'])}; "
        f"orders of customers who are not there: {body['missing_orders']}."
    )


def _baseline(connection: Connection, schema: Schema, names: Sequence[str]) -> dict[str, Any]:
    missing = queries.count_missing_customer_orders(connection, schema)
    listed = queries.list_missing_customers(connection, schema, limit=MOST_MISSING) if missing else []
    deleted = queries.list_deleted_ids(connection, schema)
    orders = queries.count_orders_of_deleted(connection, schema) if deleted else {}
    return {
        "deleted": [[key, events.stamp(at), *orders[key]] for key, at in deleted],
        "missing": [list(one) for one in listed],
        "missing_orders": missing,
        "mapping": schema.settings.fingerprint,
        "customers": queries.count_all_customers(connection, schema),
        "foreign_keys": dangerous_keys(connection, schema),
        "made": list(names),
    }
