"""History: events in words, found by the filter in the address, one customer's life, and what is stored of an event."""

from __future__ import annotations

import csv
import io
from typing import Any

import pytest
from screens import ANN, AUDITOR, HOSTILE, STAFF, press, said, select, shown, taken
from shops import ADMIN, execute, rows
from streamlit.testing.v1 import AppTest

from data import customers, history
from data.access import Actor, Door, Role
from data.database import Database
from data.records import Event
from ui.told import ACTIONS, tell

pytestmark = pytest.mark.parametrize("engine_name", ["sqlite"], indirect=True)
JO = Actor("j.doe", Role.STAFF, Door.DASHBOARD)


@pytest.fixture
def told(shop: Database) -> Database:
    """Customer 1 deleted with a note and restored, 2 edited."""
    customers.delete_many(shop, [1], actor=JO, reason="requested", note="moved\naway")
    customers.restore_many(shop, [1], actor=ADMIN, reason="undo")
    customers.edit(shop, 2, {"name": "Bo Eks"}, shown={"name": "Bo Ek"}, actor=JO)
    return shop


def words(at: AppTest) -> list[str]:
    return list(shown(at)["what"])


def test_every_event_is_told_newest_first_with_its_customer_and_number(app: Any, told: Database) -> None:
    at = app("history", actor=STAFF)
    last = rows(told, "evenbooks_events")[-1][0]
    assert f"{last} events, newest first, each hashed over the one before." in said(at)
    assert words(at)[:3] == [
        "Edited (name) by j.doe at the dashboard",
        "Restored by test:admin by a command: Undone",
        "Deleted by j.doe at the dashboard: Requested by the customer, moved away",
    ]
    assert list(shown(at)["customer"])[:3] == ["Bo Eks (#2)", "Ana Lima (#1)", "Ana Lima (#1)"]
    assert list(shown(at)["id"]) == list(range(last, 0, -1))
    assert not [link for link in at.get("page_link") if "integrity" in link.proto.page]  # staff may not go there


def test_the_filter_is_in_the_address_and_the_file_holds_what_it_shows(app: Any, told: Database) -> None:
    at = app("history", action="delete", who="J.DOE")
    assert words(at) == ["Deleted by j.doe at the dashboard: Requested by the customer, moved away"]
    assert [row["note"] for row in csv.DictReader(io.StringIO(taken(at, ANN), newline=""))] == ["moved\naway"]
    at.selectbox(key="events_action").select("edit").run()
    assert at.query_params["action"] == "edit"
    assert len(words(at)) == 1
    at.text_input(key="events_who").set_value("").run()
    at.selectbox(key="events_reason").select("mistake").run()
    assert "No event matches." in said(at)
    assert at.query_params == {"action": "edit", "reason": "mistake"}
    at = app("history", action="no such", customer="Ana", **{"from": "soon"})
    assert "Ana is no customer's number." in said(at)
    assert "soon is no day; a day is YYYY-MM-DD." in said(at)
    assert "No event matches." in said(at)


def test_pages_are_in_the_address_and_a_bad_one_is_the_first(
    app: Any, told: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ui.history.ROWS", 2)
    last = rows(told, "evenbooks_events")[-1][0]
    at = app("history")
    assert at.button(key="previous").disabled
    press(at, "next")
    assert list(shown(at)["id"]) == [last - 2, last - 3]
    assert at.query_params["after"] == str(last - 1)
    press(at, "previous")
    assert list(shown(at)["id"]) == [last, last - 1]
    at = app("history", after="x")
    assert "This page is not there any more; here is the first." in said(at)
    assert list(shown(at)["id"]) == [last, last - 1]


def test_one_customers_life(app: Any, told: Database) -> None:
    at = app("history", customer="1")
    assert "Ana Lima, customer 1, active: 3 orders (EUR 80.25) in every report." in said(at).replace("**", "")
    assert len(words(at)) == 2
    (link,) = [one for one in at.get("page_link") if one.proto.label.startswith("In ")]
    assert (link.proto.label, link.proto.query_string) == ("In Customer Management", "search=%231")
    at = press(at, "everyone")
    assert "customer" not in at.query_params
    at = app("history", customer="4")
    assert "Dora Gone, customer 4, deleted today at" in said(at).replace("**", "")
    at = app("history", customer="5")
    assert "no orders." in said(at)
    assert "No event names this customer" in said(at)
    assert "There is no customer 99 now." in said(app("history", customer="99"))
    execute(told.engine, f"UPDATE customers SET name = '{HOSTILE}' WHERE id = 1")
    assert HOSTILE in said(app("history", customer="1"))


def test_from_an_event_to_its_customer_and_what_is_stored_of_it(app: Any, told: Database) -> None:
    at = select(app("history", actor=AUDITOR), 2)
    last = rows(told, "evenbooks_events")[-1]
    body, prev, digest = (box.value for box in at.code)
    assert '"action":"delete"' in body
    assert last[9] != prev != digest
    assert "The hash is that of the one before and this content." in said(at)
    assert not at.expander  # it stands there without another click
    press(at, "life_of")
    assert at.query_params["customer"] == "1"
    execute(told.engine, f"UPDATE evenbooks_events SET body = replace(body, 'j.doe', 'a.lie') WHERE id = {last[0] - 2}")
    at = select(app("history"), 2)
    assert "Its hash is not that of its content." in said(at)


def test_the_state_of_the_chain_stands_on_top(app: Any, told: Database) -> None:
    last = rows(told, "evenbooks_events")[-1][0]
    at = app("history")
    assert "Walked whole today at" in said(at)
    assert f"{last - 1} events since." in said(at)
    execute(
        told.engine,
        'UPDATE evenbooks_checks SET report = replace(report, \'"name": "chain", "ok": true\', \'"name": "chain", "ok": false\')',
    )
    assert "The chain was broken when it was last walked, today at" in said(app("history"))
    execute(told.engine, "UPDATE evenbooks_chain SET hash = 'x'", "UPDATE evenbooks_checks SET report = '-'")
    at = app("history")
    assert "The chain's head does not point to the last event." in said(at)
    assert "Nobody has walked the chain yet." in said(at)


def test_whoever_may_not_read_customers_sees_none_of_it(app: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("data.access.ALLOWED", {role: frozenset() for role in Role})
    at = app("history")
    assert "The role admin may not read customers." in said(at)
    assert not at.dataframe


def test_each_kind_of_event_has_words(app: Any) -> None:
    def tells(action: str, **body: Any) -> str:
        event = Event(1, "", action, "kim", "api", None, None, None, None)
        return tell(event, body, {}).removesuffix(" by kim through the API")

    assert tells("request", kind="erase") == "Erasure requested"
    assert tells("reject", kind="delete") == "Deletion rejected"
    assert tells("expire") == "Request not decided in time"
    assert tells("seal", month="2026-03") == "Sealed (2026-03)"
    assert tells("token", token="x") == "Token added (x)"
    assert tells("export", report="deleted_customers", format="xlsx", filtered=True) == (
        "Downloaded (deleted customers as XLSX, filtered)"
    )
    assert tells("something_new") == "Something_new"
    assert all(tells(action) for action in ACTIONS)
    assert history.read_body("[]") == history.read_body("{") == {}
