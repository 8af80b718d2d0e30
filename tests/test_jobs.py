"""Jobs over many customers: what becomes of each, frozen ids, stop and resume, the role asked again, and undo."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any
from unittest.mock import patch

import pytest
from approving import BOSS, days_later, with_approval
from shops import ADMIN, AUDITOR, PHONE, STAFF, execute, fill, problems, refuse, rows, trigger

from data import approvals, changes, events, integrity, jobs, queries, tokens
from data.access import Actor, Door, Role, Standing
from data.customers import delete_many, restore_many
from data.database import Database, in_transaction, now, snapshot
from data.errors import Conflict, CustomerNotFound, InvalidInput, JobNotFound, NotPermitted
from data.events import Draft, Reason
from data.jobs import running, steering
from data.records import Event, Job

ON_SQLITE = pytest.mark.parametrize("engine_name", ["sqlite"], indirect=True)
ON_SERVERS = pytest.mark.parametrize("engine_name", ["mariadb", "postgresql"], indirect=True)


def prepare(shop: Database, kind: Any = "delete", **more: Any) -> Job:
    return jobs.prepare(shop, kind, **{"actor": STAFF, "reason": "duplicate", **more})


def run(shop: Database, job: Job, *, size: int = 2, actor: Actor = STAFF) -> Job:
    jobs.start(shop, job.id, actor=actor)
    running.run_pending(shop, size=size)
    return jobs.get(shop, job.id)


def results(shop: Database, job: Job) -> dict[Any, str | None]:
    return {item.customer_id: item.result for item in jobs.items(shop, job.id, limit=1000)}


def words(shop: Database, job: Job) -> dict[Any, str]:
    return {item.customer_id: item.words for item in jobs.items(shop, job.id, limit=1000) if item.words}


def history(shop: Database, **asked: Any) -> list[Event]:
    with snapshot(shop) as moment:
        return list(reversed(queries.list_events(moment.connection, shop.schema, limit=1000, **asked)))


def deleted(shop: Database) -> set[Any]:
    with snapshot(shop) as moment:
        return {key for key, _ in queries.list_deleted_ids(moment.connection, shop.schema)}


def many(shop: Database, ids: range = range(100, 130)) -> list[int]:
    """More customers, with an order each."""
    fill(shop.engine, "customers", [{"id": n, "name": f"Many {n}"} for n in ids])
    sold = {"ordered_at": "2024-01-05 00:00:00", "total": "1.10", "status": "paid"}
    fill(shop.engine, "orders", [{"id": n, "customer_id": n, **sold} for n in ids])
    return list(ids)


def test_what_becomes_of_each_customer(shop: Database, caplog: Any) -> None:
    orders = rows(shop, "orders")
    job = prepare(shop, ids=[1, 999, 2, 4, 5, 1], note="Asked by phone")
    assert (job.state, job.total, job.done, job.kind) == ("draft", 5, 0, "delete")
    assert job.preview == {"orders": 7, "open_orders": 0, "revenue": {"EUR": "231.26"}, "search": None}
    assert deleted(shop) == {4}
    delete_many(shop, [2], actor=ADMIN, reason="fraud")
    restore_many(shop, [4], actor=ADMIN, reason="mistake")

    with caplog.at_level(logging.INFO, "evenbooks.writes"):
        done = run(shop, job)
    assert (done.state, done.done, done.changed, done.owner, done.error) == ("done", 5, 2, None, None)
    assert results(shop, job) == {1: "done", 999: "not_found", 2: "already", 4: "conflict", 5: "done"}
    assert words(shop, job) == {4: "Restored by somebody since this was prepared."}
    assert jobs.counts(shop, job.id) == {"done": 2, "not_found": 1, "already": 1, "conflict": 1}
    assert deleted(shop) == {1, 2, 5}
    assert rows(shop, "orders") == orders

    ours = [event for event in history(shop) if event.batch_id == job.id]
    assert [(e.customer_id, e.action, e.actor, e.door, e.reason, e.note) for e in ours] == [
        (n, "delete", "test:staff", "dashboard", "duplicate", "Asked by phone") for n in (1, 5)
    ]
    assert [item.event_id for item in jobs.items(shop, job.id, result="done")] == [event.id for event in ours]
    body = bodies(shop)[ours[0].id - 1]
    assert body["before"] == body["after"] == {
        "orders": 3, "all_orders": 3, "last_order": 3, "revenue": {"EUR": "80.25"}
    }  # fmt: skip
    assert problems(shop) == []
    assert integrity.run_and_record(shop).even
    (line,) = [json.loads(r.message) for r in caplog.records if r.name == "evenbooks.writes"]
    assert (line["batch"], line["count"], line["changed"], line["outcome"]) == (job.id, 5, 2, "changed")
    assert "test:staff" not in json.dumps(line)

    # Repeating changes nothing: it has ended.
    with pytest.raises(Conflict, match="has ended"):
        jobs.start(shop, job.id, actor=STAFF)
    assert jobs.stop(shop, job.id, actor=STAFF) == done
    assert [one.id for one in jobs.latest(shop)] == [job.id]


def test_a_restore_meets_who_was_deleted_anew_or_erased_and_a_rule_of_theirs(
    empty_url: str, opened: Callable[..., Database]
) -> None:
    shop = opened(empty_url)
    ids = many(shop)
    delete_many(shop, ids, actor=ADMIN, reason="inactive")
    restore_many(shop, [100, 101], actor=ADMIN, reason="mistake")
    delete_many(shop, [100], actor=ADMIN, reason="inactive")
    job = prepare(shop, "restore", search="Many", reason="mistake")
    assert job.total == len(ids) - 1
    at_another_time(shop, 100)
    restore_many(shop, [102], actor=ADMIN, reason="mistake")
    erase_event(shop, 103)
    execute(shop.engine, trigger(shop.engine, rule(shop), when="BEFORE UPDATE"))
    done = run(shop, job, size=16)
    found = results(shop, job)
    assert {n: found[n] for n in (100, 102, 103, 104)} == {
        100: "conflict", 102: "already", 103: "conflict", 104: "conflict"
    }  # fmt: skip
    assert set(found.values()) == {"done", "conflict", "already"}
    assert done.changed == len(ids) - 1 - 4
    assert deleted(shop) == {100, 103, 104}
    said = words(shop, job)
    assert said[100] == "Deleted anew by somebody since this was prepared."
    assert "erased" in said[103]
    assert "not this one" in said[104]
    assert problems(shop) == []


def rule(shop: Database) -> str:
    stop = refuse(shop.engine, "not this one")
    if shop.engine.dialect.name == "sqlite":
        return f"{stop} WHERE NEW.id = 104"
    return f"IF NEW.id = 104 THEN {stop}; END IF"


def at_another_time(shop: Database, customer_id: int) -> None:
    """Restores and deletes again, at a time of another second."""
    restore_many(shop, [customer_id], actor=ADMIN, reason="mistake")
    later = now().replace(year=now().year + 1)
    why = Reason("inactive")
    in_transaction(
        shop, lambda c: changes.change(c, shop.schema, "delete", [customer_id], actor=ADMIN, reason=why, at=later)
    )


def erase_event(shop: Database, customer_id: int) -> None:
    def work(connection: Any) -> None:
        head = events.take_turns(connection, shop.schema)
        draft = Draft("erase", ADMIN, Reason("erasure"), customer_id)
        events.append(connection, shop.schema, [draft], head=head, at=now())

    in_transaction(shop, work)


@ON_SERVERS
def test_a_key_that_is_taken_is_one_customers_affair(empty_url: str, opened: Callable[..., Database]) -> None:
    """What is unique among the active: where a deleted customer's value is free, somebody else may have it by now."""
    active_phone = {
        "mariadb": "ALTER TABLE customers ADD taken VARCHAR(20) AS (IF(deleted_at IS NULL, phone, NULL)) PERSISTENT UNIQUE",
        "postgresql": "CREATE UNIQUE INDEX one_each ON customers (phone) WHERE deleted_at IS NULL",
    }
    shop = opened(empty_url)
    kind = "postgresql" if shop.schema.dialect == "postgresql" else "mariadb"
    execute(shop.engine, active_phone[kind])
    ids = many(shop, range(100, 111))
    for n in ids:
        execute(shop.engine, f"UPDATE customers SET phone = '+{n}' WHERE id = {n}")
    delete_many(shop, ids, actor=ADMIN, reason="inactive")
    fill(shop.engine, "customers", [{"id": n + 100, "name": "Heir", "phone": f"+{n}"} for n in (103, 110)])
    job = run(shop, prepare(shop, "restore", ids=ids), size=100)
    assert (job.state, job.changed) == ("done", 9)
    assert set(words(shop, job)) == {103, 110}
    assert "+103" not in str(words(shop, job))
    assert deleted(shop) == {103, 110}
    assert problems(shop) == []


