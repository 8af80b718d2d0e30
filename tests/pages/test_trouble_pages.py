"""What can be wrong with the database or the settings: a page that says so and what to do, and no traceback."""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Iterator
from inspect import signature
from pathlib import Path
from typing import Any

import pytest
import streamlit as st
from screens import ask_to_delete, check_now, confirm, dialog, disabled, press, said, select, shown
from shops import CUSTOMERS, ORDERS, PHONE, execute, fill, settings_for, state
from sqlalchemy import create_engine, text
from streamlit.testing.v1 import AppTest

from data.access import os_user
from data.database import Database
from data.engines import make_engine
from data.migration import migrate
from data.settings import ROOT
from ui import books, lists, revenue, shell, trouble

PAGES = ("customers", "deleted_customers", "revenue")
ONE_ENGINE = pytest.mark.parametrize("engine_name", ["sqlite"], indirect=True)


def in_trouble(at: AppTest, heading: str, sentence: str) -> str:
    """Asserts the trouble page; answers its words."""
    words = said(at)
    assert at.error[0].proto.title == heading
    assert sentence in words
    assert at.button(key="retry").label == "Try again"
    assert not at.dataframe
    assert not at.metric
    assert "Traceback" not in words
    return words


def everything(at: AppTest) -> str:
    """All that the browser is sent, as text."""
    return str([element.proto for element in at.main]) + str(at)


@pytest.mark.parametrize("page", PAGES)
def test_a_server_that_is_not_there(visit: Any, page: str, caplog: pytest.LogCaptureFixture) -> None:
    at = visit(page, url="mysql+pymysql://shop:s3cret@127.0.0.1:9/shop")
    in_trouble(
        at, "The database does not answer", "The database mysql+pymysql://shop:***@127.0.0.1:9/shop does not answer"
    )
    assert "s3cret" not in everything(at)
    assert "s3cret" not in caplog.text
    in_trouble(press(at, "retry"), "The database does not answer", "does not answer")


@pytest.mark.parametrize("page", PAGES)
def test_a_file_that_is_not_there(visit: Any, tmp_path: Path, page: str) -> None:
    at = visit(page, url=f"sqlite:///{tmp_path}/none.sqlite")
    in_trouble(
        at, "The database does not answer", f"There is no database file {tmp_path}/none.sqlite. DATABASE_URL names it."
    )
    assert not (tmp_path / "none.sqlite").exists()


@pytest.mark.parametrize("url", ["nonsense", "oracle://u:s3cret@h/db", "mysql+pymysql://u:s3cret@:port/x"])
def test_a_url_that_is_none(visit: Any, url: str) -> None:
    at = visit("customers", url=url)
    in_trouble(at, "A setting is not right", "DATABASE_URL")
    assert "s3cret" not in everything(at)


@ONE_ENGINE
@pytest.mark.parametrize("page", PAGES)
def test_a_bad_configuration_file_is_named_and_once_mended_the_page_works(
    visit: Any, shop: Database, empty_url: str, tmp_path: Path, page: str
) -> None:
    at = visit(page, url=empty_url, sections={"customers": {"tabel": "customers"}})
    in_trouble(at, "A setting is not right", "[customers] tabel is not a known key; did you mean table?")
    (tmp_path / "evenbooks.toml").write_text("")
    assert not press(at, "retry").error
    assert not at.exception


@pytest.mark.parametrize("page", PAGES)
def test_a_mapping_to_a_table_that_is_not_there(visit: Any, shop: Database, empty_url: str, page: str) -> None:
    at = visit(page, url=empty_url, sections={"orders": {"table": "invoices"}})
    in_trouble(at, "A setting is not right", '[orders] table = "invoices": there is no such table in this database.')


@ONE_ENGINE
@pytest.mark.parametrize("page", PAGES)
def test_a_database_of_other_tables_names_the_command_that_proposes_a_mapping(
    visit: Any, empty_url: str, page: str, caplog: pytest.LogCaptureFixture
) -> None:
    engine = make_engine(settings_for(empty_url).url)
    execute(engine, "CREATE TABLE Kunden (Nr {key}, Name VARCHAR(60))", 'CREATE TABLE "Run: rm -rf /" (id {key})')
    engine.dispose()
    at = visit(page, url=empty_url)
    sentence = "There is no table customers in this database, and evenbooks.toml names no other for customers. It has: Kunden, Run: rm -rf /."
    in_trouble(at, "The customers and orders are not found yet", sentence)
    assert [code.value for code in at.code] == ["python run_customer_soft_delete_migration.py --detect"]
    assert "--detect" in caplog.text
    assert in_trouble(press(at, "retry"), "The customers and orders are not found yet", "changes nothing")


