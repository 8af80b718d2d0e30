"""Statements of the backup check: what was found before, and what tells a copy from the live database."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection, Row, select

from data.schema import Schema


def last_backup_check(connection: Connection, schema: Schema) -> Row[*tuple[Any, ...]] | None:
    """The last comparison with a restored backup: `id`, `at`, `actor`, `body` (JSON text); None where there was none."""
    events = schema.own.events
    statement = select(events.c.id, events.c.at, events.c.actor, events.c.body)
    statement = statement.where(events.c.action == "backup_check").order_by(events.c.id.desc()).limit(1)
    return connection.execute(statement).first()
