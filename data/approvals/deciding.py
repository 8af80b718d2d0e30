"""What ends a request: somebody approves, rejects or withdraws it, or its time is over."""

from __future__ import annotations

from data.access import Actor
from data.database import Database
from data.records import Request


def approve(database: Database, request_id: int, *, actor: Actor, note: str | None = None) -> Request:
    """Approves a request, and carries it out: one customer in the same transaction, a job by letting it run."""
    raise NotImplementedError


def reject(database: Database, request_id: int, *, actor: Actor, note: str) -> Request:
    """Rejects a request, with a note that says why."""
    raise NotImplementedError


def withdraw(database: Database, request_id: int, *, actor: Actor) -> Request:
    """Takes a request back, by whoever asked."""
    raise NotImplementedError


def expire_due(database: Database) -> int:
    """Ends the requests that nobody answered in time; answers how many those were."""
    raise NotImplementedError
