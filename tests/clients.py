"""The engines' own command-line clients, as an auditor uses them."""

from __future__ import annotations

import csv
import io
import json
import os
import subprocess
from typing import Any

from sqlalchemy.engine import URL

HEADERS = ("check\t", "Table\t", "Grants for ")
ESCAPES = {"\\t": "\t", "\\n": "\n", "\\0": "\0", "\\\\": "\\"}
NULL = "\u2400"  # as psql is told to show it


def run_script(url: URL, sql: str, *, user: str | None = None, password: str = "") -> list[dict[str, Any]]:
    """Pipes a script into `mariadb`, `psql` or `sqlite3`; answers every row of every result by column. An error fails the test."""
    done = attempt(url, sql, user=user, password=password)
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    readers = {"sqlite": _json_rows, "postgresql": _csv_rows}
    return readers.get(url.get_backend_name(), _batch_rows)(done.stdout)


def attempt(url: URL, sql: str, *, user: str | None = None, password: str = "") -> subprocess.CompletedProcess[str]:
    """The same, whatever comes of it."""
    secret = dict.fromkeys(("MYSQL_PWD", "PGPASSWORD"), str(password if user else url.password or ""))
    commands = {"sqlite": _sqlite3, "postgresql": _psql}
    command = commands.get(url.get_backend_name(), _mariadb)(url, user or str(url.username))
    return subprocess.run(command, input=sql, text=True, capture_output=True, check=False, env={**os.environ, **secret})


def _sqlite3(url: URL, _user: str) -> list[str]:
    return ["sqlite3", "-batch", "-bail", "-init", os.devnull, "-json", str(url.database)]


def _mariadb(url: URL, user: str) -> list[str]:
    socket = url.query.get("unix_socket")
    where = [f"--socket={socket}"] if socket else [f"--host={url.host}", f"--port={url.port or 3306}"]
    return ["mariadb", "--no-defaults", "--batch", f"--user={user}", *where, str(url.database)]


def _psql(url: URL, user: str) -> list[str]:
    where = [f"--host={url.query.get('host') or url.host}", f"--port={url.port or 5432}"]
    settings = ["--set=ON_ERROR_STOP=1", "--set=VERBOSITY=verbose", f"--pset=null={NULL}"]
    return ["psql", "-X", "-q", "--csv", *settings, f"--username={user}", *where, str(url.database)]


def _json_rows(out: str) -> list[dict[str, Any]]:
    rows, decoder, rest = [], json.JSONDecoder(), out.strip()
    while rest:
        found, end = decoder.raw_decode(rest)
        rows += found
        rest = rest[end:].strip()
    return rows


def _csv_rows(out: str) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = []
    names: list[str] = []
    for line in csv.reader(io.StringIO(out)):
        if line[0] == "check":
            names = line
        else:
            rows.append(dict(zip(names, (None if v == NULL else v for v in line), strict=True)))
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
