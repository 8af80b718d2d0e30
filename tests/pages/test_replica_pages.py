"""The download of deleted customers, and what stands beside it of the replica that it comes from."""

from __future__ import annotations

import csv
import io
from pathlib import Path
from typing import Any

import pytest
from screens import ANN, STAFF, enter, said, scalar, take, taken
from shops import execute, make_shop, rows
from streamlit.testing.v1 import AppTest

from data import downloads, replica
from data.database import Database
from data.errors import DownloadNotFound

pytestmark = pytest.mark.parametrize("engine_name", ["sqlite"], indirect=True)
PAGE = "deleted_customers"


@pytest.fixture(autouse=True)
def _measured_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(replica, "KEPT", -1.0)
    monkeypatch.setattr(replica, "PATIENCE", 0.2)


def test_whoever_sees_the_list_may_take_it_as_it_is_shown(app: Any) -> None:
    at = app(PAGE, actor=STAFF, search="#4")
    (dora,) = csv.DictReader(io.StringIO(taken(at, STAFF), newline=""))
    assert (dora["id"], dora["name"], dora["revenue_EUR"]) == ("4", "Dora Gone", "100.00")
    assert "replica" not in said(at)


def test_where_nobody_is_deleted_there_is_nothing_to_take(app: Any, shop: Database) -> None:
    execute(shop.engine, "UPDATE customers SET deleted_at = NULL")
    assert not app(PAGE).menu_button


def test_how_far_the_replica_is_behind_stands_beside_it(
    app: Any, shop: Database, empty_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("REPORTS_DATABASE_URL", empty_url)
    at = app(PAGE)
    assert at.caption[-1].value.startswith("Exports come from the replica, 0.")
    assert at.caption[-1].value.endswith(" s behind.")
    assert "Dora Gone" in taken(at, ANN)
    for other in ("customers", "revenue", "integrity"):
        before = scalar(shop, "SELECT beat FROM evenbooks_heartbeat")
        assert "replica" not in said(app(other))
        assert scalar(shop, "SELECT beat FROM evenbooks_heartbeat") == before  # they read the primary, whatever it says


def test_a_replica_that_does_not_follow_is_said_and_no_link_is_made(
    app: Any, shop: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = f"sqlite:///{tmp_path}/other.sqlite"
    make_shop(other).engine.dispose()
    monkeypatch.setenv("REPORTS_DATABASE_URL", other)
    at = app(PAGE)
    refused = "Exports are read from a replica, which does not follow this database"
    assert said(at).count(refused) == 1
    at.menu_button(key="download").click("CSV").run()
    assert said(at).count(refused) == 2
    assert not at.get("iframe")
    assert rows(shop, "evenbooks_downloads") == []
    assert "1 deleted customer." in said(at)  # the list is the primary's


def test_no_link_is_made_for_whom_the_page_is_not_any_more(
    app: Any, shop: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    at: AppTest = enter(app, PAGE, "staff")
    with pytest.raises(DownloadNotFound):  # the link is the person's; this one never signed in
        downloads.fetch(shop, take(at), actor=STAFF)
    made = len(rows(shop, "evenbooks_downloads"))
    monkeypatch.setattr("data.access.ALLOWED", {role: frozenset() for role in __import__("data.access").access.Role})
    at.menu_button(key="download").click("CSV").run()
    assert "The role staff may not read customers." in said(at)
    assert len(rows(shop, "evenbooks_downloads")) == made
