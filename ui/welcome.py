"""What the front door shows: the page of whoever is not let in, who is signed in, and the demo company's role switch."""

from __future__ import annotations

import json
import logging
from typing import NoReturn

import streamlit as st

from data import demo, sign_in
from data.access import Role
from data.errors import EvenbooksError
from ui import door
from ui.door import Closed, Visitor
from ui.menu import allowed_pages, open_menu
from ui.text import typed

log = logging.getLogger("evenbooks")

ROLES = (Role.ADMIN, Role.STAFF, Role.MANAGER, Role.AUDITOR)
LEFT_ONLY_HERE = "The database did not keep this sign-out, so other tabs may stay signed in until it ends: close them."


def show_closed(closed: Closed) -> NoReturn:
    """The whole page of whoever is not let in: why, and the one button that helps. No menu; the address stays."""
    open_menu(None)
    with st.container(horizontal_alignment="center"), st.container(border=True, width=440, key="closed"):
        st.caption("Evenbooks")
        st.header(typed(closed.heading), anchor=False)
        st.write(typed(closed.words))
        if closed.identity:
            _show_account(closed)
        elif closed.signs_in:
            _show_providers()
    st.stop()


def _show_providers() -> None:
    ways = door.providers()
    if not ways:
        st.error("No provider is configured: [auth] in Streamlit's secrets needs client_id, client_secret and so on.")
    for number, (name, words) in enumerate(ways.items()):
        st.button(
            words,
            key=f"sign_in_{name}",
            type="secondary" if number else "primary",
            icon=":material/login:",
            width="stretch",
            on_click=st.login,
            args=(name,),
        )


def _show_account(closed: Closed) -> None:
    """Who is signed in without a role, as [roles] would name them; and the way out."""
    identity = closed.identity
    if identity is None:
        return
    st.caption("As [roles] would name this account:")
    issuer, subject = (json.dumps(words, ensure_ascii=False) for words in (identity.issuer, identity.subject))
    line = f"subjects = [{{ issuer = {issuer}, subject = {subject} }}]"
    st.code(line, language=None, wrap_lines=True)  # its colours would be too faint
    _sign_out_button()


def show_visitor(visitor: Visitor) -> None:
    """Beside the title: who is signed in, as what, and the way out; without sign-in that there is none."""
    actor = visitor.actor
    if visitor.identity is None:
        user = typed(actor.id.removesuffix(" (no sign-in)"))
        everybody = "seen as" if visitor.is_demo and actor.role is not Role.ADMIN else "everybody on this machine is"
        st.caption(f"No sign-in: {everybody} {actor.role} ({user}).", width="content")
        return
    with st.popover(f"{actor.role}: {typed(actor.id)}", icon=":material/account_circle:", key="account"):
        st.write(f"Signed in as {typed(actor.id)}, with the role **{actor.role}**.")
        _sign_out_button()


def _sign_out_button() -> None:
    st.button("Sign out", key="sign_out", icon=":material/logout:", width="stretch", on_click=sign_out)


def sign_out() -> None:
    """Ends every earlier sign-in of this person, in every tab, and then this one; for callbacks."""
    try:
        sign_in.sign_out(demo.attached(), sign_in.read_identity(st.user.to_dict()))
    except EvenbooksError as error:
        if "left_only_here" not in st.session_state:
            log.warning("a sign-out could not be kept: %s", type(error).__name__)
            st.session_state.left_only_here = True
            return
    st.logout()


def show_sign_out_trouble() -> None:
    """Where a sign-out could not be kept: says so once, before the second click leaves this browser alone."""
    if st.session_state.get("left_only_here"):
        st.warning(f"{LEFT_ONLY_HERE} Sign out again to leave here.", icon=":material/logout:")


def show_role_switch(visitor: Visitor) -> None:
    """On the demo company alone: the pages as another role sees them."""
    if not visitor.is_demo:
        return
    st.session_state.see_as = visitor.actor.role  # a widget's own value ends with its page
    with st.sidebar:
        st.radio("See it as", ROLES, format_func=str, key="see_as", on_change=_see_as)
        st.caption("This is the demo company; DATABASE_URL attaches your own. There, roles come with the sign-in.")


def _see_as() -> None:
    st.session_state.seen_as = Role(st.session_state.see_as)


def show_not_permitted(visitor: Visitor, words: str) -> NoReturn:
    """A page of another role: says so, and where to go instead."""
    st.warning(typed(words), title="Not for this role", icon=":material/lock:")
    for page in allowed_pages(visitor.actor.role):
        st.page_link(page.file, label=page.title, icon=page.icon, width="content")
    st.stop()
