"""Money: amounts as the database answers them, added exactly, and as text. Never through float."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import ROUND_HALF_UP, Context, Decimal, Inexact, InvalidOperation, localcontext
from typing import Any

from sqlalchemy import Numeric, String
from sqlalchemy.engine import Dialect
from sqlalchemy.types import TypeDecorator, TypeEngine

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
