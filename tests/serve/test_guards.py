"""Each guard alone, on requests that no client would send by itself."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import streamlit
from asking import LOCAL, Answer, ask, page
from starlette.types import ASGIApp

from web.guarding import (
    MOST_BYTES,
    STRICT_POLICY,
    BodyLimit,
    Doors,
    Hosts,
    ReturnTo,
    SecurityHeaders,
    comes_from,
    is_local,
    page_policy,
)

NAMES = ("localhost", "127.0.0.1", "::1", "books.example.com")
OPEN = Hosts(page(), names=NAMES, this_machine_only=False)
ALONE = Hosts(page(), names=NAMES, this_machine_only=True)


def code(answer: Answer) -> str:
    """The error's code; an answer of another shape fails."""
    assert answer.header("content-type") == "application/json"
    error = json.loads(answer.body)["error"]
    assert sorted(error) == ["code", "message"]
    return str(error["code"])


@pytest.mark.parametrize("kind", ["http", "websocket"])
@pytest.mark.parametrize(
    "host",
    [
        "localhost",
        "LOCALHOST:8501",
        "127.0.0.1:1",
        "[::1]:8501",
        "[::1]",
        "books.example.com.",
        "Books.Example.com:443",
    ],
)
def test_our_own_names_are_answered(host: str, kind: str) -> None:
    assert ask(OPEN, headers=[("host", host)], kind=kind).status in (200, 101)


@pytest.mark.parametrize("kind", ["http", "websocket"])
@pytest.mark.parametrize(
    "hosts",
    [
        ["evil.example"],
        ["localhost.evil.example"],
        ["evil.example#localhost"],
        ["localhost@evil.example"],
        ["user@localhost"],
        ["localhost:80:80"],
        ["localhost:x"],
        ["localhost/x"],
        ["::1"],
        ["[::1"],
        [""],
        [" localhost"],
        ["localhost\t"],
        ["*"],
        [],
        ["localhost", "evil.example"],
        ["localhost", "localhost"],
    ],
)
def test_other_names_are_refused_whatever_a_proxy_says(hosts: list[str], kind: str) -> None:
    headers = [*(("host", host) for host in hosts), ("x-forwarded-host", "localhost"), ("forwarded", "host=localhost")]
    answer = ask(OPEN, headers=headers, kind=kind)
    assert answer.status == (403 if kind == "websocket" else 400)
    assert kind == "websocket" or code(answer) == "unknown_host"


@pytest.mark.parametrize("kind", ["http", "websocket"])
@pytest.mark.parametrize(
    ("peer", "let_in"),
    [
        ("127.0.0.1", True),
        ("127.8.8.8", True),
        ("::1", True),
        ("::ffff:127.0.0.1", True),
        ("10.0.0.1", False),
        ("::ffff:10.0.0.1", False),
        ("fe80::1", False),
        ("0.0.0.0", False),
        ("localhost.evil.example", False),
        (None, False),
    ],
)
def test_without_sign_in_only_this_machine_is_served(peer: str | None, let_in: bool, kind: str) -> None:
    refused = ask(ALONE, peer=peer, kind=kind)
    assert refused.status == ((101 if kind == "websocket" else 200) if let_in else 403)
    assert let_in or kind == "websocket" or code(refused) == "this_machine_only"
    assert ask(OPEN, peer=peer, kind=kind).status in (200, 101)


DOORS = Doors(page(body=b"the dashboard"), api=page(body=b"the API"), downloads=page(body=b"a file"))


