"""Opening a restored copy, comparing it, and writing the result down as an event of the live database."""

from __future__ import annotations

import secrets
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from typing import Any

from sqlalchemy import Connection, inspect

from data import events, queries
from data.access import Actor, Permission
from data.backup_check.comparing import compare
from data.backup_check.sides import Comparison
from data.database import Database, in_transaction, now, require_file, snapshot
from data.engines import make_engine
from data.errors import ConfigurationError, EvenbooksError
from data.events import Draft
from data.faults import translated
from data.integrity.look import Progress, no_progress
from data.reflection import reflect
from data.schema import Schema
from data.urls import parse_url

OPTION = "--restored-url"
MOST_KEPT = 10  # differences that the event names
LOOKS = (0.0, 0.5, 1.5)  # seconds after which a beat of the live database is looked for in the copy


def check(database: Database, restored_url: str, *, actor: Actor, progress: Progress = no_progress) -> Comparison:
    """Compares the copy at this URL with the live database, and keeps the result as an event. The copy is only read.

    Raises NotPermitted, and where nothing can be said EvenbooksError (ConfigurationError, DatabaseUnavailable): a copy of
    another database or mapping, one that is the live database itself or follows it, or lacks our tables.
    """
    actor.require(Permission.CHECK_BACKUPS)
    with _opened(database, restored_url) as copy:
        _require_copy(database, copy)
        with snapshot(copy) as theirs, snapshot(database) as ours:
            _require_origin(ours.connection, database.schema, theirs.connection, copy.schema)
            found = compare(ours, database.schema, theirs, copy.schema, progress=progress)
    found.event_id = _keep(database, found, actor)
    return found


@contextmanager
def _opened(database: Database, restored_url: str) -> Iterator[Database]:
    """The copy, read with the live database's mapping."""
    url = parse_url(restored_url, OPTION)
    if url.get_backend_name() != database.settings.url.get_backend_name():
        raise ConfigurationError(f"{OPTION} names another engine than DATABASE_URL; a copy is of the same.")
    require_file(url, OPTION)
    settings = database.settings.model_copy(update={"database_url": restored_url, "reports_database_url": None})
    engine = make_engine(url)
    try:
        with translated(url), engine.connect() as connection:
            schema = reflect(connection, settings)
            _require_tables(connection, schema)
        yield Database(engine, schema.settings, schema)
    finally:
        engine.dispose()


def _require_tables(connection: Connection, schema: Schema) -> None:
    own, inspector = schema.own, inspect(connection)
    absent = [
        t.name for t in (own.events, own.chain, own.seals, own.checks, own.heartbeat) if not inspector.has_table(t.name)
    ]
    if not schema.migrated or absent:
        missing = absent[0] if absent else schema.settings.customers.deleted_at
        raise ConfigurationError(
            f"The restored copy has no {missing}, so it is of no database that Evenbooks was installed in."
        )


def _require_copy(database: Database, copy: Database) -> None:
    """Raises EvenbooksError where what is written to the live database appears in the copy."""
    beat = secrets.token_hex(16)
    in_transaction(database, lambda c: queries.keep_beat(c, database.schema, beat, at=now()))
    for seconds in LOOKS:
        time.sleep(seconds)
        with snapshot(copy) as moment:
            seen = queries.last_beat(moment.connection, copy.schema)
        if seen and seen[0] == beat:
            raise EvenbooksError(
                f"{OPTION} leads to the live database itself, or to a replica that follows it; that says nothing of a "
                "backup. Restore the backup into a database of its own."
            )


def _require_origin(live: Connection, live_schema: Schema, copy: Connection, copy_schema: Schema) -> None:
    """Raises EvenbooksError where the two are not of one origin and one mapping."""
    first = queries.first_hash(live, live_schema)
    if first is None or queries.first_hash(copy, copy_schema) != first:
        raise EvenbooksError("The restored copy is of another database: its chain of events begins otherwise.")
    if copy_schema.mapping != live_schema.mapping:
        raise EvenbooksError(
            "The restored copy spells the mapped columns otherwise, so its figures cannot be compared."
        )


def _keep(database: Database, found: Comparison, actor: Actor) -> int:
    body: dict[str, Any] = {
        "passed": found.passed,
        "copy": asdict(found.head),
        "copy_at": found.copy_at,
        "figures": found.figures,
        "differences": found.differences[:MOST_KEPT],
        "difference_count": len(found.differences),
        "blind": found.blind[:MOST_KEPT],
        "unseen": len(found.blind) + len(found.unseen),
    }

    def write(connection: Connection) -> int:
        head = events.take_turns(connection, database.schema)
        draft = Draft("backup_check", actor, body=body)
        return events.append(connection, database.schema, [draft], head=head, at=now())[0]

    return in_transaction(database, write)
