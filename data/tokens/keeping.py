"""What is done to tokens: add, list, revoke, and who a token stands for."""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets
import threading
import unicodedata
from contextlib import suppress
from dataclasses import asdict
from datetime import datetime, timedelta
from typing import Literal
from weakref import WeakKeyDictionary

from sqlalchemy import Connection
from sqlalchemy.exc import DBAPIError

from data import events, queries, requesting
from data.access import Actor, Door, Permission, Role, Standing
from data.database import Database, ask, in_transaction, now, snapshot
from data.errors import Conflict, EvenbooksError, InvalidInput, TokenRefused
from data.events import Draft
from data.faults import translated
from data.records import Token
from data.schema import Schema
from data.write_log import logged

State = Literal["in force", "expired", "revoked", "unreadable"]
# A public id, the row's key, and a secret of 256 bits, of which only the hash is kept: with so many bits a fast hash does.
SHAPE = re.compile(r"evb_([0-9a-f]{12})_([A-Za-z0-9_-]{43})")
LONGEST_NAME, LONGEST_OWNER, LONGEST_LIFE = 64, 255, 36_500  # characters, characters, days
UNKNOWN = "This token is not known."
REFUSALS = {
    "expired": "This token has expired.",
    "revoked": "This token was revoked.",
    "unreadable": "What is kept of this token cannot be read, so it is refused.",
}
NOBODYS = "0" * 64  # compared with where there is no such token, so that both answers take the same time
# When each token's use was last noted, or tried to be, by this process; says nothing about whether a token is good.
_noted: WeakKeyDictionary[Schema, dict[str, datetime]] = WeakKeyDictionary()

_notes: list[threading.Thread] = []


def add(
    database: Database, name: str, *, role: Role, owner: str | None = None, days: int | None = None, actor: Actor
) -> str:
    """Makes a token and answers its text, which is kept nowhere; with an event. Without `days` it never expires.

    Raises NotPermitted, InvalidInput (name, owner, days), Conflict (a token of this name is in force).
    """
    with logged("token", actor, None) as line:
        actor.require(Permission.MANAGE_TOKENS)
        if owner is None and requesting.needed(database.settings, "delete"):
            raise InvalidInput(
                "Deletions wait for approval here, and nobody approves what their own token asked for: name who answers "
                "for it with --owner, by the address with which they sign in.",
                field="owner",
            )
        at = now()
        token = Token(
            id=secrets.token_hex(6),
            name=_read_words(name, "name", LONGEST_NAME),
            role=str(Role(role)),
            owner=_read_words(actor.id if owner is None else owner, "owner", LONGEST_OWNER),
            made_at=at,
            expires_at=_read_expiry(days, at),
            last_used_at=None,
            revoked_at=None,
        )
        secret = secrets.token_urlsafe(32)
        in_transaction(database, lambda c: _keep(c, database.schema, token, _hashed(secret), actor))
        line.customer_id = token.id
    return f"evb_{token.id}_{secret}"


def _keep(connection: Connection, schema: Schema, token: Token, hashed: str, actor: Actor) -> None:
    head = events.take_turns(connection, schema)
    for known in queries.list_tokens(connection, schema, name=token.name):
        if state_of(known, token.made_at) not in ("expired", "revoked"):
            raise Conflict(f"There is a token {token.name} already. Revoke it first, or choose another name.")
    queries.insert_token(connection, schema, {**asdict(token), "hash": hashed})
    events.append(connection, schema, [Draft("token", actor, body=_said(token))], head=head, at=token.made_at)


def revoke(database: Database, name: str, *, actor: Actor) -> int:
    """Revokes every token of this name from the next request on, with an event; answers how many those were.

    Raises NotPermitted, InvalidInput where there is none that is not revoked.
    """
    with logged("revoke", actor, None) as line:
        actor.require(Permission.MANAGE_TOKENS)
        wanted = _read_words(name, "name", LONGEST_NAME)
        ended = in_transaction(database, lambda c: _end(c, database.schema, wanted, actor))
        line.customer_id = ended[0].id
    return len(ended)


def _end(connection: Connection, schema: Schema, name: str, actor: Actor) -> list[Token]:
    head, at = events.take_turns(connection, schema), now()
    known = [token for token in queries.list_tokens(connection, schema, name=name) if token.revoked_at is None]
    if not known:
        raise InvalidInput(f"There is no token {name} that could be revoked.", field="name")
    queries.revoke_token(connection, schema, name, at=at)
    events.append(connection, schema, [Draft("revoke", actor, body=_said(one)) for one in known], head=head, at=at)
    return known


