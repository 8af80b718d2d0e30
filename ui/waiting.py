"""Requests for approval as the list of customers shows them: who is waited for, who asked already, and the answers."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import streamlit as st

from data import approvals, queries
from data.access import Actor
from data.database import Database, Snapshot
from data.records import Customer, CustomerId, Request
from data.requesting import is_over
from ui import text
from ui.shell import Here
from ui.tables import Table
from ui.text import count, typed

TOLD_FOR = timedelta(days=3)  # an answer, to whoever asked
ANSWERS = {"rejected": "rejected", "expired": "answered by nobody in time", "approved": "approved"}


def find_request(moment: Snapshot, here: Here, customer_id: CustomerId) -> Request | None:
    """The request for this customer's deletion that waits, if there is one."""
    found = queries.list_waiting_requests(moment.connection, here.database.schema, [customer_id])
    return next((one for one in found if one.kind == "delete" and not is_over(one, moment.at)), None)


def already_asked(database: Database, request: Request, actor: Actor, zone: ZoneInfo) -> str:
    """Who asked for this deletion before, when and why, and until when it waits; as Markdown."""
    at = datetime.now(UTC)
    who = "You" if approvals.is_requester(actor, request) else typed(request.actor)
    why = database.settings.reason_labels.get(request.reason, request.reason)
    asked, until = (text.since(time, zone, at) for time in (request.requested_at, request.expires_at))
    return f"{who} already asked for this {asked} ({typed(why)}); it expires {until}. Nothing changed."


def mark_waiting(here: Here, moment: Snapshot, customers: Sequence[Customer], table: Table) -> Table:
    """The table with a column that says whose deletion waits for approval; without it where nobody's does."""
    ids = [customer.id for customer in customers]
    waited_for = queries.waited_for(moment.connection, here.database.schema, ids, at=moment.at) if ids else set()
    if not waited_for:
        return table
    frame, config = table
    marked = frame.assign(waits=["asked for" if one in waited_for else "" for one in ids])
    return marked, {**config, "waits": st.column_config.TextColumn("Deletion", width="small")}


def show_answers(here: Here, moment: Snapshot) -> None:
    """What became of one's own requests, for some days or until it is closed."""
    if not here.actor.signed_in:
        return
    connection, schema = moment.connection, here.database.schema
    lately = queries.list_answers(connection, schema, since=moment.at - TOLD_FOR)
    seen: int = st.session_state.get("answers_seen", 0)
    mine = [one for one in lately if (one.decision_id or 0) > seen and approvals.is_requester(here.actor, one)]
    if not mine:
        return
    notes = queries.get_notes(connection, schema, [one.decision_id for one in mine if one.decision_id is not None])
    with st.container(horizontal=True, vertical_alignment="center", key="answers"):
        words = [_answered(answer, [one for one in mine if one.state == answer], notes) for answer in ANSWERS]
        st.info(" ".join(filter(None, words)), icon=":material/how_to_reg:")
        st.page_link("pages/approvals.py", label="Approvals", icon=":material/how_to_reg:")
        st.button("Close", key="close_answers", on_click=_close, args=(mine[0].decision_id,))


def _answered(answer: str, requests: Sequence[Request], notes: dict[int, str]) -> str:
    if not requests:
        return ""
    was = "was" if len(requests) == 1 else "were"
    said = dict.fromkeys(notes.get(one.decision_id or 0) for one in requests)
    quoted = ", ".join(f"“{typed(note)}”" for note in said if note)
    return f"{count(len(requests), 'request')} of yours {was} {ANSWERS[answer]}{': ' + quoted if quoted else ''}."


def _close(last: int) -> None:
    st.session_state.answers_seen = last
