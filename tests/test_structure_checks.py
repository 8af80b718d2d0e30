"""The checks of how the database is built: foreign key, deleted_at, rights; green, red on each harm, or not seen."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from servers import fresh_mariadb
from shops import CUSTOMERS, ORDERS, PHONE, SALES, execute, make_shop, rows, settings_for, state
from sqlalchemy import create_engine, text
from sqlalchemy.dialects import mysql, postgresql, sqlite

from data import integrity, queries
from data.database import Database, attach, snapshot
from data.inspection import assigns, dangerous_keys, mentions
from data.integrity import Check
from data.integrity.proof import make_proof
from data.integrity.structure import ATTEMPTS

Open = Callable[..., Database]
KEPT = [sale for sale in SALES if sale[1] != 77]  # whom a foreign key allows


def found(database: Database, name: str) -> Check:
    return next(check for check in integrity.run_and_record(database).checks if check.name == name)


def red(database: Database) -> list[str]:
    """The checks of level error that are red."""
    return [c.name for c in integrity.run_and_record(database).checks if c.ok is False and c.level == "error"]


# The foreign key


def keyed(rule: str, columns: str = "customer_id", others: str = "id") -> str:
    return ORDERS.replace(
        "status VARCHAR(10))",
        f"status VARCHAR(10), CONSTRAINT to_customer FOREIGN KEY ({columns}) REFERENCES customers ({others}) {rule})",
    )


def rebuild(database: Database, definition: str) -> None:
    """The orders under another definition, as somebody would change a key in SQLite."""
    execute(
        database.engine,
        "ALTER TABLE orders RENAME TO old",
        definition,
        "INSERT INTO orders SELECT * FROM old",
        "DROP TABLE old",
    )


def turn(database: Database, rule: str) -> None:
    """Gives the orders' foreign key another rule."""
    if database.engine.dialect.name == "sqlite":
        rebuild(database, keyed(rule))
        return
    kind = "CONSTRAINT" if database.engine.dialect.name == "postgresql" else "FOREIGN KEY"
    execute(
        database.engine,
        f"ALTER TABLE orders DROP {kind} to_customer",
        f"ALTER TABLE orders ADD CONSTRAINT to_customer FOREIGN KEY (customer_id) REFERENCES customers (id) {rule}",
    )


def test_without_a_foreign_key_that_is_said(shop: Database) -> None:
    check = found(shop, "foreign_key")
    words = "orders.customer_id is no foreign key, so no physical delete of a customer takes orders along."
    assert (check.ok, check.detail) == (True, words)


@pytest.mark.parametrize("rule", ["", "ON DELETE RESTRICT", "ON DELETE NO ACTION ON UPDATE CASCADE"])
def test_a_key_that_refuses_is_green(opened: Open, empty_url: str, rule: str) -> None:
    check = found(opened(empty_url, orders=keyed(rule), sales=KEPT), "foreign_key")
    assert (check.ok, check.count) == (True, 0)
    assert "it leaves the orders alone" in check.detail


@pytest.mark.parametrize(
    ("rule", "effect"), [("CASCADE", "take their orders along"), ("SET NULL", "unlink their orders")]
)
def test_a_key_turned_after_installation_is_an_error(opened: Open, empty_url: str, rule: str, effect: str) -> None:
    database = opened(empty_url, orders=keyed("ON DELETE RESTRICT"), sales=KEPT)
    turn(database, f"ON DELETE {rule}")
    check = found(database, "foreign_key")
    assert (check.ok, check.level) == (False, "error")
    assert check.examples == [f"orders.customer_id {rule}: deleting a customer physically would {effect}"]
    assert red(database) == ["foreign_key"]


def test_a_key_that_was_so_at_installation_is_a_warning_until_it_gets_worse(opened: Open, empty_url: str) -> None:
    database = opened(empty_url, orders=keyed("ON DELETE SET NULL"), sales=KEPT)
    check = found(database, "foreign_key")
    assert (check.ok, check.level) == (False, "warning")
    assert red(database) == []
    turn(database, "ON DELETE CASCADE")
    assert found(database, "foreign_key").level == "error"
    turn(database, "")
    assert found(database, "foreign_key").ok is True


