"""A real OpenID Connect provider as a process of its own, and a dashboard that people sign in to there."""

from __future__ import annotations

import json
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from browser_server import ROOT, Server, dashboard, free_port

CONFIG = (ROOT / ".streamlit" / "config.toml").read_text(encoding="utf-8")
# What the provider says of each account, by the name that is typed into its form (`sub`).
PEOPLE: dict[str, dict[str, Any]] = {
    "ann": {"email": "ann@example.com", "email_verified": True, "name": "Ann Staff"},
    "kim": {"email": "kim@example.com", "email_verified": True, "name": "Kim"},
    "max": {"email": "max@example.com", "email_verified": True, "name": "Max", "groups": ["crm-managers"]},
    "eve": {"email": "ann@example.com", "email_verified": False, "name": "Eve"},
    "bob": {"email": "bob@example.com", "email_verified": True, "name": "Bob"},
}
ROLES = '[roles]\nstaff.emails = ["ann@example.com", "kim@example.com"]\nmanager.claim = ["crm-managers"]\n'


@contextmanager
def provider(log: Path) -> Iterator[str]:
    """oidc-provider-mock on a free port with PEOPLE; answers its issuer's URL."""
    port = free_port()
    command = [sys.executable, "-m", "oidc_provider_mock", "--port", str(port)]
    for subject, claims in PEOPLE.items():
        command += ["--user-claims", json.dumps({"sub": subject, **claims})]
    with log.open("wb") as out:
        process = subprocess.Popen(command, stdout=out, stderr=out)
    try:
        wait_for(f"http://127.0.0.1:{port}/.well-known/openid-configuration", process, log)
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait(15)


def wait_for(url: str, process: subprocess.Popen[bytes], log: Path) -> None:
    """Returns once there is an answer."""
    for _ in range(300):
        assert process.poll() is None, log.read_text()
        try:
            with urllib.request.urlopen(url, timeout=2):
                return
        except OSError:
            time.sleep(0.1)
    raise TimeoutError(log.read_text())


def say_of(issuer: str, subject: str, **claims: Any) -> None:
    """From now on the provider says this of an account, beside or instead of what it said."""
    body = json.dumps({**PEOPLE[subject], **claims}).encode()
    request = urllib.request.Request(
        f"{issuer}/users/{subject}", data=body, headers={"Content-Type": "application/json"}, method="PUT"
    )
    with urllib.request.urlopen(request, timeout=5):
        pass


@contextmanager
def dashboard_with_sign_in(
    database_url: str, folder: Path, issuer: str, *, more: Mapping[str, str] = {}, also: str = ""
) -> Iterator[Server]:
    """A dashboard with [auth] at this provider and ROLES, in a folder of its own; `more` names further providers, `also`
    further settings."""
    port = free_port()
    (folder / ".streamlit").mkdir(parents=True)
    (folder / ".streamlit" / "config.toml").write_text(CONFIG, encoding="utf-8")
    secrets = f'[auth]\nredirect_uri = "http://localhost:{port}/oauth2callback"\ncookie_secret = "{"c" * 40}"\n'
    for name, url in {"company": issuer, **more}.items():
        secrets += (
            f'[auth.{name}]\nclient_id = "evenbooks"\nclient_secret = "s"\n'
            f'server_metadata_url = "{url}/.well-known/openid-configuration"\n'
        )
    (folder / ".streamlit" / "secrets.toml").write_text(secrets, encoding="utf-8")
    (folder / "evenbooks.toml").write_text(ROLES + also, encoding="utf-8")
    with dashboard(database_url, folder / "serve.log", folder=folder, port=port) as server:
        yield Server(f"http://localhost:{port}", server.process, server.log)
