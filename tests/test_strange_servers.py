"""Tables as companies really have them on MariaDB and PostgreSQL: collations, keys and defaults of many kinds."""

from __future__ import annotations

import pytest
from shops import ADMIN, MANAGER
from test_list_customers import page
from test_strange_tables import CUSTOMERS, ORDERS, PEOPLE, SALES, assert_one_can_go, made

from data.customers import add
from data.probe import probe

TEXT_CUSTOMERS = CUSTOMERS.replace("{key}", "VARCHAR(20) NOT NULL PRIMARY KEY")
TEXT_ORDERS = ORDERS.replace("customer_id INTEGER", "customer_id VARCHAR(20)")
TEXT_PEOPLE = "INSERT INTO customers (id, name) VALUES ('A1', 'Ann'), ('é', 'Bo')"
TEXT_SALES = (
    "INSERT INTO orders (customer_id, ordered_at, total) VALUES "
    "('a1', '2024-01-01', 1.5), ('é', '2024-02-29', -2), (NULL, NULL, 3), ('zz', NULL, 4)"
)
QUERY = {"orders": {"query": "SELECT id, customer_id, ordered_at, total FROM orders"}}


@pytest.mark.parametrize("engine_name", ["mariadb"], indirect=True)
class TestMariaDB:
    """What its servers may hold."""

    @pytest.mark.parametrize(
        ("customers", "orders", "sections"),
        [
            ("utf8mb4 COLLATE utf8mb4_unicode_ci", "utf8mb4 COLLATE utf8mb4_general_ci", {}),
            ("latin1", "latin2", {}),
            ("utf8mb4 COLLATE utf8mb4_unicode_ci", "utf8mb4 COLLATE utf8mb4_general_ci", QUERY),
        ],
        ids=["two collations", "two character sets", "of a query"],
    )
    def test_links_and_keys_of_different_collations_are_compared(
        self, customers: str, orders: str, sections: dict[str, dict[str, str]], empty_url: str
    ) -> None:
        tables = f"{TEXT_CUSTOMERS} CHARSET {customers}", f"{TEXT_ORDERS} CHARSET {orders}"
        shop = made(empty_url, *tables, TEXT_PEOPLE, TEXT_SALES, sections=sections)
        assert_one_can_go(shop, "A1", {"2024-01": "1.5"})
        assert_one_can_go(shop, "é", {"2024-02": "-2"})
        assert probe(shop, actor=MANAGER, at_most=60).even
        shop.engine.dispose()

    def test_unsigned_keys_go_beyond_what_is_signed(self, empty_url: str) -> None:
        large = 2**64 - 2
        customers = CUSTOMERS.replace("{key}", "BIGINT UNSIGNED PRIMARY KEY")
        orders = ORDERS.replace("customer_id INTEGER", "customer_id BIGINT UNSIGNED")
        people = f"INSERT INTO customers (id, name) VALUES (5, 'Five'), ({large}, 'Large')"
        sales = f"INSERT INTO orders (customer_id, ordered_at, total) VALUES ({large}, '2024-01-01', 1.5)"
        shop = made(empty_url, customers, orders, people, sales)
        assert_one_can_go(shop, large, {"2024-01": "1.5"})
        first = page(shop, limit=1, descending=True)
        assert [first.items[0].id, page(shop, descending=True, after=first.next).items[0].id] == [large, 5]
        shop.engine.dispose()

    @pytest.mark.filterwarnings("ignore:Did not recognize type")
    def test_defaults_of_every_kind_fill_themselves_in(self, empty_url: str) -> None:
        more = "bits BIT(3) NOT NULL DEFAULT b'1', secret INT NOT NULL INVISIBLE DEFAULT 7, place POINT, "
        customers = CUSTOMERS.replace("email", f"{more} email").replace("{time}", "YEAR")
        shop = made(empty_url, customers, ORDERS, PEOPLE, SALES)
        assert shop.schema.add_blocker is None
        assert add(shop, {"name": "Cy"}, actor=ADMIN).created_at is None  # a year is no time
        assert_one_can_go(shop, 1, {"2024-01": "1.5"})
        shop.engine.dispose()

    def test_a_table_with_system_versions_keeps_them(self, empty_url: str) -> None:
        shop = made(empty_url, f"{CUSTOMERS} WITH SYSTEM VERSIONING", ORDERS, PEOPLE, SALES)
        assert_one_can_go(shop, 1, {"2024-01": "1.5"})
        with shop.engine.connect() as connection:
            versions = connection.exec_driver_sql("SELECT count(*) FROM customers FOR SYSTEM_TIME ALL WHERE id = 1")
            assert versions.scalar() == 3  # as it was, deleted, restored
        shop.engine.dispose()


@pytest.mark.parametrize("engine_name", ["postgresql"], indirect=True)
class TestPostgreSQL:
    """What its servers may hold."""

    def test_links_and_keys_of_different_collations_are_compared(self, empty_url: str) -> None:
        customers = TEXT_CUSTOMERS.replace("VARCHAR(20)", 'VARCHAR(20) COLLATE "C"')
        orders = TEXT_ORDERS.replace("customer_id VARCHAR(20)", 'customer_id VARCHAR(20) COLLATE "POSIX"')
        shop = made(empty_url, customers, orders, TEXT_PEOPLE, TEXT_SALES.replace("a1", "A1"))
        assert_one_can_go(shop, "A1", {"2024-01": "1.5"})
        shop.engine.dispose()

    def test_orders_may_be_known_by_uuids(self, empty_url: str) -> None:
        """Which have no least and no greatest there."""
        orders = ORDERS.replace("{key}", "UUID DEFAULT gen_random_uuid() PRIMARY KEY")
        shop = made(empty_url, CUSTOMERS, orders, PEOPLE, SALES)
        assert_one_can_go(shop, 1, {"2024-01": "1.5"})
        assert probe(shop, actor=MANAGER, at_most=60).even
        shop.engine.dispose()

    def test_decimals_without_a_scale_are_keys_where_they_are_whole(self, empty_url: str) -> None:
        customers = CUSTOMERS.replace("{key}", "NUMERIC PRIMARY KEY")
        orders = ORDERS.replace("customer_id INTEGER", "customer_id NUMERIC")
        broken = "INSERT INTO orders (customer_id, ordered_at, total) VALUES (2.5, '2024-01-01', 7)"
        shop = made(empty_url, customers, orders, PEOPLE, SALES, broken)
        assert_one_can_go(shop, 1, {"2024-01": "1.5"})
        assert page(shop).items[0].id == 1
        shop.engine.dispose()

    def test_times_of_text_are_sorted_as_text(self, empty_url: str) -> None:
        people = "INSERT INTO customers (id, name, created_at) VALUES (1, 'Ann', '2020-01-01'), (2, 'Bo', 'soon')"
        shop = made(empty_url, CUSTOMERS.replace("{time}", "TEXT"), ORDERS, people, SALES)
        first = page(shop, sort="created_at", limit=1)
        assert [first.items[0].id, page(shop, sort="created_at", after=first.next).items[0].id] == [1, 2]
        shop.engine.dispose()
