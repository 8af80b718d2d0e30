"""Our server and the database's killed in the middle of everything: what was told is there once, and nothing is half done.

Jobs and the migration under a killed process of ours: tests/test_killed_jobs.py, tests/test_killed_migration.py.
"""

from __future__ import annotations

import itertools
import os
import random
import signal
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import httpx
import pytest
from auditing import assert_even
from dying_servers import Mortal, MortalPostgres, api_server, child, die, mortal, was_killed
from fastapi.testclient import TestClient
from migrating import build
from patience import eventually
from shops import ADMIN, STAFF, fill, make_shop, problems, rows, settings_for
from sqlalchemy import Engine, event

import api
import run_customer_soft_delete_migration as command
from data import customers, engines, jobs, queries, tokens
from data import database as databases
from data.access import Role
from data.customers import delete_many, restore_many
from data.database import Database, attach, snapshot
from data.errors import DatabaseBusy, DatabaseUnavailable, OutcomeUnknown
from data.integrity import cli
from data.jobs import running
from data.migration.session import Session
from data.queries import EventFilter
from data.queries import events as statements

ON_SERVERS = pytest.mark.parametrize("engine_name", ["mariadb", "postgresql"], indirect=True)
LEASE = timedelta(seconds=1)
MOMENTS = ["lock_head", "mark_deleted", "append_events", "commit", "answer"]


def at_moment(moment: str, act: Callable[[], object]) -> None:
    """Does this once, in the process that calls: before that query of a change, before its COMMIT, or after that."""
    done: list[bool] = []

    def once() -> None:
        if not done:
            done.append(True)
            act()

    if moment == "commit":
        event.listen(Engine, "commit", lambda _connection: once())
    elif moment == "answer":
        original = customers.in_transaction

        def answered(*arguments: Any, **named: Any) -> Any:
            result = original(*arguments, **named)
            once()
            return result

        customers.in_transaction = answered
    else:
        query = getattr(queries, moment)

        def asked(*arguments: Any, **named: Any) -> Any:
            once()
            return query(*arguments, **named)

        setattr(queries, moment, asked)


def deletions(shop: Database, customer_id: int) -> int:
    """How many events say that this customer was deleted."""
    where = EventFilter(action="delete")
    with snapshot(shop) as moment:
        return len(queries.list_events(moment.connection, shop.schema, customer_id=customer_id, where=where))


def is_deleted(shop: Database, customer_id: int) -> bool:
    with snapshot(shop) as moment:
        return queries.get_customers(moment.connection, shop.schema, [customer_id])[customer_id].deleted_at is not None


@pytest.mark.parametrize(
    ("engine_name", "moment"),
    [*(("mariadb", moment) for moment in MOMENTS), *itertools.product(["sqlite", "postgresql"], MOMENTS[2:])],
    indirect=["engine_name"],
)
def test_our_server_killed_during_a_delete(shop: Database, moment: str, monkeypatch: pytest.MonkeyPatch) -> None:
    token = tokens.add(shop, "test", role=Role.STAFF, actor=ADMIN)
    monkeypatch.setenv("DATABASE_URL", shop.settings.database_url)
    shop.engine.dispose()  # what a fork would share
    with api_server(lambda: at_moment(moment, die)) as url, pytest.raises(httpx.TransportError):
        httpx.delete(
            f"{url}/staff/customers/1",
            params={"reason": "mistake"},
            headers={"Authorization": f"Bearer {token}"},
            timeout=60,
        )
    done = moment == "answer"
    assert (is_deleted(shop, 1), deletions(shop, 1)) == (done, done)
    assert delete_many(shop, [2], actor=STAFF, reason="mistake")[0].changed  # no lock was left
    assert delete_many(shop, [1], actor=STAFF, reason="mistake")[0].changed is not done
    assert deletions(shop, 1) == 1
    assert_even(shop)


