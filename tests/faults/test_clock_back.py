"""The clock steps back, by an hour and by a day, and forward and back: nothing is done twice, hidden, stuck, or falsely alarmed."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from approving import ASKER, BOSS, ask, with_approval
from auditing import assert_even
from clocks import Clock, clock_of_ours, true_time
from erasing import erased
from shops import ADMIN, MANAGER, STAFF, execute, fill, problems, rows
from sqlalchemy import event

from data import approvals, downloads, integrity, jobs, queries, replica, retention, seals, sign_in, tokens
from data.access import Role
from data.customers import add, delete_many, edit, restore_many
from data.database import Database, snapshot
from data.errors import Conflict, DownloadNotFound, SignInRefused, StaleReplica, TokenRefused
from data.jobs import running
from data.queries import EventFilter
from data.records import Event
from data.replica import Freshness, Replica
from data.sign_in import Identity
from ui import checking

STEPS = pytest.mark.parametrize("hours", [1, 24], ids=["an hour", "a day"])
ON_SQLITE = pytest.mark.parametrize("engine_name", ["sqlite"], indirect=True)


@pytest.fixture
def clock() -> Iterator[Clock]:
    with clock_of_ours() as clock:
        yield clock


def history(shop: Database, **asked: Any) -> list[Event]:
    with snapshot(shop) as moment:
        return queries.list_events(moment.connection, shop.schema, limit=1000, **asked)


def delete(shop: Database, *ids: int) -> list[bool]:
    return [outcome.changed for outcome in delete_many(shop, ids, actor=STAFF, reason="mistake")]


def restore(shop: Database, *ids: int) -> list[bool]:
    return [outcome.changed for outcome in restore_many(shop, ids, actor=STAFF, reason="undo")]


@STEPS
def test_what_is_done_over_a_step_back_stays_in_order_and_even(shop: Database, clock: Clock, hours: int) -> None:
    clock.step(hours=hours)
    assert delete(shop, 1, 2) == [True, True]
    seals.seal(shop, "2024-01", actor=ADMIN)
    clock.right()
    assert delete(shop, 1, 3) == [False, True]
    assert restore(shop, 1) == [True]
    assert edit(shop, 1, {"name": "Ana Li"}, shown={"name": "Ana Lima"}, actor=STAFF).name == "Ana Li"
    assert delete(shop, 1) == [True]
    clock.step(hours=-hours)
    assert restore(shop, 1, 2) == [True, True]
    assert add(shop, {"name": "New"}, actor=STAFF).deleted_at is None
    clock.right()
    assert delete(shop, 2) == [True]
    assert problems(shop) == []
    assert_even(shop)
    told = history(shop)
    assert [one.id for one in told] == sorted((one.id for one in told), reverse=True)
    assert [one.action for one in history(shop, customer_id=1)] == ["restore", "delete", "edit", "restore", "delete"]
    last, *_ = [one for one in history(shop, customer_id=2) if one.action == "delete"]
    with snapshot(shop) as moment:
        (two,) = queries.get_customers(moment.connection, shop.schema, [2]).values()
    assert two.deleted_at == last.at


@STEPS
def test_an_event_whose_time_is_changed_is_found_all_the_same(shop: Database, clock: Clock, hours: int) -> None:
    clock.step(hours=hours)
    delete(shop, 1)
    clock.right()
    delete(shop, 2)
    (later, earlier, *_) = history(shop)
    assert later.at < earlier.at
    stored = earlier.at.strftime("%Y-%m-%d %H:%M:%S")  # type: ignore[union-attr]
    execute(shop.engine, f"UPDATE evenbooks_events SET at = '{stored}' WHERE id = {later.id}")
    assert problems(shop) == [f"{later.id}: its at is not what its body says"]
    assert integrity.run_and_record(shop).even is False


@STEPS
def test_the_history_of_a_day_has_what_was_written_before_and_after_the_step(
    shop: Database, clock: Clock, hours: int
) -> None:
    fill(shop.engine, "customers", [{"id": n, "name": "Many"} for n in range(100, 140)])
    begun = true_time()
    clock.step(hours=hours)
    ahead = clock.now(begun.tzinfo).replace(microsecond=0)
    delete(shop, *range(100, 110))
    clock.right()
    delete(shop, *range(110, 130))
    clock.step(hours=hours)
    delete(shop, *range(130, 140))
    found = history(shop, where=EventFilter(since=ahead))
    assert {int(str(one.customer_id)) for one in found} == {*range(100, 110), *range(130, 140)}
    before = history(shop, where=EventFilter(since=begun, until=ahead))
    assert {int(str(one.customer_id)) for one in before if one.customer_id} >= set(range(110, 130))
    clock.right()
    assert_even(shop)


@STEPS
def test_a_job_of_a_server_that_died_before_the_step_goes_on_at_once(shop: Database, clock: Clock, hours: int) -> None:
    clock.step(hours=hours)
    job = jobs.prepare(shop, "delete", actor=STAFF, reason="inactive", ids=[1, 2, 3])
    jobs.start(shop, job.id, actor=STAFF)
    dead = running._Run(shop, "dead", running.LEASE, 2)
    assert running.in_transaction(shop, lambda connection: dead._claim(connection, job.id))
    assert running.run_pending(shop) == 0  # its lease is in force
    clock.right()
    assert running.run_pending(shop) == 1
    done = jobs.get(shop, job.id)
    assert (done.state, done.changed) == ("done", 3)
    assert_even(shop)


def test_a_job_that_runs_while_the_clock_steps_does_nobody_twice(
    shop: Database, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    fill(shop.engine, "customers", [{"id": n, "name": "Many"} for n in range(100, 160)])
    job = jobs.prepare(shop, "delete", actor=STAFF, reason="inactive", ids=range(100, 160))
    jobs.start(shop, job.id, actor=STAFF)
    advance, steps = queries.advance_job, iter([1, -25, 48, -24, 24, -1, -23] * 40)

    def stepping(*arguments: Any, **named: Any) -> None:
        advance(*arguments, **named)
        clock.step(hours=next(steps))

    monkeypatch.setattr(queries, "advance_job", stepping)
    together = threading.Barrier(3)

    def work() -> None:
        together.wait()
        for _ in range(100):
            running.run_pending(shop, size=3)
            if jobs.get(shop, job.id).state == "done":
                return

    threads = [threading.Thread(target=work) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(120)
    clock.right()
    done = jobs.get(shop, job.id)
    assert (done.state, done.done, done.changed) == ("done", 60, 60)
    of_job = history(shop, where=EventFilter(batch_id=job.id))
    assert sorted(int(str(one.customer_id)) for one in of_job) == list(range(100, 160))
    assert problems(shop) == []
    assert_even(shop)


@ON_SQLITE
@STEPS
def test_requests_over_a_step_are_decided_once_and_expire_without_being_carried_out(
    shop: Database, clock: Clock, hours: int
) -> None:
    waiting = with_approval(shop, expires_days=1)
    clock.step(hours=hours)
    first, second = ask(waiting, 1), ask(waiting, 2)
    clock.right()
    assert approvals.approve(waiting, first, actor=BOSS).state == "approved"
    with pytest.raises(Conflict, match="approved already"):
        approvals.approve(waiting, first, actor=BOSS)
    clock.step(hours=hours + 25)
    assert approvals.expire_due(waiting) == 1
    clock.right()
    with pytest.raises(Conflict, match="expired already"):
        approvals.approve(waiting, second, actor=BOSS)
    third = ask(waiting, 2)
    clock.step(hours=-hours)
    assert approvals.expire_due(waiting) == 0
    assert approvals.approve(waiting, third, actor=BOSS).state == "approved"
    clock.right()
    assert [one.action for one in history(shop, customer_id=2)] == ["delete", "approve", "request", "expire", "request"]
    assert_even(waiting)


@ON_SQLITE
@STEPS
def test_a_link_is_good_for_minutes_and_not_for_as_long_as_the_clock_was_wrong(
    shop: Database, clock: Clock, hours: int
) -> None:
    clock.step(hours=hours)
    secret = downloads.offer(shop, "revenue", "csv", {}, actor=MANAGER)
    clock.right()
    with pytest.raises(DownloadNotFound):
        downloads.fetch(shop, secret, actor=MANAGER)
    secret = downloads.offer(shop, "revenue", "csv", {}, actor=MANAGER)
    clock.step(seconds=-30)  # two servers whose clocks differ by a little
    assert downloads.fetch(shop, secret, actor=MANAGER).report == "revenue"
    with pytest.raises(DownloadNotFound):
        downloads.fetch(shop, secret, actor=MANAGER)


@ON_SQLITE
@STEPS
def test_tokens_and_signing_out_hold_over_a_step(shop: Database, clock: Clock, hours: int) -> None:
    secret = tokens.add(shop, "short", role=Role.STAFF, actor=ADMIN, days=1)
    clock.step(hours=hours + 24)
    with pytest.raises(TokenRefused, match="expired"):
        tokens.check(shop, secret)
    clock.right()
    assert tokens.check(shop, secret).role == Role.STAFF
    clock.step(hours=-hours)
    assert tokens.check(shop, secret).role == Role.STAFF
    tokens.revoke(shop, "short", actor=ADMIN)
    clock.right()
    with pytest.raises(TokenRefused, match="revoked"):
        tokens.check(shop, secret)
    at = true_time()
    here = Identity("https://id.example.com", "u-1", None, "Ann", at, at + timedelta(hours=1))
    clock.step(hours=-hours)
    sign_in.sign_out(shop, here)
    with pytest.raises(SignInRefused):
        sign_in.require_valid(shop, here, clock.now(at.tzinfo))
    clock.right()
    with pytest.raises(SignInRefused):
        sign_in.require_valid(shop, here, at)
    again = replace(here, issued_at=at + timedelta(seconds=5))
    sign_in.require_valid(shop, again, at)


@ON_SQLITE
@STEPS
def test_a_replica_that_stands_still_is_never_fresh_by_a_clock_that_was_put_back(
    shop: Database, clock: Clock, hours: int, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    copy = tmp_path / "still.sqlite"
    copy.write_bytes(Path(str(shop.settings.url.database)).read_bytes())
    monkeypatch.setattr(replica, "KEPT", -1.0)
    monkeypatch.setattr(replica, "PATIENCE", 0.05)
    settings = shop.settings.model_copy(update={"reports_database_url": f"sqlite:///{copy}"})
    reported = replace(shop, settings=settings)
    own = Replica(replica.make_engine(settings.reports_url))
    monkeypatch.setitem(replica._replicas, shop.engine, own)
    other = Replica(own.engine)  # another server's, whose beats this one only reads
    for writes in (own, other):
        clock.right()
        beat = writes._beat(reported)
        execute(own.engine, "DELETE FROM evenbooks_heartbeat")
        execute(
            own.engine, f"INSERT INTO evenbooks_heartbeat (id, beat, at) VALUES (1, '{beat}', '2026-01-01 00:00:00')"
        )
        assert replica.freshness(reported).trouble is None  # type: ignore[union-attr]
        clock.step(hours=-hours)
        found = replica.freshness(reported)
        assert found is not None
        assert (found.lag, found.trouble) == (None, "unrelated")
        with pytest.raises(StaleReplica, match="further behind than can be told"):
            replica.source_of_reports(reported)
    own.engine.dispose()


@ON_SQLITE
def test_the_lag_grows_by_a_clock_that_nobody_can_set(shop: Database, clock: Clock) -> None:
    seen = Freshness(1.0, 60)
    clock.step(hours=-24)
    assert 1 <= (seen.by_now().lag or 0) < 30
    clock.step(hours=48)
    assert 1 <= (seen.by_now().lag or 0) < 30


@ON_SQLITE
@STEPS
def test_a_check_of_the_future_is_no_fresh_one(shop: Database, clock: Clock, hours: int) -> None:
    clock.step(hours=hours)
    report = integrity.run_and_record(shop)
    assert not checking.is_stale(report.snapshot_at)
    clock.right()
    assert checking.is_stale(report.snapshot_at)
    clock.step(hours=hours, seconds=-30)
    assert not checking.is_stale(report.snapshot_at)
    clock.step(hours=25)
    assert checking.is_stale(report.snapshot_at)


@ON_SQLITE
@STEPS
def test_who_is_due_and_who_was_erased_over_a_step(shop: Database, clock: Clock, hours: int, tmp_path: Path) -> None:
    policy = shop.settings.retention.model_copy(update={"days": 1})
    settings = shop.settings.model_copy(update={"retention": policy})
    due = replace(shop, settings=settings, schema=replace(shop.schema, settings=settings))
    clock.step(hours=hours)
    delete(due, 1)
    clock.right()
    with snapshot(due) as moment:
        found = retention.survey(moment.connection, due.schema, moment.at)
    assert (found.deleted, found.due) == (2, 0)
    assert erased(due, [1]).changed == 1
    clock.step(hours=-hours)
    assert erased(due, [2]).changed == 1
    clock.right()
    lines = [json.loads(line) for line in (tmp_path / due.settings.retention.erasures).read_text().splitlines()]
    assert [line["customer_id"] for line in lines] == [1, 2]
    assert_even(due)


@pytest.mark.parametrize("engine_name", ["mariadb"], indirect=True)
@pytest.mark.parametrize("hours", [-24, -1, 1, 24])
def test_the_databases_own_clock_is_nobodys(shop: Database, hours: int) -> None:
    shop.engine.dispose()
    event.listen(
        shop.engine,
        "connect",
        lambda connection, _: connection.cursor().execute(f"SET timestamp = UNIX_TIMESTAMP() + {hours * 3600}"),
    )
    begun = true_time()
    assert delete(shop, 1) == [True]
    job = jobs.prepare(shop, "delete", actor=STAFF, reason="inactive", ids=[2, 3])
    jobs.start(shop, job.id, actor=STAFF)
    assert jobs.run_pending(shop) == 1
    secret = downloads.offer(shop, "revenue", "csv", {}, actor=MANAGER)
    assert downloads.fetch(shop, secret, actor=MANAGER)
    seals.seal(shop, "2024-01", actor=ADMIN)
    assert restore(shop, 1) == [True]
    assert all(begun <= one.at <= true_time() for one in history(shop)[:5])  # type: ignore[operator]
    assert len(rows(shop, "evenbooks_seals")) == 1
    assert_even(shop)


@ON_SQLITE
def test_who_asks_by_the_dashboard_is_told_of_their_own_request(shop: Database, clock: Clock) -> None:
    """Of a request it is told by its time whether it was made just now."""
    waiting = with_approval(shop)
    number = ask(waiting, 1, actor=ASKER)
    clock.step(days=-1)
    assert ask(waiting, 1, actor=ASKER) == number
