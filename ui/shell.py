"""The frame of every page: who is it, which pages, is the database there, what happened last."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import NoReturn
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from data import database as databases
from data import demo
from data.access import Actor, Door, Permission, Role, os_user
from data.database import Database, Snapshot
from data.errors import (
    ConfigurationError,
    DatabaseReadOnly,
    DatabaseUnavailable,
    EvenbooksError,
    NotMigrated,
    NotPermitted,
)
from data.settings import ROOT
from ui.text import typed
from ui.theme import style

log = logging.getLogger("evenbooks")

HEADINGS = {
    ConfigurationError: "A setting is not right",
    DatabaseUnavailable: "The database does not answer",
    DatabaseReadOnly: "The database cannot be written to",
    NotMigrated: "The database is not prepared yet",
    NotPermitted: "Not for this role",
}
# What an open dialog keeps between runs; ui/dialogs.py says what each is.
DIALOG_STATE = ("dialog", "shown", "taken")
PAGES = (
    ("pages/customers.py", "Customer Management", ":material/group:", Permission.READ_CUSTOMERS),
    ("pages/deleted_customers.py", "Deleted Customers", ":material/person_off:", Permission.READ_CUSTOMERS),
    ("pages/revenue.py", "Revenue", ":material/bar_chart:", Permission.READ_REVENUE),
    ("pages/integrity.py", "Financial Integrity", ":material/verified:", Permission.READ_INTEGRITY),
)


@dataclass(frozen=True)
class Here:
    """What a page needs to begin: the database, who looks, and in which time zone."""

    database: Database
    actor: Actor
    zone: ZoneInfo
    read_only: str | None
    clock: DeltaGenerator

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

    @property
    def change_blocker(self) -> str | None:
        """Why customers cannot be changed here by this actor, as Markdown; None where they can."""
        if not self.actor.may(Permission.CHANGE_CUSTOMERS):
            return f"The role {self.actor.role} may not {Permission.CHANGE_CUSTOMERS}."
        return typed(self.read_only) if self.read_only else None


def current_actor() -> Actor:
    """Who is at the screen. Without sign-in it is whoever started the server, with every right."""
    return Actor(f"os:{os_user()} (no sign-in)", Role.ADMIN, Door.DASHBOARD)


def menu(actor: Actor) -> st.Page:
    """Registers the pages that this actor may see, and answers the one to run."""
    home = "pages/revenue.py" if actor.role in (Role.MANAGER, Role.AUDITOR) else "pages/customers.py"
    allowed = [page for page in PAGES if actor.may(page[3])]
    pages = [
        st.Page(str(ROOT / file), title=title, icon=icon, default=file == home) for file, title, icon, _ in allowed
    ]
    return st.navigation(pages, position="top")


def open_page(title: str, permission: Permission) -> Here:
    """The first line of every page: the front door, the title, and what happened last.

    On a fresh server a deep link runs the page without dashboard.py; then the menu is registered here and
    the run begins again, through dashboard.py.
    """
    if "actor" not in st.session_state:
        st.session_state.actor = current_actor()
        menu(st.session_state.actor)
        st.rerun()
    actor: Actor = st.session_state.actor
    st.set_page_config(page_title=f"{title} - Evenbooks", page_icon=str(ROOT / "ui" / "icon.png"), layout="wide")
    style()
    _arrive(title)
    try:
        actor.require(permission)
        database = demo.attached()
        read_only = _why_read_only(database.settings.database_url)
    except EvenbooksError as error:
        st.title(title)
        show_trouble(error)
    with st.container(horizontal=True, vertical_alignment="bottom"):
        st.title(title, anchor=False, width="content")
        here = Here(database, actor, viewer_zone(), read_only, st.empty())
        if database.settings.is_demo:
            st.caption("The demo company; DATABASE_URL attaches your own.", width="content")
    if read_only:
        _show_read_only(read_only)
    _show_flash()
    return here


@st.cache_data(ttl=60, show_spinner=False)
def _why_read_only(_url: str) -> str | None:
    """Why nothing can be written, or None; asked by trying, which is the only honest way."""
    try:
        databases.try_writing(databases.default())
    except DatabaseReadOnly as error:
        return str(error)
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
    log.warning("%s: %s", type(error).__name__, error)
    sentence, _, command = str(error).partition("Run: ")
    heading = next((words for kind, words in HEADINGS.items() if isinstance(error, kind)), "This did not work")
    st.error(typed(sentence), title=heading, icon=":material/error:")
    if command:
        st.write("Run this where Evenbooks is installed, then try again:")
        st.code(command, language="sh")
    st.button("Try again", key="retry", type="primary", on_click=_attach_anew)
    st.stop()


def _attach_anew() -> None:
    """Settings, tables or rights may have been mended since, and rights are those of a new connection."""
    databases.forget_default()
    forget_reads()


def forget_reads() -> None:
    """After a write, and before trying again: what screens keep for a minute is read anew."""
    st.cache_data.clear()


@dataclass(frozen=True)
class Flash:
    """What happened, told on the page after the rerun, with an Undo where there is one."""

    words: str
    undo: Callable[[], None] | None = None
    worked: bool = True


def flash(words: str, *, undo: Callable[[], None] | None = None, worked: bool = True) -> None:
    """Keeps what happened for the next run; `words` is Markdown, so other people's words go through typed()."""
    st.session_state.flash = Flash(words, undo, worked)


def _arrive(title: str) -> None:
    """What happened on another page, and a dialog left open there, end with leaving it."""
    if st.session_state.get("page") != title:
        for key in ("flash", *DIALOG_STATE):
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
        if told.undo:
            st.button("Undo", key="undo", on_click=told.undo)