def test_who_is_frozen_is_who_is_changed(shop: Database) -> None:
    ids = many(shop)
    job = prepare(shop, search="Many")
    many(shop, range(200, 203))
    delete_many(shop, [4], actor=ADMIN, reason="fraud")
    done = run(shop, job, size=7)
    assert (done.total, done.changed) == (30, 30)
    assert deleted(shop) == {4, *ids}
    again = prepare(shop, "restore", search="", deleted_reason="duplicate", reason="mistake")
    assert (again.total, again.preview["revenue"]) == (30, {"EUR": "33.00"})
    assert run(shop, again).changed == 30
    assert deleted(shop) == {4}
    since = {of.id: [b["deleted_at"] for b in bodies(shop) if b["batch_id"] == of.id] for of in (job, again)}
    assert since[job.id] == since[again.id]
    assert problems(shop) == []
    with pytest.raises(InvalidInput, match="nobody"):
        prepare(shop, search="Nobody at all")


def bodies(shop: Database) -> list[dict[str, Any]]:
    with shop.engine.connect() as connection:
        return [link.body for link in events.walk(connection, shop.schema)]


def test_what_a_job_changed_is_undone_and_what_somebody_else_changed_since_is_not(shop: Database) -> None:
    ids = many(shop)
    job = run(shop, prepare(shop, ids=[*ids, 4], note="Twice"), size=9)
    restore_many(shop, [101, 102], actor=ADMIN, reason="mistake")
    delete_many(shop, [102], actor=ADMIN, reason="fraud")
    undone = jobs.undo(shop, job.id, actor=ADMIN)
    assert (undone.kind, undone.total, undone.undo_of, undone.state) == ("restore", 30, job.id, "running")
    assert jobs.undo(shop, job.id, actor=ADMIN).id == undone.id
    running.run_pending(shop, size=9)
    assert {n: r for n, r in results(shop, undone).items() if r != "done"} == {101: "conflict", 102: "conflict"}
    assert deleted(shop) == {4, 102}
    assert jobs.undo(shop, job.id, actor=ADMIN).id == undone.id
    redone = jobs.undo(shop, undone.id, actor=ADMIN)
    running.run_pending(shop)
    assert jobs.get(shop, redone.id).changed == 28
    assert deleted(shop) == {4, *ids} - {101}
    # Who is deleted again is so for the reason that they had.
    assert {(e.action, e.reason, e.note) for e in history(shop) if e.batch_id in (undone.id, redone.id)} == {
        ("restore", "undo", None),
        ("delete", "duplicate", "Twice"),
    }
    assert jobs.undone_by(shop, job) == jobs.get(shop, undone.id)
    assert problems(shop) == []


