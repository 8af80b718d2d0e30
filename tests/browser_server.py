"""The real dashboard as a process of its own, and a real Chromium to look at it: for tests, bench and screenshots."""

from __future__ import annotations

import os
import secrets
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from playwright.sync_api import Browser, Page, expect, sync_playwright

ROOT = Path(__file__).resolve().parent.parent
PORTS = 10_000, 32_000  # below those that outgoing connections are given
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


@dataclass(frozen=True)
class Server:
    """A running dashboard: its address and its process."""

    url: str
    process: subprocess.Popen[bytes]
    log: Path


def free_port() -> int:
    """A port that nobody listens on, and that no outgoing connection is given before somebody does."""
    while True:
        port = PORTS[0] + secrets.randbelow(PORTS[1] - PORTS[0])
        with socket.socket() as probe, suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return port


@contextmanager
def dashboard(
    database_url: str | None, log: Path, *, folder: Path = ROOT, port: int = 0, **environment: str
) -> Iterator[Server]:
    """`python serve.py` on a free port of loopback, healthy, ended afterwards. It reads its settings in the folder."""
    port = port or free_port()
    variables = {**os.environ, "HOST": "127.0.0.1", "PORT": str(port), **environment}
    variables.pop("DATABASE_URL", None)
    if database_url:
        variables["DATABASE_URL"] = database_url
    with log.open("wb") as out:
        command = [sys.executable, str(ROOT / "serve.py")]
        process = subprocess.Popen(command, cwd=folder, env=variables, stdout=out, stderr=out)
    try:
        wait_until_healthy(f"http://127.0.0.1:{port}", process, log)
        yield Server(f"http://127.0.0.1:{port}", process, log)
    finally:
        process.terminate()
        try:
            process.wait(15)
        except subprocess.TimeoutExpired:
            process.kill()


def wait_until_healthy(url: str, process: subprocess.Popen[bytes], log: Path) -> None:
    """Returns once the server answers."""
    for _ in range(600):
        assert process.poll() is None, f"the dashboard ended while starting: {log.read_text()}"
        try:
            with urllib.request.urlopen(f"{url}/_stcore/health", timeout=2):
                return
        except OSError:
            time.sleep(0.1)
    raise TimeoutError(f"no answer within 60 s: {log.read_text()}")


@contextmanager
def chromium() -> Iterator[Browser]:
    """Debian's Chromium, headless."""
    path = shutil.which("chromium")
    assert path, "there is no chromium; tests/system_packages.sh installs it"
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=FLAGS)
        try:
            yield browser
        finally:
            browser.close()


def settled(page: Page) -> None:
    """Returns once the page's script has run, without an exception on screen."""
    page.wait_for_timeout(200)  # the pause that Streamlit's own browser tests make before they look at the state
    page.locator(
        "[data-testid=stApp][data-test-connection-state=CONNECTED][data-test-script-state=notRunning]"
    ).wait_for()
    expect(page.get_by_test_id("stException")).to_have_count(0)


def open_at(page: Page, server: Server, path: str = "") -> None:
    """Goes to a page of the dashboard and waits until it is there."""
    page.goto(f"{server.url}/{path}")
    settled(page)


def tick(page: Page, *rows: int) -> None:
    """Selects rows of the first table by their checkboxes; a table is a canvas, so by position."""
    table = page.get_by_test_id("stDataFrame").first
    page.get_by_test_id("glide-cell-1-0").first.wait_for(state="attached")
    box = table.bounding_box()
    assert box
    for row in rows:
        page.mouse.click(box["x"] + 17, box["y"] + 36 + 35 * row + 17)
    settled(page)


def cell(page: Page, column: int, row: int) -> str:
    """A cell's text; column 0 is the row's checkbox."""
    found = page.get_by_test_id(f"glide-cell-{column}-{row}").first
    found.wait_for(state="attached")
    return found.text_content() or ""
