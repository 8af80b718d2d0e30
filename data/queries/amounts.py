"""Amounts in SQL: added exactly from columns of any type, and what is no number told apart. Never through float.

Text is an amount where it reads [blanks] [+ or -] digits [. digits] [blanks]; "12,50", "1e3" and "EUR 5" are none.
Nor are NaN and Infinity. What is no amount adds nothing, and `is_unreadable` finds it; NULL adds nothing either.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from sqlalchemy import (
    BigInteger,
    Double,
    Enum,
    Float,
    Integer,
    Numeric,
    String,
    Text,
    and_,
    case,
    cast,
    false,
    func,
    literal_column,
    not_,
    null,
    true,
    type_coerce,
)
from sqlalchemy.dialects.mysql import FLOAT as MYSQL_FLOAT
from sqlalchemy.dialects.postgresql import MONEY
from sqlalchemy.sql import ColumnElement
from sqlalchemy.types import NullType

from data.money import Amount
from data.schema import Schema

# After the last blank nothing: `$` would let a line feed follow.
NUMERAL = "^ *[+-]?[0-9]+([.][0-9]+)? *(?!x|[^x])"
MILLION: ColumnElement[Any] = literal_column("1000000")
ZERO: ColumnElement[Any] = literal_column("0")
# SQLite counts in millionths, in 64 bits: 9.2 billion thousands.
SQLITE_LIMIT: ColumnElement[Any] = literal_column("9200000000000")
LARGEST_REAL: ColumnElement[Any] = literal_column("1.7976931348623157e308")
# abs() of the smallest integer raises, where a product would become a double and a cast the largest integer.
SQLITE_OVERFLOW = func.abs(literal_column("-9223372036854775807 - 1"))
DECIMAL_LIMIT: ColumnElement[Any] = literal_column("1e32")  # what DECIMAL(38,6) holds
EXACT = Numeric(38, 6)


def exact_sum(schema: Schema, column: ColumnElement[Any]) -> ColumnElement[Decimal]:
    """The exact sum of an amount column as Decimal, at the column's own scale up to six digits; 0 of nothing.

    SQLite adds whole millionths; an amount or a sum beyond 64 bits raises there ("integer overflow"). Elsewhere a
    DECIMAL is added as it is, anything else is cast to DECIMAL(38,6) inside the sum (beyond its digits: an error), and
    4-byte floats are rounded to the money's decimals, because 12345.67 is stored as 12345.669922.
    """
    return type_coerce(func.coalesce(func.sum(_addend(schema, column)), ZERO), Amount())


def exact(schema: Schema, column: ColumnElement[Any]) -> ColumnElement[Decimal]:
    """The amount of one row as Decimal, the very number that `exact_sum` adds; zero where it is missing."""
    return type_coerce(_addend(schema, column), Amount())


def is_unreadable(schema: Schema, column: ColumnElement[Any]) -> ColumnElement[bool]:
    """Whether a row has an amount that is no number. NULL is none, and so not unreadable."""
    if schema.dialect == "sqlite":
        raw = _raw(column)
        infinite = func.abs(raw) > LARGEST_REAL
        kinds = {"integer": false(), "real": infinite, "text": not_(_sqlite_numeral(raw)), "null": false()}
        return case(*_whens(kinds), value=func.typeof(raw), else_=true())
    if _is_number(column):
        floats = schema.dialect == "postgresql" and not isinstance(column.type, (Integer, MONEY))
        return and_(column.is_not(None), not_(_within(column)), _is_no_number(column)) if floats else false()
    return and_(column.is_not(None), not_(_is_numeral(schema, column)))


def can_be_unreadable(schema: Schema, column: ColumnElement[Any]) -> bool:
    """Whether a column of this type can hold what is no number: integers cannot, nor can MariaDB's decimals and floats."""
    whole = (Integer, MONEY) if schema.dialect == "postgresql" else (Integer, Numeric, Float)
    return schema.dialect == "sqlite" or not isinstance(column.type, whole)


def as_stored(schema: Schema, column: ColumnElement[Any]) -> ColumnElement[str]:
    """An amount's own text, whatever is stored."""
    if schema.dialect == "sqlite":
        raw = _raw(column)
        return type_coerce(case((func.typeof(raw) == "blob", func.hex(raw)), else_=cast(raw, Text())), String())
    return _words(schema, column)


def _addend(schema: Schema, column: ColumnElement[Any]) -> ColumnElement[Any]:
    """What is added of each row: whole millionths on SQLite, else something that adds exactly."""
    adders = {"sqlite": _of_sqlite, "postgresql": _of_postgresql}
    return adders.get(schema.dialect, _of_mariadb)(schema, column)


def _is_number(column: ColumnElement[Any]) -> bool:
    return isinstance(column.type, (Integer, Numeric, Float, MONEY))


def _is_short_float(column: ColumnElement[Any]) -> bool:
    """A float of 4 bytes, which has seven digits."""
    kind = column.type
    return (
        isinstance(kind, Float)
        and not isinstance(kind, Double)
        and (isinstance(kind, MYSQL_FLOAT) or kind.__visit_name__ == "REAL" or kind.precision in range(1, 25))
    )


def _words(schema: Schema, column: ColumnElement[Any]) -> ColumnElement[Any]:
    """A column's text: an enumeration would be its number on MariaDB, and a collation not do for patterns on PostgreSQL."""
    if schema.dialect == "postgresql":
        return cast(column, Text()).collate("C")
    # Of a query's column the driver says text, whatever it is made of.
    text = isinstance(column.type, String) and not isinstance(column.type, Enum) and schema.order_table is not None
    return column if text else cast(column, String())


