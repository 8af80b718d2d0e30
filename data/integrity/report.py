"""What a run of the check answers: named checks, the split by month, and the verdict in one sentence."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from decimal import Decimal
from typing import Any, Literal

from data import money
from data.events import stamp
from data.money import plain
from data.records import MonthlyRevenue, Time
from data.times import read_time

EXAMPLES = 10
AMOUNTS = ("active", "deleted", "no_customer", "missing_customer", "total")  # of a month, in the order of the contract
COUNTS = ("identity", "long_way")  # the checks without which nothing is known of the sums
Level = Literal["error", "warning"]


@dataclass(frozen=True)
class Finding:
    """One thing that is not right. `id` names it within its check; `words` say its whole state, so that what was
    accepted once is not accepted when it changes."""

    id: str
    words: str


@dataclass(frozen=True)
class Answer:
    """What one check found: no findings, then `whole` is its sentence; else `broken`, or `unseen` says why it could not look.

    `count` is the number of findings where only the first of them are listed; `sql` what was run on another connection.
    """

    whole: str
    broken: str = ""
    findings: Sequence[Finding] = ()
    level: Level = "error"
    unseen: str | None = None
    count: int | None = None
    sql: Sequence[str] = ()


@dataclass(frozen=True)
class Check:
    """One question answered. `ok` None: could not see, which is neither even nor broken.

    `sql` are the statements that were run, `accepted` the findings that somebody has accepted, with who and why;
    `findings` the others, at most 10,000.
    """

    name: str
    ok: bool | None
    level: Level
    count: int
    detail: str
    examples: list[str]
    question: str = ""
    sql: list[str] = field(default_factory=list)
    accepted: list[str] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list, repr=False)

    def as_dict(self) -> dict[str, Any]:
        """The contract's six keys."""
        return {name: getattr(self, name) for name in ("name", "ok", "level", "count", "detail", "examples")}


@dataclass(frozen=True)
class Head:
    """Where the chain of events ended: the last event's number and hash."""

    event_id: int
    hash: str


@dataclass(frozen=True)
class Report:
    """A whole run: every check, and the split by month, all from one snapshot (`snapshot_at`, UTC); the chain's head, the
    number of customers, and the mapping's fingerprint."""

    snapshot_at: Time
    checks: list[Check]
    months: list[MonthlyRevenue]
    totals: list[MonthlyRevenue]
    decimals: int
    head: Head | None = None
    customers: int | None = None
    mapping: str | None = None
    kept: bool = field(default=False, compare=False)  # whether this run was written down

    @property
    def even(self) -> bool | None:
        """Whether no check of level error is red; None where none is, but the sums could not be seen."""
        if self.red:
            return False
        return None if self.blind else True

    @property
    def blind(self) -> list[Check]:
        """The checks of the sums themselves that could not look."""
        return [c for c in self.checks if c.ok is None and c.name in COUNTS]

    @property
    def unseen(self) -> int:
        """How many checks could not look."""
        return sum(c.ok is None for c in self.checks)

    @property
    def red(self) -> list[Check]:
        """The checks of level error that are red."""
        return [c for c in self.checks if c.ok is False and c.level == "error"]

    @property
    def warnings(self) -> list[Check]:
        """The checks of level warning that are red."""
        return [c for c in self.checks if c.ok is False and c.level == "warning"]

    def as_dict(self) -> dict[str, Any]:
        """The contract's JSON: amounts as strings, `snapshot_at` as ISO 8601 with Z."""
        return {
            "even": self.even,
            "snapshot_at": stamp(self.snapshot_at),
            "unseen": self.unseen,
            "checks": [c.as_dict() for c in self.checks],
            "months": [month_as_dict(m, self.decimals) for m in self.months],
            "totals": [month_as_dict(t, self.decimals, total=True) for t in self.totals],
        }

    def as_proof(self) -> dict[str, Any]:
        """The same with the evidence: each check's question, SQL, findings and what was accepted, deleted orders, and the chain's head.

        This is what is kept of a run, and what `read_proof` reads.
        """
        whole = self.as_dict()
        for check, words in zip(self.checks, whole["checks"], strict=True):
            words |= {"question": check.question, "sql": check.sql, "accepted": check.accepted}
            words |= {"findings": [asdict(f) for f in check.findings[:EXAMPLES]]}
        for name, rows in (("months", self.months), ("totals", self.totals)):
            for row, words in zip(rows, whole[name], strict=True):
                words |= {"deleted_orders": row.deleted_orders}
        return whole | {
            "head": asdict(self.head) if self.head else None,
            "counts": {"customers": self.customers},
            "mapping": self.mapping,
            "decimals": self.decimals,
        }


