"""Lists of customers: search, sort, pages in the address, and the selection turned into ids."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, Literal, TypeVar

import pandas as pd
import streamlit as st

from data import database as databases
from data import queries
from data.database import Snapshot, snapshot
from data.errors import InvalidInput
from data.records import Customer, Page
from ui.actions import version
from ui.keeping import ADDED, MINE, kept
from ui.shell import Here
from ui.text import count, typed

ROWS, ROW = 50, 35  # on a page; pixels
HEIGHT, LEAST, SPARE = 390, 141, 80  # pixels; the buttons below stay on a screen of 768, of which so many are left
PANEL, TOLD = 130, 74  # what the panel of a job takes of that, and what tells of something
COUNTED = 1000  # of those who match, where there are MANY customers: to count them reads every row
MANY = 100_000
ANY, NOT_OURS = "Any reason", "Not by Evenbooks"
Sorts = Mapping[str, tuple[str, bool]]
T = TypeVar("T")


@dataclass(frozen=True)
class Asked:
    """What a list is of: active or deleted customers, those that a search finds, of the deleted those of a reason; and
    the order, a column and whether it descends."""

    deleted: bool
    search: str
    reason: str
    sort: tuple[str, bool]

    @property
    def narrowed(self) -> bool:
        """Whether it is less than all of them."""
        return bool(self.search.strip() or self.reason)


@dataclass(frozen=True)
class Count:
    """How many customers match, or that there are `more` than so many: then nobody counted further."""

    number: int
    more: bool = False

    def __str__(self) -> str:
        return f"more than {self.number:,}" if self.more else f"{self.number:,}"

    def exceeds(self, number: int) -> bool:
        """Whether there are more than so many, or nobody counted that far."""
        return self.more or self.number > number

    def of(self, thing: str) -> str:
        """27 customers, or more than 1,000 customers."""
        return f"{'more than ' if self.more else ''}{count(self.number, thing)}"


@kept(after=ADDED)
def count_rows(url: str) -> int:
    """How many customers there are, active and deleted, kept for a minute: only adding one changes that. `url` keeps
    databases apart."""
    database = databases.default()
    with snapshot(database) as moment:
        return queries.count_rows(moment.connection, database.schema)


@kept()
def count_deleted(url: str) -> int:
    """How many customers are deleted, kept for a minute; `url` keeps databases apart."""
    database = databases.default()
    with snapshot(database) as moment:
        return queries.count_customers(moment.connection, database.schema, deleted=True)


def count_active(url: str) -> int:
    """How many are active: the others, for counting a million of them takes long after every change."""
    return max(0, count_rows(url) - count_deleted(url))


def count_matching(url: str, deleted: bool, search: str, reason: str = "") -> Count:
    """How many match a search or a reason; where there are very many customers, not further than COUNTED."""
    if count_rows(url) <= MANY:
        return Count(_count_up_to(url, deleted, search, reason, None))
    found = _count_up_to(url, deleted, search, reason, COUNTED + 1)
    return Count(min(found, COUNTED), more=found > COUNTED)


@kept(after=MINE)
def _count_up_to(url: str, deleted: bool, search: str, reason: str, limit: int | None) -> int:
    database = databases.default()
    with snapshot(database) as moment:
        return queries.count_customers(
            moment.connection, database.schema, deleted=deleted, search=search, reason=reason, limit=limit
        )


def count_asked(here: Here, asked: Asked, page: Page[Customer]) -> Count:
    """How many customers a list has in all, whose `page` is shown: often that is all there are."""
    url = here.database.settings.database_url
    if not asked.narrowed:
        return Count(count_deleted(url) if asked.deleted else count_active(url))
    if not (page.previous or page.next):
        return Count(len(page.items))
    return count_matching(url, asked.deleted, asked.search, asked.reason)


def go_to(**changes: str | None) -> None:
    """Changes the address: these keys set (None: removed), and a list begins at its first page unless a cursor is among them.

    The server alone writes it: widgets bound to the address write it too, and the later one wins.
    """
    st.session_state.pop("flash", None)
    _write_address(changes)


def _write_address(changes: Mapping[str, str | None]) -> None:
    kept = {key: value for key, value in st.query_params.to_dict().items() if key not in ("after", "before", *changes)}
    st.query_params.from_dict(kept | {key: value for key, value in changes.items() if value})


def ask(here: Here, sorts: Sorts, *, deleted: bool) -> Asked:
    """The search, of the deleted the reason, and the order, each in the address."""
    search = _search_box(deleted)
    reason = _reason_box(here) if deleted else ""
    return Asked(deleted, search, reason, _sort_box(sorts, here, deleted))


def _search_box(deleted: bool) -> str:
    """In the address as ?search=. Each list has a key of its own, so that none inherits the other's."""
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