@pytest.mark.parametrize(
    ("path", "whose"),
    [
        ("/staff", b"the API"),
        ("/staff/", b"the API"),
        ("/staff/../reports", b"the API"),
        ("/reports/revenue", b"the API"),
        ("/healthz", b"the API"),
        ("/", b"the dashboard"),
        ("/customers", b"the dashboard"),
        ("/staffing", b"the dashboard"),
        ("/reports_of_may", b"the dashboard"),
        ("/_stcore/health", b"the dashboard"),
        ("//staff/customers", None),
        ("/./staff", None),
        ("/customers/../staff/customers", None),
        ("/\\staff", None),
        ("\\staff", None),
        ("/STAFF/customers", None),
        ("/staff;x/customers", None),
        ("/staff\0", None),
        ("/reports.json", None),
        ("http://localhost/staff", None),
        ("*", None),
        ("", None),
        ("/" + "x" * 9000, None),
        ("/_stcore/metrics", None),
        ("/_stcore/agent/interact", None),
        ("/_stcore/upload_file/1/2", None),
    ],
)
def test_every_spelling_of_the_api_leads_to_it_or_nowhere(path: str, whose: bytes | None) -> None:
    answer = ask(DOORS, path)
    if whose:
        assert answer.body == whose
    else:
        assert (answer.status, code(answer)) in [(404, "not_found"), (400, "bad_path"), (414, "too_long")]


@pytest.mark.parametrize(
    ("headers", "parts", "status"),
    [
        ([("content-length", "5")], [b"hello"], 200),
        ([], [b"hel", b"lo"], 200),
        ([], [b"x" * MOST_BYTES], 200),
        ([("content-length", str(MOST_BYTES + 1))], [b""], 413),
        ([("content-length", "9" * 30)], [b""], 413),
        ([("content-length", "-1")], [b""], 413),
        ([("content-length", "\u0663")], [b""], 413),
        ([], [b"x" * MOST_BYTES, b"y", b"never read"], 413),
        ([("content-length", "5"), ("transfer-encoding", "chunked")], [b"x" * MOST_BYTES, b"y", b"never read"], 413),
    ],
)
def test_a_body_is_small_or_refused_before_it_is_whole(
    headers: list[tuple[str, str]], parts: list[bytes], status: int
) -> None:
    coded = [(name, value.encode().decode("latin-1")) for name, value in headers]
    answer = ask(BodyLimit(page(body=b"")), headers=coded, body=parts)
    assert answer.status == status
    assert answer.body == b"".join(parts) if status == 200 else code(answer) == "too_large"


HOST = ("host", "evil.example:80")
FORGED = "10.0.0.9 GET /staff 200 ok"


@pytest.mark.parametrize(
    ("app", "path", "how", "line"),
    [
        (OPEN, "/staff/ana", {"headers": [HOST]}, "10.0.0.1 POST /staff/... 400 unknown_host host=evil.example"),
        (OPEN, "/ana", {"headers": [("host", "a b\nrefused")]}, "10.0.0.1 POST ... 400 unknown_host host=-"),
        (OPEN, "/", {"headers": [("host", "x" * 254)]}, "10.0.0.1 POST ... 400 unknown_host host=-"),
        (OPEN, "/", {"headers": [HOST, HOST]}, "10.0.0.1 POST ... 400 unknown_host host=-"),
        (
            ALONE,
            "/_stcore/stream",
            {"kind": "websocket"},
            "10.0.0.1 WEBSOCKET /_stcore/... 403 this_machine_only {own}",
        ),
        (ALONE, "/staffing", {"peer": FORGED}, "unknown POST ... 403 this_machine_only {own}"),
        (ALONE, "/", {"peer": "fe80::1%x GET"}, "fe80::1 POST ... 403 this_machine_only {own}"),
        (ALONE, "/", {"peer": None}, "unknown POST ... 403 this_machine_only {own}"),
        (DOORS, "staff", {}, "10.0.0.1 POST ... 400 bad_path {own}"),
        (DOORS, "/staff/" + "x" * 9000, {}, "10.0.0.1 POST /staff/... 414 too_long {own}"),
        (
            BodyLimit(page()),
            "/reports",
            {"body": [b"x" * MOST_BYTES, b"y"]},
            "10.0.0.1 POST /reports/... 413 too_large {own}",
        ),
    ],
)
def test_each_refusal_is_a_line_into_which_nobody_outside_writes_words(
    app: ASGIApp, path: str, how: dict[str, Any], line: str, caplog: pytest.LogCaptureFixture
) -> None:
    assert ask(app, path, **{"peer": "10.0.0.1", **how}).status >= 400
    assert [record.getMessage() for record in caplog.records] == ["refused " + line.format(own="host=localhost")]


