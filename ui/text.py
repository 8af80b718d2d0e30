"""Money, counts, dates and other people's words as text."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable
from datetime import datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

from data.money import add, rounded
from data.records import Customer, CustomerId, Revenue, Time

NO_DATE = "No date"


def typed(words: object) -> str:
    """Somebody's words for Markdown: shown as typed, whatever they contain.

    Addresses would become links, and -> an arrow, however they are escaped, so an invisible word joiner stands in them.
    """
    words = re.sub(
        r"(@|://|www|:(?=streamlit:)|(?<!\S)[<>~-](?=(->|[->=])(?!\S)))", "\\1\u2060", str(words), flags=re.IGNORECASE
    )
    return re.sub(r"([!-/:-@\[-`{-~])", r"\\\1", re.sub(r"[\r\n]+", " ", words))


def shown_name(customer: Customer, erased: Collection[CustomerId] = ()) -> str:
    """A customer's name; of one among the `erased` (queries.erased_ids) that it is gone, and whose it was."""
    return f"Erased customer {customer.id}" if customer.id in erased else customer.name or ""


def amount(value: Decimal, decimals: int = 2) -> str:
    """An amount rounded half up, with thousands and a true minus: 1,284,310.20. Nothing is never below zero."""
    shown = rounded(value, decimals)
    return f"{shown or abs(shown):,.{decimals}f}".replace("-", "\N{MINUS SIGN}")


def short(value: Decimal) -> str:
    """An amount for a chart, where its digits have no room: 1.3 M, 81.4 k, 950."""
    for size, unit in ((Decimal("1e9"), " B"), (Decimal("1e6"), " M"), (Decimal("1e3"), " k")):
        if abs(value) >= size:
            return f"{amount(value / size, 1)}{unit}"
    return amount(value, 0)


def money(revenue: Revenue, decimals: int = 2) -> str:
    """Amounts by currency in words: EUR 4,310.50, or several joined; nothing bought is `nothing`."""
    parts = [f"{currency} {amount(value, decimals)}" for currency, value in sorted(revenue.items())]
    return " and ".join(parts) or "nothing"


def add_revenue(revenues: Iterable[Revenue]) -> Revenue:
    """Amounts added by currency, never across."""
    total: dict[str, Decimal] = {}
    for revenue in revenues:
        for currency, value in revenue.items():
            total[currency] = add([total.get(currency, Decimal(0)), value])
    return total


def row_of_amounts(values: Iterable[Decimal], decimals: int = 2) -> list[str]:
    """Parts and their total (the last) as text. Where the rounded parts would not add up, all their digits."""
    *parts, total = values
    if sum(rounded(part, decimals) for part in parts) != rounded(total, decimals):
        decimals = 6
    return [amount(value, decimals) for value in (*parts, total)]


def share(part: Decimal, whole: Decimal) -> str:
    """A share in per cent with one digit; a dash where there is no whole, and no 0.0 % of what is something."""
    if not whole:
        return "\N{EN DASH}"
    if part and abs(part / whole) < Decimal("0.001"):
        return "less than 0.1 %"
    return f"{amount(part / whole * 100, 1)} %"


def count(number: int, singular: str, plural: str | None = None) -> str:
    """27 orders, 1 order, 1,960 customers."""
    return f"{number:,} {singular if number == 1 else plural or singular + 's'}"


def day_and_time(time: Time | None, zone: ZoneInfo) -> str:
    """A time in the viewer's zone: 3 May 2026, 13:58. What is no time as it is stored."""
    if not isinstance(time, datetime):
        return time or ""
    local = time.astimezone(zone)
    return f"{local.day} {local:%b %Y, %H:%M}"


def since(time: Time | None, zone: ZoneInfo, now: datetime) -> str:
    """The same for a sentence: today at 13:58, or on 3 May 2026."""
    if not isinstance(time, datetime):
        return f"on {time}"
    local, today = time.astimezone(zone), now.astimezone(zone)
    if local.date() == today.date():
        return f"today at {local:%H:%M}"
    return f"on {local.day} {local:%b %Y}"


def month(name: str | None, *, unfinished: bool = False) -> str:
    """2026-03 as Mar 2026; the current month says so."""
    if name is None:
        return NO_DATE
    words = f"{datetime(int(name[:4]), int(name[5:]), 1):%b %Y}"
    return f"{words} (so far)" if unfinished else words
