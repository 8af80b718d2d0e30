"""What waits for approval, and what became of it: tables, and who may decide what is selected."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from math import ceil
from typing import Any

import pandas as pd
import streamlit as st

from data import approvals, queries
from data.access import Actor, Permission
from data.approvals import Case
from data.database import Snapshot
from data.records import Customer, JobKind, Request
from ui import text
from ui.actions import version
from ui.lists import select_items
from ui.shell import Here
from ui.tables import Table, time_column, times
from ui.text import count

SHOWN = 50
HOUR, DAY = 3600, 86400  # seconds
DOES: dict[JobKind, str] = {"delete": "Delete", "erase": "Erase", "restore": "Restore"}
DONE: dict[JobKind, str] = {"delete": "deleted", "erase": "erased", "restore": "restored"}
BECAME = {"approved": "Approved", "rejected": "Rejected", "expired": "Expired", "withdrawn": "Withdrawn"}


def read_waiting(here: Here, moment: Snapshot) -> list[Case]:
    """What waits, the oldest first, for those expire first; at most 50, and one more where there are more."""
    connection, schema = moment.connection, here.database.schema
    found = queries.list_requests(connection, schema, at=moment.at, state="waiting", oldest_first=True, limit=SHOWN + 1)
    return approvals.list_cases(connection, schema, found)


def waiting_table(here: Here, moment: Snapshot, cases: Sequence[Case]) -> Table:
    """What waits: the frame, and its columns' configuration."""
    requests = [case.request for case in cases]
    frame = pd.DataFrame(
        {
            "what": [DOES[r.kind] for r in requests],
            "whom": names_of(here, moment, cases),
            "by": [r.actor for r in requests],
            "why": [why_of(here, case) for case in cases],
            "orders": [case.orders for case in cases],
            "revenue": [text.money(case.revenue, here.database.settings.money.decimals) for case in cases],
            "left": [_left(r, moment.at) for r in requests],
            "note": [_hint(here.actor, case) for case in cases],
            "at": times([r.requested_at for r in requests], here.zone),
        }
    )
    config: dict[str, Any] = {
        "what": st.column_config.TextColumn("What", width=70),
        "whom": st.column_config.TextColumn("Whom", width=160),
        "by": st.column_config.TextColumn("Asked by", width=150),
        "why": st.column_config.TextColumn("Why", width=200),
        "orders": st.column_config.NumberColumn("Orders", width=70),
        "revenue": st.column_config.TextColumn("Revenue", width=120, alignment="right"),
        "left": st.column_config.TextColumn("Expires in", width=90),
        "note": st.column_config.TextColumn("To note", width=170),
        "at": time_column("Asked"),
    }
    return frame if any(frame["note"]) else frame.drop(columns="note"), config


def decided_table(here: Here, moment: Snapshot, cases: Sequence[Case]) -> Table:
    """What was decided, newest first."""
    requests = [case.request for case in cases]
    frame = pd.DataFrame(
        {
            "at": times([r.decided_at or r.expires_at for r in requests], here.zone),
            "state": [BECAME[r.state] for r in requests],
            "what": [DOES[r.kind] for r in requests],
            "whom": names_of(here, moment, cases),
            "by": [r.actor for r in requests],
            "decided_by": ["" if r.state == "expired" else r.decided_by or "" for r in requests],
            "came": [_came_of(case) for case in cases],
            "note": [case.decision_note or "" for case in cases],
        }
    )
    config: dict[str, Any] = {
        "at": time_column("When"),
        "state": st.column_config.TextColumn("Answer", width=85),
        "what": st.column_config.TextColumn("What", width=70),
        "whom": st.column_config.TextColumn("Whom", width=160),
        "by": st.column_config.TextColumn("Asked by", width=150),
        "decided_by": st.column_config.TextColumn("By", width=150),
        "came": st.column_config.TextColumn("What came of it", width=150),
        "note": st.column_config.TextColumn("Note", width=300),
    }
    return frame, config


def _came_of(case: Case) -> str:
    """What was done by it, and how far it is: of a job as it stands now."""
    kind, job = case.request.kind, case.job
    if case.request.state != "approved":
        return "nothing"
    if job is None:
        return DONE[kind]
    ended = {"running": ", still running", "stopped": ", stopped", "failed": ", failed"}.get(job.state, "")
    return f"{job.changed:,} of {job.total:,} {DONE[kind]}{ended}"


