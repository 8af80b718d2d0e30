"""What the Revenue page reads: a period, its split by month, and when that was last checked."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Protocol
from zoneinfo import ZoneInfo

import pandas as pd
import streamlit as st

from data import database as databases
from data import queries
from data.database import snapshot
from data.integrity import Report
from data.months import months_between
from data.records import Customer, CustomerId, Impact, MonthlyRevenue, Time
from data.settings import Settings
from ui import checking, tables, text
from ui.books import read_books
from ui.keeping import ADDED, MINE, kept
from ui.shell import Here

PERIODS = {"12 months": 12, "24 months": 24, "36 months": 36, "All": None, "From, to": 0}


@dataclass(frozen=True)
class Top:
    """The deleted customers whose orders matter most in a period, as of `at`, and who of them is erased."""

    at: datetime
    customers: list[tuple[Customer, str, Impact]]
    erased: Collection[CustomerId]


@dataclass(frozen=True)
class Screen:
    """Everything on the Revenue page. The figures are of one snapshot at `at`; the ranking says its own time."""

    at: datetime
    months: list[MonthlyRevenue]
    checked: Report | None
    last_even: Time | None
    top: Top


def this_month() -> str:
    """The current month in UTC, in which orders' months are counted."""
    return f"{datetime.now(UTC):%Y-%m}"


def months_back(number: int) -> str:
    """The first of the last `number` months, the current one included."""
    now = datetime.now(UTC)
    months = now.year * 12 + now.month - number
    return f"{months // 12:04}-{months % 12 + 1:02}"


def period_picker(url: str) -> tuple[str | None, str | None, str]:
    """The period, in the address as ?period= (and ?from=, ?to=): first month, last month, and its words."""
    name = st.segmented_control(
        "Period",
        list(PERIODS),
        default="12 months",
        key="period",
        required=True,
        bind="query-params",
        label_visibility="collapsed",
        wrap=True,
    )
    number = PERIODS[str(name)] if name else 12
    if number:
        return months_back(number), this_month(), f"in the last {number} months"
    if number is None:
        return None, None, "in all months"
    known = bounds(url)
    months = list(months_between(*known))[::-1] if known else [this_month()]
    with st.container(horizontal=True):
        first = month_box("From", "from", months, months[min(11, len(months) - 1)])
        last = month_box("To", "to", months, months[0])
    first, last = min(first, last), max(first, last)
    return first, last, f"from {text.month(first)} to {text.month(last)}"


def month_box(label: str, key: str, months: list[str], default: str) -> str:
    """A month, in the address as YYYY-MM; a widget bound to the address would write its label there."""

    def write() -> None:
        st.query_params[key] = st.session_state[key]

    asked = st.query_params.get(key, default)
    st.session_state.setdefault(key, asked if asked in months else default)
    return str(st.selectbox(label, months, key=key, format_func=text.month, on_change=write, width=160))


@kept(after=ADDED)
def bounds(url: str) -> tuple[str, str] | None:
    """The first and last month with an order, kept for a minute."""
    database = databases.default()
    with snapshot(database) as moment:
        return queries.month_bounds(moment.connection, database.schema)


def where_orders_are(url: str) -> str:
    """A word to those whose period holds none; nothing where there is no order with a date."""
    known = bounds(url)
    return f"The last orders are of {text.month(known[1])}: choose All to see them." if known else ""


def read_screen(url: str, first: str | None, last: str | None) -> Screen:
    """The page's figures of these months, kept for a minute; `url` keeps databases apart."""
    books = read_books(url)
    months = [m for m in books.months if first is None or last is None or (m.month and first <= m.month <= last)]
    return Screen(books.at, months, books.kept, books.last_even, _read_top(url, first, last))


@kept(spinner="Looking at the deleted customers", after=MINE)
def _read_top(url: str, first: str | None, last: str | None) -> Top:
    database = databases.default()
    with snapshot(database) as moment:
        connection, schema = moment.connection, database.schema
        top = queries.list_deleted_by_revenue(connection, schema, first=first, last=last)
        return Top(moment.at, top, queries.erased_ids(connection, schema, [customer.id for customer, *_ in top]))


class OfCurrency(Protocol):
    """A row of figures in one currency."""

    @property
    def currency(self) -> str:
        """Which one."""


def currency_picker(rows: Iterable[OfCurrency], settings: Settings) -> str:
    """The one currency that is shown, in the address as ?currency=; asked for only where there are several."""
    currencies = sorted({row.currency for row in rows})
    if len(currencies) < 2:
        return currencies[0] if currencies else settings.money.currency
    chosen = st.selectbox(
        "Currency", currencies, key="currency", bind="query-params", label_visibility="collapsed", width=110
    )
    return str(chosen)


