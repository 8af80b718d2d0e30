"""What the account must be allowed before anything runs: found by trying what can never succeed, and asked of PostgreSQL."""

from __future__ import annotations

import os
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import cast

import pymysql
from sqlalchemy import Connection, Table, text

from data.faults import BINARY_LOG, NOT_GRANTED
from data.guard import guard_name
from data.inspection import placed, quoted, quoted_table
from data.migration.piece import Piece
from data.schema import Schema

NOWHERE = "evenbooks_nowhere"  # a column, index, trigger that no table has


@dataclass(frozen=True)
class Lacking:
    """Something that the account may not do, and the statement by which somebody else allows it."""

    what: str
    cure: str


def lacking(connection: Connection, schema: Schema, todo: Sequence[Piece], missing: Collection[str]) -> list[Lacking]:
    """Everything that the account lacks for these pieces and for our `missing` tables; all of it, not the first."""
    if schema.dialect == "postgresql":
        return list(dict.fromkeys(_on_postgresql(connection, schema, todo, missing)))
    if schema.dialect == "mysql":
        return _on_mariadb(connection, schema, todo, missing)
    return []


def lacking_of_file(path: str) -> list[Lacking]:
    """The same for a SQLite file: it is written to, and so is its folder, where the journal is."""
    file, found = Path(path), list[Lacking]()
    if not file.is_file():  # in memory, or a URI
        return []
    if not os.access(file, os.W_OK):
        found.append(Lacking(f"write to the file {file}", f"chmod u+w '{file}'"))
    if not os.access(file.parent, os.W_OK):
        found.append(Lacking(f"write to the folder {file.parent}", f"chmod u+w '{file.parent}'"))
    return found


def sentence(found: Sequence[Lacking]) -> str:
    """All of it in one sentence, with what mends it."""
    listed = "; ".join(one.what for one in found)
    cures = " ".join(dict.fromkeys(f"{one.cure};" for one in found))
    return f"This account may not do what the migration needs: {listed}. To allow it: {cures}"


# MariaDB


@dataclass(frozen=True)
class _Try:
    """A statement that the server refuses for want of a privilege before it sees that it cannot be done."""

    privilege: str
    sql: str
    place: str


def _on_mariadb(
    connection: Connection, schema: Schema, todo: Sequence[Piece], missing: Collection[str]
) -> list[Lacking]:
    account = str(connection.execute(text("SELECT CURRENT_USER()")).scalar())
    user, _, host = account.rpartition("@")
    found: dict[str, list[str]] = {}
    extra: list[Lacking] = []
    connection.execute(text("SET @evenbooks_wait = @@lock_wait_timeout, SESSION lock_wait_timeout = 1"))
    for one in _tries(connection, schema, todo, missing):
        code = _answer(connection, one.sql)
        if code in NOT_GRANTED:
            found.setdefault(one.place, []).append(one.privilege)
        elif code == BINARY_LOG:
            extra.append(Lacking("make triggers beside a binary log", "SET GLOBAL log_bin_trust_function_creators = 1"))
    connection.execute(text("SET SESSION lock_wait_timeout = @evenbooks_wait"))
    connection.commit()
    lacks = [
        Lacking(f"{', '.join(rights)} on {place}", f"GRANT {', '.join(rights)} ON {place} TO '{user}'@'{host}'")
        for place, rights in ((place, list(dict.fromkeys(rights))) for place, rights in found.items())
    ]
    return lacks + extra[:1]


def _answer(connection: Connection, sql: str) -> int | None:
    """The server's error code. None of these statements can succeed, or they are of no row, and change nothing.

    By the driver alone: SQLAlchemy takes the answer about a trigger (4031) for a lost connection.
    """
    driver = cast(pymysql.Connection, connection.connection.dbapi_connection)
    try:
        with driver.cursor() as cursor:
            cursor.execute(sql)
    except pymysql.MySQLError as error:
        if not driver.open:
            raise
        return int(error.args[0])
    return None


