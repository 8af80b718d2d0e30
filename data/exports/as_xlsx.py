"""Sheets as a workbook (XLSX): amounts are numbers where that is exact, times are dates, and text is text."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from datetime import UTC, datetime
from decimal import Decimal
from typing import IO, Any

from xlsxwriter import Workbook
from xlsxwriter.format import Format
from xlsxwriter.worksheet import Worksheet

from data.exports.as_csv import as_text
from data.exports.sheets import Amounts, Kind, Row, Sheet
from data.money import plain

MOST_ROWS = 1_048_575  # of a sheet, without its head
LONGEST = 32_767  # characters of a cell, in UTF-16
CUT = " [cut]"
LONGEST_CURRENCY = 40  # characters of it in a number's format
DIGITS = 15  # that spreadsheets keep of a number
FIRST_DATE = datetime(1900, 3, 1, tzinfo=UTC)  # before it spreadsheets disagree on which day it is
# Whatever begins a formula, an address or a number stays the text that it is.
OPTIONS: dict[str, Any] = {
    "constant_memory": True,
    "strings_to_formulas": False,
    "strings_to_urls": False,
    "strings_to_numbers": False,
    "use_zip64": True,
}


def write_xlsx(sheets: Sequence[Sheet], file: IO[bytes]) -> None:
    """Writes the workbook. A row at a time is held in memory; what is written meanwhile lies in a folder that is removed."""
    with tempfile.TemporaryDirectory(prefix="evenbooks-") as folder:
        book = Workbook(file, {**OPTIONS, "tmpdir": folder})
        try:
            for sheet in sheets:
                _Writer(book, sheet).write()
        finally:
            book.close()


class _Writer:
    """Writes one sheet into a workbook, and goes on in another where it is too long."""

    def __init__(self, book: Workbook, sheet: Sheet) -> None:
        self.book, self.sheet = book, sheet
        self.bold = book.add_format({"bold": True})
        self.time = book.add_format({"num_format": "yyyy-mm-dd hh:mm:ss"})
        self.digits = "#,##0" + ("." + "0" * sheet.decimals if sheet.decimals else "")
        self.right = book.add_format({"align": "right"})
        self.formats: dict[str | None, Format] = {}

    def write(self) -> None:
        number = 1
        target, row = self._begin(number), 0
        for page in self.sheet.pages:
            for values in page:
                if row == MOST_ROWS:
                    number += 1
                    target, row = self._begin(number), 0
                row += 1
                self._write_row(target, row, values)

    def _begin(self, number: int) -> Worksheet:
        """The sheet's name, head and widths; times are UTC, which only the head can say."""
        name = self.sheet.title if number == 1 else f"{self.sheet.title} ({number})"
        target = self.book.add_worksheet(name)
        target.freeze_panes(1, 0)
        for at, column in enumerate(self.sheet.columns):
            target.set_column(at, at, column.width)
        for at, column in enumerate(self.sheet.columns):
            words = f"{column.name} (UTC)" if column.kind is Kind.TIME else column.name
            target.write_string(0, at, _text(words), self.bold)
        return target

    def _write_row(self, target: Worksheet, row: int, values: Row) -> None:
        for at, value in enumerate(values):
            if isinstance(value, Amounts) and len(value.revenue) == 1:
                ((currency, amount),) = value.revenue.items()
                self._write_amount(target, row, at, amount, currency)
            elif isinstance(value, Amounts):
                if value.revenue:
                    target.write_string(row, at, _text(as_text(value, self.sheet.decimals)), self.right)
            elif isinstance(value, Decimal):
                self._write_amount(target, row, at, value)
            elif isinstance(value, datetime) and value >= FIRST_DATE:
                target.write_datetime(row, at, value.astimezone(UTC).replace(tzinfo=None), self.time)
            elif isinstance(value, int) and _is_exact(Decimal(value)):
                target.write_number(row, at, value)
            elif value not in (None, ""):
                target.write_string(row, at, _text(value))

    def _write_amount(self, target: Worksheet, row: int, at: int, amount: Decimal, currency: str | None = None) -> None:
        """A number, shown with the currency's decimals; what no spreadsheet could hold to the last digit is text."""
        if _is_exact(amount):
            # As the Decimal that it is: a float would be written with all its digits, 8692.299999999999.
            target.write_number(row, at, amount, self._format(currency))
        else:
            words = plain(amount, self.sheet.decimals)
            target.write_string(row, at, _text(f"{currency} {words}" if currency else words), self.right)

    def _format(self, currency: str | None) -> Format:
        """How amounts look, made once for each currency."""
        if currency not in self.formats:
            shown = (currency or "").replace('"', "'")[:LONGEST_CURRENCY]
            words = f'"{shown} "{self.digits}' if currency else self.digits
            self.formats[currency] = self.book.add_format({"num_format": words})
        return self.formats[currency]


def _is_exact(number: Decimal) -> bool:
    """Whether a spreadsheet, which counts in doubles, holds this number to the last digit."""
    if not number.is_finite() or len(number.normalize().as_tuple().digits) > DIGITS:
        return False
    return Decimal(repr(float(number))) == number


def _text(value: object) -> str:
    """Text as a cell can hold it. What stands between <r> and </r> would be taken for the file's own words."""
    words = str(value).encode("utf-8", "replace").decode("utf-8")
    if words.startswith("<r>") and words.endswith("</r>"):
        words += " "
    if len(words.encode("utf-16-le")) // 2 > LONGEST:
        words = words.encode("utf-16-le")[: 2 * (LONGEST - len(CUT))].decode("utf-16-le", "ignore") + CUT
    return words
