"""What Financial Integrity shows at once: the verdict, the identity as figures, and whether the chart draws what is held."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import replace
from decimal import Decimal
from zoneinfo import ZoneInfo

import plotly.graph_objects as go
import streamlit as st

from data import integrity
from data.integrity import Check, Finding, Report
from data.integrity.report import EXAMPLES
from data.money import add, rounded
from data.months import without_gaps
from data.records import MonthlyRevenue
from data.settings import Settings
from ui import charts, checking, text
from ui.books import Books
from ui.revenue import this_month
from ui.text import typed

CHART = "chart"
LARGEST = Decimal("1e20")  # beyond it no cents can be told from a double, nor amounts be rounded
PARTS = {"Active": "active", "No customer": "no_customer", "Missing customer": "missing_customer", "Deleted": "deleted"}
DRAWN = {
    "Active customers": "active",
    "No customer": "no_customer",
    "Missing customer": "missing_customer",
    "Deleted customers": "deleted",
}
CANNOT_SEE = (
    "An order removed from a month that is not sealed, or its amount changed there, while its customer is active.",
    "Another amount in an order of a deleted customer, in a month that is not sealed: there the orders are counted, not weighed. Where orders are not numbered, nor a lost one that a later one replaces.",
    "A customer removed while another one is put in their place: customers are counted, not read.",
    "A history rewritten whole, together with its end and the kept runs, unless a proof was kept outside: download one here, and compare it later with python -m data.integrity --since.",
    "A true event written by hand, with the right hashes, by somebody who may write events.",
    "Orders that never reached this database, and amounts that were wrong when they were entered.",
    "What was done before Evenbooks was installed: how it stood then is where the proof begins.",
    "What somebody with every right on the server changed and put back between two checks.",
    "What a trigger does, where this account may not read it.",
)
CANNOT_SEE_ON_SQLITE = (
    "On SQLite whoever may write the file may write anything into it, the events and the seals included."
)


def shown_report(screen: Books, url: str) -> Report | None:
    """The last run: the kept one, or a later one of this process, which an account that may only read cannot keep."""
    ours, kept = checking.last_report(url), screen.kept
    if ours and (kept is None or str(ours.snapshot_at) >= str(kept.snapshot_at)):
        return ours
    return kept


def with_chart(report: Report, chart: Check) -> Report:
    """The report with the chart's own check among the others, so that one verdict is given of all."""
    return replace(report, checks=[*report.checks, chart])


def show_verdict(report: Report | None, zone: ZoneInfo) -> None:
    """The verdict at one glance: icon, colour and words. What is old, or could not be seen, is never green."""
    if report is None:
        words = "Check now counts every part of every month on its own, and follows every event."
        _say(st.warning, ":material/help:", "Never checked", words)
        return
    heading, words = _split(integrity.verdict(report))
    unseen = [c.question or c.name for c in report.checks if c.ok is None]
    notes = f" {text.count(len(report.warnings), 'warning')}, listed below." if report.warnings else ""
    when = text.day_and_time(report.snapshot_at, zone)
    if report.even is None:
        _say(st.warning, ":material/visibility_off:", heading, words + notes)
    elif not report.even:
        _say(st.error, ":material/error:", heading, words + notes)
    elif checking.is_stale(report.snapshot_at):
        told = f"They were on {when}, which is more than a day ago. Check now looks again."
        _say(st.warning, ":material/schedule:", "Even when last checked", told + notes)
    elif unseen:
        told = f"{text.count(len(unseen), 'check')} could not look: {' '.join(unseen)}"
        _say(st.warning, ":material/visibility_off:", heading, told + notes)
    else:
        _say(st.success, ":material/verified:", heading, words + notes)


def _say(box: Callable[[str], object], icon: str, heading: str, words: str) -> None:
    """A large heading with its icon, and what it means."""
    box(f"## {icon} {typed(heading)}\n\n{typed(words)}")


def _split(verdict: str) -> tuple[str, str]:
    """The verdict's heading and the rest."""
    ends = [at for at in (verdict.find(mark) for mark in (". ", ": ", "; ")) if at > 0]
    at = min(ends, default=len(verdict) - 1)
    return verdict[:at], verdict[at + 2 :]


def badge(screen: Books, report: Report | None, zone: ZoneInfo) -> None:
    """When the books were last checked and last even."""
    at, even, unseen = (report.snapshot_at, report.even, report.unseen) if report else (None, False, 0)
    checking.badge(at, even=even, unseen=unseen, last_even=at if even else screen.last_even, zone=zone)


