"""Reading customers through the API: pages, search, one customer, a history, and ids that a path cannot name."""

from __future__ import annotations

import base64
import json
from pathlib import Path

import pytest
from callers import Caller, Serve, is_error
from shops import CUSTOMERS, state
from test_delete_customer import Shops

BO = {"id": 2, "name": "Bo Ek", "email": "bo@example.com", "phone": None}


def walk(call: Caller, path: str, limit: int, **fixed: str) -> list[dict[str, object]]:
    """Every item of a list, a page at a time."""
    items: list[dict[str, object]] = []
    after: dict[str, str] = {}
    while True:
        answer = call("GET", path, params={"limit": limit, **fixed, **after})
        assert answer.status_code == 200, answer.text
        page = answer.json()
        assert page.keys() == {"items", "next"}
        assert len(page["items"]) <= limit
        items += page["items"]
        if page["next"] is None:
            return items
        after = {"after": page["next"]}


def test_the_active_customers_in_pages_of_any_size(call: Caller) -> None:
    whole = call("GET", "/staff/customers").json()["items"]
    assert [c["id"] for c in whole] == [1, 2, 3, 5]
    assert whole[1] == {**BO, "created_at": "2024-01-03T00:00:00Z", "deleted_at": None}
    assert whole[2] == {"id": 3, "name": "陈伟", "email": None, "phone": None, "created_at": None, "deleted_at": None}
    assert all(walk(call, "/staff/customers", limit) == whole for limit in (1, 2, 4, 200))


def test_the_deleted_customers_the_last_deleted_first(call: Caller) -> None:
    for key in (2, 1, 5):
        assert call("DELETE", f"/staff/customers/{key}?reason=mistake").status_code == 200
    with call.shop.engine.connect().execution_options(write=True) as connection, connection.begin():
        for key, day in ((4, 1), (2, 2), (1, 3), (5, 3)):
            connection.exec_driver_sql(f"UPDATE customers SET deleted_at = '2026-01-0{day} 00:00:00' WHERE id = {key}")
    whole = call("GET", "/staff/customers/deleted").json()["items"]
    assert [c["id"] for c in whole] == [5, 1, 2, 4]
    assert whole[2] == {**BO, "created_at": "2024-01-03T00:00:00Z", "deleted_at": "2026-01-02T00:00:00Z"}
    assert all(walk(call, "/staff/customers/deleted", limit) == whole for limit in (1, 2, 3))
    assert [c["id"] for c in call("GET", "/staff/customers/deleted?search=Bo").json()["items"]] == [2]


def test_one_customer_active_or_deleted(ask: Caller) -> None:
    bo = {**BO, "created_at": "2024-01-03T00:00:00Z", "deleted_at": None}
    assert ask("GET", "/staff/customers/2").json() == bo
    assert ask("GET", "/staff/customers?id=2").json() == bo
    assert ask("GET", "/staff/customers/4").json()["deleted_at"].endswith("Z")


def test_a_history_newest_first_in_pages(call: Caller) -> None:
    call("DELETE", "/staff/customers/2", json={"reason": "duplicate", "note": "of 1"})
    call("POST", "/staff/customers/2/restore")
    call("DELETE", "/staff/customers/2?reason=fraud")
    whole = call("GET", "/staff/customers/2/history").json()["items"]
    assert [(i["action"], i["reason"], i["note"]) for i in whole] == [
        ("delete", "fraud", None),
        ("restore", "restored", None),
        ("delete", "duplicate", "of 1"),
    ]
    assert whole[0] == {
        **whole[0],
        "actor": "token:test staff",
        "door": "api",
        "customer_id": 2,
        "batch_id": None,
    }
    assert whole[0].keys() == {
        *("id", "at", "action", "actor", "door", "reason", "note", "customer_id", "batch_id"),
    }
    assert whole[0]["at"].endswith("Z")
    assert all(walk(call, "/staff/customers/2/history", limit) == whole for limit in (1, 2, 3))
    assert walk(call, "/staff/customers/history", 2, id="2") == whole
    assert call("GET", "/staff/customers/5/history").json() == {"items": [], "next": None}


@pytest.mark.parametrize("path", ["/staff/customers", "/staff/customers/deleted", "/staff/customers/1/history"])
@pytest.mark.parametrize("limit", ["0", "-1", "201", "x", "1.0", "1_0", " 1", "1e1", "", "٣", "9" * 5000])
def test_an_unreadable_limit_is_refused(ask: Caller, path: str, limit: str) -> None:
    answer = ask("GET", path, params={"limit": limit})
    assert is_error(answer, 422, "invalid_input")
    assert answer.json()["error"]["message"].startswith("limit: ")


