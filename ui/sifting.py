"""The filter of the history, in the address: what happened, by whom, through which door, why, from which day to which."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date

import streamlit as st

from data import history
from data.errors import InvalidInput
from data.queries import EventFilter
from ui.lists import go_to
from ui.shell import Here
from ui.text import typed
from ui.told import ACTIONS, DOORS

Asked = dict[str, str | None]
ANY = {"action": "Any event", "door": "Any door", "reason": "Any reason"}


def filter_bar(here: Here) -> Asked:
    """The filter, in the address: what, who, through which door, why, and from which day to which (the viewer's)."""
    labels = here.database.settings.reason_labels
    with st.container(horizontal=True, vertical_alignment="center"):
        _choice("action", ACTIONS, 160)
        _who()
        _choice("door", {door: words.split()[-1].capitalize() for door, words in DOORS.items()}, 116)
        _choice("reason", labels, 156)
        _day("from", "From")
        _day("to", "To")
    asked: Asked = {name: st.query_params.get(name) for name in history.FIELDS}
    return {**asked, "zone": here.zone.key}


def _choice(name: str, labels: Mapping[str, str], width: int) -> None:
    """One of these; what is not of the list any more stands as itself."""
    asked = st.query_params.get(name, "")
    shown = {"": ANY[name], **labels}
    shown.setdefault(asked, asked)
    key = f"events_{name}"
    st.session_state.setdefault(key, asked)
    st.selectbox(
        name.capitalize(),
        list(shown),
        key=key,
        format_func=lambda code: shown.get(code, code),
        on_change=lambda: go_to(**{name: st.session_state[key]}),
        label_visibility="collapsed",
        width=width,
    )


def _who() -> None:
    st.session_state.setdefault("events_who", st.query_params.get("who", ""))
    st.text_input(
        "By whom",
        key="events_who",
        placeholder="By whom",
        max_chars=history.LONGEST,
        on_change=lambda: go_to(who=st.session_state.events_who.strip()),
        label_visibility="collapsed",
        width=140,
    )


def _day(name: str, label: str) -> None:
    key = f"events_{name}"
    st.session_state.setdefault(key, _read_day(st.query_params.get(name)))
    with st.container(horizontal=True, width="content", vertical_alignment="center", gap="xsmall"):
        st.caption(label, width="content")
        st.date_input(
            label,
            key=key,
            format="YYYY-MM-DD",
            min_value=date(1970, 1, 1),
            max_value=date(9998, 12, 31),
            on_change=lambda: go_to(**{name: st.session_state[key].isoformat() if st.session_state[key] else None}),
            label_visibility="collapsed",
            width=140,
        )


def _read_day(words: str | None) -> date | None:
    try:
        return date.fromisoformat(words) if words else None
    except ValueError:
        return None


def read_filter(here: Here, asked: Asked) -> tuple[EventFilter, Asked]:
    """The filter, and what of it could be read; of the rest the page says that it counts for nothing."""
    try:
        return history.read_filter(here.database.schema, asked), asked
    except InvalidInput as error:
        st.info(typed(error), icon=":material/filter_alt_off:")
        rest = {name: None if name == error.field else words for name, words in asked.items()}
        return read_filter(here, rest)


def is_narrowed(asked: Mapping[str, str | None]) -> bool:
    """Whether the address asks for less than every event."""
    return any(asked.get(name) for name in history.FIELDS)