def _is_numeral(schema: Schema, column: ColumnElement[Any]) -> ColumnElement[bool]:
    return type_coerce(_words(schema, column), String()).regexp_match(NUMERAL)


def _of_mariadb(schema: Schema, column: ColumnElement[Any]) -> ColumnElement[Any]:
    if not _is_number(column):
        words = _words(schema, column)
        return case((column.is_(None), null()), (_is_numeral(schema, column), _mariadb_exact(words)), else_=ZERO)
    if not isinstance(column.type, Float):
        return column
    if not _is_short_float(column):
        return _mariadb_exact(column)
    # By way of a double, since a plain cast keeps 6 digits; and rounded as a decimal, since doubles are rounded half to even.
    double: ColumnElement[Any] = type_coerce(column, Double()) * literal_column("1e0")
    return func.round(_mariadb_exact(double), literal_column(str(schema.settings.money.decimals)))


def _mariadb_exact(column: ColumnElement[Any]) -> ColumnElement[Any]:
    """A cast beyond its digits would be clamped silently; this product is beyond a double and raises."""
    size: ColumnElement[Any] = type_coerce(column, Double())
    beyond = cast(size * literal_column("1e300"), EXACT)
    return case((func.abs(size) >= DECIMAL_LIMIT, beyond), else_=cast(column, EXACT))


def _within(column: ColumnElement[Any]) -> ColumnElement[bool]:
    """A number of PostgreSQL that DECIMAL(38,6) holds. NaN stands above all others there."""
    return column.between(literal_column("-1e32"), DECIMAL_LIMIT)


def _is_no_number(column: ColumnElement[Any]) -> ColumnElement[bool]:
    """NaN or an infinity, where `_within` has been asked before: text is slow to make."""
    return cast(column, Text()).in_(["NaN", "Infinity", "-Infinity"])


def _of_postgresql(schema: Schema, column: ColumnElement[Any]) -> ColumnElement[Any]:
    kind = column.type
    if isinstance(kind, Integer):
        return column
    if isinstance(kind, MONEY):
        return cast(column, Numeric())
    if not _is_number(column):
        numeral = cast(func.btrim(cast(column, Text())), EXACT)
        return case((column.is_(None), null()), (_is_numeral(schema, column), numeral), else_=ZERO)
    if not isinstance(kind, Float):
        # As it is, where it fits; else the cast raises.
        return case((_within(column), column), (_is_no_number(column), ZERO), else_=cast(column, EXACT))
    # Through text, because a plain cast keeps 15 digits of a double, and 6 of a real.
    found: ColumnElement[Any] = cast(cast(cast(column, Double()), Text()), EXACT)
    if _is_short_float(column):
        found = func.round(found, literal_column(str(schema.settings.money.decimals)))
    return case((_within(column), found), (_is_no_number(column), ZERO), else_=found)


def _raw(column: ColumnElement[Any]) -> ColumnElement[Any]:
    """As SQLite stores it, which has types by value and not by column."""
    return type_coerce(column, NullType())


def _whens(kinds: dict[str, ColumnElement[Any]]) -> list[Any]:
    return [(literal_column(f"'{kind}'"), found) for kind, found in kinds.items()]


def _of_sqlite(_schema: Schema, column: ColumnElement[Any]) -> ColumnElement[Any]:
    raw = _raw(column)
    whole = case((func.abs(raw) < SQLITE_LIMIT, raw * MILLION), else_=SQLITE_OVERFLOW)
    real = case(
        (func.abs(raw) < SQLITE_LIMIT, cast(func.round(raw * MILLION), BigInteger)),
        (func.abs(raw) <= LARGEST_REAL, SQLITE_OVERFLOW),
        else_=ZERO,
    )
    numeral = case((_sqlite_numeral(raw), _sqlite_millionths(raw)), else_=ZERO)
    kinds = {"real": real, "integer": whole, "text": numeral, "null": null()}
    return case(*_whens(kinds), value=func.typeof(raw), else_=ZERO)


def _sqlite_numeral(raw: ColumnElement[Any]) -> ColumnElement[bool]:
    """Whether text is a numeral: a sign at most, then digits with one point at most, which is within them."""
    words = func.trim(raw)
    digits = func.ltrim(words, "+-")
    return and_(
        digits.op("GLOB")("[0-9]*"),
        digits.op("GLOB")("*[0-9]"),
        ~digits.op("GLOB")("*[^0-9.]*"),
        ~digits.op("GLOB")("*.*.*"),
        ~words.op("GLOB")("[+-][+-]*"),
    )


def _sqlite_millionths(raw: ColumnElement[Any]) -> ColumnElement[Any]:
    """The millionths of a numeral, rounded half up at the seventh digit, as the servers' casts do."""
    words = func.trim(raw)
    digits = func.ltrim(words, "+-")
    whole = cast(digits, BigInteger)  # reads up to the point; beyond 64 bits the largest
    fraction = func.substr(digits, func.instr(digits.op("||")("."), ".") + literal_column("1"))
    seven = cast(func.substr(fraction.op("||")("0000000"), literal_column("1"), literal_column("7")), BigInteger)
    found = whole * MILLION + (seven + literal_column("5")).op("/", precedence=8)(literal_column("10"))
    sized = case((whole < SQLITE_LIMIT, found), else_=SQLITE_OVERFLOW)
    return case((words.op("GLOB")("-*"), -sized), else_=sized)
