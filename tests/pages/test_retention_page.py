"""Retention: who is due and when, what erasing means, and how it is asked for."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from erasing import BOSS, erased
from screens import AUDITOR, MANAGER, STAFF, as_read, dialog, disabled, press, said, select, shown
from shops import ADMIN, PHONE, execute, rows, whole_row

from data import approvals, jobs
from data.access import Actor
from data.customers import delete_many
from data.database import Database, in_transaction, now
from data.events import Draft, append, stamp, take_turns

DUE = PHONE | {"retention": {"days": 30}}


@pytest.fixture
def engine_name() -> str:
    """The page shows what data/ has read, which is tried on every engine."""
    return "sqlite"


@pytest.fixture
def old(shop: Database) -> Database:
    """Customers 4 and 1 are due, 2 is not yet, 5's time cannot be read."""
    delete_many(shop, [1, 2, 5], actor=ADMIN, reason="mistake")
    for customer, at in {4: "2019-01-01 00:00:00", 1: "2020-01-01 00:00:00", 5: "03/02/1999"}.items():
        execute(shop.engine, f"UPDATE customers SET deleted_at = '{at}' WHERE id = {customer}")
    return shop


def checked(shop: Database, *, passed: bool = True) -> None:
    """A backup check on record."""

    def work(connection: Any) -> None:
        head = take_turns(connection, shop.schema)
        body = {"passed": passed, "differences": [] if passed else ["The copy lacks order 8."], "unseen": 1}
        body["copy_at"] = stamp(now() - timedelta(days=2))
        append(connection, shop.schema, [Draft("backup_check", ADMIN, body=body)], head=head, at=now())

    in_transaction(shop, work)


def test_it_says_who_is_due_and_how_many_days_are_left(old: Database, app: Any) -> None:
    at = app("retention", sections=DUE)
    words = said(at)
    assert "Customers are due to be erased 30 days after they were deleted. 2 are due now" in words
    assert "no backup was ever checked. Run: python -m data.backup_check --restored-url URL" in words
    assert {m.label: m.value for m in at.metric} == {
        "Due now": "2",
        "Deleted, not erased": "4",
        "Erased": "0",
        "Unreadable time, never due": "1",
    }
    frame = shown(at)
    assert [(row.id, row.left) for row in frame.itertuples()] == [
        (5, "unreadable time"),
        (4, "due"),
        (1, "due"),
        (2, "30"),
    ]
    assert list(frame["revenue"]) == ["0.00", "100.00", "80.25", "51.01"]


def test_without_the_setting_it_explains_and_one_can_still_be_erased(shop: Database, app: Any) -> None:
    at = app("retention")
    assert "[retention] days is not set in evenbooks.toml, so nobody ever comes due." in said(at).replace("`", "")
    assert list(shown(at)) == ["name", "deleted_at", "orders", "revenue", "id"]
    assert [b.key for b in at.button if b.key in ("dry_run", "erase_due")] == []
    at = press(select(at, 0), "erase_one")
    assert dialog(at) == "Erase Dora Gone?"
    for words in (said(at), said(press(at, "continue"))):
        assert "Customer 4, dora@example.com, deleted today at" in words
    assert dialog(at) == "Erase Dora Gone?"


def test_what_is_blanked_stands_in_the_dialog_by_the_names_of_its_columns(shop: Database, app: Any) -> None:
    at = app("retention", sections=PHONE)
    at = press(select(at, 0), "erase_one")
    assert "Erasing blanks the person (name, email, phone) and every note about them." in said(at)


def test_a_dry_run_adds_up_and_changes_nothing(old: Database, app: Any) -> None:
    before = rows(old, "evenbooks_events"), rows(old, "evenbooks_jobs"), rows(old, "customers")
    words = said(press(app("retention", sections=DUE), "dry_run"))
    assert "Dry run: 2 customers would be erased (name, email, phone blanked). 5 orders worth EUR 180.25 stay" in words
    assert "no backup was ever checked. Run: python -m data.backup_check --restored-url URL" in words
    assert (rows(old, "evenbooks_events"), rows(old, "evenbooks_jobs"), rows(old, "customers")) == before


