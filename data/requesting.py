"""Asking for approval: a deletion that has to wait becomes a request, with its event, in the same transaction."""

from __future__ import annotations

import hashlib
import json
import secrets
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Row

from data import events, queries
from data.access import Actor, Door, Role
from data.errors import ConfigurationError, NotPermitted
from data.events import Draft, Reason
from data.records import CustomerId, Job, JobKind, Request
from data.schema import Schema
from data.settings import Settings

# Who lets a request expire.
CLOCK = Actor("evenbooks", Role.ADMIN, Door.COMMAND)


@dataclass(frozen=True)
class Approved:
    """Which request a deletion was approved by, and whose approval it was."""

    request_id: int
    by: str


@dataclass(frozen=True)
class Wanted:
    """What somebody asks approval for: one customer, or a job. `body` is what its event says beside (no personal data)."""

    kind: JobKind
    actor: Actor
    reason: Reason
    customer_id: CustomerId | None = None
    job_id: str | None = None
    body: dict[str, Any] = field(default_factory=dict)


def needed(settings: Settings, kind: JobKind) -> bool:
    """Whether this kind of change waits for somebody's approval: every erasure; deletions where `[approval]` says so."""
    return kind == "erase" or (kind == "delete" and settings.approval.deletion)


def require_sign_in(settings: Settings, configured: bool) -> None:
    """Raises ConfigurationError where deletions wait for approval and sign-in is not configured: nobody could approve."""
    if settings.approval.deletion and not configured:
        raise ConfigurationError(
            "[approval] deletion is true, but sign-in is not configured, so nobody could approve: it takes two people "
            "who sign in. Configure [auth] in .streamlit/secrets.toml (docs/roles.md), or set deletion = false."
        )


def request(
    connection: Connection,
    schema: Schema,
    *,
    head: Row[*tuple[Any, ...]],
    at: datetime,
    kind: JobKind,
    actor: Actor,
    reason: Reason,
    customer_id: CustomerId | None = None,
    job_id: str | None = None,
    body: dict[str, Any] | None = None,
) -> Request:
    """Asks for approval within a transaction that holds the head, and has written no event since: row and event.

    `at` in UTC. Where this customer's deletion is already waited for, that request is answered again.
    """
    return ask(connection, schema, [Wanted(kind, actor, reason, customer_id, job_id, body or {})], head=head, at=at)[0]


def ask(
    connection: Connection, schema: Schema, wanted: Sequence[Wanted], *, head: Row[*tuple[Any, ...]], at: datetime
) -> list[Request]:
    """The same for several, of different customers; answers in their order."""
    alone = [w.customer_id for w in wanted if w.job_id is None and w.customer_id is not None]
    known = queries.list_waiting_requests(connection, schema, alone) if alone else []
    over = [one for one in known if is_over(one, at)]
    waiting = {(r.kind, r.customer_id): r for r in known if not is_over(r, at)}
    fresh = [w for w in wanted if w.job_id is not None or (w.kind, w.customer_id) not in waiting]
    expires_at = at + timedelta(days=schema.settings.approval.expires_days)
    drafts = [ending("expire", one, CLOCK) for one in over] + [_draft(w, expires_at) for w in fresh]
    if not drafts:
        return [waiting[w.kind, w.customer_id] for w in wanted]
    ids = events.append(connection, schema, drafts, head=head, at=at)
    for ended, event_id in zip(over, ids[: len(over)], strict=True):
        queries.end_request(connection, schema, ended.id, state="expired", at=at, by=CLOCK.id, event_id=event_id)
    made = [_made(w, number, at, expires_at) for w, number in zip(fresh, ids[len(over) :], strict=True)]
    queries.insert_requests(connection, schema, made, [hashed(w.actor.names) for w in fresh])
    by_key = {(r.kind, r.customer_id, r.job_id): r for r in made}
    return [by_key.get((w.kind, w.customer_id, w.job_id)) or waiting[w.kind, w.customer_id] for w in wanted]


def is_over(asked: Request, at: datetime) -> bool:
    """Whether nobody answered this request in time; one whose time cannot be read is over too."""
    return not isinstance(asked.expires_at, datetime) or asked.expires_at <= at


def is_in_force(connection: Connection, schema: Schema, request_id: int | None, at: datetime) -> bool:
    """Whether this request was approved, and what was approved may still be carried out at this time (UTC).

    A job that was stopped can go on for as long again as somebody had to decide.
    """
    asked = queries.get_request(connection, schema, request_id) if request_id is not None else None
    if asked is None or asked.state != "approved":
        return False
    until, since = asked.expires_at, asked.requested_at
    return isinstance(until, datetime) and isinstance(since, datetime) and at <= until + (until - since)


def require_approval(connection: Connection, schema: Schema, job: Job, at: datetime) -> None:
    """Raises NotPermitted where a job needs an approval that it does not have: also where that was set meanwhile."""
    if needed(schema.settings, job.kind) and not is_in_force(connection, schema, job.request_id, at):
        raise NotPermitted(
            "This job needs somebody's approval, and has none, or one that is too old. Start it again to ask for one."
        )


def ending(action: str, asked: Request, actor: Actor, reason: Reason | None = None, **more: Any) -> Draft:
    """The event that ends a request: approve, reject, withdraw or expire."""
    body = {"request": asked.id, "kind": asked.kind, **more}
    return Draft(action, actor, reason, asked.customer_id, asked.job_id, body)


def hashed(names: frozenset[str]) -> str:
    """Names as they are kept beside a request: JSON, a salt and the SHA-256 (hex) of the salt and each name."""
    salt = secrets.token_hex(16)
    return json.dumps({"salt": salt, "names": sorted(_hash(salt, name) for name in names)})


def shared(kept: str, names: frozenset[str]) -> bool:
    """Whether one of these names is among those that `hashed` kept. What cannot be read is taken for a yes."""
    try:
        found = json.loads(kept)
        return bool({_hash(str(found["salt"]), name) for name in names} & set(found["names"]))
    except (ValueError, TypeError, KeyError):
        return True


def _hash(salt: str, name: str) -> str:
    return hashlib.sha256((salt + name).encode()).hexdigest()


def _draft(wanted: Wanted, expires_at: datetime) -> Draft:
    said = {"kind": wanted.kind, "expires_at": events.stamp(expires_at), "owner": wanted.actor.standing.owner}
    body = {**wanted.body, **said}
    return Draft("request", wanted.actor, wanted.reason, wanted.customer_id, wanted.job_id, body)


def _made(wanted: Wanted, number: int, at: datetime, expires_at: datetime) -> Request:
    return Request(
        id=number,
        kind=wanted.kind,
        state="waiting",
        customer_id=wanted.customer_id,
        job_id=wanted.job_id,
        actor=wanted.actor.id,
        owner=wanted.actor.standing.owner,
        role=str(wanted.actor.role),
        door=str(wanted.actor.door),
        reason=wanted.reason.code,
        requested_at=at,
        expires_at=expires_at,
        decided_at=None,
        decided_by=None,
    )
