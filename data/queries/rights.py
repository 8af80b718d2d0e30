"""What an account may do, found by trying it on no rows."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any
from uuid import uuid4

import psycopg
from sqlalchemy import Column, Connection, Delete, Table, TextClause, Update, delete, false, text, update
from sqlalchemy.exc import DBAPIError

from data.faults import NO_TABLE, Code, error_code
from data.inspection import placed, quoted_table
from data.schema import Schema, literal_sql

# Found allowed, and then there was no such table: 1051 by DROP, 1146 by ALTER.
NO_SUCH_TABLE: set[Code] = {1051, *NO_TABLE}
Attempt = Update | Delete | TextClause

LOCK_WAIT = 1  # seconds
HASHED = ("body", "hash", "prev", "id", "at", "action", "actor", "door", "reason", "customer_id", "batch_id")
# PostgreSQL asks for no right on a table that is not there, and TRUNCATE is nothing to try, so these are asked of its
# catalogue. A partition may be altered, and deleted from, by itself. Nobody may on a server that follows another.
FAMILY = """
    WITH RECURSIVE family(oid) AS (
        SELECT CAST(to_regclass(:place) AS oid)
        UNION SELECT i.inhrelid FROM pg_inherits i JOIN family f ON i.inhparent = f.oid
    )
    SELECT NOT pg_is_in_recovery() AND bool_or({right}) FROM family f JOIN pg_class c ON c.oid = f.oid
    JOIN pg_namespace n ON n.oid = c.relnamespace
"""
OWNS = "pg_has_role(c.relowner, 'USAGE') OR pg_has_role(n.nspowner, 'USAGE')"  # of a table, or of its schema
EMPTIES = "has_table_privilege(c.oid, 'DELETE, TRUNCATE')"
CHANGES = "has_any_column_privilege(c.oid, 'UPDATE')"


def list_attempts(connection: Connection, schema: Schema) -> dict[str, list[Attempt]]:
    """Statements that find no row, or no table, to change, by what is tried with them; each of a list may do by itself.

    An account may have the right to one column only, so changes are tried column by column. On PostgreSQL some only ask.
    """
    customers = schema.customer_table
    attempts: dict[str, list[Attempt]] = {
        "delete customers": _delete(connection, customers),
        "change customer ids": _change(customers, customers.c[schema.settings.customers.id]),
    }
    if schema.order_table is not None:
        mapping, orders = schema.settings.orders, schema.order_table
        names = (
            getattr(mapping, f) for f in ("total", "customer_id", "ordered_at", "id", "status", "cost", "currency")
        )
        columns = [orders.c[name] for name in dict.fromkeys(names) if name and name in orders.c]
        attempts["delete orders"] = _delete(connection, orders)
        attempts["change orders"] = [one for column in columns for one in _change(orders, column)]
        if schema.dialect == "postgresql":
            attempts["change orders"] += [_asked(connection, orders, CHANGES)]
    events = schema.own.events
    attempts["delete events"] = _delete(connection, events)
    attempts["change events"] = [one for name in HASHED for one in _change(events, events.c[name])]
    attempts["delete records"] = [
        one for table in schema.own.all if table is not events for one in _delete(connection, table)
    ]
    attempts["drop or alter tables"] = _to_alter(connection, schema)
    return attempts


def _to_alter(connection: Connection, schema: Schema) -> list[Attempt]:
    """DROP and ALTER of a table that nobody has: MariaDB asks for the right before it looks for the table."""
    tables = [t for t in (schema.customer_table, schema.order_table) if t is not None]
    if schema.dialect == "postgresql":
        return [_asked(connection, table, OWNS) for table in [*tables, *schema.own.all]]
    name = f"evenbooks_none_{uuid4().hex}"
    places = dict.fromkeys(placed(connection, table, name) for table in tables)
    words = ("DROP TABLE {}", "ALTER TABLE {} COMMENT ''")
    return [text(literal_sql(word.format(place))) for place in places for word in words]


def _delete(connection: Connection, table: Table) -> list[Attempt]:
    tried: Attempt = delete(table).where(false())
    return [tried, _asked(connection, table, EMPTIES)] if connection.dialect.name == "postgresql" else [tried]


def _asked(connection: Connection, table: Table, right: str) -> TextClause:
    """A question about the table and its partitions, which answers yes or no."""
    return text(FAMILY.format(right=right)).bindparams(place=quoted_table(connection, table))


def _change(table: Table, column: Column[object]) -> list[Attempt]:
    """A change of the column that leaves it as it is; none of one that the server computes."""
    if column.computed is not None:
        return []
    always = column.identity is not None and column.identity.always  # nothing but DEFAULT is taken for it
    value: Any = text("DEFAULT") if always else column
    return [update(table).values({column: value}).where(false())]


def attempt(connection: Connection, statement: Attempt) -> bool:
    """Runs one of them, and answers whether the account may. Raises DBAPIError where it may not, or could not be tried.

    On PostgreSQL it is undone at once, with the locks it took.
    """
    try:
        with tried(connection):
            result = connection.execute(statement)
            return bool(result.scalar()) if result.returns_rows else True
    except DBAPIError as error:
        if not isinstance(statement, TextClause) or error_code(error) not in NO_SUCH_TABLE:
            raise
    return True


@contextmanager
def tried(connection: Connection) -> Iterator[None]:
    """What is run inside is undone on PostgreSQL, where an error would otherwise end the whole transaction."""
    if connection.dialect.name != "postgresql":
        yield
        return
    driver: Any = connection.connection.driver_connection
    driver.execute("SAVEPOINT evenbooks_tried")
    try:
        yield
    finally:
        with suppress(psycopg.OperationalError):  # the connection broke, and the statement has said so
            driver.execute("ROLLBACK TO SAVEPOINT evenbooks_tried; RELEASE SAVEPOINT evenbooks_tried")


def wait_shortly(connection: Connection) -> None:
    """Lets this connection give up soon where others hold a lock."""
    if connection.dialect.name == "postgresql":
        # Any session may take back that it only reads, so that is no protection, and would hide what it may do.
        connection.execute(text(f"SET lock_timeout = '{LOCK_WAIT}s'"))
        connection.execute(text("SET default_transaction_read_only = off"))
        connection.commit()
        return
    wait = f"SET SESSION lock_wait_timeout = {LOCK_WAIT}, innodb_lock_wait_timeout = {LOCK_WAIT}"
    connection.execute(text(wait))


def get_file(connection: Connection) -> str:
    """SQLite's file, whole path; empty for a database in memory."""
    statement = "SELECT file FROM pragma_database_list WHERE name = 'main'"
    return str(connection.execute(text(statement)).scalar() or "")
