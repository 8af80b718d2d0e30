"""Names of the company's tables and columns: quoted for SQL, cut to what the engine allows, found as words."""

from __future__ import annotations

import hashlib
import re
from typing import Any

from sqlalchemy import Connection, Table

LONGEST_NAME = 64  # characters on MariaDB
MOST_BYTES = 63  # on PostgreSQL, which cuts a longer name silently


def quoted(connection: Connection, name: str) -> str:
    """The name as it stands in SQL text. The live preparer would double every percent sign."""
    plain: Any = type(connection.dialect)
    preparer = plain(paramstyle="named").identifier_preparer
    preparer.reserved_words = connection.dialect.identifier_preparer.reserved_words
    return str(preparer.quote(name))


def quoted_table(connection: Connection, table: Table) -> str:
    """The table's name, its schema's before it where it has one, quoted for this engine."""
    return placed(connection, table, table.name)


def placed(connection: Connection, table: Table, name: str) -> str:
    """The name of something in the table's schema, quoted with it."""
    return ".".join(quoted(connection, part) for part in (table.schema, name) if part)


def shortened(connection: Connection, name: str) -> str:
    """The name, cut to the longest that this engine keeps whole."""
    if connection.dialect.name != "postgresql":
        return name[:LONGEST_NAME]
    return name.encode()[:MOST_BYTES].decode(errors="ignore")


def name_of_index(connection: Connection, *parts: str) -> str:
    """`idx_table_column`; where that is too long, cut, and told apart by the beginning of the whole name's SHA-256."""
    whole = "_".join(["idx", *parts])
    if shortened(connection, whole) == whole:
        return whole
    told_apart = hashlib.sha256(whole.encode()).hexdigest()[:8]
    return shortened(connection, whole).encode()[: MOST_BYTES - 9].decode(errors="ignore") + f"_{told_apart}"


def master(connection: Connection, table: Table) -> str:
    """SQLite's list of what is in the file."""
    return placed(connection, table, "sqlite_master")


def unescaped(name: object) -> str:
    """SQLAlchemy reads MariaDB's names as SHOW CREATE TABLE writes them."""
    return str(name).replace("``", "`")


def mentions(words: str, column: str) -> bool:
    """Whether SQL text has this name as a word."""
    return bool(re.search(rf"(?<!\w){re.escape(column)}(?!\w)", words, re.IGNORECASE))


def assigns(words: str, column: str) -> bool:
    """Whether SQL text seems to give the column a value: SET ... column =, INTO NEW.column, NEW.column := (or = as a statement)."""
    name = rf"[`\"\[]?(?<!\w){re.escape(column)}(?!\w)[`\"\]]?"
    new = rf"\bnew\s*\.\s*{name}"
    ways = (
        rf"\bset\b[^;]*?{name}\s*:?=",
        rf"\binto\b[^;(]*?{new}",
        rf"{new}\s*:=",
        rf"(?:;|\b(?:begin|then|else|loop)\b)\s*{new}\s*=",
    )
    # A comment may stand between; one that is no comment but text hides nothing from the first look.
    bare = re.sub(r"--[^\n]*|/\*.*?\*/", " ", words, flags=re.S)
    return any(re.search(way, text, re.I | re.S) for way in ways for text in (words, bare))
