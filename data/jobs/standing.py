"""By what somebody has the role that a job runs under: kept with the job, asked again while it runs."""

from __future__ import annotations

import json

from data import queries, tokens
from data.access import Actor, Door, Permission, Role, Standing
from data.database import Database, ask, now
from data.errors import NotPermitted
from data.records import Job, JobKind
from data.settings import load_settings
from data.sign_in import role_of

# What each kind of job needs of who asks for it, and of who starts or stops it.
NEEDED: dict[JobKind, Permission] = {
    "delete": Permission.CHANGE_CUSTOMERS,
    "restore": Permission.CHANGE_CUSTOMERS,
    "erase": Permission.ERASE_CUSTOMERS,
}


def standing_json(actor: Actor) -> str | None:
    """By what this actor has the role, as JSON for the job's row; None for whoever is at this machine.

    Of a sign-in only what `role_of` looks at.
    """
    standing = actor.standing
    if standing.claims is None and standing.token_id is None:
        return None
    claims = standing.claims and {name: standing.claims[name] for name in _asked_for() if name in standing.claims}
    kept = {"claims": claims, "token": standing.token_id, "owner": standing.owner}
    return json.dumps(kept, sort_keys=True, default=str)


def _asked_for() -> list[str]:
    return ["iss", "sub", "email", "email_verified", load_settings().roles.claim]


def actor_now(database: Database, job: Job) -> Actor:
    """Who the job works for, with the role that they have now: by [roles] and the sign-in's claims, by the token's row.

    Raises NotPermitted where they have no role any more, the token is no longer in force, or the role does not do.
    """
    kept = json.loads(job.standing) if job.standing else {}
    standing = Standing(claims=kept.get("claims"), token_id=kept.get("token"), owner=kept.get("owner"))
    role = _role_now(database, job, standing)
    if role is None:
        raise NotPermitted(f"{job.actor}, who asked for this, has no role any more.")
    actor = Actor(job.actor, role, Door(job.door), standing)
    actor.require(NEEDED[job.kind])
    return actor


def _role_now(database: Database, job: Job, standing: Standing) -> Role | None:
    if standing.claims is not None:
        return role_of(load_settings().roles, standing.claims)  # as the front door reads them: anew
    if standing.token_id is None:
        return Role(job.role)
    token_id = standing.token_id
    known = ask(database, lambda c: queries.get_token(c, database.schema, token_id))
    if known is None or tokens.state_of(known[0], now()) != "in force":
        raise NotPermitted(f"The token of {job.actor}, who asked for this, is no longer in force.")
    return Role(known[0].role)
