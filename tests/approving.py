"""Shops where deletions wait for approval, and the people who ask and decide there."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any
from unittest.mock import patch

from data.access import Actor, Door, Role, Standing
from data.approvals import deciding
from data.customers import delete_many
from data.database import Database, now
from data.records import Outcome
from data.settings import Approval

ON = {"approval": {"deletion": True}}


def person(name: str, role: Role = Role.MANAGER, **claims: Any) -> Actor:
    """Somebody who signed in as `name@example.com`."""
    said = {"email": f"{name}@example.com", "sub": f"sub-{name}", "name": name.title(), **claims}
    return Actor(f"{name}@example.com", role, Door.DASHBOARD, Standing(claims=said))


ASKER = person("ann", Role.STAFF)
BOSS = person("max")


def with_approval(shop: Database, **more: Any) -> Database:
    """The same shop, where deletions wait."""
    settings = shop.settings.model_copy(update={"approval": Approval(deletion=True, **more)})
    return replace(shop, settings=settings, schema=replace(shop.schema, settings=settings))


def ask(shop: Database, *ids: int, actor: Actor = ASKER, reason: str = "requested", note: str | None = None) -> int:
    """Asks for these customers' deletion; answers the last request's number."""
    outcomes: list[Outcome] = delete_many(shop, ids, actor=actor, reason=reason, note=note)
    number = outcomes[-1].request_id
    assert number is not None
    return number


@contextmanager
def days_later(days: float) -> Iterator[datetime]:
    """So many days from now, for whatever decides."""
    at = (now() + timedelta(days=days)).replace(microsecond=0)
    with patch.object(deciding, "now", lambda: at):
        yield at
