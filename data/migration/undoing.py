"""Removes what the events say that the migration made."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, func, select

from data import events, queries
from data.errors import ConfigurationError, DatabaseReadOnly, EvenbooksError
from data.inspection import is_there
from data.migration.own import VERSION_TABLE, known_of, known_version, own_present, own_unseen
from data.migration.piece import Known, Piece
from data.migration.pieces import pieces
from data.migration.session import Session
from data.migration.verifying import deleted_rows
from data.reflection import reflect
from data.schema import Schema


def undo_steps(session: Session, file: Path) -> None:
    """The whole undo within a session."""
    connection = session.connection
    schema = reflect(connection, session.settings)
    present = own_present(connection, schema)
    _refuse_unseen(own_unseen(connection, schema, present))
    known_version(connection, "undo")
    if not present:
        session.tell("There is nothing to undo: this database has none of our tables.")
        return
    begun = schema.own.events.name in present
    known = known_of(connection, schema, present)
    made = set(known.made)
    todo = _to_remove(connection, schema, known)
    if begun:
        _refuse_once_erased(connection, schema)
    _refuse_while_deleted(connection, schema, made)
    if begun and session.dry_run:
        session.tell(f"First every event is written to {file.name}.")
    elif begun:
        count = _export(connection, schema, file)
        session.tell(f"{count} events are written to {file}.")
        _refuse_once_erased(connection, schema)
        _refuse_while_deleted(connection, schema, made)
    session.settle()
    for piece in todo:
        if not piece.outside:
            session.run(*piece.drop, table=piece.table)
            for sql in piece.also_drop:
                session.run(sql, table=piece.table)
    # Ours after theirs, the events last: an interrupted undo must still know what it has to do.
    order = [VERSION_TABLE, *(t.name for t in reversed(schema.own.all))]
    for name in [name for name in order if name in present]:
        session.run(f"DROP TABLE {name}", table=name)
    for piece in todo:
        if piece.outside and not session.run_outside(piece.drop[0]):
            session.tell("The file keeps its write-ahead log, because others have it open.")
    session.tell("Nothing was changed: this was a dry run." if session.dry_run else "Undone.")


def _refuse_unseen(unseen: Sequence[str]) -> None:
    """Raises DatabaseReadOnly where this account may not know which of our tables there are: the events may be among them."""
    if unseen:
        raise DatabaseReadOnly(
            f"This account may not see whether these are there: {', '.join(unseen)}. Give --database-url an account that has "
            "rights on the whole database. Nothing was changed."
        )


def _to_remove(connection: Connection, schema: Schema, known: Known) -> list[Piece]:
    """The pieces that we made and that are still there, the last first."""
    found = pieces(connection, schema, known)
    strange = sorted(set(known.made) - {piece.name for piece in found})
    if strange:
        raise ConfigurationError(
            f"The migration made {', '.join(strange)}, but with another mapping than today's. "
            "Run the undo with the configuration with which it was made. Nothing was changed."
        )
    return [piece for piece in reversed(found) if piece.name in known.made and piece.drop]


def _refuse_while_deleted(connection: Connection, schema: Schema, made: set[str]) -> None:
    """Raises EvenbooksError while anybody is deleted who was not before the migration."""
    deleted = deleted_rows(connection, schema)
    if f"column {schema.settings.customers.deleted_at}" not in made:
        deleted -= _deleted_at_first(connection, schema)
    if deleted:
        shown = ", ".join(sorted(map(str, deleted))[:3]) + (", ..." if len(deleted) > 3 else "")
        people = "1 customer has" if len(deleted) == 1 else f"{len(deleted)} customers have"
        raise EvenbooksError(
            f"{people} been deleted since the migration ({shown}), and would be active again without it. "
            "Restore whoever is deleted first, on the page Deleted Customers, then run the undo again. Nothing was changed."
        )


def _refuse_once_erased(connection: Connection, schema: Schema) -> None:
    """Raises EvenbooksError once anybody was erased: that they were is known by the events alone."""
    own = schema.own.events
    counted = select(func.count(own.c.customer_id.distinct())).where(own.c.action == "erase")
    erased = int(connection.execute(counted).scalar_one())
    if erased:
        people = "1 customer was" if erased == 1 else f"{erased} customers were"
        raise EvenbooksError(
            f"{people} erased, which only our events and deleted_at tell; without them nobody would know, and the blank rows would be "
            "active. So nothing can be undone any more. Nothing was changed."
        )


def _deleted_at_first(connection: Connection, schema: Schema) -> set[Any]:
    """Who was deleted before the migration, by the baseline; everybody where there is none yet."""
    own = schema.own.events
    if not is_there(connection, own.name):
        return deleted_rows(connection, schema)
    body = connection.execute(select(own.c.body).where(own.c.action == "baseline").order_by(own.c.id).limit(1)).scalar()
    return {key for key, *_ in json.loads(body)["deleted"]} if body else deleted_rows(connection, schema)


def _export(connection: Connection, schema: Schema, file: Path) -> int:
    """Writes every event as a line of JSON; answers how many. Never over another file."""
    count = 0
    try:
        with file.open("x", encoding="utf-8") as lines:
            for row in queries.stream_chain(connection, schema):
                event = {**row._mapping, "at": events.stamp(row.at)}
                lines.write(json.dumps(event, ensure_ascii=False) + "\n")
                count += 1
    except OSError as error:
        raise EvenbooksError(
            f"The events could not be written to {file} ({error.strerror}). Nothing was changed."
        ) from None
    return count
