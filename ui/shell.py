"""The frame of every page: who is it, which pages, is the database there, what happened last."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import NoReturn, TypeVar
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from data import database as databases
from data import demo
from data.access import Actor, Permission
from data.database import Database, Snapshot
from data.errors import (
    ConfigurationError,
    DatabaseReadOnly,
    DatabaseUnavailable,
    EvenbooksError,
    NotMapped,
    NotMigrated,
    NotPermitted,
)
from data.settings import ROOT
from ui import door, trouble, welcome
from ui.door import Closed, Visitor
from ui.menu import open_menu
from ui.text import typed
from ui.theme import style

T = TypeVar("T")

HEADINGS = {
    NotMapped: "The customers and orders are not found yet",
    ConfigurationError: "A setting is not right",
    DatabaseUnavailable: "The database does not answer",
    DatabaseReadOnly: "The database cannot be written to",
    NotMigrated: "The database is not prepared yet",
}
ICON = str(ROOT / "ui" / "icon.png")
SIDEBAR = 200  # pixels; only the demo company has one
# What an open dialog keeps between runs; ui/dialog.py says what each is.
DIALOG_STATE = ("dialog", "shown", "taken", "listed", "prepared")


@dataclass(frozen=True)
class Here:
    """What a page needs to begin: the database, who looks, and in which time zone."""

    database: Database
    visitor: Visitor
    permission: Permission
    zone: ZoneInfo
    read_only: str | None
    clock: DeltaGenerator

    @property
    def actor(self) -> Actor:
        """Whom the page was made for. Who writes is asked anew: door.current_actor()."""
        return self.visitor.actor

    @contextmanager
    def reading(self) -> Iterator[Snapshot]:
        """One snapshot for every read of the screen, which then says its time; trouble as with `careful`."""
        with self.careful(), databases.snapshot(self.database) as moment:
            self.as_of(moment.at)
            yield moment

    @contextmanager
    def careful(self) -> Iterator[None]:
        """A database that fails inside becomes a page that says so."""
        try:
            yield
        except EvenbooksError as error:
            show_trouble(error)

    def as_of(self, moment: datetime) -> None:
        """Says beside the title from when (UTC) the figures are."""
        self.clock.caption(f"as of {moment.astimezone(self.zone):%H:%M:%S}, your time", width="content")

    def while_valid(self, make: Callable[[], T]) -> Callable[[], T]:
        """For downloads, which are made when asked for, without the page: refused to whom the page now would be."""

        def made() -> T:
            door.require_still(self.visitor, self.permission)
            return make()

        return made

    @property
    def change_blocker(self) -> str | None:
        """Why customers cannot be changed here by this actor, as Markdown; None where they can."""
        if not self.actor.may(Permission.CHANGE_CUSTOMERS):
            return self.actor.refusal(Permission.CHANGE_CUSTOMERS)
        return typed(self.read_only) if self.read_only else None


def open_page(title: str, permission: Permission) -> Here:
    """The first line of every page: the front door, the title, and what happened last.

    Who is it (which asks no database), may that role see this page, is the database there, and does the sign-in
    still count. On a fresh server a deep link runs the page without dashboard.py; then the menu is registered here
    and the run begins again, through dashboard.py.
    """
    if not {"actor", "entered"} & set(st.session_state):
        run_menu()
        st.rerun()
    st.set_page_config(page_title=f"{title} - Evenbooks", page_icon=ICON, layout="wide", initial_sidebar_state=SIDEBAR)
    style()
    _arrive(title)
    visitor = None
    try:
        visitor = door.who()
        visitor.actor.require(permission)
        database = demo.attached()
        door.require_valid(visitor)
        refused = _refuses_writing(database.settings.database_url)
        read_only = trouble.words(refused) if refused else None
    except Closed as closed:
        welcome.show_closed(closed)
    except EvenbooksError as error:
        _show_refused(title, visitor, error)
    clock = _show_title(title, visitor)
    if read_only:
        _show_read_only(read_only)
    _show_flash()
    return Here(database, visitor, permission, viewer_zone(), read_only, clock)


def run_menu() -> st.Page:
    """The menu of whoever is at the screen, and the page to run, which asks for itself who that is."""
    st.session_state.entered = True
    st.set_page_config(page_icon=ICON)  # or the browser asks another company's server for the menu's icon
    try:
        role = door.who().actor.role
    except EvenbooksError:
        role = None
    return open_menu(role)


def _show_title(title: str, visitor: Visitor) -> DeltaGenerator:
    """The title, the place of the clock beside it, and who is there."""
    welcome.show_role_switch(visitor)
    with st.container(horizontal=True, vertical_alignment="bottom", key="title"):
        st.title(title, anchor=False, width="content")
        clock = st.empty()
        st.space("stretch")
        welcome.show_visitor(visitor)
    welcome.show_sign_out_trouble()
    return clock


def _show_refused(title: str, visitor: Visitor | None, error: EvenbooksError) -> NoReturn:
    """A page that cannot be shown: what is wrong, and for whoever is signed in also the way out."""
    if visitor is None:
        st.title(title, anchor=False)
    else:
        _show_title(title, visitor)
        if isinstance(error, NotPermitted):
            welcome.show_not_permitted(visitor, str(error))
    show_trouble(error)


@st.cache_data(ttl=60, show_spinner=False)
def _refuses_writing(url: str) -> DatabaseReadOnly | None:
    """Why nothing can be written, or None; asked by trying, which is the only honest way. `url` keeps databases apart."""
    try:
        databases.try_writing(databases.default())
    except DatabaseReadOnly as error:
        trouble.note(error)
        return error
    return None


def _show_read_only(why: str) -> None:
    with st.container(horizontal=True, vertical_alignment="center"):
        st.warning(typed(why), icon=":material/lock:")
        st.button("Try again", key="retry_writing", on_click=_attach_anew)


def viewer_zone() -> ZoneInfo:
    """The viewer's time zone as the browser says it; UTC where it does not."""
    try:
        return ZoneInfo(st.context.timezone or "UTC")
    except (ZoneInfoNotFoundError, ValueError):
        return ZoneInfo("UTC")


