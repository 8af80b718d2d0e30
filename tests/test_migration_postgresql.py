"""PostgreSQL's own traps for the migration: schemas and quoted names, leftovers of an interrupted index, locks, partitions."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from migrating import ALL, ask, bodies, build, dump, opened, said
from servers import fresh_postgresql
from shops import ADMIN, settings_for
from sqlalchemy import text

from data import customers, migration
from data.database import attach
from data.errors import DatabaseUnavailable
from data.migration import estimate, session

pytestmark = pytest.mark.usefixtures("own_folder")


@pytest.fixture
def shop_url(postgresql_url: str) -> Iterator[str]:
    with fresh_postgresql(postgresql_url) as url:
        yield url


def test_schemas_and_quoted_names(shop_url: str) -> None:
    ask(
        shop_url,
        'CREATE SCHEMA "Sales"',
        'CREATE TABLE "Sales"."Customer Master" ("Customer Id" integer PRIMARY KEY, "Full ""Name""" text, "E%Mail" text)',
        'CREATE TABLE "Sales"."Order Head" (id integer PRIMARY KEY, "Customer Id" integer, "When" timestamp, "Sum" numeric(10,2))',
        """INSERT INTO "Sales"."Customer Master" VALUES (1, 'Ana', 'ana@example.com'), (2, 'Bo', 'bo@example.com')""",
        """INSERT INTO "Sales"."Order Head" VALUES (1, 1, '2024-01-01', 12.50)""",
    )
    people = {
        "table": "Sales.Customer Master",
        "id": "Customer Id",
        "name": 'Full "Name"',
        "email": "E%Mail",
        "deleted_at": "Gone: at",
        "where": "\"E%Mail\" <> 'a:b'",
    }
    sales = {"table": "Sales.Order Head", "customer_id": "Customer Id", "ordered_at": "When", "total": "Sum"}
    settings = settings_for(shop_url, {"customers": people, "orders": sales})
    before = dump(shop_url)
    assert "EUR 12.50" in said(settings, **ALL)
    assert "To do: nothing" in said(settings)
    with opened(shop_url) as engine:
        database = attach(settings, engine=engine)
        assert customers.delete_many(database, [1], actor=ADMIN, reason="mistake")[0].changed
        assert ask(shop_url, 'SELECT "Customer Id" FROM "Sales".active_customers') == [(2,)]
        assert customers.restore_many(database, [1], actor=ADMIN, reason="mistake")[0].changed
    migration.undo(settings)
    assert dump(shop_url) == before


def test_an_invalid_leftover_is_dropped_and_made_again(shop_url: str) -> None:
    settings = build(shop_url)
    migration.migrate(settings, active_unique=True)
    whole = dump(shop_url)
    for name in ("idx_customers_deleted_at", "idx_customers_active_email"):
        ask(shop_url, f"UPDATE pg_index SET indisvalid = false WHERE indexrelid = '{name}'::regclass")
    output = said(settings)
    assert "DROP INDEX idx_customers_deleted_at;" in output
    assert "DROP INDEX idx_customers_active_email;" in output
    assert dump(shop_url) == whole


