"""Requests that a guard refuses: the answer, and a line in the log that nobody outside can write words into."""

from __future__ import annotations

import logging
import re
from ipaddress import ip_address

from starlette.datastructures import Headers
from starlette.responses import JSONResponse
from starlette.types import Receive, Scope, Send

access = logging.getLogger("evenbooks.access")

LONGEST_HOST = 253  # characters


class Refusal(JSONResponse):
    """An error as every answer of ours has it: {"error": {"code", "message"}}."""

    def __init__(self, status: int, code: str, message: str) -> None:
        super().__init__({"error": {"code": code, "message": message}}, status)
        self.code = code


async def refuse(scope: Scope, receive: Receive, send: Send, answer: Refusal) -> None:
    """Sends the answer and logs it; a websocket is closed before it opens, which its client sees as 403."""
    if answer.status_code != 404:  # whoever looks for holes makes thousands of those
        _log(scope, answer)
    if scope["type"] == "websocket":
        await send({"type": "websocket.close", "code": 1008, "reason": ""})
    else:
        await answer(scope, receive, send)


def _log(scope: Scope, answer: Refusal) -> None:
    """Of the path only the beginning that we know: the rest may be a name or an address."""
    method = "WEBSOCKET" if scope["type"] == "websocket" else scope["method"]
    plain = method if re.fullmatch(r"[A-Z]{1,20}", method) else "-"
    known = re.match(r"/(?:staff|reports|healthz|readyz|_stcore)(?=/|\Z)", scope["path"])
    path = f"{known[0]}/..." if known else "..."
    hosts = Headers(scope=scope).getlist("host")
    host = host_name(hosts[0]) if len(hosts) == 1 and len(hosts[0]) <= LONGEST_HOST else None
    status, code = answer.status_code, answer.code
    access.warning("refused %s %s %s %s %s host=%s", name_peer(scope), plain, path, status, code, host or "-")


def host_name(header: str) -> str | None:
    """The name in a Host header, lower case, without port and brackets; None where it is not one."""
    found = re.fullmatch(r"(?:\[([0-9a-f:.]+)\]|([a-z0-9._-]+))(?::\d{1,5})?", header.lower())
    return (found[1] or found[2]).rstrip(".") if found else None


def name_peer(scope: Scope) -> str:
    """The address that a request came from, without a zone; `unknown` where a proxy passed on something else."""
    peer = scope.get("client")
    try:
        return str(ip_address(peer[0].partition("%")[0])) if peer else "unknown"
    except ValueError:
        return "unknown"