def test_each_is_deleted_again_for_a_reason_of_their_own(shop: Database) -> None:
    delete_many(shop, [1], actor=ADMIN, reason="fraud", note="A stolen card")
    delete_many(shop, [2], actor=ADMIN, reason="requested")
    execute(shop.engine, "UPDATE customers SET deleted_at = '2023-01-01 00:00:00' WHERE id = 4")  # another program
    restored = run(shop, prepare(shop, "restore", ids=[1, 2, 4], reason="mistake"))
    again = jobs.undo(shop, restored.id, actor=STAFF)
    running.run_pending(shop, size=2)
    assert [(e.customer_id, e.reason, e.note) for e in history(shop) if e.batch_id == again.id] == [
        (1, "fraud", "A stolen card"),
        (2, "requested", None),
        (4, "undo", None),
    ]


@ON_SQLITE
def test_it_is_stopped_between_batches_and_goes_on_where_it_was(shop: Database) -> None:
    ids = many(shop)
    job = prepare(shop, ids=ids)
    with after_batch(2, lambda: jobs.stop(shop, job.id, actor=ADMIN)):
        stopped = run(shop, job, size=7)
    assert (stopped.state, stopped.done, stopped.changed) == ("stopped", 14, 14)
    assert stopped.error == "Stopped by test:admin."
    assert running.run_pending(shop) == 0
    assert run(shop, job, size=7, actor=ADMIN).state == "done"
    assert deleted(shop) == {4, *ids}
    by = [event.actor for event in history(shop) if event.batch_id == job.id]
    assert by == ["test:staff"] * 14 + ["test:admin"] * 16
    with pytest.raises(JobNotFound):
        jobs.get(shop, "nothing")


