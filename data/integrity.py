"""The named checks, and `python -m data.integrity`: do the books still add up, and is every deletion accounted for."""

from __future__ import annotations

import argparse
import json
import logging
import re
import sys
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any, Literal, get_args

from sqlalchemy import Connection

from data import events, money, queries
from data.database import Database, attach, in_transaction, snapshot
from data.errors import DatabaseReadOnly, EvenbooksError, InvalidInput
from data.money import plain
from data.queries.checks import Part
from data.queries.revenue import Key, month_order
from data.records import CustomerId, Figures, MonthlyRevenue
from data.schema import Schema
from data.settings import load_settings

EXAMPLES = 10
AMOUNTS = ("active", "deleted", "no_customer", "missing_customer", "total")  # of a month, in the order of the contract
MONTH = re.compile(r"\d{4}-(0[1-9]|1[0-2])")


@dataclass(frozen=True)
class Check:
    """One question answered. `ok` None: could not see, which is neither even nor broken."""

    name: str
    ok: bool | None
    level: Literal["error", "warning"]
    count: int
    detail: str
    examples: list[str]


@dataclass(frozen=True)
class Report:
    """A whole run: every check, and the split by month, all from one snapshot (`snapshot_at`, UTC)."""

    snapshot_at: datetime
    checks: list[Check]
    months: list[MonthlyRevenue]
    totals: list[MonthlyRevenue]
    decimals: int

    @property
    def even(self) -> bool:
        """Whether no check of level error is red."""
        return not any(c.ok is False and c.level == "error" for c in self.checks)

    @property
    def unseen(self) -> int:
        """How many checks could not look."""
        return sum(c.ok is None for c in self.checks)

    def as_dict(self) -> dict[str, Any]:
        """The contract's JSON: amounts as strings, `snapshot_at` as ISO 8601 with Z."""
        return {
            "even": self.even,
            "snapshot_at": events.stamp(self.snapshot_at),
            "unseen": self.unseen,
            "checks": [asdict(c) for c in self.checks],
            "months": [month_as_dict(m, self.decimals) for m in self.months],
            "totals": [month_as_dict(t, self.decimals, total=True) for t in self.totals],
        }


def month_as_dict(row: MonthlyRevenue, decimals: int, *, total: bool = False) -> dict[str, Any]:
    """A row of the split as JSON; a total has no month."""
    return {
        **({} if total else {"month": row.month}),
        "currency": row.currency,
        "orders": row.orders,
        **{name: plain(getattr(row, name), decimals) for name in AMOUNTS},
    }


def run(
    connection: Connection, schema: Schema, at: datetime, *, first: str | None = None, last: str | None = None
) -> Report:
    """Runs every check on a snapshot's connection. `first` and `last` (YYYY-MM) bound the split, not the other checks."""
    parts = {part: queries.monthly_part(connection, schema, part, first=first, last=last) for part in get_args(Part)}
    months = [_month(key, parts) for key in sorted(set().union(*parts.values()), key=month_order)]
    expected, baseline, chain = _replay(connection, schema)
    checks = [
        check_identity(months, parts),
        check_missing_customers(connection, schema, baseline),
        check_deletions(connection, schema, expected),
        chain,
    ]
    return Report(at, checks, months, add_up(months), schema.settings.money.decimals)


def run_and_record(database: Database, *, first: str | None = None, last: str | None = None) -> Report:
    """Runs the check in one snapshot. A run over all months is kept, where the account may write."""
    with snapshot(database) as moment:
        report = run(moment.connection, database.schema, moment.at, first=first, last=last)
    if first is None and last is None:
        kept = report.as_dict()
        with suppress(DatabaseReadOnly):  # an auditor's account; the result is on their screen
            in_transaction(
                database, lambda c: queries.record_check(c, database.schema, at=report.snapshot_at, report=kept)
            )
    return report


def _month(key: Key, parts: Mapping[Part, Mapping[Key, Figures]]) -> MonthlyRevenue:
    none = Figures(*key, orders=0, total=Decimal(0))
    found = {part: figures.get(key, none) for part, figures in parts.items()}
    return MonthlyRevenue(
        month=key[0],
        currency=key[1],
        orders=found["total"].orders,
        active=found["active"].total,
        deleted=found["deleted"].total,
        no_customer=found["no_customer"].total,
        missing_customer=found["missing_customer"].total,
        total=found["total"].total,
        deleted_orders=found["deleted"].orders,
        cost=found["total"].cost,
    )


