"""The guard: physical deletes are refused, everything else goes on; it can be made again, and undone."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from servers import fresh_mariadb, mariadb
from shops import ADMIN, PHONE, execute, make_shop, rows, settings_for, state, trigger
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from data import integrity, migration
from data.customers import add, delete_many, edit, restore_many
from data.database import Database, attach
from data.errors import ConfigurationError, DatabaseReadOnly
from data.integrity import Check

NAME = "evenbooks_guard_customers"
TRUNCATE = "evenbooks_guard_truncate_customers"  # PostgreSQL's second one


@pytest.fixture
def guarded(shop_after: Callable[..., Database]) -> Database:
    """The shop with a guard on its customers."""
    return shop_after(guard)


def guard(shop: Database) -> None:
    migration.migrate(shop.settings, guard=True)


def refused(database: Database, statement: str) -> str:
    """Runs what must be refused, and must leave everything as it was; answers what the engine said."""
    before = state(database)
    with pytest.raises(DBAPIError) as error:
        execute(database.engine, statement)
    assert state(database) == before
    return str(error.value.orig)


def said(database: Database, **options: Any) -> str:
    lines: list[str] = []
    migration.migrate(database.settings, say=lines.append, **options)
    return "\n".join(lines)


def triggers(database: Database) -> dict[str, str]:
    """Every trigger as the engine says it."""
    with database.engine.connect() as connection:
        if database.engine.dialect.name == "sqlite":
            found = connection.execute(text("SELECT name, sql FROM sqlite_master WHERE type = 'trigger'"))
            return {str(name): str(sql) for name, sql in found}
        if database.engine.dialect.name == "postgresql":
            listed = (
                "SELECT tgname, concat(tgenabled, ' ', pg_get_triggerdef(t.oid), ' ', pg_get_functiondef(tgfoid)) "
                "FROM pg_trigger t WHERE NOT tgisinternal ORDER BY 1"
            )
            return {str(name): str(sql) for name, sql in connection.execute(text(listed))}
        return {str(r[0]): f"{r[4]} {r[1]} ON {r[2]} {r[3]}" for r in connection.execute(text("SHOW TRIGGERS"))}


def guards(database: Database, *tables: str) -> list[str]:
    """The names of the triggers that guard these tables."""
    names = [f"evenbooks_guard_{table}" for table in tables]
    if database.engine.dialect.name == "postgresql":
        names += [f"evenbooks_guard_truncate_{table}" for table in tables]
    return sorted(names)


def drop(database: Database, name: str = NAME) -> None:
    """Drops a trigger as somebody would."""
    on = f" ON {name.rpartition('_')[2]}" if database.engine.dialect.name == "postgresql" else ""
    execute(database.engine, f"DROP TRIGGER {name}{on}")


def found(database: Database, name: str = "guard") -> Check:
    return next(check for check in integrity.run_and_record(database).checks if check.name == name)


@pytest.mark.parametrize(
    "statement", ["DELETE FROM customers WHERE id = 5", "DELETE FROM customers WHERE id > 1", "DELETE FROM customers"]
)
def test_a_physical_delete_is_refused_and_changes_nothing(guarded: Database, statement: str) -> None:
    assert "customers are never deleted physically. Delete softly instead." in refused(guarded, statement)


def test_a_delete_of_many_that_begins_unguarded_is_refused_as_a_whole(guarded: Database, engine_name: str) -> None:
    if engine_name == "mariadb":
        execute(
            guarded.engine, "ALTER TABLE orders ADD FOREIGN KEY (id) REFERENCES orders (id)"
        )  # nobody is in the way
        both = "DELETE o, c FROM orders o JOIN customers c ON c.id = o.customer_id WHERE c.id = 3"
    else:
        both = "DELETE FROM customers WHERE id IN (SELECT customer_id FROM orders)"
    assert "Evenbooks" in refused(guarded, both)


@pytest.mark.parametrize("engine_name", ["postgresql"], indirect=True)
@pytest.mark.parametrize(
    "statement",
    [
        "TRUNCATE customers",
        "TRUNCATE customers CASCADE",
        "TRUNCATE orders, customers",
        "WITH gone AS (DELETE FROM customers WHERE id = 5 RETURNING *) SELECT * FROM gone",
        "MERGE INTO customers c USING (SELECT 5 AS id) s ON c.id = s.id WHEN MATCHED THEN DELETE",
        "ALTER TABLE customers ADD parent INTEGER REFERENCES customers (id) ON DELETE CASCADE; DELETE FROM customers WHERE id = 5",
    ],
)
def test_postgresql_refuses_to_empty_the_table_as_well(guarded: Database, statement: str) -> None:
    assert "customers are never deleted physically. Delete softly instead." in refused(guarded, statement)


@pytest.mark.parametrize("engine_name", ["sqlite", "mariadb"], indirect=True)
def test_replace_is_refused_on_mariadb(guarded: Database, engine_name: str) -> None:
    replace = "REPLACE INTO customers (id, name) VALUES (5, 'Another')"
    if engine_name == "mariadb":
        assert "Evenbooks" in refused(guarded, replace)
        return
    # SQLite fires its triggers for REPLACE only where the connection asks for it; docs/migration.md says so.
    with guarded.engine.connect().execution_options(write=True) as connection:
        connection.exec_driver_sql("PRAGMA recursive_triggers = ON")
        with pytest.raises(DBAPIError, match="Evenbooks"):
            connection.execute(text(replace))
        connection.rollback()
        connection.exec_driver_sql("PRAGMA recursive_triggers = OFF")
        connection.execute(text(replace))
        connection.rollback()
    assert dict((r[0], r[1]) for r in rows(guarded, "customers"))[5] == "Eve Idle"


def test_everything_else_goes_on(guarded: Database) -> None:
    assert delete_many(guarded, [1, 5], actor=ADMIN, reason="inactive")[0].changed
    assert restore_many(guarded, [1], actor=ADMIN, reason="mistake")[0].changed
    execute(guarded.engine, "DELETE FROM orders WHERE id = 4", "UPDATE orders SET status = 'x' WHERE id = 5")
    assert [row[0] for row in rows(guarded, "orders")] == [1, 2, 3, 5, 6, 7, 8, 9, 10]
    customer = add(guarded, {"name": "New", "email": "new@example.com"}, actor=ADMIN)
    assert edit(guarded, customer.id, {"name": "Newer"}, shown={"name": "New"}, actor=ADMIN).name == "Newer"
    check = found(guarded)
    assert (check.ok, check.detail) == (True, "The guard stands: customers refuse every physical DELETE.")


def test_orders_are_guarded_where_that_is_asked_for(guarded: Database) -> None:
    migration.migrate(guarded.settings, guard_orders=True)
    assert "orders are never deleted" in refused(guarded, "DELETE FROM orders WHERE id = 4")
    assert "Evenbooks" in refused(guarded, "DELETE FROM customers WHERE id = 5")
    execute(
        guarded.engine, "UPDATE orders SET status = 'x' WHERE id = 5", "INSERT INTO orders (id, total) VALUES (11, 1)"
    )
    assert found(guarded).detail == "The guard stands: customers, orders refuse every physical DELETE."


def test_rows_outside_the_slice_are_guarded_too(opened: Callable[..., Database], empty_url: str) -> None:
    sections = {"customers": {"where": "id < 3"}}
    database = opened(empty_url, sections=sections)
    migration.migrate(database.settings, guard=True)
    refused(database, "DELETE FROM customers WHERE id = 5")


def test_without_the_flag_there_is_none_and_it_is_said(shop: Database) -> None:
    assert triggers(shop) == {}
    check = found(shop)
    assert (check.ok, check.detail) == (True, "No guard was installed; --guard makes one.")


def test_a_dry_run_says_the_sql_and_makes_nothing(shop: Database) -> None:
    output = said(shop, guard=True, dry_run=True)
    planned = "\n".join(
        line for line in output.splitlines() if line.startswith(("CREATE TRIGGER", "CREATE OR REPLACE F"))
    )
    assert planned.endswith(";")
    assert triggers(shop) == {}
    assert planned in said(shop, guard=True)
    assert list(triggers(shop)) == guards(shop, "customers")


def test_it_is_noted_in_an_event_and_made_once(guarded: Database) -> None:
    before = (triggers(guarded), rows(guarded, "evenbooks_events"))
    assert '"made":["guard customers"]' in before[1][-1][8]
    assert "To do: nothing" in said(guarded)
    assert "To do: nothing" in said(guarded, guard=True)
    assert (triggers(guarded), rows(guarded, "evenbooks_events")) == before


def test_one_that_is_there_already_is_ours(shop: Database) -> None:
    planned = said(shop, guard=True, dry_run=True)
    made = [line for line in planned.splitlines() if line.startswith(("CREATE TRIGGER", "CREATE OR REPLACE F"))]
    execute(shop.engine, *(line.removesuffix(";") for line in made))
    assert "To do: nothing" in said(shop, guard=True)
    assert found(shop).detail == "The guard stands: customers refuse every physical DELETE."


ANOTHER = {
    "sqlite": [
        f"CREATE TRIGGER {NAME} BEFORE DELETE ON customers BEGIN SELECT 1; END",
        f"CREATE TRIGGER {NAME} BEFORE UPDATE ON customers BEGIN SELECT RAISE(ABORT, 'x'); END",
        f"CREATE TRIGGER {NAME} BEFORE DELETE ON orders BEGIN SELECT 1; END",
        f"CREATE TRIGGER {NAME} BEFORE DELETE ON customers WHEN OLD.id > 9 BEGIN SELECT RAISE(ABORT, 'x'); END",
    ],
    "mariadb": [
        f"CREATE TRIGGER {NAME} BEFORE DELETE ON customers FOR EACH ROW SET @nothing = 1",
        f"CREATE TRIGGER {NAME} BEFORE UPDATE ON customers FOR EACH ROW SIGNAL SQLSTATE '45000'",
        f"CREATE TRIGGER {NAME} BEFORE DELETE ON orders FOR EACH ROW SET @nothing = 1",
        f"CREATE TRIGGER {NAME} AFTER DELETE ON customers FOR EACH ROW SIGNAL SQLSTATE '45000'",
    ],
    "postgresql": [
        f"CREATE TRIGGER {NAME} BEFORE DELETE ON customers FOR EACH ROW EXECUTE FUNCTION lets()",
        f"CREATE TRIGGER {NAME} BEFORE UPDATE ON customers FOR EACH ROW EXECUTE FUNCTION {NAME}()",
        f"CREATE TRIGGER {NAME} BEFORE DELETE ON orders FOR EACH ROW EXECUTE FUNCTION {NAME}()",
        f"CREATE TRIGGER {NAME} AFTER DELETE ON customers FOR EACH ROW EXECUTE FUNCTION {NAME}()",
        f"CREATE TRIGGER {NAME} BEFORE DELETE ON customers FOR EACH STATEMENT EXECUTE FUNCTION {NAME}()",
        f"CREATE TRIGGER {NAME} BEFORE DELETE ON customers FOR EACH ROW WHEN (OLD.id > 9) EXECUTE FUNCTION {NAME}()",
    ],
}
LETS = "CREATE FUNCTION lets() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN OLD; END $$"
# Without dropping a trigger: switched off, the other one dropped, and a function that lets everything pass.
WEAKENED = [
    f"ALTER TABLE customers DISABLE TRIGGER {NAME}",
    "ALTER TABLE customers DISABLE TRIGGER ALL",
    f"ALTER TABLE customers ENABLE REPLICA TRIGGER {NAME}",
    f"ALTER TABLE customers DISABLE TRIGGER {TRUNCATE}",
    f"DROP TRIGGER {TRUNCATE} ON customers",
    LETS.replace("CREATE FUNCTION lets", f"CREATE OR REPLACE FUNCTION {NAME}"),
    f"ALTER FUNCTION {NAME}() SET check_function_bodies = off",
]


def test_dropped_or_changed_it_is_red_and_made_again(guarded: Database, engine_name: str) -> None:
    whole, events = triggers(guarded), rows(guarded, "evenbooks_events")
    if engine_name == "postgresql":
        execute(guarded.engine, LETS)
    for harm in [None, *ANOTHER[engine_name]]:
        drop(guarded)
        execute(guarded.engine, *([harm] if harm else []))
        check = found(guarded)
        assert (check.ok, check.level, check.count) == (False, "error", 1), harm
        assert NAME in check.examples[0]
        assert check.detail.endswith("To put it back: python run_customer_soft_delete_migration.py --guard")
        output = said(guarded)
        if engine_name == "postgresql":  # where the second trigger still stands, both are dropped first
            execute(guarded.engine, f"DROP TRIGGER IF EXISTS {NAME} ON orders")
        else:
            assert (f"DROP TRIGGER {NAME};" in output) is bool(harm)
        assert (triggers(guarded), rows(guarded, "evenbooks_events")) == (whole, events)
        assert found(guarded).ok is True
    refused(guarded, "DELETE FROM customers WHERE id = 5")


@pytest.mark.parametrize("engine_name", ["postgresql"], indirect=True)
@pytest.mark.parametrize("harm", WEAKENED)
def test_weakened_on_postgresql_it_is_red_and_made_again(guarded: Database, harm: str) -> None:
    whole = triggers(guarded)
    execute(guarded.engine, harm)
    assert triggers(guarded) != whole
    check = found(guarded)
    assert (check.ok, check.level, check.count) == (False, "error", 1)
    assert check.examples[0].startswith(f"trigger {NAME} is not what was made: ")
    said(guarded)
    assert triggers(guarded) == whole
    refused(guarded, "TRUNCATE customers")


@pytest.mark.parametrize("engine_name", ["sqlite", "mariadb"], indirect=True)
def test_the_same_statement_on_another_table_is_no_guard(guarded: Database, engine_name: str) -> None:
    same = triggers(guarded)[NAME]
    sql = (
        same
        if engine_name == "sqlite"
        else re.sub(r"^(.*?) ON customers (.*)$", rf"CREATE TRIGGER {NAME} \1 ON customers FOR EACH ROW \2", same)
    )
    execute(guarded.engine, f"DROP TRIGGER {NAME}", sql.replace("ON customers", "ON orders"))
    check = found(guarded)
    assert check.ok is False
    assert "BEFORE DELETE ON orders" in check.examples[0]


def test_one_of_two_that_is_gone_is_named_with_its_own_flag(guarded: Database) -> None:
    migration.migrate(guarded.settings, guard_orders=True)
    for name in guards(guarded, "orders"):
        drop(guarded, name)
    check = found(guarded)
    assert check.examples == ["trigger evenbooks_guard_orders on orders is gone"]
    assert check.detail.endswith("--guard-orders")


def test_a_table_renamed_and_back_keeps_its_guard(guarded: Database) -> None:
    execute(guarded.engine, "ALTER TABLE customers RENAME TO people", "ALTER TABLE people RENAME TO customers")
    assert found(guarded).ok is True
    assert "To do: nothing" in said(guarded)


def test_undo_removes_it_and_a_new_migration_knows_nothing_of_it(shop: Database, tmp_path: Path) -> None:
    restore_many(shop, [4], actor=ADMIN, reason="mistake")
    migration.migrate(shop.settings, guard=True, guard_orders=True)
    drop(shop, "evenbooks_guard_orders")  # one is gone already
    migration.undo(shop.settings, export=tmp_path / "events.jsonl")
    assert triggers(shop) == {}
    execute(shop.engine, "DELETE FROM customers WHERE id = 5")
    migration.migrate(shop.settings)
    assert triggers(shop) == {}
    assert found(shop).detail == "No guard was installed; --guard makes one."


def test_with_a_query_for_orders_nothing_is_done(opened: Callable[..., Database], empty_url: str) -> None:
    query = "SELECT id, customer_id, ordered_at, total FROM orders"
    database = opened(empty_url, sections={"orders": {"query": query}})
    before = state(database)
    with pytest.raises(
        ConfigurationError, match=r"\[orders\] is a query.*Leave out --guard-orders. Nothing was changed"
    ):
        migration.migrate(database.settings, guard=True, guard_orders=True)
    assert (state(database), triggers(database)) == (before, {})
    migration.migrate(database.settings, guard=True)
    refused(database, "DELETE FROM customers WHERE id = 5")


def make_view(database: Database, name: str) -> None:
    """The mapped table under another name, and a view in its place."""
    execute(
        database.engine, f"ALTER TABLE {name} RENAME TO {name}_kept", f"CREATE VIEW {name} AS SELECT * FROM {name}_kept"
    )


def test_a_view_is_not_guarded_and_nothing_is_written(shop: Database) -> None:
    make_view(shop, "orders")
    before = (state(shop), triggers(shop))
    words = r"orders is a view, and only a table can be guarded. Leave out --guard-orders. Nothing was changed"
    for dry_run in (True, False):
        with pytest.raises(ConfigurationError, match=words):
            migration.migrate(shop.settings, dry_run=dry_run, guard=True, guard_orders=True)
    assert (state(shop), triggers(shop)) == before
    migration.migrate(shop.settings, guard=True)
    assert found(shop).ok is True


def test_a_guarded_table_that_became_a_view_does_not_stop_the_next_run(guarded: Database) -> None:
    migration.migrate(guarded.settings, guard_orders=True)
    for name in guards(guarded, "orders"):
        drop(guarded, name)
    make_view(guarded, "orders")
    assert "To do: nothing" in said(guarded)
    assert found(guarded).examples == ["trigger evenbooks_guard_orders on orders is gone"]


def test_triggers_of_theirs_stay(guarded: Database, engine_name: str) -> None:
    body = {"sqlite": "SELECT 1", "mariadb": "SET @a = 1", "postgresql": "PERFORM 1"}[engine_name]
    execute(guarded.engine, trigger(guarded.engine, body, name="theirs", when="BEFORE DELETE"))
    drop(guarded)
    migration.migrate(guarded.settings)
    assert set(triggers(guarded)) == {"theirs", *guards(guarded, "customers")}
    assert "Evenbooks" in refused(guarded, "DELETE FROM customers WHERE id = 5")


def test_names_that_need_quotes(
    opened: Callable[..., Database], empty_url: str, engine_name: str, tmp_path: Path
) -> None:
    quote = "`" if engine_name == "mariadb" else '"'
    table = "cust omers %s :x " + "y" * (46 if engine_name == "postgresql" else 47)
    name = f"{quote}{table}{quote}"
    rename = f"ALTER TABLE customers RENAME TO {name}"
    database = opened(empty_url)
    migration.undo(database.settings, export=tmp_path / "undone.jsonl")
    execute(database.engine, rename)
    settings = settings_for(empty_url, {"customers": {"table": table, "phone": "phone"}})
    migration.migrate(settings, guard=True)
    with pytest.raises(DBAPIError, match="Evenbooks"):
        execute(database.engine, f"DELETE FROM {name} WHERE id = 5")
    if engine_name == "postgresql":
        assert list(triggers(database)) == [f"evenbooks_guard_{table}"[:63], f"evenbooks_guard_truncate_{table}"[:63]]
    else:
        assert list(triggers(database)) == [f"evenbooks_guard_{table}"[:64]]
    assert found(attach(settings, engine=database.engine)).ok is True
    migration.undo(settings, export=tmp_path / "again.jsonl")
    assert triggers(database) == {}


# Small accounts of MariaDB


@pytest.fixture
def accounts(mariadb_url: str) -> Iterator[Callable[..., Database]]:
    """Makes an account with these grants on the guarded shop of one database, and opens it."""
    made: list[Database] = []
    with fresh_mariadb(mariadb_url) as url:
        owner = make_shop(url)
        migration.migrate(owner.settings, guard=True)
        made.append(owner)
        execute(owner.engine, "DROP USER IF EXISTS small")

        def open_as(*grants: str) -> Database:
            name = owner.engine.url.database
            execute(owner.engine, "CREATE OR REPLACE USER small IDENTIFIED BY 'secret-word'")
            execute(owner.engine, *(f"GRANT {grant.replace('DB', str(name))} TO small" for grant in grants))
            small = owner.engine.url.set(username="small", password="secret-word")
            made.append(attach(settings_for(small.render_as_string(hide_password=False), PHONE)))
            return made[-1]

        yield open_as
        for database in reversed(made):
            database.engine.dispose()
        execute(owner.engine, "DROP USER IF EXISTS small")
        owner.engine.dispose()


READS = "SELECT ON DB.*"
CHANGES = ["ALTER, CREATE, INDEX, SELECT, INSERT, UPDATE ON DB.*"]


@pytest.mark.parametrize("grants", [[READS], [READS, "INSERT, UPDATE ON DB.customers"]])
def test_who_may_not_read_triggers_sees_neither_green_nor_a_wrong_red(
    accounts: Callable[..., Database], grants: list[str]
) -> None:
    database = accounts(*grants)
    check = found(database)
    assert check.ok is None
    assert f"TRIGGER is needed): {NAME} on customers" in check.detail


@pytest.mark.parametrize("grants", [[READS], [READS, "INSERT, UPDATE ON DB.customers"]])
def test_a_guard_that_is_gone_is_red_for_every_account(
    accounts: Callable[..., Database], grants: list[str], mariadb_url: str
) -> None:
    database = accounts(*grants)
    root = database.engine.url.set(username="root", password="").render_as_string(hide_password=False)
    owner = attach(settings_for(root, PHONE))
    execute(owner.engine, f"DROP TRIGGER {NAME}")
    owner.engine.dispose()
    assert found(database).examples == [f"trigger {NAME} on customers is gone"]


def test_who_may_make_triggers_sees_it(accounts: Callable[..., Database]) -> None:
    assert found(accounts(READS, "TRIGGER ON DB.customers")).ok is True


def test_a_blind_migration_leaves_it_and_refuses_to_be_asked(accounts: Callable[..., Database]) -> None:
    database = accounts(*CHANGES)
    assert "so the guard customers is left as it is" in said(database)
    before = state(database)
    with pytest.raises(DatabaseReadOnly, match=r"needs the TRIGGER privilege.*Nothing was changed"):
        migration.migrate(database.settings, guard=True)
    assert state(database) == before


def test_without_the_right_to_make_triggers_that_right_is_named(accounts: Callable[..., Database]) -> None:
    database = accounts(*CHANGES)
    with pytest.raises(DatabaseReadOnly, match=r"needs: TRIGGER on .*orders\. To allow it: GRANT TRIGGER"):
        migration.migrate(database.settings, guard_orders=True)


def test_a_binary_log_that_wants_super_is_said() -> None:
    with mariadb("--log-bin", "--performance-schema=OFF") as server, fresh_mariadb(server) as url:
        owner = make_shop(url)
        name = owner.engine.url.database
        execute(owner.engine, "CREATE USER ddl", f"GRANT ALL ON {name}.* TO ddl")
        small = owner.engine.url.set(username="ddl").render_as_string(hide_password=False)
        with pytest.raises(DatabaseReadOnly, match="log_bin_trust_function_creators"):
            migration.migrate(settings_for(small, PHONE), guard=True)
        execute(owner.engine, "SET GLOBAL log_bin_trust_function_creators = 1")
        migration.migrate(settings_for(small, PHONE))  # the event says that it was to be made
        assert found(owner).ok is True
        owner.engine.dispose()
