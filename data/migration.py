"""Prepares a company's database: inspect, say, do only what is missing, verify, prove; and undo."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, cast

from alembic.operations import Operations
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Column, Connection, DateTime, Engine, String, Table, inspect, select, text
from sqlalchemy.dialects import mysql
from sqlalchemy.exc import DBAPIError
from sqlalchemy.types import TypeEngine

from data import events, integrity, money, queries
from data.access import script_actor
from data.database import attach, error_code, make_engine, now, translated
from data.errors import ConfigurationError, DatabaseReadOnly, DatabaseUnavailable, EvenbooksError
from data.events import Draft
from data.records import Figures
from data.schema import Schema, literal_sql, reflect
from data.settings import ROOT, Settings

Say = Callable[[str], None]
Key = tuple[str | None, str]
SCRIPTS = ROOT / "sql" / "migrations"
VERSION_TABLE = "evenbooks_version"
COMMENT = "Customers table with soft delete support"
LOCK_WAIT = 5  # seconds
MOST_MISSING = 10_000
REFUSED_ALGORITHM = {1845, 1846}
NOT_ALLOWED = {1044, 1142, 1143, 1227}
LONGEST_KEY = 3072  # bytes of an InnoDB index
LONGEST_NAME = 64


def _silent(_line: str) -> None:
    """Says nothing."""


def migrate(
    settings: Settings,
    *,
    dry_run: bool = False,
    revenue_index: bool = False,
    say: Say = _silent,
    engine: Engine | None = None,
) -> None:
    """Makes what soft delete needs and is not there yet; running it again does nothing, or mends.

    A dry run says the exact SQL and changes nothing. Raises EvenbooksError (of several kinds), after which
    running it again continues.
    """
    with _session(settings, dry_run, say, engine) as session:
        _migrate(session, revenue_index)
    if not dry_run:
        with _engine(settings, engine) as used:
            report = integrity.run_and_record(attach(settings, engine=used))
            say(integrity.verdict(report))


def undo(
    settings: Settings,
    *,
    dry_run: bool = False,
    say: Say = _silent,
    export: Path | None = None,
    engine: Engine | None = None,
) -> None:
    """Removes what the events say the migration made, after writing every event to a JSON-lines file.

    The file is `export`, or evenbooks-events-<UTC time>.jsonl in the current folder. Raises EvenbooksError
    while anybody is deleted who was not before the migration.
    """
    with _session(settings, dry_run, say, engine) as session:
        file = export or Path.cwd() / f"evenbooks-events-{now():%Y%m%dT%H%M%SZ}.jsonl"
        _undo(session, file)


# The session: one connection, and the one way for a statement into the database


@dataclass
class Session:
    """A connection, and how statements reach it: printed, or printed and run."""

    connection: Connection
    settings: Settings
    dry_run: bool
    say: Say

    @property
    def is_sqlite(self) -> bool:
        """Whether this is SQLite, where all of it is one transaction."""
        return self.connection.dialect.name == "sqlite"

    def tell(self, line: str) -> None:
        """Says a sentence; in a dry run as a comment, so that the whole of it is SQL."""
        self.say(f"-- {line}" if self.dry_run else line)

    def run(self, *alternatives: str, table: str = "") -> None:
        """Prints a statement and, unless this is a dry run, runs it; the next one where the algorithm is refused."""
        for number, sql in enumerate(alternatives, start=1):
            self.say(f"{sql};")
            if self.dry_run:
                break
            try:
                self.connection.execute(text(literal_sql(sql))).close()
                self.settle()
                break
            except DBAPIError as error:
                if error_code(error) not in REFUSED_ALGORITHM or number == len(alternatives):
                    raise _explained(error, table) from error
                self.tell("The server refuses this way of doing it for this table; the next one also lets others work.")
        if self.dry_run and len(alternatives) > 1:
            self.tell("Where the server refuses that, it is: " + f"{alternatives[1]};")

    def run_outside(self, sql: str) -> bool:
        """The same for a PRAGMA that no transaction may contain. Answers whether it was done."""
        self.say(f"{sql};")
        if self.dry_run:
            return True
        self.connection.commit()
        driver = cast(sqlite3.Connection, self.connection.connection.dbapi_connection)
        try:
            found = driver.execute(sql).fetchone()
        except sqlite3.OperationalError:
            return False
        return bool(found) and str(found[0]).lower() == sql.rpartition(" ")[2].lower()

    def settle(self) -> None:
        """Ends the transaction where statements on tables would end it anyway."""
        if not self.is_sqlite:
            self.connection.commit()


def _explained(error: DBAPIError, table: str) -> EvenbooksError:
    words = str(getattr(error.orig, "args", ("",))[-1])
    if error_code(error) == 1205:
        return DatabaseUnavailable(
            f"Others have held the table {table} for more than {LOCK_WAIT} seconds (an open transaction, a long query, "
            "a backup), so this step was given up; it changed nothing. Run this again: it continues here."
        )
    if error_code(error) in NOT_ALLOWED or "readonly" in words:
        return DatabaseReadOnly(
            f"This account may not run that statement ({words}). Run this with an account that may change tables "
            "(--database-url); the dashboard does not need one. Running it again continues here."
        )
    return EvenbooksError(
        f"The database refused that statement: {words}. Once this is cured, run this again: it continues here."
    )


@contextmanager
def _engine(settings: Settings, engine: Engine | None) -> Iterator[Engine]:
    used = engine or make_engine(settings.url)
    try:
        yield used
    finally:
        if engine is None:
            used.dispose()


@contextmanager
def _session(settings: Settings, dry_run: bool, say: Say, engine: Engine | None) -> Iterator[Session]:
    """A session of its own settings and lock, closed afterwards. On SQLite an error rolls all of it back."""
    _require_file(settings)
    with _engine(settings, engine) as used, translated(used.url), used.connect() as connection:
        session = Session(connection, settings, dry_run, say)
        if session.is_sqlite:
            if not dry_run:
                connection.execution_options(write=True)  # BEGIN IMMEDIATE: a second runner waits
            yield session
            connection.commit()
            return
        connection.detach()  # its settings must not come back from the pool
        # Their columns may have zero dates as defaults, which would stop every change of the table.
        wait = (
            f"SET SESSION lock_wait_timeout = {LOCK_WAIT}, innodb_lock_wait_timeout = {LOCK_WAIT}, "
            "sql_mode = REPLACE(REPLACE(@@sql_mode, 'NO_ZERO_IN_DATE', ''), 'NO_ZERO_DATE', '')"
        )
        connection.execute(text(wait))
        if not dry_run:
            _take_lock(session)  # given back with the connection
        yield session


def _require_file(settings: Settings) -> None:
    url = settings.url
    file = url.database or ""
    if url.get_backend_name() != "sqlite" or not file or ":memory:" in file or Path(file).exists():
        return
    if settings.is_demo:
        raise DatabaseUnavailable(
            f"There is no demo database yet ({file}). `make run` makes it; --database-url names another."
        )
    raise DatabaseUnavailable(f"There is no database file {file}. DATABASE_URL or --database-url names it.")


def _take_lock(session: Session) -> None:
    try:
        name = "CONCAT('evenbooks.', SHA1(DATABASE()))"
        taken = session.connection.execute(text(f"SELECT GET_LOCK({name}, 0)")).scalar()
    except DBAPIError as error:
        if error_code(error) != 1235:
            raise
        session.tell("This cluster has no named locks: make sure that nobody else runs this at the same time.")
        return
    if taken != 1:
        raise DatabaseUnavailable(
            "Somebody else is running this migration on this database right now. Wait until it has ended, then run it again."
        )


# The pieces: what is made on the company's tables, how, and how it is removed


@dataclass(frozen=True)
class Piece:
    """Something on the company's tables. `name` is what the events call it; `make` and `drop` are alternatives."""

    name: str
    table: str
    there: bool
    make: tuple[str, ...]
    drop: tuple[str, ...]
    outside: bool = False


