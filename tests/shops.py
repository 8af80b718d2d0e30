"""Small shops for the tests: tables of any shape on either engine, attached and migrated."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

from sqlalchemy import Engine, text

from data import events
from data.access import Actor, Door, Role
from data.database import Database, attach, make_engine
from data.migration import migrate
from data.queries.revenue import read_month
from data.schema import literal_sql
from data.settings import File, Settings

STAFF = Actor("test:staff", Role.STAFF, Door.DASHBOARD)
ADMIN = Actor("test:admin", Role.ADMIN, Door.COMMAND)
MANAGER = Actor("test:manager", Role.MANAGER, Door.DASHBOARD)
AUDITOR = Actor("test:auditor", Role.AUDITOR, Door.DASHBOARD)

# {key} is a numbered primary key and {time} a time, each as the engine says it.
CUSTOMERS = """CREATE TABLE customers (
    id {key}, name VARCHAR(60) NOT NULL, email VARCHAR(80), phone VARCHAR(20), created_at {time} NULL)"""
ORDERS = """CREATE TABLE orders (
    id {key}, customer_id INTEGER, ordered_at {time} NULL, total DECIMAL(12,2) NOT NULL, status VARCHAR(10))"""
WORDS = {
    "sqlite": {"key": "INTEGER PRIMARY KEY", "time": "DATETIME"},
    "mysql": {"key": "INTEGER AUTO_INCREMENT PRIMARY KEY", "time": "DATETIME"},
}

# Customer 4 is a decoy: deleted before anything is tested. 5 has no orders; 77 is not there.
PEOPLE = [
    {"id": 1, "name": "Ana Lima", "email": "ana@example.com", "phone": "+351 1", "created_at": "2024-01-02 10:00:00"},
    {"id": 2, "name": "Bo Ek", "email": "bo@example.com", "phone": None, "created_at": "2024-01-03 00:00:00"},
    {"id": 3, "name": "陈伟", "email": None, "phone": None, "created_at": None},
    {"id": 4, "name": "Dora Gone", "email": "dora@example.com", "phone": None, "created_at": "2023-12-31 23:59:59"},
    {"id": 5, "name": "Eve Idle", "email": "eve@example.com", "phone": None, "created_at": "2024-02-01 00:00:00"},
]
SALES = [
    (1, 1, "2024-01-31 23:59:59", "100.10", "paid"),
    (2, 1, "2024-02-01 00:00:00", "0.20", "paid"),
    (3, 1, "2024-02-29 12:00:00", "-20.05", "paid"),  # a refund
    (4, 2, "2024-02-10 08:00:00", "50.00", "open"),
    (5, 3, "2024-04-01 00:00:00", "7.77", "paid"),  # no order in March
    (6, 4, "2024-01-15 00:00:00", "33.33", "paid"),
    (7, 4, "2024-04-30 23:59:59", "66.67", "open"),
    (8, None, "2024-01-20 00:00:00", "9.99", "paid"),  # a guest
    (9, 77, "2024-02-20 00:00:00", "5.55", "paid"),  # an orphan
    (10, 2, None, "1.01", "paid"),  # no date
]
PHONE = {"customers": {"phone": "phone"}}


def settings_for(url: str, sections: Mapping[str, Any] | None = None) -> Settings:
    """Settings as the file with these sections would make them."""
    return Settings(**dict(File.model_validate(dict(sections or {}))), database_url=url)


def execute(engine: Engine, *statements: str) -> None:
    """Runs statements of the company's own, as written, in one transaction."""
    with engine.connect().execution_options(write=True) as connection, connection.begin():
        for statement in statements:
            connection.execute(text(literal_sql(statement.format(**WORDS[engine.dialect.name]))))


def fill(engine: Engine, table: str, rows: Sequence[Mapping[str, Any]]) -> None:
    """Inserts rows given by column name."""
    with engine.connect().execution_options(write=True) as connection, connection.begin():
        for row in rows:
            quoted = ", ".join(engine.dialect.identifier_preparer.quote(name) for name in row)
            marks = ", ".join(f":v{n}" for n in range(len(row)))
            statement = f"INSERT INTO {table} ({quoted}) VALUES ({marks})"
            connection.execute(text(statement), {f"v{n}": value for n, value in enumerate(row.values())})


def migrated(url: str, sections: Mapping[str, Any] | None = None) -> Database:
    """The tables at this URL, prepared and attached."""
    settings = settings_for(url, sections)
    migrate(settings, say=lambda line: None)
    return attach(settings)


def make_shop(
    url: str,
    *,
    customers: str = CUSTOMERS,
    orders: str = ORDERS,
    people: Sequence[Mapping[str, Any]] = PEOPLE,
    sales: Sequence[tuple[Any, ...]] = SALES,
    also: Sequence[str] = (),
    sections: Mapping[str, Any] | None = PHONE,
) -> Database:
    """A shop of these tables and rows (people by column, sales as id, customer, date, amount, status), migrated."""
    engine = make_engine(settings_for(url).url)
    execute(engine, customers, orders, *also)
    fill(engine, "customers", people)
    columns = ("id", "customer_id", "ordered_at", "total", "status")
    fill(engine, "orders", [dict(zip(columns, sale, strict=False)) for sale in sales])
    engine.dispose()
    return migrated(url, sections)


def rows(database: Database, table: str) -> list[tuple[Any, ...]]:
    """A whole table as the driver answers it, in the order of its first column."""
    with database.engine.connect() as connection:
        return [tuple(row) for row in connection.execute(text(f"SELECT * FROM {table} ORDER BY 1"))]


def whole_row(database: Database, customer_id: Any, table: str = "customers") -> dict[str, Any]:
    """One customer's row with every physical column, as the driver answers it."""
    with database.engine.connect() as connection:
        found = connection.execute(text(f"SELECT * FROM {table} WHERE id = :id"), {"id": customer_id})
        return dict(found.mappings().one())


def state(database: Database) -> dict[str, list[tuple[Any, ...]]]:
    """Everything that a refused action must leave as it was."""
    return {name: rows(database, name) for name in ("customers", "orders", "evenbooks_events", "evenbooks_chain")}


def by_hand(sales: Sequence[tuple[Any, ...]], keep: Any = lambda sale: True) -> dict[str | None, Decimal]:
    """Revenue by month, added in Python from the rows themselves."""
    months: dict[str | None, Decimal] = {}
    for sale in filter(keep, sales):
        month = read_month(str(sale[2] or "")[:7])
        months[month] = months.get(month, Decimal(0)) + Decimal(str(sale[3]))
    return months


def problems(database: Database) -> list[str]:
    """What walking the chain finds wrong."""
    with database.engine.connect() as connection:
        return [f"{link.event_id}: {p}" for link in events.walk(connection, database.schema) for p in link.problems]
