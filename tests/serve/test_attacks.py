"""Attempts that must fail, against the real server, byte by byte: each is refused as JSON and changes nothing."""

from __future__ import annotations

import json
import socket
from collections.abc import Iterator
from http.client import HTTPResponse

import pytest
from serving import Served

from data.access import Role

DELETE = "/staff/customers/1?reason=mistake"
BYTES = 1_000_000


@pytest.fixture(autouse=True)
def _nothing_changes(served: Served) -> Iterator[None]:
    before = served.state()
    yield
    assert served.state() == before


class Reply:
    """What came back over one connection."""

    def __init__(self, port: int, *parts: bytes, method: str = "GET") -> None:
        with socket.create_connection(("127.0.0.1", port), timeout=20) as connection:
            try:
                for part in parts:
                    connection.sendall(part)
            except (BrokenPipeError, ConnectionResetError):
                pass  # refused before the end: the answer is there to be read
            response = HTTPResponse(connection, method=method)
            response.begin()
            self.status, self.headers = response.status, response.headers
            try:
                self.body = response.read()
            except ConnectionResetError:
                self.body = b""  # the server closed while there was more to be sent to it

    def code(self) -> str:
        """The error's code; an answer that is no refusal of ours fails."""
        assert self.status >= 400
        assert self.headers["content-type"] == "application/json"
        error = json.loads(self.body)["error"]
        assert sorted(error) == ["code", "message"]
        assert not {"Traceback", "sqlite", "SELECT"} & set(error["message"].split())
        return str(error["code"])


def send(served: Served, line: str, *headers: str, role: Role | None = None, body: bytes = b"") -> Reply:
    """A request of this first line (`GET /staff`), as it is written here."""
    lines = [f"{line} HTTP/1.1", *headers]
    if not any(header.lower().startswith("host:") for header in headers):
        lines.append("Host: localhost")
    if role:
        lines.append(f"Authorization: Bearer {served.tokens[role]}")
    if body:
        lines.append(f"Content-Length: {len(body)}")
    head = "\r\n".join([*lines, "", ""]).encode("latin-1")
    return Reply(served.port, head + body, method=line.split(" ")[0])


@pytest.mark.parametrize("line", [f"DELETE {DELETE}", "POST /staff/customers/4/restore", "GET /staff/customers/4"])
@pytest.mark.parametrize(
    ("headers", "code"),
    [
        ([], "no_token"),
        (["Authorization: Basic YWRtaW46YWRtaW4="], "no_token"),
        (["Authorization: Bearer"], "no_token"),
        (["Authorization: Bearer evb_000000000000_"], "token_refused"),
        (["Authorization: Bearer {id}_wrong"], "token_refused"),
        (["Authorization: Bearer {good}x"], "token_refused"),
        (["Authorization: Bearer {good}", "Authorization: Bearer {good}"], "no_token"),
        (["Cookie: _streamlit_user={good}; token={good}"], "no_token"),
        (["X-Forwarded-User: admin", "X-Forwarded-For: 127.0.0.1"], "no_token"),
    ],
)
def test_without_a_good_token_nothing_is_told_or_done(served: Served, line: str, headers: list[str], code: str) -> None:
    good = served.tokens[Role.ADMIN]
    given = [header.format(good=good, id="_".join(good.split("_", 2)[:2])) for header in headers]
    reply = send(served, line, *given)
    assert (reply.status, reply.code()) == (401, code)
    assert reply.headers["www-authenticate"].startswith("Bearer")


@pytest.mark.parametrize(
    ("role", "line"),
    [
        (Role.MANAGER, f"DELETE {DELETE}"),
        (Role.AUDITOR, f"DELETE {DELETE}"),
        (Role.AUDITOR, "POST /staff/customers/4/restore"),
        (Role.STAFF, "GET /reports/revenue"),
        (Role.STAFF, "GET /reports/integrity"),
    ],
)
def test_another_role_is_refused(served: Served, role: Role, line: str) -> None:
    reply = send(served, line, role=role)
    assert (reply.status, reply.code()) == (403, "not_permitted")


@pytest.mark.parametrize("path", ["/staff/customers/1", "/staff/customers/4/restore", "/reports/revenue", "/healthz"])
@pytest.mark.parametrize("method", ["PUT", "PATCH", "TRACE", "CONNECT", "PROPFIND", "HEAD", "OPTIONS"])
def test_another_method_is_refused_and_the_right_ones_are_named(served: Served, method: str, path: str) -> None:
    reply = send(served, f"{method} {path}", "X-HTTP-Method-Override: DELETE", role=Role.ADMIN)
    if (method, path) == ("HEAD", "/healthz"):
        assert (reply.status, reply.body, reply.headers["content-length"]) == (200, b"", "14")
        assert send(served, "HEAD /readyz").status == 200
        return
    assert reply.status == 405
    assert set(reply.headers["allow"].split(", ")) <= {"GET", "HEAD", "POST", "DELETE"}
    assert reply.headers["content-type"] == "application/json"


