"""Asking for erasures: a dialog that says who it is and what it means, then what stays."""

from __future__ import annotations

from decimal import Decimal

import streamlit as st

from data import jobs, queries
from data.changes import known_key
from data.database import Snapshot, snapshot
from data.errors import EvenbooksError
from data.inspection.blanking import blanks_of
from data.records import CustomerId, Job
from data.retention import asking
from ui import actions, text
from ui.dialog import ask, attempt, keep_button, open_dialog
from ui.door import current_actor
from ui.keeping import forget_reads
from ui.lists import go_to
from ui.shell import Here
from ui.text import count, typed

TYPED_ABOVE = 100  # customers; so many are confirmed by typing the number
WAITS = "This asks for it. Nobody is erased before somebody else, who has signed in, approves it on the page Approvals."


def ask_for_due() -> None:
    """Opens the dialog about everybody who is due."""
    ask("erase", None)


def ask_for_one(customer_id: CustomerId | str) -> None:
    """Opens the dialog about one customer; a number may have a # before it."""
    ask("erase", customer_id.strip().removeprefix("#") if isinstance(customer_id, str) else customer_id)


def show_dialog(here: Here) -> None:
    """The dialog that is open, if any: first what it means, then for whom exactly, with what stays."""
    kind, about = st.session_state.get("dialog", (None, None))
    if kind != "erase":
        return
    prepared: str | None = st.session_state.get("prepared")
    title, who, columns = "Erase everybody who is due?", "", ""
    with here.careful(), snapshot(here.database) as moment:
        columns = typed(", ".join(one.column for one in blanks_of(moment.connection, here.database.schema)[0]))
        if about is not None:
            title, who = _told_of(moment, here, about)

    def body() -> None:
        if who:
            st.write(who)
        if prepared:
            _confirm(here, prepared)
        else:
            _choose(here, about, columns)

    open_dialog(title, body)


def _told_of(moment: Snapshot, here: Here, about: CustomerId) -> tuple[str, str]:
    """Who it is: the dialog's title, and number, e-mail address and deletion as Markdown, nothing where nobody is."""
    connection, schema = moment.connection, here.database.schema
    try:
        customer = queries.get_customer(connection, schema, known_key(schema, about))
    except EvenbooksError:
        customer = None
    if customer is None:
        return f"Erase customer {typed(about)}?", ""
    name = text.shown_name(customer, queries.erased_ids(connection, schema, [customer.id])).strip()
    deleted = (
        f"deleted {text.since(customer.deleted_at, here.zone, moment.at)}"
        if customer.deleted_at is not None
        else "active"
    )
    facts = [f"Customer {customer.id}", customer.email, deleted]
    return f"Erase {typed(name) or f'customer {typed(customer.id)}'}?", f"{typed(', '.join(filter(None, facts)))}."


def _choose(here: Here, about: CustomerId | None, columns: str) -> None:
    """What erasing means; `columns` are those that are blanked, as Markdown."""
    st.write(
        f"Erasing blanks the person ({columns}) and every note about them. "
        "The row, its orders and every amount stay, and so does every total. **Nothing takes it back.**"
    )
    note = st.text_input("Note (optional)", key="note", max_chars=500, help="Blanked too, once it is done.")
    with st.container(horizontal=True):
        keep_button()
        pressed = st.button("Continue", key="continue", icon=":material/arrow_forward:")
    if pressed:
        attempt(lambda: _prepare(here, about, note), stays=True)


def _prepare(here: Here, about: CustomerId | None, note: str) -> None:
    with st.spinner("Looking at each customer"):
        if about is None:
            job = asking.prepare_due(here.database, actor=current_actor(), note=note)
        else:
            job = asking.prepare_one(here.database, about, actor=current_actor(), note=note)
    st.session_state.prepared = job.id


def _confirm(here: Here, job_id: str) -> None:
    with here.careful():
        job = jobs.get(here.database, job_id)
    revenue = {currency: Decimal(amount) for currency, amount in job.preview["revenue"].items()}
    worth, orders = text.money(revenue, here.database.settings.money.decimals), int(job.preview["orders"])
    stays = f"{count(orders, 'order')} worth {typed(worth)} {'stays' if orders == 1 else 'stay'} in every report."
    st.write(f"{count(job.total, 'customer')}. {stays if orders else 'There are no orders.'}")
    st.info(WAITS, icon=":material/how_to_reg:")
    number = ""
    if job.total > TYPED_ABOVE:
        number = st.text_input(f"Type {job.total} to confirm", key="typed_number", max_chars=20)
    with st.container(horizontal=True):
        keep_button()
        pressed = st.button("Ask for erasure", key="confirm_erase", icon=":material/ink_eraser:")
    if pressed and job.total > TYPED_ABOVE and number.strip().replace(",", "") != str(job.total):
        st.error(f"Type {job.total} to confirm.")
    elif pressed:
        attempt(lambda: _start(here, job))


def _start(here: Here, job: Job) -> None:
    asking.ask(here.database, job.id, actor=current_actor())
    jobs.ensure_worker(here.database)
    go_to(job=job.id)
    forget_reads()
    actions.new_version()
