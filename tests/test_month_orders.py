"""The orders of a month: every one on one page, told apart, and adding up to the month's figure."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import pytest
from shops import ADMIN, CUSTOMERS, ORDERS, PEOPLE, SALES, execute, fill, migrated
from test_delete_customer import Shops
from test_mapping import AWKWARD, TEXT_IDS, quoted_for, tables
from test_money import TYPES, orders_of
from test_revenue import UNREADABLE

from data import money, queries
from data.customers import delete_many
from data.database import Database, attach, snapshot
from data.errors import InvalidInput
from data.records import MonthOrder, Page

PAID = {"orders": {"status": "status", "revenue_statuses": ["paid"]}}


def page(shop: Database, month: str | None, *, currency: str = "EUR", **how: Any) -> Page[MonthOrder]:
    with snapshot(shop) as moment:
        return queries.list_month_orders(moment.connection, shop.schema, month, currency=currency, **how)


def pages(shop: Database, month: str | None, currency: str = "EUR", limit: int = 2) -> Iterator[Page[MonthOrder]]:
    """Every page from the first to the last."""
    after: str | None = None
    while True:
        found = page(shop, month, currency=currency, limit=limit, after=after)
        yield found
        after = found.next
        if after is None:
            return


def all_orders(shop: Database, month: str | None, currency: str = "EUR", limit: int = 2) -> list[MonthOrder]:
    return [order for one in pages(shop, month, currency, limit) for order in one.items]


def ids(orders: list[MonthOrder]) -> list[Any]:
    return [order.id for order in orders]


def assert_every_month_adds_up(shop: Database, limit: int = 2) -> None:
    """The orders of all pages of all months are all orders, and add up to each month's total and its parts."""
    with snapshot(shop) as moment:
        totals = queries.monthly_totals(moment.connection, shop.schema)
        parts = {
            state: queries.monthly_part(moment.connection, shop.schema, state)  # type: ignore[arg-type]
            for state in ("active", "deleted", "no_customer", "missing_customer")
        }
        every = queries.count_state(moment.connection, shop.schema)["orders"]
    seen = 0
    for month, currency in {*totals, (None, "EUR")}:
        orders = all_orders(shop, month, currency, limit)
        seen += len(orders)
        counted = [order for order in orders if order.counted]
        figures = totals.get((month, currency))
        if figures:
            assert (len(counted), money.add(o.total for o in counted)) == (figures.orders, figures.total), month
        for state, by_month in parts.items():
            part = by_month.get((month, currency))
            amount = money.add(o.total for o in counted if o.state == state)
            assert amount == (part.total if part else 0), (month, state)
    assert seen == every


def test_the_orders_of_a_month_one_by_one(shop: Database) -> None:
    def order(*values: Any) -> tuple[Any, ...]:
        return values

    found = page(shop, "2024-01").items
    told = [(o.id, o.customer_id, o.customer_name, o.state, o.total, o.counted) for o in found]
    assert told == [
        order(6, 4, "Dora Gone", "deleted", Decimal("33.33"), True),
        order(8, None, None, "no_customer", Decimal("9.99"), True),
        order(1, 1, "Ana Lima", "active", Decimal("100.10"), True),
    ]
    assert str(found[2].ordered_at) == "2024-01-31 23:59:59+00:00"
    assert [o.status for o in found] == [None, None, None]
    missing = next(o for o in page(shop, "2024-02").items if o.customer_id == 77)
    assert (missing.state, missing.customer_name) == ("missing_customer", None)
    undated = page(shop, None).items
    assert [(o.id, o.ordered_at) for o in undated] == [(10, None)]
    assert page(shop, "2024-03").items == []


def test_pages_lead_forth_and_back(shop: Database) -> None:
    sales = [{"id": n, "customer_id": 1, "ordered_at": "2024-06-05 00:00:00", "total": "1.00"} for n in range(20, 27)]
    fill(shop.engine, "orders", sales)
    forth = list(pages(shop, "2024-06"))
    assert [ids(one.items) for one in forth] == [[20, 21], [22, 23], [24, 25], [26]]
    assert (forth[0].previous, forth[-1].next) == (None, None)
    back = page(shop, "2024-06", limit=2, before=forth[-1].previous)
    assert back == forth[2]
    first = page(shop, "2024-06", limit=4, before=forth[2].previous)
    assert (ids(first.items), first.previous) == ([20, 21, 22, 23], None)


def test_only_the_statuses_of_revenue_are_counted(empty_url: str, opened: Shops) -> None:
    shop = opened(empty_url, sections=PAID, sales=[*SALES, (11, 1, "2024-02-03 00:00:00", "5.00", None)])
    told = {o.id: (o.status, o.counted) for o in all_orders(shop, "2024-02")}
    assert (told[2], told[4], told[11]) == (("paid", True), ("open", False), (None, False))
    assert_every_month_adds_up(shop)


