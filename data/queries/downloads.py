"""Statements on evenbooks_downloads: one-time links for files."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, insert, select, update

from data.schema import Schema


def insert_download(
    connection: Connection,
    schema: Schema,
    *,
    key: str,
    actor: str,
    what: str,
    made_at: datetime,
    expires_at: datetime,
) -> None:
    """Keeps a link: `key` is the SHA-256 (hex) of its secret, `what` JSON."""
    row = {"id": key, "actor": actor, "what": what, "made_at": made_at, "expires_at": expires_at}
    connection.execute(insert(schema.own.downloads), row)


def get_download(connection: Connection, schema: Schema, key: str) -> Row[*tuple[Any, ...]] | None:
    """The link with this key, used or not; None where there is none."""
    downloads = schema.own.downloads
    return connection.execute(select(downloads).where(downloads.c.id == key)).first()


def use_download(connection: Connection, schema: Schema, key: str, *, at: datetime) -> bool:
    """Marks the link used and forgets what for, unless it is or has expired by then: of many who try at once one does."""
    downloads = schema.own.downloads
    unused = downloads.c.used_at.is_(None)
    statement = update(downloads).where(downloads.c.id == key, unused, downloads.c.expires_at > at)
    return connection.execute(statement.values(used_at=at, what="")).rowcount == 1


def forget_expired_downloads(connection: Connection, schema: Schema, *, at: datetime) -> None:
    """Forgets what links were for that have expired by then: somebody may have searched for a person."""
    downloads = schema.own.downloads
    dead = (downloads.c.expires_at <= at, downloads.c.what != "")
    connection.execute(update(downloads).where(*dead).values(what=""))
