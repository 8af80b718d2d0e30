"""Files that are made when somebody asks for them, without the page that their button is on."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from data import database as databases
from data import downloads
from data.database import Database
from data.errors import EvenbooksError
from data.exports import REPORTS
from data.replica import freshness
from ui import trouble
from ui.door import current_actor
from ui.shell import Here, flash
from ui.text import typed

FORMATS = {"CSV": "csv", "Excel (XLSX)": "xlsx"}


def download_button(
    words: str, make: Callable[[], str], name: str, kind: str, *, key: str, icon: str, help: str | None = None
) -> None:
    """A button for a file of this name and media type; `make` raises EvenbooksError where it is refused.

    The page runs again with each download: where the file is refused it is the page that says why.
    """
    st.download_button(words, make, name, kind, key=key, icon=icon, help=help, on_click="rerun")


def show_replica(place: DeltaGenerator, database: Database) -> None:
    """How far behind the replica is that exports come from, or why they are refused; nothing without a replica.

    The last thing that a page does: where the replica is late this waits for it, up to two seconds.
    """
    found = freshness(database)
    if found is None:
        return
    if found.problem is not None:
        place.warning(typed(trouble.words(found.problem)), icon=":material/schedule:")
    else:
        place.caption(f"Exports come from the replica, {found.behind} behind.")


class Refusals(logging.Filter):
    """Streamlit logs a refused file as a failure of its own, with a traceback; one line says as much."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Lets every record through, those of refusals as a line that names their kind."""
        cause = record.exc_info[1].__cause__ if record.exc_info and record.exc_info[1] else None
        if isinstance(cause, EvenbooksError):
            record.levelno, record.levelname = logging.WARNING, "WARNING"
            record.msg, record.args = "a download was refused: %s", (type(cause).__name__,)
            record.exc_info = record.exc_text = None
        return True


logging.getLogger("streamlit.runtime.backend_operation_handler").addFilter(Refusals())


@dataclass(frozen=True)
class Begun:
    """A download that was begun by the control with this key."""

    key: str
    secret: str


def show_export(here: Here, report: str, filters: Mapping[str, str | None], *, key: str) -> None:
    """Draws the Download control, for CSV or XLSX, of a report as it stands on the screen.

    `report` is deleted_customers, history, revenue, integrity or job_result; `filters` are its own, None where unset:
    search and reason; those of data/history.py and zone; from, to (months) and currency; none; job.
    """
    allowed = here.actor.may(REPORTS[report].permission)
    with st.container(key=f"{key}-file", width="content", gap=None):
        st.menu_button(
            "Download the tables" if report == "integrity" else "Download",  # there the proof is downloaded too
            list(FORMATS),
            key=key,
            icon=":material/download:",
            disabled=not allowed,
            on_click=_begin,
            args=(report, dict(filters), key),
        )
        begun: Begun | None = st.session_state.get("begun")
        if begun and begun.key == key:
            # A frame that stays empty, for the answer is a file, which the browser keeps.
            st.iframe(f"/downloads/{begun.secret}", height=1, width=1, tab_index=-1, alt="The file that was asked for")


def _begin(report: str, filters: Mapping[str, str | None], key: str) -> None:
    """Makes the one-time link, for whoever is there at this moment; where it is refused the page says why."""
    try:
        form = FORMATS[st.session_state[key]]
        secret = downloads.offer(databases.default(), report, form, filters, actor=current_actor())
    except EvenbooksError as error:
        st.session_state.pop("begun", None)
        flash(trouble.tell(error), worked=False)
        return
    st.session_state.begun = Begun(key, secret)
