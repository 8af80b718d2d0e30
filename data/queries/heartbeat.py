"""Statements on the heartbeat, by which a replica's lag is measured."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Connection, select, update

from data.queries.once import insert_once
from data.schema import Schema


def last_beat(connection: Connection, schema: Schema) -> tuple[str, datetime | str] | None:
    """The last beat and when it was written (UTC, its text where it is no time); None where there was none yet."""
    beats = schema.own.heartbeat
    row = connection.execute(select(beats.c.beat, beats.c.at).where(beats.c.id == 1)).first()
    return None if row is None else (row.beat, row.at)


def keep_beat(connection: Connection, schema: Schema, beat: str, *, at: datetime) -> None:
    """Puts this beat in the place of the last one. In a writing transaction."""
    beats = schema.own.heartbeat
    done = connection.execute(update(beats).where(beats.c.id == 1).values(beat=beat, at=at))
    if not done.rowcount:
        insert_once(connection, beats, id=1, beat=beat, at=at)
