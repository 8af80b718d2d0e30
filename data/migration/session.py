"""One connection, and the one way for a statement into the database: printed, or printed and run."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import psycopg
from sqlalchemy import Connection, Engine, text
from sqlalchemy.exc import DBAPIError

from data.engines import make_engine
from data.errors import DatabaseReadOnly, DatabaseUnavailable, EvenbooksError
from data.faults import BINARY_LOG, NOT_GRANTED, Code, error_code, error_words, is_full, translated
from data.hosts import list_hosts
from data.migration.privileges import Lacking, lacking_of_file, sentence
from data.schema import literal_sql
from data.settings import Settings

Say = Callable[[str], None]
LOCK_WAIT = 5  # seconds
PAUSE = 0.2  # seconds
LONGEST = 7 * 24 * 3600  # seconds that a migration may take
CONCURRENTLY = "INDEX CONCURRENTLY"
TWO_AT_ONCE = (
    "Somebody else is running this migration on this database right now. Wait until it has ended, then run it again."
)
# MariaDB's refusals of an algorithm; PostgreSQL's of an index made concurrently, on a table in partitions.
REFUSED_ALGORITHM: set[Code] = {1845, 1846, "0A000"}
LOCKED: set[Code] = {1205, "55P03"}


@dataclass
class Session:
    """A connection, and how statements reach it: printed, or printed and run."""

    connection: Connection
    settings: Settings
    dry_run: bool
    say: Say

    @property
    def is_sqlite(self) -> bool:
        """Whether this is SQLite, where all of it is one transaction."""
        return self.connection.dialect.name == "sqlite"

    @property
    def is_postgresql(self) -> bool:
        """Whether this is PostgreSQL, where each statement is settled as on MariaDB, though none has to be."""
        return self.connection.dialect.name == "postgresql"

    def tell(self, line: str) -> None:
        """Says a sentence; in a dry run as a comment, so that the whole of it is SQL."""
        line = " ".join(line.splitlines())  # a comment of theirs may have several, which would be no comment of ours
        self.say(f"-- {line}" if self.dry_run else line)

    def run(self, *alternatives: str, table: str = "") -> None:
        """Prints a statement and, unless this is a dry run, runs it; the next one where the algorithm is refused."""
        for number, sql in enumerate(alternatives, start=1):
            self.say(f"{sql};")
            if self.dry_run:
                break
            try:
                self._execute(sql)
                break
            except DBAPIError as error:
                if error_code(error) not in REFUSED_ALGORITHM or number == len(alternatives):
                    special = _explained(error, table, sql)
                    if special:
                        raise special from error
                    raise
                self.settle()
                self.tell("The server refuses this way of doing it for this table, so it is done the next way.")
        if self.dry_run:
            for sql in alternatives[1:]:
                self.tell(f"Where the server refuses that, it is: {sql};")

    def _execute(self, sql: str) -> None:
        """Runs one statement and settles it; by itself, where PostgreSQL lets no transaction contain it."""
        alone = self.is_postgresql and CONCURRENTLY in sql
        driver = cast(psycopg.Connection, self.connection.connection.dbapi_connection) if alone else None
        self.settle()
        try:
            if driver:
                driver.autocommit = True
            self.connection.execute(text(literal_sql(sql))).close()
            self.settle()
        finally:
            if driver and not driver.closed:
                self.connection.rollback()
                driver.autocommit = False

    def run_outside(self, sql: str) -> bool:
        """The same for a PRAGMA that no transaction may contain. Answers whether it was done."""
        self.say(f"{sql};")
        if self.dry_run:
            return True
        self.connection.commit()
        driver = cast(sqlite3.Connection, self.connection.connection.dbapi_connection)
        try:
            found = driver.execute(sql).fetchone()
        except sqlite3.OperationalError:
            return False
        return bool(found) and str(found[0]).lower() == sql.rpartition(" ")[2].lower()

    def settle(self) -> None:
        """Ends the transaction where statements on tables would end it anyway."""
        if not self.is_sqlite:
            self.connection.commit()


def require_rights(session: Session, lacks: Sequence[Lacking]) -> None:
    """Raises DatabaseReadOnly, naming everything that the account lacks at once; a dry run says it and goes on."""
    if lacks and session.dry_run:
        session.tell(f"RED: {sentence(lacks)} The run itself would stop here.")
    elif lacks:
        raise DatabaseReadOnly(
            f"{sentence(lacks)} Or give --database-url an account that may; the dashboard does not need one. Nothing was changed."
        )


def _explained(error: DBAPIError, table: str, sql: str) -> EvenbooksError | None:
    """What the people who run the migration can do about it; None where it is nothing special."""
    words = error_words(error)
    if error_code(error) in LOCKED:
        left = "it changed nothing."
        if CONCURRENTLY in sql:
            left = "an unfinished index may be left, which serves nobody and is dropped when it continues."
        return DatabaseUnavailable(
            f"Others have held the table {table} for more than {LOCK_WAIT} seconds (an open transaction, a long query, "
            f"a backup), so this step was given up; {left} Run this again: it continues here."
        )
    if error_code(error) in NOT_GRANTED:
        return DatabaseReadOnly(
            f"This account may not run that statement ({words}). Run this with an account that may change tables "
            "(--database-url); the dashboard does not need one. Running it again continues here."
        )
    if error_code(error) == BINARY_LOG:
        return DatabaseReadOnly(
            f"This server writes a binary log and lets only few accounts make triggers, so the trigger of {table} was not "
            "changed. Run this with an account that has SUPER (--database-url), or have log_bin_trust_function_creators "
            "switched on. Running it again continues here."
        )
    return None


@contextmanager
def explained(engine: Engine) -> Iterator[None]:
    """Turns whatever a driver raises into a sentence, also what nobody foresaw."""
    try:
        with translated(engine.url), _without_room():
            yield
    except DBAPIError as error:
        raise EvenbooksError(
            f"The database refused a statement: {error_words(error)}. Once this is cured, run this again: it continues here."
        ) from error


@contextmanager
def _without_room() -> Iterator[None]:
    """A full disk, told without the promise of a single transaction that nothing was changed."""
    try:
        yield
    except DBAPIError as error:
        if not is_full(error):
            raise
        raise DatabaseReadOnly(
            f"The disk of the database is full ({error_words(error)}). Once there is room, run this again: it continues here."
        ) from error


@contextmanager
def open_engine(settings: Settings, engine: Engine | None) -> Iterator[Engine]:
    """The given engine, or one of our own, closed afterwards."""
    used = engine or make_engine(settings.url)
    try:
        yield used
    finally:
        if engine is None:
            used.dispose()


@contextmanager
def open_session(settings: Settings, dry_run: bool, say: Say, engine: Engine | None) -> Iterator[Session]:
    """A session of its own settings and lock, closed afterwards. On SQLite an error rolls all of it back."""
    _require_file(settings)
    with open_engine(settings, engine) as used, explained(used), used.connect() as connection:
        session = Session(connection, settings, dry_run, say)
        if session.is_sqlite:
            require_rights(session, lacking_of_file(settings.url.database or ""))
            if not dry_run:
                connection.execution_options(write=True)  # BEGIN IMMEDIATE: a second runner waits
            yield session
            connection.commit()
            return
        connection.detach()  # its settings must not come back from the pool
        if session.is_postgresql:
            connection.execute(text(f"SET lock_timeout = '{LOCK_WAIT}s'; SET statement_timeout = 0"))
            if not dry_run:
                _take_advisory_lock(session)
            connection.commit()
            yield session
            return
        # Their columns may have zero dates as defaults, which would stop every change of the table.
        wait = (
            f"SET SESSION lock_wait_timeout = {LOCK_WAIT}, innodb_lock_wait_timeout = {LOCK_WAIT}, "
            "sql_mode = REPLACE(REPLACE(@@sql_mode, 'NO_ZERO_IN_DATE', ''), 'NO_ZERO_DATE', '')"
        )
        connection.execute(text(wait))
        if getattr(connection.dialect, "is_mariadb", False):
            # A table that keeps its versions can otherwise have no new column; in those of old it is NULL, which is true.
            connection.execute(text("SET SESSION system_versioning_alter_history = 'KEEP'"))
        with ExitStack() as held:
            if not dry_run:
                _take_locks(session, held)
            yield session


def _require_file(settings: Settings) -> None:
    url = settings.url
    file = url.database or ""
    if url.get_backend_name() != "sqlite" or not file or ":memory:" in file or Path(file).exists():
        return
    if settings.is_demo:
        raise DatabaseUnavailable(
            f"There is no demo database yet ({file}). `make run` makes it; --database-url names another."
        )
    raise DatabaseUnavailable(f"There is no database file {file}. DATABASE_URL or --database-url names it.")


def _take_advisory_lock(session: Session) -> None:
    """Asks for the lock until LOCK_WAIT is over: the server keeps that of a run that was killed until it notices.

    It asks anew rather than wait within the server, where the other's CREATE INDEX CONCURRENTLY would wait for this one.
    """
    statement = text("SELECT pg_try_advisory_lock(hashtext('evenbooks migration'))")
    last = time.monotonic() + LOCK_WAIT
    while not session.connection.execute(statement).scalar():
        session.connection.commit()
        if time.monotonic() > last:
            raise DatabaseUnavailable(TWO_AT_ONCE)
        time.sleep(PAUSE)


def _take_locks(session: Session, held: ExitStack) -> None:
    """Takes the lock for as long as `held` is, and at most until this process ends.

    Each node of a cluster has locks of its own. Where the URL names several, the lock is taken on each that answers, in
    one order, so that of commands that work on different nodes one goes on.
    """
    hosts = sorted(list_hosts(session.settings.url))
    if len(hosts) == 1:
        _take_lock(session, session.connection)  # given back with the connection
        return
    locked = set[tuple[Any, ...]]()
    for host, port in hosts:
        engine = make_engine(session.settings.url.difference_update_query(["host"]).set(host=host, port=port))
        held.callback(engine.dispose)
        try:
            connection = held.enter_context(engine.connect())
        except DBAPIError:
            continue  # this one is not there, for anybody
        server = tuple(connection.execute(text("SELECT @@hostname, @@port, @@datadir")).one())
        if server in locked:
            continue  # two names of one server, where this very command has the lock
        locked.add(server)
        connection.execute(text(f"SET SESSION wait_timeout = {LONGEST}"))
        _take_lock(session, connection)
        connection.commit()


def _take_lock(session: Session, connection: Connection) -> None:
    try:
        name = "CONCAT('evenbooks.', SHA1(DATABASE()))"
        taken = connection.execute(text(f"SELECT GET_LOCK({name}, {LOCK_WAIT})")).scalar()
    except DBAPIError as error:
        if error_code(error) != 1235:
            raise
        session.tell("This cluster has no named locks: make sure that nobody else runs this at the same time.")
        return
    if taken != 1:
        raise DatabaseUnavailable(TWO_AT_ONCE)
