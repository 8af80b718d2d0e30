"""Every failing route answers JSON of one shape, whatever the path, the method or the trouble."""

from __future__ import annotations

import logging
from typing import Any

import pytest
from callers import Caller, is_error
from endpoints import ENDPOINTS
from shops import state
from sqlalchemy.exc import DBAPIError

from data import database as databases
from data import errors
from data.access import Role
from web import admitting, failing, reports

NOWHERE = [
    *("/staff", "/staff/", "/reports", "/reports/", "/staff/customers/", "/staff/customers/1/", "/reports/revenue/"),
    *("/staff/customers/1/restore/", "/staff/customers/deleted/", "/staff/customers/1/history/x", "/staffx", "/"),
    *(
        "/staff/%2e%2e/reports",
        "/staff/%2e/customers",
        "/staff/customers/%2e%2e/deleted",
        "/staff%2fcustomers%2f1%2f",
        "/STAFF/customers",
    ),
    *("/staff/customers/1%2Frestore%2F", "/staff/customers/a/b", "/staff//customers", "/staff/customers//restore"),
    *("/staff/customers;x=1", "/staff/customers/1/restore;", "/staff/openapi.json/", "/docs", "/openapi.json", "/%00"),
    *("/staff/customers.csv", "/reports/revenue.json", "/staff/" + "x" * 10_000, "/staff/customers/1/delete"),
]


@pytest.mark.parametrize("method", ["GET", "DELETE", "POST"])
def test_what_is_not_there_is_404_in_json(ask: Caller, method: str) -> None:
    before = state(ask.shop)
    for path in NOWHERE:
        assert is_error(ask(method, path), 404, "not_found"), path
    assert state(ask.shop) == before


ROUTES = sorted({endpoint.route for endpoint in ENDPOINTS})


