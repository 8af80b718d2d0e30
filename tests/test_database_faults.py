"""A database that is missing, locked, read-only or gone: a sentence, nothing half done, and well again afterwards."""

from __future__ import annotations

import sqlite3
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import pytest
from patience import eventually
from servers import Restartable, mariadb, restartable
from shops import ADMIN, STAFF, execute, make_shop, problems, refuse, rows, settings_for, state, trigger
from sqlalchemy import event, text
from sqlalchemy.engine import make_url

from data import database as databases
from data import queries
from data.customers import add, delete_many, edit, restore_many
from data.database import Database, attach, default, forget_default, in_transaction, snapshot
from data.engines import TABLE_WAIT, make_engine
from data.errors import (
    ConfigurationError,
    Conflict,
    DatabaseBusy,
    DatabaseReadOnly,
    DatabaseUnavailable,
    EvenbooksError,
    NotMigrated,
    OutcomeUnknown,
)

SECRET = "hunter2"


def says(work: Callable[[], Any], kind: type[EvenbooksError], words: str) -> None:
    """The work fails with one sentence of this kind, without a password or a driver's traceback."""
    with pytest.raises(kind, match=words) as caught:
        work()
    sentence = str(caught.value)
    assert SECRET not in sentence
    for noise in ("Traceback", "[SQL", "sqlalche.me", "pymysql", "sqlite3."):
        assert noise not in sentence.replace("mysql+pymysql://", "")
    assert sentence.endswith((".", "--dry-run"))


def deleting(shop: Database) -> Callable[[], Any]:
    return lambda: delete_many(shop, [1], actor=STAFF, reason="requested")


def works(shop: Database) -> None:
    """Deleting, restoring and the chain are well."""
    assert delete_many(shop, [1], actor=STAFF, reason="requested")[0].changed
    assert restore_many(shop, [1], actor=STAFF, reason="undo")[0].changed
    assert problems(shop) == []


@pytest.mark.parametrize("engine_name", ["sqlite"], indirect=True)
def test_a_file_that_is_not_there_is_not_made(tmp_path: Path, engine_name: str) -> None:
    url = f"sqlite:///{tmp_path}/none.sqlite"
    says(lambda: attach(settings_for(url)), DatabaseUnavailable, "There is no database file .*none.sqlite")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("engine_name", ["sqlite"], indirect=True)
def test_a_file_that_is_no_database_says_so(tmp_path: Path, engine_name: str) -> None:
    (tmp_path / "x.sqlite").write_bytes(b"no database " * 1000)
    says(lambda: attach(settings_for(f"sqlite:///{tmp_path}/x.sqlite")), DatabaseUnavailable, "file is not a database")
    says(lambda: attach(settings_for(f"sqlite:///{tmp_path}")), DatabaseUnavailable, "unable to open database file")


@pytest.mark.parametrize("engine_name", ["sqlite"], indirect=True)
def test_a_read_only_file_is_read_and_every_change_refused(shop: Database) -> None:
    path = shop.settings.url.database
    before = state(shop)
    closed = attach(settings_for(f"sqlite:///file:{path}?mode=ro&uri=true"))
    with snapshot(closed) as moment:
        assert queries.count_customers(moment.connection, closed.schema) == 4
    refuses_every_change(closed)
    closed.engine.dispose()
    assert state(shop) == before
    works(shop)


def refuses_every_change(shop: Database) -> None:
    words = "can be read but not written to .* Nothing was changed"
    says(deleting(shop), DatabaseReadOnly, words)
    says(lambda: restore_many(shop, [4], actor=ADMIN, reason="mistake"), DatabaseReadOnly, words)
    says(lambda: add(shop, {"name": "New"}, actor=STAFF), DatabaseReadOnly, words)
    says(lambda: edit(shop, 1, {"name": "New"}, shown={"name": "Ana Lima"}, actor=STAFF), DatabaseReadOnly, words)


