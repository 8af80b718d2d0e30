"""What the Analytics page reads and says: revenue at rest, deletions, active against deleted, and who came back."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

import pandas as pd
import streamlit as st

from data import analytics, money, queries
from data import database as databases
from data.analytics import Analytics, AtMonthEnd, AtRest, Deleted, OverTime, WonBack
from data.database import snapshot
from data.months import MOST_MONTHS, months_between
from data.records import Customer, CustomerId, Figures, Impact
from data.replica import source_of_reports
from data.settings import Settings
from ui import text
from ui.analytics_charts import Stack, in_order, label_of
from ui.keeping import MINE, kept
from ui.revenue import this_month
from ui.text import typed

BAR = {"displayModeBar": False}


@dataclass(frozen=True)
class Screen:
    """Everything on the page, from one snapshot at `at`; `lag` is how far behind the replica was, in seconds."""

    at: datetime
    found: Analytics
    top: list[tuple[Customer, str, Impact]]
    erased: Collection[CustomerId]
    lag: float | None


@kept(spinner="Looking at the deletions", after=MINE)
def read_screen(url: str) -> Screen:
    """The page's figures, from the replica where there is one, kept for a minute; `url` keeps databases apart."""
    source = source_of_reports(databases.default())
    with snapshot(source.database) as moment:
        connection, schema = moment.connection, source.database.schema
        found = analytics.read(connection, schema)
        top = queries.list_deleted_by_revenue(connection, schema)
        erased = queries.erased_ids(connection, schema, [customer.id for customer, *_ in top])
        return Screen(moment.at, found, top, erased, source.lag)


def within(month: str | None, first: str | None, last: str | None) -> bool:
    """Whether a month lies in the period; what has none lies only in all months."""
    if month is None:
        return first is None and last is None
    return (first or month) <= month <= (last or month)


def without_gaps(months: Iterable[str | None]) -> list[str | None]:
    """The months with those between them, no date last."""
    found = set(months)
    named = sorted(month for month in found if month)
    span = list(months_between(named[0], named[-1])) if named else []
    return [*(span if len(span) <= MOST_MONTHS else named), *([None] if None in found else [])]


def months_of(
    at_rest: Iterable[AtRest],
    heads: Iterable[Deleted],
    ends: Iterable[AtMonthEnd],
    won: Iterable[Figures],
    first: str | None,
    last: str | None,
) -> list[str | None]:
    """The months that all charts share: those of the period, or of all months the ones in which there is anything."""
    months = [one.month for rows in (at_rest, heads, ends, won) for one in rows]
    return without_gaps([*months, *filter(None, (first, last))])


def stack_of_rest(at_rest: Iterable[AtRest]) -> Stack:
    """Revenue by month and reason; of one currency."""
    return {(rest.month, rest.why): rest.revenue for rest in at_rest}


def stack_of_heads(deletions: Iterable[Deleted]) -> Stack:
    """Customers by month and reason, as whole numbers that can be stacked."""
    counted: Counter[tuple[str | None, str]] = Counter()
    for one in deletions:
        counted[one.month, one.why] += one.customers
    return {key: Decimal(count) for key, count in counted.items()}


def answer(
    of_currency: Sequence[AtRest],
    shown: Sequence[AtRest],
    currency: str,
    words: str,
    screen: Screen,
    settings: Settings,
) -> str:
    """The sentence that answers the page's question."""
    decimals, deleted = settings.money.decimals, screen.found.over_time.deleted
    people = text.count(deleted, "deleted customer")
    if not of_currency:
        return f"None of the {people} ever bought in {currency}." if deleted else "Nobody is deleted."
    whole, part = (money.add(rest.revenue for rest in some) for some in (of_currency, shown))
    sentence = f"{currency} {text.amount(whole, decimals)} of revenue rests with {people}, and counts in every report."
    if len(shown) == len(of_currency):
        return sentence
    return f"{sentence} {currency} {text.amount(part, decimals)} of it with those deleted {words}."


def finding_of_stack(
    stack: Stack, months: Sequence[str | None], settings: Settings, currency: str | None, decimals: int
) -> str:
    """What a stacked chart says: the whole, the largest reason, and the highest month; without a currency of heads."""
    by_month = {m: money.add(value for (month, _), value in stack.items() if month == m) for m in months}
    whys = in_order({why for _, why in stack}, settings)
    by_reason = {w: money.add(value for (_, why), value in stack.items() if why == w) for w in whys}
    most, highest = max(whys, key=lambda why: by_reason[why]), max(months, key=lambda month: by_month[month])

    def said(value: Decimal) -> str:
        return f"{currency} {text.amount(value, decimals)}" if currency else f"{value:,}"

    total = money.add(by_month.values())
    whole = said(total) if currency else text.count(int(total), "deletion")
    return (
        f"{whole} in all. The largest part is {label_of(most, settings)}: {said(by_reason[most])}. "
        f"The highest month is {text.month(highest)}: {said(by_month[highest])}."
    )


