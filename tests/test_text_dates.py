"""Dates as text: a month is what stands at the beginning as YYYY-MM, on every engine, and nothing else is."""

from __future__ import annotations

from decimal import Decimal

import pytest
from shops import ADMIN, ORDERS, by_hand
from test_delete_customer import Shops
from test_month_orders import assert_every_month_adds_up
from test_revenue import WINDOWS, assert_quick_is_checked, months, read

from data import queries, seals

DAYS = ["2024-02-10", "2024-02-10T08:00:00Z", "2024-02", "2024-02-00", "9999-12-31 23:59:59", "1000-01-01"]
NONE = ["03/02/2024", "10.02.2024", "20240210", "202402", "2024-2-10", "2024-13-01", "2024-00-10", "0999-01-01", "", "unknown", " 2024-02-10", "0000-00-00", "\uff12\uff10\uff12\uff14-02-10"]  # fmt: skip


@pytest.mark.parametrize("kind", ["VARCHAR(40)", "TEXT"])
def test_a_month_is_what_an_iso_date_begins_with(empty_url: str, opened: Shops, kind: str) -> None:
    days = [*DAYS, *NONE, None]
    sales = [(n, 1 + n % 4, day, f"{n}.00", "paid") for n, day in enumerate(days, start=1)]
    shop = opened(empty_url, orders=ORDERS.replace("{time} NULL", f"{kind} NULL"), sales=sales)
    expected = {"2024-02": Decimal(10), "9999-12": Decimal(5), "1000-01": Decimal(6)}
    expected[None] = Decimal(sum(range(7, len(days) + 1)))
    assert by_hand(sales) == expected
    assert months(read(shop, queries.monthly_totals)) == expected
    assert_quick_is_checked(shop)
    for first, last in WINDOWS[:3]:
        inside = {m: a for m, a in expected.items() if m and (first or "") <= m <= (last or "9999-12")}
        assert months(read(shop, queries.monthly_totals, first=first, last=last)) == inside
        assert_quick_is_checked(shop, first=first, last=last)
    assert read(shop, queries.month_bounds) == ("1000-01", "9999-12")
    assert_every_month_adds_up(shop, 50)
    (sealed,) = seals.seal(shop, "2024-02", actor=ADMIN)
    assert (sealed.orders, sealed.total) == (4, Decimal(10))


def test_numbers_are_no_dates(empty_url: str, opened: Shops) -> None:
    sales = [(1, 1, 20240210, "1.00", "paid"), (2, 1, 1707552000, "2.00", "paid")]
    shop = opened(empty_url, orders=ORDERS.replace("{time} NULL", "INTEGER NULL"), sales=sales)
    assert months(read(shop, queries.monthly_totals)) == {None: Decimal(3)}
