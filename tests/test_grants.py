"""`python -m data.sql grants`: the application runs its whole life on one account, the check on the other, and each is refused the rest."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest
from clients import attempt, run_script
from erasing import approved
from servers import fresh_mariadb, fresh_postgresql
from shops import (
    ADMIN,
    CUSTOMERS,
    ORDERS,
    PEOPLE,
    SALES,
    execute,
    fill,
    make_shop,
    migrated,
    problems,
    rows,
    settings_for,
    state,
)
from sqlalchemy import text
from sqlalchemy.engine import make_url
from test_mapping import AWKWARD, tables

from data import Customer, integrity, seals, sign_in, tokens
from data.access import Role
from data.customers import add, delete_many, edit, restore_many
from data.database import Database, attach, try_writing
from data.engines import make_engine
from data.errors import ConfigurationError, Conflict, DatabaseReadOnly, SignInRefused
from data.migration import migrate
from data.retention import asking
from data.sql.audit import audit_sql
from data.sql.cli import main
from data.sql.grants import Accounts, grants_sql

APP, READER, PASSWORD = "eb_app", "eb_reader", "o'ne \\ password"
ACCOUNTS = Accounts(APP, READER, "%")
SELF_UPDATING = CUSTOMERS.replace(
    "phone VARCHAR(20)",
    "phone VARCHAR(20), kind VARCHAR(9), touched TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP ON UPDATE CURRENT_TIMESTAMP",
)
ANN = sign_in.read_identity({"iss": "https://id.example.com", "sub": "u-1", "iat": 1_700_000_000, "exp": 4_000_000_000})
SECTIONS = {"customers": {"phone": "phone", "insert": {"kind": "customer"}}}
PASSWORD_SQL = "'" + PASSWORD.replace("\\", "\\\\").replace("'", "''") + "'"


SERIAL = CUSTOMERS.replace("id {key}", "id SERIAL PRIMARY KEY").replace(
    "phone VARCHAR(20)", "phone VARCHAR(20), kind VARCHAR(9), touched TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP"
)
ON_MARIADB = pytest.mark.parametrize("kept", ["mariadb"], indirect=True)
ON_POSTGRESQL = pytest.mark.parametrize("kept", ["postgresql"], indirect=True)


@pytest.fixture(params=["mariadb", "postgresql"])
def kept(request: pytest.FixtureRequest) -> Iterator[Database]:
    """A guarded shop with a column that updates itself (on MariaDB), customer 4 deleted, January sealed, a token and a
    sign-out; and the two accounts."""
    fresh, customers = (fresh_mariadb, SELF_UPDATING) if request.param == "mariadb" else (fresh_postgresql, SERIAL)
    with fresh(request.getfixturevalue(f"{request.param}_url")) as url:
        shop = make_shop(url, customers=customers, sections=SECTIONS)
        if request.param == "postgresql":
            execute(shop.engine, "SELECT setval('customers_id_seq', 100)")
        migrate(shop.settings, guard=True)
        delete_many(shop, [4], actor=ADMIN, reason="inactive")
        seals.seal(shop, "2024-01", actor=ADMIN)
        tokens.add(shop, "kept", role=Role.AUDITOR, actor=ADMIN)
        sign_in.sign_out(shop, replace(ANN, subject="u-0"))
        with accounts(shop):
            yield shop
        shop.engine.dispose()


@contextmanager
def accounts(shop: Database) -> Iterator[None]:
    """Both accounts as the printed SQL makes them, with real passwords."""
    script = grants_sql(shop, ACCOUNTS)
    assert script.count("'change me'") == 2
    try:
        postgresql = shop.schema.dialect == "postgresql"
        secret = PASSWORD_SQL.replace("\\\\", "\\") if postgresql else PASSWORD_SQL  # its texts have no escapes
        run_script(shop.engine.url, script.replace("'change me'", secret))
        yield
    finally:
        if shop.schema.dialect == "postgresql":
            execute(shop.engine, f"DROP OWNED BY {APP}, {READER}", f"DROP ROLE {APP}, {READER}")
        else:
            execute(shop.engine, f"DROP USER IF EXISTS '{APP}'@'%', '{READER}'@'%'")


@contextmanager
def attached_as(shop: Database, account: str) -> Iterator[Database]:
    """The same database, attached with that account."""
    url = make_url(shop.settings.database_url).set(username=account, password=PASSWORD)
    settings = shop.settings.model_copy(update={"database_url": url.render_as_string(hide_password=False)})
    database = attach(settings)
    try:
        yield database
    finally:
        database.engine.dispose()


def test_the_application_lives_on_the_first(kept: Database) -> None:
    touched = rows(kept, "customers")
    with attached_as(kept, APP) as app:
        assert app.schema.self_updating == ({"touched"} if app.schema.dialect == "mysql" else set())
        try_writing(app)
        assert delete_many(app, [1, 2], actor=ADMIN, reason="mistake")[0].changed
        assert restore_many(app, [1], actor=ADMIN, reason="undo")[0].changed
        cy = add(app, {"name": "Cy", "email": "cy@example.com", "phone": "1"}, actor=ADMIN)
        shown = {"name": "Cy", "email": "cy@example.com", "phone": "1"}
        assert edit(app, cy.id, {**shown, "name": "Cyd"}, shown=shown, actor=ADMIN).name == "Cyd"
        with app.engine.connect() as connection:
            assert Customer.soft_delete(cy.id, connection=connection).changed
            connection.commit()
        report = integrity.run_and_record(app)
        assert (report.even, [c.name for c in report.checks if c.ok is False]) == (True, [])
        assert len(rows(kept, "evenbooks_checks")) >= 3
        seals.unseal(app, "2024-01", actor=ADMIN, reason="a late order")
        seals.seal(app, "2024-01", actor=ADMIN, reason="again")
        seals.seal(app, "2024-02", actor=ADMIN)
        made = tokens.add(app, "sync", role=Role.STAFF, days=1, actor=ADMIN)
        assert tokens.check(app, made).role is Role.STAFF
        tokens.wait_for_notes()
        assert tokens.list_all(app, actor=ADMIN)[-1].last_used_at is not None
        assert tokens.revoke(app, "sync", actor=ADMIN) == 1
        for _ in range(2):
            sign_in.sign_out(app, ANN)
        with pytest.raises(SignInRefused):
            sign_in.require_valid(app, ANN, ANN.issued_at)
        if app.schema.dialect == "mysql":  # where it is a right of its own, which the script only tells of
            with pytest.raises(Conflict, match=r"may not blank .*evenbooks_events.* python -m data\.sql grants"):
                asking.prepare_one(app, 2, actor=ADMIN)
            (right,) = re.findall(r"^-- (GRANT UPDATE .*);$", grants_sql(kept, ACCOUNTS), re.MULTILINE)
            execute(kept.engine, right)
        assert approved(app, asking.prepare_one(app, 2, actor=ADMIN, note="Bo wrote")).changed == 1
        assert integrity.run_and_record(app).even
    assert problems(kept) == []
    assert whole(touched, 1) == whole(rows(kept, "customers"), 1)  # also the column that updates itself


def whole(listed: list[tuple[object, ...]], customer_id: int) -> tuple[object, ...]:
    return next(row for row in listed if row[0] == customer_id)


def test_the_check_runs_on_the_second_which_keeps_nothing(kept: Database) -> None:
    before = state(kept), rows(kept, "evenbooks_checks")
    with attached_as(kept, READER) as reader:
        report = integrity.run_and_record(reader)
        assert (report.even, [c.name for c in report.checks if c.ok is False]) == (True, [])
        with pytest.raises(DatabaseReadOnly):
            try_writing(reader)
        with pytest.raises(DatabaseReadOnly):
            delete_many(reader, [1], actor=ADMIN, reason="mistake")
        assert [(token.name, token.role) for token in tokens.list_all(reader, actor=ADMIN)] == [("kept", "auditor")]
    assert (state(kept), rows(kept, "evenbooks_checks")) == before


@pytest.mark.parametrize("account", [APP, READER])
def test_a_table_without_its_grant_is_named_when_it_starts(kept: Database, account: str) -> None:
    on_mariadb = kept.schema.dialect == "mysql"
    revoked = f"evenbooks_jobs FROM '{account}'@'%'" if on_mariadb else f"evenbooks_jobs FROM {account}"
    begin = ["REVOKE SELECT ON", "REVOKE ALL PRIVILEGES ON"]  # without any right MariaDB does not say that it is there
    for statement in begin:
        execute(kept.engine, f"{statement} {revoked}")
        with (
            pytest.raises(
                ConfigurationError,
                match=r"^This account may not read what .*evenbooks_jobs.*python -m data\.sql grants",
            ),
            attached_as(kept, account),
        ):
            pass
        execute(kept.engine, f"GRANT SELECT ON {revoked.replace(' FROM ', ' TO ')}")
        with attached_as(kept, account) as again:
            assert integrity.run_and_record(again).even


def test_an_audit_runs_on_the_second(kept: Database) -> None:
    found = run_script(kept.engine.url, audit_sql(kept), user=READER, password=PASSWORD)
    counts = [int(row["problems"]) for row in found if row.get("check") == "Summary"]
    assert counts == [0] * 11


DENIED = {1044, 1142, 1143, 1227, 1370}  # database, table, column, server, routine
ALWAYS_REFUSED = [
    "DELETE FROM customers WHERE id = 5",
    "DELETE FROM customers",
    "DELETE FROM orders WHERE id = 1",
    "DELETE FROM evenbooks_events WHERE id = 2",
    "DELETE FROM evenbooks_chain",
    "DELETE FROM evenbooks_checks",
    "DELETE FROM evenbooks_seals",
    "DELETE FROM evenbooks_tokens",
    "DELETE FROM evenbooks_sign_outs",
    "TRUNCATE customers",
    "TRUNCATE orders",
    "TRUNCATE evenbooks_events",
    "DROP TABLE customers",
    "DROP TABLE orders",
    "DROP TABLE evenbooks_events",
    "DROP TRIGGER evenbooks_guard_customers",
    "ALTER TABLE customers DROP COLUMN deleted_at",
    "ALTER TABLE orders ADD COLUMN x INTEGER",
    "ALTER TABLE evenbooks_events DROP COLUMN hash",
    "RENAME TABLE orders TO hidden",
    "CREATE TABLE more (id INTEGER)",
    "CREATE TRIGGER t BEFORE DELETE ON customers FOR EACH ROW SET @x = 1",
    "CREATE VIEW v AS SELECT * FROM orders",
    "CREATE INDEX i ON orders (total)",
    "UPDATE orders SET total = 0",
    "UPDATE orders SET customer_id = NULL WHERE id = 1",
    "UPDATE orders SET status = 'x' WHERE 1 = 0",
    "INSERT INTO orders (customer_id, total) VALUES (1, 1)",
    "REPLACE INTO orders (id, customer_id, total) VALUES (1, 1, 1)",
    "UPDATE customers SET id = 99 WHERE id = 5",
    "UPDATE customers SET kind = 'x' WHERE id = 5",
    "UPDATE customers SET created_at = NULL WHERE id = 5",
    "INSERT INTO customers (name, deleted_at) VALUES ('x', '2024-01-01')",
    "INSERT INTO customers (id, name) VALUES (77, 'x')",
    "INSERT INTO customers VALUES (77, 'x', NULL, NULL, NULL, NULL, NOW(), NULL)",
    "REPLACE INTO customers (id, name) VALUES (1, 'x')",
    "REPLACE INTO customers (name) VALUES ('x')",
    "UPDATE evenbooks_events SET body = 'x'",
    "UPDATE evenbooks_events SET reason = NULL",
    "UPDATE evenbooks_events SET note = NULL",
    "UPDATE evenbooks_events SET id = 99 WHERE id = 2",
    "REPLACE INTO evenbooks_events SELECT * FROM evenbooks_events",
    "INSERT INTO evenbooks_events SELECT * FROM evenbooks_events AS e ON DUPLICATE KEY UPDATE body = 'x'",
    "INSERT INTO evenbooks_checks SELECT * FROM evenbooks_checks AS c ON DUPLICATE KEY UPDATE even = 1",
    "INSERT INTO evenbooks_chain VALUES (1, 1, 'x') ON DUPLICATE KEY UPDATE hash = 'x'",
    "INSERT INTO orders (id, total) VALUES (1, 1) ON DUPLICATE KEY UPDATE total = 0",
    "INSERT INTO customers (id, name) VALUES (1, 'x') ON DUPLICATE KEY UPDATE id = 99",
    "UPDATE evenbooks_chain SET id = 2",
    "INSERT INTO evenbooks_chain VALUES (2, 1, 'x')",
    "UPDATE evenbooks_checks SET even = 1",
    "UPDATE evenbooks_seals SET total = 0",
    "UPDATE evenbooks_seals SET checksum = 'x'",
    "UPDATE evenbooks_tokens SET role = 'admin'",
    "UPDATE evenbooks_tokens SET hash = 'x'",
    "UPDATE evenbooks_tokens SET expires_at = NULL",
    "UPDATE evenbooks_tokens SET name = 'x', last_used_at = NULL",
    "UPDATE evenbooks_sign_outs SET person = 'x'",
    "UPDATE evenbooks_jobs SET kind = 'x'",
    "UPDATE evenbooks_jobs SET reason = 'x'",
    "UPDATE evenbooks_job_items SET customer_id = 1",
    "UPDATE evenbooks_approvals SET actor = 'x'",
    "UPDATE evenbooks_downloads SET expires_at = NULL",
    "DELETE FROM evenbooks_approvals",
    "REPLACE INTO evenbooks_tokens SELECT * FROM evenbooks_tokens",
    "UPDATE evenbooks_version SET version_num = 'x'",
    "INSERT INTO evenbooks_version VALUES ('x')",
    "LOCK TABLES orders WRITE",
    "GRANT DELETE ON orders TO CURRENT_USER",
    "SET GLOBAL read_only = 0",
]
REFUSED_TO_THE_READER = [
    "UPDATE customers SET deleted_at = NOW() WHERE id = 1",
    "UPDATE customers SET deleted_at = deleted_at WHERE 1 = 0",
    "UPDATE customers SET name = 'x' WHERE id = 1",
    "INSERT INTO customers (name) VALUES ('x')",
    "INSERT INTO evenbooks_events SELECT 99, at, action, actor, door, reason, customer_id, batch_id, body, prev, hash, note, note_salt FROM evenbooks_events LIMIT 1",
    "INSERT INTO evenbooks_checks (snapshot_at, even, unseen, report) VALUES (NOW(), 1, 0, 'x')",
    "UPDATE evenbooks_chain SET event_id = 1",
    "UPDATE evenbooks_seals SET unsealed_event_id = 1",
    "INSERT INTO evenbooks_seals SELECT * FROM evenbooks_seals",
    "SELECT hash FROM evenbooks_tokens",
    "SELECT * FROM evenbooks_tokens",
    "SELECT COUNT(*) FROM evenbooks_tokens WHERE hash LIKE 'a%'",
    "INSERT INTO evenbooks_tokens (id, name, hash, role, owner, made_at) VALUES ('x', 'x', 'x', 'admin', 'x', NOW())",
    "UPDATE evenbooks_tokens SET revoked_at = NULL",
    "INSERT INTO evenbooks_sign_outs VALUES ('x', NOW())",
    "UPDATE evenbooks_sign_outs SET at = NOW()",
    "UPDATE evenbooks_approvals SET state = 'approved'",
    "UPDATE evenbooks_events SET note = NULL",
    "SELECT id FROM evenbooks_downloads",
    "CREATE TEMPORARY TABLE t (id INTEGER)",
]


# As MariaDB's, in PostgreSQL's words; what is MariaDB's alone is left out, and what is PostgreSQL's alone is added.
MARIADB_ONLY = ("REPLACE", "ON DUPLICATE", "RENAME TABLE", "LOCK TABLES", "SET GLOBAL", "CREATE TRIGGER", "DROP TRIGGER", "CREATE TEMPORARY", "GRANT DELETE")  # fmt: skip
REFUSED_ON_POSTGRESQL = [
    "TRUNCATE evenbooks_chain",
    "DELETE FROM evenbooks_chain WHERE false",
    "DROP FUNCTION evenbooks_guard_customers()",
    "DROP TRIGGER evenbooks_guard_customers ON customers",
    "ALTER TABLE customers DISABLE TRIGGER ALL",
    "ALTER TABLE orders RENAME TO hidden",
    "ALTER TABLE orders ENABLE ROW LEVEL SECURITY",
    "CREATE RULE r AS ON UPDATE TO customers DO INSTEAD NOTHING",
    "CREATE TRIGGER t BEFORE DELETE ON customers FOR EACH ROW EXECUTE FUNCTION suppress_redundant_updates_trigger()",
    "INSERT INTO evenbooks_seals SELECT * FROM evenbooks_seals ON CONFLICT (event_id, currency) DO UPDATE SET total = 0",
    "INSERT INTO customers (name) VALUES ('x') ON CONFLICT (id) DO UPDATE SET id = 99",
    "INSERT INTO orders (id, total) VALUES (1, 1) ON CONFLICT (id) DO UPDATE SET total = 0",
    "MERGE INTO customers c USING (SELECT 5 AS id) s ON c.id = s.id WHEN MATCHED THEN DELETE",
    "COPY evenbooks_chain FROM STDIN",
    "BEGIN; LOCK TABLE orders IN EXCLUSIVE MODE",
    "SELECT setval('customers_id_seq', 1)",
    "SET SESSION AUTHORIZATION postgres",
    "SET session_replication_role = replica",
    "CREATE ROLE more",
]


def refused_to(account: str, dialect: str) -> list[str]:
    """What the account must be refused, in this engine's words."""
    listed = ALWAYS_REFUSED + (REFUSED_TO_THE_READER if account == READER else [])
    if dialect == "mysql":
        return listed
    spoken = [one.replace("even = 1", "even = true").replace("NOW(), 1, 0,", "NOW(), true, 0,") for one in listed]
    # The application may change all of the head, as locking its table asks for that, and blank notes; the check finds both.
    let = ["UPDATE evenbooks_chain", "UPDATE evenbooks_events SET note"] if account == APP else []
    left_out = (*MARIADB_ONLY, *let)
    return [*(one for one in spoken if not any(words in one for words in left_out)), *REFUSED_ON_POSTGRESQL]