def show_trouble(error: EvenbooksError) -> NoReturn:
    """A page that says what is wrong and what to do, with a button to try again; nothing below it runs."""
    trouble.note(error)
    sentence, before, command = trouble.split_command(trouble.words(error))
    heading = next((words for kind, words in HEADINGS.items() if isinstance(error, kind)), "This did not work")
    st.error(typed(sentence), title=heading, icon=":material/error:")
    if command:
        st.write(before)
        st.code(command, language=None, wrap_lines=True)
    st.button("Try again", key="retry", type="primary", on_click=_attach_anew)
    st.stop()


def _attach_anew() -> None:
    """Settings, tables or rights may have been mended since, and rights are those of a new connection.

    All that stands behind every screen, so only for whoever is let in; for others the page just runs again.
    """
    if door.role_now() is None:
        return
    databases.forget_default()
    st.cache_data.clear()


@dataclass(frozen=True)
class Flash:
    """What happened, told on the page after the rerun, with an Undo where there is one."""

    words: str
    undo: Callable[[], None] | None = None
    worked: bool = True
    job: tuple[str, str] | None = None


def flash(
    words: str,
    *,
    undo: Callable[[], None] | None = None,
    worked: bool = True,
    job: tuple[str, str] | None = None,
) -> None:
    """Keeps what happened for the next run; `words` is Markdown, so other people's words go through typed().

    `job`: a page and the id of the job there that goes on from it.
    """
    st.session_state.flash = Flash(words, undo, worked, job)


def _arrive(title: str) -> None:
    """What happened on another page, and a dialog left open there, end with leaving it."""
    if st.session_state.get("page") != title:
        for key in ("flash", "begun", *DIALOG_STATE):
            st.session_state.pop(key, None)
    st.session_state.page = title


def _show_flash() -> None:
    """The flash stays until something else happens on its page, so that Undo can be found."""
    told: Flash | None = st.session_state.get("flash")
    if told is None:
        return
    with st.container(horizontal=True, vertical_alignment="center", key="flash"):
        show, icon = (st.success, ":material/check_circle:") if told.worked else (st.info, ":material/info:")
        show(told.words, icon=icon)
        if told.job:
            page, job_id = told.job
            st.page_link(page, label="The job", icon=":material/list_alt:", query_params={"job": job_id})
        if told.undo:
            st.button("Undo", key="undo", on_click=told.undo)
