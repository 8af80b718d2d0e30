"""The words of names, and how dates, amounts and discounts are told by name and by values."""

from __future__ import annotations

import pytest
from shops import execute, settings_for

from data.detection import propose
from data.detection.words import words_of
from data.engines import make_engine

NAMES = {
    "CustomerID": "customer id",
    "CUSTNO": "customer id",
    "kunden_nr": "customer id",
    "Auftragspositionen": "order line",
    "Aufträge": "order",
    "quantityOrdered": "quantity ordered",
    "E-Mail": "email",
    "total_paid_tax_incl": "total paid tax gross",
    "membership": "membership",  # no member that was shipped
    "reorder": "reorder",
    "border": "border",
    "IDCustomer": "id customer",
    "Prénom": "first",
}


@pytest.mark.parametrize("name", NAMES)
def test_a_name_is_its_words(name: str) -> None:
    assert " ".join(words_of(name)) == NAMES[name]


def proposed(url: str, *statements: str) -> tuple[str, str]:
    """The proposal for these tables, as text and as its orders' query."""
    engine = make_engine(settings_for(url).url)
    execute(engine, "CREATE TABLE customers (id {key}, name VARCHAR(20), email VARCHAR(40))")
    execute(
        engine, "INSERT INTO customers VALUES (1, 'Ann', 'a@example.com'), (2, 'Bob', 'b@example.com')", *statements
    )
    proposal = propose(engine, url)
    engine.dispose()
    assert proposal.file is not None, proposal.reasons
    return proposal.toml, proposal.file["orders"].get("query", "")


DATES = {
    "dmy": ("VARCHAR(20)", "'31.01.2024'", "'05.02.2024'", "as day, month, year"),
    "mdy": ("VARCHAR(20)", "'01/31/2024 10:00'", "'02/05/2024 11:00'", "as month, day, year"),
    "unsure": ("VARCHAR(20)", "'01.01.2024'", "'05.02.2024'", "the sample does not tell"),
    "compact": ("INTEGER", "20240131", "20240205", "as YYYYMMDD"),
    "milliseconds": ("BIGINT", "1706659200000", "1707091200000", "counts milliseconds"),
    "text": ("VARCHAR(30)", "'2024-01-31T23:59:59Z'", "'2024-02-05'", "is text that reads as a date"),
}


@pytest.mark.parametrize("form", DATES)
def test_dates_in_other_forms_lead_to_the_right_months(form: str, empty_url: str) -> None:
    kind, first, second, words = DATES[form]
    toml, _ = proposed(
        empty_url,
        f"CREATE TABLE orders (id {{key}}, customer_id INTEGER, order_date {kind}, total DECIMAL(8,2))",
        f"INSERT INTO orders VALUES (1, 1, {first}, 10), (2, 2, {second}, 5)",
    )
    assert words in " ".join(toml.replace("\n#", "").split())
    assert "2024-01         1 orders              10.00" in toml
    assert "2024-02         1 orders               5.00" in toml


DISCOUNTS = {
    "fraction": ("discount DECIMAL(5,3)", "0.25", "15.00"),
    "percent": ("discount INTEGER", "25", "15.00"),
    "amount": ("discount_amount DECIMAL(8,2)", "1.50", "18.50"),
    "none": ("discount DECIMAL(5,2)", "0", "20.00"),
}


@pytest.mark.parametrize("engine_name", ["sqlite", "mariadb"])
@pytest.mark.parametrize("kind", DISCOUNTS)
def test_a_discount_is_read_off_its_values(kind: str, empty_url: str) -> None:
    column, value, total = DISCOUNTS[kind]
    toml, query = proposed(
        empty_url,
        "CREATE TABLE orders (id {key}, customer_id INTEGER, order_date DATE)",
        f"CREATE TABLE order_items (id {{key}}, order_id INTEGER, quantity INTEGER, unit_price DECIMAL(8,2), {column})",
        "INSERT INTO orders VALUES (1, 1, '2024-01-31'), (2, 2, '2024-01-31')",
        f"INSERT INTO order_items VALUES (1, 1, 2, 10.00, {value})",
    )
    assert ("discount" in query) is (kind != "none")
    assert f"2 orders              {total}" in toml
    assert "order_items.discount" in toml
