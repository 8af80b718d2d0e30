"""Files for spreadsheets: what is read back from a workbook is what the database holds, to the last digit and letter."""

from __future__ import annotations

import csv
import io
import zipfile
from collections.abc import Sequence
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
from openpyxl import load_workbook
from openpyxl.utils.escape import unescape
from shops import ADMIN, MANAGER, ORDERS, SALES, by_hand, execute, rows, state
from test_delete_customer import Shops

from data import exports, integrity, jobs, queries, seals
from data.customers import delete_many
from data.database import Database, snapshot
from data.errors import InvalidInput, JobNotFound
from data.exports import as_xlsx, sheets
from data.exports.sheets import Amounts, Column, Kind, Row, Sheet

SQLITE = pytest.mark.parametrize("engine_name", ["sqlite"], indirect=True)
WHOLE = Sequence[Sequence[Any]]


def workbook(made: Sequence[Sheet]) -> Any:
    """The workbook as a spreadsheet reads it."""
    file = io.BytesIO()
    exports.write_xlsx(made, file)
    file.seek(0)
    return load_workbook(file)


def cells(made: Sequence[Sheet], at: int = 0) -> WHOLE:
    """The rows of one of its sheets, the head first."""
    return [[cell.value for cell in row] for row in workbook(made).worksheets[at].iter_rows()]


def lines(sheet: Sheet) -> list[list[str]]:
    """The rows of the CSV file."""
    return list(csv.reader(io.StringIO("".join(exports.csv_pages(sheet)), newline="")))


def one_sheet(values: Sequence[object], *, kind: Kind = Kind.TEXT, decimals: int = 2) -> list[Sheet]:
    """A sheet of one column."""
    page: list[Row] = [[value] for value in values]
    return [Sheet("One", (Column("it", kind),), iter([page]), decimals)]


def test_deleted_customers_read_back_as_numbers_dates_and_text(shop: Database) -> None:
    delete_many(shop, [1], actor=ADMIN, reason="mistake", note="=1+1\ntwo")
    made = exports.open_report(shop, "deleted_customers", {"search": "Ana"})
    book = workbook(made)
    sheet = book.active
    assert (sheet.title, sheet.freeze_panes) == ("Deleted customers", "A2")
    head = [cell.value for cell in sheet[1]]
    assert head == [
        *("id", "name", "email", "phone", "created_at (UTC)", "deleted_at (UTC)", "deleted_by", "reason", "note"),
        *("orders", "revenue_EUR"),
    ]
    assert all(cell.font.bold for cell in sheet[1])
    assert sheet.max_row == 2  # only whom the search finds
    ana = dict(zip(head, sheet[2], strict=True))
    with snapshot(shop) as moment:
        stored = queries.get_customer(moment.connection, shop.schema, 1)
    assert stored is not None
    assert isinstance(stored.deleted_at, datetime)
    assert ana["deleted_at (UTC)"].value == stored.deleted_at.replace(tzinfo=None)
    assert ana["created_at (UTC)"].value == datetime(2024, 1, 2, 10)
    assert (ana["id"].value, ana["orders"].value) == (1, 3)
    assert (ana["revenue_EUR"].value, ana["revenue_EUR"].number_format) == (80.25, "#,##0.00")
    assert (ana["note"].value, ana["note"].data_type) == ("=1+1\ntwo", "s")
    assert (ana["phone"].value, ana["deleted_by"].value) == ("+351 1", ADMIN.id)


def test_text_stays_text_whatever_it_begins_with() -> None:
    hostile = [
        *(
            "=1+1",
            "+1",
            "-1",
            "@SUM(A1)",
            "=HYPERLINK(A1)",
            "{=1}",
            "http://x.example",
            "mailto:a@b.cc",
            "00123",
            "1e5",
        ),
        *("<b>&amp;", "_x0041_", " lead", "陈伟", "tab\tand\nline", "\u0007bell", "'=1", "TRUE", "#REF!"),
    ]
    made = workbook(one_sheet([*hostile, "<r><t>x</t></r>", "half \ud800", "y" * 40_000, None]))
    read = [row[0] for row in made.active.iter_rows(min_row=2)]
    assert [unescape(cell.value) for cell in read[: len(hostile)]] == hostile
    assert {cell.data_type for cell in read[: len(hostile) + 3]} == {"s"}
    assert [cell.hyperlink for cell in read] == [None] * len(read)
    rich, half, long = (cell.value for cell in read[len(hostile) : len(hostile) + 3])
    assert rich.strip() == "<r><t>x</t></r>"
    assert half == "half ?"
    assert (len(long), long[-6:]) == (32_767, " [cut]")


