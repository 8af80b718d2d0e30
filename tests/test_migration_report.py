"""What the migration says before anything is done: foreign keys, triggers, missing privileges, big tables, INSERT by position."""

from __future__ import annotations

import os

import pytest
from migrating import MakeUrl, ask, build, dump, opened, said
from servers import fresh_mariadb, fresh_postgresql
from shops import CUSTOMERS, ORDERS, settings_for, trigger
from sqlalchemy import inspect

from data import migration
from data.errors import ConfigurationError, DatabaseReadOnly
from data.migration import estimate

pytestmark = pytest.mark.usefixtures("own_folder")
GONE = "DELETE FROM orders WHERE customer_id = 77"


def test_foreign_keys_that_take_orders_along_are_red_and_the_statement_mends_it(make_url: MakeUrl) -> None:
    key = "ALTER TABLE orders ADD CONSTRAINT fk FOREIGN KEY (customer_id) REFERENCES customers (id) ON DELETE {}"
    for rule, effect in (("CASCADE", "takes its orders along"), ("SET NULL", "unlinks its orders")):
        url = make_url()
        if url.startswith("sqlite"):
            link = f"customer_id INTEGER REFERENCES customers (id) ON DELETE {rule}"
            settings = build(url, CUSTOMERS, ORDERS.replace("customer_id INTEGER", link), missing=False)
        else:
            settings = build(url, also=(GONE, key.format(rule)))
        output = said(settings, dry_run=True)
        red = next(line for line in output.splitlines() if "RED:" in line)
        assert effect in red
        if url.startswith("sqlite"):
            assert "make the table anew with ON DELETE RESTRICT" in red
            continue
        ask(url, *[sql for sql in red.partition("To mend it: ")[2].split(";") if sql.strip()])
        assert "RED" not in said(settings, dry_run=True)


def test_triggers_on_update_are_named_with_what_they_seem_to_set(make_url: MakeUrl) -> None:
    settings = build(url := make_url())
    with opened(url) as engine:
        body = {
            "sqlite": "UPDATE customers SET phone = 'x' WHERE id = NEW.id",
            "mysql": "SET NEW.phone = 'x'",
            "postgresql": "NEW.phone := 'x'",
        }[engine.dialect.name]
        when = "AFTER UPDATE" if engine.dialect.name == "sqlite" else "BEFORE UPDATE"
        ask(url, trigger(engine, body, name="touch", when=when))
    output = said(settings, dry_run=True)
    assert (
        "Trigger of customers on UPDATE, which runs with every delete and restore: touch. It seems to set phone."
        in output
    )


def test_insert_by_position(make_url: MakeUrl, engine_name: str) -> None:
    settings = build(url := make_url())
    output = said(settings, dry_run=True)
    expected = {
        "sqlite": "fail once there is one column more. Have them name the columns first.",
        "mariadb": "fail once there is one column more. With --invisible they go on.",
        "postgresql": "go on working with one column more.",
    }
    assert expected[engine_name] in output
    if engine_name == "sqlite":
        with pytest.raises(ConfigurationError, match="SQLite has no invisible columns"):
            migration.migrate(settings, invisible=True)
        assert "customers" in dump(url)
        return
    said(settings, invisible=True)
    ask(url, "INSERT INTO customers VALUES (99, 'By position', 'p@example.com', NULL, NULL)")
    assert "To do: nothing" in said(settings)


def test_an_invisible_column_is_seen_by_us_alone(mariadb_url: str) -> None:
    with fresh_mariadb(mariadb_url) as url:
        settings = build(url)
        before = dump(url)
        migration.migrate(settings)
        assert "deleted_at" in str(dump(url)["customers"])
        migration.migrate(settings, invisible=True)  # later: the column of ours is hidden
        assert len(ask(url, "SELECT * FROM customers")[0]) == 5
        with opened(url) as engine:
            assert "deleted_at" in [column["name"] for column in inspect(engine).get_columns("customers")]
        ask(url, "ALTER TABLE customers MODIFY deleted_at TIMESTAMP NULL DEFAULT NULL")
        assert "To do: invisible deleted_at." in said(settings)
        assert len(ask(url, "SELECT * FROM customers")[0]) == 5
        migration.undo(settings)
        assert dump(url) == before


