"""Statements on sign-outs: since when earlier sign-ins of a person count no more."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Connection, select, update

from data.queries.once import insert_once
from data.schema import Schema


def signed_out_at(connection: Connection, schema: Schema, person: str) -> datetime | str | None:
    """When this person (a hash of issuer and subject) last signed out (UTC), its text where it is no time; None for never."""
    outs = schema.own.sign_outs
    at: datetime | str | None = connection.execute(select(outs.c.at).where(outs.c.person == person)).scalar()
    return at


def keep_sign_out(connection: Connection, schema: Schema, person: str, *, at: datetime) -> None:
    """Keeps when the person signed out, the later of what is kept and this. In a writing transaction."""
    outs = schema.own.sign_outs
    known = connection.execute(select(outs.c.at).where(outs.c.person == person).with_for_update()).scalar()
    if known is None:
        insert_once(connection, outs, person=person, at=at)
    elif not isinstance(known, datetime) or known < at:
        connection.execute(update(outs).where(outs.c.person == person).values(at=at))
