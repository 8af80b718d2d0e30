"""The connection to the database breaks while somebody deletes: what the page says, and that nothing is done twice."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from typing import Any

import pytest
import streamlit as st
from cutting_proxy import CuttingProxy, cutting_proxy
from screens import ask_to_delete, confirm, dialog, events_of, press, said, shown
from shops import PHONE, problems
from streamlit.testing.v1 import AppTest

from data import database as databases
from data.database import Database
from data.engines import POOL

pytestmark = pytest.mark.parametrize("engine_name", ["mariadb"], indirect=True)
UNKNOWN = "it is not known whether this was done"


@pytest.fixture
def proxy(shop: Database) -> Iterator[CuttingProxy]:
    """Between the page and the shop's server."""
    with cutting_proxy(shop.settings.database_url) as between:
        yield between


@pytest.fixture
def opened_page(visit: Any, proxy: CuttingProxy) -> AppTest:
    """Customer Management, as an admin sees it."""
    at: AppTest = visit("customers", url=proxy.url, sections=PHONE)
    return at


def soon(monkeypatch: pytest.MonkeyPatch) -> None:
    """A database that is away is given up soon."""
    monkeypatch.setattr(databases, "PATIENCE", 0.05)
    monkeypatch.setattr(databases, "RECONNECTING", 0.05)


def test_an_answer_that_was_lost_is_found_again_and_told(
    shop: Database, proxy: CuttingProxy, opened_page: AppTest
) -> None:
    before = len(events_of(shop))
    at = ask_to_delete(opened_page, 0)
    proxy.cut("COMMIT", "after", following="UPDATE customers")
    confirm(at)
    assert proxy.has_cut.is_set()
    assert "Ana Lima is deleted." in said(at)
    assert not at.error
    assert list(shown(at)["id"]) == [2, 3, 5]
    assert len(events_of(shop)) == before + 1
    assert problems(shop) == []


def test_a_database_that_stays_away_the_page_says_what_is_not_known_and_a_second_click_does_nothing_twice(
    shop: Database, proxy: CuttingProxy, opened_page: AppTest, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = len(events_of(shop))
    at = ask_to_delete(opened_page, 0)
    with monkeypatch.context() as patched:
        soon(patched)
        proxy.cut("COMMIT", "after", gone=True, following="UPDATE customers")
        confirm(at)
    words = said(at)
    assert UNKNOWN in words
    assert "Look before you try again" in words
    assert "is deleted" not in words
    proxy.come_back()
    if dialog(at) is None:  # the page behind it could not be read
        press(at, "retry")
    else:
        confirm(at)
        assert "Ana Lima was already deleted" in said(at)
    assert list(shown(at)["id"]) == [2, 3, 5]
    assert len(events_of(shop)) == before + 1
    assert problems(shop) == []


def test_a_database_that_goes_is_said_and_one_click_brings_the_page_back(
    shop: Database, proxy: CuttingProxy, opened_page: AppTest, monkeypatch: pytest.MonkeyPatch
) -> None:
    soon(monkeypatch)
    proxy.go()
    st.cache_data.clear()
    at = opened_page.run()
    assert at.error[0].proto.title == "The database does not answer"
    assert press(at, "retry").error
    proxy.come_back()
    press(at, "retry")
    assert not at.error
    assert list(shown(at)["id"]) == [1, 2, 3, 5]


def test_connections_cut_between_two_clicks_are_nobodys_business(proxy: CuttingProxy, opened_page: AppTest) -> None:
    proxy.go()
    proxy.come_back()
    st.cache_data.clear()
    at = opened_page.run()
    assert not at.error
    assert list(shown(at)["id"]) == [1, 2, 3, 5]


def test_every_connection_in_use_is_said_and_one_click_brings_the_page_back(opened_page: AppTest) -> None:
    pool: Any = databases.default().engine.pool
    pool._timeout = 0.05
    with ExitStack() as held:
        for _ in range(POOL["pool_size"] + POOL["max_overflow"]):
            held.enter_context(databases.default().engine.connect())
        st.cache_data.clear()
        at = opened_page.run()
        assert "Every connection to the database is in use. Wait a moment and try again." in said(at)
    press(at, "retry")
    assert not at.error
    assert list(shown(at)["id"]) == [1, 2, 3, 5]
