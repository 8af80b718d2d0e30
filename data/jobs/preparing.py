"""Preparing a job: which customers, frozen, and what their orders amount to."""

from __future__ import annotations

from collections.abc import Iterable

from data.access import Actor
from data.database import Database
from data.records import CustomerId, Job, JobKind


def prepare(
    database: Database,
    kind: JobKind,
    *,
    actor: Actor,
    reason: str,
    note: str | None = None,
    ids: Iterable[CustomerId] | None = None,
    search: str | None = None,
    deleted_reason: str | None = None,
    undo_of: str | None = None,
) -> Job:
    """Freezes the customers of a job, and each one's deleted_at, in state draft; nothing is changed yet.

    The ids that are given; or, where `search` is not None, all that match it (active ones for delete, else deleted ones,
    those of `deleted_reason` where it is given); or what the job `undo_of` changed.
    Raises NotPermitted, InvalidInput (reason), CustomerNotFound (an id that cannot be one), JobNotFound, Conflict.
    """
    raise NotImplementedError


def undo(database: Database, job_id: str, *, actor: Actor) -> Job:
    """Prepares and starts the opposite job, over exactly what this job changed and nobody changed since.

    Raises NotPermitted, JobNotFound, Conflict (an erasure, a job that still runs, or one that changed nothing).
    """
    raise NotImplementedError
