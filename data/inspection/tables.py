"""The mapped tables as such: how they are stored, what kind they are, and what to beware of."""

from __future__ import annotations

from contextlib import closing
from typing import Any, Literal

from sqlalchemy import Connection, Table, text

from data import hosts
from data.inspection.names import master, quoted_table

Kind = Literal["table", "view", "materialized view", "foreign table"]
KINDS: dict[str, Kind] = {"v": "view", "m": "materialized view", "f": "foreign table"}  # PostgreSQL's


def storage(connection: Connection, table: Table) -> Any:
    """Whether the table's engine has transactions (YES, NO), that engine, and roughly how many rows; None if unknown.

    Only MariaDB has such a thing: ask nothing of the others.
    """
    statement = (
        "SELECT e.transactions, t.engine, t.table_rows FROM information_schema.tables t "
        "JOIN information_schema.engines e ON e.engine = t.engine "
        "WHERE t.table_schema = COALESCE(:schema, DATABASE()) AND t.table_name = :name"
    )
    return connection.execute(text(statement), {"schema": table.schema, "name": table.name}).first()


def is_clustered(connection: Connection) -> bool:
    """Whether this is a node of a Galera cluster."""
    if connection.dialect.name in ("sqlite", "postgresql"):
        return False
    with closing(connection.connection.cursor()) as cursor:
        return hosts.is_clustered(cursor)


def roughly(connection: Connection, table: Table) -> int | None:
    """How many rows PostgreSQL thinks that the table has; None where it was never counted (ANALYZE)."""
    found = of_class(connection, table, "c.reltuples")
    return None if found is None or found < 0 else int(found)


def of_class(connection: Connection, table: Table, what: str) -> Any:
    """An expression on PostgreSQL's description `c` of a table; None where it is not there any more."""
    statement = f"SELECT {what} FROM pg_class c WHERE c.oid = CAST(to_regclass(:place) AS oid)"
    return connection.execute(text(statement), {"place": quoted_table(connection, table)}).scalar()


def kind_of(connection: Connection, table: Table) -> Kind:
    """What the mapped table is. Anything but a table has neither foreign keys nor triggers that could be relied on."""
    if connection.dialect.name == "postgresql":
        return KINDS.get(of_class(connection, table, "CAST(c.relkind AS text)"), "table")
    if connection.dialect.name == "sqlite":
        statement = f"SELECT type FROM {master(connection, table)} WHERE lower(name) = lower(:name) AND type = 'view'"
        return "view" if connection.execute(text(statement), {"name": table.name}).first() is not None else "table"
    statement = (
        "SELECT table_type FROM information_schema.tables "
        "WHERE table_schema = COALESCE(:schema, DATABASE()) AND table_name = :name"
    )
    kind = connection.execute(text(statement), {"schema": table.schema, "name": table.name}).scalar()
    return "view" if str(kind).upper() == "VIEW" else "table"


def is_view(connection: Connection, table: Table) -> bool:
    """Whether the mapped table is something else than a table: a view, or a table of another server."""
    return kind_of(connection, table) != "table"


def is_strict(connection: Connection, table: Table) -> bool:
    """Whether SQLite holds the table's columns to their types."""
    if (connection.dialect.server_version_info or ()) < (3, 37):
        return False  # it has no such tables
    statement = "SELECT strict FROM pragma_table_list WHERE lower(name) = lower(:name) AND schema = :schema"
    return bool(connection.execute(text(statement), {"name": table.name, "schema": table.schema or "main"}).scalar())


def has_policies(connection: Connection, table: Table) -> bool:
    """Whether PostgreSQL's row level security is on for the table, whoever is under it."""
    return bool(of_class(connection, table, "c.relrowsecurity"))


def cautions(connection: Connection, table: Table) -> list[str]:
    """What else should be known of the table before figures of it are relied on."""
    found = []
    kind = kind_of(connection, table)
    if kind == "foreign table":
        found.append(
            f"{table.name} is a foreign table: what its own server does with it (keys, triggers, rolling back) cannot be seen here."
        )
    if connection.dialect.name == "postgresql" and of_class(connection, table, "c.relpersistence = 'u'"):
        found.append(
            f"{table.name} is UNLOGGED: after a crash of the server it is empty. To keep its rows: "
            f"ALTER TABLE {quoted_table(connection, table)} SET LOGGED;"
        )
    return found


def column_information(connection: Connection, table: Table, column: str, what: str) -> str:
    """A field of MariaDB's description of a column; empty where there is no such column."""
    statement = (
        f"SELECT {what} FROM information_schema.columns "
        "WHERE table_schema = COALESCE(:schema, DATABASE()) AND table_name = :name AND column_name = :column"
    )
    values = {"schema": table.schema, "name": table.name, "column": column}
    return str(connection.execute(text(statement), values).scalar() or "")
