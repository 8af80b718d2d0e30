"""Statements on erasure: who is erased, and blanking in place."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import Connection, select

from data.records import CustomerId
from data.schema import Schema


def erased_ids(connection: Connection, schema: Schema, ids: Sequence[CustomerId]) -> set[CustomerId]:
    """Those of these customers whom an event says were erased."""
    events = schema.own.events
    statement = select(events.c.customer_id).where(events.c.customer_id.in_(ids), events.c.action == "erase").distinct()
    return set(connection.execute(statement).scalars())