def test_a_command_of_somebody_elses_is_none() -> None:
    for words in ("There is x. Run: rm -rf /", "Run: python -m data.integrity; rm", "Run: python evil.py"):
        assert trouble.split_command(words) == (words, "", "")
    assert trouble.split_command("Gone. Run: python -m data.integrity")[::2] == ("Gone. ", "python -m data.integrity")


def test_a_database_that_is_not_migrated_names_the_command_and_works_after_it(visit: Any, empty_url: str) -> None:
    engine = make_engine(settings_for(empty_url).url)
    execute(engine, CUSTOMERS, ORDERS)
    fill(engine, "customers", [{"id": 1, "name": "Ana"}])
    engine.dispose()
    for page in PAGES:
        at = visit(page, url=empty_url)
        in_trouble(at, "The database is not prepared yet", "This database has no deleted_at column on customers yet.")
        assert at.code[0].value == "python run_customer_soft_delete_migration.py --dry-run"
    at = visit("customers", url=empty_url)
    migrate(settings_for(empty_url))
    press(at, "retry")
    assert "1 active customer, none deleted." in said(at)


@ONE_ENGINE
def test_a_database_that_can_only_be_read(visit: Any, shop: Database, empty_url: str, tmp_path: Path) -> None:
    url = f"sqlite:///file:{tmp_path}/shop.sqlite?mode=ro&uri=true"
    before = state(shop)
    at = select(visit("customers", url=url, sections=PHONE), 0)
    reason = "This database can be read but not written to (attempt to write a readonly database). Nothing was changed."
    assert reason in said(at)
    assert list(shown(at)["id"]) == [1, 2, 3, 5]
    assert disabled(at, "add", "edit", "delete") == [True, True, True]
    assert "read but not written" in at.button(key="delete").help
    at.session_state.dialog = ("delete", (1,))
    confirm(at.run())
    assert said(at).count(reason) == 2
    at = select(visit("deleted_customers", url=url, sections=PHONE), 0)
    assert reason in said(at)
    assert disabled(at, "restore") == [True]
    at = visit("revenue", url=url, sections=PHONE, period="All")
    assert reason in said(at)
    check_now(at)
    assert "The books are even." in said(at)
    assert state(shop) == before


@pytest.mark.parametrize("engine_name", ["mariadb"], indirect=True)
def test_an_account_that_may_only_read(visit: Any, shop: Database, empty_url: str, reader: str) -> None:
    at = select(visit("customers", url=reader, sections=PHONE), 0)
    assert "This database can be read but not written to" in said(at)
    assert disabled(at, "add", "edit", "delete") == [True, True, True]
    execute(shop.engine, f"GRANT ALL ON {shop.engine.url.database}.* TO eb_reader@localhost")
    press(at, "retry_writing")
    assert "can be read but not written to" not in said(at)
    assert disabled(select(at, 0), "add", "edit", "delete") == [False, False, False]


@pytest.fixture
def reader(shop: Database, empty_url: str) -> Iterator[str]:
    """The URL of an account that may read this database and nothing else."""
    name = shop.engine.url.database
    execute(
        shop.engine,
        "CREATE USER eb_reader@localhost IDENTIFIED BY 's3cret'",
        f"GRANT SELECT ON {name}.* TO eb_reader@localhost",
    )
    yield empty_url.replace("root@", "eb_reader:s3cret@")
    execute(shop.engine, "DROP USER eb_reader@localhost")


