"""POST /staff/customers: what is entered is kept as entered, or refused with the field named."""

from __future__ import annotations

from typing import Any

import pytest
from callers import Caller, Serve, is_error
from shops import execute, state
from test_api_csv import read
from test_api_delete import events_of
from test_delete_customer import Shops

HOSTILE = "=HYPERLINK('http://x') **b** :red[x] $x$ <script>alert(1)</script> \u202e Robert'); DROP TABLE customers;--"


def test_it_answers_the_new_customer_and_writes_the_event(call: Caller) -> None:
    sent = {"name": "  Zoë   🚀 Ng ", "email": "zoe@example.com", "phone": None, "reason": "phoned us"}
    answer = call("POST", "/staff/customers", json=sent)
    body = answer.json()
    assert answer.status_code == 201
    assert body["created_at"].endswith("Z")
    assert body == {
        "id": 6,
        "name": "Zoë 🚀 Ng",
        "email": "zoe@example.com",
        "phone": None,
        "created_at": body["created_at"],
        "deleted_at": None,
    }
    assert call("GET", "/staff/customers/6").json() == body
    event = events_of(call, 6)[0]
    assert (event.action, event.actor, event.door) == ("add", "token:test staff", "api")
    assert (event.reason, event.note) == ("other", "phoned us")


def test_hostile_text_comes_back_as_it_was_sent(call: Caller) -> None:
    name = HOSTILE[:60]
    assert call("POST", "/staff/customers", json={"name": name}).json()["name"] == name
    assert call("GET", "/staff/customers", params={"search": name}).json()["items"][0]["name"] == name
    assert call("DELETE", "/staff/customers/6", json={"reason": name}).status_code == 200
    assert call("GET", "/staff/customers/6/history").json()["items"][0]["note"] == name
    (row,) = [row for row in read(call) if row["id"] == "6"]
    assert (row["name"], row["note"]) == (f"'{name}", f"'{name}")


REFUSED: dict[str, tuple[dict[str, Any], int, str, str]] = {
    "no name": ({}, 422, "invalid_input", "Name is blank. Every customer needs one."),
    "null": ({"name": None}, 422, "invalid_input", "Name is blank."),
    "an overlong name": ({"name": "é" * 61}, 422, "invalid_input", "Name has 61 characters; 60 fit."),
    "a number": ({"name": 5}, 422, "invalid_input", "name: Input should be a valid string."),
    "no e-mail": ({"name": "x", "email": "nobody"}, 422, "invalid_input", "nobody is not an e-mail address"),
    "a NUL": ({"name": "a\0b"}, 422, "invalid_input", "name: contains a character that no database can hold."),
    "a field that is not there": ({"name": "x", "vip": "yes"}, 422, "invalid_input", "vip is not a field here; these"),
    "a field of another type": ({"name": "x", "vip": {"a": 1}}, 422, "invalid_input", "vip: Input should be a valid"),
    "an id": ({"name": "x", "id": "7"}, 422, "invalid_input", "id is not a field here; these are: email, name, phone."),
    "a blank unknown": ({"name": "x", "vip": ""}, 422, "invalid_input", "vip is not a field here"),
    "a list": ([], 422, "invalid_input", "Send a JSON object as application/json."),
    "a taken address": (
        {"name": "x", "email": "ANA@example.com"},
        409,
        "email_taken",
        "ana@example.com belongs to Ana Lima (customer 1).",
    ),
    "that of a deleted one": (
        {"name": "x", "email": "dora@example.com"},
        409,
        "email_taken",
        "dora@example.com belongs to Dora Gone (customer 4), who is deleted.",
    ),
}


@pytest.mark.parametrize(("sent", "status", "code", "sentence"), REFUSED.values(), ids=REFUSED.keys())
def test_it_is_refused_with_what_is_wrong(
    ask: Caller, sent: dict[str, Any], status: int, code: str, sentence: str
) -> None:
    before = state(ask.shop)
    answer = ask("POST", "/staff/customers", json=sent)
    assert is_error(answer, status, code)
    assert answer.json()["error"]["message"].startswith(sentence)
    assert state(ask.shop) == before


def test_what_the_database_refuses_is_said_without_its_words(empty_url: str, opened: Shops, serve: Serve) -> None:
    """A unique phone, of which the mapping knows nothing."""
    call = serve(opened(empty_url))
    execute(call.shop.engine, "CREATE UNIQUE INDEX secret_index ON customers (phone)")
    assert call("POST", "/staff/customers", json={"name": "a", "phone": "5"}).status_code == 201
    before = state(call.shop)
    answer = call("POST", "/staff/customers", json={"name": "b", "phone": "5"})
    assert is_error(answer, 409, "conflict")
    assert answer.json()["error"]["message"] == "Another row of the database stands against this. Nothing was changed."
    assert state(call.shop) == before


def test_a_shop_with_several_names_has_a_field_for_each(tmp_path: Any, opened: Shops, serve: Serve) -> None:
    table = """CREATE TABLE customers (id {key}, FirstName VARCHAR(20) NOT NULL, LastName VARCHAR(30) NOT NULL, phone TEXT)"""
    sections = {"customers": {"name": ["FirstName", "LastName"], "phone": "phone"}}
    call = serve(opened(f"sqlite:///{tmp_path}/s", customers=table, people=[], sales=[], sections=sections))
    answer = call("POST", "/staff/customers", json={"name": "Ana", "name1": "Lima"})
    assert (answer.status_code, answer.json()["name"], answer.json()["email"]) == (201, "Ana Lima", None)
    assert is_error(call("POST", "/staff/customers", json={"name": "Ana"}), 422, "invalid_input")
    assert is_error(
        call("POST", "/staff/customers", json={"name": "A", "name1": "B", "email": "a@b"}), 422, "invalid_input"
    )
    fields = call("GET", "/staff/openapi.json").json()["components"]["schemas"]["NewCustomer"]
    assert fields["required"] == ["name", "name1"]
    assert fields["properties"]["name1"] == {"title": "Last name", "type": "string", "minLength": 1, "maxLength": 30}
    assert fields["additionalProperties"] is False
    assert fields["properties"]["phone"] == {"title": "Phone", "type": ["string", "null"]}
    assert "email" not in fields["properties"]
