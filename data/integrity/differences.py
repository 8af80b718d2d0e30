"""What differs between a sealed month and the same month now, in words: how much, and where it can be told, which orders."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import Any

from data import money
from data.integrity.contents import SHORT, Contents, sha256
from data.money import plain
from data.records import Block

MOST_NAMED = 10


@dataclass(frozen=True)
class Sealed:
    """What an event says of one currency of the month that it sealed."""

    currency: str
    orders: int
    all_orders: int
    total: Decimal
    checksum: str
    grain: str
    detail_hash: str

    def is_still(self, now: Contents) -> bool:
        """Whether the month is as it was."""
        figures = (now.orders, now.all_orders, now.total, now.checksum)
        return (self.orders, self.all_orders, self.total, self.checksum) == figures


def read_sealed(body: Mapping[str, Any]) -> list[Sealed]:
    """The seals in a sealing event's body. Raises KeyError, TypeError or ValueError for one that was tampered with."""
    try:
        found = [Sealed(**{**one, "total": Decimal(one["total"])}) for one in body["seals"]]
    except InvalidOperation as error:
        raise ValueError(str(error)) from None
    for one in found:
        size = one.grain.removeprefix("range:")
        if one.grain not in ("order", "hash") and not (size.isdecimal() and int(size) > 0):
            raise ValueError(one.grain)
    return found


def read_blocks(detail: str, sealed: Sealed) -> list[Block] | None:
    """The blocks of a seal's detail; None where it is not the one that was sealed."""
    if sha256(detail) != sealed.detail_hash:
        return None
    return [
        Block(str(label), int(orders), int(counted), Decimal(total), str(digest))
        for label, orders, counted, total, digest in json.loads(detail)["blocks"]
    ]


def differs(before: Sealed, blocks: Sequence[Block] | None, now: Contents, *, decimals: int) -> str:
    """One currency's difference: amount, orders, and at most ten places. `blocks` None: the places cannot be told."""
    amount = money.add([now.total, -before.total])
    more = now.all_orders - before.all_orders
    counted = now.orders - before.orders
    words = [f"{before.currency} {_amount(amount, decimals) or 'as much'}", _orders(more) or "as many orders"]
    if counted != more:
        words.append(f"{_orders(counted) or 'as many'} counted as revenue")
    if blocks is None:
        return f"{', '.join(words)}, and its detail was altered, so the orders cannot be named"
    return f"{', '.join(words)}: {_places(blocks, now, decimals)}"


def appeared(now: Contents, *, decimals: int) -> str:
    """A currency that the month did not have when it was sealed."""
    nothing = Sealed(now.currency, 0, 0, Decimal(0), "", now.grain, "")
    return f"{differs(nothing, [], now, decimals=decimals)}; nothing in {now.currency} was sealed"


def _amount(amount: Decimal, decimals: int) -> str:
    return f"{plain(abs(amount), decimals)} {'more' if amount > 0 else 'less'}" if amount else ""


def _orders(more: int) -> str:
    number = f"{abs(more)} order{'' if abs(more) == 1 else 's'}"
    return f"{number} {'more' if more > 0 else 'fewer'}" if more else ""


def _places(blocks: Sequence[Block], now: Contents, decimals: int) -> str:
    before, after = {b.label: b for b in blocks}, {b.label: b for b in now.blocks}
    changed = [label for label in before.keys() | after.keys() if _short(before.get(label)) != _short(after.get(label))]
    tell = _order if now.grain == "order" else _block
    ordered = sorted(changed, key=lambda label: (len(label), label) if label.lstrip("-").isdigit() else (99, label))
    told = [tell(now.grain, label, before.get(label), after.get(label), decimals) for label in ordered[:MOST_NAMED]]
    rest = len(changed) - len(told)
    return ", ".join(told) + (f", and {rest} more" if rest else "")


def _short(block: Block | None) -> tuple[Any, ...] | None:
    return (block.orders, block.revenue_orders, block.total, block.digest[:SHORT]) if block else None


def _order(_grain: str, label: str, before: Block | None, after: Block | None, decimals: int) -> str:
    """What happened to one order."""
    name = readable(label)
    if before is None or after is None:
        only = before or after
        assert only is not None
        amount = plain(only.total, decimals) if only.revenue_orders else "no revenue"
        return f"{name} is {'gone' if after is None else 'new'} ({amount})"
    if before.orders != after.orders:
        return f"{name} is there {after.orders} times, before {before.orders}"
    if before.revenue_orders < after.revenue_orders:
        return f"{name} now counts as revenue ({plain(after.total, decimals)})"
    if before.revenue_orders > after.revenue_orders:
        return f"{name} no longer counts as revenue ({plain(before.total, decimals)})"
    if before.total != after.total:
        return f"{name} was {plain(before.total, decimals)} and is {plain(after.total, decimals)}"
    return f"{name} changed ({'customer or date' if before.revenue_orders else 'customer, date or amount'})"


def _block(grain: str, label: str, before: Block | None, after: Block | None, decimals: int) -> str:
    """What happened to a group of orders, of which only the group is known."""
    nothing = Block(label, 0, 0, Decimal(0), "")
    then, since = before or nothing, after or nothing
    amount = _amount(money.add([since.total, -then.total]), decimals)
    words = ", ".join(filter(None, [_orders(since.orders - then.orders), amount])) or "changed orders"
    return f"{_range(grain, label)}: {words}"


def _range(grain: str, label: str) -> str:
    if label == "N":
        return "orders without an id"
    if not grain.startswith("range:"):
        return f"orders whose id has an MD5 that begins with {label}"
    size, block = int(grain.removeprefix("range:")), int(label)
    low, high = (block * size, block * size + size - 1) if block >= 0 else (block * size - size + 1, block * size)
    return f"between order {low} and {high}"


def readable(label: str) -> str:
    """An order's name from its canonical text: `order 4711`, `order A-17`."""
    if label == "N":
        return "an order without an id"
    try:
        return f"order {bytes.fromhex(label[1:]).decode() if label.startswith('x') else label}"
    except ValueError:
        return f"order {label}"
