"""`python -m data.sql debug`: run by the engines' own clients it tells what is wrong, also before the migration, and writes nothing."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import timedelta
from pathlib import Path
from threading import Event
from typing import Any

import pytest
from auditing import told
from clients import attempt, run_script
from servers import fresh_mariadb, mariadb
from shops import ADMIN, CUSTOMERS, ORDERS, execute, make_shop, migrated, rows, settings_for, state
from sqlalchemy import text, update
from sqlalchemy.exc import DBAPIError
from test_grants import PASSWORD, READER, accounts
from test_mapping import awkwardly_named, tables

from data import integrity, jobs, queries
from data.customers import delete_many, restore_many
from data.database import Database, in_transaction, now
from data.errors import InvalidInput
from data.sql.cli import main
from data.sql.debug import debug_question_names, debug_sql

Rows = list[dict[str, Any]]
CATALOG = {"Migration", "Columns", "Indexes", "Server"}
OURS = {"Version", "Customers", "Deleted", "Missing customers", "Chain", "Checks", "Seals"}
SHARED = OURS | {"Jobs", "Requests", "Heartbeat"}
HEADING = "you_should_see"


@pytest.fixture
def story(shop_after: Callable[..., Database]) -> Database:
    """Customers 2 and 4 deleted, 1 deleted and restored, January 2024 sealed (tests/auditing.py)."""
    return shop_after(told)


def asked(database: Database, name: str | None = None) -> Rows:
    """The answers, without the heading of each question."""
    found = run_script(database.engine.url, debug_sql(database.settings, name))
    return [row for row in found if HEADING not in row]


def bad(found: Rows) -> list[tuple[str, str]]:
    """The name and verdict of every row that is not as it should be: such verdicts begin with a word in capitals."""
    named = [(str(row.get("name") or row["check"]), str(row.get("verdict") or "")) for row in found]
    return [(name, verdict) for name, verdict in named if verdict[:2].isupper()]


def test_a_sound_shop_has_no_word_in_capitals(story: Database) -> None:
    integrity.run_and_record(story)
    found = asked(story)
    assert bad(found) == []
    assert {row["check"] for row in found} >= CATALOG | OURS
    people = next(row for row in found if row["check"] == "Customers")
    assert [int(people[name]) for name in ("customers", "active", "deleted")] == [5, 3, 2]
    assert {int(row["id"]): row["last_event"] for row in found if row["check"] == "Deleted"} == {
        2: "delete",
        4: "delete",
    }
    assert [(row["month"], int(row["orders"])) for row in found if row["check"] == "Seals"] == [("2024-01", 3)]
    missing = [(int(row["customer_id"]), int(row["orders"])) for row in found if row["check"] == "Missing customers"]
    assert missing == [(77, 1)]
    check = next(row for row in found if row["check"] == "Checks")
    assert (check["verdict"], int(check["unseen"]), int(check["seconds_ago"]) < 600) == ("even", 0, True)


def test_each_question_says_what_you_should_see_also_where_its_answer_is_no_row(story: Database) -> None:
    found = run_script(story.engine.url, debug_sql(story.settings))
    headings = {row["check"]: row[HEADING] for row in found if HEADING in row}
    assert set(headings) >= {"Triggers", *CATALOG, *SHARED}
    assert headings["Jobs"].startswith('no row, or "at work" with done rising. "NOBODY" is right for some seconds')
    assert all(20 < len(words) < 330 or words == "wal, and utf-8." for words in headings.values()), headings
    assert [row["check"] for row in found if row["check"] in {"Jobs", "Heartbeat"}] == ["Jobs", "Heartbeat"]
    (alone,) = run_script(story.engine.url, debug_sql(story.settings, "jobs"))
    assert alone == {"check": "Jobs", HEADING: headings["Jobs"]}
    titles = [row["check"] for row in found]
    assert [n for n, row in enumerate(found) if HEADING in row] == [titles.index(title) for title in headings]


def test_it_writes_nothing(story: Database) -> None:
    before = state(story), [rows(story, table.name) for table in story.schema.own.all]
    script = debug_sql(story.settings)
    if story.engine.dialect.name == "sqlite":
        path = Path(str(story.engine.url.database))
        story.engine.dispose()
        assert attempt(story.engine.url, "PRAGMA wal_checkpoint;").returncode == 0
        content = path.read_bytes()
        run_script(story.engine.url, script)
        assert path.read_bytes() == content
    else:
        words = "READ ONLY;\n"
        assert words in script
        refused = attempt(story.engine.url, script.replace("COMMIT;", "DELETE FROM evenbooks_checks;"))
        assert refused.returncode != 0
        assert "read" in refused.stderr.lower()
        run_script(story.engine.url, script)
    assert (state(story), [rows(story, table.name) for table in story.schema.own.all]) == before


def test_awkward_names_stand_in_every_question(empty_url: str) -> None:
    sections = awkwardly_named(empty_url)
    before = run_script(settings_for(empty_url).url, debug_sql(settings_for(empty_url, sections)))
    assert ("weg am", "MISSING") in bad(before)
    shop = migrated(empty_url, sections)
    delete_many(shop, [1], actor=ADMIN, reason="mistake")
    found = asked(shop)
    assert [name for name, verdict in bad(found) if verdict != "COULD NOT SEE"] == []
    assert "weg am" in {row["name"] for row in found if row["check"] == "Columns"}
    assert [int(row["id"]) for row in found if row["check"] == "Deleted"] == [1]
    assert [int(row["customer_id"]) for row in found if row["check"] == "Missing customers"] == [2]
    shop.engine.dispose()


def test_before_the_migration_it_says_what_is_missing_and_leaves_the_rest_out(empty_url: str) -> None:
    tables(empty_url, CUSTOMERS, ORDERS)
    script = debug_sql(settings_for(empty_url))
    found = run_script(settings_for(empty_url).url, script)
    assert {row["check"] for row in found} >= CATALOG - {"Indexes"}
    left_out = {row["check"]: row["why"] for row in found if row.get("verdict") == "LEFT OUT"}
    assert left_out.keys() == SHARED
    assert {row["check"] for row in found if row.get("verdict") != "LEFT OUT"}.isdisjoint(SHARED)
    run = "Run: python run_customer_soft_delete_migration.py --dry-run"
    assert left_out["Heartbeat"] == f"It reads evenbooks_heartbeat, which this account does not find. {run}"
    assert left_out["Customers"] == f"It reads customers.deleted_at, which this account does not find. {run}"
    assert (
        left_out["Deleted"]
        == f"It reads customers.deleted_at, evenbooks_events, which this account does not find. {run}"
    )
    assert {row["verdict"] for row in found if row["check"] == "Migration" and HEADING not in row} == {"MISSING"}


def test_a_question_is_left_out_only_where_what_it_reads_is_missing(story: Database) -> None:
    execute(story.engine, "DROP TABLE evenbooks_heartbeat")
    assert bad(asked(story)) == [("evenbooks_heartbeat", "MISSING"), ("Heartbeat", "LEFT OUT")]
    assert [row["verdict"] for row in asked(story, "chain")] == ["whole"]
    execute(story.engine, "DROP TABLE evenbooks_chain")
    assert bad(asked(story, "chain")) == [("Chain", "LEFT OUT")]


def test_a_dropped_index_a_dropped_table_and_an_old_version_are_seen(story: Database) -> None:
    named = next(row["found"] for row in asked(story, "migration") if row["kind"] == "index")
    where = " ON customers" if story.engine.dialect.name == "mysql" else ""
    execute(story.engine, f"DROP INDEX {named}{where}", "UPDATE evenbooks_version SET version_num = '0002'")
    assert bad(asked(story)) == [("deleted_at", "MISSING"), ("Version", "DIFFERS")]
    assert not [row for row in asked(story, "indexes") if named in str(row)]
    execute(story.engine, "DROP TABLE evenbooks_downloads")
    assert ("evenbooks_downloads", "MISSING") in bad(asked(story))


def test_a_column_that_fills_itself_is_wrong(story: Database) -> None:
    change = {
        "mysql": "ALTER TABLE customers MODIFY deleted_at TIMESTAMP NULL DEFAULT CURRENT_TIMESTAMP",
        "postgresql": "ALTER TABLE customers ALTER deleted_at SET DEFAULT now()",
    }
    if story.engine.dialect.name in change:
        execute(story.engine, change[story.engine.dialect.name])
    else:  # SQLite alters no column: another table in its place
        execute(
            story.engine,
            "ALTER TABLE customers RENAME TO old",
            CUSTOMERS.replace("phone", "deleted_at DATETIME DEFAULT CURRENT_TIMESTAMP, phone"),
            "CREATE INDEX again ON customers (deleted_at)",
        )
    assert bad(asked(story, "migration")) == [("deleted_at", "WRONG")]


@pytest.mark.parametrize(
    "damage",
    [
        "UPDATE evenbooks_chain SET event_id = 5",
        "UPDATE evenbooks_chain SET hash = (SELECT prev FROM evenbooks_events WHERE id = 6)",
        "DELETE FROM evenbooks_events WHERE id = 3",
        "DELETE FROM evenbooks_chain",
    ],
)
def test_a_broken_chain_is_seen(story: Database, damage: str) -> None:
    execute(story.engine, damage)
    assert bad(asked(story, "chain")) == [("Chain", "BROKEN")]


def test_jobs_that_run_and_that_nobody_works_on_are_told_apart(story: Database) -> None:
    job = jobs.prepare(story, "delete", actor=ADMIN, reason="inactive", ids=[3, 5])
    assert asked(story, "jobs") == []  # a draft
    jobs.start(story, job.id, actor=ADMIN)
    assert [row["verdict"] for row in asked(story, "jobs")] == ["NOBODY works on it"]
    for seconds, verdict in ((50, "at work"), (600, "NOBODY works on it"), (-60, "NOBODY works on it")):
        lease = {"owner": "o", "lease_until": now() + timedelta(seconds=seconds)}
        set_lease = update(story.schema.own.jobs).values(lease)
        in_transaction(story, lambda connection, set_lease=set_lease: connection.execute(set_lease))
        assert [row["verdict"] for row in asked(story, "jobs")] == [verdict]
    execute(story.engine, "UPDATE evenbooks_jobs SET state = 'failed', error = 'it did'")
    assert [(row["verdict"], row["error"]) for row in asked(story, "jobs")] == [("FAILED", "it did")]


def test_requests_seals_checks_and_the_heartbeat_are_as_they_are(story: Database) -> None:
    assert asked(story, "heartbeat") == []
    in_transaction(story, lambda c: queries.keep_beat(c, story.schema, "b" * 32, at=now() - timedelta(hours=2)))
    assert [7200 <= int(row["seconds_ago"]) < 7800 for row in asked(story, "heartbeat")] == [True]
    waiting = {"id": 9, "kind": "delete", "state": "waiting", "customer_id": 1, "actor": "a", "role": "staff"}
    waiting |= {"door": "api", "reason": "mistake", "names": "[]", "requested_at": now()}
    for number, days in ((9, 1), (10, -1)):
        row = {**waiting, "id": number, "expires_at": now() + timedelta(days=days)}
        insert = story.schema.own.approvals.insert().values(row)
        in_transaction(story, lambda connection, insert=insert: connection.execute(insert))
    assert [row["verdict"] for row in asked(story, "requests")] == ["waits", "EXPIRED"]
    execute(story.engine, "DELETE FROM orders WHERE id = 6")
    integrity.run_and_record(story)
    assert asked(story, "checks")[0]["verdict"] == "NOT EVEN"
    execute(story.engine, "UPDATE evenbooks_seals SET unsealed_event_id = 6")
    assert asked(story, "seals") == []


def test_a_restored_customer_is_gone_from_the_deleted(story: Database) -> None:
    restore_many(story, [2], actor=ADMIN, reason="undo")
    assert [int(row["id"]) for row in asked(story, "deleted")] == [4]
    execute(story.engine, "UPDATE customers SET deleted_at = '2024-01-01' WHERE id = 2")
    assert {int(row["id"]): row["last_event"] for row in asked(story, "deleted")} == {4: "delete", 2: "restore"}


@pytest.mark.parametrize("engine_name", ["mariadb", "postgresql"], indirect=True)
def test_whoever_holds_a_lock_is_named_with_who_waits(story: Database) -> None:
    own = text("SELECT CONNECTION_ID()" if story.engine.dialect.name == "mysql" else "SELECT pg_backend_pid()")
    change = text("UPDATE customers SET phone = 'x' WHERE id = 1")
    began = Event()
    waiting: list[str] = []

    def wait() -> None:
        with story.engine.connect() as connection, connection.begin():
            waiting.append(str(connection.execute(own).scalar_one()))
            began.set()
            for _ in range(20):  # a wait for a lock ends after seconds, and may be begun again
                with suppress(DBAPIError), connection.begin_nested():
                    connection.execute(change)
                    return

    with story.engine.connect() as holder, ThreadPoolExecutor() as threads:
        with holder.begin():
            number = str(holder.execute(own).scalar_one())
            holder.execute(change)
            done = threads.submit(wait)
            began.wait(60)
            found: dict[str, Any] = {}
            for _ in range(60):
                found = {str(row["connection"]): row for row in asked(story, "transactions")}
                if waiting[0] in found and found[waiting[0]]["waits_for"] == number:
                    break
            assert found[waiting[0]]["waits_for"] == number
            assert found[number]["waits_for"] in (None, "")
            assert 0 <= int(found[number]["seconds"]) < 3000
        done.result(60)


def test_how_long_a_transaction_is_open_is_right_on_a_machine_in_another_zone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TZ", "Asia/Tokyo")
    with mariadb() as server, fresh_mariadb(server) as url:
        shop = make_shop(url)
        with shop.engine.connect() as holder, holder.begin():
            holder.execute(text("UPDATE customers SET phone = 'x' WHERE id = 1"))
            assert [0 <= int(row["seconds"]) < 3000 for row in asked(shop, "transactions")] == [True]
        shop.engine.dispose()


@pytest.mark.parametrize("engine_name", ["mariadb", "postgresql"], indirect=True)
def test_the_account_that_only_reads_is_answered_as_far_as_it_may(story: Database) -> None:
    integrity.run_and_record(story)
    with accounts(story):
        url = story.engine.url.set(username=READER, password=PASSWORD).render_as_string(hide_password=False)
        reader = story.settings.model_copy(update={"database_url": url})
        script = debug_sql(reader)
        assert script == debug_sql(story.settings)
        for name in debug_question_names():
            with suppress(InvalidInput):  # another engine's question
                assert "LEFT OUT" not in debug_sql(reader, name)
        done = attempt(story.engine.url, script, user=READER, password=PASSWORD)
    if story.engine.dialect.name == "postgresql":
        assert (done.returncode, done.stderr) == (0, "")
    else:
        assert "ERROR 1227" in done.stderr
        assert "COULD NOT SEE" in done.stdout
    for title in CATALOG | OURS:
        assert f"\n{done.stdout}".count(f"\n{title}") > 1, title  # its heading, and an answer


def test_the_command_prints_all_or_one_and_says_what_is_wrong(
    story: Database, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    monkeypatch.setenv("DATABASE_URL", story.settings.database_url)
    config = tmp_path / "evenbooks.toml"
    config.write_text('[customers]\nphone = "phone"\n')
    assert main(["debug", "--config", str(config)]) == 0
    assert capsys.readouterr().out == debug_sql(story.settings)
    assert main(["debug", "nothing", "--config", str(config)]) == 1
    assert "There is no question nothing. These are: " in (words := capsys.readouterr().err)
    assert "migration, columns, indexes, triggers, server, " in words
    for name in debug_question_names():
        assert main(["debug", name, "--config", str(config)]) in (0, 1)
        printed = capsys.readouterr()
        if printed.out:
            run_script(story.engine.url, printed.out)
