"""Writing the demo company's tables: rows in the order of their key as multi-row INSERTs, indexes afterwards."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from sqlalchemy import Connection, inspect

from data.demo.company import Numbers, Orders
from data.demo.people import Person
from data.errors import EvenbooksError

# Rows a statement: about 400 kB, below the smallest max_allowed_packet in use.
ROWS = 5000

SQLITE = {
    "customers": """CREATE TABLE customers (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        name VARCHAR(120) NOT NULL,
        email VARCHAR(190),
        phone VARCHAR(40),
        city VARCHAR(80),
        created_at DATETIME NOT NULL DEFAULT CURRENT_TIMESTAMP)""",
    "orders": """CREATE TABLE orders (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        customer_id INTEGER REFERENCES customers (id),
        ordered_at DATETIME NOT NULL,
        total DECIMAL(12,2) NOT NULL,
        cost DECIMAL(12,2) NOT NULL,
        status VARCHAR(20))""",
}
MARIADB = {
    "customers": """CREATE TABLE customers (
        id INT NOT NULL AUTO_INCREMENT PRIMARY KEY,
        name VARCHAR(120) NOT NULL,
        email VARCHAR(190),
        phone VARCHAR(40),
        city VARCHAR(80),
        created_at DATETIME NOT NULL DEFAULT CURRENT_TIMESTAMP) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4""",
    "orders": """CREATE TABLE orders (
        id INT NOT NULL AUTO_INCREMENT PRIMARY KEY,
        customer_id INT NULL,
        ordered_at DATETIME NOT NULL,
        total DECIMAL(12,2) NOT NULL,
        cost DECIMAL(12,2) NOT NULL,
        status VARCHAR(20)) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4""",
}
INDEXES = (
    "CREATE INDEX idx_customers_name ON customers (name)",
    "CREATE INDEX idx_customers_email ON customers (email)",
    "CREATE INDEX idx_customers_created_at ON customers (created_at)",
    "CREATE INDEX idx_orders_customer_id ON orders (customer_id)",
)
FOREIGN_KEY = "ALTER TABLE orders ADD CONSTRAINT fk_orders_customer FOREIGN KEY (customer_id) REFERENCES customers (id)"


class AlreadyThere(EvenbooksError):
    """There is a company already."""


def refuse_company(connection: Connection) -> None:
    """Raises AlreadyThere where the database has customers or orders."""
    there = {name.lower() for name in inspect(connection).get_table_names()} & {"customers", "orders"}
    if there:
        raise AlreadyThere(
            f"This database already has a table {' and a table '.join(sorted(there))}, so nothing was changed. "
            "The demo company goes only into a database that has neither; name another one with --database-url."
        )


def create_tables(connection: Connection) -> None:
    """Makes both tables without their secondary indexes, which cost less afterwards."""
    is_sqlite = connection.dialect.name == "sqlite"
    for statement in (SQLITE if is_sqlite else MARIADB).values():
        connection.exec_driver_sql(statement)
    if not is_sqlite:
        # The rows are right by construction and come in the order of the key: no need to look each up.
        connection.exec_driver_sql("SET SESSION unique_checks = 0, foreign_key_checks = 0")


def create_indexes(connection: Connection) -> None:
    """Makes the secondary indexes, and on MariaDB the foreign key, of the full tables."""
    for statement in INDEXES:
        connection.exec_driver_sql(statement)
    if connection.dialect.name != "sqlite":
        connection.exec_driver_sql(FOREIGN_KEY)
        connection.exec_driver_sql("SET SESSION unique_checks = 1, foreign_key_checks = 1")


def insert_customers(connection: Connection, start: int, people: Sequence[Person], created: Numbers) -> None:
    """Inserts customers numbered from `start`."""
    rows = [
        f"({number},{_text(name)},{_text(email)},{_text(phone)},{_text(city)},'{at}')"
        for number, (name, email, phone, city), at in zip(
            range(start, start + len(people)), people, _times(created), strict=True
        )
    ]
    _insert(connection, "customers (id, name, email, phone, city, created_at)", rows)


def insert_orders(connection: Connection, start: int, orders: Orders) -> None:
    """Inserts orders numbered from `start`."""
    links = [number or "NULL" for number in orders.customer.tolist()]
    statuses = ["refund" if refund else "paid" for refund in orders.refund.tolist()]
    columns = zip(links, _times(orders.at), _amounts(orders.total), _amounts(orders.cost), statuses, strict=True)
    rows = [
        f"({i},{link},'{at}',{total},{cost},'{status}')"
        for i, (link, at, total, cost, status) in enumerate(columns, start)
    ]
    _insert(connection, "orders (id, customer_id, ordered_at, total, cost, status)", rows)


def _insert(connection: Connection, into: str, rows: Sequence[str]) -> None:
    for first in range(0, len(rows), ROWS):
        statement = f"INSERT INTO {into} VALUES {','.join(rows[first : first + ROWS])}"
        connection.exec_driver_sql(statement, execution_options={"no_parameters": True})


def _text(value: str | None) -> str:
    """A literal that both engines read alike; none of ours has a backslash."""
    if value is None:
        return "NULL"
    return "'" + value.replace("'", "''") + "'"


def _times(seconds: Numbers) -> list[str]:
    """Seconds since 1970 as `2024-02-01 10:30:00`."""
    return [iso.replace("T", " ") for iso in np.datetime_as_string(seconds.astype("datetime64[s]")).tolist()]


def _amounts(cents: Numbers) -> list[str]:
    """Cents as decimal text, never through float."""
    return [
        f"{digits[:-2]}.{digits[-2:]}"
        for digits in (f"{cent:03d}" if cent >= 0 else f"{cent:04d}" for cent in cents.tolist())
    ]