def pieces(connection: Connection, schema: Schema, *, revenue_index: bool) -> list[Piece]:
    """Everything that is made on the company's tables, in that order, each inspected now."""
    table, column = schema.customer_table, schema.settings.customers.deleted_at
    found = [_column(connection, schema), _index(connection, table, [column])]
    if schema.dialect == "sqlite":
        mode = connection.execute(text("PRAGMA journal_mode")).scalar()
        wal = ("PRAGMA journal_mode = WAL",), ("PRAGMA journal_mode = DELETE",)
        last = [Piece("write-ahead log", "the file", mode in ("wal", "memory"), *wal, outside=True)]
    else:
        found.append(_comment(connection, table))
        last = []
    orders = schema.order_table
    if revenue_index and orders is not None:
        dated, linked = revenue_columns(schema)
        found += [_index(connection, orders, dated, name_of=2), _index(connection, orders, linked, name_of=3)]
    return found + last


def _column(connection: Connection, schema: Schema) -> Piece:
    table, column = schema.customer_table, schema.settings.customers.deleted_at
    alter = f"ALTER TABLE {_quoted_table(connection, table)}"
    # In full: a server with explicit_defaults_for_timestamp=0 would otherwise fill in the present time.
    add = f"{alter} ADD COLUMN {_quoted(connection, column)} TIMESTAMP NULL DEFAULT NULL"
    drop = f"{alter} DROP COLUMN {_quoted(connection, column)}"
    ways = [""] if schema.dialect == "sqlite" else [", ALGORITHM=INSTANT", ", ALGORITHM=INPLACE, LOCK=NONE"]
    make, remove = (tuple(sql + way for way in ways) for sql in (add, drop))
    return Piece(f"column {column}", table.name, schema.migrated, make, remove)


