"""Revenue by month: exact, from orders alone, and even with its parts."""

from __future__ import annotations

import random
from collections.abc import Callable
from decimal import Decimal
from typing import Any, get_args

import pytest
from shops import ADMIN, CUSTOMERS, ORDERS, PEOPLE, PHONE, SALES, by_hand, execute, fill
from sqlalchemy import event
from test_delete_customer import Shops

from data import money, queries
from data.customers import delete_many
from data.database import Database, snapshot
from data.queries.checks import Part
from data.records import Figures, MonthlyRevenue

Query = Callable[..., dict[tuple[str | None, str], Figures]]


def read(shop: Database, query: Callable[..., Any], *arguments: Any, **how: Any) -> Any:
    with snapshot(shop) as moment:
        return query(moment.connection, shop.schema, *arguments, **how)


def months(found: dict[tuple[str | None, str], Figures]) -> dict[str | None, Decimal]:
    return {month: figures.total for (month, _), figures in found.items()}


def split(shop: Database, **how: Any) -> list[MonthlyRevenue]:
    missing = {
        key: figures.total for key, figures in read(shop, queries.monthly_part, "missing_customer", **how).items()
    }
    return list(read(shop, queries.revenue_by_month, missing=missing, **how))


def assert_quick_is_checked(shop: Database, **how: Any) -> None:
    """The quick split says what the check counts independently, part by part."""
    rows = split(shop, **how)
    for part in get_args(Part):
        checked = months(read(shop, queries.monthly_part, part, **how))
        quick = {row.month: getattr(row, part) for row in rows if getattr(row, part)}
        assert quick == {month: amount for month, amount in checked.items() if amount}, part
    assert all(row.difference == 0 for row in rows)


def test_every_month_is_what_python_adds_up(shop: Database) -> None:
    assert months(read(shop, queries.monthly_totals)) == by_hand(SALES)
    assert months(read(shop, queries.monthly_part, "total")) == by_hand(SALES)
    assert read(shop, queries.monthly_totals)["2024-02", "EUR"] == Figures("2024-02", "EUR", 4, Decimal("35.70"))


def test_the_whole_split_row_by_row(shop: Database) -> None:
    none = Decimal(0)

    def row(month: str | None, orders: int, *amounts: str, gone: int = 0) -> MonthlyRevenue:
        active, deleted, guest, missing, total = map(Decimal, amounts)
        return MonthlyRevenue(month, "EUR", orders, active, deleted, guest, missing, total, gone, none)

    assert split(shop) == [
        row("2024-01", 3, "100.10", "33.33", "9.99", "0", "143.42", gone=1),
        row("2024-02", 4, "30.15", "0", "0", "5.55", "35.70"),
        row("2024-04", 2, "7.77", "66.67", "0", "0", "74.44", gone=1),
        row(None, 1, "1.01", "0", "0", "0", "1.01"),
    ]
    assert_quick_is_checked(shop)


WINDOWS = [("2024-02", "2024-02"), ("2024-02", None), (None, "2024-02"), ("2024-03", "2024-03"), ("2024-01", "2024-04")]
WINDOWS += [("2024-05", "2024-04"), (None, "9999-12"), ("1999-01", "2023-12")]


@pytest.mark.parametrize(("first", "last"), WINDOWS)
def test_a_window_of_months_includes_both_ends_and_no_order_without_a_date(
    shop: Database, first: str | None, last: str | None
) -> None:
    def inside(sale: tuple[Any, ...]) -> bool:
        return sale[2] is not None and (first or "") <= sale[2][:7] <= (last or "9999-12")

    assert months(read(shop, queries.monthly_totals, first=first, last=last)) == by_hand(SALES, inside)
    assert_quick_is_checked(shop, first=first, last=last)


def test_the_bounds_are_the_first_and_last_month_with_an_order(shop: Database) -> None:
    assert read(shop, queries.month_bounds) == ("2024-01", "2024-04")
    execute(shop.engine, "DELETE FROM orders")
    assert read(shop, queries.month_bounds) is None
    assert read(shop, queries.monthly_totals) == {}
    assert split(shop) == []


