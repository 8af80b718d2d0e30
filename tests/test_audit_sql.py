"""`python -m data.sql audit`: run by the engines' own clients it says what the check says, and finds what it finds."""

from __future__ import annotations

import hashlib
import sqlite3
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from auditing import ODD_ACTOR, assert_even, audited, found, told
from clients import attempt, run_script
from shops import ADMIN, CUSTOMERS, ORDERS, PEOPLE, PHONE, execute, fill, migrated, problems
from sqlalchemy.engine import make_url
from test_mapping import awkwardly_named

from data.customers import add, delete_many, restore_many
from data.database import Database
from data.seals import unseal
from data.sql.audit import audit_sql, question_names
from data.sql.cli import main


@pytest.fixture
def story(shop_after: Callable[..., Database]) -> Database:
    """Events 1 (baseline), 2 (delete 4), 3 (delete 1, with a note), 4 (delete 2), 5 (restore 1), 6 (seals January 2024)."""
    return shop_after(told)


def test_it_has_the_figures_of_the_check_and_no_problem(story: Database) -> None:
    assert_even(story)
    erased = {row["month"]: Decimal(row["erased"]) for row in audited(story, "hard_delete")}
    assert erased["2024-02"] == Decimal("50.00")


def test_it_follows_a_mapping_with_awkward_names(empty_url: str) -> None:
    shop = migrated(empty_url, awkwardly_named(empty_url))
    delete_many(shop, [1], actor=ADMIN, reason="mistake")
    assert_even(shop)
    execute(shop.engine, "UPDATE `Kunden Liste` SET `weg am` = '2020-01-01 00:00:00'")
    assert found(shop) == {"deletions": 1}  # customer 2 is no customer here
    shop.engine.dispose()


RICH: dict[str, Any] = {
    "customers": {"name": ["name", "phone"], "where": "phone <> 'C:\\\\x %s :y' AND name <> '100%'"},
    "orders": {
        "query": "SELECT id, customer_id, ordered_at, total, status, money AS currency FROM orders WHERE status <> ':no%' ;",
        "no_customer": ["", "0"],
        "status": "status",
        "revenue_statuses": ["paid", "o'pen\\"],
        "currency": "currency",
    },
}


# PostgreSQL's texts have no escapes.
UNESCAPED = {**RICH, "customers": {**RICH["customers"], "where": RICH["customers"]["where"].replace("\\\\", "\\")}}


def test_it_follows_a_query_currencies_statuses_text_keys_and_doubles(
    empty_url: str, opened: Callable[..., Database]
) -> None:
    key = "VARCHAR(20) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin" if empty_url.startswith("mysql") else "VARCHAR(20)"
    ids = ["a'b", "x:y%z", "\\", "Ä", "7", "gone"]
    sales = [(n, one, f"2024-0{n}-05", f"{n}.000001", "paid") for n, one in enumerate(ids, start=1)]
    sales += [
        (7, "", "2024-01-06", "0.1", "paid"),
        (8, "0", "2024-01-07", "0.2", "o'pen\\"),
        (9, "Ä", "not yet", "0.3", "paid") if empty_url.startswith("sqlite") else (9, "Ä", None, "0.3", "paid"),
        (10, "a'b", "2024-01-08", "1000", "draft"),
        (12, None, "2024-01-08", "500", "draft"),
        (11, "nobody", "2024-01-08", "12345678.9", "paid"),
    ]
    shop = opened(
        empty_url,
        customers=CUSTOMERS.replace("id {key}", f"id {key} NOT NULL PRIMARY KEY"),
        orders=ORDERS.replace("customer_id INTEGER", f"customer_id {key}")
        .replace("DECIMAL(12,2)", "DOUBLE PRECISION")
        .replace("status", "money VARCHAR(3) DEFAULT 'USD', status"),
        people=[{"id": one, "name": "IT", "phone": "1"} for one in ids[:-1]],
        sales=sales,
        also=["UPDATE orders SET money = 'CHF'"],
        sections=RICH if not empty_url.startswith("postgresql") else UNESCAPED,
    )
    execute(shop.engine, "UPDATE orders SET money = 'JPY' WHERE id = 3", "UPDATE orders SET money = '' WHERE id = 4")
    delete_many(shop, ids[:4], actor=ADMIN, reason="mistake")
    restore_many(shop, ids[1:2], actor=ODD_ACTOR, reason="undo")
    assert_even(shop)
    assert {row["currency"] for row in audited(shop, "totals")} == {"USD", "JPY", "XXX"}
    execute(shop.engine, "UPDATE orders SET customer_id = 'a lost one' WHERE id = 2")
    assert found(shop) == {"missing customers": 1}
    execute(shop.engine, "UPDATE orders SET customer_id = 'nobody' WHERE id = 1")
    assert found(shop) == {"missing customers": 2, "lost orders": 1}


