"""The engines' own command-line clients, as an auditor uses them."""

from __future__ import annotations

import json
import os
import subprocess
from typing import Any

from sqlalchemy.engine import URL

HEADERS = ("check\t", "Table\t", "Grants for ")
ESCAPES = {"\\t": "\t", "\\n": "\n", "\\0": "\0", "\\\\": "\\"}


def run_script(url: URL, sql: str, *, user: str | None = None, password: str = "") -> list[dict[str, Any]]:
    """Pipes a script into `mariadb` or `sqlite3`; answers every row of every result by column. An error fails the test."""
    done = attempt(url, sql, user=user, password=password)
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    return _json_rows(done.stdout) if url.get_backend_name() == "sqlite" else _batch_rows(done.stdout)


def attempt(url: URL, sql: str, *, user: str | None = None, password: str = "") -> subprocess.CompletedProcess[str]:
    """The same, whatever comes of it."""
    if url.get_backend_name() == "sqlite":
        command = ["sqlite3", "-batch", "-bail", "-init", os.devnull, "-json", str(url.database)]
        return subprocess.run(command, input=sql, text=True, capture_output=True, check=False)
    socket = url.query.get("unix_socket")
    where = [f"--socket={socket}"] if socket else [f"--host={url.host}", f"--port={url.port or 3306}"]
    secret = password if user else url.password or ""
    command = ["mariadb", "--no-defaults", "--batch", f"--user={user or url.username}", *where, str(url.database)]
    environment = {**os.environ, "MYSQL_PWD": str(secret)}
    return subprocess.run(command, input=sql, text=True, capture_output=True, check=False, env=environment)


def _json_rows(out: str) -> list[dict[str, Any]]:
    rows, decoder, rest = [], json.JSONDecoder(), out.strip()
    while rest:
        found, end = decoder.raw_decode(rest)
        rows += found
        rest = rest[end:].strip()
    return rows


def _batch_rows(out: str) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = []
    names: list[str] = []
    for line in out.splitlines():
        if line.startswith(HEADERS) and not line.startswith("check\tcheck"):
            names = line.split("\t")
        else:
            values = [None if v == "NULL" else _unescaped(v) for v in line.split("\t")]
            rows.append(dict(zip(names, values, strict=True)))
    return rows


def _unescaped(value: str) -> str:
    for escape, character in ESCAPES.items():
        value = value.replace(escape, character)
    return value
