"""Guards before every answer: who may connect, under which name, how much may be sent, what a browser may do with it."""

from __future__ import annotations

import base64
import hashlib
import posixpath
import re
from collections.abc import Collection
from functools import lru_cache
from ipaddress import IPv6Address, ip_address
from urllib.parse import quote, unquote, urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import cookie_parser
from starlette.responses import RedirectResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from web.refusing import Refusal, host_name, refuse

API = ("/staff", "/reports")
HEALTH = ("/healthz", "/readyz")
DOWNLOADS = "/downloads"
# Streamlit's routes that nothing here needs: figures of the process, a second way to press buttons, uploads.
CLOSED = ("/_stcore/metrics", "/_stcore/agent", "/_stcore/upload_file", "/_stcore/script-health-check")
STREAMLITS = ("/_stcore", "/app", "/auth", "/component", "/media", "/static")
MOST_BYTES = 64 * 1024  # of a request's body
LONGEST_ADDRESS = 8 * 1024  # characters of path and query
HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Permissions-Policy": "camera=(), microphone=(), geolocation=(), payment=(), usb=(), browsing-topics=()",
}
STRICT_POLICY = "default-src 'none'; frame-ancestors 'none'"
FRAMED_POLICY = "default-src 'none'; frame-ancestors 'self'"
GUARDED = "evenbooks.guarded"  # of a scope: its answer gets its headers already
RETURN_COOKIE = "evenbooks_return"


def refusal(status: int, code: str, message: str) -> Refusal:
    """An error as every answer of ours has it: {"error": {"code", "message"}}."""
    return Refusal(status, code, message)


def is_under(path: str, prefixes: Collection[str]) -> bool:
    """Whether a path is one of these or below one."""
    return any(path == prefix or path.startswith(f"{prefix}/") for prefix in prefixes)


def means_api(path: str) -> bool:
    """Whether some proxy or client might take this path for one of the API, however it is spelled."""
    plain = posixpath.normpath("/" + path.replace("\\", "/").lstrip("/")).lower()
    return any(re.match(rf"{prefix}(?!\w)", plain) for prefix in API)


@lru_cache(maxsize=256)
def is_loopback(address: str | None) -> bool:
    """Whether an IP address, or the name localhost, is this machine's own."""
    if address == "localhost":
        return True
    try:
        ip = ip_address(address or "")
    except ValueError:
        return False
    mapped = ip.ipv4_mapped if isinstance(ip, IPv6Address) else None
    return (mapped or ip).is_loopback


def comes_from(origin: str, host: str) -> bool:
    """Whether an Origin header is this server's own, which its Host header names; default ports may be left out."""
    parts = origin.lower().removesuffix("/").partition("://")
    port = {"http": ":80", "https": ":443"}.get(parts[0])
    return port is not None and parts[2].removesuffix(port) == host.lower().removesuffix(port)


class Hosts:
    """Refuses requests and websockets under a name that is not ours, and others than this machine where it must.

    Also websockets of pages that are not ours: without sign-in they would be admin, and Streamlit, which takes any
    page of this machine for its own, asks the internet about the others.
    """

    def __init__(self, app: ASGIApp, names: Collection[str], this_machine_only: bool) -> None:
        self.app = app
        self.names = frozenset(names)
        self.this_machine_only = this_machine_only

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] not in ("http", "websocket") or (answer := self._refused(scope)) is None:
            return await self.app(scope, receive, send)
        await refuse(scope, receive, send, answer)

    def _refused(self, scope: Scope) -> Refusal | None:
        given = Headers(scope=scope).getlist("host")
        if len(given) != 1 or host_name(given[0]) not in self.names:
            words = "This server is not reached under that name. [server] hosts in evenbooks.toml lists further ones."
            return refusal(400, "unknown_host", words)
        origin = Headers(scope=scope).get("origin")
        if scope["type"] == "websocket" and origin is not None and not comes_from(origin, given[0]):
            return refusal(403, "foreign_origin", "A page of another server may not connect here.")
        peer = scope.get("client")
        if self.this_machine_only and not is_loopback(peer[0] if peer else None):
            words = "Sign-in is not configured, so only this machine is served: see [auth] in docs/roles.md."
            return refusal(403, "this_machine_only", words)
        return None


