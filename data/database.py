"""The attached database: snapshot reads, and transactions with retry."""

from __future__ import annotations

import random
import re
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TypeVar
from weakref import WeakKeyDictionary

import psycopg
from sqlalchemy import Connection, Engine, event, inspect
from sqlalchemy.engine import URL
from sqlalchemy.exc import DBAPIError

from data import queries
from data.compensation import taken_back
from data.engines import ENDED, make_engine
from data.errors import BooksMoved, DatabaseUnavailable, NotMigrated
from data.faults import is_retried, translated
from data.reflection import reflect
from data.schema import MIGRATION, Schema
from data.settings import Settings, load_settings
from data.turns import Turns

T = TypeVar("T")
TRIES = 6
PATIENCE = 15  # seconds for all tries of a transaction
MOST_RECORDED = 20
# How a session is asked for its zone and given one, and UTC in the server's words. None of it is a query: on PostgreSQL
# that would fix the snapshot before the chain's head is locked.
ZONE = {
    "mysql": ("SELECT @@session.time_zone", "SET time_zone = '{}'", "+00:00"),
    "postgresql": ("SHOW timezone", "SET TIME ZONE '{}'", "UTC"),
}


@dataclass(frozen=True)
class Database:
    """An attached database: its engine, the settings that led there, its schema, and who waits to change customers."""

    engine: Engine
    settings: Settings
    schema: Schema
    turns: Turns[Any, Any] = field(default_factory=Turns, repr=False, compare=False)


@dataclass(frozen=True)
class Snapshot:
    """A connection on which every read sees the database as of `at` (UTC)."""

    connection: Connection
    at: datetime


# What was read of each engine's database, for as long as somebody has the engine.
_registry: WeakKeyDictionary[Engine, tuple[Settings, Schema, Turns[Any, Any]]] = WeakKeyDictionary()
_lock = threading.Lock()
_default: Database | None = None


def now() -> datetime:
    """The time in UTC, in whole seconds, which every engine keeps."""
    return datetime.now(UTC).replace(microsecond=0)


def attach(settings: Settings, *, engine: Engine | None = None) -> Database:
    """Connects, reads the tables, and makes sure that they are ready.

    Raises DatabaseUnavailable, ConfigurationError or NotMigrated, each saying what to do.
    """
    url = settings.url
    require_file(url)
    engine = engine or make_engine(url)
    with translated(url), engine.connect() as connection:
        schema = reflect(connection, settings)
        require_migrated(connection, schema)
    database = Database(engine, schema.settings, schema)
    _registry[engine] = (schema.settings, schema, database.turns)
    return database


def require_file(url: URL, variable: str = "DATABASE_URL") -> None:
    """Raises DatabaseUnavailable where a file of SQLite is not there: connecting to it would make an empty one."""
    if (
        url.get_backend_name() == "sqlite"
        and url.database
        and not Path(url.database.removeprefix("file:")).exists()
        and ":memory:" not in url.database
    ):
        raise DatabaseUnavailable(f"There is no database file {url.database}. {variable} names it.")


def require_migrated(connection: Connection, schema: Schema) -> None:
    """Raises NotMigrated, naming what is missing and the command that makes it."""
    mapping = schema.settings.customers
    missing = None
    if not schema.migrated:
        missing = f"no {mapping.deleted_at} column on {mapping.table}"
    else:
        inspector = inspect(connection)
        absent = [t.name for t in schema.own.all if not inspector.has_table(t.name)]
        missing = f"no {absent[0]} table" if absent else None
    if missing:
        raise NotMigrated(f"This database has {missing} yet. Run: python {MIGRATION} --dry-run")


def default() -> Database:
    """The database that the environment names, attached once a process; a failure is tried again next time."""
    global _default
    with _lock:
        if _default is None:
            _default = attach(load_settings())
        return _default


def is_attached() -> bool:
    """Whether `default()` has a database at hand, so that nothing needs to be prepared for it."""
    return _default is not None


def forget_default() -> None:
    """Lets the next `default()` read the settings and attach anew."""
    global _default
    with _lock:
        if _default is not None:
            _default.engine.dispose()
        _default = None


def database_of(connection: Connection) -> Database:
    """The attached database behind somebody's own connection; attaches it on first sight."""
    known = _registry.get(connection.engine)
    if known is not None:
        return Database(connection.engine, *known)
    settings = load_settings(database_url=connection.engine.url.render_as_string(hide_password=False))
    return attach(settings, engine=connection.engine)


