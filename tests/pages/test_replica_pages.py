"""The download of deleted customers, and what stands beside it of the replica that it comes from."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from screens import STAFF, enter, said, scalar
from shops import execute, make_shop
from streamlit.testing.v1 import AppTest

from data import replica
from data.database import Database
from data.errors import NotPermitted, StaleReplica

pytestmark = pytest.mark.parametrize("engine_name", ["sqlite"], indirect=True)
PAGE = "deleted_customers"
Makers = list[Callable[[], str]]


@pytest.fixture
def makers(monkeypatch: pytest.MonkeyPatch) -> Makers:
    """What the download's button would make, from each run of the page."""
    made: Makers = []
    monkeypatch.setattr(replica, "KEPT", -1.0)
    monkeypatch.setattr(replica, "PATIENCE", 0.2)
    monkeypatch.setattr("ui.downloads.st.download_button", lambda words, make, *_, **__: made.append(make))
    return made


def test_whoever_sees_the_list_may_take_all_of_it(app: Any, makers: Makers) -> None:
    at = app(PAGE, actor=STAFF, search="#4")
    (dora,) = csv.DictReader(io.StringIO(makers[-1](), newline=""))
    assert (dora["id"], dora["name"], dora["revenue_EUR"]) == ("4", "Dora Gone", "100.00")
    assert "replica" not in said(at)


def test_where_nobody_is_deleted_there_is_nothing_to_take(app: Any, shop: Database) -> None:
    execute(shop.engine, "UPDATE customers SET deleted_at = NULL")
    assert not app(PAGE).get("download_button")


def test_how_far_the_replica_is_behind_stands_beside_it(
    app: Any, shop: Database, makers: Makers, empty_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("REPORTS_DATABASE_URL", empty_url)
    at = app(PAGE)
    assert at.caption[-1].value.startswith("Exports come from the replica, 0.")
    assert at.caption[-1].value.endswith(" s behind.")
    assert "Dora Gone" in makers[-1]()
    for other in ("customers", "revenue", "integrity"):
        before = scalar(shop, "SELECT beat FROM evenbooks_heartbeat")
        assert "replica" not in said(app(other))
        assert scalar(shop, "SELECT beat FROM evenbooks_heartbeat") == before  # they read the primary, whatever it says


def test_a_replica_that_does_not_follow_is_said_and_nothing_is_made(
    app: Any, makers: Makers, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = f"sqlite:///{tmp_path}/other.sqlite"
    make_shop(other).engine.dispose()
    monkeypatch.setenv("REPORTS_DATABASE_URL", other)
    at = app(PAGE)
    assert "Exports are read from a replica, which does not follow this database" in said(at)
    with pytest.raises(StaleReplica):
        makers[-1]()
    assert "1 deleted customer." in said(at)  # the list is the primary's


def test_a_download_is_not_made_for_whom_the_page_is_not_any_more(
    app: Any, makers: Makers, monkeypatch: pytest.MonkeyPatch, browser_request: Any
) -> None:
    at: AppTest = enter(app, PAGE, "staff")
    assert "Dora Gone" in makers[-1]()
    assert not at.exception
    monkeypatch.setattr("data.access.ALLOWED", {role: frozenset() for role in __import__("data.access").access.Role})
    with pytest.raises(NotPermitted):
        makers[-1]()
