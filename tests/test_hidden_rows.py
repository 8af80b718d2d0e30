"""Rows that a policy or a view hides from this account, however far behind the mapping: nothing of them is called even."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from migrating import said
from servers import fresh_mariadb, fresh_postgresql
from shops import PHONE, execute, make_shop, settings_for

from data import integrity, queries
from data.database import Database, attach, snapshot
from data.integrity import Report
from data.integrity.look import OF_ROWS
from data.settings import Settings

Seen = Callable[..., Settings]
QUERY = "SELECT id, customer_id, ordered_at, total FROM {}"


def reading(table: str) -> dict[str, str]:
    """Orders that are a query of this table or view."""
    return {"query": QUERY.format(table)}


def checked(settings: Settings) -> Report:
    database = attach(settings)
    try:
        return integrity.run_and_record(database)
    finally:
        database.engine.dispose()


def blind(report: Report) -> str:
    """Why the checks of rows could not see; they all say the same."""
    assert {check.ok for check in report.checks if check.name in OF_ROWS} == {None}
    (words,) = {check.detail for check in report.checks if check.name in OF_ROWS}
    return words


@pytest.fixture
def small(postgresql_url: str) -> Iterator[Seen]:
    """A shop whose orders 1 to 3 alone a policy shows to the account `small`; answers settings of that account."""
    with fresh_postgresql(postgresql_url) as url:
        owner = make_shop(url)

        def seen_by_small(*statements: str, **orders: str) -> Settings:
            execute(owner.engine, *statements, "GRANT SELECT ON ALL TABLES IN SCHEMA public TO small")
            account = owner.engine.url.set(username="small").render_as_string(hide_password=False)
            return settings_for(account, {**PHONE, "orders": orders})

        execute(
            owner.engine,
            "CREATE ROLE small LOGIN",
            "ALTER TABLE orders ENABLE ROW LEVEL SECURITY",
            "CREATE POLICY theirs ON orders TO small USING (id < 4)",
        )
        yield seen_by_small
        execute(owner.engine, "DROP OWNED BY small CASCADE", "DROP ROLE small")
        owner.engine.dispose()


INVOKER = "CREATE VIEW shown WITH (security_invoker) AS SELECT * FROM orders"


@pytest.mark.parametrize(
    ("statements", "orders"),
    [
        ([], reading("orders")),
        ([INVOKER], {"table": "shown"}),
        ([INVOKER], reading("shown")),
    ],
)
def test_a_policy_behind_a_query_or_a_view_is_found(small: Seen, statements: list[str], orders: dict[str, str]) -> None:
    settings = small(*statements, **orders)
    name = "[orders] query" if "query" in orders else "shown"
    words = f"This account may not see every row of {name}: query would be affected by row-level security policy"
    report = checked(settings)
    assert blind(report).startswith(words)
    assert report.even is None
    assert f"RED: {words}" in said(settings, dry_run=True)


def test_a_view_that_reads_as_its_owner_hides_nothing(small: Seen) -> None:
    settings = small("CREATE VIEW shown AS SELECT * FROM orders", table="shown")
    report = checked(settings)
    assert (report.even, [str(t.total) for t in report.totals]) == (True, ["254.57"])
    assert "may not see every row" not in said(settings, dry_run=True)


def test_a_function_that_a_policy_filters_is_refused_and_not_filtered(small: Seen) -> None:
    function = "CREATE FUNCTION listed() RETURNS SETOF orders LANGUAGE plpgsql AS $$ BEGIN RETURN QUERY SELECT * FROM orders; END $$"
    settings = small(function, **reading("listed()"))
    with pytest.raises(Exception, match="row-level security"):
        checked(settings)


@pytest.mark.parametrize("who", ["CURRENT_USER", "user", "current_setting('app.who', true)"])
def test_a_view_over_a_view_that_depends_on_who_looks(small: Seen, who: str) -> None:
    inner = f"CREATE VIEW `mine` AS SELECT * FROM orders WHERE {who} IS DISTINCT FROM 'x'"
    settings = small(inner, "CREATE VIEW outermost AS SELECT * FROM mine", table="outermost")
    words = "outermost reads mine, a view that depends on who looks, so this account may not see every row of it."
    assert blind(checked(settings)) == words
    assert f"RED: {words}" in said(settings, dry_run=True)


@pytest.fixture
def mine(mariadb_url: str) -> Iterator[Seen]:
    """A shop on MariaDB with views that show each account other orders."""
    with fresh_mariadb(mariadb_url) as url:
        database = make_shop(url)

        def seen(*statements: str, **orders: str) -> Settings:
            execute(database.engine, *statements)
            return settings_for(url, {**PHONE, "orders": orders})

        execute(
            database.engine,
            "CREATE VIEW `mine` AS SELECT * FROM orders WHERE id < IF(session_user() LIKE 'root%', 4, 99)",
            "CREATE VIEW over_it AS SELECT * FROM `mine`",
            "CREATE VIEW outermost AS SELECT * FROM over_it",
        )
        yield seen
        database.engine.dispose()


@pytest.mark.parametrize(
    ("orders", "words"),
    [
        ({"table": "mine"}, "mine is a view"),
        ({"table": "over_it"}, "over_it reads mine, a view"),
        ({"table": "outermost"}, "outermost reads mine, a view"),
        (reading("mine"), "[orders] query reads mine, a view"),
        (reading("`outermost` o"), "[orders] query reads mine, a view"),
        (reading("orders WHERE id < IF(session_user() LIKE 'root%', 4, 99)"), "[orders] query is read by a condition"),
        ({"table": "orders", "where": "id < IF(user() LIKE 'root%', 4, 99)"}, "orders is read by a condition"),
    ],
)
def test_views_on_mariadb_are_followed_by_name(mine: Seen, orders: dict[str, str], words: str) -> None:
    settings = mine(**orders)
    told = f"{words} that depends on who looks, so this account may not see every row of it."
    report = checked(settings)
    assert blind(report) == told
    assert report.even is None
    assert f"RED: {told}" in said(settings, dry_run=True)


def test_a_view_that_shows_all_the_same_rows_is_even(mine: Seen) -> None:
    plain = "CREATE VIEW shown AS SELECT id, customer_id, ordered_at, total, 'user' AS `user` FROM orders"
    assert checked(mine(plain, table="shown")).even is True
    assert checked(mine(query="SELECT s.id, s.customer_id, s.ordered_at, s.total, s.user FROM shown s")).even is True


# What is said of it


@pytest.fixture
def blinded(shop: Database, monkeypatch: pytest.MonkeyPatch) -> Database:
    """A shop where the rows may be hidden."""
    monkeypatch.setattr("data.inspection.hidden_rows", lambda *_: "Some rows may be hidden.")
    monkeypatch.setenv("DATABASE_URL", shop.settings.database_url)
    return shop


def test_books_that_could_not_be_counted_are_not_said_to_be_even(
    blinded: Database, capsys: pytest.CaptureFixture[str]
) -> None:
    assert integrity.main(["--json"]) == 2
    answer: dict[str, Any] = json.loads(capsys.readouterr().out)
    assert answer["even"] is None
    assert answer["unseen"] == len(OF_ROWS)
    assert {"checks", "months", "totals", "snapshot_at"} < set(answer)
    assert integrity.main([]) == 2
    last = capsys.readouterr().out.splitlines()[-1]
    assert last == "Could not see whether the books are even: Some rows may be hidden."
    with snapshot(blinded) as moment:
        even = queries.last_check(moment.connection, blinded.schema, even=True)
        kept = queries.last_check(moment.connection, blinded.schema)
    assert kept is not None
    assert even is None or even.id < kept.id - 1
    assert (kept.even, integrity.read_proof(json.loads(kept.report)).even) == (False, None)


def test_what_is_broken_besides_is_still_not_even(blinded: Database) -> None:
    execute(blinded.engine, "UPDATE evenbooks_events SET actor = 'another'")
    report = integrity.run_and_record(blinded)
    assert report.even is False
    assert integrity.verdict(report).startswith("The books are not even: ")
