"""One shop on three engines: every figure, every part, every list of a month and every checksum is the same."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, get_args

import pytest
from servers import fresh_mariadb, fresh_postgresql
from shops import ADMIN, ORDERS, PEOPLE

from data import queries
from data.customers import delete_many
from data.database import Database, snapshot
from data.integrity.contents import measure, measure_month
from data.queries.checks import Part

Shops = Callable[..., Database]
SECTIONS = {"orders": {"currency": "status", "no_customer": [0, -1]}, "customers": {"where": "id <> 5"}}
SALES = [
    (n, who, f"2024-{1 + n % 3:02}-{1 + n % 28:02} 12:{n:02}:00", amount, currency)
    for n, (who, amount, currency) in enumerate(
        [
            (who, amount, currency)
            for who in (1, 2, 3, 4, 5, None, 0, -1, 77)
            for amount, currency in (
                ("10.10", "EUR"),
                ("-0.05", " eur "),
                ("99999.999999", "USD"),
                (None, None),
                ("7", ""),
            )
        ],
        start=1,
    )
]
LATE = [(90, 1, None, "1.00", "EUR"), (91, 4, "2024-02-29 23:59:59", "3.33", "USD"), (92, 2, "2024-03-01", "5", "EUR")]


def figures(shop: Database) -> dict[str, Any]:
    """All that a shop comes to."""
    found: dict[str, Any] = {}
    with snapshot(shop) as moment:
        c, schema = moment.connection, shop.schema
        found["totals"] = queries.monthly_totals(c, schema)
        for part in get_args(Part):
            found[part] = queries.monthly_part(c, schema, part)
            found[f"{part} of February"] = queries.monthly_part(c, schema, part, first="2024-02", last="2024-02")
        found["bounds"] = queries.month_bounds(c, schema)
        found["quick"] = queries.revenue_by_month(c, schema, missing={})
        found["impact"] = queries.impact(c, schema, [1, 2, 3, 4, 99])
        found["most"] = [(who.id, *rest) for who, *rest in queries.list_deleted_by_revenue(c, schema)]
        for month in ("2024-01", "2024-02", None):
            page = queries.list_month_orders(c, schema, month, currency="EUR", limit=7)
            found[f"orders of {month}"] = [
                (o.id, o.customer_id, o.state, o.total, str(o.ordered_at)) for o in page.items
            ]
        for month in ("2024-01", "2024-02", "2024-03"):
            found[f"checksums of {month}"] = [(one.currency, one.checksum) for one in measure_month(c, schema, month)]
        for grain in ("range:4", "hash"):
            found[grain] = measure(c, schema, "2024-02", "EUR", grain=grain).checksum
    return found


@pytest.mark.parametrize("kind", ["DECIMAL(20,6)", "VARCHAR(40)", "DOUBLE PRECISION"])
def test_the_same_shop_comes_to_the_same(
    mariadb_url: str, postgresql_url: str, tmp_path: Path, opened: Shops, kind: str
) -> None:
    orders = ORDERS.replace("DECIMAL(12,2) NOT NULL", kind)
    seen = []
    with fresh_mariadb(mariadb_url) as one, fresh_postgresql(postgresql_url) as other:
        for url in (f"sqlite:///{tmp_path}/shop.sqlite", one, other):
            shop = opened(url, orders=orders, people=PEOPLE, sales=[*SALES, *LATE], sections=SECTIONS)
            delete_many(shop, [2, 4], actor=ADMIN, reason="inactive")
            seen.append(figures(shop))
            shop.engine.dispose()
    for name, value in seen[0].items():
        assert seen[1][name] == value, f"{name} on MariaDB"
        assert seen[2][name] == value, f"{name} on PostgreSQL"
    assert {currency for _, currency in seen[0]["totals"]} == {"EUR", "USD", "XXX"}