class Doors:
    """Sends what is the API's to the API, and files to whoever sends them, as whole paths and before any guard or page of
    Streamlit's."""

    def __init__(self, app: ASGIApp, api: ASGIApp, downloads: ASGIApp) -> None:
        self.app = app
        self.api = api
        self.downloads = downloads

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] not in ("http", "websocket"):
            return await self.app(scope, receive, send)
        path = scope["path"]
        if len(path) + len(scope["query_string"]) > LONGEST_ADDRESS:
            return await refuse(scope, receive, send, refusal(414, "too_long", "This address is too long."))
        if not path.startswith("/"):
            return await refuse(scope, receive, send, refusal(400, "bad_path", "A path begins with a slash."))
        if is_under(path, (*API, *HEALTH)):
            return await self.api(scope, receive, send)
        if scope["type"] == "http" and is_under(path, (DOWNLOADS,)):
            return await self.downloads(scope, receive, send)
        if means_api(path) or is_under(path, CLOSED) or _is_blank(scope):
            return await refuse(scope, receive, send, refusal(404, "not_found", "There is nothing here."))
        if path == "/auth/logout" and Headers(scope=scope).get("sec-fetch-site", "same-origin") != "same-origin":
            # By address, or from another server's page: the cookie would go, and the sign-in still count elsewhere.
            return await RedirectResponse("/", 303)(scope, receive, send)
        await self.app(scope, receive, send)


def _is_blank(scope: Scope) -> bool:
    """Whether somebody opens an address of two or more parts, at which Streamlit's page would stay empty."""
    path = scope["path"]
    opened = scope["type"] == "http" and "text/html" in Headers(scope=scope).get("accept", "")
    return opened and "/" in path.strip("/") and not is_under(path, STREAMLITS)


class BodyLimit:
    """Refuses bodies of more than 64 KiB: at once where their length is declared, else as soon as they are longer."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return await self.app(scope, receive, send)
        headers = Headers(scope=scope)
        declared = headers.get("content-length")
        if declared is None or "transfer-encoding" in headers:  # which is what counts where both are sent
            first = await self._read(receive)
            return await (
                self.app(scope, _after(first, receive), send) if first else self._refuse(scope, receive, send)
            )
        if not declared.isdecimal() or int(declared) > MOST_BYTES:
            return await self._refuse(scope, receive, send)
        await self.app(scope, receive, send)

    async def _read(self, receive: Receive) -> Message | None:
        """The whole body as one message, or the client's farewell; None where it is too long."""
        body = bytearray()
        while True:
            message = await receive()
            if message["type"] != "http.request":
                return message
            body += message.get("body", b"")
            if len(body) > MOST_BYTES:
                return None
            if not message.get("more_body"):
                return {"type": "http.request", "body": bytes(body), "more_body": False}

    async def _refuse(self, scope: Scope, receive: Receive, send: Send) -> None:
        answer = refusal(413, "too_large", f"A request's body has at most {MOST_BYTES // 1024} KiB.")
        await refuse(scope, receive, send, answer)


def _after(first: Message, receive: Receive) -> Receive:
    """A `receive` that gives this message first."""
    waiting = [first]

    async def next_message() -> Message:
        return waiting.pop() if waiting else await receive()

    return next_message


def page_policy(index: str) -> str:
    """What the dashboard's page may load: everything from here, and the scripts written into `index` by their hashes.

    Styles may be inline: Streamlit's tables and charts write style attributes and elements. Scripts may not, nor eval.
    """
    scripts = re.findall(r"<script>(.*?)</script>", index, re.DOTALL)
    hashes = [base64.b64encode(hashlib.sha256(script.encode()).digest()).decode() for script in scripts]
    return "; ".join(
        (
            "default-src 'none'",
            " ".join(("script-src 'self'", *(f"'sha256-{one}'" for one in hashes))),
            "style-src 'self' 'unsafe-inline'",
            "img-src 'self' data: blob:",
            "font-src 'self' data:",
            "connect-src 'self'",
            "frame-src 'self'",  # a file is fetched by a frame that stays empty; whatever else is ours refuses to be in one
            "manifest-src 'self'",
            "base-uri 'none'",
            "form-action 'self'",
            "frame-ancestors 'none'",
        )
    )