def _comment(connection: Connection, table: Table) -> Piece:
    existing = inspect(connection).get_table_comment(table.name, schema=table.schema)["text"]
    alter = f"ALTER TABLE {_quoted_table(connection, table)} COMMENT = "
    make, drop = (
        tuple(f"{alter}'{words}', ALGORITHM={way}" for way in ("INSTANT", "INPLACE")) for words in (COMMENT, "")
    )
    return Piece("comment", table.name, bool(existing), make, drop if existing == COMMENT else ())


def _index(connection: Connection, table: Table, columns: Sequence[str], *, name_of: int = 1) -> Piece:
    """An index on these columns, named after the first `name_of`; another one that begins with them serves as well."""
    name = "_".join(["idx", table.name, *columns[:name_of]])[:LONGEST_NAME]
    indexes = {str(i["name"]): i for i in inspect(connection).get_indexes(table.name, schema=table.schema)}
    whole = [i["column_names"] for i in indexes.values() if not i.get("dialect_options", {}).get("sqlite_where")]
    there = any(found[: len(columns)] == list(columns) for found in whole)
    on, place = _quoted_table(connection, table), _quoted(connection, name)
    listed = ", ".join(_quoted(connection, column) for column in columns)
    if connection.dialect.name == "sqlite":
        place = f"{_quoted(connection, table.schema)}.{place}" if table.schema else place
        on = _quoted(connection, table.name)
        make, drop = f"CREATE INDEX {place} ON {on} ({listed})", f"DROP INDEX {place}"
    else:
        make = f"CREATE INDEX {place} ON {on} ({listed}) ALGORITHM=INPLACE LOCK=NONE"
        drop = f"ALTER TABLE {on} DROP INDEX {place}, ALGORITHM=INPLACE, LOCK=NONE"
    if not there and name in indexes:
        raise ConfigurationError(
            f"{table.name} has an index {name} already, on other columns ({', '.join(map(str, indexes[name]['column_names']))}; "
            f"needed: {', '.join(columns)}). Rename or drop it, then run this again. Nothing was changed."
        )
    return Piece(f"index {name}", table.name, there, (make,), (drop,) if name in indexes else ())


def revenue_columns(schema: Schema) -> list[list[str]]:
    """The columns of the two indexes that cover the statements of data/queries/revenue.py."""
    mapping = schema.settings.orders
    extras = [c for c in (mapping.cost, mapping.status, mapping.currency) if c]
    dated = [mapping.ordered_at, mapping.total, *extras]
    return [list(dict.fromkeys(columns)) for columns in (dated, [mapping.customer_id, *dated])]


def _too_long(schema: Schema, columns: Sequence[str]) -> str | None:
    """Why MariaDB cannot index these columns of the orders, or None."""
    assert schema.order_table is not None
    kinds = {column: schema.order_table.c[column].type for column in columns}
    texts = {column: kind for column, kind in kinds.items() if isinstance(kind, String)}
    endless = [column for column, kind in texts.items() if kind.length is None]
    if endless:
        return f"{', '.join(endless)} has no length"
    bytes_ = sum(4 * (kind.length or 0) + 2 for kind in texts.values())
    return f"{', '.join(texts)} is too long together" if bytes_ > LONGEST_KEY - 60 else None


