"""What is told of a failure, and to whom: nobody but an admin reads a setting's value, a server's name or a driver's words."""

from __future__ import annotations

from typing import Any

import pytest
from screens import (
    NOBODY,
    SECTIONS,
    ask_to_delete,
    check_now,
    claims_of,
    confirm,
    enter,
    press,
    said,
)
from shops import CUSTOMERS, ORDERS, execute, settings_for
from streamlit.testing.v1 import AppTest

from data import database as databases
from data import integrity
from data.database import Database
from data.engines import make_engine
from data.errors import DatabaseUnavailable

AWAY = "mysql+pymysql://shop:s3cret@127.0.0.1:9/shop"


@pytest.fixture
def engine_name() -> str:
    """One engine: none of this differs on the other."""
    return "sqlite"


def sent(at: AppTest) -> str:
    """All that the browser is sent, as text that a person could read."""
    return (str([element.proto for element in at.main]) + str(at)).replace("\\", "")


def test_a_mistake_in_the_settings_is_named_only_in_the_log(
    visit: Any, shop: Database, empty_url: str, caplog: pytest.LogCaptureFixture
) -> None:
    mistake = {"customers": {"where": ["salary > 1"]}}
    for claims, words in (
        (NOBODY, "open to people who have a role"),
        (claims_of("staff"), "Evenbooks is not configured rightly; the server's log says what is wrong."),
        (claims_of("admin"), "Evenbooks is not configured rightly; the server's log says what is wrong."),
    ):
        at = visit("customers", url=empty_url, sections=mistake, claims=claims)
        assert words in said(at)
        assert "where" not in said(at)
        assert "salary" not in sent(at)
    assert "[customers] where" in caplog.text


@pytest.mark.parametrize("role", ["staff", "admin"])
def test_a_server_is_named_to_admins_alone(visit: Any, role: str, caplog: pytest.LogCaptureFixture) -> None:
    at = visit("customers", url=AWAY, sections=SECTIONS, claims=claims_of(role))
    assert at.error[0].proto.title == "The database does not answer"
    assert ("127.0.0.1:9" in sent(at)) is (role == "admin")
    assert "127.0.0.1:9" in caplog.text


@pytest.mark.parametrize("role", ["staff", "admin"])
def test_what_is_missing_is_told_to_admins_alone(visit: Any, empty_url: str, role: str) -> None:
    engine = make_engine(settings_for(empty_url).url)
    execute(engine, CUSTOMERS, ORDERS)
    engine.dispose()
    at = visit("customers", url=empty_url, sections=SECTIONS, claims=claims_of(role))
    assert at.error[0].proto.title == "The database is not prepared yet"
    assert ("deleted_at" in sent(at)) is bool(at.code) is (role == "admin")


def test_a_change_that_fails_says_nothing_of_tables_to_staff(
    app: Any, shop: Database, caplog: pytest.LogCaptureFixture
) -> None:
    at = ask_to_delete(enter(app, "customers", "staff"), 0)
    execute(shop.engine, "ALTER TABLE evenbooks_events RENAME TO gone")
    confirm(at)
    assert "The database is not prepared yet; the server's log says what is missing." in said(at)
    assert "evenbooks_events" not in sent(at)
    assert "evenbooks_events" in caplog.text


def test_a_check_that_fails_says_nothing_of_the_server_to_auditors(
    app: Any, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise DatabaseUnavailable("The database at db.internal does not answer.")

    monkeypatch.setattr(integrity, "run_and_record", fail)
    for role in ("auditor", "admin"):
        at = check_now(enter(app, "integrity", role))
        assert ("db.internal" in sent(at)) is (role == "admin")
    assert "db.internal" in caplog.text


def test_a_database_that_can_only_be_read_says_so_without_the_drivers_words(
    visit: Any, shop: Database, tmp_path: Any
) -> None:
    url = f"sqlite:///file:{tmp_path}/shop.sqlite?mode=ro&uri=true"
    for role in ("staff", "admin"):
        at = visit("customers", url=url, sections=SECTIONS, claims=claims_of(role))
        assert "This database can be read but not written to" in said(at)
        assert ("attempt to write" in sent(at)) is (role == "admin")


@pytest.mark.parametrize(("claims", "forgotten"), [(claims_of("staff"), 0), (None, 1)])
def test_only_who_is_let_in_has_the_settings_read_anew(
    visit: Any, shop: Database, empty_url: str, monkeypatch: pytest.MonkeyPatch, claims: Any, forgotten: int
) -> None:
    at = visit("customers", url=empty_url, sections={"customers": {"tabel": "x"}}, claims=claims)
    calls: list[None] = []
    monkeypatch.setattr(databases, "forget_default", lambda: calls.append(None))
    press(at, "retry")
    assert len(calls) == forgotten