def add_up(months: Sequence[MonthlyRevenue]) -> list[MonthlyRevenue]:
    """The months added up, a row a currency (month None)."""
    totals = []
    for currency in sorted({m.currency for m in months}):
        rows = [m for m in months if m.currency == currency]
        amounts = {name: money.add(getattr(row, name) for row in rows) for name in (*AMOUNTS, "cost")}
        orders, gone = sum(row.orders for row in rows), sum(row.deleted_orders for row in rows)
        totals.append(MonthlyRevenue(month=None, currency=currency, orders=orders, deleted_orders=gone, **amounts))
    return totals


def check_identity(months: Sequence[MonthlyRevenue], parts: Mapping[Part, Mapping[Key, Figures]]) -> Check:
    """Active + deleted + no customer + missing customer = total, in amount and in orders, each counted on its own."""
    broken = []
    for row in months:
        key = (row.month, row.currency)
        counted = sum(figures[key].orders for part, figures in parts.items() if part != "total" and key in figures)
        if row.difference or counted != row.orders:
            amount = f"{row.currency} {plain(abs(row.difference))} {'short' if row.difference > 0 else 'over'}"
            broken.append(f"{row.month or 'no date'}: parts are {amount}, {counted} of {row.orders} orders")
    whole = f"Active + deleted + no customer + missing customer = total, {_span(months)}."
    detail = whole if not broken else f"Not even, of {len(months)} months and currencies: {len(broken)}."
    return Check("identity", not broken, "error", len(broken), detail, broken[:EXAMPLES])


def _span(months: Sequence[MonthlyRevenue]) -> str:
    """In all 36 months, and the orders without a date."""
    dated = len({m.month for m in months if m.month})
    words = "in its one month" if dated == 1 else f"in all {dated} months"
    return words + (", and in the orders without a date" if any(m.month is None for m in months) else "")


def check_missing_customers(connection: Connection, schema: Schema, baseline: Baseline) -> Check:
    """No order names a customer who is not there, beyond those that the baseline found so."""
    known = baseline.missing
    total = queries.count_missing_customer_orders(connection, schema)
    found = queries.list_missing_customers(connection, schema, limit=len(known) + EXAMPLES) if total else []
    fresh = [(customer, orders) for customer, orders in found if orders > known.get(customer, 0)]
    beyond = total > baseline.missing_orders or bool(fresh)
    if not total:
        detail = "Every order that names a customer finds that customer."
    elif not beyond:
        detail = f"Orders that name a missing customer: {total}; all of them did when Evenbooks was installed."
    else:
        detail = f"Orders that name a customer who is not there: {total}; when Evenbooks was installed, {baseline.missing_orders}."
    count = max(sum(orders - known.get(customer, 0) for customer, orders in fresh), total - baseline.missing_orders, 0)
    examples = [f"customer {customer}: {orders} orders" for customer, orders in fresh[:EXAMPLES]]
    return Check("missing_customers", not beyond, "error", count, detail, examples)


def check_deletions(connection: Connection, schema: Schema, expected: Mapping[CustomerId, str | None]) -> Check:
    """Every deleted customer was deleted by an event, at that time, and nobody came back without one."""
    actual = {customer: events.stamp(at) for customer, at in queries.list_deleted_ids(connection, schema)}
    wrong = []
    for customer, at in actual.items():
        if customer not in expected:
            wrong.append(f"customer {customer}: deleted at {at} without an event")
        elif expected[customer] != at:
            wrong.append(f"customer {customer}: deleted at {at}, its event says {expected[customer]}")
    for customer, at in expected.items():
        if customer not in actual:
            there = len(wrong) >= EXAMPLES or queries.get_customer(connection, schema, customer)
            wrong.append(
                f"customer {customer}: {'active, although' if there else 'not in the table any more,'} deleted at {at}"
            )
    whole = f"Every deleted customer ({len(actual)}) has the event that deleted them."
    detail = whole if not wrong else f"Customers not in the state that the events say: {len(wrong)}."
    return Check("deletions", not wrong, "error", len(wrong), detail, wrong[:EXAMPLES])


@dataclass
class Baseline:
    """What stood before the first event of ours: orders of customers who were missing already, by customer and in all."""

    found: bool = False
    missing: dict[CustomerId, int] = field(default_factory=dict)
    missing_orders: int = 0


