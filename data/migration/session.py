"""One connection, and the one way for a statement into the database: printed, or printed and run."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import cast

from sqlalchemy import Connection, Engine, text
from sqlalchemy.exc import DBAPIError

from data.database import error_code, make_engine, translated
from data.errors import DatabaseReadOnly, DatabaseUnavailable, EvenbooksError
from data.schema import literal_sql
from data.settings import Settings

Say = Callable[[str], None]
LOCK_WAIT = 5  # seconds
REFUSED_ALGORITHM = {1845, 1846}
NOT_ALLOWED = {1044, 1142, 1143, 1227}
BINARY_LOG = 1419  # only who has SUPER may make triggers there


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
                self.connection.execute(text(literal_sql(sql))).close()
                self.settle()
                break
            except DBAPIError as error:
                if error_code(error) not in REFUSED_ALGORITHM or number == len(alternatives):
                    special = _explained(error, table)
                    if special:
                        raise special from error
                    raise
                self.tell("The server refuses this way of doing it for this table; the next one also lets others work.")
        if self.dry_run and len(alternatives) > 1:
            self.tell("Where the server refuses that, it is: " + f"{alternatives[1]};")

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


def _explained(error: DBAPIError, table: str) -> EvenbooksError | None:
    """What the people who run the migration can do about it; None where it is nothing special."""
    words = error_words(error)
    if error_code(error) == 1205:
        return DatabaseUnavailable(
            f"Others have held the table {table} for more than {LOCK_WAIT} seconds (an open transaction, a long query, "
            "a backup), so this step was given up; it changed nothing. Run this again: it continues here."
        )
    if error_code(error) in NOT_ALLOWED:
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


def error_words(error: DBAPIError) -> str:
    """What the server said."""
    return str((getattr(error.orig, "args", None) or [error.orig])[-1])


@contextmanager
def explained(engine: Engine) -> Iterator[None]:
    """Turns whatever a driver raises into a sentence, also what nobody foresaw."""
    try:
        with translated(engine.url):
            yield
    except DBAPIError as error:
        raise EvenbooksError(
            f"The database refused a statement: {error_words(error)}. Once this is cured, run this again: it continues here."
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
            if not dry_run:
                connection.execution_options(write=True)  # BEGIN IMMEDIATE: a second runner waits
            yield session
            connection.commit()
            return
        connection.detach()  # its settings must not come back from the pool
        # Their columns may have zero dates as defaults, which would stop every change of the table.
        wait = (
            f"SET SESSION lock_wait_timeout = {LOCK_WAIT}, innodb_lock_wait_timeout = {LOCK_WAIT}, "
            "sql_mode = REPLACE(REPLACE(@@sql_mode, 'NO_ZERO_IN_DATE', ''), 'NO_ZERO_DATE', '')"
        )
        connection.execute(text(wait))
        if not dry_run:
            _take_lock(session)  # given back with the connection
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


def _take_lock(session: Session) -> None:
    try:
        name = "CONCAT('evenbooks.', SHA1(DATABASE()))"
        taken = session.connection.execute(text(f"SELECT GET_LOCK({name}, 0)")).scalar()
    except DBAPIError as error:
        if error_code(error) != 1235:
            raise
        session.tell("This cluster has no named locks: make sure that nobody else runs this at the same time.")
        return
    if taken != 1:
        raise DatabaseUnavailable(
            "Somebody else is running this migration on this database right now. Wait until it has ended, then run it again."
        )
