"""Amounts that are text: '1,200.50', '1.234,56', '$5'. Which way of writing numbers fits every value, if one does."""

from __future__ import annotations

import re
from collections.abc import Sequence

SIGNS = "€$£¥"
# Thousands, then the decimal mark: the ways of writing numbers.
WAYS = {
    "point": (",", re.compile(r"-?\d{1,3}(,\d{3})+(\.\d+)?|-?\d+(\.\d+)?")),
    "comma": (".", re.compile(r"-?\d{1,3}(\.\d{3})+(,\d+)?|-?\d+(,\d+)?")),
}


def way_of(values: Sequence[str]) -> str | None:
    """ "point" or "comma", the decimal mark that every value may have; None where none fits, or both do."""
    bare = [_bare(v) for v in values]
    fitting = [way for way, (_, pattern) in WAYS.items() if all(pattern.fullmatch(v) for v in bare)]
    if not bare:
        return None
    return fitting[0] if len(fitting) == 1 or (fitting and not any("." in v or "," in v for v in bare)) else None


def converted(stored: str, way: str, dialect: str) -> str:
    """The expression that makes a number of such a text; an empty text is NULL."""
    for sign in (*SIGNS, " ", "\u00a0", WAYS[way][0]):
        stored = f"REPLACE({stored}, '{sign}', '')"
    if way == "comma":
        stored = f"REPLACE({stored}, ',', '.')"
    kind = "NUMERIC" if dialect == "sqlite" else "DECIMAL(20, 4)"
    return f"CAST(NULLIF({stored}, '') AS {kind})"


def _bare(value: str) -> str:
    return re.sub(rf"[{SIGNS}\s]", "", value)