@contextmanager
def snapshot(database: Database) -> Iterator[Snapshot]:
    """One moment of the database, for every read of a screen; writes are refused inside."""
    engine = database.engine
    with translated(engine.url), engine.connect() as connection:
        if engine.dialect.name == "sqlite":
            connection.exec_driver_sql("PRAGMA query_only = ON")
            connection.exec_driver_sql("SELECT 1 FROM sqlite_master LIMIT 1").all()  # this read fixes the snapshot
        elif engine.dialect.name == "postgresql":
            connection.exec_driver_sql("SET TRANSACTION READ ONLY; SELECT now()").close()  # the same
        else:
            connection.exec_driver_sql("START TRANSACTION WITH CONSISTENT SNAPSHOT, READ ONLY")
        try:
            yield Snapshot(connection, now())
        finally:
            if not connection.invalidated:
                connection.rollback()
                if engine.dialect.name == "sqlite":
                    connection.exec_driver_sql("PRAGMA query_only = OFF")
                    connection.rollback()
                connection.info[ENDED] = True


def in_transaction(database: Database, work: Callable[[Connection], T], *, tries: int | None = None) -> T:
    """Runs `work` in one writing transaction and commits; the whole of it again after a conflict of locks.

    `work` must therefore do nothing but database work. Raises what `work` raises, after a rollback, and DatabaseBusy
    where others hold the locks for more than some 15 seconds.
    """
    last, tries = time.monotonic() + PATIENCE, tries or TRIES
    with translated(database.engine.url):
        for attempt in range(1, tries + 1):
            try:
                with database.engine.connect().execution_options(write=True) as connection:
                    with taken_back(connection), connection.begin():
                        result = work(connection)
                    connection.info[ENDED] = True  # the next is its return to the pool
                    return result
            except DBAPIError as error:
                if attempt == tries or not is_retried(error) or time.monotonic() > last:
                    raise
                time.sleep(random.uniform(0, 0.02 * 2**attempt))
    raise AssertionError("unreachable")


def try_writing(database: Database) -> None:
    """Writes nothing, as a writer would. Raises DatabaseReadOnly where the account or the server refuses.

    A database that is busy with somebody else's writing can be written to.
    """
    with translated(database.engine.url):
        try:
            with database.engine.connect().execution_options(write=True) as connection, connection.begin():
                queries.touch_chain(connection, database.schema)
        except DBAPIError as error:
            if not is_retried(error):
                raise


def in_transaction_of(connection: Connection | None, work: Callable[[Connection, Database], T]) -> T:
    """Runs `work` in the caller's transaction where a connection is given, else in one of its own.

    In the caller's transaction it is a savepoint: what raises leaves nothing of itself behind there either.
    """
    if connection is None:
        database = default()
        return in_transaction(database, lambda own: work(own, database))
    database = database_of(connection)
    if not connection.in_transaction():
        connection.execution_options(write=True)
    with translated(connection.engine.url), in_utc(connection):
        for _ in range(TRIES - 1):
            try:
                with connection.begin_nested():
                    return work(connection, database)
            except BooksMoved:
                # Unless the caller asked for more, PostgreSQL shows each statement another moment: between two of them
                # an order may have come in. What really moves the books does so every time.
                if connection.dialect.name != "postgresql":
                    raise
        with connection.begin_nested():
            return work(connection, database)


@contextmanager
def in_utc(connection: Connection) -> Iterator[None]:
    """Somebody else's session in UTC for a while: the servers read and write times in the session's zone."""
    if connection.dialect.name == "sqlite":
        yield
        return
    ask, put, utc = ZONE["postgresql" if connection.dialect.name == "postgresql" else "mysql"]
    zone = str(connection.exec_driver_sql(ask).scalar_one()).replace("'", "''")
    connection.exec_driver_sql(put.format(utc))
    try:
        yield
    finally:
        if not connection.invalidated:
            connection.exec_driver_sql(put.format(zone))


@contextmanager
def recorded(connection: Connection) -> Iterator[list[str]]:
    """Collects the statements that run meanwhile, with their values, each text once: evidence for whoever wants to run them."""
    statements: dict[str, str] = {}

    def note(_c: Connection, cursor: Any, statement: str, parameters: Any, _context: Any, many: bool) -> None:
        if statement not in statements and len(statements) < MOST_RECORDED:
            statements[statement] = statement if many else _with_values(cursor, statement, parameters)

    found: list[str] = []
    event.listen(connection, "before_cursor_execute", note)
    try:
        yield found
    finally:
        event.remove(connection, "before_cursor_execute", note)
        found.extend(statements.values())


def _with_values(cursor: Any, statement: str, parameters: Any) -> str:
    """The statement as the server gets it; SQLite's driver does not say, so there the values are put in here."""
    if isinstance(cursor, psycopg.Cursor):
        return str(psycopg.ClientCursor(cursor.connection).mogrify(statement, parameters))
    if hasattr(cursor, "mogrify"):
        return str(cursor.mogrify(statement, parameters or None))
    values = iter(parameters or ())

    def literal(_mark: object) -> str:
        value = next(values, None)
        if value is None:
            return "NULL"
        return str(value) if isinstance(value, (int, float)) else "'" + str(value).replace("'", "''") + "'"

    return re.sub(r"\?", literal, statement)