@pytest.mark.parametrize("route", ROUTES)
def test_another_method_is_405_and_every_one_that_is_possible_is_named(ask: Caller, route: str) -> None:
    before = state(ask.shop)
    possible = sorted(endpoint.method for endpoint in ENDPOINTS if endpoint.route == route)
    path = route.replace("{customer_id}", "1")
    for method in {"GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "QUERY", "get"} - set(possible):
        answer = ask.client.request(method, path) if method != "get" else ask("PROPFIND", path)
        assert is_error(answer, 405, "method_not_allowed")
        assert answer.headers["Allow"] == ", ".join(possible)
    head = ask("HEAD", path)
    assert (head.status_code, head.headers["content-type"]) == (405, "application/json")
    assert state(ask.shop) == before


def test_a_large_body_is_refused(ask: Caller) -> None:
    before = state(ask.shop)
    for method, path in [*((endpoint.method, endpoint.path) for endpoint in ENDPOINTS), ("GET", "/healthz")]:
        assert is_error(ask(method, path, content=b"x" * 1_000_000), 413, "too_large")
    assert state(ask.shop) == before


def every_error() -> list[type[errors.EvenbooksError]]:
    found = [errors.EvenbooksError]
    for kind in found:
        found += kind.__subclasses__()
    return [kind for kind in found if kind.__module__ == "data.errors"]


def make(kind: type[errors.EvenbooksError]) -> errors.EvenbooksError:
    known: dict[type, Any] = {
        errors.EmailTaken: type("C", (), {"email": "e", "name": "n", "id": 1, "deleted_at": None})()
    }
    return kind(known.get(kind, "mysql://u:secret@host SELECT 1"))


@pytest.mark.parametrize("kind", every_error(), ids=lambda kind: kind.__name__)
def test_every_error_of_the_books_has_a_status_and_those_of_the_server_say_nothing_of_it(
    ask: Caller, kind: type[errors.EvenbooksError], monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: Any, **__: Any) -> None:
        raise make(kind)

    monkeypatch.setattr(reports.integrity, "run_and_record", fail)
    answer = ask("GET", "/reports/integrity", role=Role.AUDITOR)
    status, code = next(failing.STATUS[base] for base in kind.__mro__ if base in failing.STATUS)
    assert is_error(answer, status, code)
    assert (code == "database_busy") == (kind is errors.DatabaseBusy)
    if status >= 500:
        assert "secret" not in answer.text
        assert "SELECT" not in answer.text
    assert ("Retry-After" in answer.headers) == (status == 503 and kind is not errors.OutcomeUnknown)


def test_a_database_that_is_gone_is_told_also_to_who_shows_a_token(
    ask: Caller, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail() -> None:
        raise errors.DatabaseUnavailable("The database mysql://u@host does not answer.")

    monkeypatch.setattr(admitting, "attached", fail)
    assert is_error(ask("GET", "/staff/customers"), 503, "database_unavailable")
    assert is_error(ask("GET", "/staff/customers", role=None), 401, "no_token")
    # The document is made without it, with the fields that any shop may have.
    monkeypatch.setattr(databases, "_default", None)
    monkeypatch.setenv("DATABASE_URL", "sqlite:////nowhere/shop.sqlite")
    schemas = ask("GET", "/staff/openapi.json", role=None).json()["components"]["schemas"]
    assert schemas["NewCustomer"]["properties"].keys() == {"name", "email", "phone", "reason"}
    assert schemas["NewCustomer"]["additionalProperties"] is False


WORDS = "Ana" + " Lima"  # the lines of the program are in the log, so the name may not stand in them


@pytest.mark.parametrize(
    ("error", "named"),
    [
        (ZeroDivisionError(WORDS), "ZeroDivisionError\n"),
        (DBAPIError(WORDS, {}, Exception(1366, WORDS)), "DBAPIError 1366\n"),
        (DBAPIError(WORDS, {}, Exception(WORDS)), "DBAPIError\n"),
    ],
)
def test_what_nobody_thought_of_is_500_and_the_log_has_where_but_no_values(
    error: Exception, named: str, ask: Caller, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(*_: Any, **__: Any) -> None:
        raise error

    monkeypatch.setattr(reports.integrity, "run_and_record", fail)
    caplog.set_level(logging.INFO)
    answer = ask("GET", "/reports/integrity", role=Role.AUDITOR)
    assert is_error(answer, 500, "internal_error")
    assert WORDS not in answer.text
    lines = [record.getMessage() for record in caplog.records if record.name == "evenbooks.api"]
    assert len(lines) == 1
    assert lines[0].startswith(f"internal_error: {named}")
    assert "test_api_errors.py" in lines[0]
    assert WORDS not in caplog.text


def test_even_an_error_in_telling_an_error_is_json(ask: Caller, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(failing, "log_refusal", None)
    assert is_error(ask("GET", "/staff/customers", role=None), 500, "internal_error")


def test_the_document_declares_what_is_answered(ask: Caller) -> None:
    document = ask("GET", "/staff/openapi.json", role=None).json()
    assert document["components"]["securitySchemes"]["bearer"]["scheme"] == "bearer"
    for endpoint in ENDPOINTS:
        told = document["paths"][endpoint.route][endpoint.method.lower()]
        assert told["security"] == [{"bearer": []}]
        assert told["x-permission"] == endpoint.permission
        assert told["description"]
        assert {"401", "403", "413", "422", "429", "500", "503"} <= told["responses"].keys()
        assert ("409" in told["responses"]) == (endpoint.method != "GET")
        for status, answer in told["responses"].items():
            if status >= "400":
                assert answer["content"]["application/json"]["schema"]["$ref"].endswith("/Failed")
    for path in ("/healthz", "/readyz"):
        assert document["paths"][path].keys() == {"get"}
        assert "413" in document["paths"][path]["get"]["responses"]
    for name in ("Why", "WhyMany", "NewCustomer", "OneCustomer", "Failed", "Revenue"):
        assert document["components"]["schemas"][name]["additionalProperties"] is False