@pytest.mark.parametrize("moment", ["insert_seals", "commit"])
def test_the_command_killed_while_it_seals(
    shop: Database, moment: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("DATABASE_URL", shop.settings.database_url)
    shop.engine.dispose()

    def work() -> None:
        if moment == "commit":  # the check before is kept in a transaction of its own
            insert = queries.insert_seals
            queries.insert_seals = lambda *a: (insert(*a), event.listen(Engine, "commit", die))
        else:
            at_moment(moment, die)
        cli.main(["--seal", "2024-01"])

    assert was_killed(work)
    assert rows(shop, "evenbooks_seals") == []
    assert delete_many(shop, [1], actor=STAFF, reason="mistake")[0].changed
    assert cli.main(["--seal", "2024-01"]) == 0
    assert "2024-01 is sealed: 3 orders" in capsys.readouterr().out
    assert_even(shop)


def test_a_server_that_froze_with_the_chain_in_its_hands_holds_it_for_a_minute_at_most(
    shop: Database, engine_name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is stopped, not killed: its connections stay open and silent, as those of a machine that vanished."""
    monkeypatch.setattr(engines, "IDLE", 2)
    monkeypatch.setattr(engines, "IDLE_READING", 2)
    monkeypatch.setattr(statements, "_LOCK_CHAIN", statements._LOCK_CHAIN.replace("60s", "2s"))
    settings = shop.settings
    shop.engine.dispose()
    for moment in ("commit",) if engine_name == "sqlite" else ("mark_deleted", "commit"):
        with child(lambda moment=moment: freeze(settings, moment)) as pid:  # type: ignore[misc]
            assert os.WIFSTOPPED(os.waitpid(pid, os.WUNTRACED)[1])
            if engine_name == "sqlite":  # a lock of a file is its owner's, who lives
                monkeypatch.setattr(databases, "PATIENCE", 0.2)
                with pytest.raises(DatabaseBusy):
                    delete_many(shop, [2], actor=STAFF, reason="mistake")
                os.kill(pid, signal.SIGKILL)
                os.waitpid(pid, 0)
                monkeypatch.undo()
            assert delete_many(shop, [2], actor=STAFF, reason="mistake")[0].changed
            assert restore_many(shop, [2], actor=STAFF, reason="undo")[0].changed
        assert not is_deleted(shop, 1)
    assert problems(shop) == []


def freeze(settings: Any, moment: str) -> None:
    at_moment(moment, lambda: os.kill(os.getpid(), signal.SIGSTOP))
    delete_many(attach(settings), [1], actor=STAFF, reason="mistake")


@pytest.fixture
def private(engine_name: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[Database, Mortal]]:
    """A shop on a server of its own."""
    with mortal(engine_name) as (url, server):
        shop = make_shop(url, sections=None)
        monkeypatch.setenv("DATABASE_URL", url)
        monkeypatch.setattr(databases, "_default", shop)
        monkeypatch.setattr(databases, "RECONNECTING", 0.5)
        yield shop, server
        shop.engine.dispose()


@ON_SERVERS
def test_the_databases_server_killed_at_every_moment_of_a_delete(
    private: tuple[Database, Mortal], monkeypatch: pytest.MonkeyPatch
) -> None:
    shop, server = private
    token = tokens.add(shop, "test", role=Role.STAFF, actor=ADMIN)
    tokens.wait_for_notes()
    with TestClient(api.app, raise_server_exceptions=False, headers={"Authorization": f"Bearer {token}"}) as client:

        def delete() -> tuple[int, Any]:
            answer = client.delete("/staff/customers/1", params={"reason": "mistake"})
            tokens.wait_for_notes()
            return answer.status_code, answer.json()

        for moment in MOMENTS[:-1]:
            for back in (False, True):
                before = deletions(shop, 1)
                with monkeypatch.context() as here:
                    if back:  # within the time for which the change tries again
                        here.setattr(databases, "RECONNECTING", 60)
                    here.setattr(databases, "PATIENCE", 60 if back else 0.5)
                    for name in MOMENTS[:3]:
                        here.setattr(queries, name, getattr(queries, name))
                    starting = threading.Thread(target=server.start)

                    def gone(back: bool = back, starting: threading.Thread = starting) -> None:
                        server.kill()
                        if back:
                            starting.start()

                    if moment == "commit":
                        event.listen(shop.engine, "commit", lambda _connection: gone(), once=True)
                    else:
                        at_moment(moment, gone)
                    status, told = delete()
                    if back:
                        starting.join()
                        assert (status, told.get("changed")) == (200, True), (moment, told)
                    else:
                        assert (status, told["error"]["code"]) in [
                            (503, "database_unavailable"),
                            (503, "outcome_unknown"),
                        ], (moment, told)
                        server.start()
                        known = told["error"]["code"] == "database_unavailable"
                        assert not known or not is_deleted(shop, 1), moment
                        assert known or moment == "commit", moment
                        if not is_deleted(shop, 1):
                            assert delete()[1]["changed"] is True
                assert (is_deleted(shop, 1), deletions(shop, 1)) == (True, before + 1), moment
                assert restore_many(shop, [1], actor=STAFF, reason="undo")[0].changed
    assert_even(shop)


@ON_SERVERS
def test_the_databases_server_killed_again_and_again_under_a_crowd_and_a_job(
    private: tuple[Database, Mortal], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each delete is told as done and is, once; or it is told that it is not known; or it is not done."""
    shop, server = private
    monkeypatch.setattr(databases, "PATIENCE", 2)
    fill(shop.engine, "customers", [{"id": n, "name": "Many"} for n in range(100, 1500)])
    job = jobs.prepare(shop, "delete", actor=STAFF, reason="inactive", ids=range(1000, 1500))
    jobs.start(shop, job.id, actor=STAFF)
    told, end, chance = dict[int, str](), threading.Event(), random.Random()

    def delete(ids: list[int]) -> None:
        for one in ids:
            if end.is_set():
                return
            try:
                told[one] = "done" if delete_many(shop, [one], actor=STAFF, reason="mistake")[0].changed else "before"
            except OutcomeUnknown:
                told[one] = "unknown"
            except DatabaseUnavailable:
                told[one] = "not done"

    def work() -> None:
        while not end.is_set() and jobs_state() != "done":
            try:
                running.run_pending(shop, lease=LEASE, size=20)
            except DatabaseUnavailable:
                time.sleep(0.1)

    def jobs_state() -> str | None:
        try:
            return jobs.get(shop, job.id).state
        except DatabaseUnavailable:
            return None

    people = [threading.Thread(target=delete, args=([*range(start, 1000, 3)],)) for start in (100, 101, 102)]
    worker = threading.Thread(target=work)
    for thread in (*people, worker):
        thread.start()
    for kill in range(4):
        seen = len(told)
        eventually(lambda seen=seen: len(told) > seen + 3 or not any(p.is_alive() for p in people))  # type: ignore[misc]
        time.sleep(chance.uniform(0, 0.15))
        if isinstance(server, MortalPostgres) and kill % 2:
            server.kill_a_backend("shop")
            continue
        server.kill()
        time.sleep(chance.uniform(0, 0.4))
        server.start()
    eventually(lambda: sum(said == "done" for said in told.values()) > 60 or not any(p.is_alive() for p in people))
    end.set()
    for thread in (*people, worker):
        thread.join(60)
        assert not thread.is_alive()
    eventually(lambda: jobs_state() is not None, "the server has recovered from the last of it")
    shop = attach(shop.settings)
    with snapshot(shop) as moment:
        found = queries.list_events(moment.connection, shop.schema, where=EventFilter(action="delete"), limit=5000)
        gone = {int(str(key)) for key, _ in queries.list_deleted_ids(moment.connection, shop.schema)}
    times = Counter(int(str(one.customer_id)) for one in found)
    assert set(times) == gone
    assert set(times.values()) == {1}
    assert "before" not in told.values()
    for one, said in told.items():
        assert times[one] in {"done": [1], "not done": [0], "unknown": [0, 1]}[said], (one, said)
    time.sleep(1.1)  # the lease of whoever was cut off
    running.run_pending(shop)
    ended = jobs.get(shop, job.id)
    assert (ended.state, ended.changed) == ("done", 500)
    assert delete_many(shop, [1], actor=STAFF, reason="mistake")[0].changed
    assert_even(shop)
    shop.engine.dispose()


@ON_SERVERS
def test_the_databases_server_killed_under_commands(
    engine_name: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The migration at several of its statements, and a seal: one sentence, an exit code, and run again it completes."""
    monkeypatch.setattr(databases, "RECONNECTING", 0.3)
    with mortal(engine_name) as (url, server):
        build(url)
        monkeypatch.setenv("DATABASE_URL", url)
        execute = Session._execute
        for number in (1, 4, 9):
            left = [number]

            def counted(self: Session, sql: str, left: list[int] = left) -> None:
                left[0] -= 1
                if left[0] == 0:
                    server.kill()
                execute(self, sql)

            monkeypatch.setattr(Session, "_execute", counted)
            assert command.main(["--revenue-index"]) == 1, number
            said = capsys.readouterr().err
            assert "does not answer" in said or "lost" in said, said
            assert said.count("\n") == 1, said
            server.start()
        monkeypatch.setattr(Session, "_execute", execute)
        assert command.main(["--revenue-index"]) == 0
        shop = attach(settings_for(url))
        assert_even(shop)
        capsys.readouterr()
        insert = queries.insert_seals

        def killed_first(*arguments: Any) -> None:
            server.kill()
            insert(*arguments)

        monkeypatch.setattr(queries, "insert_seals", killed_first)
        assert cli.main(["--seal", "2024-01"]) == 2
        assert capsys.readouterr().err.startswith("Could not look: The database ")
        monkeypatch.setattr(queries, "insert_seals", insert)
        server.start()
        shop.engine.dispose()
        assert rows(shop, "evenbooks_seals") == []
        assert cli.main(["--seal", "2024-01"]) == 0
        assert_even(shop)
        shop.engine.dispose()
