"""Deleted Customers: when, by whom, why, what their orders are worth; restore."""

import streamlit as st

from data import queries
from data.access import Permission
from ui import conflicts, lists, tables
from ui.dialogs import show_dialog
from ui.downloads import show_export, show_replica
from ui.jobs import show_job, show_recent
from ui.many import offer_all
from ui.shell import open_page
from ui.text import count, shown_name, typed

SORTS = {
    "Last deleted first": ("deleted_at", True),
    "First deleted first": ("deleted_at", False),
    "Name A to Z": ("name", False),
    "By number": ("id", False),
}

here = open_page("Deleted Customers", Permission.READ_CUSTOMERS)
url = here.database.settings.database_url
blocker = here.change_blocker
may_change = blocker is None

answer = st.container()
show_job(here)
with st.container(horizontal=True, vertical_alignment="center"):
    asked = lists.ask(here, SORTS, deleted=True)
    show_recent(here)

with here.reading() as moment:
    page = lists.read_page(moment, here, asked)
    erased = queries.erased_ids(moment.connection, here.database.schema, [c.id for c in page.items])
    frame, config = tables.deleted_table(moment, here, page.items, erased)
with here.careful():
    deleted = lists.count_deleted(url)
    matching = lists.count_asked(here, asked, page)
stays = "Their orders are in every report; restoring brings them back to the list."
answer.write(f"{count(deleted, 'deleted customer')}. {stays}" if deleted else "Nobody is deleted.")

selected = []
if page.items:
    alt = f"{len(page.items)} deleted customers; select rows to restore them"
    selected = lists.select_rows(frame, page.items, config=config, alt=alt)
elif asked.narrowed:
    st.info("No deleted customer matches.", icon=":material/search_off:")
else:
    st.info(
        "Customers deleted in Customer Management appear here, with when, by whom and why.",
        icon=":material/person_off:",
    )

gone = [customer for customer in selected if customer.id in erased]
if gone:
    blocker = blocker or f"{typed(shown_name(gone[0], erased))} cannot be restored: erasing is for good."
with st.container(horizontal=True, vertical_alignment="center"):
    if page.items:
        lists.pager(page, total=matching)
        show_export(here, "deleted_customers", {"search": asked.search, "reason": asked.reason}, key="download")
    st.space("stretch")
    if may_change and page.items and not selected:
        st.caption("Select rows to restore.", width="content")
    lists.history_link(selected)
    label = "Restore Customer" if len(selected) < 2 else f"Restore {len(selected)} Customers"
    st.button(
        label,
        key="restore",
        icon=":material/restore:",
        disabled=blocker is not None or not selected,
        help=blocker,
        on_click=conflicts.restore,
        args=(selected,),
    )
    if may_change:
        offer_all(asked, page, selected, matching=matching)
    if st.button("Back to Customer Management", key="back", icon=":material/group:"):
        st.switch_page("pages/customers.py")

show_dialog(here)
if page.items:
    show_replica(st.empty(), here.database)