def stack_table(
    stack: Stack, months: Sequence[str | None], settings: Settings, decimals: int, *, alt: str, key: str
) -> None:
    """The table behind a stacked chart, newest first: a column for each reason, and the total."""
    whys = in_order({why for _, why in stack}, settings)
    names = [*(label_of(why, settings) for why in whys), "Total"]
    records = []
    for month in reversed(months):
        values = [stack.get((month, why), Decimal(0)) for why in whys]
        amounts = text.row_of_amounts([*values, money.add(values)], decimals)
        records.append({"Month": _named(month), **dict(zip(names, amounts, strict=True))})
    show_table(pd.DataFrame(records), alt=alt, key=key)


def _named(month: str | None) -> str:
    return text.month(month, unfinished=month == this_month())


def show_table(frame: pd.DataFrame, *, alt: str, key: str) -> None:
    """A table one click away, its figures to the right."""
    config = {name: st.column_config.Column(alignment="right") for name in frame.columns[1:]}
    with st.expander("The figures behind the chart", icon=":material/table:"):
        st.dataframe(frame, hide_index=True, column_config=config, alt=alt, key=key)


def said_over_time(over_time: OverTime, ends: Sequence[AtMonthEnd]) -> str:
    """The finding of active against deleted: now, and at the first of the months' ends that are drawn."""
    people, verb = text.count(over_time.active, "customer"), "is" if over_time.active == 1 else "are"
    now = f"{people} {verb} active and {over_time.deleted:,} deleted"
    if over_time.undated is None:
        return f"{now}. How many were active when cannot be known: no column says when customers were made."
    share = text.share(Decimal(over_time.deleted), Decimal(over_time.active + over_time.deleted))
    if not ends or ends[0] is over_time.months[-1]:
        return f"{now} ({share})."
    first = ends[0]
    return f"{now} ({share}); at the end of {text.month(first.month)} it was {first.active:,} and {first.deleted:,}."


def doubts(over_time: OverTime) -> list[str]:
    """What the lines cannot know."""
    doubts = []
    if over_time.since:
        doubts.append(
            f"The events begin in {text.month(over_time.since)}: before that only those are known to have been deleted who still were."
        )
    if over_time.moved:
        number = text.count(abs(over_time.moved), "customer")
        more = "more" if over_time.moved > 0 else "fewer"
        doubts.append(
            f"{number} {more} {'is' if abs(over_time.moved) == 1 else 'are'} deleted now than the events say: changed outside "
            "Evenbooks at a time that nobody kept, so only the last point is sure."
        )
    if over_time.undated:
        doubts.append(
            f"{text.count(over_time.undated, 'customer')} without a readable date count from the first month."
        )
    return doubts


def over_time_table(ends: Sequence[AtMonthEnd]) -> None:
    """Both lines as a table, newest first."""
    rows = list(reversed(ends))
    frame = pd.DataFrame(
        {
            "Month": [_named(end.month) for end in rows],
            "Active": ["not known" if end.active is None else f"{end.active:,}" for end in rows],
            "Deleted": [f"{end.deleted:,}" for end in rows],
        }
    )
    show_table(frame, alt="Active and deleted customers at each month's end, newest first", key="over_time_table")


def said_won_back(won: WonBack, rows: Sequence[Figures], currency: str, words: str, decimals: int) -> str:
    """How many came back, and what they bought since in the period."""
    if not won.restored:
        return "Nobody was restored yet; deletions that were only undone do not count."
    revenue = text.amount(money.add(row.total for row in rows), decimals)
    orders = text.count(sum(row.orders for row in rows), "order")
    people = f"{won.back:,} of {text.count(won.restored, 'restored customer')} bought again since."
    return f"{people} What they bought {words}: {currency} {revenue} in {orders}."


def won_back_table(rows: Sequence[Figures], decimals: int) -> None:
    """The bars as a table, newest first."""
    frame = pd.DataFrame(
        {
            "Month": [_named(row.month) for row in reversed(rows)],
            "Orders": [f"{row.orders:,}" for row in reversed(rows)],
            "Revenue": [text.amount(row.total, decimals) for row in reversed(rows)],
        }
    )
    show_table(frame, alt="Revenue since the restore by month, newest first", key="won_back_table")


def filled(rows: Sequence[Figures], currency: str) -> list[Figures]:
    """Months of one currency with those between them."""
    named: Mapping[str | None, Figures] = {row.month: row for row in rows}
    return [named.get(month) or Figures(month, currency, 0, Decimal(0)) for month in without_gaps(named)]


def key_figures(
    shown: Sequence[AtRest], heads: Sequence[Deleted], currency: str, words: str, screen: Screen, settings: Settings
) -> None:
    """At most four: one of money, three of heads."""
    decimals, over_time, won = settings.money.decimals, screen.found.over_time, screen.found.won_back
    figures = [
        (
            f"Revenue at rest ({typed(currency)})",
            text.amount(money.add(rest.revenue for rest in shown), decimals),
            f"Money, by order: all orders of those who were deleted {words} and still are.",
        ),
        (
            "Deletions",
            f"{sum(one.customers for one in heads):,}",
            f"Heads: deletions {words}, those restored since too.",
        ),
        (
            "Deleted now",
            f"{over_time.deleted:,}",
            f"Heads: {text.share(Decimal(over_time.deleted), Decimal(over_time.active + over_time.deleted))} of all customers.",
        ),
        ("Came back", f"{won.back:,} of {won.restored:,}", "Heads: restored customers who have bought since."),
    ]
    with st.container(horizontal=True):
        for name, value, explanation in figures:
            st.metric(name, value, border=True, help=explanation)
