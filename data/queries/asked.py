"""Statements on requests for approval as the lists show them: who is waited for, and what was answered lately."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import Connection, select, union

from data.queries.approvals import request_columns
from data.records import CustomerId, Request
from data.schema import Schema

MOST = 200  # answers that are looked through


def waited_for(connection: Connection, schema: Schema, ids: Sequence[CustomerId], *, at: datetime) -> set[CustomerId]:
    """Those of these customers whose deletion waits for approval at this time (UTC), alone or as part of a job."""
    asked, items = schema.own.approvals.c, schema.own.job_items.c
    waits = (asked.state == "waiting", asked.expires_at > at)
    alone = select(asked.customer_id).where(*waits, asked.customer_id.in_(ids))
    several = select(items.customer_id).where(items.customer_id.in_(ids), items.job_id == asked.job_id, *waits)
    return set(connection.execute(union(alone, several)).scalars())


def list_answers(connection: Connection, schema: Schema, *, since: datetime) -> list[Request]:
    """The requests that somebody approved or rejected, or that expired, since this time (UTC), the latest first."""
    c = schema.own.approvals.c
    ended = select(*request_columns(schema)).where(c.state.in_(["approved", "rejected", "expired"]))
    ended = ended.where(c.decided_at >= since).order_by(c.decision_id.desc()).limit(MOST)
    return [Request(*row) for row in connection.execute(ended)]
