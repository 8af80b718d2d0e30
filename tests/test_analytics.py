"""What the deletions mean, against figures added by hand: nothing is dropped, on any engine."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
from shops import ADMIN, CUSTOMERS, execute

from data import analytics, changes, month_report, queries
from data.access import Actor
from data.analytics import BEFORE, OUTSIDE, Analytics, AtMonthEnd, Deleted
from data.database import Database, in_transaction, snapshot
from data.events import Reason
from data.queries.reporting import Happened

CURRENCIES = {"orders": {"currency": "status"}}
MADE = "2024-01-05 00:00:00"
PEOPLE: list[dict[str, Any]] = [{"id": n, "name": f"N{n}", "created_at": MADE} for n in range(1, 10)]
PEOPLE[7]["created_at"] = None
Sale = tuple[int, int | None, str | None, str, str]
SALES: list[Sale] = [
    (1, 1, "2024-01-31 23:59:59", "10.10", "EUR"),
    (2, 1, "2025-03-01 00:00:00", "0.20", "USD"),
    (3, 2, None, "5.05", "EUR"),  # no date: it rests all the same
    (4, 3, "2024-02-10 08:00:00", "7.00", "EUR"),
    (5, 4, "2024-01-15 00:00:00", "-3.33", "EUR"),  # a refund
    (6, 5, "2024-01-15 00:00:00", "11.00", "USD"),
    (7, 6, "2024-02-29 23:59:59", "100.00", "EUR"),  # before the restore
    (8, 6, "2024-03-10 12:00:00", "1.00", "EUR"),  # at that very second
    (9, 6, "2024-03-10 12:00:01", "2.50", "EUR"),
    (10, 6, "2024-05-01 00:00:00", "4.00", "USD"),
    (11, 7, "2025-01-01 00:00:00", "9.99", "EUR"),  # whose deletion was only undone
    (12, None, "2024-01-20 00:00:00", "9.99", "EUR"),
    (13, 77, "2024-02-20 00:00:00", "5.55", "EUR"),
    (14, 9, "2024-02-20 00:00:00", "6.00", "EUR"),
]


def change(shop: Database, action: changes.Action, ids: list[int], reason: str, at: str, actor: Actor = ADMIN) -> None:
    """Deletes or restores as if it were then."""
    moment = datetime.fromisoformat(at).replace(tzinfo=UTC)
    in_transaction(
        shop, lambda c: changes.change(c, shop.schema, action, ids, actor=actor, reason=Reason(reason), at=moment)
    )


def read(shop: Database) -> Analytics:
    with snapshot(shop) as moment:
        return analytics.read(moment.connection, shop.schema)


@pytest.fixture
def told(opened: Callable[..., Database], empty_url: str) -> Database:
    """A shop where customers were deleted in every way: by us, before us, and past us, one at no time at all."""
    deleted = CUSTOMERS.replace("created_at {time} NULL", "created_at {time} NULL, deleted_at {time} NULL")
    before = [dict(one, deleted_at="2023-12-31 23:59:59" if one["id"] == 4 else None) for one in PEOPLE]
    shop = opened(empty_url, customers=deleted, people=before, sales=SALES, sections=CURRENCIES)
    change(shop, "delete", [1, 2], "fraud", "2024-02-01 00:00:00")
    change(shop, "delete", [3], "inactive", "2024-02-29 23:59:59")
    change(shop, "delete", [6, 7, 8], "mistake", "2024-03-01 00:00:00")
    change(shop, "restore", [6], "restored", "2024-03-10 12:00:00")
    change(shop, "restore", [7], "undo", "2024-03-10 12:00:00")
    change(shop, "delete", [6], "fraud", "2025-06-01 00:00:00")
    change(shop, "restore", [6], "restored", "2025-07-01 00:00:00")
    execute(
        shop.engine,
        "UPDATE customers SET deleted_at = '2030-01-01 00:00:00' WHERE id = 5",  # later than the baseline
        "UPDATE customers SET deleted_at = '2024-04-01 00:00:00' WHERE id = 3",  # not when the event says
    )
    return shop


def test_revenue_at_rest_by_hand_and_even_with_the_identity(told: Database) -> None:
    found = {(r.month, r.why, r.currency): (r.orders, r.revenue) for r in read(told).at_rest}
    assert found == {
        ("2023-12", BEFORE, "EUR"): (1, Decimal("-3.33")),
        ("2024-02", "fraud", "EUR"): (2, Decimal("15.15")),
        ("2024-02", "fraud", "USD"): (1, Decimal("0.20")),
        ("2024-04", OUTSIDE, "EUR"): (1, Decimal("7.00")),
        ("2030-01", OUTSIDE, "USD"): (1, Decimal("11.00")),
    }
    with snapshot(told) as moment:
        identity = queries.monthly_part(moment.connection, told.schema, "deleted")
    parts: dict[str, Decimal] = defaultdict(Decimal)
    for (_, currency), figures in identity.items():
        parts[currency] += figures.total
    added: dict[str, Decimal] = defaultdict(Decimal)
    for (_, _, currency), (_, revenue) in found.items():
        added[currency] += revenue
    assert added == parts


def test_deletions_are_heads_by_month_and_reason(told: Database) -> None:
    assert read(told).deletions == [
        Deleted("2023-12", BEFORE, 1),
        Deleted("2024-02", "fraud", 2),
        Deleted("2024-02", "inactive", 1),
        Deleted("2024-03", "mistake", 3),
        Deleted("2024-04", OUTSIDE, 1),
        Deleted("2025-06", "fraud", 1),
        Deleted("2030-01", OUTSIDE, 1),
    ]


def test_active_against_deleted_at_each_month_s_end(told: Database) -> None:
    over_time = read(told).over_time
    ends = {end.month: (end.active, end.deleted) for end in over_time.months}
    # Nine customers, one of no date, who counts from the first month.
    assert (over_time.undated, over_time.since, over_time.months[0].month) == (1, "2024-02", "2023-12")
    assert [ends[m] for m in ("2023-12", "2024-01", "2024-02", "2024-03")] == [(0, 1), (8, 1), (5, 4), (4, 5)]
    # Customer 3 was deleted a second time past us, which nobody can know: one too many, and said so.
    assert (ends["2024-04"], ends["2025-06"], ends["2025-07"]) == ((3, 6), (2, 7), (3, 6))
    assert over_time.months[-1] == AtMonthEnd(f"{datetime.now(UTC):%Y-%m}", 3, 6)
    assert (over_time.active, over_time.deleted, over_time.moved) == (3, 6, -1)


def test_who_came_back_and_what_they_ordered_since(told: Database) -> None:
    won = read(told).won_back
    assert (won.restored, won.back) == (1, 1)  # the undone one did not come back
    assert [(f.month, f.currency, f.orders, f.total) for f in won.months] == [
        ("2024-03", "EUR", 1, Decimal("2.50")),
        ("2024-05", "USD", 1, Decimal("4.00")),
    ]


def test_a_month_s_report_by_hand(told: Database) -> None:
    with snapshot(told) as moment:
        report = month_report.read(moment, told.schema, "2024-02")
    assert report.changes == [
        Happened("delete", "fraud", "test:admin", 2),
        Happened("delete", "inactive", "test:admin", 1),
    ]
    row = report.revenue["2024-02"]["EUR"]
    amounts = (row.active, row.deleted, row.no_customer, row.missing_customer, row.total)
    assert amounts == tuple(map(Decimal, ("106.00", "7.00", "0", "5.55", "118.55")))
    assert (row.orders, row.deleted_orders, {r.currency for r in report.rows}) == (4, 1, {"EUR", "USD"})
    assert [(customer.id, currency) for customer, currency, _ in report.top] == [(3, "EUR")]
    assert {m.month for m in report.history} == {"2024-01", "2024-02"}
    assert (report.requests, report.waiting_now, report.exports, report.backup) == ({"waiting": 0}, 0, [], None)


def test_statuses_that_are_no_revenue_rest_nowhere(opened: Callable[..., Database], empty_url: str) -> None:
    sections = {"orders": {"status": "status", "revenue_statuses": ["USD"]}}
    shop = opened(empty_url, people=PEOPLE, sales=SALES, sections=sections)
    change(shop, "delete", [1, 6], "fraud", "2024-02-01 00:00:00")
    change(shop, "restore", [6], "restored", "2024-02-02 00:00:00")
    found = read(shop)
    assert [(r.orders, r.revenue) for r in found.at_rest] == [(1, Decimal("0.20"))]
    assert [(f.month, f.orders, f.total) for f in found.won_back.months] == [("2024-05", 1, Decimal("4.00"))]


@pytest.mark.parametrize("engine_name", ["sqlite"], indirect=True)
def test_where_nothing_is_known_nothing_is_claimed(opened: Callable[..., Database], empty_url: str) -> None:
    bare = "CREATE TABLE customers (id {key}, name VARCHAR(60) NOT NULL)"
    people = [{"id": one["id"], "name": one["name"]} for one in PEOPLE]
    shop = opened(empty_url, customers=bare, people=people, sales=[], sections={})
    found = read(shop)
    assert (found.at_rest, found.deletions, found.won_back.restored, found.won_back.months) == ([], [], 0, [])
    assert found.over_time.undated is None
    assert (found.over_time.active, [end.active for end in found.over_time.months]) == (9, [None])


DATES = {
    "text": (
        "VARCHAR(40)",
        ["2024-03-10T12:00:01", "2024-03-10T12:00:00", "soon", "2024-03-09 23:59:59", "2025-01-01"],
    ),
    "day": ("DATE", ["2024-03-11", "2024-03-10", None, "2024-03-09", "2025-01-01"]),
}


@pytest.mark.parametrize("kind", DATES)
def test_orders_after_a_restore_whatever_their_dates_are_kept_in(
    kind: str, opened: Callable[..., Database], empty_url: str
) -> None:
    column, dates = DATES[kind]
    orders = f"CREATE TABLE orders (id {{key}}, customer_id INTEGER, ordered_at {column} NULL, total DECIMAL(12,2) NOT NULL, status VARCHAR(10))"
    sales = [(number, 1, dated, "1.00", "paid") for number, dated in enumerate(dates, start=1)]
    shop = opened(empty_url, orders=orders, people=PEOPLE, sales=sales)
    change(shop, "delete", [1], "fraud", "2024-03-01 00:00:00")
    change(shop, "restore", [1], "restored", "2024-03-10 12:00:00")
    assert [(f.month, f.orders) for f in read(shop).won_back.months] == [("2024-03", 1), ("2025-01", 1)]


def test_who_was_deleted_twice_rests_where_the_last_deletion_put_them(
    opened: Callable[..., Database], empty_url: str
) -> None:
    shop = opened(empty_url, people=PEOPLE, sales=SALES)
    change(shop, "delete", [9], "mistake", "2024-03-01 00:00:00")
    change(shop, "restore", [9], "undo", "2024-03-02 00:00:00")
    change(shop, "delete", [9], "fraud", "2024-05-01 00:00:00")
    found = read(shop)
    assert [(r.month, r.why, r.revenue) for r in found.at_rest] == [("2024-05", "fraud", Decimal("6.00"))]
    assert [(d.month, d.why) for d in found.deletions] == [("2024-03", "mistake"), ("2024-05", "fraud")]
