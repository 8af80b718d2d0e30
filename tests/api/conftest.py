"""Fixtures: the API over a shop of known rows, with a token for each role."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from callers import Caller, Serve
from fastapi.testclient import TestClient
from shops import ADMIN, make_shop

import api
from data import database as databases
from data.access import Role
from data.customers import delete_many
from data.database import Database
from web import admitting


@pytest.fixture(scope="session")
def http() -> Iterator[TestClient]:
    """One client, and so one event loop, for the whole run."""
    with TestClient(api.app, raise_server_exceptions=False) as client:
        yield client


@pytest.fixture
def serve(http: TestClient, monkeypatch: pytest.MonkeyPatch) -> Serve:
    """Puts a shop behind the API, whose count of failed tries begins anew."""
    admitting.failures.storage.reset()

    def put(shop: Database) -> Caller:
        monkeypatch.setattr(databases, "_default", shop)
        return Caller(shop, http)

    return put


@pytest.fixture
def call(shop: Database, serve: Serve) -> Caller:
    """The API over a fresh shop, on each engine."""
    return serve(shop)


@pytest.fixture(scope="session")
def standing(tmp_path_factory: pytest.TempPathFactory, http: TestClient) -> Iterator[Caller]:
    """A shop on SQLite that every test may ask, and that none may change."""
    shop = make_shop(f"sqlite:///{tmp_path_factory.mktemp('shop')}/shop.sqlite")
    delete_many(shop, [4], actor=ADMIN, reason="inactive")
    caller = Caller(shop, http)
    for role in Role:
        caller.token(role)
    yield caller
    shop.engine.dispose()


@pytest.fixture
def ask(standing: Caller, serve: Serve) -> Caller:
    """The API over the standing shop."""
    serve(standing.shop)
    return standing
