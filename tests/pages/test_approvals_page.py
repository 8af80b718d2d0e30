"""Approvals as somebody sees them: what waits for managers, what is one's own, and what became of it."""

from __future__ import annotations

import re
import time
from pathlib import Path
from typing import Any

import pytest
from approving import ON, days_later
from screens import AUTH, HOSTILE, SECTIONS, claims_of, dialog, press, said, select, shown
from shops import execute, rows, whole_row
from streamlit.testing.v1 import AppTest

from data import approvals, jobs
from data import database as databases
from data.access import Actor, Door, Role, Standing
from data.customers import delete_many, edit
from data.database import Database, attach
from data.settings import ROOT, Settings

pytestmark = pytest.mark.parametrize("engine_name", ["sqlite"], indirect=True)
STRICT = SECTIONS | ON


def open_as(app: Any, name: str, page: str = "approvals", sections: Any = STRICT) -> AppTest:
    at: AppTest = app(page, sections=sections, claims=claims_of(name))
    return at


def signed_in(name: str, role: Role) -> Actor:
    return Actor(f"{name}@example.com", role, Door.DASHBOARD, Standing(claims=claims_of(name)))


@pytest.fixture
def strict(shop: Database) -> Any:
    """The shop as the server attaches it, where deletions wait."""
    settings = Settings(**{**dict(shop.settings), "approval": {"deletion": True}})
    database = attach(settings)
    yield database
    database.engine.dispose()


def ask(shop: Database, *ids: int, name: str = "staff", note: str | None = None, role: Role = Role.STAFF) -> int:
    asked = delete_many(shop, ids, actor=signed_in(name, role), reason="requested", note=note)[-1].request_id
    assert asked is not None
    return asked


def is_active(shop: Database, customer_id: int) -> bool:
    return whole_row(shop, customer_id)["deleted_at"] is None


def menu_of(name: str, menu: list[str]) -> list[str]:
    """The menu on the next page that somebody opens."""
    at = AppTest.from_file(ROOT / "dashboard.py", default_timeout=60)
    at.secrets["auth"], at.user = AUTH, claims_of(name)
    assert not at.run().exception
    return menu


def keys(at: AppTest) -> set[str]:
    return {str(button.key) for button in at.button} & {"approve", "reject", "withdraw"}


def test_a_manager_approves_with_the_figures_in_sight(app: Any, strict: Database, menu: list[str]) -> None:
    ask(strict, 1, note=HOSTILE)
    ask(strict, 2)
    at = open_as(app, "manager")
    assert "2 requests wait for somebody's approval" in said(at)
    assert "Approvals (2)" in menu_of("manager", menu)
    assert "Approvals" in menu_of("staff", menu)  # whom it does not concern
    assert list(shown(at)["whom"]) == ["Ana Lima", "Bo Ek"]
    assert list(shown(at)["revenue"]) == ["EUR 80.25", "EUR 51.01"]
    assert list(shown(at)["left"]) == ["7 days", "7 days"]
    assert "note" not in shown(at)
    assert keys(at) == {"approve", "reject"}
    assert at.button(key="approve").disabled
    press(select(at, 0), "approve")
    assert dialog(at) == "Approve the request about Ana Lima?"
    assert HOSTILE in said(at)
    assert "3 orders worth EUR 80.25 stay in every report" in said(at)
    press(at, "confirm_approve")
    assert dialog(at) is None
    assert "Ana Lima is deleted. 3 orders (EUR 80.25) still count." in said(at)
    assert "Approvals (1)" in menu_of("manager", menu)
    assert not is_active(strict, 1)
    assert is_active(strict, 2)


def test_it_is_rejected_with_a_note_alone_and_then_told_to_who_asked(app: Any, strict: Database) -> None:
    ask(strict, 1)
    at = open_as(app, "admin")
    press(select(at, 0), "reject")
    press(at, "confirm_reject")
    assert dialog(at) is not None
    assert "Say in a note why it is rejected." in said(at)
    at.text_input(key="decision_note").set_value("Still buys")
    press(at, "confirm_reject")
    assert "The request about Ana Lima is rejected. Nothing was deleted." in said(at)
    assert is_active(strict, 1)
    staff = open_as(app, "staff")
    assert "Nothing waits for approval." in said(staff)
    staff.session_state.decided = True
    staff.run()
    (decided,) = [frame.value for frame in staff.dataframe]
    assert decided.loc[0, ["state", "whom", "decided_by", "came", "note"]].tolist() == [
        "Rejected",
        "Ana Lima",
        "admin@example.com",
        "nothing",
        "Still buys",
    ]
    told = "1 request of yours was rejected: “Still buys”."
    home = open_as(app, "staff", "customers")
    assert told in said(home)
    assert told not in said(press(home, "close_answers"))
    assert told not in said(open_as(app, "manager", "customers"))


