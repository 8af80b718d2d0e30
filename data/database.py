"""The attached database: snapshot reads, and transactions with retry."""

from __future__ import annotations

import random
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Generic, TypeVar
from weakref import WeakKeyDictionary

from sqlalchemy import Connection, Engine
from sqlalchemy.engine import URL
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from data import queries
from data.compensation import taken_back
from data.engines import ENDED, make_engine, switch_to_log
from data.errors import BooksMoved, DatabaseUnavailable, EvenbooksError, NotMigrated, OutcomeUnknown
from data.faults import is_ended, is_lost, is_retried, is_waited_for, translated
from data.inspection import is_there, read_nothing
from data.reflection import reflect
from data.schema import MIGRATION, Schema
from data.settings import Settings, load_settings
from data.turns import Turns
from data.waiting import CHANGE, COMMIT, bound

T = TypeVar("T")
TRIES = 50
PATIENCE = 15  # seconds for all tries of a transaction
RECONNECTING = 5  # of them, for a database that does not answer
LONGEST_REST = 0.6  # seconds between two tries
RACES = 5  # that orders of others may win against a change in somebody's own transaction
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
_failed: tuple[float, EvenbooksError] | None = None  # when (monotonic) the last try to attach it ended, and how


def now() -> datetime:
    """The time in UTC, in whole seconds, which every engine keeps."""
    return datetime.now(UTC).replace(microsecond=0)


def attach(settings: Settings, *, engine: Engine | None = None) -> Database:
    """Connects, reads the tables, and makes sure that they are ready and that this account may read ours.

    Raises DatabaseUnavailable, ConfigurationError or NotMigrated, each saying what to do.
    """
    url = settings.url
    require_file(url)
    engine = engine or make_engine(url)
    with translated(url), engine.connect() as connection:
        schema = reflect(connection, settings)
        require_migrated(connection, schema)
        read_nothing(connection, schema.own.all)
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
        absent = [t.name for t in schema.own.all if is_there(connection, t.name) is False]
        missing = f"no {absent[0]} table" if absent else None
    if missing:
        raise NotMigrated(f"This database has {missing} yet. Run: python {MIGRATION} --dry-run")


def default() -> Database:
    """The database that the environment names, attached once a process; a failure is tried again next time.

    One tries for all who come meanwhile: where the database hangs, each would wait as long as the one before.
    """
    global _default, _failed
    come = time.monotonic()
    with _lock:
        if _default is None:
            if _failed and _failed[0] > come:
                raise type(_failed[1])(*_failed[1].args) from _failed[1]
            try:
                _default = attach(load_settings())
            except EvenbooksError as error:
                _failed = time.monotonic(), error
                raise
            switch_to_log(_default.engine)
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
    with translated(engine.url), _reading(engine) as connection:
        try:
            yield Snapshot(connection, now())
        finally:
            if not connection.invalidated:
                with _or_thrown_away(connection):
                    connection.rollback()
                    if engine.dialect.name == "sqlite":
                        connection.exec_driver_sql("PRAGMA query_only = OFF")
                        connection.rollback()
                    connection.info[ENDED] = True


@contextmanager
def _or_thrown_away(connection: Connection) -> Iterator[None]:
    """Where this fails, no one gets the connection again: one that refuses to write would refuse the next one's change."""
    try:
        yield
    except BaseException:
        connection.invalidate()
        connection.close()
        raise


def _reading(engine: Engine) -> Connection:
    """A connection whose snapshot is taken."""

    def begin() -> Connection:
        connection = engine.connect()
        with _or_thrown_away(connection):
            _take_snapshot(connection)
        return connection

    return _found_alive(begin)


def ask(database: Database, question: Callable[[Connection], T]) -> T:
    """The answer to one question of one statement, which needs no snapshot beside its own."""

    def once() -> T:
        with database.engine.connect() as connection:
            return question(connection)

    with translated(database.engine.url):
        return _found_alive(once)


def _found_alive(read: Callable[[], T]) -> T:
    """What this reads; again where its connection turned out to be dead, twice at the most.

    Who reads waits for no row: where that is said, it is a node that waited for its cluster in vain. It says what it is
    only when it is asked again, and then the next connection leads elsewhere.
    """
    for last in (False, False, True):
        try:
            return read()
        except DBAPIError as error:
            away = is_lost(error) or (is_waited_for(error) and not isinstance(error.orig, sqlite3.Error))
            nobody = error.statement is None  # every host has just been asked for a connection
            if last or nobody or not away:
                raise
    raise AssertionError("unreachable")


