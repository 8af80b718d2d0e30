"""The checks of how the database is built: the orders' foreign key, deleted_at, the guard, and what this account may do."""

from __future__ import annotations

from data.integrity.look import Look
from data.integrity.report import Answer


def foreign_key(look: Look) -> Answer:
    """The orders' foreign key neither takes orders along nor unlinks them when a customer is physically deleted."""
    return Answer("")


def deleted_at(look: Look) -> Answer:
    """deleted_at allows NULL and never fills itself."""
    return Answer("")


def guard(look: Look) -> Answer:
    """The triggers of --guard and --guard-orders are there, and say what they said."""
    return Answer("")


def rights(look: Look) -> Answer:
    """What this account may do to customers and orders, found by trying on no rows."""
    return Answer("", level="warning")