def everything(shop: Database) -> dict[str, object]:
    extra = ("evenbooks_checks", "evenbooks_seals", "evenbooks_tokens", "evenbooks_sign_outs", "evenbooks_version")
    if shop.schema.dialect == "postgresql":
        made = [row for row in run_script(shop.engine.url, audit_sql(shop, "tables")) if row["check"] == "Tables"]
        with shop.engine.connect() as connection:
            listed = connection.execute(text("SELECT relname, relrowsecurity FROM pg_class ORDER BY 1"))
            return {**state(shop), **{name: rows(shop, name) for name in extra}, "made": made, "names": listed.all()}
    with shop.engine.connect() as connection:
        names = list(connection.execute(text("SHOW FULL TABLES")).scalars())
        tables_now = [connection.execute(text(f"SHOW CREATE TABLE {n}")).one()[1] for n in ("customers", "orders")]
    return {**state(shop), **{name: rows(shop, name) for name in extra}, "names": names, "made": tables_now}


@pytest.mark.parametrize("account", [APP, READER])
def test_each_is_refused_everything_else(kept: Database, account: str) -> None:
    before = everything(kept)
    if kept.schema.dialect == "postgresql":
        for statement in refused_to(account, "postgresql"):
            done = attempt(kept.engine.url, f"{statement};", user=account, password=PASSWORD)
            assert done.returncode == 3, f"{statement} was not refused"
            assert "ERROR:  42501: " in done.stderr, f"{statement}: {done.stderr}"
        assert everything(kept) == before
        return
    for statement in refused_to(account, "mysql"):
        done = attempt(kept.engine.url, f"{statement};", user=account, password=PASSWORD)
        assert done.returncode == 1, f"{statement} was not refused"
        code = re.search(r"ERROR (\d+)", done.stderr)
        assert code, done.stderr
        assert int(code[1]) in DENIED, f"{statement}: {done.stderr}"
        assert everything(kept) == before, statement