def test_values_that_mean_guest_count_as_no_customer_even_if_such_a_customer_exists(
    empty_url: str, opened: Shops
) -> None:
    sales = [*SALES, (11, 0, "2024-01-05 00:00:00", "4.00", "paid"), (12, -1, "2024-01-05 00:00:00", "5.00", "paid")]
    sections = {"orders": {"no_customer": [0, -1]}}
    people = [*PEOPLE, {"id": -1, "name": "Walk-in"}]
    shop = opened(empty_url, people=people, sales=sales, sections=sections)
    delete_many(shop, [-1, 4], actor=ADMIN, reason="inactive")
    january = split(shop)[0]
    assert (january.no_customer, january.deleted, january.deleted_orders) == (Decimal("18.99"), Decimal("33.33"), 1)
    assert_quick_is_checked(shop)
    assert read(shop, queries.impact, [-1])[-1].orders == 0
    assert [customer.id for customer, _, _ in read(shop, queries.list_deleted_by_revenue)] == [4]


UNREADABLE = {
    "sqlite": [
        "",
        "unknown",
        "02/03/2024",
        1700000000,
        20240102.5,
        "0000-00-00 00:00:00",
        "2024-13-01",
        "2024/01/02",
        "0202-01-01",
    ],
    "mariadb": [
        "0000-00-00 00:00:00",
        "0202-01-01 00:00:00",
        "2024-00-00 00:00:00",
        "2024-00-15 12:00:00",
        "2023-00-01",
    ],
    "postgresql": ["infinity", "-infinity", "0044-03-15 00:00:00 BC", "0202-01-01 00:00:00", "12024-01-01 00:00:00"],
}


def test_dates_that_cannot_be_read_are_a_line_of_their_own_in_every_figure(
    empty_url: str, opened: Shops, engine_name: str
) -> None:
    shop = opened(empty_url, sales=SALES)
    strange = UNREADABLE[engine_name]
    lines = [
        {"id": n, "customer_id": 1 + n % 4, "ordered_at": at, "total": "1.00"}
        for n, at in enumerate(strange, start=100)
    ]
    fill(shop.engine, "orders", lines)
    delete_many(shop, [4], actor=ADMIN, reason="inactive")
    expected = by_hand(SALES)
    expected[None] += len(strange)
    assert months(read(shop, queries.monthly_totals)) == expected
    assert_quick_is_checked(shop)
    for first, last in WINDOWS:
        assert None not in months(read(shop, queries.monthly_totals, first=first, last=last))
        assert_quick_is_checked(shop, first=first, last=last)
    assert read(shop, queries.month_bounds) == ("2024-01", "2024-04")


@pytest.mark.parametrize("far", ["1066-10-14 00:00:00", "9999-12-31 23:59:59"])
def test_one_order_in_a_far_year_does_not_break_the_rest(empty_url: str, opened: Shops, far: str) -> None:
    sales = [*SALES, (11, 1, far, "1.00", "paid")]
    shop = opened(empty_url, sales=sales)
    assert months(read(shop, queries.monthly_totals)) == by_hand(sales)
    assert_quick_is_checked(shop)
    assert far[:7] in read(shop, queries.month_bounds)


@pytest.mark.parametrize("engine_name", ["mariadb"], indirect=True)
@pytest.mark.parametrize("kind", ["DATE", "DATETIME", "DATETIME(6)", "VARCHAR(30)"])
def test_a_date_without_a_day_is_of_its_month(empty_url: str, opened: Shops, kind: str) -> None:
    days = ["2024-02-00", "2024-02-29", "2024-03-00", "2024-01-31"]
    sales = [(n, 1, day, f"{n}.00", "paid") for n, day in enumerate(days, start=1)]
    shop = opened(empty_url, orders=ORDERS.replace("ordered_at {time} NULL", f"ordered_at {kind}"), sales=sales)
    expected = {"2024-01": Decimal(4), "2024-02": Decimal(3), "2024-03": Decimal(3)}
    assert months(read(shop, queries.monthly_totals)) == expected
    for month, amount in expected.items():
        assert months(read(shop, queries.monthly_totals, first=month, last=month)) == {month: amount}
        assert_quick_is_checked(shop, first=month, last=month)
    assert_quick_is_checked(shop)


