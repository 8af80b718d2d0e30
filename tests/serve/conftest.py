"""The real server as a process of its own, in front of a shop of known rows."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from browser_server import Server, dashboard
from shops import ADMIN, make_shop, state

from data import tokens
from data.access import Role
from data.customers import delete_many
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


@pytest.fixture(scope="session")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """`python serve.py` on SQLite; customer 4 was deleted before."""
    folder = tmp_path_factory.mktemp("served")
    url = f"sqlite:///{folder}/shop.sqlite"
    shop = make_shop(url, sections=None)
    delete_many(shop, [4], actor=ADMIN, reason="inactive")
    made = {role: tokens.add(shop, f"test {role}", role=role, actor=ADMIN) for role in Role}
    with dashboard(url, folder / "log") as server:
        yield Served(server, shop, made)
    shop.engine.dispose()