def list_all(database: Database, *, actor: Actor) -> list[Token]:
    """Every token, also the revoked and expired ones, by name, the latest first. Raises NotPermitted."""
    actor.require(Permission.MANAGE_TOKENS)
    with snapshot(database) as moment:
        return queries.list_tokens(moment.connection, database.schema)


def check(database: Database, bearer: str, *, at: datetime | None = None) -> Actor:
    """Whom a token's text stands for at this time (UTC; default: now). Asks the database anew each time.

    Raises TokenRefused; only to who has the right secret it says whether the token has expired or was revoked.
    """
    found = SHAPE.fullmatch(bearer)
    if found is None:
        raise TokenRefused(UNKNOWN)
    token_id, secret = found.groups()
    known = ask(database, lambda c: queries.get_token(c, database.schema, token_id))
    token, kept = known or (None, NOBODYS)
    same = hmac.compare_digest(_hashed(secret).encode(), str(kept).encode())
    if token is None or not same:
        raise TokenRefused(UNKNOWN)
    moment = at or now()
    state = state_of(token, moment)
    if state != "in force":
        raise TokenRefused(REFUSALS[state])
    _note_use(database, token, moment)
    return Actor(f"token:{token.name}", Role(token.role), Door.API, Standing(token_id=token.id, owner=token.owner))


def state_of(token: Token, at: datetime) -> State:
    """What the token is at this time (UTC); unreadable where its row was altered by hand."""
    if token.revoked_at is not None:
        return "revoked"
    expiry: object = token.expires_at  # text, where it is no time
    if expiry is not None and not isinstance(expiry, datetime):
        return "unreadable"
    if expiry is not None and expiry <= at:
        return "expired"
    return "in force" if token.role in set(Role) else "unreadable"


def public_id(bearer: str) -> str | None:
    """The part of a token's text that may be logged; None where the text is no token's."""
    found = SHAPE.fullmatch(bearer)
    return found[1] if found else None


def _note_use(database: Database, token: Token, at: datetime) -> None:
    """Notes the use, to the minute and at most once a minute. A token also works where nothing can be written."""
    minute = at.replace(second=0, microsecond=0)
    known: object = token.last_used_at
    noted = _noted.setdefault(database.schema, {})
    if noted.get(token.id) == minute or (isinstance(known, datetime) and known >= minute):
        return
    noted[token.id] = minute  # before it is tried: where it fails, it does so once a minute
    # Beside the request, which must not wait where somebody holds the database's locks.
    _notes[:] = [note for note in _notes if note.is_alive()]
    _notes.append(threading.Thread(target=_write_use, args=(database, token.id, minute), daemon=True))
    _notes[-1].start()


def wait_for_notes() -> None:
    """Returns once every use of a token that was seen is noted, or could not be."""
    for note in list(_notes):
        note.join()


def _write_use(database: Database, token_id: str, minute: datetime) -> None:
    with (
        suppress(EvenbooksError, DBAPIError),
        translated(database.engine.url),
        database.engine.connect().execution_options(write=True) as connection,
        connection.begin(),
    ):
        queries.touch_token(connection, database.schema, token_id, at=minute)


def _hashed(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()


def _said(token: Token) -> dict[str, str | None]:
    """A token as its events say it."""
    return {
        "token": token.name,
        "token_id": token.id,
        "role": token.role,
        "owner": token.owner,
        "expires_at": events.stamp(token.expires_at),
    }


def _read_words(value: str, what: str, longest: int) -> str:
    """Trimmed, composed the same way whoever types it. Raises InvalidInput: blank, overlong, not printable."""
    words = unicodedata.normalize("NFC", value).strip()
    if not 1 <= len(words) <= longest or not words.isprintable():
        raise InvalidInput(f"A token's {what} has 1 to {longest} printable characters.", field=what)
    return words


def _read_expiry(days: int | None, at: datetime) -> datetime | None:
    if days is None:
        return None
    if type(days) is not int or not 1 <= days <= LONGEST_LIFE:
        raise InvalidInput(
            f"A token lasts 1 to {LONGEST_LIFE} days, or, without --days, until it is revoked.", field="days"
        )
    return at + timedelta(days=days)
