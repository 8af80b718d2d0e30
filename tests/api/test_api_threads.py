"""Requests that wait for the database hold up each other, and nothing else of the server."""

from __future__ import annotations

import threading
from typing import Any

import anyio
import httpx
import pytest
from anyio import to_thread
from callers import Caller

import api
from web import admitting, exporting, threads


def test_when_every_thread_of_the_api_waits_the_rest_of_the_server_answers(
    ask: Caller, monkeypatch: pytest.MonkeyPatch
) -> None:
    end, real = threading.Event(), admitting.admit

    def hold(*given: Any) -> Any:
        assert end.wait(60)
        return real(*given)

    monkeypatch.setattr(admitting, "admit", hold)
    monkeypatch.setattr(threads, "MOST_WAITING", 3)
    # A parameter that is not known is told in a thread as well.
    paths = ["/staff/customers", "/staff/customers?colour=red"] * 17 + ["/reports/revenue"]
    answers: list[int] = []

    async def crowd() -> None:
        transport = httpx.ASGITransport(api.app)
        async with httpx.AsyncClient(transport=transport, base_url="http://localhost") as client:

            async def one(path: str) -> None:
                answers.append((await client.get(path)).status_code)

            with anyio.fail_after(30):
                async with anyio.create_task_group() as group:
                    try:
                        for path in paths:
                            group.start_soon(one, path)
                        while threads.THREADS.statistics().tasks_waiting < 3:
                            await anyio.sleep(0.01)
                        for path in paths[:2]:
                            busy = await client.get(path)
                            assert (busy.status_code, busy.json()["error"]["code"]) == (503, "busy")
                            assert int(busy.headers["Retry-After"]) >= 1
                        assert (await client.get("/healthz")).status_code == 200
                        assert (await client.get("/readyz")).status_code == 200
                        assert await to_thread.run_sync(lambda: "a file of Streamlit's") == "a file of Streamlit's"
                    finally:
                        end.set()

    assert ask.client.portal is not None
    ask.client.portal.call(crowd)
    assert answers == [401] * 35


def test_the_pages_of_a_file_are_read_in_threads_of_their_own(ask: Caller, monkeypatch: pytest.MonkeyPatch) -> None:
    used: list[Any] = []
    real = to_thread.run_sync

    async def note(*given: Any, **how: Any) -> Any:
        used.append(how.get("limiter"))
        return await real(*given, **how)

    monkeypatch.setattr(to_thread, "run_sync", note)
    assert ask("GET", "/staff/customers/deleted.csv").status_code == 200
    assert used == [threads.THREADS, exporting.READERS]
