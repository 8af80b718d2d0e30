"""Deleted customers by reason, and restoring without an address that somebody else has, through the API."""

from __future__ import annotations

import pytest
from callers import Caller, is_error
from shops import execute, state, whole_row


def ids(call: Caller, path: str) -> list[object]:
    """The ids of a list."""
    answer = call("GET", path)
    assert answer.status_code == 200, answer.text
    return [customer["id"] for customer in answer.json()["items"]]


def test_the_list_and_the_file_of_a_reason_hold_those_of_the_last_deletion(ask: Caller) -> None:
    ask("DELETE", "/staff/customers/1?reason=fraud")
    ask("POST", "/staff/customers/1/restore")
    for key, why in ((1, "duplicate"), (2, "fraud"), (5, "my own words")):
        assert ask("DELETE", f"/staff/customers/{key}?reason={why}").status_code == 200
    execute(ask.shop.engine, "UPDATE customers SET deleted_at = '2026-01-01 00:00:00' WHERE id = 3")
    found = {"fraud": [2], "duplicate": [1], "other": [5], "inactive": [4], "-": [3], "mistake": []}
    for code, expected in found.items():
        assert ids(ask, f"/staff/customers/deleted?reason={code}") == expected, code
        lines = ask("GET", f"/staff/customers/deleted.csv?reason={code}").text.splitlines()[1:]
        assert [int(line.split(",")[0]) for line in lines] == expected, code
    assert ids(ask, "/staff/customers/deleted?reason=fraud&search=ana") == []
    pages = ask("GET", "/staff/customers/deleted?reason=duplicate&limit=1").json()
    assert pages["next"] is None


@pytest.mark.parametrize("path", ["/staff/customers/deleted", "/staff/customers/deleted.csv"])
def test_what_cannot_be_a_code_is_refused(ask: Caller, path: str) -> None:
    for code in ("Fraud", "my%20own%20words", "x" * 41, ""):
        assert is_error(ask("GET", f"{path}?reason={code}"), 422, "invalid_input"), code


def test_a_customer_is_restored_without_the_address_that_somebody_else_has(ask: Caller) -> None:
    alone = ask("POST", "/staff/customers/4/restore?without_email=true")
    assert is_error(alone, 409, "conflict")
    assert "Nobody else has" in alone.text
    execute(ask.shop.engine, "UPDATE customers SET email = 'DORA@example.com', deleted_at = NULL WHERE id = 5")
    before = state(ask.shop)
    both = {"ids": [4]}
    assert is_error(ask("POST", "/staff/customers/restore?without_email=true", json=both), 422, "invalid_input")
    assert state(ask.shop) == before
    answer = ask("POST", "/staff/customers/4/restore?without_email=true").json()
    assert (answer["changed"], answer["email"], answer["deleted_at"]) == (True, None, None)
    assert "warning" not in answer
    assert whole_row(ask.shop, 4)["email"] is None
    told = ask("GET", "/staff/customers/4/history").json()["items"]
    assert [(event["action"], event["reason"]) for event in told[:2]] == [("restore", "restored"), ("edit", "restored")]
    again = ask("POST", "/staff/customers/restore?id=4&without_email=true").json()
    assert again["changed"] is False
