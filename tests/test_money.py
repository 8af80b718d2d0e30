"""Money: exact sums whatever the column's type, and amounts as text."""

from __future__ import annotations

from decimal import Decimal, Inexact
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st
from shops import ORDERS, execute, fill, migrated
from test_delete_customer import Shops

from data import money, queries
from data.database import Database, snapshot
from data.errors import EvenbooksError

CENTS = [
    "0.10",
    "0.20",
    "0.30",
    "12345.67",
    "-20.05",
    "0.01",
    "9999999.99",
    "-0.01",
    "33333.33",
    "19.99",
    "2.01",
    "4.02",
] * 4
FOUR = ["0.1234", "1265793.0395", "-0.0001", "12.5"]
WHOLE = ["1", "-2", "2147483647"]
TYPES = {
    "DECIMAL(12,2) NOT NULL": CENTS,
    "DECIMAL(14,4) NOT NULL": FOUR,
    "NUMERIC(12,2) NOT NULL": CENTS,
    "DOUBLE PRECISION NOT NULL": CENTS + FOUR,
    "FLOAT NOT NULL": ["12345.67", "0.10", "-20.05", "99999.99"],
    "REAL NOT NULL": ["12345.67", "0.10", "-20.05", "99999.99"],
    "INTEGER NOT NULL": WHOLE,
    "BIGINT NOT NULL": [*WHOLE, "900000000000"],
    "VARCHAR(20) NOT NULL": CENTS + FOUR,
    "TEXT NOT NULL": CENTS,
}


def orders_of(kind: str) -> str:
    return ORDERS.replace("DECIMAL(12,2) NOT NULL", kind)


def total(shop: Database) -> Decimal:
    with snapshot(shop) as moment:
        found = queries.monthly_totals(moment.connection, shop.schema)
        checked = queries.monthly_part(moment.connection, shop.schema, "total")
        impact = queries.impact(moment.connection, shop.schema, [1])[1]
    assert found == checked
    (figures,) = found.values()
    assert impact.revenue == {"EUR": figures.total}
    return figures.total


def sell(opened: Shops, url: str, kind: str, amounts: list[str]) -> Database:
    sales = [(n, 1, "2024-01-05 00:00:00", amount, "paid") for n, amount in enumerate(amounts, start=1)]
    return opened(url, orders=orders_of(kind), sales=sales)


@pytest.mark.parametrize(("kind", "amounts"), TYPES.items(), ids=TYPES.keys())
def test_the_sum_is_exact_whatever_the_column(empty_url: str, opened: Shops, kind: str, amounts: list[str]) -> None:
    assert total(sell(opened, empty_url, kind, amounts)) == sum(map(Decimal, amounts))


def test_amounts_that_are_missing_count_as_nothing(empty_url: str, opened: Shops) -> None:
    sales = [(1, 1, "2024-01-05 00:00:00", None, "paid"), (2, 1, "2024-01-05 00:00:00", "1.10", "paid")]
    assert total(opened(empty_url, orders=orders_of("DECIMAL(12,2)"), sales=sales)) == Decimal("1.10")
    assert total(opened_again(opened, empty_url)) == 0


def opened_again(opened: Shops, url: str) -> Database:
    """The same shop where only the order without an amount is left."""
    shop = migrated(url)
    execute(shop.engine, "DELETE FROM orders WHERE id = 2")
    return shop


TOO_LARGE = [["1e40"], ["-1e40"], ["1e33", "1"]]


def refused(shop: Database, amounts: list[str]) -> None:
    """These amounts make the total an error, not a number."""
    fill(shop.engine, "orders", [{"customer_id": 1, "ordered_at": "2024-01-05 00:00:00", "total": a} for a in amounts])
    with pytest.raises(EvenbooksError, match=r"^An amount is too large to be added exactly, so there is no total"):
        total(shop)


@pytest.mark.parametrize("amounts", TOO_LARGE, ids=str)
def test_an_amount_beyond_exactness_raises_and_is_never_a_wrong_sum(
    empty_url: str, opened: Shops, amounts: list[str]
) -> None:
    refused(sell(opened, empty_url, "DOUBLE PRECISION NOT NULL", []), amounts)


@pytest.mark.parametrize("engine_name", ["sqlite"], indirect=True)
def test_a_sum_beyond_exactness_raises_on_sqlite(empty_url: str, opened: Shops) -> None:
    refused(sell(opened, empty_url, "DOUBLE PRECISION NOT NULL", []), ["9000000000000"] * 2)


@pytest.mark.parametrize("engine_name", ["mariadb", "postgresql"], indirect=True)
def test_a_large_decimal_stays_exact_on_a_server(empty_url: str, opened: Shops) -> None:
    amounts = ["12345678901234567890123456.123456", "0.000001"]
    assert total(sell(opened, empty_url, "DECIMAL(38,6) NOT NULL", amounts)) == Decimal(
        "12345678901234567890123456.123457"
    )


PLAIN = {
    ("1265793.0395", 2): "1265793.0395",
    ("10", 2): "10.00",
    ("10", 0): "10",
    ("1E+3", 2): "1000.00",
    ("-0.00", 2): "0.00",
    ("-20.50", 2): "-20.50",
    ("0.100000", 2): "0.10",
    ("0.000001", 2): "0.000001",
    ("99999999999999999999999999999999.999999", 2): "99999999999999999999999999999999.999999",
}


@pytest.mark.parametrize(("given_", "text"), PLAIN.items(), ids=str)
def test_an_amount_has_one_text(given_: tuple[str, int], text: str) -> None:
    assert money.plain(Decimal(given_[0]), given_[1]) == text


@pytest.mark.parametrize(
    ("amount", "shown"), [("0.125", "0.13"), ("-0.125", "-0.13"), ("27861.895", "27861.90"), ("0.114", "0.11")]
)
def test_it_is_rounded_half_up_when_shown(amount: str, shown: str) -> None:
    assert str(money.rounded(Decimal(amount))) == shown


@given(st.lists(st.decimals(-(10**31), 10**31, places=6)))
def test_adding_is_exact_and_its_text_reads_back(amounts: list[Decimal]) -> None:
    added = money.add(amounts)
    assert Fraction(added) == sum(map(Fraction, amounts))
    assert Decimal(money.plain(added)) == added


def test_adding_never_drops_a_digit() -> None:
    with pytest.raises(Inexact):
        money.add([Decimal(10) ** 60, Decimal("0.000001")])
