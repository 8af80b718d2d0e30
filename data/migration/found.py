"""What the migration finds, as sentences."""

from __future__ import annotations

import re
from collections.abc import Sequence

from sqlalchemy import Connection, Table, inspect

from data import queries
from data.inspection import (
    DANGEROUS,
    assigns,
    cautions,
    hidden_rows,
    keys_to_customers,
    mending,
    quoted_table,
    reaching_keys,
    storage,
    triggers_of,
)
from data.migration.estimate import as_size, rows_of, size_of
from data.migration.own import VERSION_TABLE, own_unseen
from data.migration.piece import Piece, has_transactions
from data.migration.session import Session
from data.migration.unique_keys import unique_sentences
from data.queries.dates import zone_sentence
from data.reflection import dialect_of
from data.schema import Schema


def say_found(session: Session, schema: Schema) -> None:
    """Says what the database is and what is in it already."""
    connection, mapping = session.connection, schema.settings.customers
    tables = [schema.customer_table, *([schema.order_table] if schema.order_table is not None else [])]
    session.tell(f"{_engine_name(connection)} at {connection.engine.url.render_as_string(hide_password=True)}")
    for table in tables:
        session.tell(_described(connection, table))
    if schema.migrated:
        deleted = len(queries.list_deleted_ids(connection, schema))
        session.tell(
            f"{mapping.table}.{mapping.deleted_at} is there ({schema.physical('deleted_at').type}); {deleted} {'customer is' if deleted == 1 else 'customers are'} deleted."
        )
    else:
        session.tell(f"{mapping.table} has no column {mapping.deleted_at}.")
    indexes = inspect(connection).get_indexes(tables[0].name, schema=tables[0].schema)
    session.tell(f"Indexes of {mapping.table}: {', '.join(str(i['name']) for i in indexes) or 'none'}.")
    if schema.dialect != "sqlite":
        comment = inspect(connection).get_table_comment(tables[0].name, schema=tables[0].schema)["text"]
        session.tell(f"Comment of {mapping.table}: {comment}" if comment else f"{mapping.table} has no comment.")
    hidden = hidden_rows(connection, schema)
    findings = [
        *(f"RED: {words}" for table in tables for words in cautions(connection, table)),
        *([f"RED: {hidden}"] if hidden else []),
        *_without_transactions(connection, schema),
        *_foreign_keys(connection, schema),
        *_triggers(connection, tables[0]),
        *unique_sentences(connection, schema),
    ]
    zone = zone_sentence(schema)
    for sentence in [*findings, *([zone] if zone else [])]:
        session.tell(sentence)


def _engine_name(connection: Connection) -> str:
    version = ".".join(map(str, (connection.dialect.server_version_info or ())[:3]))
    if dialect_of(connection) != "mysql":
        return f"{'SQLite' if connection.dialect.name == 'sqlite' else 'PostgreSQL'} {version}"
    return f"{'MariaDB' if getattr(connection.dialect, 'is_mariadb', False) else 'MySQL'} {version}"


def _described(connection: Connection, table: Table) -> str:
    rows, size = rows_of(connection, table), size_of(connection, table)
    if rows is None:
        counted = "how many rows is not known (ANALYZE counts them)"
        return f"{table.name}: {counted}{f', {as_size(size)}' if size else ''}."
    if connection.dialect.name == "sqlite":
        return f"{table.name}: {rows:,} rows."
    kept = storage(connection, table) if dialect_of(connection) == "mysql" else None
    return f"{table.name}: about {rows:,} rows, {as_size(size or 0)}{f', stored by {kept[1]}' if kept else ''}."


def _without_transactions(connection: Connection, schema: Schema) -> list[str]:
    """What it means where a table's engine cannot roll anything back."""
    lines = []
    for table in (t for t in (schema.customer_table, schema.order_table) if t is not None):
        if has_transactions(connection, table):
            continue
        kept = storage(connection, table)[1]
        meaning = "figures of one screen may be of different moments, and the probe cannot run"
        if table is schema.customer_table:
            meaning = (
                "Evenbooks marks back what a failed delete marked, but if the server dies in between it stays marked; "
                + meaning
            )
        convert = f"ALTER TABLE {quoted_table(connection, table)} ENGINE=InnoDB"
        lines.append(
            f"RED: {table.name} is stored by {kept}, where nothing can be rolled back: {meaning}. To convert it: {convert};"
        )
    return lines


def _triggers(connection: Connection, table: Table) -> list[str]:
    """What of theirs runs along with each delete and restore."""
    lines = []
    for trigger in triggers_of(connection, table):
        if "UPDATE" not in (trigger.when or trigger.body or "").upper():
            continue
        start = f"Trigger of {table.name} on UPDATE, which runs with every delete and restore: {trigger.name}."
        if trigger.body is None:
            lines.append(f"{start} This account may not read what it does.")
            continue
        columns = [column.name for column in table.columns if _sets(trigger.body, column.name)]
        lines.append(f"{start} It seems to set {', '.join(columns)}." if columns else f"{start} It may change more.")
    return lines


def _sets(body: str, column: str) -> bool:
    """Whether the trigger seems to give this column a value, in any engine's words."""
    new = rf"\bnew\s*\.\s*[`\"]?{re.escape(column)}[`\"]?\s*:?=(?!=)"
    body = re.sub(r"\bwhere\b[^;]*", "", body, flags=re.IGNORECASE)
    before = r"(?:^|;|\bbegin\b|\bthen\b|\belse\b|\bset\b|,)\s*"
    return bool(re.search(before + new, body, re.IGNORECASE)) or assigns(body, column)


def _foreign_keys(connection: Connection, schema: Schema) -> list[str]:
    """How orders refer to their customer, and what a physical delete would do."""
    keys, (reaching, unseen) = keys_to_customers(connection, schema), reaching_keys(connection, schema)
    link = f"{schema.order_table.name}.{schema.settings.orders.customer_id}" if schema.order_table is not None else ""
    lines = [f"{link} is a foreign key ON DELETE {key.rule}." for key in keys if key.rule not in DANGEROUS]
    for name, key in reaching.items():
        effect = "takes its orders along" if key.rule == "CASCADE" else "unlinks its orders"
        mend = "SQLite cannot change a foreign key: make the table anew with ON DELETE RESTRICT."
        if schema.dialect != "sqlite":
            mend = f"To mend it: {'; '.join(mending(connection, key))};"
        lines.append(f"RED: whoever deletes a customer physically {effect} ({name}). {mend}")
    lines += unseen
    if keys or lines:
        return lines
    return [
        f"{link} is no foreign key." if link else "No foreign key of the tables of [orders] query reaches its orders."
    ]


def say_todo(session: Session, schema: Schema, todo: Sequence[Piece], present: set[str], *, all_seen: bool) -> None:
    """Says what is missing and will be made. `all_seen`: nothing is left as it is because this account may not see it."""
    missing = [t.name for t in schema.own.all if t.name not in present]
    work = [*(f"table {name}" for name in missing), *(piece.name for piece in todo)]
    if VERSION_TABLE not in present:
        work.append(f"table {VERSION_TABLE}")
    unseen = own_unseen(session.connection, schema, present)
    if unseen:
        session.tell(
            f"This account may not see whether these are there: {', '.join(unseen)}. What follows is as if they were not."
        )
    everything = "everything" if all_seen else "everything that this account may see"
    session.tell(f"To do: {', '.join(work)}." if work else f"To do: nothing; {everything} is there.")
    if any(piece.outside for piece in todo):
        session.tell(
            "The file is switched to a write-ahead log (WAL), which lasts: reading and writing then do not wait for each other."
        )
