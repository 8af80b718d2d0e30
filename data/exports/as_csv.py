"""A sheet as CSV, in which nobody's text can run as a formula."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator
from datetime import datetime
from decimal import Decimal

from data.events import stamp
from data.exports.sheets import Amounts, Row, Sheet
from data.money import plain
from data.spreadsheets import inert


def csv_pages(sheet: Sheet) -> Iterator[str]:
    """The file a page at a time, the names of the columns before the first: times as ISO 8601 in UTC, amounts plain and exact."""
    head: list[Row] = [[column.name for column in sheet.columns]]
    for page in sheet.pages:
        yield _lines([*head, *page], sheet.decimals)
        head = []
    if head:
        yield _lines(head, sheet.decimals)


def as_text(amounts: Amounts, decimals: int) -> str:
    """Amounts by currency, each with its own: EUR 100.10; USD 0.20."""
    return "; ".join(f"{currency} {plain(amount, decimals)}" for currency, amount in sorted(amounts.revenue.items()))


def _lines(rows: Iterable[Row], decimals: int) -> str:
    out = io.StringIO()
    csv.writer(out).writerows([_cell(value, decimals) for value in row] for row in rows)
    return out.getvalue()


def _cell(value: object, decimals: int) -> object:
    """Text that no spreadsheet takes for a formula; an amount may well begin with a minus."""
    if isinstance(value, Amounts):
        value = as_text(value, decimals)
    elif isinstance(value, Decimal):
        return plain(value, decimals)
    elif isinstance(value, datetime):
        return stamp(value)
    return inert(value) if isinstance(value, str) else value
