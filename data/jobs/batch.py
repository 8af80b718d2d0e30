"""What a job hands over for one transaction, and what it gets back."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Row

from data.access import Actor
from data.events import Reason, stamp
from data.records import CustomerId, ItemResult, Job, JobItem

LONGEST_SEEN = 40  # characters of a deleted_at that is no time


@dataclass(frozen=True)
class Batch:
    """Some customers of a job, within one transaction that holds the chain's head; `at` (UTC) is the time that is written.

    `actor` is whoever asked for the job, with the role that they have now.
    """

    job: Job
    items: Sequence[JobItem]
    actor: Actor
    reason: Reason
    head: Row[*tuple[Any, ...]]
    at: datetime


@dataclass(frozen=True)
class Result:
    """What became of one customer: `words` says why where it is a conflict, `event_id` the event of what was done."""

    customer_id: CustomerId
    result: ItemResult
    words: str | None = None
    event_id: int | None = None


def seen(deleted_at: object) -> str | None:
    """A deleted_at as a job's items keep it, to be compared with later; None of an active customer."""
    stamped = stamp(deleted_at)
    return None if stamped is None else stamped[:LONGEST_SEEN]