def _quoted(connection: Connection, name: str) -> str:
    """The name as it stands in SQL text. The live preparer would double every percent sign."""
    plain: Any = type(connection.dialect)
    preparer = plain(paramstyle="named").identifier_preparer
    preparer.reserved_words = connection.dialect.identifier_preparer.reserved_words
    return str(preparer.quote(name))


def _quoted_table(connection: Connection, table: Table) -> str:
    return ".".join(_quoted(connection, part) for part in (table.schema, table.name) if part)


# The migration, step by step


def _migrate(session: Session, revenue_index: bool) -> None:
    connection = session.connection
    schema = reflect(connection, session.settings)
    _refuse_unusable(connection, schema)
    wanted = _wanted(session, schema, revenue_index)
    _say_found(session, schema)
    todo = [piece for piece in wanted if not piece.there]
    present = own_present(connection, schema)
    _say_todo(session, schema, todo, present)
    before = None if session.dry_run else _measure(connection, schema)
    _make_own_tables(session, schema, present)
    _record(session, schema, todo, present)
    for piece in todo:
        if not piece.outside:
            session.run(*piece.make, table=piece.table)
    if before is not None:
        _verify(session, before)
    for piece in todo:
        if piece.outside and not session.run_outside(piece.make[0]):
            raise DatabaseUnavailable(
                "The file could not be switched to its write-ahead log: others have it open, or its disk does not "
                "allow that. All the rest is done; close the others and run this again."
            )
    if session.dry_run:
        session.tell("Nothing was changed: this was a dry run.")


def _refuse_unusable(connection: Connection, schema: Schema) -> None:
    """Raises ConfigurationError where an existing column or table cannot serve."""
    table, mapping = schema.customer_table, schema.settings.customers
    if schema.dialect != "sqlite":
        _refuse_without_transactions(connection, table)
    if not schema.migrated:
        return
    problem = unusable(connection, schema)
    if problem is None:
        strange = [key for key, at in queries.list_deleted_ids(connection, schema) if not isinstance(at, datetime)]
        if strange:
            shown = ", ".join(map(str, strange[:3]))
            problem = f"holds something that is no time in {len(strange)} rows (customer {shown}), and they would count as deleted"
    if problem:
        raise ConfigurationError(
            f"{mapping.table}.{mapping.deleted_at} is there already, but it {problem}. Needed: TIMESTAMP NULL DEFAULT NULL, "
            "NULL for active customers. Change it, or name another column under [customers] deleted_at. Nothing was changed."
        )


def _refuse_without_transactions(connection: Connection, table: Table) -> None:
    row = _storage(connection, table)
    if row and row[0] == "NO":
        raise ConfigurationError(
            f"{table.name} is stored by {row[1]}, which cannot roll anything back. Convert it first: "
            f"ALTER TABLE {_quoted_table(connection, table)} ENGINE=InnoDB. Nothing was changed."
        )


def _storage(connection: Connection, table: Table) -> Any:
    """Whether the table's engine has transactions (YES, NO), that engine, and roughly how many rows; None if unknown."""
    statement = (
        "SELECT e.transactions, t.engine, t.table_rows FROM information_schema.tables t "
        "JOIN information_schema.engines e ON e.engine = t.engine "
        "WHERE t.table_schema = COALESCE(:schema, DATABASE()) AND t.table_name = :name"
    )
    return connection.execute(text(statement), {"schema": table.schema, "name": table.name}).first()


def unusable(connection: Connection, schema: Schema) -> str | None:
    """What is wrong with the existing deleted_at (the end of a sentence), or None where it can be used."""
    column = schema.physical("deleted_at")
    default = "" if column.server_default is None else str(getattr(column.server_default, "arg", "a default"))
    if column.computed is not None:
        return "is computed from other columns"
    if not column.nullable:
        return f"does not allow NULL ({column.type} NOT NULL), so every customer would count as deleted"
    if schema.dialect == "sqlite":
        return _unusable_on_sqlite(connection, schema, default)
    if not isinstance(column.type, DateTime):
        return f"is {column.type}, not a time"
    # Reflection leaves ON UPDATE out where the default is NULL.
    extra = _information(connection, column, "extra")
    if "on update" in extra.lower():
        return f"changes by itself ({extra})"
    return (
        None
        if default.upper() in ("", "NULL")
        else f"has the default {default}, so new customers would count as deleted"
    )


