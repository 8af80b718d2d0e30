"""Statements of the live probe: grand totals, a time limit over all of it, and rolling back."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy import Connection, FromClause, String, and_, event, inspect, literal, select, text
from sqlalchemy.sql import ColumnElement

from data.queries.customers import list_customers
from data.queries.revenue import currency_keys, measures, read_figures
from data.records import Customer, Figures
from data.schema import Schema, is_active

RECENT = 1000  # orders among which a customer is looked for
STEPS = 1000  # of SQLite's machine, between two looks at the clock
NOT_ROLLED_BACK = 1196


def grand_totals(connection: Connection, schema: Schema) -> dict[str, Figures]:
    """Orders and revenue of all time by currency, from orders alone."""
    return _by_currency(connection, schema, schema.orders.source, schema.is_revenue)


def grand_deleted(connection: Connection, schema: Schema) -> dict[str, Figures]:
    """The same for the orders of deleted customers, read from the customers' side, who are few."""
    customers, orders = schema.customers, schema.orders
    source = customers.source.join(orders.source, schema.names(orders.c.customer_id))
    return _by_currency(connection, schema, source, and_(schema.is_revenue, schema.is_linked, ~is_active(customers)))


def _by_currency(
    connection: Connection, schema: Schema, source: FromClause, condition: ColumnElement[bool]
) -> dict[str, Figures]:
    statement = select(*measures(schema, literal("", String()))).select_from(source).where(condition)
    rows = connection.execute(statement.group_by(*currency_keys(schema)))
    return {currency: figures for (_, currency), figures in read_figures(schema, rows).items()}


def find_customer_to_probe(connection: Connection, schema: Schema) -> Customer | None:
    """The active customer of the latest order, looked for among the last thousand; else any active one; None without."""
    orders, customers = schema.orders, schema.customers
    columns = (orders.c.id.label("id"), orders.c.customer_id.label("customer_id"), schema.is_linked.label("is_linked"))
    last = select(*columns).select_from(orders.source).limit(RECENT)
    if _is_key(connection, schema):
        last = last.order_by(orders.c.id.desc())
    recent = last.subquery("recent")
    linked = and_(schema.names(recent.c.customer_id), recent.c.is_linked)
    statement = (
        select(*customers.labelled)
        .select_from(customers.source.join(recent, linked))
        .where(is_active(customers))
        .order_by(recent.c.id.desc())
        .limit(1)
    )
    row = connection.execute(statement).first()
    return Customer(*row) if row else next(iter(list_customers(connection, schema, limit=1).items), None)


def _is_key(connection: Connection, schema: Schema) -> bool:
    """Whether the orders' id is their primary key; sorted by anything else, every order would be read."""
    table = schema.order_table
    if table is None:
        return False
    key = inspect(connection).get_pk_constraint(table.name, schema=table.schema)["constrained_columns"]
    return bool(key == [schema.settings.orders.id])


def list_without_transactions(connection: Connection, schema: Schema) -> dict[str, str]:
    """The tables beside ours and the company's that cannot roll back, with their engine; only MariaDB has such."""
    if schema.dialect != "mysql":
        return {}
    statement = text(
        "SELECT t.table_name, t.engine FROM information_schema.tables t "
        "JOIN information_schema.engines e ON e.engine = t.engine "
        "WHERE e.transactions = 'NO' AND t.table_schema IN (DATABASE(), :customers, :orders)"
    )
    return {str(row[0]): str(row[1]) for row in connection.execute(statement, _schemas(schema))}


def _schemas(schema: Schema) -> dict[str, str]:
    tables = {"customers": schema.customer_table, "orders": schema.order_table}
    return {name: (table.schema if table is not None else None) or "" for name, table in tables.items()}