@contextmanager
def after_batch(number: int, what: Callable[[], Any]) -> Iterator[None]:
    """Does something once so many batches are done."""
    done, carry, asked = [0], running.carry, running.actor_now

    def count(*arguments: Any) -> Any:
        done[0] += 1
        return carry(*arguments)

    def look(*arguments: Any) -> Any:
        if done[0] == number:
            done[0] += 1
            what()
        return asked(*arguments)

    with patch.multiple(running, carry=count, actor_now=look):
        yield


CLAIMS = {"iss": "https://id.example.com", "sub": "7", "email": "sue@example.com", "email_verified": True}
SUE = Actor("sue@example.com", Role.STAFF, Door.DASHBOARD, Standing(claims=CLAIMS))


@ON_SQLITE
def test_who_loses_the_role_meanwhile_changes_nobody_more(shop: Database, monkeypatch: Any, tmp_path: Path) -> None:
    ids, file = many(shop), tmp_path / "evenbooks.toml"
    file.write_text('[roles.staff]\nemails = ["sue@example.com"]\n')
    monkeypatch.setenv("EVENBOOKS_CONFIG", str(file))
    sue = replace(SUE, standing=Standing(claims={**CLAIMS, "name": "Sue", "picture": "https://example.com/sue.png"}))
    job = prepare(shop, ids=ids, actor=sue)
    with after_batch(1, lambda: file.write_text("[roles.staff]\nemails = []\n")):
        stopped = run(shop, job, size=7, actor=sue)
    assert (stopped.state, stopped.done) == ("stopped", 7)
    assert stopped.error == "sue@example.com, who asked for this, has no role any more."
    assert json.loads(str(stopped.standing)) == {"claims": CLAIMS, "owner": None, "token": None}
    with pytest.raises(NotPermitted):
        jobs.start(shop, job.id, actor=AUDITOR)
    assert run(shop, job, actor=ADMIN).state == "done"

    # A token that is revoked, and a role that is another one by now.
    teller = tokens.check(shop, tokens.add(shop, "till", role=Role.STAFF, actor=ADMIN))
    job = prepare(shop, "restore", ids=ids, actor=teller)
    with after_batch(1, lambda: tokens.revoke(shop, "till", actor=ADMIN)):
        stopped = run(shop, job, size=7, actor=teller)
    assert (stopped.state, stopped.done) == ("stopped", 7)
    assert "no longer in force" in str(stopped.error)
    file.write_text('[roles.auditor]\nemails = ["sue@example.com"]\n')
    stopped = run(shop, job, actor=SUE)
    assert (stopped.state, stopped.done) == ("stopped", 7)
    assert stopped.error == "The role auditor may not add, edit, delete or restore customers."


@ON_SQLITE
def test_only_who_may_and_only_what_is_there(shop: Database) -> None:
    for kind, actor in (("delete", AUDITOR), ("restore", AUDITOR), ("erase", STAFF)):
        with pytest.raises(NotPermitted):
            prepare(shop, kind, ids=[1], actor=actor)
    with pytest.raises(CustomerNotFound):
        prepare(shop, ids=["Ana"])
    with pytest.raises(InvalidInput, match="reason"):
        prepare(shop, ids=[1], reason=" ")
    job = prepare(shop, ids=[1])
    with pytest.raises(NotPermitted):
        jobs.start(shop, job.id, actor=AUDITOR)
    with pytest.raises(NotPermitted):
        jobs.stop(shop, job.id, actor=AUDITOR)
    with pytest.raises(Conflict, match="not over"):
        jobs.undo(shop, job.id, actor=STAFF)
    assert deleted(shop) == {4}
    assert rows(shop, "evenbooks_events")[-1][2] == "delete"  # the fixture's own


