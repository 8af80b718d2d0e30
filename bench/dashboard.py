"""The dashboard's own process, visited by a real browser."""

from __future__ import annotations

import tempfile
from pathlib import Path

from browser_server import chromium, dashboard, settled

VISITS = ("", "deleted_customers", "revenue", "revenue?period=All", "?search=ana", "?sort=Name+A+to+Z", "integrity")


def dashboard_memory(database_url: str) -> float:
    """The resident memory, in MB, of a server that has shown every page five times over."""
    with (
        tempfile.TemporaryDirectory() as folder,
        dashboard(database_url, Path(folder) / "log") as server,
        chromium() as browser,
    ):
        for _ in range(5):
            page = browser.new_page()
            page.set_default_timeout(120_000)
            for path in VISITS:
                page.goto(f"{server.url}/{path}")
                settled(page)
            page.close()
        status = Path(f"/proc/{server.process.pid}/status").read_text()
    line = next(line for line in status.splitlines() if line.startswith("VmRSS"))
    return int(line.split()[1]) / 1024