def test_a_key_of_several_columns_counts(opened: Open, empty_url: str) -> None:
    people = CUSTOMERS.replace("created_at {time} NULL)", "created_at {time} NULL, UNIQUE (phone, id))")
    orders = keyed("ON DELETE CASCADE", "status, customer_id", "phone, id")
    database = opened(empty_url, customers=people, orders=orders, sales=[(1, None, "2024-01-01 00:00:00", "1", "x")])
    assert found(database, "foreign_key").ok is False


def test_keys_of_other_tables_do_not(opened: Open, empty_url: str) -> None:
    notes = "CREATE TABLE notes (id {key}, customer_id INTEGER, FOREIGN KEY (customer_id) REFERENCES customers (id) ON DELETE CASCADE)"
    check = found(opened(empty_url, also=[notes]), "foreign_key")
    assert (check.ok, "is no foreign key" in check.detail) == (True, True)


def test_a_key_of_another_column_to_the_customers_takes_orders_along_too(opened: Open, empty_url: str) -> None:
    database = opened(
        empty_url, orders=keyed("ON DELETE CASCADE", "id"), sales=[(1, None, "2024-01-01 00:00:00", "1", "x")]
    )
    check = found(database, "foreign_key")
    assert check.examples == ["orders.id CASCADE: deleting a customer physically would take their orders along"]
    assert (check.ok, check.level) == (False, "warning")  # it was so at installation


def linked(name: str, to: str, rule: str) -> str:
    """A table whose rows belong to another's: `owner`."""
    return f"CREATE TABLE {name} (id {{key}}, owner INTEGER, FOREIGN KEY (owner) REFERENCES {to} (id) {rule})"


CHAIN = "orders.account_id CASCADE -> accounts.owner CASCADE -> firms.owner CASCADE"


@pytest.mark.parametrize(
    ("first", "middle", "last", "ok"),
    [
        ("ON DELETE CASCADE", "ON DELETE CASCADE", "ON DELETE CASCADE", False),
        ("", "ON DELETE CASCADE", "ON DELETE CASCADE", True),
        ("ON DELETE SET NULL", "ON DELETE CASCADE", "ON DELETE CASCADE", True),
        ("ON DELETE CASCADE", "ON DELETE SET NULL", "ON DELETE CASCADE", True),
        ("ON DELETE CASCADE", "ON DELETE CASCADE", "", True),
    ],
)
def test_keys_through_other_tables_are_followed(
    opened: Open, empty_url: str, first: str, middle: str, last: str, ok: bool
) -> None:
    database = opened(empty_url)
    link = f"account_id INTEGER NULL REFERENCES accounts (id) {first}"
    tables = [linked("firms", "customers", last), linked("accounts", "firms", middle)]
    for table in tables:
        execute(database.engine, table.replace("{key}", "INTEGER PRIMARY KEY"))
    execute(database.engine, f"ALTER TABLE orders ADD COLUMN {link}")
    database = attach(database.settings, engine=database.engine)
    check = found(database, "foreign_key")
    assert check.ok is ok
    if not ok:
        assert (check.level, red(database)) == ("error", ["foreign_key"])  # it was not so at installation
        assert check.examples == [f"{CHAIN}: deleting a customer physically would take their orders along"]


def test_keys_in_a_ring_end_and_a_chain_of_the_installation_is_a_warning(opened: Open, empty_url: str) -> None:
    one = linked("firms", "customers", "ON DELETE CASCADE").replace(
        "owner INTEGER", "head INTEGER REFERENCES firms (id) ON DELETE CASCADE, owner INTEGER"
    )
    other = linked("accounts", "firms", "ON DELETE CASCADE")
    database = opened(empty_url)
    for table in (one, other):
        execute(database.engine, table.replace("{key}", "INTEGER PRIMARY KEY"))
    link = "account_id INTEGER NULL REFERENCES accounts (id) ON DELETE CASCADE"
    execute(database.engine, f"ALTER TABLE orders ADD COLUMN {link}")
    schema = attach(database.settings, engine=database.engine).schema
    with database.engine.connect() as connection:
        assert dangerous_keys(connection, schema) == [CHAIN]  # as the migration keeps it


