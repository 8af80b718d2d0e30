"""Engines, snapshot reads, transactions with retry; what drivers raise becomes a sentence here."""

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

from sqlalchemy import Connection, Engine, create_engine, event, inspect
from sqlalchemy.engine import URL
from sqlalchemy.exc import DBAPIError, DisconnectionError, IntegrityError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.pool import PoolResetState

from data import queries
from data.errors import (
    ConfigurationError,
    Conflict,
    DatabaseBusy,
    DatabaseReadOnly,
    DatabaseUnavailable,
    EvenbooksError,
    InvalidInput,
    NotMigrated,
)
from data.reflection import reflect
from data.schema import MIGRATION, Schema
from data.settings import Settings, load_settings
from data.turns import Turns

T = TypeVar("T")
TRIES = 6
# Seconds: for a row that somebody holds, for a table that is being altered, and for all tries of a transaction. Whoever
# waits for a row holds the chain of events meanwhile, so others wait for them.
ROW_WAIT, TABLE_WAIT, PATIENCE = 3, 10, 15
LONGEST_PAUSE = 1.0  # seconds, after which a connection may have been lost unnoticed
# What a pooled connection is known by: when it came back (monotonic seconds), and that its transaction is over.
RETURNED, ENDED = "evenbooks_returned", "evenbooks_ended"
MOST_RECORDED = 20
SQL_MODE = (
    "REPLACE(REPLACE(CONCAT(@@sql_mode, ',STRICT_TRANS_TABLES'), 'NO_BACKSLASH_ESCAPES', ''), "
    "'PAD_CHAR_TO_FULL_LENGTH', '')"
)
# MariaDB's deadlock (1305: it took a savepoint along), lock wait, and "record has changed since last read"; SQLite
# says "locked".
RETRIED = {1213, 1305, 1205, 1020}
UNREACHABLE = {1040, 1044, 1045, 1049, 1053, 1077, 1079, 1927, 2002, 2003, 2005, 2006, 2013, 2014, 2055}
# Text that a column's character set or length cannot hold.
UNFIT = {1267, 1366, 1406}
SIGNALLED = 1644  # by a trigger of theirs
TOO_LARGE = {1264, 1690}
# A table or column that is not there, or SQL of the mapping that the server cannot read.
UNLIKE = {1046, 1054, 1064, 1146}
READ_ONLY = {1142, 1143, 1290, 1792, 1836, 1148}


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


def make_engine(url: URL) -> Engine:
    """An engine whose sessions are in UTC, strict, and in one snapshot a transaction."""
    if url.get_backend_name() == "sqlite":
        return _sqlite_engine(url)
    engine = create_engine(
        url.update_query_dict({"charset": "utf8mb4"}),
        hide_parameters=True,  # they are people's names and addresses, and errors are logged
        isolation_level="REPEATABLE READ",
        pool_size=10,
        max_overflow=20,
        pool_timeout=10,
        pool_reset_on_return=None,
        pool_recycle=1800,
        connect_args={
            "connect_timeout": 5,
            # Strict: an overlong name is an error, never a shorter name.
            # Without the modes that change what a text is: '\\n' as two characters, keys padded with blanks.
            "init_command": f"SET time_zone = '+00:00', sql_mode = {SQL_MODE}, "
            f"innodb_lock_wait_timeout = {ROW_WAIT}, lock_wait_timeout = {TABLE_WAIT}",
            # Nobody listens between the ends of a socket file, and reading the certificates takes 30 ms a connection.
            **({"ssl_disabled": True} if "unix_socket" in url.query else {}),
        },
    )
    _save_round_trips(engine)
    return engine


def _save_round_trips(engine: Engine) -> None:
    """Pings a connection only after a pause, and rolls one back on its return only where that has not been done.

    Each would be a round trip of every transaction, and a change has seven of its own.
    """

    @event.listens_for(engine, "checkout")
    def ping(connection: Any, record: Any, _fairy: object) -> None:
        returned = record.info.get(RETURNED)
        if returned is not None and time.monotonic() - returned > LONGEST_PAUSE:
            try:
                connection.ping(reconnect=False)
            except Exception as error:
                raise DisconnectionError from error  # the pool takes another, or connects anew

    @event.listens_for(engine, "reset")
    def roll_back(connection: Any, record: Any, state: PoolResetState) -> None:
        known = {} if record is None else record.info  # a detached connection does not come back
        known[RETURNED] = time.monotonic()
        if not (known.pop(ENDED, False) or state.transaction_was_reset):
            connection.rollback()


def _sqlite_engine(url: URL) -> Engine:
    engine = create_engine(url, hide_parameters=True, connect_args={"timeout": 5})

    @event.listens_for(engine, "connect")
    def prepare(connection: Any, _record: object) -> None:
        connection.isolation_level = None  # the driver's own transactions begin too late
        connection.execute("PRAGMA foreign_keys = ON")

    @event.listens_for(engine, "begin")
    def begin(connection: Connection) -> None:
        # A deferred transaction that reads and then writes fails at once when somebody wrote in between.
        write = connection.get_execution_options().get("write")
        connection.exec_driver_sql("BEGIN IMMEDIATE" if write else "BEGIN")

    return engine


