"""Templates of SQL filled for the attached database: the mapping's names and slices, and values as literals."""

from __future__ import annotations

import re
from collections.abc import Mapping
from decimal import Decimal
from pathlib import Path
from typing import Any, cast

from sqlalchemy import BinaryExpression, Connection, Select, select
from sqlalchemy.sql import ColumnElement

from data.queries.amounts import exact
from data.queries.dates import month_text
from data.schema import Schema, currency_of
from data.settings import ROOT

FOLDER = ROOT / "sql"


def read_template(path: Path) -> str:
    """A template's text, which ends with a line feed."""
    return path.read_text(encoding="utf-8").strip() + "\n"


def filled(template: str, values: Mapping[str, str]) -> str:
    """The template with `{name}` replaced by that value; a value is not looked through again.

    Raises KeyError for a name without a value.
    """
    return re.sub(r"\{(\w+)\}", lambda found: values[found[1]], template)


def customers_sql(connection: Connection, schema: Schema) -> str:
    """SELECT of the customers within the mapping's slice: id, deleted_at, link (what an order's customer_id equals)."""
    customers = schema.customers
    _, link = _compared(schema)
    columns = [customers.c.id.label("id"), customers.c.deleted_at.label("deleted_at"), link.label("link")]
    return statement_sql(connection, select(*columns).select_from(customers.source))


def _compared(schema: Schema) -> tuple[ColumnElement[Any], ColumnElement[Any]]:
    """An order's link and the customer's key as they are compared: as text, where their kinds differ."""
    compared = cast(BinaryExpression[bool], schema.names(schema.orders.c.customer_id))
    key, sides = schema.customers.c.id, (compared.left, compared.right)
    # Python may turn the two around: whose type is the more special one is asked first.
    first = any(side is key or getattr(side, "clause", None) is key for side in sides[:1])
    return (sides[1], sides[0]) if first else sides


def orders_sql(connection: Connection, schema: Schema) -> str:
    """SELECT of the orders within the mapping's slice: id, customer_id, month, currency, amount, is_revenue, is_guest.

    `amount` is what `queries.amounts.exact_sum` adds: a decimal, and whole millionths on SQLite. `month` is YYYY-MM or NULL.
    """
    orders = schema.orders
    columns = [
        orders.c.id.label("id"),
        _compared(schema)[0].label("customer_id"),
        month_text(schema).label("month"),
        currency_of(schema).label("currency"),
        exact(schema, orders.c.total).label("amount"),
        schema.is_revenue.label("is_revenue"),
        schema.is_guest.label("is_guest"),
    ]
    return statement_sql(connection, select(*columns).select_from(orders.source))


def statement_sql(connection: Connection, statement: Select[Any]) -> str:
    """A statement as plain text, with its values in it."""
    dialect = connection.dialect
    if dialect.name == "sqlite":
        dialect = type(dialect)(paramstyle="pyformat")  # type: ignore[call-arg]
    compiled = statement.compile(dialect=dialect, compile_kwargs={"render_postcompile": True})
    values = {name: literal_sql_of(connection, value) for name, value in compiled.params.items()}
    # The compiler doubles each percent sign that is no mark, so this leaves the company's own as they are.
    if compiled.positional:
        return str(compiled) % tuple(values[name] for name in compiled.positiontup or ())
    return str(compiled) % values


def literal_sql_of(connection: Connection, value: object) -> str:
    """A value as it stands in SQL text: text quoted, numbers as they are."""
    if value is None:
        return "NULL"
    if isinstance(value, bool):
        return str(value).upper() if connection.dialect.name == "postgresql" else str(int(value))
    if isinstance(value, (int, float, Decimal)):
        return str(value)
    words = str(value).replace("'", "''")
    if getattr(connection.dialect, "_backslash_escapes", False):
        words = words.replace("\\", "\\\\")
    return f"'{words}'"
