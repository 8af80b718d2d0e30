"""Customers as tables: what stands in their columns, and how it looks."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import pandas as pd
import streamlit as st

from data import queries
from data.database import Database, Snapshot
from data.records import Customer, CustomerId, Impact, Time
from ui import text
from ui.shell import Here

Table = tuple[pd.DataFrame, dict[str, Any]]


def active_table(here: Here, customers: Sequence[Customer]) -> Table:
    """Active customers: the frame, and its columns' configuration; columns that are not mapped are left out."""
    present = here.database.schema.present
    frame = pd.DataFrame(
        {
            "id": [c.id for c in customers],
            "name": [c.name for c in customers],
            "email": [c.email for c in customers],
            "phone": [c.phone for c in customers],
            "created_at": times([c.created_at for c in customers], here.zone),
        }
    )
    config = {
        "id": st.column_config.Column("Number", width="small"),
        "name": st.column_config.TextColumn("Name", width="medium"),
        "email": st.column_config.TextColumn("E-mail", width="medium"),
        "phone": st.column_config.TextColumn("Phone", width="small"),
        "created_at": time_column("Customer since"),
    }
    return frame[[name for name in frame.columns if name in present]], config


def deleted_table(
    moment: Snapshot, here: Here, customers: Sequence[Customer], erased: Collection[CustomerId] = ()
) -> Table:
    """Deleted customers with when, by whom, why, and what their orders are worth: the frame, and its configuration."""
    deletions = _deletions(moment, here.database, customers)
    impacts = queries.impact(moment.connection, here.database.schema, [c.id for c in customers])
    kept = [impacts[c.id] for c in customers]
    frame = pd.DataFrame(
        {
            "deleted_at": times([c.deleted_at for c in customers], here.zone),
            "name": [text.shown_name(c, erased) for c in customers],
            "email": ["" if c.id in erased else c.email for c in customers],
            "by": [by for by, _ in deletions],
            "reason": [why for _, why in deletions],
            "orders": [impact.orders for impact in kept],
            "revenue": [worth(impact, here) for impact in kept],
            "id": [c.id for c in customers],
        }
    )
    money = here.database.settings.money
    revenue = "Revenue kept" if here.database.schema.keeps_currency else f"Kept ({money.currency})"
    config = {
        "deleted_at": time_column("Deleted"),
        "name": st.column_config.TextColumn("Name", width=160),
        "email": st.column_config.TextColumn("E-mail", width=180),
        "by": st.column_config.TextColumn("By", width=138),
        "reason": st.column_config.TextColumn("Why", width=175),
        "orders": st.column_config.NumberColumn("Orders kept", width="small"),
        "revenue": st.column_config.TextColumn(
            revenue, width="medium" if here.database.schema.keeps_currency else 95, alignment="right"
        ),
        "id": st.column_config.Column("Number", width="small"),
    }
    return frame if "email" in here.database.schema.present else frame.drop(columns="email"), config


def worth(impact: Impact, here: Here) -> str:
    """A customer's revenue; with the currency only where orders carry one, else it stands in the header."""
    decimals = here.database.settings.money.decimals
    if here.database.schema.keeps_currency:
        return text.money(impact.revenue, decimals)
    return text.amount(next(iter(impact.revenue.values()), Decimal(0)), decimals)


def _deletions(moment: Snapshot, database: Database, deleted: Sequence[Customer]) -> list[tuple[str, str]]:
    """By whom and why each of these was deleted; where no event of ours did it, whether that was before our time."""
    connection, schema, labels = moment.connection, database.schema, database.settings.reason_labels
    events = queries.list_deletions(connection, schema, [c.id for c in deleted])
    baseline = queries.list_events(connection, schema, before_id=2)

    def told(customer: Customer) -> tuple[str, str]:
        event, at = events.get(customer.id), customer.deleted_at
        if event and event.at == at:
            return event.actor, ": ".join(filter(None, [labels.get(event.reason or "", event.reason), event.note]))
        later = isinstance(at, datetime) and any(isinstance(e.at, datetime) and e.at < at for e in baseline)
        return "", "outside Evenbooks" if event or later else "before Evenbooks"

    return [told(customer) for customer in deleted]


def times(values: Sequence[Time | None], zone: ZoneInfo) -> pd.Series[Any]:
    """A column of times in the viewer's zone; text as soon as one of them is no time."""
    if all(value is None or isinstance(value, datetime) for value in values):
        return pd.to_datetime(pd.Series(list(values), dtype="object"), utc=True).dt.tz_convert(zone)
    return pd.Series([text.day_and_time(value, zone) for value in values])


def time_column(label: str) -> Any:
    """How a column of times looks."""
    return st.column_config.DatetimeColumn(label, format="D MMM YYYY, HH:mm", width=140)
