"""What an account may do, found by trying it on no rows."""

from __future__ import annotations

from uuid import uuid4

from sqlalchemy import Column, Connection, Delete, Table, TextClause, Update, delete, false, text, update
from sqlalchemy.exc import DBAPIError

from data.inspection import placed
from data.schema import Schema, literal_sql

# Found allowed, and then there was no such table: 1051 by DROP, 1146 by ALTER.
NO_SUCH_TABLE = {1051, 1146}
Attempt = Update | Delete | TextClause

LOCK_WAIT = 1  # seconds
HASHED = ("body", "hash", "prev", "id", "at", "action", "actor", "door", "reason", "customer_id", "batch_id")


def list_attempts(connection: Connection, schema: Schema) -> dict[str, list[Attempt]]:
    """Statements that find no row, or no table, to change, by what is tried with them; each of a list may do by itself.

    An account may have the right to one column only, so changes are tried column by column.
    """
    customers = schema.customer_table
    attempts: dict[str, list[Attempt]] = {
        "delete customers": [_delete(customers)],
        "change customer ids": [_change(customers, customers.c[schema.settings.customers.id])],
    }
    if schema.order_table is not None:
        mapping, orders = schema.settings.orders, schema.order_table
        names = (
            getattr(mapping, f) for f in ("total", "customer_id", "ordered_at", "id", "status", "cost", "currency")
        )
        columns = [orders.c[name] for name in dict.fromkeys(names) if name and name in orders.c]
        attempts["delete orders"] = [_delete(orders)]
        attempts["change orders"] = [_change(orders, column) for column in columns]
    events = schema.own.events
    attempts["delete events"] = [_delete(events)]
    attempts["change events"] = [_change(events, events.c[name]) for name in HASHED]
    attempts["delete records"] = [_delete(table) for table in schema.own.all if table is not events]
    attempts["drop or alter tables"] = _on_no_table(connection, schema)
    return attempts


def _on_no_table(connection: Connection, schema: Schema) -> list[Attempt]:
    """DROP and ALTER of a table that nobody has: MariaDB asks for the right before it looks for the table."""
    name = f"evenbooks_none_{uuid4().hex}"
    tables = [t for t in (schema.customer_table, schema.order_table) if t is not None]
    places = dict.fromkeys(placed(connection, table, name) for table in tables)
    words = ("DROP TABLE {}", "ALTER TABLE {} COMMENT ''")
    return [text(literal_sql(word.format(place))) for place in places for word in words]


def _delete(table: Table) -> Delete:
    return delete(table).where(false())


def _change(table: Table, column: Column[object]) -> Update:
    return update(table).values({column: column}).where(false())


def attempt(connection: Connection, statement: Attempt) -> None:
    """Runs one of them. Raises DBAPIError where the account may not."""
    try:
        connection.execute(statement).close()
    except DBAPIError as error:
        answer = next(iter(getattr(error.orig, "args", ())), None)  # the server's number
        if not isinstance(statement, TextClause) or answer not in NO_SUCH_TABLE:
            raise


def wait_shortly(connection: Connection) -> None:
    """Lets this connection (MariaDB's) give up soon where others hold a lock."""
    wait = f"SET SESSION lock_wait_timeout = {LOCK_WAIT}, innodb_lock_wait_timeout = {LOCK_WAIT}"
    connection.execute(text(wait))


def get_file(connection: Connection) -> str:
    """SQLite's file, whole path; empty for a database in memory."""
    statement = "SELECT file FROM pragma_database_list WHERE name = 'main'"
    return str(connection.execute(text(statement)).scalar() or "")
