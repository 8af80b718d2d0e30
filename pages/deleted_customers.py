"""Deleted Customers: when, by whom, why, what their orders are worth; restore."""

import pandas as pd
import streamlit as st

from data import queries
from data.access import Permission
from ui import actions, lists, text
from ui.shell import open_page
from ui.text import count

SORTS = {
    "Last deleted first": ("deleted_at", True),
    "First deleted first": ("deleted_at", False),
    "Name A to Z": ("name", False),
    "By number": ("id", False),
}

here = open_page("Deleted Customers", Permission.READ_CUSTOMERS)
schema = here.database.schema
decimals = here.database.settings.money.decimals
blocker = here.change_blocker
may_change = blocker is None

answer = st.container()
with st.container(horizontal=True, vertical_alignment="center"):
    search = lists.search_box(deleted=True)
    sort = lists.sort_box(SORTS, deleted=True)

page = lists.read_page(here, deleted=True, search=search, sort=sort)
with here.careful():
    deleted = lists.count_customers(here.database.settings.database_url, True, "")
    matching = lists.count_customers(here.database.settings.database_url, True, search) if search else deleted
stays = "Their orders are in every report; restoring brings them back to the list."
answer.write(f"{count(deleted, 'deleted customer')}. {stays}" if deleted else "Nobody is deleted.")

ids = [c.id for c in page.items]
selected = []
if ids:
    with here.reading() as moment:
        deletions = lists.read_deletions(moment, here.database, page.items)
        kept = queries.impact(moment.connection, schema, ids)
    frame = pd.DataFrame(
        {
            "deleted_at": lists.times([c.deleted_at for c in page.items], here.zone),
            "name": [c.name for c in page.items],
            "by": [by for by, _ in deletions],
            "reason": [why for _, why in deletions],
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
        help=blocker,
        on_click=actions.restore,
        args=(selected,),
    )
    if st.button("Back to Customer Management", key="back", icon=":material/group:"):
        st.switch_page("pages/customers.py")
