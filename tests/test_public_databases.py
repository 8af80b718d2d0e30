"""Public databases, attached by a mapping and by the one that is proposed: every month of their expected figures, before and after deleting."""

from __future__ import annotations

import csv
import gzip
import tomllib
from collections.abc import Callable, Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import psycopg
import pymysql
import pytest
from pymysql.constants import CLIENT
from shops import ADMIN, migrated, problems, rows
from sqlalchemy.engine import make_url

from data import Customer, detection, integrity, queries
from data.customers import delete_many, restore_many
from data.database import Database, snapshot
from data.engines import make_engine
from data.queries.checks import Part

HERE = Path(__file__).resolve().parents[2] / "shared" / "databases"
pytestmark = pytest.mark.skipif(not HERE.exists(), reason=f"The public databases are not there ({HERE}).")
CHINOOK = {
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
SNAKES = {
    "customers": {
        "table": "customer",
        "id": "customer_id",
        "name": ["first_name", "last_name"],
        "email": "email",
        "phone": "phone",
    },
    "orders": {
        "table": "invoice",
        "id": "invoice_id",
        "customer_id": "customer_id",
        "ordered_at": "invoice_date",
        "total": "total",
    },
    "money": {"currency": "USD"},
}
LINES = """
SELECT o.OrderID AS id, o.CustomerID AS customer_id, o.OrderDate AS ordered_at,
    sum(d.UnitPrice * d.Quantity * (1 - d.Discount)) AS total
FROM Orders o LEFT JOIN "Order Details" d ON d.OrderID = o.OrderID GROUP BY o.OrderID
"""
NORTHWIND = {
    "customers": {"table": "Customers", "id": "CustomerID", "name": ["CompanyName", "ContactName"], "phone": "Phone"},
    "orders": {"query": LINES},
}
Loader = Callable[[str], dict[str, Any]]


def _file(url: str, name: str) -> None:
    Path(make_url(url).database or "").write_bytes(gzip.decompress((HERE / name).read_bytes()))


def _chinook_on_sqlite(url: str) -> dict[str, Any]:
    _file(url, "chinook/chinook.sqlite.gz")
    return CHINOOK


def _chinook_on_mariadb(url: str) -> dict[str, Any]:
    """Feeds the script to the server, into our own database instead of the one that it makes."""
    script = gzip.decompress((HERE / "chinook/chinook.mysql.sql.gz").read_bytes()).decode()
    own = script.replace("DROP DATABASE IF EXISTS `Chinook`;", "").replace("CREATE DATABASE `Chinook`;", "")
    parsed = make_url(url)
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
    return CHINOOK


def _chinook_on_postgresql(url: str) -> dict[str, Any]:
    """The same; what is for the command-line client alone is left out."""
    script = gzip.decompress((HERE / "chinook/chinook.pg.sql.gz").read_bytes()).decode()
    for line in ("DROP DATABASE IF EXISTS chinook;", "CREATE DATABASE chinook;", "\\c chinook;"):
        assert line in script
        script = script.replace(line, "")
    plain = make_url(url).set(drivername="postgresql").render_as_string(hide_password=False)
    with psycopg.connect(plain) as connection:
        connection.execute(script.encode())
    return SNAKES


def _northwind(url: str) -> dict[str, Any]:
    _file(url, "northwind-sqlite/northwind.sqlite.gz")
    return NORTHWIND


SOURCES: dict[tuple[str, str], Loader] = {
    ("chinook", "sqlite"): _chinook_on_sqlite,
    ("chinook", "mariadb"): _chinook_on_mariadb,
    ("chinook", "postgresql"): _chinook_on_postgresql,
    ("northwind-sqlite", "sqlite"): _northwind,
}


def proposed(url: str) -> dict[str, Any]:
    """The mapping that is proposed for the database, as it stands in the file."""
    engine = make_engine(make_url(url))
    found = detection.propose(engine, url)
    engine.dispose()
    assert found.found, found.doubts
    return tomllib.loads(found.toml)


@pytest.fixture(params=["by hand", "proposed"])
def way(request: pytest.FixtureRequest) -> str:
    """By the mapping above, or by the proposal as it is."""
    return str(request.param)


@pytest.fixture
def attached(name: str, engine_name: str, empty_url: str, way: str) -> Iterator[tuple[str, Database]]:
    """The database as published, loaded and migrated; with its name."""
    mapping = SOURCES[name, engine_name](empty_url)
    database = migrated(empty_url, mapping if way == "by hand" else proposed(empty_url))
    yield name, database
    database.engine.dispose()


def expected(name: str, file: str) -> dict[str, dict[str, str]]:
    """A file of figures by month."""
    with (HERE / name / file).open(encoding="utf-8", newline="") as lines:
        return {row["month"]: row for row in csv.DictReader(lines)}


def counted(shop: Database, part: Part) -> dict[str | None, tuple[int, Decimal]]:
    with snapshot(shop) as moment:
        found = queries.monthly_part(moment.connection, shop.schema, part)
    assert len({currency for _, currency in found}) <= 1
    return {month: (figures.orders, figures.total) for (month, _), figures in found.items()}


def assert_totals(name: str, shop: Database) -> None:
    figures = {
        month: (int(row["orders"]), Decimal(row["revenue_exact"]))
        for month, row in expected(name, "expected.csv").items()
    }
    assert counted(shop, "total") == figures
    with snapshot(shop) as moment:
        quick = queries.monthly_totals(moment.connection, shop.schema)
    assert {month: (f.orders, f.total) for (month, _), f in quick.items()} == figures


@pytest.mark.parametrize(("name", "engine_name"), SOURCES, indirect=["engine_name"])
def test_every_month_is_as_published_before_and_after_deleting(attached: tuple[str, Database]) -> None:
    name, shop = attached
    assert_totals(name, shop)
    assert integrity.run_and_record(shop).even
    ids = (HERE / name / "delete_ids.txt").read_text().splitlines()
    with shop.engine.connect() as connection:
        assert Customer.soft_delete(ids[0], connection=connection).changed
        connection.commit()
    outcomes = delete_many(shop, ids, actor=ADMIN, reason="duplicate")
    assert [outcome.changed for outcome in outcomes] == [False] + [True] * (len(ids) - 1)
    assert_totals(name, shop)
    assert_split(name, shop)
    report = integrity.run_and_record(shop)
    assert report.even, [check for check in report.checks if check.ok is False]
    assert problems(shop) == []
    restore_many(shop, ids, actor=ADMIN, reason="undo")
    assert counted(shop, "active") == counted(shop, "total")


def assert_split(name: str, shop: Database) -> None:
    wanted = expected(name, "expected_split.csv")
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
    assert len(quick) == len(wanted)


@pytest.mark.parametrize(("name", "engine_name"), SOURCES, indirect=["engine_name"])
@pytest.mark.parametrize("way", ["by hand"], indirect=True)
def test_the_orders_are_left_as_they_are(attached: tuple[str, Database]) -> None:
    name, shop = attached
    table = {"chinook": "Invoice", "northwind-sqlite": "Orders"}[name]
    before = rows(shop, table)
    delete_many(shop, (HERE / name / "delete_ids.txt").read_text().splitlines(), actor=ADMIN, reason="duplicate")
    assert rows(shop, table) == before
