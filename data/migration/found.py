"""What the migration finds, as sentences."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import Connection, Table, inspect, text

from data import queries
from data.inspection import DANGEROUS, keys_to_customers, quoted_table, storage, triggers_of
from data.migration.own import VERSION_TABLE
from data.migration.pieces import Piece
from data.migration.session import Session
from data.schema import Schema, literal_sql


def say_found(session: Session, schema: Schema) -> None:
    """Says what the database is and what is in it already."""
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
            text(literal_sql(f"SELECT count(*) FROM {quoted_table(connection, table)}"))
        ).scalar()
        return f"{table.name}: {count:,} rows."
    row = storage(connection, table)
    if row is None:
        return f"{table.name}: its size is not known."
    warning = "; without transactions, so figures of one screen may be of different moments" if row[0] == "NO" else ""
    return f"{table.name}: about {row[2] or 0:,} rows, stored by {row[1]}{warning}."


def _triggers(connection: Connection, table: Table) -> list[str]:
    """What of theirs runs along with each delete and restore."""
    found = triggers_of(connection, table)
    names = [trigger.name for trigger in found if "UPDATE" in (trigger.when or trigger.body or "").upper()]
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
    lines = []
    for key in keys_to_customers(connection, schema):
        danger = key.rule in DANGEROUS
        ending = ": deleting a customer physically would take the orders along or unlink them." if danger else "."
        lines.append(f"{table.name}.{link} is a foreign key ON DELETE {key.rule}{ending}")
    return lines or [f"{table.name}.{link} is no foreign key."]


def say_todo(session: Session, schema: Schema, todo: Sequence[Piece], present: set[str]) -> None:
    """Says what is missing and will be made."""
    missing = [t.name for t in schema.own.all if t.name not in present]
    work = [*(f"table {name}" for name in missing), *(piece.name for piece in todo)]
    if VERSION_TABLE not in present:
        work.append(f"table {VERSION_TABLE}")
    session.tell(f"To do: {', '.join(work)}." if work else "To do: nothing; everything is there.")
    if any(piece.outside for piece in todo):
        session.tell(
            "The file is switched to a write-ahead log (WAL), which lasts: reading and writing then do not wait for each other."
        )
