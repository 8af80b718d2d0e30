"""The check of amounts: whether each is a number. What is none adds nothing, so the figures are short of it."""

from __future__ import annotations

from sqlalchemy import Connection

from data import queries
from data.integrity.look import Look
from data.integrity.report import Answer, Finding
from data.schema import Schema

MOST_LISTED = 10_000
LONGEST = 60  # characters of a stored amount that are shown


def find_unreadable(connection: Connection, schema: Schema) -> tuple[int, list[list[str]]]:
    """How many amounts are no numbers, and the first of them as [name, words]: `order 17` and `'12,50'`."""
    listed: list[list[str]] = []
    count = 0
    for label, name in _labels(schema).items():
        unreadable, _ = queries.count_amounts(connection, schema, label)
        if unreadable:
            found = queries.list_unreadable_amounts(connection, schema, label, limit=MOST_LISTED - len(listed))
            listed += [[f"{name} {order}", f"'{words[:LONGEST]}'"] for order, words in found]
        count += unreadable
    return count, listed


def _labels(schema: Schema) -> dict[str, str]:
    """The columns of amounts, and how one of them is named."""
    return {"total": "order", **({"cost": "cost of order"} if schema.settings.orders.cost else {})}


def amounts(look: Look) -> Answer:
    """Every amount is a number, beyond those that the baseline found to be none; of these it warns."""
    count, listed = find_unreadable(look.connection, look.schema)
    known, before = look.replay.baseline.unreadable, look.replay.baseline.unreadable_amounts
    # The baseline names only the first of very many; then the others are told by their number alone.
    named = len(known) >= before
    fresh = [one for one in listed if known.get(one[0]) != one[1] and (named or one[0] in known)]
    findings = [Finding(name, f"{name}: {words}") for name, words in fresh or listed]
    if not fresh and count > before:
        findings = [Finding("all", f"{count} amounts are no numbers; {before} when Evenbooks was installed")]
    worse = bool(fresh) or count > before
    missing = sum(queries.count_amounts(look.connection, look.schema, label)[1] for label in _labels(look.schema))
    none = f" Without an amount, which counts as 0: {missing}." if missing else ""
    since = f"when Evenbooks was installed, {before}" if worse else "all of them when Evenbooks was installed"
    first = findings[0].words if findings else ""
    return Answer(
        whole=f"Every amount is a number.{none}",
        broken=f"Amounts that are no numbers, and so count as 0: {count}; {since} ({first}).{none}",
        findings=findings,
        count=max(len(fresh), count - before) if worse else count,
        level="error" if worse else "warning",
    )
