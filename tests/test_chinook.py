"""Chinook, a public database, attached by a mapping: every month of its expected figures, before and after deleting."""

from __future__ import annotations

import csv
import gzip
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

import pymysql
import pytest
from pymysql.constants import CLIENT
from shops import ADMIN, migrated, problems, rows
from sqlalchemy.engine import make_url

from data import Customer, queries
from data.customers import delete_many
from data.database import Database, snapshot
from data.queries.checks import Part

HERE = Path(__file__).resolve().parents[2] / "shared" / "databases" / "chinook"
pytestmark = pytest.mark.skipif(not HERE.exists(), reason=f"Chinook is not there ({HERE}).")
MAPPING = {
    "customers": {
        "table": "Customer",
        "id": "CustomerId",
        "name": ["FirstName", "LastName"],
        "email": "Email",
        "phone": "Phone",
    },
    "orders": {
        "table": "Invoice",
        "id": "InvoiceId",
        "customer_id": "CustomerId",
        "ordered_at": "InvoiceDate",
        "total": "Total",
    },
    "money": {"currency": "USD"},
}


@pytest.fixture
def chinook(empty_url: str, engine_name: str) -> Iterator[Database]:
    """The database as published, loaded and migrated."""
    if engine_name == "sqlite":
        Path(make_url(empty_url).database or "").write_bytes(gzip.decompress((HERE / "chinook.sqlite.gz").read_bytes()))
    else:
        load_script(empty_url, gzip.decompress((HERE / "chinook.mysql.sql.gz").read_bytes()).decode())
    database = migrated(empty_url, MAPPING)
    yield database
    database.engine.dispose()


def load_script(url: str, script: str) -> None:
    """Feeds the script to the server, into our own database instead of the one that it makes."""
    parsed = make_url(url)
    own = script.replace("DROP DATABASE IF EXISTS `Chinook`;", "").replace("CREATE DATABASE `Chinook`;", "")
    connection = pymysql.connect(
        host=parsed.host or "localhost",
        port=parsed.port or 3306,
        user=parsed.username,
        password=parsed.password or "",
        unix_socket=parsed.query.get("unix_socket"),
        charset="utf8mb4",
        client_flag=CLIENT.MULTI_STATEMENTS,
    )
    with connection, connection.cursor() as cursor:
        cursor.execute(own.replace("USE `Chinook`;", f"USE `{parsed.database}`;"))
        while cursor.nextset():
            pass
        connection.commit()


def expected(name: str) -> dict[str, dict[str, str]]:
    """A file of figures by month."""
    with (HERE / name).open(encoding="utf-8", newline="") as lines:
        return {row["month"]: row for row in csv.DictReader(lines)}


def counted(shop: Database, part: Part) -> dict[str | None, tuple[int, Decimal]]:
    with snapshot(shop) as moment:
        found = queries.monthly_part(moment.connection, shop.schema, part)
    assert {currency for _, currency in found} <= {"USD"}
    return {month: (figures.orders, figures.total) for (month, _), figures in found.items()}


def assert_totals(shop: Database) -> None:
    figures = {
        month: (int(row["orders"]), Decimal(row["revenue_exact"])) for month, row in expected("expected.csv").items()
    }
    assert len(figures) == 60
    assert counted(shop, "total") == figures
    with snapshot(shop) as moment:
        quick = queries.monthly_totals(moment.connection, shop.schema)
    assert {month: (f.orders, f.total) for (month, _), f in quick.items()} == figures


def test_every_month_is_as_published_before_and_after_deleting(chinook: Database) -> None:
    assert_totals(chinook)
    ids = (HERE / "delete_ids.txt").read_text().split()
    invoices = rows(chinook, "Invoice")
    with chinook.engine.connect() as connection:
        assert Customer.soft_delete(ids[0], connection=connection).changed
        connection.commit()
    outcomes = delete_many(chinook, ids, actor=ADMIN, reason="duplicate")
    assert [outcome.changed for outcome in outcomes] == [False] + [True] * (len(ids) - 1)
    assert_totals(chinook)
    assert_split(chinook)
    assert rows(chinook, "Invoice") == invoices
    assert problems(chinook) == []


def assert_split(shop: Database) -> None:
    wanted = expected("expected_split.csv")
    parts = {part: counted(shop, part) for part in ("active", "deleted", "no_customer", "missing_customer")}
    none = (0, Decimal(0))
    for month, row in wanted.items():
        assert parts["active"].get(month, none) == (int(row["active_orders"]), Decimal(row["active_revenue"])), month
        assert parts["deleted"].get(month, none) == (int(row["deleted_orders"]), Decimal(row["deleted_revenue"])), month
        unlinked = [parts[part].get(month, none) for part in ("no_customer", "missing_customer")]
        assert sum(orders for orders, _ in unlinked) == int(row["unlinked_orders"]), month
        assert sum(amount for _, amount in unlinked) == Decimal(row["unlinked_revenue"]), month
    assert {month for part in parts.values() for month in part} == set(wanted)
    with snapshot(shop) as moment:
        quick = queries.revenue_by_month(moment.connection, shop.schema, missing={})
    for month in quick:
        row = wanted[str(month.month)]
        assert (month.active, month.deleted) == (Decimal(row["active_revenue"]), Decimal(row["deleted_revenue"]))
        assert month.deleted_orders == int(row["deleted_orders"])
        assert month.difference == 0
    assert len(quick) == len(wanted) == 60
