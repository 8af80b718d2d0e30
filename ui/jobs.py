"""Many customers at once, as a page shows them: how far a job is, what became of each, stop, go on, undo."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import pandas as pd
import streamlit as st

from data import database as databases
from data import jobs, queries
from data.access import Actor, Permission
from data.database import snapshot
from data.errors import EvenbooksError, JobNotFound
from data.records import ItemResult, Job, JobItem
from ui import text
from ui.actions import new_version
from ui.door import current_actor, leave_if_closed
from ui.downloads import show_export
from ui.lists import go_to
from ui.shell import Here, flash, forget_reads
from ui.text import count, typed
from ui.trouble import tell

POLLED_EVERY = {"running": 1.0, "waiting": 10.0}  # seconds
SHOWN, LISTED = 50, 10  # customers on a page; recent jobs
HEIGHT = 220
DOING = {"delete": "Deleting", "restore": "Restoring", "erase": "Erasing"}
DID = {"delete": "deleted", "restore": "restored", "erase": "erased"}
ALREADY = {"delete": "already deleted", "restore": "not deleted any more", "erase": "already erased"}
RESULTS: dict[ItemResult, str] = {
    "done": "Done",
    "already": "Already",
    "conflict": "Conflicts",
    "not_found": "Not found",
}


def show_job(here: Here) -> None:
    """The job that the address names (?job=), at the top of its page; nothing where it names none."""
    job_id = st.query_params.get("job")
    if not job_id:
        return
    with here.careful():
        try:
            job = jobs.get(here.database, job_id)
        except JobNotFound:
            st.info("There is no such job.", icon=":material/search_off:")
            return
        if job.state == "running":
            jobs.ensure_worker(here.database)
    with st.container(border=True, key="job"):
        st.fragment(_panel, run_every=POLLED_EVERY.get(job.state))(here, job)


def _panel(here: Here, job: Job) -> None:
    """How far it is, each second while it runs; the page runs anew once it does not."""
    leave_if_closed()
    if st.session_state.pop("steered", False):
        st.rerun()  # its buttons run this part alone, but what they do concerns the page
    with here.careful():
        now = jobs.get(here.database, job.id)
        # While it runs the job itself says enough: counting 100,000 results each second would slow it down.
        found: Mapping[ItemResult, int] = (
            {"done": now.changed} if now.state == "running" else jobs.counts(here.database, job.id)
        )
    if now.state != job.state:
        forget_reads()
        new_version()
        st.rerun()
    with st.container(horizontal=True, vertical_alignment="center"):
        if now.state == "running":
            st.progress(now.done / max(now.total, 1), text=describe(now, found))
        else:
            st.write(describe(now, found))
        when = text.day_and_time(now.made_at, here.zone)
        why = here.database.settings.reason_labels.get(now.reason, now.reason)
        st.caption(f"{when}, {typed(now.actor)}: {typed(why)}", width="content")
        if now.state != "running":
            st.space("stretch")
        over = now.state in ("done", "stopped", "failed")
        details = over and st.toggle("Each customer", key=f"details_{job.id}")
        _buttons(here, now)
    if details:
        _show_items(here, now, found)


def describe(job: Job, found: Mapping[ItemResult, int]) -> str:
    """How far a job is, or how it ended, as a sentence of Markdown."""
    many = count(job.total, "customer")
    did = DID[job.kind]
    if job.state == "draft":
        return f"{DOING[job.kind]} {many}: never confirmed, so nothing was done."
    if job.state == "waiting":
        return f"{many} to be {did}, asked for by {typed(job.actor)}. Waits for somebody's approval; nothing {'more ' if job.done else ''}is changed until then."
    if job.state == "refused":
        return f"{many} were not {did}: the request was rejected, withdrawn, or expired. Nothing was changed."
    words = f"{job.done:,} of {job.total:,} done{_parts(job, found)}."
    if job.state == "running":
        return f"{DOING[job.kind]}. {words}"
    ended = {"stopped": "Stopped. ", "failed": "Failed. "}.get(job.state, "")
    return f"{ended}{words}{' ' + typed(job.error) if job.error else ''}"


def _parts(job: Job, found: Mapping[ItemResult, int]) -> str:
    several: dict[ItemResult, tuple[str, str]] = {
        "done": (DID[job.kind], DID[job.kind]),
        "already": (f"was {ALREADY[job.kind]}", f"were {ALREADY[job.kind]}"),
        "conflict": ("conflict", "conflicts"),
        "not_found": ("not found", "not found"),
    }
    parts = [f"{number:,} {several[kind][number != 1]}" for kind in several if (number := found.get(kind, 0))]
    return f": {', '.join(parts)}" if parts else ""


def blocker(here: Here, job: Job) -> str | None:
    """Why this job cannot be steered here by this actor, as Markdown; None where it can."""
    if job.kind != "erase":
        return here.change_blocker
    if not here.actor.may(Permission.ERASE_CUSTOMERS):
        return here.actor.refusal(Permission.ERASE_CUSTOMERS)
    return typed(here.read_only) if here.read_only else None


def _buttons(here: Here, job: Job) -> None:
    why = blocker(here, job)
    if job.state == "running":
        # Who may approve may also stop it.
        if jobs.may_stop(here.actor, job):
            why = typed(here.read_only) if here.read_only else None
        _button("Stop", "stop_job", ":material/stop_circle:", why, lambda: _stop(job))
    if job.state == "stopped":
        _button("Go on", "resume_job", ":material/play_arrow:", why, lambda: _start(job))
    if job.state in ("done", "stopped", "failed") and job.changed and job.kind != "erase":
        _button("Undo", "undo_job", ":material/undo:", why, lambda: _undo(job))
    if job.state == "waiting":
        st.page_link("pages/approvals.py", label="Approvals", icon=":material/how_to_reg:")
    if job.state != "running":
        st.button("Close", key="close_job", on_click=_close)


def _button(label: str, key: str, icon: str, why: str | None, work: Callable[[], object]) -> None:
    st.button(label, key=key, icon=icon, disabled=why is not None, help=why, on_click=_try, args=(work,))


def _try(work: Callable[[], object]) -> None:
    """For callbacks: does it, and tells what goes wrong."""
    try:
        work()
    except EvenbooksError as error:
        flash(tell(error), worked=False)
    forget_reads()
    new_version()
    st.session_state.steered = True


def _close() -> None:
    go_to(job=None)
    st.session_state.steered = True


def _stop(job: Job) -> None:
    jobs.stop(databases.default(), job.id, actor=current_actor())


def _start(job: Job) -> None:
    start(job.id, current_actor())


def _undo(job: Job) -> None:
    database = databases.default()
    other = jobs.undo(database, job.id, actor=current_actor())
    jobs.ensure_worker(database)
    go_to(job=other.id)


def start(job_id: str, actor: Actor) -> Job:
    """Lets a job run, and shows it: its number goes into the address. Raises EvenbooksError."""
    database = databases.default()
    job = jobs.start(database, job_id, actor=actor)
    jobs.ensure_worker(database)
    go_to(job=job.id)
    return job


def _show_items(here: Here, job: Job, found: Mapping[ItemResult, int]) -> None:
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


@st.cache_data(ttl=60, show_spinner=False)
def _latest(url: str) -> list[Job]:
    """The last jobs, kept for a minute; `url` keeps databases apart."""
    return jobs.latest(databases.default(), limit=LISTED)


def show_recent(here: Here) -> None:
    """The last jobs, folded, so that a lost address is no lost job; nothing where there was none."""
    with here.careful():
        found = _latest(here.database.settings.database_url)
    if not found:
        return
    with st.popover("Recent jobs", icon=":material/list_alt:"):
        for job in found:
            when = text.day_and_time(job.made_at, here.zone)
            state = "" if job.state == "done" else f" ({job.state})"
            words = f"{when}: {job.changed:,} of {count(job.total, 'customer')} {DID[job.kind]}{state}, by {typed(job.actor)}"
            st.button(words, key=f"job_{job.id}", type="tertiary", on_click=go_to, kwargs={"job": job.id})
