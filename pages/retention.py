"""Retention: who is due to be erased and when; erasing, with the totals proved."""

import streamlit as st

from data.access import Permission
from ui import backups, erasing, lists, retention
from ui.jobs import show_job
from ui.shell import open_page
from ui.text import count, typed

FIGURES = 130  # pixels: what stands above this list and above no other

here = open_page("Retention", Permission.READ_RETENTION)
settings, url = here.database.settings, here.database.settings.database_url
blocker = retention.blocker(here)
dry_run = st.session_state.get("dry_run", False)

with here.careful():
    found, drift = retention.read_survey(url), retention.read_drift(url)
st.write(retention.policy(settings, found, here.zone))
show_job(here)
told = st.container()
if drift:
    st.warning(typed(drift), icon=":material/settings_backup_restore:")
retention.show_figures(found, settings)
with st.container(horizontal=True, vertical_alignment="center"):
    view = retention.view_picker()
    checked = st.container(horizontal=True, horizontal_alignment="right")

with here.reading() as moment:
    page = retention.read_page(moment, here, view)
    make = retention.erased_table if view == "erased" else retention.kept_table
    frame, config = make(moment, here, page.items)
    due_blocker = retention.due_blocker(moment, here, found)
with checked:
    backups.show_line(here, instead=due_blocker)

selected = []
taken = FIGURES + (lists.TOLD if dry_run else 0) + (lists.PANEL if drift else 0)
if page.items and view == "erased":
    st.dataframe(
        frame,
        key="table-erased",
        hide_index=True,
        height=lists.height(len(frame), taken=taken),
        column_config=config,
        alt=f"{count(len(frame), 'erased customer')}",
    )
elif page.items:
    alt = f"{count(len(frame), 'deleted customer')}, first deleted first; select one to erase it on request"
    selected = lists.select_rows(frame, page.items, config=config, alt=alt, taken=taken)
elif view == "erased":
    st.info("Nobody was erased yet. Whoever is appears here: when, why, and what stayed.", icon=":material/ink_eraser:")
else:
    st.info("Nobody is deleted, so nobody is waiting to be erased.", icon=":material/auto_delete:")

with st.container(horizontal=True, vertical_alignment="center"):
    if page.items:
        lists.pager(page, total=lists.Count(found.erased if view == "erased" else found.deleted))
    st.space("stretch")
    if settings.retention.days is not None:
        st.button("Dry run", key="dry_run", icon=":material/science:", help="Adds up what would stay; changes nothing.")
    number = st.text_input(
        "Customer number", key="number", placeholder="#number", label_visibility="collapsed", width=110, max_chars=255
    )
    one = selected[0].id if len(selected) == 1 else number.strip()
    st.button(
        "Erase one on request",
        key="erase_one",
        icon=":material/ink_eraser:",
        disabled=blocker is not None or not one,
        help=blocker or "Of the selected row, or of this number: because the person asked for it.",
        on_click=erasing.ask_for_one,
        args=(one,),
    )
    if settings.retention.days is not None:
        st.button(
            f"Erase all {found.due:,} due" if found.due else "Erase all due",
            key="erase_due",
            icon=":material/auto_delete:",
            disabled=blocker is not None or due_blocker is not None or not found.due,
            help=blocker or due_blocker,
            on_click=erasing.ask_for_due,
        )
if dry_run:
    with told:
        retention.show_dry_run(here, told=due_blocker)

erasing.show_dialog(here)
