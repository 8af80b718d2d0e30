"""The check: what it finds, what it says, and how the command ends."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

import pytest
from shops import ADMIN, execute

from data import CustomerNotFound, integrity, queries
from data.customers import delete_many
from data.database import Database
from data.integrity import Check, Report


@pytest.fixture
def run(shop: Database, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Any:
    """Runs the command on the shop; answers its exit code and what it printed."""
    monkeypatch.setenv("DATABASE_URL", shop.settings.database_url)

    def command(*arguments: str) -> tuple[int, str]:
        code = integrity.main(arguments)
        return code, capsys.readouterr().out

    return command


def found(shop: Database) -> dict[str, Check]:
    return {check.name: check for check in integrity.run_and_record(shop).checks}


def red(report: Report) -> list[str]:
    return [check.name for check in report.checks if check.ok is False and check.level == "error"]


def test_even_books_exit_0_with_the_contracts_json(run: Any) -> None:
    code, out = run("--json")
    answer = json.loads(out)
    assert code == 0
    assert (answer["even"], answer["unseen"], answer["snapshot_at"][-1]) == (True, 0, "Z")
    assert set(answer) == {"even", "snapshot_at", "unseen", "checks", "months", "totals"}
    names = ("name", "ok", "level", "count", "detail", "examples")
    assert all(tuple(check) == names for check in answer["checks"])
    assert answer["months"][0] == {
        "month": "2024-01",
        "currency": "EUR",
        "orders": 3,
        "active": "100.10",
        "deleted": "33.33",
        "no_customer": "9.99",
        "missing_customer": "0.00",
        "total": "143.42",
    }
    assert answer["months"][-1]["month"] is None
    assert answer["totals"] == [
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


def test_from_and_to_bound_the_split(run: Any) -> None:
    code, out = run("--json", "--from", "2024-02", "--to", "2024-02")
    answer = json.loads(out)
    assert (code, [m["month"] for m in answer["months"]]) == (0, ["2024-02"])
    assert answer["totals"][0]["total"] == "35.70"


def test_the_verdict_names_missing_customers_where_their_orders_are_part_of_the_total(run: Any) -> None:
    assert "Active + deleted + no customer + missing customer = total, to the last digit, in all 3 months" in run()[1]


@pytest.mark.parametrize(
    ("harm", "name", "example"),
    [
        ("UPDATE orders SET customer_id = 4711 WHERE id = 5", "missing_customers", "customer 4711: 1 orders"),
        ("UPDATE customers SET deleted_at = '2024-01-01 00:00:00' WHERE id = 1", "deletions", "without an event"),
        ("UPDATE customers SET deleted_at = NULL WHERE id = 4", "deletions", "customer 4: active, although deleted"),
        ("UPDATE customers SET deleted_at = '2020-01-01 00:00:00' WHERE id = 4", "deletions", "its event says"),
        ("UPDATE evenbooks_events SET actor = 'somebody' WHERE id = 2", "chain", "its actor is not what its body says"),
        ("UPDATE evenbooks_events SET reason = NULL WHERE id = 2", "chain", "its reason is not what its body says"),
    ],
)
def test_what_is_done_behind_the_products_back_is_named(
    run: Any, shop: Database, harm: str, name: str, example: str
) -> None:
    execute(shop.engine, harm)
    checks = found(shop)
    assert [n for n, check in checks.items() if check.ok is False and check.level == "error"] == [name]
    assert any(example in words for words in checks[name].examples)
    code, out = run()
    assert code == 1
    assert "The books are not even" in out


def test_a_deleted_customer_who_is_physically_gone_is_said_to_be_gone(shop: Database) -> None:
    delete_many(shop, [5], actor=ADMIN, reason="mistake")
    execute(shop.engine, "DELETE FROM customers WHERE id = 5")
    assert "customer 5: not in the table any more, deleted at" in found(shop)["deletions"].examples[0]


@pytest.mark.parametrize(
    "body",
    [
        '{"action":"baseline","deleted":5}',
        '{"action":"delete","customer_id":[1]}',
        '{"action":"delete"}',
        '{"action":"baseline","deleted":[],"missing":[1],"missing_orders":"x"}',
        "[]",
        "no JSON",
    ],
)
@pytest.mark.parametrize("event", [1, 2])
def test_a_tampered_body_turns_the_chain_red_and_stops_nothing(run: Any, shop: Database, body: str, event: int) -> None:
    execute(
        shop.engine,
        f"UPDATE evenbooks_events SET body = '{body.replace('{', '{{').replace('}', '}}')}' WHERE id = {event}",
    )
    code, out = run("--json")
    assert code == 1
    chain = next(check for check in json.loads(out)["checks"] if check["name"] == "chain")
    assert chain["ok"] is False
    assert f"event {event}: " in chain["examples"][0]


def test_a_database_that_is_not_there_exits_2(run: Any, shop: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATABASE_URL", "mysql+pymysql://shop:secret@127.0.0.1:9/shop")
    code, out = run("--json")
    answer = json.loads(out)
    assert code == 2
    assert answer["even"] is None
    assert answer["error"]["code"] == "DatabaseUnavailable"
    assert "secret" not in out


def test_an_error_that_nobody_foresaw_exits_2_as_well(run: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: Any, **__: Any) -> Any:
        raise RuntimeError("unforeseen")

    monkeypatch.setattr(queries, "monthly_part", fail)
    code, out = run("--json")
    assert (code, json.loads(out)["even"]) == (2, None)


def test_parts_that_do_not_add_up_are_red_and_name_the_month(shop: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = queries.monthly_part

    def short(connection: Any, schema: Any, part: Any, **window: Any) -> Any:
        return {} if part == "no_customer" else whole(connection, schema, part, **window)

    monkeypatch.setattr(queries, "monthly_part", short)
    report = integrity.run_and_record(shop)
    assert red(report) == ["identity", "long_way"]
    assert report.checks[0].examples == ["2024-01: parts are EUR 9.99 short, 2 of 3 orders"]
    assert report.months[0].difference == Decimal("9.99")


def test_the_contract_names_are_where_scripts_look_for_them() -> None:
    assert "4711" in str(CustomerNotFound(4711))