def test_who_asks_twice_learns_of_the_first_time_before_anything_is_entered(app: Any, strict: Database) -> None:
    ask(strict, 1)
    before = rows(strict, "evenbooks_approvals")
    at = open_as(app, "admin", "customers")
    assert list(shown(at)["waits"]) == ["asked for", "", "", ""]
    press(select(at, 0), "delete")
    assert re.search(
        r"staff@example\.com already asked for this today at \d\d:\d\d \(Requested by the customer\); "
        r"it expires on \d+ \w+ \d{4}\. Nothing changed\.",
        said(at),
    )
    assert "reason" not in {box.key for box in at.selectbox}
    press(at, "keep")
    # And where somebody asks before a restore is undone.
    at = press(select(open_as(app, "admin", "deleted_customers"), 0), "restore")
    ask(strict, 4)
    execute(strict.engine, "UPDATE evenbooks_approvals SET requested_at = '2024-01-01 00:00:00' WHERE customer_id = 4")
    press(at, "undo")
    assert "staff@example.com already asked for this on 1 Jan 2024 " in said(at)
    assert len(rows(strict, "evenbooks_approvals")) == len(before) + 1


def test_an_approved_job_is_led_to_and_what_came_of_it_is_told(app: Any, strict: Database, monkeypatch: Any) -> None:
    monkeypatch.setattr(jobs, "ensure_worker", lambda database: None)
    job = jobs.prepare(strict, "delete", actor=signed_in("staff", Role.STAFF), reason="fraud", ids=[1, 2])
    jobs.start(strict, job.id, actor=signed_in("staff", Role.STAFF))
    assert list(shown(open_as(app, "manager", "customers"))["waits"]) == ["asked for", "asked for", "", ""]
    at = open_as(app, "manager")
    press(press(select(at, 0), "approve"), "confirm_approve")
    assert at.session_state.flash.job == ("pages/customers.py", job.id)
    at.session_state.decided = True
    assert at.run().dataframe[0].value.loc[0, "came"] == "0 of 2 deleted, still running"


def test_one_s_own_request_is_withdrawn_and_cannot_be_approved(app: Any, strict: Database) -> None:
    ask(strict, 1, name="admin", role=Role.ADMIN)
    ask(strict, 2)
    at = select(open_as(app, "admin"), 0)
    assert at.button(key="approve").disabled
    assert "You asked for this yourself, so somebody else has to decide it." in said(at)
    assert list(shown(at)["note"]) == ["asked by you", ""]
    # Together with somebody else's it is neither to be withdrawn nor to be approved.
    assert keys(select(at, 0, 1)) == {"approve", "reject"}
    press(select(at, 0), "withdraw")
    press(at, "confirm_withdraw")
    assert "The request about Ana Lima is withdrawn." in said(at)
    staff = select(open_as(app, "staff"), 0)
    assert keys(staff) == {"withdraw"}
    auditor = select(open_as(app, "auditor"), 0)
    assert keys(auditor) == set()
    assert is_active(strict, 1)


def test_what_happened_meanwhile_is_said(app: Any, strict: Database) -> None:
    first, _ = ask(strict, 1), ask(strict, 2)
    execute(strict.engine, "UPDATE customers SET deleted_at = '2024-05-01 00:00:00' WHERE id = 2")
    at = select(open_as(app, "manager"), 0, 1)
    press(at, "approve")
    assert "Together 5 orders worth EUR 131.26 stay in every report." in said(at)
    approvals.reject(strict, first, actor=signed_in("admin", Role.ADMIN), note="No")
    press(at, "confirm_approve")
    assert dialog(at) is None
    assert f"Request {first} was rejected already, by admin@example.com. Nothing changed." in said(at)
    assert "Customer 2 was deleted meanwhile" in said(at)
    assert is_active(strict, 1)


