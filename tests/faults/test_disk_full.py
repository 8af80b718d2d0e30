"""A full disk: a sentence that says so, nothing half done, screens that stay, and well again once there is room."""

from __future__ import annotations

import json
import logging
import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any
from unittest.mock import patch

import httpx
import pytest
from auditing import assert_even
from browser_server import ROOT, dashboard
from erasing import BOSS
from migrating import build
from patience import eventually
from servers import mariadb, postgresql, restartable
from shops import ADMIN, STAFF, execute, fill, make_shop, problems, rows, settings_for, state
from small_disks import SmallDisk, small_disk
from sqlalchemy import event, text
from sqlalchemy.exc import DBAPIError

from data import approvals, jobs, queries, seals, tokens
from data import database as databases
from data.access import Role
from data.customers import add, delete_many, restore_many
from data.database import Database, attach, snapshot
from data.engines import make_engine
from data.errors import DatabaseBusy, DatabaseReadOnly, EvenbooksError, OutcomeUnknown
from data.jobs import running, worker
from data.retention import asking

FULL = r"disk .*is full .*[Nn]othing was changed"
MANY = range(1000, 2200)
SIZE = {"sqlite": 2, "mariadb": 200, "postgresql": 100}  # megabytes
SMALL = "-c checkpoint_timeout=1h -c max_wal_size=32MB -c autovacuum=off"
ONE_FILE = (
    "--innodb-data-file-path=ibdata1:12M:autoextend",
    "--innodb-autoextend-increment=1",
    "--innodb-file-per-table=0",
    "--innodb-buffer-pool-size=32M",
    "--performance-schema=OFF",
)


class Room:
    """A database that can be filled up, and given room again."""

    def __init__(self, shop: Database, fill: Callable[[], None], free: Callable[[], None]) -> None:
        self.shop, self.fill, self.free = shop, fill, free


def many(shop: Database) -> None:
    fill(shop.engine, "customers", [{"id": n, "name": f"Many {n}"} for n in MANY])


@contextmanager
def on_sqlite(url: str) -> Iterator[Room]:
    """A file that may have no more pages than it has."""
    shop = make_shop(url)
    many(shop)
    limits = [2**30]

    def limited(connection: Any, *_: object) -> None:
        connection.execute(f"PRAGMA max_page_count = {limits[-1]}")

    event.listen(shop.engine, "checkout", limited)

    def full() -> None:
        with shop.engine.connect() as connection:
            pages = connection.execute(text("PRAGMA page_count")).scalar_one()
            free = connection.execute(text("PRAGMA freelist_count")).scalar_one()
        limits.append(int(pages))
        assert free == 0

    yield Room(shop, full, lambda: limits.append(2**30))
    shop.engine.dispose()


def fill_up(url: str, disk: SmallDisk) -> None:
    """Takes all the room of MariaDB's disk, and of its file, which then has none to grow on."""
    execute_alone(url, "CREATE TABLE filler (id INTEGER AUTO_INCREMENT PRIMARY KEY, x VARCHAR(8000))")
    disk.fill()
    for size in (7000, 2000, 10):
        row = f"INSERT INTO filler (x) SELECT REPEAT('x', {size}) FROM seq_1_to_50"
        with pytest.raises(DBAPIError, match="is full"):
            execute_alone(url, *[row] * 10_000)


@contextmanager
def on_a_small_disk(engine_name: str) -> Iterator[Room]:
    """A server whose disk something else fills up."""
    with small_disk(SIZE[engine_name]) as disk, server_on(engine_name, disk) as (url, fill_up, free):
        shop = make_shop(url)
        many(shop)
        yield Room(shop, fill_up, free)
        shop.engine.dispose()


@pytest.fixture
def room(engine_name: str, tmp_path: Path) -> Iterator[Room]:
    """A shop on each engine. A file of SQLite is held to its size: its disk is another test's."""
    sqlite = engine_name == "sqlite"
    with on_sqlite(f"sqlite:///{tmp_path}/shop.sqlite") if sqlite else on_a_small_disk(engine_name) as room:
        yield room


