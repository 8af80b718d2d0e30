"""The migration of tables with other names and other keys."""

from __future__ import annotations

from pathlib import Path

import pytest
from migrating import ALL, MakeUrl, ask, build, dump, is_ours, opened, said
from servers import fresh_mariadb
from shops import ADMIN, CUSTOMERS, ORDERS, settings_for
from sqlalchemy import Column, DateTime, Integer, MetaData, Numeric, String, Table, inspect, text

from data import customers, migration
from data.database import attach
from data.migration.own import key_type
from data.own import own_tables
from data.reflection import reflect

pytestmark = pytest.mark.usefixtures("own_folder")


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
