"""The questions of sql/debug/, filled for the attached database: what somebody asks who looks for a fault by hand."""

from __future__ import annotations

import re
from collections.abc import Collection
from itertools import takewhile
from pathlib import Path

from sqlalchemy import Connection

from data.database import require_file
from data.engines import make_engine
from data.errors import InvalidInput
from data.events import GENESIS
from data.faults import translated
from data.inspection import quoted, quoted_table
from data.migration.own import VERSION_TABLE, own_present, own_versions
from data.reflection import reflect
from data.schema import MIGRATION, Schema
from data.settings import Settings
from data.sql.audit import BEGIN, END, search_path
from data.sql.filling import FOLDER, customers_sql, filled, literal_sql_of, orders_sql, read_template

ABOUT = """-- Evenbooks: questions for whoever looks for a fault. It reads, and writes nothing.
-- Each is announced by a row that says what you should see. The first column is the question's name.
"""
# Rows and not comments, which no client shows: an answer without a row would look like a question that was never asked.
HEADING = "SELECT {title} AS {check}, {expected} AS you_should_see;\n"
LEFT_OUT = "SELECT {title} AS {check}, 'LEFT OUT' AS verdict, {why} AS why;\n"
# How each engine says: the seconds from a time until now, around the time; and quotes the name of a column.
WORDS = {
    "mysql": {"check": "`check`", "since": "TIMESTAMPDIFF(SECOND, ", "until": ", UTC_TIMESTAMP())"},
    "postgresql": {
        "check": '"check"',
        "since": "CAST(EXTRACT(EPOCH FROM clock_timestamp() - ",
        "until": ") AS bigint)",
    },
    "sqlite": {"check": '"check"', "since": "CAST((julianday('now') - julianday(", "until": ")) * 86400 AS INTEGER)"},
}
# Asked before a transaction begins: a node that is cut off from its cluster begins none.
FIRST = ("cluster",)
# The account as information_schema writes it: 'name'@'host'.
ME = (
    "CONCAT('''', SUBSTRING_INDEX(CURRENT_USER(), '@', CHAR_LENGTH(CURRENT_USER()) "
    "- CHAR_LENGTH(REPLACE(CURRENT_USER(), '@', ''))), '''@''', SUBSTRING_INDEX(CURRENT_USER(), '@', -1), '''')"
)


def debug_question_names() -> list[str]:
    """The names of the questions of all engines, in order."""
    paths = sorted((FOLDER / "debug").rglob("*.sql"), key=lambda path: path.stem)
    return list(dict.fromkeys(_name(path) for path in paths))


def debug_sql(settings: Settings, name: str | None = None) -> str:
    """Every question as one script for the engine's own client, or the named one; also where the migration did not run yet.

    Raises InvalidInput for a name that is none, DatabaseUnavailable, and ConfigurationError where the mapping names what is not there.
    """
    require_file(settings.url)
    engine = make_engine(settings.url)
    try:
        with translated(settings.url), engine.connect() as connection:
            return _script(connection, reflect(connection, settings), name)
    finally:
        engine.dispose()


def _script(connection: Connection, schema: Schema, name: str | None) -> str:
    shared = sorted((FOLDER / "debug").glob("*.sql"))
    of_engine = sorted((FOLDER / "debug" / schema.dialect).glob("*.sql"))
    paths = {_name(path): path for path in sorted([*shared, *of_engine], key=lambda path: path.stem)}
    if name is not None and name not in paths:
        raise InvalidInput(f"There is no question {name}. These are: {', '.join(paths)}.", field="name")
    wanted = {one: path for one, path in paths.items() if name in (None, one)}
    values, present = _values(connection, schema), own_present(connection, schema)
    texts = {one: _question(connection, path, values, _missing(path, schema, present)) for one, path in wanted.items()}
    first = [texts.pop(one) for one in FIRST if one in texts]
    rest = [BEGIN[schema.dialect], *texts.values(), END] if texts else []
    return "\n".join(filter(None, [ABOUT, search_path(connection, schema.dialect), *first, *rest]))


def _name(path: Path) -> str:
    return path.stem.partition("_")[2]


def _missing(path: Path, schema: Schema, present: Collection[str]) -> list[str]:
    """What a question reads that the migration makes, and that is not there; `present` are our tables."""
    template, mapping = read_template(path), schema.settings.customers
    column = not schema.migrated and re.search(r"\{(customers|orders)\}", template)
    tables = sorted(set(re.findall(r"\b(?:FROM|JOIN) (evenbooks_\w+)", template)) - set(present))
    return [f"{mapping.table}.{mapping.deleted_at}"] * bool(column) + tables


