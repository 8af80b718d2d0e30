"""--active-unique: e-mail addresses unique among the active customers only; and the unique keys that are there already."""

from __future__ import annotations

import re
from typing import Any

import pytest
from migrating import MakeUrl, ask, bodies, build, contents, dump, opened, said
from shops import ADMIN, settings_for
from sqlalchemy.exc import IntegrityError

from data import customers, migration
from data.database import attach
from data.errors import ConfigurationError, EmailTaken
from data.migration import unique

pytestmark = pytest.mark.usefixtures("own_folder")
TWIN = "INSERT INTO customers (id, name, email) VALUES ({}, 'Twin', '{}')"


def test_an_address_of_a_deleted_customer_is_free_and_restoring_says_who_has_it(make_url: MakeUrl) -> None:
    settings = build(url := make_url())
    migration.migrate(settings, active_unique=True)
    with pytest.raises(IntegrityError):
        ask(url, TWIN.format(11, "ANA@example.com"))
    ask(
        url,
        TWIN.format(12, ""),
        "INSERT INTO customers (id, name, email) VALUES (13, 'None', NULL), (14, 'None', NULL)",
    )
    ask(url, TWIN.format(15, ""))
    with opened(url) as engine:
        database = attach(settings, engine=engine)
        customers.delete_many(database, [1], actor=ADMIN, reason="mistake")
        ask(url, TWIN.format(16, "ana@example.com"))
        with pytest.raises(EmailTaken, match=r"ana@example\.com belongs to Twin \(customer 16\)"):
            customers.restore_many(database, [1], actor=ADMIN, reason="mistake")
        with pytest.raises(EmailTaken):
            customers.restore_many(database, [1, 4], actor=ADMIN, reason="mistake")
        with pytest.raises(EmailTaken, match="belongs to Twin"):
            customers.add(database, {"name": "New", "email": "Ana@example.com"}, actor=ADMIN)
        customers.delete_many(database, [16], actor=ADMIN, reason="duplicate")
        assert customers.restore_many(database, [1], actor=ADMIN, reason="mistake")[0].changed


def test_once_asked_for_it_stays_and_undo_removes_it(make_url: MakeUrl, engine_name: str) -> None:
    settings = build(url := make_url())
    before = dump(url)
    migration.migrate(settings, active_unique=True)
    after = dump(url)
    name = "idx_customers_active_email"
    drop = f"ALTER TABLE customers DROP INDEX {name}" if engine_name == "mariadb" else f"DROP INDEX {name}"
    ask(url, drop)
    assert name in said(settings)
    assert dump(url) == after
    assert "To do: nothing" in said(settings, active_unique=True)
    migration.undo(settings)
    assert dump(url) == before


def test_it_is_of_the_slice_and_made_anew_when_the_slice_changes(make_url: MakeUrl) -> None:
    kind = ("ALTER TABLE customers ADD kind VARCHAR(10)", "UPDATE customers SET kind = 'customer'")
    build(url := make_url(), also=(*kind, TWIN.format(11, "ana@example.com")))
    before = dump(url)
    settings = settings_for(url, {"customers": {"where": "kind = 'customer'"}})
    migration.migrate(settings, active_unique=True)
    ask(url, TWIN.format(12, "bo@example.com"))
    with pytest.raises(IntegrityError):
        ask(url, "UPDATE customers SET kind = 'customer' WHERE id = 11")
    migration.undo(settings)
    assert dump(url) == before
    ask(url, "DELETE FROM customers WHERE id > 10")
    migration.migrate(settings_for(url), active_unique=True)
    assert "idx_customers_active_email" in said(settings)
    ask(url, TWIN.format(12, "bo@example.com"))


@pytest.mark.parametrize("where", ["id IN (SELECT id FROM orders)"])
def test_a_slice_that_no_index_can_have_is_refused(make_url: MakeUrl, where: str) -> None:
    build(url := make_url())
    before, rows = dump(url), contents(url)
    with pytest.raises(ConfigurationError, match="cannot stand in an index"):
        migration.migrate(settings_for(url, {"customers": {"where": where}}), active_unique=True)
    assert (dump(url), contents(url)) == (before, rows)


def test_duplicates_are_named_and_nothing_is_done(make_url: MakeUrl) -> None:
    twins = (TWIN.format(11, "Ana@example.com"), TWIN.format(12, "bo@example.com"))
    settings = build(url := make_url(), also=twins)
    before, rows = dump(url), contents(url)
    for dry in (True, False):
        with pytest.raises(ConfigurationError) as refused:
            migration.migrate(settings, active_unique=True, dry_run=dry)
        words = str(refused.value).lower()
        assert "2 e-mail addresses belong to several active customers" in words
        assert "ana@example.com: customers 1, 11; bo@example.com: customers 2, 12" in words
        assert "leave out --active-unique" in words
    assert (dump(url), contents(url)) == (before, rows)
    migration.migrate(settings)
    with opened(url) as engine:
        customers.delete_many(attach(settings, engine=engine), [11, 12], actor=ADMIN, reason="duplicate")
    migration.migrate(settings, active_unique=True)