@pytest.mark.parametrize(
    "path",
    [
        "/staff",
        "/staff/",
        "/staff/nothing",
        "/staff/customers/",
        "/staff/customers/1/",
        "/staff//customers",
        "//staff/customers",
        "///staff/customers/deleted",
        "/./staff/customers",
        "/customers/../staff/customers",
        "/staff/../reports/revenue",
        "/staff/%2e%2e/reports/revenue",
        "/staff/..%2freports/revenue",
        "/staff/%2e%2e%2f%2e%2e%2fetc%2fpasswd",
        "/staff/customers/..;/deleted/",
        "/staff;/customers",
        "/staff;a=b/customers",
        "/staff\\customers",
        "/\\staff/customers",
        "/STAFF/customers",
        "/staff%00",
        "/staff/customers%00",
        "/staff/customers/%00",
        "/staff/customers/4%00",
        "/staff/customers/4%0d%0aX-Evil:%201",
        "/staff/customers/4.0",
        "/staff/customers/0004x",
        "/staff/customers/%ff",
        "/staff/customers/-9223372036854775809",
        "/staff/customers/99999999999999999999999999",
        "/staff/customers/" + "4" * 3000,
        "/staff/" + "x" * 20_000,
        "/staff/openapi.json/",
        "/staff/docs",
        "/staff/redoc",
        "/reports",
        "/reports/",
        "/reports.json",
        "/healthz/",
        "/readyz/x",
        "/_stcore/metrics",
        "/_stcore/agent/openapi.json",
        "/_stcore/agent/interact",
        "/_stcore/script-health-check",
    ],
)
def test_no_trick_with_the_path_is_answered_by_a_page_or_by_a_row(served: Served, path: str) -> None:
    reply = send(served, f"GET {path}", role=Role.ADMIN)
    assert reply.status in (400, 404, 414)
    reply.code()
    assert "x-evil" not in reply.headers


@pytest.mark.parametrize(
    "rest",
    [
        "/staff/customers?limit=0",
        "/staff/customers?limit=201",
        "/staff/customers?limit=1e1",
        "/staff/customers?after=x",
        "/staff/customers?after=%00",
        "/staff/customers?search=%00",
        "/staff/customers?limit=1&limit=2",
        "/staff/customers?debug=1",
        "/reports/revenue?from=2024-13",
        "/reports/revenue?from=2024-01'--",
    ],
)
def test_what_cannot_be_read_is_refused(served: Served, rest: str) -> None:
    reply = send(served, f"GET {rest}", role=Role.ADMIN)
    assert (reply.status, reply.code()) == (422, "invalid_input")


@pytest.mark.parametrize("role", [None, Role.ADMIN])
@pytest.mark.parametrize(
    "path", ["/staff/customers", "/staff/customers/restore", "/staff/customers/1", "/staff/nothing"]
)
def test_a_body_of_a_megabyte_is_refused_declared_or_not(served: Served, path: str, role: Role | None) -> None:
    large = b'{"reason": "' + b"x" * BYTES + b'"}'
    method = "DELETE" if path.endswith("1") else "POST"
    declared = send(served, f"{method} {path}", "Content-Type: application/json", role=role, body=large)
    assert (declared.status, declared.code()) == (413, "too_large")
    chunk = b"10000\r\n" + b"x" * 65536 + b"\r\n"
    for said in ("", "Content-Length: 5\r\n"):
        head = f"{method} {path} HTTP/1.1\r\nHost: localhost\r\n{said}Transfer-Encoding: chunked\r\n\r\n"
        chunked = Reply(served.port, head.encode(), *[chunk] * 16, b"0\r\n\r\n")
        # Two lengths are no request at all to one of uvicorn's readers; the other takes the chunks.
        assert (said and chunked.status == 400) or (chunked.status, chunked.code()) == (413, "too_large")


@pytest.mark.parametrize("origin", ["https://evil.example", "null", "http://localhost.evil.example"])
def test_pages_of_another_origin_get_no_leave(served: Served, origin: str) -> None:
    preflight = send(
        served,
        f"OPTIONS {DELETE}",
        f"Origin: {origin}",
        "Access-Control-Request-Method: DELETE",
        "Access-Control-Request-Headers: authorization",
    )
    simple = send(
        served, "POST /staff/customers/4/restore", f"Origin: {origin}", "Content-Type: text/plain", body=b"{}"
    )
    assert (preflight.status, simple.status) == (405, 401)
    others = [
        send(served, f"GET {path}", f"Origin: {origin}") for path in ("/", "/_stcore/health", "/_stcore/host-config")
    ]
    for reply in (preflight, simple, *others):
        assert not [name for name in reply.headers if name.lower().startswith("access-control")]


