"""Who calls the API in the tests, and what an error looks like."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import httpx
from fastapi.testclient import TestClient
from shops import ADMIN

from data import tokens
from data.access import Role
from data.database import Database


@dataclass
class Caller:
    """Calls the API over this shop; a role's token is made when it is first asked for."""

    shop: Database
    client: TestClient
    made: dict[Role, str] = field(default_factory=dict)

    def token(self, role: Role) -> str:
        """The role's token."""
        if role not in self.made:
            self.made[role] = tokens.add(self.shop, f"test {role}", role=role, owner=ADMIN.id, actor=ADMIN)
        return self.made[role]

    def __call__(
        self, method: str, path: str, *, role: Role | None = Role.STAFF, headers: Any = None, **more: Any
    ) -> httpx.Response:
        """One request, as this role, or without a token."""
        sent = {"Authorization": f"Bearer {self.token(role)}"} if role else {}
        return self.client.request(method, path, headers={**sent, **(headers or {})}, **more)


# Puts a shop behind the API.
Serve = Callable[[Database], Caller]


def is_error(answer: httpx.Response, status: int, code: str) -> bool:
    """Whether this is the one shape of an error, with this status and code."""
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/json"
    body = answer.json()
    assert body.keys() == {"error"}
    assert body["error"].keys() == {"code", "message"}
    assert all(isinstance(words, str) and words for words in body["error"].values())
    return bool(body["error"]["code"] == code)
