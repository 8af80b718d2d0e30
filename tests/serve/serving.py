"""A running server, and the shop behind it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from browser_server import Server
from shops import state

from data.access import Role
from data.database import Database


@dataclass(frozen=True)
class Served:
    """A running server, the shop behind it, and a token for each role."""

    server: Server
    shop: Database
    tokens: dict[Role, str]

    @property
    def port(self) -> int:
        """Where it listens on 127.0.0.1."""
        return int(self.server.url.rsplit(":", 1)[1])

    def state(self) -> dict[str, list[tuple[Any, ...]]]:
        """Everything that a refused request must leave as it was."""
        return state(self.shop)