def _tries(connection: Connection, schema: Schema, todo: Sequence[Piece], missing: Collection[str]) -> Iterator[_Try]:
    name = str(connection.execute(text("SELECT DATABASE()")).scalar())
    ours = f"{quoted(connection, name)}.*"
    for own in sorted(missing):
        yield _Try("CREATE", f"CREATE TABLE {own} (x INT, x INT)", ours)
        yield _Try("INDEX", f"DROP INDEX {NOWHERE} ON {own}", ours)
    for own in ("evenbooks_events", "evenbooks_chain", "evenbooks_checks"):
        yield _Try("SELECT", f"SELECT 1 FROM {own} LIMIT 0", ours)
        yield _Try("INSERT", f"INSERT INTO {own} (id) SELECT 1 FROM DUAL WHERE 1 = 0", ours)
    yield _Try("UPDATE", "UPDATE evenbooks_chain SET id = 1 WHERE 1 = 0", ours)
    for table in {t.name: t for t in (schema.customer_table, schema.order_table) if t is not None}.values():
        yield from _tries_on(connection, table, [piece for piece in todo if piece.table == table.name])
    for view in (piece for piece in todo if piece.option == "views"):
        table = schema.customer_table
        place, whole = placed(connection, table, view.table), _whole(connection, table, view.table)
        sql = f"CREATE OR REPLACE VIEW {place} AS SELECT {NOWHERE} FROM {quoted_table(connection, table)}"
        # CREATE too, because without it nothing is granted on what is not there yet.
        yield _Try("CREATE VIEW, CREATE, DROP", sql, whole)


def _tries_on(connection: Connection, table: Table, todo: Sequence[Piece]) -> Iterator[_Try]:
    place, whole = quoted_table(connection, table), _whole(connection, table)
    if any(sql.startswith("ALTER") for piece in todo for sql in piece.make):
        yield _Try("ALTER", f"ALTER TABLE {place} DROP COLUMN {NOWHERE}", whole)
    if any("INDEX" in sql for piece in todo for sql in piece.make):
        yield _Try("INDEX", f"DROP INDEX {NOWHERE} ON {place}", whole)
    if any(piece.is_guard for piece in todo):
        trigger = placed(connection, table, guard_name(table))
        sql = f"CREATE TRIGGER {trigger} BEFORE DELETE ON {place} FOR EACH ROW FOLLOWS {NOWHERE} SET @evenbooks = 1"
        yield _Try("TRIGGER", sql, whole)


def _whole(connection: Connection, table: Table, name: str | None = None) -> str:
    """The name of the table, or of something beside it, with its database's, as GRANT wants it."""
    database = table.schema or str(connection.execute(text("SELECT DATABASE()")).scalar())
    return f"{quoted(connection, database)}.{quoted(connection, name or table.name)}"


# PostgreSQL


def _on_postgresql(
    connection: Connection, schema: Schema, todo: Sequence[Piece], missing: Collection[str]
) -> Iterator[Lacking]:
    account = quoted(connection, str(connection.execute(text("SELECT current_user")).scalar()))
    if missing:
        yield from _creating(connection, None, account)
    for table in (t for t in (schema.customer_table, schema.order_table) if t is not None):
        mine = [piece for piece in todo if piece.table == table.name]
        if any(not piece.is_guard for piece in mine):
            yield from _owning(connection, table, account)
        if mine or any(piece.option == "views" for piece in todo):
            yield from _creating(connection, table.schema, account)
        if any(piece.is_guard for piece in mine):
            yield from _triggering(connection, table, account)


def _creating(connection: Connection, schema: str | None, account: str) -> Iterator[Lacking]:
    statement = text(
        "SELECT coalesce(:schema, current_schema()), has_schema_privilege(coalesce(:schema, current_schema()), 'CREATE')"
    )
    name, may = connection.execute(statement, {"schema": schema}).one()
    if not may:
        place = quoted(connection, str(name))
        yield Lacking(f"CREATE in the schema {place}", f"GRANT CREATE ON SCHEMA {place} TO {account}")


def _owning(connection: Connection, table: Table, account: str) -> Iterator[Lacking]:
    statement = text(
        "SELECT r.rolname, pg_has_role(c.relowner, 'USAGE'), r.rolsuper FROM pg_class c JOIN pg_roles r ON r.oid = c.relowner "
        "WHERE c.oid = CAST(:place AS regclass)"
    )
    place = quoted_table(connection, table)
    owner, mine, is_superuser = connection.execute(statement, {"place": place}).one()
    if not mine:
        whose = quoted(connection, str(owner))
        # Nobody is made a superuser for this.
        cure = f"ALTER TABLE {place} OWNER TO {account}" if is_superuser else f"GRANT {whose} TO {account}"
        yield Lacking(f"change {place}, which belongs to {whose}", cure)


def _triggering(connection: Connection, table: Table, account: str) -> Iterator[Lacking]:
    place = quoted_table(connection, table)
    statement = text("SELECT has_table_privilege(CAST(:place AS regclass), 'TRIGGER')")
    if not connection.execute(statement, {"place": place}).scalar():
        yield Lacking(f"TRIGGER on {place}", f"GRANT TRIGGER ON {place} TO {account}")
