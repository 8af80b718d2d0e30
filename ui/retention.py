"""What Retention shows: the policy in words, who is due and when, and who is erased already."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from functools import partial
from zoneinfo import ZoneInfo

import pandas as pd
import streamlit as st

from data import database as databases
from data import queries, retention
from data.access import Permission
from data.database import Snapshot, snapshot
from data.erasing import filled_columns
from data.errors import EvenbooksError
from data.inspection.blanking import blanks_of
from data.records import Customer, Page, Time
from data.retention import Survey
from data.retention.replay import drift
from data.settings import Settings
from ui import tables, text
from ui.keeping import kept
from ui.lists import ROWS, go_to, page_of_address
from ui.shell import Here
from ui.text import count, typed

VIEWS = {"kept": "Deleted, not erased", "erased": "Erased"}
AGAIN = ", filled again since"  # who may be erased anew


@kept()
def read_survey(url: str) -> Survey:
    """How many are due, and when the next one is; kept for a minute. `url` keeps databases apart."""
    database = databases.default()
    with snapshot(database) as moment:
        return retention.survey(moment.connection, database.schema, moment.at)


@kept()
def read_drift(url: str) -> str | None:
    """Whether the file of erasures names people who are not erased here, as a sentence; kept for a minute."""
    database = databases.default()
    with snapshot(database) as moment:
        try:
            return drift(moment.connection, database.schema)
        except EvenbooksError as error:
            return str(error)


def policy(settings: Settings, found: Survey, zone: ZoneInfo) -> str:
    """The page's first sentence, as Markdown."""
    days = settings.retention.days
    if days is None:
        return (
            "`[retention] days` is not set in evenbooks.toml, so nobody ever comes due. One customer can still be erased "
            "on request."
        )
    words = f"Customers are due to be erased {count(days, 'day')} after they were deleted. "
    if found.due:
        return f"{words}{found.due:,} {'is' if found.due == 1 else 'are'} due now; nobody is erased before it is asked for and approved."
    if found.next_due:
        return f"{words}Nobody is due now; the first will be {text.since(found.next_due, zone, datetime.now(UTC))}."
    return f"{words}Nobody is waiting."


def show_figures(found: Survey, settings: Settings) -> None:
    """At most four figures."""
    figures = [("Due now", found.due)] if settings.retention.days is not None else []
    figures += [("Deleted, not erased", found.deleted), ("Erased", found.erased)]
    if found.unreadable:
        figures.append(("Unreadable time, never due", found.unreadable))
    with st.container(horizontal=True):
        for label, value in figures:
            st.metric(label, f"{value:,}", border=True)


def due_blocker(moment: Snapshot, here: Here, found: Survey) -> str | None:
    """Why those who are due cannot be erased together now, as Markdown; None where they can."""
    if found.due < 2:
        return None
    words = retention.backup_blocker(moment.connection, here.database.schema, moment.at)
    return typed(words) if words else None


def view_picker() -> str:
    """Which of the two lists, in the address as ?view=."""
    asked = st.query_params.get("view", "kept")
    st.session_state.setdefault("retention_view", asked if asked in VIEWS else "kept")
    st.segmented_control(
        "List",
        list(VIEWS),
        key="retention_view",
        format_func=VIEWS.__getitem__,
        required=True,
        label_visibility="collapsed",
        on_change=lambda: go_to(view=None if st.session_state.retention_view == "kept" else "erased"),
    )
    return str(st.session_state.retention_view or "kept")


def read_page(moment: Snapshot, here: Here, view: str) -> Page[Customer]:
    """The page of the deleted, or of the erased, that the address names."""
    erased = view == "erased"
    return page_of_address(
        partial(queries.list_kept, moment.connection, here.database.schema, erased=erased, limit=ROWS)
    )


