"""Checksums over a month's orders, in blocks: by the server on MariaDB, streamed through Python on SQLite.

An order's text is `id|customer|date|amount|counts` and a line feed, in ASCII: numbers as they are, other text in
hexadecimal (UTF-8) after an x, N where there is none. So it depends neither on the session nor on who is deleted, and
stays the same when a column is made wider.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import (
    CHAR,
    Connection,
    Date,
    DateTime,
    Integer,
    LargeBinary,
    Numeric,
    Select,
    String,
    and_,
    case,
    cast,
    func,
    literal,
    literal_column,
    select,
    true,
    type_coerce,
)
from sqlalchemy.sql import ColumnElement
from sqlalchemy.types import NullType

from data.errors import ChecksumCut
from data.money import exact, exact_sum
from data.queries.revenue import month_expression, window
from data.records import Block
from data.schema import Schema, currency_of

MOST_ORDERS = 2000  # in a month whose orders are blocks of their own
MOST_BLOCKS = 2000
HASH_DIGITS = 3
NOTHING = "N"
LONGEST_BLOCK = 2**30  # bytes
CHUNK = 5000
FEED: ColumnElement[Any] = literal_column("CHAR(10)")  # '\n' is two characters under NO_BACKSLASH_ESCAPES


@dataclass(frozen=True)
class MonthOrders:
    """A month's orders in one currency at a glance: how many, and the least and greatest id."""

    currency: str
    orders: int
    low: Any
    high: Any

    @property
    def grain(self) -> str:
        """How fine its blocks are: `order`, `range:N` (ids divided by N) or `hash` (first digits of the id's MD5)."""
        if self.orders <= MOST_ORDERS:
            return "order"
        if type(self.low) is not int or type(self.high) is not int:
            return "hash"
        size = 2
        while self.high // size - self.low // size >= MOST_BLOCKS:
            size *= 2
        return f"range:{size}"


def month_currencies(connection: Connection, schema: Schema, month: str) -> list[MonthOrders]:
    """The month's orders by currency, in the order of the currencies, exactly as these are written."""
    currency = _exact_currency(schema)
    rows = connection.execute(
        select(currency, func.count(), func.min(schema.orders.c.id), func.max(schema.orders.c.id))
        .select_from(schema.orders.source)
        .where(_in_month(schema, month))
        .group_by(*([currency] if schema.keeps_currency else []))
    )
    found = [MonthOrders(str(row[0]).rstrip(" "), *row[1:]) for row in rows if row[1]]
    return sorted(found, key=lambda one: one.currency)


def month_blocks(connection: Connection, schema: Schema, month: str, currency: str, *, grain: str) -> list[Block]:
    """The month's orders of this currency, of whatever status, in blocks of this grain, sorted by label.

    Raises ChecksumCut where the server did not hash every order whole.
    """
    if schema.dialect == "sqlite":
        return _streamed(connection, schema, month, currency, grain)
    before = connection.exec_driver_sql("SELECT @@session.group_concat_max_len").scalar_one()
    connection.exec_driver_sql(f"SET SESSION group_concat_max_len = {LONGEST_BLOCK}")
    try:
        rows = connection.execute(_hashed_there(schema, month, currency, grain)).all()
    finally:
        if not connection.invalidated:
            connection.exec_driver_sql(f"SET SESSION group_concat_max_len = {int(before)}")
    cut = [row.label for row in rows if row.lines != row.orders]
    if cut:
        raise ChecksumCut(
            f"The server cut the checksum of {month} off ({len(cut)} of {len(rows)} blocks). "
            "Its max_allowed_packet is too small for that many orders."
        )
    blocks = [Block(row.label, row.orders, int(row.revenue_orders), row.total, row.digest) for row in rows]
    return sorted(blocks, key=lambda block: block.label)


def _in_month(schema: Schema, month: str) -> ColumnElement[bool]:
    """The orders that reports count in this month. A range of real dates says it all, and an index serves it."""
    real = schema.dialect != "sqlite" and isinstance(schema.orders.c.ordered_at.type, (Date, DateTime))
    name: Any = month if schema.dialect == "sqlite" else int(month.replace("-", ""))
    named = true() if real else month_expression(schema) == literal(name)
    return and_(named, *window(schema, month, month))


