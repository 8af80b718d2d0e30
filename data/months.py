"""Months as text, YYYY-MM: read, counted on, and put in a row."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from decimal import Decimal

from data.records import MonthlyRevenue

FIRST_YEAR = 1000  # MariaDB's earliest date; below it stands its zero date
LAST_MONTH = "9999-12"
MOST_MONTHS = 1200  # a mistyped year must not make 12,000 months


def read_month(raw: object) -> str | None:
    """What the database answers for a month (202402, "2024-02") as YYYY-MM; None where it is no month."""
    words = f"{raw // 100:04}-{raw % 100:02}" if isinstance(raw, int) else str(raw or "")
    found = re.fullmatch(r"([0-9]{4})-(0[1-9]|1[0-2])", words)
    return words if found and int(found[1]) >= FIRST_YEAR else None


def months_between(first: str, last: str) -> Iterator[str]:
    """Each month from first to last, both included."""
    start, end = (int(month[:4]) * 12 + int(month[5:]) - 1 for month in (first, last))
    for number in range(start, end + 1):
        yield f"{number // 12:04}-{number % 12 + 1:02}"


def next_month(month: str) -> str:
    """The month after."""
    year, number = int(month[:4]), int(month[5:])
    return f"{year + 1:04}-01" if number == 12 else f"{year:04}-{number + 1:02}"


def month_before(month: str) -> str:
    """The month before."""
    year, number = int(month[:4]), int(month[5:])
    return f"{year - 1:04}-12" if number == 1 else f"{year:04}-{number - 1:02}"


def without_gaps(months: Sequence[MonthlyRevenue]) -> list[MonthlyRevenue]:
    """Months of one currency with those between them in which nobody ordered."""
    named = {m.month: m for m in months if m.month}
    span = list(months_between(min(named), max(named))) if named else []
    if len(span) > MOST_MONTHS:
        return list(months)
    none, zero = months[0].currency if months else "", Decimal(0)
    filled = [named.get(name) or MonthlyRevenue(name, none, 0, zero, zero, zero, zero, zero) for name in span]
    return filled + [m for m in months if not m.month]
