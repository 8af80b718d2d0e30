"""Money: exact sums in SQL on every engine, and amounts as text. Never through float."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import ROUND_HALF_UP, Context, Decimal, Inexact, InvalidOperation, localcontext
from typing import Any

from sqlalchemy import (
    BigInteger,
    Double,
    Float,
    Integer,
    Numeric,
    String,
    case,
    cast,
    func,
    literal_column,
    type_coerce,
)
from sqlalchemy.dialects.mysql import FLOAT as MYSQL_FLOAT
from sqlalchemy.engine import Dialect
from sqlalchemy.sql import ColumnElement
from sqlalchemy.types import TypeDecorator, TypeEngine

# The largest product that fits SQLite's 64-bit integer, in millionths: 9.2 billion millions.
SQLITE_LIMIT = "9.2e18"
DECIMAL_LIMIT = "1e32"  # what DECIMAL(38,6) holds
# Additions of amounts either fit these digits or raise: DECIMAL(38,6) summed over 10^12 rows.
EXACT = Context(prec=56, traps=[Inexact])
ROOM = Context(prec=80)


class Amount(TypeDecorator[Decimal]):
    """The result of an exact sum: Decimal, zero where there was nothing to add."""

    impl = Numeric(65, 6)
    cache_ok = True

    def result_processor(self, dialect: Dialect, coltype: object) -> Any:
        """SQLite answers whole millionths, the servers a DECIMAL."""
        if dialect.name == "sqlite":
            return lambda value: Decimal(value or 0).scaleb(-6)
        return lambda value: Decimal(value or 0)


class StoredAmount(TypeDecorator[Decimal]):
    """An amount in a table of ours, exact: DECIMAL(38,6), and its text on SQLite, which would make a double of it."""

    impl = Numeric(38, 6)
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        """SQLite has no decimals."""
        return dialect.type_descriptor(String(48) if dialect.name == "sqlite" else Numeric(38, 6))

    def process_bind_param(self, value: Decimal | None, dialect: Dialect) -> Any:
        """Six digits after the point."""
        return None if value is None else str(millionths(value))

    def process_result_value(self, value: Any, dialect: Dialect) -> Decimal | None:
        """The amount; one that cannot be read, since somebody altered it, is not a number (NaN)."""
        try:
            return None if value is None else Decimal(value)
        except InvalidOperation:
            return Decimal("NaN")


def millionths(amount: Decimal) -> Decimal:
    """The amount with six digits after the point, rounded half up where it has more."""
    return amount.quantize(Decimal("0.000001"), rounding=ROUND_HALF_UP, context=ROOM)


def exact_sum(column: ColumnElement[Any], *, dialect: str, decimals: int) -> ColumnElement[Decimal]:
    """The exact sum of an amount column as Decimal, at the column's own scale up to six digits.

    SQLite adds whole millionths; an amount or a sum beyond 64 bits raises there ("integer overflow").
    Elsewhere a DECIMAL is added as it is, anything else is cast to DECIMAL(38,6) inside the sum (beyond
    its digits: "out of range"), and 4-byte floats are rounded to `decimals` first, because 12345.67 is stored as 12345.669922.
    """
    return type_coerce(func.sum(_addend(column, dialect, decimals)), Amount())


def exact(column: ColumnElement[Any], *, dialect: str, decimals: int) -> ColumnElement[Decimal]:
    """The amount of one row as Decimal, the very number that `exact_sum` adds; zero where it is missing."""
    return type_coerce(_addend(column, dialect, decimals), Amount())


def _addend(column: ColumnElement[Any], dialect: str, decimals: int) -> ColumnElement[Any]:
    """What is added of each row: whole millionths on SQLite, else something that adds exactly."""
    if dialect == "sqlite":
        amount = type_coerce(column, Float())
        # abs() of the smallest integer raises, which turns a silently clamped cast into an error.
        overflow = func.abs(literal_column("-9223372036854775807 - 1"))
        millionths = cast(func.round(amount * literal_column("1000000")), BigInteger)
        return case(
            (func.abs(amount * literal_column("1e6")) >= literal_column(SQLITE_LIMIT), overflow), else_=millionths
        )
    kind = column.type
    if isinstance(kind, MYSQL_FLOAT) or (
        isinstance(kind, Float) and not isinstance(kind, Double) and kind.precision in range(1, 25)
    ):
        column = func.round(column, decimals)
    if not isinstance(kind, Integer) and (isinstance(kind, Float) or not isinstance(kind, Numeric)):
        # A cast beyond these digits would be clamped silently; this product is beyond a double and raises.
        size: ColumnElement[Any] = type_coerce(column, Double())
        beyond = cast(size * literal_column("1e300"), Numeric(38, 6))
        too_large = func.abs(size) >= literal_column(DECIMAL_LIMIT)
        column = case((too_large, beyond), else_=cast(column, Numeric(38, 6)))
    return column


def add(amounts: Iterable[Decimal]) -> Decimal:
    """The exact sum; raises decimal.Inexact rather than drop a digit."""
    with localcontext(EXACT):
        return sum(amounts, Decimal(0))


def plain(amount: Decimal, decimals: int = 2) -> str:
    """The amount as canonical text: every significant digit, at least `decimals` after the point.

    1265793.0395 stays so, 10 becomes 10.00; the same text on every engine.
    """
    exponent = amount.normalize(EXACT).as_tuple().exponent
    digits = max(decimals, -exponent if isinstance(exponent, int) else 0)
    text = f"{amount.quantize(Decimal(1).scaleb(-digits), context=EXACT):f}"
    return text.removeprefix("-") if not amount else text


def rounded(amount: Decimal, decimals: int = 2) -> Decimal:
    """The amount rounded half up, once, for showing."""
    return amount.quantize(Decimal(1).scaleb(-decimals), rounding=ROUND_HALF_UP)
