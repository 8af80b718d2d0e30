"""The terms on which the server starts: for whom, under which names, behind TLS or not."""

from __future__ import annotations

import logging
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import SplitResult, urlsplit

from data.errors import ConfigurationError
from data.requesting import require_sign_in
from data.settings import Settings
from web.guarding import is_loopback

log = logging.getLogger("evenbooks")

WILDCARDS = {"0.0.0.0", "::", ""}
SECRETS = ".streamlit/secrets.toml: [auth]"
PROVIDER = ("client_id", "client_secret", "server_metadata_url")


@dataclass(frozen=True)
class Terms:
    """The host names that are answered, whether others than this machine are served, whether browsers come by https."""

    hosts: tuple[str, ...]
    this_machine_only: bool
    https: bool


def read_terms(settings: Settings, address: str | None, auth: Mapping[str, Any] | None, *, setting: str) -> Terms:
    """The terms for listening at `address` (None: everywhere), which `setting` names; `auth` is [auth], None where unset.

    Raises ConfigurationError where [auth] is not complete, or is unset and others than this machine could connect, or
    deletions wait for the approval of somebody who has signed in.
    """
    require_sign_in(settings, configured=auth is not None)
    address = (address or "").lower()
    if auth is None:
        if not is_loopback(address):
            raise ConfigurationError(
                f"{setting} is {address or 'unset'}, which serves other machines, but sign-in is not configured: anybody "
                "could delete customers. Configure [auth] in .streamlit/secrets.toml (docs/roles.md), or serve this "
                f"machine only with {setting}=127.0.0.1."
            )
        return Terms(_names(settings, address, None), this_machine_only=True, https=False)
    redirect = _read_redirect(auth)
    _require_complete(auth)
    if not any((r.subjects or r.claim or r.emails) for r in _holders(settings)):
        log.warning("Sign-in is configured, but [roles] in evenbooks.toml names nobody: nobody will have a role.")
    if redirect.scheme == "http" and not is_loopback(redirect.hostname):
        log.warning("redirect_uri in [auth] begins with http: passwords and sign-ins cross the network unprotected.")
    return Terms(
        _names(settings, address, redirect.hostname), this_machine_only=False, https=redirect.scheme == "https"
    )


def _holders(settings: Settings) -> tuple[Any, ...]:
    roles = settings.roles
    return (roles.admin, roles.manager, roles.staff, roles.auditor)


def _names(settings: Settings, address: str, redirect_host: str | None) -> tuple[str, ...]:
    """Loopback, the address itself, where sign-in returns to, and what [server] hosts adds."""
    for name in settings.server.hosts:
        if not re.fullmatch(r"[A-Za-z0-9._-]+|[0-9a-fA-F:]+", name):
            raise ConfigurationError(f"[server] hosts: {name!r} is not a host name; it has no port, path or wildcard.")
    own = [] if address in WILDCARDS else [address]
    given = ["localhost", "127.0.0.1", "::1", *own, *([redirect_host] if redirect_host else []), *settings.server.hosts]
    return tuple(dict.fromkeys(name.lower().rstrip(".") for name in given))


def _read_redirect(auth: Mapping[str, Any]) -> SplitResult:
    try:
        parts = urlsplit(str(auth.get("redirect_uri", "")))
        named = parts.scheme in ("http", "https") and bool(parts.hostname)
    except ValueError:
        named = False
    if not named or parts.path != "/oauth2callback":
        raise ConfigurationError(
            f"{SECRETS} redirect_uri is the address of this server with /oauth2callback, as people's browsers reach it: "
            'redirect_uri = "https://books.example.com/oauth2callback".'
        )
    return parts


def _require_complete(auth: Mapping[str, Any]) -> None:
    """Streamlit would only notice when somebody signs in; a short secret it would take."""
    if len(str(auth.get("cookie_secret", ""))) < 32:
        raise ConfigurationError(f"{SECRETS} cookie_secret needs 32 or more random characters; it signs who is who.")
    providers = {name: value for name, value in auth.items() if isinstance(value, Mapping) and name != "client_kwargs"}
    if not providers or any(key in auth for key in PROVIDER):
        providers[""] = auth
    for name, provider in providers.items():
        where = f".streamlit/secrets.toml: [auth.{name}]" if name else SECRETS
        if "_" in name:
            raise ConfigurationError(f"{where} a provider's name has no underscore.")
        missing = [key for key in PROVIDER if not provider.get(key)]
        if missing:
            raise ConfigurationError(f"{where} names no {missing[0]}.")
