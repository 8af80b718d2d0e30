"""sql/grants.sql, filled for the attached database: the rights of the application's account and of a reader's."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from sqlalchemy import Connection, Table

from data.database import Database, snapshot
from data.migration.own import VERSION_TABLE
from data.schema import Schema
from data.sql.filling import FOLDER, filled, literal_sql_of, read_template

HEAD_COLUMNS = ("event_id", "hash")  # what moving the head changes
SEAL_COLUMNS = ("unsealed_event_id",)  # what opening a sealed month changes
TOKEN_COLUMNS = ("last_used_at", "revoked_at")  # what using and revoking a token changes
SIGN_OUT_COLUMNS = ("at",)
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
        file = " ".join(str(database.engine.url.database or "").splitlines())
        return filled(ON_SQLITE, {"file": file})
    with snapshot(database) as moment:
        return filled(read_template(FOLDER / "grants.sql"), _values(moment.connection, schema, accounts))


def _values(connection: Connection, schema: Schema, accounts: Accounts) -> dict[str, str]:
    own = {
        table.name.removeprefix("evenbooks_"): _place(connection, table.schema, table.name) for table in schema.own.all
    }
    app, reader = (_account(connection, name, accounts.host) for name in (accounts.app, accounts.reader))
    return own | {
        "app": app,
        "reader": reader,
        "customers": _place(connection, schema.customer_table.schema, schema.customer_table.name),
        "customer_rights": _customer_rights(schema),
        "app_orders": _orders(connection, schema.order_table, app),
        "reader_orders": _orders(connection, schema.order_table, reader),
        "version": _place(connection, None, VERSION_TABLE),
        "head_columns": _listed(HEAD_COLUMNS),
        "seal_columns": _listed(SEAL_COLUMNS),
        "token_columns": _listed(TOKEN_COLUMNS),
        "token_view": _listed(c.name for c in schema.own.tokens.c if c.name != "hash"),
        "sign_out_columns": _listed(SIGN_OUT_COLUMNS),
    }


def _place(connection: Connection, schema: str | None, table: str) -> str:
    """Database and table. Before a table, percent signs and underscores of a database's name are no wildcards."""
    database = schema or str(connection.engine.url.database)
    return f"{_quoted(database)}.{_quoted(table)}"


def _quoted(name: str) -> str:
    """The name in backticks, which this engine takes in every mode."""
    return "`" + name.replace("`", "``") + "`"


def _account(connection: Connection, name: str, host: str) -> str:
    return f"{literal_sql_of(connection, name)}@{literal_sql_of(connection, host)}"


def _customer_rights(schema: Schema) -> str:
    """SELECT on the whole table; INSERT and UPDATE on the very columns that the application writes."""
    mapping, table = schema.settings.customers, schema.customer_table
    fields = [field.column for field in schema.form_fields]
    # The database fills it in where it has a default, and then the application does not name it.
    stamped = "created_at" in schema.present and schema.physical("created_at").server_default is None
    added = [*fields, *mapping.insert, *([mapping.created_at] if stamped else [])]
    changed = [mapping.deleted_at, *fields, *sorted(schema.self_updating)]
    insert = "" if schema.add_blocker else f", INSERT ({_listed(added, table)})"
    return f"SELECT{insert}, UPDATE ({_listed(changed, table)})"


def _listed(columns: Iterable[str], table: Table | None = None) -> str:
    names = dict.fromkeys(columns)
    return ", ".join(_quoted(table.c[name].name if table is not None else name) for name in names)


def _orders(connection: Connection, orders: Table | None, account: str) -> str:
    if orders is None:
        return filled(OF_A_QUERY, {"account": account})
    return f"GRANT SELECT ON {_place(connection, orders.schema, orders.name)} TO {account};"
