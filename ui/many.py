"""Many customers at once: the dialog that asks why, shows exactly whom it is about, and lets the job begin."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

import streamlit as st

from data import approvals, jobs
from data import database as databases
from data.records import Customer, CustomerId, Job, JobKind, Page
from ui import actions, text
from ui import jobs as show_jobs
from ui.dialog import ask, ask_about, attempt, keep_button, open_dialog, reason_fields
from ui.door import current_actor
from ui.lists import Asked, Count
from ui.shell import Here
from ui.text import count, typed
from ui.wording import WAITS, about_deleting, about_restoring, warn_of_open_orders

TYPED_ABOVE = 100  # customers; so many are confirmed by typing the number
WORDS = {"delete": "Delete", "restore": "Restore"}
ICONS = {"delete": ":material/person_off:", "restore": ":material/restore:"}


@dataclass(frozen=True)
class Many:
    """Whom a job is to be about: these ids, or (None) all that match the search and the reason; `number` as it was shown."""

    kind: JobKind
    number: Count
    ids: tuple[CustomerId, ...] | None = None
    search: str = ""
    reason: str = ""

    def describe(self, labels: Mapping[str, str]) -> str:
        """Whom it is about, as Markdown."""
        if self.ids is not None:
            return f"The {self.number.of('selected customer')}."
        state = "deleted" if self.kind == "restore" else "active"
        which = [f"match “{typed(self.search.strip())}”"] if self.search.strip() else []
        which += [f"have the reason “{typed(labels.get(self.reason, self.reason))}”"] if self.reason else []
        of_them = f" that {' and '.join(which)}" if which else ""
        if self.number.more:
            return f"All {state} customers{of_them}: {self.number.of('customer')}."
        return f"All {self.number.of(f'{state} customer')}{of_them}."


def ask_to_delete(selected: Sequence[Customer]) -> None:
    """Opens the dialog for selected rows: one page of them is one transaction; where approval is needed, one request."""
    if len(selected) > 1 and approvals.needed(databases.default().settings, "delete"):
        ask("many", Many("delete", Count(len(selected)), ids=tuple(customer.id for customer in selected)))
    else:
        ask_about("delete", selected)


def offer_all(asked: Asked, page: Page[Customer], selected: Sequence[Customer], *, matching: Count) -> None:
    """A button for all that match, where that is more than the page: once there is a search, or the whole page is selected."""
    if not matching.exceeds(len(page.items)) or not (asked.narrowed or len(selected) == len(page.items)):
        return
    many = Many("restore" if asked.deleted else "delete", matching, search=asked.search, reason=asked.reason)
    st.button(
        f"{WORDS[many.kind]} all {'that match' if matching.more else matching}",
        key="all",
        icon=ICONS[many.kind],
        help="All that match, on every page, as a job. Next you see what it means.",
        on_click=ask,
        args=("many", many),
    )


def show_many(here: Here, many: Many) -> None:
    """The dialog: first why, then what it means for those who are frozen by then."""
    prepared: str | None = st.session_state.get("prepared")
    title = f"{WORDS[many.kind]} {many.number.of('customer')}?"
    open_dialog(title, lambda: _confirm(here, prepared) if prepared else _choose(here, many))


def _choose(here: Here, many: Many) -> None:
    labels = here.database.settings.reason_labels
    st.write(f"{many.describe(labels)} Next you see what it means; nothing is changed before that.")
    reason, note = reason_fields(here) if many.kind == "delete" else ("restored", "")
    with st.container(horizontal=True):
        keep_button("Cancel")
        pressed = st.button("Continue", key="continue", icon=":material/arrow_forward:")
    if pressed:
        attempt(lambda: _prepare(here, many, reason, note), stays=True)


def _prepare(here: Here, many: Many, reason: str, note: str) -> None:
    with st.spinner("Looking at each customer"):
        job = jobs.prepare(
            here.database,
            many.kind,
            actor=current_actor(),
            reason=reason,
            note=note,
            ids=many.ids,
            search=many.search if many.ids is None else None,
            deleted_reason=many.reason or None,
        )
    st.session_state.prepared = job.id


def _confirm(here: Here, job_id: str) -> None:
    with here.careful():
        job = jobs.get(here.database, job_id)
    settings = here.database.settings
    revenue = {currency: Decimal(amount) for currency, amount in job.preview["revenue"].items()}
    worth, orders = text.money(revenue, settings.money.decimals), int(job.preview["orders"])
    open_orders = int(job.preview["open_orders"])
    deletes, waits = job.kind == "delete", approvals.needed(settings, job.kind)
    st.write(f"Exactly these {count(job.total, 'customer')}; whoever comes to match later stays as they are.")
    st.write(about_deleting(job.total, orders, open_orders, worth) if deletes else about_restoring(orders, worth))
    if deletes:
        warn_of_open_orders(open_orders)
    if waits:
        st.info(WAITS, icon=":material/how_to_reg:")
    number = ""
    if job.total > TYPED_ABOVE:
        number = st.text_input(f"Type {job.total} to confirm", key="typed_number", max_chars=20)
    with st.container(horizontal=True):
        keep_button("Keep" if deletes else "Cancel")
        label = "Ask for deletion" if waits else f"{WORDS[job.kind]} {count(job.total, 'customer')}"
        pressed = st.button(label, key="confirm_many", icon=ICONS[job.kind])
    if pressed and job.total > TYPED_ABOVE and number.strip().replace(",", "") != str(job.total):
        st.error(f"Type {job.total} to confirm.")
    elif pressed:
        attempt(lambda: _start(job))


def _start(job: Job) -> None:
    show_jobs.start(job.id, current_actor())
    actions.new_version()