def test_while_others_have_a_transaction_open_it_gives_up_soon_and_continues(
    shop_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(session, "LOCK_WAIT", 1)
    settings = build(shop_url)
    with opened(shop_url) as engine, engine.connect() as other:
        other.execute(text("SELECT * FROM customers")).all()
        with pytest.raises(DatabaseUnavailable, match=r"held the table customers .* it changed nothing"):
            migration.migrate(settings)
    with opened(shop_url) as engine, engine.connect() as other:
        ask(shop_url, "ALTER TABLE customers ADD COLUMN deleted_at TIMESTAMPTZ")  # only the index waits now
        other.execute(text("SELECT * FROM orders")).all()
        with pytest.raises(
            DatabaseUnavailable, match=r"an unfinished index may be left.*Run this again: it continues here"
        ):
            migration.migrate(settings)
    migration.migrate(settings)
    assert len(bodies(shop_url)) == 1


def test_a_table_in_partitions(shop_url: str) -> None:
    ask(
        shop_url,
        "CREATE TABLE customers (id integer PRIMARY KEY, name text, email text) PARTITION BY RANGE (id)",
        "CREATE TABLE customers_1 PARTITION OF customers FOR VALUES FROM (0) TO (100)",
        "CREATE TABLE orders (id integer PRIMARY KEY, customer_id integer, ordered_at timestamp, total numeric(10,2))",
        "INSERT INTO customers VALUES (1, 'Ana', 'ana@example.com')",
        "INSERT INTO orders VALUES (1, 1, '2024-01-01', 5)",
    )
    before = dump(shop_url)
    settings = settings_for(shop_url)
    assert "so it is done the next way" in said(settings, revenue_index=True, views=True)
    assert "To do: nothing" in said(settings)
    migration.undo(settings)
    assert dump(shop_url) == before


def test_of_a_table_in_partitions_all_rows_are_estimated_and_writing_waits(
    shop_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    ask(
        shop_url,
        "CREATE TABLE customers (id integer PRIMARY KEY, name text, email text) PARTITION BY RANGE (id)",
        "CREATE TABLE customers_1 PARTITION OF customers FOR VALUES FROM (0) TO (100)",
        "CREATE TABLE customers_2 PARTITION OF customers FOR VALUES FROM (100) TO (900)",
        "CREATE TABLE customers_3 PARTITION OF customers FOR VALUES FROM (900) TO (999)",  # empty, never counted
        "CREATE TABLE orders (id integer PRIMARY KEY, customer_id integer, ordered_at timestamp, total numeric(10,2))",
        "INSERT INTO customers SELECT number, 'Ana' FROM generate_series(1, 250) number",
    )
    monkeypatch.setattr(estimate, "SMALL", 1)  # nothing is counted row by row
    assert "customers: how many rows is not known" in said(settings_for(shop_url), dry_run=True)
    ask(shop_url, "ANALYZE customers_1, customers_2")
    monkeypatch.setattr(estimate, "BIG", 200)
    output = said(settings_for(shop_url), dry_run=True)
    assert re.search(r"customers: about 250 rows, \d+ kB", output)
    assert re.search(r"Reads all of customers: index .* Others can only read meanwhile and writing waits", output)


def test_their_timestamp_and_their_comment_stay(shop_url: str) -> None:
    column = ("ALTER TABLE customers ADD deleted_at TIMESTAMP", "COMMENT ON TABLE customers IS 'Stammkunden'")
    settings = build(shop_url, also=(*column, "UPDATE customers SET deleted_at = '2023-01-01' WHERE id = 2"))
    before = dump(shop_url)
    migration.migrate(settings)
    assert bodies(shop_url)[0]["deleted"] == [[2, "2023-01-01T00:00:00Z", 2, 10]]
    assert "Stammkunden" in dump(shop_url)["customers"]
    migration.undo(settings)
    assert dump(shop_url) == before


def test_rows_that_a_policy_hides_are_red(shop_url: str) -> None:
    settings = build(shop_url)
    ask(
        shop_url,
        "DROP ROLE IF EXISTS eb_seer",
        "CREATE ROLE eb_seer LOGIN",
        "GRANT SELECT ON ALL TABLES IN SCHEMA public TO eb_seer",
    )
    try:
        ask(shop_url, "ALTER TABLE customers ENABLE ROW LEVEL SECURITY")
        small = settings_for(settings.url.set(username="eb_seer").render_as_string(False))
        output = said(small, dry_run=True)
        assert "RED: Row level security is on for customers" in output
        assert "ALTER TABLE customers OWNER TO eb_seer;" in output
        assert "RED:" not in said(settings, dry_run=True)
    finally:
        ask(shop_url, "DROP OWNED BY eb_seer CASCADE", "DROP ROLE eb_seer")
