"""Two dashboards and two APIs, four processes on one database: whoever asks, by whichever door, it is done once, and all see it."""

from __future__ import annotations

import os
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
from approving import ASKER, BOSS, ask, person, with_approval
from auditing import assert_even
from browser_server import ROOT, dashboard, free_port
from patience import eventually
from shops import ADMIN, STAFF, fill, make_shop
from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from websockets.sync.client import ClientConnection

from bench.doors import visitor
from data import approvals, jobs, queries, tokens
from data.access import Role
from data.customers import edit
from data.database import Database, snapshot
from data.errors import Conflict
from data.queries import EventFilter

MANY = range(100, 260)


@contextmanager
def lone_api(url: str, log: Path) -> Iterator[str]:
    """`uvicorn api:app`; its address."""
    port = free_port()
    command = [sys.executable, "-m", "uvicorn", "api:app", "--port", str(port), "--no-server-header"]
    with log.open("wb") as out:
        process = subprocess.Popen(command, cwd=ROOT, env={**os.environ, "DATABASE_URL": url}, stdout=out, stderr=out)
    try:
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait(15)


@pytest.fixture
def four(empty_url: str, tmp_path: Path) -> Iterator[tuple[Database, list[httpx.Client], list[str]]]:
    """The shop, a client of each process, and the addresses of the dashboards, which come first."""
    shop = make_shop(empty_url, sections=None)
    fill(shop.engine, "customers", [{"id": n, "name": f"Many {n}"} for n in MANY])
    sold = {"ordered_at": "2024-01-05 00:00:00", "total": "1.10", "status": "paid"}
    fill(shop.engine, "orders", [{"id": n, "customer_id": n, **sold} for n in MANY])
    secret = tokens.add(shop, "test", role=Role.STAFF, actor=ADMIN)
    logs = [tmp_path / f"log{n}" for n in range(4)]
    with ExitStack() as stack:
        apis = [stack.enter_context(lone_api(empty_url, log)) for log in logs[2:]]  # they start meanwhile
        boards = [stack.enter_context(dashboard(empty_url, log)).url for log in logs[:2]]
        clients = [
            stack.enter_context(httpx.Client(base_url=url, headers={"Authorization": f"Bearer {secret}"}, timeout=120))
            for url in (*boards, *apis)
        ]
        for client in clients:
            eventually(lambda client=client: answers(client))  # type: ignore[misc]
        yield shop, clients, boards
    for log in logs:
        assert "Traceback" not in log.read_text()
        assert "internal_error" not in log.read_text()
    shop.engine.dispose()


def answers(client: httpx.Client) -> bool:
    try:
        return client.get("/readyz").status_code == 200
    except httpx.TransportError:
        return False


def at_all_doors(clients: Sequence[httpx.Client], method: str, path: str, ids: Sequence[int]) -> dict[int, list[Any]]:
    """Asks at every door for each of these, many at once; the answers by customer."""
    asked = [(one, client) for one in ids for client in clients]
    with ThreadPoolExecutor(8) as pool:
        told = list(pool.map(lambda a: a[1].request(method, path.format(a[0]), params={"reason": "mistake"}), asked))
    found: dict[int, list[Any]] = {one: [] for one in ids}
    for (one, _), answer in zip(asked, told, strict=True):
        assert answer.status_code == 200, answer.text
        found[one].append(answer.json())
    return found


def look(session: ClientConnection) -> bytes:
    """Runs the first page again, as whoever sits there does; all that the browser gets."""
    message = BackMsg()
    message.rerun_script.query_string = ""
    session.send(message.SerializeToString())
    received = b""
    while True:
        raw = session.recv(timeout=60)
        answer = ForwardMsg.FromString(raw)
        assert not answer.delta.new_element.HasField("exception"), answer
        received += raw  # type: ignore[operator]
        if answer.WhichOneof("type") == "script_finished" and answer.script_finished != 2:
            return received


def times(shop: Database, action: str) -> Counter[int]:
    """How many events of this action each customer has."""
    with snapshot(shop) as moment:
        where = EventFilter(action=action)
        found = queries.list_events(moment.connection, shop.schema, where=where, limit=10_000)
    return Counter(int(str(one.customer_id)) for one in found)


def test_whoever_asks_it_is_done_once_and_everybody_sees_it(
    four: tuple[Database, list[httpx.Client], list[str]],
) -> None:
    shop, clients, boards = four
    with visitor(boards[0]) as here, visitor(boards[1]) as there:
        assert all(b"Ana Lima" in look(session) for session in (here, there))
        # By all doors at once, each of these: one did it, the others learn when.
        ids = [1, *range(100, 120)]
        for told in at_all_doors(clients, "DELETE", "/staff/customers/{}", ids).values():
            assert sorted(one["changed"] for one in told) == [False, False, False, True]
            assert len({one["deleted_at"] for one in told}) == 1
        assert times(shop, "delete") == dict.fromkeys(ids, 1)
        eventually(lambda: all(b"Ana Lima" not in look(session) for session in (here, there)))
        for told in at_all_doors(clients, "POST", "/staff/customers/{}/restore", ids).values():
            assert sorted(one["changed"] for one in told) == [False, False, False, True]
        assert times(shop, "restore") == dict.fromkeys(ids, 1)
        eventually(lambda: all(b"Ana Lima" in look(session) for session in (here, there)))
    # Two jobs over the same people, which the dashboards' workers do, while the doors delete some of them.
    started = [jobs.prepare(shop, "delete", actor=STAFF, reason="inactive", ids=range(120, 240)) for _ in range(2)]
    for job in started:
        jobs.start(shop, job.id, actor=STAFF)
    by_hand = at_all_doors(clients, "DELETE", "/staff/customers/{}", [*range(230, 250)])
    eventually(lambda: all(jobs.get(shop, job.id).state == "done" for job in started))
    ended = [jobs.get(shop, job.id) for job in started]
    assert [job.done for job in ended] == [120, 120]
    changed = sum(one["changed"] for told in by_hand.values() for one in told)
    assert changed + sum(job.changed for job in ended) == 130
    assert {one: times(shop, "delete")[one] for one in range(120, 250)} == dict.fromkeys(range(120, 250), 1)
    # A request that two managers answer at once, while the doors delete whom it is about.
    waiting = with_approval(shop)
    numbers = {one: ask(waiting, one, actor=ASKER) for one in (250, 251, 252)}

    def approve(number: int, manager: Any) -> str:
        try:
            return approvals.approve(waiting, number, actor=manager).state
        except Conflict as error:
            return str(error)

    asked = [(number, manager) for number in numbers.values() for manager in (BOSS, person("mia"))]
    with ThreadPoolExecutor(8) as pool:
        decided = [pool.submit(approve, *one) for one in asked]
        by_hand = at_all_doors(clients, "DELETE", "/staff/customers/{}", [*numbers])
    for one, number in numbers.items():
        said = [future.result() for future, (of, _) in zip(decided, asked, strict=True) if of == number]
        assert said.count("approved") + sum(told["changed"] for told in by_hand[one]) == 1, said
        assert times(shop, "delete")[one] == 1
    # Two who edit what both had on their screens.
    with ThreadPoolExecutor(2) as pool:
        edits = [pool.submit(edit, shop, 2, {"name": f"Bo {n}"}, shown={"name": "Bo Ek"}, actor=STAFF) for n in (1, 2)]
        lost = [one for one in edits if isinstance(one.exception(), Conflict)]
    assert (len(lost), times(shop, "edit")[2]) == (1, 1)
    assert_even(shop)