@pytest.mark.parametrize("kind", ["VARCHAR(30)", "TEXT"])
def test_dates_as_text_with_a_t_and_a_zone_are_within_their_month(empty_url: str, opened: Shops, kind: str) -> None:
    days = ["2024-01-31T23:59:59Z", "2024-02-01T00:00:00+00:00", "2024-02-29T23:59:59.999Z", "2024-03-01"]
    sales = [(n, 1, day, f"{n}.00", "paid") for n, day in enumerate(days, start=1)]
    shop = opened(empty_url, orders=ORDERS.replace("ordered_at {time} NULL", f"ordered_at {kind}"), sales=sales)
    assert months(read(shop, queries.monthly_totals)) == by_hand(sales)
    assert months(read(shop, queries.monthly_totals, first="2024-02", last="2024-02")) == {"2024-02": Decimal(5)}


@pytest.mark.parametrize("kind", ["DATE", "TIMESTAMP NULL", "{fine}", "VARCHAR(30)"])
def test_months_are_right_whatever_the_type_of_the_date(empty_url: str, opened: Shops, kind: str) -> None:
    cut = 10 if kind == "DATE" else 19
    sales = [(n, who, at[:cut] if at else None, amount, status) for n, who, at, amount, status in SALES]
    shop = opened(empty_url, orders=ORDERS.replace("ordered_at {time} NULL", f"ordered_at {kind}"), sales=sales)
    assert months(read(shop, queries.monthly_totals)) == by_hand(SALES)
    assert months(read(shop, queries.monthly_totals, first="2024-02", last="2024-02")) == {"2024-02": Decimal("35.70")}
    assert_quick_is_checked(shop)


def test_currencies_are_kept_apart(empty_url: str, opened: Shops) -> None:
    sales = [
        (1, 1, "2024-01-05", "1.00", "EUR"),
        (2, 1, "2024-01-05", "2.00", "USD"),
        (3, 1, "2024-01-06", "4.00", None),
    ]
    sales += [(4, 1, "2024-01-06", "8.00", "")]
    shop = opened(empty_url, sales=sales, sections={"orders": {"currency": "status"}})
    assert {key: f.total for key, f in read(shop, queries.monthly_totals).items()} == {
        ("2024-01", "EUR"): Decimal(1),
        ("2024-01", "USD"): Decimal(2),
        ("2024-01", "XXX"): Decimal(12),
    }
    outcome = delete_many(shop, [1], actor=ADMIN, reason="inactive")[0]
    assert outcome.revenue == {"EUR": Decimal(1), "USD": Decimal(2), "XXX": Decimal(12)}
    listed = read(shop, queries.list_deleted_by_revenue)
    assert [(currency, impact.revenue[currency]) for _, currency, impact in listed] == [
        ("XXX", Decimal(12)),
        ("USD", Decimal(2)),
        ("EUR", Decimal(1)),
    ]


def test_only_the_named_statuses_are_revenue(empty_url: str, opened: Shops) -> None:
    sections = {"orders": {"status": "status", "revenue_statuses": ["paid"]}}
    shop = opened(empty_url, sections=sections)
    assert months(read(shop, queries.monthly_totals)) == by_hand(SALES, lambda sale: sale[4] == "paid")
    assert_quick_is_checked(shop)
    assert [one.open_orders for one in read(shop, queries.impact, [1, 2, 4]).values()] == [0, 1, 1]
    outcome = delete_many(shop, [4], actor=ADMIN, reason="inactive")[0]
    assert (outcome.orders, outcome.revenue) == (1, {"EUR": Decimal("33.33")})


