"""GET /downloads/<secret>: who gets the file, who does not, and that nobody learns of one that is not theirs."""

from __future__ import annotations

import io
import json
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from asking import ask, page
from openpyxl import load_workbook
from shops import ADMIN, make_shop, rows
from starlette.testclient import TestClient
from streamlit.web.server.starlette.starlette_app_utils import create_signed_value

from data import database as databases
from data import downloads, exports, sign_in
from data.access import Actor
from data.customers import delete_many
from data.database import Database
from data.errors import DatabaseUnavailable
from data.settings import load_settings
from ui import door
from web.downloading import make_app
from web.guarding import Doors, SecurityHeaders

HOST = "books.example.com"
ORIGIN = f"https://{HOST}"
SECRET = "a secret of thirty-two characters"
COOKIE = "_streamlit_user"
FILE = '[roles]\nmanager.emails = ["max@example.com", "kim@example.com"]\nstaff.emails = ["ann@example.com"]\n'


@pytest.fixture
def shop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Database]:
    """A shop that the environment names, of which sign-in is configured."""
    url, file = f"sqlite:///{tmp_path}/shop.sqlite", tmp_path / "evenbooks.toml"
    made = make_shop(url, sections=None)
    delete_many(made, [4], actor=ADMIN, reason="inactive")
    file.write_text(FILE)
    monkeypatch.setenv("DATABASE_URL", url)
    monkeypatch.setenv("EVENBOOKS_CONFIG", str(file))
    monkeypatch.setattr(door, "sign_in_configured", lambda: True)
    monkeypatch.setattr("streamlit.web.server.starlette.starlette_websocket.get_cookie_secret", lambda: SECRET)
    databases.forget_default()
    yield made
    made.engine.dispose()


@pytest.fixture
def client() -> TestClient:
    """Whoever connects; the guards are before it in the server."""
    return TestClient(make_app(door.actor_of_request), base_url=ORIGIN, client=("127.0.0.1", 1))


def claims_of(name: str, **more: Any) -> dict[str, Any]:
    now = int(time.time())
    person = {"iss": "https://id.example.com", "sub": name, "email": f"{name}@example.com", "email_verified": True}
    return {**person, "iat": now - 60, "exp": now + 600, **more}


def cookie(name: str, *, origin: str = ORIGIN, secret: str = SECRET, **more: Any) -> dict[str, str]:
    """The header of somebody who signed in."""
    said = json.dumps({"origin": origin, "is_logged_in": True, **claims_of(name, **more)})
    return {"cookie": f"{COOKIE}={create_signed_value(secret, COOKIE, said).decode()}"}


def actor(name: str) -> Actor:
    """The same person, on a page."""
    claims = claims_of(name)
    role = sign_in.role_of(load_settings().roles, claims)
    assert role
    return sign_in.actor_of(sign_in.read_identity(claims), role, claims)


def offered(shop: Database, report: str = "deleted_customers", form: str = "csv", name: str = "max") -> str:
    return f"/downloads/{downloads.offer(shop, report, form, {}, actor=actor(name))}"


def test_the_person_who_asked_gets_the_file_once(shop: Database, client: TestClient) -> None:
    link = offered(shop)
    answer = client.get(link, headers=cookie("max"))
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "text/csv; charset=utf-8"
    assert answer.headers["content-disposition"] == 'attachment; filename="deleted_customers.csv"'
    assert "Dora Gone" in answer.text
    assert client.get(link, headers=cookie("max")).json()["error"]["code"] == "not_found"
    opened = client.get(link, headers={**cookie("max"), "accept": "text/html,*/*;q=0.8"})
    assert (opened.status_code, opened.headers["content-type"]) == (404, "text/plain; charset=utf-8")
    assert opened.text == "This link was used, has expired, or is not yours. Ask for the file again on its page."
    event = rows(shop, "evenbooks_events")[-1]
    assert (event[2], event[3]) == ("export", "max@example.com")


