"""Customer Management as staff use it: list, search, sort, pages, delete, undo, add, edit."""

from __future__ import annotations

import re
from typing import Any

import pytest
from screens import (
    ANN,
    AUDITOR,
    HOSTILE,
    MANAGER,
    STAFF,
    ask_to_delete,
    confirm,
    dialog,
    disabled,
    events_of,
    few_rows,
    press,
    said,
    scalar,
    select,
    shown,
)
from shops import ORDERS, execute, fill, problems, state, whole_row
from streamlit.testing.v1 import AppTest

from data.access import Actor, Door, Role
from data.customers import delete_many, edit
from data.database import Database, snapshot
from data.queries import get_form_values
from data.settings import ROOT

CLERK = Actor("test:clerk", Role.STAFF, Door.DASHBOARD)
ONE_ENGINE = pytest.mark.parametrize("engine_name", ["sqlite"], indirect=True)


def submit(at: Any, **fields: str) -> Any:
    """Fills the open form and sends it."""
    for key, value in fields.items():
        at.text_input(key=f"field_{key}").set_value(value)
    return press(at, "submit")


# The list


def test_the_list_holds_active_customers_and_says_how_many(app: Any) -> None:
    at = app("customers")
    assert "4 active customers. 1 deleted customer not in this list; their orders still count in every report." in said(
        at
    )
    assert list(shown(at).columns) == ["id", "name", "email", "phone", "created_at"]
    assert list(shown(at)["id"]) == [1, 2, 3, 5]
    assert "4 of 4" in said(at)
    assert disabled(at, "add", "edit", "delete", "previous", "next") == [False, True, True, True, True]
    assert "Select rows to edit or delete." in said(at)


def test_the_title_says_the_moment_of_the_reading_in_the_viewers_zone(app: Any) -> None:
    assert re.search(r"as of \d\d:\d\d:\d\d, your time", said(app("customers")))


def test_search_finds_names_beginnings_of_e_mails_and_numbers(app: Any) -> None:
    at = app("customers")
    found = {"ana": [1], "bo@": [2], "#5": [5], "陈": [3], "e": [2, 5], "  ": [1, 2, 3, 5]}
    for words, ids in found.items():
        at.text_input(key="search").set_value(words).run()
        assert list(shown(at)["id"]) == ids, words
        assert f"{len(ids)} of {len(ids)}" in said(at)
    at.text_input(key="search").set_value("dora").run()
    assert "No active customer matches; 1 deleted customer would: see View Deleted Customers." in said(at)


@ONE_ENGINE
def test_a_search_that_matches_nobody_says_so(app: Any) -> None:
    assert "No customer matches, active or deleted." in said(app("customers", search="zzz"))


@ONE_ENGINE
def test_a_search_in_the_address_is_done_and_an_overlong_one_is_no_trouble(app: Any) -> None:
    assert list(shown(app("customers", search="ana"))["id"]) == [1]
    assert "No customer matches" in said(app("customers", search="x" * 5000))


def test_each_order(app: Any) -> None:
    orders = {
        "By number": [1, 2, 3, 5],
        "Last number first": [5, 3, 2, 1],
        "Name A to Z": [1, 2, 5, 3],
        "Name Z to A": [3, 5, 2, 1],
        "E-mail A to Z": [3, 1, 2, 5],
        "Newest first": [5, 2, 1, 3],
        "Oldest first": [3, 1, 2, 5],
    }
    at = app("customers")
    assert at.selectbox(key="sort").options == list(orders)
    for order, ids in orders.items():
        at.selectbox(key="sort").set_value(order).run()
        assert list(shown(at)["id"]) == ids, order


@pytest.mark.parametrize("order", ["By number", "Name Z to A", "Newest first"])
def test_next_and_previous_show_every_customer_exactly_once(
    app: Any, shop: Database, monkeypatch: pytest.MonkeyPatch, order: str
) -> None:
    few_rows(monkeypatch, 4)
    fill(shop.engine, "customers", [{"id": 100 + n, "name": f"N{n % 3}"} for n in range(11)])
    at = app("customers", sort=order)
    pages = [list(shown(at)["id"])]
    while not at.button(key="next").disabled:
        pages.append(list(shown(press(at, "next"))["id"]))
    assert sorted(number for page in pages for number in page) == [1, 2, 3, 5, *range(100, 111)]
    assert [len(page) for page in pages] == [4, 4, 4, 3]
    back = [list(shown(at)["id"])]
    while not at.button(key="previous").disabled:
        back.insert(0, list(shown(press(at, "previous"))["id"]))
    assert back == pages


