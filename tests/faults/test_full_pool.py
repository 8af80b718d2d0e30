"""Every connection of the pool in use: told in a sentence, shown to whoever watches, and well again afterwards."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

import pytest
from acts import ACTS, Act, assert_well, events_since, last_event, tried
from fastapi.testclient import TestClient
from shops import STAFF, state
from staff_client import staff_client

from data.customers import delete_many
from data.database import Database, snapshot
from data.engines import POOL_WAIT
from data.errors import DatabaseUnavailable
from data.pool import pool_figures
from web import health

# Of connections to a file of SQLite, whose writers take turns anyway, half as many are kept.
SIZES = {"sqlite": (5, 10), "mysql": (10, 20), "postgresql": (10, 20)}


def limit(shop: Database) -> int:
    """How many connections the pool gives out."""
    return sum(SIZES[shop.schema.dialect])


@contextmanager
def all_in_use(shop: Database) -> Iterator[None]:
    """Somebody has every connection that the pool gives out; who waits for one waits a moment only."""
    pool: Any = shop.engine.pool
    assert pool._timeout == POOL_WAIT
    pool._timeout = 0.05
    with ExitStack() as held:
        for _ in range(limit(shop)):
            held.enter_context(shop.engine.connect())
        yield
    pool._timeout = POOL_WAIT


@pytest.fixture
def http(shop: Database, monkeypatch: pytest.MonkeyPatch) -> Iterator[TestClient]:
    """The API on this shop, with somebody's token."""
    monkeypatch.setattr(health, "watch", health.Watch(lambda: health.look_at_database()))
    monkeypatch.setattr(health, "KEPT", 0.0)
    monkeypatch.setattr(health, "PATIENCE", 60.0)
    with staff_client(shop, monkeypatch) as client:
        yield client


@pytest.mark.parametrize("name", ACTS)
def test_every_change_says_so_changes_nothing_and_works_afterwards(shop: Database, name: str) -> None:
    act: Act = ACTS[name]
    subject = act.prepare(shop)
    before, head = state(shop), last_event(shop)
    with all_in_use(shop):
        error = tried(act, shop, subject)
        assert type(error) is DatabaseUnavailable
        assert str(error) == "Every connection to the database is in use. Wait a moment and try again."
        with pytest.raises(DatabaseUnavailable, match="in use"), snapshot(shop):
            raise AssertionError("there was a connection")
    assert state(shop) == before
    act.do(shop, subject)
    assert tuple(events_since(shop, head).values()) == act.events
    assert_well(shop, shop)


def test_the_api_says_so_and_who_watches_sees_why(shop: Database, http: TestClient) -> None:
    before = state(shop)
    with all_in_use(shop):
        size, overflow = SIZES[shop.schema.dialect]
        most = size + overflow
        assert pool_figures(shop) == {"size": size, "in_use": most, "overflow": overflow, "limit": most}
        for method, path in (("DELETE", "/staff/customers/1"), ("GET", "/staff/customers")):
            answer = http.request(method, path, **({"params": {"reason": "requested"}} if method == "DELETE" else {}))
            assert (answer.status_code, answer.headers["Retry-After"]) == (503, "5")
            assert answer.json()["error"]["code"] == "database_unavailable"
        answer = http.get("/readyz")
        assert answer.status_code == 503
        assert answer.json()["error"]["message"] == "Every connection to the database is in use."
        assert answer.json()["pool"]["in_use"] == answer.json()["pool"]["limit"] == most
        assert http.get("/healthz").status_code == 200
    assert state(shop) == before
    assert http.get("/readyz").json()["pool"]["in_use"] == 0
    assert http.get("/staff/customers").status_code == 200
    assert delete_many(shop, [1], actor=STAFF, reason="requested")[0].changed
    assert_well(shop, shop)


def test_who_waits_gets_the_connection_that_comes_back(shop: Database) -> None:
    with ExitStack() as held:
        connections = [held.enter_context(shop.engine.connect()) for _ in range(limit(shop))]
        connections[0].close()
        assert delete_many(shop, [1], actor=STAFF, reason="requested")[0].changed
    assert_well(shop, shop)
