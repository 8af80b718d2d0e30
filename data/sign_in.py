"""Who somebody is by the claims of their ID token: whether the sign-in still counts, and which role it has."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, TypeGuard
from urllib.parse import urlsplit

from sqlalchemy import Connection

from data import queries
from data.access import Actor, Door, Role, Standing
from data.database import Database, ask, in_transaction, now
from data.errors import SignInRefused
from data.settings import EMAIL, Roles

Claims = Mapping[str, Any]
FIRST = (Role.ADMIN, Role.MANAGER, Role.STAFF, Role.AUDITOR)  # of several roles the first of these
LAST_SECOND = 253_402_300_799  # of the year 9999
LONGEST_ACTOR = 255  # characters in the events' column


@dataclass(frozen=True)
class Identity:
    """Somebody who signed in. `email` only where the provider has verified it; times in UTC, in whole seconds."""

    issuer: str
    subject: str
    email: str | None
    name: str
    issued_at: datetime
    expires_at: datetime

    @property
    def person(self) -> str:
        """Who it is, whatever they are called: SHA-256 (hex) of issuer, a line feed, and subject."""
        return hashlib.sha256(f"{self.issuer}\n{self.subject}".encode()).hexdigest()


def read_identity(claims: Claims) -> Identity:
    """The identity that these claims say. Raises SignInRefused where `iss`, `sub`, `iat` or `exp` cannot be used."""
    subject, email = _read_text(claims, "sub"), _verified_email(claims)
    shown = claims.get("name")
    return Identity(
        issuer=_read_text(claims, "iss"),
        subject=subject,
        email=email,
        name=shown.strip() if _is_shown(shown) else email or subject,
        issued_at=_read_second(claims, "iat"),
        expires_at=_read_second(claims, "exp"),
    )


def role_of(roles: Roles, claims: Claims) -> Role | None:
    """The role by `[roles]`, the first of admin, manager, staff, auditor where there are several; None for nobody.

    By issuer and subject, by a value of the claim that is named there, or by a verified e-mail address.
    """
    account = claims.get("iss"), claims.get("sub")
    groups, email = _groups(claims.get(roles.claim)), _verified_email(claims)
    for role in FIRST:
        holders = getattr(roles, role)
        if account in [(one.issuer, one.subject) for one in holders.subjects] or groups & set(holders.claim):
            return role
        if email is not None and _alike(email) in {_alike(one) for one in holders.emails}:
            return role
    return None


def require_valid(database: Database, identity: Identity, at: datetime) -> None:
    """Raises SignInRefused where the sign-in has expired by then (UTC), or this person has signed out since."""
    if identity.expires_at <= at:
        raise SignInRefused("Your sign-in has expired. Sign in again.")
    ended = ask(database, lambda c: queries.signed_out_at(c, database.schema, identity.person))
    # What is kept and cannot be read as a time ends the sign-in too.
    if ended is not None and not (isinstance(ended, datetime) and ended < identity.issued_at):
        raise SignInRefused("You have signed out since. Sign in again.")


def sign_out(database: Database, identity: Identity) -> None:
    """Ends every sign-in of this person up to now, in whichever browser. Raises DatabaseReadOnly, DatabaseUnavailable."""
    # The provider's clock may be ahead of ours; then the sign-in that asks must end all the same.
    at = max(now(), identity.issued_at)

    def write(connection: Connection) -> None:
        queries.keep_sign_out(connection, database.schema, identity.person, at=at)

    in_transaction(database, write)


def actor_of(identity: Identity, role: Role, claims: Claims | None = None) -> Actor:
    """Who it is for the events: the verified e-mail, else `subject (host of the issuer)`, which is no address; cut where it is overlong."""
    words = identity.email or f"{identity.subject} ({_host(identity.issuer)})"
    if len(words) > LONGEST_ACTOR:
        words = f"{words[: LONGEST_ACTOR - 17]}~{identity.person[:16]}"
    return Actor(words, role, Door.DASHBOARD, Standing(claims=dict(claims) if claims else {}))


def _read_text(claims: Claims, name: str) -> str:
    value = claims.get(name)
    if not _is_shown(value):
        raise SignInRefused(f"Your sign-in has no {name} that can be read. Sign in again.")
    return value


def _read_second(claims: Claims, name: str) -> datetime:
    """A claim's time in seconds since 1970, as numbers only; fractions are cut, as no engine keeps them."""
    value = claims.get(name)
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 < value <= LAST_SECOND:
        raise SignInRefused(f"Your sign-in has no {name} that can be read. Sign in again.")
    return datetime.fromtimestamp(int(value), UTC)


def _is_shown(value: object) -> TypeGuard[str]:
    """Whether it is text that can be shown: not blank, and no control or invisible character in it."""
    return isinstance(value, str) and bool(value.strip()) and value.isprintable()


def _verified_email(claims: Claims) -> str | None:
    """The e-mail where the provider says that it is verified: true, or the word (as some providers send it)."""
    email, verified = claims.get("email"), claims.get("email_verified")
    if not (verified is True or verified == "true") or not _is_shown(email):
        return None
    return email if EMAIL.fullmatch(email) else None


def _alike(email: str) -> str:
    """For comparing: small letters where all of it is ASCII, for some other letters have an ASCII small letter."""
    return email.lower() if email.isascii() else email


def _groups(value: object) -> set[str]:
    """The values of a claim: its text, or its list of texts; of anything else none."""
    if isinstance(value, str):
        return {value}
    if isinstance(value, list) and all(isinstance(one, str) for one in value):
        return set(value)
    return set()


def _host(issuer: str) -> str:
    try:
        return urlsplit(issuer).hostname or issuer
    except ValueError:
        return issuer