@pytest.mark.parametrize("engine_name", ["sqlite"], indirect=True)
def test_a_locked_file_says_busy_and_reads_go_on(shop: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(databases, "TRIES", 2)
    shop.engine.dispose()
    event.listen(shop.engine, "connect", lambda connection, _: connection.execute("PRAGMA busy_timeout = 20"))
    before = state(shop)
    other = sqlite3.connect(str(shop.settings.url.database), isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    try:
        says(deleting(shop), DatabaseUnavailable, "The database is busy: others hold its locks. Nothing was changed")
        assert state(shop) == before
    finally:
        other.execute("ROLLBACK")
        other.close()
    works(shop)


@pytest.mark.parametrize("engine_name", ["sqlite"], indirect=True)
def test_a_read_that_failed_at_its_first_word_keeps_nobody_from_writing(shop: Database) -> None:
    """The connection was told to refuse changes by then."""
    shop.engine.dispose()
    with closing(sqlite3.connect(shop.engine.url.database)) as other:
        other.execute("PRAGMA journal_mode = DELETE")
        other.execute("BEGIN EXCLUSIVE")
        with ThreadPoolExecutor(3) as pool:
            reads = [pool.submit(read, shop) for _ in range(3)]
            assert {type(one.exception()) for one in reads} == {DatabaseBusy}
    for _ in range(3):
        works(shop)


def read(shop: Database) -> None:
    with snapshot(shop) as moment:
        queries.count_customers(moment.connection, shop.schema)


@pytest.mark.parametrize("engine_name", ["sqlite"], indirect=True)
def test_a_restored_copy_gets_its_write_ahead_log_again_where_people_work_with_it(
    shop: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    copy = tmp_path / "copy.sqlite"
    with closing(sqlite3.connect(shop.engine.url.database)) as connection:
        connection.execute(f"VACUUM INTO '{copy}'")
    assert journal_mode(copy) == "delete"
    attach(settings_for(f"sqlite:///{copy}")).engine.dispose()  # whoever only looks changes nothing
    assert journal_mode(copy) == "delete"
    monkeypatch.setenv("DATABASE_URL", f"sqlite:///{copy}")
    with closing(sqlite3.connect(copy)) as other:
        other.execute("BEGIN IMMEDIATE")
        default()
        forget_default()
    assert journal_mode(copy) == "delete"
    database = default()
    assert journal_mode(copy) == "wal"
    with snapshot(database):
        works(database)


def test_who_comes_while_it_is_being_attached_in_vain_waits_no_longer_than_who_tries(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Else each of fifty would wait, one after the other, for a database that hangs."""
    tries, waiting, go = list[int](), threading.Barrier(9), threading.Event()

    def hang(_settings: Any) -> Database:
        tries.append(1)
        go.wait(30)
        raise DatabaseUnavailable("It does not answer.")

    def come() -> str:
        waiting.wait(30)
        try:
            default()
        except DatabaseUnavailable as error:
            return str(error)
        raise AssertionError("attached")

    monkeypatch.setattr(databases, "attach", hang)
    monkeypatch.setenv("DATABASE_URL", "mysql+pymysql://root@127.0.0.1:9/shop")
    with ThreadPoolExecutor(8) as pool:
        told = [pool.submit(come) for _ in range(8)]
        waiting.wait(30)
        eventually(lambda: bool(tries))
        time.sleep(0.2)  # until all of them are there
        go.set()
        assert {one.result(30) for one in told} == {"It does not answer."}
    assert len(tries) == 1
    with pytest.raises(DatabaseUnavailable):
        default()  # whoever comes afterwards has it tried anew
    assert len(tries) == 2


def journal_mode(file: Path) -> str:
    with closing(sqlite3.connect(file)) as connection:
        return str(connection.execute("PRAGMA journal_mode").fetchone()[0])


@pytest.mark.parametrize("engine_name", ["mariadb"], indirect=True)
def test_an_account_without_a_connection_left_is_told_so_and_works_again(shop: Database) -> None:
    execute(
        shop.engine,
        f"CREATE USER eb_few@localhost IDENTIFIED BY '{SECRET}' WITH MAX_USER_CONNECTIONS 1",
        "GRANT ALL ON *.* TO eb_few@localhost",
    )
    url = shop.engine.url.set(username="eb_few", password=SECRET)
    try:
        few = attach(settings_for(url.render_as_string(hide_password=False)))
        with few.engine.connect():
            says(lambda: read(few), DatabaseUnavailable, "does not answer: .*max_user_connections")
            says(deleting(few), DatabaseUnavailable, "does not answer: .*max_user_connections")
        works(few)
        few.engine.dispose()
    finally:
        execute(shop.engine, "DROP USER eb_few@localhost")


@pytest.mark.parametrize("engine_name", ["mariadb"], indirect=True)
def test_a_function_that_is_not_there_is_no_conflict_of_locks(shop: Database) -> None:
    def ask(connection: Any) -> None:
        connection.exec_driver_sql("SELECT no_such_function(1)")

    says(lambda: in_transaction(shop, ask), ConfigurationError, "no_such_function does not exist")


@pytest.mark.parametrize("engine_name", ["mariadb"], indirect=True)
def test_a_locked_row_says_busy_and_reads_go_on(shop: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(databases, "TRIES", 2)
    before = state(shop)
    with shop.engine.connect() as other:
        other.execute(text("SELECT * FROM customers WHERE id = 1 FOR UPDATE"))
        event.listen(shop.engine, "checkout", lambda c, *_: c.cursor().execute("SET innodb_lock_wait_timeout = 1"))
        says(deleting(shop), DatabaseBusy, "The database is busy")
        assert state(shop) == before
        other.rollback()
    works(shop)


@pytest.mark.parametrize("engine_name", ["mariadb"], indirect=True)
def test_a_locked_row_holds_up_its_own_customer_alone(shop: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(databases, "TRIES", 2)
    event.listen(shop.engine, "checkout", lambda c, *_: c.cursor().execute("SET innodb_lock_wait_timeout = 1"))

    def delete(customer_id: int) -> bool | type[Exception]:
        try:
            return delete_many(shop, [customer_id], actor=STAFF, reason="mistake")[0].changed
        except DatabaseBusy as error:
            return type(error)

    with shop.engine.connect() as other, ThreadPoolExecutor(3) as pool:
        other.execute(text("SELECT * FROM customers WHERE id = 1 FOR UPDATE"))
        asked = list(
            pool.map(delete, [1, 2, 3])
        )  # those who come while the first waits share a transaction with nobody stuck
        other.rollback()
    assert asked == [DatabaseBusy, True, True]
    with shop.engine.connect() as connection:
        waits = connection.execute(text("SELECT @@innodb_lock_wait_timeout, @@lock_wait_timeout")).one()
    assert max(waits) <= TABLE_WAIT
    assert problems(shop) == []


@pytest.mark.parametrize("engine_name", ["mariadb", "postgresql"], indirect=True)
def test_a_rule_of_theirs_that_refuses_is_a_conflict(shop: Database) -> None:
    refusal = f"IF NEW.id = 1 THEN {refuse(shop.engine, 'key account')}; END IF"
    execute(shop.engine, trigger(shop.engine, refusal, when="BEFORE UPDATE"))
    before = state(shop)
    says(deleting(shop), Conflict, "A rule of the database refused this: key account. Nothing was changed.")
    assert state(shop) == before


@pytest.mark.parametrize("engine_name", ["mariadb"], indirect=True)
def test_an_account_that_may_only_read_is_told_so(shop: Database) -> None:
    url = make_url(shop.settings.database_url)
    with account(shop, f"GRANT SELECT ON {url.database}.* TO reader@localhost"):
        before = state(shop)
        reader = attach(settings_for(url.set(username="reader", password=SECRET).render_as_string(hide_password=False)))
        refuses_every_change(reader)
        reader.engine.dispose()
        assert state(shop) == before
    works(shop)


@contextmanager
def account(shop: Database, grant: str) -> Iterator[None]:
    """A user `reader` with this right, for a while."""
    execute(shop.engine, f"CREATE OR REPLACE USER reader@localhost IDENTIFIED BY '{SECRET}'", grant)
    yield
    execute(shop.engine, "DROP USER reader@localhost")


@pytest.mark.parametrize("engine_name", ["mariadb"], indirect=True)
def test_a_wrong_password_or_name_is_told_without_the_password(shop: Database) -> None:
    url = make_url(shop.settings.database_url)

    def attaching(**part: Any) -> Callable[[], Any]:
        return lambda: attach(settings_for(url.set(**part).render_as_string(hide_password=False)))

    says(attaching(username="nobody", password=SECRET), DatabaseUnavailable, "does not answer: Access denied")
    says(attaching(database="nowhere"), DatabaseUnavailable, "does not answer: Unknown database")
    absent = {"unix_socket": "/nowhere/s"}
    says(attaching(query=absent, password=SECRET), DatabaseUnavailable, "does not answer: Can't connect")


def test_own_tables_dropped_later_are_told_with_the_command(shop: Database) -> None:
    execute(shop.engine, "DROP TABLE evenbooks_events")
    says(deleting(shop), NotMigrated, "This database is not prepared yet .* Run: python run_customer_soft_delete_mig")


def test_their_table_dropped_later_is_told(shop: Database) -> None:
    execute(shop.engine, "DROP TABLE orders")
    before = state_without_orders(shop)
    says(deleting(shop), ConfigurationError, "is not what DATABASE_URL and the mapping")
    assert state_without_orders(shop) == before


def state_without_orders(shop: Database) -> list[Any]:
    return [rows(shop, name) for name in ("customers", "evenbooks_events", "evenbooks_chain")]


def test_the_default_is_tried_again_after_a_failure(
    shop: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DATABASE_URL", f"sqlite:///{tmp_path}/none.sqlite")
    says(default, DatabaseUnavailable, "There is no database file")
    monkeypatch.setenv("DATABASE_URL", shop.settings.database_url)
    assert default() is default()
    forget_default()
    works(default())


STEPS = ["lock_head", "get_customers_with_impact", "mark_deleted", "append_events"]


@pytest.mark.parametrize("engine_name", ["mariadb"], indirect=True)
@pytest.mark.parametrize("step", STEPS)
def test_a_connection_killed_between_two_statements_is_replaced_and_the_work_done_once(
    shop: Database, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    original = getattr(queries, step)

    def killed_first(connection: Any, *arguments: Any, **named: Any) -> Any:
        monkeypatch.setattr(queries, step, original)
        number = connection.execute(text("SELECT CONNECTION_ID()")).scalar_one()
        execute(shop.engine, f"KILL {number}")
        return original(connection, *arguments, **named)

    monkeypatch.setattr(queries, step, killed_first)
    before = len(rows(shop, "evenbooks_events"))
    assert deleting(shop)()[0].changed
    assert len(rows(shop, "evenbooks_events")) == before + 1
    restore_many(shop, [1], actor=STAFF, reason="undo")
    works(shop)


@pytest.fixture
def private() -> Iterator[tuple[Database, Restartable]]:
    """A shop on a server of its own, which may be killed and started again."""
    with mariadb("--innodb-buffer-pool-size=32M") as template, restartable(template) as server:
        settings = settings_for(template.format(name="mysql"))
        engine = make_engine(settings.url)
        execute(engine, "CREATE DATABASE shop CHARACTER SET utf8mb4")
        engine.dispose()
        shop = make_shop(template.format(name="shop"))
        yield shop, server
        shop.engine.dispose()


def test_a_server_killed_in_the_middle_leaves_nothing_half_done(
    private: tuple[Database, Restartable], monkeypatch: pytest.MonkeyPatch
) -> None:
    shop, server = private
    before = state(shop)
    original = queries.append_events

    def gone(*arguments: Any, **named: Any) -> None:
        server.kill()
        original(*arguments, **named)

    monkeypatch.setattr(databases, "RECONNECTING", 1)
    monkeypatch.setattr(queries, "append_events", gone)
    says(deleting(shop), DatabaseUnavailable, "does not answer")
    says(deleting(shop), DatabaseUnavailable, "does not answer")
    monkeypatch.setattr(queries, "append_events", original)
    server.start()
    assert state(shop) == before
    works(shop)


def test_a_server_killed_while_a_screen_is_read(private: tuple[Database, Restartable]) -> None:
    shop, server = private

    def reading() -> None:
        with snapshot(shop) as moment:
            queries.monthly_totals(moment.connection, shop.schema)
            server.kill()
            queries.list_customers(moment.connection, shop.schema)

    says(reading, DatabaseUnavailable, "does not answer")
    server.start()
    works(shop)


def test_a_server_killed_at_commit_has_done_all_of_it_or_nothing(
    private: tuple[Database, Restartable], monkeypatch: pytest.MonkeyPatch
) -> None:
    shop, server = private

    monkeypatch.setattr(databases, "PATIENCE", 1)
    event.listen(shop.engine, "commit", lambda _connection: server.kill())
    says(deleting(shop), OutcomeUnknown, "it is not known whether this was done")
    shop.engine.dispose()
    server.start()
    shop = attach(shop.settings)
    after = state(shop)
    deleted = {row[0] for row in after["customers"] if row[-1] is not None}
    assert len(after["evenbooks_events"]) == 1 + len(deleted)
    assert problems(shop) == []
