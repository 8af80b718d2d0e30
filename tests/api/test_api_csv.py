"""GET /staff/customers/deleted.csv: every deleted customer, a page at a time, and no formula among them."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable
from typing import Any

import pytest
from callers import Caller, Serve, is_error
from shops import ADMIN, ORDERS, execute
from test_delete_customer import Shops

from data import exports, queries
from data.access import Role
from data.customers import delete_many
from data.errors import DatabaseUnavailable
from data.exports import sheets


def read(call: Caller) -> list[dict[str, str]]:
    answer = call("GET", "/staff/customers/deleted.csv")
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"] == "text/csv; charset=utf-8"
    assert answer.headers["content-disposition"] == 'attachment; filename="deleted_customers.csv"'
    assert "content-length" not in answer.headers
    return list(csv.DictReader(io.StringIO(answer.text, newline="")))


def test_who_when_why_and_what_the_orders_are_worth(call: Caller) -> None:
    assert call("DELETE", "/staff/customers/1", json={"reason": "mistake", "note": "two\nlines"}).status_code == 200
    with call.shop.engine.connect().execution_options(write=True) as connection, connection.begin():
        # Deleted anew by another program: of that deletion no event tells.
        connection.exec_driver_sql("UPDATE customers SET deleted_at = '2026-01-01 00:00:00' WHERE id = 4")
    ana, dora = read(call)
    assert ana == {
        "id": "1",
        "name": "Ana Lima",
        "email": "ana@example.com",
        "phone": "'+351 1",
        "created_at": "2024-01-02T10:00:00Z",
        "deleted_at": call("GET", "/staff/customers/1").json()["deleted_at"],
        "deleted_by": "token:test staff",
        "reason": "mistake",
        "note": "two\nlines",
        "orders": "3",
        "revenue_EUR": "80.25",
    }
    assert dora == {
        **dora,
        "id": "4",
        "deleted_at": "2026-01-01T00:00:00Z",
        "deleted_by": "",
        "reason": "",
        "note": "",
        "orders": "2",
        "revenue_EUR": "100.00",
    }


def test_no_text_is_a_formula_and_every_number_stays_one(empty_url: str, opened: Shops, serve: Serve) -> None:
    formulas = ["=1+1", "+1", "-1", "@SUM(A1)", "\tx", "\r", "  =1", "\u00a0@x", "＝1", '=cmd|"/c calc"!A1']  # noqa: RUF001
    formulas += ["\ufeff=1", " \u200b\u2060-1"]
    # Whichever sign a spreadsheet splits a line at, no part begins a formula; a mark may end a quotation at once.
    inside = {"x;=cmd|'/C calc'!A0;y": "x;'=cmd|'/C calc'!A0;y", "x\t=1": "x\t'=1", "\t=1": "'\t'=1"}
    inside |= {"x; \ufeff-1;+1": "x;' \ufeff-1;'+1", "x\r\n@y": "x\r\n'@y", 'x;""=1,': 'x;\'""=1,'}
    harmless = ["Ana", "a=b", "'=1", "1-1", "a;b - c;'=1", "a\n\tb", ""]
    names = [*formulas, *inside, *harmless]
    people = [{"id": n, "name": name} for n, name in enumerate(names, start=1)]
    sales = [(1, 1, "2024-01-01 00:00:00", "-20.00", "paid")]
    call = serve(opened(empty_url, people=people, sales=sales))
    delete_many(call.shop, [p["id"] for p in people], actor=ADMIN, reason="=HYPERLINK('x')")
    found = {int(row["id"]): row for row in read(call)}
    expected = [*(f"'{name}" for name in formulas), *inside.values(), *harmless]
    assert [found[n]["name"] for n in range(1, len(names) + 1)] == expected
    assert (found[1]["reason"], found[1]["note"], found[1]["revenue_EUR"]) == ("other", "'=HYPERLINK('x')", "-20.00")


@pytest.mark.parametrize("engine_name", ["sqlite"], indirect=True)
def test_currencies_that_are_kept_apart_stand_in_one_column(empty_url: str, opened: Shops, serve: Serve) -> None:
    sections = {"orders": {"currency": "currency"}}
    table = ORDERS.replace("status VARCHAR(10)", "status VARCHAR(10), currency VARCHAR(5) DEFAULT 'EUR'")
    call = serve(opened(empty_url, orders=table, sections=sections))
    execute(call.shop.engine, "UPDATE orders SET currency = 'USD' WHERE id = 2", "UPDATE orders SET currency = '=1'")
    execute(
        call.shop.engine,
        "UPDATE orders SET currency = 'USD' WHERE id = 2",
        "UPDATE orders SET currency = 'EUR' WHERE id = 1",
    )
    delete_many(call.shop, [1, 5], actor=ADMIN, reason="mistake")
    assert {row["id"]: row["revenue"] for row in read(call)} == {"1": "'=1 -20.05; EUR 100.10; USD 0.20", "5": ""}


@pytest.mark.parametrize("engine_name", ["sqlite"], indirect=True)
def test_all_pages_are_read_one_at_a_time_and_none_holds_a_connection(
    empty_url: str, opened: Shops, serve: Serve, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sheets, "PAGE", 3)
    people = [{"id": n, "name": f"N{n}"} for n in range(1, 9)]
    call = serve(opened(empty_url, people=people, sales=[]))
    assert read(call) == []
    delete_many(call.shop, range(1, 9), actor=ADMIN, reason="mistake")
    assert [row["id"] for row in read(call)] == [str(n) for n in range(8, 0, -1)]
    chunks = exports.csv_pages(*exports.deleted_customers(call.shop, {}))
    for rows in (4, 3, 2):  # the first has the names of the columns
        assert len(next(chunks).splitlines()) == rows
        assert call.shop.engine.pool.checkedout() == 0  # type: ignore[attr-defined]


def test_a_database_that_fails_at_once_is_an_error_and_one_that_fails_later_breaks_the_file_off(
    ask: Caller, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = queries.list_customers

    def failing(after: int) -> Callable[..., Any]:
        calls = iter(range(9))

        def listed(*arguments: Any, **how: Any) -> Any:
            if next(calls) >= after:
                raise DatabaseUnavailable("secret words")
            page = real(*arguments, **how)
            return type(page)(page.items, None, "more", False)

        return listed

    monkeypatch.setattr(queries, "list_customers", failing(0))
    assert is_error(ask("GET", "/staff/customers/deleted.csv"), 503, "database_unavailable")
    monkeypatch.setattr(queries, "list_customers", failing(1))
    bearer = {"Authorization": f"Bearer {ask.token(Role.STAFF)}"}
    with pytest.raises(ConnectionAbortedError, match=r"deleted\.csv broke off"):
        type(ask.client)(ask.client.app).get("/staff/customers/deleted.csv", headers=bearer)
