"""Engines: connections whose sessions are in UTC, strict, and in one snapshot a transaction, on each database."""

from __future__ import annotations

import logging
import select
import sqlite3
import time
from contextlib import closing, suppress
from typing import Any

import psycopg
import pymysql
from psycopg.adapt import Loader
from psycopg.types.datetime import DateLoader, TimestampLoader, TimestamptzLoader
from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.engine import URL
from sqlalchemy.engine.interfaces import ExceptionContext
from sqlalchemy.exc import InvalidatePoolError
from sqlalchemy.pool import PoolResetState, QueuePool

from data.hosts import ALONE, NOT_READY, Connector
from data.waiting import GREET, PostgresConnection, bound

# Seconds: for a row that somebody holds, and for a table that is being altered. Whoever waits for a row holds the chain
# of events meanwhile, so others wait for them.
ROW_WAIT, TABLE_WAIT = 3, 10
# Seconds for which a session with something written may say nothing. Else a machine that vanished in the middle of a
# change would hold the chain until TCP gives it up, which takes hours.
IDLE = 60
# The same for one with nothing written yet: it may hold the chain's head, or read a long list for somebody who is slow.
IDLE_READING = 300
POOL_WAIT = 10  # seconds for a connection that comes back, where all are in use
LONGEST_PAUSE = 1.0  # seconds, after which a connection may have been lost unnoticed
# This node is without its cluster, or shutting down; this session was killed.
NO_MORE_WORK = {NOT_READY, ALONE, 1053, 1927}
WAITED_IN_VAIN = 1205
# What a pooled connection is known by: when it came back (monotonic seconds), and that its transaction is over.
RETURNED, ENDED = "evenbooks_returned", "evenbooks_ended"
# Strict: an overlong name is an error, never a shorter name.
# Without the modes that change what a text is: '\\n' as two characters, keys padded with blanks.
SQL_MODE = (
    "REPLACE(REPLACE(CONCAT(@@sql_mode, ',STRICT_TRANS_TABLES'), 'NO_BACKSLASH_ESCAPES', ''), "
    "'PAD_CHAR_TO_FULL_LENGTH', '')"
)
POOL: dict[str, Any] = {
    "hide_parameters": True,  # they are people's names and addresses, and errors are logged
    "isolation_level": "REPEATABLE READ",
    "pool_size": 10,
    "max_overflow": 20,
    "pool_timeout": POOL_WAIT,
    "pool_reset_on_return": None,
    "pool_recycle": 1800,
}
# A server that vanished without a word is noticed after some 25 seconds.
ALIVE = {"keepalives_idle": 10, "keepalives_interval": 5, "keepalives_count": 3, "tcp_user_timeout": 25_000}
POSTGRESQL_SESSION = (
    "SET TIME ZONE 'UTC'; SET datestyle = 'ISO'; SET standard_conforming_strings = on; SET bytea_output = 'hex'; "
    "SET extra_float_digits = 1; "  # else a double's text has fewer digits than the double
    f"SET lock_timeout = '{ROW_WAIT}s'"
)


def make_engine(url: URL) -> Engine:
    """An engine whose sessions are in UTC, strict, and in one snapshot a transaction."""
    makers = {"sqlite": _sqlite_engine, "postgresql": _postgresql_engine}
    return makers.get(url.get_backend_name(), _mariadb_engine)(url)


def _mariadb_engine(url: URL) -> Engine:
    hosts = Connector(url)
    engine = create_engine(
        url.update_query_dict({"charset": "utf8mb4"}),
        **POOL,
        connect_args={
            "init_command": f"SET time_zone = '+00:00', sql_mode = {SQL_MODE}, "
            f"innodb_lock_wait_timeout = {ROW_WAIT}, lock_wait_timeout = {TABLE_WAIT}"
            f"/*M!100301 , idle_write_transaction_timeout = {IDLE}, idle_readonly_transaction_timeout = {IDLE_READING} */",
            # Nobody listens between the ends of a socket file, and reading the certificates takes 30 ms a connection.
            **({"ssl_disabled": True} if "unix_socket" in url.query else {}),
        },
    )

    @event.listens_for(engine, "do_connect")
    def connect(_dialect: object, _record: object, _given: object, arguments: dict[str, Any]) -> Any:
        return hosts.connect(arguments)

    @event.listens_for(engine, "handle_error")
    def leave(context: ExceptionContext) -> None:
        # A node that lost its cluster, or is about to stop, answers; but another will do the work. So it will where this
        # one waited for its cluster in vain, which it tells in the words of a row that somebody holds.
        error = context.original_exception
        code = error.args[0] if isinstance(error, pymysql.err.Error) and error.args else None
        there = (
            context.connection.connection.dbapi_connection if code == WAITED_IN_VAIN and context.connection else None
        )
        if code in NO_MORE_WORK or (there is not None and hosts.waited_in_vain(there)):  # type: ignore[arg-type]
            context.is_disconnect = True

    _save_round_trips(engine, hosts.look)
    return engine


