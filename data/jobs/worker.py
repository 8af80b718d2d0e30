"""The worker: one thread a process and database, which does jobs and lets requests expire."""

from __future__ import annotations

from data.database import Database


def ensure_worker(database: Database) -> None:
    """Starts this process's worker for this database, unless it runs already. Costs next to nothing then."""