def _unusable_on_sqlite(connection: Connection, schema: Schema, default: str) -> str | None:
    declared = "SELECT type FROM pragma_table_xinfo(:name) WHERE name = :column"
    names = {"name": schema.customer_table.name, "column": schema.physical("deleted_at").name}
    kind = str(connection.execute(text(declared), names).scalar() or "of no type")
    if not any(word in kind.upper() for word in ("DATE", "TIME", "TEXT", "CHAR", "CLOB")):
        return f"is {kind}, not a time"
    return (
        None
        if default.upper() in ("", "NULL")
        else f"has the default {default}, so new customers would count as deleted"
    )


def _information(connection: Connection, column: Column[Any], what: str) -> str:
    """A field of MariaDB's description of a column."""
    statement = (
        f"SELECT {what} FROM information_schema.columns "
        "WHERE table_schema = COALESCE(:schema, DATABASE()) AND table_name = :name AND column_name = :column"
    )
    values = {"schema": column.table.schema, "name": column.table.name, "column": column.name}
    return str(connection.execute(text(statement), values).scalar() or "")


def _wanted(session: Session, schema: Schema, revenue_index: bool) -> list[Piece]:
    """The pieces; what cannot be made here is said and left out."""
    if revenue_index and schema.order_table is None:
        session.tell("[orders] is a query, so there is no table of orders to index: --revenue-index has nothing to do.")
    elif revenue_index and schema.dialect != "sqlite":
        reason = _too_long(schema, revenue_columns(schema)[1])
        if reason:
            session.tell(
                f"MariaDB cannot index these columns of the orders whole: {reason}. The revenue indexes are left out."
            )
            revenue_index = False
    return pieces(session.connection, schema, revenue_index=revenue_index)


def _say_found(session: Session, schema: Schema) -> None:
    connection, mapping = session.connection, session.settings.customers
    tables = [schema.customer_table, *([schema.order_table] if schema.order_table is not None else [])]
    session.tell(f"{_engine_name(connection)} at {connection.engine.url.render_as_string(hide_password=True)}")
    for table in tables:
        session.tell(_described(connection, table))
    if schema.migrated:
        deleted = len(queries.list_deleted_ids(connection, schema))
        session.tell(
            f"{mapping.table}.{mapping.deleted_at} is there ({schema.physical('deleted_at').type}); {deleted} customers are deleted."
        )
    else:
        session.tell(f"{mapping.table} has no column {mapping.deleted_at}.")
    indexes = inspect(connection).get_indexes(tables[0].name, schema=tables[0].schema)
    session.tell(f"Indexes of {mapping.table}: {', '.join(str(i['name']) for i in indexes) or 'none'}.")
    if schema.dialect != "sqlite":
        comment = inspect(connection).get_table_comment(tables[0].name, schema=tables[0].schema)["text"]
        session.tell(f"Comment of {mapping.table}: {comment}" if comment else f"{mapping.table} has no comment.")
    for sentence in [*_triggers(connection, tables[0]), *_foreign_keys(connection, schema)]:
        session.tell(sentence)


def _engine_name(connection: Connection) -> str:
    version = ".".join(map(str, (connection.dialect.server_version_info or ())[:3]))
    if connection.dialect.name == "sqlite":
        return f"SQLite {version}"
    return f"{'MariaDB' if getattr(connection.dialect, 'is_mariadb', False) else 'MySQL'} {version}"


def _described(connection: Connection, table: Table) -> str:
    if connection.dialect.name == "sqlite":
        count = connection.execute(
            text(literal_sql(f"SELECT count(*) FROM {_quoted_table(connection, table)}"))
        ).scalar()
        return f"{table.name}: {count:,} rows."
    row = _storage(connection, table)
    if row is None:
        return f"{table.name}: its size is not known."
    warning = "; without transactions, so figures of one screen may be of different moments" if row[0] == "NO" else ""
    return f"{table.name}: about {row[2] or 0:,} rows, stored by {row[1]}{warning}."