def guarded(path: str, *headers: tuple[str, str], status: int = 200, https: bool = False) -> Answer:
    """What the browser is told of an answer with these headers."""
    app = SecurityHeaders(page(status, *headers), policy="the policy", https=https)
    return ask(app, path, headers=[*LOCAL, ("x-forwarded-proto", "https")])


@pytest.mark.parametrize(
    ("path", "policy", "kept"),
    [
        ("/", "the policy", None),
        ("/customers", "the policy", None),
        ("/staff/customers", STRICT_POLICY, "no-store"),
        ("/readyz", STRICT_POLICY, "no-store"),
        ("/media/1.csv", STRICT_POLICY, "no-store"),
    ],
)
def test_every_answer_says_what_a_browser_may_do_with_it(path: str, policy: str, kept: str | None) -> None:
    for status in (200, 304, 404):
        answer = guarded(path, status=status)
        assert answer.header("content-security-policy") == policy
        assert answer.header("x-content-type-options") == "nosniff"
        assert answer.header("x-frame-options") == "DENY"
        assert answer.header("referrer-policy") == "same-origin"
        assert answer.header("cross-origin-opener-policy") == "same-origin"
        assert "camera=()" in str(answer.header("permissions-policy"))
        assert answer.header("cache-control") == kept


def test_cookies_are_secure_where_people_come_by_https_and_only_the_configuration_says_so() -> None:
    cookies = (("Set-Cookie", "a=1; Path=/"), ("set-cookie", "b=2; secure; HttpOnly"))
    plain = guarded("/", *cookies)
    assert plain.cookies() == [value for _, value in cookies]
    assert plain.header("strict-transport-security") is None
    safe = guarded("/", *cookies, https=True)
    assert safe.cookies() == ["a=1; Path=/; Secure", "b=2; secure; HttpOnly"]
    assert safe.header("strict-transport-security") == "max-age=31536000"


def test_the_policy_knows_the_script_in_streamlits_page_and_no_other() -> None:
    index = (Path(streamlit.__file__).parent / "static" / "index.html").read_text(encoding="utf-8")
    policy = page_policy(index)
    assert policy.count("'sha256-") == index.count("<script>") == 1
    script = policy.split("script-src ")[1].split(";")[0]
    assert "unsafe" not in script
    assert "http" not in policy
    assert page_policy("<script>other</script>") != policy


def sign_in(referer: str, **cookie: str) -> str | None:
    """Where somebody lands who signs in on the page with this address."""
    login = ReturnTo(page(302, ("location", "https://provider.example/")))
    asked = ask(login, "/auth/login", headers=[*LOCAL, ("referer", referer)])
    kept = [f"{name}={value}" for name, value in cookie.items()] + [c.split(";")[0] for c in asked.cookies()]
    callback = ReturnTo(page(302, ("location", "/")))
    answer = ask(callback, "/oauth2callback", headers=[*LOCAL, ("cookie", "; ".join(kept))])
    assert all("Max-Age=0" in c for c in answer.cookies())
    return answer.header("location")