def test_no_cell_of_a_workbook_is_a_formula_or_a_link() -> None:
    file = io.BytesIO()
    exports.write_xlsx(one_sheet(["=1+1", "http://x.example", "=cmd|'/c calc'!A1"]), file)
    with zipfile.ZipFile(file) as parts:
        written = "".join(parts.read(name).decode() for name in parts.namelist() if "sheet" in name)
    assert "<f>" not in written
    assert "hyperlink" not in written


@pytest.mark.parametrize(
    ("amount", "read"),
    [
        ("-20.00", -20.0),
        ("0.1", 0.1),
        ("1265793.0395", 1265793.0395),
        ("9999999999999.99", 9999999999999.99),
        ("12345678901234567890.12", "12345678901234567890.12"),
        ("99999999999999.999", "99999999999999.999"),
        ("9367073931194.72", 9367073931194.72),
        ("8692.30", 8692.3),
        ("1234567890.123456", "1234567890.123456"),
        ("NaN", "NaN"),
    ],
)
def test_an_amount_is_a_number_only_where_that_is_exact(amount: str, read: object) -> None:
    (_, (found,)) = cells(one_sheet([Decimal(amount)], kind=Kind.MONEY))
    assert found == read
    assert Decimal(lines(*one_sheet([Decimal(amount)]))[1][0]).compare_total(Decimal(amount)) in (0, -1)


def test_every_number_that_is_written_is_the_amount_to_the_last_digit() -> None:
    held = [Decimal(n) / 100 for n in range(-70_000, 999_999_999, 9_999_991)]
    held += [Decimal(n) / 100 for n in range(1, 1_000_000, 97)]  # what shops sell
    ordinary = len(held)
    held += [Decimal(10) ** 12 + Decimal(n) / 1000 for n in range(1, 400, 7)]
    made = [value for (value,) in cells(one_sheet(held, kind=Kind.MONEY))[1:]]
    assert [value for value in made[:ordinary] if isinstance(value, str)] == []
    assert [Decimal(str(value)) for value in made] == held


def test_decimals_and_currencies_are_shown_as_the_money_is() -> None:
    book = workbook(one_sheet([Decimal(5), Amounts({"EUR": Decimal(7)}), Amounts({'"=X': Decimal(7)})], decimals=0))
    assert [cell.number_format for (cell,) in book.active.iter_rows(min_row=2)] == [
        "#,##0",
        '"EUR "#,##0',
        '"\'=X "#,##0',
    ]
    several = Amounts({"USD": Decimal("0.2"), "EUR": Decimal("100.1")})
    assert cells(one_sheet([Amounts({}), several]))[1:] == [[None], ["EUR 100.10; USD 0.20"]]


def test_times_that_no_spreadsheet_knows_are_text() -> None:
    times = [datetime(2026, 3, 4, 5, 6, 7, tzinfo=UTC), datetime(1899, 12, 31, tzinfo=UTC), "0000-00-00 00:00:00"]
    assert cells(one_sheet(times, kind=Kind.TIME)) == [
        ["it (UTC)"],
        [datetime(2026, 3, 4, 5, 6, 7)],
        ["1899-12-31 00:00:00+00:00"],
        ["0000-00-00 00:00:00"],
    ]


