"""The indexes: how each engine makes one while others work, and how it is removed."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, Table, inspect, text

from data.inspection import master, name_of_index, placed, quoted, quoted_table, unescaped
from data.migration.piece import Piece, ways


def index_piece(
    connection: Connection, table: Table, columns: Sequence[str], *, name_of: int = 1, option: str | None = None
) -> Piece:
    """An index on these columns, named after the first `name_of`; another one that begins with them serves as well."""
    name = name_of_index(connection, table.name, *columns[:name_of])
    found = inspect(connection).get_indexes(table.name, schema=table.schema)
    indexes: dict[str, Any] = {unescaped(index["name"]): index for index in found}
    broken = invalid_indexes(connection, table)
    serving = [index["column_names"] for key, index in indexes.items() if key not in broken and _is_whole(index)]
    there = any(listed[: len(columns)] == list(columns) for listed in serving)
    make, drop = index_statements(connection, table, name, columns)
    clash = None
    if not there and name in indexes and indexes[name]["column_names"] != list(columns):
        listed = ", ".join(map(str, indexes[name]["column_names"]))
        clash = f"{table.name} has an index {name} already, on other columns ({listed}; needed: {', '.join(columns)})"
    elif not there and name not in indexes and name_is_taken(connection, table, name):
        clash = f"There is something else named {name} already, where the index of {table.name} would be"
    return Piece(
        f"index {name}",
        table.name,
        there,
        make,
        drop if name in indexes else (),
        clash,
        option,
        clear=drop[:1] if name in broken else (),
        reads=True,
    )


def _is_whole(index: Any) -> bool:
    """Whether it is of every row, and in order: no partial one, no hash."""
    options = index.get("dialect_options", {})
    ordered = options.get("postgresql_using", "btree") == "btree"
    return ordered and not any(key.endswith("_where") for key in options)


def index_statements(
    connection: Connection, table: Table, name: str, columns: Sequence[str]
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """How the index is made, and how it is dropped; each next one where the server refuses the one before."""
    on, place = quoted_table(connection, table), quoted(connection, name)
    listed = ", ".join(quoted(connection, column) for column in columns)
    if connection.dialect.name == "postgresql":
        # Where the table is in partitions, it cannot be made concurrently.
        make = tuple(f"CREATE INDEX {way}{place} ON {on} ({listed})" for way in ("CONCURRENTLY ", ""))
        return make, (f"DROP INDEX {placed(connection, table, name)}",)
    if connection.dialect.name == "sqlite":
        place = f"{quoted(connection, table.schema)}.{place}" if table.schema else place
        return (f"CREATE INDEX {place} ON {quoted(connection, table.name)} ({listed})",), (f"DROP INDEX {place}",)
    endings = ways(connection, table, "INPLACE")
    instead = _index_of_foreign_key(connection, table, columns[0], name)
    make = tuple(f"CREATE INDEX {place} ON {on} ({listed}){ending.replace(',', '')}" for ending in endings)
    return make, tuple(f"ALTER TABLE {on} {instead}DROP INDEX {place}{ending}" for ending in endings)


def _index_of_foreign_key(connection: Connection, table: Table, column: str, name: str) -> str:
    """What must be put back with the index `name`: MariaDB drops the index that it made itself for a foreign key
    as soon as another one serves, and then does not let that one go."""
    inspector = inspect(connection)
    indexes = inspector.get_indexes(table.name, schema=table.schema)
    if any(unescaped(i["name"]) != name and i["column_names"][:1] == [column] for i in indexes):
        return ""
    keys = inspector.get_foreign_keys(table.name, schema=table.schema)
    names = [str(key["name"]) for key in keys if key["constrained_columns"] == [column]]
    return f"ADD INDEX {quoted(connection, names[0])} ({quoted(connection, column)}), " if names else ""


def invalid_indexes(connection: Connection, table: Table) -> set[str]:
    """Names of the table's indexes that an interrupted CREATE INDEX CONCURRENTLY left behind, of no use to anybody."""
    if connection.dialect.name != "postgresql":
        return set()
    statement = text(
        "SELECT i.relname FROM pg_index x JOIN pg_class i ON i.oid = x.indexrelid "
        "WHERE x.indrelid = CAST(:place AS regclass) AND NOT x.indisvalid"
    )
    return set(connection.execute(statement, {"place": quoted_table(connection, table)}).scalars())


def name_is_taken(connection: Connection, table: Table, name: str) -> bool:
    """Whether something of another table has the name: on MariaDB each table has names of its own."""
    if connection.dialect.name == "postgresql":
        place = {"place": placed(connection, table, name)}
        return connection.execute(text("SELECT to_regclass(:place)"), place).scalar() is not None
    if connection.dialect.name == "sqlite":
        statement = text(f"SELECT 1 FROM {master(connection, table)} WHERE lower(name) = lower(:name)")
        return connection.execute(statement, {"name": name}).first() is not None
    return False