def test_all_who_are_due_are_asked_for_and_erased_once_somebody_else_approves(old: Database, app: Any) -> None:
    at = app("retention", sections=DUE)
    assert disabled(at, "erase_due", "dry_run") == [True, False]
    assert "no backup was ever checked" in as_read(str(at.button(key="erase_due").help))
    checked(old)
    at = press(app("retention", sections=DUE), "erase_due")
    assert dialog(at) == "Erase everybody who is due?"
    assert "Nothing takes it back." in said(at)
    at = press(at, "continue")
    assert "2 customers. 5 orders worth EUR 180.25 stay in every report." in said(at)
    at = press(at, "confirm_erase")
    assert dialog(at) is None
    (job,) = jobs.latest(old)
    assert (job.state, job.total, job.reason) == ("waiting", 2, "retention")
    assert "Waits for somebody's approval" in said(at)
    assert whole_row(old, 1)["name"] == "Ana Lima"
    policy = old.settings.retention.model_copy(update={"days": 30})
    settings = old.settings.model_copy(update={"retention": policy})
    due = replace(old, settings=settings, schema=replace(old.schema, settings=settings))
    approvals.approve(due, job.request_id or 0, actor=BOSS)
    jobs.run_pending(due)
    assert whole_row(old, 1)["name"] == ""
    at = app("retention", sections=DUE, view="erased")
    assert "2 of 2" in said(at)
    frame = at.dataframe[0].value
    assert list(frame["name"]) == ["Erased customer 4", "Erased customer 1"]
    assert list(frame["reason"]) == ["Retention period over"] * 2
    execute(old.engine, "UPDATE customers SET name = 'Ana again' WHERE id = 1")
    frame = app("retention", sections=DUE, view="erased").dataframe[0].value
    assert list(frame["name"]) == ["Erased customer 4", "Erased customer 1, filled again since"]
    assert (
        "Backup checked in the last 24 hours: passed; the backup is at most 3 days old; 1 thing could not be seen."
        in said(at)
    )


def test_one_is_asked_for_by_number_and_an_active_one_is_refused(shop: Database, app: Any) -> None:
    at = app("retention")
    assert disabled(at, "erase_one") == [True]
    at.text_input(key="number").set_value("#3").run()
    at = press(press(at, "erase_one"), "continue")
    assert "Customer 3 is active. Delete the customer first" in said(at)
    at = press(at, "keep")
    at.text_input(key="number").set_value("4").run()
    at = press(press(at, "erase_one"), "continue")
    assert "1 customer. 1 order" in said(at) or "1 customer. 2 orders worth EUR 100.00" in said(at)
    press(at, "confirm_erase")
    (job,) = jobs.latest(shop)
    assert (job.state, job.reason, job.actor) == ("waiting", "erasure", "test:ann")


@pytest.mark.parametrize(("actor", "may"), [(MANAGER, True), (AUDITOR, False)])
def test_a_manager_may_ask_and_an_auditor_may_look(old: Database, app: Any, actor: Actor, may: bool) -> None:
    checked(old)
    at = select(app("retention", sections=DUE, actor=actor), 1)
    assert disabled(at, "erase_one", "erase_due") == [not may, not may]
    if not may:
        assert "The role auditor may not ask for erasures." in str(at.button(key="erase_due").help)


def test_staff_may_not_see_it(shop: Database, app: Any) -> None:
    assert "The role staff may not see who is due to be erased." in said(app("retention", actor=STAFF))


def test_after_a_restored_backup_it_says_what_to_run(shop: Database, app: Any) -> None:
    erased(shop, [1])
    execute(shop.engine, "UPDATE evenbooks_events SET action = 'x' WHERE action = 'erase'")
    words = said(app("retention"))
    assert (
        "names 1 who are not erased in this database, or were filled again since; most likely a backup was restored"
        in words
    )
    assert "python -m data.retention --replay" in words


def test_integrity_tells_how_the_last_backup_check_went(shop: Database, app: Any) -> None:
    assert "No backup was checked yet" in said(app("integrity"))
    checked(shop, passed=False)
    words = as_read(said(app("integrity")))
    assert "Backup checked in the last 24 hours: it differs from the live database." in words
    assert "The copy lacks order 8." in words