def _or_text(kind: type[Loader]) -> type[Loader]:
    """The driver's loader of a time, which raises for `infinity` and years before Christ: those come as their text."""

    class OrText(kind):  # type: ignore[valid-type,misc]
        """The time, or what PostgreSQL writes for it."""

        def load(self, data: Any) -> Any:
            """A date or a datetime, else the text itself."""
            try:
                return super().load(data)
            except psycopg.DataError:
                return bytes(data).decode()

    return OrText


TIMES: dict[str, Any] = {
    "date": _or_text(DateLoader),
    "timestamp": _or_text(TimestampLoader),
    "timestamptz": _or_text(TimestamptzLoader),
}


def _postgresql_engine(url: URL) -> Engine:
    engine = create_engine(
        url,
        **POOL,
        # No prepared statements: they break where a pooler stands between, and where the migration alters a table.
        connect_args={"connect_timeout": 5, "prepare_threshold": None, "client_encoding": "utf8", **ALIVE},
    )

    @event.listens_for(engine, "do_connect")
    def connect(_dialect: object, _record: object, given: Any, arguments: dict[str, Any]) -> Any:
        return PostgresConnection.connect(*given, **arguments)

    @event.listens_for(engine, "connect")
    def prepare(connection: Any, _record: object) -> None:
        for name, loader in TIMES.items():
            connection.adapters.register_loader(name, loader)
        connection.execute(POSTGRESQL_SESSION)
        connection.commit()

    _save_round_trips(engine, _ping_postgresql)
    return engine


def _ping_postgresql(connection: Any) -> None:
    """Raises where nobody answers at once; the driver itself would wait for as long as the server is there."""
    server, last = connection.pgconn, time.monotonic() + GREET
    server.send_query(b"")
    server.flush()
    answered = False
    while not answered:
        while server.is_busy():
            if not select.select([server.socket], [], [], max(0.0, last - time.monotonic()))[0]:
                raise psycopg.OperationalError(f"the server has not answered for {GREET} s")
            server.consume_input()
        answered = server.get_result() is None


def _save_round_trips(engine: Engine, look_alive: Any) -> None:
    """Pings a connection only after a pause, and rolls one back on its return only where that has not been done.

    Each would be a round trip of every transaction, and a change has seven of its own.
    """

    @event.listens_for(engine, "checkout")
    def look(connection: Any, record: Any, _fairy: object) -> None:
        returned = record.info.get(RETURNED)
        if returned is not None and time.monotonic() - returned > LONGEST_PAUSE:
            try:
                look_alive(connection)
            except Exception as error:
                # Another is connected anew, and so are all that rested: each would have to be waited for like this one.
                raise InvalidatePoolError from error

    @event.listens_for(engine, "reset")
    def roll_back(connection: Any, record: Any, state: PoolResetState) -> None:
        known = {} if record is None else record.info  # a detached connection does not come back
        known[RETURNED] = time.monotonic()
        if not (known.pop(ENDED, False) or state.transaction_was_reset):
            bound(connection, GREET)
            connection.rollback()
        bound(connection, None)


def switch_to_log(engine: Engine) -> None:
    """Gives a SQLite file its write-ahead log again, which a copy made with VACUUM INTO has lost: without it whoever reads
    keeps everybody from writing. Left as it is where others have the file open, or where it cannot be written to."""
    if engine.dialect.name != "sqlite":
        return
    with closing(engine.raw_connection()) as connection, suppress(sqlite3.Error):
        cursor = connection.cursor()
        if cursor.execute("PRAGMA journal_mode").fetchone() == ("delete",):
            (mode,) = cursor.execute("PRAGMA journal_mode = WAL").fetchone()
            logging.getLogger("evenbooks").warning("The database file had no write-ahead log; it is now: %s.", mode)


def _sqlite_engine(url: URL) -> Engine:
    in_file = url.get_dialect().get_pool_class(url) is QueuePool  # type: ignore[attr-defined]
    waiting = {"pool_timeout": POOL_WAIT} if in_file else {}
    engine = create_engine(url, hide_parameters=True, connect_args={"timeout": 5}, **waiting)

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