@ON_MARIADB
def test_what_the_server_lets_through_of_a_seal_is_found_by_the_check(kept: Database) -> None:
    # MariaDB asks for no right on the columns behind ON DUPLICATE KEY UPDATE, where there is one on another column.
    harm = "INSERT INTO evenbooks_seals SELECT * FROM evenbooks_seals AS s ON DUPLICATE KEY UPDATE total = 0;"
    assert attempt(kept.engine.url, harm, user=APP, password=PASSWORD).returncode == 0
    assert [c.name for c in integrity.run_and_record(kept).red] == ["seals"]


def test_a_name_with_wildcards_opens_no_other_database(mariadb_url: str) -> None:
    engine = make_engine(make_url(mariadb_url.format(name="")))
    names = ["eb_g%_1", "eb_gxx1", "eb_gx%1"]
    with engine.connect() as connection:
        for name in names:
            connection.exec_driver_sql(f"CREATE OR REPLACE DATABASE `{name.replace('%', '%%')}` CHARACTER SET utf8mb4")
    try:
        shops = [make_shop(mariadb_url.format(name=name.replace("%", "%25"))) for name in names]
        with accounts(shops[0]), attached_as(shops[0], APP) as app:
            assert delete_many(app, [1], actor=ADMIN, reason="mistake")[0].changed
            for other in names[1:]:
                url = shops[0].engine.url.set(database=other)
                done = attempt(url, "SELECT * FROM customers;", user=APP, password=PASSWORD)
                assert "ERROR 1044" in done.stderr
        for shop in shops:
            shop.engine.dispose()
    finally:
        with engine.connect() as connection:
            for name in names:
                connection.exec_driver_sql(f"DROP DATABASE `{name.replace('%', '%%')}`")
        engine.dispose()


