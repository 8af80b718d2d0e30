"""Whether the process lives and can work: told truly, quickly, and without the database's words."""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient
from shops import execute
from test_grants import APP, accounts, attached_as

from data import database as databases
from data import replica
from data.database import Database, snapshot
from data.engines import make_engine
from data.errors import ConfigurationError, DatabaseUnavailable, NotMigrated
from data.pool import pool_figures
from data.urls import parse_url
from web import health

Asks = Callable[[str], tuple[int, dict[str, Any]]]


@pytest.fixture
def ask(monkeypatch: pytest.MonkeyPatch) -> Iterator[Asks]:
    """Asks a server that has just started."""
    monkeypatch.setattr(health, "watch", health.Watch(lambda: health.look_at_database()))
    monkeypatch.setattr(health, "KEPT", 0.0)
    monkeypatch.setattr(health, "_last", None)
    monkeypatch.setattr(health, "_seen", None)
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
    assert idle["reports"] is None


@pytest.mark.parametrize("engine_name", ["sqlite"], indirect=True)
def test_a_replica_is_told_of_and_one_that_fails_makes_nothing_unready(
    shop: Database, empty_url: str, ask: Asks, monkeypatch: pytest.MonkeyPatch
) -> None:
    def put(url: str) -> None:
        monkeypatch.setattr(health, "replica_watch", health.Watch(lambda: health.look_at_replica()))
        settings = shop.settings.model_copy(update={"reports_database_url": url})
        monkeypatch.setattr(replica, "_replicas", type(replica._replicas)())
        monkeypatch.setattr(databases, "_default", replace(shop, settings=settings))

    monkeypatch.setattr(health, "REPLICA_PATIENCE", 20.0)
    put(empty_url)
    status, told = ask("/readyz")
    assert (status, told["ready"], told["reports"]["limit"], told["reports"]["fresh"]) == (200, True, 60, True)
    assert 0 <= told["reports"]["lag"] < 60
    put("sqlite:////nowhere/shop.sqlite")
    assert ask("/readyz")[1]["reports"] == {"lag": None, "limit": 60, "fresh": False}
    assert ask("/readyz")[0] == 200


@pytest.mark.parametrize("engine_name", ["sqlite"], indirect=True)
def test_a_replica_that_is_slow_holds_up_no_answer_and_what_was_seen_grows_old(
    shop: Database, empty_url: str, ask: Asks, monkeypatch: pytest.MonkeyPatch
) -> None:
    end = threading.Event()

    def hang() -> None:
        end.wait(20)

    settings = shop.settings.model_copy(update={"reports_database_url": empty_url})
    monkeypatch.setattr(databases, "_default", replace(shop, settings=settings))
    monkeypatch.setattr(health, "REPLICA_PATIENCE", 0.05)
    monkeypatch.setattr(health, "replica_watch", health.Watch(hang))
    try:
        assert ask("/readyz")[1]["reports"] == {"lag": None, "limit": 60, "fresh": False}
        seen = replica.Freshness(1.0, 60)
        for ago, fresh in ((10, True), (59.5, False)):
            monkeypatch.setattr(health, "_last", replace(seen, seen=seen.seen - ago))
            told = ask("/readyz")[1]["reports"]
            assert (told["lag"] >= 1 + ago, told["fresh"]) == (True, fresh)
    finally:
        end.set()


@pytest.mark.parametrize("table", ["evenbooks_chain", "evenbooks_jobs"])
def test_our_tables_gone_is_not_ready(shop: Database, table: str, ask: Asks, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(databases, "_default", shop)
    execute(shop.engine, f"DROP TABLE {table}")
    status, told = ask("/readyz")
    assert (status, told["ready"], told["error"]["code"]) == (503, False, "not_migrated")
    assert ask("/healthz")[0] == 200


@pytest.mark.parametrize("engine_name", ["mariadb", "postgresql"], indirect=True)
def test_an_account_that_lost_a_right_is_not_ready(
    shop: Database, ask: Asks, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    with accounts(shop), attached_as(shop, APP) as app:
        monkeypatch.setattr(databases, "_default", app)
        assert ask("/readyz")[0] == 200
        whom = f"'{APP}'@'%'" if app.schema.dialect == "mysql" else APP
        execute(shop.engine, f"REVOKE SELECT ON evenbooks_jobs FROM {whom}")
        status, told = ask("/readyz")
        assert (status, told["error"]["code"]) == (503, "configuration")
        assert re.search(r"may not read .*evenbooks_jobs.*python -m data\.sql grants", caplog.text)
        execute(shop.engine, f"GRANT SELECT ON evenbooks_jobs TO {whom}")
        assert ask("/readyz")[0] == 200


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
        {"ready": False, "error": {"code": code, "message": health.SENTENCES[code]}, "pool": None},
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
    monkeypatch.setattr(health, "look_at_database", lambda: looks.append(1) or "not_migrated")
    assert [ask("/readyz")[0] for _ in range(3)] == [503] * 3
    assert looks == [1]


def test_a_database_in_memory_has_no_pool(shop: Database) -> None:
    engine = make_engine(parse_url("sqlite://"))
    assert pool_figures(Database(engine, shop.settings, shop.schema)) == {}
    engine.dispose()
