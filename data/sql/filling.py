"""Templates of SQL filled for the attached database: the mapping's names and slices, and values as literals."""

from __future__ import annotations

import re
from collections.abc import Mapping
from decimal import Decimal
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Select, String, and_, case, extract, func, or_, select, type_coerce
from sqlalchemy.sql import ColumnElement

from data import money
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
    """SELECT of the customers within the mapping's slice: id, deleted_at."""
    customers = schema.customers
    columns = [customers.c.id.label("id"), customers.c.deleted_at.label("deleted_at")]
    return statement_sql(connection, select(*columns).select_from(customers.source))


def orders_sql(connection: Connection, schema: Schema) -> str:
    """SELECT of the orders within the mapping's slice: id, customer_id, month, currency, amount, is_revenue, is_guest.

    `amount` is what `money.exact_sum` adds: a decimal, and whole millionths on SQLite. `month` is YYYY-MM or NULL.
    """
    orders = schema.orders
    amount = money.exact(orders.c.total, dialect=schema.dialect, decimals=schema.settings.money.decimals)
    columns = [
        orders.c.id.label("id"),
        orders.c.customer_id.label("customer_id"),
        _month(schema).label("month"),
        currency_of(schema).label("currency"),
        amount.label("amount"),
        schema.is_revenue.label("is_revenue"),
        schema.is_guest.label("is_guest"),
    ]
    return statement_sql(connection, select(*columns).select_from(orders.source))


def _month(schema: Schema) -> ColumnElement[Any]:
    """YYYY-MM, or NULL where `read_month` of data/queries/revenue.py finds no month."""
    dated = schema.orders.c.ordered_at
    if schema.dialect == "sqlite":
        words = func.substr(type_coerce(dated, String()), 1, 7)
        shapes = [f"[1-9][0-9][0-9][0-9]{dash}{month}" for dash in ("-", "") for month in ("0[1-9]", "1[0-2]")]
        whole, short = (or_(*(words.op("GLOB")(shape) for shape in some)) for some in (shapes[:2], shapes[2:]))
        return case((whole, words), (short, func.substr(words, 1, 4).concat("-").concat(func.substr(words, 5, 2))))
    number = extract("year_month", dated)
    of_year = number % 100
    words = func.concat(func.floor(number / 100), "-", func.lpad(of_year, 2, "0"))
    return case((and_(number >= 100001, of_year.between(1, 12)), words))


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
        return str(int(value))
    if isinstance(value, (int, float, Decimal)):
        return str(value)
    words = str(value).replace("'", "''")
    if getattr(connection.dialect, "_backslash_escapes", False):
        words = words.replace("\\", "\\\\")
    return f"'{words}'"
