"""Every check as one line, opened to its evidence: what was found, what was accepted, and the SQL that was run."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import streamlit as st

from data.access import Permission
from data.integrity import Check, Finding
from ui import asking, text
from ui.shell import Here
from ui.text import typed

ACCEPTED_BELOW = "Accepted, and shown as accepted ever after:"


@dataclass(frozen=True)
class State:
    """How an answer is told: a word, an icon and a colour; never the colour alone."""

    word: str
    icon: str
    colour: str


BROKEN = State("Broken", ":material/error:", "red")
WARNING = State("Warning", ":material/warning:", "orange")
UNSEEN = State("Could not see", ":material/visibility_off:", "gray")
EVEN = State("Even", ":material/check:", "green")
ORDER = (BROKEN, WARNING, UNSEEN, EVEN)


def state_of(check: Check) -> State:
    """Broken, warning, could not see, or even."""
    if check.ok is None:
        return UNSEEN
    if check.ok:
        return EVEN
    return BROKEN if check.level == "error" else WARNING


def show_checks(checks: Sequence[Check], here: Here, *, more: Mapping[str, Callable[[], object]]) -> None:
    """Broken first, then warnings, then what could not be seen, then even; `more` draws what a check of this name has beside."""
    with st.container(gap="xsmall", key="checks"):
        for check in sorted(checks, key=lambda c: ORDER.index(state_of(c))):
            _show(check, here, more.get(check.name))


def _show(check: Check, here: Here, more: Callable[[], object] | None) -> None:
    """One line; what is under it is sent only once it is open, since the SQL may be long."""
    state = state_of(check)
    label = f":{state.colour}-badge[{state.icon} {state.word}] {typed(check.question or check.name)}"
    opened = st.expander(
        label,
        expanded=state is BROKEN,
        key=f"open_{check.name}_{state.word}",  # one that has turned red opens, however it was left
        type="compact" if state is EVEN else "default",
        on_change="rerun",
    )
    if not opened.open:
        return
    with opened:
        st.write(typed(check.detail))
        _findings(check, here)
        if check.accepted:
            st.caption(ACCEPTED_BELOW)
            st.markdown("\n".join(f"- {typed(words)}" for words in check.accepted))
        if more:
            more()
        if check.sql:
            label = f"Show the SQL ({text.count(len(check.sql), 'statement')})"
            with st.expander(label, type="compact", key=f"sql_{check.name}"):
                for statement in check.sql:
                    st.code(statement, language=None, wrap_lines=True)  # its colours would be too faint


def _findings(check: Check, here: Here) -> None:
    """What was found; beside each, for those who may, the way to accept it."""
    may_accept = here.actor.may(Permission.ACCEPT_FINDINGS)
    for number, words in enumerate(check.examples):
        finding = _named(check, words)
        with st.container(horizontal=True, vertical_alignment="center"):
            st.markdown(f"- {typed(words)}")
            if finding and may_accept:
                st.button(
                    "Accept this finding",
                    key=f"accept_{check.name}_{number}",
                    type="tertiary",
                    icon=":material/task_alt:",
                    on_click=asking.ask,
                    args=("accept", (check.name, finding)),
                )
    if check.count > len(check.examples) > 0:
        st.caption(f"The first {len(check.examples)} of {check.count:,}.")


def _named(check: Check, words: str) -> Finding | None:
    """The finding behind an example; None where a run was kept without their names."""
    return next((f for f in check.findings if f.words == words), None)
