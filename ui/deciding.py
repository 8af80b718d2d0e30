"""Deciding requests: the buttons, the dialog that shows the figures again, and what is told afterwards."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

import streamlit as st

from data import approvals, jobs, queries
from data import database as databases
from data.approvals import Case
from data.database import Snapshot
from data.errors import Conflict, EvenbooksError, InvalidInput, RequestNotFound
from ui import text
from ui.actions import new_version
from ui.approvals import DOES, DONE, job_link, may_decide, names_of
from ui.dialog import ask, attempt, keep_button, open_dialog
from ui.door import current_actor
from ui.keeping import forget_reads
from ui.shell import Here, flash
from ui.text import count, shown_name, typed
from ui.trouble import tell
from ui.wording import about_deleting, warn_of_open_orders

NAMED = 5  # of several, in a dialog


@dataclass(frozen=True)
class Way:
    """One way to end a request: the words of its button and dialog, and whether it needs a note."""

    label: str
    icon: str
    question: str
    keep: str = "Not now"
    note: str | None = None
    told: str = ""


WAYS = {
    "approve": Way("Approve", ":material/check:", "Approve", note="Note (optional)"),
    "reject": Way("Reject", ":material/block:", "Reject", note="Why", told="rejected"),
    "withdraw": Way("Withdraw", ":material/undo:", "Withdraw", told="withdrawn"),
}


def show_buttons(here: Here, selected: Sequence[Case], refused: str | None) -> None:
    """Approve and Reject for who may; Withdraw for who asked. `refused`: why the selected cannot be decided."""
    actor = here.actor
    blocked = refused or (typed(here.read_only) if here.read_only else None)
    if selected and all(approvals.may_withdraw(actor, case.request) for case in selected):
        _button("withdraw", selected, typed(here.read_only) if here.read_only else None)
    if may_decide(actor):
        for way in ("reject", "approve"):
            _button(way, selected, blocked)


def _button(way: str, selected: Sequence[Case], blocked: str | None) -> None:
    several = f" {len(selected)}" if len(selected) > 1 else ""
    st.button(
        f"{WAYS[way].label}{several}",
        key=way,
        icon=WAYS[way].icon,
        disabled=not selected or blocked is not None,
        help=blocked,
        on_click=ask,
        args=(way, tuple(case.request.id for case in selected)),
    )


def show_dialog(here: Here) -> None:
    """Shows the dialog that is open, if any; the last line of the page."""
    way, about = st.session_state.get("dialog", (None, ()))
    if way not in WAYS:
        return
    with here.reading() as moment:
        cases = _read_cases(here, moment, about)
        names = names_of(here, moment, cases)
    asked = ", ".join(typed(name) for name in names[:NAMED])
    more = f" and {len(names) - NAMED} more" if len(names) > NAMED else ""
    what = "the request about" if len(cases) == 1 else f"{len(cases)} requests about"
    open_dialog(f"{WAYS[way].question} {what} {asked}{more}?", lambda: _body(here, way, cases, names))


def _read_cases(here: Here, moment: Snapshot, numbers: Sequence[int]) -> list[Case]:
    connection, schema = moment.connection, here.database.schema
    found = [queries.get_request(connection, schema, number) for number in numbers]
    return approvals.list_cases(connection, schema, [one for one in found if one], anew=True)


def _body(here: Here, way: str, cases: Sequence[Case], names: Sequence[str]) -> None:
    """The figures again, as they are now, then the note and the buttons."""
    for case, name in list(zip(cases, names, strict=True))[:NAMED]:
        _show_case(here, case, name, alone=len(cases) == 1)
    if len(cases) > 1:
        _show_sum(here, cases)
    if way == "approve" and any(case.request.kind == "erase" for case in cases):
        st.warning("Nothing takes an erasure back.", icon=":material/warning:")
    note = st.text_input(str(WAYS[way].note), key="decision_note", max_chars=500) if WAYS[way].note else ""
    with st.container(horizontal=True):
        keep_button(WAYS[way].keep)
        confirmed = st.button(WAYS[way].label, key=f"confirm_{way}", icon=WAYS[way].icon)
    if confirmed:
        attempt(lambda: _decide(here, way, cases, names, note))


def _show_case(here: Here, case: Case, name: str, *, alone: bool) -> None:
    request = case.request
    when = text.since(request.requested_at, here.zone, datetime.now(UTC))
    st.write(
        f"**{DOES[request.kind]} {typed(name)}**: asked for by {typed(request.actor)} {when}. {_quoted(here, case)}"
    )
    if not alone:
        return
    worth = text.money(case.revenue, here.database.settings.money.decimals)
    if request.kind == "delete":
        st.write(about_deleting(case.job.total if case.job else 1, case.orders, case.open_orders, worth))
        warn_of_open_orders(case.open_orders)
    else:
        stay = f"{count(case.orders, 'order')} worth {typed(worth)} {'stays' if case.orders == 1 else 'stay'} in every report."
        st.write(f"The personal columns and notes are blanked; the row stays. {stay}")
    if case.job and case.job.total > 1:
        more = f" and {case.job.total - len(case.people):,} more" if case.job.total > len(case.people) else ""
        st.write(f"{', '.join(typed(shown_name(one)) for one in case.people)}{more}.")
    if case.job and case.job.preview.get("search"):
        st.write(f"All that matched “{typed(case.job.preview['search'])}” when it was asked for.")
    _warn_of_changes(here, case)


def _warn_of_changes(here: Here, case: Case) -> None:
    """What is not as it was when it was asked for."""
    if case.moved:
        then = text.money(case.asked.revenue, here.database.settings.money.decimals)
        st.warning(
            f"When it was asked for, it was {count(case.asked.orders, 'order')} worth {typed(then)}.",
            icon=":material/difference:",
        )
    if case.job and case.job.done:
        st.write(f"{case.job.done:,} of {count(case.job.total, 'customer')} were done before it was stopped.")
    if not case.changed:
        return
    if case.job and case.job.total > 1:
        left = " Whoever was restored since is left as they are." if case.request.kind == "delete" else ""
        were = "customer was" if case.changed == 1 else "customers were"
        words = f"{case.changed:,} {were} edited, deleted or restored since it was asked for.{left}"
    else:
        words = "This customer was edited, deleted or restored since it was asked for."
    st.warning(words, icon=":material/edit:")


def _show_sum(here: Here, cases: Sequence[Case]) -> None:
    orders = sum(case.orders for case in cases)
    worth = text.money(text.add_revenue(case.revenue for case in cases), here.database.settings.money.decimals)
    stay = "stays" if orders == 1 else "stay"
    st.write(f"Together {count(orders, 'order')} worth {typed(worth)} {stay} in every report.")
    changed = sum(case.changed for case in cases)
    if changed:
        st.warning(f"{count(changed, 'customer')} changed since it was asked for.", icon=":material/edit:")


def _quoted(here: Here, case: Case) -> str:
    labels = here.database.settings.reason_labels
    why = typed(labels.get(case.request.reason, case.request.reason))
    return f"{why}: “{typed(case.note)}”." if case.note else f"{why}."


def _decide(here: Here, way: str, cases: Sequence[Case], names: Sequence[str], note: str) -> None:
    """Each in a transaction of its own; what was not possible is told beside what was. Raises where nothing was."""
    database, actor = databases.default(), current_actor()
    done: list[tuple[Case, str]] = []
    problems: list[EvenbooksError] = []
    for case, name in zip(cases, names, strict=True):
        try:
            if way == "approve":
                approvals.approve(database, case.request.id, actor=actor, note=note)
            elif way == "reject":
                approvals.reject(database, case.request.id, actor=actor, note=note)
            else:
                approvals.withdraw(database, case.request.id, actor=actor)
        except InvalidInput:
            raise
        except EvenbooksError as error:
            problems.append(error)
        else:
            done.append((case, name))
    if not done and not isinstance(problems[0], Conflict | RequestNotFound):
        raise problems[0]
    forget_reads()
    new_version()
    if any(case.job for case, _ in done) and way == "approve":
        jobs.ensure_worker(database)
    words = [*([_told(here, way, done)] if done else []), *(tell(error) for error in problems)]
    links = [job_link(actor, case) for case, _ in done] if way == "approve" else []
    flash(" ".join(words), worked=bool(done), job=next(filter(None, links), None))


def _told(here: Here, way: str, done: Sequence[tuple[Case, str]]) -> str:
    case, name = done[0]
    if len(done) > 1:
        return f"{count(len(done), 'request')} {'approved' if way == 'approve' else WAYS[way].told}."
    if way != "approve":
        return f"The request about {typed(name)} is {WAYS[way].told}. Nothing was {DONE[case.request.kind]}."
    if case.job:
        return f"Approved. {typed(name)} will be {DONE[case.request.kind]} now."
    worth = text.money(case.revenue, here.database.settings.money.decimals)
    kept = f" {count(case.orders, 'order')} ({typed(worth)}) still {'counts' if case.orders == 1 else 'count'}."
    return f"{typed(name)} is deleted.{kept if case.orders else ''}"