def test_the_pages_of_every_month_add_up(shop: Database) -> None:
    delete_many(shop, [1], actor=ADMIN, reason="mistake")
    for limit in (1, 3, 1000):
        assert_every_month_adds_up(shop, limit)


@pytest.mark.parametrize(("kind", "amounts"), TYPES.items(), ids=TYPES.keys())
def test_amounts_are_exact_whatever_the_column(empty_url: str, opened: Shops, kind: str, amounts: list[str]) -> None:
    sales = [(n, 1, "2024-01-05 00:00:00", amount, "paid") for n, amount in enumerate(amounts, start=1)]
    shop = opened(empty_url, orders=orders_of(kind), sales=sales)
    assert [o.total for o in all_orders(shop, "2024-01", limit=10)] == list(map(Decimal, amounts))
    assert_every_month_adds_up(shop, 10)


def test_an_order_without_an_amount_is_listed_with_nothing(empty_url: str, opened: Shops) -> None:
    shop = opened(empty_url, orders=orders_of("DECIMAL(12,2)"), sales=[(1, 1, "2024-01-05", None, "paid")])
    assert page(shop, "2024-01").items[0].total == 0


AS_STORED = {"sqlite": "0000-00-00 00:00:00", "mariadb": "0000-00-00 00:00:00", "postgresql": "0044-03-15 00:00:00 BC"}


def test_dates_that_cannot_be_read_are_listed_without_a_month_as_they_are_stored(
    empty_url: str, opened: Shops, engine_name: str
) -> None:
    shop = opened(empty_url)
    strange = [
        *UNREADABLE[engine_name],
        *(["2024-1-5", "202402", 202402, "2024-0x-01"] if engine_name == "sqlite" else []),
    ]
    lines = [{"id": n, "customer_id": 1, "ordered_at": at, "total": "1.00"} for n, at in enumerate(strange, start=100)]
    fill(shop.engine, "orders", lines)
    assert_every_month_adds_up(shop)
    found = {o.id: o.ordered_at for o in all_orders(shop, None)}
    assert set(found) == {10, *range(100, 100 + len(strange))}
    assert all_orders(shop, "2024-09") == []  # within whose window, as text, "2024-0x" stands
    assert str(found[100 + strange.index(AS_STORED[engine_name])]) == AS_STORED[engine_name]


@pytest.mark.parametrize("kind", ["DATE", "TIMESTAMP NULL", "{fine}", "VARCHAR(30)", "TEXT"])
def test_a_month_is_the_same_whatever_the_type_of_the_date(empty_url: str, opened: Shops, kind: str) -> None:
    days = ["2024-01-31 23:59:59", "2024-02-01 00:00:00", "2024-02-01 00:00:00", "2024-02-29 23:59:59", "2024-03-01"]
    cut = 10 if kind == "DATE" else 19
    sales = [(n, 1, day[:cut], f"{n}.00", "paid") for n, day in enumerate(days, start=1)]
    shop = opened(empty_url, orders=ORDERS.replace("ordered_at {time} NULL", f"ordered_at {kind}"), sales=sales)
    for limit in (1, 2, 50):
        assert ids(all_orders(shop, "2024-02", limit=limit)) == [2, 3, 4]
        assert_every_month_adds_up(shop, limit)


@pytest.mark.parametrize("engine_name", ["mariadb", "postgresql"], indirect=True)
def test_parts_of_a_second_do_not_lose_an_order_between_pages(empty_url: str, opened: Shops) -> None:
    days = [f"2024-02-29 23:59:59.99999{n}" for n in range(10)]
    sales = [(n, 1, day, "1.00", "paid") for n, day in enumerate(days, start=1)]
    orders = ORDERS.replace("ordered_at {time} NULL", "ordered_at {fine}")
    shop = opened(empty_url, orders=orders, sales=sales)
    assert ids(all_orders(shop, "2024-02", limit=3)) == list(range(1, 11))


def test_currencies_are_listed_apart(empty_url: str, opened: Shops) -> None:
    sales = [(n, 1, "2024-01-05", f"{n}.00", word) for n, word in enumerate(["EUR", "USD", None, "", "EUR"], start=1)]
    shop = opened(empty_url, sales=sales, sections={"orders": {"currency": "status"}})
    assert {c: ids(all_orders(shop, "2024-01", c)) for c in ("EUR", "USD", "XXX", "GBP")} == {
        "EUR": [1, 5],
        "USD": [2],
        "XXX": [3, 4],
        "GBP": [],
    }
    assert_every_month_adds_up(shop)
    plain = attach(shop.settings.model_copy(update={"orders": type(shop.settings.orders)()}))
    assert ids(all_orders(plain, "2024-01", "USD")) == []
    assert len(all_orders(plain, "2024-01")) == 5
    plain.engine.dispose()


