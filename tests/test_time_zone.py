"""Months in a zone: exact to the second around each boundary and each change of the clocks."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from itertools import pairwise
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from shops import ADMIN, ORDERS
from test_month_orders import assert_every_month_adds_up
from test_revenue import assert_quick_is_checked, months, read

from data import integrity, queries, seals
from data.database import Database
from data.migration import migrate
from data.zones import changes_of, offset_at

Shops = Callable[..., Database]
ZONED = {"mariadb": "TIMESTAMP NULL", "postgresql": "TIMESTAMPTZ NULL"}
# Clocks go back at one minute past midnight in Newfoundland, on the first of November 2009: October comes twice.
ZONES = ["Australia/Sydney", "America/St_Johns", "Pacific/Kiritimati", "Europe/Berlin"]


def moments(zone: str) -> list[datetime]:
    """Seconds around boundaries of months, in the zone and in UTC, and around changes of its clocks."""
    starts = [datetime(2024, n, 1, tzinfo=place) for n in (1, 2, 4, 10, 11) for place in (UTC, ZoneInfo(zone))]
    changes = [change for change, _ in changes_of(zone) if 2009 <= change.year <= 2010 or change.year == 2024]
    around = [at.astimezone(UTC) + timedelta(seconds=s) for at in [*starts, *changes] for s in (-1, 0, 1)]
    newfoundland = datetime(2009, 11, 1, 2, 30, tzinfo=UTC)
    return sorted({*around, *(newfoundland + timedelta(minutes=n) for n in range(0, 120, 7))})


def sales_at(days: list[datetime]) -> list[tuple[Any, ...]]:
    return [(n, 1 + n % 4, f"{at:%Y-%m-%d %H:%M:%S}", f"{n}.00", "paid") for n, at in enumerate(days, start=1)]


def expected(days: list[datetime], zone: str) -> dict[str | None, Decimal]:
    found: dict[str | None, Decimal] = {}
    for n, at in enumerate(days, start=1):
        month = f"{at.astimezone(ZoneInfo(zone)):%Y-%m}"
        found[month] = found.get(month, Decimal(0)) + n
    return found


@pytest.mark.parametrize("engine_name", ["mariadb", "postgresql"], indirect=True)
@pytest.mark.parametrize("zone", ZONES)
def test_months_are_the_zones(empty_url: str, engine_name: str, opened: Shops, zone: str) -> None:
    days = moments(zone)
    orders = ORDERS.replace("{time} NULL", ZONED[engine_name])
    shop = opened(empty_url, orders=orders, sales=sales_at(days), sections={"orders": {"time_zone": zone}})
    wanted = expected(days, zone)
    assert months(read(shop, queries.monthly_totals)) == wanted
    assert wanted != expected(days, "UTC")
    for month, amount in wanted.items():
        assert months(read(shop, queries.monthly_totals, first=month, last=month)) == {month: amount}
    assert_quick_is_checked(shop)
    assert_quick_is_checked(shop, first="2024-02", last="2024-10")
    assert read(shop, queries.month_bounds) == (min(map(str, wanted)), max(map(str, wanted)))
    assert_every_month_adds_up(shop, 1000)
    (sealed,) = seals.seal(shop, "2024-02", actor=ADMIN)
    assert sealed.total == wanted["2024-02"]


def test_columns_without_a_zone_keep_their_months(empty_url: str, opened: Shops) -> None:
    days = [datetime(2024, 1, 31, 23, 59, 59, tzinfo=UTC), datetime(2024, 2, 1, tzinfo=UTC)]
    sections = {"orders": {"time_zone": "Australia/Sydney"}}
    shop = opened(empty_url, sales=sales_at(days), sections=sections)
    assert months(read(shop, queries.monthly_totals)) == expected(days, "UTC")
    said: list[str] = []
    migrate(shop.settings, say=said.append)
    words = "[orders] time_zone = Australia/Sydney has no effect: the orders' dates carry no zone"
    assert any(line.startswith(words) for line in said)
    check = next(c for c in integrity.run_and_record(shop).checks if c.name == "mapping")
    assert words in check.detail


@pytest.mark.parametrize("zone", [*ZONES, "Africa/Casablanca", "UTC"])
def test_every_change_of_the_clocks_is_known(zone: str) -> None:
    changes = changes_of(zone)
    for (_, before), (change, after) in pairwise(changes):
        assert (offset_at(zone, change - timedelta(seconds=1)), offset_at(zone, change)) == (before, after)
    day = changes[0][0]
    for number in range(0, 365 * 130, 3):
        at = day + timedelta(days=number, hours=number % 24, minutes=number % 60)
        assert [offset for change, offset in changes if change <= at][-1] == offset_at(zone, at)
