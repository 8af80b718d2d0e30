"""Servers killed in the middle of a job, and several on one database: nothing is lost, and nothing is done twice."""

from __future__ import annotations

import os
import random
import signal
import threading
import time
from collections import Counter
from collections.abc import Iterator
from datetime import timedelta

import pytest
from patience import eventually
from shops import STAFF, execute, make_shop, problems

from data import database as databases
from data import integrity, jobs, queries
from data.database import Database, attach, snapshot
from data.jobs import running, worker
from data.records import Job

SIZE = 20_000
LEASE = timedelta(seconds=1)
ON_SQLITE = pytest.mark.parametrize("engine_name", ["sqlite"], indirect=True)


def crowd(shop: Database, count: int) -> None:
    """So many customers more, each with an order, made by the database itself."""
    digits = " UNION ALL ".join(f"SELECT {n}{' AS d' if not n else ''}" for n in range(10))
    numbers = "SELECT 1000 + a.d + 10 * b.d + 100 * c.d + 1000 * e.d + 10000 * f.d AS n FROM " + ", ".join(
        f"({digits}) {name}" for name in "abcef"
    )
    execute(
        shop.engine,
        f"INSERT INTO customers (id, name) SELECT n, 'Many' FROM ({numbers}) x WHERE n < {1000 + count}",
        "INSERT INTO orders (id, customer_id, ordered_at, total, status) "
        "SELECT id, id, '2024-01-05 00:00:00', 1.10, 'paid' FROM customers WHERE id >= 1000",
        "CREATE INDEX of_customer ON orders (customer_id)",
    )


@pytest.fixture
def busy(empty_url: str) -> Iterator[Database]:
    """A shop with customers for a job of 20,000."""
    shop = make_shop(empty_url)
    crowd(shop, SIZE)
    yield shop
    shop.engine.dispose()


def server(shop: Database, end: float) -> int:
    """A process that does what a server's worker does, until this time (monotonic seconds); answers its id."""
    child = os.fork()
    if child:
        return child
    try:
        own = attach(shop.settings)  # a connection is no other process's
        while time.monotonic() < end:
            running.run_pending(own, lease=LEASE, size=500)
            time.sleep(0.05)
    finally:
        os._exit(0)


def assert_done_once(shop: Database, job: Job, *, changed: int) -> None:
    """Each customer has one result and one event, in the order of the job, and the books are even."""
    assert (job.state, job.done, job.changed) == ("done", job.total, changed), job.error
    assert jobs.counts(shop, job.id) == {"done": changed}
    with snapshot(shop) as moment:
        told = queries.list_events(moment.connection, shop.schema, limit=SIZE + 100)
        ours = [event for event in reversed(told) if event.batch_id == job.id]
        items = queries.list_job_items(moment.connection, shop.schema, job.id, limit=SIZE)
    assert [event.customer_id for event in ours] == [item.customer_id for item in items]
    assert [event.id for event in ours] == [item.event_id for item in items]
    assert max(Counter(event.customer_id for event in ours).values()) == 1
    assert problems(shop) == []
    assert integrity.run_and_record(shop).even


def test_two_servers_of_which_one_after_the_other_is_killed(busy: Database) -> None:
    job = jobs.prepare(busy, "delete", actor=STAFF, reason="inactive", search="Many")
    jobs.start(busy, job.id, actor=STAFF)
    busy.engine.dispose()  # what a fork would share
    chance, end, kills, seen = random.Random(), time.monotonic() + 60, 0, 0
    servers = [server(busy, end) for _ in range(2)]
    try:
        while (now := jobs.get(busy, job.id)).state == "running" and time.monotonic() < end:
            time.sleep(chance.uniform(0.05, 0.4))
            if now.done > seen and kills < 4:
                kills, seen = kills + 1, now.done
                os.kill(servers[kills % 2], signal.SIGKILL)
                os.waitpid(servers[kills % 2], 0)
                busy.engine.dispose()
                servers[kills % 2] = server(busy, end)
    finally:
        for child in servers:
            os.kill(child, signal.SIGKILL)
            os.waitpid(child, 0)
    assert kills >= 3
    assert_done_once(busy, jobs.get(busy, job.id), changed=SIZE)


