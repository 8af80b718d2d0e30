"""Deleted Customers: when, by whom, why, what is kept; restore one and many."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pandas as pd
import pytest
from screens import (
    ANN,
    AUDITOR,
    HOSTILE,
    MANAGER,
    STAFF,
    as_read,
    disabled,
    events_of,
    few_rows,
    press,
    said,
    select,
    shown,
)
from shops import PEOPLE, execute, make_shop, problems, state, whole_row

from data.access import Actor
from data.customers import delete_many, restore_many
from data.database import Database

ONE_ENGINE = pytest.mark.parametrize("engine_name", ["sqlite"], indirect=True)
PAGE = "deleted_customers"


def test_each_row_says_when_by_whom_why_and_what_is_kept(app: Any, shop: Database) -> None:
    delete_many(shop, [1], actor=ANN, reason="requested", note="by phone, =1+1")
    at = app(PAGE)
    assert "2 deleted customers. Their orders are in every report; restoring brings them back to the list." in said(at)
    frame = shown(at).sort_values("id").reset_index(drop=True)
    assert list(frame["id"]) == [1, 4]
    assert list(frame["name"]) == ["Ana Lima", "Dora Gone"]
    assert list(frame["by"]) == ["test:ann", "test:admin"]
    assert list(frame["reason"]) == ["Requested by the customer: by phone, =1+1", "No longer a customer"]
    assert list(frame["orders"]) == [3, 2]
    assert list(frame["revenue"]) == ["80.25", "100.00"]
    at_stored = [pd.Timestamp(str(whole_row(shop, number)["deleted_at"]), tz="UTC") for number in (1, 4)]
    assert list(frame["deleted_at"]) == at_stored
    assert "2 of 2" in said(at)


def test_a_customer_without_orders_keeps_nothing_and_one_without_a_name_is_no_trouble(app: Any, shop: Database) -> None:
    execute(shop.engine, "UPDATE customers SET name = '' WHERE id = 5")
    delete_many(shop, [5], actor=ANN, reason="duplicate")
    frame = shown(app(PAGE, search="#5"))
    assert list(frame[["name", "orders", "revenue"]].loc[0]) == ["", 0, "0.00"]


def test_before_evenbooks_and_outside_it_are_told_apart_from_our_own(empty_url: str, visit: Any) -> None:
    customers = (
        "CREATE TABLE customers (id {key}, name VARCHAR(60) NOT NULL, email VARCHAR(80), "
        "phone VARCHAR(20), created_at {time} NULL, deleted_at {time} NULL)"
    )
    people = [{**person, "deleted_at": "2024-05-03 13:58:00" if person["id"] == 4 else None} for person in PEOPLE]
    shop = make_shop(empty_url, customers=customers, people=people)
    delete_many(shop, [1, 2], actor=ANN, reason="fraud")
    restore_many(shop, [2], actor=ANN, reason="undo")
    execute(shop.engine, "UPDATE customers SET deleted_at = '2037-01-01 00:00:00' WHERE id IN (2, 5)")
    shop.engine.dispose()
    frame = shown(visit(PAGE, url=empty_url)).set_index("id")
    assert dict(frame["by"]) == {1: "test:ann", 2: "", 4: "", 5: ""}
    assert dict(frame["reason"]) == {
        1: "Fraud or abuse",
        2: "outside Evenbooks",
        4: "before Evenbooks",
        5: "outside Evenbooks",
    }
    assert frame["deleted_at"][4] == pd.Timestamp("2024-05-03 13:58:00", tz="UTC")


def test_search_and_each_order(app: Any, shop: Database) -> None:
    delete_many(shop, [1, 2], actor=ANN, reason="fraud")
    execute(shop.engine, "UPDATE customers SET deleted_at = '2024-05-03 13:58:00' WHERE id = 2")
    at = app(PAGE)
    first = [4, 1] if whole_row(shop, 4)["deleted_at"] != whole_row(shop, 1)["deleted_at"] else [1, 4]
    orders = {
        "Last deleted first": None,
        "First deleted first": [2, *first],
        "Name A to Z": [1, 2, 4],
        "By number": [1, 2, 4],
    }
    for order, ids in orders.items():
        at.selectbox(key="sort_deleted").set_value(order).run()
        assert list(shown(at)["id"]) == (ids or [2, *first][::-1]), order
    at.text_input(key="search_deleted").set_value("dora").run()
    assert list(shown(at)["id"]) == [4]
    at.text_input(key="search_deleted").set_value("eve").run()
    assert "No deleted customer matches." in said(at)


def test_one_click_restores_and_says_so(app: Any, shop: Database) -> None:
    at = app(PAGE, actor=STAFF)
    assert disabled(at, "restore") == [True]
    assert "Select rows to restore." in said(at)
    select(at, 0)
    assert at.button(key="restore").label == "Restore Customer"
    press(at, "restore")
    assert "Dora Gone is back in the customer list. All 2 orders were always there." in said(at)
    assert "Nobody is deleted." in said(at)
    assert "Customers deleted in Customer Management appear here, with when, by whom and why." in said(at)
    assert whole_row(shop, 4)["deleted_at"] is None
    event = events_of(shop, 4)[0]
    assert (event.action, event.actor, event.door) == ("restore", "test:staff", "dashboard")
    assert problems(shop) == []
    at.switch_page("pages/customers.py").run()
    assert list(shown(at)["id"]) == [1, 2, 3, 4, 5]


def test_a_restore_is_undone_and_each_has_their_reason_again(app: Any, shop: Database) -> None:
    delete_many(shop, [1], actor=ANN, reason="fraud", note="A stolen card")
    at = press(select(app(PAGE, sort="By number"), 0, 1), "restore")
    press(at, "undo")
    assert "2 customers are deleted. 5 orders (EUR 180.25) still count." in said(at)
    assert next((e.action, e.reason, e.note) for e in events_of(shop, 1)) == ("delete", "fraud", "A stolen card")
    assert (events_of(shop, 4)[0].action, events_of(shop, 4)[0].reason) == ("delete", "inactive")
    assert list(shown(at)["reason"]) == ["Fraud or abuse: A stolen card", "No longer a customer"]
    assert problems(shop) == []


def test_many_are_restored_at_once(app: Any, shop: Database) -> None:
    delete_many(shop, [1, 5], actor=ANN, reason="fraud")
    at = select(app(PAGE, sort="By number"), 0, 1, 2)
    assert at.button(key="restore").label == "Restore 3 Customers"
    press(at, "restore")
    assert "3 customers are back in the customer list. All 5 orders were always there." in said(at)
    assert "Nobody is deleted." in said(at)


def test_somebody_restored_them_meanwhile_so_nothing_changes(app: Any, shop: Database) -> None:
    at = select(app(PAGE), 0)
    restore_many(shop, [4], actor=ANN, reason="undo")
    before = state(shop)
    press(at, "restore")
    assert "Dora Gone is not deleted any more. Nothing changed there." in said(at)
    assert not at.success
    assert state(shop) == before


def test_of_several_those_already_restored_are_told_apart(app: Any, shop: Database) -> None:
    delete_many(shop, [1, 2, 5], actor=ANN, reason="fraud")
    at = select(app(PAGE, sort="By number"), 0, 1, 2)
    restore_many(shop, [2, 4], actor=ANN, reason="undo")
    press(at, "restore")
    assert "Ana Lima is back in the customer list." in said(at)
    assert "2 customers are not deleted any more. Nothing changed there." in said(at)
    assert list(shown(at)["id"]) == [5]


def test_a_customer_whom_another_program_removed_is_said_to_be_gone(app: Any, shop: Database) -> None:
    delete_many(shop, [5], actor=ANN, reason="fraud")
    at = select(app(PAGE, sort="By number"), 0, 1)
    execute(shop.engine, "DELETE FROM customers WHERE id = 5")
    before = state(shop)
    press(at, "restore")
    assert "There is no customer 5." in said(at)
    assert state(shop) == before


def test_restoring_the_whole_last_page_shows_the_first(
    app: Any, shop: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    few_rows(monkeypatch, 2)
    delete_many(shop, [1, 5], actor=ANN, reason="fraud")
    at = press(app(PAGE, sort="By number"), "next")
    assert list(shown(at)["id"]) == [5]
    press(select(at, 0), "restore")
    assert list(shown(at)["id"]) == [1, 4]
    assert "Eve Idle is back in the customer list." in said(at)


@ONE_ENGINE
def test_a_name_full_of_markup_is_escaped(app: Any, shop: Database) -> None:
    execute(shop.engine, f"UPDATE customers SET name = '{HOSTILE}' WHERE id = 4")
    at = app(PAGE)
    assert shown(at)["name"][0] == HOSTILE
    press(select(at, 0), "restore")
    raw = at.success[0].value
    assert as_read(raw).startswith(f"{HOSTILE} is back in the customer list.")
    assert not [sign for sign in ("**", ":red[", "$x$", "<script>", "[a](", "://", "b@c") if sign in raw]


@ONE_ENGINE
@pytest.mark.parametrize("actor", [MANAGER, AUDITOR])
def test_those_who_only_read_cannot_restore(app: Any, shop: Database, actor: Actor) -> None:
    at = select(app(PAGE, actor=actor), 0)
    assert disabled(at, "restore") == [True]
    assert at.button(key="restore").help == f"The role {actor.role} may not add, edit, delete or restore customers."
    before = state(shop)
    at.session_state.actor = STAFF
    select(at.run(), 0)
    at.session_state.actor = actor
    at.button(key="restore").click().run()  # as it was enabled a moment ago
    assert state(shop) == before


@ONE_ENGINE
def test_a_time_that_is_no_time_is_shown_as_stored(app: Any, shop: Database) -> None:
    delete_many(shop, [1], actor=ANN, reason="fraud")
    execute(shop.engine, "UPDATE customers SET deleted_at = '03/02/2024' WHERE id = 4")
    frame = shown(app(PAGE, sort="By number"))
    assert frame["deleted_at"][1] == "03/02/2024"
    assert str(datetime.now(UTC).year) in frame["deleted_at"][0]


@ONE_ENGINE
def test_the_buttons_lead_to_and_fro(app: Any) -> None:
    at = press(app("customers"), "view_deleted")
    assert at.title[0].value == "Deleted Customers"
    assert press(at, "back").title[0].value == "Customer Management"
