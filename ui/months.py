"""The months with their seals, and a month opened down to its orders; both have an address."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from decimal import Decimal
from zoneinfo import ZoneInfo

import pandas as pd
import streamlit as st

from data import queries
from data.access import Permission
from data.database import Snapshot
from data.errors import InvalidInput
from data.integrity import Report
from data.money import rounded
from data.months import read_month, without_gaps
from data.queries.revenue import month_order
from data.records import MonthlyRevenue, MonthOrder, Page, Seal
from ui import asking, checking, tables, text
from ui.books import Books
from ui.lists import HEIGHT, ROWS
from ui.revenue import this_month
from ui.shell import Here
from ui.text import typed

TAB = "Months"
NO_DATE = "none"  # in the address: the orders without a date
STORED = ZoneInfo("UTC")
BROKEN = "\N{BALLOT X} Broken"  # a table's cell shows no icon
STATES = {
    "active": "Active customer",
    "deleted": "Deleted customer",
    "no_customer": "No customer",
    "missing_customer": "Missing customer",
}


def months_of(screen: Books, currency: str) -> list[MonthlyRevenue]:
    """The months of one currency, those without an order between them and sealed ones included, newest first."""
    held, zero = [m for m in screen.months if m.currency == currency], Decimal(0)
    empty = {s.month for s in screen.seals} - {m.month for m in held}
    held += [MonthlyRevenue(name, currency, 0, zero, zero, zero, zero, zero) for name in empty]
    return without_gaps(sorted(held, key=lambda m: month_order((m.month, currency))))[::-1]


def asked_month() -> str | None:
    """The month in the address (`none`: the orders without a date); None where there is none that can be read.

    An address that names a month opens the tab that shows it.
    """
    asked = st.query_params.get("month", "")
    month = asked if asked == NO_DATE or read_month(asked) == asked else None
    if month and "view" not in st.query_params:
        st.session_state.setdefault("view", TAB)
    return month


def go_to(**changes: str | None) -> None:
    """Changes these keys of the address (None: removed), in the tab of the months; a month begins at its first page unless a cursor is among them.

    Key by key, because the tab and the currency are bound to the address by their own widgets.
    """
    st.session_state.pop("flash", None)
    st.session_state.view = TAB
    for key in ("after", "before", *changes):
        if changes.get(key):
            st.query_params[key] = str(changes[key])
        else:
            st.query_params.pop(key, None)


def show_months(screen: Books, report: Report | None, currency: str, here: Here) -> None:
    """The table of months, newest first, and what can be done with the selected one."""
    months = months_of(screen, currency)
    if not months:
        st.info("When there are orders, their months are listed here, to be sealed once they are over.")
        return
    chosen = _select(months, _frame(months, screen, broken_seals(report), currency, here), currency)
    with st.container(horizontal=True, vertical_alignment="center"):
        _act(chosen, screen, here)


def broken_seals(report: Report | None) -> dict[str, list[str]]:
    """The months whose seal did not hold when last checked, each with what was found."""
    broken: dict[str, list[str]] = {}
    for check in report.checks if report else []:
        if check.name == "seals" and not check.ok:
            for finding in check.findings:
                broken.setdefault(finding.id[:7], []).append(finding.words)
    return broken


def _frame(
    months: Sequence[MonthlyRevenue], screen: Books, broken: Collection[str], currency: str, here: Here
) -> pd.DataFrame:
    seals = {s.month: s for s in screen.seals}
    of = [seals.get(m.month or "") for m in months]
    decimals = here.database.settings.money.decimals
    return pd.DataFrame(
        {
            "Month": [text.month(m.month, unfinished=m.month == this_month()) for m in months],
            "Seal": [_state(m.month, s, broken) for m, s in zip(months, of, strict=True)],
            "Orders": [f"{m.orders:,}" for m in months],
            f"Total ({currency})": [text.amount(m.total, decimals) for m in months],
            "Sealed": tables.times([s.sealed_at if s else None for s in of], here.zone),
            "By": [s.actor if s else "" for s in of],
        }
    )


def _state(month: str | None, seal: Seal | None, broken: Collection[str]) -> str:
    if month in broken:
        return BROKEN
    if month is None:
        return ""
    return "Sealed" if seal else "Open"


def _select(months: Sequence[MonthlyRevenue], frame: pd.DataFrame, currency: str) -> MonthlyRevenue | None:
    """The table; answers the month of the selected row of this very frame."""
    state = st.dataframe(
        frame,
        key=f"months-{currency}-{hash(tuple(frame['Seal']))}",
        hide_index=True,
        height=HEIGHT if len(frame) > 9 else "content",
        column_config={
            "Orders": st.column_config.TextColumn(alignment="right"),
            frame.columns[3]: st.column_config.TextColumn(alignment="right"),
            "Sealed": tables.time_column("Sealed"),
        },
        on_select="rerun",
        selection_mode="single-row",
        placeholder="",
        alt=f"{len(frame)} months in {currency}, newest first; select one to open or seal it",
    )
    rows = [row for row in state["selection"]["rows"] if row < len(months)]
    return months[rows[0]] if rows else None


def _act(chosen: MonthlyRevenue | None, screen: Books, here: Here) -> None:
    """The buttons beneath: its orders, and for those who may, its seal; without a selection the oldest open month."""
    st.button(
        "Show its orders" if chosen is None else f"Show the orders of {text.month(chosen.month)}",
        key="open_month",
        icon=":material/list:",
        disabled=chosen is None,
        on_click=go_to,
        kwargs={"month": (chosen.month or NO_DATE) if chosen else None},
    )
    st.caption("Select a month to open or seal it." if chosen is None else "", width="content")
    st.space("stretch")
    if not here.actor.may(Permission.SEAL_MONTHS):
        st.caption(here.actor.refusal(Permission.SEAL_MONTHS), width="content")
        return
    month = chosen.month if chosen else oldest_open(screen)
    sealed = month in {s.month for s in screen.seals}
    blocked = here.read_only or _why_not(month, sealed)
    name = f" {text.month(month)}" if month else ""
    st.button(
        f"Unseal{name}" if sealed else f"Seal{name}" if name else "Seal month",
        key="unseal" if sealed else "seal",
        icon=":material/lock_open:" if sealed else ":material/lock:",
        disabled=bool(blocked) or checking.running() is not None,
        help=typed(blocked) if blocked else None,
        on_click=asking.ask,
        args=("unseal" if sealed else "seal", month),
    )


def oldest_open(screen: Books) -> str | None:
    """The first month that is over and not sealed: the one to seal next."""
    sealed = {s.month for s in screen.seals}
    over = {m.month for m in screen.months if m.month and m.month < this_month()}
    return min(over - sealed, default=None)


def _why_not(month: str | None, sealed: bool) -> str | None:
    if sealed:
        return None
    if month is None:
        return "Every month that is over is sealed, or the selected orders have no date."
    return "This month is not over yet." if month >= this_month() else None


def show_seal(screen: Books, report: Report | None, month: str, here: Here) -> None:
    """What an opened month was sealed with, by whom and when, and what does not hold of it."""
    decimals = here.database.settings.money.decimals
    for seal in (s for s in screen.seals if s.month == month):
        held = f"{text.count(seal.orders, 'order')}, {seal.currency} {text.amount(seal.total, decimals)}"
        when = text.day_and_time(seal.sealed_at, here.zone)
        st.caption(f":material/lock: {typed(f'Sealed with {held}, {when}, by {seal.actor}.')}")
    for words in broken_seals(report).get(month, []):
        st.error(typed(words), icon=":material/error:")


def show_orders(moment: Snapshot, month: str, currency: str, here: Here) -> None:
    """One month's orders, a page at a time, with whose they are and what has become of that customer."""
    st.subheader(f"Orders of {text.month(None if month == NO_DATE else month)}, {typed(currency)}", anchor=False)
    page = _read(moment, month, currency, here)
    if page.items:
        st.dataframe(
            _orders_frame(page.items, currency, here),
            hide_index=True,
            height=HEIGHT if len(page.items) > 9 else "content",
            column_config={
                f"Amount ({currency})": st.column_config.TextColumn(alignment="right"),
                "Ordered (UTC)": tables.time_column("Ordered (UTC)"),
            },
            alt=f"{len(page.items)} orders of {text.month(None if month == NO_DATE else month)}",
        )
    else:
        st.info("There is no order here in this currency.", icon=":material/list:")
    with st.container(horizontal=True, vertical_alignment="center"):
        _turn("Previous", "before", page.previous, ":material/chevron_left:")
        _turn("Next", "after", page.next, ":material/chevron_right:")
        st.caption(text.count(len(page.items), "order") + " on this page", width="content")
        st.space("stretch")
        st.button("All months", key="months", icon=":material/calendar_month:", on_click=go_to, kwargs={"month": None})


