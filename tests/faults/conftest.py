"""Fixtures of the fault tests: a shop, and the same shop through a proxy that loses what it is told to."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from cutting_proxy import CuttingProxy, cutting_proxy

from data import engines
from data.database import Database, attach


@pytest.fixture
def proxy(shop: Database) -> Iterator[CuttingProxy]:
    """Between the product and the shop's server."""
    with cutting_proxy(shop.settings.database_url) as between:
        yield between


@pytest.fixture
def through(shop: Database, proxy: CuttingProxy, monkeypatch: pytest.MonkeyPatch) -> Iterator[Database]:
    """The same shop through the proxy. No connection is tried after a pause, for tests count the commands."""
    monkeypatch.setattr(engines, "LONGEST_PAUSE", 3600.0)
    reached = attach(shop.settings.model_copy(update={"database_url": proxy.url}))
    yield reached
    reached.engine.dispose()
