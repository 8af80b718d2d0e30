"""Deleted Customers: when, by whom, why, what their orders are worth; restore."""

import pandas as pd
import streamlit as st

from data import queries
from data.access import Permission
from ui import actions, lists, text
from ui.shell import open_page
from ui.text import count

TITLE = "Deleted Customers"
SORTS = {
    "Last deleted first": ("deleted_at", True),
    "First deleted first": ("deleted_at", False),
    "Name A to Z": ("name", False),
    "By number": ("id", False),
}

here = open_page(TITLE, Permission.READ_CUSTOMERS)
schema = here.database.schema
decimals = here.database.settings.money.decimals
may_change = here.actor.may(Permission.CHANGE_CUSTOMERS) and not here.read_only

answer = st.container()
with st.container(horizontal=True, vertical_alignment="center"):
    search = lists.search_box(deleted=True)
    sort = lists.sort_box(SORTS, deleted=True)

page = lists.read_page(here, deleted=True, search=search, sort=sort)
deleted = lists.count_customers(here.database.settings.database_url, True, "")
matching = lists.count_customers(here.database.settings.database_url, True, search) if search else deleted
stays = "Their orders are in every report; restoring brings them back to the list."
answer.write(f"{count(deleted, 'deleted customer')}. {stays}" if deleted else "Nobody is deleted.")

ids = [c.id for c in page.items]
selected = []
if ids:
    with here.reading() as moment:
        events = queries.list_deletions(moment.connection, schema, ids)
        kept = queries.impact(moment.connection, schema, ids)
    labels = here.database.settings.reason_labels
    found = [events.get(customer_id) for customer_id in ids]
    reasons = [
        ": ".join(filter(None, [labels.get(e.reason or "", e.reason), e.note])) if e else "before Evenbooks"
        for e in found
    ]
    frame = pd.DataFrame(
        {
            "deleted_at": lists.times([c.deleted_at for c in page.items], here.zone),
            "name": [c.name for c in page.items],
            "by": [e.actor if e else "" for e in found],
            "reason": reasons,
            "orders": [kept[customer_id].orders for customer_id in ids],
            "revenue": [text.money(kept[customer_id].revenue, decimals) for customer_id in ids],
            "id": ids,
        }
    )
    config = {
        "deleted_at": lists.time_column("Deleted"),
        "name": st.column_config.TextColumn("Name", width="medium"),
        "by": st.column_config.TextColumn("By", width="small"),
        "reason": st.column_config.TextColumn("Why", width="medium"),
        "orders": st.column_config.NumberColumn("Orders kept", width="small"),
        "revenue": st.column_config.TextColumn("Revenue kept", width="small", alignment="right"),
        "id": st.column_config.Column("Number", width="small"),
    }
    selected = lists.select_rows(
        frame, ids, config=config, alt=f"{len(ids)} deleted customers; select rows to restore them"
    )
elif search:
    st.info("No deleted customer matches.", icon=":material/search_off:")
else:
    st.info(
        "Customers deleted in Customer Management appear here, with when, by whom and why.",
        icon=":material/person_off:",
    )

with st.container(horizontal=True, vertical_alignment="center"):
    if ids:
        lists.pager(page, total=matching)
    st.space("stretch")
    if may_change and ids and not selected:
        st.caption("Select rows to restore.", width="content")
    label = "Restore Customer" if len(selected) < 2 else f"Restore {len(selected)} Customers"
    st.button(
        label,
        key="restore",
        icon=":material/restore:",
        disabled=not may_change or not selected,
        on_click=actions.restore,
        args=(selected, TITLE),
    )
    if st.button("Back to Customer Management", key="back", icon=":material/group:"):
        st.switch_page("pages/customers.py")
