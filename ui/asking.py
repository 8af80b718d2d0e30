"""The dialogs of Financial Integrity: accept a finding, seal a month, unseal it. Each says what follows, and asks why.

In the session stands `dialog`: which, and what it is about.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import streamlit as st

from data import seals
from data.access import Actor, Permission
from data.database import Database
from data.errors import EvenbooksError, NotPermitted
from data.integrity import Finding, Progress
from data.integrity.accept import acknowledge
from ui import checking, text
from ui.checking import Told
from ui.door import current_actor, leave_if_closed
from ui.keeping import forget_reads
from ui.shell import DIALOG_STATE, Here, flash
from ui.text import typed
from ui.trouble import tell


def ask(kind: str, subject: Any) -> None:
    """Opens a dialog on the next run: accept (check, Finding), seal (month) or unseal (month)."""
    st.session_state.dialog = (kind, subject)


def close() -> None:
    """Closes the dialog, also when it is dismissed."""
    for key in DIALOG_STATE:
        st.session_state.pop(key, None)


def show_dialog(here: Here) -> None:
    """Shows the dialog that is open, if any; the last line of the page."""
    kind, subject = st.session_state.get("dialog", (None, None))
    if kind == "accept":
        _accept(here, *subject)
    elif kind == "seal":
        _seal(here, subject)
    elif kind == "unseal":
        _unseal(here, subject)


def _open(
    title: str, words: str, *, button: str, keep: str, work: Callable[[str], None], required: bool = True
) -> None:
    """One dialog: what follows, the reason, and two buttons; what is refused is said in it, and it stays."""

    def body() -> None:
        leave_if_closed()
        st.write(words)
        reason = st.text_input("Reason" if required else "Reason (optional)", key="why", max_chars=500)
        with st.container(horizontal=True):
            if st.button(keep, key="keep"):
                close()
                st.rerun()
            confirmed = st.button(button, key="confirm")
        if confirmed and required and not reason.strip():
            st.error("Give a reason.")
        elif confirmed:
            try:
                work(reason.strip())
            except NotPermitted as error:  # the role has changed meanwhile, so the page says what it may now
                flash(tell(error), worked=False)
            except EvenbooksError as error:
                st.error(tell(error))
                return
            close()
            st.rerun()

    st.dialog(title, on_dismiss=close)(body)()


def _accept(here: Here, check: str, finding: Finding) -> None:
    def work(reason: str) -> None:
        actor = current_actor()
        actor.require(Permission.ACCEPT_FINDINGS)
        _start("The acceptance", partial(_run_accept, here.database, actor, check, finding.id, reason))

    words = (
        f"{typed(finding.words)}.\n\nAccepting writes an event with your name and reason. The check is even again once "
        "nothing else is found; this finding stays listed as accepted, and is red again should it change."
    )
    _open("Accept this finding?", words, button="Accept finding", keep="Keep it red", work=work)


def _run_accept(database: Database, actor: Actor, check: str, finding: str, reason: str, progress: Progress) -> Told:
    found = acknowledge(database, check, finding, actor=actor, reason=reason, progress=progress)
    return Told(f"Accepted: {typed(found.words)}.", True)


def _seal(here: Here, month: str) -> None:
    def work(reason: str) -> None:
        actor = current_actor()
        actor.require(Permission.SEAL_MONTHS)
        _start("The seal", partial(_run_seal, here.database, actor, month, reason))

    words = (
        "The seal keeps how many orders this month has, what they add up to, and a checksum over each of them. From then "
        "on a change in it turns the check red, until somebody unseals the month with a reason. Every check runs first; "
        "while one is red nothing is sealed."
    )
    name = text.month(month)
    _open(f"Seal {name}?", words, button="Seal month", keep="Leave it open", work=work, required=False)


def _run_seal(database: Database, actor: Actor, month: str, reason: str, progress: Progress) -> Told:
    made = seals.seal(database, month, actor=actor, reason=reason or None, progress=progress)
    return Told(f"{text.month(month)} is sealed: {typed(_contents(made, database))}.", True)


def _contents(made: list[Any], database: Database) -> str:
    """What was sealed: 120 orders and EUR 4,310.50."""
    worth = text.money({s.currency: s.total for s in made}, database.settings.money.decimals)
    return f"{text.count(sum(s.orders for s in made), 'order')}, {worth}"


def _unseal(here: Here, month: str) -> None:
    def work(reason: str) -> None:
        seals.unseal(here.database, month, actor=current_actor(), reason=reason)
        forget_reads()
        flash(f"{text.month(month)} is open again. The seal and your reason stay in the history.")

    words = (
        "Changes in this month are then no longer noticed by its seal. Unsealing is an event with your name and reason, "
        "and the month can be sealed again."
    )
    _open(f"Unseal {text.month(month)}?", words, button="Unseal month", keep="Keep it sealed", work=work)


def _start(title: str, work: checking.Work) -> None:
    """In the background, as the check is; while something else runs nothing is begun, and that is said."""
    if not checking.start(title, work):
        flash("Something else is running. Wait for it, or stop it, and try again.", worked=False)
