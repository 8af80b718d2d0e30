"""Who acts, and what each role may do: the one table of it."""

from __future__ import annotations

import getpass
import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from data.errors import NotPermitted

IN_BRACKETS = re.compile(r"<([^<>]+)>")  # the address of "Ann Lee <ann@example.com>"


class Role(StrEnum):
    """What somebody is to the company."""

    STAFF = "staff"
    MANAGER = "manager"
    AUDITOR = "auditor"
    ADMIN = "admin"


class Permission(StrEnum):
    """What can be allowed or refused."""

    READ_CUSTOMERS = "read customers"
    CHANGE_CUSTOMERS = "add, edit, delete and restore customers"
    READ_REVENUE = "read revenue"
    READ_INTEGRITY = "read and run the integrity check"
    READ_RETENTION = "see who is due to be erased"
    SEAL_MONTHS = "seal and unseal months"
    ACCEPT_FINDINGS = "accept findings of the check"
    PROBE = "run the live probe"
    APPROVE_REQUESTS = "approve and reject requests"
    ERASE_CUSTOMERS = "ask for erasures"
    CHECK_BACKUPS = "compare backups"
    MANAGE_TOKENS = "add and revoke tokens"


_READS = frozenset(
    {Permission.READ_CUSTOMERS, Permission.READ_REVENUE, Permission.READ_INTEGRITY, Permission.READ_RETENTION}
)
ALLOWED: dict[Role, frozenset[Permission]] = {
    Role.STAFF: frozenset({Permission.READ_CUSTOMERS, Permission.CHANGE_CUSTOMERS}),
    Role.MANAGER: _READS
    | {
        *(Permission.SEAL_MONTHS, Permission.ACCEPT_FINDINGS, Permission.PROBE),
        *(Permission.APPROVE_REQUESTS, Permission.ERASE_CUSTOMERS),
    },
    Role.AUDITOR: _READS,
    Role.ADMIN: frozenset(Permission),
}


class Door(StrEnum):
    """Through which door somebody came."""

    DASHBOARD = "dashboard"
    API = "api"
    COMMAND = "command"


@dataclass(frozen=True)
class Standing:
    """By what somebody has the role, so that it can be asked again later, and who it is under other names.

    The claims of a sign-in; or the id of an API token, and whose it is. Neither: whoever is at this machine.
    """

    claims: Mapping[str, Any] | None = None
    token_id: str | None = None
    owner: str | None = None


@dataclass(frozen=True)
class Actor:
    """Who asks for something: an id for the events, a role, the door, and by what they have the role."""

    id: str
    role: Role
    door: Door
    standing: Standing = field(default=Standing(), compare=False, repr=False)

    @property
    def signed_in(self) -> bool:
        """Whether it is a person who signed in."""
        return self.standing.claims is not None

    @property
    def names(self) -> frozenset[str]:
        """Every name by which this one can be told to be somebody else, as `names_in` has them."""
        claims = self.standing.claims or {}
        said = (claims.get(name) for name in ("email", "sub", "preferred_username", "name"))
        return names_in(self.id, self.standing.owner, *said)

    def may(self, permission: Permission) -> bool:
        """Whether this actor's role allows it."""
        return permission in ALLOWED[self.role]

    def require(self, permission: Permission) -> None:
        """Raises NotPermitted unless this actor's role allows it."""
        if not self.may(permission):
            raise NotPermitted(self.refusal(permission))

    def refusal(self, permission: Permission) -> str:
        """The sentence that refuses it to this actor's role."""
        return f"The role {self.role} may not {permission.replace(' and ', ' or ')}."


def names_in(*said: object) -> frozenset[str]:
    """Names as they are compared: in small letters, of letters that look alike one (NFKC), and an address within <> too."""
    whole = {_plain(str(one)) for one in said if one}
    return frozenset(whole | {_plain(address) for one in whole for address in IN_BRACKETS.findall(one)}) - {""}


def _plain(name: str) -> str:
    return unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", name).casefold()).strip()


def os_user() -> str:
    """The name of the operating system's user, or `unknown` where it has none."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return "unknown"


def script_actor() -> Actor:
    """Who a script is when it does not say: the operating system's user, with every right."""
    return Actor(f"os:{os_user()}", Role.ADMIN, Door.COMMAND)
