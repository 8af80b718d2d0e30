"""Approvals: what waits for a second person, and what became of it."""

import streamlit as st

from data import approvals, queries
from data.access import Permission
from ui.approvals import (
    SHOWN,
    decided_table,
    may_decide,
    read_waiting,
    refusal,
    select_cases,
    show_links,
    show_turns,
    waiting_table,
)
from ui.deciding import show_buttons, show_dialog
from ui.shell import open_page
from ui.text import count, typed

here = open_page("Approvals", Permission.READ_CUSTOMERS)
schema, days = here.database.schema, here.database.settings.approval.expires_days
waits = approvals.needed(here.database.settings, "delete")

answer = st.container()
if not waits:
    st.info(
        "Deletions are carried out at once: approval is off. `[approval] deletion = true` in evenbooks.toml turns it on; "
        "it takes sign-in (docs/approval.md). Erasures always wait.",
        icon=":material/toggle_off:",
    )
approvals.expire_quietly(here.database)
with here.reading() as moment:
    found = read_waiting(here, moment)
    cases = found[:SHOWN]
    frame, config = waiting_table(here, moment, cases)
with here.careful():
    number = len(cases) if len(found) <= SHOWN else approvals.count_waiting(here.database)
answer.write(
    f"{count(number, 'request')} {'waits' if number == 1 else 'wait'} for somebody's approval. What nobody answers within "
    f"{count(days, 'day')} expires; nothing is deleted or erased by it."
    if number
    else "Nothing waits for approval."
)

selected = []
if cases:
    selected = select_cases(frame, cases, config)
    refused = refusal(here.actor, selected or cases[:1]) if may_decide(here.actor) else None
    if refused and (selected or not here.actor.signed_in):
        st.info(typed(refused), icon=":material/group:")
    with st.container(horizontal=True, vertical_alignment="center"):
        if len(found) > SHOWN:
            st.caption(f"The {SHOWN} that expire first, of {number:,}", width="content")
        st.space("stretch")
        if not selected:
            words = "Select rows to decide." if may_decide(here.actor) else "Select a row of yours to withdraw it."
            st.caption(words, width="content")
        show_links(here, selected)
        with st.container(horizontal=True, width="content"):
            show_buttons(here, selected, refused if selected else None)
elif waits:
    st.info(
        "Who deletes a customer asks for it, and it appears here until somebody else approves or rejects it.",
        icon=":material/how_to_reg:",
    )

folded = st.expander("What was decided", key="decided", on_change="rerun")
if folded.open:
    with folded, here.careful():
        pages: list[int] = st.session_state.get("decided_before", [])
        before = pages[-1] if pages else None
        with here.reading() as later:
            ended = queries.list_requests(
                later.connection, schema, at=later.at, decided=True, before_id=before, limit=SHOWN + 1
            )
            history = approvals.list_cases(later.connection, schema, ended[:SHOWN])
            decided, columns = decided_table(here, later, history)
        if history:
            st.dataframe(decided, hide_index=True, column_config=columns, alt=f"{len(history)} requests that ended")
            if pages or len(ended) > SHOWN:
                show_turns(pages, ended[SHOWN - 1].id if len(ended) > SHOWN else None)
        else:
            st.write("Nothing was decided yet.")

show_dialog(here)
