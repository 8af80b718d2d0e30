"""Checksums over a month's orders, in blocks: by the server on MariaDB and PostgreSQL, streamed through Python on SQLite."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Integer, Select, String, and_, case, cast, false, func, literal, null, select, true
from sqlalchemy.sql import ColumnElement

from data.errors import ChecksumCut
from data.queries.amounts import exact_sum
from data.queries.canonical import digest, exact_currency, feed, label, texts
from data.queries.dates import in_month
from data.queries.streaming import streamed
from data.records import Block
from data.schema import Schema

MOST_ORDERS = 2000  # in a month whose orders are blocks of their own
MOST_BLOCKS = 2000
LONGEST_BLOCK = 2**30  # bytes


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
    currency, order_id = exact_currency(schema), schema.orders.c.id
    numbered = schema.dialect == "sqlite" or isinstance(order_id.type, Integer)
    ends = [func.min(order_id), func.max(order_id)] if numbered else [null().label("low"), null().label("high")]
    rows = connection.execute(
        select(currency, func.count(), *ends)
        .select_from(schema.orders.source)
        .where(in_month(schema, month))
        .group_by(*([currency] if schema.keeps_currency else []))
    )
    found = [MonthOrders(str(row[0]).rstrip(" "), *row[1:]) for row in rows if row[1]]
    return sorted(found, key=lambda one: one.currency)


def month_blocks(connection: Connection, schema: Schema, month: str, currency: str, *, grain: str) -> list[Block]:
    """The month's orders of this currency, of whatever status, in blocks of this grain, sorted by label.

    Raises ChecksumCut where the server did not hash every order whole.
    """
    these = and_(in_month(schema, month), _in_currency(schema, currency))
    if schema.dialect == "sqlite":
        return streamed(connection, schema, these, grain)
    if schema.dialect == "postgresql":
        return _blocks(connection.execute(_hashed_there(schema, these, grain)))
    before = connection.exec_driver_sql("SELECT @@session.group_concat_max_len").scalar_one()
    connection.exec_driver_sql(f"SET SESSION group_concat_max_len = {LONGEST_BLOCK}")
    try:
        rows = connection.execute(_hashed_there(schema, these, grain)).all()
    finally:
        if not connection.invalidated:
            connection.exec_driver_sql(f"SET SESSION group_concat_max_len = {int(before)}")
    cut = [row.label for row in rows if row.lines != row.orders]
    if cut:
        raise ChecksumCut(
            f"The server cut the checksum of {month} off ({len(cut)} of {len(rows)} blocks). "
            "Its max_allowed_packet is too small for that many orders."
        )
    return _blocks(rows)


def _blocks(rows: Iterable[Any]) -> list[Block]:
    blocks = [Block(row.label, row.orders, int(row.revenue_orders), row.total, row.digest) for row in rows]
    return sorted(blocks, key=lambda block: block.label)


def _in_currency(schema: Schema, currency: str) -> ColumnElement[bool]:
    if not schema.keeps_currency:
        # A month without orders keeps the seal of this one currency.
        return true() if currency == schema.settings.money.currency else false()
    exactly = exact_currency(schema)
    return (cast(exactly, String) if schema.dialect == "sqlite" else exactly) == literal(currency, String())


def _hashed_there(schema: Schema, these: ColumnElement[bool], grain: str) -> Select[Any]:
    """Each block's orders as one text, hashed by the server; `lines` counts those that the text holds whole."""
    orders, counts = schema.orders, case((schema.is_revenue, 1), else_=0)
    name = label(schema, orders.c.id, grain)
    blocks = (
        select(
            name.label("label"),
            func.count().label("orders"),
            func.sum(counts).label("revenue_orders"),
            exact_sum(schema, case((schema.is_revenue, orders.c.total))).label("total"),
            texts(schema, counts).label("text"),
        )
        .select_from(orders.source)
        .where(these)
        .group_by(name)
        .subquery("blocks")
    )
    found = blocks.c
    feeds = func.length(found.text) - func.length(func.replace(found.text, feed(schema), ""))
    return select(
        found.label,
        found.orders,
        found.revenue_orders,
        found.total,
        feeds.label("lines"),
        digest(schema, found.text).label("digest"),
    )