@ON_SQLITE
def test_with_approval_it_waits_and_runs_for_who_asked(shop: Database) -> None:
    strict = with_approval(shop)
    ids = many(strict)
    job = prepare(strict, ids=ids, actor=STAFF, note="A list by the board")
    waiting = jobs.start(strict, job.id, actor=STAFF)
    assert waiting.state == "waiting"
    assert waiting.request_id is not None
    assert jobs.start(strict, job.id, actor=STAFF) == waiting
    with pytest.raises(Conflict, match="Withdraw"):
        jobs.stop(strict, job.id, actor=STAFF)
    assert running.run_pending(strict) == 0
    (asked,) = [body for body in bodies(strict) if body["action"] == "request"]
    assert (asked["id"], asked["batch_id"], asked["customers"]) == (waiting.request_id, job.id, 30)
    assert asked["revenue"] == {"EUR": "33.00"}
    approvals.approve(strict, waiting.request_id, actor=BOSS)
    assert running.run_pending(strict) == 1
    assert deleted(strict) == {4, *ids}
    written = [body for body in bodies(strict) if body["action"] == "delete" and body["batch_id"] == job.id]
    assert {(body["actor"], body["request"]) for body in written} == {("test:staff", waiting.request_id)}
    assert problems(strict) == []
    assert integrity.run_and_record(strict).even
    # What was approved was approved for who asked, and that is asked again.
    teller = tokens.check(shop, tokens.add(shop, "till", role=Role.STAFF, actor=ADMIN))
    asked_by_till = jobs.start(strict, prepare(strict, ids=[1], actor=teller).id, actor=teller)
    approvals.approve(strict, asked_by_till.request_id or 0, actor=BOSS)
    jobs.stop(strict, asked_by_till.id, actor=ADMIN)
    tokens.revoke(shop, "till", actor=ADMIN)
    with pytest.raises(NotPermitted, match="no longer in force"):
        jobs.start(strict, asked_by_till.id, actor=ADMIN)
    # What restores needs none; what takes a restore back does.
    undone = jobs.undo(strict, job.id, actor=STAFF)
    assert running.run_pending(strict) == 1
    rejected = jobs.undo(strict, undone.id, actor=STAFF)
    assert rejected.state == "waiting"
    approvals.reject(strict, rejected.request_id or 0, actor=BOSS, note="No")
    assert jobs.get(strict, rejected.id).state == "refused"


@ON_SQLITE
def test_a_job_that_runs_when_approval_is_switched_on_has_to_be_asked_for(shop: Database) -> None:
    strict, ids, kept = with_approval(shop), many(shop), []
    job = prepare(shop, ids=ids)
    with after_batch(1, lambda: kept.append(jobs.stop(shop, job.id, actor=STAFF))):
        assert run(shop, job, size=7).done == 7
    execute(shop.engine, f"UPDATE evenbooks_jobs SET state = 'running' WHERE id = '{job.id}'")
    assert running.run_pending(strict, size=7) == 1
    stopped = jobs.get(strict, job.id)
    assert (stopped.state, stopped.done) == ("stopped", 7)
    assert "needs somebody's approval" in str(stopped.error)
    # Rejected, it is what it was: begun, and to be undone or asked for again.
    asked = jobs.start(strict, job.id, actor=STAFF)
    assert asked.state == "waiting"
    approvals.reject(strict, asked.request_id or 0, actor=BOSS, note="Not yet")
    left = jobs.get(strict, job.id)
    assert (left.state, left.ended_at, "rejected" in str(left.error)) == ("stopped", None, True)
    again = jobs.start(strict, job.id, actor=STAFF)
    approvals.approve(strict, again.request_id or 0, actor=BOSS)
    # Who may approve may stop what was asked for, and nothing else.
    with pytest.raises(NotPermitted):
        jobs.stop(strict, prepare(strict, ids=[1]).id, actor=BOSS)
    assert jobs.stop(strict, job.id, actor=BOSS).state == "stopped"
    assert run(strict, job, size=7).changed == 30
    assert integrity.run_and_record(strict).even


