"""What drivers raise, told apart by the server's code and turned into sentences."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager

import psycopg
from sqlalchemy.engine import URL
from sqlalchemy.exc import DBAPIError, IntegrityError
from sqlalchemy.exc import TimeoutError as PoolTimeout

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
from data.hosts import ALONE, NOT_READY
from data.schema import MIGRATION

Code = int | str
# MariaDB's numbers, PostgreSQL's SQLSTATE; SQLite has words only.
# Deadlock, lock wait, "record has changed since last read"; serialization, deadlock, lock wait.
RETRIED: set[Code] = {1213, 1205, 1020, "40001", "40P01", "55P03"}
ENDED: set[Code] = {1317, 1969, 3024, "57014"}
WAITED_FOR: set[Code] = {1205, "55P03"}  # of them, those where somebody held a row for as long as one waits
UNREACHABLE: set[Code] = {1040, 1044, 1045, 1049, 1053, 1077, 1079, 1927}
UNREACHABLE |= {2002, 2003, 2005, 2006, 2012, 2013, 2014, 2055}  # the driver's own
# Too many connections of this account, this machine shut out after too many errors or never let in, no thread left.
UNREACHABLE |= {1203, 1226, 1129, 1130, 1135}
# A Galera node that finds itself alone while it commits: it is not known what became of that.
UNREACHABLE |= {NOT_READY, ALONE, "28000", "28P01", "3D000", "53300", "57P01", "57P02", "57P03"}
# What a column's character set, length or type cannot hold.
UNFIT: set[Code] = {1267, 1366, 1406, "22001", "22021", "22P02", "22P05", "22007", "22008", "42846"}
SIGNALLED: set[Code] = {1644, "P0001"}  # by a trigger of theirs
TOO_LARGE: set[Code] = {1264, 1690, "22003"}
# A table or column that is not there, or SQL of the mapping that the server cannot read.
NO_TABLE: set[Code] = {1146, "42P01"}
UNLIKE: set[Code] = {1046, 1054, 1064, 1305, "42703", "42601", "42883", "42804", "3F000", *NO_TABLE}
NOT_ALLOWED: set[Code] = {1142, 1143, "42501"}
NOT_GRANTED: set[Code] = {1044, 1227, *NOT_ALLOWED}  # also to the whole database, and what only administrators may
BINARY_LOG = 1419  # only who has SUPER may make triggers there
READ_ONLY: set[Code] = {1290, 1792, 1836, 1148, "25006", *NOT_ALLOWED}
NO_ROOM: set[Code] = {1021, 1114, "53100"}
# What SQLite says, and what servers repeat of the system and of their storage engines.
NO_ROOM_WORDS = ("disk is full", "No space left", "No more room", "error 28 ", "Errcode: 28")
NOT_NULL: set[Code] = {1048, "23502"}
CHECKED: set[Code] = {4025, "23514"}  # a CHECK of the table


def error_code(error: DBAPIError) -> Code | None:
    """MariaDB's error number, PostgreSQL's SQLSTATE; SQLite has none, nor has a connection that broke."""
    arguments = getattr(error.orig, "args", ())
    if arguments and isinstance(arguments[0], int):
        return arguments[0]
    return getattr(error.orig, "sqlstate", None)


def error_words(error: DBAPIError) -> str:
    """What the server said, without what it adds for programs."""
    primary = getattr(getattr(error.orig, "diag", None), "message_primary", None)
    words = str(primary or (getattr(error.orig, "args", None) or [error.orig])[-1])
    return " ".join(words.split()).rstrip(".")  # libpq's have several lines


def is_retried(error: DBAPIError) -> bool:
    """Whether the same transaction may well succeed when tried again."""
    return error_code(error) in RETRIED or _took_savepoint(error) or _is_locked(error)


def _took_savepoint(error: DBAPIError) -> bool:
    """Whether a deadlock took a savepoint along; MariaDB's number for it is also that of a function that is not there."""
    return error_code(error) == 1305 and "SAVEPOINT" in str(error.orig)


def is_waited_for(error: DBAPIError) -> bool:
    """Whether somebody holds a row, and was waited for in vain."""
    return error_code(error) in WAITED_FOR or _is_locked(error)


def _is_locked(error: DBAPIError) -> bool:
    """SQLite's words; a rule of theirs may say the same of a month, which is another kind of error."""
    return isinstance(error.orig, sqlite3.OperationalError) and "is locked" in str(error.orig)


