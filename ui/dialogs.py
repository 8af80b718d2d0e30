"""The dialogs of Customer Management: delete, add, edit. Driven by state, so that a rerun finds them again.

In the session stand `dialog` (which, and the ids), `shown` (what the Edit form started from), and `taken`
(the customer who has the e-mail address that was entered).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime

import streamlit as st

from data import customers, queries
from data.errors import EmailTaken, EvenbooksError, NotPermitted
from data.records import CustomerId
from data.schema import FormField
from ui import actions, text
from ui.door import current_actor, leave_if_closed
from ui.shell import DIALOG_STATE, Here, flash, forget_reads
from ui.text import count, typed
from ui.trouble import tell


def ask(kind: str, ids: Sequence[CustomerId] = ()) -> None:
    """Opens a dialog on the next run: delete, edit or add."""
    st.session_state.dialog = (kind, tuple(ids))


def close() -> None:
    """Closes the dialog, also when it is dismissed, and forgets what it held."""
    for key in DIALOG_STATE:
        st.session_state.pop(key, None)


def show_dialog(here: Here) -> None:
    """Shows the dialog that is open, if any; the last line of its page."""
    kind, ids = st.session_state.get("dialog", (None, ()))
    if kind == "delete":
        _delete(here, ids)
    elif kind == "edit":
        _edit(here, ids[0])
    elif kind == "add":
        _open("Add New Customer", lambda: _add(here))


def _open(title: str, body: Callable[[], None]) -> None:
    """The dialog; what is done in it runs without its page, so each time it asks first who is there."""

    def asked() -> None:
        leave_if_closed()
        body()

    st.dialog(title, on_dismiss=close)(asked)()


def _delete(here: Here, ids: Sequence[CustomerId]) -> None:
    schema = here.database.schema
    with here.reading() as moment:
        found = queries.get_customers_with_impact(moment.connection, schema, ids)
    if not found:
        _gone(ids)
        return
    kept = [impact for _, impact in found.values()]
    one = next(iter(found.values()))[0] if len(found) == 1 else None
    orders, waiting = sum(i.orders for i in kept), sum(i.open_orders for i in kept)
    worth = text.money(text.add_revenue(i.revenue for i in kept), here.database.settings.money.decimals)

    def body() -> None:
        leaves = "The customer leaves the list" if one else "The customers leave the list"
        stays = "no order counts as revenue yet" if waiting else "there are no orders to lose"
        if orders:
            stays = (
                f"{count(orders, 'order')} worth {typed(worth)} {'stays' if orders == 1 else 'stay'} in every report"
            )
        st.write(f"This is a soft delete. {leaves}; {stays}; restoring is possible at any time.")
        if waiting:
            st.warning(
                f"{count(waiting, 'order')} not counted as revenue yet. "
                f"Deleting does not cancel {'it' if waiting == 1 else 'them'}.",
                icon=":material/pending:",
            )
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
        with st.container(horizontal=True):
            if st.button("Keep", key="keep"):
                close()
                st.rerun()
            label = "Delete customer" if one else f"Delete {len(found)} customers"
            confirmed = st.button(label, key="confirm_delete", icon=":material/person_off:")
        if confirmed:
            _try(lambda: actions.delete(list(found), reason=reason or "", note=note))

    _open(f"Delete {typed(one.name)}?" if one else f"Delete {count(len(found), 'customer')}?", body)


def _add(here: Here) -> None:
    values = _form(here.database.schema.form_fields, {}, "Add customer")
    if values is not None:

        def add() -> None:
            customer = customers.add(here.database, values, actor=current_actor())
            forget_reads()
            flash(f"{typed(customer.name)} is customer {customer.id}.")

        _try(add)
    _offer_restore(here)


def _edit(here: Here, customer_id: CustomerId) -> None:
    schema = here.database.schema
    if "shown" not in st.session_state:
        with here.reading() as moment:
            if queries.get_customer(moment.connection, schema, customer_id) is None:
                _gone([customer_id])
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

            _try(save)
        _offer_restore(here)

    _open(f"Edit customer {typed(customer_id)}", body)


def _gone(ids: Sequence[CustomerId]) -> None:
    """Customers who were there when they were selected, and whom another program has since removed."""
    close()
    st.info(f"There is no customer {typed(', '.join(map(str, ids)))} any more.", icon=":material/info:")


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


def _try(work: Callable[[], None]) -> None:
    """Does it, closes the dialog and runs the page again; what goes wrong is said in the dialog, which stays."""
    st.session_state.pop("taken", None)
    try:
        work()
    except EmailTaken as error:
        st.session_state.taken = error.customer
        return
    except NotPermitted as error:  # the role has changed meanwhile, so the page says what it may now
        flash(tell(error), worked=False)
    except EvenbooksError as error:
        st.error(tell(error))
        return
    close()
    st.rerun()


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
        _try(lambda: actions.restore([other.id]))
