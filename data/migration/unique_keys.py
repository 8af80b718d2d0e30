"""The unique keys that the company has on e-mail addresses, and what our own is named."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import Connection, Table, text

from data.inspection import master, mentions, name_of_index, placed, quoted, quoted_table
from data.schema import Schema


@dataclass(frozen=True)
class UniqueKey:
    """A unique key of theirs with the e-mail column in it. `over` says of what; `drop` is empty where it cannot be dropped.

    `plain`: it is of the address alone, and of every row.
    """

    name: str
    over: str
    plain: bool
    drop: str


def index_name(connection: Connection, schema: Schema) -> str:
    """The name of our unique index."""
    return name_of_index(connection, schema.customer_table.name, "active_email")


def unique_keys(connection: Connection, schema: Schema) -> list[UniqueKey]:
    """The unique keys with the e-mail column in them, as a column or in an expression; not ours, not the primary key."""
    if "email" not in schema.present:
        return []
    readers = {"sqlite": _on_sqlite, "postgresql": _on_postgresql, "mysql": _on_mariadb}
    found = readers[schema.dialect](connection, schema.customer_table, schema.settings.customers.email)
    return [key for key in found if key.name != index_name(connection, schema)]


def _on_sqlite(connection: Connection, table: Table, email: str) -> list[UniqueKey]:
    listed = text('SELECT name, origin, partial FROM pragma_index_list(:name, :schema) WHERE "unique" = 1')
    found = []
    for name, origin, partial in connection.execute(listed, {"name": table.name, "schema": table.schema or "main"}):
        inner = text("SELECT name FROM pragma_index_info(:name, :schema)")
        columns = [row[0] for row in connection.execute(inner, {"name": name, "schema": table.schema or "main"})]
        statement = text(f"SELECT sql FROM {master(connection, table)} WHERE type = 'index' AND name = :name")
        sql = str(connection.execute(statement, {"name": name}).scalar() or "")
        known = [str(column) for column in columns if column is not None]
        if origin == "pk" or not (_has(known, email) or (None in columns and mentions(sql, email))):
            continue
        over = sql[sql.find("(") :] if sql else f"({', '.join(known)})"
        drop = f"DROP INDEX {placed(connection, table, name)}" if origin == "c" else ""
        found.append(UniqueKey(name, over, len(columns) == 1 and not partial, drop))
    return found


def _on_postgresql(connection: Connection, table: Table, email: str) -> list[UniqueKey]:
    statement = text(
        "SELECT i.relname, pg_get_indexdef(x.indexrelid) AS sql, x.indnkeyatts AS size, x.indpred IS NOT NULL AS partial, "
        "(SELECT conname FROM pg_constraint WHERE conindid = x.indexrelid AND contype = 'u') AS constraint_name, "
        "EXISTS (SELECT 1 FROM pg_attribute a WHERE a.attrelid = x.indrelid AND a.attname = :email "
        "AND a.attnum = ANY (x.indkey)) AS named, pg_get_expr(x.indexprs, x.indrelid) AS expressions "
        "FROM pg_index x JOIN pg_class i ON i.oid = x.indexrelid "
        "WHERE x.indrelid = CAST(:place AS regclass) AND x.indisunique AND NOT x.indisprimary ORDER BY i.relname"
    )
    alter, found = f"ALTER TABLE {quoted_table(connection, table)}", []
    for row in connection.execute(statement, {"place": quoted_table(connection, table), "email": email}):
        if not (row.named or mentions(row.expressions or "", email)):
            continue
        drop = f"DROP INDEX {placed(connection, table, row.relname)}"
        if row.constraint_name:
            drop = f"{alter} DROP CONSTRAINT {quoted(connection, row.constraint_name)}"
        over = row.sql.partition(" USING ")[2].partition(" ")[2]
        found.append(UniqueKey(row.relname, over, row.size == 1 and not row.partial, drop))
    return found


def _on_mariadb(connection: Connection, table: Table, email: str) -> list[UniqueKey]:
    statement = text(
        "SELECT s.index_name, s.column_name, c.generation_expression FROM information_schema.statistics s "
        "LEFT JOIN information_schema.columns c USING (table_schema, table_name, column_name) "
        "WHERE s.table_schema = COALESCE(:schema, DATABASE()) AND s.table_name = :name AND s.non_unique = 0 "
        "AND s.index_name <> 'PRIMARY' ORDER BY s.index_name, s.seq_in_index"
    )
    rows = connection.execute(statement, {"schema": table.schema, "name": table.name}).all()
    found = []
    for name in dict.fromkeys(row[0] for row in rows):
        parts = [(str(row[1]), str(row[2] or "")) for row in rows if row[0] == name]
        if not any(_has([column], email) or mentions(expression, email) for column, expression in parts):
            continue
        computed = any(expression for _, expression in parts)
        over = f"({', '.join(f'{column} = {words}' if words else column for column, words in parts)})"
        drop = f"ALTER TABLE {quoted_table(connection, table)} DROP INDEX {quoted(connection, name)}"
        found.append(UniqueKey(name, over, len(parts) == 1 and not computed, drop))
    return found


def _has(columns: list[str], email: str) -> bool:
    return email.casefold() in [column.casefold() for column in columns]


def unique_sentences(connection: Connection, schema: Schema) -> list[str]:
    """What is unique about e-mail addresses, and the choices."""
    name = schema.customer_table.name
    lines = []
    for key in unique_keys(connection, schema):
        how = (
            f"drop it yourself ({key.drop};)" if key.drop else "make the table anew without it (SQLite cannot drop it)"
        )
        choice = (
            "Keep it, and the address of a deleted customer cannot be used again, while restoring always works; "
            f"or {how} and run this with --active-unique, which keeps the addresses of active customers apart."
            if key.plain
            else "It is left as it is."
        )
        lines.append(f"E-mail addresses of {name} are kept apart by {key.name} {key.over}. {choice}")
    return lines