def test_of_many_today_s_figures_stand_beside_those_that_were_asked_for(app: Any, strict: Database) -> None:
    staff = signed_in("staff", Role.STAFF)
    job = jobs.prepare(strict, "delete", actor=staff, reason="requested", ids=[1, 2])
    jobs.start(strict, job.id, actor=staff)
    at = select(open_as(app, "manager"), 0)
    assert "note" not in shown(at)
    execute(strict.engine, "UPDATE orders SET total = total + 10 WHERE id = 1")
    edit(strict, 2, {"name": "Bo Ekman"}, shown={"name": "Bo Ek"}, actor=staff)
    at = select(open_as(app, "manager"), 0)
    assert list(shown(at)["note"]) == ["1 changed since, other figures by now"]
    press(at, "approve")
    assert "5 orders worth EUR 141.26" in said(at)
    assert "When it was asked for, it was 5 orders worth EUR 131.26." in said(at)
    assert "1 customer was edited, deleted or restored since it was asked for." in said(at)


def test_what_was_decided_is_read_a_page_at_a_time(app: Any, strict: Database, monkeypatch: Any) -> None:
    monkeypatch.setattr("ui.approvals.SHOWN", 2)
    numbers = [ask(strict, n) for n in (1, 2, 3, 5)]
    at = open_as(app, "staff")
    assert list(shown(at)["whom"]) == ["Ana Lima", "Bo Ek"]  # those that expire first
    assert "4 requests wait" in said(at)
    for number in numbers[:3]:
        approvals.withdraw(strict, number, actor=signed_in("staff", Role.STAFF))
    at = open_as(app, "staff")
    at.session_state.decided = True
    at.run()
    assert list(at.dataframe[1].value["whom"]) == ["陈伟", "Bo Ek"]
    assert list(press(at, "decided_older").dataframe[1].value["whom"]) == ["Ana Lima"]
    assert at.button(key="decided_older").disabled
    assert list(press(at, "decided_newer").dataframe[1].value["whom"]) == ["陈伟", "Bo Ek"]


def test_what_nobody_answered_is_gone_from_the_list(app: Any, strict: Database) -> None:
    ask(strict, 1)
    with days_later(7):
        approvals.expire_due(strict)
    at = open_as(app, "manager")
    at.session_state.decided = True
    at.run()
    assert "Nothing waits for approval." in said(at)
    assert at.dataframe[0].value.loc[0, "state"] == "Expired"
    assert is_active(strict, 1)


def test_without_the_setting_the_page_says_so_and_without_sign_in_no_page_opens(app: Any, strict: Database) -> None:
    at = open_as(app, "manager", sections=SECTIONS)
    assert "Deletions are carried out at once: approval is off." in said(at)
    for page in ("approvals", "customers"):
        closed = app(page, sections=STRICT)
        assert "sign-in is not configured, so nobody could approve" in said(closed)
        assert not closed.dataframe


def test_an_erasure_names_whom_and_is_done_once_approved(app: Any, strict: Database, tmp_path: Path) -> None:
    elsewhere = STRICT | {"retention": {"erasures": f"{tmp_path}/erasures.jsonl"}}
    open_as(app, "manager", sections=elsewhere)  # attaches it
    database, manager = databases.default(), signed_in("manager", Role.MANAGER)
    job = jobs.prepare(database, "erase", actor=manager, reason="erasure", ids=[4])
    jobs.start(database, job.id, actor=manager)
    own = select(open_as(app, "manager", sections=elsewhere), 0)
    assert own.button(key="approve").disabled
    at = select(open_as(app, "admin", sections=elsewhere), 0)
    assert shown(at).loc[0, ["what", "whom", "orders"]].tolist() == ["Erase", "Dora Gone", 2]
    press(at, "approve")
    assert "Nothing takes an erasure back." in said(at)
    assert "2 orders worth EUR 100.00 stay in every report." in said(at)
    press(at, "confirm_approve")
    assert "Approved. Dora Gone will be erased now." in said(at)
    for _ in range(100):
        if jobs.get(databases.default(), job.id).state not in ("waiting", "running"):
            break
        time.sleep(0.1)
    assert jobs.get(databases.default(), job.id).state == "done"
    assert whole_row(strict, 4)["email"] != "dora@example.com"
