"""The front door: who is at the screen, asked anew on every run and before every write.

Nothing about it is kept between runs. With sign-in, what counts is the signed cookie that Streamlit has read
(`st.user`), the clock, [roles] and the database; without it, that the request comes from this machine.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from ipaddress import ip_address
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import streamlit as st
from starlette.requests import HTTPConnection
from streamlit.errors import StreamlitSecretNotFoundError
from streamlit.web.server.starlette.starlette_server_config import USER_COOKIE_NAME
from streamlit.web.server.starlette.starlette_websocket import _get_signed_cookie_with_chunks

from data import demo, sign_in
from data.access import Actor, Door, Permission, Role, os_user
from data.errors import ConfigurationError, EvenbooksError, SignInRefused
from data.requesting import require_sign_in
from data.settings import load_settings
from data.sign_in import Identity

NO_SIGN_IN = (
    "Without sign-in Evenbooks answers only on the machine that it runs on. To use it from elsewhere, configure "
    "sign-in: [auth] in .streamlit/secrets.toml, and [roles] in evenbooks.toml (docs/roles.md)."
)


@dataclass(frozen=True)
class Visitor:
    """Who is at the screen: as what they act, and their sign-in; None where sign-in is not configured.

    `claims` are those of the sign-in, kept for what runs without its page and cannot ask Streamlit.
    """

    actor: Actor
    identity: Identity | None
    is_demo: bool
    claims: Mapping[str, Any] = field(default_factory=dict, repr=False)


class Closed(SignInRefused):
    """Nobody is let in: the heading and the words of the page that says so.

    `signs_in` where signing in is what helps; `identity` where somebody is signed in, and may sign out.
    """

    def __init__(self, heading: str, words: str, *, signs_in: bool = False, identity: Identity | None = None) -> None:
        super().__init__(f"{heading}. {words}")
        self.heading, self.words, self.signs_in, self.identity = heading, words, signs_in, identity


def sign_in_configured() -> bool:
    """Whether Streamlit's secrets have an [auth] section, in a file or given to st.App.

    Raises ConfigurationError where there are secrets that cannot be read, for they may have one, and where auth is
    something else.
    """
    try:
        if "auth" in st.secrets and not isinstance(st.secrets["auth"], Mapping):
            raise ConfigurationError("[auth] in .streamlit/secrets.toml is not a section.")
        return "auth" in st.secrets
    except StreamlitSecretNotFoundError:
        if not any(Path(path).exists() for path in st.get_option("secrets.files")):
            return False
    except (OSError, UnicodeError):
        pass
    raise ConfigurationError("Streamlit's secrets (.streamlit/secrets.toml) cannot be read; the file may not be TOML.")


def providers() -> dict[str, str]:
    """Who can be signed in with: the names of [auth]'s sections (`default` is [auth] itself), and a button's words."""
    auth: Mapping[str, Any] = st.secrets.get("auth", {})
    named = [name for name, section in auth.items() if isinstance(section, Mapping) and "client_id" in section]
    found = (["default"] if "client_id" in auth else []) + [name for name in named if name != "default"]
    if len(found) == 1:
        return {found[0]: "Sign in"}
    return {name: "Sign in" if name == "default" else f"Sign in with {name.capitalize()}" for name in found}


def who() -> Visitor:
    """Who is at the screen, as far as it can be said without the database. Raises Closed and ConfigurationError."""
    return _signed_in(st.user.to_dict()) if sign_in_configured() else _at_this_machine()


def actor_of_request(request: HTTPConnection) -> Actor:
    """Who sends a request that no page runs for, by the same rules as a page: the signed cookie, or this machine.

    Raises as `current_actor` does.
    """
    if not sign_in_configured():
        peer = request.client.host if request.client else ""
        if _is_from_elsewhere(peer, request.headers.keys()):
            raise Closed("Not from here", NO_SIGN_IN)
        return _machine_actor()
    visitor = _signed_in(_claims_of(request))
    require_valid(visitor)
    return visitor.actor


def _claims_of(request: HTTPConnection) -> Mapping[str, Any]:
    """What Streamlit's signed cookie says, as Streamlit reads it for a page: only at the address that it was made for."""
    try:
        signed = _get_signed_cookie_with_chunks(request.cookies, USER_COOKIE_NAME)
        claims = json.loads(signed) if signed else None
    except (ValueError, UnicodeError):
        claims = None
    if not isinstance(claims, dict) or not _is_made_for(claims.pop("origin", None), request.headers.get("host", "")):
        return {}
    return claims