@pytest.mark.parametrize(
    "path", ["/", "/customers", "/staff/customers", "/reports/revenue", "/healthz", "/_stcore/health"]
)
@pytest.mark.parametrize("host", ["evil.example", "localhost.evil.example:8501", "localhost@evil.example"])
def test_a_forged_host_is_refused_everywhere(served: Served, path: str, host: str) -> None:
    forged = send(served, f"GET {path}", f"Host: {host}", "X-Forwarded-Host: localhost", role=Role.ADMIN)
    assert (forged.status, forged.code()) == (400, "unknown_host")


def test_a_forwarded_host_changes_nothing(served: Served) -> None:
    reply = send(
        served,
        "GET /staff/customers/1",
        "X-Forwarded-Host: evil.example",
        "Forwarded: host=evil.example",
        role=Role.STAFF,
    )
    assert reply.status == 200
    assert b"evil" not in reply.body + str(reply.headers).encode()


@pytest.mark.parametrize("peer", ["10.1.2.3", "10.1.2.3, 127.0.0.1", "unknown"])
def test_who_came_through_a_proxy_from_elsewhere_is_refused_without_sign_in(served: Served, peer: str) -> None:
    for path in ("/", "/staff/customers"):
        reply = send(served, f"GET {path}", f"X-Forwarded-For: {peer}", role=Role.ADMIN)
        assert (reply.status, reply.code()) == (403, "this_machine_only")


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        (["Host: evil.example"], 403),
        (["Host: localhost", "Origin: https://evil.example"], 403),
        (["Host: localhost", "X-Forwarded-For: 10.1.2.3"], 403),
        (["Host: localhost", "Origin: http://localhost"], 101),
    ],
)
def test_the_dashboards_websocket_opens_only_for_its_own_page(served: Served, headers: list[str], status: int) -> None:
    upgrade = ["Connection: Upgrade", "Upgrade: websocket", "Sec-WebSocket-Version: 13"]
    key = "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA=="
    text = "\r\n".join(["GET /_stcore/stream HTTP/1.1", *headers, *upgrade, key, "", ""])
    with socket.create_connection(("127.0.0.1", served.port), timeout=20) as connection:
        connection.sendall(text.encode())
        assert connection.recv(100).startswith(f"HTTP/1.1 {status} ".encode())


@pytest.mark.parametrize(
    "lines",
    [
        ["GET /staff/customers HTTP/1.1", "Host: localhost", "Host: evil.example"],
        ["GET /staff/customers HTTP/1.0"],
        ["GET /staff/customers HTTP/1.1", "Host: localhost", "X: a\x00b"],
        ["GET /staff/customers HTTP/1.1", "Host: localhost", " folded: x"],
        ["delete /staff/customers/1 HTTP/1.1", "Host: localhost"],
        ["GET /staff/customers HTTP/1.1", "Host: localhost", "Content-Length: -5"],
        ["GET /staff/ customers HTTP/1.1", "Host: localhost"],
        ["GET /staff/customers?search=\xe9 HTTP/1.1", "Host: localhost"],
        ["GET /staff/customers/" + "4" * 100_000 + " HTTP/1.1", "Host: localhost"],
    ],
)
def test_a_request_that_is_none_is_refused_before_any_route(served: Served, lines: list[str]) -> None:
    given = [*lines, f"Authorization: Bearer {served.tokens[Role.ADMIN]}"]
    reply = Reply(served.port, "\r\n".join([*given, "", ""]).encode("latin-1"))
    assert reply.status in (400, 414)
    assert not reply.headers["content-type"].startswith("text/html")


def test_the_server_does_not_say_what_it_is(served: Served) -> None:
    for path in ("/", "/staff", "/healthz"):
        reply = send(served, f"GET {path}")
        assert "server" not in reply.headers
        assert reply.headers["x-content-type-options"] == "nosniff"


def test_the_log_holds_neither_what_was_searched_for_nor_a_secret(served: Served) -> None:
    for path in ("/customers?q=needle", "/staff/customers?search=needle"):
        assert send(served, f"GET {path}", role=Role.STAFF).status == 200
    log = served.server.log.read_text(encoding="utf-8")
    assert "needle" not in log
    assert not [token for token in served.tokens.values() if token.split("_", 2)[2] in log]
    assert "Traceback" not in log
