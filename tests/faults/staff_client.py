"""The API on a shop, called by somebody of the staff."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from fastapi.testclient import TestClient
from shops import ADMIN

import api
from data import database as databases
from data import tokens
from data.access import Role
from data.database import Database
from web import admitting


@contextmanager
def staff_client(shop: Database, monkeypatch: pytest.MonkeyPatch) -> Iterator[TestClient]:
    """The API on this shop, with the token of somebody of the staff, whose use was noted a moment ago."""
    monkeypatch.setattr(databases, "_default", shop)
    admitting.failures.storage.reset()
    token = tokens.add(shop, "staff", role=Role.STAFF, owner=ADMIN.id, actor=ADMIN)
    with TestClient(api.app, raise_server_exceptions=False, headers={"Authorization": f"Bearer {token}"}) as client:
        assert client.get("/staff/customers").status_code == 200
        tokens.wait_for_notes()
        yield client
