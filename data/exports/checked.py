"""The last integrity check as a file: the verdict and the checks, the months, and the seals."""

from __future__ import annotations

from collections.abc import Mapping

from data import integrity, queries
from data.database import Database, snapshot
from data.errors import InvalidInput
from data.events import stamp
from data.exports.sheets import Column, Kind, Row, Sheet
from data.integrity import Check, Report
from data.integrity.report import AMOUNTS
from data.records import MonthlyRevenue, Seal

ANSWERS = {True: "Even", False: "Broken", None: "Could not see"}


def last_check(database: Database, _filters: Mapping[str, str | None]) -> list[Sheet]:
    """Three sheets of the last kept check; a CSV file has the first. Raises InvalidInput where none was kept."""
    with snapshot(database) as moment:
        report = integrity.read_kept(queries.last_check(moment.connection, database.schema))
        seals = queries.list_seals(moment.connection, database.schema)
    if report is None:
        raise InvalidInput("The check has not run yet. Check now, then download.")
    return [_checks(report), _months(report), _seals(seals, report.decimals)]


def _checks(report: Report) -> Sheet:
    """The verdict is the first row, for a file has no other place for it."""
    columns = (
        Column("check", width=26),
        Column("answer", width=14),
        Column("level", width=10),
        Column("count", Kind.NUMBER, 10),
        Column("question", width=50),
        Column("detail", width=80),
        Column("accepted", width=40),
    )
    said = f"{integrity.verdict(report)} As of {stamp(report.snapshot_at)}."
    if report.head:
        said += f" The chain ended with event {report.head.event_id}, hash {report.head.hash}."
    verdict: Row = ["verdict", ANSWERS[report.even], None, None, "Are the books even?", said, None]
    rows = [verdict, *(_check(check) for check in report.checks)]
    return Sheet("Checks", columns, iter([rows]), report.decimals)


def _check(check: Check) -> Row:
    warns = check.ok is False and check.level == "warning"
    answer = "Warning" if warns else ANSWERS[check.ok]
    return [check.name, answer, check.level, check.count, check.question, check.detail, "\n".join(check.accepted)]


def _months(report: Report) -> Sheet:
    columns = (
        Column("month", width=12),
        Column("currency", width=10),
        Column("orders", Kind.NUMBER, 10),
        Column("orders_of_deleted", Kind.NUMBER, 16),
        *(Column(name, Kind.MONEY, 18) for name in AMOUNTS),
    )
    rows = [_month(row, row.month) for row in report.months] + [_month(row, "all") for row in report.totals]
    return Sheet("Months", columns, iter([rows]), report.decimals)


def _month(row: MonthlyRevenue, name: str | None) -> Row:
    return [name, row.currency, row.orders, row.deleted_orders, *(getattr(row, amount) for amount in AMOUNTS)]


def _seals(seals: list[Seal], decimals: int) -> Sheet:
    columns = (
        Column("month", width=12),
        Column("currency", width=10),
        Column("orders", Kind.NUMBER, 10),
        Column("all_orders", Kind.NUMBER, 10),
        Column("total", Kind.MONEY, 18),
        Column("sealed_at", Kind.TIME, 20),
        Column("actor", width=26),
        Column("event_id", Kind.NUMBER, 10),
        Column("checksum", width=66),
    )
    rows = [
        [s.month, s.currency, s.orders, s.all_orders, s.total, s.sealed_at, s.actor, s.event_id, s.checksum]
        for s in seals
    ]
    return Sheet("Seals", columns, iter([rows]), decimals)
