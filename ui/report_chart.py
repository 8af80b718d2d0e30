"""The report's chart: thirteen months as stacked bars, drawn as SVG, which prints sharp and is read without colour."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Mapping, Sequence
from decimal import Decimal
from html import escape
from typing import NamedTuple

from data.records import MonthlyRevenue
from ui import text
from ui.theme import LIGHT, Colours, colours


class Room(NamedTuple):
    """How much room there is, in pixels: below the bars for the months, above for the legend and the totals, and for one
    word of the legend. Upright figures fit above bars that are narrower than they."""

    width: float
    height: float
    foot: float
    head: float
    word: float
    upright: bool


SHEET = Room(720, 165, 18, 34, 160, upright=False)
PHONE = Room(340, 272, 66, 84, 170, upright=True)
# From the ground up, as on the Revenue page; the deleted hatched, so that they are seen without colour.
PARTS = {
    "active": "Active customers",
    "no_customer": "No customer",
    "missing_customer": "Missing customer",
    "deleted": "Customers deleted since",
}


def chart(rows: Sequence[MonthlyRevenue], month: str, currency: str, decimals: int) -> str:
    """Revenue by month up to this one, as images for a screen, paper and a phone, of which one is seen; nothing where there is none."""
    if not any(row.total for row in rows):
        return ""
    highest = max(rows, key=lambda row: row.total)
    words = f"Revenue by month in {currency}, the highest {text.amount(highest.total, decimals)} in {text.month(highest.month)}"
    # An image, because the page lets no other drawing in; it has colours of its own, so paper needs another one.
    images = {"on_screen": (SHEET, colours()), "on_paper": (SHEET, LIGHT), "on_phone": (PHONE, colours())}
    sources = {kind: b64encode(_drawn(rows, month, *how).encode()).decode() for kind, how in images.items()}
    return "".join(
        f'<img class="{kind}" alt="{escape(words)}" src="data:image/svg+xml;base64,{source}">'
        for kind, source in sources.items()
    )


def _drawn(rows: Sequence[MonthlyRevenue], month: str, room: Room, c: Colours) -> str:
    top = max(max(_above(row) for row in rows), Decimal("0.01"))
    low = min(min(_below(row) for row in rows), Decimal(0))
    scale = (room.height - room.foot - room.head) / float(top - low)
    ground = room.head + float(top) * scale
    step = room.width / len(rows)
    fills = {"active": c.active, "no_customer": c.no_customer, "missing_customer": c.missing, "deleted": "url(#hatch)"}
    bars = "".join(_bar(row, place * step, step, ground, scale, fills, c) for place, row in enumerate(rows))
    labels = "".join(
        _label(row, (place + 0.5) * step, ground - float(_above(row)) * scale, row.month == month, room, c)
        for place, row in enumerate(rows)
    )
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {room.width:.0f} {room.height:.0f}" font-family="system-ui, sans-serif">'
        '<defs><pattern id="hatch" width="6" height="6" patternUnits="userSpaceOnUse">'
        f'<rect width="6" height="6" fill="{c.deleted}"/><path d="M0 6 L6 0" stroke="{c.on_deleted}" stroke-width="1.2"/>'
        f"</pattern></defs>{_legend(rows, fills, room, c)}{bars}"
        f'<path d="M0 {ground:.1f} H{room.width:.0f}" stroke="{c.text}" stroke-width="0.7"/>{labels}</svg>'
    )


def _above(row: MonthlyRevenue) -> Decimal:
    return sum((max(getattr(row, name), Decimal(0)) for name in PARTS), Decimal(0))


def _below(row: MonthlyRevenue) -> Decimal:
    return sum((min(getattr(row, name), Decimal(0)) for name in PARTS), Decimal(0))


def _bar(
    row: MonthlyRevenue, left: float, step: float, ground: float, scale: float, fills: Mapping[str, str], c: Colours
) -> str:
    """The parts on one another; what is below nothing hangs from the ground."""
    up = down = ground
    pieces = []
    for name in PARTS:
        value = float(getattr(row, name)) * scale
        if value > 0:
            up -= value
        y = up if value > 0 else down
        if value < 0:
            down -= value
        if value:
            pieces.append(
                f'<rect x="{left + step * 0.15:.1f}" y="{y:.1f}" width="{step * 0.7:.1f}" height="{abs(value):.1f}" '
                f'fill="{fills[name]}" stroke="{c.text}" stroke-width="0.4"/>'
            )
    return "".join(pieces)


def _label(row: MonthlyRevenue, middle: float, top: float, strong: bool, room: Room, c: Colours) -> str:
    """The month below its bar, and its total above."""
    words = [(text.month(row.month), room.height - 4, "middle"), (text.short(row.total), top - 3, "middle")]
    if room.upright:
        middle += 4  # letters stand on their line, which is now at their right
        words = [(words[0][0], room.height - room.foot + 4, "end"), (words[1][0], top - 3, "start")]
    size, weight = 11 if room.upright else 10, ' font-weight="700"' if strong else ""
    turn = -90 if room.upright else 0
    return "".join(
        f'<text x="{middle:.1f}" y="{y:.1f}" font-size="{size}" text-anchor="{anchor}" fill="{c.text}"{weight} '
        f'transform="rotate({turn} {middle:.1f} {y:.1f})">{word}</text>'
        for word, y, anchor in (words if row.total else words[:1])
    )


def _legend(rows: Sequence[MonthlyRevenue], fills: Mapping[str, str], room: Room, c: Colours) -> str:
    drawn = [name for name in PARTS if any(getattr(row, name) for row in rows)]
    across = int(room.width // room.word)
    places = [(place % across * room.word, place // across * 16 + 2) for place in range(len(drawn))]
    return "".join(
        f'<rect x="{x:.0f}" y="{y}" width="11" height="11" fill="{fills[name]}" stroke="{c.text}" stroke-width="0.4"/>'
        f'<text x="{x + 16:.0f}" y="{y + 9}" font-size="{11 if room.upright else 10.5}" fill="{c.text}">{PARTS[name]}</text>'
        for (x, y), name in zip(places, drawn, strict=True)
    )