def _exact_currency(schema: Schema) -> ColumnElement[Any]:
    """The currency told apart by its very letters, which MariaDB's collations mostly do not."""
    currency = currency_of(schema)
    if schema.dialect == "sqlite" or not schema.keeps_currency:
        return currency
    return _utf8(currency).collate("utf8mb4_bin")


def _in_currency(schema: Schema, currency: str) -> ColumnElement[bool]:
    if not schema.keeps_currency:
        # A month without orders keeps the seal of this one currency.
        return true() if currency == schema.settings.money.currency else literal_column("1") == literal_column("0")
    exactly = _exact_currency(schema)
    return (cast(exactly, String) if schema.dialect == "sqlite" else exactly) == literal(currency, String())


def _utf8(column: ColumnElement[Any]) -> ColumnElement[Any]:
    return func.convert(column.op("USING")(literal_column("utf8mb4")), type_=String())


# MariaDB


def _hashed_there(schema: Schema, month: str, currency: str, grain: str) -> Select[Any]:
    """Each block's orders as one text, hashed by the server; `lines` counts those that the text holds whole."""
    orders, counts = schema.orders, case((schema.is_revenue, 1), else_=0)
    key = _canonical(orders.c.id)
    revenue, decimals = case((schema.is_revenue, orders.c.total)), schema.settings.money.decimals
    line = cast(_line(schema, counts), LargeBinary)
    sorting = orders.c.id if isinstance(orders.c.id.type, Integer) else key
    # Each operator binds less than the one before, so that no brackets come in.
    ordered = line.op("ORDER BY", precedence=3)(sorting).op(",", precedence=2)(line)
    text = func.group_concat(ordered.op("SEPARATOR", precedence=1)(literal_column("''")))
    blocks = (
        select(
            _label(orders.c.id, key, grain).label("label"),
            func.count().label("orders"),
            func.sum(counts).label("revenue_orders"),
            exact_sum(revenue, dialect=schema.dialect, decimals=decimals).label("total"),
            text.label("text"),
        )
        .select_from(orders.source)
        .where(_in_month(schema, month), _in_currency(schema, currency))
        .group_by(literal_column("label"))
        .subquery("blocks")
    )
    found = blocks.c
    feeds = func.length(found.text) - func.length(func.replace(found.text, FEED, ""))
    return select(
        found.label,
        found.orders,
        found.revenue_orders,
        found.total,
        feeds.label("lines"),
        func.sha2(found.text, literal_column("256")).label("digest"),
    )


def _line(schema: Schema, counts: ColumnElement[int]) -> ColumnElement[Any]:
    o = schema.orders.c
    bar: ColumnElement[str] = literal_column("'|'")
    parts = [_canonical(o.id), _canonical(o.customer_id), _date(o.ordered_at), _amount(schema), counts]
    return func.concat(*(piece for part in parts for piece in (part, bar)), FEED)


def _canonical(column: ColumnElement[Any]) -> ColumnElement[Any]:
    """A number as it is, text in hexadecimal, so that no separator can occur in it and no collation matters."""
    if isinstance(column.type, Integer):
        return func.coalesce(cast(column, CHAR), NOTHING)
    return func.coalesce(func.concat("x", func.hex(_bytes(column))), NOTHING)


def _bytes(column: ColumnElement[Any]) -> ColumnElement[Any]:
    """Text in UTF-8, whatever the column's character set; of anything else what the server makes of it."""
    return _utf8(column) if isinstance(column.type, String) else cast(column, LargeBinary)


def _date(column: ColumnElement[Any]) -> ColumnElement[Any]:
    """A time to the microsecond; text as it is. Formatted, not cast, because a cast may make NULL of a zero date."""
    moment = func.date_format(column, "%Y-%m-%d %H:%i:%s.%f")
    if isinstance(column.type, (Date, DateTime)):
        return func.coalesce(moment, NOTHING)
    # Of a query's column nothing is known beforehand.
    return func.coalesce(moment, _canonical(column)) if isinstance(column.type, NullType) else _canonical(column)


