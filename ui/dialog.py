"""What the dialogs on customers share. Driven by state, so that a rerun finds them again.

In the session stand `dialog` (which, and whom it is about), `listed` (those customers as their list showed them),
`shown` (what the Edit form started from), `taken` (the customer who has the e-mail address that was entered), and
`prepared` (the job whose preview is shown).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import streamlit as st

from data.errors import EmailTaken, EvenbooksError, NotPermitted, OutcomeUnknown
from data.records import Customer, CustomerId
from ui.door import leave_if_closed
from ui.keeping import forget_reads
from ui.shell import DIALOG_STATE, Here, flash
from ui.text import typed
from ui.trouble import tell


def ask(kind: str, about: Any = (), listed: Iterable[Customer] = ()) -> None:
    """Opens a dialog on the next run: delete, edit, add, many or conflicts."""
    close()
    st.session_state.dialog = (kind, about)
    st.session_state.listed = {customer.id: customer for customer in listed}


def ask_about(kind: str, selected: Sequence[Customer]) -> None:
    """The same about selected customers, as the list shows them."""
    ask(kind, tuple(customer.id for customer in selected), selected)


def listed() -> Mapping[CustomerId, Customer]:
    """Those whom the dialog is about, as their list showed them, by id."""
    found: Mapping[CustomerId, Customer] = st.session_state.get("listed", {})
    return found


def close() -> None:
    """Closes the dialog, also when it is dismissed, and forgets what it held."""
    for key in DIALOG_STATE:
        st.session_state.pop(key, None)


def open_dialog(title: str, body: Callable[[], None]) -> None:
    """The dialog; what is done in it runs without its page, so each time it asks first who is there."""

    def asked() -> None:
        leave_if_closed()
        body()

    st.dialog(title, on_dismiss=close)(asked)()


def show_gone(ids: Sequence[CustomerId]) -> None:
    """Customers who were there when they were selected, and whom another program has since removed."""
    close()
    st.info(f"There is no customer {typed(', '.join(map(str, ids)))} any more.", icon=":material/info:")


def reason_fields(here: Here) -> tuple[str, str]:
    """The company's reasons, and a note; what was entered."""
    labels = here.database.settings.reasons | {"other": "Other"}
    reason = st.selectbox(
        "Reason",
        list(labels),
        format_func=labels.__getitem__,
        index=None,
        placeholder="Choose a reason",
        key="reason",
    )
    note = st.text_input("Note (optional)", key="note", max_chars=500)
    return reason or "", note


def keep_button(label: str = "Keep") -> None:
    """The way out that changes nothing."""
    if st.button(label, key="keep"):
        close()
        st.rerun()


def attempt(work: Callable[[], None], *, stays: bool = False) -> None:
    """Does it, closes the dialog (unless it `stays`) and runs the page again; what goes wrong is said in the dialog."""
    st.session_state.pop("taken", None)
    try:
        work()
    except EmailTaken as error:
        st.session_state.taken = error.customer
        return
    except NotPermitted as error:  # the role has changed meanwhile, so the page says what it may now
        flash(tell(error), worked=False)
        stays = False
    except EvenbooksError as error:
        if isinstance(error, OutcomeUnknown):
            forget_reads(added=True)  # who looks whether it was done must not see what was before
        st.error(tell(error))
        return
    if not stays:
        close()
    st.rerun()