def test_tables_of_another_schema_with_awkward_names(mariadb_url: str) -> None:
    with fresh_mariadb(mariadb_url) as home, fresh_mariadb(mariadb_url) as company:
        other = str(make_url(company).database)
        tables(
            company,
            "CREATE TABLE `Kunden Liste` (`Kunden Nr` {key}, `select` VARCHAR(20) NOT NULL, `E Mail%` VARCHAR(40), `seit:wann` {time} NULL)",
            "CREATE TABLE `order` (`Nr` {key}, `Kunden Nr` INTEGER, `from` {time} NULL, `Summe €` DECIMAL(9,2))",
            "INSERT INTO `Kunden Liste` VALUES (1, 'Ana', 'a%b@x.com', '2024-01-01')",
            "INSERT INTO `order` VALUES (1, 1, '2024-01-05', 1.10)",
        )
        sections = {name: {**section, "table": f"{other}.{section['table']}"} for name, section in AWKWARD.items()}
        shop = migrated(home, sections)
        with accounts(shop), attached_as(shop, APP) as app:
            assert delete_many(app, [1], actor=ADMIN, reason="mistake")[0].changed
            cy = add(app, {"name": "Cy", "email": "cy@x.com"}, actor=ADMIN)
            shown = {"name": "Cy", "email": "cy@x.com"}
            edit(app, cy.id, {**shown, "name": "Cyd"}, shown=shown, actor=ADMIN)
            assert integrity.run_and_record(app).even
            with attached_as(shop, READER) as reader:
                assert integrity.run_and_record(reader).even
            done = attempt(shop.engine.url, f"DELETE FROM {other}.`order`;", user=APP, password=PASSWORD)
            assert "ERROR 1142" in done.stderr
        shop.engine.dispose()


