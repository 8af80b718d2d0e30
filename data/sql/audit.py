"""The questions of sql/audit/, filled for the attached database."""

from __future__ import annotations

from pathlib import Path

from sqlalchemy import Connection, text

from data.database import Database, snapshot
from data.errors import InvalidInput
from data.inspection import quoted, quoted_table
from data.migration.making import MOST_MISSING
from data.schema import Schema
from data.sql.filling import FOLDER, customers_sql, filled, literal_sql_of, orders_sql, read_template

# Modes of a server that give the questions another meaning. The rest stays, for what the mapping says in SQL.
UNFIT_MODES = ("ORACLE", "NO_BACKSLASH_ESCAPES", "PAD_CHAR_TO_FULL_LENGTH", "EMPTY_STRING_IS_NULL")
MODES = "REPLACE(" * len(UNFIT_MODES) + "@@sql_mode" + "".join(f", '{mode}', '')" for mode in UNFIT_MODES)
# What must come before or after, so that every statement sees the same moment, in UTC.
BEGIN = {
    "mysql": f"SET SESSION sql_mode = {MODES};\nSET NAMES utf8mb4;\nSET time_zone = '+00:00';\nSET SESSION TRANSACTION ISOLATION LEVEL REPEATABLE READ;\n"
    "START TRANSACTION WITH CONSISTENT SNAPSHOT, READ ONLY;\n",
    "sqlite": "BEGIN;\n",
    # A policy that hides rows from this account is an error then, and not a smaller total.
    "postgresql": "SET client_encoding = 'UTF8';\nSET standard_conforming_strings = on;\nSET datestyle = 'ISO';\nSET TIME ZONE 'UTC';\nSET extra_float_digits = 1;\n"
    "SET row_security = off;\nBEGIN ISOLATION LEVEL REPEATABLE READ, READ ONLY;\n",
}
END = "COMMIT;\n"
ABOUT = """-- Evenbooks: an audit in plain SQL. It reads, and writes nothing.
-- Each question says above it what it proves and what you should see. The first column is the question's name.
"""
NEEDED = {"chain": "hashes", "summary": "hashes"}  # questions that read what another one made


def question_names() -> list[str]:
    """The names of the questions, in order."""
    return list(dict.fromkeys(name for dialect in BEGIN for name in _templates(dialect)))


def _templates(dialect: str) -> dict[str, Path]:
    """The templates of an engine by name, in order: 01_months.sql is `months`."""
    return {path.stem.partition("_")[2]: path for path in sorted((FOLDER / "audit" / dialect).glob("*.sql"))}


def audit_sql(database: Database, name: str | None = None) -> str:
    """Every question as one script for the engine's own client, or the named one.

    Raises InvalidInput for a name that is none.
    """
    schema = database.schema
    templates = _templates(schema.dialect)
    if name is not None and name not in templates:
        raise InvalidInput(f"There is no question {name}. These are: {', '.join(templates)}.", field="name")
    with snapshot(database) as moment:
        values = _values(moment.connection, schema)
        where_to_look = search_path(moment.connection, schema.dialect)
    texts = {}
    for question, path in templates.items():
        texts[question] = filled(read_template(path), values)
        values[question] = _bare(texts[question])
    wanted = templates if name is None else [one for one in (NEEDED.get(name), name) if one in templates]
    parts = [ABOUT, where_to_look, BEGIN[schema.dialect], *(texts[one] for one in wanted if one), END]
    return "\n".join(filter(None, parts))


def search_path(connection: Connection, dialect: str) -> str:
    """PostgreSQL finds tables without a schema where the account looks for them: as the application's does."""
    if dialect != "postgresql":
        return ""
    schemas = connection.execute(text("SELECT unnest(current_schemas(false))")).scalars().all()
    return f"SET search_path = {', '.join(quoted(connection, one) for one in schemas)};"


def _bare(text: str) -> str:
    """A question's one statement, without the comments above it and the semicolon, to be counted by the summary."""
    lines = text.splitlines()
    while lines and lines[0].startswith("--"):
        lines.pop(0)
    return "\n".join(lines).strip().removesuffix(";")


def _values(connection: Connection, schema: Schema) -> dict[str, str]:
    """What the templates' placeholders stand for."""

    def literal(words: object) -> str:
        return literal_sql_of(connection, words)

    table, column = schema.customer_table, schema.settings.customers.deleted_at
    values = {
        **_parts(schema.dialect),
        "customers": customers_sql(connection, schema),
        "orders": orders_sql(connection, schema),
        "most_missing": str(MOST_MISSING),
        "fingerprint": literal(schema.settings.fingerprint),
        "customer_table": quoted_table(connection, table),
        "customer_table_name": literal(table.name),
        "deleted_at_name": literal(table.c[column].name),
    }
    of_engine = {"sqlite": _of_sqlite, "mysql": _of_mariadb, "postgresql": _of_postgresql}
    return values | of_engine[schema.dialect](connection, schema)


def _parts(dialect: str) -> dict[str, str]:
    """What several questions of an engine have in common, by name."""
    return {path.stem: read_template(path).rstrip() for path in (FOLDER / "audit" / dialect / "parts").glob("*.sql")}


def _of_mariadb(connection: Connection, schema: Schema) -> dict[str, str]:
    table, orders = schema.customer_table, schema.order_table
    found = "SHOW CREATE TABLE " + quoted_table(connection, orders) + ";" if orders is not None else ""
    return {
        "customer_schema": literal_sql_of(connection, table.schema) if table.schema else "DATABASE()",
        "show_order_table": found,
    }


def _of_postgresql(connection: Connection, schema: Schema) -> dict[str, str]:
    tables = [table for table in (schema.customer_table, schema.order_table) if table is not None]
    places = [literal_sql_of(connection, quoted_table(connection, table)) for table in tables]
    return {"customer_place": places[0], "mapped_places": ", ".join(f"({place})" for place in places)}


def _of_sqlite(connection: Connection, schema: Schema) -> dict[str, str]:
    def literal(words: object) -> str:
        return literal_sql_of(connection, words)

    tables = [table for table in (schema.customer_table, schema.order_table) if table is not None]
    master = "\nUNION ALL\n".join(
        "SELECT 'Tables' AS \"check\", name, sql "
        f"FROM {quoted(connection, table.schema or 'main')}.sqlite_master "
        f"WHERE type = 'table' AND lower(name) = lower({literal(table.name)})"
        for table in tables
    )
    keys = [
        'SELECT \'Foreign keys\' AS "check", "from", "table", "to", on_delete '
        f"FROM pragma_foreign_key_list({literal(table.name)}, {literal(table.schema or 'main')});"
        for table in tables[1:]
    ]
    return {
        "customer_schema": literal(schema.customer_table.schema or "main"),
        "table_definitions": master + ";",
        "foreign_keys": "\n".join(keys),
    }