def test_a_ring_without_the_customers_ends(opened: Open, empty_url: str) -> None:
    database = opened(empty_url)
    for table in ("firms", "accounts"):
        execute(database.engine, f"CREATE TABLE {table} (id INTEGER PRIMARY KEY)")
    keys = [("firms", "accounts"), ("accounts", "firms"), ("accounts", "orders"), ("orders", "accounts")]
    for number, (table, to) in enumerate(keys):
        column = f"ALTER TABLE {table} ADD COLUMN k{number} INTEGER NULL REFERENCES {to} (id) ON DELETE CASCADE"
        execute(database.engine, column)
    assert found(attach(database.settings, engine=database.engine), "foreign_key").ok is True


@pytest.mark.parametrize("name", ["orders", "customers"])
def test_a_view_is_not_looked_into(opened: Open, empty_url: str, name: str) -> None:
    database = opened(empty_url)
    execute(database.engine, f"ALTER TABLE {name} RENAME TO kept", f"CREATE VIEW {name} AS SELECT * FROM kept")
    check = found(database, "foreign_key")
    assert (check.ok, check.detail) == (None, f"{name} is a view; the keys of its tables were not looked for.")


def test_the_statements_that_mend_it_do(opened: Open, mariadb_url: str) -> None:
    with fresh_mariadb(mariadb_url) as url:
        orders = keyed("ON DELETE CASCADE ON UPDATE CASCADE").replace("to_customer", "`to cust :x %s`")
        database = opened(url, orders=orders, sales=KEPT)
        before = rows(database, "orders")
        detail = found(database, "foreign_key").detail
        mending = detail.partition("To mend it: ")[2].split(";")
        with database.engine.connect() as connection:
            for statement in filter(None, map(str.strip, mending)):
                connection.execute(text(statement.replace(":", "\\:")))
        assert len(mending) == 3
        assert found(database, "foreign_key").ok is True
        with database.engine.connect() as connection:
            definition = connection.execute(text("SHOW CREATE TABLE orders")).one()[1]
        assert "CONSTRAINT `to cust :x %s`" in definition
        assert "ON UPDATE CASCADE" in definition
        assert rows(database, "orders") == before
        database.engine.dispose()


def test_a_query_of_orders_is_not_tried(opened: Open, empty_url: str) -> None:
    query = "SELECT id, customer_id, ordered_at, total FROM orders"
    database = opened(empty_url, sections={"orders": {"query": query}})
    rights = found(database, "rights")  # what it could try, it did
    assert {finding.id for finding in rights.findings} <= {
        "file",
        *(name for name in ATTEMPTS if "orders" not in name),
    }


# deleted_at

HARMS = {
    "mariadb": [
        ("MODIFY deleted_at TIMESTAMP NOT NULL DEFAULT '2024-01-01 00:00:00'", "does not allow NULL"),
        ("MODIFY deleted_at DATETIME NULL DEFAULT CURRENT_TIMESTAMP", "has the default current_timestamp()"),
        ("MODIFY deleted_at TIMESTAMP NULL DEFAULT '2024-01-01 00:00:00'", "has the default 2024-01-01 00:00:00"),
        ("MODIFY deleted_at TIMESTAMP NULL DEFAULT NULL ON UPDATE CURRENT_TIMESTAMP", "changes by itself"),
        ("MODIFY deleted_at VARCHAR(30) NULL", "is VARCHAR(30), not a time"),
    ],
    "sqlite": [
        ("deleted_at TIMESTAMP NOT NULL DEFAULT '2024-01-01 00:00:00'", "does not allow NULL"),
        ("deleted_at TIMESTAMP NULL DEFAULT '2024-01-01 00:00:00'", "has the default '2024-01-01 00:00:00'"),
        ("deleted_at TIMESTAMP DEFAULT CURRENT_TIMESTAMP", "has the default CURRENT_TIMESTAMP"),
        ("deleted_at INTEGER", "is INTEGER, not a time"),
    ],
    "postgresql": [
        ("ALTER deleted_at SET DEFAULT now()", "has the default now()"),
        ("ALTER deleted_at SET DEFAULT '2024-01-01'", "has the default '2024-01-01 00:00:00+00'"),
        ("ALTER deleted_at DROP DEFAULT, ALTER deleted_at TYPE VARCHAR(30)", "is CHARACTER VARYING(30), not a time"),
        ("DROP deleted_at, ADD deleted_at TIMESTAMP NOT NULL DEFAULT '2024-01-01'", "does not allow NULL"),
        ("DROP deleted_at, ADD deleted_at TIMESTAMP GENERATED ALWAYS AS (created_at) STORED", "is computed"),
        ("DROP deleted_at, ADD deleted_at DATE", "is DATE, not a time"),
    ],
}


