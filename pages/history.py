"""History: every event, newest first; one customer's life; the chain's state."""

import streamlit as st

from data import history as stored
from data.access import Permission
from data.database import snapshot
from ui import history, sifting
from ui.downloads import show_export, show_replica
from ui.lists import go_to
from ui.shell import open_page
from ui.text import count

here = open_page("History", Permission.READ_CUSTOMERS)

answer = st.container()
asked = sifting.filter_bar(here)
where, asked = sifting.read_filter(here, asked)
narrowed = sifting.is_narrowed(asked)
with here.reading() as moment:
    screen = history.read_screen(moment, here, where)
    with answer:
        if where.customer_id is not None:
            history.show_life(moment, screen, where.customer_id, here)
        elif narrowed:
            st.write("The events that the filter lets through, newest first.")
        else:
            st.write(f"{count(screen.events, 'event')}, newest first, each hashed over the one before.")
with answer, here.careful():
    history.show_chain(screen, here, narrowed=narrowed)

selected, body = None, st.container(horizontal=True)
if screen.page.items:
    with body:
        selected = history.events_table(screen, here, one=where.customer_id is not None)
elif where.customer_id is not None:
    st.info("No event names this customer: nothing was changed since Evenbooks is here.", icon=":material/history:")
else:
    st.info("No event matches.", icon=":material/search_off:")

with st.container(horizontal=True, vertical_alignment="center"):
    history.pager(screen, where, narrowed=narrowed)
    show_export(here, "history", asked, key="download")
    st.space("stretch")
    history.show_ways(selected, where)
    if where.batch_id:
        st.button("Not only this batch", key="no_batch", on_click=go_to, kwargs={"batch": None})

if selected:
    with here.careful(), snapshot(here.database) as moment:
        found = stored.get_evidence(moment.connection, here.database.schema, selected.id)
    if found:
        with body:
            history.show_evidence(found)
elif screen.page.items:
    st.caption("Select an event to see what is stored of it.")
show_replica(st.empty(), here.database)
