"""What became of each customer of a job: by result, a page at a time, and as a file."""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd
import streamlit as st

from data import jobs, queries
from data.database import snapshot
from data.records import ItemResult, Job, JobItem
from ui import text
from ui.downloads import show_export
from ui.shell import Here

SHOWN = 50  # customers on a page
HEIGHT = 220
DID = {"delete": "deleted", "restore": "restored", "erase": "erased"}
ALREADY = {"delete": "already deleted", "restore": "not deleted any more", "erase": "already erased"}
RESULTS: dict[ItemResult, str] = {
    "done": "Done",
    "already": "Already",
    "conflict": "Conflicts",
    "not_found": "Not found",
}


def show_items(here: Here, job: Job, found: Mapping[ItemResult, int]) -> None:
    """What became of each customer, a page at a time, and as a file."""
    labels = {"": f"All {job.total:,}"} | {one: f"{RESULTS[one]} {found[one]:,}" for one in RESULTS if found.get(one)}
    with st.container(horizontal=True, vertical_alignment="center"):
        chosen = st.segmented_control(
            "Result",
            list(labels),
            format_func=lambda one: labels.get(one, one),
            default="",
            key=f"result_{job.id}",
            label_visibility="collapsed",
            on_change=_turn_to,
            args=([],),
        )
        st.space("stretch")
        show_export(here, "job_result", {"job": job.id}, key="job_result")
    before: list[int] = st.session_state.get("items_after", [])
    result = next((one for one in RESULTS if one == chosen), None)
    with here.careful():
        rows = jobs.items(here.database, job.id, after=before[-1] if before else 0, limit=SHOWN + 1, result=result)
        frame = _items_frame(here, job, rows[:SHOWN])
    st.dataframe(
        frame, hide_index=True, height="content" if len(frame) < 6 else HEIGHT, alt="What became of each customer"
    )
    if before or rows[SHOWN:]:
        with st.container(horizontal=True):
            st.button("Previous", key="items_previous", disabled=not before, on_click=_turn_to, args=(before[:-1],))
            following = [*before, *(row.number for row in rows[SHOWN - 1 : SHOWN])]
            st.button("Next", key="items_next", disabled=not rows[SHOWN:], on_click=_turn_to, args=(following,))


def _turn_to(before: list[int]) -> None:
    """The page of customers after these: the last number of each page before it."""
    st.session_state.items_after = before


def _items_frame(here: Here, job: Job, rows: list[JobItem]) -> pd.DataFrame:
    ids = [row.customer_id for row in rows]
    with snapshot(here.database) as moment:
        known = queries.get_customers(moment.connection, here.database.schema, ids) if ids else {}
        erased = queries.erased_ids(moment.connection, here.database.schema, ids) if ids else set()
    names = [text.shown_name(known[one], erased) if one in known else "" for one in ids]
    told = {None: "not yet", "done": DID[job.kind], "already": ALREADY[job.kind], "conflict": "conflict"}
    return pd.DataFrame(
        {
            "Number": ids,
            "Name": names,
            "Result": [told.get(row.result, "not found") for row in rows],
            "Why": [row.words or "" for row in rows],
        }
    )
