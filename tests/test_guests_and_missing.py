"""Who is a guest and who is missing, where keys are text, and where very many were missing at first."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal

import pytest
from shops import execute

from data import integrity
from data.database import Database
from data.migration import making

Open = Callable[..., Database]
TEXT_CUSTOMERS = "CREATE TABLE customers (id VARCHAR(20) PRIMARY KEY, name VARCHAR(60) NOT NULL, email VARCHAR(80), created_at {time} NULL)"
TEXT_ORDERS = (
    "CREATE TABLE orders (id {key}, customer_id VARCHAR(20), ordered_at {time} NULL, "
    "total DECIMAL(12,2) NOT NULL, status VARCHAR(10))"
)
SALES = [
    (1, "ann", "2024-01-05 00:00:00", "10.00", "paid"),
    (2, "0", "2024-01-06 00:00:00", "20.00", "paid"),
    (3, "gone", "2024-01-07 00:00:00", "40.00", "paid"),
    (4, None, "2024-01-08 00:00:00", "80.00", "paid"),
]


@pytest.mark.parametrize("guests", [[0], ["0"], [0, "-"]])
def test_a_number_that_means_guest_does_not_make_guests_of_keys_of_letters(
    opened: Open, empty_url: str, guests: list[int | str]
) -> None:
    people = [{"id": "ann", "name": "Ann Lee"}, {"id": "bo", "name": "Bo Ek"}]
    sections = {"orders": {"no_customer": guests}}
    shop = opened(
        empty_url, customers=TEXT_CUSTOMERS, orders=TEXT_ORDERS, people=people, sales=SALES, sections=sections
    )
    total = integrity.run_and_record(shop).totals[0]
    assert (total.active, total.no_customer, total.missing_customer) == (Decimal(10), Decimal(100), Decimal(40))


def test_text_among_the_values_does_not_make_a_guest_of_number_0(opened: Open, empty_url: str) -> None:
    people = [{"id": 1, "name": "Ann Lee"}]
    sales = [(1, 1, "2024-01-05 00:00:00", "10.00", "paid"), (2, 5, "2024-01-05 00:00:00", "20.00", "paid")]
    shop = opened(empty_url, people=people, sales=sales, sections={"orders": {"no_customer": ["none", "5"]}})
    total = integrity.run_and_record(shop).totals[0]
    assert (total.active, total.no_customer) == (Decimal(10), Decimal(20))


NOBODY = "00000000-0000-0000-0000-000000000000"
SOMEBODY = "0b5f2a8e-0000-4000-8000-00000000000a"
# The column's kind, a customer's key, a guest's, what the mapping names, and what of 10 and 20 is a guest's then.
LINKS = {
    "uuid": ("UUID", SOMEBODY, NOBODY, [0, "", NOBODY.replace("-", "")], 20),
    "uuid of nobody": ("UUID", SOMEBODY, NOBODY, [0, "none"], 0),
    "decimal": ("NUMERIC(12,0)", 7, 0, ["0", "none", "1e999", "NaN"], 20),
    "float": ("DOUBLE PRECISION", 7, 0, ["0.0", "-"], 20),
    "too large": ("INTEGER", 7, 0, [10**12, "0", 2**70], 20),
}


@pytest.mark.parametrize("engine_name", ["mariadb", "postgresql"])
@pytest.mark.parametrize("kind", LINKS)
def test_guests_are_named_in_the_kind_of_the_link(opened: Open, empty_url: str, kind: str) -> None:
    column, somebody, nobody, named, guests = LINKS[kind]
    shop = opened(
        empty_url,
        customers=f"CREATE TABLE customers (id {'INTEGER' if 'DOUBLE' in column else column} PRIMARY KEY, name VARCHAR(60))",
        orders=TEXT_ORDERS.replace("VARCHAR(20)", column),
        people=[{"id": somebody, "name": "Ann Lee"}],
        sales=[
            (1, somebody, "2024-01-05 00:00:00", "10.00", "paid"),
            (2, nobody, "2024-01-06 00:00:00", "20.00", "paid"),
        ],
        sections={"orders": {"no_customer": named}},
    )
    total = integrity.run_and_record(shop).totals[0]
    assert (total.active, total.no_customer, total.missing_customer) == (10, guests, 20 - guests)


def test_very_many_missing_customers_of_before_are_no_finding(
    opened: Open, empty_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(making, "MOST_MISSING", 2)
    sales = [(n, 100 + n, "2024-01-05 00:00:00", "1.00", "paid") for n in range(1, 7)]
    shop = opened(empty_url, sales=sales)
    assert integrity.run_and_record(shop).even
    execute(shop.engine, "INSERT INTO orders VALUES (7, 999, '2024-01-05 00:00:00', 1.00, 'paid')")
    check = next(c for c in integrity.run_and_record(shop).checks if c.name == "missing_customers")
    assert (check.ok, check.examples) == (False, ["7 orders name missing customers; 6 when Evenbooks was installed"])
