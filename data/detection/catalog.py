"""What tables a database has: names, columns, kinds and keys, read in bulk, without reading a row."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import (
    ARRAY,
    JSON,
    Boolean,
    Connection,
    Date,
    DateTime,
    Enum,
    Float,
    Inspector,
    Integer,
    Interval,
    LargeBinary,
    Numeric,
    String,
    Time,
    Uuid,
    inspect,
    text,
)
from sqlalchemy.dialects.mysql import BIT, SET, YEAR
from sqlalchemy.dialects.mysql import FLOAT as MYSQL_FLOAT
from sqlalchemy.engine.interfaces import ReflectedIndex
from sqlalchemy.engine.reflection import ObjectKind
from sqlalchemy.types import Double, TypeEngine

from data.detection.mariadb import read_mariadb
from data.detection.tables import Catalog, Column, Table, as_references, is_theirs

SYSTEM_SCHEMAS = {"information_schema", "mysql", "performance_schema", "sys"}


def read_catalog(connection: Connection) -> Catalog:
    """Reads names, columns and keys of every table that this account can see; not one row."""
    if connection.dialect.name in {"mysql", "mariadb"}:
        return read_mariadb(connection)
    inspector = inspect(connection)
    catalog = Catalog({})
    if connection.dialect.name == "sqlite":
        schemas: list[str | None] = [None]
    else:
        default = inspector.default_schema_name
        named = [s for s in inspector.get_schema_names() if s not in SYSTEM_SCHEMAS and not s.startswith("pg_")]
        schemas = [None if s == default else s for s in named]
        catalog.schemas = named
    for schema in schemas:
        _read_schema(inspector, schema, catalog)
    if connection.dialect.name == "postgresql":
        _add_partitions_sizes(connection, catalog)
    return catalog


def _read_schema(inspector: Inspector, schema: str | None, catalog: Catalog) -> None:
    found = inspector.get_multi_columns(schema=schema, kind=ObjectKind.TABLE)
    keys = inspector.get_multi_pk_constraint(schema=schema, kind=ObjectKind.TABLE)
    foreign = inspector.get_multi_foreign_keys(schema=schema, kind=ObjectKind.TABLE)
    unique = inspector.get_multi_unique_constraints(schema=schema, kind=ObjectKind.TABLE)
    indexes = inspector.get_multi_indexes(schema=schema, kind=ObjectKind.TABLE, include_auto_indexes=True)
    for place, columns in found.items():
        if not is_theirs(place[1]):
            continue
        one = Table(schema, place[1])
        one.columns = {c["name"]: _column(c) for c in columns}
        one.key = list(keys[place]["constrained_columns"]) if keys.get(place) else []
        one.unique = [k["column_names"][0] for k in unique.get(place) or [] if len(k["column_names"]) == 1]
        one.unique += [str(i["column_names"][0]) for i in indexes.get(place) or [] if _is_key(i)]
        one.references = as_references(foreign.get(place) or [], inspector.default_schema_name)
        catalog.tables[one.place] = one
    names = inspector.get_view_names(schema=schema)
    catalog.views += [f"{schema}.{name}" if schema else name for name in names if is_theirs(name)]


def _is_key(index: ReflectedIndex) -> bool:
    """Whether an index makes one column of the whole table unique."""
    partial = [name for name in index.get("dialect_options", {}) if name.endswith("_where")]
    return (
        bool(index["unique"])
        and len(index["column_names"]) == 1
        and index["column_names"][0] is not None
        and not partial
    )


def _column(found: Mapping[str, Any]) -> Column:
    automatic = found.get("autoincrement") is True or found.get("identity") or found.get("computed")
    return Column(
        str(found["name"]),
        kind_of(found["type"]),
        bool(found["nullable"]),
        str(found.get("default") or "NULL").upper() != "NULL" or bool(automatic),
    )


KINDS: list[tuple[type[TypeEngine[Any]] | tuple[type[TypeEngine[Any]], ...], str]] = [
    (Boolean, "boolean"),
    (Enum, "enum"),
    (SET, "other"),
    (BIT, "boolean"),
    (YEAR, "other"),
    (MYSQL_FLOAT, "float"),
    (Double, "double"),
    (Integer, "integer"),
    (Uuid, "uuid"),
    (DateTime, "datetime"),
    (Date, "date"),
    (Time, "time"),
    ((Interval, JSON, ARRAY), "other"),
    (LargeBinary, "binary"),
    (String, "text"),
]


def kind_of(found: TypeEngine[Any]) -> str:
    """What a column of this type holds, in one word."""
    for types, kind in KINDS:
        if isinstance(found, types):
            return kind
    if isinstance(found, Float):
        return "float" if found.precision in range(1, 25) or type(found).__name__ == "REAL" else "double"
    if isinstance(found, Numeric):
        return "integer" if found.precision and found.scale == 0 else "decimal"
    return {"NullType": "any", "BIT": "boolean", "MONEY": "other", "CITEXT": "text"}.get(type(found).__name__, "other")


def _add_partitions_sizes(connection: Connection, catalog: Catalog) -> None:
    """Leaves out the partitions, which are parts of another table, and notes how many rows the server thinks there are."""
    statement = (
        "SELECT n.nspname AS schema, c.relname AS name, c.relispartition AS part, c.reltuples AS rows FROM pg_catalog.pg_class c "
        "JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace WHERE c.relkind IN ('r', 'p', 'f')"
    )
    default = inspect(connection).default_schema_name
    for row in connection.execute(text(statement)):
        place = (None if row.schema == default else str(row.schema), str(row.name))
        if row.part:
            catalog.tables.pop(place, None)
        elif place in catalog.tables and row.rows >= 0:
            catalog.tables[place].size = int(row.rows)
