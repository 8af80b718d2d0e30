"""Many customers at once, as a page shows them: how far a job is, what became of each, stop, go on, undo."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime

import streamlit as st

from data import database as databases
from data import jobs, queries
from data.access import Actor, Permission
from data.database import snapshot
from data.errors import EvenbooksError, JobNotFound
from data.records import ItemResult, Job, Revenue
from ui import text
from ui.actions import new_version
from ui.door import current_actor, leave_if_closed
from ui.job_items import ALREADY, DID, show_items
from ui.keeping import forget_reads, kept
from ui.lists import go_to
from ui.shell import Here, flash
from ui.text import count, typed
from ui.trouble import tell

POLLED_EVERY = {"running": 1.0, "waiting": 10.0}  # seconds
OVER = ("done", "stopped", "failed")
LISTED = 10  # recent jobs
DOING = {"delete": "Deleting", "restore": "Restoring", "erase": "Erasing"}


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
    if st.session_state.get("job_seen") != (job.id, job.changed):
        st.session_state.job_seen = (job.id, job.changed)
        forget_reads()
    with st.container(border=True, key="job"):
        st.fragment(_panel, run_every=POLLED_EVERY.get(job.state))(here, job)


def _panel(here: Here, job: Job) -> None:
    """How far it is, each second while it runs; the page runs anew once it does not."""
    leave_if_closed()
    if st.session_state.pop("steered", False):
        st.rerun()  # its buttons run this part alone, but what they do concerns the page
    with here.careful():
        now = jobs.get(here.database, job.id)
        undo = jobs.undone_by(here.database, now) if now.state in OVER and now.changed else None
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
            st.write(f"{describe(now, found)}{_stays(here, now)}")
        when = text.day_and_time(now.made_at, here.zone)
        why = here.database.settings.reason_labels.get(now.reason, now.reason)
        st.caption(f"{when}, {typed(now.actor)}: {typed(why)}", width="content")
        if now.state != "running":
            st.space("stretch")
        details = now.state in OVER and st.toggle("Each customer", key=f"details_{job.id}")
        _buttons(here, now, undo)
    if st.session_state.pop("undoing", None) == job.id:
        with st.spinner("Looking at each customer"):
            _try(lambda: _undo(now))
        st.rerun()
    if details:
        show_items(here, now, found)


def _stays(here: Here, job: Job) -> str:
    """What the orders of those whom a job changed amount to, which count as they did."""
    if job.state not in OVER or not job.changed:
        return ""
    with here.careful():
        orders, revenue = _kept(here.database.settings.database_url, job.id, job.changed)
    if not orders:
        return ""
    worth = typed(text.money(revenue, here.database.settings.money.decimals))
    stay = "counted all the time" if job.kind == "restore" else f"still {'counts' if orders == 1 else 'count'}"
    return f" {count(orders, 'order')} ({worth}) {stay}."


@st.cache_data(ttl=600, show_spinner=False)
def _kept(url: str, job_id: str, changed: int) -> tuple[int, Revenue]:
    """Kept for a while, since nobody's orders change by it; `url` keeps databases apart, `changed` how far it was."""
    database = databases.default()
    with snapshot(database) as moment:
        impact = queries.job_impact(moment.connection, database.schema, job_id, done=True)
    return impact.orders, impact.revenue


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


def _buttons(here: Here, job: Job, undo: Job | None) -> None:
    why = blocker(here, job)
    if job.state == "running":
        # Who may approve may also stop it.
        if jobs.may_stop(here.actor, job):
            why = typed(here.read_only) if here.read_only else None
        _button("Stop", "stop_job", ":material/stop_circle:", why, lambda: _stop(job))
    if undo is not None:
        _show_undo(here, undo)
    elif job.state == "stopped":
        _button("Go on", "resume_job", ":material/play_arrow:", why, lambda: _start(job))
    if undo is None and job.state in OVER and job.changed and job.kind != "erase":
        _button("Undo", "undo_job", ":material/undo:", why, lambda: _ask_to_undo(job))
    if job.state == "waiting":
        st.page_link("pages/approvals.py", label="Approvals", icon=":material/how_to_reg:")
    if job.state != "running":
        st.button("Close", key="close_job", on_click=_close)


def _show_undo(here: Here, undo: Job) -> None:
    """That a job was taken back, or is to be, and the way to the job that does."""
    when = text.since(undo.ended_at or undo.made_at, here.zone, datetime.now(UTC))
    words = {
        "waiting": "Its undo waits for approval",
        "running": "Is being undone",
        "stopped": "Its undo was stopped",
        "done": f"Undone {when} by {typed(undo.actor)}",
    }
    st.caption(f"{words.get(undo.state, '')}.", width="content")
    st.button("The undo", key="show_undo", icon=":material/undo:", on_click=_show, args=(undo.id,))


def _show(job_id: str) -> None:
    go_to(job=job_id)
    st.session_state.steered = True


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


def _ask_to_undo(job: Job) -> None:
    """Done in the panel and not at once, for there it can be seen that something goes on."""
    st.session_state.undoing = job.id


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


@kept()
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
