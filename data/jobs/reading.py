"""Jobs as they are: one, the latest, what became of each customer."""

from __future__ import annotations

from data.database import Database
from data.records import ItemResult, Job, JobItem


def get(database: Database, job_id: str) -> Job:
    """The job with this id. Raises JobNotFound."""
    raise NotImplementedError


def latest(database: Database, *, limit: int = 20) -> list[Job]:
    """The jobs that were last prepared, newest first; drafts that were never confirmed are left out."""
    raise NotImplementedError


def items(
    database: Database, job_id: str, *, after: int = 0, limit: int = 50, result: ItemResult | None = None
) -> list[JobItem]:
    """The job's customers after this number, in the order of their numbers; those of one result where it is given."""
    raise NotImplementedError


def counts(database: Database, job_id: str) -> dict[ItemResult, int]:
    """How many customers had each result so far."""
    raise NotImplementedError
