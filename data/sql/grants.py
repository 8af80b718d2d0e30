"""sql/grants*.sql, filled for the attached database: the rights of the application's account and of a reader's."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from sqlalchemy import Connection, Table, text

from data.database import Database, snapshot
from data.inspection import has_policies, quoted_table
from data.migration.own import VERSION_TABLE
from data.schema import Schema
from data.sql.filling import FOLDER, filled, literal_sql_of, read_template

HEAD_COLUMNS = ("event_id", "hash")  # what moving the head changes
SEAL_COLUMNS = ("unsealed_event_id",)  # what opening a sealed month changes
TOKEN_COLUMNS = ("last_used_at", "revoked_at")  # what using and revoking a token changes
SIGN_OUT_COLUMNS = ("at",)
HEARTBEAT_COLUMNS = ("beat", "at")
EVENT_COLUMNS = ("note", "note_salt")  # what erasing a person blanks; neither is in what is hashed
ITEM_COLUMNS = ("result", "words", "event_id")  # what becomes of each customer of a job
REQUEST_COLUMNS = ("state", "decided_at", "decided_by", "decision_id")
DOWNLOAD_COLUMNS = ("used_at", "what")  # using a link, and forgetting what it was for
JOB_COLUMNS = (
    *(
        "actor",
        "role",
        "door",
        "standing",
        "state",
        "note",
        "ended_at",
        "total",
        "done",
        "changed",
        "preview",
        "request_id",
        "owner",
        "lease_until",
        "error",
    ),
)
ON_SQLITE = """-- SQLite has no accounts: whoever may write to the file may change and delete everything in it.
-- What takes their place are the rights of the file and of its folder. The application needs to write to both, because
-- its write-ahead log lies beside the file ({file}-wal, {file}-shm).
-- Give them to the application's user alone:
--   chown evenbooks {file}
--   chmod 640 {file}
-- Whoever only reads belongs to the file's group. An audit is best run on a copy, which one statement makes:
--   VACUUM INTO 'copy.sqlite';
"""
OF_A_QUERY = """-- [orders] is a query, so the tables that it reads are not known here, and nothing is granted on them.
-- Grant SELECT on each of them, to both accounts:
-- GRANT SELECT ON ... TO {account};"""


UNDER_POLICIES = """-- {table} is under row level security: what its policies hide from these roles is missing from every figure.
-- Give both BYPASSRLS, or a policy that shows them every row: ALTER ROLE ... BYPASSRLS;
"""


@dataclass(frozen=True)
class Accounts:
    """The names of the two accounts, and the host from which both come."""

    app: str
    reader: str
    host: str


def grants_sql(database: Database, accounts: Accounts) -> str:
    """The statements that make both accounts, for an administrator to run; on SQLite comments that say what takes their place."""
    schema = database.schema
    if schema.dialect == "sqlite":
        return filled(ON_SQLITE, {"file": _on_one_line(database.engine.url.database or "")})
    with snapshot(database) as moment:
        values = _values(moment.connection, schema, accounts)
        if schema.dialect != "postgresql":
            return filled(read_template(FOLDER / "grants.sql"), values)
        values |= _of_postgresql(moment.connection, schema, accounts)
        return filled(read_template(FOLDER / "grants_postgresql.sql"), values)


def _on_one_line(words: str) -> str:
    """For a comment, which a line break would end: what follows would be run."""
    return " ".join(words.splitlines())


def _values(connection: Connection, schema: Schema, accounts: Accounts) -> dict[str, str]:
    own = {
        table.name.removeprefix("evenbooks_"): _place(connection, table.schema, table.name) for table in schema.own.all
    }
    app, reader = (_account(connection, name, accounts.host) for name in (accounts.app, accounts.reader))
    return own | {
        "app": app,
        "reader": reader,
        "customers": _place(connection, schema.customer_table.schema, schema.customer_table.name),
        "customer_rights": _customer_rights(connection, schema),
        "app_orders": _orders(connection, schema.order_table, app),
        "reader_orders": _orders(connection, schema.order_table, reader),
        "version": _place(connection, None, VERSION_TABLE),
        "head_columns": _listed(connection, HEAD_COLUMNS),
        "seal_columns": _listed(connection, SEAL_COLUMNS),
        "token_columns": _listed(connection, TOKEN_COLUMNS),
        "token_view": _listed(connection, (c.name for c in schema.own.tokens.c if c.name != "hash")),
        "sign_out_columns": _listed(connection, SIGN_OUT_COLUMNS),
        "heartbeat_columns": _listed(connection, HEARTBEAT_COLUMNS),
        "event_columns": _listed(connection, EVENT_COLUMNS),
        "job_columns": _listed(connection, JOB_COLUMNS),
        "item_columns": _listed(connection, ITEM_COLUMNS),
        "request_columns": _listed(connection, REQUEST_COLUMNS),
        "download_columns": _listed(connection, DOWNLOAD_COLUMNS),
        "download_view": _listed(connection, ("actor", "made_at", "expires_at", "used_at")),
    }


def _of_postgresql(connection: Connection, schema: Schema, accounts: Accounts) -> dict[str, str]:
    """What only PostgreSQL asks for: its roles by name, the schemas, the sequences, and policies that hide rows."""
    mapped = [table for table in (schema.customer_table, schema.order_table) if table is not None]
    added = [schema.own.checks, *([] if schema.add_blocker else [schema.customer_table])]
    schemas = dict.fromkeys(_schema_of(connection, t.schema, t.name) for t in [*mapped, *schema.own.all])
    sequences = [one for table in added for one in _sequences(connection, table)]
    app = _quoted(connection, accounts.app)
    return {
        "app_name": literal_sql_of(connection, accounts.app),
        "reader_name": literal_sql_of(connection, accounts.reader),
        "database": _quoted(connection, str(connection.engine.url.database)),
        "schemas": ", ".join(_quoted(connection, one) for one in schemas),
        "sequences": "\n".join(f"GRANT USAGE ON SEQUENCE {one} TO {app};" for one in sequences) or "-- (none)",
        "warnings": "".join(
            UNDER_POLICIES.format(table=_on_one_line(t.name)) for t in mapped if has_policies(connection, t)
        ),
    }


def _schema_of(connection: Connection, schema: str | None, table: str) -> str:
    """The schema in which PostgreSQL finds a table of that name."""
    if schema:
        return schema
    statement = "SELECT n.nspname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE c.oid = CAST(to_regclass(quote_ident(:table)) AS oid)"
    found = connection.execute(text(statement), {"table": table}).scalar()
    return str(found or connection.dialect.default_schema_name)


def _sequences(connection: Connection, table: Table) -> list[str]:
    """The sequences that defaults of the table's columns count with; identity columns need no right on theirs."""
    statement = (
        "SELECT DISTINCT format('%I.%I', n.nspname, s.relname) FROM pg_attrdef d "
        "JOIN pg_depend p ON p.classid = CAST('pg_attrdef' AS regclass) AND p.objid = d.oid AND p.refclassid = CAST('pg_class' AS regclass) "
        "JOIN pg_class s ON s.oid = p.refobjid AND s.relkind = 'S' JOIN pg_namespace n ON n.oid = s.relnamespace "
        "WHERE d.adrelid = CAST(to_regclass(:place) AS oid) ORDER BY 1"
    )
    place = {"place": quoted_table(connection, table)}
    return [str(one) for one in connection.execute(text(statement), place).scalars()]