def _triggers(connection: Connection, table: Table) -> list[str]:
    """What of theirs runs along with each delete and restore."""
    if connection.dialect.name == "sqlite":
        statement = "SELECT name FROM sqlite_master WHERE type = 'trigger' AND lower(tbl_name) = lower(:name) AND upper(sql) LIKE '%UPDATE%'"
    else:
        statement = (
            "SELECT trigger_name FROM information_schema.triggers WHERE event_manipulation = 'UPDATE' "
            "AND event_object_schema = COALESCE(:schema, DATABASE()) AND event_object_table = :name"
        )
    values = {"schema": table.schema, "name": table.name} if ":schema" in statement else {"name": table.name}
    names = [str(name) for name in connection.execute(text(statement), values).scalars()]
    return [
        f"Trigger of {table.name} on UPDATE, which runs with every delete and restore and may change more: {n}."
        for n in names
    ]


def _foreign_keys(connection: Connection, schema: Schema) -> list[str]:
    """How orders refer to their customer, and what a physical delete would do."""
    table = schema.order_table
    if table is None:
        return ["[orders] is a query; foreign keys were not looked for."]
    link = schema.settings.orders.customer_id
    rules = [rule for columns, rule in _rules_on_delete(connection, table) if columns == [link]]
    lines = []
    for rule in rules:
        danger = rule.upper() in ("CASCADE", "SET NULL")
        ending = ": deleting a customer physically would take the orders along or unlink them." if danger else "."
        lines.append(f"{table.name}.{link} is a foreign key ON DELETE {rule}{ending}")
    return lines or [f"{table.name}.{link} is no foreign key."]


def _rules_on_delete(connection: Connection, table: Table) -> list[tuple[list[str], str]]:
    """The columns of each foreign key with its rule. SQLAlchemy does not read every spelling of SQLite's."""
    if connection.dialect.name == "sqlite":
        listed = connection.execute(
            text('SELECT "from", on_delete FROM pragma_foreign_key_list(:name)'), {"name": table.name}
        )
        return [([str(column)], str(rule)) for column, rule in listed]
    keys = inspect(connection).get_foreign_keys(table.name, schema=table.schema)
    return [(key["constrained_columns"], str(key.get("options", {}).get("ondelete") or "RESTRICT")) for key in keys]


def _say_todo(session: Session, schema: Schema, todo: Sequence[Piece], present: set[str]) -> None:
    missing = [t.name for t in schema.own.all if t.name not in present]
    work = [*(f"table {name}" for name in missing), *(piece.name for piece in todo)]
    if VERSION_TABLE not in present:
        work.append(f"table {VERSION_TABLE}")
    session.tell(f"To do: {', '.join(work)}." if work else "To do: nothing; everything is there.")
    if any(piece.outside for piece in todo):
        session.tell(
            "The file is switched to a write-ahead log (WAL), which lasts: reading and writing then do not wait for each other."
        )


# Our own tables: Alembic's revisions, as text, through the session


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
    if schema.dialect == "sqlite" or not isinstance(kind, String):
        return kind
    charset, collation = (_information(connection, column, f"{what}_name") for what in ("character_set", "collation"))
    make = mysql.CHAR if isinstance(kind, mysql.CHAR) else mysql.VARCHAR
    return make(kind.length or 255, charset=charset or None, collation=collation or None)


def own_present(connection: Connection, schema: Schema) -> set[str]:
    """Names of our tables that are there, and `table.index` of theirs."""
    inspector = inspect(connection)
    names = {name for name in (*(t.name for t in schema.own.all), VERSION_TABLE) if inspector.has_table(name)}
    return names | {f"{name}.{index['name']}" for name in names for index in inspector.get_indexes(name)}


def _make_own_tables(session: Session, schema: Schema, present: set[str]) -> None:
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


def _record(session: Session, schema: Schema, todo: Sequence[Piece], present: set[str]) -> None:
    """The baseline event, once; later an event of what is made beyond what the events say already."""
    connection, names = session.connection, [piece.name for piece in todo]
    own = schema.own.events
    begun = own.name in present and connection.execute(select(own.c.id).limit(1)).first() is not None
    if session.dry_run:
        fresh = [] if begun and set(names) <= _made(connection, schema) else names
        if not begun or fresh:
            session.tell(
                f"Then one event ({'migrate' if begun else 'baseline'}) is written to evenbooks_events, and evenbooks_chain points to it."
            )
        return
    if begun or queries.get_head(connection, schema) is not None:
        fresh = [name for name in names if name not in _made(connection, schema)]
        session.settle()
        if fresh:
            head = events.take_turns(connection, schema)
            draft = Draft("migrate", script_actor(), body={"made": fresh})
            events.append(connection, schema, [draft], head=head, at=now())
            session.settle()
        return
    body = _baseline(connection, schema, names)
    events.append(connection, schema, [Draft("baseline", script_actor(), body=body)], head=None, at=now())
    session.settle()
    session.tell(
        f"Event 1, the baseline, is written. Customers deleted already: {len(body['deleted'])}; "
        f"orders of customers who are not there: {body['missing_orders']}."
    )


