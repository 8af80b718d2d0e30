"""Deletions that wait for approval, as programs see them: 202, the same request again, and what became of it."""

from __future__ import annotations

import pytest
from approving import BOSS, days_later, with_approval
from callers import Caller, Serve, is_error
from shops import rows, state

from data import approvals
from data.access import Role
from data.database import Database


@pytest.fixture
def strict(shop: Database, serve: Serve) -> Caller:
    """The API over a shop where deletions wait; every token is made before anything is compared."""
    caller = serve(with_approval(shop))
    for role in Role:
        caller.token(role)
    return caller


def test_a_delete_is_a_request_until_a_person_approves_it(strict: Caller) -> None:
    customers = rows(strict.shop, "customers")
    answer = strict("DELETE", "/staff/customers/1?reason=fraud&note=twice")
    body = answer.json()
    number = body["request_id"]
    assert (answer.status_code, body) == (
        202,
        {
            "request_id": number,
            "state": "waiting",
            "expires_at": body["expires_at"],
            "customer": strict("GET", "/staff/customers/1").json(),
        },
    )
    assert rows(strict.shop, "customers") == customers
    before = state(strict.shop)
    for path in ("/staff/customers/1?reason=mistake", "/staff/customers?id=1&reason=fraud"):
        again = strict("DELETE", path, role=Role.ADMIN)
        assert (again.status_code, again.json()) == (202, body)
    assert state(strict.shop) == before
    # Another customer, who was deleted before, is answered as ever.
    assert strict("DELETE", "/staff/customers/4?reason=fraud").json()["changed"] is False

    waiting = strict("GET", f"/staff/requests/{number}", role=Role.AUDITOR).json()
    assert waiting == {
        "request_id": number,
        "kind": "delete",
        "state": "waiting",
        "customer_id": 1,
        "job_id": None,
        "actor": "token:test staff",
        "door": "api",
        "reason": "fraud",
        "note": "twice",
        "requested_at": waiting["requested_at"],
        "expires_at": body["expires_at"],
        "decided_at": None,
        "decided_by": None,
        "decision_note": None,
    }
    approvals.approve(strict.shop, number, actor=BOSS, note="Agreed")
    done = strict("GET", f"/staff/requests/{number}").json()
    told = {"state": "approved", "decided_by": "max@example.com", "decision_note": "Agreed"}
    assert done == {**waiting, **told, "decided_at": done["decided_at"]}
    deleted = strict("DELETE", "/staff/customers/1?reason=fraud")
    assert (deleted.status_code, deleted.json()["changed"]) == (200, False)


@pytest.mark.parametrize("engine_name", ["sqlite"], indirect=True)
def test_requests_are_listed_by_state_a_page_at_a_time(strict: Caller) -> None:
    numbers = [strict("DELETE", f"/staff/customers/{n}?reason=fraud").json()["request_id"] for n in (1, 2, 3, 5)]
    approvals.reject(strict.shop, numbers[1], actor=BOSS, note="No")
    first = strict("GET", "/staff/requests?limit=3").json()
    rest = strict("GET", f"/staff/requests?limit=3&after={first['next']}").json()
    assert [one["request_id"] for one in first["items"] + rest["items"]] == numbers[::-1]
    assert rest["next"] is None
    (rejected,) = strict("GET", "/staff/requests?state=rejected").json()["items"]
    assert (rejected["request_id"], rejected["decision_note"]) == (numbers[1], "No")
    for wrong in ("state=open", "after=x", "limit=0", "limit=201", "state=waiting&state=waiting"):
        assert is_error(strict("GET", f"/staff/requests?{wrong}"), 422, "invalid_input")
    with days_later(8):
        listed = strict("GET", "/staff/requests?state=expired").json()["items"]
    assert [one["request_id"] for one in listed] == [numbers[3], numbers[2], numbers[0]]
    assert {one["decided_by"] for one in listed} == {"evenbooks"}
