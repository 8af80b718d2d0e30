"""What the OpenAPI document says of the real server holds: every check of Schemathesis, also over chains of requests."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from browser_server import dashboard
from servers import fresh_mariadb
from shops import ADMIN, make_shop, problems

import api
from data import integrity, tokens
from data.access import Role
from data.customers import delete_many

# A deleted customer can still be read: that is what this is for. And 422 is declared also for what no schema can say:
# a page's address that was made up, two reasons that differ, a character that cannot be shown.
CONFIG = """
[checks]
use_after_free.enabled = false
positive_data_acceptance.expected-statuses = ["2xx", 401, 403, 404, 409, 422]
[phases.stateful.generation]
max-examples = 15
"""
# Boundaries of what is declared are the same on both engines; what the texts and numbers do in a database is not.
PHASES = {"sqlite": "coverage,fuzzing,stateful", "mariadb": "fuzzing,stateful"}
OPTIONS = ["--generation-deterministic", "--no-color", "--warnings", "off", "--max-examples", "8"]


@contextmanager
def empty(engine: str, folder: Path, request: pytest.FixtureRequest) -> Iterator[str]:
    """The URL of an empty database."""
    if engine == "sqlite":
        yield f"sqlite:///{folder}/shop.sqlite"
        return
    with fresh_mariadb(request.getfixturevalue("mariadb_url")) as url:
        yield url


@pytest.mark.parametrize("engine", ["sqlite", "mariadb"])
def test_the_server_does_what_its_document_says(engine: str, tmp_path: Path, request: pytest.FixtureRequest) -> None:
    (tmp_path / "schemathesis.toml").write_text(CONFIG)
    with empty(engine, tmp_path, request) as url:
        shop = make_shop(url, sections=None)
        delete_many(shop, [4], actor=ADMIN, reason="inactive")
        token = tokens.add(shop, "schemathesis", role=Role.ADMIN, actor=ADMIN)
        with dashboard(url, tmp_path / "log") as server:
            document = f"{server.url}/staff/openapi.json"
            command = [
                sys.executable,
                "-m",
                "schemathesis.cli",
                "run",
                document,
                "-H",
                f"Authorization: Bearer {token}",
            ]
            done = subprocess.run(
                [*command, *OPTIONS, "--phases", PHASES[engine]],
                cwd=tmp_path,
                capture_output=True,
                text=True,
                timeout=250,
            )
        assert done.returncode == 0, done.stdout + done.stderr
        count = sum(len(operations) for operations in api.app.openapi()["paths"].values())
        assert f"{count} selected / {count} total" in done.stdout
        assert re.search(r"Stateful \(in .*\n\n +Scenarios: +[1-9]", done.stdout)
        assert "Traceback" not in (tmp_path / "log").read_text()
        assert problems(shop) == []
        assert integrity.run_and_record(shop, actor=ADMIN).even
        shop.engine.dispose()
