"""`--views`: what other programs read instead of the customers' table, so that they show no deleted customers."""

from __future__ import annotations

import re

from sqlalchemy import Connection, Table, inspect, text

from data.inspection import is_there, master, placed, quoted, quoted_table
from data.migration.piece import Known, Piece, active_sql, alike, digest_of
from data.migration.unique import COLUMN
from data.reflection import dialect_of
from data.schema import Schema

OPTION = "views"
VIEWS = ("active_customers", "all_customers")
INVOKER_SINCE = (15,)  # PostgreSQL's views may ask for the rights of whoever reads them


def view_pieces(connection: Connection, schema: Schema, known: Known) -> list[Piece]:
    """The two views; others of these names that the migration did not make are left alone."""
    return [_piece(connection, schema, name, known) for name in VIEWS]


def _piece(connection: Connection, schema: Schema, name: str, known: Known) -> Piece:
    table, piece = schema.customer_table, f"view {name}"
    place, ours = placed(connection, table, name), piece in known.made
    make, wanted = _statement(connection, schema, name), _columns(schema)
    columns, said = _columns_of_view(connection, table, name), _definition(connection, table, name)
    digest = digest_of(make, said)
    same = columns == wanted and _means(said, make, table)
    there = columns == wanted and known.stands(piece, digest)
    clash, seen = None, columns is not None or is_there(connection, name, table.schema)
    if not (ours or same) and seen:
        clash = f"There is a table or view {name} already, which the migration did not make"
    # PostgreSQL replaces a view only by one with the same columns and perhaps more behind them.
    stays = columns is not None and columns == wanted[: len(columns)]
    replaced = schema.dialect == "mysql" or (schema.dialect == "postgresql" and stays)
    drop = (f"DROP VIEW {place}",) if (ours or same) and columns is not None else ()
    clear = () if there or replaced else drop
    # Asked for, it is tried: who may not see it may not make it either, and is told so.
    unseen = seen is None and OPTION not in known.asked
    return Piece(piece, name, there, (make,), drop, clash, OPTION, clear=clear, unseen=unseen, digest=digest)


def _statement(connection: Connection, schema: Schema, name: str) -> str:
    table = schema.customer_table
    place, where = placed(connection, table, name), schema.settings.customers.where
    begin = {
        "sqlite": f"CREATE VIEW {place} AS",
        "mysql": f"CREATE OR REPLACE SQL SECURITY INVOKER VIEW {place} AS",
        "postgresql": f"CREATE OR REPLACE VIEW {place}{_invoker(connection)} AS",
    }[schema.dialect]
    conditions = [*([active_sql(connection, schema)] if name == VIEWS[0] else []), *([f"({where})"] if where else [])]
    listed = ", ".join(quoted(connection, column) for column in _columns(schema))
    kept = f" WHERE {' AND '.join(conditions)}" if conditions else ""
    return f"{begin} SELECT {listed} FROM {quoted_table(connection, table)}{kept}"


def _invoker(connection: Connection) -> str:
    has = (connection.dialect.server_version_info or ()) >= INVOKER_SINCE
    return " WITH (security_invoker = true)" if has else ""


def _columns(schema: Schema) -> list[str]:
    """The company's columns in their order; deleted_at last where it is yet to be made."""
    names = [column.name for column in schema.customer_table.columns if column.name != COLUMN]
    return names if schema.migrated else [*names, schema.settings.customers.deleted_at]


def _columns_of_view(connection: Connection, table: Table, name: str) -> list[str] | None:
    """The view's columns in their order; None where there is no such view."""
    if not _is_view(connection, table, name):
        return None
    if dialect_of(connection) != "mysql":
        return [column["name"] for column in inspect(connection).get_columns(name, schema=table.schema)]
    statement = (
        "SELECT column_name FROM information_schema.columns "
        "WHERE table_schema = COALESCE(:schema, DATABASE()) AND table_name = :name ORDER BY ordinal_position"
    )
    return list(connection.execute(text(statement), {"schema": table.schema, "name": name}).scalars())


def _means(said: str, make: str, table: Table) -> bool:
    """Whether the view seems to read what this statement would have it read, by the server's own words for it."""
    parts = []
    for sql in (said, make):
        flat = re.sub(r"\s+", " ", sql)
        begin = re.search(r"\bfrom\b", flat, re.IGNORECASE)
        parts.append(flat[begin.start() :] if begin else "")
    return bool(parts[0]) and alike(parts[0], parts[1], table)


def _definition(connection: Connection, table: Table, name: str) -> str:
    """The view in the server's words, after whose rights it asks for; without words where this account may not read them."""
    if dialect_of(connection) != "mysql":
        if not _is_view(connection, table, name):
            return ""
        words = str(inspect(connection).get_view_definition(name, schema=table.schema) or "")
        return f"{_options(connection, table, name)}{words}" if connection.dialect.name == "postgresql" else words
    statement = (
        "SELECT view_definition, table_schema, security_type FROM information_schema.views "
        "WHERE table_schema = COALESCE(:schema, DATABASE()) AND table_name = :name"
    )
    row = connection.execute(text(statement), {"schema": table.schema, "name": name}).first()
    return f"{row[2]} {row[0]}".replace(f"`{row[1]}`.", "") if row else ""


def _options(connection: Connection, table: Table, name: str) -> str:
    statement = "SELECT reloptions FROM pg_class WHERE oid = CAST(:place AS regclass)"
    options = connection.execute(text(statement), {"place": placed(connection, table, name)}).scalar()
    return "".join(f"{option} " for option in options or ())


def _is_view(connection: Connection, table: Table, name: str) -> bool:
    if connection.dialect.name == "sqlite":
        statement = text(
            f"SELECT 1 FROM {master(connection, table)} WHERE type = 'view' AND lower(name) = lower(:name)"
        )
        return connection.execute(statement, {"name": name}).first() is not None
    return name in inspect(connection).get_view_names(schema=table.schema)
