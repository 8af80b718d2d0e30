"""The reports through the API: figures that are right without a check before, and the check itself."""

from __future__ import annotations

import threading

import pytest
from callers import Caller, Serve, is_error
from shops import ORDERS, SALES, by_hand, execute, rows
from test_delete_customer import Shops

from data.access import Role
from web import reports

AUDITOR = {"role": Role.AUDITOR}
PARTS = ("active", "deleted", "no_customer", "missing_customer")


def test_revenue_is_split_by_month_and_adds_up_before_any_check_was_run(call: Caller) -> None:
    body = call("GET", "/reports/revenue", **AUDITOR).json()
    assert body.keys() == {"snapshot_at", "derived", "months", "totals"}
    assert body["derived"] == ["active"]
    assert body["snapshot_at"].endswith("Z")
    rest = {"currency": "EUR", "no_customer": "0.00", "missing_customer": "0.00", "deleted": "0.00"}
    assert body["months"] == [
        {
            **rest,
            "month": "2024-01",
            "orders": 3,
            "active": "100.10",
            "deleted": "33.33",
            "no_customer": "9.99",
            "total": "143.42",
        },
        {**rest, "month": "2024-02", "orders": 4, "active": "30.15", "missing_customer": "5.55", "total": "35.70"},
        {**rest, "month": "2024-04", "orders": 2, "active": "7.77", "deleted": "66.67", "total": "74.44"},
        {**rest, "month": None, "orders": 1, "active": "1.01", "total": "1.01"},
    ]
    assert {month["month"]: month["total"] for month in body["months"]} == {
        month: f"{total:.2f}" for month, total in by_hand(SALES).items()
    }
    assert body["totals"] == [
        {
            "currency": "EUR",
            "orders": 10,
            "active": "139.03",
            "deleted": "100.00",
            "no_customer": "9.99",
            "missing_customer": "5.55",
            "total": "254.57",
        }
    ]


def test_the_check_answers_all_of_it_is_kept_and_is_not_what_revenue_relies_on(call: Caller) -> None:
    kept = len(rows(call.shop, "evenbooks_checks"))
    body = call("GET", "/reports/integrity", **AUDITOR).json()
    assert body.keys() == {"even", "snapshot_at", "unseen", "checks", "months", "totals"}
    assert body["even"] is True
    assert {check["name"] for check in body["checks"]} >= {"identity", "chain", "deletions"}
    assert body["checks"][0].keys() == {"name", "ok", "level", "count", "detail", "examples"}
    revenue = call("GET", "/reports/revenue", **AUDITOR).json()
    assert (body["months"], body["totals"]) == (revenue["months"], revenue["totals"])
    assert len(rows(call.shop, "evenbooks_checks")) == kept + 1
    # A customer who vanishes behind our back is missing at once, whatever the kept check says.
    execute(call.shop.engine, "DELETE FROM customers WHERE id = 3")
    april = call("GET", "/reports/revenue?from=2024-04&to=2024-04", **AUDITOR).json()
    assert [(m["month"], m["active"], m["missing_customer"], m["total"]) for m in april["months"]] == [
        ("2024-04", "0.00", "7.77", "74.44")
    ]
    assert april["totals"][0]["total"] == "74.44"
    whole = call("GET", "/reports/integrity", **AUDITOR)
    assert (whole.status_code, whole.json()["even"]) == (200, False)


@pytest.mark.parametrize(
    ("query", "months"),
    [
        ("from=2024-02", ["2024-02", "2024-04"]),
        ("to=2024-02", ["2024-01", "2024-02"]),
        ("from=2024-02&to=2024-03", ["2024-02"]),
        ("from=2030-01", []),
        ("to=9999-12", ["2024-01", "2024-02", "2024-04"]),
        ("from=0000-01", ["2024-01", "2024-02", "2024-04"]),
    ],
)
def test_revenue_of_some_months(ask: Caller, query: str, months: list[str]) -> None:
    body = ask("GET", f"/reports/revenue?{query}", **AUDITOR).json()
    assert [month["month"] for month in body["months"]] == months
    assert len(body["totals"]) == min(1, len(months))


@pytest.mark.parametrize(
    "query", ["from=2024", "from=2024-13", "to=2024-1", "to=x", "from=", "from=2024-02&to=2024-01", "month=2024-01"]
)
def test_months_that_are_none_are_refused(ask: Caller, query: str) -> None:
    assert is_error(ask("GET", f"/reports/revenue?{query}", **AUDITOR), 422, "invalid_input")


@pytest.mark.parametrize("engine_name", ["sqlite"], indirect=True)
def test_currencies_are_kept_apart(empty_url: str, opened: Shops, serve: Serve) -> None:
    table = ORDERS.replace("status VARCHAR(10)", "status VARCHAR(10), currency VARCHAR(5) DEFAULT 'EUR'")
    call = serve(opened(empty_url, orders=table, sections={"orders": {"currency": "currency"}}))
    execute(call.shop.engine, "UPDATE orders SET currency = 'USD' WHERE id = 1")
    body = call("GET", "/reports/revenue", **AUDITOR).json()
    assert [(total["currency"], total["total"]) for total in body["totals"]] == [("EUR", "154.47"), ("USD", "100.10")]


def test_one_check_runs_at_a_time_and_who_waits_too_long_is_told(ask: Caller, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reports, "LONGEST_WAIT", 0.05)
    with reports.one_at_a_time():
        answer = ask("GET", "/reports/integrity", **AUDITOR)
    assert is_error(answer, 503, "busy")
    assert answer.headers["Retry-After"].isdecimal()
    assert ask("GET", "/reports/integrity", **AUDITOR).status_code == 200


def test_the_threads_of_the_server_do_not_all_wait_for_one_check(ask: Caller, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reports, "LONGEST_WAIT", 20)
    answers: list[int] = []

    def wait() -> None:
        with reports.one_at_a_time():
            answers.append(200)

    with reports.one_at_a_time():
        waiting = [threading.Thread(target=wait) for _ in range(reports.MOST_WAITING)]
        for thread in waiting:
            thread.start()
        while reports._waiting._value:  # until they all wait
            pass
        assert is_error(ask("GET", "/reports/integrity", **AUDITOR), 503, "busy")
    for thread in waiting:
        thread.join(20)
    assert answers == [200] * reports.MOST_WAITING
