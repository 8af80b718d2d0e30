"""Whether customers or orders are hidden from this account: by policies, or by a view or query that depends on who looks."""

from __future__ import annotations

import re
from typing import Any

from sqlalchemy import Connection, Row, Table, select, text
from sqlalchemy.exc import DBAPIError

from data.faults import NOT_ALLOWED, error_code, error_words
from data.inspection.names import mentions
from data.inspection.tables import kind_of, of_class
from data.schema import Lens, Schema

# By these a view or a query may show each account other rows. A column may have such a name, quoted or after a point.
MARIADB = r"(?:current_user|current_role)(?![\w`\"'])|(?:user|session_user|system_user|connection_id)\s*\("
POSTGRESQL = r"(?:current_user|session_user|system_user|current_role|user|current_setting|pg_has_role|pg_backend_pid)(?![\w`\"'])"
OF_THE_ACCOUNT = {
    name: re.compile(rf"(?<![\w.@`\"'])(?:{words})", re.IGNORECASE)
    for name, words in (("mysql", MARIADB), ("postgresql", POSTGRESQL))
}
# Every view, and whether its name alone finds it.
VIEWS = {
    "mysql": "SELECT table_schema AS place, table_name AS name, table_schema = DATABASE() AS near "
    "FROM information_schema.tables WHERE table_type = 'VIEW'",
    "postgresql": "SELECT n.nspname AS place, c.relname AS name, pg_table_is_visible(c.oid) AS near FROM pg_class c "
    "JOIN pg_namespace n ON n.oid = c.relnamespace "
    "WHERE c.relkind = 'v' AND n.nspname NOT IN ('pg_catalog', 'information_schema')",
}
# The SELECT of one; MariaDB leaves it empty where the account may not read it.
DEFINITION = {
    "mysql": "SELECT view_definition FROM information_schema.views WHERE table_schema = :place AND table_name = :name",
    "postgresql": "SELECT pg_get_viewdef(c.oid) FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace "
    "WHERE n.nspname = :place AND c.relname = :name",
}


def hidden_rows(connection: Connection, schema: Schema) -> str | None:
    """Why this account may not see every customer or every order, as sentences; None where it sees them all.

    SQLite has no accounts, so there it is None.
    """
    if schema.dialect == "sqlite":
        return None
    settings = schema.settings
    parts: list[tuple[Lens, Table | None, Any]] = [
        (schema.customers, schema.customer_table, settings.customers),
        (schema.orders, schema.order_table, settings.orders),
    ]
    found = []
    for lens, table, mapping in parts:
        words = _policies(connection, schema, lens, table)
        if not words:
            source = getattr(mapping, "query", None) if table is None else f"{table.schema or ''}.{table.name}"
            words = _by_who_looks(connection, schema, table, f"{source} {mapping.where or ''}")
        found.append(words)
    return " ".join(filter(None, found)) or None


def see_every_row(connection: Connection, schema: Schema) -> None:
    """Until the end of the transaction PostgreSQL refuses a statement whose rows a policy would filter."""
    if schema.dialect == "postgresql":
        connection.execute(text("SET LOCAL row_security = off"))


def _policies(connection: Connection, schema: Schema, lens: Lens, table: Table | None) -> str | None:
    """PostgreSQL's policies on the table itself, or on whatever a view or a query reads."""
    if schema.dialect != "postgresql":
        return None
    if table is not None and of_class(connection, table, "row_security_active(c.oid)"):
        names = "(SELECT string_agg(polname, ', ' ORDER BY polname) FROM pg_policy WHERE polrelid = c.oid)"
        listed = of_class(connection, table, names)
        policies = f" (policies: {listed})" if listed else ""
        return f"Row level security is on for {table.name}{policies}, so this account may not see every row of it."
    tried = connection.begin_nested()  # its end takes the setting back
    try:
        see_every_row(connection, schema)
        connection.execute(select(lens.c.id).limit(0)).close()
    except DBAPIError as error:
        if error_code(error) not in NOT_ALLOWED:
            raise
        return f"This account may not see every row of {_named(table)}: {error_words(error)}."
    finally:
        if not connection.invalidated:
            tried.rollback()
    return None


def _by_who_looks(connection: Connection, schema: Schema, table: Table | None, words: str) -> str | None:
    """What depends on who looks: this SQL, or a view that it names, or one that such a view names."""
    of_the_account = OF_THE_ACCOUNT[schema.dialect]
    name, ends = _named(table), "so this account may not see every row of it."
    if of_the_account.search(words):
        return f"{name} is read by a condition that depends on who looks, {ends}"
    views, waiting = list(connection.execute(text(VIEWS[schema.dialect]))), [words]
    while waiting and views:
        words = waiting.pop()
        named = [view for view in views if _names(words, view)]
        views = [view for view in views if view not in named]
        for view in named:
            place = {"place": view.place, "name": view.name}
            definition = str(connection.execute(text(DEFINITION[schema.dialect]), place).scalar() or "")
            if of_the_account.search(definition):
                itself = table is not None and view.name == table.name and kind_of(connection, table) == "view"
                what = "is a view" if itself else f"reads {view.name}, a view"
                return f"{name} {what} that depends on who looks, {ends}"
            waiting.append(definition)
    return None


def _named(table: Table | None) -> str:
    return "[orders] query" if table is None else table.name


def _names(words: str, view: Row[Any]) -> bool:
    """Whether SQL text may mean this view: another schema's is named with its schema."""
    return mentions(words, view.name) and (bool(view.near) or mentions(words, view.place))
