"""Keys of every kind that customers and orders have, and links that are of another kind than the key."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from shops import ADMIN, execute, migrated, problems, settings_for
from test_delete_customer import Shops
from test_list_customers import page

from data import integrity, queries
from data.customers import delete_many, restore_many
from data.database import Database, snapshot
from data.engines import make_engine
from data.errors import CustomerNotFound

ONE, TWO = "0b5f2a8e-0000-4000-8000-00000000000a", "0b5f2a8e-0000-4000-8000-00000000000b"
# The key's column, the link's column, two keys, the links of three orders, and a key that nobody has.
KINDS: dict[str, tuple[list[str], str, str, list[Any], list[Any], Any]] = {
    "uuid": (["mariadb", "postgresql"], "UUID", "UUID", [ONE, TWO], [ONE, TWO, None], ONE.replace("5f", "6f")),
    "decimal": (["mariadb", "postgresql"], "NUMERIC(12,0)", "NUMERIC(12,0)", [7, 10**11], [7, 10**11, None], 8),
    "text with a blank": (["sqlite", "postgresql"], "VARCHAR(9)", "VARCHAR(9)", ["A ", "A"], ["A ", "A", None], "a"),
    "padded": (["sqlite", "mariadb", "postgresql"], "CHAR(5)", "CHAR(5)", ["AB", "ABCDE"], ["AB", "ABCDE", None], "B"),
    "numbers as text in orders": (
        *(["sqlite", "mariadb", "postgresql"], "INTEGER", "VARCHAR(9)"),
        *([12, 13], ["12", "13", "12b"], 14),
    ),
    "numbers as text in customers": (
        *(["sqlite", "mariadb", "postgresql"], "VARCHAR(9)", "INTEGER"),
        *(["12", "12b"], [12, 12, 13], "13"),
    ),
    "large": (["sqlite", "mariadb", "postgresql"], "BIGINT", "BIGINT", [2**53 + 1, 2**53 + 2], [2**53 + 1] * 3, 1),
}
CASES = [(kind, engine) for kind, (engines, *_) in KINDS.items() for engine in engines]


def at(shop: Database, part: Any) -> dict[str, tuple[int, Decimal]]:
    with snapshot(shop) as moment:
        found = queries.monthly_part(moment.connection, shop.schema, part)
    return {str(month): (figures.orders, figures.total) for (month, _), figures in found.items()}


def sums(shop: Database) -> dict[str, int]:
    parts: tuple[Any, ...] = ("total", "active", "deleted", "no_customer", "missing_customer")
    return {part: sum(orders for orders, _ in at(shop, part).values()) for part in parts}


@pytest.mark.parametrize(("kind", "engine_name"), CASES, indirect=["engine_name"])
def test_a_customer_of_such_a_key_is_deleted_restored_and_counted(kind: str, empty_url: str, opened: Shops) -> None:
    _, key, link, keys, links, nobody = KINDS[kind]
    customers = f"CREATE TABLE customers (id {key} NOT NULL PRIMARY KEY, name VARCHAR(20), email VARCHAR(20))"
    orders = f"CREATE TABLE orders (id {{key}}, customer_id {link}, ordered_at {{time}}, total DECIMAL(9,2))"
    people = [{"id": one, "name": f"N{n}", "email": f"{n}@x.com"} for n, one in enumerate(keys)]
    sales = [(n, one, "2024-02-01 00:00:00", f"{10**n}.50") for n, one in enumerate(links, start=1)]
    shop = opened(empty_url, customers=customers, orders=orders, people=people, sales=sales, sections={})
    before = sums(shop)
    assert before["total"] == 3
    first = page(shop).items[0].id
    assert type(first) is type(keys[0])
    assert page(shop, search=str(first)).items[0].id == first
    outcome = delete_many(shop, [keys[0]], actor=ADMIN, reason="mistake")[0]
    assert (outcome.customer.name, outcome.orders) == ("N0", sum(1 for one in links if str(one) == str(keys[0])))
    assert sums(shop) == {**before, "active": before["active"] - outcome.orders, "deleted": outcome.orders}
    for absent in (nobody, "x' OR 1=1", "", 0.5):
        with pytest.raises(CustomerNotFound):
            delete_many(shop, [absent], actor=ADMIN, reason="mistake")
    report = integrity.run_and_record(shop)
    assert report.even, [check for check in report.checks if check.ok is False]
    assert restore_many(shop, [str(keys[0])], actor=ADMIN, reason="undo")[0].changed
    assert sums(shop) == before
    assert problems(shop) == []


def test_a_link_that_only_begins_with_a_number_names_nobody(empty_url: str, opened: Shops) -> None:
    """MariaDB takes '12b' for 12 where text is compared with numbers."""
    orders = "CREATE TABLE orders (id {key}, customer_id VARCHAR(9), ordered_at {time}, total DECIMAL(9,2))"
    sales = [(1, "1", "2024-02-01 00:00:00", "1.00"), (2, "1b", "2024-02-01 00:00:00", "2.00")]
    shop = opened(empty_url, orders=orders, sales=sales)
    assert at(shop, "active") == {"2024-02": (1, Decimal(1))}
    assert at(shop, "missing_customer") == {"2024-02": (1, Decimal(2))}


def test_a_column_that_is_unique_and_never_empty_serves_as_the_key(empty_url: str, opened: Shops) -> None:
    customers = "CREATE TABLE customers (row_no {key}, id INTEGER NOT NULL UNIQUE, name VARCHAR(20))"
    shop = opened(empty_url, customers=customers, people=[{"id": 1, "name": "Ana"}], sections={})
    assert delete_many(shop, [1], actor=ADMIN, reason="mistake")[0].orders == 3
    assert integrity.run_and_record(shop).even


def test_a_table_may_have_a_point_in_its_own_name(empty_url: str) -> None:
    sections = {"customers": {"table": "crm.people"}, "orders": {"table": "shop.Sales"}}
    shop = attached_with_points(empty_url, sections)
    assert delete_many(shop, [1], actor=ADMIN, reason="mistake")[0].orders == 1
    assert integrity.run_and_record(shop).even
    shop.engine.dispose()


def attached_with_points(url: str, sections: dict[str, Any]) -> Database:
    engine = make_engine(settings_for(url).url)
    execute(
        engine,
        "CREATE TABLE `crm.people` (id {key}, name VARCHAR(20))",
        "CREATE TABLE `shop.Sales` (id {key}, customer_id INTEGER, ordered_at {time}, total DECIMAL(9,2))",
        "INSERT INTO `crm.people` VALUES (1, 'Ana')",
        "INSERT INTO `shop.Sales` VALUES (1, 1, '2024-02-01', 5)",
    )
    engine.dispose()
    return migrated(url, sections)


def test_a_link_that_is_spelled_otherwise_names_nobody(empty_url: str, opened: Shops) -> None:
    """SQLite takes '007' for 7 where text is compared with numbers."""
    orders = "CREATE TABLE orders (id {key}, customer_id VARCHAR(9), ordered_at {time}, total DECIMAL(9,2))"
    sales = [(n, link, "2024-02-01 00:00:00", "1.00") for n, link in enumerate(("1", "01", " 1"), start=1)]
    shop = opened(empty_url, orders=orders, sales=sales)
    assert sums(shop) == {"total": 3, "active": 1, "deleted": 0, "no_customer": 0, "missing_customer": 2}