def _take_snapshot(connection: Connection) -> None:
    if connection.dialect.name == "sqlite":
        connection.exec_driver_sql("PRAGMA query_only = ON")
        connection.exec_driver_sql("SELECT 1 FROM sqlite_master LIMIT 1").all()  # this read fixes the snapshot
    elif connection.dialect.name == "postgresql":
        connection.exec_driver_sql("SET TRANSACTION READ ONLY; SELECT now()").close()  # the same
    else:
        connection.exec_driver_sql("START TRANSACTION WITH CONSISTENT SNAPSHOT, READ ONLY")


@dataclass
class _Try(Generic[T]):
    """One try of a transaction: when it began (monotonic) and whether it had a connection, the last event that it appended
    (id and hash), and its result once it is to be committed."""

    begun: float = field(default_factory=time.monotonic)
    connected: bool = False
    appended: list[tuple[int, str]] = field(default_factory=list)
    results: list[T] = field(default_factory=list)

    def is_committed(self, connection: Connection, schema: Schema) -> bool:
        """Whether its event is in the chain, asked under the chain's lock: nobody who still commits is overlooked.

        On a cluster the lock is one node's. Should the lost COMMIT still be pending on another, this try's own change
        and that one have the same next number in the chain, and the cluster lets only one of them through.
        """
        queries.lock_head(connection, schema)
        event_id, hash_ = self.appended[-1]
        return queries.event_hash(connection, schema, event_id) == hash_


def _run(this: _Try[T], database: Database, work: Callable[[Connection], T], doubtful: Sequence[_Try[T]]) -> T:
    """Works and commits. Where an earlier try was committed after all, answers that one's result instead."""
    engine = database.engine
    with engine.connect().execution_options(write=True, appended=this.appended) as connection:
        this.connected = True
        bound(connection.connection.dbapi_connection, CHANGE)
        with taken_back(connection), connection.begin():
            for earlier in doubtful:
                if earlier.is_committed(connection, database.schema):
                    return earlier.results[0]
            this.results.append(work(connection))
            bound(connection.connection.dbapi_connection, COMMIT)
        connection.info[ENDED] = True  # the next is its return to the pool
        return this.results[0]


def in_transaction(database: Database, work: Callable[[Connection], T], *, patient: bool = True) -> T:
    """Runs `work` in one writing transaction and commits; the whole of it again after a conflict of locks, or where the
    connection was lost.

    `work` must therefore do nothing but database work. Where COMMIT itself was lost, the next try first looks for the
    event that the lost one appended, so that nothing is done twice and what was done is told as done. Raises what `work`
    raises, after a rollback; DatabaseBusy where others hold the locks for more than some 15 seconds, or for 3 where this
    is not `patient`; DatabaseUnavailable where no database answers for some 5, and nothing was changed; OutcomeUnknown
    where COMMIT was lost and nobody can tell what became of it.
    """
    begun, lost_since, doubtful = time.monotonic(), 0.0, list[_Try[T]]()
    with translated(database.engine.url):
        for attempt in range(1, TRIES + 1):
            this = _Try[T]()
            try:
                return _run(this, database, work, doubtful)
            except PoolTimeout as error:
                if doubtful:
                    raise OutcomeUnknown from error
                raise
            except DBAPIError as error:
                lost, at = is_lost(error), time.monotonic()
                # A connection that was not to be had was waited for since this try began.
                lost_since = (lost_since or (at if this.connected else this.begun)) if lost else 0.0
                unheard = bool(this.results) and (lost or is_ended(error))
                if unheard and not this.appended:
                    raise OutcomeUnknown from error
                if unheard:
                    begun = begun if doubtful else at  # from now on it is about what became of this
                    doubtful.append(this)
                # Whatever came before, a node that is lost is no reason not to ask another.
                waited, patience = at - (lost_since or begun), RECONNECTING if lost and not doubtful else PATIENCE
                waits = patient or doubtful or not is_waited_for(error)
                again = lost or unheard or (is_retried(error) and waits)
                if not again or attempt == TRIES or waited > patience:
                    if doubtful:
                        raise OutcomeUnknown from error
                    raise
                time.sleep(random.uniform(0, min(LONGEST_REST, 0.02 * 2**attempt)))
    raise AssertionError("unreachable")


def try_writing(database: Database) -> None:
    """Writes nothing, as a writer would. Raises DatabaseReadOnly where the account or the server refuses.

    A database that is busy with somebody else's writing can be written to.
    """
    with translated(database.engine.url):
        for last in (False, True):
            try:
                with database.engine.connect().execution_options(write=True) as connection, connection.begin():
                    return queries.touch_chain(connection, database.schema)
            except DBAPIError as error:
                if is_retried(error):
                    return None
                if last or not is_lost(error):
                    raise
    raise AssertionError("unreachable")


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
        for _ in range(RACES):
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
