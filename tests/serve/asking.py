"""One request to an ASGI application without a server, so that anything at all can be in it."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

from starlette.types import ASGIApp, Message, Receive, Scope, Send

LOCAL = (("host", "localhost:8501"),)


@dataclass(frozen=True)
class Answer:
    """What came back; a websocket that was closed before it opened has the status 403."""

    status: int
    headers: list[tuple[str, str]]
    body: bytes

    def header(self, name: str) -> str | None:
        """The last header of this name."""
        return dict(self.headers).get(name)

    def cookies(self) -> list[str]:
        """Every cookie that is set."""
        return [value for name, value in self.headers if name == "set-cookie"]


def page(status: int = 200, *headers: tuple[str, str], body: bytes = b"the page") -> ASGIApp:
    """An application that reads the whole request and answers this, with what it read behind it."""

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "websocket":
            return await send({"type": "websocket.accept"})
        read = b""
        while (message := await receive())["type"] == "http.request":
            read += message["body"]
            if not message.get("more_body"):
                break
        raw = [(name.encode(), value.encode()) for name, value in headers]
        await send({"type": "http.response.start", "status": status, "headers": raw})
        await send({"type": "http.response.body", "body": body + read})

    return app


def ask(
    app: ASGIApp,
    path: str = "/",
    *,
    headers: Sequence[tuple[str, str]] = LOCAL,
    body: Sequence[bytes] = (b"",),
    peer: str | None = "127.0.0.1",
    kind: str = "http",
    query: str = "",
) -> Answer:
    """The answer to one request; `body` comes in these parts."""
    sent: list[Message] = []
    parts = list(body)

    async def receive() -> Message:
        return {"type": "http.request", "body": parts.pop(0), "more_body": bool(parts)}

    async def send(message: Message) -> None:
        sent.append(message)

    scope: dict[str, Any] = {
        "type": kind,
        "path": path,
        "method": "POST",
        "query_string": query.encode(),
        "headers": [(name.encode(), value.encode("latin-1")) for name, value in headers],
        "client": (peer, 1) if peer else None,
        "scheme": "http",
    }
    # In a thread of its own: Playwright leaves an event loop running in this one.
    with ThreadPoolExecutor(1) as alone:
        alone.submit(asyncio.run, app(scope, receive, send)).result()
    if kind == "websocket":
        return Answer({"websocket.accept": 101, "websocket.close": 403}[sent[0]["type"]], [], b"")
    start, *rest = sent
    decoded = [(name.decode().lower(), value.decode("latin-1")) for name, value in start["headers"]]
    return Answer(start["status"], decoded, b"".join(m.get("body", b"") for m in rest))