def test_many_duplicates_are_counted_and_three_are_looked_up(
    make_url: MakeUrl, monkeypatch: pytest.MonkeyPatch
) -> None:
    twins = [TWIN.format(20 + number, f"t{number // 2}@example.com") for number in range(10)]
    settings, looked = build(make_url(), also=tuple(twins)), []
    kept = unique.literal_sql
    monkeypatch.setattr(unique, "literal_sql", lambda sql: looked.append(sql) or kept(sql))
    with pytest.raises(
        ConfigurationError, match=r"5 e-mail addresses .*t0@example.com: customers 20, 21; .*; \.\.\.\)"
    ):
        migration.migrate(settings, active_unique=True)
    assert len([sql for sql in looked if "HAVING" not in sql]) == 3


# A unique key of theirs, by engine: how it is made, whether it is of the address alone and of every row.
KEYS: dict[str, list[tuple[str, bool]]] = {
    "sqlite": [
        ("CREATE UNIQUE INDEX theirs ON customers (email)", True),
        ("CREATE UNIQUE INDEX theirs ON customers (lower(email))", True),
        ("CREATE UNIQUE INDEX theirs ON customers (email, name)", False),
        ("CREATE UNIQUE INDEX theirs ON customers (email) WHERE phone IS NULL", False),
    ],
    "mariadb": [
        ("ALTER TABLE customers ADD CONSTRAINT theirs UNIQUE (email)", True),
        ("CREATE UNIQUE INDEX theirs ON customers (name, email)", False),
        ("ALTER TABLE customers ADD low VARCHAR(80) AS (lower(email)), ADD UNIQUE theirs (low)", False),
    ],
    "postgresql": [
        ("ALTER TABLE customers ADD CONSTRAINT theirs UNIQUE (email)", True),
        ("CREATE UNIQUE INDEX theirs ON customers (lower(email))", True),
        ("CREATE UNIQUE INDEX theirs ON customers (email, name)", False),
        ("CREATE UNIQUE INDEX theirs ON customers (email) WHERE phone IS NULL", False),
    ],
}


@pytest.mark.filterwarnings("ignore:Skipped unsupported reflection")
def test_their_unique_keys_are_reported_with_the_choices(make_url: MakeUrl, engine_name: str) -> None:
    for sql, plain in KEYS[engine_name]:
        settings = build(url := make_url(), also=(sql,))
        output = said(settings, dry_run=True)
        assert "E-mail addresses of customers are kept apart by theirs (" in output, sql
        if not plain:
            assert "It is left as it is." in output
            continue
        assert "the address of a deleted customer cannot be used again" in output
        with pytest.raises(ConfigurationError, match="deleted customers too") as refused:
            migration.migrate(settings, active_unique=True)
        statement = re.search(r"Drop it first \((.*?);\),", str(refused.value))
        assert statement
        ask(url, statement[1])
        migration.migrate(settings, active_unique=True)
        assert "kept apart by" not in said(settings)


def test_a_unique_constraint_of_sqlite_cannot_be_dropped(make_url: MakeUrl, engine_name: str) -> None:
    if engine_name != "sqlite":
        return
    table = (
        "CREATE TABLE customers (id INTEGER PRIMARY KEY, name TEXT, email TEXT UNIQUE, phone TEXT, created_at DATETIME)"
    )
    settings = build(make_url(), table)
    assert "make the table anew without it (SQLite cannot drop it)" in said(settings, dry_run=True)


def test_what_is_named_like_ours_and_is_not_is_left_alone(make_url: MakeUrl) -> None:
    settings = build(url := make_url(), also=("CREATE INDEX idx_customers_active_email ON customers (name)",))
    before = dump(url)
    with pytest.raises(ConfigurationError, match="which the migration did not make"):
        migration.migrate(settings, active_unique=True)
    assert dump(url) == before


def test_what_was_made_is_in_the_events(make_url: MakeUrl, engine_name: str) -> None:
    settings = build(url := make_url())
    migration.migrate(settings, active_unique=True)
    named: list[Any] = [name for body in bodies(url) for name in body.get("made", []) if "active_email" in name]
    column = ["column evenbooks_active_email"] if engine_name == "mariadb" else []
    assert named == [*column, "index idx_customers_active_email"]
