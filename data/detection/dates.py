"""Which column says when: dates, times, text that reads as a date in some order, and seconds since 1970."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from data.detection.reading import Reader
from data.detection.tables import Column, Table
from data.detection.words import listed, weights, words_of

ISO = re.compile(r"[12]\d{3}-\d\d([-T ].*)?")
OWN_WORDS = listed(
    "billing order sale invoice purchase booking rental ticket receipt transaction donation contract document"
)
AGAINST = weights("""
    updated 4  deleted 5  shipment 3  due 3  canceled 3  paid 1.5  refund 4  email 4  payment 1
    employee 3  by 3  last 2  next 3  first 1  status 2  tax 2  id 2  period 2  return 3
""")
COMPACT = re.compile(r"(19|20)\d\d(0[1-9]|1[0-2])[0-3]\d")
TURNED = re.compile(r"(\d\d)([./-])(\d\d)\2\d{4}([T ].*)?")
NUMBERS = (("compact", 19000000, 21000000), ("seconds", 10**8, 5 * 10**9), ("milliseconds", 10**11, 5 * 10**12))


@dataclass(frozen=True)
class Dating:
    """The column of dates, and how it has them: date, text (YYYY-MM-DD), or something that a query makes a date of:
    seconds, milliseconds (since 1970), compact (YYYYMMDD), dmy, mdy (text such as 31.01.2024). `unsure`: as well mdy as dmy."""

    column: str
    score: float
    form: str = "date"
    unsure: bool = False

    @property
    def is_plain(self) -> bool:
        """Whether the column can be mapped as it stands."""
        return self.form in {"date", "text"}


def choose_date(reader: Reader, table: Table) -> list[Dating]:
    """The columns that may say when an order was made, the best first."""
    found = []
    for c in table.columns.values():
        score = _by_name(c, table)
        if score is None:
            continue
        form = _form(reader, table, c)
        if form is None:
            continue
        score += 0.5 * (c.kind == "datetime") - 0.5 * (form == "text") - 0.3 * (form not in {"date", "text"})
        if reader.rows(table):
            fill = reader.filled(table, c.name)
            score += fill - (3 if fill < 0.5 else 0)
        found.append(Dating(c.name, score, form.rstrip("?"), form.endswith("?")))
    return sorted(found, key=lambda one: (-one.score, list(table.columns).index(one.column)))


def could_date(table: Table) -> bool:
    """Whether any column could say when, by kind and name alone."""
    return any(_by_name(c, table) is not None for c in table.columns.values())


def _by_name(c: Column, table: Table) -> float | None:
    """How well the name says that this is the date of the order; None where it says nothing of the kind."""
    words = set(words_of(c.name))
    dated = c.kind in {"datetime", "date"}
    about = words & {"date", "time", "created", "ordered"}
    if not dated and (c.kind not in {"text", "integer", "any", "double", "decimal"} or not about):
        return None
    if "by" in words or (not dated and {"id", "user", "amount", "quantity", "total"} & words):
        return None
    score = 1.0
    own = OWN_WORDS & set(words_of(table.name))
    if "ordered" in words or (("date" in words or "time" in words) and words & (own or OWN_WORDS | {"payment"})):
        score = 5.0
    elif words <= {"date", "time"}:
        score = 4.5
    elif "created" in words:
        score = 3.5
    if "payment" in words_of(table.name) and "payment" in words:
        score += 1.0
    score -= sum(weight for word, weight in AGAINST.items() if word in words and word != "id")
    return score - 0.1 * len(words - {"date", "time", "created", "ordered"} - OWN_WORDS)


def _form(reader: Reader, table: Table, c: Column) -> str | None:
    """How a column has its dates, with a question mark where days and months cannot be told apart; None: it has none."""
    if c.kind in {"datetime", "date"} and reader.connection.dialect.name != "sqlite":
        return "date"
    values = reader.values(table, c.name)
    if not values:
        return "date" if c.kind in {"datetime", "date"} else None
    if any(isinstance(v, date) for v in values):
        return "date"
    numbers = [int(v) for v in values if isinstance(v, int | Decimal | float) and not isinstance(v, bool) and v]
    if numbers and len(numbers) >= 0.9 * len(values):
        return next((form for form, low, high in NUMBERS if all(low < n < high for n in numbers)), None)
    words = [v.strip() for v in values if isinstance(v, str) and v.strip()]
    if words and sum(bool(ISO.fullmatch(v)) for v in words) >= 0.9 * len(words):
        return "date" if c.kind in {"datetime", "date"} else "text"
    if words and all(COMPACT.fullmatch(v) for v in words):
        return "compact"
    return _order_of(words)


def _order_of(words: list[str]) -> str | None:
    """Day before month, or month before day, by what is above 12; the separator decides where nothing is."""
    found = [match for match in map(TURNED.fullmatch, words) if match]
    if not found or len(found) < len(words):
        return None
    first, second = (max(int(match[n]) for match in found) for n in (1, 3))
    if first > 12 or second > 12:
        return None if first > 12 and second > 12 else "dmy" if first > 12 else "mdy"
    return "mdy?" if found[0][2] == "/" else "dmy?"


def created_column(reader: Reader, table: Table) -> str | None:
    """When a customer came: a date column whose name says created, registered, joined."""
    fitting = [
        c.name
        for c in table.columns.values()
        if c.kind in {"datetime", "date", "text", "any"}
        and "created" in words_of(c.name)
        and not {"updated", "deleted", "by", "last"} & set(words_of(c.name))
        and _form(reader, table, c) in {"date", "text"}
    ]
    return min(fitting, key=lambda name: len(words_of(name)), default=None)
