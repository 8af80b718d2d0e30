"""The migration: makes what is missing, changes nothing else, continues after an interruption, and can be undone."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import pytest
from servers import fresh_mariadb
from shops import ADMIN, CUSTOMERS, ORDERS, PEOPLE, SALES, execute, fill, settings_for
from sqlalchemy import Column, DateTime, Engine, Integer, MetaData, Numeric, String, Table, event, inspect, text

from data import customers, migration, queries
from data.database import attach, make_engine, snapshot
from data.errors import ConfigurationError, DatabaseUnavailable, EvenbooksError, NotMigrated
from data.migration import session
from data.migration.own import key_type
from data.reflection import reflect
from data.schema import literal_sql, own_tables
from data.settings import ROOT, Settings

OURS = [
    "evenbooks_chain",
    "evenbooks_checks",
    "evenbooks_events",
    "evenbooks_seals",
    "evenbooks_sign_outs",
    "evenbooks_tokens",
    "evenbooks_version",
]
SCRIPT = ROOT / "run_customer_soft_delete_migration.py"
MakeUrl = Callable[[], str]
ASKING: dict[str, Engine] = {}
ALL: dict[str, Any] = {"revenue_index": True, "guard": True, "guard_orders": True}


@pytest.fixture
def make_url(engine_name: str, tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[MakeUrl]:
    """Makes the URLs of as many empty databases of this engine as a test asks for."""
    with ExitStack() as stack:
        made: list[str] = []

        def make() -> str:
            if engine_name == "sqlite":
                made.append(f"sqlite:///{tmp_path}/shop{len(made)}.sqlite")
            else:
                made.append(stack.enter_context(fresh_mariadb(request.getfixturevalue("mariadb_url"))))
            return made[-1]

        yield make


@contextmanager
def opened(url: str) -> Iterator[Engine]:
    engine = make_engine(settings_for(url).url)
    try:
        yield engine
    finally:
        engine.dispose()


def build(url: str, customers_sql: str = CUSTOMERS, orders_sql: str = ORDERS, also: tuple[str, ...] = ()) -> Settings:
    """A company's database before the migration."""
    with opened(url) as engine:
        execute(engine, customers_sql, orders_sql)
        fill(engine, "customers", PEOPLE)
        columns = ("id", "customer_id", "ordered_at", "total", "status")
        fill(engine, "orders", [dict(zip(columns, sale, strict=True)) for sale in SALES])
        execute(engine, *also)
    return settings_for(url)


def ask(url: str, *statements: str) -> list[Any]:
    """The rows that the last statement answers; everything is committed."""
    if url not in ASKING:
        ASKING[url] = make_engine(settings_for(url).url)
    with ASKING[url].connect().execution_options(write=True) as connection, connection.begin():
        for statement in statements:
            result = connection.execute(text(literal_sql(statement)))
        found = [tuple(row) for row in result] if result.returns_rows else []
    if url.startswith("sqlite"):
        ASKING.pop(url).dispose()  # one who only has the file open keeps it in its journal mode
    return found


def dump(url: str, *, only: Callable[[str], bool] = lambda name: True) -> dict[str, str]:
    """Every table's definition as the engine says it, indexes included."""
    if url.startswith("sqlite"):
        found = ask(url, "SELECT name, sql FROM sqlite_master WHERE sql IS NOT NULL")
        found += [("journal", ask(url, "PRAGMA journal_mode")[0][0])]
        return {name: " ".join(sql.split()) for name, sql in found if only(name)}
    names = [row[0] for row in ask(url, "SHOW TABLES")]
    tables = {
        name: ask(url, "SHOW CREATE TABLE `" + name.replace("`", "``") + "`")[0][1] for name in names if only(name)
    }
    definitions = {name: _in_order(re.sub(r" AUTO_INCREMENT=\d+", "", sql)) for name, sql in tables.items()}
    return definitions | {
        row[0]: f"{row[4]} {row[1]} {row[2]} {row[3]}" for row in ask(url, "SHOW TRIGGERS") if only(row[0])
    }


