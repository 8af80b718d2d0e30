"""Pages as somebody opens them, on a real database, through the same settings as the server's."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from functools import partial
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import streamlit as st
from screens import ANN, AUTH, as_toml
from shops import PHONE
from streamlit.testing.v1 import AppTest

from data import database as databases
from data.access import Actor
from data.settings import ROOT
from ui import checking

Visit = Callable[..., AppTest]
HERE = Path(__file__).parent
# What pages read and write through data/ is tested there on every engine, and every page is opened on every engine
# (test_every_page.py). So the pages' own tests need one engine; a second where what is typed comes back from the
# database, and where the database fails in its own way.
SECOND_ENGINE = {"test_customers_page.py", "test_deleted_customers_page.py", "test_trouble_pages.py"}
EVERY_ENGINE = {"test_every_page.py"}


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Leaves a test of the pages on those engines; one that is for a server alone stays there."""
    of_pages = [item for item in items if item.path.parent == HERE and item.path.name not in EVERY_ENGINE]
    kept = {name_of(item) for item in of_pages if engine_of(item) in engines_for(item)}
    needless = {id(i) for i in of_pages if name_of(i) in kept and engine_of(i) not in engines_for(i)}
    items[:] = [item for item in items if id(item) not in needless]


def engines_for(item: pytest.Item) -> tuple[str, ...]:
    """The engines on which this file's tests run."""
    return ("sqlite", "mariadb") if item.path.name in SECOND_ENGINE else ("sqlite",)


def name_of(item: pytest.Item) -> str:
    """The test without its parameters."""
    return item.nodeid.partition("[")[0]


def engine_of(item: pytest.Item) -> str:
    """The engine that a test's parameters name; one without has the first."""
    spec = getattr(item, "callspec", None)
    return str(spec.params.get("engine_name", "sqlite") if spec else "sqlite")


@pytest.fixture(autouse=True)
def _nothing_kept() -> Iterator[None]:
    """No test sees what another one read, or what another one's check still does."""
    st.cache_data.clear()
    yield
    checking.wait()
    st.cache_data.clear()


@pytest.fixture(autouse=True)
def browser_request(monkeypatch: pytest.MonkeyPatch) -> SimpleNamespace:
    """The request behind the screen: a browser on this machine, unless a test says otherwise. AppTest has none."""
    request = SimpleNamespace(remote_ip="127.0.0.1", headers=[("Host", "localhost:8501")], cookies={})
    monkeypatch.setattr("streamlit.runtime.context._get_client_context", lambda: request)
    return request


@pytest.fixture
def menu(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The titles in the menu as it was last shown; none where it is hidden."""
    titles: list[str] = []
    register = st.navigation

    def navigation(pages: list[st.Page], *, position: Any) -> st.Page:
        titles[:] = [page.title for page in pages if page.visibility == "visible" and position == "top"]
        return register(pages, position=position)

    monkeypatch.setattr(st, "navigation", navigation)
    return titles


@pytest.fixture
def visit(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Visit:
    """Opens a page (`customers`) on a fresh server at a URL, as somebody; `sections` are evenbooks.toml's, the rest is in the address.

    With `claims` sign-in is configured, and they are what the cookie holds; `actor` is then put in its way.
    """

    def open_page(
        page: str,
        *,
        url: str,
        actor: Actor | None = ANN,
        sections: Any = None,
        claims: Mapping[str, Any] | None = None,
        **address: str,
    ) -> AppTest:
        file = tmp_path / "evenbooks.toml"
        file.write_text(as_toml(sections or {}), encoding="utf-8")
        monkeypatch.setenv("DATABASE_URL", url)
        monkeypatch.setenv("EVENBOOKS_CONFIG", str(file))
        databases.forget_default()
        st.cache_data.clear()
        at = AppTest.from_file(ROOT / "dashboard.py", default_timeout=60)
        if actor:
            at.session_state.actor = actor
        if claims is not None:
            at.secrets["auth"], at.user = AUTH, dict(claims)
        for key, value in address.items():
            at.query_params[key] = value
        return at.switch_page(f"pages/{page}.py").run()

    return open_page


@pytest.fixture
def app(shop: databases.Database, empty_url: str, visit: Visit) -> Visit:
    """Opens a page on the shop of tests/shops.py."""
    return partial(visit, url=empty_url, sections=PHONE)