def test_values_that_mean_guest_have_no_name_even_if_such_a_customer_exists(empty_url: str, opened: Shops) -> None:
    sales = [*SALES, (11, -1, "2024-01-05 00:00:00", "5.00", "paid")]
    people = [*PEOPLE, {"id": -1, "name": "Walk-in"}]
    shop = opened(empty_url, people=people, sales=sales, sections={"orders": {"no_customer": [-1]}})
    guest = next(o for o in all_orders(shop, "2024-01") if o.id == 11)
    assert (guest.state, guest.customer_name, guest.customer_id) == ("no_customer", None, -1)
    assert_every_month_adds_up(shop)


def test_slices_and_queries_list_what_they_count(empty_url: str, opened: Shops) -> None:
    query = "SELECT id, customer_id, ordered_at, total, status FROM orders WHERE ':x' <> '%d' AND id <> 1"
    sections: list[dict[str, Any]] = [
        {"orders": {"query": query, "status": "status", "revenue_statuses": ["paid"]}},
        {"orders": {"where": "status = 'open' OR total < 0"}},
        {"customers": {"where": "id <> 2 AND name <> ':x%'"}},
    ]
    first = opened(empty_url)
    for one in sections:
        shop = attach(type(first.settings)(**{**dict(first.settings), **mapped(one)}))
        assert_every_month_adds_up(shop)
        shop.engine.dispose()


def mapped(sections: dict[str, Any]) -> dict[str, Any]:
    """The parsed sections of a configuration file."""
    from data.settings import File

    return {name: getattr(File.model_validate(sections), name) for name in sections}


def test_awkward_names_are_listed_too(empty_url: str) -> None:
    tables(
        empty_url,
        "CREATE TABLE `Kunden Liste` (`Kunden Nr` {key}, `select` VARCHAR(20) NOT NULL, `E Mail%` VARCHAR(40), `seit:wann` {time} NULL)",
        "CREATE TABLE `order` (`Nr` {key}, `Kunden Nr` INTEGER, `from` {time} NULL, `Summe €` DECIMAL(9,2))",
        "INSERT INTO `Kunden Liste` VALUES (1, 'Ana', 'a%b@x.com', '2024-01-01'), (2, '%:x', NULL, NULL)",
        "INSERT INTO `order` VALUES (1, 1, '2024-01-05', 1.10), (2, 2, '2024-01-05', 2.20)",
    )
    shop = migrated(empty_url, quoted_for(empty_url, AWKWARD))
    assert [(o.id, o.customer_name, o.state) for o in all_orders(shop, "2024-01", limit=1)] == [
        (1, "Ana", "active"),
        (2, None, "missing_customer"),
    ]
    assert_every_month_adds_up(shop)
    shop.engine.dispose()


def test_customers_and_orders_known_by_text_and_names_of_several_columns(empty_url: str, opened: Shops) -> None:
    key = "VARCHAR(20) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin" if empty_url.startswith("mysql") else "VARCHAR(20)"
    customers = CUSTOMERS.replace("id {key}", f"id {key} NOT NULL PRIMARY KEY")
    orders = ORDERS.replace("customer_id INTEGER", f"customer_id {key}").replace("id {key}", f"id {key} PRIMARY KEY", 1)
    people = [{"id": one, "name": "IT", "phone": f"#{one}"} for one in TEXT_IDS]
    sales = [(one, one, "2024-01-05", "1.00", "paid") for one in TEXT_IDS]
    sections = {"customers": {"name": ["name", "phone"]}}
    shop = opened(empty_url, customers=customers, orders=orders, people=people, sales=sales, sections=sections)
    found = all_orders(shop, "2024-01", limit=3)
    assert {(o.id, o.customer_name) for o in found} == {(one, f"IT #{one}".strip()) for one in TEXT_IDS}
    assert len(found) == len(TEXT_IDS)
    assert_every_month_adds_up(shop, 3)


@pytest.mark.parametrize("bad", ["", "2024", "2024-13", "2024-00", "0999-01", "2024-1", "202401", "'; --"])
def test_a_month_that_is_none_is_refused(shop: Database, bad: str) -> None:
    with pytest.raises(InvalidInput, match="A month looks like 2026-03"):
        page(shop, bad)


def test_a_cursor_of_another_month_or_list_is_refused(shop: Database) -> None:
    cursor = page(shop, "2024-02", limit=1).next
    for month in ("2024-01", None):
        for way in ("after", "before"):
            with pytest.raises(InvalidInput, match="This page address cannot be read"):
                page(shop, month, **{way: cursor})
    with pytest.raises(InvalidInput, match="This page address cannot be read"):
        page(shop, "2024-02", after="nonsense")
    with pytest.raises(InvalidInput, match="A page has 1 to 1000 rows; not 0"):
        page(shop, "2024-02", limit=0)


def test_an_order_that_arrives_meanwhile_moves_no_other_between_pages(shop: Database) -> None:
    first = page(shop, "2024-02", limit=2)
    execute(shop.engine, "INSERT INTO orders (id, customer_id, ordered_at, total) VALUES (90, 1, '2024-02-01', 1)")
    rest = page(shop, "2024-02", limit=10, after=first.next)
    assert ids(first.items) + ids(rest.items) == [2, 4, 9, 3]