@pytest.mark.parametrize(
    ("referer", "landed"),
    [
        ("http://localhost:8501/revenue", "/revenue"),
        ("http://localhost:8501/customers?q=%C3%A4b&page=2#x", "/customers?q=%C3%A4b&page=2"),
        ("http://localhost:8501/?u=https://evil.example", "/?u=https://evil.example"),
        ("http://localhost:8501", "/"),
        ("http://localhost:8501//evil.example", "/"),
        ("http://localhost:8501/\\evil.example", "/"),
        ("http://localhost:8501/x//evil.example", "/"),
        ("http://localhost:8501/a\r\nSet-Cookie:%20x=1", "/aSet-Cookie:%20x=1"),
        ("http://localhost:8501/" + "x" * 1000, "/"),
        ("http://localhost:8501/auth/logout", "/"),
        ("http://localhost:8501/oauth2callback?code=1", "/"),
        ("http://evil.example/revenue", "/"),
        ("http://localhost:8501@evil.example/revenue", "/"),
        ("http://localhost:9999/revenue", "/"),
        ("http://[::1/revenue", "/"),
        ("javascript:alert(1)", "/"),
        ("", "/"),
    ],
)
def test_signing_in_leads_back_to_the_page_and_never_elsewhere(referer: str, landed: str) -> None:
    assert sign_in(referer) == landed


@pytest.mark.parametrize(
    "kept",
    [
        "https://evil.example",
        "//evil.example",
        "/\\evil.example",
        "%2F%2Fevil.example",
        "%2F%5Cevil.example",
        "/%0d%0aLocation:%20https://evil.example",
        "/%09/evil.example",
        "/%E2%80%A8",
        "javascript:alert(1)",
        "",
    ],
)
def test_a_cookie_that_somebody_else_set_leads_nowhere(kept: str) -> None:
    assert sign_in("", evenbooks_return=kept, other="[]{}@") == "/"


def test_only_the_way_to_the_first_page_is_changed() -> None:
    cookie = ("cookie", "evenbooks_return=%2Frevenue")
    elsewhere = ReturnTo(page(302, ("location", "https://provider.example/logout")))
    assert ask(elsewhere, "/oauth2callback", headers=[*LOCAL, cookie]).header("location") != "/revenue"
    assert ask(elsewhere, "/", headers=[*LOCAL, cookie]).cookies() == []
    assert not is_local("revenue")


@pytest.mark.parametrize(
    ("origin", "let_in"),
    [
        ("http://localhost:8501", True),
        ("https://localhost:8501", True),  # behind a proxy that ends TLS
        ("HTTP://LOCALHOST:8501", True),
        (None, True),  # no browser
        ("http://localhost:3000", False),
        ("http://localhost", False),
        ("http://127.0.0.1:8501", False),
        ("http://localhost:8501.evil.example", False),
        ("http://u@localhost:8501", False),
        ("null", False),
        ("", False),
        ("file://", False),
    ],
)
def test_a_page_of_another_server_opens_no_websocket(origin: str | None, let_in: bool) -> None:
    headers = [("host", "localhost:8501"), *([("origin", origin)] if origin is not None else [])]
    assert ask(ALONE, headers=headers, kind="websocket").status == (101 if let_in else 403)
    assert ask(OPEN, headers=headers, kind="websocket").status == (101 if let_in else 403)


def test_default_ports_may_be_left_out() -> None:
    assert comes_from("https://books.example.com", "books.example.com:443")
    assert comes_from("https://books.example.com:443", "books.example.com")
    assert not comes_from("https://books.example.com", "books.example.com:80")


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/", 200),
        ("/revenue", 200),
        ("/revenue/", 200),
        ("/customers/extra", 404),
        ("/auth/x", 200),  # Streamlit's own answer
        ("/pages/customers", 404),
    ],
)
def test_an_address_at_which_nothing_would_be_shown_is_none(path: str, status: int) -> None:
    doors = Doors(page(), api=page(), downloads=page())
    assert ask(doors, path, headers=[*LOCAL, ("accept", "text/html,*/*")]).status == status
    assert ask(doors, path).status == 200  # what a page asks for itself, beside its address


def test_signing_out_is_our_own_button() -> None:
    doors = Doors(page(), api=page(), downloads=page())
    for came, status in (("same-origin", 200), ("none", 303), ("cross-site", 303), ("same-site", 303)):
        answer = ask(doors, "/auth/logout", headers=[*LOCAL, ("sec-fetch-site", came)])
        assert (answer.status, answer.header("location")) == (status, "/" if status == 303 else None)
    assert ask(doors, "/auth/logout").status == 200
