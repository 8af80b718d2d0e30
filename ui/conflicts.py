"""Restoring customers whose e-mail address somebody else has by now: whose it is, and what can be done."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import streamlit as st

from data import database as databases
from data import queries, sharing
from data.errors import EvenbooksError
from data.records import Customer, CustomerId
from ui import actions
from ui.dialog import ask_about, close, keep_button, listed, open_dialog, show_gone
from ui.shell import Here, flash
from ui.text import count, typed
from ui.trouble import tell

NAMED = 5  # of those whose address is somebody else's


def restore(selected: Sequence[Customer]) -> None:
    """Restores the selected customers at once, or opens the dialog where somebody else has an address of theirs: for
    callbacks."""
    try:
        shared = sharing.find_sharing_emails(databases.default(), selected)
    except EvenbooksError as error:
        flash(tell(error), worked=False)
        return
    if shared:
        ask_about("conflicts", selected)
    else:
        actions.restore({customer.id: customer.deleted_at for customer in selected})


def show_conflicts(here: Here, ids: Sequence[CustomerId]) -> None:
    """The dialog: whose address it is now, and the choices."""
    with here.reading() as moment:
        found = queries.get_customers(moment.connection, here.database.schema, ids)
    customers = [found[one] for one in ids if one in found]
    if not customers:
        show_gone(ids)
        return
    with here.careful():
        shared = sharing.find_sharing_emails(here.database, customers)
        kept_apart = sharing.are_kept_apart(here.database)
    title = f"Restore {typed(customers[0].name) if len(customers) == 1 else count(len(customers), 'customer')}?"
    open_dialog(title, lambda: _choices(here, customers, shared, kept_apart))


def _choices(
    here: Here, customers: Sequence[Customer], shared: Mapping[CustomerId, Customer], kept_apart: bool
) -> None:
    one = len(customers) == 1
    _tell_whose(customers, shared)
    if kept_apart:
        st.caption("This database keeps the e-mail addresses of active customers apart.")
    else:
        st.caption("Addresses may be shared here, so that both can keep it.")
    with st.container(horizontal=True):
        keep_button("Cancel")
        if sharing.may_lose_email(here.database.schema):
            label = "Restore without the e-mail" if one else f"Restore all, {len(shared)} without the e-mail"
            _choice(label, "restore_without", customers, list(shared))
        rest = [customer for customer in customers if customer.id not in shared]
        if rest:
            _choice(f"Restore the other {len(rest)}" if rest[1:] else "Restore the other one", "restore_rest", rest, [])
        if not kept_apart:
            _choice("Restore anyway" if one else "Restore all anyway", "restore_anyway", customers, [])


def _tell_whose(customers: Sequence[Customer], shared: Mapping[CustomerId, Customer]) -> None:
    """Each address with who has it now, and the way to them."""
    theirs = [customer for customer in customers if customer.id in shared]
    for customer in theirs[:NAMED]:
        other = shared[customer.id]
        whose = f"{typed(customer.email)} is now the address of {typed(other.name)}, customer {typed(other.id)}"
        if other.deleted_at is not None:
            st.warning(f"{whose}, who is selected too.", icon=":material/alternate_email:")
            continue
        st.warning(f"{whose}.", icon=":material/alternate_email:")
        number = f"#{other.id}" if isinstance(other.id, int) else other.id
        st.page_link(
            "pages/customers.py",
            label=f"Open {typed(other.name)}",
            icon=":material/open_in_new:",
            query_params={"search": number},
        )
    if theirs[NAMED:]:
        st.write(f"So it is with {count(len(theirs) - NAMED, 'more address', 'more addresses')}.")


def _choice(label: str, key: str, customers: Sequence[Customer], without: Sequence[CustomerId]) -> None:
    if st.button(label, key=key, icon=":material/restore:"):
        seen = {customer.id: listed().get(customer.id, customer).deleted_at for customer in customers}
        close()
        actions.restore(seen, without_email=without)
        st.rerun()
