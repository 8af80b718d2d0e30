"""DELETE /staff/customers/<id>: what it answers, what it writes, and that it may be repeated."""

from __future__ import annotations

import re
from typing import Any

import pytest
from callers import Caller, is_error
from shops import execute, rows, state, trigger, whole_row

from data import queries
from data.access import Role
from data.database import snapshot
from data.records import Event


def events_of(call: Caller, customer_id: int) -> list[Event]:
    with snapshot(call.shop) as moment:
        return queries.list_events(moment.connection, call.shop.schema, customer_id=customer_id)


def test_it_answers_the_customer_and_what_stays_in_the_reports(call: Caller) -> None:
    orders = rows(call.shop, "orders")
    answer = call("DELETE", "/staff/customers/1?reason=mistake&note=typed+twice")
    body = answer.json()
    assert answer.status_code == 200
    assert re.fullmatch(r"20\d\d-\d\d-\d\dT\d\d:\d\d:\d\dZ", body["deleted_at"])
    event = events_of(call, 1)[0]
    assert body == {
        "id": 1,
        "name": "Ana Lima",
        "email": "ana@example.com",
        "phone": "+351 1",
        "created_at": "2024-01-02T10:00:00Z",
        "deleted_at": body["deleted_at"],
        "changed": True,
        "orders": 3,
        "revenue": {"EUR": "80.25"},
        "event_id": event.id,
    }
    assert (event.action, event.actor, event.door) == ("delete", "token:test staff", "api")
    assert (event.reason, event.note, event.batch_id) == ("mistake", "typed twice", None)
    assert str(whole_row(call.shop, 1)["deleted_at"]).removesuffix("+00:00") == body["deleted_at"].replace(
        "T", " "
    ).removesuffix("Z")
    assert rows(call.shop, "orders") == orders


def test_repeating_changes_nothing_and_answers_the_first_time_and_event(call: Caller) -> None:
    first = call("DELETE", "/staff/customers/1?reason=mistake").json()
    before = state(call.shop)
    answer = call("DELETE", "/staff/customers/1?reason=fraud")
    assert (answer.status_code, answer.json()) == (200, {**first, "changed": False})
    assert state(call.shop) == before


@pytest.mark.parametrize("engine_name", ["sqlite"], indirect=True)
def test_the_reason_is_in_the_body_or_in_the_address(call: Caller) -> None:
    for query, body, reason, note in [
        ("", {"reason": "duplicate"}, "duplicate", None),
        ("", {"reason": "duplicate", "note": "of 2"}, "duplicate", "of 2"),
        ("?reason=duplicate", {"note": "of 2"}, "duplicate", "of 2"),
        ("?reason=duplicate&note=of+2", None, "duplicate", "of 2"),
        ("?reason=duplicate", {"reason": "duplicate"}, "duplicate", None),
        ("", {"reason": "He asked us to"}, "other", "He asked us to"),
        ("?reason=He+asked+us", {"note": "twice"}, "other", "He asked us\ntwice"),
    ]:
        assert call("DELETE", f"/staff/customers/1{query}", json=body).json()["changed"] is True
        assert (events_of(call, 1)[0].reason, events_of(call, 1)[0].note) == (reason, note)
        assert call("POST", "/staff/customers/1/restore").json()["changed"] is True


AS_JSON = {"headers": {"Content-Type": "application/json"}}
REFUSED: dict[str, tuple[str, dict[str, Any], str]] = {
    "no reason": ("", {}, "Give a reason."),
    "a blank reason": ("?reason=%20", {}, "Give a reason."),
    "an empty body": ("", {"json": {}}, "Give a reason."),
    "null": ("", {"json": None}, "Give a reason."),
    "only a note": ("?note=x", {}, "Give a reason."),
    "two reasons": ("?reason=fraud", {"json": {"reason": "mistake"}}, "The body and the address give different texts"),
    "two notes": ("?reason=fraud&note=a", {"json": {"note": "b"}}, "The body and the address give different texts as"),
    "a number": ("", {"json": {"reason": 1}}, "reason: Input should be a valid string."),
    "an unknown key": ("?reason=fraud", {"json": {"why": "x"}}, "why is not a key that is known here."),
    "an unknown parameter": ("?reason=fraud&force=1", {}, "force is not a parameter here; these are: note, reason."),
    "a parameter twice": ("?reason=fraud&reason=fraud", {}, "reason is given twice."),
    "a list": ("?reason=fraud", {"json": []}, "Send a JSON object as application/json."),
    "a form": ("", {"data": {"reason": "fraud"}}, "Send a JSON object as application/json."),
    "no JSON": ("?reason=fraud", {"content": "{", **AS_JSON}, "The body is not"),
    "no UTF-8": ("", {"content": b'{"reason":"\xff"}', **AS_JSON}, "The body"),
    "deep JSON": ("", {"content": "[" * 60_000, **AS_JSON}, "The body cannot"),
    "a long number": ("", {"content": "9" * 60_000, **AS_JSON}, "The body"),
    "a NUL": ("", {"json": {"reason": "a\0b"}}, "reason: contains a character that no database can hold."),
    "half a character": ("", {"content": '{"reason": "\\ud800"}', **AS_JSON}, "reason: contains a character"),
    "an overlong note": ("", {"json": {"reason": "fraud", "note": "x" * 2001}}, "The note has 2001 characters"),
}


@pytest.mark.parametrize(("query", "sent", "sentence"), REFUSED.values(), ids=REFUSED.keys())
def test_it_is_refused_with_what_is_wrong(ask: Caller, query: str, sent: dict[str, Any], sentence: str) -> None:
    before = state(ask.shop)
    answer = ask("DELETE", f"/staff/customers/1{query}", **sent)
    assert is_error(answer, 422, "invalid_input")
    assert answer.json()["error"]["message"].startswith(sentence)
    assert state(ask.shop) == before


def test_what_would_move_the_books_is_a_conflict_and_nothing_is_changed(call: Caller) -> None:
    harm = "UPDATE orders SET total = 0 WHERE customer_id = 1"
    execute(call.shop.engine, trigger(call.shop.engine, harm))
    call.token(Role.STAFF)
    before = state(call.shop)
    assert is_error(call("DELETE", "/staff/customers/1?reason=mistake"), 409, "books_moved")
    assert state(call.shop) == before
