"""Our own tables: Alembic's revisions, as text, through the session."""

from __future__ import annotations

import json
from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

from alembic.operations import Operations
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import CHAR, BigInteger, Column, Connection, LargeBinary, String, select, text
from sqlalchemy.dialects import mysql
from sqlalchemy.dialects.postgresql import CITEXT
from sqlalchemy.types import NullType, TypeEngine

from data.errors import EvenbooksError
from data.inspection import column_information, index_names, is_there
from data.kinds import NumberKey
from data.migration.piece import Known
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
    if isinstance(kind, NumberKey):
        return BigInteger()
    if schema.dialect == "postgresql" and isinstance(kind, String):
        # One collation with theirs: two could not be joined.
        return _as_theirs(connection, column)
    if schema.dialect != "mysql" or not isinstance(kind, String):
        return kind
    charset, collation = (
        column_information(connection, column.table, column.name, f"{what}_name")
        for what in ("character_set", "collation")
    )
    make = mysql.CHAR if isinstance(kind, mysql.CHAR) else mysql.VARCHAR
    return make(kind.length or 255, charset=charset or None, collation=collation or None)


def _as_theirs(connection: Connection, column: Column[Any]) -> TypeEngine[Any]:
    """Text of the collation of a column on PostgreSQL; `column` of a case-blind type keeps that type."""
    if isinstance(column.type, CITEXT):
        return column.type
    statement = (
        "SELECT collation_name FROM information_schema.columns WHERE table_schema = coalesce(:schema, current_schema()) "
        "AND table_name = :name AND column_name = :column"
    )
    values = {"schema": column.table.schema, "name": column.table.name, "column": column.name}
    collation = connection.execute(text(statement), values).scalar()
    kind = CHAR if isinstance(column.type, CHAR) else String
    return kind(column.type.length if isinstance(column.type, String) else None, collation=collation)


def own_present(connection: Connection, schema: Schema) -> set[str]:
    """Names of our tables that are there as far as this account may know, and `table.index` of theirs."""
    names = {name for name in own_names(schema) if is_there(connection, name)}
    return names | {f"{name}.{index}" for name in names for index in index_names(connection, name)}


def own_unseen(connection: Connection, schema: Schema, present: Collection[str]) -> list[str]:
    """Names of those of our tables that are not `present`, and of which this account may not know whether they are there."""
    return [name for name in own_names(schema) if name not in present and is_there(connection, name) is None]


def own_names(schema: Schema) -> list[str]:
    """The names of our tables, that of their version included."""
    return [*(table.name for table in schema.own.all), VERSION_TABLE]


def own_versions(connection: Connection) -> tuple[str | None, list[str]]:
    """The version of our tables, None where none is noted, and those that this Evenbooks knows, the newest first."""
    known = [revision.revision for revision in ScriptDirectory(str(SCRIPTS)).walk_revisions()]
    if not is_there(connection, VERSION_TABLE):
        return None, known
    return connection.execute(text(f"SELECT version_num FROM {VERSION_TABLE}")).scalar(), known


def known_version(connection: Connection, what: str = "migration") -> str | None:
    """The version of our tables; None where none is noted. Raises EvenbooksError where a newer Evenbooks made them.

    `what` is to be run with that one then.
    """
    version, known = own_versions(connection)
    if version is not None and version not in known:
        raise EvenbooksError(
            f"The evenbooks_ tables of this database are of version {version}, and this Evenbooks knows {known[0]} at most: "
            f"a newer one made them. Run the {what} of that one. Nothing was changed."
        )
    return version


def make_own_tables(session: Session, schema: Schema, present: set[str]) -> None:
    """Walks every revision, each of which makes what is not there; then notes the last one."""
    connection, script = session.connection, ScriptDirectory(str(SCRIPTS))
    version = known_version(connection)
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
        suffix = " ENGINE=InnoDB CHARSET=utf8mb4" if schema.dialect == "mysql" else ""
        session.run(
            f"CREATE TABLE {VERSION_TABLE} (version_num VARCHAR(32) NOT NULL PRIMARY KEY){suffix}", table=VERSION_TABLE
        )
    if version != script.get_current_head():
        context.stamp(script, "head")


def known_of(connection: Connection, schema: Schema, present: Collection[str], asked: Collection[str] = ()) -> Known:
    """What is known before looking at the company's tables: `asked` are the options that were given."""
    if schema.own.events.name not in present:
        return Known(asked)
    own = schema.own.events
    written = select(own.c.body).where(own.c.action.in_(["baseline", "migrate"])).order_by(own.c.id)
    made: set[str] = set()
    digests: dict[str, str] = {}
    try:
        for body in map(json.loads, connection.execute(written).scalars()):
            made.update(map(str, body.get("made", [])))
            digests.update(body.get("digests", {}))
    except (ValueError, AttributeError):
        raise EvenbooksError(
            "An event of the migration cannot be read: the chain was tampered with. Run: python -m data.integrity"
        ) from None
    return Known(asked, made, digests)
