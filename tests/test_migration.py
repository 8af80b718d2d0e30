"""The migration: makes what is missing, changes nothing else, and proves that no total moved."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from migrating import ALL, OURS, MakeUrl, ask, bodies, build, contents, dump, is_ours, opened, said, statements
from sqlalchemy import Engine, event, inspect

from data import migration, queries
from data.database import attach, snapshot
from data.errors import EvenbooksError, NotMigrated

pytestmark = pytest.mark.usefixtures("own_folder")


# As the engine describes it; on PostgreSQL "f" says that it may be NULL.
KIND = {
    "sqlite": "deleted_at timestamp null default null",
    "mariadb": "deleted_at timestamp null default null",
    "postgresql": "deleted_at timestamp with time zone f",
}


def test_it_makes_what_the_guide_names_and_deletes_nobody(make_url: MakeUrl, engine_name: str) -> None:
    settings = build(url := make_url())
    before = {name: ask(url, f"SELECT * FROM {name} ORDER BY id") for name in ("customers", "orders")}
    output = said(settings)
    table = dump(url)["customers"]
    assert KIND[engine_name] in table.lower().replace("`", "")
    with opened(url) as engine:
        indexes = inspect(engine).get_indexes("customers")
        database = attach(settings, engine=engine)
        with snapshot(database) as moment:
            assert queries.count_customers(moment.connection, database.schema) == 5
            assert queries.count_customers(moment.connection, database.schema, deleted=True) == 0
    assert [(i["name"], i["column_names"]) for i in indexes] == [("idx_customers_deleted_at", ["deleted_at"])]
    if url.startswith("sqlite"):
        assert ask(url, "PRAGMA journal_mode") == [("wal",)]
        assert "write-ahead log" in output
    else:
        assert "Customers table with soft delete support" in table
    assert {name for name in dump(url) if is_ours(name) and not name.startswith("idx")} == set(OURS)
    assert [row[:-1] for row in ask(url, "SELECT * FROM customers ORDER BY id")] == before["customers"]
    assert ask(url, "SELECT * FROM orders ORDER BY id") == before["orders"]
    assert "EUR 254.57" in output
    assert "Every monthly total is the same before and after." in output
    assert "The books are even." in output


def test_the_baseline_says_how_it_was(make_url: MakeUrl) -> None:
    settings = build(url := make_url())
    migration.migrate(settings)
    (body,) = bodies(url)
    assert (body["id"], body["action"], body["door"]) == (1, "baseline", "command")
    assert body["actor"].startswith("os:")
    assert body["deleted"] == []
    assert (body["missing"], body["missing_orders"]) == ([[77, 1]], 1)
    assert body["mapping"] == settings.fingerprint
    last = "write-ahead log" if url.startswith("sqlite") else "comment"
    assert body["made"] == ["column deleted_at", "index idx_customers_deleted_at", last]


def test_running_it_again_changes_nothing(make_url: MakeUrl) -> None:
    settings = build(url := make_url())
    migration.migrate(settings, **ALL)
    schema, rows = dump(url), contents(url)
    for options in ({}, ALL, {"dry_run": True}):
        output = said(settings, **options)
        assert "To do: nothing; everything is there." in output
        assert not re.search(r"^(CREATE|ALTER|COMMENT|INSERT|PRAGMA|DROP)", output, re.MULTILINE)
        assert (dump(url), contents(url)) == (schema, rows)


def test_a_dry_run_changes_nothing_and_says_exactly_what_the_run_does(make_url: MakeUrl) -> None:
    settings, twin = build(url := make_url()), build(twin_url := make_url())
    schema, rows = dump(url), contents(url)
    planned = said(settings, dry_run=True, **ALL)
    assert (dump(url), contents(url)) == (schema, rows)
    if url.startswith("sqlite"):
        file = Path(settings.url.database or "")
        size = file.read_bytes()
        said(settings, dry_run=True, **ALL)
        assert file.read_bytes() == size
    with pytest.raises(NotMigrated), opened(url) as engine:
        attach(settings, engine=engine)
    # By hand, with the engine's own driver, on a twin.
    with opened(twin_url) as engine:
        raw = engine.raw_connection()
        for statement in statements(planned):
            cursor = raw.cursor()
            if engine.dialect.name == "postgresql":
                raw.driver_connection.autocommit = "CONCURRENTLY" in statement
            cursor.execute(statement)
            if cursor.description:
                cursor.fetchall()
            raw.commit()
        raw.close()
    done = said(settings, **ALL)
    assert dump(twin_url) == dump(url)
    assert statements(planned) == _sql_of(done)
    migration.migrate(twin, **ALL)
    assert dump(twin_url) == dump(url)


def _sql_of(output: str) -> list[str]:
    """The statements among the sentences of a run: they begin with a word of SQL and end with a semicolon."""
    found = re.findall(r"^((?:CREATE|ALTER|COMMENT ON|INSERT|PRAGMA) .*?);$", output, re.MULTILINE | re.DOTALL)
    return [statement.strip() for statement in found]


def test_words_of_theirs_with_line_breaks_stay_in_the_comment(make_url: MakeUrl) -> None:
    settings = build(url := make_url())
    if url.startswith("sqlite"):
        ask(url, 'CREATE TRIGGER "a\nDROP TABLE x;" AFTER UPDATE ON customers BEGIN SELECT 1; END')
    elif url.startswith("mysql"):
        ask(url, "ALTER TABLE customers COMMENT = 'ours\nDROP TABLE x;'")
    else:
        ask(url, "COMMENT ON TABLE customers IS 'ours\nDROP TABLE x;'")
    output = said(settings, dry_run=True)
    assert "DROP TABLE x;" in output
    assert not [statement for statement in statements(output) if statement.startswith("DROP")]


def test_what_was_dropped_later_is_made_again(make_url: MakeUrl) -> None:
    settings = build(url := make_url())
    migration.migrate(settings, revenue_index=True)
    schema, events = dump(url), bodies(url)
    on = " ON customers" if url.startswith("mysql") else ""
    ask(url, f"DROP INDEX idx_customers_deleted_at{on}")
    ask(url, f"DROP INDEX idx_orders_ordered_at_total{on.replace('customers', 'orders')}")
    ask(url, "DROP TABLE evenbooks_checks")
    assert dump(url) != schema
    migration.migrate(settings)
    assert dump(url) == schema
    assert bodies(url) == events


def test_what_is_made_later_is_noted_in_an_event(make_url: MakeUrl) -> None:
    settings = build(url := make_url())
    migration.migrate(settings)
    migration.migrate(settings, revenue_index=True)
    made = ["index idx_orders_ordered_at_total", "index idx_orders_customer_id_ordered_at_total"]
    assert [(body["action"], body["made"]) for body in bodies(url)[1:]] == [("migrate", made)]


def test_a_lost_head_of_the_chain_is_not_replaced(make_url: MakeUrl) -> None:
    settings = build(url := make_url())
    migration.migrate(settings)
    ask(url, "DELETE FROM evenbooks_chain")
    with pytest.raises(EvenbooksError, match="its head is gone"):
        migration.migrate(settings)
    with pytest.raises(EvenbooksError, match="lost its head"):
        migration.migrate(settings, revenue_index=True)
    assert ask(url, "SELECT * FROM evenbooks_chain") == []


@contextmanager
def meanwhile(url: str, sign: str, statement: str) -> Iterator[Engine]:
    """An engine on which, right after the statement with this sign, another one runs."""

    def also(connection: Any, _cursor: Any, sql: str, *_: Any) -> None:
        if sign in sql:
            connection.exec_driver_sql(statement)

    with opened(url) as engine:
        event.listen(engine, "after_cursor_execute", also)
        yield engine


def test_it_notices_customers_who_became_deleted(make_url: MakeUrl) -> None:
    settings = build(url := make_url())
    deletion = "UPDATE customers SET deleted_at = '2024-01-01 00:00:00' WHERE id = 1"
    with (
        meanwhile(url, "ADD COLUMN", deletion) as engine,
        pytest.raises(EvenbooksError, match=r"1 customer is deleted who was not before \(1\)"),
    ):
        migration.migrate(settings, engine=engine)


def test_it_notices_a_total_that_moved(make_url: MakeUrl) -> None:
    settings = build(url := make_url())
    change = "UPDATE orders SET total = total + 1 WHERE id = 5"
    with (
        meanwhile(url, "ADD COLUMN", change) as engine,
        pytest.raises(EvenbooksError, match=r"2024-04 EUR was 74\.44 and is 75\.44"),
    ):
        migration.migrate(settings, engine=engine)


def test_orders_that_come_in_meanwhile_are_no_alarm(make_url: MakeUrl) -> None:
    settings = build(url := make_url())
    order = "INSERT INTO orders (id, customer_id, ordered_at, total) VALUES (99, 1, '2024-04-02 00:00:00', 5)"
    lines: list[str] = []
    with meanwhile(url, "ADD COLUMN", order) as engine:
        migration.migrate(settings, engine=engine, say=lines.append)
    assert any(line.startswith("1 orders came in meanwhile") for line in lines)
