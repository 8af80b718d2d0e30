"""Approvals: what waits for a second person, who decides it, and what became of it."""

from data.approvals.deciding import (
    approve,
    expire_due,
    expire_quietly,
    is_requester,
    may_withdraw,
    refusal,
    reject,
    withdraw,
)
from data.approvals.reading import Case, count_waiting, get, list_cases, list_requests
from data.requesting import Approved, needed, request

__all__ = [
    "Approved",
    "Case",
    "approve",
    "count_waiting",
    "expire_due",
    "expire_quietly",
    "get",
    "is_requester",
    "list_cases",
    "list_requests",
    "may_withdraw",
    "needed",
    "refusal",
    "reject",
    "request",
    "withdraw",
]
