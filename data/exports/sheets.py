"""What a file holds, whatever its kind: columns, and rows that come a page at a time."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum

PAGE = 500  # customers that are read at once, with their orders
EVENTS = 2000  # events that are


class Kind(StrEnum):
    """What stands in a column: other people's text, whole numbers, amounts of money, times (UTC)."""

    TEXT = "text"
    NUMBER = "number"
    MONEY = "money"
    TIME = "time"


@dataclass(frozen=True)
class Column:
    """A column's name, kind, and width in characters. Text may stand in any, where there is nothing better."""

    name: str
    kind: Kind = Kind.TEXT
    width: int = 18


@dataclass(frozen=True)
class Amounts:
    """Amounts by currency in one cell; one that is alone stays a number."""

    revenue: Mapping[str, Decimal]


# Text, a whole number, an amount, an aware time, amounts by currency; None: nothing.
Row = Sequence[object]


@dataclass(frozen=True)
class Sheet:
    """A table of a file: its title, columns, its rows a page at a time, and how many decimals amounts have."""

    title: str
    columns: tuple[Column, ...]
    pages: Iterator[Sequence[Row]]
    decimals: int
