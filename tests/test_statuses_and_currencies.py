"""Statuses and currencies in columns of any kind."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest
from shops import ORDERS, execute
from test_month_orders import assert_every_month_adds_up
from test_revenue import assert_quick_is_checked, months, read

from data import queries
from data.database import Database

Shops = Callable[..., Database]
ENUM = {"sqlite": "VARCHAR(9)", "mariadb": "ENUM('EUR','usd')", "postgresql": "kind"}


@pytest.mark.parametrize(
    ("kind", "values", "named"),
    [("INTEGER", [1, 2, None], [2]), ("INTEGER", [1, 2, None], ["2"]), ("VARCHAR(9)", ["1", "2", None], [2]), ("DECIMAL(4,0)", [1, 2, None], [2])],
)  # fmt: skip
def test_statuses_that_are_revenue(
    empty_url: str, opened: Shops, kind: str, values: list[Any], named: list[Any]
) -> None:
    sales = [(n, 1, "2024-01-05 00:00:00", f"{n}.00", value) for n, value in enumerate(values, start=1)]
    sections = {"orders": {"status": "status", "revenue_statuses": named}}
    shop = opened(empty_url, orders=ORDERS.replace("VARCHAR(10)", kind), sales=sales, sections=sections)
    assert months(read(shop, queries.monthly_totals)) == {"2024-01": Decimal(2)}
    assert_quick_is_checked(shop)


def test_a_currency_that_is_an_enumeration(empty_url: str, engine_name: str, opened: Shops) -> None:
    sales = [(n, 1, "2024-01-05 00:00:00", f"{n}.00", word) for n, word in enumerate(["EUR", "usd", None], start=1)]
    orders = ORDERS.replace("VARCHAR(10)", ENUM[engine_name])
    if engine_name == "postgresql":
        orders = f"CREATE TYPE kind AS ENUM ('EUR', 'usd'); {orders}"
    sections = {"orders": {"currency": "status"}}
    shop = opened(empty_url, orders=orders, sales=[], sections=sections)
    for sale in sales:
        word = "NULL" if sale[4] is None else f"'{sale[4]}'"
        execute(shop.engine, f"INSERT INTO orders VALUES ({sale[0]}, 1, '{sale[2]}', {sale[3]}, {word})")
    found = {key[1]: figures.total for key, figures in read(shop, queries.monthly_totals).items()}
    assert found == {"EUR": Decimal(1), "USD": Decimal(2), "XXX": Decimal(3)}
    assert_every_month_adds_up(shop)