class SecurityHeaders:
    """Adds to every answer what a browser may do with it, and behind TLS `Secure` to every cookie.

    `https` comes from the configuration: a header that says so can be sent by anybody.
    """

    def __init__(self, app: ASGIApp, policy: str, https: bool) -> None:
        self.app = app
        self.https = https
        hsts = {"Strict-Transport-Security": "max-age=31536000"} if https else {}
        self.pages = _as_raw({**HEADERS, **hsts, "Content-Security-Policy": policy})
        self.bare = _as_raw({**HEADERS, **hsts, "Content-Security-Policy": STRICT_POLICY})
        self.unkept = {**self.bare, **_as_raw({"Cache-Control": "no-store"})}
        # Some browsers ask this of a file too, which a frame of the page fetches.
        framed = {"X-Frame-Options": "SAMEORIGIN", "Content-Security-Policy": FRAMED_POLICY}
        self.files = {**self.unkept, **_as_raw(framed)}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or GUARDED in scope:  # the API has these of its own, for where it runs alone
            return await self.app(scope, receive, send)
        ours = self._ours(scope["path"])

        async def send_guarded(message: Message) -> None:
            if message["type"] == "http.response.start":
                theirs = [one for one in message.get("headers", ()) if one[0].lower() not in ours]
                if self.https:
                    theirs = [(name, _secure(name, value)) for name, value in theirs]
                message = {**message, "headers": [*theirs, *ours.items()]}
            await send(message)

        await self.app({**scope, GUARDED: True}, receive, send_guarded)

    def _ours(self, path: str) -> dict[bytes, bytes]:
        # By path, not by type: a 304 has none, and its headers replace those that the browser keeps with the page.
        if is_under(path, (DOWNLOADS,)):
            return self.files
        if is_under(path, (*API, *HEALTH, "/media")):
            return self.unkept
        return self.bare if is_under(path, ("/_stcore",)) else self.pages


def _as_raw(headers: dict[str, str]) -> dict[bytes, bytes]:
    return {name.lower().encode(): value.encode() for name, value in headers.items()}


def _secure(name: bytes, value: bytes) -> bytes:
    if name.lower() != b"set-cookie" or b"secure" in [part.strip().lower() for part in value.split(b";")]:
        return value
    return value + b"; Secure"


def is_local(target: str) -> bool:
    """Whether an address leads to a page of the dashboard, in every browser's reading."""
    return (
        len(target) <= 1000
        and re.fullmatch(r"/[!-~]*", target) is not None
        and "\\" not in target
        and "//" not in target.partition("?")[0]
        and not is_under(target.partition("?")[0], ("/auth", "/oauth2callback", "/_stcore"))
    )


class ReturnTo:
    """Brings people who sign in back to the page they came from; Streamlit alone takes them to the first one."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        change = {"/auth/login": self._remember, "/oauth2callback": self._return}.get(scope.get("path", ""))
        if scope["type"] != "http" or change is None:
            return await self.app(scope, receive, send)

        async def send_changed(message: Message) -> None:
            if message["type"] == "http.response.start":
                message = {**message, "headers": list(message.get("headers", ()))}
                change(Headers(scope=scope), MutableHeaders(raw=message["headers"]))
            await send(message)

        await self.app(scope, receive, send_changed)

    def _remember(self, asked: Headers, answer: MutableHeaders) -> None:
        try:
            came = urlsplit(asked.get("referer", ""))
        except ValueError:
            return
        target = came.path + (f"?{came.query}" if came.query else "")
        if came.netloc == asked.get("host") and is_local(target):
            kept = f"{RETURN_COOKIE}={quote(target, safe='')}; Path=/; HttpOnly; SameSite=Lax; Max-Age=600"
            answer.append("set-cookie", kept)

    def _return(self, asked: Headers, answer: MutableHeaders) -> None:
        kept = cookie_parser(asked.get("cookie", "")).get(RETURN_COOKIE)
        if kept is None:
            return
        target = unquote(kept)
        if answer.get("location") == "/" and is_local(target):
            answer["location"] = target
        answer.append("set-cookie", f"{RETURN_COOKIE}=; Path=/; HttpOnly; SameSite=Lax; Max-Age=0")
