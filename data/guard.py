"""The guard: a trigger that refuses physical deletes from a table; how it is made, and whether it stands as it was made."""

from __future__ import annotations

from typing import Literal

from sqlalchemy import Connection, Table, text
from sqlalchemy.exc import DBAPIError

from data.database import error_code
from data.inspection import LONGEST_NAME, master, placed, quoted, quoted_table
from data.schema import literal_sql

NO_SUCH_TRIGGER = 1360
HIDDEN = {1044, 1142, 1227}  # the account may not see it
REFUSALS = {
    "customers": "Evenbooks: customers are never deleted physically. Delete softly instead.",
    "orders": "Evenbooks: orders are never deleted, so that no revenue is lost.",
}
GuardState = Literal["there", "gone", "other", "unseen"]


def guard_name(table: Table) -> str:
    """The name of the trigger that refuses physical deletes from the table."""
    return f"evenbooks_guard_{table.name}"[:LONGEST_NAME]


def guard_statements(connection: Connection, table: Table, kind: str) -> tuple[str, str]:
    """The statement that makes the guard of the table, and the one that drops it. `kind`: customers or orders."""
    place = placed(connection, table, guard_name(table))
    on = quoted(connection, table.name) if connection.dialect.name == "sqlite" else quoted_table(connection, table)
    return f"CREATE TRIGGER {place} BEFORE DELETE ON {on} {_action(connection, kind)}", f"DROP TRIGGER {place}"


def _action(connection: Connection, kind: str) -> str:
    """What the trigger does: one statement that refuses."""
    if connection.dialect.name == "sqlite":
        return f"BEGIN SELECT RAISE(ABORT, '{REFUSALS[kind]}'); END"
    return f"FOR EACH ROW SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = '{REFUSALS[kind]}'"


def guard_state(connection: Connection, table: Table) -> tuple[GuardState, str]:
    """Whether the table's guard stands as it was made; where it is another trigger now, what that one does."""
    if connection.dialect.name == "sqlite":
        return _guard_on_sqlite(connection, table)
    statement = (
        "SELECT event_object_table, CONCAT(action_timing, ' ', event_manipulation), action_statement, "
        "@@lower_case_table_names FROM information_schema.triggers "
        "WHERE trigger_schema = COALESCE(:schema, DATABASE()) AND trigger_name = :name"
    )
    row = connection.execute(text(statement), {"schema": table.schema, "name": guard_name(table)}).first()
    if row is None:
        return _guard_unlisted(connection, table), ""
    same = str.casefold if row[3] else str  # where the server does not tell Customers from customers
    moved = (same(row[0]), row[1]) != (same(table.name), "BEFORE DELETE")
    if row[2] is None and not moved:
        return "unseen", ""
    whole = f"FOR EACH ROW {_flat(row[2] or 'something that this account may not read')}"
    if moved or whole not in [_action(connection, kind) for kind in REFUSALS]:
        return "other", f"{row[1]} ON {row[0]} {whole}"
    return "there", ""


def _guard_on_sqlite(connection: Connection, table: Table) -> tuple[GuardState, str]:
    listed = f"SELECT sql FROM {master(connection, table)} WHERE type = 'trigger' AND lower(name) = lower(:name)"
    sql = connection.execute(text(listed), {"name": guard_name(table)}).scalar()
    if sql is None:
        return "gone", ""
    begin = f"CREATE TRIGGER {quoted(connection, guard_name(table))} BEFORE DELETE ON"
    # A table that was renamed to and fro has its name in quotation marks there.
    names = (quoted(connection, table.name), '"' + table.name.replace('"', '""') + '"')
    ours = [_flat(f"{begin} {on} {_action(connection, kind)}") for on in names for kind in REFUSALS]
    return ("there", "") if _flat(sql) in ours else ("other", _flat(sql))


def _guard_unlisted(connection: Connection, table: Table) -> GuardState:
    """A trigger that is not listed is gone, or hidden from this account: asked by name, the server tells the two apart."""
    place = placed(connection, table, guard_name(table))
    try:
        connection.execute(text(literal_sql(f"SHOW CREATE TRIGGER {place}"))).close()
    except DBAPIError as error:
        if error_code(error) == NO_SUCH_TRIGGER:
            return "gone"
        if error_code(error) not in HIDDEN:
            raise
    return "unseen"


def _flat(sql: str) -> str:
    return " ".join(sql.split())