def _in_order(sql: str) -> str:
    """MariaDB lists indexes in the order in which they were made, which does not matter here."""
    lines = [line.removesuffix(",") for line in sql.splitlines()]
    return "\n".join(sorted(lines, key=lambda line: (line.startswith(")"), line if " KEY " in line else "")))


def contents(url: str) -> dict[str, list[Any]]:
    """Every row of the company's tables and of the chain."""
    tables = ["customers", "orders", *(name for name in ("evenbooks_events", "evenbooks_chain") if name in dump(url))]
    return {name: sorted(ask(url, f"SELECT * FROM {name}"), key=str) for name in tables}


def bodies(url: str) -> list[dict[str, Any]]:
    return [json.loads(row[0]) for row in ask(url, "SELECT body FROM evenbooks_events ORDER BY id")]


def said(settings: Settings, **options: Any) -> str:
    lines: list[str] = []
    migration.migrate(settings, say=lines.append, **options)
    return "\n".join(lines)


def statements(output: str) -> list[str]:
    """The SQL in what a dry run says: all that is no comment."""
    sql = "\n".join(line for line in output.splitlines() if not line.startswith("-- "))
    return [statement.strip() for statement in f"{sql}\n".split(";\n") if statement.strip()]


def is_ours(name: str) -> bool:
    return "evenbooks" in name