def test_a_plain_column_is_green(shop: Database) -> None:
    check = found(shop, "deleted_at")
    words = "customers.deleted_at allows NULL, has no default and does not change by itself; no trigger of the table mentions it."
    assert (check.ok, check.detail) == (True, words)


def test_a_column_that_was_changed_since_is_red(opened: Open, empty_url: str, engine_name: str) -> None:
    database = opened(empty_url)
    for harm, why in HARMS[engine_name]:
        if engine_name != "sqlite":
            execute(database.engine, f"ALTER TABLE customers {harm}")
        else:
            anew = CUSTOMERS.replace("created_at {time} NULL)", "created_at {time} NULL, " + harm + ")")
            listed = "id, name, email, phone, created_at"
            execute(
                database.engine,
                "DROP TABLE IF EXISTS old",
                "ALTER TABLE customers RENAME TO old",
                anew,
                f"INSERT INTO customers ({listed}) SELECT {listed} FROM old",
            )
        check = found(database, "deleted_at")
        assert (check.ok, check.level) == (False, "error"), harm
        assert why in check.examples[0]
        assert why in check.detail


TRIGGERS = {
    "sqlite": [
        (
            "AFTER INSERT ON customers BEGIN UPDATE customers SET deleted_at = '2024-01-01' WHERE id = NEW.id; END",
            "error",
        ),
        ('AFTER UPDATE OF name ON customers BEGIN UPDATE customers SET phone = NULL, "Deleted_At"=NULL; END', "error"),
        ("AFTER UPDATE ON customers BEGIN INSERT INTO noted VALUES (NEW.deleted_at); END", "warning"),
        ("AFTER UPDATE ON customers BEGIN INSERT INTO noted VALUES (NEW.undeleted_at_all); END", None),
        ("AFTER UPDATE ON orders BEGIN SELECT 'deleted_at = '; END", None),
    ],
    "mariadb": [
        ("BEFORE INSERT ON customers FOR EACH ROW SET NEW.deleted_at = NOW()", "error"),
        ("BEFORE UPDATE ON customers FOR EACH ROW SET NEW.phone = NULL, NEW.`deleted_at` := NULL", "error"),
        ("AFTER UPDATE ON customers FOR EACH ROW INSERT INTO noted VALUES (NEW.deleted_at)", "warning"),
        ("AFTER UPDATE ON customers FOR EACH ROW SET @undeleted_at_all = 1", None),
        ("AFTER UPDATE ON orders FOR EACH ROW SET @deleted_at = 1", None),
    ],
    "postgresql": [
        ("BEFORE INSERT ON customers: BEGIN NEW.deleted_at = now(); RETURN NEW; END", "error"),
        ("BEFORE INSERT ON customers: BEGIN NEW.deleted_at := now(); RETURN NEW; END", "error"),
        ("BEFORE UPDATE ON customers: BEGIN SELECT NULL INTO NEW.`deleted_at`; RETURN NEW; END", "error"),
        (
            "BEFORE UPDATE ON customers: BEGIN IF true THEN /* so */ NEW.deleted_at = NULL; END IF; RETURN NEW; END",
            "error",
        ),
        (
            "AFTER INSERT ON customers: BEGIN UPDATE customers SET deleted_at = now() WHERE id = NEW.id; RETURN NULL; END",
            "error",
        ),
        ("AFTER UPDATE ON customers: BEGIN INSERT INTO noted VALUES (NEW.deleted_at); RETURN NULL; END", "warning"),
        (
            "BEFORE UPDATE ON customers: BEGIN IF NEW.deleted_at = now() THEN RETURN NEW; END IF; RETURN NEW; END",
            "warning",
        ),
        ("AFTER UPDATE OF deleted_at ON customers: BEGIN RETURN NULL; END", "warning"),
        ("BEFORE UPDATE ON customers: BEGIN RETURN OLD; END", "warning"),
        ("BEFORE UPDATE ON customers: BEGIN NEW := OLD; RETURN NEW; END", "warning"),
        ("AFTER UPDATE ON customers: BEGIN RETURN OLD; END", None),
        ("BEFORE UPDATE OR DELETE ON customers: BEGIN RETURN coalesce(NEW, OLD); END", None),
        ("AFTER UPDATE ON customers: BEGIN PERFORM NEW.undeleted_at_all; RETURN NULL; END", None),
        ("AFTER UPDATE ON orders: BEGIN PERFORM 'deleted_at'; RETURN NULL; END", None),
    ],
}


