"""What deleting and restoring mean, in the words that every dialog uses."""

from __future__ import annotations

import streamlit as st

from ui.text import count, typed

WAITS = "Somebody else approves or rejects it under Approvals; nothing is changed until then."


def about_deleting(customers: int, orders: int, open_orders: int, worth: str) -> str:
    """What a soft delete of so many customers leaves; `worth` as text.money answers it."""
    leaves = "The customer leaves the list" if customers == 1 else "The customers leave the list"
    stays = "no order counts as revenue yet" if open_orders else "there are no orders to lose"
    if orders:
        stays = f"{count(orders, 'order')} worth {typed(worth)} {'stays' if orders == 1 else 'stay'} in every report"
    return f"This is a soft delete. {leaves}; {stays}; restoring is possible at any time."


def about_restoring(orders: int, worth: str) -> str:
    """What restoring many customers means."""
    if not orders:
        return "The customers come back to the list. They have no orders that count."
    stay = (
        f"{count(orders, 'order')} worth {typed(worth)} {'was' if orders == 1 else 'were'} in every report all the time"
    )
    return f"The customers come back to the list; {stay}."


def warn_of_open_orders(open_orders: int) -> None:
    """That deleting does not cancel what is not revenue yet; nothing where there is none."""
    if open_orders:
        st.warning(
            f"{count(open_orders, 'order')} not counted as revenue yet. "
            f"Deleting does not cancel {'it' if open_orders == 1 else 'them'}.",
            icon=":material/pending:",
        )