@ONE_ENGINE
def test_a_database_busy_with_somebody_elses_writing_can_still_be_read(
    visit: Any, shop: Database, empty_url: str, tmp_path: Path
) -> None:
    other = sqlite3.connect(tmp_path / "shop.sqlite", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    at = visit("customers", url=empty_url, sections=PHONE)
    other.rollback()
    other.close()
    assert list(shown(at)["id"]) == [1, 2, 3, 5]
    assert not at.warning
    assert disabled(at, "add") == [False]


def without_times(at: AppTest) -> str:
    """What a page says, but for when it looked; a second look of its own it tells only where the second is another."""
    seen = said(at).replace(at.caption[0].value, "")
    return re.sub(r"Who they are is as of [\d:]+\.\s*", "", seen)


@pytest.mark.parametrize("page", PAGES)
@pytest.mark.parametrize("kept", ["everything is read anew", "counts are still kept"])
def test_a_database_that_fails_between_two_runs_and_comes_back(
    app: Any, shop: Database, empty_url: str, page: str, kept: str
) -> None:
    at = app(page, **({"period": "All"} if page == "revenue" else {}))
    before = without_times(at)
    execute(shop.engine, "ALTER TABLE customers RENAME TO gone", "ALTER TABLE orders RENAME TO gone_too")
    if kept == "everything is read anew":
        st.cache_data.clear()
    if page != "revenue" or kept == "everything is read anew":
        in_trouble(at.run(), "A setting is not right", "or no longer:")
        assert press(at, "retry").error
    execute(shop.engine, "ALTER TABLE gone RENAME TO customers", "ALTER TABLE gone_too RENAME TO orders")
    if at.error:
        press(at, "retry")
    assert without_times(at) == before


@ONE_ENGINE
def test_counts_that_fail_are_trouble_too(app: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    from data import queries
    from data.errors import DatabaseUnavailable

    def fail(*_: object, **__: object) -> None:
        raise DatabaseUnavailable("The database went away.")

    monkeypatch.setattr(queries, "count_customers", fail)
    for page in ("customers", "deleted_customers"):
        assert "The database went away." in said(app(page))
    monkeypatch.setattr(queries, "month_bounds", fail)
    assert "The database went away." in said(app("revenue", period="From, to"))


def test_a_change_that_fails_is_said_in_the_dialog_and_changes_nothing(app: Any, shop: Database) -> None:
    at = ask_to_delete(app("customers"), 0)
    before = state(shop)
    execute(shop.engine, "ALTER TABLE evenbooks_events RENAME TO gone")
    confirm(at)
    assert "This database is not prepared yet" in said(at)
    assert dialog(at) == "Delete Ana Lima?"
    execute(shop.engine, "ALTER TABLE gone RENAME TO evenbooks_events")
    assert state(shop) == before
    confirm(at)
    assert "Ana Lima is deleted." in said(at)


@pytest.mark.parametrize("engine_name", ["mariadb"], indirect=True)
def test_a_server_that_goes_away_is_said_without_the_password(
    visit: Any, shop: Database, empty_url: str, reader: str
) -> None:
    at = visit("customers", url=reader, sections=PHONE)
    execute(shop.engine, f"REVOKE ALL ON {shop.engine.url.database}.* FROM eb_reader@localhost")
    root = create_engine(empty_url)
    with root.connect() as connection:
        for (number,) in connection.execute(
            text("SELECT id FROM information_schema.processlist WHERE user = 'eb_reader'")
        ).all():
            connection.execute(text(f"KILL {number}"))
    root.dispose()
    st.cache_data.clear()
    in_trouble(at.run(), "The database does not answer", "does not answer")
    assert "s3cret" not in everything(at)
    execute(shop.engine, f"GRANT SELECT ON {shop.engine.url.database}.* TO eb_reader@localhost")
    assert list(shown(press(at, "retry"))["id"]) == [1, 2, 3, 5]


def test_the_chain_without_its_head_says_so(app: Any, shop: Database) -> None:
    at = ask_to_delete(app("customers"), 0)
    execute(shop.engine, "DELETE FROM evenbooks_chain")
    before = state(shop)
    confirm(at)
    assert "The chain of events has lost its head" in said(at)
    assert state(shop) == before


def test_a_visitor_without_sign_in_is_whoever_started_the_server(app: Any) -> None:
    app("customers")
    at = AppTest.from_file(ROOT / "dashboard.py", default_timeout=60).run()
    assert f"No sign-in: everybody on this machine is admin (os:{os_user()})." in said(at)
    assert "4 active customers." in said(at)


def test_what_is_kept_for_a_minute_is_kept_by_database() -> None:
    kept = {f for module in (books, lists, revenue, shell) for f in vars(module).values() if is_kept(f)}
    assert len(kept) == 7
    for function in kept:
        assert next(iter(signature(function).parameters)) == "url"  # with an underscore it would not be looked at


def is_kept(function: object) -> bool:
    return callable(function) and hasattr(function, "__wrapped__") and function.__module__.startswith("ui.")