def test_a_search_that_is_too_long_is_told_in_characters(ask: Caller) -> None:
    for path in ("/staff/customers", "/staff/customers/deleted"):
        answer = ask("GET", path, params={"search": "é" * 201})
        assert is_error(answer, 422, "invalid_input")
        assert answer.json()["error"]["message"] == "search: String should have at most 200 characters."
        assert ask("GET", path, params={"search": "é" * 200}).status_code == 200


def as_cursor(value: object) -> str:
    return base64.urlsafe_b64encode(json.dumps(value).encode()).decode()


CURSORS = [
    *(
        "",
        "x",
        "é",
        "[]",
        "====",
        "%00",
        as_cursor(None),
        as_cursor([]),
        as_cursor(["id", 1]),
        as_cursor(["id", 1, "x"]),
    ),
    *(as_cursor(["name", "x", 1]), as_cursor(["id", 1, True]), as_cursor(["id", None, 1]), as_cursor(["id", 1, 2**63])),
    *(as_cursor(["history", 1, 2]), as_cursor(["history", "1", 1]), as_cursor(["history", 2**63, 2**63])),
    *(as_cursor(["deleted_at", "\ud800", 1]), as_cursor([[]] * 3), "[" * 5000),
]


@pytest.mark.parametrize("path", ["/staff/customers", "/staff/customers/deleted", "/staff/customers/1/history"])
def test_an_unreadable_cursor_is_refused(ask: Caller, path: str) -> None:
    for cursor in CURSORS:
        assert is_error(ask("GET", path, params={"after": cursor}), 422, "invalid_input")


def test_a_cursor_that_somebody_made_up_is_no_server_error(call: Caller) -> None:
    for value in ("", "x", "2024-13-99", "0", -1, 1e300, 10**18, "\0", "2026-11-23 00:00:00", "🚀", "' OR 1=1 --"):
        answer = call("GET", "/staff/customers/deleted", params={"after": as_cursor(["deleted_at", value, 4])})
        assert answer.status_code in (200, 422), (value, answer.text)


def test_a_text_id_that_is_a_path_of_its_own_or_no_path_at_all_is_reached_by_parameter(
    empty_url: str, opened: Shops, serve: Serve
) -> None:
    ids = ["deleted", "history", "restore", "deleted.csv", "a/b", "..", "ä ö", "A1", "a1/restore", "%2e", "x?y#z", "1"]
    table = CUSTOMERS.replace("id {key}", "id VARCHAR(40) PRIMARY KEY")
    people = [{"id": key, "name": f"N{n}"} for n, key in enumerate(ids)]
    call = serve(opened(empty_url, customers=table, people=people, sales=[]))
    for n, key in enumerate(ids):
        params = {"id": key}
        assert call("GET", "/staff/customers", params=params).json()["name"] == f"N{n}"
        gone = call("DELETE", "/staff/customers", params={**params, "reason": "mistake"}).json()
        assert (gone["id"], gone["changed"]) == (key, True)
        assert call("POST", "/staff/customers/restore", params=params).json()["changed"] is True
        history = call("GET", "/staff/customers/history", params=params).json()["items"]
        assert [(i["action"], i["customer_id"]) for i in history] == [("restore", key), ("delete", key)]
    # In a path an id is opaque, and neither its case nor blanks behind it are anybody's else.
    assert call("GET", "/staff/customers/%C3%A4%20%C3%B6").json()["name"] == "N6"
    assert call("GET", "/staff/customers/x%3Fy%23z").json()["name"] == "N10"
    for path in ("a1", "A1%20", "A1%00", "1.0", "01", "N1"):
        assert is_error(call("GET", f"/staff/customers/{path}"), 404, "customer_not_found")
    before = state(call.shop)
    # These paths are the lists' and not a customer's.
    assert call("GET", "/staff/customers/deleted").json() == {"items": [], "next": None}
    assert is_error(call("DELETE", "/staff/customers/deleted?reason=mistake"), 405, "method_not_allowed")
    assert is_error(call("GET", "/staff/customers/restore"), 405, "method_not_allowed")
    assert call("POST", "/staff/customers/deleted/restore").json()["id"] == "deleted"
    assert state(call.shop) == before


def test_a_time_that_cannot_be_read_comes_as_its_text(tmp_path: Path, opened: Shops, serve: Serve) -> None:
    people = [{"id": 1, "name": "x", "created_at": "03/02/2024"}]
    call = serve(opened(f"sqlite:///{tmp_path}/shop.sqlite", people=people, sales=[]))
    assert call("GET", "/staff/customers/1").json()["created_at"] == "03/02/2024"