def tried(work: Callable[[], Any]) -> bool:
    """Whether there was room for this."""
    try:
        work()
    except DatabaseReadOnly:
        return False
    return True


def until_full(work: Callable[[int], Any], numbers: range = MANY) -> tuple[int, str]:
    """Does this for one number after the other until there is no room; answers the number, and the sentence."""
    for number in numbers:
        try:
            work(number)
        except EvenbooksError as error:
            return number, str(error)
    raise AssertionError("the disk was not full")


def test_a_full_database_is_told_and_nothing_is_half_done(
    room: Room, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    shop = room.shop
    job = jobs.prepare(shop, "delete", actor=STAFF, reason="inactive", ids=[*MANY[-600:]])
    jobs.start(shop, job.id, actor=STAFF)
    room.fill()

    def delete(number: int) -> None:
        done.extend(o.customer.id for o in delete_many(shop, [number], actor=STAFF, reason="requested") if o.changed)

    done: list[Any] = []
    number, words = until_full(delete, MANY[:-600])
    assert re.search(FULL, words), words
    assert words.endswith(".")
    before = state(shop)
    told = [
        until_full(lambda n: add(shop, {"name": "New" * 15, "email": f"{'n' * 40}{n}@example.com"}, actor=STAFF))[1],
        until_full(lambda n: seals.seal(shop, "2024-01", actor=ADMIN), range(1))[1],
    ]
    for words in told:
        assert re.search(FULL, words), words
    assert len(rows(shop, "evenbooks_seals")) == 0
    added = len(rows(shop, "customers")) - len(before["customers"])
    assert len(rows(shop, "evenbooks_events")) - len(before["evenbooks_events"]) == added
    # The worker tells it once, and goes on by itself.
    caplog.set_level(logging.WARNING)
    working = worker._Worker(shop)
    for _ in range(3):
        assert working._look()
    lines = [record.getMessage() for record in caplog.records if record.name == "evenbooks"]
    stuck = jobs.get(shop, job.id)
    assert stuck.changed == stuck.done < stuck.total
    assert (stuck.state == "stopped" and re.search(FULL, stuck.error or "")) or len(
        [line for line in lines if re.search(f"Jobs wait: .*{FULL}", line)]
    ) == 1
    with snapshot(shop) as moment:
        assert queries.count_customers(moment.connection, shop.schema) > 0  # screens stay
        deleted = {key for key, _ in queries.list_deleted_ids(moment.connection, shop.schema)}
    assert {*done} <= deleted
    assert number not in deleted
    assert problems(shop) == []
    room.free()
    eventually(lambda: tried(lambda: delete(number)))  # MariaDB gives room back in the background
    assert restore_many(shop, [number], actor=STAFF, reason="undo")[0].changed
    if jobs.get(shop, job.id).state == "stopped":
        jobs.start(shop, job.id, actor=STAFF)
    execute(shop.engine, "UPDATE evenbooks_jobs SET lease_until = NULL, owner = NULL")  # the lease is over
    running.run_pending(shop)
    ended = jobs.get(shop, job.id)
    assert (ended.state, ended.changed) == ("done", 600)
    assert seals.seal(shop, "2024-01", actor=ADMIN)
    assert_even(shop)


def test_the_migration_on_a_full_disk_says_so_and_goes_on_when_there_is_room(engine_name: str) -> None:
    """As a command."""
    with small_disk(SIZE[engine_name]) as disk, server_on(engine_name, disk) as (url, fill_up, free):
        build(url)
        totals = orders(url)
        fill_up()
        code, words = migrate(url)
        assert code == 1, words
        assert re.fullmatch(r"The disk of the database is full \(.*\)\. Once there is room, .*\.\n", words), words
        assert orders(url) == totals
        free()
        eventually(lambda: migrate(url)[0] == 0)
        assert orders(url) == totals
        shop = attach(settings_for(url))
        assert_even(shop)
        shop.engine.dispose()


@contextmanager
def server_on(engine_name: str, disk: SmallDisk) -> Iterator[tuple[str, Callable[[], object], Callable[[], object]]]:
    """An empty database whose every file is on this disk, and what fills that up and frees it."""
    if engine_name == "sqlite":
        yield f"sqlite:///{disk.home}/shop.sqlite", disk.fill, disk.free
    elif engine_name == "mariadb":
        with patch.multiple(tempfile, tempdir=str(disk.home)), mariadb(*ONE_FILE) as template:
            execute_alone(template.format(name="mysql"), "CREATE DATABASE shop CHARACTER SET utf8mb4")
            url = template.format(name="shop")
            yield url, lambda: fill_up(url, disk), disk.free
    else:
        with patch.dict(os.environ, TMPDIR=str(disk.home)), patch.multiple(tempfile, tempdir=str(disk.home)):
            server = postgresql(SMALL)
            template = server.__enter__()
        try:
            execute_alone(template.format(name="postgres"), "CREATE DATABASE shop TEMPLATE template0")
            url = template.format(name="shop")

            def fill() -> None:
                # What is written next begins a new segment of the log, which has room for all of the test.
                execute_alone(url, "SELECT pg_switch_wal()", "CHECKPOINT", "CREATE TABLE begin_it AS SELECT 1")
                disk.fill()

            yield url, fill, disk.free
        finally:
            server.__exit__(None, None, None)


def execute_alone(url: str, *statements: str) -> None:
    engine = make_engine(settings_for(url).url)
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        for statement in statements:
            connection.execute(text(statement))
    engine.dispose()


def orders(url: str) -> Any:
    engine = make_engine(settings_for(url).url)
    with engine.connect() as connection:
        found = connection.execute(text("SELECT count(*), sum(CAST(total * 100 AS INTEGER)) FROM orders")).one()
    engine.dispose()
    return tuple(found)


def migrate(url: str) -> tuple[int, str]:
    """The command as people run it; its exit code and what it said."""
    command = [sys.executable, str(ROOT / "run_customer_soft_delete_migration.py"), "--database-url", url]
    done = subprocess.run([*command, "--revenue-index"], cwd=ROOT, capture_output=True, text=True, check=False)
    return done.returncode, done.stderr


@pytest.mark.parametrize("engine_name", ["mariadb"], indirect=True)
def test_a_full_binary_log_is_not_told_as_done_and_keeps_nobody_for_ever(
    engine_name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """MariaDB then waits within COMMIT, with the chain held, until somebody makes room; and says so in its own log alone."""
    monkeypatch.setattr(databases, "COMMIT", 1.0)
    monkeypatch.setattr(databases, "PATIENCE", 1.0)
    small = ("--innodb-buffer-pool-size=32M", "--performance-schema=OFF")
    with (
        small_disk(2) as disk,
        mariadb(*small, f"--log-bin={disk.home}/log", "--binlog-format=ROW") as template,
        restartable(template) as server,
    ):
        execute_alone(template.format(name="mysql"), "CREATE DATABASE shop CHARACTER SET utf8mb4")
        shop = make_shop(template.format(name="shop"))
        many(shop)
        disk.fill()
        done = list[int]()

        def delete(number: int) -> None:
            assert delete_many(shop, [number], actor=STAFF, reason="requested")[0].changed
            done.append(number)

        unknown, words = until_full(delete)
        assert words == str(OutcomeUnknown())
        with pytest.raises(DatabaseBusy):
            delete(unknown + 1)
        with snapshot(shop) as moment:
            assert queries.count_customers(moment.connection, shop.schema) > 0  # screens stay
        server.kill()
        disk.free()
        server.start()
        with snapshot(shop) as moment:
            deleted = {key for key, _ in queries.list_deleted_ids(moment.connection, shop.schema)}
        assert {*done} <= deleted
        assert unknown + 1 not in deleted
        delete(unknown + 1)
        assert problems(shop) == []
        assert_even(shop)
        shop.engine.dispose()


@pytest.mark.parametrize("engine_name", ["sqlite"], indirect=True)
def test_nobody_is_erased_whose_line_could_not_be_written(shop: Database, tmp_path: Path) -> None:
    delete_many(shop, [1, 2], actor=ADMIN, reason="requested")
    with small_disk(1) as disk:
        file = disk.home / "erasures.jsonl"
        policy = shop.settings.retention.model_copy(update={"erasures": str(file)})
        settings = shop.settings.model_copy(update={"retention": policy})
        kept = replace(shop, settings=settings, schema=replace(shop.schema, settings=settings))
        first = asking.prepare_one(kept, 1, actor=ADMIN)
        waiting = jobs.start(kept, first.id, actor=ADMIN)
        approvals.approve(kept, int(waiting.request_id or 0), actor=BOSS)
        file.write_text("\n" * 4000)  # so that a part of the line fits, and the rest does not
        disk.fill()
        before = rows(shop, "customers")
        jobs.run_pending(kept)
        stopped = jobs.get(kept, first.id)
        assert (stopped.state, stopped.done) == ("stopped", 0)
        assert re.search(r"file of erasures, .*erasures.jsonl, cannot be written \(No space left", stopped.error or "")
        assert "nobody is erased" in (stopped.error or "")
        assert rows(shop, "customers") == before
        disk.free()
        jobs.start(kept, first.id, actor=ADMIN)
        jobs.run_pending(kept)
        assert jobs.get(kept, first.id).state == "done"
        lines = [line for line in file.read_text().splitlines() if line.strip()]
        whole = [json.loads(line) for line in lines if line.endswith("}")]
        assert [line["customer_id"] for line in whole if "withdrawn" not in line] == [1]
    assert_even(shop)


@pytest.mark.parametrize("engine_name", ["sqlite"], indirect=True)
def test_the_server_stays_up_and_tells_people_and_clients(engine_name: str, tmp_path: Path) -> None:
    with small_disk(4) as disk:
        url = f"sqlite:///{disk.home}/shop.sqlite"
        shop = make_shop(url, sections=None)
        many(shop)
        token = tokens.add(shop, "test", role=Role.STAFF, actor=ADMIN)
        with dashboard(url, tmp_path / "log") as server:
            with httpx.Client(base_url=server.url, headers={"Authorization": f"Bearer {token}"}, timeout=60) as client:
                assert client.get("/staff/customers").status_code == 200
                disk.fill()
                acknowledged = []
                for number in MANY:
                    answer = client.delete(f"/staff/customers/{number}", params={"reason": "mistake"})
                    if answer.status_code != 200:
                        break
                    acknowledged.append(number)
                assert (answer.status_code, answer.headers["retry-after"]) == (503, "5")
                assert answer.json()["error"]["message"].endswith("Nothing was changed.")
                assert answer.json()["error"]["code"] == "database_read_only"
                assert client.get("/healthz").status_code == 200
                assert client.get("/_stcore/health").status_code == 200
                assert client.get("/staff/customers").status_code == 200
                assert client.get("/staff/customers/deleted").status_code == 200
                with snapshot(shop) as moment:
                    deleted = {key for key, _ in queries.list_deleted_ids(moment.connection, shop.schema)}
                assert deleted == {*acknowledged}
                disk.free()
                answer = client.delete(f"/staff/customers/{number}", params={"reason": "mistake"})
                assert (answer.status_code, answer.json()["changed"]) == (200, True)
            assert re.search(r"database_read_only: .*disk .*is full", (tmp_path / "log").read_text())
        assert_even(shop)
        shop.engine.dispose()
