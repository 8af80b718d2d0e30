"""Lists of customers: search, sort, pages in the address, and the selection turned into ids."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

import pandas as pd
import streamlit as st

from data import database as databases
from data import queries
from data.database import Snapshot, snapshot
from data.errors import InvalidInput
from data.records import Customer, CustomerId, Page
from ui.actions import version
from ui.shell import Here
from ui.text import typed

ROWS = 50
HEIGHT = 390  # the buttons below stay on a screen of 768 lines
Sorts = Mapping[str, tuple[str, bool]]


@st.cache_data(ttl=60, show_spinner=False)
def count_customers(url: str, deleted: bool, search: str) -> int:
    """How many customers match, kept for a minute; `url` keeps databases apart."""
    database = databases.default()
    with snapshot(database) as moment:
        return queries.count_customers(moment.connection, database.schema, deleted=deleted, search=search)


def go_to(**changes: str | None) -> None:
    """Changes the address: these keys set (None: removed), and a list begins at its first page unless a cursor is among them.

    The server alone writes it: widgets bound to the address write it too, and the later one wins.
    """
    st.session_state.pop("flash", None)
    _write_address(changes)


def _write_address(changes: Mapping[str, str | None]) -> None:
    kept = {key: value for key, value in st.query_params.to_dict().items() if key not in ("after", "before", *changes)}
    st.query_params.from_dict(kept | {key: value for key, value in changes.items() if value})


def search_box(*, deleted: bool = False) -> str:
    """The search, in the address as ?search=. Each list has a key of its own, so that none inherits the other's."""
    key = "search_deleted" if deleted else "search"
    st.session_state.setdefault(key, st.query_params.get("search", ""))
    st.text_input(
        "Search",
        key=key,
        type="search",
        live="400ms",
        placeholder="Name, beginning of the e-mail, or #number",
        max_chars=200,
        on_change=lambda: go_to(search=st.session_state[key]),
        label_visibility="collapsed",
    )
    return str(st.session_state[key] or "")


def sort_box(every: Sorts, here: Here, *, deleted: bool = False) -> tuple[str, bool]:
    """The order, in the address as ?sort=; answers the column and whether it descends."""
    sorts = {name: sort for name, sort in every.items() if sort[0] in here.database.schema.present}
    key = "sort_deleted" if deleted else "sort"
    first = next(iter(sorts))
    asked = st.query_params.get("sort", first)
    st.session_state.setdefault(key, asked if asked in sorts else first)
    st.selectbox(
        "Order",
        list(sorts),
        key=key,
        on_change=lambda: go_to(sort=None if st.session_state[key] == first else st.session_state[key]),
        label_visibility="collapsed",
        width=220,
    )
    return sorts[st.session_state[key]]


def read_page(moment: Snapshot, here: Here, *, deleted: bool, search: str, sort: tuple[str, bool]) -> Page[Customer]:
    """The page that the address names; one that cannot be read, or has nobody left on it, becomes the first."""
    column, descending = sort
    after = st.query_params.get("after")
    before = None if after else st.query_params.get("before")
    ask = partial(
        queries.list_customers,
        schema=here.database.schema,
        deleted=deleted,
        search=search,
        sort=column,
        descending=descending,
        limit=ROWS,
    )
    try:
        page = ask(moment.connection, after=after, before=before)
    except InvalidInput as error:
        st.info(typed(error))
    else:
        if page.items or not (after or before):
            return page
    _write_address({})
    return ask(moment.connection)


def select_rows(
    frame: pd.DataFrame, ids: Sequence[CustomerId], *, config: Mapping[str, Any], alt: str
) -> list[CustomerId]:
    """The table with its row selection; answers the ids of the selected rows of this very frame."""
    # Streamlit keeps selected positions when the rows change, so whatever changes the rows changes the key.
    key = f"table-{version()}-{hash(tuple(ids))}"
    state = st.dataframe(
        frame,
        key=key,
        hide_index=True,
        height=HEIGHT if len(frame) > 8 else "content",
        column_config=dict(config),
        on_select="rerun",
        selection_mode="multi-row",
        placeholder="",
        alt=alt,
    )
    return [ids[row] for row in state["selection"]["rows"] if row < len(ids)]


def pager(page: Page[Customer], *, total: int) -> None:
    """Previous and Next, by cursor; and a word where no index served."""

    st.button(
        "Previous",
        key="previous",
        icon=":material/chevron_left:",
        disabled=not page.previous,
        on_click=go_to,
        kwargs={"before": page.previous},
    )
    st.button(
        "Next",
        key="next",
        icon=":material/chevron_right:",
        icon_position="right",
        disabled=not page.next,
        on_click=go_to,
        kwargs={"after": page.next},
    )
    shown = f"{len(page.items)} of {total:,}"
    st.caption(
        f"{shown}; no index serves this search or order, so every row was read"
        if page.scanned and total > 10_000
        else shown,
        width="content",
    )
