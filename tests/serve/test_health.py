"""Whether the process lives and can work: told truly, quickly, and without the database's words."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient
from shops import execute

from data import database as databases
from data.database import Database, make_engine, snapshot
from data.errors import ConfigurationError, DatabaseUnavailable, NotMigrated
from data.pool import pool_figures
from data.settings import parse_url
from web import health

Asks = Callable[[str], tuple[int, dict[str, Any]]]


@pytest.fixture
def ask(monkeypatch: pytest.MonkeyPatch) -> Iterator[Asks]:
    """Asks a server that has just started."""
    monkeypatch.setattr(health, "watch", health.Watch())
    monkeypatch.setattr(health, "KEPT", 0.0)
    app = FastAPI()
    app.include_router(health.router)
    with TestClient(app, raise_server_exceptions=False) as client:

        def get(path: str) -> tuple[int, dict[str, Any]]:
            reply = client.get(path)
            return reply.status_code, reply.json()

        yield get


def test_a_shop_that_is_ready_tells_how_busy_it_is(shop: Database, ask: Asks, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(databases, "_default", shop)
    assert ask("/healthz") == (200, {"alive": True})
    status, idle = ask("/readyz")
    assert (status, idle["ready"], idle["pool"]["in_use"], idle["pool"]["overflow"]) == (200, True, 0, 0)
    with snapshot(shop), snapshot(shop):
        assert ask("/readyz")[1]["pool"] == {**idle["pool"], "in_use": 2}
    assert idle["pool"]["size"] < idle["pool"]["limit"]


def test_our_tables_gone_is_not_ready(shop: Database, ask: Asks, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(databases, "_default", shop)
    execute(shop.engine, "DROP TABLE evenbooks_chain")
    status, told = ask("/readyz")
    assert (status, told["ready"], told["error"]["code"]) == (503, False, "not_migrated")
    assert ask("/healthz")[0] == 200


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (DatabaseUnavailable("mysql+pymysql://root:secret@db/shop (2003)"), "database_unavailable"),
        (NotMigrated("no evenbooks_events table: secret"), "not_migrated"),
        (ConfigurationError("secret"), "configuration"),
        (RuntimeError("secret"), "database_unavailable"),
    ],
)
def test_what_is_wrong_is_a_code_and_never_the_databases_words(
    error: Exception, code: str, ask: Asks, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail() -> Database:
        raise error

    monkeypatch.setattr("data.demo.attached", fail)
    assert ask("/readyz") == (
        503,
        {"ready": False, "error": {"code": code, "message": health.SENTENCES[code]}},
    )
    assert "secret" not in health.SENTENCES[code]


def test_a_database_that_hangs_holds_up_no_answer_and_is_asked_once(ask: Asks, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[float] = []
    end = threading.Event()

    def hang() -> Database:
        asked.append(time.monotonic())
        end.wait(20)
        raise DatabaseUnavailable

    monkeypatch.setattr("data.demo.attached", hang)
    monkeypatch.setattr(health, "PATIENCE", 0.1)
    try:
        assert [ask("/readyz")[0] for _ in range(3)] == [503] * 3
        assert ask("/healthz")[0] == 200
    finally:
        end.set()
    health.watch._worker.shutdown(wait=True)
    assert len(asked) == 1


def test_a_look_is_kept_for_a_moment(ask: Asks, monkeypatch: pytest.MonkeyPatch) -> None:
    looks: list[int] = []
    monkeypatch.setattr(health, "KEPT", 60.0)
    monkeypatch.setattr(health, "_look", lambda: looks.append(1) or "not_migrated")
    assert [ask("/readyz")[0] for _ in range(3)] == [503] * 3
    assert looks == [1]


def test_a_database_in_memory_has_no_pool(shop: Database) -> None:
    engine = make_engine(parse_url("sqlite://"))
    assert pool_figures(Database(engine, shop.settings, shop.schema)) == {}
    engine.dispose()
