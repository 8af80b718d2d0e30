"""A program that uses the API beside the people: it lists, searches, deletes and restores."""

from __future__ import annotations

import asyncio
import http.client
import json
import os
import random
import time
from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

PAUSE = (0.5, 2.0)  # seconds between two requests
CLIENTS = 2
CYCLE = 2 * sum(PAUSE) / 2  # seconds from one customer to the next, beside what the answers take


async def call_api(
    url: str,
    number: int,
    customers: int,
    until: float,
    took: Callable[[str, float], None],
    trouble: Callable[[str], None],
) -> None:
    """One client with the token in TOKEN, until the time is over."""
    chance = random.Random(f"{os.environ.get('SEED', '1')}-api-{number}")
    connection = http.client.HTTPConnection(urlsplit(url).netloc, timeout=60)

    async def ask(action: str, method: str, path: str) -> Any:
        start = time.perf_counter()
        answer = await asyncio.to_thread(_request, connection, method, path)
        late = ", too late" if answer.get("changed") is False else ""  # somebody else did it before
        took(f"API: {action}{late}", time.perf_counter() - start)
        return answer

    async def ask_for_some(action: str, path: str) -> Any:
        answer = await ask(action, "GET", path)
        if not answer["items"]:
            raise RuntimeError(f"{path} answers an empty list")
        return answer

    after = ""
    while time.monotonic() < until:
        await asyncio.sleep(chance.uniform(*PAUSE))
        customer_id = chance.randint(1, customers)
        try:
            page = await ask_for_some("list", f"/staff/customers?limit=100{after and '&after=' + after}")
            after = page["next"] or ""
            await ask_for_some("deleted", "/staff/customers/deleted?limit=50")
            one = await ask("one", "GET", f"/staff/customers/{customer_id}")
            if one["id"] != customer_id:
                raise RuntimeError(f"customer {customer_id} is answered as {one['id']}")
            done = await ask("delete", "DELETE", f"/staff/customers/{customer_id}?reason=mistake")
            if done["changed"]:
                await asyncio.sleep(chance.uniform(*PAUSE))
                await ask("restore", "POST", f"/staff/customers/{customer_id}/restore")
            await ask_for_some("history", f"/staff/customers/{customer_id}/history")  # deleted, now or before
        except Exception as error:
            trouble(f"API client {number}: {type(error).__name__} {error}"[:600])
            connection.close()
            await asyncio.sleep(5)


def _request(connection: http.client.HTTPConnection, method: str, path: str) -> Any:
    connection.request(method, path, headers={"Authorization": f"Bearer {os.environ['TOKEN']}"})
    answer = connection.getresponse()
    body = answer.read()
    if answer.status != 200:
        raise RuntimeError(f"{method} {path}: {answer.status} {body!r}")
    return json.loads(body)
