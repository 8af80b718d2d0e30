"""Editing customers: only what was changed, only while active, and never over somebody else's change."""

from __future__ import annotations

from typing import Any

import pytest
from shops import PEOPLE, STAFF, execute, problems, rows, state, whole_row

from data import Customer, queries
from data.access import Actor, Door, Role
from data.customers import delete_many, edit
from data.database import Database, snapshot
from data.errors import Conflict, CustomerNotFound, EmailTaken, InvalidInput, NotPermitted


def form(shop: Database, customer_id: int) -> dict[str, str]:
    with snapshot(shop) as moment:
        return queries.get_form_values(moment.connection, shop.schema, customer_id)


def change(shop: Database, customer_id: Any, **values: str) -> Customer:
    """Edits as the form does: from what it shows now."""
    shown = form(shop, customer_id)
    return edit(shop, customer_id, {**shown, **values}, shown=shown, actor=STAFF)


def test_it_changes_the_named_fields_and_nothing_else(shop: Database) -> None:
    before, others = whole_row(shop, 1), rows(shop, "customers")[1:]
    customer = change(shop, 1, name=" Ana  Lim ", phone="")
    assert (customer.name, customer.email, customer.phone) == ("Ana Lim", "ana@example.com", None)
    assert whole_row(shop, 1) == {**before, "name": "Ana Lim", "phone": None}
    assert rows(shop, "customers")[1:] == others


def test_the_event_names_the_columns_and_holds_no_personal_data(shop: Database) -> None:
    change(shop, 1, name="Zoe", email="zoe@x.com")
    event = rows(shop, "evenbooks_events")[-1]
    assert '"columns":["email","name"]' in event[8]
    assert not any(word in event[8] for word in ("Ana", "ana@", "Zoe", "zoe@"))
    assert event[2:5] == ("edit", "test:staff", "dashboard")
    assert problems(shop) == []


def test_nothing_changed_writes_nothing(shop: Database) -> None:
    before = state(shop)
    assert change(shop, 1, name=" Ana Lima ").name == "Ana Lima"
    assert state(shop) == before


@pytest.mark.parametrize("customer_id", [404, "abc", True, None, 10**30])
def test_an_unknown_id_is_named(shop: Database, customer_id: Any) -> None:
    with pytest.raises(CustomerNotFound, match=f"There is no customer {customer_id}."):
        edit(shop, customer_id, {"name": "x"}, shown={"name": "y"}, actor=STAFF)


def test_a_deleted_customer_is_not_edited(shop: Database) -> None:
    before = state(shop)
    with pytest.raises(Conflict, match=r"Dora Gone was deleted meanwhile\. Restore first, then edit\."):
        change(shop, 4, name="Dora")
    assert state(shop) == before


def test_deleted_while_the_form_was_open(shop: Database) -> None:
    shown = form(shop, 1)
    delete_many(shop, [1], actor=STAFF, reason="mistake")
    before = state(shop)
    with pytest.raises(Conflict, match="deleted meanwhile"):
        edit(shop, 1, {**shown, "name": "New"}, shown=shown, actor=STAFF)
    assert state(shop) == before


def test_a_stale_form_is_refused(shop: Database) -> None:
    shown = form(shop, 1)
    change(shop, 1, name="Ana Maria")
    before = state(shop)
    with pytest.raises(Conflict, match=r"Ana Maria was changed by somebody else meanwhile. Look again, then edit."):
        edit(shop, 1, {**shown, "name": "Anna"}, shown=shown, actor=STAFF)
    assert state(shop) == before


def test_two_who_edit_different_fields_both_succeed(shop: Database) -> None:
    shown = form(shop, 1)
    change(shop, 1, name="Ana Maria")
    customer = edit(shop, 1, {**shown, "phone": "2"}, shown=shown, actor=STAFF)
    assert (customer.name, customer.phone) == ("Ana Maria", "2")


REFUSED = {
    "a blank name": ({"name": " "}, "name", "Name is blank"),
    "an overlong name": ({"name": "x" * 61}, "name", "Name has 61 characters; 60 fit."),
    "no e-mail": ({"email": "x"}, "email", "x is not an e-mail address"),
}


@pytest.mark.parametrize(("values", "field", "sentence"), REFUSED.values(), ids=REFUSED.keys())
def test_it_refuses(shop: Database, values: dict[str, str], field: str, sentence: str) -> None:
    before = state(shop)
    with pytest.raises(InvalidInput, match=sentence) as caught:
        change(shop, 1, **values)
    assert caught.value.field == field
    assert state(shop) == before


@pytest.mark.parametrize(("email", "owner"), [("BO@example.com", 2), ("dora@example.com", 4)])
def test_an_e_mail_of_somebody_else_is_refused_and_says_whose(shop: Database, email: str, owner: int) -> None:
    before = state(shop)
    with pytest.raises(EmailTaken) as caught:
        change(shop, 1, email=email)
    assert caught.value.customer.id == owner
    assert state(shop) == before


def test_the_same_e_mail_in_another_case_is_ones_own(shop: Database) -> None:
    assert change(shop, 1, email="ANA@example.com").email == "ANA@example.com"


def test_somebody_elses_e_mail_is_found_beside_ones_own_of_the_same_spelling(shop: Database) -> None:
    execute(shop.engine, "UPDATE customers SET email = 'ana@example.com' WHERE id = 5")
    with pytest.raises(EmailTaken) as caught:
        change(shop, 1, email="Ana@example.com")
    assert caught.value.customer.id == 5


@pytest.mark.parametrize("role", [Role.MANAGER, Role.AUDITOR])
def test_a_role_without_the_right_is_refused(shop: Database, role: Role) -> None:
    before = state(shop)
    with pytest.raises(NotPermitted):
        edit(shop, 1, {"name": "x"}, shown={"name": str(PEOPLE[0]["name"])}, actor=Actor("test:x", role, Door.API))
    assert state(shop) == before
