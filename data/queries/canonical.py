"""An order's canonical text, made by the server: `id|customer|date|amount|counts|` and a line feed, in ASCII.

Numbers as they are, other text in hexadecimal (UTF-8) after an x, N where there is none. So it depends neither on the
session nor on who is deleted, is the same on every engine, and stays the same when a column is made wider.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import CHAR, Integer, LargeBinary, Numeric, String, Text, case, cast, func, literal_column
from sqlalchemy.dialects.postgresql import aggregate_order_by
from sqlalchemy.sql import ColumnElement

from data.queries.amounts import as_stored, exact, is_unreadable
from data.queries.dates import has_dates, stored_moment
from data.schema import Schema, currency_of

HASH_DIGITS = 3
NOTHING: ColumnElement[str] = literal_column("'N'", String())
BAR: ColumnElement[str] = literal_column("'|'", String())
UTF8: ColumnElement[str] = literal_column("'UTF8'", String())


def feed(schema: Schema) -> ColumnElement[Any]:
    """A line feed. '\\n' is two characters in some sessions of MariaDB."""
    return literal_column("CHR(10)" if schema.dialect == "postgresql" else "CHAR(10)")


def exact_currency(schema: Schema) -> ColumnElement[Any]:
    """The currency told apart by its very letters, which collations mostly do not."""
    currency = currency_of(schema)
    if schema.dialect == "sqlite" or not schema.keeps_currency:
        return currency
    if schema.dialect == "postgresql":
        return cast(currency, Text()).collate("C")
    return _utf8(currency).collate("utf8mb4_bin")


def texts(schema: Schema, counts: ColumnElement[int]) -> ColumnElement[Any]:
    """The texts of a group's orders as one, by id. `counts` is 1 where an order counts as revenue, else 0."""
    line, sorting = _line(schema, counts), schema.orders.c.id
    if schema.dialect == "postgresql":
        words = line.collate("C")
        key = sorting if isinstance(sorting.type, Integer) else canonical(schema, sorting).collate("C")
        return func.string_agg(words, aggregate_order_by(literal_column("''"), key, words))
    line = cast(line, LargeBinary)
    key = sorting if isinstance(sorting.type, Integer) else canonical(schema, sorting)
    # Each operator binds less than the one before, so that no brackets come in.
    ordered = line.op("ORDER BY", precedence=3)(key).op(",", precedence=2)(line)
    return func.group_concat(ordered.op("SEPARATOR", precedence=1)(literal_column("''")))


def digest(schema: Schema, words: ColumnElement[Any]) -> ColumnElement[str]:
    """SHA-256 (hex) of a text."""
    if schema.dialect == "postgresql":
        return func.encode(func.sha256(func.convert_to(words, UTF8)), literal_column("'hex'"))
    return func.sha2(words, literal_column("256"))


def canonical(schema: Schema, column: ColumnElement[Any]) -> ColumnElement[Any]:
    """A number as it is, text in hexadecimal, so that no separator can occur in it and no collation matters."""
    if isinstance(column.type, Integer):
        return func.coalesce(_as_text(schema, column), NOTHING)
    return func.coalesce(_hexadecimal(schema, column), NOTHING)


def label(schema: Schema, column: ColumnElement[Any], grain: str) -> ColumnElement[Any]:
    """The name of the block that an order is in by its id."""
    if grain == "hash":
        return func.coalesce(func.left(func.md5(_bytes(schema, column)), literal_column(str(HASH_DIGITS))), NOTHING)
    if grain.startswith("range:"):
        size: ColumnElement[int] = literal_column(str(int(grain.removeprefix("range:"))))
        divided = column.op("/" if schema.dialect == "postgresql" else "DIV")(size)
        return func.coalesce(_as_text(schema, divided), NOTHING)
    return canonical(schema, column)


def _line(schema: Schema, counts: ColumnElement[int]) -> ColumnElement[Any]:
    o = schema.orders.c
    parts = [canonical(schema, o.id), canonical(schema, o.customer_id), _date(schema), _amount(schema), counts]
    return func.concat(*(piece for part in parts for piece in (part, BAR)), feed(schema), type_=String())


def _as_text(schema: Schema, column: ColumnElement[Any]) -> ColumnElement[Any]:
    return cast(column, Text() if schema.dialect == "postgresql" else CHAR)


def _hexadecimal(schema: Schema, column: ColumnElement[Any]) -> ColumnElement[Any]:
    """An x and the bytes; NULL of NULL."""
    x, content = literal_column("'x'", String()), _bytes(schema, column)
    if schema.dialect == "postgresql":
        return x.op("||")(func.upper(func.encode(content, literal_column("'hex'"))))
    return func.concat(x, func.hex(content))


def _bytes(schema: Schema, column: ColumnElement[Any]) -> ColumnElement[Any]:
    """Text in UTF-8, whatever the column's character set; of anything else what the server makes of it."""
    if schema.dialect == "postgresql":
        return func.convert_to(cast(column, Text()), UTF8)
    return _utf8(column) if isinstance(column.type, String) else cast(column, LargeBinary)


def _utf8(column: ColumnElement[Any]) -> ColumnElement[Any]:
    return func.convert(column.op("USING")(literal_column("utf8mb4")), type_=String())


def _date(schema: Schema) -> ColumnElement[Any]:
    """A time to the microsecond; text as it is."""
    if has_dates(schema):
        return func.coalesce(stored_moment(schema), NOTHING)
    return canonical(schema, schema.orders.c.ordered_at)


def _amount(schema: Schema) -> ColumnElement[Any]:
    """Six digits after the point, and all of them where there are more; what is no number as it is stored."""
    total = schema.orders.c.total
    amount = exact(schema, total)
    six, every = cast(amount, Numeric(38, 6)), _as_text(schema, amount)
    if schema.dialect == "postgresql":
        every = func.rtrim(every, literal_column("'0'"))
    else:
        every = func.trim(literal_column("TRAILING '0'").op("FROM")(every))
    stored = _hexadecimal(schema, as_stored(schema, total))
    found = case((is_unreadable(schema, total), stored), (six == amount, _as_text(schema, six)), else_=every)
    return func.coalesce(case((total.is_not(None), found)), NOTHING)