def _baseline(connection: Connection, schema: Schema, names: Sequence[str]) -> dict[str, Any]:
    missing = queries.count_missing_customer_orders(connection, schema)
    listed = queries.list_missing_customers(connection, schema, limit=MOST_MISSING) if missing else []
    return {
        "deleted": [[key, events.stamp(at)] for key, at in queries.list_deleted_ids(connection, schema)],
        "missing": [list(one) for one in listed],
        "missing_orders": missing,
        "mapping": schema.settings.fingerprint,
        "made": list(names),
    }


def _made(connection: Connection, schema: Schema) -> set[str]:
    """What the events say that the migration made."""
    own = schema.own.events
    bodies = connection.execute(select(own.c.body).where(own.c.action.in_(["baseline", "migrate"]))).scalars()
    try:
        return {str(name) for body in bodies for name in json.loads(body).get("made", [])}
    except (ValueError, AttributeError):
        raise EvenbooksError(
            "An event of the migration cannot be read: the chain was tampered with. Run: python -m data.integrity"
        ) from None


# Verification and proof


@dataclass(frozen=True)
class _Measured:
    """What must not move: who is deleted (of the whole table), and every month's total."""

    deleted: set[Any]
    totals: Mapping[Key, Figures]


def _measure(connection: Connection, schema: Schema) -> _Measured:
    # One scan: without the revenue index, a range a month would read the orders once a month.
    return _Measured(_deleted_rows(connection, schema), queries.monthly_part(connection, schema, "total"))


def _deleted_rows(connection: Connection, schema: Schema) -> set[Any]:
    """Keys of every row with a deleted_at, the mapping's slice or not."""
    if not schema.migrated:
        return set()
    statement = select(schema.physical("id")).where(schema.physical("deleted_at").is_not(None))
    return set(connection.execute(statement).scalars())


def _verify(session: Session, before: _Measured) -> None:
    """Looks at everything again and raises EvenbooksError for what is not as it must be; then says the totals."""
    session.settle()
    connection = session.connection
    schema = reflect(connection, session.settings)
    absent = [p.name for p in pieces(connection, schema, revenue_index=False) if not (p.there or p.outside)]
    problem = unusable(connection, schema) if schema.migrated else None
    problems = [f"{name} is not there" for name in absent]
    problems += [f"{session.settings.customers.deleted_at} {problem}"] if problem else []
    problems += [f"event {link.event_id}: {p}" for link in events.walk(connection, schema) for p in link.problems]
    after = _measure(connection, schema)
    fresh = sorted(after.deleted - before.deleted, key=str)
    known = queries.list_deletions(connection, schema, fresh) if fresh else {}
    unknown = [str(key) for key in fresh if key not in known]
    if unknown:
        problems.append(f"{len(unknown)} customers are deleted who were not before ({', '.join(unknown[:3])})")
    problems += _moved(before.totals, after.totals)
    if problems:
        raise EvenbooksError(
            f"This is not as it must be: {'; '.join(problems[:5])}. Look into it, then run this again."
        )
    _say_proof(session, before, after)


def _moved(before: Mapping[Key, Figures], after: Mapping[Key, Figures]) -> list[str]:
    """Months whose total is another, unless orders came in meanwhile: a shop does not stand still for us."""
    moved = []
    for month, currency in sorted(before.keys() | after.keys(), key=str):
        then, since = before.get((month, currency)), after.get((month, currency))
        if then != since and not (since and since.orders > (then.orders if then else 0)):
            shown = [money.plain(f.total) if f else "nothing" for f in (then, since)]
            moved.append(f"{month or 'no date'} {currency} was {shown[0]} and is {shown[1]}")
    return moved


