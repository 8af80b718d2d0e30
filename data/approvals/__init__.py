"""Approvals: what waits for a second person, who decides it, and what became of it."""

from data.approvals.deciding import approve, expire_due, reject, withdraw
from data.approvals.reading import count_waiting, get, list_requests
from data.requesting import Approved, needed, request

__all__ = [
    "Approved",
    "approve",
    "count_waiting",
    "expire_due",
    "get",
    "list_requests",
    "needed",
    "reject",
    "request",
    "withdraw",
]
