"""Revenue by month as a file, as the Revenue page shows it."""

from __future__ import annotations

from collections.abc import Mapping

from data import queries
from data.database import Database, snapshot
from data.errors import InvalidInput
from data.exports.sheets import Column, Kind, Row, Sheet
from data.integrity import read_kept
from data.months import read_month, without_gaps
from data.records import MonthlyRevenue

AMOUNTS = ("active", "no_customer", "missing_customer", "deleted", "total")
WITH_COST = ("cost", "profit")


def revenue_by_month(database: Database, filters: Mapping[str, str | None]) -> list[Sheet]:
    """Months as YYYY-MM in the order of time, with those in which nobody ordered; `from`, `to` (months) and `currency`.

    Active is the total less its other parts, and missing customers are those of the last check, as on the page.
    Raises InvalidInput where a month cannot be read.
    """
    first, last = (_month(filters.get(name)) for name in ("from", "to"))
    currency = filters.get("currency")
    with snapshot(database) as moment:
        kept = read_kept(queries.last_check(moment.connection, database.schema))
        missing = {(m.month, m.currency): m.missing_customer for m in kept.months} if kept else {}
        months = queries.revenue_by_month(moment.connection, database.schema, first=first, last=last, missing=missing)
    currencies = [currency] if currency else sorted({m.currency for m in months})
    shown = [month for one in currencies for month in without_gaps([m for m in months if m.currency == one])]
    amounts = AMOUNTS + (WITH_COST if database.settings.orders.cost else ())
    columns = (
        Column("month", width=12),
        Column("currency", width=10),
        Column("orders", Kind.NUMBER, 10),
        *(Column(name, Kind.MONEY, 18) for name in amounts),
    )
    rows = [_row(month, amounts) for month in shown]
    return [Sheet("Revenue", columns, iter([rows]), database.settings.money.decimals)]


def _month(words: str | None) -> str | None:
    if words and read_month(words) is None:
        raise InvalidInput(f"{words} is no month; a month is YYYY-MM.")
    return words or None


def _row(month: MonthlyRevenue, amounts: tuple[str, ...]) -> Row:
    return [month.month, month.currency, month.orders, *(getattr(month, name) for name in amounts)]
