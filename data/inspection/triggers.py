"""Triggers of the company's tables, and PostgreSQL's rules, which do the same another way."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import Connection, Table, text

from data.inspection.names import master, quoted_table
from data.schema import literal_sql

# Internal ones are foreign keys, clones those of a partition's whole table; disabled ones do not run.
ON_POSTGRESQL = """
    WITH RECURSIVE family(oid) AS (
        SELECT CAST(to_regclass(:place) AS oid)
        UNION SELECT i.inhrelid FROM pg_inherits i JOIN family f ON i.inhparent = f.oid
    )
    SELECT t.tgname, concat(
        CASE WHEN t.tgtype & 2 > 0 THEN 'BEFORE ' WHEN t.tgtype & 64 > 0 THEN 'INSTEAD OF ' ELSE 'AFTER ' END,
        concat_ws(
            ' OR ', CASE WHEN t.tgtype & 4 > 0 THEN 'INSERT' END, CASE WHEN t.tgtype & 16 > 0 THEN 'UPDATE' END,
            CASE WHEN t.tgtype & 8 > 0 THEN 'DELETE' END, CASE WHEN t.tgtype & 32 > 0 THEN 'TRUNCATE' END
        )
    ), concat(pg_get_triggerdef(t.oid), '; ', pg_get_functiondef(t.tgfoid))
    FROM pg_trigger t
    WHERE t.tgrelid IN (SELECT oid FROM family) AND NOT t.tgisinternal AND t.tgparentid = 0
        AND t.tgenabled IN ('O', 'A')
    UNION ALL
    SELECT r.rulename, concat(
        CASE WHEN r.is_instead THEN 'INSTEAD OF ' END,
        CASE r.ev_type WHEN '2' THEN 'UPDATE' WHEN '3' THEN 'INSERT' WHEN '4' THEN 'DELETE' ELSE 'SELECT' END, ' (rule)'
    ), pg_get_ruledef(r.oid)
    FROM pg_rewrite r
    WHERE r.ev_class IN (SELECT oid FROM family) AND r.rulename <> '_RETURN' AND r.ev_enabled IN ('O', 'A')
    ORDER BY 1, 2
"""


@dataclass(frozen=True)
class Trigger:
    """A trigger of a table. `body` None: the account may not read it. SQLite has all of it in the body, and no `when`.

    `when` is such as BEFORE DELETE, or `INSTEAD OF UPDATE (rule)`. On PostgreSQL the body is its own definition and its function's.
    """

    name: str
    when: str
    body: str | None


def triggers_of(connection: Connection, table: Table) -> list[Trigger]:
    """The table's triggers that this account may see; MariaDB shows none to an account that may only read."""
    values: dict[str, str | None] = {"name": table.name}
    if connection.dialect.name == "sqlite":
        statement = f"SELECT name, '', sql FROM {master(connection, table)} WHERE type = 'trigger' AND lower(tbl_name) = lower(:name)"
    elif connection.dialect.name == "postgresql":
        statement, values = ON_POSTGRESQL, {"place": quoted_table(connection, table)}
    else:
        statement = (
            "SELECT trigger_name, CONCAT(action_timing, ' ', event_manipulation), action_statement "
            "FROM information_schema.triggers "
            "WHERE event_object_schema = COALESCE(:schema, DATABASE()) AND event_object_table = :name ORDER BY trigger_name"
        )
        values = {"schema": table.schema, "name": table.name}
    return [Trigger(*row) for row in connection.execute(text(statement), values)]


def shows_triggers(connection: Connection, table: Table) -> bool:
    """Whether a trigger of the table would be shown to this account: on MariaDB, to one that may also write to it."""
    if connection.dialect.name in ("sqlite", "postgresql") or triggers_of(connection, table):
        return True
    columns = connection.execute(text(literal_sql(f"SHOW FULL COLUMNS FROM {quoted_table(connection, table)}")))
    return any({"insert", "update"} & set(row.Privileges.split(",")) for row in columns)
