"""POST /staff/customers/<id>/restore, and the restore of many: a result for each."""

from __future__ import annotations

import pytest
from callers import Caller, Serve, is_error
from shops import ADMIN, state, whole_row
from test_api_delete import events_of
from test_delete_customer import Shops

from data.access import Role
from data.customers import delete_many
from data.errors import DatabaseUnavailable
from web import changing

DORA = {
    "id": 4,
    "name": "Dora Gone",
    "email": "dora@example.com",
    "phone": None,
    "created_at": "2023-12-31T23:59:59Z",
    "deleted_at": None,
    "changed": True,
    "orders": 2,
    "revenue": {"EUR": "100.00"},
}


def test_it_answers_the_customer_and_writes_why(call: Caller) -> None:
    answer = call("POST", "/staff/customers/4/restore")
    event = events_of(call, 4)[0]
    assert (answer.status_code, answer.json()) == (200, {**DORA, "event_id": event.id})
    assert (event.action, event.actor, event.door) == ("restore", "token:test staff", "api")
    assert (event.reason, event.note) == ("restored", None)
    assert whole_row(call.shop, 4)["deleted_at"] is None


def test_repeating_changes_nothing_and_a_reason_may_be_given(call: Caller) -> None:
    first = call("POST", "/staff/customers/4/restore?reason=mistake", json={"note": "ours"}).json()
    assert (events_of(call, 4)[0].reason, events_of(call, 4)[0].note) == ("mistake", "ours")
    before = state(call.shop)
    assert call("POST", "/staff/customers/4/restore").json() == {**first, "changed": False}
    never = call("POST", "/staff/customers/2/restore").json()
    assert (never["changed"], never["event_id"]) == (False, None)
    assert state(call.shop) == before


def test_it_warns_where_another_active_customer_has_the_address(call: Caller) -> None:
    delete_many(call.shop, [1], actor=ADMIN, reason="mistake")
    with call.shop.engine.connect().execution_options(write=True) as connection, connection.begin():
        connection.exec_driver_sql("UPDATE customers SET email = 'ANA@example.com' WHERE id = 2")
    answer = call("POST", "/staff/customers/1/restore")
    assert answer.status_code == 200
    assert answer.json()["changed"] is True
    assert answer.json()["warning"] == "ANA@example.com is now also the address of Bo Ek (customer 2)."
    assert "warning" not in call("POST", "/staff/customers/1/restore").json()


@pytest.mark.parametrize("engine_name", ["sqlite"], indirect=True)
def test_a_restore_is_told_also_where_the_address_could_not_be_looked_up(
    call: Caller, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise DatabaseUnavailable("gone")

    monkeypatch.setattr(changing.customers, "find_sharing_email", fail)
    answer = call("POST", "/staff/customers/4/restore")
    assert (answer.status_code, answer.json()["changed"]) == (200, True)
    assert answer.json()["warning"].endswith("could not be seen.")


def test_where_addresses_are_unique_it_is_a_conflict_that_says_with_whom(
    empty_url: str, opened: Shops, serve: Serve
) -> None:
    """Unique among the active, as --active-unique makes it: by an index, or on MariaDB by a computed column."""
    shop = opened(empty_url)
    unique = (
        ["CREATE UNIQUE INDEX u ON customers (email) WHERE deleted_at IS NULL"]
        if not empty_url.startswith("mysql")
        else [
            "ALTER TABLE customers ADD active_email VARCHAR(80) AS (IF(deleted_at IS NULL, email, NULL)) UNIQUE INVISIBLE"
        ]
    )
    delete_many(shop, [1], actor=ADMIN, reason="mistake")
    with shop.engine.connect().execution_options(write=True) as connection, connection.begin():
        for statement in [*unique, "UPDATE customers SET email = 'ana@example.com' WHERE id = 2"]:
            connection.exec_driver_sql(statement)
    call = serve(shop)
    call.token(Role.STAFF)
    before = state(shop)
    answer = call("POST", "/staff/customers/1/restore")
    assert is_error(answer, 409, "email_taken")
    assert answer.json()["error"]["message"] == "ana@example.com belongs to Bo Ek (customer 2)."
    many = call("POST", "/staff/customers/restore", json={"ids": [1]}).json()
    assert many == {"items": [{"id": 1, **answer.json()}], "changed": 0}
    assert state(shop) == before


def test_many_are_restored_each_with_its_own_result_in_their_order(call: Caller) -> None:
    delete_many(call.shop, [1, 2], actor=ADMIN, reason="mistake")
    answer = call("POST", "/staff/customers/restore", json={"ids": [4, "2", 77, "abc", 3], "reason": "asked to"})
    body = answer.json()
    assert answer.status_code == 200
    assert body["changed"] == 2
    unknown = "There is no customer {}."
    assert body["items"] == [
        {**DORA, "event_id": events_of(call, 4)[0].id},
        {**body["items"][1], "id": 2, "changed": True, "event_id": events_of(call, 2)[0].id},
        {"id": 77, "error": {"code": "customer_not_found", "message": unknown.format(77)}},
        {"id": "abc", "error": {"code": "customer_not_found", "message": unknown.format("abc")}},
        {**body["items"][4], "id": 3, "changed": False, "event_id": None},
    ]
    (dora, bo) = (events_of(call, key)[0] for key in (4, 2))
    assert (dora.reason, dora.note, dora.door) == ("other", "asked to", "api")
    assert dora.batch_id == bo.batch_id
    assert dora.batch_id
    assert whole_row(call.shop, 1)["deleted_at"] is not None


def test_an_id_that_no_database_can_hold_comes_back_as_it_was_sent(ask: Caller) -> None:
    sent = b'{"ids": ["\\ud800", "\\u0000"]}'
    answer = ask("POST", "/staff/customers/restore", content=sent, headers={"Content-Type": "application/json"})
    assert [item["id"] for item in answer.json()["items"]] == ["\ud800", "\0"]
    assert {item["error"]["code"] for item in answer.json()["items"]} == {"customer_not_found"}


REFUSED = {
    "nothing": ("", None, "Say whom to restore"),
    "no ids": ("", {"reason": "mistake"}, "Say whom to restore"),
    "both": ("?id=4", {"ids": [4]}, "Say whom to restore"),
    "an empty list": ("", {"ids": []}, "ids: List should have at least 1 item"),
    "too many": ("", {"ids": [4] * 201}, "ids: List should have at most 200 items"),
    "a truth": ("", {"ids": [True]}, "ids.0"),
    "a fraction": ("", {"ids": [4.0]}, "ids.0"),
    "a list within": ("", {"ids": [[4]]}, "ids.0"),
    "null": ("", {"ids": [None]}, "ids.0"),
    "one": ("", {"ids": 4}, "ids: Input should be a valid list."),
    "an unknown key": ("", {"ids": [4], "all": True}, "all is not a key that is known here."),
    "two reasons": ("?reason=mistake", {"ids": [4], "reason": "fraud"}, "The body and the address give different"),
}


@pytest.mark.parametrize(("query", "body", "sentence"), REFUSED.values(), ids=REFUSED.keys())
def test_many_are_refused_with_what_is_wrong(ask: Caller, query: str, body: object, sentence: str) -> None:
    before = state(ask.shop)
    answer = ask("POST", f"/staff/customers/restore{query}", json=body)
    assert is_error(answer, 422, "invalid_input")
    assert answer.json()["error"]["message"].startswith(sentence)
    assert state(ask.shop) == before
