"""Restoring where something came between: the dialog on shared addresses, stale lists, erased customers, links."""

from __future__ import annotations

from typing import Any

import pytest
from screens import (
    ANN,
    HOSTILE,
    as_read,
    ask_to_delete,
    confirm,
    dialog,
    disabled,
    events_of,
    press,
    said,
    select,
    shown,
)
from shops import CUSTOMERS, PEOPLE, PHONE, STAFF, execute, make_shop, problems, state, whole_row

from data.customers import delete_many, restore_many
from data.database import Database

pytestmark = pytest.mark.parametrize("engine_name", ["sqlite"], indirect=True)
PAGE = "deleted_customers"


@pytest.fixture
def taken(shop: Database) -> Database:
    """Customer 5 has by now the address of the deleted customer 4."""
    execute(shop.engine, "UPDATE customers SET email = 'DORA@example.com' WHERE id = 5")
    return shop


def test_a_shared_address_opens_a_dialog_before_anything_is_restored(app: Any, taken: Database) -> None:
    before = state(taken)
    at = press(select(app(PAGE), 0), "restore")
    assert dialog(at) == "Restore Dora Gone?"
    assert "dora@example.com is now the address of Eve Idle, customer 5." in said(at)
    assert "Addresses may be shared here, so that both can keep it." in said(at)
    press(at, "keep")
    assert dialog(at) is None
    assert state(taken) == before


def test_restored_without_the_address_the_page_says_so(app: Any, taken: Database) -> None:
    at = press(press(select(app(PAGE, actor=STAFF), 0), "restore"), "restore_without")
    assert dialog(at) is None
    assert "Dora Gone is back in the customer list." in said(at)
    assert "Dora Gone has no e-mail address any more, for somebody else has it." in said(at)
    assert not [button for button in at.button if button.key == "undo"]  # which would not bring the address back
    assert (whole_row(taken, 4)["email"], whole_row(taken, 4)["deleted_at"]) == (None, None)
    assert [(e.action, e.actor) for e in events_of(taken, 4)][:2] == [("restore", "test:staff"), ("edit", "test:staff")]
    assert problems(taken) == []


def test_where_addresses_may_be_shared_both_can_keep_theirs(app: Any, taken: Database) -> None:
    press(press(select(app(PAGE), 0), "restore"), "restore_anyway")
    assert (whole_row(taken, 4)["email"], whole_row(taken, 4)["deleted_at"]) == ("dora@example.com", None)


def test_of_several_the_others_can_be_restored_alone(app: Any, taken: Database) -> None:
    delete_many(taken, [1, 2], actor=ANN, reason="fraud")
    at = press(select(app(PAGE, sort="By number"), 0, 1, 2), "restore")
    assert dialog(at) == "Restore 3 customers?"
    assert at.button(key="restore_without").label == "Restore all, 1 without the e-mail"
    assert at.button(key="restore_rest").label == "Restore the other 2"
    press(at, "restore_rest")
    assert list(shown(at)["id"]) == [4]
    assert "2 customers are back in the customer list." in said(at)


def test_where_addresses_are_kept_apart_and_needed_there_is_no_way_but_the_other_customer(
    empty_url: str, visit: Any
) -> None:
    needs = CUSTOMERS.replace("email VARCHAR(80)", "email VARCHAR(80) NOT NULL")
    people = [{**one, "email": one["email"] or "wei@example.com"} for one in PEOPLE]
    shop = make_shop(empty_url, customers=needs, people=people)
    delete_many(shop, [4], actor=ANN, reason="fraud")
    active = "CREATE UNIQUE INDEX apart ON customers (email) WHERE deleted_at IS NULL"
    execute(shop.engine, "UPDATE customers SET email = 'dora@example.com' WHERE id = 5", active)
    shop.engine.dispose()
    at = press(select(visit(PAGE, url=empty_url, sections=PHONE), 0), "restore")
    assert "This database keeps the e-mail addresses of active customers apart." in said(at)
    assert {button.key for button in at.button} & {"restore_without", "restore_anyway", "restore_rest"} == set()
    (link,) = [one.proto for one in at.get("page_link") if one.proto.label == "Open Eve Idle"]
    assert "customers" in link.page
    assert "search=%235" in link.query_string


def test_a_hostile_name_in_the_dialog_is_shown_as_typed(app: Any, taken: Database) -> None:
    execute(taken.engine, f"UPDATE customers SET name = '{HOSTILE}' WHERE id = 5")
    at = press(select(app(PAGE), 0), "restore")
    raw = at.warning[0].value
    assert HOSTILE in as_read(raw)
    assert "**" not in raw


def test_a_list_that_is_out_of_date_restores_no_later_deletion(app: Any, shop: Database) -> None:
    at = select(app(PAGE), 0)
    restore_many(shop, [4], actor=ANN, reason="mistake")
    execute(shop.engine, "UPDATE customers SET deleted_at = '2031-05-03 13:58:00' WHERE id = 4")
    before = state(shop)
    press(at, "restore")
    assert (
        "Dora Gone (customer 4) was restored and deleted anew, at 2031-05-03T13:58:00Z, since the list was read."
        in said(at)
    )
    assert state(shop) == before


def test_undo_takes_back_its_own_deletion_only(app: Any, shop: Database) -> None:
    at = confirm(ask_to_delete(app("customers"), 0))
    restore_many(shop, [1], actor=ANN, reason="mistake")
    execute(shop.engine, "UPDATE customers SET deleted_at = '2031-05-03 13:58:00' WHERE id = 1")
    before = state(shop)
    press(at, "undo")
    assert "Ana Lima (customer 1) was restored and deleted anew" in said(at)
    assert state(shop) == before


def test_the_delete_dialog_says_who_was_changed_since_the_list_was_read(app: Any, shop: Database) -> None:
    at = select(app("customers"), 0)
    execute(shop.engine, "UPDATE customers SET name = 'Anna Lima', email = NULL WHERE id = 1")
    press(at, "delete")
    assert dialog(at) == "Delete Anna Lima?"
    assert "Changed since the list was read: Ana Lima (ana@example.com) is now Anna Lima." in said(at)
    assert "Changed since" not in said(press(select(press(at, "keep"), 1), "delete"))


def test_an_erased_customer_cannot_be_restored_and_the_button_says_why(
    app: Any, shop: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    delete_many(shop, [1], actor=ANN, reason="fraud")
    monkeypatch.setattr("data.queries.erased_ids", lambda connection, schema, ids: {4} & set(ids))
    at = app(PAGE, sort="By number")
    assert list(shown(at)["name"]) == ["Ana Lima", "Erased customer 4"]
    assert disabled(select(at, 0), "restore") == [False]
    assert disabled(select(at, 0, 1), "restore") == [True]
    assert at.button(key="restore").help == "Erased customer 4 cannot be restored: erasing is for good."


def test_one_selected_customer_offers_the_history(app: Any) -> None:
    def links(at: Any) -> list[str]:
        return [one.proto.query_string for one in at.get("page_link") if one.proto.label == "History"]

    for page, number in (("customers", 1), (PAGE, 4)):
        at = app(page)
        assert links(at) == []
        assert links(select(at, 0)) == [f"customer={number}"]
    assert links(select(app("customers"), 0, 1)) == []
