"""A real Chromium and, for each journey, a real dashboard on a small shop of its own."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from browser_server import ROOT, Server, chromium, dashboard
from playwright.sync_api import Browser, Page, expect

PATIENCE = 20_000  # milliseconds; two cores are shared with other tests
expect.set_options(timeout=PATIENCE)


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """One browser for all journeys."""
    with chromium() as running:
        yield running


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    """A fresh visitor, in Lisbon, with a small laptop."""
    context = browser.new_context(viewport={"width": 1366, "height": 768}, timezone_id="Europe/Lisbon")
    context.set_default_timeout(PATIENCE)
    yield context.new_page()
    context.close()


def make_company(url: str) -> None:
    """A small demo company."""
    command = [sys.executable, "-m", "data.demo", "--customers", "120", "--orders", "2000", "--database-url", url]
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True)


@pytest.fixture(scope="session")
def company(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One as a file, to be copied."""
    made = tmp_path_factory.mktemp("company") / "shop.sqlite"
    make_company(f"sqlite:///{made}")
    return made


@pytest.fixture
def shop_url(empty_url: str, company: Path) -> str:
    """A small demo company on each engine in turn."""
    if empty_url.startswith("sqlite"):
        shutil.copy(company, empty_url.removeprefix("sqlite:///"))
    else:
        make_company(empty_url)
    return empty_url


@pytest.fixture
def server(shop_url: str, tmp_path: Path) -> Iterator[Server]:
    """A dashboard on the shop."""
    with dashboard(shop_url, tmp_path / "serve.log") as running:
        yield running