def _is_made_for(origin: object, host: str) -> bool:
    """Whether an origin (https://books.example.com) is that of a Host header; default ports may be left out."""
    try:
        parts = urlsplit(str(origin))
        port = {"http": ":80", "https": ":443"}[parts.scheme]
    except (ValueError, KeyError):
        return False
    return parts.netloc.lower().removesuffix(port) == host.lower().removesuffix(port)


def role_now() -> Role | None:
    """The role of whoever is at the screen, for what is told of failures; None for nobody, or where it cannot be said.

    Without sign-in it is whoever sits at this machine, and no setting is read, for one may be what is wrong.
    """
    try:
        if sign_in_configured():
            return who().actor.role
    except EvenbooksError:
        return None
    return None if _comes_from_elsewhere() else Role.ADMIN


def current_actor() -> Actor:
    """Who writes, asked at this very moment: callbacks and dialogs run without the page that they are on.

    Raises Closed where the sign-in has ended meanwhile, or was ended in another tab, and what `attached` raises.
    """
    visitor = who()
    require_valid(visitor)
    return visitor.actor


def require_valid(visitor: Visitor) -> None:
    """Asks the clock and the database whether the visitor's sign-in still counts. Raises as `current_actor` does."""
    if visitor.identity is None:
        return
    _require_time(visitor.identity)
    try:
        sign_in.require_valid(demo.attached(), visitor.identity, datetime.now(UTC))
    except SignInRefused:
        raise Closed("You have signed out", "Sign in again to go on.", signs_in=True) from None


def require_still(visitor: Visitor, permission: Permission) -> None:
    """Asks of somebody for whom a page was made whether they may still see it: sign-in, role and permission as of now.

    For what runs without its page. Raises as `current_actor` does, and NotPermitted.
    """
    now = _signed_in(visitor.claims) if visitor.identity else visitor
    now.actor.require(permission)
    require_valid(now)


def leave_if_closed() -> None:
    """For what runs without its page, as dialogs do: where the sign-in no longer counts the page runs, and says so."""
    try:
        current_actor()
    except EvenbooksError:
        st.rerun()


def _signed_in(claims: Mapping[str, Any]) -> Visitor:
    if not claims.get("is_logged_in"):
        raise Closed("Sign in", "Evenbooks is open to people who have a role here.", signs_in=True)
    try:
        identity = sign_in.read_identity(claims)
    except SignInRefused:
        words = "The provider's answer lacks what a sign-in needs (iss, sub, iat, exp). Sign in again."
        raise Closed("This sign-in cannot be read", words, signs_in=True) from None
    _require_time(identity)
    role = sign_in.role_of(load_settings().roles, claims)  # last: whoever is not signed in learns of no setting
    if role is None:
        words = "Ask whoever runs Evenbooks to add this account under [roles]."
        if claims.get("email") and not identity.email:
            words += " The provider has not verified its e-mail address, so the address gives it no role."
        raise Closed(f"{identity.email or identity.name} has no role here", words, identity=identity)
    return Visitor(sign_in.actor_of(identity, role, claims), identity, False, claims)


def _require_time(identity: Identity) -> None:
    if identity.expires_at <= datetime.now(UTC):
        raise Closed("Your sign-in has ended", "Sign in again to go on.", signs_in=True)


def _at_this_machine() -> Visitor:
    """Whoever is at the machine itself has every right; on the demo company they may see it as another role."""
    if _comes_from_elsewhere():
        raise Closed("Not from here", NO_SIGN_IN)
    settings = load_settings()
    require_sign_in(settings, configured=False)
    # The page tests put somebody here; a browser cannot.
    actor: Actor = st.session_state.get("actor") or _machine_actor()
    if settings.is_demo:
        actor = replace(actor, role=st.session_state.get("seen_as", actor.role))
    return Visitor(actor, None, settings.is_demo)


def _machine_actor() -> Actor:
    return Actor(f"os:{os_user()} (no sign-in)", Role.ADMIN, Door.DASHBOARD)


def _comes_from_elsewhere() -> bool:
    """Whether the browser is on another machine, or something stands between that forwards requests of others."""
    return _is_from_elsewhere(st.context.ip_address, list(st.context.headers))


def _is_from_elsewhere(peer: str | None, headers: Collection[str]) -> bool:
    """The same of a request's peer (None: 127.0.0.1 or ::1) and the names of its headers."""
    names = {name.lower() for name in headers}
    forwarded = names & {"forwarded", "x-real-ip", "via"} or any(name.startswith("x-forwarded-") for name in names)
    return bool(forwarded) or not (peer is None or _is_loopback(peer))


def _is_loopback(peer: str) -> bool:
    try:
        return ip_address(peer).is_loopback
    except ValueError:
        return False