def test_the_tables_of_a_query_are_left_to_the_administrator(mariadb_url: str) -> None:
    query = {"orders": {"query": "SELECT id, customer_id, ordered_at, total FROM orders"}}
    with fresh_mariadb(mariadb_url) as url:
        shop = make_shop(url, sections=query)
        script = grants_sql(shop, ACCOUNTS)
        assert "-- [orders] is a query" in script
        assert f"-- GRANT SELECT ON ... TO '{READER}'@'%';" in script
        assert "`orders`" not in script
        assert "-- GRANT SELECT ON ... TO 'a b'@'%';" in grants_sql(shop, Accounts("a\nb", READER, "%"))
        with accounts(shop):
            for account in (APP, READER):
                execute(shop.engine, f"GRANT SELECT ON orders TO '{account}'@'%'")
            with attached_as(shop, APP) as app:
                assert delete_many(app, [1], actor=ADMIN, reason="mistake")[0].orders == 3
        shop.engine.dispose()


def test_a_line_break_in_a_name_does_not_end_a_comment(postgresql_url: str) -> None:
    name = "orders\nDROP TABLE x"
    with fresh_postgresql(postgresql_url) as url:
        shop = make_shop(
            url, orders=ORDERS.replace("orders", f'"{name}"'), sales=[], sections={"orders": {"table": name}}
        )
        execute(shop.engine, f'ALTER TABLE "{name}" ENABLE ROW LEVEL SECURITY')
        assert "-- orders DROP TABLE x is under row level security" in grants_sql(shop, ACCOUNTS)
        shop.engine.dispose()