def equation(screen: Books, report: Report | None, currency: str, settings: Settings, zone: ZoneInfo) -> None:
    """The parts and the total of one currency: as the last full check counted each on its own, and beside it as of now
    where that differs."""
    zero = Decimal(0)
    none = MonthlyRevenue(None, currency, 0, zero, zero, zero, zero, zero)
    now = _of(integrity.add_up(screen.months), currency) or none
    counted = (_of(report.totals, currency) or none) if report else None
    shown = counted or now
    names = [n for n in PARTS if n != "Missing customer" or shown.missing_customer or now.missing_customer]
    values, beside = (_amounts(row, names, settings.money.decimals) for row in (shown, now))
    signs = ["", *["+ "] * (len(names) - 1), "= " if not shown.difference else "\N{NOT EQUAL TO} "]
    with st.container(horizontal=True, key="equation"):
        for sign, name, value, later in zip(signs, [*names, f"Total ({typed(currency)})"], values, beside, strict=True):
            delta, word = (later, "now") if later != value else (None, None)
            st.metric(sign + name, value, delta, "off", delta_arrow="off", delta_description=word, border=True)
    if report is None:
        st.caption("As of now; active is the total less the other parts until Check now has counted it on its own.")
    else:
        when = text.day_and_time(report.snapshot_at, zone)
        same = "The same as now." if values == beside else "Now: active is the total less the other parts."
        st.caption(f"Each counted on its own, {when}. {same}")


def _of(totals: Sequence[MonthlyRevenue], currency: str) -> MonthlyRevenue | None:
    return next((t for t in totals if t.currency == currency), None)


def _amounts(row: MonthlyRevenue, names: Sequence[str], decimals: int) -> list[str]:
    return text.row_of_amounts([*(getattr(row, PARTS[name]) for name in names), row.total], decimals)


def draw(months: Sequence[MonthlyRevenue], decimals: int) -> go.Figure:
    """The Revenue chart of all months of one currency."""
    return charts.revenue_by_month(without_gaps(months), unfinished=this_month(), decimals=decimals)


def check_chart(figure: str, months: Sequence[MonthlyRevenue], currency: str, decimals: int) -> Check:
    """Whether a drawn figure (its JSON) holds what the database holds: each bar and each sum, at the minor unit."""
    drawn, found = _traces(figure), []
    labels = [text.month(m.month, unfinished=m.month == this_month()) for m in months]
    for name, part in DRAWN.items():
        held = dict(zip(labels, (getattr(m, part) for m in months), strict=True))
        found += _differences(name, drawn.get(name, {}), held, decimals)
    for name, values in (
        ("Total", [m.total for m in months]),
        (charts.HARD_DELETE, [m.total - m.deleted for m in months]),
    ):
        found += _differences(name, drawn.get(name, {}), dict(zip(labels, values, strict=True)), decimals)
    bars = [value for name in DRAWN for value in drawn.get(name, {}).values() if value is not None]
    sums = [_shown(value, decimals) for value in (sum(bars, Decimal(0)), add(m.total for m in months))]
    told = f"The bars of the chart add up to {currency} {sums[0]}, the database to {currency} {sums[1]}"
    return Check(
        name=CHART,
        ok=not found,
        level="error",
        count=len(found),
        detail=f"{told}. Bars that differ: {len(found)}." if found else f"{told}, and each bar is its month's.",
        examples=[f.words for f in found[:EXAMPLES]],
        question="Does the drawn chart show what the database holds?",
    )


def _traces(figure: str) -> dict[str, dict[str, Decimal | None]]:
    """The values of each trace by label; None for what cannot be drawn (NaN)."""
    found: dict[str, dict[str, Decimal | None]] = {}
    for trace in json.loads(figure)["data"]:
        values = trace.get("y")
        values = values if isinstance(values, list) else [None] * len(trace["x"])
        pairs = zip(trace["x"], values, strict=True)
        found[trace["name"]] = {label: None if y is None else Decimal(str(y)) for label, y in pairs}
    return found


def _differences(name: str, drawn: dict[str, Decimal | None], held: dict[str, Decimal], decimals: int) -> list[Finding]:
    """Where a trace shows something else. A month in which nobody ordered is drawn as zero, one that is zero may be left out."""
    found = []
    for label in dict.fromkeys([*held, *drawn]):
        value, amount = drawn.get(label, Decimal(0)), held.get(label, Decimal(0))
        if value is None or not _same(value, amount, decimals):
            shown = "nothing" if value is None else _shown(value, decimals)
            words = f"{name}, {label}: drawn {shown}, in the database {_shown(amount, decimals)}"
            found.append(Finding(f"{name} {label}", words))
    return found


def _same(drawn: Decimal, held: Decimal, decimals: int) -> bool:
    """At the minor unit; a double holds about 15 digits, so of a larger amount the nearest double is the right one."""
    if float(drawn) == float(held):
        return True
    return max(abs(drawn), abs(held)) < LARGEST and rounded(drawn, decimals) == rounded(held, decimals)


def _shown(value: Decimal, decimals: int) -> str:
    return text.amount(value, decimals) if abs(value) < LARGEST else f"{value:.6e}"


def limits(settings: Settings) -> list[str]:
    """What the check cannot see, a sentence each."""
    embedded = settings.url.get_backend_name() == "sqlite"
    return [*CANNOT_SEE, *([CANNOT_SEE_ON_SQLITE] if embedded else [])]


def about(settings: Settings) -> str:
    """Which database a proof is about, without its password."""
    return f"The {settings.orders.table or 'orders'} of {settings.url.render_as_string(hide_password=True)}"