def attach(settings: Settings, *, engine: Engine | None = None) -> Database:
    """Connects, reads the tables, and makes sure that they are ready.

    Raises DatabaseUnavailable, ConfigurationError or NotMigrated, each saying what to do.
    """
    url = settings.url
    if (
        url.get_backend_name() == "sqlite"
        and url.database
        and not Path(url.database.removeprefix("file:")).exists()
        and ":memory:" not in url.database
    ):
        raise DatabaseUnavailable(f"There is no database file {url.database}. DATABASE_URL names it.")
    engine = engine or make_engine(url)
    with translated(url), engine.connect() as connection:
        schema = reflect(connection, settings)
        require_migrated(connection, schema)
    database = Database(engine, settings, schema)
    _registry[engine] = (settings, schema, database.turns)
    return database


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
                    with connection.begin():
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
    with translated(connection.engine.url), in_utc(connection), connection.begin_nested():
        return work(connection, database)


@contextmanager
def in_utc(connection: Connection) -> Iterator[None]:
    """Somebody else's session in UTC for a while: MariaDB reads and writes TIMESTAMP in the session's zone."""
    if connection.dialect.name == "sqlite":
        yield
        return
    zone = connection.exec_driver_sql("SELECT @@session.time_zone").scalar_one()
    connection.exec_driver_sql("SET time_zone = '+00:00'")
    try:
        yield
    finally:
        if not connection.invalidated:
            connection.exec_driver_sql("SET time_zone = %s", (zone,))


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
    if hasattr(cursor, "mogrify"):
        return str(cursor.mogrify(statement, parameters or None))
    values = iter(parameters or ())

    def literal(_mark: object) -> str:
        value = next(values, None)
        if value is None:
            return "NULL"
        return str(value) if isinstance(value, (int, float)) else "'" + str(value).replace("'", "''") + "'"

    return re.sub(r"\?", literal, statement)


def error_code(error: DBAPIError) -> int | None:
    """The server's error number; SQLite has none."""
    arguments = getattr(error.orig, "args", ())
    return arguments[0] if arguments and isinstance(arguments[0], int) else None


def is_retried(error: DBAPIError) -> bool:
    """Whether the same transaction may well succeed when tried again."""
    return error_code(error) in RETRIED or "is locked" in str(error.orig)


@contextmanager
def translated(url: URL) -> Iterator[None]:
    """Turns what a driver raises into a sentence that says what and what next, without the password."""
    try:
        yield
    except IntegrityError as error:
        if error_code(error) == 1048 or "NOT NULL" in str(error.orig):
            raise
        raise Conflict(f"The database refused this because of another row: {_words(error)}") from error
    except DBAPIError as error:
        meaning = _meaning(error, url.render_as_string(hide_password=True))
        if meaning is None:
            raise
        raise meaning from error
    except PoolTimeout as error:
        raise DatabaseUnavailable("Every connection to the database is in use. Wait a moment and try again.") from error


def _words(error: DBAPIError) -> str:
    arguments = getattr(error.orig, "args", ())
    return str(arguments[-1]) if arguments else str(error.orig)


def _meaning(error: DBAPIError, url: str) -> EvenbooksError | None:
    code, words = error_code(error), _words(error)
    if is_retried(error):
        return DatabaseBusy("The database is busy: others hold its locks. Nothing was changed; try again.")
    if code in READ_ONLY or "readonly database" in words or "query_only" in words:
        return DatabaseReadOnly(f"This database can be read but not written to ({words}). Nothing was changed.")
    if (code == 1146 and "evenbooks_" in words) or "no such table: evenbooks_" in words:
        return NotMigrated(f"This database is not prepared yet ({words}). Run: python {MIGRATION} --dry-run")
    if code == SIGNALLED:
        return Conflict(f"A rule of the database refused this: {words}. Nothing was changed.")
    if code in TOO_LARGE or words == "integer overflow":
        return EvenbooksError(f"An amount is too large to be added exactly, so there is no total ({words}).")
    if code in UNFIT:
        return InvalidInput(f"This cannot be kept or looked for in this database: {words}.")
    if code in UNLIKE or any(sign in words for sign in ("no such table", "no such column", "syntax error")):
        return ConfigurationError(
            f"The database {url} is not what DATABASE_URL and the mapping in evenbooks.toml say, or no longer: {words}."
        )
    lost = error.connection_invalidated or code in UNREACHABLE
    if lost or any(sign in words for sign in ("unable to open", "not a database", "disk I/O", "is full", "malformed")):
        return DatabaseUnavailable(f"The database {url} does not answer: {words}.")
    return None
