"""Tokens at the API's door: what is refused, how often somebody may try, and what the log says of it."""

from __future__ import annotations

import logging
from datetime import timedelta

import pytest
from callers import Caller, is_error
from shops import ADMIN, execute, state

from data import tokens
from data.access import Role
from data.database import now

UNKNOWN = f"evb_{'0' * 12}_{'x' * 43}"


@pytest.mark.parametrize(
    "header",
    ["Basic YTpi", "Bearer", "Bearer ", "bearer", "evb_0", "Token {good}", "{good}", ""],
)
def test_what_is_no_bearer_token_is_as_good_as_none(ask: Caller, header: str) -> None:
    sent = header.format(good=ask.token(Role.STAFF))
    assert is_error(ask("GET", "/staff/customers", role=None, headers={"Authorization": sent}), 401, "no_token")


@pytest.mark.parametrize(
    "sent",
    [UNKNOWN, "x", "{good}x", " {good} {good}", "{good}\t.", "é", "evb_" + "9" * 60_000],
    ids=["unknown", "short", "longer", "twice", "tab", "latin", "overlong"],
)
def test_a_token_that_is_not_known_is_refused(ask: Caller, sent: str) -> None:
    bearer = "Bearer " + sent.format(good=ask.token(Role.STAFF))
    answer = ask("GET", "/staff/customers", role=None, headers={"Authorization": bearer.encode("latin-1")})
    assert is_error(answer, 401, "token_refused")
    assert answer.headers["WWW-Authenticate"] == 'Bearer error="invalid_token"'


def test_the_scheme_may_be_written_in_any_case(ask: Caller) -> None:
    bearer = f"bEARER {ask.token(Role.STAFF)}"
    assert ask("GET", "/staff/customers", role=None, headers={"Authorization": bearer}).status_code == 200


def test_two_tokens_are_none(ask: Caller) -> None:
    good = ("Authorization", f"Bearer {ask.token(Role.STAFF)}")
    answer = ask.client.request("GET", "/staff/customers", headers=[good, good])
    assert is_error(answer, 401, "no_token")


@pytest.mark.parametrize("engine_name", ["sqlite"], indirect=True)
def test_a_revoked_and_an_expired_token_are_refused_at_the_next_request(call: Caller) -> None:
    assert call("DELETE", "/staff/customers/1?reason=mistake").status_code == 200
    tokens.revoke(call.shop, "test staff", actor=ADMIN)
    short = tokens.add(call.shop, "short", role=Role.STAFF, days=1, actor=ADMIN)
    yesterday = (now() - timedelta(days=1)).replace(tzinfo=None)
    execute(call.shop.engine, f"UPDATE evenbooks_tokens SET expires_at = '{yesterday}' WHERE name = 'short'")
    before = state(call.shop)
    for bearer, words in ((call.token(Role.STAFF), "revoked"), (short, "expired")):
        headers = {"Authorization": f"Bearer {bearer}"}
        answer = call("POST", "/staff/customers/1/restore", role=None, headers=headers)
        assert is_error(answer, 401, "token_refused")
        assert words in answer.json()["error"]["message"]
    assert state(call.shop) == before


def test_after_sixty_refused_tokens_a_minute_an_address_waits_but_a_good_token_always_passes(ask: Caller) -> None:
    bad = {"Authorization": f"Bearer {UNKNOWN}"}
    for _ in range(60):
        assert is_error(ask("GET", "/staff/customers", role=None, headers=bad), 401, "token_refused")
        assert is_error(ask("GET", "/staff/customers", role=None), 401, "no_token")  # does not count
    answer = ask("GET", "/staff/customers", role=None, headers=bad)
    assert is_error(answer, 429, "too_many_tries")
    assert 1 <= int(answer.headers["Retry-After"]) <= 61
    assert is_error(ask("GET", "/staff/customers", role=None), 401, "no_token")
    assert ask("GET", "/staff/customers").status_code == 200


def test_each_refusal_is_one_line_without_the_secret_and_the_query(
    ask: Caller, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.WARNING)
    manager = ask.token(Role.MANAGER)
    ask("DELETE", "/staff/customers/7?reason=Ana+Lima", role=Role.MANAGER)
    ask("GET", "/staff/customers/ana@example.com?x=Ana", role=None)
    ask("GET", "/staff/customers/history?id=Ana", role=None, headers={"Authorization": f"Bearer {UNKNOWN}"})
    assert [record.getMessage() for record in caplog.records if record.name == "evenbooks.access"] == [
        f"refused unknown DELETE /staff/customers/7 403 not_permitted token={manager.split('_')[1]}",
        "refused unknown GET /staff/customers/... 401 no_token token=-",
        "refused unknown GET /staff/customers/history 401 token_refused token=000000000000",
    ]
    assert manager.split("_", 2)[2] not in caplog.text
    assert "Ana" not in caplog.text
    assert "xxxx" not in caplog.text
