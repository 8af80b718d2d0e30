"""What an account may do, found by trying it on no rows."""

from __future__ import annotations

from sqlalchemy import Column, Connection, Delete, Table, Update, delete, false, text, update

from data.schema import Schema

LOCK_WAIT = 1  # seconds
HASHED = ("body", "hash", "prev", "id", "at", "action", "actor", "door", "reason", "customer_id", "batch_id")


def list_attempts(schema: Schema) -> dict[str, list[Update | Delete]]:
    """Statements that find no row to change, by what is tried with them; each of a list may do by itself.

    An account may have the right to one column only, so changes are tried column by column.
    """
    attempts: dict[str, list[Update | Delete]] = {"delete customers": [_delete(schema.customer_table)]}
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
    return attempts


def _delete(table: Table) -> Delete:
    return delete(table).where(false())


def _change(table: Table, column: Column[object]) -> Update:
    return update(table).values({column: column}).where(false())


def attempt(connection: Connection, statement: Update | Delete) -> None:
    """Runs one of them. Raises DBAPIError where the account may not."""
    connection.execute(statement).close()


def wait_shortly(connection: Connection) -> None:
    """Lets this connection (MariaDB's) give up soon where others hold a lock."""
    wait = f"SET SESSION lock_wait_timeout = {LOCK_WAIT}, innodb_lock_wait_timeout = {LOCK_WAIT}"
    connection.execute(text(wait))


def get_file(connection: Connection) -> str:
    """SQLite's file, whole path; empty for a database in memory."""
    statement = "SELECT file FROM pragma_database_list WHERE name = 'main'"
    return str(connection.execute(text(statement)).scalar() or "")
