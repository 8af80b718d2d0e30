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
# Pages that show what data/ has read: there the statements are tested on every engine, so two are enough here.
SAME_ON_EVERY_ENGINE = {
    *("test_integrity_page.py", "test_door_pages.py", "test_told_pages.py", "test_trouble_pages.py"),
    *("test_revenue_page.py",),
}


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Leaves PostgreSQL to the pages that write."""
    items[:] = [item for item in items if not (item.path.name in SAME_ON_EVERY_ENGINE and on_postgresql(item))]


def on_postgresql(item: pytest.Item) -> bool:
    """Whether this is a test's run on PostgreSQL."""
    spec = getattr(item, "callspec", None)
    return spec is not None and spec.params.get("engine_name") == "postgresql"


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
