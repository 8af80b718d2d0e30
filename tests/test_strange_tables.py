"""Tables as companies really have them: odd names, strict and untyped columns, keys that only look like numbers."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from shops import ADMIN, MANAGER, execute, migrated, settings_for
from sqlalchemy import text
from test_delete_customer import Shops
from test_list_customers import page

from data import integrity, queries
from data.customers import add, delete_many, restore_many
from data.database import Database, snapshot
from data.engines import make_engine
from data.errors import ConfigurationError, CustomerNotFound
from data.migration import migrate
from data.probe import probe
from data.schema import literal_sql

CUSTOMERS = "CREATE TABLE customers (id {key}, name VARCHAR(50) NOT NULL, email VARCHAR(50), created_at {time} NULL)"
ORDERS = "CREATE TABLE orders (id {key}, customer_id INTEGER, ordered_at {time} NULL, total DECIMAL(16,4))"
PEOPLE = "INSERT INTO customers (id, name) VALUES (1, 'Ann'), (2, 'Bo')"
SALES = "INSERT INTO orders (customer_id, ordered_at, total) VALUES (1, '2024-01-01', 1.5), (2, '2024-02-29', -2), (NULL, NULL, 3)"


def made(url: str, *statements: str, sections: dict[str, Any] | None = None) -> Database:
    """The database that these statements of the company make, prepared and attached."""
    engine = make_engine(settings_for(url).url)
    execute(engine, *statements)
    engine.dispose()
    return migrated(url, sections)


def refused(url: str, *statements: str, sections: dict[str, Any] | None = None) -> str:
    """The sentence with which such a database is refused."""
    engine = make_engine(settings_for(url).url)
    execute(engine, *statements)
    engine.dispose()
    with pytest.raises(ConfigurationError) as error:
        migrate(settings_for(url, sections), say=lambda line: None)
    return str(error.value)


def months(shop: Database, part: Any) -> dict[str | None, Decimal]:
    with snapshot(shop) as moment:
        found = queries.monthly_part(moment.connection, shop.schema, part)
    return {month: figures.total for (month, _), figures in found.items()}


def assert_one_can_go(shop: Database, key: Any, amounts: dict[str | None, str]) -> None:
    """The customer is listed, deleted and restored; the orders' amounts become the deleted ones'; the books stay even."""
    totals = months(shop, "total")
    assert key in [customer.id for customer in page(shop).items]
    assert delete_many(shop, [key], actor=ADMIN, reason="mistake")[0].changed
    assert months(shop, "deleted") == {month: Decimal(amount) for month, amount in amounts.items()}
    assert months(shop, "total") == totals
    report = integrity.run_and_record(shop)
    assert report.even, [check for check in report.checks if check.ok is False]
    assert restore_many(shop, [key], actor=ADMIN, reason="undo")[0].changed
    assert months(shop, "deleted") == {}


@pytest.mark.parametrize("words", [r"a\b", r"\d+", r"a\:b", r"\\", ":x", "a::text", r"\::x", "':q%'", r"a\\:b\:"])
def test_raw_sql_of_the_mapping_reaches_the_database_as_it_is(words: str) -> None:
    """A doubled backslash would make another pattern of it, and other figures."""
    assert str(text(literal_sql(words))) == words


def test_names_may_have_blanks_percent_signs_colons_quotes_backslashes_and_points(empty_url: str) -> None:
    customers, orders, at = "cu:x \\ 'st%s", "or.ders ;--é", "at %(time)s:"
    sections = {
        "customers": {"table": customers, "id": "I d%s:a", "name": "select", "deleted_at": "de leted%s:at"},
        "orders": {"table": orders, "id": "order % by", "customer_id": ":cid", "ordered_at": at, "total": "to.tal\\"},
    }
    shop = made(
        empty_url,
        f"CREATE TABLE `{customers}` (`I d%s:a` {{key}}, `select` VARCHAR(50))",
        f"CREATE TABLE `{orders}` (`order % by` {{key}}, `:cid` INTEGER, `{at}` {{time}} NULL, `to.tal\\` DECIMAL(9,2))",
        f"INSERT INTO `{customers}` VALUES (1, 'Ann'), (2, 'Bo')",
        f"INSERT INTO `{orders}` VALUES (1, 1, '2024-01-05', 0.10), (2, 2, '2024-02-06', 0.20), (3, NULL, NULL, 0.30)",
        sections=sections,
    )
    assert_one_can_go(shop, 1, {"2024-01": "0.10"})
    assert probe(shop, actor=MANAGER, at_most=60).even
    shop.engine.dispose()


def test_a_view_of_customers_is_called_a_view(empty_url: str) -> None:
    people = CUSTOMERS.replace("customers", "people")
    said = refused(empty_url, people, "CREATE VIEW customers AS SELECT * FROM people", ORDERS)
    assert said.startswith("customers is a view, which can have no deleted_at of its own. Name the table behind it")


@pytest.mark.parametrize("engine_name", ["sqlite"], indirect=True)
class TestSQLite:
    """What a file may hold."""

    def test_a_strict_table_keeps_the_time_of_deletion_as_text(self, empty_url: str) -> None:
        customers = "CREATE TABLE customers (id INTEGER PRIMARY KEY, name TEXT NOT NULL, created_at INTEGER) STRICT"
        orders = "CREATE TABLE orders (id INTEGER PRIMARY KEY, customer_id INTEGER, ordered_at TEXT, total REAL) STRICT"
        shop = made(empty_url, customers, orders, PEOPLE, SALES)
        assert_one_can_go(shop, 2, {"2024-02": "-2"})
        assert add(shop, {"name": "Cy"}, actor=ADMIN).created_at is None  # a number there is no time
        shop.engine.dispose()

    @pytest.mark.parametrize("declared", ["", "NUMERIC", "DECIMAL(9,0)", "INT"])
    def test_keys_are_what_the_file_holds_whatever_the_column_is_declared_as(
        self, declared: str, empty_url: str
    ) -> None:
        customers = f"CREATE TABLE customers (id {declared} PRIMARY KEY NOT NULL, name, email)"
        shop = made(empty_url, customers, ORDERS, PEOPLE, SALES)
        assert_one_can_go(shop, 1, {"2024-01": "1.5"})
        assert delete_many(shop, ["2"], actor=ADMIN, reason="mistake")[0].customer.id == 2
        assert page(shop, search="1").items[0].id == 1
        assert "needs id" in (shop.schema.add_blocker or "")  # such a column is NULL where nobody says otherwise
        shop.engine.dispose()

    def test_text_in_a_column_of_numbers_is_a_key_of_text(self, empty_url: str) -> None:
        people = "INSERT INTO customers (id, name) VALUES ('A-1', 'Ann'), ('A-2', 'Bo')"
        sales = "INSERT INTO orders (customer_id, ordered_at, total) VALUES ('A-1', '2024-01-01', 1.5)"
        shop = made(empty_url, "CREATE TABLE customers (id INT PRIMARY KEY, name)", ORDERS, people, sales)
        assert_one_can_go(shop, "A-1", {"2024-01": "1.5"})
        shop.engine.dispose()

    def test_keys_of_several_kinds_are_refused(self, empty_url: str) -> None:
        people = "INSERT INTO customers (id, name) VALUES (1, 'Ann'), ('A-2', 'Bo')"
        said = refused(empty_url, "CREATE TABLE customers (id PRIMARY KEY, name)", ORDERS, people)
        assert "all of one kind; customers holds integer and text" in said

    def test_customers_without_a_key_are_refused_and_can_be_left_out(self, empty_url: str) -> None:
        nobody = "INSERT INTO customers (id, name) VALUES (NULL, 'Nobody')"
        said = refused(empty_url, "CREATE TABLE customers (id INT PRIMARY KEY, name)", ORDERS, PEOPLE, SALES, nobody)
        assert 'leave them out with [customers] where = "id IS NOT NULL"' in said
        shop = migrated(empty_url, {"customers": {"where": "id IS NOT NULL"}})
        assert_one_can_go(shop, 1, {"2024-01": "1.5"})
        shop.engine.dispose()

    def test_only_integer_primary_key_numbers_itself(self, empty_url: str, opened: Shops) -> None:
        assert opened(empty_url).schema.add_blocker is None

    def test_a_table_without_rowids_does_not_number_its_rows(self, empty_url: str) -> None:
        customers = "CREATE TABLE customers (id INTEGER PRIMARY KEY, name TEXT) WITHOUT ROWID"
        shop = made(empty_url, customers, ORDERS, PEOPLE, SALES)
        assert_one_can_go(shop, 1, {"2024-01": "1.5"})
        assert "needs id" in (shop.schema.add_blocker or "")
        shop.engine.dispose()


def test_a_number_that_no_key_can_be_finds_nobody(empty_url: str) -> None:
    """PostgreSQL raises where a number is compared that the column cannot hold."""
    shop = made(empty_url, CUSTOMERS.replace("{key}", "SMALLINT NOT NULL PRIMARY KEY"), ORDERS, PEOPLE, SALES)
    for number in (40_000, "3000000000", 2**62, 2**70):
        with pytest.raises(CustomerNotFound):
            delete_many(shop, [number], actor=ADMIN, reason="mistake")
        assert page(shop, search=str(number)).items == []
    shop.engine.dispose()
