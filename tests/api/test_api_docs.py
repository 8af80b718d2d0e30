"""docs/api.md says what is so: its table, its codes, and its commands."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest
from callers import Caller
from endpoints import ENDPOINTS

from data.access import ALLOWED, Role
from web import admitting, failing

TEXT = (Path(__file__).parents[2] / "docs" / "api.md").read_text(encoding="utf-8")
ROWS = re.findall(r"^\| `(GET|POST|DELETE) (/[^`]+)` \|.*\| ([^|]+) \|$", TEXT, re.MULTILINE)


def test_the_table_names_every_endpoint_with_its_roles() -> None:
    told = {
        (method, path.replace("<id>", "{customer_id}").replace("<request_id>", "{request_id}")): roles
        for method, path, roles in ROWS
    }
    for endpoint in ENDPOINTS:
        if "?id=" in endpoint.path:
            assert f"{endpoint.route}?id=" in TEXT
            continue
        who = [role for role in Role if endpoint.permission in ALLOWED[role]]
        roles = told.pop((endpoint.method, endpoint.route))
        assert sorted(who) == sorted(Role if roles == "every role" else map(Role, roles.split(", ")))
    assert told == {}


def test_every_code_is_told_with_its_status() -> None:
    told = {
        code: int(row[1])
        for row in re.finditer(r"^\| (\d{3}) \| (.+) \|$", TEXT, re.MULTILINE)
        for code in re.findall(r"`([a-z_]+)`", row[2])
    }
    known = {code: status for status, code in failing.STATUS.values()} | {failing.HTTP[s][0]: s for s in failing.HTTP}
    del known["sign_in_refused"]  # of the dashboard's door
    assert {code: told[code] for code in known} == known
    guards = {"unknown_host", "bad_path", "this_machine_only", "too_long"}
    assert told.keys() - known == {"no_token", "method_not_allowed", "too_many_tries", "busy", *guards}
    assert f"After {admitting.FAILURES.amount} refused" in TEXT


@pytest.mark.parametrize("engine_name", ["sqlite"], indirect=True)
def test_the_commands_work(call: Caller) -> None:
    commands = [line for line in TEXT.splitlines() if line.startswith("curl ")]
    assert len(commands) == 6
    for command in commands:
        words = shlex.split(command)[1:]
        options: dict[str, list[str]] = {"-X": [], "-H": [], "-d": [], "-o": []}
        while words[0] in options:
            options[words[0]].append(words[1])
            words = words[2:]
        (url,) = words
        headers = dict(header.split(": ", 1) for header in options["-H"])
        assert headers.pop("Authorization") == "Bearer $TOKEN"
        path = url.removeprefix("http://localhost:8501")
        method, body = "".join(options["-X"]) or "GET", "".join(options["-d"]) or None
        answer = call(method, path, headers=headers, content=body)
        assert answer.status_code in (200, 201), (command, answer.text)
        assert answer.headers["content-type"].startswith("text/csv" if options["-o"] else "application/json")