def finding(total: MonthlyRevenue, words: str, decimals: int) -> str:
    """The sentence that answers the page's question; also what the chart says to those who cannot see it."""
    sentence = f"{total.currency} {text.amount(total.total, decimals)} {words}."
    if not total.deleted_orders:
        return f"{sentence} None of it was bought by customers deleted since."
    gone = f"{total.currency} {text.amount(total.deleted, decimals)} of it ({text.share(total.deleted, total.total)})"
    return (
        f"{sentence} {gone} was bought by customers deleted since; a hard delete would have taken it out of this chart."
    )


def key_figures(total: MonthlyRevenue, settings: Settings) -> None:
    """At most four: revenue, what a hard delete would hide, orders, and profit where there is cost."""
    decimals, label = settings.money.decimals, text.typed(total.currency)
    share = text.share(total.deleted, total.total)
    counted = (
        "Orders of the statuses that are revenue count" if settings.orders.revenue_statuses else "Every order counts"
    )
    figures = [
        (f"Revenue ({label})", text.amount(total.total, decimals), f"{counted}, whoever was deleted since."),
        (
            f"Less, had they been hard-deleted ({label})",
            text.amount(total.deleted, decimals),
            f"Had the deleted customers been hard-deleted, the reports would show {share} less.",
        ),
        ("Orders", f"{total.orders:,}", f"Those of customers deleted since: {total.deleted_orders:,}."),
    ]
    if settings.orders.cost:
        figures.append((f"Profit ({label})", text.amount(total.profit, decimals), "Revenue less the orders' cost."))
    else:
        figures.append((f"No customer ({label})", text.amount(total.no_customer, decimals), "Orders of guests."))
    with st.container(horizontal=True):
        for name, value, explanation in figures:
            st.metric(name, value, border=True, help=explanation)


def show_last_check(screen: Screen, zone: ZoneInfo) -> None:
    """What "active" is worth here: it is derived, and this is when every part was last counted on its own."""
    st.caption("Money counts by order. Active is the total less the other parts.", width="content")
    checked = screen.checked
    at, even, unseen = (checked.snapshot_at, checked.even, checked.unseen) if checked else (None, False, 0)
    checking.badge(at, even=even, unseen=unseen, last_even=screen.last_even, zone=zone)


def months_table(months: Sequence[MonthlyRevenue], settings: Settings) -> None:
    """The table behind the chart, newest first; amounts as text, exact where rounding would not add up."""
    decimals, records = settings.money.decimals, []
    for row in reversed(months):
        parts = [row.active, row.no_customer, row.missing_customer, row.deleted, row.total]
        names = ["Active", "No customer", "Missing customer", "Deleted", "Total"]
        record: dict[str, object] = {"Month": text.month(row.month, unfinished=row.month == this_month())}
        record |= {"Orders": row.orders, **dict(zip(names, text.row_of_amounts(parts, decimals), strict=True))}
        records.append(record | ({"Profit": text.amount(row.profit, decimals)} if settings.orders.cost else {}))
    frame = pd.DataFrame(records)
    if not any(m.missing_customer for m in months):
        frame = frame.drop(columns="Missing customer")
    amounts = [name for name in frame.columns if name not in ("Month", "Orders")]
    config = {name: st.column_config.TextColumn(alignment="right") for name in amounts}
    alt = f"Revenue by month in {months[0].currency}, newest first"
    st.dataframe(frame, hide_index=True, column_config=config, alt=alt)


def top_deleted(
    ranked: Iterable[tuple[Customer, str, Impact]],
    erased: Collection[CustomerId],
    currency: str,
    words: str,
    here: Here,
) -> None:
    """The deleted customers whose orders matter most in the period; those who were `erased` have no name any more."""
    top = [(customer, impact) for customer, of, impact in ranked if of == currency]
    if not top:
        return
    st.subheader(f"Deleted customers that matter most {words}", anchor=False)
    decimals = here.database.settings.money.decimals
    frame = pd.DataFrame(
        {
            "Name": [text.shown_name(c, erased) for c, _ in top],
            "Deleted": tables.times([c.deleted_at for c, _ in top], here.zone),
            "Orders": [i.orders for _, i in top],
            f"Revenue ({currency})": [text.amount(i.revenue[currency], decimals) for _, i in top],
        }
    )
    config = {
        "Deleted": tables.time_column("Deleted"),
        frame.columns[-1]: st.column_config.TextColumn(alignment="right"),
    }
    st.dataframe(frame, hide_index=True, column_config=config, alt=f"{len(top)} deleted customers by revenue {words}")