def may_have_triggers(connection: Connection, schema: Schema) -> bool:
    """Whether triggers run with a delete, or this account could not see them if there were some."""
    written = {schema.customer_table.name: "UPDATE", schema.own.events.name: "INSERT", schema.own.chain.name: "UPDATE"}
    found = connection.execute(
        text(
            "SELECT event_object_table, event_manipulation FROM information_schema.triggers "
            "WHERE event_object_schema IN (DATABASE(), :customers, :orders)"
        ),
        _schemas(schema),
    )
    if any(written.get(table) == manipulation for table, manipulation in found):
        return True
    rights = (
        "SELECT 1 FROM information_schema.user_privileges WHERE privilege_type = 'TRIGGER' UNION ALL "
        "SELECT 1 FROM information_schema.schema_privileges WHERE privilege_type = 'TRIGGER' AND DATABASE() LIKE table_schema"
    )
    return connection.execute(text(rights)).first() is None


class TimeOver(Exception):
    """A statement came after the time was over."""


class TimeLimit:
    """How long what runs on a connection may still take."""

    def __init__(self, seconds: float) -> None:
        self.deadline = 0.0
        self.allow(seconds)

    def allow(self, seconds: float) -> None:
        """Begins anew: so many seconds from now."""
        self.deadline = time.monotonic() + seconds

    @property
    def left(self) -> float:
        """Seconds; negative where the time is over."""
        return self.deadline - time.monotonic()


@contextmanager
def limited(connection: Connection, seconds: float) -> Iterator[TimeLimit]:
    """Ends whatever runs on the connection after so many seconds, waiting for locks included.

    A statement that is cut off raises DBAPIError, one that comes too late TimeOver. Nothing of it stays with the connection.
    """
    limit = TimeLimit(seconds)

    def bound(c: Connection, _cursor: Any, statement: str, parameters: Any, _context: Any, _many: bool) -> Any:
        if limit.left <= 0:
            raise TimeOver
        return _bounded(c, statement, limit.left), parameters

    event.listen(connection, "before_cursor_execute", bound, retval=True)
    try:
        if connection.dialect.name == "sqlite":
            with _interrupted(connection, limit):
                yield limit
        else:
            yield limit
    finally:
        event.remove(connection, "before_cursor_execute", bound)


def _bounded(connection: Connection, statement: str, seconds: float) -> str:
    """The statement with its limit; MySQL, unlike MariaDB, knows one only for SELECT, and PostgreSQL keeps it in the transaction."""
    if connection.dialect.name == "sqlite":
        return statement
    if connection.dialect.name == "postgresql":
        driver: Any = connection.connection.driver_connection
        driver.execute(f"SET LOCAL statement_timeout = {max(int(seconds * 1000), 1)}")
        return statement
    if getattr(connection.dialect, "is_mariadb", False):
        return f"SET STATEMENT max_statement_time = {max(seconds, 0.001):.3f} FOR {statement}"
    hint = f"SELECT /*+ MAX_EXECUTION_TIME({max(int(seconds * 1000), 1)}) */"
    return hint + statement.removeprefix("SELECT") if statement.startswith("SELECT") else statement


@contextmanager
def _interrupted(connection: Connection, limit: TimeLimit) -> Iterator[None]:
    """SQLite looks at the clock itself, and waits for another writer no longer than the limit."""
    driver: Any = connection.connection.driver_connection
    waits = driver.execute("PRAGMA busy_timeout").fetchone()[0]
    driver.execute(f"PRAGMA busy_timeout = {max(int(limit.left * 1000), 1)}")
    driver.set_progress_handler(lambda: limit.left <= 0, STEPS)
    try:
        yield
    finally:
        driver.set_progress_handler(None, STEPS)
        driver.execute(f"PRAGMA busy_timeout = {waits}")


def roll_back(connection: Connection) -> bool:
    """Rolls back; answers whether all of it was: MariaDB says where a table without transactions was written to."""
    if connection.invalidated or connection.dialect.name in ("sqlite", "postgresql"):
        connection.rollback()
        return True
    connection.exec_driver_sql("ROLLBACK")
    warnings = connection.exec_driver_sql("SHOW WARNINGS").all()
    connection.rollback()
    return all(warning[1] != NOT_ROLLED_BACK for warning in warnings)


def event_hash(connection: Connection, schema: Schema, event_id: int) -> str | None:
    """The hash of this event; None where there is none."""
    own = schema.own.events
    return connection.execute(select(own.c.hash).where(own.c.id == event_id)).scalar()
