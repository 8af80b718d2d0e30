"""Running jobs: claimed for a while, done in batches."""

from __future__ import annotations

from data.database import Database


def run_pending(database: Database) -> int:
    """Does, in this thread, every job that may run and that nobody else has claimed; answers how many it took up."""
    raise NotImplementedError
