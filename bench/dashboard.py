"""The dashboard's own process: how soon it serves, how soon a browser shows a page, and its memory after many visits."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from browser_server import Server, chromium, dashboard, free_port, settled, wait_until_healthy
from playwright.sync_api import Browser

from bench.measured import Measured
from bench.measuring import Figure, resident

VISITS = (
    "",
    "?search=ana",
    "?sort=Name+A+to+Z",
    "deleted_customers",
    "revenue",
    "revenue?period=All",
    "integrity",
    "history",
    "approvals",
    "retention",
    "analytics",
    "report",
)
LIBRARIES = (
    "import streamlit.web.server, fastapi, uvicorn, pandas, pyarrow, plotly.graph_objects, sqlalchemy, pymysql, psycopg"
)
# What Streamlit itself takes for a title and a table of fifty rows.
PLAIN_PAGE = """
import pandas as pd
import streamlit as st

st.title("Customers")
st.dataframe(pd.DataFrame({"id": range(50), "name": "Somebody", "email": "somebody@example.com"}))
"""


def bench_dashboard(measured: Measured) -> list[Figure]:
    """From the start of `serve.py` to /readyz, a first visit by a browser, and memory after every page five times over."""
    libraries = loading_libraries()
    with chromium() as browser, tempfile.TemporaryDirectory() as folder:
        with plain_page(Path(folder)) as plain:
            first_visit(browser, plain.url)
            bare = min(first_visit(browser, plain.url) for _ in range(3))
        start = time.perf_counter()
        with dashboard(measured.url, Path(folder) / "log") as server:
            wait_until_ready(server)
            started = time.perf_counter() - start
            first = first_visit(browser, server.url)
            cold = min(first_visit(browser, server.url) for _ in range(3))
            visit_all(browser, server)
            megabytes = resident(server.process.pid)
    return [
        Figure("start of serve.py until /readyz", started, "s", "importing its libraries", libraries, 3),
        Figure("the first visit of all", first, "s", "a plain Streamlit page", bare, 3),
        Figure("first visit of a browser", cold, "s", "a plain Streamlit page", bare, 2),
        Figure("the dashboard's memory", megabytes, "MB", "400 MB", 400, 1),
    ]


def loading_libraries() -> float:
    """Seconds until Python has the libraries, at the second time."""
    for _ in range(2):
        start = time.perf_counter()
        subprocess.run([sys.executable, "-c", LIBRARIES], check=True)
    return time.perf_counter() - start


def wait_until_ready(server: Server) -> None:
    """Returns once the server says that it has its database."""
    for _ in range(600):
        try:
            with urllib.request.urlopen(f"{server.url}/readyz", timeout=5):
                return
        except urllib.error.URLError:
            time.sleep(0.05)
    raise TimeoutError("not ready within a minute")


def first_visit(browser: Browser, url: str) -> float:
    """Seconds until a browser that was never there shows the page's table."""
    context = browser.new_context(viewport={"width": 1366, "height": 768})
    page = context.new_page()
    page.set_default_timeout(120_000)
    start = time.perf_counter()
    page.goto(url)
    page.get_by_test_id("stDataFrame").first.wait_for()
    page.locator("[data-testid=stApp][data-test-script-state=notRunning]").wait_for()
    taken = time.perf_counter() - start
    context.close()
    return taken


@contextmanager
def plain_page(folder: Path) -> Iterator[Server]:
    """Streamlit with a page of its own making."""
    script, log, port = folder / "plain.py", folder / "plain.log", free_port()
    script.write_text(PLAIN_PAGE)
    command = [sys.executable, "-m", "streamlit", "run", str(script), "--server.headless=true"]
    command += [f"--server.port={port}", "--server.address=127.0.0.1", "--browser.gatherUsageStats=false"]
    with log.open("wb") as out:
        process = subprocess.Popen(command, cwd=folder, env=dict(os.environ), stdout=out, stderr=out)
    try:
        wait_until_healthy(f"http://127.0.0.1:{port}", process, log)
        yield Server(f"http://127.0.0.1:{port}", process, log)
    finally:
        process.terminate()
        process.wait(15)


def visit_all(browser: Browser, server: Server) -> None:
    """Every page, five times over."""
    for _ in range(5):
        page = browser.new_page()
        page.set_default_timeout(120_000)
        for path in VISITS:
            page.goto(f"{server.url}/{path}")
            settled(page)
        page.close()