def _place(connection: Connection, schema: str | None, table: str) -> str:
    """Database (on PostgreSQL schema) and table. Before a table, percent signs and underscores of a database's name are no wildcards."""
    if connection.dialect.name == "postgresql":
        before = _schema_of(connection, schema, table)
    else:
        before = schema or str(connection.engine.url.database)
    return f"{_quoted(connection, before)}.{_quoted(connection, table)}"


def _quoted(connection: Connection, name: str) -> str:
    """The name in quotation marks: MariaDB's backticks, which it takes in every mode."""
    mark = '"' if connection.dialect.name == "postgresql" else "`"
    return mark + name.replace(mark, mark * 2) + mark


def _account(connection: Connection, name: str, host: str) -> str:
    """A role of PostgreSQL, which knows no hosts here (pg_hba.conf does); elsewhere name and host."""
    if connection.dialect.name == "postgresql":
        return _quoted(connection, name)
    return f"{literal_sql_of(connection, name)}@{literal_sql_of(connection, host)}"


def _customer_rights(connection: Connection, schema: Schema) -> str:
    """SELECT on the whole table; INSERT and UPDATE on the very columns that the application writes."""
    mapping, table = schema.settings.customers, schema.customer_table
    fields = [field.column for field in schema.form_fields]
    # The database fills it in where it has a default, and then the application does not name it.
    stamped = "created_at" in schema.present and schema.physical("created_at").server_default is None
    added = [*fields, *mapping.insert, *([mapping.created_at] if stamped else [])]
    changed = [mapping.deleted_at, *fields, *mapping.erase, *sorted(schema.self_updating)]
    insert = "" if schema.add_blocker else f", INSERT ({_listed(connection, added, table)})"
    return f"SELECT{insert}, UPDATE ({_listed(connection, changed, table)})"


def _listed(connection: Connection, columns: Iterable[str], table: Table | None = None) -> str:
    names = dict.fromkeys(columns)
    return ", ".join(_quoted(connection, table.c[name].name if table is not None else name) for name in names)


def _orders(connection: Connection, orders: Table | None, account: str) -> str:
    if orders is None:
        return filled(OF_A_QUERY, {"account": _on_one_line(account)})
    return f"GRANT SELECT ON {_place(connection, orders.schema, orders.name)} TO {account};"