def read_proof(kept: Mapping[str, Any]) -> Report:
    """The report of a kept run, as `Report.as_proof` wrote it; of the findings only those of the examples are kept."""
    head = kept.get("head")
    return Report(
        snapshot_at=read_time(kept["snapshot_at"]) or "",
        checks=[
            Check(**{**check, "findings": [Finding(**found) for found in check.get("findings", [])]})
            for check in kept["checks"]
        ],
        months=[_read_month(m) for m in kept["months"]],
        totals=[_read_month(t) for t in kept["totals"]],
        decimals=int(kept.get("decimals", 2)),
        head=Head(**head) if head else None,
        customers=(kept.get("counts") or {}).get("customers"),
        mapping=kept.get("mapping"),
    )


def read_kept(row: Any) -> Report | None:
    """A kept run (a row of evenbooks_checks) as a report; None where there is none, or where somebody wrote something else in its place."""
    try:
        return read_proof(json.loads(row.report)) if row else None
    except (ValueError, TypeError, KeyError, AttributeError, ArithmeticError):
        return None


def _read_month(row: Mapping[str, Any]) -> MonthlyRevenue:
    amounts = {name: Decimal(row[name]) for name in AMOUNTS}
    return MonthlyRevenue(
        month=row.get("month"),
        currency=row["currency"],
        orders=row["orders"],
        deleted_orders=row.get("deleted_orders", 0),
        **amounts,
    )


def month_as_dict(row: MonthlyRevenue, decimals: int, *, total: bool = False) -> dict[str, Any]:
    """A row of the split as JSON; a total has no month."""
    return {
        **({} if total else {"month": row.month}),
        "currency": row.currency,
        "orders": row.orders,
        **{name: plain(getattr(row, name), decimals) for name in AMOUNTS},
    }


def add_up(months: Sequence[MonthlyRevenue]) -> list[MonthlyRevenue]:
    """The months added up, a row a currency (month None)."""
    totals = []
    for currency in sorted({m.currency for m in months}):
        rows = [m for m in months if m.currency == currency]
        amounts = {name: money.add(getattr(row, name) for row in rows) for name in (*AMOUNTS, "cost")}
        orders, gone = sum(row.orders for row in rows), sum(row.deleted_orders for row in rows)
        totals.append(MonthlyRevenue(month=None, currency=currency, orders=orders, deleted_orders=gone, **amounts))
    return totals


def span(months: Sequence[MonthlyRevenue]) -> str:
    """In all 36 months, and the orders without a date."""
    dated = len({m.month for m in months if m.month})
    words = "in its one month" if dated == 1 else f"in all {dated} months"
    return words + (", and in the orders without a date" if any(m.month is None for m in months) else "")


def verdict(report: Report) -> str:
    """The one sentence that the manager reads."""
    if report.red:
        return f"The books are not even: {' '.join(c.detail for c in report.red)}"
    if report.blind:
        return f"Could not see whether the books are even: {' '.join(dict.fromkeys(c.detail for c in report.blind))}"
    if report.unseen:
        return f"Even as far as could be seen; {report.unseen} check{'' if report.unseen == 1 else 's'} could not look."
    missing = " + missing customer" if any(t.missing_customer for t in report.totals) else ""
    parts = f"Active + deleted + no customer{missing} = total, to the last digit"
    return (
        f"The books are even. {parts}, {span(report.months)}."
        if report.months
        else "The books are even. There are no orders yet."
    )


def render(report: Report) -> str:
    """The report as text for a terminal."""
    lines = [f"As of {stamp(report.snapshot_at)}", ""]
    for check in report.checks:
        lines.append(f"{_mark(check)} {check.name}: {check.detail}")
        lines += [f"          {example}" for example in check.examples]
        lines += [f"          accepted: {words}" for words in check.accepted]
    table = [["month", "currency", "orders", *AMOUNTS]]
    rows = [(m.month or "no date", m) for m in report.months] + [("all", t) for t in report.totals]
    table += [
        [m, r.currency, str(r.orders), *(plain(getattr(r, a), report.decimals) for a in AMOUNTS)] for m, r in rows
    ]
    widths = [max(len(row[i]) for row in table) for i in range(len(table[0]))]
    lines += ["", *("  ".join(cell.rjust(width) for cell, width in zip(row, widths, strict=True)) for row in table)]
    return "\n".join([*lines, "", verdict(report)])


def _mark(check: Check) -> str:
    if check.ok is None:
        return "unseen "
    if check.ok:
        return "even   "
    return "BROKEN " if check.level == "error" else "WARNING"