def test_a_sheet_that_is_too_long_goes_on_in_another(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(as_xlsx, "MOST_ROWS", 2)
    book = workbook(one_sheet(range(5)))
    assert book.sheetnames == ["One", "One (2)", "One (3)"]
    assert [[c.value for c in sheet["A"]] for sheet in book] == [["it", 0, 1], ["it", 2, 3], ["it", 4]]


def test_the_history_is_every_event_that_the_filter_lets_through(
    shop: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sheets, "EVENTS", 2)
    delete_many(shop, [1, 2, 3], actor=ADMIN, reason="mistake", note="why")
    written = rows(shop, "evenbooks_events")
    found = cells(exports.open_report(shop, "history", {}))
    assert [row[0] for row in found[1:]] == [row[0] for row in written[::-1]]
    (sheet,) = exports.open_report(shop, "history", {"action": "delete", "reason": "mistake", "zone": "Asia/Tokyo"})
    told = [line[:1] + line[2:8] for line in lines(sheet)[1:]]
    first = written[-3][0]
    assert told == [[str(first + n), "delete", ADMIN.id, "command", "mistake", "why", str(n + 1)] for n in (2, 1, 0)]
    with pytest.raises(InvalidInput, match=r"2026-13-01 is no day"):
        exports.open_report(shop, "history", {"from": "2026-13-01"})


@SQLITE
def test_revenue_is_what_the_orders_add_up_to_in_the_order_of_time(shop: Database) -> None:
    (sheet,) = exports.open_report(shop, "revenue", {})
    head, *months = lines(sheet)
    assert head == ["month", "currency", "orders", "active", "no_customer", "missing_customer", "deleted", "total"]
    assert [month[0] for month in months] == ["2024-01", "2024-02", "2024-03", "2024-04", ""]
    assert months[2][2:] == ["0", *["0.00"] * 5]  # in March nobody ordered
    assert sum(Decimal(month[-1]) for month in months) == sum(by_hand(SALES).values())
    (window,) = exports.open_report(shop, "revenue", {"from": "2024-02", "to": "2024-02", "currency": "EUR"})
    assert [month[0] for month in lines(window)[1:]] == ["2024-02"]
    with pytest.raises(InvalidInput, match="2024-2 is no month"):
        exports.open_report(shop, "revenue", {"from": "2024-2"})


@SQLITE
def test_amounts_of_revenue_are_exact_and_with_a_cost_come_with_the_profit(empty_url: str, opened: Shops) -> None:
    orders = ORDERS.replace("DECIMAL(12,2) NOT NULL", "DECIMAL(16,4) NOT NULL").replace(
        "status VARCHAR(10)", "status VARCHAR(10), cost DECIMAL(12,2) DEFAULT 0.5, currency VARCHAR(5) DEFAULT '=X'"
    )
    sections = {"orders": {"cost": "cost", "currency": "currency"}}
    sales = [(1, 1, "2024-01-01 00:00:00", "1265793.0395", "paid"), (2, 1, "2024-01-02 00:00:00", "-20.05", "paid")]
    shop = opened(empty_url, orders=orders, sales=sales, sections=sections)
    (sheet,) = exports.open_report(shop, "revenue", {})
    head, month = lines(sheet)
    assert head[-3:] == ["total", "cost", "profit"]
    assert month == ["2024-01", "'=X", "2", "1265772.9895", *["0.00"] * 3, "1265772.9895", "1.00", "1265771.9895"]


@SQLITE
def test_the_integrity_workbook_has_the_checks_the_months_and_the_seals(shop: Database) -> None:
    seals.seal(shop, "2024-02", actor=MANAGER)
    report = integrity.run_and_record(shop, actor=MANAGER)
    made = exports.open_report(shop, "integrity", {})
    assert workbook(made).sheetnames == ["Checks", "Months", "Seals"]
    checks, months, sealed = (cells(exports.open_report(shop, "integrity", {}), at) for at in range(3))
    assert checks[1][:2] == ["verdict", "Even"]
    assert integrity.verdict(report) in checks[1][5]
    assert [row[0] for row in checks[2:]] == [check.name for check in report.checks]
    assert [row[0] for row in months[1:]] == [m.month for m in report.months] + ["all"]
    assert [row[:5] for row in sealed[1:]] == [["2024-02", "EUR", 4, 4, 35.7]]
    (first, *_) = exports.open_report(shop, "integrity", {})
    assert len(lines(first)) == len(checks)


@SQLITE
def test_without_a_check_there_is_no_integrity_file(empty_url: str, opened: Shops) -> None:
    with pytest.raises(InvalidInput, match="The check has not run yet"):
        exports.open_report(opened(empty_url), "integrity", {})


@SQLITE
def test_a_file_is_read_a_page_at_a_time_and_writes_nothing(shop: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sheets, "PAGE", 2)
    delete_many(shop, [1, 2, 3, 5], actor=ADMIN, reason="mistake")
    before = state(shop)
    for name in ("deleted_customers", "history", "revenue", "integrity"):
        for sheet in exports.open_report(shop, name, {}):
            for _ in sheet.pages:
                assert shop.engine.pool.checkedout() == 0  # type: ignore[attr-defined]
    assert state(shop) == before
    execute(shop.engine, "UPDATE customers SET deleted_at = NULL")
    assert len(lines(*exports.open_report(shop, "deleted_customers", {}))) == 1


@SQLITE
def test_a_jobs_result_says_what_became_of_each_customer(shop: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sheets, "PAGE", 2)
    job = jobs.prepare(shop, "delete", actor=ADMIN, reason="mistake", ids=[1, 2, 3, 4])
    jobs.start(shop, job.id, actor=ADMIN)
    jobs.run_pending(shop)
    head, *found = cells(exports.open_report(shop, "job_result", {"job": job.id}))
    assert head == ["number", "customer_id", "name", "result", "words", "event_id"]
    assert [[row[1], row[2]] for row in found] == [[1, "Ana Lima"], [2, "Bo Ek"], [3, "陈伟"], [4, "Dora Gone"]]
    assert [row[3] for row in found] == ["done", "done", "done", "already"]
    assert all(row[5] for row in found[:3])
    with pytest.raises(JobNotFound):
        exports.open_report(shop, "job_result", {})
