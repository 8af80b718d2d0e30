"""The column `deleted_at`: how it is made, also so that programs which insert by position do not see it."""

from __future__ import annotations

from sqlalchemy import Connection

from data.errors import ConfigurationError
from data.inspection import column_information, is_strict, quoted, quoted_table
from data.migration.piece import Piece, ways
from data.reflection import dialect_of
from data.schema import Schema

OPTION = "invisible"
# MariaDB's and MySQL's first versions with invisible columns.
INVISIBLE_SINCE = {True: (10, 3), False: (8, 0, 23)}


def column_pieces(connection: Connection, schema: Schema, hidden: bool) -> list[Piece]:
    """The column, and that it is invisible, where the engine knows such columns. `hidden`: it is to be."""
    column, table = schema.settings.customers.deleted_at, schema.customer_table
    alter, name = f"ALTER TABLE {quoted_table(connection, table)}", quoted(connection, column)
    # In full: a server with explicit_defaults_for_timestamp=0 would otherwise fill in the present time.
    kind = _kind(connection, schema)
    kind += " NULL DEFAULT NULL"
    add = f"{alter} ADD COLUMN {name} {kind}{' INVISIBLE' if hidden and schema.dialect == 'mysql' else ''}"
    make, remove = (tuple(sql + way for way in ways(connection, table)) for sql in (add, f"{alter} DROP COLUMN {name}"))
    found = [Piece(f"column {column}", table.name, schema.migrated, make, remove if schema.migrated else ())]
    if schema.dialect == "mysql":
        hide = tuple(f"{alter} MODIFY COLUMN {name} {kind} INVISIBLE{way}" for way in ways(connection, table))
        unseen = schema.migrated and is_invisible(connection, schema)
        found.append(
            Piece(f"invisible {column}", table.name, unseen, hide if schema.migrated else (), (), option=OPTION)
        )
    return found


def _kind(connection: Connection, schema: Schema) -> str:
    """The column's type. SQLite's STRICT tables know few types, and a time is text there."""
    if schema.dialect == "sqlite":
        return "TEXT" if is_strict(connection, schema.customer_table) else "TIMESTAMP"
    return "TIMESTAMP WITH TIME ZONE" if schema.dialect == "postgresql" else "TIMESTAMP"


def is_invisible(connection: Connection, schema: Schema) -> bool:
    """Whether the column is left out of SELECT * and of INSERT without column names."""
    extra = column_information(connection, schema.customer_table, schema.settings.customers.deleted_at, "extra")
    return "INVISIBLE" in extra.upper()


def can_hide(connection: Connection) -> bool:
    """Whether this server knows invisible columns."""
    if dialect_of(connection) != "mysql":
        return False
    version = connection.dialect.server_version_info or ()
    return tuple(version) >= INVISIBLE_SINCE[bool(getattr(connection.dialect, "is_mariadb", False))]


def refuse_invisible(connection: Connection, schema: Schema) -> None:
    """Raises ConfigurationError where --invisible is asked for and the engine has no invisible columns, but would need one."""
    if schema.dialect != "postgresql" and not can_hide(connection):
        what = "SQLite has" if schema.dialect == "sqlite" else "This version of the server has"
        raise ConfigurationError(
            f"{what} no invisible columns. Leave out --invisible, and have programs that insert into "
            f"{schema.customer_table.name} name the columns. Nothing was changed."
        )


def position_sentence(connection: Connection, schema: Schema, hidden: bool, ours: bool) -> str | None:
    """What a new column does to other programs that insert by position; None where it is no new column of ours."""
    table = schema.customer_table.name
    if schema.migrated and not ours:
        if not hidden:
            return None
        return "The column is the company's own, so other programs know it: --invisible leaves it as it is."
    if schema.dialect == "postgresql":
        fine = f"Programs that INSERT INTO {table} without column names go on working with one column more"
        return f"{fine}: --invisible is not needed." if hidden else None if schema.migrated else f"{fine}."
    if hidden or schema.migrated:
        return None
    cure = " With --invisible they go on." if can_hide(connection) else " Have them name the columns first."
    return f"Programs that INSERT INTO {table} without column names fail once there is one column more.{cure}"
