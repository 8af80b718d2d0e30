"""Erasing: every kind of column blanked in place on every engine, every amount kept, and nothing done by halves."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any
from unittest.mock import patch

import pytest
from auditing import assert_even
from erasing import BOSS, approved, erased
from servers import fresh_mariadb
from shops import ADMIN, CUSTOMERS, execute, make_shop, problems, rows, state, trigger, whole_row

from data import approvals, downloads, erasing, events, integrity, jobs, migration, queries
from data.access import Actor, Door, Role
from data.changes import change
from data.customers import delete_many, restore_many
from data.database import Database, in_transaction, now
from data.errors import Conflict, Erased, EvenbooksError, NotPermitted
from data.events import Draft, Reason
from data.jobs.batch import Batch, seen
from data.records import Job, JobItem
from data.retention import asking

MADE: dict[str, dict[str, str]] = {
    "sqlite": {"blob": "BLOB", "changed": "changed DATETIME"},
    "mysql": {
        "blob": "BLOB",
        "changed": "changed TIMESTAMP NULL DEFAULT NULL ON UPDATE CURRENT_TIMESTAMP",
    },
    "postgresql": {"blob": "BYTEA", "changed": "changed TIMESTAMP"},
}
# Every kind of column that can be blanked: nullable, not nullable, kept apart, with a default, of several types.
TABLE = """CREATE TABLE customers (
    id {key}, first_name VARCHAR(60) NOT NULL, last_name VARCHAR(60), email VARCHAR(80) NOT NULL UNIQUE, phone VARCHAR(20),
    address TEXT, city VARCHAR(40) NOT NULL, vat VARCHAR(40) NOT NULL UNIQUE, code CHAR(8) NOT NULL, born DATE,
    points INTEGER NOT NULL DEFAULT 7, photo %(blob)s, pass VARCHAR(20) NOT NULL DEFAULT 'none', kept VARCHAR(20),
    created_at {time} NULL, %(changed)s)"""
ERASE = ["address", "city", "vat", "code", "born", "points", "photo"]
ANA = {"id": 1, "name": "Ana", "email": "ana@example.com"}
SECTIONS = {"customers": {"phone": "phone", "name": ["first_name", "last_name"], "erase": ERASE}}


def person(number: int) -> dict[str, Any]:
    return {
        "id": number,
        "first_name": f"Ana{number}",
        "last_name": "Lima",
        "email": f"ana{number}@example.com",
        "phone": "+351 1",
        "address": "Rua 1",
        "city": "Porto",
        "vat": f"PT{number}",
        "code": "X1",
        "born": "1980-01-02",
        "points": 12,
        "photo": b"\x89PNG",
        "kept": "stays",
        "created_at": "2024-01-02 10:00:00",
        "changed": "2024-01-03 10:00:00",
    }


def bodies(shop: Database, action: str) -> list[dict[str, Any]]:
    return [found for row in rows(shop, "evenbooks_events") if (found := json.loads(row[8]))["action"] == action]


def lines(shop: Database) -> list[dict[str, Any]]:
    file = shop.settings.retention.file
    return [json.loads(line) for line in file.read_text().splitlines()] if file.exists() else []


def even(shop: Database) -> None:
    report = integrity.run_and_record(shop)
    assert [c.name for c in report.checks if c.ok is False and c.level == "error"] == []


def test_every_kind_of_column_is_blanked_and_nothing_else(empty_url: str, engine_name: str, opened: Any) -> None:
    kind = "mysql" if engine_name == "mariadb" else engine_name
    shop = opened(
        empty_url, customers=TABLE % MADE[kind], people=[person(n) for n in (1, 2, 3, 4, 77)], sections=SECTIONS
    )
    before, orders, totals = whole_row(shop, 1), rows(shop, "orders"), _totals(shop)
    others = [whole_row(shop, n) for n in (3, 77)]
    job = erased(shop, [1, 2])
    assert (job.state, job.changed) == ("stopped", 0)  # two, and no backup was checked
    assert "no backup was ever checked" in str(job.error)
    assert whole_row(shop, 1) == {**before, "deleted_at": whole_row(shop, 1)["deleted_at"]}
    for number in (1, 2):
        job = approved(shop, jobs.prepare(shop, "erase", actor=ADMIN, reason="erasure", ids=[number]))
        assert (job.state, job.changed, job.error) == ("done", 1, None)
    after = whole_row(shop, 1)
    blank = {"first_name": "", "last_name": None, "email": "erased-1@invalid", "phone": None, "address": None}
    blank |= {"city": "", "vat": "erased-1", "born": None, "points": 7, "photo": None}
    assert after.pop("code").strip() == ""
    assert before.pop("code").strip() == "X1"
    assert after == {**before, **blank, "deleted_at": after["deleted_at"]}
    assert [whole_row(shop, n) for n in (3, 77)] == others
    assert (rows(shop, "orders"), _totals(shop)) == (orders, totals)
    body = bodies(shop, "erase")[0]
    assert body["columns"] == sorted(["first_name", "last_name", "email", "phone", *ERASE])
    assert body["before"] == body["after"]
    assert "ana" not in json.dumps(body).casefold()
    assert problems(shop) == []
    assert_even(shop)  # the auditor's SQL too


def _totals(shop: Database) -> Any:
    with shop.engine.connect() as connection:
        return queries.monthly_part(connection, shop.schema, "total")


@pytest.fixture
def file_shop(tmp_path: Path) -> Any:
    """A shop on SQLite."""
    shop = make_shop(f"sqlite:///{tmp_path}/shop.sqlite")
    yield shop
    shop.engine.dispose()


def test_what_was_written_about_them_goes_and_the_rest_stays(file_shop: Database) -> None:
    shop = file_shop
    delete_many(shop, [2], actor=ADMIN, reason="mistake", note="Bo said so")
    found = jobs.prepare(shop, "delete", actor=ADMIN, reason="inactive", note="ana@example.com and Eve", ids=[1, 5])
    jobs.start(shop, found.id, actor=ADMIN)
    jobs.run_pending(shop)
    looked = jobs.prepare(shop, "restore", actor=ADMIN, reason="undo", search="Ana Lima")
    job = approved(shop, jobs.prepare(shop, "erase", actor=ADMIN, reason="erasure", note="Ana wrote", ids=[1]))
    assert job.changed == 1
    notes = {row[0]: (row[6], row[11], row[12]) for row in rows(shop, "evenbooks_events")}
    left = [(customer, note) for customer, note, _ in notes.values() if note]
    assert left == [(2, "Bo said so"), (5, "ana@example.com and Eve")]  # what is written on others' events stays
    assert [salt for _, note, salt in notes.values() if salt and not note] == []
    assert [jobs.get(shop, one.id).note for one in (found, looked, job)] == [None, None, None]
    assert jobs.get(shop, looked.id).preview["search"] is None
    assert problems(shop) == []
    even(shop)
    # A note of somebody who was not erased, and one that is written about the erased one later, are missed.
    execute(shop.engine, "UPDATE evenbooks_events SET note = NULL, note_salt = NULL WHERE customer_id = 2")
    check = next(c for c in integrity.run_and_record(shop).checks if c.name == "chain")
    assert check.examples == ["event 2: its note is gone, and nobody was erased since"]


def test_nobody_comes_back_and_the_migration_is_not_undone(file_shop: Database, own_folder: None) -> None:
    shop = file_shop
    erased(shop, [1])
    with pytest.raises(Erased):
        restore_many(shop, [1], actor=ADMIN, reason="undo")
    job = jobs.prepare(shop, "restore", actor=ADMIN, reason="undo", ids=[1])
    jobs.start(shop, job.id, actor=ADMIN)
    jobs.run_pending(shop)
    assert jobs.counts(shop, job.id) == {"conflict": 1}
    execute(shop.engine, "UPDATE customers SET deleted_at = NULL")
    with pytest.raises(EvenbooksError, match="1 customer was erased"):
        migration.undo(shop.settings)


BORN = """CREATE TABLE customers (id {key}, name VARCHAR(60), email VARCHAR(80), created_at {time} NULL,
    since DATE NOT NULL DEFAULT '2000-01-01', born DATE NOT NULL, computed VARCHAR(9) GENERATED ALWAYS AS ('x') STORED)"""
REFUSED = {
    "born": "erase names born of customers, which cannot be blanked: it must have a value, and is date without a default",
    "computed": "computed of customers, which cannot be blanked: the database computes it",
    "id": "it is the key",
    "deleted_at": "since when somebody is deleted",
}


def erases(shop: Database, column: str) -> Database:
    """The shop under settings that name this column."""
    customers = shop.settings.customers.model_copy(update={"erase": [column]})
    settings = shop.settings.model_copy(update={"customers": customers})
    return replace(shop, settings=settings, schema=replace(shop.schema, settings=settings))


def test_a_column_that_cannot_be_blanked_is_named_before_anybody_is_asked(empty_url: str, opened: Any) -> None:
    shop = opened(empty_url, customers=BORN, people=[{"id": 1, "name": "Ana", "born": "1980-01-02"}], sections=None)
    delete_many(shop, [1], actor=ADMIN, reason="mistake")
    before = whole_row(shop, 1)
    for column, words in REFUSED.items():
        with pytest.raises(Conflict, match=words):
            asking.prepare_one(erases(shop, column), 1, actor=ADMIN)
    named = erases(shop, "born")
    job = approved(named, jobs.prepare(named, "erase", actor=ADMIN, reason="erasure", ids=[1]))
    assert (job.state, job.changed) == ("stopped", 0)
    assert "cannot be blanked" in str(job.error)
    assert (whole_row(shop, 1), lines(shop)) == (before, [])
    named = erases(shop, "since")
    assert approved(named, asking.prepare_one(named, 1, actor=ADMIN)).changed == 1
    assert str(whole_row(shop, 1)["since"]) == "2000-01-01"


def test_what_is_filled_again_is_not_called_erased(shop: Database) -> None:
    body = {
        "sqlite": "UPDATE customers SET name = 'Ana again' WHERE id = NEW.id",
        "mysql": "SET NEW.name = 'Ana again'",
        "postgresql": "NEW.name := 'Ana again'",
    }[shop.schema.dialect]
    delete_many(shop, [1], actor=ADMIN, reason="mistake")
    job = asking.prepare_one(shop, 1, actor=ADMIN)
    when = "AFTER UPDATE OF name" if shop.schema.dialect == "sqlite" else "BEFORE UPDATE"
    statement = trigger(shop.engine, body, when=when)
    with shop.engine.connect().execution_options(write=True) as connection, connection.begin():
        connection.exec_driver_sql(statement.replace("%", "%%"))
    before = whole_row(shop, 1)
    job = approved(shop, job)
    assert (job.state, job.changed) == ("stopped", 0)
    assert "name of customer 1 was filled again" in str(job.error)
    assert whole_row(shop, 1) == before
    assert bodies(shop, "erase") == []


def test_each_is_looked_at_again_when_it_is_done(file_shop: Database) -> None:
    shop = file_shop
    delete_many(shop, [1, 2, 3, 5], actor=ADMIN, reason="mistake")
    job = jobs.prepare(shop, "erase", actor=ADMIN, reason="erasure", ids=[1, 2, 3, 5, 99])
    restore_many(shop, [1, 2], actor=ADMIN, reason="undo")
    with patch("data.database.now", lambda: now().replace(year=2030)):
        in_transaction(
            shop,
            lambda c: change(
                c, shop.schema, "delete", [2], actor=ADMIN, reason=Reason("mistake"), at=now().replace(year=2030)
            ),
        )
    erased(shop, [3])
    with patch.object(erasing, "require_backup"):
        job = approved(shop, job)
    told = [(item.customer_id, item.result, item.words) for item in jobs.items(shop, job.id)]
    assert told == [
        (1, "conflict", "Is not deleted any more."),
        (2, "conflict", "Was restored and deleted anew since."),
        (3, "already", None),
        (5, "done", None),
        (99, "not_found", None),
    ]
    assert [line["customer_id"] for line in lines(shop)] == [3, 5]


def test_an_address_that_does_not_fit_is_a_conflict(tmp_path: Path) -> None:
    table = "CREATE TABLE customers (id {key}, name VARCHAR(60), email VARCHAR(12) NOT NULL, created_at {time} NULL)"
    shop = make_shop(
        f"sqlite:///{tmp_path}/s.sqlite",
        customers=table,
        people=[{"id": 1, "name": "A", "email": "a@b.cc"}],
        sections=None,
    )
    delete_many(shop, [1], actor=ADMIN, reason="mistake")
    with pytest.raises(Conflict, match="email takes 12 characters, and erased-1@invalid has 16"):
        asking.prepare_one(shop, 1, actor=ADMIN)
    job = approved(shop, jobs.prepare(shop, "erase", actor=ADMIN, reason="erasure", ids=[1]))
    assert jobs.counts(shop, job.id) == {"conflict": 1}
    shop.engine.dispose()


def test_where_the_file_cannot_be_written_nobody_is_erased(file_shop: Database) -> None:
    shop = file_shop
    delete_many(shop, [1], actor=ADMIN, reason="mistake")
    job = asking.prepare_one(shop, 1, actor=ADMIN)
    before, file = whole_row(shop, 1), shop.settings.retention.file
    file.unlink()
    file.mkdir()
    with pytest.raises(EvenbooksError, match="cannot be written"):
        asking.prepare_one(shop, 1, actor=ADMIN)
    job = approved(shop, job)
    assert (job.state, job.changed) == ("stopped", 0)
    assert "cannot be written" in str(job.error)
    assert whole_row(shop, 1) == before
    file.rmdir()
    jobs.start(shop, job.id, actor=ADMIN)
    jobs.run_pending(shop)
    assert jobs.get(shop, job.id).state == "done"


def test_what_is_rolled_back_is_withdrawn_from_the_file(file_shop: Database) -> None:
    shop = file_shop
    delete_many(shop, [1], actor=ADMIN, reason="mistake")
    job = asking.prepare_one(shop, 1, actor=ADMIN)
    with patch("data.jobs.running._record", side_effect=EvenbooksError("afterwards")):
        assert approved(shop, job).state == "stopped"
    assert whole_row(shop, 1)["name"] == "Ana Lima"
    told = [("withdrawn" in line, line["customer_id"]) for line in lines(shop)]
    assert told == [(False, 1), (True, 1)]
    jobs.start(shop, job.id, actor=ADMIN)
    jobs.run_pending(shop)
    assert [("withdrawn" in line, line["customer_id"]) for line in lines(shop)] == [*told, (False, 1)]
    first, withdrawn, second = (line["attempt"] for line in lines(shop))
    assert first == withdrawn != second


def test_nobody_is_erased_without_an_approval_or_the_role(file_shop: Database) -> None:
    shop = file_shop
    delete_many(shop, [1], actor=ADMIN, reason="mistake")
    job = asking.prepare_one(shop, 1, actor=ADMIN)
    staff = Actor("test:staff", Role.STAFF, Door.DASHBOARD)
    before = whole_row(shop, 1)

    def forced(actor: Actor, job: Job) -> None:
        def work(connection: Any) -> None:
            head = events.take_turns(connection, shop.schema)
            item = JobItem(1, 1, seen(queries.get_customer(connection, shop.schema, 1).deleted_at), None, None, None)  # type: ignore[union-attr]
            erasing.erase(connection, shop.schema, Batch(job, [item], actor, Reason("erasure"), head, now()))

        in_transaction(shop, work)

    for actor in (ADMIN, staff):
        with pytest.raises(NotPermitted):
            forced(actor, job)
    waiting = jobs.start(shop, job.id, actor=ADMIN)
    approvals.reject(shop, waiting.request_id or 0, actor=BOSS, note="no")
    with pytest.raises(NotPermitted):
        forced(ADMIN, jobs.get(shop, job.id))
    assert whole_row(shop, 1) == before


def test_an_erasure_whose_before_is_not_its_after_is_found(file_shop: Database) -> None:
    shop = file_shop

    def work(connection: Any) -> None:
        head = events.take_turns(connection, shop.schema)
        draft = Draft("erase", ADMIN, Reason("erasure"), 4, body={"before": {"orders": 2}, "after": {"orders": 1}})
        events.append(connection, shop.schema, [draft], head=head, at=now())

    in_transaction(shop, work)
    check = next(c for c in integrity.run_and_record(shop).checks if c.name == "before_after")
    assert "erase of customer 4" in check.examples[0]


def test_what_a_check_of_the_table_refuses_is_said_before_anybody_is_asked(empty_url: str, opened: Any) -> None:
    table = """CREATE TABLE customers (id {key}, name VARCHAR(60), email VARCHAR(80) NOT NULL,
        created_at {time} NULL, CONSTRAINT known_email CHECK (email LIKE '%@%.%'))"""
    shop = opened(empty_url, customers=table, people=[ANA], sections=None)
    delete_many(shop, [1], actor=ADMIN, reason="mistake")
    before = state(shop)
    with pytest.raises(Conflict, match=r"A CHECK of the table refused this: .*email"):
        asking.prepare_one(shop, 1, actor=ADMIN)
    assert state(shop) == before
    job = approved(shop, jobs.prepare(shop, "erase", actor=ADMIN, reason="erasure", ids=[1]))
    assert (job.state, job.changed) == ("stopped", 0)
    assert "A CHECK of the table refused this" in str(job.error)
    assert ["withdrawn" in line for line in lines(shop)] == [False, True]


def test_erasing_forgets_what_links_for_files_were_for(file_shop: Database) -> None:
    shop = file_shop
    for search in ("Ana Lima", "Bo"):
        downloads.offer(shop, "deleted_customers", "csv", {"search": search}, actor=ADMIN)
    delete_many(shop, [1], actor=ADMIN, reason="mistake")
    asking.prepare_one(shop, 1, actor=ADMIN)
    assert [bool(row[2]) for row in rows(shop, "evenbooks_downloads")] == [True, True]
    erased(shop, [1])
    assert [bool(row[2]) for row in rows(shop, "evenbooks_downloads")] == [False, False]


def test_the_reasons_of_erasures_are_nobody_s_to_claim_for_a_deletion(file_shop: Database) -> None:
    shop = file_shop
    for number, words in enumerate(["retention", "erasure"], start=1):
        delete_many(shop, [number], actor=ADMIN, reason=words)
    with shop.engine.connect() as connection:
        found = queries.list_deletions(connection, shop.schema, [1, 2])
    assert [(found[key].reason, found[key].note) for key in (1, 2)] == [("other", "retention"), ("other", "erasure")]
    listed = shop.settings.model_copy(update={"reasons": {"retention": "Contract over"}})
    assert events.read_reason(listed, "retention") == Reason("retention")
    assert asking.prepare_one(shop, 1, actor=ADMIN).reason == "erasure"


@pytest.mark.parametrize("broken", ["file", "events"])
def test_where_the_table_cannot_roll_back_they_are_filled_again(mariadb_url: str, broken: str) -> None:
    with fresh_mariadb(mariadb_url) as url:
        shop = make_shop(url, customers=CUSTOMERS + " ENGINE=MyISAM")
        delete_many(shop, [1], actor=ADMIN, reason="mistake")
        job = asking.prepare_one(shop, 1, actor=ADMIN)
        before, file = whole_row(shop, 1), shop.settings.retention.file
        assert before["name"] == "Ana Lima"  # nothing is rehearsed where it would stay
        if broken == "file":
            file.unlink()
            file.mkdir()
            job = approved(shop, job)
            assert "cannot be written" in str(job.error)
            file.rmdir()
        else:
            with patch("data.erasing.queries.blank_notes", side_effect=EvenbooksError("afterwards")):
                job = approved(shop, job)
            assert ["withdrawn" in line for line in lines(shop)] == [False, True]
        assert (job.state, job.changed) == ("stopped", 0)
        assert whole_row(shop, 1) == before
        jobs.start(shop, job.id, actor=ADMIN)
        jobs.run_pending(shop)
        assert whole_row(shop, 1)["name"] == ""
        assert bodies(shop, "erase")[0]["customer_id"] == 1
        even(shop)
        shop.engine.dispose()