def test_customers_deleted_before_it_was_installed_are_known(empty_url: str, opened: Callable[..., Database]) -> None:
    shop = opened(
        empty_url,
        customers=CUSTOMERS.replace("phone", "deleted_at {time} NULL, phone"),
        people=[{**one, "deleted_at": "2023-05-06 07:08:09" if one["id"] in (2, 4) else None} for one in PEOPLE],
        sections=PHONE,
    )
    assert_even(shop)
    restore_many(shop, [2], actor=ADMIN, reason="undo")
    assert_even(shop)
    execute(shop.engine, "UPDATE customers SET deleted_at = '2023-05-06 07:08:10' WHERE id = 4")
    assert found(shop) == {"deletions": 1}


def test_ordinary_shop_activity_leaves_it_at_zero(story: Database) -> None:
    fill(
        story.engine,
        "orders",
        [
            {"id": 20, "customer_id": 2, "ordered_at": "2024-06-01 00:00:00", "total": "-50.00", "status": "paid"},
            {"id": 21, "customer_id": 4, "ordered_at": "2024-06-01 00:00:00", "total": "1.00", "status": "open"},
        ],
    )
    add(story, {"name": "Cy"}, actor=ADMIN)
    assert_even(story)


@pytest.mark.parametrize("engine_name", ["sqlite"], indirect=True)
def test_sqlite_computes_sha_256_of_any_text(empty_url: str, tmp_path: Path) -> None:
    texts = ["x" * n for n in (*range(130), 183, 184, 191, 192, 1000, 4096, 20_000)]
    texts += ["é" * n + "陈🚀" for n in range(40)] + ['{"a":"\\u00e9"}', "\n\t\r"]
    file = tmp_path / "texts.sqlite"
    with sqlite3.connect(file) as connection:
        connection.execute("CREATE TABLE evenbooks_events (id INTEGER PRIMARY KEY, prev, body, note, note_salt)")
        rows = [("" if n % 2 else "ab", words, words, "salt") for n, words in enumerate(texts)]
        connection.executemany("INSERT INTO evenbooks_events (prev, body, note, note_salt) VALUES (?, ?, ?, ?)", rows)
    connection.close()
    template = (Path(__file__).parent.parent / "sql/audit/sqlite/10_hashes.sql").read_text()
    command = template + "SELECT event, of_note, hash FROM temp.evenbooks_hashes ORDER BY 1, 2;"
    found_rows = run_script(make_url(f"sqlite:///{file}"), command)
    hashed = [(row["event"], row["of_note"], row["hash"]) for row in found_rows]
    expected = []
    for number, (prev, body, note, salt) in enumerate(rows, start=1):
        expected += [(number, 0, sha(prev + body)), (number, 1, sha(salt + note))]
    assert hashed == expected


def sha(words: str) -> str:
    return hashlib.sha256(words.encode()).hexdigest()


