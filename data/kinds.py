"""Kinds of columns as the program takes them: keys as int or text, and the columns of a query."""

from __future__ import annotations

from collections.abc import Sequence
from copy import copy
from datetime import UTC, datetime
from typing import Any

import psycopg
from pymysql.constants import FIELD_TYPE
from sqlalchemy import (
    CHAR,
    BigInteger,
    Boolean,
    Date,
    DateTime,
    Double,
    Integer,
    LargeBinary,
    Numeric,
    String,
    Table,
    Uuid,
)
from sqlalchemy.dialects import mysql, postgresql
from sqlalchemy.engine import Dialect
from sqlalchemy.types import NullType, TypeEngine

from data.times import UTCDateTime


class _Kept:
    """A type that no dialect takes for one of its own, which would lose how it reads."""

    render_bind_cast = True

    def adapt(self, _kind: type, **_options: Any) -> Any:
        """Its like, whatever the dialect has for such types."""
        return copy(self)


class NumberKey(_Kept, BigInteger):  # type: ignore[misc]
    """A key in a column of decimals without digits after the point: an int for the program."""

    def result_processor(self, dialect: Dialect, coltype: object) -> Any:
        """The driver answers a Decimal."""
        return lambda value: None if value is None else int(value)


class PaddedKey(_Kept, CHAR):  # type: ignore[misc]
    """A key in a column of fixed length: without the blanks with which PostgreSQL fills it up, as MariaDB answers it."""

    def result_processor(self, dialect: Dialect, coltype: object) -> Any:
        """PostgreSQL compares such a key without its blanks too."""
        return lambda value: None if value is None else value.rstrip(" ")


class LooseNumber(_Kept, Numeric[Any]):  # type: ignore[misc]
    """A link in a column of decimals that may have digits after the point: an int for the program, else its text."""

    def result_processor(self, dialect: Dialect, coltype: object) -> Any:
        """2 and 2.00 name customer 2; 2.5 names nobody."""
        return lambda value: value if value is None else int(value) if value == int(value) else str(value)


class TextTime(UTCDateTime):
    """Times in a column of text: read as times where they are any, compared as text."""

    impl = String  # type: ignore[assignment]
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        """Text on every engine."""
        return dialect.type_descriptor(String())

    def process_bind_param(self, value: datetime | str | None, dialect: Dialect) -> Any:
        """The time in UTC, as text."""
        return value.astimezone(UTC).isoformat(sep=" ", timespec="seconds") if isinstance(value, datetime) else value


def simplify(table: Table) -> None:
    """Gives the reflected columns the types that the program can work with: a domain's own type, UUIDs as text."""
    for column in table.c:
        while isinstance(column.type, postgresql.DOMAIN):
            column.type = column.type.data_type
        if isinstance(column.type, Uuid):
            column.type = type(column.type)(as_uuid=False)


def as_key(kind: TypeEngine[Any], dialect: str) -> TypeEngine[Any]:
    """The type for a column that is a key or names one."""
    if dialect != "sqlite" and isinstance(kind, Numeric) and kind.asdecimal and not kind.scale and kind.precision:
        return NumberKey()
    if dialect == "postgresql" and isinstance(kind, CHAR):
        return PaddedKey(kind.length)
    return kind


def as_link(kind: TypeEngine[Any], dialect: str) -> TypeEngine[Any]:
    """The type for an order's id, and for the column by which it names its customer."""
    kind = as_key(kind, dialect)
    loose = dialect != "sqlite" and isinstance(kind, Numeric)
    return LooseNumber() if loose else kind


def is_key(kind: TypeEngine[Any]) -> bool:
    """Whether customers can be told apart by such a column: integers, text, UUIDs, or SQLite's columns of no type."""
    return isinstance(kind, (Integer, String, NullType, Uuid)) and not isinstance(kind, LargeBinary)


_OF_MARIADB: dict[int, TypeEngine[Any]] = {
    **dict.fromkeys((FIELD_TYPE.TINY, FIELD_TYPE.SHORT, FIELD_TYPE.INT24), Integer()),
    **dict.fromkeys((FIELD_TYPE.LONG, FIELD_TYPE.LONGLONG), BigInteger()),
    **dict.fromkeys((FIELD_TYPE.DECIMAL, FIELD_TYPE.NEWDECIMAL), Numeric()),
    FIELD_TYPE.FLOAT: mysql.FLOAT(),
    FIELD_TYPE.DOUBLE: Double(),
    FIELD_TYPE.DATE: Date(),
    FIELD_TYPE.NEWDATE: Date(),
    FIELD_TYPE.DATETIME: DateTime(),
    FIELD_TYPE.TIMESTAMP: mysql.TIMESTAMP(),
    **dict.fromkeys((FIELD_TYPE.VARCHAR, FIELD_TYPE.VAR_STRING, FIELD_TYPE.STRING, FIELD_TYPE.ENUM), String()),
}
_OF_POSTGRESQL: dict[str, TypeEngine[Any]] = {
    **dict.fromkeys(("int2", "int4"), Integer()),
    "int8": BigInteger(),
    "numeric": Numeric(),
    "float4": postgresql.REAL(),
    "float8": Double(),
    "money": postgresql.MONEY(),
    "date": Date(),
    "timestamp": DateTime(),
    "timestamptz": DateTime(timezone=True),
    "uuid": postgresql.UUID(as_uuid=False),
    "bool": Boolean(),
    **dict.fromkeys(("text", "varchar", "bpchar", "name", "citext"), String()),
}


def of_query(description: Sequence[Any], dialect: str) -> dict[str, TypeEngine[Any]]:
    """The types of a query's columns by name, as the driver describes its result; SQLite knows none."""
    found: dict[str, TypeEngine[Any]] = {}
    for name, code, *_ in description:
        kind: TypeEngine[Any] | None = None
        if dialect == "postgresql":
            known = psycopg.adapters.types.get(code)
            kind = _OF_POSTGRESQL.get(known.name) if known else None
        elif dialect == "mysql":
            kind = _OF_MARIADB.get(code)
        found[str(name)] = kind or NullType()
    return found