def _amount(schema: Schema) -> ColumnElement[Any]:
    """Six digits after the point, and all of them where there are more."""
    amount = exact(schema.orders.c.total, dialect=schema.dialect, decimals=schema.settings.money.decimals)
    six = cast(amount, Numeric(38, 6))
    every = func.trim(literal_column("TRAILING '0'").op("FROM")(cast(amount, CHAR)))
    return func.coalesce(case((six == amount, cast(six, CHAR)), else_=every), NOTHING)


def _label(column: ColumnElement[Any], key: ColumnElement[Any], grain: str) -> ColumnElement[Any]:
    if grain == "hash":
        return func.coalesce(func.left(func.md5(_bytes(column)), HASH_DIGITS), NOTHING)
    if grain.startswith("range:"):
        size: ColumnElement[int] = literal_column(str(int(grain.removeprefix("range:"))))
        return func.coalesce(cast(column.op("DIV")(size), CHAR), NOTHING)
    return key


# SQLite


@dataclass
class _Sofar:
    """A block while its orders go by."""

    orders: int = 0
    revenue_orders: int = 0
    total: Decimal = Decimal(0)
    hash: Any = field(default_factory=hashlib.sha256)


def _streamed(connection: Connection, schema: Schema, month: str, currency: str, grain: str) -> list[Block]:
    found: dict[str, _Sofar] = {}
    for order, customer, dated, amount, missing, counts in _stream(connection, schema, month, currency):
        key = _words(order)
        total = NOTHING if missing else f"{amount:.6f}"
        line = f"{key}|{_words(customer)}|{_date_words(dated)}|{total}|{counts}|\n"
        block = found.setdefault(_label_of(order, key, grain), _Sofar())
        block.orders += 1
        block.revenue_orders += counts
        block.total += amount if counts else 0
        block.hash.update(line.encode())
    return [Block(label, b.orders, b.revenue_orders, b.total, b.hash.hexdigest()) for label, b in sorted(found.items())]


def _stream(connection: Connection, schema: Schema, month: str, currency: str) -> Iterator[Any]:
    """The orders as the file holds them, by id; orders of one id by the rest."""
    o = schema.orders.c
    raw = [type_coerce(column, NullType()) for column in (o.id, o.customer_id, o.ordered_at)]
    amount = exact(o.total, dialect=schema.dialect, decimals=schema.settings.money.decimals)
    counts = case((schema.is_revenue, 1), else_=0)
    sorting: list[ColumnElement[Any]] = [
        column.collate("BINARY") for column in (*raw, type_coerce(o.total, NullType()))
    ]
    statement = (
        select(*raw, amount, case((o.total.is_(None), 1), else_=0), counts)
        .select_from(schema.orders.source)
        .where(_in_month(schema, month), _in_currency(schema, currency))
        .order_by(*sorting, counts)
    )
    for rows in connection.execute(statement).partitions(CHUNK):
        yield from rows


def _words(value: Any) -> str:
    """As `_canonical` says it. A file may hold anything in any column."""
    if value is None:
        return NOTHING
    if isinstance(value, int):
        return str(value)
    if isinstance(value, bytes):
        return f"b{value.hex().upper()}"
    return f"x{str(value).encode().hex().upper()}"


def _date_words(value: Any) -> str:
    """A time to the microsecond; anything else as it is stored."""
    try:
        moment = datetime.fromisoformat(value)
    except (TypeError, ValueError):
        return _words(value)
    return _words(value) if moment.tzinfo else f"{moment:%Y-%m-%d %H:%M:%S.%f}"


def _label_of(order: Any, key: str, grain: str) -> str:
    if grain == "hash" and order is not None:
        content = order if isinstance(order, bytes) else str(order).encode()
        return hashlib.md5(content, usedforsecurity=False).hexdigest()[:HASH_DIGITS]
    if grain.startswith("range:") and type(order) is int:
        block = abs(order) // int(grain.removeprefix("range:"))  # towards zero, as DIV does
        return str(block if order >= 0 else -block)
    return key
