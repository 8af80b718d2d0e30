"""A real Chromium and, for each journey, a real dashboard on a small shop of its own."""

from __future__ import annotations

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


@pytest.fixture
def shop_url(empty_url: str) -> str:
    """A small demo company on each engine in turn."""
    command = [sys.executable, "-m", "data.demo", "--customers", "120", "--orders", "2000", "--database-url", empty_url]
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True)
    return empty_url


@pytest.fixture
def server(shop_url: str, tmp_path: Path) -> Iterator[Server]:
    """A dashboard on the shop."""
    with dashboard(shop_url, tmp_path / "serve.log") as running:
        yield running
