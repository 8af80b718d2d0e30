"""Amounts as text are read digit by digit, and what is no number is 0 and said."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest
from shops import ADMIN, ORDERS, PHONE, execute, fill
from test_seal_checksums import measured

from data import integrity, queries
from data.database import Database, snapshot
from data.integrity import Check
from data.integrity.accept import acknowledge

Shops = Callable[..., Database]
NUMERALS = {
    "12.50": "12.50",
    " 7 ": "7",
    "+0.10": "0.10",
    "-20.05": "-20.05",
    "000123.4500": "123.45",
    "0.1234565": "0.123457",  # to six digits, half up
    "-0.1234565": "-0.123457",
    "123456789012.345678": "123456789012.345678",  # beyond a double
}
UNREADABLE = ["12,50", "", " ", "abc", "1e3", "1.234,50", "1,234.50", "€ 12", "12 EUR", ".5", "5.", "+-5", "1.2.3", "0x1F", "NaN", "12\n", "١٢"]  # fmt: skip
COST = {**PHONE, "orders": {"cost": "status"}}


def of(amounts: list[Any]) -> list[tuple[Any, ...]]:
    return [(n, 1, "2024-01-05 00:00:00", amount, None) for n, amount in enumerate(amounts, start=1)]


def orders_of(kind: str) -> str:
    return ORDERS.replace("DECIMAL(12,2) NOT NULL", kind)


def check(shop: Database) -> Check:
    return next(c for c in integrity.run_and_record(shop).checks if c.name == "amounts")


def total(shop: Database) -> Decimal:
    with snapshot(shop) as moment:
        (figures,) = queries.monthly_totals(moment.connection, shop.schema).values()
        listed = queries.list_month_orders(moment.connection, shop.schema, "2024-01", currency="EUR", limit=100)
    assert sum(order.total for order in listed.items) == figures.total
    return figures.total


@pytest.mark.parametrize("kind", ["VARCHAR(40)", "TEXT"])
def test_text_is_added_to_the_last_digit(empty_url: str, opened: Shops, kind: str) -> None:
    shop = opened(empty_url, orders=orders_of(kind), sales=of([*NUMERALS, None]))
    assert total(shop) == sum(map(Decimal, NUMERALS.values()))
    found = check(shop)
    assert (found.ok, found.detail) == (True, "Every amount is a number. Without an amount, which counts as 0: 1.")


def test_what_is_no_number_is_0_and_never_its_beginning(empty_url: str, opened: Shops) -> None:
    shop = opened(empty_url, orders=orders_of("VARCHAR(40)"), sales=of(["1.00"]))
    assert check(shop).ok is True
    rows = [{"id": n, "customer_id": 1, "ordered_at": "2024-01-05 00:00:00", "total": words} for n, words in enumerate(UNREADABLE, start=17)]  # fmt: skip
    fill(shop.engine, "orders", rows)
    assert total(shop) == 1
    found = check(shop)
    assert (found.ok, found.level, found.count) == (False, "error", len(UNREADABLE))
    assert found.examples[0] == "order 17: '12,50'"
    assert found.detail == (
        f"Amounts that are no numbers, and so count as 0: {len(UNREADABLE)}; "
        "when Evenbooks was installed, 0 (order 17: '12,50')."
    )


def test_what_was_so_at_the_installation_is_a_warning_and_what_comes_later_an_error(
    empty_url: str, opened: Shops
) -> None:
    shop = opened(empty_url, orders=orders_of("VARCHAR(40)"), sales=of(["1.00", "12,50", None]))
    found = check(shop)
    assert (found.ok, found.level, found.examples) == (False, "warning", ["order 2: '12,50'"])
    assert integrity.run_and_record(shop).even
    execute(shop.engine, "UPDATE orders SET total = '13,50' WHERE id = 2", "UPDATE orders SET total = 'x' WHERE id = 1")
    found = check(shop)
    assert (found.level, found.count, found.examples) == ("error", 2, ["order 1: 'x'", "order 2: '13,50'"])
    for order in ("order 1", "order 2"):
        acknowledge(shop, "amounts", order, actor=ADMIN, reason="mistake")
    assert check(shop).ok is True


def test_a_cost_that_is_no_number_is_told_too(empty_url: str, opened: Shops) -> None:
    shop = opened(empty_url, sales=of(["1.00"]), sections=COST)
    execute(shop.engine, "UPDATE orders SET status = 'n/a'")
    assert check(shop).examples == ["cost of order 1: 'n/a'"]


def test_only_orders_that_count_are_looked_at(empty_url: str, opened: Shops) -> None:
    sections = {**PHONE, "orders": {"status": "status", "revenue_statuses": ["paid"]}}
    sales = [(1, 1, "2024-01-05", "2.00", "paid"), (2, 1, "2024-01-05", "-", "draft")]
    assert check(opened(empty_url, orders=orders_of("VARCHAR(40)"), sales=sales, sections=sections)).ok is True


SPECIAL = {
    "sqlite": ("REAL", ["9e999", "-9e999", "'12,50'"]),
    "postgresql": ("DOUBLE PRECISION", ["'NaN'", "'Infinity'", "'-Infinity'"]),
}


@pytest.mark.parametrize("engine_name", ["sqlite", "postgresql"], indirect=True)
def test_infinity_is_no_amount(empty_url: str, engine_name: str, opened: Shops) -> None:
    kind, values = SPECIAL[engine_name]
    shop = opened(empty_url, orders=orders_of(kind), sales=of(["1.00"]))
    for n, value in enumerate(values, start=50):
        execute(shop.engine, f"INSERT INTO orders VALUES ({n}, 1, '2024-01-05 00:00:00', {value}, NULL)")
    assert total(shop) == 1
    assert (check(shop).ok, check(shop).count) == (False, 3)


@pytest.mark.parametrize("engine_name", ["postgresql"], indirect=True)
@pytest.mark.parametrize("kind", ["NUMERIC", "NUMERIC(12,2)", "REAL", "MONEY"])
def test_what_postgresql_keeps_as_a_number(empty_url: str, opened: Shops, kind: str) -> None:
    shop = opened(empty_url, orders=orders_of(kind), sales=[])
    execute(shop.engine, "INSERT INTO orders VALUES (1, 1, '2024-01-05', 12345.67, NULL)")
    if kind != "MONEY":
        execute(shop.engine, "INSERT INTO orders VALUES (2, 1, '2024-01-05', 'NaN', NULL)")
        assert check(shop).examples == ["order 2: 'NaN'"]
    assert total(shop) == Decimal("12345.67")


def test_an_amount_that_is_no_number_is_sealed_as_it_is_stored(empty_url: str, opened: Shops) -> None:
    shop = opened(empty_url, orders=orders_of("VARCHAR(40)"), sales=of(["1.00", "12,50", None]))
    seen = [measured(shop, "2024-01")[0].checksum]
    for words in ("'12,51'", "'0'", "NULL"):
        execute(shop.engine, f"UPDATE orders SET total = {words} WHERE id = 2")
        seen.append(measured(shop, "2024-01")[0].checksum)
    assert len(set(seen)) == 4


@pytest.mark.parametrize("engine_name", ["mariadb"], indirect=True)
def test_an_enumeration_in_a_query_is_its_words(empty_url: str, opened: Shops) -> None:
    """Of a query the driver says text for it, and as a number it would be its place in the list."""
    query = "SELECT id, customer_id, ordered_at, total FROM orders"
    orders = ORDERS.replace("DECIMAL(12,2) NOT NULL", "ENUM('7', '12.5')")
    shop = opened(empty_url, orders=orders, sales=of(["7", "12.5"]), sections={"orders": {"query": query}})
    assert total(shop) == Decimal("19.5")


@pytest.mark.parametrize("engine_name", ["postgresql"], indirect=True)
def test_a_double_keeps_its_digits_whatever_the_servers_setting(empty_url: str, opened: Shops) -> None:
    shop = opened(empty_url, orders=orders_of("DOUBLE PRECISION"), sales=of(["123456789012345.67"] * 3))
    execute(shop.engine, f"ALTER DATABASE {shop.engine.url.database} SET extra_float_digits = 0")
    shop.engine.dispose()  # its next sessions begin with that
    assert total(shop) == Decimal("370370367037037.01")
