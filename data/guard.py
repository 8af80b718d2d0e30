"""The guard: a trigger that refuses physical deletes from a table; how it is made, and whether it stands as it was made."""

from __future__ import annotations

from typing import Literal

from sqlalchemy import Connection, Table, text
from sqlalchemy.exc import DBAPIError

from data.faults import NOT_GRANTED, error_code
from data.inspection import LONGEST_NAME, master, placed, quoted, quoted_table, shortened
from data.schema import literal_sql

NO_SUCH_TRIGGER = 1360
REFUSALS = {
    "customers": "Evenbooks: customers are never deleted physically. Delete softly instead.",
    "orders": "Evenbooks: orders are never deleted, so that no revenue is lost.",
}
# PostgreSQL's kinds of trigger: BEFORE, and FOR EACH ROW DELETE, or FOR EACH STATEMENT TRUNCATE.
BEFORE_DELETE, BEFORE_TRUNCATE = 1 + 2 + 8, 2 + 32
GuardState = Literal["there", "gone", "other", "unseen"]


def guard_name(table: Table) -> str:
    """The name of the trigger that refuses physical deletes from the table; on PostgreSQL also its function's."""
    return f"evenbooks_guard_{table.name}"[:LONGEST_NAME]


def _names(connection: Connection, table: Table) -> tuple[str, str]:
    """Both triggers of PostgreSQL: the guard, and the one that refuses to empty the table."""
    return shortened(connection, guard_name(table)), shortened(connection, f"evenbooks_guard_truncate_{table.name}")


def guard_statements(connection: Connection, table: Table, kind: str) -> tuple[str, str]:
    """The statement that makes the guard of the table, and the one that drops it. `kind`: customers or orders.

    On PostgreSQL each is several, which are run as one.
    """
    if connection.dialect.name == "postgresql":
        return _statements_of_postgresql(connection, table, kind)
    place = placed(connection, table, guard_name(table))
    on = quoted(connection, table.name) if connection.dialect.name == "sqlite" else quoted_table(connection, table)
    return f"CREATE TRIGGER {place} BEFORE DELETE ON {on} {_action(connection, kind)}", f"DROP TRIGGER {place}"


def _statements_of_postgresql(connection: Connection, table: Table, kind: str) -> tuple[str, str]:
    names = _names(connection, table)
    on, function = quoted_table(connection, table), placed(connection, table, names[0])
    row, whole = (quoted(connection, name) for name in names)
    make = (
        f"CREATE OR REPLACE FUNCTION {function}() RETURNS trigger LANGUAGE plpgsql AS $evenbooks${_action(connection, kind)}$evenbooks$;\n"
        f"CREATE TRIGGER {row} BEFORE DELETE ON {on} FOR EACH ROW EXECUTE FUNCTION {function}();\n"
        f"CREATE TRIGGER {whole} BEFORE TRUNCATE ON {on} FOR EACH STATEMENT EXECUTE FUNCTION {function}()"
    )
    return make, f"{guard_clearing(connection, table)};\nDROP FUNCTION IF EXISTS {function}()"


def guard_clearing(connection: Connection, table: Table) -> str:
    """The statement that makes room for the guard, where something else stands in its place."""
    if connection.dialect.name != "postgresql":
        return guard_statements(connection, table, "customers")[1]
    on = quoted_table(connection, table)
    # The function may serve another trigger, and is replaced anyway.
    return ";\n".join(
        f"DROP TRIGGER IF EXISTS {quoted(connection, name)} ON {on}" for name in _names(connection, table)
    )


def _action(connection: Connection, kind: str) -> str:
    """What the trigger does: one statement that refuses."""
    if connection.dialect.name == "sqlite":
        return f"BEGIN SELECT RAISE(ABORT, '{REFUSALS[kind]}'); END"
    if connection.dialect.name == "postgresql":
        return f"BEGIN RAISE EXCEPTION '{REFUSALS[kind]}'; END"
    return f"FOR EACH ROW SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = '{REFUSALS[kind]}'"