def test_killed_right_before_and_right_after_each_commit(empty_url: str) -> None:
    """The two moments between which a batch is either there as a whole or not at all."""
    shop = make_shop(empty_url)
    crowd(shop, 40)
    job = jobs.prepare(shop, "delete", actor=STAFF, reason="inactive", search="Many")
    jobs.start(shop, job.id, actor=STAFF)
    for name in ("before", "after"):
        shop.engine.dispose()
        child = os.fork()
        if not child:
            _kill_at_commit(shop, name)
        assert os.WIFSIGNALED(os.waitpid(child, 0)[1])
        left = jobs.get(shop, job.id)
        assert left.done == {"before": 0, "after": 10}[name]
        assert len([1 for item in jobs.items(shop, job.id, limit=100) if item.result]) == left.done
        time.sleep(1.1)  # the lease of who was killed
    running.run_pending(shop, size=10)
    assert_done_once(shop, jobs.get(shop, job.id), changed=40)


def _kill_at_commit(shop: Database, moment: str) -> None:
    """In a process of its own: claims the job, and dies around the first batch's commit."""
    try:
        advance = queries.advance_job

        def last(*arguments: object, **named: object) -> None:
            advance(*arguments, **named)  # type: ignore[arg-type]
            if moment == "before":
                os.kill(os.getpid(), signal.SIGKILL)

        def look(*arguments: object) -> object:
            if running_asked.append(1) or len(running_asked) == 2:
                os.kill(os.getpid(), signal.SIGKILL)
            return asked(*arguments)  # type: ignore[arg-type]

        running_asked: list[int] = []
        asked = running.actor_now
        queries.advance_job = last
        running.actor_now = look  # type: ignore[assignment]
        running.run_pending(attach(shop.settings), lease=LEASE, size=10)
    finally:
        os._exit(1)


def test_many_workers_at_once_share_the_jobs_and_do_each_once(shop: Database) -> None:
    crowd(shop, 300)
    parts = [range(1000 + n, 1300, 3) for n in range(3)]
    started = [jobs.prepare(shop, "delete", actor=STAFF, reason="inactive", ids=part) for part in parts]
    for job in started:
        jobs.start(shop, job.id, actor=STAFF)
    together, taken = threading.Barrier(6), list[int]()

    def work() -> None:
        together.wait()
        taken.append(running.run_pending(shop, size=11))

    threads = [threading.Thread(target=work) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sum(taken) == 3
    for job in started:
        assert_done_once(shop, jobs.get(shop, job.id), changed=100)


@ON_SQLITE
def test_the_worker_wakes_up_goes_on_after_trouble_and_ends_with_its_engine(
    shop: Database, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(worker, "LOOK", 60)
    crowd(shop, 20)
    jobs.ensure_worker(shop)
    jobs.ensure_worker(shop)
    (thread,) = workers()

    def delete(*ids: int) -> Job:
        job = jobs.prepare(shop, "delete", actor=STAFF, reason="inactive", ids=ids)
        return jobs.start(shop, job.id, actor=STAFF)

    first = delete(1000, 1001)
    eventually(lambda: jobs.get(shop, first.id).state == "done")
    with monkeypatch.context() as broken:
        broken.setattr(running, "run_pending", lambda _: 1 / 0)
        second = delete(1002)
        eventually(lambda: "Jobs wait: division by zero" in caplog.text)
        worker.wake(shop)
    worker.wake(shop)
    eventually(lambda: jobs.get(shop, second.id).state == "done")
    assert caplog.text.count("Jobs wait") == 1
    shop.engine.dispose()
    thread.join(5)
    assert not thread.is_alive()
    jobs.ensure_worker(shop)
    eventually(lambda: len(workers()) == 1)
    third = delete(1003)
    eventually(lambda: jobs.get(shop, third.id).state == "done")
    shop.engine.dispose()
    eventually(lambda: not workers())


@ON_SQLITE
def test_whoever_attaches_anew_gets_a_worker_again_whatever_went_wrong(
    shop: Database, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """Try again on a page lets the database go, and with it the worker."""
    monkeypatch.setenv("DATABASE_URL", shop.settings.database_url)
    monkeypatch.setattr(worker, "ATTACH", 0.05)
    over = threading.Event()
    databases.forget_default()
    with monkeypatch.context() as broken:
        broken.setattr(worker, "default", lambda: 1 / 0)
        jobs.work_for_default(over)
        eventually(lambda: "could not be started" in caplog.text)
    try:
        eventually(lambda: len(workers()) == 1)
        (first,) = workers()
        databases.forget_default()
        eventually(lambda: bool(workers()) and workers() != [first])
    finally:
        over.set()
        eventually(lambda: "evenbooks-attach" not in {thread.name for thread in threading.enumerate()})
        databases.forget_default()
    eventually(lambda: not workers())


def workers() -> list[threading.Thread]:
    """The threads that have not ended, also those that are about to."""
    return [thread for thread in threading.enumerate() if thread.name == "evenbooks-jobs"]
