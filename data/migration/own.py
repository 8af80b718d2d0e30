"""Our own tables: Alembic's revisions, as text, through the session."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from alembic.operations import Operations
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Column, Connection, LargeBinary, String, inspect, select, text
from sqlalchemy.dialects import mysql
from sqlalchemy.types import NullType, TypeEngine

from data.errors import EvenbooksError
from data.migration.session import Session
from data.schema import Schema
from data.settings import ROOT

SCRIPTS = ROOT / "sql" / "migrations"
VERSION_TABLE = "evenbooks_version"


@dataclass
class _Sink:
    """What Alembic takes for a file: each statement that it writes goes through the session."""

    session: Session

    def write(self, sql: str) -> None:
        """One statement, ended with a semicolon."""
        self.session.run(sql.strip().removesuffix(";"), table="evenbooks_*")

    def flush(self) -> None:
        """Nothing is kept back."""


def key_type(connection: Connection, schema: Schema) -> TypeEngine[Any]:
    """The customers' key as a type for our tables.

    Reflection leaves out a collation that is the table's default, and ours would then be the database's:
    two collations cannot be joined.
    """
    kind, column = schema.id_type, schema.physical("id")
    if isinstance(kind, NullType):
        return LargeBinary()  # SQLite keeps what it is given in a BLOB column, as in one of no type
    if schema.dialect == "sqlite" or not isinstance(kind, String):
        return kind
    charset, collation = (information(connection, column, f"{what}_name") for what in ("character_set", "collation"))
    make = mysql.CHAR if isinstance(kind, mysql.CHAR) else mysql.VARCHAR
    return make(kind.length or 255, charset=charset or None, collation=collation or None)


def information(connection: Connection, column: Column[Any], what: str) -> str:
    """A field of MariaDB's description of a column."""
    statement = (
        f"SELECT {what} FROM information_schema.columns "
        "WHERE table_schema = COALESCE(:schema, DATABASE()) AND table_name = :name AND column_name = :column"
    )
    values = {"schema": column.table.schema, "name": column.table.name, "column": column.name}
    return str(connection.execute(text(statement), values).scalar() or "")


def own_present(connection: Connection, schema: Schema) -> set[str]:
    """Names of our tables that are there, and `table.index` of theirs."""
    inspector = inspect(connection)
    names = {name for name in (*(t.name for t in schema.own.all), VERSION_TABLE) if inspector.has_table(name)}
    return names | {f"{name}.{index['name']}" for name in names for index in inspector.get_indexes(name)}


def make_own_tables(session: Session, schema: Schema, present: set[str]) -> None:
    """Walks every revision, each of which makes what is not there; then notes the last one."""
    connection, script = session.connection, ScriptDirectory(str(SCRIPTS))
    if VERSION_TABLE in present:
        version = connection.execute(text(f"SELECT version_num FROM {VERSION_TABLE}")).scalar()
    else:
        version = None
    options = {
        "as_sql": True,
        "output_buffer": _Sink(session),
        "version_table": VERSION_TABLE,
        "starting_rev": version,
        "id_type": key_type(connection, schema),
        "present": present,
    }
    context = MigrationContext.configure(connection=connection, opts=options)
    with Operations.context(context):
        for revision in reversed(list(script.walk_revisions())):
            revision.module.upgrade()
    if VERSION_TABLE not in present:
        suffix = "" if session.is_sqlite else " ENGINE=InnoDB CHARSET=utf8mb4"
        session.run(
            f"CREATE TABLE {VERSION_TABLE} (version_num VARCHAR(32) NOT NULL PRIMARY KEY){suffix}", table=VERSION_TABLE
        )
    if version != script.get_current_head():
        context.stamp(script, "head")


def made_by_us(connection: Connection, schema: Schema) -> set[str]:
    """What the events say that the migration made."""
    own = schema.own.events
    bodies = connection.execute(select(own.c.body).where(own.c.action.in_(["baseline", "migrate"]))).scalars()
    try:
        return {str(name) for body in bodies for name in json.loads(body).get("made", [])}
    except (ValueError, AttributeError):
        raise EvenbooksError(
            "An event of the migration cannot be read: the chain was tampered with. Run: python -m data.integrity"
        ) from None
