"""The running check: one a process, in a thread of its own, seen by every viewer, and stopped by any of them."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import streamlit as st

from data import integrity
from data.access import Permission
from data.database import Database
from data.errors import CheckStopped, EvenbooksError
from data.integrity import Progress, Report
from data.records import Time
from data.times import is_recent
from ui import text, trouble
from ui.door import current_actor, leave_if_closed
from ui.keeping import forget_reads
from ui.shell import flash
from ui.text import typed

log = logging.getLogger("evenbooks")

STALE_AFTER = timedelta(hours=24)
POLLED_EVERY = 0.5  # seconds
KEPT = 20  # results that wait to be told
BEGINNING = "Beginning"  # until the work says what it does


@dataclass(frozen=True)
class Told:
    """What a finished job says: Markdown, and whether it is good news; `brief` where the verdict stands beside it.

    Of an `error` each viewer is told what is theirs to read.
    """

    words: str
    worked: bool
    brief: str | None = None
    error: EvenbooksError | None = None


Work = Callable[[Progress], Told]


@dataclass
class Job:
    """What runs now, or has run: how far it is (`done` from 0 to 1, `words`), and once it has ended what it says."""

    number: int
    title: str
    work: Work
    done: float = 0.0
    words: str = ""
    began: float = field(default_factory=time.monotonic)
    stop: threading.Event = field(default_factory=threading.Event)
    told: Told | None = None
    thread: threading.Thread | None = None

    def progress(self, done: float, words: str) -> None:
        """What the work calls; raises CheckStopped once somebody has pressed Stop."""
        if self.stop.is_set():
            raise CheckStopped()
        self.done, self.words = min(max(done, 0.0), 1.0), words


_lock = threading.Lock()
_jobs: dict[int, Job] = {}  # the last ones, by number; the newest may be running
_reports: dict[str, Report] = {}  # the last run of this process that could not be kept, by database


def running() -> Job | None:
    """What runs now in this process, whoever began it."""
    newest = _jobs.get(max(_jobs, default=0))
    return newest if newest and newest.told is None else None


def start(title: str, work: Work) -> bool:
    """Begins it in a thread and watches it; for callbacks. While something else runs it watches that, and answers False."""
    with _lock:
        job = running()
        begins = job is None
        if job is None:
            job = Job(max(_jobs, default=0) + 1, title, work, words=title)
            _jobs[job.number] = job
            _jobs.pop(job.number - KEPT, None)
            job.thread = threading.Thread(target=_run, args=(job,), name=f"check-{job.number}", daemon=True)
            job.thread.start()
    st.session_state.watched = job.number
    return begins


def start_check(database: Database) -> None:
    """Runs every check and keeps the report; for the buttons named Check now. Says so where that is refused."""
    try:
        actor = current_actor()
        actor.require(Permission.READ_INTEGRITY)
    except EvenbooksError as error:
        flash(trouble.tell(error), worked=False)
        return

    def work(progress: Progress) -> Told:
        report = integrity.run_and_record(database, progress=progress, actor=actor)
        _reports.pop(database.settings.database_url, None)
        if not report.kept:
            _reports[database.settings.database_url] = report
        brief = f"Checked now: {_found(report)}."
        return Told(typed(integrity.verdict(report)), report.even is True and not report.unseen, brief)

    start("The check", work)


def _found(report: Report) -> str:
    """What is to be looked at in a report: 2 broken, 1 warning."""
    warnings = text.count(len(report.warnings), "warning")
    of = {
        f"{len(report.red)} broken": report.red,
        warnings: report.warnings,
        f"{report.unseen} not seen": report.unseen,
    }
    return ", ".join(words for words, some in of.items() if some) or "all even"


def last_report(url: str) -> Report | None:
    """The last run of this process on this database, also where it could not be kept."""
    return _reports.get(url)


def wait(seconds: float = 60) -> None:
    """Returns once nothing runs any more."""
    job = running()
    if job and job.thread:
        job.thread.join(seconds)


def _run(job: Job) -> None:
    """The thread: whatever happens, the job ends with something to say."""
    told = Told(f"{job.title} broke off on something unexpected; the server's log names it. It says nothing.", False)
    try:
        told = job.work(job.progress)
    except EvenbooksError as error:
        trouble.note(error)
        told = Told("", False, error=error)
    except Exception:
        log.exception("%s broke off", job.title)
    finally:
        job.told = told


def show(*, brief: bool = False) -> None:
    """The bar of what runs, for every viewer; what has ended is told, once to each who watched it; `brief` beside a verdict."""
    ended = _jobs.get(st.session_state.get("watched", 0))
    if ended and ended.told:
        del st.session_state.watched
        forget_reads()
        flash(_words(ended.told, brief), worked=ended.told.worked)
        st.rerun()
    job = running()
    if job:
        st.session_state.watched = job.number
        _bar(job)


def _words(told: Told, brief: bool) -> str:
    if told.error:
        return typed(trouble.words(told.error))
    return (brief and told.brief) or told.words


@st.fragment(run_every=POLLED_EVERY)
def _bar(job: Job) -> None:
    """How far it is, twice a second; the page runs anew once it has ended."""
    leave_if_closed()
    if job.told:
        st.rerun()
    with st.container(horizontal=True, vertical_alignment="center", key="running"):
        seconds = int(time.monotonic() - job.began)
        st.progress(job.done, text=f"{typed(job.words) or BEGINNING}, {seconds} s")
        st.button(
            "Stop", key="stop", icon=":material/stop_circle:", on_click=_stop, args=(job,), disabled=job.stop.is_set()
        )


def _stop(job: Job) -> None:
    """Whoever may run the check may stop it, whoever began it; from others it is left alone."""
    with suppress(EvenbooksError):
        current_actor().require(Permission.READ_INTEGRITY)
        job.stop.set()


def check_button(database: Database) -> None:
    """Check now; disabled while something runs."""
    st.button(
        "Check now",
        key="check",
        icon=":material/fact_check:",
        disabled=running() is not None,
        on_click=start_check,
        args=(database,),
    )


def is_stale(at: Time) -> bool:
    """Whether a run is too old to be relied on; one whose time cannot be read is, and one that is yet to come: the clock
    was put back since."""
    return not is_recent(at, STALE_AFTER, now=datetime.now(UTC))


def badge(at: Time | None, *, even: bool | None, unseen: int, last_even: Time | None, zone: ZoneInfo) -> None:
    """When the books were last checked and last even: green, red where they were not, amber once that is stale or where
    so many checks could not look, or (`even` None) not at the sums.

    Two short badges where there is much to say: a long one would be cut off on a phone.
    """
    when = text.day_and_time
    if at is None:
        st.badge("never checked", icon=":material/help:", color="orange")
    elif not even:
        if even is None:
            st.badge(f"could not see when checked, {when(at, zone)}", icon=":material/visibility_off:", color="orange")
        else:
            st.badge(f"not even when checked, {when(at, zone)}", icon=":material/error:", color="red")
        if last_even:
            st.badge(f"last even: {when(last_even, zone)}", color="gray")
    elif is_stale(at):
        st.badge(f"last checked, last even: {when(at, zone)}", icon=":material/schedule:", color="orange")
        st.badge("more than a day ago", color="orange")
    elif unseen:
        st.badge(f"even as far as could be seen, {when(at, zone)}", icon=":material/visibility_off:", color="orange")
    else:
        st.badge(f"last checked, last even: {when(at, zone)}", icon=":material/check:", color="green")
