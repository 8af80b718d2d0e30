"""What a seal keeps of a month and currency: count, sum, checksum, and a detail that tells later where a difference is."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import cached_property

from sqlalchemy import Connection

from data import money, queries
from data.money import plain
from data.records import Block
from data.schema import Schema, as_json

SHORT = 16  # digits of a block's hash that the detail keeps


@dataclass(frozen=True)
class Contents:
    """A month's orders in one currency, in blocks of one grain."""

    currency: str
    grain: str
    blocks: Sequence[Block]

    @property
    def orders(self) -> int:
        """Orders that count as revenue."""
        return sum(block.revenue_orders for block in self.blocks)

    @property
    def all_orders(self) -> int:
        """Orders of whatever status."""
        return sum(block.orders for block in self.blocks)

    @property
    def total(self) -> Decimal:
        """The revenue, exact."""
        return money.add(block.total for block in self.blocks)

    @cached_property
    def checksum(self) -> str:
        """SHA-256 (hex) over a line a block, sorted by label."""
        lines = [f"{b.label}|{b.orders}|{b.revenue_orders}|{plain(b.total)}|{b.digest}\n" for b in self.blocks]
        return sha256("".join(lines))

    @property
    def detail(self) -> str:
        """The blocks as JSON: label, orders, revenue orders, revenue, the first digits of the hash."""
        blocks = [[b.label, b.orders, b.revenue_orders, plain(b.total), b.digest[:SHORT]] for b in self.blocks]
        return as_json({"grain": self.grain, "blocks": blocks})


def sha256(words: str) -> str:
    """SHA-256 (hex) of a text."""
    return hashlib.sha256(words.encode()).hexdigest()


def measure(connection: Connection, schema: Schema, month: str, currency: str, *, grain: str) -> Contents:
    """What the month's orders in this currency are now. Raises ChecksumCut where the server did not hash them whole."""
    blocks = queries.month_blocks(connection, schema, month, currency, grain=grain)
    return Contents(currency, grain, blocks)


def measure_month(connection: Connection, schema: Schema, month: str) -> list[Contents]:
    """Every currency of the month, each as fine as its orders are few; one that is empty for a month without orders."""
    found = queries.month_currencies(connection, schema, month)
    if not found:
        return [Contents(schema.settings.money.currency, "order", [])]
    return [measure(connection, schema, month, one.currency, grain=one.grain) for one in found]