def _reason_box(here: Here) -> str:
    """In the address as ?reason=, a code; one that is not of the list any more stands as itself."""
    labels = {"": ANY, **here.database.settings.reason_labels, queries.NO_REASON: NOT_OURS}
    asked = st.query_params.get("reason", "")
    labels.setdefault(asked, asked)
    st.session_state.setdefault("reason_filter", asked)
    st.selectbox(
        "Reason",
        list(labels),
        key="reason_filter",
        format_func=lambda code: labels.get(code, code),
        on_change=lambda: go_to(reason=st.session_state.reason_filter),
        label_visibility="collapsed",
        width=260,
    )
    return str(st.session_state.reason_filter or "")


def _sort_box(every: Sorts, here: Here, deleted: bool) -> tuple[str, bool]:
    """In the address as ?sort=."""
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
        width=200,
    )
    return sorts[st.session_state[key]]


def page_of_address(read: Callable[..., Page[T]]) -> Page[T]:
    """What `read(after=, before=)` answers for the page that the address names; one that cannot be read, or has nothing
    left on it, becomes the first."""
    after = st.query_params.get("after")
    before = None if after else st.query_params.get("before")
    try:
        page = read(after=after, before=before)
    except InvalidInput as error:
        st.info(typed(error))
    else:
        if page.items or not (after or before):
            return page
    _write_address({})
    return read(after=None, before=None)


def read_page(moment: Snapshot, here: Here, asked: Asked) -> Page[Customer]:
    """The page of customers that the address names."""
    column, descending = asked.sort
    read = partial(
        queries.list_customers,
        moment.connection,
        here.database.schema,
        deleted=asked.deleted,
        search=asked.search,
        reason=asked.reason,
        sort=column,
        descending=descending,
        limit=ROWS,
    )
    return page_of_address(read)


def height(rows: int, *, taken: int = 0) -> int | Literal["content"]:
    """How high a table of so many rows is, where so many pixels above it are taken by more than a list always has."""
    if st.query_params.get("job"):
        taken += PANEL
    if "flash" in st.session_state:
        taken += TOLD
    room = max(LEAST, HEIGHT - max(0, taken - SPARE))
    return room if ROW * (rows + 1) > room else "content"


def select_rows(
    frame: pd.DataFrame, customers: Sequence[Customer], *, config: Mapping[str, Any], alt: str, taken: int = 0
) -> list[Customer]:
    """The table of these customers with its row selection; answers the selected ones of this very frame."""
    key = f"table-{version()}-{hash(tuple(c.id for c in customers))}"
    return select_items(frame, customers, key=key, config=config, alt=alt, height=height(len(frame), taken=taken))


def select_items(
    frame: pd.DataFrame,
    items: Sequence[T],
    *,
    key: str,
    config: Mapping[str, Any],
    alt: str,
    height: int | Literal["content"] | None = None,
    one: bool = False,
) -> list[T]:
    """A table with its row selection, of `one` row at most where asked for; answers the selected items of this very frame.

    Streamlit keeps selected positions when the rows change, so whatever changes the rows must change the key.
    """
    state = st.dataframe(
        frame,
        key=key,
        hide_index=True,
        height=height or (HEIGHT if len(frame) > 8 else "content"),
        column_config=dict(config),
        on_select="rerun",
        selection_mode="single-row" if one else "multi-row",
        placeholder="",
        alt=alt,
    )
    return [items[row] for row in state["selection"]["rows"] if row < len(items)]


def history_link(selected: Sequence[Customer]) -> None:
    """The way to one selected customer's life."""
    if len(selected) == 1:
        st.page_link(
            "pages/history.py",
            label="History",
            icon=":material/history:",
            query_params={"customer": str(selected[0].id)},
        )


def pager(page: Page[Customer], *, total: Count) -> None:
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
    shown = f"{len(page.items)} of {total}"
    st.caption(
        f"{shown}; no index serves this search or order, so every row was read"
        if page.scanned and total.exceeds(10_000)
        else shown,
        width="content",
    )
