"""Checksums of orders on SQLite, which cannot hash: streamed through Python, the same texts as `canonical` makes."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import Connection, case, select, type_coerce
from sqlalchemy.sql import ColumnElement
from sqlalchemy.types import NullType

from data.queries.amounts import exact, is_unreadable
from data.queries.canonical import HASH_DIGITS
from data.records import Block
from data.schema import Schema

CHUNK = 5000
NOTHING = "N"


@dataclass
class _Sofar:
    """A block while its orders go by."""

    orders: int = 0
    revenue_orders: int = 0
    total: Decimal = Decimal(0)
    hash: Any = field(default_factory=hashlib.sha256)


def streamed(connection: Connection, schema: Schema, these: ColumnElement[bool], grain: str) -> list[Block]:
    """These orders in blocks of this grain, sorted by label."""
    found: dict[str, _Sofar] = {}
    for order, customer, dated, stored, unreadable, amount, counts in _stream(connection, schema, these):
        key = _words(order)
        total = _words(stored) if unreadable or stored is None else f"{amount:.6f}"
        line = f"{key}|{_words(customer)}|{_date_words(dated)}|{total}|{counts}|\n"
        block = found.setdefault(_label_of(order, key, grain), _Sofar())
        block.orders += 1
        block.revenue_orders += counts
        block.total += amount if counts else 0
        block.hash.update(line.encode())
    return [Block(label, b.orders, b.revenue_orders, b.total, b.hash.hexdigest()) for label, b in sorted(found.items())]


def _stream(connection: Connection, schema: Schema, these: ColumnElement[bool]) -> Iterator[Any]:
    """The orders as the file holds them, by id; orders of one id by the rest."""
    o = schema.orders.c
    raw = [type_coerce(column, NullType()) for column in (o.id, o.customer_id, o.ordered_at, o.total)]
    unreadable = case((is_unreadable(schema, o.total), 1), else_=0)
    counts = case((schema.is_revenue, 1), else_=0)
    sorting: list[ColumnElement[Any]] = [column.collate("BINARY") for column in raw]
    statement = (
        select(*raw, unreadable, exact(schema, o.total), counts)
        .select_from(schema.orders.source)
        .where(these)
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