def trigger_statements(words: str) -> list[str]:
    """A trigger of theirs; PostgreSQL's does what a function does, which stands after a colon."""
    when, colon, body = words.partition(": ")
    if not colon:
        return [f"CREATE TRIGGER theirs {when}"]
    return [
        f"CREATE OR REPLACE FUNCTION does() RETURNS trigger LANGUAGE plpgsql AS $$ {body} $$",
        f"CREATE TRIGGER theirs {when} FOR EACH ROW EXECUTE FUNCTION does()",
    ]


def drop_trigger(database: Database, words: str) -> None:
    """Drops the trigger; on PostgreSQL it is one of its table."""
    on = f" ON {words.split(' ON ')[1].split(':')[0]}" if database.schema.dialect == "postgresql" else ""
    execute(database.engine, f"DROP TRIGGER theirs{on}")


def test_a_trigger_of_theirs_that_sets_it_is_red(opened: Open, empty_url: str, engine_name: str) -> None:
    database = opened(
        empty_url,
        customers=CUSTOMERS.replace("created_at", "undeleted_at_all INTEGER, created_at"),
        also=["CREATE TABLE noted (at TEXT)"],
    )
    for body, level in TRIGGERS[engine_name]:
        execute(database.engine, *trigger_statements(body))
        check = found(database, "deleted_at")
        assert (check.ok, check.level) == (level is None, level or "error"), body
        assert all("trigger theirs" in words for words in check.examples)
        assert red(database) == (["deleted_at"] if level == "error" else [])
        drop_trigger(database, body)


REACHES = {
    "sqlite": [
        ("AFTER UPDATE ON customers BEGIN UPDATE Orders SET ordered_at = '2024-01-01'; END", True),
        ("AFTER UPDATE OF name ON customers BEGIN SELECT count(*) FROM orders; END", True),
        ("AFTER DELETE ON customers BEGIN UPDATE orders SET status = 'x'; END", False),
        ("AFTER UPDATE ON customers BEGIN SELECT 1 AS preorders; END", False),
    ],
    "mariadb": [
        ("AFTER UPDATE ON customers FOR EACH ROW UPDATE orders SET ordered_at = '2024-01-01'", True),
        ("BEFORE UPDATE ON customers FOR EACH ROW SET @n = (SELECT count(*) FROM `orders`)", True),
        ("AFTER DELETE ON customers FOR EACH ROW UPDATE orders SET status = 'x'", False),
        ("AFTER UPDATE ON customers FOR EACH ROW SET @preorders = 1", False),
    ],
    "postgresql": [
        ("AFTER UPDATE ON customers: BEGIN UPDATE orders SET ordered_at = '2024-01-01'; RETURN NULL; END", True),
        ("BEFORE UPDATE ON customers: BEGIN PERFORM count(*) FROM public.`orders`; RETURN NEW; END", True),
        ("AFTER DELETE ON customers: BEGIN UPDATE orders SET status = 'x'; RETURN NULL; END", False),
        ("AFTER UPDATE ON customers: BEGIN PERFORM 1 AS preorders; RETURN NULL; END", False),
    ],
}