def _replay(connection: Connection, schema: Schema) -> tuple[dict[CustomerId, str | None], Baseline, Check]:
    """Who should be deleted and since when, the baseline, and whether the chain is whole: one walk for all."""
    expected: dict[CustomerId, str | None] = {}
    baseline = Baseline()
    problems, count = [], 0
    for link in events.walk(connection, schema):
        count = link.event_id
        problems += [f"event {link.event_id}: {problem}" for problem in link.problems]
        try:
            _apply(link.body, expected, baseline)
        except (TypeError, ValueError, KeyError):
            problems.append(f"event {link.event_id}: its body does not say what such an event says")
    if not baseline.found:
        problems.append("the baseline, its first event, is not there")
    whole = f"Every event ({count}) follows the one before, unbroken."
    detail = f"The chain of events ({count}) is broken." if problems else whole
    return expected, baseline, Check("chain", not problems, "error", len(problems), detail, problems[:EXAMPLES])


def _apply(body: Mapping[str, Any], expected: dict[CustomerId, str | None], baseline: Baseline) -> None:
    """What an event changes in who is deleted. Raises TypeError, ValueError or KeyError for a body that was tampered with."""
    action: object = body.get("action")
    customer: Any = body.get("customer_id")
    if action == "baseline" and not baseline.found:
        expected.update((known, at) for known, at in body["deleted"])
        baseline.missing.update((known, int(orders)) for known, orders in body["missing"])
        baseline.missing_orders = int(body["missing_orders"])
        baseline.found = True
    elif action == "delete":
        expected[customer] = body["deleted_at"]
    elif action == "restore":
        expected.pop(customer, None)


def verdict(report: Report) -> str:
    """The one sentence that the manager reads."""
    red = [c for c in report.checks if c.ok is False and c.level == "error"]
    if red:
        return f"The books are not even: {' '.join(c.detail for c in red)}"
    if report.unseen:
        return f"Even as far as could be seen; {report.unseen} check{'' if report.unseen == 1 else 's'} could not look."
    missing = " + missing customer" if any(t.missing_customer for t in report.totals) else ""
    parts = f"Active + deleted + no customer{missing} = total, to the last digit"
    return (
        f"The books are even. {parts}, {_span(report.months)}."
        if report.months
        else "The books are even. There are no orders yet."
    )


def render(report: Report) -> str:
    """The report as text for a terminal."""
    marks = {True: "even   ", False: "BROKEN ", None: "unseen "}
    lines = [f"As of {events.stamp(report.snapshot_at)}", ""]
    for check in report.checks:
        lines.append(f"{marks[check.ok]} {check.name}: {check.detail}")
        lines += [f"          {example}" for example in check.examples]
    table = [["month", "currency", "orders", *AMOUNTS]]
    rows = [(m.month or "no date", m) for m in report.months] + [("all", t) for t in report.totals]
    table += [
        [m, r.currency, str(r.orders), *(plain(getattr(r, a), report.decimals) for a in AMOUNTS)] for m, r in rows
    ]
    widths = [max(len(row[i]) for row in table) for i in range(len(table[0]))]
    lines += ["", *("  ".join(cell.rjust(width) for cell, width in zip(row, widths, strict=True)) for row in table)]
    return "\n".join([*lines, "", verdict(report)])


def _month_argument(value: str) -> str:
    if not MONTH.fullmatch(value):
        raise argparse.ArgumentTypeError(f"a month looks like 2026-03; found {value!r}")
    return value


def main(arguments: Sequence[str] | None = None) -> int:
    """The command. Exits 0 when the books are even, 1 when a check of level error is red, 2 when it could not look."""
    parser = argparse.ArgumentParser(prog="python -m data.integrity", description="Checks that the books are even.")
    parser.add_argument("--json", action="store_true", help="print the report as JSON")
    parser.add_argument(
        "--from", dest="first", type=_month_argument, metavar="YYYY-MM", help="first month of the split"
    )
    parser.add_argument("--to", dest="last", type=_month_argument, metavar="YYYY-MM", help="last month of the split")
    parser.add_argument("--config", help="the configuration file (default: EVENBOOKS_CONFIG, or evenbooks.toml)")
    options = parser.parse_args(arguments)
    try:
        if options.first and options.last and options.first > options.last:
            raise InvalidInput(f"--from {options.first} is after --to {options.last}.")
        database = attach(load_settings(config=options.config))
        report = run_and_record(database, first=options.first, last=options.last)
    except Exception as error:  # whatever it is, it could not look, which is not the same as uneven
        if not isinstance(error, EvenbooksError):
            logging.getLogger("evenbooks").exception("the check failed")
        if options.json:
            print(json.dumps({"even": None, "error": {"code": type(error).__name__, "message": str(error)}}))
        else:
            print(f"Could not look: {error}", file=sys.stderr)
        return 2
    print(json.dumps(report.as_dict(), ensure_ascii=False) if options.json else render(report))
    return 0 if report.even else 1


if __name__ == "__main__":
    sys.exit(main())