def test_every_table_of_ours_is_in_the_grants(kept: Database) -> None:
    script = grants_sql(kept, ACCOUNTS)
    for table in kept.schema.own.all:
        for account in (APP, READER):
            marks = (f"`{table.name}` TO '{account}'@", f'"{table.name}" TO "{account}";')
            granted = [one for one in script.splitlines() if one.startswith("GRANT")]
            lines = [one for one in granted if any(mark in one for mark in marks)]
            assert len(lines) == 1, table.name
    words = "\n".join(line for line in script.splitlines() if line.startswith("GRANT"))
    for right in ("DELETE", "DROP", "ALTER", "TRIGGER", "CREATE", "ALL PRIVILEGES", "GRANT OPTION"):
        assert right not in words


def test_where_nobody_can_be_added_no_insert_is_granted(mariadb_url: str) -> None:
    customers = CUSTOMERS.replace("id {key}", "id VARCHAR(20) NOT NULL PRIMARY KEY")
    with fresh_mariadb(mariadb_url) as url:
        shop = make_shop(
            url,
            customers=customers,
            orders=ORDERS.replace("customer_id INTEGER", "customer_id VARCHAR(20)"),
            people=[{**one, "id": f"c{one['id']}"} for one in PEOPLE],
            sales=SALES[:0],
        )
        right = next(
            line for line in grants_sql(shop, ACCOUNTS).splitlines() if line.startswith("GRANT SELECT, UPDATE")
        )
        assert right.startswith("GRANT SELECT, UPDATE (`deleted_at`, `name`, `email`, `phone`) ON ")
        fill(shop.engine, "orders", [{"id": 1, "customer_id": "c1", "total": 1}])
        with accounts(shop), attached_as(shop, APP) as app:
            assert delete_many(app, ["c1"], actor=ADMIN, reason="mistake")[0].orders == 1
        shop.engine.dispose()