def is_ended(error: DBAPIError) -> bool:
    """Whether the statement was ended from outside: by its limit of time, or by whoever looks after the server."""
    return error_code(error) in ENDED


def is_full(error: DBAPIError) -> bool:
    """Whether there is no room left where the database keeps its files."""
    return error_code(error) in NO_ROOM or any(sign in str(error.orig) for sign in NO_ROOM_WORDS)


@contextmanager
def translated(url: URL) -> Iterator[None]:
    """Turns what a driver raises into a sentence that says what and what next, without the password."""
    try:
        yield
    except IntegrityError as error:
        if _is_checked(error):
            raise _refused_by_check(error) from error
        if error_code(error) in NOT_NULL or "NOT NULL" in str(error.orig):
            raise
        raise Conflict(f"The database refused this because of another row: {error_words(error)}") from error
    except DBAPIError as error:
        meaning = _meaning(error, url.render_as_string(hide_password=True))
        if meaning is None:
            raise
        raise meaning from error
    except PoolTimeout as error:
        raise DatabaseUnavailable("Every connection to the database is in use. Wait a moment and try again.") from error


def _meaning(error: DBAPIError, url: str) -> EvenbooksError | None:
    code, words = error_code(error), error_words(error)
    if is_retried(error):
        return DatabaseBusy("The database is busy: others hold its locks. Nothing was changed; try again.")
    if _may_not_read(error):
        return ConfigurationError(
            f"This account may not read what Evenbooks needs ({words}). With an administrator's account, "
            f"python {MIGRATION} --dry-run says whether it is there, and python -m data.sql grants prints what this account needs."
        )
    if code in READ_ONLY or "readonly database" in words or "query_only" in words:
        return DatabaseReadOnly(f"This database can be read but not written to ({words}). Nothing was changed.")
    if (code in NO_TABLE and "evenbooks_" in words) or "no such table: evenbooks_" in words:
        return NotMigrated(f"This database is not prepared yet ({words}). Run: python {MIGRATION} --dry-run")
    if _is_checked(error):  # MariaDB's is no IntegrityError
        return _refused_by_check(error)
    if is_ended(error):
        return DatabaseUnavailable(
            f"The database ended this before it was done ({words}). Nothing was changed; try again, or ask whoever looks after it."
        )
    if code in SIGNALLED:
        return Conflict(f"A rule of the database refused this: {words}. Nothing was changed.")
    if is_full(error):
        return DatabaseReadOnly(
            f"The disk of the database is full ({words}). Nothing was changed; once there is room, try again."
        )
    if code in TOO_LARGE or words == "integer overflow":
        return EvenbooksError(f"An amount is too large to be added exactly, so there is no total ({words}).")
    # Without a code it never came to the server: a text with a NUL, which PostgreSQL's driver refuses.
    if code in UNFIT or (code is None and isinstance(error.orig, psycopg.DataError)):
        return InvalidInput(f"This cannot be kept or looked for in this database: {words}.")
    if code in UNLIKE or any(sign in words for sign in ("no such table", "no such column", "syntax error")):
        return ConfigurationError(
            f"The database {url} is not what DATABASE_URL and the mapping in evenbooks.toml say, or no longer: {words}."
        )
    if is_lost(error) or any(sign in words for sign in ("unable to open", "not a database", "disk I/O", "malformed")):
        return DatabaseUnavailable(f"The database {url} does not answer: {words}.")
    return None


def _may_not_read(error: DBAPIError) -> bool:
    """Whether it is reading that the account may not: MariaDB names the right, PostgreSQL only what it is a right on."""
    code, asked = error_code(error), (error.statement or "").lstrip().upper()
    if code == "42501":
        return asked.startswith(("SELECT", "WITH")) and " FOR UPDATE" not in asked
    return code in NOT_ALLOWED and error_words(error).startswith(("SELECT command", "SHOW "))


def _is_checked(error: DBAPIError) -> bool:
    return error_code(error) in CHECKED or "CHECK constraint failed" in str(error.orig)


def _refused_by_check(error: DBAPIError) -> Conflict:
    return Conflict(f"A CHECK of the table refused this: {error_words(error)}. Nothing was changed.")


def is_lost(error: DBAPIError) -> bool:
    """Whether the connection is gone, or was never made; psycopg then has no code. SQLite has none to lose."""
    code = error_code(error)
    broken = isinstance(error.orig, psycopg.OperationalError) and code is None
    return error.connection_invalidated or code in UNREACHABLE or broken or str(code).startswith("08")
