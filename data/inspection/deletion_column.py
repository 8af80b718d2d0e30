"""The column that says since when a customer is deleted: whether it can be used, as the server says it now."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import Connection, text

from data.inspection.names import quoted_table
from data.schema import Schema, literal_sql

TIMES = ("TIMESTAMP", "DATETIME")
TIMES_OF_SQLITE = ("DATE", "TIME", "TEXT", "CHAR", "CLOB")


@dataclass(frozen=True)
class Described:
    """A column as the server says it now: `kind` in capitals, `extra` in small letters."""

    kind: str
    nullable: bool
    default: str | None
    extra: str


def unusable(connection: Connection, schema: Schema) -> str | None:
    """What is wrong with the existing deleted_at (the end of a sentence), or None where it can be used.

    It is asked of the server, because the table may have changed since it was attached.
    """
    found = described(connection, schema)
    words = TIMES_OF_SQLITE if schema.dialect == "sqlite" else TIMES
    if found is None:
        return "is not there any more"
    if "generated" in found.extra:
        return "is computed from other columns"
    if found.kind.endswith("[]") or not any(word in found.kind for word in words):
        return f"is {found.kind or 'of no type'}, not a time"
    if not found.nullable:
        return f"does not allow NULL ({found.kind} NOT NULL), so every customer would count as deleted"
    if "on update" in found.extra:
        return "changes by itself (ON UPDATE)"
    if (found.default or "NULL").upper() != "NULL":
        return f"has the default {found.default}, so new customers would count as deleted"
    return None


def described(connection: Connection, schema: Schema) -> Described | None:
    """The existing deleted_at as the server says it now; None where it is not there any more."""
    table, name = schema.customer_table, schema.settings.customers.deleted_at
    if connection.dialect.name == "sqlite":
        # hidden: 2 and 3 are computed columns
        statement = 'SELECT type, "notnull", dflt_value, hidden FROM pragma_table_xinfo(:name, :schema) WHERE lower(name) = lower(:column)'
        values = {"name": table.name, "schema": table.schema or "main", "column": name}
        row = connection.execute(text(statement), values).first()
        extra = "generated" if row and row[3] in (2, 3) else ""
        return Described(str(row[0]).upper(), not row[1], row[2], extra) if row else None
    if connection.dialect.name == "postgresql":
        return _described_by_postgresql(connection, quoted_table(connection, table), name)
    for row in connection.execute(text(literal_sql(f"SHOW COLUMNS FROM {quoted_table(connection, table)}"))):
        if row.Field.casefold() == name.casefold():
            return Described(row.Type.upper(), row.Null == "YES", row.Default, row.Extra.lower())
    return None


def _described_by_postgresql(connection: Connection, place: str, column: str) -> Described | None:
    """A domain is what it is made of, and may bring its own NOT NULL and default."""
    statement = """
        WITH RECURSIVE kinds(depth, oid, typmod, base, strict, preset) AS (
            SELECT 0, t.oid, a.atttypmod, t.typbasetype, a.attnotnull OR t.typnotnull,
                coalesce(pg_get_expr(d.adbin, d.adrelid), t.typdefault)
            FROM pg_attribute a JOIN pg_type t ON t.oid = a.atttypid
            LEFT JOIN pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum AND a.attgenerated = ''
            WHERE a.attrelid = CAST(to_regclass(:place) AS oid) AND a.attname = :column AND NOT a.attisdropped
            UNION ALL
            SELECT depth + 1, t.oid, NULL, t.typbasetype, strict OR t.typnotnull, coalesce(preset, t.typdefault)
            FROM kinds JOIN pg_type t ON t.oid = kinds.base
        )
        SELECT format_type(oid, typmod), strict, preset, (
            SELECT a.attgenerated <> '' FROM pg_attribute a
            WHERE a.attrelid = CAST(to_regclass(:place) AS oid) AND a.attname = :column
        ) FROM kinds ORDER BY depth DESC LIMIT 1
    """
    row = connection.execute(text(statement), {"place": place, "column": column}).first()
    if row is None:
        return None
    default = None if row[2] is None or str(row[2]).upper().startswith("NULL::") else str(row[2])
    return Described(str(row[0]).upper(), not row[1], default, "generated" if row[3] else "")
