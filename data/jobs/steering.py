"""Starting and stopping jobs."""

from __future__ import annotations

from data.access import Actor
from data.database import Database
from data.records import Job


def start(database: Database, job_id: str, *, actor: Actor) -> Job:
    """Lets a draft or stopped job run, or wait where it needs approval; repeating is no error.

    It then runs for who started it, unless it was approved for who asked. Raises NotPermitted, JobNotFound, Conflict (a
    job that has ended).
    """
    raise NotImplementedError


def stop(database: Database, job_id: str, *, actor: Actor) -> Job:
    """Stops a running job after the batch that is being done; repeating is no error. Raises NotPermitted, JobNotFound, Conflict."""
    raise NotImplementedError