def test_nobody_else_does_and_reads_the_same_as_of_an_address_that_is_made_up(
    shop: Database, client: TestClient
) -> None:
    link = offered(shop)
    made_up = client.get("/downloads/nothing", headers=cookie("max"))
    before = rows(shop, "evenbooks_events")
    others: dict[str, dict[str, str]] = {
        "nobody": {},
        "another manager": cookie("kim"),
        "somebody without a role": cookie("eve"),
        "signed with another secret": cookie("max", secret=SECRET[::-1]),
        "not signed": {"cookie": f"{COOKIE}={json.dumps(claims_of('max'))}"},
        "of another address": cookie("max", origin="https://other.example.com"),
        "of no address": cookie("max", origin=""),
        "not logged in": cookie("max", is_logged_in=False),
        "expired": cookie("max", exp=int(time.time()) - 1),
        "another account with the address": cookie("max", sub="maxine"),
        "an address that nobody verified": cookie("max", email_verified=False),
        "another server's page": {**cookie("max"), "sec-fetch-site": "cross-site"},
    }
    for who, headers in others.items():
        answer = client.get(link, headers=headers)
        assert (answer.status_code, answer.text) == (404, made_up.text), who
    assert client.head(link, headers=cookie("max")).status_code == 404
    assert client.post(link, headers=cookie("max")).status_code == 405
    staff = claims_of("max", email="ann@example.com")
    assert client.get(link, headers=cookie("max", **staff)).status_code == 404
    assert rows(shop, "evenbooks_events") == before
    assert client.get(link, headers=cookie("max", groups=["new"])).status_code == 200


def test_a_role_that_changed_since_is_asked_again(shop: Database, client: TestClient, tmp_path: Path) -> None:
    link = offered(shop, "revenue")
    (tmp_path / "evenbooks.toml").write_text('[roles]\nstaff.emails = ["max@example.com"]\n')
    answer = client.get(link, headers=cookie("max"))
    assert (answer.status_code, answer.json()["error"]["code"]) == (403, "not_permitted")
    (tmp_path / "evenbooks.toml").write_text(FILE)
    assert client.get(link, headers=cookie("max")).status_code == 200


def test_whoever_signed_out_gets_nothing(shop: Database, client: TestClient) -> None:
    link = offered(shop)
    sign_in.sign_out(shop, sign_in.read_identity(claims_of("max")))
    assert client.get(link, headers=cookie("max")).status_code == 404


def test_a_workbook_is_streamed_from_a_file_that_is_gone_afterwards(
    shop: Database, client: TestClient, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "temporary"
    folder.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    answer = client.get(offered(shop, form="xlsx"), headers=cookie("max"))
    assert answer.headers["content-disposition"] == 'attachment; filename="deleted_customers.xlsx"'
    assert load_workbook(io.BytesIO(answer.content)).active["B2"].value == "Dora Gone"
    assert list(folder.iterdir()) == []


def test_a_file_that_fails_breaks_off_and_one_that_fails_at_once_says_so(
    shop: Database, client: TestClient, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def failing(sheet: Any) -> Iterator[str]:
        yield "a part\r\n"
        raise DatabaseUnavailable("secret words")

    monkeypatch.setattr(exports, "csv_pages", failing)
    with pytest.raises(ConnectionAbortedError, match=r"deleted_customers\.csv broke off"):
        client.get(offered(shop), headers=cookie("max"))
    monkeypatch.setattr(exports, "csv_pages", lambda sheet: iter(sheet.pages))
    monkeypatch.setattr("data.queries.list_customers", lambda *_, **__: (_ for _ in ()).throw(DatabaseUnavailable("x")))
    answer = client.get(offered(shop), headers=cookie("max"))
    assert (answer.status_code, answer.json()["error"]["code"]) == (503, "database_unavailable")


def test_without_sign_in_only_this_machine_is_answered(
    shop: Database, client: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(door, "sign_in_configured", lambda: False)
    here = door._machine_actor()
    link = f"/downloads/{downloads.offer(shop, 'revenue', 'csv', {}, actor=here)}"
    for header in ("x-forwarded-for", "forwarded", "via", "x-real-ip"):
        assert client.get(link, headers={header: "127.0.0.1"}).status_code == 404
    far = TestClient(client.app, client=("10.0.0.7", 1))
    assert far.get(link).status_code == 404
    assert client.get(link).status_code == 200


def test_files_pass_the_guards_and_are_not_kept() -> None:
    doors = Doors(page(body=b"the dashboard"), api=page(), downloads=page(body=b"a file"))
    guarded = SecurityHeaders(doors, policy="p", https=True)
    answer = ask(guarded, "/downloads/x", headers=[("host", HOST), ("accept", "text/html")])
    assert (answer.status, answer.body) == (200, b"a file")
    assert answer.header("cache-control") == "no-store"
    assert answer.header("x-frame-options") == "SAMEORIGIN"
    assert answer.header("content-security-policy") == "default-src 'none'; frame-ancestors 'self'"
    assert answer.header("x-content-type-options") == "nosniff"
    assert ask(guarded, "/downloadsx", headers=[("host", HOST)]).body == b"the dashboard"