def _question(connection: Connection, path: Path, values: dict[str, str], missing: Collection[str]) -> str:
    """A question under its heading, or the row that says why it is left out."""
    template = read_template(path)
    comment = " ".join(line[3:] for line in takewhile(lambda line: line.startswith("--"), template.splitlines()))
    title, (_, _, expected) = comment.partition(":")[0], comment.partition("You should see: ")
    why = f"It reads {', '.join(missing)}, which this account does not find. Run: python {MIGRATION} --dry-run"
    words = {"title": title, "expected": expected, "why": why}
    row = {name: literal_sql_of(connection, told) for name, told in words.items()} | {"check": values["check"]}
    return filled(LEFT_OUT, row) if missing else filled(HEADING, row) + filled(template, values)


def _values(connection: Connection, schema: Schema) -> dict[str, str]:
    """What the templates' placeholders stand for."""

    def literal(words: object) -> str:
        return literal_sql_of(connection, words)

    table, mapping = schema.customer_table, schema.settings.customers
    deleted_at = table.c[mapping.deleted_at].name if schema.migrated else mapping.deleted_at
    mapped = [one for one in (table, schema.order_table) if one is not None]
    own = [VERSION_TABLE, *(one.name for one in schema.own.all)]
    values = {
        **WORDS[schema.dialect],
        "me": ME,
        "first_prev": literal(GENESIS),
        "version": literal(own_versions(connection)[1][0]),
        "own_tables": "\nUNION ALL\n".join(f"SELECT {literal(one)} AS name" for one in own),
        "deleted_at_name": literal(deleted_at),
        "customer_table_name": literal(table.name),
    }
    if schema.migrated:
        values |= {"customers": customers_sql(connection, schema), "orders": orders_sql(connection, schema)}
    if schema.dialect == "postgresql":
        places = [literal(quoted_table(connection, one)) for one in mapped]
        return values | {"customer_place": places[0], "mapped_places": ", ".join(f"({place})" for place in places)}
    if schema.dialect == "mysql":
        schemas = [literal(one.schema) if one.schema else "DATABASE()" for one in mapped]
        pairs = [f"({where}, {literal(one.name)})" for where, one in zip(schemas, mapped, strict=True)]
        return values | {"customer_schema": schemas[0], "mapped_places": ", ".join(pairs)}
    return values | {
        "customer_schema": literal(table.schema or "main"),
        "indexes": "\nUNION ALL\n".join(_indexes(connection, one.schema, one.name) for one in mapped) + ";",
        "triggers": _triggers(connection, [(one.schema, one.name) for one in mapped]),
    }


def _indexes(connection: Connection, schema: str | None, name: str) -> str:
    """SQLite's indexes of one table, each with its columns in order."""
    table, place = literal_sql_of(connection, name), literal_sql_of(connection, schema or "main")
    columns = f"(SELECT group_concat(i.name, ', ') FROM pragma_index_info(l.name, {place}) AS i)"
    listed = f'SELECT \'Indexes\' AS "check", {table} AS table_name, l.name AS index_name, {columns} AS columns, l."unique" AS is_unique'
    return f"{listed} FROM pragma_index_list({table}, {place}) AS l"


def _triggers(connection: Connection, tables: list[tuple[str | None, str]]) -> str:
    """SQLite's triggers on the tables and views that name them, and the foreign keys of the orders (the second table)."""
    parts = []
    for schema, name in tables:
        master, table = f"{quoted(connection, schema or 'main')}.sqlite_master", literal_sql_of(connection, name)
        on_it = f"lower(tbl_name) = lower({table})"
        names_it = f"type = 'view' AND instr(lower(sql), lower({table})) > 0"
        parts.append(
            f"SELECT 'Triggers' AS \"check\", type AS kind, name, sql AS found, '' AS verdict FROM {master} "
            f"WHERE (type = 'trigger' AND {on_it}) OR ({names_it})"
        )
    for schema, name in tables[1:]:
        table, place = literal_sql_of(connection, name), literal_sql_of(connection, schema or "main")
        verdict = "CASE WHEN on_delete IN ('NO ACTION', 'RESTRICT') THEN 'ok' ELSE 'DANGEROUS' END"
        key = "SELECT 'Triggers', 'foreign key', \"from\", \"table\" || ' ON DELETE ' || on_delete"
        parts.append(f"{key}, {verdict} FROM pragma_foreign_key_list({table}, {place})")
    return "\nUNION ALL\n".join(parts) + ";"
