"""Who acts, and what each role may do: the one table of it."""

from __future__ import annotations

import getpass
from dataclasses import dataclass
from enum import StrEnum

from data.errors import NotPermitted


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
    SEAL_MONTHS = "seal and unseal months"
    ACCEPT_FINDINGS = "accept findings of the check"
    PROBE = "run the live probe"
    MANAGE_TOKENS = "add and revoke tokens"


_READS = frozenset({Permission.READ_CUSTOMERS, Permission.READ_REVENUE, Permission.READ_INTEGRITY})
ALLOWED: dict[Role, frozenset[Permission]] = {
    Role.STAFF: frozenset({Permission.READ_CUSTOMERS, Permission.CHANGE_CUSTOMERS}),
    Role.MANAGER: _READS | {Permission.SEAL_MONTHS, Permission.ACCEPT_FINDINGS, Permission.PROBE},
    Role.AUDITOR: _READS,
    Role.ADMIN: frozenset(Permission),
}


class Door(StrEnum):
    """Through which door somebody came."""

    DASHBOARD = "dashboard"
    API = "api"
    COMMAND = "command"


@dataclass(frozen=True)
class Actor:
    """Who asks for something: an id for the events, a role, and the door."""

    id: str
    role: Role
    door: Door

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


def os_user() -> str:
    """The name of the operating system's user, or `unknown` where it has none."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return "unknown"


def script_actor() -> Actor:
    """Who a script is when it does not say: the operating system's user, with every right."""
    return Actor(f"os:{os_user()}", Role.ADMIN, Door.COMMAND)