@ONE_ENGINE
@pytest.mark.parametrize("key", ["after", "before"])
def test_an_address_that_cannot_be_read_says_so_and_shows_the_first_page(app: Any, key: str) -> None:
    at = app("customers", **{key: "garbage"})
    assert "This page address cannot be read. Start again from the first page." in said(at)
    assert list(shown(at)["id"]) == [1, 2, 3, 5]
    assert key not in at.query_params
    assert "cannot be read" not in said(at.run())


@ONE_ENGINE
def test_a_new_search_or_order_begins_at_its_first_page(app: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    few_rows(monkeypatch, 2)
    at = press(app("customers"), "next")
    assert at.query_params["after"]
    at.selectbox(key="sort").set_value("Last number first").run()
    assert "after" not in at.query_params
    assert list(shown(at)["id"]) == [5, 3]


@ONE_ENGINE
def test_a_selection_does_not_outlive_its_rows(app: Any, shop: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    few_rows(monkeypatch, 2)
    at = select(app("customers"), 0)
    assert disabled(at, "edit", "delete") == [False, False]
    assert disabled(press(at, "next"), "edit", "delete") == [True, True]
    select(at, 0)
    at.selectbox(key="sort").set_value("Last number first").run()
    assert disabled(at, "edit", "delete") == [True, True]
    press(select(at, 0), "edit")
    submit(at, phone="9")
    assert disabled(at, "edit", "delete") == [True, True]


@ONE_ENGINE
def test_an_empty_shop_and_a_shop_of_deleted_customers_say_what_to_do(opened: Any, visit: Any, empty_url: str) -> None:
    shop = opened(empty_url, people=[], sales=[])
    at = visit("customers", url=empty_url)
    assert "0 active customers, none deleted." in said(at)
    assert "There are no customers yet. Add New Customer makes the first one." in said(at)
    fill(shop.engine, "customers", [{"id": 1, "name": "Ana"}])
    delete_many(shop, [1], actor=ANN, reason="mistake")
    assert "Every customer is deleted. View Deleted Customers restores them." in said(visit("customers", url=empty_url))


# Delete


def test_the_dialog_says_what_stays_and_needs_a_reason(app: Any, shop: Database) -> None:
    before = state(shop)
    at = ask_to_delete(app("customers"), 0)
    assert dialog(at) == "Delete Ana Lima?"
    assert (
        "This is a soft delete. The customer leaves the list; 3 orders worth EUR 80.25 stay in every report; "
        "restoring is possible at any time." in said(at)
    )
    assert [at.button(key=key).label for key in ("confirm_delete", "keep")] == ["Delete customer", "Keep"]
    confirm(at, reason=None)
    assert dialog(at) == "Delete Ana Lima?"
    assert "Give a reason." in said(at)
    assert state(shop) == before


def test_keep_closes_the_dialog_and_changes_nothing(app: Any, shop: Database) -> None:
    before = state(shop)
    at = press(ask_to_delete(app("customers"), 0), "keep")
    assert dialog(at) is None
    assert dialog(at.run()) is None
    assert list(shown(at)["id"]) == [1, 2, 3, 5]
    assert state(shop) == before


def test_confirming_deletes_says_so_and_undo_takes_it_back(app: Any, shop: Database) -> None:
    row, before = whole_row(shop, 1), state(shop)["orders"]
    at = confirm(ask_to_delete(app("customers"), 0), "other", "moved to Mars\n= nowhere")
    assert dialog(at) is None
    assert "Ana Lima is deleted. 3 orders (EUR 80.25) still count." in said(at)
    assert "3 active customers. 2 deleted customers not in this list" in said(at)
    assert list(shown(at)["id"]) == [2, 3, 5]
    now = whole_row(shop, 1)
    assert now.pop("deleted_at") is not None
    assert row.pop("deleted_at") is None
    assert now == row
    event = events_of(shop, 1)[0]
    assert (event.action, event.actor, event.door, event.reason) == ("delete", "test:ann", "dashboard", "other")
    assert event.note is not None
    assert event.note.startswith("moved to Mars")

    press(at, "undo")
    assert "Ana Lima is back in the customer list. All 3 orders were always there." in said(at)
    assert list(shown(at)["id"]) == [1, 2, 3, 5]
    assert whole_row(shop, 1)["deleted_at"] is None
    assert [(e.action, e.reason) for e in events_of(shop, 1)] == [("restore", "undo"), ("delete", "other")]
    assert state(shop)["orders"] == before
    assert problems(shop) == []


def test_the_second_click_learns_of_the_first_and_writes_nothing(app: Any, shop: Database) -> None:
    at = ask_to_delete(app("customers"), 0)
    delete_many(shop, [1], actor=CLERK, reason="requested")
    before = state(shop)
    confirm(at, "fraud")
    assert re.search(
        r"Ana Lima was already deleted today at \d\d:\d\d by test:clerk \(Requested by the customer\)\. Nothing changed\.",
        said(at),
    )
    assert not [b for b in at.button if b.key == "undo"]
    assert state(shop) == before
    assert list(shown(at)["id"]) == [2, 3, 5]


def test_several_at_once_are_deleted_and_undone_together(app: Any, shop: Database) -> None:
    at = select(app("customers"), 0, 1, 3)
    assert disabled(at, "edit", "delete") == [True, False]
    assert at.button(key="delete").label == "Delete 3"
    press(at, "delete")
    assert dialog(at) == "Delete 3 customers?"
    assert "The customers leave the list; 5 orders worth EUR 131.26 stay in every report" in said(at)
    assert at.button(key="confirm_delete").label == "Delete 3 customers"
    confirm(at)
    assert "3 customers are deleted. 5 orders (EUR 131.26) still count." in said(at)
    assert list(shown(at)["id"]) == [3]
    assert [e.customer_id for e in events_of(shop)[:3]] == [5, 2, 1]
    press(at, "undo")
    assert "3 customers are back in the customer list. All 5 orders were always there." in said(at)
    assert list(shown(at)["id"]) == [1, 2, 3, 5]


def test_of_several_those_already_deleted_are_named(app: Any, shop: Database) -> None:
    at = ask_to_delete(app("customers"), 0, 1)
    delete_many(shop, [2], actor=CLERK, reason="fraud")
    confirm(at)
    assert "Ana Lima is deleted. 3 orders (EUR 80.25) still count. Bo Ek was already deleted today at" in said(at)
    press(at, "undo")
    assert list(shown(at)["id"]) == [1, 3, 5]


def test_a_customer_without_orders_and_one_with_a_single_order_read_well(app: Any) -> None:
    at = ask_to_delete(app("customers"), 3)
    assert "The customer leaves the list; there are no orders to lose; restoring is possible at any time." in said(at)
    confirm(at)
    assert "Eve Idle is deleted. There were no orders, so no total is concerned." in said(at)
    ask_to_delete(at, 2)
    assert "1 order worth EUR 7.77 stays in every report" in said(at)
    confirm(at)
    assert "陈伟 is deleted. 1 order (EUR 7.77) still counts." in said(at)
    press(at, "undo")
    assert "陈伟 is back in the customer list. No order was ever gone." in said(at)


def test_open_orders_are_warned_of(opened: Any, visit: Any, empty_url: str) -> None:
    sections = {"orders": {"status": "status", "revenue_statuses": ["paid"]}}
    opened(empty_url, sections=sections)
    at = ask_to_delete(visit("customers", url=empty_url, sections=sections), 0)
    assert "not counted as revenue yet" not in said(at)
    press(at, "keep")
    ask_to_delete(at, 1)
    assert "1 order worth EUR 1.01 stays in every report" in said(at)
    assert "1 order not counted as revenue yet. Deleting does not cancel it." in said(at)
    press(at, "keep")
    ask_to_delete(at, 0, 1, 4)
    assert "4 orders worth EUR 81.26 stay in every report" in said(at)


@ONE_ENGINE
def test_orders_none_of_which_counts_yet_are_not_called_none(opened: Any, visit: Any, empty_url: str) -> None:
    sections = {"orders": {"status": "status", "revenue_statuses": ["paid"]}}
    opened(
        empty_url, sections=sections, sales=[(1, 2, "2024-01-01", "5.00", "open"), (2, 2, "2024-01-02", "5.00", "open")]
    )
    at = ask_to_delete(visit("customers", url=empty_url, sections=sections), 1)
    assert "The customer leaves the list; no order counts as revenue yet; restoring" in said(at)
    assert "2 orders not counted as revenue yet. Deleting does not cancel them." in said(at)


def test_amounts_of_several_currencies_are_never_added(opened: Any, visit: Any, empty_url: str) -> None:
    sections = {"orders": {"currency": "status"}}
    sales = [
        (1, 1, "2024-01-01", "5.00", "EUR"),
        (2, 1, "2024-01-02", "7.00", "$X$"),
        (3, 1, "2024-01-03", "1.00", None),
    ]
    opened(empty_url, sections=sections, sales=sales)
    at = ask_to_delete(visit("customers", url=empty_url, sections=sections), 0)
    assert "3 orders worth $X$ 7.00 and EUR 5.00 and XXX 1.00 stay in every report" in said(at)
    assert "$X$" not in "".join(str(m.value) for m in at.markdown)


def test_deleting_everybody_on_the_last_page_shows_the_first_and_keeps_undo(
    app: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    few_rows(monkeypatch, 3)
    at = press(app("customers"), "next")
    assert list(shown(at)["id"]) == [5]
    confirm(ask_to_delete(at, 0))
    assert list(shown(at)["id"]) == [1, 2, 3]
    press(at, "undo")
    assert "Eve Idle is back in the customer list." in said(at)


def test_a_selected_customer_whom_another_program_removed_is_said_to_be_gone(app: Any, shop: Database) -> None:
    for button in ("delete", "edit"):
        fill(shop.engine, "customers", [{"id": 9, "name": "Brief"}])
        at = select(app("customers", sort="Last number first"), 0)
        execute(shop.engine, "DELETE FROM customers WHERE id = 9")
        press(at, button)
        assert "There is no customer 9 any more." in said(at)
        assert dialog(at) is None


@ONE_ENGINE
def test_what_happened_is_told_until_something_else_happens(app: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    few_rows(monkeypatch, 1)
    at = confirm(ask_to_delete(app("customers"), 0))
    assert "is deleted" in said(at.run())
    at.switch_page("pages/deleted_customers.py").run()
    assert "is deleted" not in said(at)
    at.switch_page("pages/customers.py").run()
    assert "is deleted" not in said(at)
    confirm(ask_to_delete(at, 0))
    assert "is deleted" not in said(press(at, "next"))


def test_a_name_full_of_markup_is_escaped_in_every_message_and_title(app: Any, shop: Database) -> None:
    execute(shop.engine, f"UPDATE customers SET name = '{HOSTILE[:60]}' WHERE id = 1")
    name = HOSTILE[:60]
    at = select(app("customers"), 0)
    assert shown(at)["name"][0] == name
    press(at, "delete")
    assert dialog(at) == f"Delete {name}?"
    raw = at.get("dialog")[0].proto.dialog.title
    confirm(at)
    assert f"{name} is deleted. 3 orders" in said(at)
    raw += at.success[0].value
    press(at, "undo")
    raw += at.success[0].value
    press(select(at, 0), "edit")
    submit(at, phone="9")
    assert f"{name} is saved." in said(at)
    raw += at.success[0].value
    press(at, "add")
    submit(at, name="Other", email="ana@example.com")
    assert f"ana@example.com belongs to {name}, customer 1." in said(at)
    raw += at.error[0].value
    for sign in ("**", ":red[", "$x$", "<script>", "[a](", "://", "ana@e"):
        assert sign not in raw


# Add


def test_a_customer_is_added_with_an_event(app: Any, shop: Database) -> None:
    at = press(app("customers"), "add")
    assert dialog(at) == "Add New Customer"
    assert [field.label for field in at.text_input][1:] == ["Name", "E-mail (optional)", "Phone (optional)"]
    submit(at, name="  Finn  Berg ", email="finn@example.com")
    assert dialog(at) is None
    assert "Finn Berg is customer 6." in said(at)
    assert "5 active customers." in said(at)
    assert list(shown(at)["id"]) == [1, 2, 3, 5, 6]
    row = whole_row(shop, 6)
    assert (row["name"], row["email"], row["phone"], row["deleted_at"]) == ("Finn Berg", "finn@example.com", None, None)
    assert [(e.action, e.actor) for e in events_of(shop, 6)] == [("add", "test:ann")]


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ({"name": "  "}, "Name is blank. Every customer needs one."),
        ({"name": "Finn", "email": "nowhere"}, "nowhere is not an e-mail address; one looks like ana@example.com."),
        ({"name": "x" * 61}, "Name has 61 characters; 60 fit."),
        ({"name": "Finn", "email": "BO@example.com"}, "bo@example.com belongs to Bo Ek, customer 2."),
    ],
)
def test_what_cannot_be_added_is_said_in_the_dialog(
    app: Any, shop: Database, fields: dict[str, str], sentence: str
) -> None:
    before = state(shop)
    at = submit(press(app("customers"), "add"), **fields)
    assert sentence in said(at)
    assert dialog(at) == "Add New Customer"
    assert at.text_input(key="field_name").value == fields["name"]
    assert state(shop) == before


def test_the_e_mail_of_a_deleted_customer_offers_to_restore_that_one(app: Any, shop: Database) -> None:
    at = submit(press(app("customers"), "add"), name="Dora Again", email="dora@example.com")
    assert re.search(
        r"dora@example\.com belongs to Dora Gone, deleted today at \d\d:\d\d\. Restore that customer instead\?",
        said(at),
    )
    assert at.button(key="restore_instead").label == "Restore Customer"
    press(at, "restore_instead")
    assert dialog(at) is None
    assert "Dora Gone is back in the customer list. All 2 orders were always there." in said(at)
    assert list(shown(at)["id"]) == [1, 2, 3, 4, 5]
    assert scalar(shop, "SELECT count(*) FROM customers") == 5


@ONE_ENGINE
def test_after_another_attempt_the_offer_to_restore_is_gone(app: Any) -> None:
    at = submit(press(app("customers"), "add"), name="Dora Again", email="dora@example.com")
    submit(at, name=" ")
    assert "Name is blank." in said(at)
    assert "Restore that customer instead?" not in said(at)


@ONE_ENGINE
def test_add_is_disabled_with_the_reason_where_a_column_would_stay_empty(
    opened: Any, visit: Any, empty_url: str
) -> None:
    customers = "CREATE TABLE customers (id {key}, name VARCHAR(60) NOT NULL, tax_no VARCHAR(9) NOT NULL)"
    opened(empty_url, customers=customers, people=[{"id": 1, "name": "Ana", "tax_no": "1"}], sections=None)
    at = visit("customers", url=empty_url)
    assert at.button(key="add").disabled
    assert "tax" in at.button(key="add").help
    assert "Give each a constant under" in at.button(key="add").help
    assert list(shown(at).columns) == ["id", "name"]
    sections = {"customers": {"insert": {"tax_no": "none"}}}
    assert not visit("customers", url=empty_url, sections=sections).button(key="add").disabled


# Edit


def test_an_edit_is_saved_with_an_event(app: Any, shop: Database) -> None:
    at = press(select(app("customers"), 1), "edit")
    assert dialog(at) == "Edit customer 2"
    assert [f.value for f in at.text_input][1:] == ["Bo Ek", "bo@example.com", ""]
    submit(at, name="Bo Eklund", email="")
    assert dialog(at) is None
    assert "Bo Eklund is saved." in said(at)
    assert shown(at)["name"][1] == "Bo Eklund"
    row = whole_row(shop, 2)
    assert (row["name"], row["email"], row["phone"]) == ("Bo Eklund", None, None)
    assert [(e.action, e.actor) for e in events_of(shop, 2)] == [("edit", "test:ann")]


@ONE_ENGINE
def test_the_form_of_one_customer_never_holds_anothers_values(app: Any) -> None:
    at = press(select(app("customers"), 1), "edit")
    at.text_input(key="field_name").set_value("half typed")
    at.session_state.dialog = (None, ())
    del at.session_state["shown"]  # both as dismissing it does
    assert dialog(at.run()) is None
    press(select(at, 0), "edit")
    assert [f.value for f in at.text_input][1:] == ["Ana Lima", "ana@example.com", "+351 1"]


def test_an_edit_after_somebody_elses_says_so_and_changes_nothing(app: Any, shop: Database) -> None:
    at = press(select(app("customers"), 1), "edit")
    with snapshot(shop) as moment:
        values = get_form_values(moment.connection, shop.schema, 2)
    edit(shop, 2, {**values, "name": "Bo Other"}, shown=values, actor=CLERK)
    before = state(shop)
    submit(at, name="Bo Mine")
    assert "Bo Other was changed by somebody else meanwhile. Look again, then edit." in said(at)
    assert state(shop) == before


def test_an_edit_of_a_customer_deleted_meanwhile_says_so_and_changes_nothing(app: Any, shop: Database) -> None:
    at = press(select(app("customers"), 1), "edit")
    delete_many(shop, [2], actor=CLERK, reason="fraud")
    before = state(shop)
    submit(at, name="Bo Mine")
    assert "Bo Ek was deleted meanwhile. Restore first, then edit." in said(at)
    assert dialog(at) == "Edit customer 2"
    assert state(shop) == before


# Roles


@pytest.mark.parametrize("actor", [MANAGER, AUDITOR])
def test_those_who_only_read_find_the_buttons_disabled_with_the_reason(app: Any, actor: Actor) -> None:
    at = select(app("customers", actor=actor), 0)
    assert disabled(at, "add", "edit", "delete") == [True, True, True]
    for key in ("add", "edit", "delete"):
        assert at.button(key=key).help == f"The role {actor.role} may not add, edit, delete or restore customers."
    assert "Select rows" not in said(at)


@pytest.mark.parametrize("actor", [MANAGER, AUDITOR])
@pytest.mark.parametrize("forged", [("delete", (1,)), ("edit", (1,)), ("add", ())])
@ONE_ENGINE
def test_a_forged_dialog_is_refused_and_changes_nothing(app: Any, shop: Database, actor: Actor, forged: Any) -> None:
    before = state(shop)
    at = app("customers", actor=actor)
    at.session_state.dialog = forged
    at.run()
    if forged[0] == "delete":
        confirm(at)
    else:
        submit(at, name="Mine")
    assert f"The role {actor.role} may not add, edit, delete or restore customers." in said(at)
    assert state(shop) == before


@ONE_ENGINE
def test_somebody_whose_role_was_taken_meanwhile_cannot_undo(app: Any, shop: Database) -> None:
    at = confirm(ask_to_delete(app("customers"), 0))
    before = state(shop)
    at.session_state.actor = AUDITOR
    press(at, "undo")
    assert "The role auditor may not add, edit, delete or restore customers." in said(at)
    assert state(shop) == before


@ONE_ENGINE
def test_staff_find_no_revenue_in_the_menu_and_are_refused_at_its_address(app: Any, menu: list[str]) -> None:
    at = AppTest.from_file(ROOT / "dashboard.py", default_timeout=60)
    app("customers")
    at.session_state.actor = STAFF
    assert "Customer Management" in said(at.run())
    assert menu == ["Customer Management", "Deleted Customers", "History", "Approvals"]

    at = app("revenue", actor=STAFF)
    assert "The role staff may not read revenue." in said(at)
    assert not at.metric


@ONE_ENGINE
@pytest.mark.parametrize(
    ("actor", "title"), [(STAFF, "Customer Management"), (MANAGER, "Revenue"), (ANN, "Customer Management")]
)
def test_each_role_lands_on_its_page(app: Any, actor: Actor, title: str) -> None:
    app("customers")
    at = AppTest.from_file(ROOT / "dashboard.py", default_timeout=60)
    at.session_state.actor = actor
    assert at.run().title[0].value == title


def test_a_text_key_that_is_markup_is_shown_as_typed(opened: Any, visit: Any, empty_url: str) -> None:
    customers = "CREATE TABLE customers (id VARCHAR(20) PRIMARY KEY, name VARCHAR(60) NOT NULL)"
    orders = ORDERS.replace("customer_id INTEGER", "customer_id VARCHAR(20)")
    opened(
        empty_url, customers=customers, orders=orders, people=[{"id": "*a*", "name": "Ana"}], sales=[], sections=None
    )
    at = press(select(visit("customers", url=empty_url), 0), "edit")
    assert dialog(at) == "Edit customer *a*"
    submit(at, name="Anna")
    assert "Anna is saved." in said(at)
    confirm(ask_to_delete(at, 0))
    assert "Anna is deleted." in said(at)
