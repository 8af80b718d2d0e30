"""Retention: who is due and when, and erasing again after a backup was really restored."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from copies import DUMPS, LOADS
from erasing import BOSS, approved, erased
from shops import ADMIN, PHONE, execute, make_shop, problems, rows, settings_for, state, whole_row

from data import approvals, customers, erasures, integrity, jobs, queries, retention
from data.customers import delete_many, restore_many
from data.database import Database, attach, in_transaction, now, snapshot
from data.errors import Conflict, EvenbooksError, InvalidInput
from data.events import Draft, append, stamp, take_turns
from data.retention import asking, cli, due_at, replay
from data.settings import Retention

AT = datetime(2026, 6, 1, tzinfo=UTC)


def under(shop: Database, **policy: Any) -> Database:
    """The shop under this policy."""
    settings = shop.settings.model_copy(update={"retention": Retention(**policy)})
    return replace(shop, settings=settings, schema=replace(shop.schema, settings=settings))


def backup_passed(shop: Database, *, passed: bool | None = True, days: int = 0, made: int | None = 0) -> None:
    """A backup check on record, so many days ago, of a copy made so many days ago (None: not known)."""

    def work(connection: Any) -> None:
        head = take_turns(connection, shop.schema)
        body = {"passed": passed, "differences": [], "unseen": 0, "copy_at": None}
        body |= {"copy_at": stamp(now() - timedelta(made))} if made is not None else {}
        append(
            connection, shop.schema, [Draft("backup_check", ADMIN, body=body)], head=head, at=now() - timedelta(days)
        )

    in_transaction(shop, work)


def test_due_is_so_many_days_after_the_deletion() -> None:
    assert due_at(Retention(days=30), AT) == datetime(2026, 7, 1, tzinfo=UTC)
    assert due_at(Retention(), AT) is None
    assert due_at(Retention(days=30), "03/02/2024") is None
    assert due_at(Retention(days=3_000_000), AT) is None


def test_who_is_due_is_told_apart_from_who_never_is(shop: Database) -> None:
    delete_many(shop, [1, 2, 5], actor=ADMIN, reason="mistake")
    times = {1: "2026-05-01 00:00:00", 2: "2026-05-02 00:00:01", 4: "2020-01-01 00:00:00"}
    for customer, at in times.items():
        execute(shop.engine, f"UPDATE customers SET deleted_at = '{at}' WHERE id = {customer}")
    if shop.schema.dialect == "sqlite":
        execute(shop.engine, "UPDATE customers SET deleted_at = '03/02/1999' WHERE id = 5")
    thirty = under(shop, days=30)
    with snapshot(thirty) as moment:
        found = retention.survey(moment.connection, thirty.schema, datetime(2026, 6, 1, tzinfo=UTC))
        due = list(retention.due_ids(moment.connection, thirty.schema, datetime(2026, 6, 1, tzinfo=UTC)))
        nobody = retention.survey(moment.connection, shop.schema, datetime(2026, 6, 1, tzinfo=UTC))
        kept = retention.totals(moment.connection, shop.schema, due)
    assert due == [4, 1]
    unreadable = int(shop.schema.dialect == "sqlite")
    assert (found.deleted, found.due, found.unreadable, found.erased) == (4, 2, unreadable, 0)
    assert found.next_due == datetime(2026, 6, 1, 0, 0, 1, tzinfo=UTC)
    assert (nobody.due, nobody.next_due) == (0, None)
    assert (kept.customers, kept.orders, kept.revenue) == (2, 5, {"EUR": Decimal("180.25")})


@pytest.fixture
def two(tmp_path: Path) -> Any:
    """A shop on SQLite where two customers have been due for long."""
    shop = make_shop(f"sqlite:///{tmp_path}/shop.sqlite")
    delete_many(shop, [1, 2], actor=ADMIN, reason="mistake")
    execute(shop.engine, "UPDATE customers SET deleted_at = '2020-01-01 00:00:00' WHERE id IN (1, 2)")
    yield under(shop, days=30)
    shop.engine.dispose()


def test_the_setting_alone_erases_nobody_and_a_dry_run_changes_nothing(two: Database) -> None:
    before = state(two)
    with snapshot(two) as moment:
        found = retention.dry_run(moment.connection, two.schema, now())
    assert (found.totals.customers, found.totals.orders) == (2, 5)
    assert found.columns == ["name", "email", "phone"]
    assert ["no backup was ever checked" in words for words in found.obstacles] == [True]
    jobs.run_pending(two)
    assert state(two) == before


def test_many_wait_for_a_backup_that_passed_lately(two: Database) -> None:
    for prepare, words in (
        (lambda: None, "no backup was ever checked"),
        (lambda: backup_passed(two, days=8), "more than 7 days old"),
        (lambda: backup_passed(two, passed=False), "found differences"),
        (lambda: backup_passed(two, passed=None), "could not see enough"),
        (lambda: backup_passed(two, made=8), "checked is of 20.*, so make a new one"),
        (lambda: backup_passed(two, made=None), "of a time that it does not say"),
    ):
        prepare()
        with pytest.raises(Conflict, match=words):
            asking.prepare_due(two, actor=ADMIN)
    backup_passed(two, days=6)
    job = asking.prepare_due(two, actor=ADMIN)
    assert (job.total, job.reason, job.state) == (2, "retention", "draft")
    backup_passed(two, passed=False)
    with pytest.raises(Conflict, match="found differences"):
        asking.ask(two, job.id, actor=ADMIN)
    backup_passed(two)
    assert asking.ask(two, job.id, actor=ADMIN).state == "waiting"


def test_whoever_is_not_due_any_more_is_left_alone(two: Database) -> None:
    backup_passed(two)
    job = asking.ask(two, asking.prepare_due(two, actor=ADMIN).id, actor=ADMIN)
    later = under(two, days=30_000)
    approvals.approve(later, job.request_id or 0, actor=BOSS)
    jobs.run_pending(later)
    assert [(i.result, i.words) for i in jobs.items(later, job.id)] == [("conflict", "Is not due yet.")] * 2


def test_who_can_be_asked_for_is_said_at_once(two: Database) -> None:
    with pytest.raises(Conflict, match=r"Customer 3 is active\. Delete the customer first"):
        asking.prepare_one(two, "3", actor=ADMIN)
    with pytest.raises(EvenbooksError, match="There is no customer 99"):
        asking.prepare_one(two, 99, actor=ADMIN)
    erased(two, [1])
    with pytest.raises(Conflict, match="Customer 1 is erased already"):
        asking.prepare_one(two, 1, actor=ADMIN)
    with pytest.raises(InvalidInput, match="Nobody is due"):
        asking.prepare_due(under(two), actor=ADMIN)


def restored(make_url: Callable[[], str], shop: Database, content: bytes) -> Database:
    """A dump of the shop put into another database, attached with its settings."""
    url = make_url()
    settings = settings_for(url, PHONE)
    LOADS[settings.url.get_backend_name()](settings.url, content)
    copy = attach(settings.model_copy(update={"retention": shop.settings.retention}))
    return copy


def test_after_a_restore_the_same_people_are_erased_again(make_url: Callable[[], str], tmp_path: Path) -> None:
    url = make_url()
    shop = make_shop(url)
    shop = under(shop, erasures=f"{tmp_path}/kept/erasures.jsonl")
    delete_many(shop, [2], actor=ADMIN, reason="mistake")
    dump = DUMPS[shop.settings.url.get_backend_name()](shop.settings.url)
    erased(shop, [1])
    erased(shop, [2])
    file = tmp_path / "kept" / "erasures.jsonl"
    assert oct(file.stat().st_mode & 0o777) == "0o600"
    with file.open("a") as more:  # of another database, and cut off
        more.write(
            '{"chain": "0000000000000000", "customer_id": 3, "at": "x", "event_id": 9, "job": null}\n{"chain": "00'
        )
    copy = restored(make_url, shop, dump)
    orders = rows(copy, "orders")
    before = state(copy)
    dry = replay.replay(copy, [file], actor=ADMIN, dry_run=True)
    assert (dry.erased, dry.active, dry.others, dry.unreadable) == ([2], [1], 1, [f"line 4 of {file}"])
    assert state(copy) == before
    with snapshot(copy) as moment:
        words = str(replay.drift(moment.connection, copy.schema))
    assert "names 1 who are not erased" in words
    assert "A replay leaves 1 (1) of the file alone" in words
    done = replay.replay(copy, [file], actor=ADMIN)
    assert (done.erased, done.deleted, done.unasked, done.active) == ([2], [], [2], [1])
    assert whole_row(copy, 1)["name"] == "Ana Lima"
    done = replay.replay(copy, [file], actor=ADMIN, also_active=True)
    assert (done.erased, done.deleted, done.already) == ([1], [1], [2])
    for customer in (1, 2):
        row = whole_row(copy, customer)
        assert (row["name"], row["email"], row["phone"]) == ("", None, None)
        assert row["deleted_at"] is not None
    assert whole_row(copy, 3)["name"] == "陈伟"
    again = replay.replay(copy, [file], actor=ADMIN)
    assert (again.erased, again.already) == ([], [1, 2])
    told = [json.loads(row[8])["action"] for row in rows(copy, "evenbooks_events")]
    assert told == ["baseline", "delete", "erase", "delete", "erase"]
    assert (rows(copy, "orders"), problems(copy)) == (orders, [])
    report = integrity.run_and_record(copy)
    assert [c.name for c in report.checks if c.ok is False and c.level == "error"] == []
    for database in (shop, copy):
        database.engine.dispose()


LINE = {"chain": "c", "customer_id": 1, "at": "2026-01-01T00:00:00Z", "event_id": 5, "job": "a", "attempt": "x"}
LINE |= {"created_at": None, "deleted_at": "2025-12-01T00:00:00Z"}


def write(file: Path, *lines: dict[str, Any]) -> Path:
    file.write_text("".join(json.dumps(line) + "\n" for line in lines))
    return file


def test_a_withdrawn_line_counts_no_more_and_another_attempt_still_does(tmp_path: Path) -> None:
    other, again = {**LINE, "customer_id": 2}, {**LINE, "attempt": "y"}
    # Another server did the same job's same event meanwhile, in a file of its own.
    one = write(tmp_path / "one", LINE, other, {**other, "withdrawn": "x"}, {**LINE, "withdrawn": "x"})
    two = write(tmp_path / "two", again)
    assert erasures.read([one], "c").people == {}
    both = write(tmp_path / "both", LINE, again, {**LINE, "withdrawn": "x"})
    assert list(erasures.read([both], "c").people) == [1]
    found = erasures.read([one, two], "c").people
    assert [(key, named.event_id, named.job) for key, named in found.items()] == [(1, 5, "a")]
    assert erasures.read([one, two], "d").others == 5


def test_who_is_not_the_same_any_more_is_left_alone(two: Database, tmp_path: Path) -> None:
    shop = two
    with snapshot(shop) as moment:
        chain = erasures.chain_name(moment.connection, shop.schema)
        head = queries.get_head(moment.connection, shop.schema)
    assert head is not None
    later = stamp(now() + timedelta(minutes=1))
    line = {**LINE, "chain": chain, "at": later, "event_id": head.event_id + 1}
    added = customers.add(shop, {"name": "New", "email": "new@example.com", "phone": ""}, actor=ADMIN).id
    delete_many(shop, [added], actor=ADMIN, reason="mistake")
    people = [
        {**line, "customer_id": added},  # the number of somebody who was erased, and lost with the restored backup
        {**line, "customer_id": 1, "created_at": "2001-01-01T00:00:00Z"},
        {**line, "customer_id": 4, "at": "2001-01-01T00:00:00Z"},
        {**line, "customer_id": 3},
    ]
    file = write(tmp_path / "kept.jsonl", *people)
    before = state(shop)
    done = replay.replay(shop, [file], actor=ADMIN, also_active=False)
    assert (done.erased, done.active, list(done.others_now)) == ([], [3], [added, 1, 4])
    assert "was added or restored later" in done.others_now[added]
    assert done.others_now[1] == "was created at another time than who was erased"
    assert "later" in done.others_now[4]
    assert not done.is_whole
    assert state(shop) == before
    # An erasure that was approved and then never carried out: she was restored, and is deleted anew.
    restore_many(shop, [1], actor=ADMIN, reason="undo")
    delete_many(shop, [1], actor=ADMIN, reason="mistake")
    done = replay.replay(shop, [write(file, {**line, "customer_id": 1})], actor=ADMIN, also_active=True)
    assert list(done.others_now) == [1]


def test_who_was_filled_again_may_be_erased_anew(two: Database, tmp_path: Path) -> None:
    shop = two
    erased(shop, [1])
    file = shop.settings.retention.file
    execute(shop.engine, "UPDATE customers SET name = 'Ana Lima', email = 'ana@example.com' WHERE id = 1")
    with snapshot(shop) as moment:
        assert "names 1 who are not erased" in str(replay.drift(moment.connection, shop.schema))
    assert approved(shop, asking.prepare_one(shop, 1, actor=ADMIN)).changed == 1
    assert (whole_row(shop, 1)["name"], whole_row(shop, 1)["email"]) == ("", None)
    execute(shop.engine, "UPDATE customers SET phone = '1' WHERE id = 1")
    done = replay.replay(shop, [file], actor=ADMIN)
    assert (done.erased, done.unasked, done.is_whole) == ([1], [], True)
    assert whole_row(shop, 1)["phone"] is None
    assert replay.replay(shop, [file], actor=ADMIN).already == [1]
    assert problems(shop) == []
    wrong = [c.name for c in integrity.run_and_record(shop).checks if c.ok is False and c.level == "error"]
    assert wrong == ["deletions"]  # made older by hand above


def test_the_command_says_what_is_and_what_it_did(
    two: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("DATABASE_URL", two.settings.database_url)
    config = tmp_path / "evenbooks.toml"
    config.write_text('[customers]\nphone = "phone"\n[retention]\ndays = 30\n', encoding="utf-8")
    monkeypatch.setenv("EVENBOOKS_CONFIG", str(config))
    assert cli.main([]) == 0
    said = capsys.readouterr().out
    assert (
        "30 days after they were deleted.\nDue now: 2. Their 5 orders, worth EUR 131.26, stay in every report." in said
    )
    assert "no backup was ever checked. Run: python -m data.backup_check --restored-url URL" in said
    assert cli.main(["--replay", str(tmp_path / "none")]) == 2
    assert "cannot be read" in capsys.readouterr().err
    erased(two, [1])
    file = two.settings.retention.file
    assert cli.main(["--replay", str(file)]) == 0
    assert capsys.readouterr().out == "Erased again: nobody.\nErased already: 1.\n"
    with file.open("a") as more:
        more.write("nonsense\n")
    assert cli.main(["--replay", str(file), "--dry-run"]) == 1
    assert f"Cannot be read: line 2 of {file}." in capsys.readouterr().out