def guard_state(connection: Connection, table: Table) -> tuple[GuardState, str]:
    """Whether the table's guard stands as it was made; where it is another trigger now, what that one does."""
    if connection.dialect.name == "sqlite":
        return _guard_on_sqlite(connection, table)
    if connection.dialect.name == "postgresql":
        return _guard_on_postgresql(connection, table)
    statement = (
        "SELECT event_object_table, CONCAT(action_timing, ' ', event_manipulation), action_statement, "
        "@@lower_case_table_names FROM information_schema.triggers "
        "WHERE trigger_schema = COALESCE(:schema, DATABASE()) AND trigger_name = :name"
    )
    values = {"schema": table.schema, "name": guard_name(table)}
    row = connection.execute(text(statement), values).first()
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
    name = guard_name(table)
    sql = connection.execute(text(listed), {"name": name}).scalar()
    if sql is None:
        return "gone", ""
    begin = f"CREATE TRIGGER {quoted(connection, name)} BEFORE DELETE ON"
    # A table that was renamed to and fro has its name in quotation marks there.
    names = (quoted(connection, table.name), '"' + table.name.replace('"', '""') + '"')
    ours = [_flat(f"{begin} {on} {_action(connection, kind)}") for on in names for kind in REFUSALS]
    return ("there", "") if _flat(sql) in ours else ("other", _flat(sql))


def _guard_on_postgresql(connection: Connection, table: Table) -> tuple[GuardState, str]:
    """Both triggers, switched on, without a condition, and with the very function that was made."""
    statement = (
        "SELECT t.tgname, t.tgtype, CAST(t.tgenabled AS text) AS enabled, t.tgqual IS NULL AS always, p.prosrc, l.lanname, "
        "p.proconfig IS NULL AS plain, pg_get_triggerdef(t.oid) AS definition "
        "FROM pg_trigger t JOIN pg_proc p ON p.oid = t.tgfoid JOIN pg_language l ON l.oid = p.prolang "
        "WHERE t.tgrelid = CAST(to_regclass(:place) AS oid) AND t.tgname IN (:row, :whole) ORDER BY t.tgtype"
    )
    row, whole = _names(connection, table)
    values = {"place": quoted_table(connection, table), "row": row, "whole": whole}
    found = connection.execute(text(statement), values).all()
    if not found:
        return "gone", ""
    ours = [_action(connection, kind) for kind in REFUSALS]
    whole_ones = {
        (t.tgname, t.tgtype)
        for t in found
        if t.enabled in "OA" and t.always and t.lanname == "plpgsql" and t.plain and _flat(t.prosrc) in ours
    }
    if whole_ones == {(row, BEFORE_DELETE), (whole, BEFORE_TRUNCATE)}:
        return "there", ""
    lacking = [name for name in (row, whole) if name not in [t.tgname for t in found]]
    told = [
        f"{_flat(t.definition)} {'' if t.enabled in 'OA' else '(disabled) '}{_flat(t.prosrc)}"
        for t in found
        if (t.tgname, t.tgtype) not in whole_ones
    ]
    return "other", "; ".join([*(f"{name} is gone" for name in lacking), *told])


def _guard_unlisted(connection: Connection, table: Table) -> GuardState:
    """A trigger that is not listed is gone, or hidden from this account: asked by name, the server tells the two apart."""
    place = placed(connection, table, guard_name(table))
    try:
        connection.execute(text(literal_sql(f"SHOW CREATE TRIGGER {place}"))).close()
    except DBAPIError as error:
        if error_code(error) == NO_SUCH_TRIGGER:
            return "gone"
        if error_code(error) not in NOT_GRANTED:
            raise
    return "unseen"


def _flat(sql: str) -> str:
    return " ".join(sql.split())