def test_a_trigger_of_theirs_that_reaches_the_orders_is_a_warning(shop: Database, engine_name: str) -> None:
    for body, warned in REACHES[engine_name]:
        execute(shop.engine, *trigger_statements(body))
        check = found(shop, "deleted_at")
        assert [f.id for f in check.findings] == (["trigger theirs orders"] if warned else []), body
        if warned:
            assert (check.level, red(shop)) == ("warning", [])
            assert check.examples[0].endswith("UPDATE mentions orders, and runs with every delete and restore")
            assert check.detail == f"A delete may change orders ({check.examples[0]})."
        drop_trigger(shop, body)


def test_names_are_words() -> None:
    assert mentions("SET NEW.`gone at` = 1", "gone at")
    assert not mentions("SET NEW.undeleted_at = 1", "deleted_at")
    assert not assigns("IF NEW.deleted_at IS NULL THEN SET @a = 1; END IF", "deleted_at")
    assert not assigns("INSERT INTO log SET was = OLD.deleted_at", "deleted_at")
    assert assigns("FETCH c INTO NEW.deleted_at", "deleted_at")
    assert assigns("UPDATE customers SET a = (1), [deleted_at] = 2", "deleted_at")


# Rights


def test_what_is_tried_finds_no_row_and_no_table(shop: Database) -> None:
    with shop.engine.connect() as connection:
        attempts = queries.list_attempts(connection, shop.schema)
    assert list(attempts) == list(ATTEMPTS)
    no_table = r"^(DROP TABLE evenbooks_none_[0-9a-f]{32}|ALTER TABLE evenbooks_none_[0-9a-f]{32} COMMENT '')$"
    asked = r"^\s+WITH RECURSIVE family\(oid\) AS \(\s+SELECT .*\s+SELECT NOT pg_is_in_recovery\(\) AND bool_or\(" * (
        shop.schema.dialect == "postgresql"
    )
    for name, statements in attempts.items():
        pattern = no_table if name == "drop or alter tables" else r" WHERE (false$|(false|0) = 1$)"
        for dialect in (mysql.dialect(), sqlite.dialect(), postgresql.dialect()):
            for one in statements:
                words = str(one.compile(dialect=dialect))
                assert re.search(pattern, words) or (asked and re.search(asked, words, re.S)), words


def test_trying_changes_nothing_and_a_mighty_account_is_a_warning(shop: Database, engine_name: str) -> None:
    before = state(shop)
    check = found(shop, "rights")
    assert state(shop) == before
    assert (check.ok, check.level) == (False, "warning")
    assert red(shop) == []
    if engine_name == "sqlite":
        assert check.examples == ["SQLite has no accounts: whoever may write the file may delete from it"]
        return
    assert check.examples == [
        "this account may delete customers physically",
        "this account may change the ids of customers, and so part them from their orders",
        "this account may delete orders",
        "this account may change orders",
        "this account may delete events, and so rewrite history",
        "this account may change events, and so rewrite history",
        "this account may delete seals, kept checks or the head of the chain",
        "this account may drop or alter tables of this database",
    ]
    assert any(sql.startswith("DELETE FROM customers WHERE false") for sql in check.sql)


