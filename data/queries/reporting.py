"""What happened in a month, for the manager's report: counted from the events and the requests."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import Connection, func, select

from data.records import RequestState
from data.schema import Schema


class Happened(NamedTuple):
    """What somebody did for one reason, and how many times; `reason` None where none is asked for."""

    action: str
    reason: str | None
    actor: str
    times: int


def count_events(
    connection: Connection, schema: Schema, actions: Sequence[str], *, since: datetime, before: datetime
) -> list[Happened]:
    """Events of these actions from `since` up to `before` (UTC) by action, reason and actor, the most frequent first."""
    c = schema.own.events.c
    statement = (
        select(c.action, c.reason, c.actor, func.count().label("times"))
        .where(c.action.in_(actions), c.at >= since, c.at < before)
        .group_by(c.action, c.reason, c.actor)
        .order_by(func.count().desc(), c.action, c.reason, c.actor)
    )
    return [Happened(*row) for row in connection.execute(statement)]


def count_requests(
    connection: Connection, schema: Schema, *, since: datetime, before: datetime
) -> dict[RequestState, int]:
    """Requests decided from `since` up to `before` (UTC) by what became of them; `waiting`: asked for in that time."""
    c = schema.own.approvals.c
    decided = select(c.state, func.count()).where(c.decided_at >= since, c.decided_at < before).group_by(c.state)
    asked = select(func.count()).where(c.requested_at >= since, c.requested_at < before)
    found = {state: int(times) for state, times in connection.execute(decided)}
    return {**found, "waiting": int(connection.execute(asked).scalar_one())}
