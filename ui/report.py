"""The monthly report as a page of paper: one block of HTML that is read on the screen and printed alike."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from html import escape
from zoneinfo import ZoneInfo

import streamlit as st

from data import database as databases
from data import month_report
from data.database import snapshot
from data.month_report import MonthReport
from data.months import MOST_MONTHS, month_before, months_between
from data.queries.reporting import Happened
from data.records import MonthlyRevenue, RequestState
from data.settings import Settings
from ui import text
from ui.analytics_charts import label_of
from ui.keeping import MINE, kept
from ui.report_chart import chart
from ui.report_style import STYLE
from ui.revenue import bounds, month_box, this_month
from ui.text import typed

MOST_ROWS = 6  # of what was done; with names of any length the report is still one sheet
MOST_WORDS = 300  # characters of the verdict; Financial Integrity has all of it
LONGEST = 40  # characters of somebody's name
DID = {"delete": "Deleted", "restore": "Restored", "erase": "Erased"}
ONCE = {"delete": "deletion", "restore": "restore", "erase": "erasure"}  # who was deleted twice counts twice
PARTS = {
    "active": "Active customers",
    "no_customer": "No customer",
    "missing_customer": "Missing customer",
    "deleted": "Customers deleted since",
    "total": "Total",
}
BECAME: dict[RequestState, str] = {
    "approved": "approved",
    "rejected": "rejected",
    "expired": "expired",
    "withdrawn": "withdrawn",
}


@kept(spinner="Adding up the month", after=MINE)
def read_report(url: str, month: str) -> MonthReport:
    """The month's report from one snapshot, kept for a minute; `url` keeps databases apart."""
    database = databases.default()
    with snapshot(database) as moment:
        return month_report.read(moment, database.schema, month)


def month_picker(url: str) -> str:
    """The month, in the address as ?month=; the last whole one where the address names none that can be chosen."""
    months = _months(bounds(url))
    return month_box("Month", "month", months, month_before(this_month()))


def say_another(url: str, month: str) -> None:
    """A word to those whose address asked for a month that has no report, and who see this one."""
    asked, months = st.query_params.get("month"), _months(bounds(url))
    if asked and asked not in months:
        reach = f"Reports go from {text.month(months[-1])} to {text.month(months[0])}"
        st.info(f"There is no report of {typed(_named(asked))}. {reach}; this is the one of {text.month(month)}.")


def _months(known: tuple[str, str] | None) -> list[str]:
    """This month and those that are over, back to the first order, the newest first."""
    last_whole = month_before(this_month())
    first = min(known[0], last_whole) if known else last_whole
    return list(months_between(first, this_month()))[-MOST_MONTHS:][::-1]


def finding(report: MonthReport, currency: str, decimals: int) -> str:
    """The sentence that the report begins with."""
    month, before, year = (row_of(report, name, currency) for name in report.revenue)
    sentence = f"{currency} {text.amount(month.total, decimals)} in {text.month(report.month)}"
    if report.month == this_month():  # some days against a whole month would always be less
        wholes = [
            f"the whole of {text.month(row.month)} had {currency} {text.amount(row.total, decimals)}"
            for row in (before, year)
            if row.total > 0
        ]
        sentence += f" so far{'; ' if wholes else ''}{', '.join(wholes)}."
    else:
        shares = [
            f"{change(month.total, row.total)} {text.month(row.month)}" for row in (before, year) if row.total > 0
        ]
        sentence += f", {' and '.join(shares)}." if shares else "."
    if not month.deleted_orders:
        return f"{sentence} None of it was bought by customers deleted since."
    gone = f"{currency} {text.amount(month.deleted, decimals)} of it ({text.share(month.deleted, month.total)})"
    return f"{sentence} {gone} was bought by customers deleted since, and counts."


def change(now: Decimal, then: Decimal) -> str:
    """How a month compares with an earlier one, which was above nothing."""
    if now == then:
        return "as much as in"
    return f"{text.share(abs(now - then), then)} {'more' if now > then else 'less'} than in"


