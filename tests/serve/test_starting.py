"""On which terms the server starts: alone on its machine, or with sign-in that is whole."""

from __future__ import annotations

import logging
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from browser_server import free_port
from shops import settings_for

from data.errors import ConfigurationError
from data.settings import ROOT
from web.starting import Terms, read_terms

PROVIDER = {"client_id": "c", "client_secret": "s", "server_metadata_url": "https://id.example/.well-known"}
AUTH = {"redirect_uri": "https://books.example.com/oauth2callback", "cookie_secret": "x" * 32, "company": PROVIDER}
LOOPBACK = ("localhost", "127.0.0.1", "::1")


def terms(address: str | None, auth: dict[str, Any] | None, hosts: list[str] | None = None, **sections: Any) -> Terms:
    """The terms for an address, [auth] and [server] hosts."""
    settings = settings_for("sqlite:///shop.sqlite", {"server": {"hosts": hosts or []}, **sections})
    return read_terms(settings, address, auth, setting="HOST")


@pytest.mark.parametrize("address", ["127.0.0.1", "localhost", "LOCALHOST", "::1", "127.1.2.3"])
def test_without_sign_in_this_machine_is_served(address: str) -> None:
    found = terms(address, None)
    assert (found.this_machine_only, found.https) == (True, False)
    assert set(found.hosts) == {*LOOPBACK, address.lower()}


@pytest.mark.parametrize(
    "address", ["0.0.0.0", "::", "", None, "10.0.0.1", "books.example.com", "127.0.0.1.example.com"]
)
def test_without_sign_in_no_other_machine_is_served(address: str | None) -> None:
    with pytest.raises(
        ConfigurationError, match=r"HOST is .* sign-in is not configured.*\[auth\] in .streamlit/secrets"
    ):
        terms(address, None)


def test_deletions_that_wait_for_approval_need_sign_in() -> None:
    waits = {"approval": {"deletion": True}}
    with pytest.raises(ConfigurationError, match=r"^\[approval\] deletion is true, but sign-in is not configured"):
        terms("127.0.0.1", None, **waits)
    assert terms("127.0.0.1", AUTH, **waits) == terms("127.0.0.1", AUTH)


@pytest.mark.parametrize(("address", "own"), [("0.0.0.0", []), ("::", []), (None, []), ("10.0.0.1", ["10.0.0.1"])])
def test_with_sign_in_the_names_are_loopback_the_address_the_way_back_and_those_listed(
    address: str | None, own: list[str]
) -> None:
    found = terms(address, AUTH, ["Books.internal", "10.9.9.9"])
    assert found == Terms((*LOOPBACK, *own, "books.example.com", "books.internal", "10.9.9.9"), False, True)


def test_https_is_what_the_way_back_says() -> None:
    assert not terms("127.0.0.1", {**AUTH, "redirect_uri": "http://localhost:{port}/oauth2callback"}).https


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"cookie_secret": "x" * 31}, "cookie_secret needs 32"),
        ({"cookie_secret": None}, "cookie_secret needs 32"),
        ({"redirect_uri": None}, "redirect_uri is the address"),
        ({"redirect_uri": "books.example.com/oauth2callback"}, "redirect_uri is the address"),
        ({"redirect_uri": "https://books.example.com/"}, "redirect_uri is the address"),
        ({"redirect_uri": "ftp://books.example.com/oauth2callback"}, "redirect_uri is the address"),
        ({"redirect_uri": "https://[::1/oauth2callback"}, "redirect_uri is the address"),
        ({"company": {**PROVIDER, "client_secret": ""}}, r"\[auth.company\] names no client_secret"),
        ({"company": None}, r"\[auth\] names no client_id"),
        ({"company": None, "my_company": PROVIDER}, r"\[auth.my_company\] a provider's name has no underscore"),
        ({"client_id": "c"}, r"\[auth\] names no client_secret"),
    ],
)
def test_sign_in_that_is_not_whole_stops_the_start(changes: dict[str, Any], words: str) -> None:
    auth = {key: value for key, value in {**AUTH, **changes}.items() if value is not None}
    with pytest.raises(ConfigurationError, match=words):
        terms("127.0.0.1", auth)
    with pytest.raises(ConfigurationError):
        terms("0.0.0.0", {})


@pytest.mark.parametrize("name", ["*", "*.example.com", "books:8501", "https://books", "a b", "books/"])
def test_a_listed_name_is_a_name(name: str) -> None:
    with pytest.raises(ConfigurationError, match="is not a host name"):
        terms("127.0.0.1", None, [name])


def test_roles_that_name_nobody_are_told(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING, "evenbooks"):
        terms("127.0.0.1", AUTH, roles={"staff": {"emails": ["ann@example.com"]}})
        assert caplog.text == ""
        terms("127.0.0.1", AUTH)
    assert "[roles] in evenbooks.toml names nobody" in caplog.text


SERVE = str(ROOT / "serve.py")
STREAMLIT = ["-m", "streamlit", "run", SERVE, "--server.address", "0.0.0.0"]


@pytest.mark.parametrize(
    ("arguments", "host", "secrets", "words"),
    [
        ([SERVE], "0.0.0.0", None, "HOST is 0.0.0.0"),
        (STREAMLIT, "127.0.0.1", None, "server.address is 0.0.0.0"),
        ([SERVE], "127.0.0.1", "[auth]\n", "redirect_uri"),
        ([SERVE], "127.0.0.1", "[auth\n", "cannot be read"),
    ],
)
def test_the_process_ends_with_a_sentence(
    arguments: list[str], host: str, secrets: str | None, words: str, tmp_path: Path
) -> None:
    if secrets is not None:
        (tmp_path / ".streamlit").mkdir()
        (tmp_path / ".streamlit" / "secrets.toml").write_text(secrets)
    port = str(free_port())
    variables = {
        **os.environ,
        "DATABASE_URL": f"sqlite:///{tmp_path}/none.sqlite",
        "HOST": host,
        "PORT": port,
        "STREAMLIT_SERVER_PORT": port,
        "STREAMLIT_SERVER_HEADLESS": "true",
    }
    done = subprocess.run(
        [sys.executable, *arguments], cwd=tmp_path, env=variables, capture_output=True, text=True, timeout=30
    )
    assert done.returncode != 0
    assert "Evenbooks does not start: " in done.stderr
    assert words in done.stderr
    assert "Traceback" not in done.stderr
