"""Customer Management: the active customers; add, edit, delete."""

import streamlit as st

from data.access import Permission
from ui import lists, tables
from ui.dialog import ask, ask_about
from ui.dialogs import show_dialog
from ui.jobs import show_job, show_recent
from ui.many import ask_to_delete, offer_all
from ui.shell import open_page
from ui.text import count, typed
from ui.waiting import mark_waiting, show_answers

SORTS = {
    "By number": ("id", False),
    "Last number first": ("id", True),
    "Name A to Z": ("name", False),
    "Name Z to A": ("name", True),
    "E-mail A to Z": ("email", False),
    "Newest first": ("created_at", True),
    "Oldest first": ("created_at", False),
}

here = open_page("Customer Management", Permission.READ_CUSTOMERS)
url = here.database.settings.database_url
schema = here.database.schema
blocker = here.change_blocker
may_change = blocker is None

answer, answers = st.container(), st.container()
show_job(here)
with st.container(horizontal=True, vertical_alignment="center"):
    asked = lists.ask(here, SORTS, deleted=False)
    show_recent(here)
    st.button(
        "Add New Customer",
        key="add",
        icon=":material/person_add:",
        disabled=not may_change or schema.add_blocker is not None,
        help=blocker or (typed(schema.add_blocker) if schema.add_blocker else None),
        on_click=ask,
        args=("add",),
    )
    if st.button("View Deleted Customers", key="view_deleted", icon=":material/person_off:"):
        st.switch_page("pages/deleted_customers.py")

with here.reading() as moment:
    page = lists.read_page(moment, here, asked)
    frame, config = mark_waiting(here, moment, page.items, tables.active_table(here, page.items))
    with answers:
        show_answers(here, moment)
with here.careful():
    active, deleted = lists.count_active(url), lists.count_deleted(url)
    matching = lists.count_asked(here, asked, page)
    others = lists.count_matching(url, True, asked.search) if asked.narrowed and not page.items else lists.Count(0)
still = f"{count(deleted, 'deleted customer')} not in this list; their orders still count in every report."
answer.write(
    f"{count(active, 'active customer')}. {still}" if deleted else f"{count(active, 'active customer')}, none deleted."
)

selected = []
if page.items:
    alt = f"{len(page.items)} active customers; select rows to edit or delete"
    selected = lists.select_rows(frame, page.items, config=config, alt=alt)
elif asked.narrowed:
    would = f"No active customer matches; {others.of('deleted customer')} would: see View Deleted Customers."
    st.info(would if others.number else "No customer matches, active or deleted.", icon=":material/search_off:")
elif deleted:
    st.info("Every customer is deleted. View Deleted Customers restores them.", icon=":material/group:")
else:
    st.info("There are no customers yet. Add New Customer makes the first one.", icon=":material/group:")

with st.container(horizontal=True, vertical_alignment="center"):
    if page.items:
        lists.pager(page, total=matching)
    st.space("stretch")
    if may_change and page.items and not selected:
        st.caption("Select rows to edit or delete.", width="content")
    lists.history_link(selected)
    st.button(
        "Edit",
        key="edit",
        icon=":material/edit:",
        disabled=not may_change or len(selected) != 1,
        help=blocker,
        on_click=ask_about,
        args=("edit", selected),
    )
    label = "Delete" if len(selected) < 2 else f"Delete {len(selected)}"
    st.button(
        label,
        key="delete",
        icon=":material/person_off:",
        disabled=not may_change or not selected,
        help=blocker,
        on_click=ask_to_delete,
        args=(selected,),
    )
    if may_change:
        offer_all(asked, page, selected, matching=matching)

show_dialog(here)