def test_it_writes_nothing_and_does_without_the_right_to_write(story: Database) -> None:
    script = audit_sql(story)
    before = problems(story), [tuple(row.items()) for row in audited(story, "tables")]
    if story.engine.dialect.name == "sqlite":
        path = Path(str(story.engine.url.database))
        story.engine.dispose()
        content = path.read_bytes()
        assert attempt(story.engine.url, "PRAGMA wal_checkpoint;").returncode == 0
        path.chmod(0o444)
        run_script(story.engine.url, script)
        assert path.read_bytes() == content
        path.chmod(0o644)
    else:
        run_script(story.engine.url, script)
    assert (problems(story), [tuple(row.items()) for row in audited(story, "tables")]) == before


def test_the_command_prints_all_or_one_and_says_what_is_wrong(
    story: Database, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    config = tmp_path / "evenbooks.toml"
    config.write_text('[customers]\nphone = "phone"\n')
    monkeypatch.setenv("DATABASE_URL", story.settings.database_url)
    assert main(["audit", "--config", str(config)]) == 0
    whole = capsys.readouterr().out
    assert whole == audit_sql(story)
    assert main(["audit", "months", "--config", str(config)]) == 0
    one = capsys.readouterr().out
    assert "'Months'" in one
    assert "'Chain'" not in one
    rows = run_script(story.engine.url, one)
    assert {row["check"] for row in rows} == {"Months"}
    assert main(["audit", "nothing", "--config", str(config)]) == 1
    assert capsys.readouterr().err.startswith("There is no question nothing. These are: months, totals, ")
    monkeypatch.setenv("DATABASE_URL", f"sqlite:///{tmp_path}/nowhere.sqlite")
    assert main(["audit"]) == 1
    assert "There is no database file" in capsys.readouterr().err
    monkeypatch.setenv("DATABASE_URL", "nonsense")
    assert main(["grants"]) == 1
    assert capsys.readouterr().err.startswith("DATABASE_URL is not a database URL.")


def test_every_question_stands_alone(story: Database) -> None:
    for name in question_names():
        if name in ("hashes",) and story.engine.dialect.name != "sqlite":
            continue
        audited(story, name)


MODES = ["ORACLE", "ANSI", "NO_BACKSLASH_ESCAPES", "PAD_CHAR_TO_FULL_LENGTH", "EMPTY_STRING_IS_NULL", "TRADITIONAL", "HIGH_NOT_PRECEDENCE", "ONLY_FULL_GROUP_BY"]  # fmt: skip


@pytest.mark.parametrize("engine_name", ["mariadb"], indirect=True)
@pytest.mark.parametrize("mode", MODES)
def test_the_mode_of_the_server_moves_nothing(story: Database, mode: str) -> None:
    unseal(story, "2024-01", actor=ADMIN, reason="mistake")
    script = audit_sql(story)
    with story.engine.connect() as connection:
        before = connection.exec_driver_sql("SELECT @@global.sql_mode").scalar_one()
    execute(story.engine, f"SET GLOBAL sql_mode = '{mode}'")
    try:
        assert found(story) == {}
        rows = run_script(story.engine.url, script)
        assert {str(row["problems"]) for row in rows if row.get("check") == "Summary"} == {"0"}
        execute(
            story.engine, "UPDATE evenbooks_events SET note = 'polite' WHERE id = 3", "DELETE FROM orders WHERE id = 7"
        )
        assert found(story) == {"chain": 1, "lost orders": 1}
    finally:
        execute(story.engine, f"SET GLOBAL sql_mode = '{before}'")


@pytest.mark.parametrize("engine_name", ["mariadb"], indirect=True)
def test_the_zone_of_the_server_moves_nothing(story: Database) -> None:
    execute(story.engine, "SET GLOBAL time_zone = '+05:00'")
    try:
        assert found(story) == {}
    finally:
        execute(story.engine, "SET GLOBAL time_zone = 'SYSTEM'")