def _turn(label: str, key: str, cursor: str | None, icon: str) -> None:
    st.button(
        label,
        key=label.lower(),
        icon=icon,
        icon_position="right" if key == "after" else "left",
        disabled=not cursor,
        on_click=go_to,
        kwargs={key: cursor},
    )


def _read(moment: Snapshot, month: str, currency: str, here: Here) -> Page[MonthOrder]:
    """The page that the address names; one that cannot be read becomes the first."""
    after = st.query_params.get("after")
    before = None if after else st.query_params.get("before")
    connection, schema, of = moment.connection, here.database.schema, None if month == NO_DATE else month
    try:
        return queries.list_month_orders(
            connection, schema, of, currency=currency, limit=ROWS, after=after, before=before
        )
    except InvalidInput as error:
        st.info(typed(error))
        return queries.list_month_orders(connection, schema, of, currency=currency, limit=ROWS)


def _orders_frame(orders: Sequence[MonthOrder], currency: str, here: Here) -> pd.DataFrame:
    decimals = here.database.settings.money.decimals
    if any(rounded(o.total, decimals) != o.total for o in orders):
        decimals = 6
    counts = any(not o.counted for o in orders)
    frame = pd.DataFrame(
        {
            "Order": [str(o.id) for o in orders],
            # As stored: in another zone an order of the month's last evening would stand in the next month.
            "Ordered (UTC)": tables.times([o.ordered_at for o in orders], STORED),
            f"Amount ({currency})": [text.amount(o.total, decimals) for o in orders],
            "Customer": [o.customer_name or "" for o in orders],
            "Number": ["" if o.customer_id is None else str(o.customer_id) for o in orders],
            "Whose": [STATES[o.state] for o in orders],
            "Status": [o.status or "" for o in orders],
            "Counts": ["yes" if o.counted else "no" for o in orders],
        }
    )
    absent = [] if counts else ["Counts"]
    absent += [] if any(o.status for o in orders) else ["Status"]
    return frame.drop(columns=absent)