def select_cases(frame: pd.DataFrame, cases: Sequence[Case], config: dict[str, Any]) -> list[Case]:
    """The table with its row selection; answers the selected ones of this very frame."""
    key = f"requests-{version()}-{hash(tuple(case.request.id for case in cases))}"
    alt = f"{len(cases)} requests that wait; select rows to decide them"
    return select_items(frame, cases, key=key, config=config, alt=alt)


def may_decide(actor: Actor) -> bool:
    """Whether this actor's role decides requests at all."""
    return actor.may(Permission.APPROVE_REQUESTS)


def refusal(actor: Actor, cases: Sequence[Case]) -> str | None:
    """Why this actor may not decide one of these; None where they may decide all."""
    found = (approvals.refusal(actor, case.request, case.names) for case in cases)
    return next((words for words in found if words), None)


def show_links(here: Here, selected: Sequence[Case]) -> None:
    """Of one selected request: the customer's life, or the job with each customer."""
    if len(selected) != 1:
        return
    request = selected[0].request
    if request.customer_id is not None:
        about = {"customer": str(request.customer_id)}
        st.page_link("pages/history.py", label="History", icon=":material/history:", query_params=about)
    elif link := job_link(here.actor, selected[0]):
        page, job_id = link
        st.page_link(page, label="The job", icon=":material/list_alt:", query_params={"job": job_id})


def job_link(actor: Actor, case: Case) -> tuple[str, str] | None:
    """The page and the number of a request's job; None where there is none, or not for this actor."""
    request = case.request
    if request.job_id is None:
        return None
    if request.kind != "erase":
        return "pages/customers.py", request.job_id
    return ("pages/retention.py", request.job_id) if actor.may(Permission.READ_RETENTION) else None


def show_turns(pages: Sequence[int], last: int | None) -> None:
    """Newer and Older among what was decided: the last number of each page before, and of this one where more follow."""
    with st.container(horizontal=True):
        st.button("Newer", key="decided_newer", disabled=not pages, on_click=_turn_to, args=([*pages][:-1],))
        st.button("Older", key="decided_older", disabled=last is None, on_click=_turn_to, args=([*pages, last],))


def _turn_to(pages: list[int]) -> None:
    st.session_state.decided_before = pages


def names_of(here: Here, moment: Snapshot, cases: Sequence[Case]) -> list[str]:
    """Whom each request is about: a name, or how many."""
    named = [_alone(case) for case in cases]
    people = [customer.id for customer in named if customer]
    erased = queries.erased_ids(moment.connection, here.database.schema, people) if people else set()

    def name(case: Case, customer: Customer | None) -> str:
        if customer:
            return text.shown_name(customer, erased)
        if case.job:
            return count(case.job.total, "customer")
        return f"customer {case.request.customer_id}" if case.request.customer_id is not None else "a job"

    return [name(case, customer) for case, customer in zip(cases, named, strict=True)]


def _alone(case: Case) -> Customer | None:
    """The one customer whom a request is about, also where that is a job of one."""
    return case.people[0] if case.job and case.job.total == 1 and case.people else case.customer


def why_of(here: Here, case: Case) -> str:
    label = here.database.settings.reason_labels.get(case.request.reason, case.request.reason)
    return f"{label}: {case.note}" if case.note else label


def _left(request: Request, at: datetime) -> str:
    """How long somebody still has, rounded up."""
    seconds = (request.expires_at - at).total_seconds()
    if seconds > DAY:
        return count(ceil(seconds / DAY), "day")
    return count(max(ceil(seconds / HOUR), 1), "hour")


def _hint(actor: Actor, case: Case) -> str:
    """What somebody should see at a glance: that it is theirs, or that the customers are not as they were."""
    yours = "asked by you" if approvals.is_requester(actor, case.request) else ""
    changed = f"{case.changed:,} changed since" if case.job and case.job.total > 1 else "changed since"
    return ", ".join(
        filter(None, [yours, changed if case.changed else "", "other figures by now" if case.moved else ""])
    )