def test_a_file_opened_for_reading_only_is_green(opened: Open, tmp_path: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    opened(f"sqlite:///{tmp_path}/shop.sqlite").engine.dispose()
    settings = settings_for(f"sqlite:///file:{tmp_path}/shop.sqlite?mode=ro&uri=true", PHONE)
    database = attach(settings)
    assert found(database, "rights").ok is True
    database.engine.dispose()
    database = attach(settings_for(f"sqlite:///{tmp_path}/shop.sqlite", PHONE))
    with database.engine.connect().execution_options(write=True) as other:
        other.execute(text("SELECT 1"))  # begins, and so locks out every other writer
        assert found_while_locked(database).ok is False
    monkeypatch.setattr(os, "access", lambda *_: False)
    assert found(database, "rights").ok is True
    database.engine.dispose()


def found_while_locked(database: Database) -> Check:
    """The same without keeping the run, which would wait for the lock."""
    with snapshot(database) as moment:
        return next(
            c for c in integrity.run(moment.connection, database.schema, moment.at).checks if c.name == "rights"
        )


# Small accounts of MariaDB


@pytest.fixture
def accounts(mariadb_url: str) -> Iterator[Callable[..., Database]]:
    """Makes an account with these grants on one shop (DB stands for its name), and opens it; with no grants, the owner's."""
    made: list[Database] = []
    with fresh_mariadb(mariadb_url) as url:
        owner = make_shop(url)

        def open_as(*grants: str) -> Database:
            if not grants:
                return owner
            name = owner.engine.url.database
            execute(owner.engine, "CREATE OR REPLACE USER small IDENTIFIED BY 'secret-word'")
            execute(owner.engine, *(f"GRANT {grant.replace('DB', str(name))} TO small" for grant in grants))
            small = owner.engine.url.set(username="small", password="secret-word")
            made.append(attach(settings_for(small.render_as_string(hide_password=False), PHONE)))
            return made[-1]

        yield open_as
        for database in [*made, owner]:
            database.engine.dispose()
        owner = attach(settings_for(url))
        execute(owner.engine, "DROP USER IF EXISTS small")
        owner.engine.dispose()


READS = "SELECT ON DB.*"


@pytest.mark.parametrize(
    ("grants", "expected"),
    [
        ([], []),
        (
            [
                "UPDATE (deleted_at, name), INSERT ON DB.customers",
                "INSERT ON DB.evenbooks_events",
                "UPDATE, INSERT ON DB.evenbooks_chain",
            ],
            [],
        ),
        (["UPDATE (id) ON DB.customers"], ["change customer ids"]),
        (["DELETE ON DB.evenbooks_seals"], ["delete records"]),
        (["DROP ON DB.*"], ["drop or alter tables"]),
        (["ALTER ON DB.*"], ["drop or alter tables"]),
        (["CREATE, INDEX, TRIGGER ON DB.*"], []),
        (["DELETE ON DB.customers"], ["delete customers"]),
        (["DELETE ON DB.orders"], ["delete orders"]),
        (["UPDATE (ordered_at) ON DB.orders"], ["change orders"]),
        (["UPDATE (note) ON DB.evenbooks_events"], []),
        (["UPDATE (prev) ON DB.evenbooks_events"], ["change events"]),
        (["DELETE ON DB.evenbooks_events"], ["delete events"]),
    ],
)
def test_what_a_small_account_may_do(accounts: Callable[..., Database], grants: list[str], expected: list[str]) -> None:
    database = accounts(READS, *grants)
    before = state(database)
    check = found(database, "rights")
    assert [finding.id for finding in check.findings] == expected
    assert (check.ok, check.level) == (not expected, "warning")
    assert {name: state(database)[name] for name in before} == before


def test_a_small_account_sees_the_key_and_the_column(accounts: Callable[..., Database]) -> None:
    owner = accounts()
    execute(owner.engine, "DELETE FROM orders WHERE customer_id = 77")
    execute(
        owner.engine, "ALTER TABLE orders ADD FOREIGN KEY (customer_id) REFERENCES customers (id) ON DELETE CASCADE"
    )
    database = accounts(READS)
    assert found(database, "foreign_key").ok is False
    check = found(database, "deleted_at")
    assert (check.ok, "whether the table has triggers is not shown to this account" in check.detail) == (True, True)
    execute(
        owner.engine, "ALTER TABLE customers MODIFY deleted_at TIMESTAMP NULL DEFAULT NULL ON UPDATE CURRENT_TIMESTAMP"
    )
    assert found(database, "deleted_at").ok is False


def test_triggers_whose_text_is_hidden_are_said(accounts: Callable[..., Database]) -> None:
    execute(
        accounts().engine, "CREATE TRIGGER theirs BEFORE UPDATE ON customers FOR EACH ROW SET NEW.phone = NEW.phone"
    )
    check = found(accounts(READS, "UPDATE ON DB.customers"), "deleted_at")
    assert (check.ok, "what its triggers do (theirs) this account may not read" in check.detail) == (True, True)
    assert "no trigger of the table mentions it" in found(accounts(READS, "TRIGGER ON DB.*"), "deleted_at").detail


def test_a_lock_of_others_is_not_waited_for(accounts: Callable[..., Database]) -> None:
    database = accounts(READS, "DELETE ON DB.orders")
    with accounts().engine.connect() as other:
        other.execute(text("LOCK TABLES orders READ"))  # reading goes on, writing waits
        check = found_while_locked(database)
        other.execute(text("UNLOCK TABLES"))
    assert check.ok is None
    assert "so this was not tried: delete orders." in check.detail


def test_rows_that_others_hold_do_not_matter(accounts: Callable[..., Database]) -> None:
    with accounts().engine.connect() as other:
        other.execute(text("UPDATE orders SET total = total + 1"))
        assert found(accounts(READS), "rights").ok is True
        other.rollback()


def test_a_server_that_only_reads_refuses_everybody(accounts: Callable[..., Database]) -> None:
    database = accounts(READS, "DELETE, UPDATE ON DB.*")
    execute(accounts().engine, "SET GLOBAL read_only = 1")
    try:
        assert found(database, "rights").ok is True
    finally:
        execute(accounts().engine, "SET GLOBAL read_only = 0")


def test_it_needs_no_connection_of_the_pool(accounts: Callable[..., Database]) -> None:
    database = accounts(READS, "DELETE ON DB.customers")
    narrow = create_engine(
        database.engine.url, pool_size=1, max_overflow=0, pool_timeout=1, isolation_level="REPEATABLE READ"
    )
    assert [f.id for f in found_while_locked(Database(narrow, database.settings, database.schema)).findings] == [
        "delete customers"
    ]
    narrow.dispose()


def test_a_table_that_cannot_roll_back_is_tried_too(accounts: Callable[..., Database]) -> None:
    owner = accounts()
    execute(owner.engine, "ALTER TABLE orders ENGINE=MyISAM")
    before = rows(owner, "orders")
    check = found(accounts(READS, "DELETE, UPDATE ON DB.orders"), "rights")
    assert [finding.id for finding in check.findings] == ["delete orders", "change orders"]
    assert rows(owner, "orders") == before


def test_when_no_connection_is_left_it_could_not_look(accounts: Callable[..., Database]) -> None:
    database = accounts(READS)
    execute(accounts().engine, "ALTER USER small WITH MAX_USER_CONNECTIONS 1")
    database.engine.dispose()
    check = found_while_locked(database)
    assert (check.ok, "There was no second connection to try this on" in check.detail) == (None, True)


# The mapping


def test_the_mapping_of_the_installation_is_green(shop: Database) -> None:
    check = found(shop, "mapping")
    words = "The tables are mapped as when Evenbooks was installed."
    assert (check.ok, check.level, check.detail) == (True, "warning", words)


def test_another_mapping_than_that_of_the_installation_is_a_warning(shop: Database) -> None:
    sections = {**PHONE, "orders": {"where": "total > 1"}}
    changed = attach(settings_for(shop.settings.database_url, sections), engine=shop.engine)
    check = found(changed, "mapping")
    now, then = changed.schema.mapping[:12], shop.schema.mapping[:12]
    assert (check.ok, check.level, now == then) == (False, "warning", False)
    assert check.examples == [f"the mapping is {now}; installed with {then}"]
    assert "figures may be of other rows" in check.detail


def test_another_mapping_than_that_of_the_proof_is_named_too(shop: Database) -> None:
    kept = make_proof(shop)
    with snapshot(shop) as moment:
        even = integrity.run(moment.connection, shop.schema, moment.at, proof=kept)
        other = integrity.run(moment.connection, shop.schema, moment.at, proof={**kept, "mapping": "a" * 64})
    assert next(c for c in even.checks if c.name == "mapping").ok is True
    words = f"the mapping is {shop.schema.mapping[:12]}; the proof was made with {'a' * 12}"
    assert next(c for c in other.checks if c.name == "mapping").examples == [words]
