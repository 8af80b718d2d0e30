"""People erased in tests: a job, approved by somebody else, done."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from shops import ADMIN

from data import approvals, jobs
from data.access import Actor, Door, Role, Standing
from data.customers import delete_many
from data.database import Database
from data.records import Job

BOSS = Actor("boss@example.com", Role.MANAGER, Door.DASHBOARD, Standing(claims={"email": "boss@example.com"}))


def approved(shop: Database, job: Job) -> Job:
    """The job asked for, approved by somebody else, and done."""
    waiting = jobs.start(shop, job.id, actor=ADMIN)
    assert waiting.state == "waiting"
    assert waiting.request_id
    approvals.approve(shop, waiting.request_id, actor=BOSS)
    jobs.run_pending(shop)
    return jobs.get(shop, job.id)


def erased(shop: Database, ids: Sequence[Any], *, note: str | None = None, reason: str = "erasure") -> Job:
    """These customers deleted, if they are not yet, and erased."""
    delete_many(shop, ids, actor=ADMIN, reason="requested", note="Ana wants to be forgotten")
    return approved(shop, jobs.prepare(shop, "erase", actor=ADMIN, reason=reason, note=note, ids=ids))
