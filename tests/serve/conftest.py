"""The real server as a process of its own, in front of a shop of known rows."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from browser_server import dashboard
from serving import Served
from shops import ADMIN, make_shop

from data import tokens
from data.access import Role
from data.customers import delete_many


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
