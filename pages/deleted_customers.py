"""Deleted Customers: when, by whom, why, what their orders are worth; restore."""

from functools import partial

import streamlit as st

from data.access import Permission
from data.exports import deleted_customers_file
from ui import actions, lists, tables
from ui.downloads import download_button, show_replica
from ui.shell import open_page
from ui.text import count

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
with st.container(horizontal=True, vertical_alignment="center"):
    search = lists.search_box(deleted=True)
    sort = lists.sort_box(SORTS, here, deleted=True)

with here.reading() as moment:
    page = lists.read_page(moment, here, deleted=True, search=search, sort=sort)
    frame, config = tables.deleted_table(moment, here, page.items)
with here.careful():
    deleted = lists.count_customers(url, True, "")
    matching = lists.count_customers(url, True, search) if search else deleted
stays = "Their orders are in every report; restoring brings them back to the list."
answer.write(f"{count(deleted, 'deleted customer')}. {stays}" if deleted else "Nobody is deleted.")

ids = [c.id for c in page.items]
selected = []
if ids:
    alt = f"{len(ids)} deleted customers; select rows to restore them"
    selected = lists.select_rows(frame, ids, config=config, alt=alt)
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
        download_button(
            "Download all",
            here.while_valid(partial(deleted_customers_file, here.database)),
            "deleted_customers.csv",
            "text/csv",
            key="download",
            icon=":material/download:",
            help="A CSV file: when, by whom, why, and what the orders are worth. Not only what the search finds.",
        )
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

if ids:
    show_replica(st.empty(), here.database)
