"""A shop with a story, and what an audit of it by the engine's own client says."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from clients import run_script
from shops import ADMIN

from data import integrity
from data.access import Actor, Door, Role
from data.customers import delete_many, restore_many
from data.database import Database
from data.seals import seal
from data.sql.audit import audit_sql

FIGURES = ("orders", "active", "deleted", "no_customer", "missing_customer", "total")
ODD_ACTOR = Actor('sso:o\'Neil "\\" 陈🚀', Role.ADMIN, Door.DASHBOARD)


def told(shop: Database) -> Database:
    """Events 1 (baseline), 2 (delete 4), 3 (delete 1, with a note), 4 (delete 2), 5 (restore 1), 6 (seals January 2024)."""
    delete_many(shop, [1], actor=ODD_ACTOR, reason="rude on the phone, 粗鲁 🚀 o'clock \\")
    delete_many(shop, [2], actor=ADMIN, reason="duplicate")
    restore_many(shop, [1], actor=ODD_ACTOR, reason="undo")
    seal(shop, "2024-01", actor=ADMIN)
    return shop


def audited(database: Database, name: str | None = None) -> list[dict[str, Any]]:
    return run_script(database.engine.url, audit_sql(database, name))


def found(database: Database) -> dict[str, int]:
    """What the summary counts, without the zeros."""
    counts = {row["question"]: int(row["problems"]) for row in audited(database, "summary")}
    assert len(counts) == 11
    return {question: count for question, count in counts.items() if count}


def assert_even(database: Database) -> None:
    """The audit has the very figures of the check, and no problem."""
    rows = audited(database)
    report = integrity.run_and_record(database).as_dict()
    assert [c["name"] for c in report["checks"] if c["ok"] is False and c["level"] == "error"] == []
    for title, key in (("Months", "months"), ("Totals", "totals")):
        mine = [row for row in rows if row.get("check") == title]
        assert mine
        shown = [
            {**({"month": row["month"]} if key == "months" else {}), "currency": row["currency"], **_figures(row)}
            for row in mine
        ]
        theirs = [
            {**({"month": row["month"]} if key == "months" else {}), "currency": row["currency"], **_figures(row)}
            for row in report[key]
        ]
        assert shown == theirs, [pair for pair in zip(shown, theirs, strict=False) if pair[0] != pair[1]]
        assert {row["verdict"] for row in mine} == {"even"}
    titles = {row.get("check") for row in rows}
    assert titles <= {"Months", "Totals", "Hard delete", "Tables", "Foreign keys", "Summary", None}
    assert {row["problems"] for row in rows if row.get("check") == "Summary"} <= {0, "0"}
    for row in rows:
        if row.get("check") == "Hard delete":
            assert Decimal(row["total"]) - Decimal(row["would_show"]) == Decimal(row["erased"])


def _figures(row: dict[str, Any]) -> dict[str, Decimal]:
    return {name: Decimal(row[name]) for name in FIGURES}