def _say_proof(session: Session, before: _Measured, after: _Measured) -> None:
    months, orders = len({m for m, _ in after.totals if m}), sum(f.orders for f in after.totals.values())
    came = orders - sum(f.orders for f in before.totals.values())
    what = f"{months} months and {orders:,} orders"
    if came:
        session.tell(
            f"Verified. {came} orders came in meanwhile; every month without a new order has the total it had. Now {what}:"
        )
    else:
        session.tell(
            f"Verified. Nobody is deleted who was not before, and the totals are the same before and after, over {what}:"
        )
    for currency in sorted({c for _, c in after.totals}):
        total = money.add(f.total for (_, c), f in after.totals.items() if c == currency)
        session.tell(f"  {currency} {money.plain(total, session.settings.money.decimals)}")


# Undo


def _undo(session: Session, file: Path) -> None:
    connection = session.connection
    schema = reflect(connection, session.settings)
    present = own_present(connection, schema)
    if not present:
        session.tell("There is nothing to undo: this database has none of our tables.")
        return
    begun = schema.own.events.name in present
    made = _made(connection, schema) if begun else set()
    todo = _to_remove(connection, schema, made)
    _refuse_while_deleted(connection, schema, made)
    if begun and session.dry_run:
        session.tell(f"First every event is written to {file.name}.")
    elif begun:
        count = _export(connection, schema, file)
        session.tell(f"{count} events are written to {file}.")
        _refuse_while_deleted(connection, schema, made)
    session.settle()
    for piece in todo:
        if not piece.outside:
            session.run(*piece.drop, table=piece.table)
    # The events last: until then, an interrupted undo knows what it has to do.
    order = [VERSION_TABLE, *(t.name for t in reversed(schema.own.all))]
    for name in [name for name in order if name in present]:
        session.run(f"DROP TABLE {name}", table=name)
    for piece in todo:
        if piece.outside and not session.run_outside(piece.drop[0]):
            session.tell("The file keeps its write-ahead log, because others have it open.")
    session.tell("Nothing was changed: this was a dry run." if session.dry_run else "Undone.")


def _to_remove(connection: Connection, schema: Schema, made: set[str]) -> list[Piece]:
    """The pieces that we made and that are still there, the last first."""
    known = pieces(connection, schema, revenue_index=True)
    strange = sorted(made - {piece.name for piece in known})
    if strange:
        raise ConfigurationError(
            f"The migration made {', '.join(strange)}, but with another mapping than today's. "
            "Run the undo with the configuration with which it was made. Nothing was changed."
        )
    return [piece for piece in reversed(known) if piece.name in made and piece.there and piece.drop]


def _refuse_while_deleted(connection: Connection, schema: Schema, made: set[str]) -> None:
    """Raises EvenbooksError while anybody is deleted who was not before the migration."""
    deleted = _deleted_rows(connection, schema)
    if f"column {schema.settings.customers.deleted_at}" not in made:
        deleted -= _deleted_at_first(connection, schema)
    if deleted:
        shown = ", ".join(sorted(map(str, deleted))[:3]) + (", ..." if len(deleted) > 3 else "")
        raise EvenbooksError(
            f"{len(deleted)} customers have been deleted since the migration ({shown}); without it they would be active again. "
            "Restore them first, on the page Deleted Customers, then run the undo again. Nothing was changed."
        )


def _deleted_at_first(connection: Connection, schema: Schema) -> set[Any]:
    """Who was deleted before the migration, by the baseline; everybody where there is none yet."""
    own = schema.own.events
    if not inspect(connection).has_table(own.name):
        return _deleted_rows(connection, schema)
    body = connection.execute(select(own.c.body).where(own.c.action == "baseline").order_by(own.c.id).limit(1)).scalar()
    return {key for key, _ in json.loads(body)["deleted"]} if body else _deleted_rows(connection, schema)


def _export(connection: Connection, schema: Schema, file: Path) -> int:
    """Writes every event as a line of JSON; answers how many. Never over another file."""
    count = 0
    try:
        with file.open("x", encoding="utf-8") as lines:
            for row in queries.stream_chain(connection, schema):
                event = {**row._mapping, "at": events.stamp(row.at)}
                lines.write(json.dumps(event, ensure_ascii=False) + "\n")
                count += 1
    except OSError as error:
        raise EvenbooksError(
            f"The events could not be written to {file} ({error.strerror}). Nothing was changed."
        ) from None
    return count
