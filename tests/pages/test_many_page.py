"""Many customers at once on the list pages: all that match, the preview, the job at the top of the page, undo."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest
import streamlit as st
from screens import ANN, AUDITOR, SECTIONS, STAFF, claims_of, dialog, disabled, few_rows, press, said, select, shown
from shops import fill, problems, state, whole_row

from data import jobs
from data.access import Actor, Door, Role
from data.customers import delete_many, restore_many
from data.database import Database

pytestmark = pytest.mark.parametrize("engine_name", ["sqlite"], indirect=True)
CLERK = Actor("test:clerk", Role.STAFF, Door.DASHBOARD)
DELETED = "deleted_customers"
SOLD = {"ordered_at": "2024-01-05 00:00:00", "total": "1.10", "status": "paid"}


@pytest.fixture(autouse=True)
def carry_out(monkeypatch: pytest.MonkeyPatch, shop: Database) -> Callable[[], int]:
    """Does what the worker would, when a test says so; twenty customers more, of whom a page shows four."""
    monkeypatch.setattr(jobs, "ensure_worker", lambda database: None)
    few_rows(monkeypatch, 4)
    fill(shop.engine, "customers", [{"id": 100 + n, "name": f"Twin {n}"} for n in range(20)])
    return lambda: jobs.run_pending(shop)


def ask_for_all(at: Any, reason: str = "duplicate") -> Any:
    """Opens the dialog for all that match, and goes on to the preview."""
    press(at, "all")
    at.selectbox(key="reason").set_value(reason)
    return press(at, "continue")


def shown_job(shop: Database, at: Any) -> Any:
    return jobs.get(shop, at.query_params["job"])


def test_all_that_match_are_offered_where_the_list_is_longer_than_the_page(app: Any) -> None:
    def offered(at: Any) -> str | None:
        return next((button.label for button in at.button if button.key == "all"), None)

    at = app("customers")
    assert offered(at) is None
    assert offered(select(at, 0, 1, 2, 3)) == "Delete all 24"
    assert offered(app("customers", search="twin")) == "Delete all 20"
    assert offered(app("customers", search="twin 3")) is None
    assert offered(app("customers", search="twin", actor=AUDITOR)) is None


def test_a_job_deletes_all_that_match_and_undo_takes_back_exactly_those(
    app: Any, shop: Database, carry_out: Callable[[], int]
) -> None:
    before = state(shop)["customers"]
    at = app("customers", search="twin")
    press(at, "all")
    assert dialog(at) == "Delete 20 customers?"
    assert "All 20 active customers that match “twin”." in said(at)
    press(at, "continue")
    assert "Give a reason." in said(at)
    at.selectbox(key="reason").set_value("duplicate")
    press(at, "continue")
    assert "Exactly these 20 customers;" in said(at)
    assert "The customers leave the list; there are no orders to lose;" in said(at)
    assert state(shop)["customers"] == before
    fill(shop.engine, "customers", [{"id": 300, "name": "Twin too late"}])
    delete_many(shop, [100], actor=CLERK, reason="fraud")
    press(at, "confirm_many")
    assert dialog(at) is None
    assert "Deleting. 0 of 20 done." in at.get("progress")[0].proto.text
    carry_out()
    at.run()
    assert "20 of 20 done: 19 deleted, 1 was already deleted." in said(at)
    fill(shop.engine, "orders", [{"id": 900, "customer_id": 101, **SOLD}])
    assert "1 order (EUR 1.10) still counts." in said((st.cache_data.clear(), at.run())[1])
    assert list(shown(at)["id"]) == [300]
    assert problems(shop) == []

    restore_many(shop, [101], actor=CLERK, reason="mistake")
    delete_many(shop, [101], actor=CLERK, reason="fraud")  # another deletion than the job's
    press(at, "undo_job")
    carry_out()
    at.run()
    assert "19 of 19 done: 18 restored, 1 conflict." in said(at)
    assert [whole_row(shop, one)["deleted_at"] is None for one in (100, 101, 102, 119)] == [False, False, True, True]
    undo = shown_job(shop, at)
    assert undo.kind == "restore"
    at = app("customers", job=undo.undo_of)
    assert re.search(r"Undone today at \d\d:\d\d by test:ann\.", said(at))
    assert {"undo_job", "resume_job"}.isdisjoint(str(button.key) for button in at.button)
    press(at, "show_undo")
    assert shown_job(shop, at).id == undo.id
    press(at, "close_job")
    assert "job" not in at.query_params
    assert "done:" not in said(at)


def test_what_became_of_each_can_be_looked_at_by_result(
    app: Any, shop: Database, carry_out: Callable[[], int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ui.job_items.SHOWN", 8)
    at = ask_for_all(app("customers", search="twin"))
    delete_many(shop, [105], actor=CLERK, reason="fraud")
    press(at, "confirm_many")
    carry_out()
    at.run()
    (toggle,) = [one for one in at.toggle if one.label == "Each customer"]
    toggle.set_value(True).run()

    def items() -> list[Any]:
        (frame,) = [one.value for one in at.dataframe if "Result" in one.value]
        return list(frame[["Number", "Name", "Result"]].itertuples(index=False, name=None))

    assert items()[0] == (100, "Twin 0", "deleted")
    assert [row[0] for row in items()] == [*range(100, 108)]
    press(press(at, "items_next"), "items_next")
    assert [row[0] for row in items()] == [*range(116, 120)]
    assert [row[0] for row in (press(at, "items_previous"), items())[1]] == [*range(108, 116)]
    (chosen,) = [one for one in at.get("button_group") if "result_" in (one.key or "")]
    assert chosen.options == ["All 20", "Done 19", "Already 1"]
    chosen.set_value("already").run()
    assert items() == [(105, "Twin 5", "already deleted")]


def test_above_a_hundred_the_number_has_to_be_typed(app: Any, shop: Database) -> None:
    fill(shop.engine, "customers", [{"id": 400 + n, "name": f"Twin {n}"} for n in range(81)])
    before = state(shop)["customers"]
    at = ask_for_all(app("customers", search="twin"))
    for wrong in ("", "100", "all"):
        at.text_input(key="typed_number").set_value(wrong)
        press(at, "confirm_many")
        assert "Type 101 to confirm." in said(at)
        assert "job" not in at.query_params
    assert state(shop)["customers"] == before
    at.text_input(key="typed_number").set_value(" 101 ")
    assert shown_job(shop, press(at, "confirm_many")).state == "running"


def test_a_job_is_stopped_and_goes_on_and_is_found_again_without_its_address(
    app: Any, shop: Database, carry_out: Callable[[], int]
) -> None:
    at = press(ask_for_all(app("customers", search="twin")), "confirm_many")
    press(at, "stop_job")
    assert "Stopped. 0 of 20 done. Stopped by test:ann." in said(at)
    at = app(DELETED)
    (recent,) = [button for button in at.button if (button.key or "").startswith("job_")]
    assert "0 of 20 customers deleted (stopped), by test:ann" in recent.label.replace("\\", "")
    press(at, recent.key)
    press(at, "resume_job")
    carry_out()
    assert "20 of 20 done: 20 deleted." in said(at.run())


def test_all_of_a_reason_are_restored_and_no_other(app: Any, shop: Database, carry_out: Callable[[], int]) -> None:
    delete_many(shop, range(100, 110), actor=CLERK, reason="fraud")
    delete_many(shop, range(110, 115), actor=CLERK, reason="mistake")
    at = app(DELETED, reason="mistake")
    assert at.selectbox(key="reason_filter").value == "mistake"
    press(at, "all")
    assert dialog(at) == "Restore 5 customers?"
    assert "All 5 deleted customers that have the reason “Entered by mistake”." in said(at)
    assert "The customers come back to the list." in said(press(at, "continue"))
    press(at, "confirm_many")
    carry_out()
    assert "5 of 5 done: 5 restored." in said(at.run())
    assert "No deleted customer matches." in said(at)
    at.selectbox(key="reason_filter").set_value("fraud").run()
    assert (at.query_params["reason"], len(shown(at))) == ("fraud", 4)
    at.selectbox(key="reason_filter").set_value("").run()
    assert "reason" not in at.query_params
    assert "4 of 11" in said(at)


def test_where_deletions_wait_for_approval_many_are_one_request(app: Any, shop: Database) -> None:
    before = state(shop)["customers"]
    waits = {**SECTIONS, "approval": {"deletion": True}}
    at = app("customers", sections=waits, claims=claims_of("staff"))
    press(select(at, 0, 1), "delete")
    assert dialog(at) == "Delete 2 customers?"
    assert "The 2 selected customers." in said(at)
    at.selectbox(key="reason").set_value("fraud")
    press(at, "continue")
    assert "Somebody else approves or rejects it under Approvals; nothing is changed until then." in said(at)
    assert at.button(key="confirm_many").label == "Ask for deletion"
    press(at, "confirm_many")
    assert "2 customers to be deleted, asked for by staff@example.com. Waits for somebody's approval;" in said(at)

    press(select(at, 2), "delete")
    assert at.button(key="confirm_delete").label == "Ask for deletion"
    at.selectbox(key="reason").set_value("fraud")
    press(at, "confirm_delete")
    assert "Asked for. Somebody else approves or rejects it under Approvals; it expires on " in said(at)
    assert state(shop)["customers"] == before


def test_who_may_only_read_sees_the_job_and_cannot_steer_it(app: Any, shop: Database) -> None:
    job = jobs.prepare(shop, "delete", actor=STAFF, reason="fraud", ids=[1])
    at = app("customers", actor=AUDITOR, job=job.id)
    assert "Deleting 1 customer: never confirmed, so nothing was done." in said(at)
    jobs.stop(shop, jobs.start(shop, job.id, actor=STAFF).id, actor=STAFF)
    assert disabled(at.run(), "resume_job") == [True]
    assert "There is no such job." in said(app("customers", actor=ANN, job="nothing"))
