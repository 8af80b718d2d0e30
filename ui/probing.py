"""The live probe: a real customer deleted inside a transaction, the totals read again, and everything rolled back."""

from __future__ import annotations

from decimal import Decimal

import pandas as pd
import streamlit as st

from data.access import Permission
from data.errors import EvenbooksError
from data.money import add
from data.probe import Probe, Totals, probe
from ui import text
from ui.door import current_actor
from ui.shell import Here
from ui.text import typed
from ui.trouble import tell

ABOUT = (
    "The probe deletes a real customer inside a transaction, reads the totals again, and rolls everything back. Nothing "
    "is kept; nobody else sees it; changes of others wait for it, five seconds at most."
)


def show(here: Here) -> None:
    """The section: what the probe does, whom to try it with, and what it saw last; or who may run it."""
    st.write(ABOUT)
    if not here.actor.may(Permission.PROBE):
        st.info(f"The role {here.actor.role} may not {Permission.PROBE}; managers and admins may.")
        return
    with st.form("probe", border=False), st.container(horizontal=True, vertical_alignment="bottom"):
        number = st.text_input(
            "Customer number", key="probed_number", placeholder="blank: one with orders is chosen", width=280
        )
        pressed = st.form_submit_button(
            "Run the probe", key="probe", icon=":material/science:", disabled=here.read_only is not None
        )
    if pressed:
        words = number.strip()
        plain = words.removeprefix("#") if here.database.schema.has_integer_id else words
        st.session_state.probed = _run(here, plain)
    seen = st.session_state.get("probed")
    if isinstance(seen, Probe):
        _show(seen, here)
    elif seen:
        st.error(seen, icon=":material/block:")


def _run(here: Here, number: str) -> Probe | str:
    """What the probe saw, or why it was refused, as Markdown."""
    try:
        customer_id = here.database.schema.parse_id(number) if number else None
        if number and customer_id is None:
            return f"There is no customer {typed(number)}."
        with st.spinner("Deleting, counting, rolling back"):
            return probe(here.database, actor=current_actor(), customer_id=customer_id)
    except EvenbooksError as error:
        return tell(error)


def _show(seen: Probe, here: Here) -> None:
    """The totals before and inside the deletion, side by side, and what became of it."""
    decimals = here.database.settings.money.decimals
    worth = typed(text.money(seen.revenue, decimals))
    who = f"{typed(seen.customer.name)}, customer {typed(seen.customer.id)}, with {text.count(seen.orders, 'order')} ({worth}), was deleted"
    moved = "no total moved" if seen.even else "**the totals did not stay as they were**"
    undone = (
        "It was rolled back: the customer is active, and no event stays."
        if seen.rolled_back
        else "**It was not found rolled back: look at this customer.**"
    )
    box, icon = (
        (st.success, ":material/verified:") if seen.even and seen.rolled_back else (st.error, ":material/error:")
    )
    when = text.day_and_time(seen.at, here.zone)
    box(f"{who}; {moved}. {undone} {when}; others had to wait {seen.seconds:.2f} s at most.", icon=icon)
    after = {t.currency: t for t in seen.after}
    for before in seen.before:
        _table(before, after.get(before.currency, before), decimals)


def _table(before: Totals, inside: Totals, decimals: int) -> None:
    """Each part and the total of one currency, before and inside, as rows that add up."""
    pairs = list(zip(_parts(before), _parts(inside), strict=False))
    frame = pd.DataFrame(
        {
            before.currency: [one[0] for one, _ in pairs],
            "Before": [text.amount(one[1], decimals) for one, _ in pairs],
            "Inside the deletion": [text.amount(other[1], decimals) for _, other in pairs],
            "Difference": [text.amount(add([other[1], -one[1]]), decimals) for one, other in pairs],
        }
    )
    right = {name: st.column_config.TextColumn(alignment="right") for name in frame.columns[1:]}
    alt = f"Totals in {before.currency} before and inside the deletion"
    st.dataframe(frame, hide_index=True, column_config=right, alt=alt)


def _parts(totals: Totals) -> list[tuple[str, Decimal]]:
    """What adds up to the total. Where active took too long to be counted on its own, only what is derived."""
    whole = [("Deleted", totals.deleted), ("Total", totals.total)]
    if totals.active is None:
        return [("Not deleted (total less deleted)", totals.not_deleted), *whole]
    rest = add([totals.not_deleted, -totals.active])
    return [("Active", totals.active), ("No customer, or a missing one", rest), *whole]