def test_a_column_of_theirs_stays_visible(mariadb_url: str) -> None:
    with fresh_mariadb(mariadb_url) as url:
        settings = build(url, also=("ALTER TABLE customers ADD deleted_at DATETIME NULL",))
        assert "--invisible leaves it as it is" in said(settings, invisible=True)
        assert len(ask(url, "SELECT * FROM customers")[0]) == 6


def test_mariadb_all_missing_privileges_are_named_at_once_and_the_grants_are_enough(mariadb_url: str) -> None:
    with fresh_mariadb(mariadb_url) as url:
        settings = build(url)
        name = settings.url.database
        ask(url, "CREATE OR REPLACE USER small IDENTIFIED BY 'secret-word'", f"GRANT SELECT ON {name}.* TO small")
        small = settings_for(settings.url.set(username="small", password="secret-word").render_as_string(False))
        options = {"revenue_index": True, "guard": True, "guard_orders": True, "views": True, "active_unique": True}
        before = dump(url)
        assert "-- RED: This account may not do what the migration needs" in said(small, dry_run=True, **options)
        with pytest.raises(DatabaseReadOnly) as refused:
            migration.migrate(small, **options)
        words = str(refused.value)
        assert dump(url) == before
        assert f"ALTER, INDEX, TRIGGER on {name}.customers; INDEX, TRIGGER on {name}.orders" in words
        assert "CREATE VIEW" in words
        grants = words.partition("To allow it: ")[2].split(" Or give ")[0]
        ask(url, *[sql for sql in grants.split(";") if sql.strip()])
        migration.migrate(small, **options)
        ask(url, "DROP USER small")


def test_postgresql_all_missing_privileges_are_named_at_once_and_the_grants_are_enough(postgresql_url: str) -> None:
    with fresh_postgresql(postgresql_url) as url:
        settings = build(url)
        name = settings.url.database
        ask(url, "CREATE ROLE eb_small LOGIN", "CREATE ROLE eb_owner")
        try:
            ask(
                url,
                "ALTER TABLE customers OWNER TO eb_owner",
                "ALTER TABLE orders OWNER TO eb_owner",
                "GRANT SELECT ON customers, orders TO eb_small",
                "REVOKE CREATE ON SCHEMA public FROM public",
            )
            small = settings_for(settings.url.set(username="eb_small").render_as_string(False))
            options = {"revenue_index": True, "guard": True, "views": True}
            assert "-- RED: This account may not do what the migration needs" in said(small, dry_run=True, **options)
            with pytest.raises(DatabaseReadOnly) as refused:
                migration.migrate(small, **options)
            words = str(refused.value)
            assert "CREATE in the schema public" in words
            assert "change customers, which belongs to eb_owner" in words
            assert "change orders, which belongs to eb_owner" in words
            grants = words.partition("To allow it: ")[2].split(" Or give ")[0]
            ask(url, *[sql for sql in grants.split(";") if sql.strip()])
            migration.migrate(small, **options)
        finally:
            ask(url, "DROP OWNED BY eb_small, eb_owner CASCADE", "DROP ROLE eb_small, eb_owner")
        assert name


def test_a_file_that_may_not_be_written_to(
    make_url: MakeUrl, engine_name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    if engine_name != "sqlite":
        return
    settings = build(make_url())
    access = os.access
    monkeypatch.setattr(os, "access", lambda path, mode: access(path, mode) and mode != os.W_OK)
    assert "RED: This account may not do what the migration needs: write to the file" in said(settings, dry_run=True)
    with pytest.raises(DatabaseReadOnly, match="write to the folder"):
        migration.migrate(settings)


def test_big_tables_are_estimated_first(make_url: MakeUrl, monkeypatch: pytest.MonkeyPatch) -> None:
    settings = build(url := make_url())
    assert "Reads all of" not in said(settings, dry_run=True)
    monkeypatch.setattr(estimate, "BIG", 1)
    output = said(settings, dry_run=True, revenue_index=True)
    assert "Instant on customers, whatever its size: column deleted_at" in output
    assert "Reads all of customers: index idx_customers_deleted_at; about 1 seconds at" in output
    assert "Reads all of orders: index idx_orders_ordered_at_total, index" in output
    assert ("Each step waits at most 5 seconds" in output) == (not url.startswith("sqlite"))
