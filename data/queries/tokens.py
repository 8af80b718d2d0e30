"""Statements on the API's tokens."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from functools import lru_cache
from typing import Any

from sqlalchemy import Connection, Select, bindparam, insert, select, update

from data.records import Token
from data.schema import Schema


def get_token(connection: Connection, schema: Schema, token_id: str) -> tuple[Token, str] | None:
    """The token with this public id, whatever its state, and the hash of its secret; None where there is none."""
    row = connection.execute(_one(schema), {"token_id": token_id}).first()
    return (Token(*row[:-1]), row.hash) if row else None


@lru_cache(maxsize=16)
def _one(schema: Schema) -> Select[Any]:
    tokens = schema.own.tokens
    return select(*_columns(schema), tokens.c.hash).where(tokens.c.id == bindparam("token_id"))


def list_tokens(connection: Connection, schema: Schema, *, name: str | None = None) -> list[Token]:
    """Every token, also the revoked and expired ones, by name, the latest first; those of a name where one is given."""
    tokens = schema.own.tokens
    statement = select(*_columns(schema)).order_by(tokens.c.name, tokens.c.made_at.desc(), tokens.c.id)
    if name is not None:
        statement = statement.where(tokens.c.name == name)
    return [Token(*row) for row in connection.execute(statement)]


def insert_token(connection: Connection, schema: Schema, row: Mapping[str, Any]) -> None:
    """Keeps a new token: its columns, of the secret only the hash."""
    connection.execute(insert(schema.own.tokens), dict(row))


def revoke_token(connection: Connection, schema: Schema, name: str, *, at: datetime) -> int:
    """Marks the tokens of this name that are not revoked yet. Answers how many those were."""
    tokens = schema.own.tokens
    statement = update(tokens).where(tokens.c.name == name, tokens.c.revoked_at.is_(None)).values(revoked_at=at)
    return connection.execute(statement).rowcount


def touch_token(connection: Connection, schema: Schema, token_id: str, *, at: datetime) -> None:
    """Notes when the token was last used."""
    tokens = schema.own.tokens
    connection.execute(update(tokens).where(tokens.c.id == token_id).values(last_used_at=at))


def _columns(schema: Schema) -> list[Any]:
    c = schema.own.tokens.c
    return [c.id, c.name, c.role, c.owner, c.made_at, c.expires_at, c.last_used_at, c.revoked_at]
