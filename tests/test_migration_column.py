"""A deleted_at that is there already: used where it can serve, refused with what to do where it cannot."""

from __future__ import annotations

import re

import pytest
from migrating import MakeUrl, ask, bodies, build, contents, dump
from sqlalchemy.exc import DBAPIError

from data import migration
from data.errors import ConfigurationError

pytestmark = pytest.mark.usefixtures("own_folder")


def test_who_was_deleted_already_stays_so(make_url: MakeUrl) -> None:
    column = "ALTER TABLE customers ADD COLUMN deleted_at {time} NULL DEFAULT NULL"
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
        ("TINYINT(1) NOT NULL DEFAULT 0", "is TINYINT(1), not a time"),
        ("DATE", "is DATE, not a time"),
        ("DATETIME AS (created_at) VIRTUAL", "is computed"),
    ],
    "postgresql": [
        ("TIMESTAMP NOT NULL DEFAULT '1970-01-01'", "does not allow NULL"),
        ("TIMESTAMP DEFAULT now()", "has the default"),
        ("TIMESTAMPTZ DEFAULT '2024-01-01 00:00:00'", "has the default"),
        ("TEXT", "is TEXT, not a time"),
        ("BOOLEAN", "is BOOLEAN, not a time"),
        ("SMALLINT", "is SMALLINT, not a time"),
        ("DATE", "is DATE, not a time"),
        ("TIMESTAMP GENERATED ALWAYS AS (created_at) STORED", "is computed"),
    ],
}
FLAG = "A flag cannot say when: rename it, or"
GONE = "2023-05-06 07:08:09"  # in UTC
# The column as it is, what of the sentence says what to do ({} is the statement's beginning), what stands there for
# who is deleted, what for who is active, and when the deleted one was deleted, in UTC, once it is done.
CURES = {
    "sqlite": [
        ("INTEGER", FLAG, "1", "NULL", None),
        ("DATETIME DEFAULT '1970-01-01'", "make the table anew with a right one", f"'{GONE}'", "NULL", None),
    ],
    "mariadb": [
        ("TINYINT(1) NOT NULL DEFAULT 0", FLAG, "1", "0", None),
        ("BIT(1) NULL", FLAG, "1", "0", None),
        ("ENUM('no', 'yes') NOT NULL", "Rename it, or", "'yes'", "'no'", None),
        ("TIME NULL", "Rename it, or", "'07:08:09'", "NULL", None),
        (
            "TIMESTAMP(3) NOT NULL DEFAULT CURRENT_TIMESTAMP(3)",
            "Allow NULL ({} MODIFY deleted_at TIMESTAMP(3) NULL DEFAULT NULL;)",
            f"'{GONE}.125'",
            "'1970-01-02 00:00:00'",
            f"{GONE}.125000",
        ),
        (
            "TIMESTAMP NULL ON UPDATE CURRENT_TIMESTAMP",
            "Change it ({} MODIFY deleted_at TIMESTAMP NULL DEFAULT NULL;)",
            f"'{GONE}'",
            "NULL",
            GONE,
        ),
        ("DATETIME(6) NOT NULL", "Allow NULL", f"'{GONE}.125'", "'0000-00-00'", f"{GONE}.125000"),
        ("DATETIME NULL ON UPDATE CURRENT_TIMESTAMP", "Change it", f"'{GONE}'", "NULL", GONE),
        (
            "TIMESTAMP NULL DEFAULT '2024-01-01 00:00:00'",
            "Drop the default ({} ALTER COLUMN deleted_at SET DEFAULT NULL;)",
            f"'{GONE}'",
            "'2024-01-01'",
            GONE,
        ),
        ("DATE NOT NULL", "Change it ({} MODIFY", "'2023-05-06'", "'0000-00-00'", "2023-05-06 00:00:00"),
        ("VARCHAR(30) NULL", "Change it once every value is a time", f"'{GONE}.5'", "NULL", f"{GONE}.500000"),
        ("VARCHAR(30) NULL", "SET sql_mode = 'STRICT_ALL_TABLES'; {}", "'yes'", "''", "refused"),
    ],
    "postgresql": [
        ("BOOLEAN NOT NULL DEFAULT false", FLAG, "true", "false", None),
        ("TIME", "Rename it, or", "'07:08:09'", "NULL", None),
        ("TEXT[]", "Rename it, or", "'{}'", "NULL", None),
        (
            "TIMESTAMP NOT NULL DEFAULT '1970-01-01'",
            "Allow NULL ({} ALTER COLUMN deleted_at DROP NOT NULL;)",
            f"'{GONE}'",
            "'1970-01-01'",
            GONE,
        ),
        (
            "TIMESTAMPTZ DEFAULT '2024-01-01'",
            "Drop the default ({} ALTER COLUMN deleted_at SET DEFAULT NULL;)",
            f"'{GONE}Z'",
            "'2024-01-01'",
            f"{GONE}+00:00",
        ),
        (
            "DATE NOT NULL DEFAULT '1970-01-01'",
            "Change it",
            "'2023-05-06'",
            "'1970-01-01'",
            "2023-05-06 00:00:00+00:00",
        ),
        ("TEXT NOT NULL DEFAULT '1970-01-01'", "Change it once", f"'{GONE}'", "'1970-01-01'", f"{GONE}+00:00"),
        ("VARCHAR(40)", "Change it once", "'2023-05-06 09:08:09+02'", "NULL", f"{GONE}+00:00"),
        ("TEXT", "Change it once", "'yes'", "''", "refused"),
    ],
}
# A session as an administrator's may be: hours from UTC, and lenient.
ELSEWHERE = {
    "mariadb": ["SET time_zone = '+05:00'", "SET sql_mode = ''"],
    "postgresql": ["SET TIME ZONE 'Asia/Kolkata'"],
}
IN_UTC = {"mariadb": "SET time_zone = '+00:00'", "postgresql": "SET TIME ZONE 'UTC'"}