@ON_SQLITE
def test_an_approval_that_is_too_old_has_to_be_asked_for_again(shop: Database) -> None:
    strict = with_approval(shop)
    job = jobs.start(strict, prepare(strict, ids=[1, 2]).id, actor=STAFF)
    approvals.approve(strict, job.request_id or 0, actor=BOSS)
    jobs.stop(strict, job.id, actor=STAFF)
    for days, expected in ((13, "running"), (15, "waiting")):
        with days_later(days) as at, patch.object(steering, "now", lambda at=at: at), at_that_time(at):
            assert jobs.start(strict, job.id, actor=ADMIN).state == expected
        jobs.stop(strict, job.id, actor=ADMIN) if expected == "running" else None
    later = jobs.get(strict, job.id)
    assert (later.actor, later.request_id != job.request_id) == (ADMIN.id, True)


@contextmanager
def at_that_time(at: Any) -> Iterator[None]:
    with patch("data.database.now", lambda: at):
        yield


def test_a_job_that_would_move_a_report_changes_nobody(empty_url: str, opened: Callable[..., Database]) -> None:
    shop = opened(empty_url)
    ids = many(shop)
    execute(
        shop.engine, trigger(shop.engine, "UPDATE orders SET total = total + 1 WHERE customer_id = NEW.id AND id = 120")
    )
    before = rows(shop, "orders")
    job = first = run(shop, prepare(shop, ids=ids), size=15)
    assert (job.state, job.changed, job.done) == ("failed", 15, 15)
    assert "customer 120 would have moved the reports" in str(job.error)
    assert rows(shop, "orders") == before
    assert deleted(shop) == set(ids[:15])
    with pytest.raises(Conflict, match="has ended"):
        jobs.start(shop, job.id, actor=STAFF)
    execute(shop.engine, f"DROP TRIGGER t{' ON customers' if shop.schema.dialect == 'postgresql' else ''}")
    moved = "UPDATE orders SET ordered_at = '2023-01-05 00:00:00' WHERE customer_id = NEW.id AND id = 120"
    execute(shop.engine, trigger(shop.engine, moved, name="u"))
    job = run(shop, prepare(shop, ids=ids[15:]), size=100)
    assert (job.state, job.changed) == ("failed", 0)
    assert "by month" in str(job.error)
    assert deleted(shop) == set(ids[:15])
    assert problems(shop) == []
    # What it did before it failed can be undone.
    assert jobs.undo(shop, first.id, actor=STAFF).total == 15


@pytest.mark.parametrize("engine_name", ["mariadb"], indirect=True)
def test_a_table_that_cannot_roll_back_is_marked_back(
    empty_url: str, opened: Callable[..., Database], monkeypatch: Any
) -> None:
    shop = opened(empty_url)
    execute(shop.engine, "ALTER TABLE customers ENGINE=MyISAM")
    ids = many(shop)
    job, append = prepare(shop, ids=ids), queries.append_events

    def broken(connection: Any, schema: Any, written: Any, **more: Any) -> None:
        if written[0]["customer_id"] == 110:
            raise RuntimeError("no event")
        append(connection, schema, written, **more)

    monkeypatch.setattr(queries, "append_events", broken)
    stopped = run(shop, job, size=500)
    assert (stopped.state, stopped.done) == ("stopped", 10)
    assert deleted(shop) == set(ids[:10])
    monkeypatch.undo()
    assert run(shop, job, size=500).changed == 30
    assert problems(shop) == []


@ON_SQLITE
def test_currencies_and_statuses_are_kept_apart(empty_url: str, opened: Callable[..., Database]) -> None:
    sections = {**PHONE, "orders": {"status": "status", "revenue_statuses": ["paid"], "currency": "currency"}}
    orders = (
        "CREATE TABLE orders (id {key}, customer_id INTEGER, ordered_at {time} NULL, total DECIMAL(12,2) NOT NULL, "
        "status VARCHAR(10), currency CHAR(3) DEFAULT 'EUR')"
    )
    shop = opened(empty_url, sections=sections, orders=orders)
    execute(shop.engine, "UPDATE orders SET currency = 'USD' WHERE id IN (2, 5)")
    job = prepare(shop, search="")
    revenue = {"EUR": "114.39", "USD": "7.97"}
    assert job.preview == {"orders": 6, "open_orders": 2, "revenue": revenue, "search": ""}
    assert run(shop, job, size=3).changed == 5
    proofs = [body["before"]["revenue"] for body in bodies(shop) if body["action"] == "delete"]
    assert proofs[0] == {"EUR": "80.05", "USD": "0.20"}
    assert integrity.run_and_record(shop).even
