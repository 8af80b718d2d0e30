"""What cannot serve, or cannot be done here: refused before anything runs, each with what to do."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime

from sqlalchemy import Connection

from data import queries
from data.errors import ConfigurationError
from data.inspection import is_clustered, is_view, quoted, quoted_table, storage, unusable
from data.inspection.deletion_column import described
from data.migration.column import refuse_invisible
from data.schema import Schema

FLAGS = ("INT", "BOOL", "BIT", "NUMERIC", "DECIMAL")
TIMES = ("DATETIME", "TIMESTAMP")
TEXTS = ("CHAR", "VARCHAR", "TEXT", "TINYTEXT", "MEDIUMTEXT", "LONGTEXT")  # as the servers begin them


def refuse_unusable(connection: Connection, schema: Schema) -> None:
    """Raises ConfigurationError where an existing deleted_at or the table of customers cannot serve."""
    mapping = schema.settings.customers
    if is_view(connection, schema.customer_table):
        raise ConfigurationError(
            f"{mapping.table} is a view, which can have no {mapping.deleted_at} of its own. Name the table behind it under "
            "[customers] table, with [customers] where for the part of it that are customers. Nothing was changed."
        )
    _refuse_uncopied(connection, schema)
    if not schema.migrated:
        return
    problem = unusable(connection, schema)
    cure = _cure(connection, schema, problem) if problem else ""
    if problem is None:
        strange = [key for key, at in queries.list_deleted_ids(connection, schema) if not isinstance(at, datetime)]
        if strange:
            shown = ", ".join(map(str, strange[:3]))
            problem = f"holds something that is no time in {len(strange)} rows (customer {shown}), and they would count as deleted"
            cure = "Set it to NULL for those who are active"
    if problem:
        raise ConfigurationError(
            f"{mapping.table}.{mapping.deleted_at} is there already, but it {problem}. Needed: a time that may be NULL, NULL "
            f"for active customers. {cure}, or name another column under [customers] deleted_at, which is then made. "
            "Nothing was changed."
        )


def _refuse_uncopied(connection: Connection, schema: Schema) -> None:
    """Raises ConfigurationError where the nodes of a cluster would each have other rows of a table."""
    if not is_clustered(connection):
        return
    for table in (table for table in (schema.customer_table, schema.order_table) if table is not None):
        kept = storage(connection, table)
        if kept is not None and kept[1] != "InnoDB":
            raise ConfigurationError(
                f"{table.name} is stored by {kept[1]}, which this cluster does not copy: its nodes would differ. "
                f"To convert it: ALTER TABLE {quoted_table(connection, table)} ENGINE=InnoDB; Nothing was changed."
            )


def _cure(connection: Connection, schema: Schema, problem: str) -> str:
    """What to do about a deleted_at with this problem, where the engine can do it: the beginning of a sentence.

    Nothing that is printed loses a stored time or who was deleted, nor moves a time by the session's zone or mode.
    """
    found = described(connection, schema)
    kind = found.kind if found else ""
    if problem.startswith("is computed"):
        return "Rename it"
    if any(flag in kind for flag in FLAGS) and not kind.startswith(TIMES):
        return "A flag cannot say when: rename it"
    if not kind.startswith((*TIMES, "DATE", *TEXTS)) or kind.endswith("[]"):
        return "Rename it"
    if schema.dialect == "sqlite":
        return "SQLite cannot change a column: make the table anew with a right one"
    statements = "; ".join(_mending(connection, schema, problem, kind))
    verb = (
        "Allow NULL" if problem.startswith("does not") else "Drop the default" if "default" in problem else "Change it"
    )
    once = " once every value is a time (one without a zone is UTC) or NULL" if kind.startswith(TEXTS) else ""
    return f"{verb}{once} ({statements};) and set it to NULL for those who are active"


def _mending(connection: Connection, schema: Schema, problem: str, kind: str) -> list[str]:
    """The statements that make a column of this kind (a time, a date or text) one that serves."""
    name = quoted(connection, schema.settings.customers.deleted_at)
    alter = f"ALTER TABLE {quoted_table(connection, schema.customer_table)}"
    column = f"{alter} ALTER COLUMN {name}"
    if problem.startswith("has the default"):
        return [f"{column} SET DEFAULT NULL"]
    if schema.dialect == "mysql":
        # A TIMESTAMP stays one: made a DATETIME, it would become what the session's clock says. Fractions stay too.
        anew = f"{alter} MODIFY {name} {kind if kind.startswith(TIMES) else 'DATETIME(6)'} NULL DEFAULT NULL"
        # Without strict mode text that is no time would become 0000-00-00.
        return ["SET sql_mode = 'STRICT_ALL_TABLES'", anew] if kind.startswith(TEXTS) else [anew]
    if kind.startswith(TIMES):
        return [f"{column} DROP NOT NULL"]
    free = f"{column} DROP DEFAULT, ALTER COLUMN {name} DROP NOT NULL"
    anew = f"{free}, ALTER COLUMN {name} TYPE TIMESTAMP WITH TIME ZONE USING CAST({name} AS TIMESTAMP WITH TIME ZONE)"
    return ["SET TIME ZONE 'UTC'", anew]


def refuse_options(connection: Connection, schema: Schema, asked: Collection[str]) -> None:
    """Raises ConfigurationError where what was asked for cannot be made here."""
    if "guard_orders" in asked:
        _refuse_orders(connection, schema)
    if "invisible" in asked:
        refuse_invisible(connection, schema)


def _refuse_orders(connection: Connection, schema: Schema) -> None:
    """Raises ConfigurationError where there is no table of orders to guard: triggers belong to tables."""
    if schema.order_table is None:
        raise ConfigurationError(
            "[orders] is a query, so there is no one table of orders to guard. Leave out --guard-orders. Nothing was changed."
        )
    if is_view(connection, schema.order_table):
        raise ConfigurationError(
            f"{schema.order_table.name} is a view, and only a table can be guarded. Leave out --guard-orders. Nothing was changed."
        )
