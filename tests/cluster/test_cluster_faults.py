"""Nodes that die, are cut off and come back: what was acknowledged is there once on every node, and nobody is shown an error."""

from __future__ import annotations

import random
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pymysql
import pytest
from browser_server import dashboard
from everywhere import CROWD, Shop, actor, address, last
from patience import eventually
from shops import ADMIN, STAFF
from sqlalchemy import event

from bench.doors import rerun, visitor
from data import engines, jobs, queries, tokens
from data.access import Role
from data.customers import delete_many, restore_many
from data.database import Database, ask, snapshot
from data.errors import DatabaseBusy, DatabaseUnavailable, OutcomeUnknown
from data.jobs import running

WRITERS = 6
LONGEST = 20  # seconds for which a screen may be told that nobody answers, on a busy machine


class Writers:
    """People who delete and restore through all nodes until they are told to stop, each with customers of their own."""

    def __init__(self, shop: Shop) -> None:
        self.shop, self.stop = shop, threading.Event()
        self.told: list[tuple[int, str]] = []  # event and note of what was acknowledged
        self.unknown: list[str] = []  # notes of what nobody could tell
        self.errors: list[BaseException] = []
        self.reads = 0
        shops = [shop.through(number % 3 + 1) for number in range(WRITERS)]
        self.threads = [threading.Thread(target=self._write, args=(n, one)) for n, one in enumerate(shops)]
        self.threads += [threading.Thread(target=self._read, args=(shop.through(n),)) for n in (1, 2, 3)]

    def _write(self, number: int, database: Database) -> None:
        turn, mine = 0, list(CROWD[number::WRITERS])
        try:
            while not self.stop.is_set():
                note, one = f"{number} {turn}", mine[turn // 2 % len(mine)]
                change = restore_many if turn % 2 else delete_many
                try:
                    outcome = change(database, [one], actor=actor(number), reason=note)[0]
                except OutcomeUnknown:
                    self.unknown.append(note)
                else:
                    assert outcome.changed or self.unknown, note
                    if outcome.changed:
                        assert outcome.event_id is not None
                        self.told.append((outcome.event_id, note))
                turn += 1
        except BaseException as error:
            self.errors.append(error)

    def _read(self, database: Database) -> None:
        """Whoever reads sees at least what was acknowledged before. A node that dies under a screen interrupts it; the
        next looks are answered by another."""
        since = 0.0  # when it was interrupted
        try:
            while not self.stop.is_set():
                least = max((event_id for event_id, _ in self.told), default=0)
                try:
                    with snapshot(database) as moment:
                        head = queries.get_head(moment.connection, database.schema)
                except DatabaseUnavailable as error:
                    since = since or time.monotonic()
                    if time.monotonic() - since > LONGEST or isinstance(error, DatabaseBusy):
                        raise
                    time.sleep(0.02)
                    continue
                assert head is not None
                assert head.event_id >= least, "a stale answer"
                since = 0.0
                self.reads += 1
                time.sleep(0.02)
        except BaseException as error:
            self.errors.append(error)

    def go_on(self, more: int = 5) -> None:
        """Returns once so many changes were acknowledged and read from now on, or somebody was shown an error."""
        known, read = len(self.told), self.reads
        eventually(
            lambda: bool(self.errors) or (len(self.told) >= known + more and self.reads >= read + more),
            "the others go on",
        )
        assert not self.errors, self.errors

    def assert_each_once(self, known: int) -> None:
        """After the last: exactly one event of each acknowledged change on every node, and none that nobody heard of."""
        assert self.errors == []
        events = self.shop.assert_same()[known:]
        found = Counter(event.note for event in events)
        assert max(found.values()) == 1
        acknowledged = {note for _, note in self.told}
        assert acknowledged <= set(found)
        assert set(found) - acknowledged <= set(self.unknown)
        by_id = {event.id: event.note for event in events}
        assert all(by_id[event_id] == note for event_id, note in self.told)


@contextmanager
def writing(shop: Shop) -> Iterator[Writers]:
    """Writers at work meanwhile, and afterwards what they were told compared with every node."""
    known, writers = len(shop.events()), Writers(shop)
    for thread in writers.threads:
        thread.start()
    try:
        writers.go_on()
        yield writers
        writers.go_on()
    finally:
        writers.stop.set()
        for thread in writers.threads:
            thread.join(120)
    shop.nodes.revive()
    writers.assert_each_once(known)


def test_nodes_killed_in_the_middle_of_writing_come_back_and_are_used_again(shop: Shop) -> None:
    with writing(shop) as writers:
        for number in (1, 2):
            time.sleep(random.uniform(0, 0.3))
            shop.nodes.node(number).kill()
            writers.go_on()
            shop.nodes.start(number)
            writers.go_on()
        shop.nodes.node(3).stop()  # in order, as for an upgrade
        writers.go_on()
        shop.nodes.start(3)
    # Whoever connects anew comes to the first host again, once its ten seconds of being avoided are over.
    assert address(shop.through(1)) == shop.nodes.node(1).port


@pytest.mark.parametrize("moment", ["before", "after"])
def test_a_node_that_dies_right_before_or_right_after_the_commit(shop: Shop, moment: str) -> None:
    database, node = shop.through(1), shop.nodes.node(1)
    killed: list[int] = []

    @event.listens_for(database.engine, "commit")
    def die(connection: Any) -> None:
        if killed:
            return
        killed.append(node.pid)
        if moment == "after":
            connection.connection.commit()
        node.kill()

    known = len(shop.events(2))
    outcome = delete_many(database, [CROWD[0]], actor=STAFF, reason="requested", note="the one")[0]
    assert killed
    assert outcome.changed
    shop.nodes.start(1)
    events = shop.assert_same()
    assert [(e.id, e.action, e.customer_id, e.note) for e in events[known:]] == [
        (outcome.event_id, "delete", CROWD[0], "the one")
    ]


def test_a_job_whose_node_dies_goes_on_through_another(shop: Shop) -> None:
    database = shop.through(3)
    job = jobs.prepare(database, "delete", actor=STAFF, reason="inactive", ids=CROWD)
    jobs.start(database, job.id, actor=STAFF)
    worker = threading.Thread(target=running.run_pending, args=(database,), kwargs={"size": 2})
    worker.start()
    other = shop.through(1)
    eventually(lambda: jobs.get(other, job.id).done >= 4, "some of it is done")
    shop.nodes.node(3).kill()
    worker.join(120)
    eventually(lambda: running.run_pending(other) >= 0 and jobs.get(other, job.id).state == "done", "the job is done")
    shop.nodes.start(3)
    assert jobs.counts(other, job.id) == {"done": len(CROWD)}
    told = Counter(event.customer_id for event in shop.assert_same() if event.batch_id == job.id)
    assert told == Counter(CROWD)


def test_a_node_that_is_cut_off_answers_nobody_and_all_go_on_with_the_others(shop: Shop) -> None:
    with writing(shop) as writers:
        shop.nodes.isolate(1)
        writers.go_on(20)
        for statement in ("SELECT COUNT(*) FROM {}.customers", "UPDATE {}.customers SET phone = 'lost'"):
            with pytest.raises(pymysql.err.OperationalError) as refused:
                shop.nodes.node(1).ask(statement.format(shop.name))
            assert refused.value.args[0] == 1047
        fresh = shop.through(1)
        assert address(fresh) != shop.nodes.node(1).port
        assert restore_many(fresh, [1], actor=ADMIN, reason="mistake")[0].changed is False
        shop.nodes.join_again(1)


def test_a_node_that_lost_its_data_directory_is_given_all_of_it_by_another(shop: Shop) -> None:
    node = shop.nodes.node(2)
    node.kill()
    node.lose_data()
    outcome = delete_many(shop.through(2), [CROWD[1]], actor=STAFF, reason="requested")[0]
    shop.nodes.start(2)
    assert shop.assert_same()[-1].id == outcome.event_id
    assert "rsync SST completed on joiner" in node.log()


def test_a_node_that_is_not_in_step_is_left_for_one_that_is(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    """As while it sends all of its data to another, or while a backup holds it: it says that it is ready, and answers nobody."""
    node, hurried = shop.nodes.node(1), "SET GLOBAL wsrep_provider_options = 'repl.causal_read_timeout={}'"
    rested, *busy = (shop.through(1) for _ in range(4))
    assert {address(database) for database in (rested, *busy)} == {node.port}
    node.ask(hurried.format("PT1S"))  # instead of half a minute
    with node.held_back():
        outcome = delete_many(shop.through(2), [CROWD[2]], actor=STAFF, reason="requested")[0]
        eventually(lambda: node.status("local_state") == "2", "it says that it is not in step")
        assert address(shop.through(1)) != node.port  # whoever comes
        with monkeypatch.context() as patched:
            patched.setattr(engines, "LONGEST_PAUSE", 0.0)
            assert last(rested) == outcome.event_id  # whose connection rested
        with monkeypatch.context() as patched:
            patched.setattr(engines, "LONGEST_PAUSE", 3600.0)
            # Whoever is at it waits in vain first, with a screen, a question, or a change.
            assert last(busy[0]) == outcome.event_id
            assert ask(busy[1], lambda c: queries.get_customer(c, shop.made.schema, CROWD[2])).deleted_at  # type: ignore[union-attr]
            assert delete_many(busy[2], [CROWD[3]], actor=STAFF, reason="requested")[0].changed
            assert node.port not in {address(database) for database in (rested, *busy)}
    node.ask(hurried.format("PT30S"))
    assert shop.assert_same()[-1].customer_id == CROWD[3]


def test_people_at_the_dashboard_and_programs_go_on_when_a_node_is_killed(shop: Shop, tmp_path: Path) -> None:
    known, token = len(shop.events()), tokens.add(shop.made, "people", role=Role.STAFF, actor=ADMIN)
    mine, refused = CROWD[:24], list[str]()
    with (
        dashboard(shop.nodes.url(shop.name), tmp_path / "log") as server,
        httpx.Client(base_url=server.url, headers={"Authorization": f"Bearer {token}"}, timeout=60) as client,
        visitor(server.url) as page,
    ):
        for number, one in enumerate(mine):
            if number == len(mine) // 2:
                shop.nodes.node(1).kill()
            answer = client.delete(f"/staff/customers/{one}", params={"reason": "mistake"})
            assert (answer.status_code, answer.json().get("changed")) == (200, True), answer.text
            listed = client.get("/staff/customers/deleted")
            if listed.status_code != 200:  # it was being read when the node died
                refused.append(listed.json()["error"]["code"])
            rerun(page)  # fails where the page shows a traceback
        assert refused in ([], ["database_unavailable"])
        assert one in [row["id"] for row in client.get("/staff/customers/deleted").json()["items"]]
        assert client.get("/readyz").status_code == 200
        assert "Traceback" not in (tmp_path / "log").read_text()
    shop.nodes.start(1)
    told = Counter(event.customer_id for event in shop.assert_same()[known:] if event.action == "delete")
    assert told == Counter(mine)