def kept_table(moment: Snapshot, here: Here, customers: Sequence[Customer]) -> tables.Table:
    """Who is deleted and not erased: when due, how many days are left, what the orders are worth."""
    dues = [retention.due_at(here.database.settings.retention, c.deleted_at) for c in customers]
    frame = pd.DataFrame(
        {
            "due": tables.times(dues, here.zone),
            "left": [_days_left(due, c.deleted_at, moment.at) for due, c in zip(dues, customers, strict=True)],
            "name": [c.name for c in customers],
            "deleted_at": tables.times([c.deleted_at for c in customers], here.zone),
            **_worth(moment, here, customers),
            "id": [c.id for c in customers],
        }
    )
    config = {
        "due": tables.time_column("Due"),
        "left": st.column_config.TextColumn("Days left", width=110, alignment="right"),
        "name": st.column_config.TextColumn("Name", width=200),
        "deleted_at": tables.time_column("Deleted"),
        **_worth_columns(here),
        "id": st.column_config.Column("Number", width="small"),
    }
    if here.database.settings.retention.days is None:
        frame = frame.drop(columns=["due", "left"])
    return frame, config


def _days_left(due: datetime | None, deleted_at: Time | None, at: datetime) -> str:
    if due is None:
        return "" if isinstance(deleted_at, datetime) else "unreadable time"
    if due <= at:
        return "due"
    left = -((at - due).days)  # a day that has begun counts whole
    return f"{left:,}"


def erased_table(moment: Snapshot, here: Here, customers: Sequence[Customer]) -> tables.Table:
    """Who is erased: when, by whom, why, and what stayed."""
    labels, ids = here.database.settings.reason_labels, [c.id for c in customers]
    events = queries.list_deletions(moment.connection, here.database.schema, ids, action="erase")
    found = [events[c.id] for c in customers]
    blanks, _ = blanks_of(moment.connection, here.database.schema)
    filled = filled_columns(moment.connection, here.database.schema, ids, blanks)
    frame = pd.DataFrame(
        {
            "erased": tables.times([e.at for e in found], here.zone),
            "name": [text.shown_name(c, ids) + (AGAIN if c.id in filled else "") for c in customers],
            "by": [e.actor for e in found],
            "reason": [labels.get(e.reason or "", e.reason) for e in found],
            "deleted_at": tables.times([c.deleted_at for c in customers], here.zone),
            **_worth(moment, here, customers),
        }
    )
    config = {
        "erased": tables.time_column("Erased"),
        "name": st.column_config.TextColumn("Customer", width=200),
        "by": st.column_config.TextColumn("Asked for by", width=150),
        "reason": st.column_config.TextColumn("Why", width=200),
        "deleted_at": tables.time_column("Deleted"),
        **_worth_columns(here),
    }
    return frame, config


def _worth(moment: Snapshot, here: Here, customers: Sequence[Customer]) -> dict[str, list[object]]:
    impacts = queries.impact(moment.connection, here.database.schema, [c.id for c in customers]) if customers else {}
    return {
        "orders": [impacts[c.id].orders for c in customers],
        "revenue": [tables.worth(impacts[c.id], here) for c in customers],
    }


def _worth_columns(here: Here) -> dict[str, object]:
    keeps, money = here.database.schema.keeps_currency, here.database.settings.money
    label = "Revenue kept" if keeps else f"Kept ({money.currency})"
    return {
        "orders": st.column_config.NumberColumn("Orders kept", width="small"),
        "revenue": st.column_config.TextColumn(label, width="medium" if keeps else 95, alignment="right"),
    }


def blocker(here: Here) -> str | None:
    """Why nothing can be asked for here by this actor, as Markdown; None where it can."""
    if not here.actor.may(Permission.ERASE_CUSTOMERS):
        return here.actor.refusal(Permission.ERASE_CUSTOMERS)
    return typed(here.read_only) if here.read_only else None


def show_dry_run(here: Here, *, told: str | None = None) -> None:
    """What erasing everybody who is due would come to; nothing is changed. What is `told` on the page is not said again."""
    with here.careful(), st.spinner("Adding up what stays"), here.reading() as moment:
        found = retention.dry_run(moment.connection, here.database.schema, moment.at)
    customers, orders = found.totals.customers, found.totals.orders
    worth = text.money(found.totals.revenue, here.database.settings.money.decimals)
    columns = typed(", ".join(found.columns))
    st.info(
        f"Dry run: {count(customers, 'customer')} would be erased ({columns} blanked). {count(orders, 'order')} worth "
        f"{typed(worth)} {'stays' if orders == 1 else 'stay'} in every report, to the last digit. Nothing was changed."
        if customers
        else "Dry run: nobody is due, so nobody would be erased. Nothing was changed.",
        icon=":material/science:",
    )
    for words in found.obstacles:
        if typed(words) != told:
            st.warning(typed(words), icon=":material/block:")