@ON_MARIADB
def test_the_command_takes_names_and_on_sqlite_says_what_takes_their_place(
    kept: Database, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    config = tmp_path / "evenbooks.toml"
    config.write_text('[customers]\nphone = "phone"\ninsert = { kind = "customer" }\n')
    monkeypatch.setenv("DATABASE_URL", kept.settings.database_url)
    assert main(["grants", "--app", "o'app", "--reader", "r", "--host", "10.0.0.%", "--config", str(config)]) == 0
    out = capsys.readouterr().out
    assert "TO 'o''app'@'10.0.0.%';" in out
    assert "TO 'r'@'10.0.0.%';" in out
    make_shop(f"sqlite:///{tmp_path}/shop.sqlite").engine.dispose()
    monkeypatch.setenv("DATABASE_URL", f"sqlite:///{tmp_path}/shop.sqlite")
    config.write_text("")
    assert main(["grants", "--config", str(config)]) == 0
    said = capsys.readouterr().out
    assert said.startswith("-- SQLite has no accounts")
    assert all(line.startswith("--") for line in said.splitlines())
    assert settings_for(f"sqlite:///{tmp_path}/shop.sqlite").url.database in said


@ON_POSTGRESQL
def test_on_postgresql_the_command_takes_names_and_rights_are_listed(
    kept: Database, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    config = tmp_path / "evenbooks.toml"
    config.write_text('[customers]\nphone = "phone"\ninsert = { kind = "customer" }\n')
    monkeypatch.setenv("DATABASE_URL", kept.settings.database_url)
    assert main(["grants", "--app", 'o"app', "--reader", "r'r", "--config", str(config)]) == 0
    out = capsys.readouterr().out
    assert 'GRANT SELECT, INSERT, UPDATE ("note", "note_salt") ON "public"."evenbooks_events" TO "o""app";' in out
    assert "rolname = 'r''r'" in out
    assert 'GRANT USAGE ON SEQUENCE public.customers_id_seq TO "o""app";' in out
    listed = run_script(kept.engine.url, grants_sql(kept, ACCOUNTS))
    mine = {(row["table_name"], row["privilege_type"]) for row in listed if row["grantee"] == APP}
    assert ("customers.deleted_at", "UPDATE") in mine
    assert ("customers", "UPDATE") not in mine
    assert ("evenbooks_chain", "UPDATE") in mine
