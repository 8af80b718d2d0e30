"""Adding customers: what is entered is kept as entered, or refused with the field named."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from shops import CUSTOMERS, PHONE, STAFF, problems, rows, state
from test_delete_customer import Shops

from data import Customer, queries
from data.access import Actor, Door, Role
from data.customers import add, delete_many
from data.database import Database, now, snapshot
from data.errors import EmailTaken, InvalidInput, NotPermitted


def test_it_adds_a_row_with_its_time_and_its_event(shop: Database) -> None:
    started = now()
    customer = add(shop, {"name": "  Zoë   🚀 Ng ", "email": "zoe@example.com", "phone": ""}, actor=STAFF)
    at = customer.created_at
    assert isinstance(at, datetime)
    assert started <= at <= now()
    assert at.tzinfo is UTC
    assert customer == Customer(6, "Zoë 🚀 Ng", "zoe@example.com", None, at, None)
    with snapshot(shop) as moment:
        assert queries.get_customer(moment.connection, shop.schema, 6) == customer
        newest = queries.list_events(moment.connection, shop.schema)[0]
    assert (newest.id, newest.action, newest.actor, newest.customer_id) == (3, "add", "test:staff", 6)
    assert problems(shop) == []


def test_the_event_holds_no_personal_data(shop: Database) -> None:
    add(shop, {"name": "Zoe Ng", "email": "zoe@example.com", "phone": "555"}, actor=STAFF)
    body = rows(shop, "evenbooks_events")[-1][8]
    assert not any(word in body for word in ("Zoe", "Ng", "zoe", "example", "555"))


REFUSED: dict[str, tuple[dict[str, Any], str, str]] = {
    "no name": ({}, "name", "Name is blank. Every customer needs one."),
    "a blank name": ({"name": " \t\n"}, "name", "Name is blank. Every customer needs one."),
    "an invisible name": ({"name": "\u200b\u2060"}, "name", "Name is blank. Every customer needs one."),
    "an overlong name": ({"name": "é" * 61}, "name", "Name has 61 characters; 60 fit."),
    "an overlong e-mail": ({"name": "x", "email": "a" * 79 + "@x"}, "email", "E-mail has 81 characters; 80 fit."),
    "an overlong phone": ({"name": "x", "phone": "1" * 21}, "phone", "Phone has 21 characters; 20 fit."),
    "no e-mail": ({"name": "x", "email": "nobody"}, "email", "nobody is not an e-mail address; one looks like"),
    "half an e-mail": ({"name": "x", "email": "@x"}, "email", "@x is not an e-mail address"),
    "two e-mails": ({"name": "x", "email": "a@b@c"}, "email", "a@b@c is not an e-mail address"),
    "an e-mail with a blank": ({"name": "x", "email": "a b@c"}, "email", "a b@c is not an e-mail address"),
    "a NUL": ({"name": "a\x00b"}, "name", "Name contains a character that cannot be shown."),
    "half a character": ({"name": "a\ud800b"}, "name", "Name contains a character that cannot be shown."),
}


@pytest.mark.parametrize(("values", "field", "sentence"), REFUSED.values(), ids=REFUSED.keys())
def test_it_refuses(shop: Database, values: dict[str, str], field: str, sentence: str) -> None:
    before = state(shop)
    with pytest.raises(InvalidInput) as caught:
        add(shop, values, actor=STAFF)
    assert str(caught.value).startswith(sentence)
    assert caught.value.field == field
    assert state(shop) == before


def test_the_longest_that_fits_is_kept_whole(shop: Database) -> None:
    assert add(shop, {"name": "é" * 60}, actor=STAFF).name == "é" * 60


def test_markup_and_formulas_are_kept_as_typed(shop: Database) -> None:
    name = "=HYPERLINK('x') **b** :red[x] $x$ <script>"
    assert add(shop, {"name": name}, actor=STAFF).name == name


@pytest.mark.parametrize("email", ["ana@example.com", "ANA@Example.COM", " ana@example.com "])
def test_an_e_mail_of_an_active_customer_is_refused_and_says_whose(shop: Database, email: str) -> None:
    before = state(shop)
    with pytest.raises(EmailTaken) as caught:
        add(shop, {"name": "New", "email": email}, actor=STAFF)
    assert (caught.value.customer.id, caught.value.customer.deleted_at) == (1, None)
    assert str(caught.value) == "ana@example.com belongs to Ana Lima (customer 1)."
    assert state(shop) == before


def test_an_e_mail_of_a_deleted_customer_is_refused_and_names_the_one_to_restore(shop: Database) -> None:
    with pytest.raises(EmailTaken, match=r"belongs to Dora Gone \(customer 4\), who is deleted\.$") as caught:
        add(shop, {"name": "New", "email": "dora@example.com"}, actor=STAFF)
    assert caught.value.customer.deleted_at is not None


def test_an_e_mail_in_another_script_is_found_whatever_its_case(shop: Database) -> None:
    add(shop, {"name": "Änne", "email": "Änne@Ex.de"}, actor=STAFF)
    for email in ("Änne@Ex.de", "änne@ex.de", "ÄNNE@EX.DE"):
        with pytest.raises(EmailTaken):
            add(shop, {"name": "Again", "email": email}, actor=STAFF)


def test_of_an_active_and_a_deleted_one_the_active_is_named(empty_url: str, opened: Shops) -> None:
    people = [{"id": n, "name": f"N{n}", "email": "same@x.com"} for n in (1, 2, 3)]
    shop = opened(empty_url, people=people, sales=[])
    delete_many(shop, [1, 3], actor=STAFF, reason="duplicate")
    with pytest.raises(EmailTaken) as caught:
        add(shop, {"name": "New", "email": "same@x.com"}, actor=STAFF)
    assert caught.value.customer.id == 2


@pytest.mark.parametrize("role", [Role.MANAGER, Role.AUDITOR])
def test_a_role_without_the_right_is_refused(shop: Database, role: Role) -> None:
    before = state(shop)
    with pytest.raises(NotPermitted):
        add(shop, {"name": "New"}, actor=Actor("test:x", role, Door.API))
    assert state(shop) == before


def test_a_column_that_must_not_be_null_takes_blank_only_where_it_may(empty_url: str, opened: Shops) -> None:
    customers = CUSTOMERS.replace("email VARCHAR(80)", "email VARCHAR(80) NOT NULL")
    shop = opened(empty_url, customers=customers, people=[], sales=[], sections=PHONE)
    with pytest.raises(InvalidInput, match="E-mail is blank") as caught:
        add(shop, {"name": "x"}, actor=STAFF)
    assert caught.value.field == "email"


@pytest.mark.parametrize("engine_name", ["mariadb"], indirect=True)
@pytest.mark.parametrize("column", ["name TINYTEXT NOT NULL", "name VARCHAR(900) CHARACTER SET latin1 NOT NULL"])
def test_what_the_column_cannot_hold_is_refused_and_not_cut(empty_url: str, opened: Shops, column: str) -> None:
    shop = opened(empty_url, customers=CUSTOMERS.replace("name VARCHAR(60) NOT NULL", column), people=[], sales=[])
    before = state(shop)
    with pytest.raises(InvalidInput, match="This cannot be kept or looked for in this database"):
        add(shop, {"name": "🚀" * 70}, actor=STAFF)
    assert state(shop) == before