def row_of(report: MonthReport, month: str, currency: str) -> MonthlyRevenue:
    """A month's row; of zeros where there was no order."""
    zero = Decimal(0)
    return report.revenue[month].get(currency) or MonthlyRevenue(month, currency, 0, zero, zero, zero, zero, zero)


def page(report: MonthReport, currency: str, settings: Settings, *, zone: ZoneInfo, by: str) -> str:
    """The whole report as HTML; everybody's words are escaped."""
    decimals = settings.money.decimals
    made = text.day_and_time(report.at, zone)
    head = f"<h2>Revenue report for {text.month(report.month)}</h2>"
    rows = [row for row in report.history if row.currency == currency]
    sections = [
        f'<p class="lead">{_unbroken(escape(finding(report, currency, decimals)), currency)}</p>',
        _revenue(report, currency, decimals),
        chart(rows, report.month, currency, decimals),
        f'<div class="two"><div>{_changes(report, settings)}</div><div>{_top(report, currency, decimals, zone)}</div></div>',
        f'<div class="two"><div>{_books(report, currency, zone)}</div><div>{_requests(report)}{_exports(report)}</div></div>',
        f'<p class="quiet">Made {made} ({escape(str(zone))}) by {escape(by)} with Evenbooks, as of event {report.head}. '
        "Money counts by order, in the month of the order; deletions, requests and exports in the month in which they "
        "happened, in UTC.</p>",
    ]
    return f'<style>{STYLE}</style><article class="report">{head}{"".join(sections)}</article>'


def _unbroken(words: str, currency: str) -> str:
    """The same, where no line ends between a currency and its amount, or before a per cent."""
    return words.replace(f"{escape(currency)} ", f"{escape(currency)}&nbsp;").replace(" %", "&nbsp;%")


def _revenue(report: MonthReport, currency: str, decimals: int) -> str:
    rows = [row_of(report, name, currency) for name in report.revenue]
    names = [name for name in PARTS if name != "missing_customer" or any(row.missing_customer for row in rows)]
    columns = [text.row_of_amounts([getattr(row, name) for name in names], decimals) for row in rows]
    heads = [text.month(row.month, unfinished=row.month == this_month()) for row in rows]
    body = [[PARTS[name], *(column[place] for column in columns)] for place, name in enumerate(names)]
    body.append(["Orders", *(f"{row.orders:,}" for row in rows)])
    uneven = [text.month(row.month) for row in rows if row.difference]
    said = (
        f"The parts do not add up to the total: {', '.join(uneven)}."
        if uneven
        else "The parts were counted apart from the total, and add up to it."
    )
    table = _table([f"Revenue ({currency})", *heads], body, strong=len(names) - 1)
    return f'{table}<p class="{"wrong" if uneven else "quiet"}">{said}</p>'


def _changes(report: MonthReport, settings: Settings) -> str:
    title = "<h3>Deleted, restored, erased</h3>"
    if not report.changes:
        return f"{title}<p>Nobody was deleted, restored or erased.</p>"
    added = {once: sum(one.times for one in report.changes if one.action == did) for did, once in ONCE.items()}
    whole = ", ".join(text.count(times, once) for once, times in added.items() if times)
    rows = [
        [
            DID[one.action],
            label_of(one.reason or "other", settings),
            _named(one.actor) or "\N{EN DASH}",
            f"{one.times:,}",
        ]
        for one in report.changes[:MOST_ROWS]
    ]
    rest = _rest(report.changes)
    return f"{title}<p>{whole}.</p>{_table(['What', 'Why', 'By', 'Times'], rows, kind='changes')}{rest}"


def _rest(changes: Sequence[Happened]) -> str:
    more = changes[MOST_ROWS:]
    if not more:
        return ""
    return f'<p class="quiet">And {sum(one.times for one in more):,} in {text.count(len(more), "further line")}.</p>'


def _top(report: MonthReport, currency: str, decimals: int, zone: ZoneInfo) -> str:
    title = "<h3>Largest of those deleted since</h3>"
    top = [(customer, impact) for customer, of, impact in report.top if of == currency]
    if not top:
        return f"{title}<p>No customer who is deleted now ordered in this month.</p>"
    rows = [
        [
            _named(text.shown_name(c, report.erased)),
            text.day_and_time(c.deleted_at, zone).split(",")[0],
            text.amount(i.revenue[currency], decimals),
        ]
        for c, i in top
    ]
    return title + _table(["Name", "Deleted", f"In the month ({currency})"], rows, kind="top")