def test_a_column_that_cannot_serve_is_refused_before_anything_is_done(make_url: MakeUrl, engine_name: str) -> None:
    for kind, why in WRONG[engine_name]:
        settings = build(url := make_url(), also=(f"ALTER TABLE customers ADD COLUMN deleted_at {kind}",))
        schema, rows = dump(url), contents(url)
        with pytest.raises(ConfigurationError, match=re.escape(why)) as refused:
            migration.migrate(settings)
        assert "customers.deleted_at is there already" in str(refused.value)
        assert "Nothing was changed." in str(refused.value)
        assert (dump(url), contents(url)) == (schema, rows)


def test_what_is_said_to_do_makes_it_right_and_loses_nothing(make_url: MakeUrl, engine_name: str) -> None:
    utc = [IN_UTC[engine_name]] if engine_name in IN_UTC else []
    lenient = ["SET sql_mode = ''"] if engine_name == "mariadb" else []
    for kind, cure, gone, active, since in CURES[engine_name]:
        settings = build(url := make_url())
        set_to = "UPDATE customers SET deleted_at = {}"
        marks = [set_to.format(active), f"{set_to.format(gone)} WHERE id = 2"]
        ask(url, *utc, *lenient, f"ALTER TABLE customers ADD COLUMN deleted_at {kind}", *marks)
        with pytest.raises(ConfigurationError) as refused:
            migration.migrate(settings)
        words = str(refused.value)
        assert cure.format("ALTER TABLE customers") in words
        if since is None:
            assert not re.search("ALTER TABLE", words)
            continue
        statements = re.search(r"\(((?:SET|ALTER) .*?);\) and set it to NULL for those who are active", words)
        assert statements
        follow = [*ELSEWHERE[engine_name], *statements[1].split("; ")]
        if since == "refused":
            with pytest.raises(DBAPIError):
                ask(url, *follow)
            assert ask(url, "SELECT deleted_at FROM customers WHERE id = 2") == [("yes",)]
            continue
        ask(url, *follow, "UPDATE customers SET deleted_at = NULL WHERE id <> 2")
        if "DROP NOT NULL" in words and "SET TIME ZONE" not in words:  # its default is said next
            ask(url, "ALTER TABLE customers ALTER COLUMN deleted_at SET DEFAULT NULL")
        migration.migrate(settings)
        ask(url, "INSERT INTO customers (id, name) VALUES (90, 'New')")
        found = ask(url, *utc, "SELECT id, deleted_at FROM customers WHERE deleted_at IS NOT NULL")
        assert [(key, str(at)) for key, at in found] == [(2, since)], kind


# By the URL's first word: a deleted_at that is no time, in a column of this kind.
EMPTY = {
    "sqlite": ("''", "TEXT"),
    "mysql": ("'0000-00-00 00:00:00'", "DATETIME NULL"),
    "postgresql": ("'infinity'", "TIMESTAMP"),
}


def test_values_that_are_no_time_are_refused(make_url: MakeUrl) -> None:
    url = make_url()
    empty, kind = EMPTY[url.partition(":")[0].partition("+")[0]]
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
