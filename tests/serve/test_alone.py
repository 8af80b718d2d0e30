"""The API without the dashboard, as `uvicorn api:app`: it logs and answers as beside it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path

import httpx
from browser_server import ROOT, free_port
from shops import ADMIN, make_shop

from data import tokens
from data.access import Role


def test_alone_it_logs_writes_but_no_search_and_tells_browsers_the_same(tmp_path: Path) -> None:
    url, port, log = f"sqlite:///{tmp_path}/shop.sqlite", free_port(), tmp_path / "log"
    shop = make_shop(url, sections=None)
    headers = {"Authorization": f"Bearer {tokens.add(shop, 'test', role=Role.STAFF, actor=ADMIN)}"}
    shop.engine.dispose()
    command = [sys.executable, "-m", "uvicorn", "api:app", "--port", str(port), "--no-server-header"]
    with log.open("wb") as out:
        process = subprocess.Popen(
            command, cwd=ROOT, env={**os.environ, "DATABASE_URL": url}, stdout=out, stderr=subprocess.STDOUT
        )
    try:
        with httpx.Client(base_url=f"http://127.0.0.1:{port}", headers=headers, timeout=20) as client:
            wait_for(client, process)
            found = client.get("/staff/customers?search=needle")
            gone = client.request("DELETE", "/staff/customers/1?reason=mistake")
    finally:
        process.terminate()
        process.wait(15)
    assert (found.status_code, gone.json()["changed"]) == (200, True)
    for answer in (found, gone):
        assert answer.headers.get_list("x-content-type-options") == ["nosniff"]
        assert answer.headers.get_list("cache-control") == ["no-store"]
        assert answer.headers["content-security-policy"].startswith("default-src 'none'")
    lines = log.read_text().splitlines()
    (written,) = [line for line in lines if " evenbooks.writes INFO " in line]
    assert json.loads(written.split(" INFO ")[1])["id"] == 1
    assert not [line for line in lines if "needle" in line or "mistake" in line]


def wait_for(client: httpx.Client, process: subprocess.Popen[bytes]) -> None:
    """Returns once the server answers."""
    for _ in range(300):
        assert process.poll() is None
        try:
            assert client.get("/healthz").json() == {"alive": True}
            return
        except httpx.TransportError:
            time.sleep(0.1)
    raise TimeoutError
