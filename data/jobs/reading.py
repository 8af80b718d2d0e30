"""Jobs as they are: one, the latest, what became of each customer."""

from __future__ import annotations

from data import queries
from data.database import Database, snapshot
from data.errors import JobNotFound
from data.records import ItemResult, Job, JobItem


def get(database: Database, job_id: str) -> Job:
    """The job with this id. Raises JobNotFound."""
    with snapshot(database) as moment:
        job = queries.get_job(moment.connection, database.schema, job_id)
    if job is None:
        raise JobNotFound(job_id)
    return job


def undone_by(database: Database, job: Job) -> Job | None:
    """The job that takes back all that this one changed, and waits, runs, was stopped or is done; None where none does."""
    with snapshot(database) as moment:
        found = queries.find_undo(moment.connection, database.schema, job.id)
    return found if found and found.total >= job.changed else None


def latest(database: Database, *, limit: int = 20) -> list[Job]:
    """The jobs that were last prepared, newest first; drafts that were never confirmed are left out."""
    with snapshot(database) as moment:
        return queries.list_jobs(moment.connection, database.schema, limit=limit)


def items(
    database: Database, job_id: str, *, after: int = 0, limit: int = 50, result: ItemResult | None = None
) -> list[JobItem]:
    """The job's customers after this number, in the order of their numbers; those of one result where it is given."""
    with snapshot(database) as moment:
        return queries.list_job_items(
            moment.connection, database.schema, job_id, after=after, limit=limit, result=result
        )


def counts(database: Database, job_id: str) -> dict[ItemResult, int]:
    """How many customers had each result so far; a result that nobody had is absent."""
    with snapshot(database) as moment:
        return queries.count_job_items(moment.connection, database.schema, job_id)