@pytest.fixture(autouse=True)
def _clean(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Exports go where the test's other files go, and no engine stays open."""
    monkeypatch.chdir(tmp_path)
    yield
    while ASKING:
        ASKING.popitem()[1].dispose()


# From scratch, again, and dry


def test_it_makes_what_the_guide_names_and_deletes_nobody(make_url: MakeUrl) -> None:
    settings = build(url := make_url())
    before = {name: ask(url, f"SELECT * FROM {name} ORDER BY id") for name in ("customers", "orders")}
    output = said(settings)
    table = dump(url)["customers"]
    assert "deleted_at timestamp null default null" in table.lower().replace("`", "")
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
        assert "COMMENT='Customers table with soft delete support'" in table
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
        assert not re.search(r"^(CREATE|ALTER|INSERT|PRAGMA|DROP)", output, re.MULTILINE)
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
            cursor.execute(statement)
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
    found = re.findall(r"^((?:CREATE|ALTER|INSERT|PRAGMA) .*?);$", output, re.MULTILINE | re.DOTALL)
    return [statement.strip() for statement in found]


def test_words_of_theirs_with_line_breaks_stay_in_the_comment(make_url: MakeUrl) -> None:
    trigger = "CREATE TRIGGER {} AFTER UPDATE ON customers {}"
    name, body = (
        ('"a\nDROP TABLE x;"', "BEGIN SELECT 1; END")
        if "sqlite" in (url := make_url())
        else ("a", "FOR EACH ROW SET @a = 1")
    )
    settings = build(url, also=(trigger.format(name, body),))
    if "sqlite" not in url:
        ask(url, "ALTER TABLE customers COMMENT = 'ours\nDROP TABLE x;'")
    output = said(settings, dry_run=True)
    assert "DROP TABLE x;" in output
    assert not [statement for statement in statements(output) if statement.startswith("DROP")]
    assert "Trigger of customers on UPDATE" in output


# Interrupted


class Stopped(Exception):
    """The plug was pulled."""


@contextmanager
def stops(url: str, number: int) -> Iterator[tuple[Engine, list[str]]]:
    """An engine that stops before its nth statement that writes; and what it wrote."""
    written: list[str] = []

    def count(_c: Any, _cursor: Any, statement: str, *_: Any) -> None:
        if not re.match(r"\s*(SELECT|SHOW|PRAGMA|SET|DESCRIBE|START|BEGIN)", statement):
            written.append(statement)
            if len(written) == number:
                raise Stopped

    with opened(url) as engine:
        event.listen(engine, "before_cursor_execute", count)
        yield engine, written


def test_interrupted_anywhere_and_run_again_it_completes(make_url: MakeUrl) -> None:
    settings = build(whole := make_url())
    with stops(whole, 0) as (engine, written):
        migration.migrate(settings, **ALL, engine=engine)
    # The last ones keep the result of the integrity check, when all is done.
    steps = [statement for statement in written if "INTO evenbooks_checks" not in statement]
    assert len(steps) >= 14, steps
    for number in range(1, len(written) + 1):
        settings = build(url := make_url())
        before = dump(url)
        with stops(url, number) as (engine, _), pytest.raises(Stopped):
            migration.migrate(settings, **ALL, engine=engine)
        if url.startswith("sqlite") and number <= len(steps):
            assert dump(url) == before
        migration.migrate(settings, **ALL)
        assert dump(url) == dump(whole), written[number - 1]
        assert [_timeless(body) for body in bodies(url)] == [_timeless(body) for body in bodies(whole)]


def _timeless(body: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in body.items() if key != "at"}


def test_what_was_dropped_later_is_made_again(make_url: MakeUrl) -> None:
    settings = build(url := make_url())
    migration.migrate(settings, revenue_index=True)
    schema, events = dump(url), bodies(url)
    on = "" if url.startswith("sqlite") else " ON customers"
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


# An existing column


def test_who_was_deleted_already_stays_so(make_url: MakeUrl) -> None:
    column = "ALTER TABLE customers ADD COLUMN deleted_at DATETIME NULL DEFAULT NULL"
    gone = "UPDATE customers SET deleted_at = '2023-05-06 07:08:09' WHERE id IN (2, 4)"
    settings = build(url := make_url(), also=(column, gone))
    rows = ask(url, "SELECT * FROM customers ORDER BY id")
    migration.migrate(settings)
    assert ask(url, "SELECT * FROM customers ORDER BY id") == rows
    body = bodies(url)[0]
    assert body["deleted"] == [[2, "2023-05-06T07:08:09Z", 2, 10], [4, "2023-05-06T07:08:09Z", 2, 7]]
    assert "column deleted_at" not in body["made"]
    assert "index idx_customers_deleted_at" in body["made"]


WRONG = {
    "sqlite": [
        ("DATETIME NOT NULL DEFAULT '1970-01-01'", "does not allow NULL"),
        ("INTEGER", "is INTEGER, not a time"),
        ("BOOLEAN DEFAULT NULL", "is BOOLEAN, not a time"),
        ("TIMESTAMP DEFAULT '2024-01-01 00:00:00'", "has the default"),
        ("DATETIME AS ('2024-01-01') VIRTUAL", "is computed"),
    ],
    "mariadb": [
        ("TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP", "does not allow NULL"),
        ("DATETIME NULL ON UPDATE CURRENT_TIMESTAMP", "changes by itself"),
        ("DATETIME NULL DEFAULT '2024-01-01 00:00:00'", "has the default"),
        ("VARCHAR(30)", "is VARCHAR(30), not a time"),
        ("TINYINT(1)", "is TINYINT(1), not a time"),
        ("DATE", "is DATE, not a time"),
        ("DATETIME AS (created_at) VIRTUAL", "is computed"),
    ],
}


def test_a_column_that_cannot_serve_is_refused_before_anything_is_done(make_url: MakeUrl, engine_name: str) -> None:
    for kind, why in WRONG[engine_name]:
        settings = build(url := make_url(), also=(f"ALTER TABLE customers ADD COLUMN deleted_at {kind}",))
        schema, rows = dump(url), contents(url)
        with pytest.raises(ConfigurationError, match=re.escape(why)) as refused:
            migration.migrate(settings)
        assert "customers.deleted_at is there already" in str(refused.value)
        assert "Nothing was changed." in str(refused.value)
        assert (dump(url), contents(url)) == (schema, rows)


def test_values_that_are_no_time_are_refused(make_url: MakeUrl) -> None:
    url = make_url()
    empty, kind = ("''", "TEXT") if url.startswith("sqlite") else ("'0000-00-00 00:00:00'", "DATETIME NULL")
    mark = f"UPDATE customers SET deleted_at = {empty} WHERE id = 3"
    settings = build(url, also=(f"ALTER TABLE customers ADD COLUMN deleted_at {kind}", mark))
    with pytest.raises(ConfigurationError, match=r"no time in 1 rows \(customer 3\)"):
        migration.migrate(settings)


def test_another_index_of_the_same_name_is_refused(make_url: MakeUrl) -> None:
    settings = build(url := make_url(), also=("CREATE INDEX idx_customers_deleted_at ON customers (name)",))
    schema = dump(url)
    with pytest.raises(ConfigurationError, match="on other columns"):
        migration.migrate(settings)
    assert dump(url) == schema


# Verification


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
        pytest.raises(EvenbooksError, match=r"1 customers are deleted who were not before \(1\)"),
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


# Other names, other keys


def test_odd_names_work(make_url: MakeUrl) -> None:
    url = make_url()
    people, sales = 'Cust "omers" `a` :x', "ord'ers; --"
    deleted_at = "gone % at"
    sections = {
        "customers": {"table": people, "id": "Customer Id", "name": ["First", "order"], "deleted_at": deleted_at},
        "orders": {"table": sales, "customer_id": "the:customer", "ordered_at": "when", "total": "sum%"},
    }
    metadata = MetaData()
    first = Table(
        people,
        metadata,
        Column("Customer Id", Integer, primary_key=True),
        Column("First", String(20)),
        Column("order", String(20)),
    )
    second = Table(
        sales,
        metadata,
        Column("id", Integer, primary_key=True),
        Column("the:customer", Integer),
        Column("when", DateTime),
        Column("sum%", Numeric(10, 2)),
    )
    settings = settings_for(url, sections)
    with opened(url) as engine:
        metadata.create_all(engine)
        with engine.connect().execution_options(write=True) as connection, connection.begin():
            for table, row in ((first, (7, "Ana", "Lima")), (second, (1, 7, None, "12.50"))):
                marks = ", ".join(f":v{n}" for n in range(len(row)))
                name = engine.dialect.identifier_preparer.quote(table.name)
                name = name if engine.dialect.name == "sqlite" else name.replace("%%", "%")
                statement = text(f"INSERT INTO {name.replace(':', chr(92) + ':')} VALUES ({marks})")
                connection.execute(statement, {f"v{n}": value for n, value in enumerate(row)})
    before = dump(url)
    output = said(settings, **ALL)
    assert "EUR 12.50" in output
    with opened(url) as engine:
        found = {str(i["name"]).replace("``", "`") for t in (people, sales) for i in inspect(engine).get_indexes(t)}
        assert found == {f"idx_{people}_{deleted_at}", f"idx_{sales}_when_sum%", f"idx_{sales}_the:customer_when_sum%"}
        database = attach(settings, engine=engine)
        assert customers.delete_many(database, [7], actor=ADMIN, reason="mistake")[0].changed
        assert customers.restore_many(database, [7], actor=ADMIN, reason="mistake")[0].changed
    migration.undo(settings)
    assert dump(url) == before


def test_text_keys_of_another_collation_can_be_joined(mariadb_url: str) -> None:
    with fresh_mariadb(mariadb_url) as url:
        collated = "CREATE TABLE {}(id VARCHAR(20) {}, {}) DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_520_ci"
        ask(url, collated.format("customers", "PRIMARY KEY", "name VARCHAR(20)"))
        ask(
            url,
            "CREATE TABLE orders (id INT PRIMARY KEY, customer_id VARCHAR(20), ordered_at DATETIME, total INT) COLLATE=utf8mb4_unicode_520_ci",
        )
        ask(url, "INSERT INTO customers VALUES ('é1', 'Ana')")
        settings = settings_for(url)
        migration.migrate(settings)
        with opened(url) as engine:
            customers.delete_many(attach(settings, engine=engine), ["é1"], actor=ADMIN, reason="mistake")
        joined = "SELECT c.name FROM evenbooks_events e JOIN customers c ON c.id = e.customer_id"
        assert ask(url, joined) == [("Ana",)]


def test_keys_of_no_type_work_on_sqlite(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/shop.sqlite"
    ask(url, "CREATE TABLE customers (id PRIMARY KEY, name TEXT)")
    ask(url, "CREATE TABLE orders (id INTEGER PRIMARY KEY, customer_id, ordered_at TEXT, total REAL)")
    migration.migrate(settings_for(url))
    assert dict(ask(url, "SELECT name, type FROM pragma_table_info('evenbooks_events')"))["customer_id"] == "BLOB"


@pytest.mark.parametrize("key", ["INTEGER", "BIGINT", "VARCHAR(40)"])
def test_our_tables_are_those_that_the_program_expects(make_url: MakeUrl, key: str) -> None:
    people = CUSTOMERS.replace("{key}", f"{key} PRIMARY KEY")
    settings = build(url := make_url(), people, ORDERS.replace("customer_id INTEGER", f"customer_id {key}"))
    migration.migrate(settings)
    twin = make_url()
    with opened(url) as engine, opened(twin) as other, engine.connect() as connection:
        tables = own_tables(key_type(connection, reflect(connection, settings)))
        tables.events.metadata.create_all(other)
    mine = {name: sql for name, sql in dump(url, only=is_ours).items() if "version" not in name}
    expected = dump(twin, only=is_ours)
    expected.pop("evenbooks_version", None)
    assert mine == expected
    assert {t.name for t in tables.all} <= set(mine)


# MariaDB's own traps


@pytest.fixture
def shop_url(mariadb_url: str) -> Iterator[str]:
    with fresh_mariadb(mariadb_url) as url:
        yield url


def test_a_server_that_fills_timestamps_deletes_nobody(shop_url: str) -> None:
    settings = build(shop_url)
    with opened(shop_url) as engine:

        @event.listens_for(engine, "connect")
        def old_ways(connection: Any, _record: object) -> None:
            connection.cursor().execute("SET SESSION explicit_defaults_for_timestamp = 0")

        with engine.connect() as connection:  # the trap is armed: written short, everybody would be deleted
            connection.execute(text("CREATE TABLE trap AS SELECT id FROM customers"))
            connection.execute(text("ALTER TABLE trap ADD COLUMN deleted_at TIMESTAMP"))
            assert connection.execute(text("SELECT count(*) FROM trap WHERE deleted_at IS NULL")).scalar() == 0
        migration.migrate(settings, engine=engine)
    assert ask(shop_url, "SELECT count(*) FROM customers WHERE deleted_at IS NULL") == [(5,)]


def test_their_comment_stays(shop_url: str) -> None:
    settings = build(shop_url, also=("ALTER TABLE customers COMMENT = 'Stammkunden'",))
    migration.migrate(settings)
    assert "COMMENT='Stammkunden'" in dump(shop_url)["customers"]
    migration.undo(settings)
    assert "COMMENT='Stammkunden'" in dump(shop_url)["customers"]


def test_column_options_survive(shop_url: str) -> None:
    options = (
        "ALTER TABLE customers MODIFY name VARCHAR(60) CHARACTER SET utf8mb4 COLLATE utf8mb4_swedish_ci NOT NULL DEFAULT 'x' COMMENT 'full name', "
        "ADD updated_at TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP ON UPDATE CURRENT_TIMESTAMP, "
        "ADD big VARCHAR(61) AS (concat(name, '!')) VIRTUAL, ADD CHECK (char_length(name) < 60)"
    )
    settings = build(shop_url, also=(options, "UPDATE customers SET updated_at = '2020-01-01'"))
    before = dump(shop_url)["customers"].splitlines()
    migration.migrate(settings)
    after = dump(shop_url)["customers"].splitlines()
    assert [line for line in before if line not in after and not line.startswith(")") and "PRIMARY" not in line] == []
    assert ask(shop_url, "SELECT DISTINCT updated_at FROM customers")[0][0].year == 2020


def test_while_others_hold_the_table_it_gives_up_soon_and_says_so(
    shop_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(session, "LOCK_WAIT", 1)
    settings = build(shop_url)
    with opened(shop_url) as engine, engine.connect() as other:
        other.execute(text("SELECT * FROM customers")).all()
        with pytest.raises(DatabaseUnavailable) as refused:
            migration.migrate(settings)
    assert "held the table customers" in str(refused.value)
    assert "Run this again: it continues here." in str(refused.value)
    migration.migrate(settings)
    assert len(bodies(shop_url)) == 1


def test_where_instant_is_refused_the_next_way_is_taken(shop_url: str) -> None:
    settings = build(shop_url, CUSTOMERS + " ROW_FORMAT=COMPRESSED")
    before = dump(shop_url)
    output = said(settings)
    assert "ADD COLUMN deleted_at TIMESTAMP NULL DEFAULT NULL, ALGORITHM=INPLACE" in output
    migration.undo(settings)
    assert dump(shop_url) == before


def test_zero_dates_as_defaults_do_not_stop_it(shop_url: str) -> None:
    settings = build(shop_url)
    ask(shop_url, "ALTER TABLE customers ADD seen TIMESTAMP NOT NULL DEFAULT '0000-00-00 00:00:00'")
    with opened(shop_url) as engine:

        @event.listens_for(engine, "connect")
        def strict(connection: Any, _record: object) -> None:
            connection.cursor().execute("SET SESSION sql_mode = 'STRICT_ALL_TABLES,NO_ZERO_DATE,NO_ZERO_IN_DATE'")

        migration.migrate(settings, engine=engine)
    assert "deleted_at" in dump(shop_url)["customers"]


def test_a_table_without_transactions_is_refused(shop_url: str) -> None:
    settings = build(shop_url, CUSTOMERS + " ENGINE=MyISAM")
    with pytest.raises(ConfigurationError, match="stored by MyISAM, which cannot roll anything back"):
        migration.migrate(settings)
    assert not [name for name in dump(shop_url) if is_ours(name)]


def test_columns_too_long_for_an_index_are_said_and_left_out(shop_url: str) -> None:
    build(shop_url, orders_sql=ORDERS.replace("VARCHAR(10)", "TEXT"))
    settings = settings_for(shop_url, {"orders": {"status": "status"}})
    output = said(settings, revenue_index=True)
    assert "status has no length" in output
    assert "idx_orders" not in dump(shop_url)["orders"]


def test_an_account_that_may_not_change_tables_is_told_so(shop_url: str) -> None:
    settings = build(shop_url)
    name = settings.url.database
    ask(shop_url, "CREATE OR REPLACE USER small IDENTIFIED BY 'secret-word'", f"GRANT SELECT ON {name}.* TO small")
    url = settings.url.set(username="small", password="secret-word").render_as_string(hide_password=False)
    with pytest.raises(EvenbooksError, match="may not run that statement") as refused:
        migration.migrate(settings_for(url))
    assert "secret-word" not in str(refused.value)
    ask(shop_url, "DROP USER small")


def test_two_at_once_are_one_after_the_other(make_url: MakeUrl, engine_name: str) -> None:
    settings = build(url := make_url())
    with opened(url) as engine, engine.connect().execution_options(write=True) as other:
        if engine_name == "sqlite":
            other.execute(text("SELECT 1"))  # begins, and so locks
        else:
            other.execute(text("SELECT GET_LOCK(CONCAT('evenbooks.', SHA1(DATABASE())), 0)"))
        with pytest.raises(DatabaseUnavailable, match=r"busy|Somebody else is running this migration"):
            migration.migrate(settings)
        other.rollback()
    migration.migrate(settings)


def test_several_runners_at_the_same_moment_make_it_once(make_url: MakeUrl, engine_name: str) -> None:
    settings = build(url := make_url())
    with ThreadPoolExecutor(4) as pool:
        runs = [pool.submit(migration.migrate, settings) for _ in range(4)]
    failures = [run.exception() for run in runs if run.exception()]
    # SQLite's runners wait for each other; MariaDB's are told that somebody is at it.
    assert not failures if engine_name == "sqlite" else len(failures) < 4
    assert all("Somebody else is running this migration" in str(failure) for failure in failures)
    migration.migrate(settings)
    assert [body["action"] for body in bodies(url)] == ["baseline"]


# Undo


def test_undo_gives_back_the_very_tables_and_keeps_the_events(make_url: MakeUrl, tmp_path: Path) -> None:
    settings = build(url := make_url())
    schema, rows = dump(url), contents(url)
    migration.migrate(settings, **ALL)
    with opened(url) as engine:
        database = attach(settings, engine=engine)
        customers.delete_many(database, [1], actor=ADMIN, reason="other", note="héllo")
        customers.restore_many(database, [1], actor=ADMIN, reason="mistake")
    events = ask(url, "SELECT hash FROM evenbooks_events ORDER BY id")
    migrated = dump(url)
    lines: list[str] = []
    migration.undo(settings, dry_run=True, say=lines.append)
    assert dump(url) == migrated
    assert not list(tmp_path.glob("*.jsonl"))
    planned = statements("\n".join(lines))
    file = tmp_path / "events.jsonl"
    lines.clear()
    migration.undo(settings, say=lines.append, export=file)
    assert (dump(url), contents(url)) == (schema, rows)
    assert [line.removesuffix(";") for line in lines if line.endswith(";")] == planned
    exported = [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()]
    assert [(e["hash"],) for e in exported] == events
    assert [e["note"] for e in exported if e["note"]] == ["héllo"]
    migration.undo(settings, say=lines.append)
    assert lines[-1] == "There is nothing to undo: this database has none of our tables."
    migration.migrate(settings)
    assert len(bodies(url)) == 1


def test_undo_is_refused_while_anybody_is_deleted(make_url: MakeUrl, tmp_path: Path) -> None:
    settings = build(url := make_url())
    migration.migrate(settings)
    with opened(url) as engine:
        customers.delete_many(attach(settings, engine=engine), [1, 5], actor=ADMIN, reason="inactive")
    schema, rows = dump(url), contents(url)
    with pytest.raises(EvenbooksError, match=r"2 customers have been deleted since the migration \(1, 5\)"):
        migration.undo(settings)
    assert (dump(url), contents(url)) == (schema, rows)
    assert not list(tmp_path.glob("*.jsonl"))


def test_undo_keeps_their_own_column_and_its_values(make_url: MakeUrl) -> None:
    column = "ALTER TABLE customers ADD COLUMN deleted_at DATETIME NULL DEFAULT NULL"
    gone = "UPDATE customers SET deleted_at = '2023-05-06 07:08:09' WHERE id IN (2, 4)"
    settings = build(url := make_url(), also=(column, gone))
    schema, rows = dump(url), contents(url)
    migration.migrate(settings)
    with opened(url) as engine:
        database = attach(settings, engine=engine)
        customers.delete_many(database, [3], actor=ADMIN, reason="inactive")
        with pytest.raises(EvenbooksError, match=r"1 customers .* \(3\)"):
            migration.undo(settings)
        customers.restore_many(database, [3], actor=ADMIN, reason="mistake")
    migration.undo(settings)
    assert (dump(url), contents(url)) == (schema, rows)


def test_undo_under_another_mapping_is_refused(make_url: MakeUrl) -> None:
    settings = build(url := make_url())
    migration.migrate(settings)
    other = settings_for(url, {"customers": {"deleted_at": "removed_at"}})
    with pytest.raises(ConfigurationError, match="with another mapping than today's"):
        migration.undo(other)


def test_an_interrupted_undo_run_again_completes(make_url: MakeUrl, tmp_path: Path) -> None:
    settings = build(url := make_url())
    schema = dump(url)
    for number in range(1, 100):
        migration.migrate(settings, **ALL)
        try:
            with stops(url, number) as (engine, _):
                migration.undo(settings, engine=engine, export=tmp_path / f"a{number}")
            break
        except Stopped:
            migration.undo(settings, export=tmp_path / f"b{number}")
            assert dump(url) == schema
    assert number > 6
    assert dump(url) == schema


def test_the_index_that_mariadb_made_for_a_foreign_key_comes_back(shop_url: str) -> None:
    key = (
        "DELETE FROM orders WHERE customer_id = 77",
        "ALTER TABLE orders ADD CONSTRAINT fk_c FOREIGN KEY (customer_id) REFERENCES customers (id)",
    )
    settings = build(shop_url, also=key)
    before = dump(shop_url)
    migration.migrate(settings, revenue_index=True)
    assert "KEY `fk_c` (" not in dump(shop_url)["orders"].replace("CONSTRAINT `fk_c` FOREIGN KEY", "")
    migration.undo(settings)
    assert dump(shop_url) == before


def test_the_export_never_overwrites(make_url: MakeUrl, tmp_path: Path) -> None:
    settings = build(url := make_url())
    migration.migrate(settings)
    schema = dump(url)
    (tmp_path / "kept").write_text("mine")
    with pytest.raises(EvenbooksError, match="Nothing was changed"):
        migration.undo(settings, export=tmp_path / "kept")
    assert (tmp_path / "kept").read_text() == "mine"
    assert dump(url) == schema


# The command


def command(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    clean = {k: v for k, v in os.environ.items() if not k.startswith(("DATABASE_", "EVENBOOKS_"))}
    return subprocess.run(
        [sys.executable, str(SCRIPT), *arguments],
        capture_output=True,
        text=True,
        env={**clean, **environment},
        check=False,
    )


def test_the_command(make_url: MakeUrl, tmp_path: Path) -> None:
    build(url := make_url())
    dry = command("--database-url", url, "--dry-run")
    assert (dry.returncode, dry.stderr) == (0, "")
    assert "ALTER TABLE customers ADD COLUMN deleted_at TIMESTAMP NULL DEFAULT NULL" in dry.stdout
    assert not [name for name in dump(url) if is_ours(name)]
    done = command(DATABASE_URL=url)
    assert (done.returncode, done.stderr) == (0, "")
    assert "The books are even." in done.stdout
    undone = command("--undo", "--database-url", url)
    assert (undone.returncode, undone.stderr) == (0, "")
    assert not [name for name in dump(url) if is_ours(name)]
    assert len(list(tmp_path.glob("evenbooks-events-*Z.jsonl"))) == 1


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (["--guards"], 2, "unrecognized arguments"),
        (["--undo", "--guard"], 2, "give one of the two"),
        (["--undo", "--revenue-index"], 2, "give one of the two"),
        (["--database-url", "sqlite:////nowhere/shop.db"], 1, "There is no database file /nowhere/shop.db."),
        (["--database-url", "oracle://me:secret-word@host/x"], 1, "names oracle"),
        (["--database-url", "mysql://me:secret-word@127.0.0.1:9/x"], 1, "does not answer"),
        (["--config", "nowhere.toml"], 1, "nowhere.toml: there is no such file"),
    ],
)
def test_the_command_says_what_is_wrong_in_a_sentence(arguments: list[str], code: int, words: str) -> None:
    result = command(*arguments)
    assert result.returncode == code
    assert words in result.stderr
    assert "Traceback" not in result.stderr
    assert "secret-word" not in result.stderr + result.stdout


def test_bad_sql_in_the_mapping_is_a_sentence(make_url: MakeUrl, tmp_path: Path) -> None:
    build(url := make_url())
    (tmp_path / "c.toml").write_text('[orders]\nwhere = "no_such_column = 1"\n')
    result = command("--config", str(tmp_path / "c.toml"), "--database-url", url)
    assert result.returncode == 1
    assert "no_such_column" in result.stderr
    assert "Traceback" not in result.stderr