def _books(report: MonthReport, currency: str, zone: ZoneInfo) -> str:
    verdict, backup = report.verdict, report.backup
    when = text.day_and_time
    if verdict is None:
        lines = ["The books were never checked."]
    else:
        words = (
            verdict.words
            if len(verdict.words) <= MOST_WORDS
            else f"{verdict.words[:MOST_WORDS]}\N{HORIZONTAL ELLIPSIS}"
        )
        lines = [f"{words} Checked {when(verdict.at, zone)}."]
    sealed = [seal for seal in report.seals if seal.currency == currency]
    lines += [
        f"{text.month(report.month)} was sealed {when(seal.sealed_at, zone)} by {_named(seal.actor)} (event {seal.event_id})."
        for seal in sealed
    ] or [f"{text.month(report.month)} is not sealed."]
    if backup is None:
        lines.append("No backup was ever checked.")
    else:
        found = {True: "passed", False: "found differences", None: "could not see enough"}[backup.passed]
        unseen = f", {text.count(backup.unseen, 'thing')} could not be seen" if backup.unseen else ""
        of = f", of a backup made {when(backup.copy_at, zone)} or later" if backup.copy_at else ""
        lines.append(f"The last backup check {found}{unseen}: {when(backup.at, zone)}, by {_named(backup.actor)}{of}.")
    good = verdict is not None and verdict.even
    return f"<h3>The books</h3>{_list(lines, first='' if good else 'wrong')}"


def _named(name: str | None) -> str:
    """A name, cut where it would take lines from the rest."""
    return f"{name[: LONGEST - 1]}\N{HORIZONTAL ELLIPSIS}" if name and len(name) > LONGEST else name or ""


def _requests(report: MonthReport) -> str:
    asked = report.requests.get("waiting", 0)
    ended = [f"{report.requests[state]:,} {words}" for state, words in BECAME.items() if report.requests.get(state)]
    if not asked and not ended and not report.waiting_now:
        return "<h3>Requests</h3><p>Nobody asked for an approval.</p>"
    became = f"; {', '.join(ended)}" if ended else "; none was decided"
    return f"<h3>Requests</h3><p>{asked:,} asked for{became}. {report.waiting_now:,} wait now.</p>"


def _exports(report: MonthReport) -> str:
    title = "<h3>Files with personal data</h3>"
    if not report.exports:
        return f"{title}<p>Nobody took any.</p>"
    return title + _list(
        [f"{text.count(one.times, 'file')} by {_named(one.actor)}" for one in report.exports[:MOST_ROWS]]
    )


def _list(lines: Sequence[str], *, first: str = "") -> str:
    items = (_tag("li", escape(line), "" if place else first) for place, line in enumerate(lines))
    return f"<ul>{''.join(items)}</ul>"


def _table(heads: Sequence[str], rows: Sequence[Sequence[str]], *, kind: str = "", strong: int | None = None) -> str:
    """A table whose last columns are figures: those whose heads are above what begins with a digit or a minus."""
    figures = [_is_figure([row[place] for row in rows]) for place in range(len(heads))]

    def row(tag: str, values: Sequence[str], weight: str = "") -> str:
        cells = (_tag(tag, escape(value), "n" if number else "") for value, number in zip(values, figures, strict=True))
        return _tag("tr", "".join(cells), weight)

    body = "".join(row("td", values, "strong" if place == strong else "") for place, values in enumerate(rows))
    return _tag("table", f"<thead>{row('th', heads)}</thead><tbody>{body}</tbody>", kind)


def _tag(name: str, content: str, kind: str = "") -> str:
    return f'<{name} class="{kind}">{content}</{name}>' if kind else f"<{name}>{content}</{name}>"


def _is_figure(values: Sequence[str]) -> bool:
    return all(value.lstrip("\N{MINUS SIGN}").replace(",", "").replace(".", "").isdigit() for value in values)
