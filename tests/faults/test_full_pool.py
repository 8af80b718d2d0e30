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
from data.engines import POOL
from data.errors import DatabaseUnavailable
from data.pool import pool_figures
from web import health

pytestmark = pytest.mark.parametrize("engine_name", ["mariadb", "postgresql"], indirect=True)
LIMIT = POOL["pool_size"] + POOL["max_overflow"]


@contextmanager
def all_in_use(shop: Database) -> Iterator[None]:
    """Somebody has every connection that the pool gives out; who waits for one waits a moment only."""
    pool: Any = shop.engine.pool
    assert pool._timeout == POOL["pool_timeout"]
    pool._timeout = 0.05
    with ExitStack() as held:
        for _ in range(LIMIT):
            held.enter_context(shop.engine.connect())
        yield
    pool._timeout = POOL["pool_timeout"]


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
        assert pool_figures(shop) == {"size": 10, "in_use": LIMIT, "overflow": 20, "limit": LIMIT}
        for method, path in (("DELETE", "/staff/customers/1"), ("GET", "/staff/customers")):
            answer = http.request(method, path, **({"params": {"reason": "requested"}} if method == "DELETE" else {}))
            assert (answer.status_code, answer.headers["Retry-After"]) == (503, "5")
            assert answer.json()["error"]["code"] == "database_unavailable"
        answer = http.get("/readyz")
        assert answer.status_code == 503
        assert answer.json()["error"]["message"] == "Every connection to the database is in use."
        assert answer.json()["pool"]["in_use"] == answer.json()["pool"]["limit"] == LIMIT
        assert http.get("/healthz").status_code == 200
    assert state(shop) == before
    assert http.get("/readyz").json()["pool"]["in_use"] == 0
    assert http.get("/staff/customers").status_code == 200
    assert delete_many(shop, [1], actor=STAFF, reason="requested")[0].changed
    assert_well(shop, shop)


def test_who_waits_gets_the_connection_that_comes_back(shop: Database) -> None:
    with ExitStack() as held:
        connections = [held.enter_context(shop.engine.connect()) for _ in range(LIMIT)]
        connections[0].close()
        assert delete_many(shop, [1], actor=STAFF, reason="requested")[0].changed
    assert_well(shop, shop)
