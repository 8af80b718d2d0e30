"""Who may do what through the API: every role at every endpoint, and nobody without a token."""

from __future__ import annotations

import pytest
from callers import Caller, is_error
from endpoints import ENDPOINTS, NAMES, Endpoint
from shops import state

import api
from data.access import ALLOWED, Actor, Door, Role


def test_the_table_has_every_endpoint_there_is() -> None:
    paths = api.app.openapi()["paths"]
    there = {(method.upper(), path) for path, of in paths.items() for method in of}
    ours = {one for one in there if one[1].startswith(("/staff", "/reports"))}
    assert {(e.method, e.route) for e in ENDPOINTS} == ours
    assert there - ours == {("GET", "/healthz"), ("GET", "/readyz")}


@pytest.mark.parametrize("endpoint", ENDPOINTS, ids=NAMES)
def test_without_a_token_nobody_learns_or_changes_anything(ask: Caller, endpoint: Endpoint) -> None:
    before = state(ask.shop)
    answer = ask(endpoint.method, endpoint.path, role=None, **endpoint.more)
    assert is_error(answer, 401, "no_token")
    assert answer.headers["WWW-Authenticate"] == "Bearer"
    # Not even what is wrong with the request, nor whether there is such a customer.
    unknown = endpoint.path.replace("1", "999").replace("4", "999")
    for path in (unknown, endpoint.route + "?colour=red&limit=x"):
        worse = ask(endpoint.method, path, role=None, content="{", headers={"Content-Type": "application/json"})
        assert (worse.status_code, worse.json()) == (401, answer.json())
    assert state(ask.shop) == before


@pytest.mark.parametrize("engine_name", ["sqlite"], indirect=True)
@pytest.mark.parametrize("role", Role)
def test_a_role_may_do_what_the_table_allows_and_nothing_else(call: Caller, role: Role) -> None:
    call.token(role)
    for endpoint in ENDPOINTS:
        before = state(call.shop)
        answer = call(endpoint.method, endpoint.path, role=role, **endpoint.more)
        if endpoint.permission in ALLOWED[role]:
            unasked = "request_id" in endpoint.route and is_error(answer, 404, "request_not_found")
            assert unasked or answer.status_code in (200, 201), answer.text
            continue
        assert is_error(answer, 403, "not_permitted")
        assert answer.json()["error"]["message"] == Actor("", role, Door.API).refusal(endpoint.permission)
        # A role that may not is told so whatever else is wrong, and whether or not there is such a customer.
        worse = call(endpoint.method, endpoint.route + "?colour=red", role=role, content="{")
        assert worse.json() == answer.json()
        assert state(call.shop) == before


@pytest.mark.parametrize("endpoint", [e for e in ENDPOINTS if "{" in e.route or "id=" in e.path], ids=lambda e: e.path)
def test_an_unknown_customer_is_not_found(ask: Caller, endpoint: Endpoint) -> None:
    before = state(ask.shop)
    for key in ("999", "-1", "0", "1.0", "1e0", "x", "９", "9" * 19, "9" * 300, "1 ", "1;2", "None", "%00", "%F0%9F"):  # noqa: RUF001
        path = endpoint.path.replace("/1", f"/{key}").replace("/4", f"/{key}").replace("id=1", f"id={key}")
        answer = ask(endpoint.method, path, **endpoint.more)
        # As a parameter, NUL is no text at all.
        missing = "request_not_found" if "request_id" in endpoint.route else "customer_not_found"
        status, code = (422, "invalid_input") if "id=%00" in path else (404, missing)
        assert is_error(answer, status, code)
    assert state(ask.shop) == before