def test_only_the_slice_of_the_table_is_orders(empty_url: str, opened: Shops) -> None:
    shop = opened(empty_url, sections={"orders": {"where": "status = 'open' OR total < 0"}})
    assert months(read(shop, queries.monthly_totals)) == by_hand(
        SALES, lambda sale: sale[4] == "open" or sale[3][0] == "-"
    )
    assert_quick_is_checked(shop, first="2024-02", last="2024-04")


def test_people_outside_the_slice_are_missing_customers(empty_url: str, opened: Shops) -> None:
    shop = opened(empty_url, sections={"customers": {"where": "id <> 2 AND name <> ':x%'"}})
    assert split(shop)[1].missing_customer == Decimal("55.55")
    assert_quick_is_checked(shop)


def test_the_cost_is_added_up_beside_the_total(empty_url: str, opened: Shops) -> None:
    orders = ORDERS.replace("status VARCHAR(10)", "status DECIMAL(12,4)")
    sales = [
        (1, 1, "2024-01-05", "10.00", "6.1234"),
        (2, None, "2024-01-06", "1.00", "0.0001"),
        (3, 1, "2024-01-07", "1.00", None),
    ]
    shop = opened(empty_url, orders=orders, sales=sales, sections={"orders": {"cost": "status"}})
    assert split(shop)[0].cost == Decimal("6.1235")


def test_an_order_query_says_the_same_as_the_table(empty_url: str, opened: Shops, shop: Database) -> None:
    query = "SELECT o.id AS id, customer_id, ordered_at, total AS total FROM orders o WHERE ':x' <> '%d' AND 10 % 3 = 1"
    from shops import settings_for

    from data.database import attach

    other = attach(settings_for(empty_url, {"orders": {"query": query}}))
    try:
        assert split(other) == split(shop)
        assert split(other, first="2024-02", last="2024-02") == split(shop, first="2024-02", last="2024-02")
        assert read(other, queries.month_bounds) == ("2024-01", "2024-04")
        assert read(other, queries.impact, [1]) == read(shop, queries.impact, [1])
    finally:
        other.engine.dispose()


@pytest.mark.parametrize("window", [{}, {"first": "2024-01", "last": "2024-03"}])
def test_no_statement_of_a_total_knows_of_customers_or_deletion(shop: Database, window: dict[str, str]) -> None:
    sent: list[str] = []
    with snapshot(shop) as moment:
        event.listen(moment.connection, "before_cursor_execute", lambda c, cur, sql, *_: sent.append(sql.lower()))
        queries.monthly_totals(moment.connection, shop.schema, **window)
        queries.monthly_no_customer(moment.connection, shop.schema, **window)
        queries.monthly_part(moment.connection, shop.schema, "total", **window)
        queries.month_bounds(moment.connection, shop.schema)
        assert len(sent) >= 4
        for sql in sent:
            assert "deleted_at" not in sql
            assert "customers" not in sql
            assert "join" not in sql
        queries.monthly_deleted(moment.connection, shop.schema)  # the listener does see what it looks for
    assert any("deleted_at" in sql for sql in sent)


def test_deleting_at_random_moves_no_total(empty_url: str, opened: Shops) -> None:
    dice = random.Random(7)
    people = [{"id": n, "name": f"N{n}"} for n in range(1, 41)]
    sales = [
        (
            n,
            dice.choice([None, *range(1, 45)]),
            f"2024-{dice.randint(1, 12):02}-{dice.randint(1, 28):02}",
            f"{dice.randint(-500, 99999) / 100:.2f}",
            "x",
        )
        for n in range(1, 401)
    ]
    shop = opened(empty_url, customers=CUSTOMERS, people=people, sales=sales, sections=PHONE)
    for share in (5, 20, 40):
        delete_many(shop, dice.sample(range(1, 41), share), actor=ADMIN, reason="inactive")
        assert months(read(shop, queries.monthly_totals)) == by_hand(sales)
        assert_quick_is_checked(shop)
    gone = by_hand(sales, lambda sale: sale[1] is not None and sale[1] <= 40)
    assert money.add(row.deleted for row in split(shop)) == money.add(gone.values())
