"""The dialogs of Customer Management and Deleted Customers, and which of them is open: delete, add, edit."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime

import streamlit as st

from data import approvals, customers, queries
from data.records import Customer, CustomerId
from data.schema import FormField
from ui import actions, text
from ui.conflicts import show_conflicts
from ui.dialog import attempt, keep_button, listed, open_dialog, reason_fields, show_gone
from ui.door import current_actor
from ui.keeping import forget_reads
from ui.many import show_many
from ui.shell import Here, flash
from ui.text import count, typed
from ui.waiting import already_asked, find_request
from ui.wording import WAITS, about_deleting, warn_of_open_orders

NAMED = 3  # of those who were changed since they were listed


def show_dialog(here: Here) -> None:
    """Shows the dialog that is open, if any; the last line of its page."""
    kind, about = st.session_state.get("dialog", (None, ()))
    if kind == "delete":
        _delete(here, about)
    elif kind == "edit":
        _edit(here, about[0])
    elif kind == "add":
        open_dialog("Add New Customer", lambda: _add(here))
    elif kind == "many":
        show_many(here, about)
    elif kind == "conflicts":
        show_conflicts(here, about)


def _delete(here: Here, ids: Sequence[CustomerId]) -> None:
    schema, settings = here.database.schema, here.database.settings
    with here.reading() as moment:
        found = queries.get_customers_with_impact(moment.connection, schema, ids)
        request = find_request(moment, here, ids[0]) if len(ids) == 1 else None
    if not found:
        show_gone(ids)
        return
    kept = [impact for _, impact in found.values()]
    one = next(iter(found.values()))[0] if len(found) == 1 else None
    waits = approvals.needed(settings, "delete")

    def body() -> None:
        if request:
            st.info(already_asked(here.database, request, here.actor, here.zone), icon=":material/how_to_reg:")
            keep_button("Close")
            return
        worth = text.money(text.add_revenue(i.revenue for i in kept), settings.money.decimals)
        st.write(about_deleting(len(found), sum(i.orders for i in kept), sum(i.open_orders for i in kept), worth))
        _tell_changed([customer for customer, _ in found.values()])
        warn_of_open_orders(sum(i.open_orders for i in kept))
        if waits:
            st.info(WAITS, icon=":material/how_to_reg:")
        reason, note = reason_fields(here)
        with st.container(horizontal=True):
            keep_button()
            label = "Delete customer" if one else f"Delete {len(found)} customers"
            confirmed = st.button(
                "Ask for deletion" if waits else label, key="confirm_delete", icon=":material/person_off:"
            )
        if confirmed:
            attempt(lambda: actions.delete(list(found), reason=reason, note=note))

    open_dialog(f"Delete {typed(one.name)}?" if one else f"Delete {count(len(found), 'customer')}?", body)


def _tell_changed(now: Sequence[Customer]) -> None:
    """Who is not as the list showed them, so that nobody deletes another person than the one they read of."""
    was = listed()
    changed = [(was[c.id], c) for c in now if c.id in was and (was[c.id].name, was[c.id].email) != (c.name, c.email)]
    for old, new in changed[:NAMED]:
        words = f"Changed since the list was read: {_named(old)} is now {_named(new)}."
        st.warning(words, icon=":material/edit:")
    if changed[NAMED:]:
        st.warning(f"{count(len(changed) - NAMED, 'more customer')} changed since the list was read.")


def _named(customer: Customer) -> str:
    return typed(f"{customer.name} ({customer.email})" if customer.email else customer.name)


def _add(here: Here) -> None:
    values = _form(here.database.schema.form_fields, {}, "Add customer")
    if values is not None:

        def add() -> None:
            customer = customers.add(here.database, values, actor=current_actor())
            forget_reads(added=True)
            flash(f"{typed(customer.name)} is customer {customer.id}.")

        attempt(add)
    _offer_restore(here)


def _edit(here: Here, customer_id: CustomerId) -> None:
    schema = here.database.schema
    if "shown" not in st.session_state:
        with here.reading() as moment:
            if queries.get_customer(moment.connection, schema, customer_id) is None:
                show_gone([customer_id])
                return
            st.session_state.shown = queries.get_form_values(moment.connection, schema, customer_id)
    shown: Mapping[str, str] = st.session_state.shown

    def body() -> None:
        values = _form(schema.form_fields, shown, "Save")
        if values is not None:

            def save() -> None:
                customer = customers.edit(here.database, customer_id, values, shown=shown, actor=current_actor())
                forget_reads()
                actions.new_version()
                flash(f"{typed(customer.name)} is saved.")

            attempt(save)
        _offer_restore(here)

    open_dialog(f"Edit customer {typed(customer_id)}", body)


def _form(fields: Sequence[FormField], values: Mapping[str, str], button: str) -> dict[str, str] | None:
    """The fields; what was entered once the button is pressed, else None."""
    with st.form("customer", border=False):
        entered = {
            f.key: st.text_input(
                f.label if f.required else f"{f.label} (optional)", values.get(f.key, ""), key=f"field_{f.key}"
            )
            for f in fields
        }
        return entered if st.form_submit_button(button, type="primary", key="submit") else None


def _offer_restore(here: Here) -> None:
    """An e-mail address of a deleted customer: most often it is that customer who comes back."""
    other = st.session_state.get("taken")
    if other is None:
        return
    if other.deleted_at is None:
        st.error(f"{typed(other.email)} belongs to {typed(other.name)}, customer {typed(other.id)}.")
        return
    when = text.since(other.deleted_at, here.zone, datetime.now(UTC))
    st.warning(f"{typed(other.email)} belongs to {typed(other.name)}, deleted {when}. Restore that customer instead?")
    if st.button("Restore Customer", key="restore_instead", icon=":material/restore:"):
        attempt(lambda: actions.restore({other.id: other.deleted_at}))
