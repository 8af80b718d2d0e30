"""What is asked of the company's tables themselves: storage, foreign keys, deleted_at, triggers, and the guard."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any, Literal

from sqlalchemy import Connection, Table, inspect, text
from sqlalchemy.exc import DBAPIError

from data.database import error_code
from data.schema import Schema, literal_sql

LONGEST_NAME = 64
DANGEROUS = ("CASCADE", "SET NULL", "SET DEFAULT")  # they take orders along, or unlink them
NO_SUCH_TRIGGER = 1360
HIDDEN = {1044, 1142, 1227}  # the account may not see it
REFUSALS = {
    "customers": "Evenbooks: customers are never deleted physically. Delete softly instead.",
    "orders": "Evenbooks: orders are never deleted, so that no revenue is lost.",
}
GuardState = Literal["there", "gone", "other", "unseen"]


def quoted(connection: Connection, name: str) -> str:
    """The name as it stands in SQL text. The live preparer would double every percent sign."""
    plain: Any = type(connection.dialect)
    preparer = plain(paramstyle="named").identifier_preparer
    preparer.reserved_words = connection.dialect.identifier_preparer.reserved_words
    return str(preparer.quote(name))


def quoted_table(connection: Connection, table: Table) -> str:
    """The table's name, its schema's before it where it has one, quoted for this engine."""
    return _placed(connection, table, table.name)


def _placed(connection: Connection, table: Table, name: str) -> str:
    """The name in the table's schema, quoted."""
    return ".".join(quoted(connection, part) for part in (table.schema, name) if part)


def storage(connection: Connection, table: Table) -> Any:
    """Whether the table's engine has transactions (YES, NO), that engine, and roughly how many rows; None if unknown.

    Only MariaDB has such a thing: ask nothing of SQLite.
    """
    statement = (
        "SELECT e.transactions, t.engine, t.table_rows FROM information_schema.tables t "
        "JOIN information_schema.engines e ON e.engine = t.engine "
        "WHERE t.table_schema = COALESCE(:schema, DATABASE()) AND t.table_name = :name"
    )
    return connection.execute(text(statement), {"schema": table.schema, "name": table.name}).first()


# Foreign keys


@dataclass(frozen=True)
class ForeignKey:
    """A foreign key: its name (None on SQLite), columns, and rule on delete in capitals. The rest is for making it anew."""

    name: str | None
    columns: list[str]
    rule: str
    referred: tuple[str | None, str, list[str]] = (None, "", [])
    on_update: str | None = None


def foreign_keys(connection: Connection, table: Table) -> list[ForeignKey]:
    """The table's foreign keys. SQLAlchemy does not read every spelling of SQLite's."""
    if connection.dialect.name == "sqlite":
        statement = (
            'SELECT id, "from" AS name, upper(on_delete) AS rule '
            "FROM pragma_foreign_key_list(:name, :schema) ORDER BY id, seq"
        )
        values = {"name": table.name, "schema": table.schema or "main"}
        listed = connection.execute(text(statement), values).all()
        numbers = dict.fromkeys(row.id for row in listed)
        grouped = [[row for row in listed if row.id == number] for number in numbers]
        return [ForeignKey(None, [str(row.name) for row in rows], str(rows[0].rule)) for rows in grouped]
    return [_read_key(dict(key)) for key in inspect(connection).get_foreign_keys(table.name, schema=table.schema)]


def _read_key(key: dict[str, Any]) -> ForeignKey:
    options = key.get("options", {})
    rule = str(options.get("ondelete") or "RESTRICT").upper()
    referred = (key["referred_schema"], unescaped(key["referred_table"]), [*map(unescaped, key["referred_columns"])])
    columns = [*map(unescaped, key["constrained_columns"])]
    return ForeignKey(unescaped(key["name"]), columns, rule, referred, options.get("onupdate"))


def unescaped(name: object) -> str:
    """SQLAlchemy reads MariaDB's names as SHOW CREATE TABLE writes them."""
    return str(name).replace("``", "`")


def keys_to_customers(connection: Connection, schema: Schema) -> list[ForeignKey]:
    """The orders' foreign keys that contain the customer's id; none where [orders] is a query."""
    if schema.order_table is None:
        return []
    link = schema.settings.orders.customer_id.casefold()
    found = foreign_keys(connection, schema.order_table)
    return [key for key in found if link in [column.casefold() for column in key.columns]]


def key_name(schema: Schema, key: ForeignKey) -> str:
    """A key to the customers as the baseline keeps it: `table.column RULE`."""
    table = schema.order_table.name if schema.order_table is not None else ""
    return f"{table}.{schema.settings.orders.customer_id} {key.rule}"


def dangerous_keys(connection: Connection, schema: Schema) -> list[str]:
    """The orders' foreign keys to their customer that take orders along or unlink them, as `table.column RULE`."""
    return [key_name(schema, key) for key in keys_to_customers(connection, schema) if key.rule in DANGEROUS]


def mending(connection: Connection, table: Table, key: ForeignKey) -> list[str]:
    """The statements that make MariaDB refuse a physical delete instead. It cannot drop and add one name in one statement."""
    schema, referred, names = key.referred
    alter, name = f"ALTER TABLE {quoted_table(connection, table)}", quoted(connection, key.name or "")
    place = ".".join(quoted(connection, part) for part in (schema, referred) if part)
    columns, others = (", ".join(quoted(connection, c) for c in of) for of in (key.columns, names))
    update = f" ON UPDATE {key.on_update}" if key.on_update else ""
    anew = f"FOREIGN KEY ({columns}) REFERENCES {place} ({others}) ON DELETE RESTRICT{update}"
    return [f"{alter} DROP FOREIGN KEY {name}", f"{alter} ADD CONSTRAINT {name} {anew}"]


# deleted_at


@dataclass(frozen=True)
class _Described:
    """A column as the server says it now: `kind` in capitals, `extra` in small letters."""

    kind: str
    nullable: bool
    default: str | None
    extra: str


def unusable(connection: Connection, schema: Schema) -> str | None:
    """What is wrong with the existing deleted_at (the end of a sentence), or None where it can be used.

    It is asked of the server, because the table may have changed since it was attached.
    """
    found = _described(connection, schema)
    words = ("DATE", "TIME", "TEXT", "CHAR", "CLOB") if schema.dialect == "sqlite" else ("TIMESTAMP", "DATETIME")
    if found is None:
        return "is not there any more"
    if "generated" in found.extra:
        return "is computed from other columns"
    if not found.nullable:
        return f"does not allow NULL ({found.kind} NOT NULL), so every customer would count as deleted"
    if not any(word in found.kind for word in words):
        return f"is {found.kind or 'of no type'}, not a time"
    if "on update" in found.extra:
        return "changes by itself (ON UPDATE)"
    if (found.default or "NULL").upper() != "NULL":
        return f"has the default {found.default}, so new customers would count as deleted"
    return None


def _described(connection: Connection, schema: Schema) -> _Described | None:
    table, name = schema.customer_table, schema.settings.customers.deleted_at
    if connection.dialect.name == "sqlite":
        # hidden: 2 and 3 are computed columns
        statement = 'SELECT type, "notnull", dflt_value, hidden FROM pragma_table_xinfo(:name, :schema) WHERE lower(name) = lower(:column)'
        values = {"name": table.name, "schema": table.schema or "main", "column": name}
        row = connection.execute(text(statement), values).first()
        extra = "generated" if row and row[3] in (2, 3) else ""
        return _Described(str(row[0]).upper(), not row[1], row[2], extra) if row else None
    for row in connection.execute(text(literal_sql(f"SHOW COLUMNS FROM {quoted_table(connection, table)}"))):
        if row.Field.casefold() == name.casefold():
            return _Described(row.Type.upper(), row.Null == "YES", row.Default, row.Extra.lower())
    return None


# Triggers


@dataclass(frozen=True)
class Trigger:
    """A trigger of a table. `body` None: the account may not read it. SQLite has all of it in the body, and no `when`.

    `when` is such as BEFORE DELETE.
    """

    name: str
    when: str
    body: str | None


def triggers_of(connection: Connection, table: Table) -> list[Trigger]:
    """The table's triggers that this account may see; MariaDB shows none to an account that may only read."""
    if connection.dialect.name == "sqlite":
        statement = f"SELECT name, '', sql FROM {_master(connection, table)} WHERE type = 'trigger' AND lower(tbl_name) = lower(:name)"
    else:
        statement = (
            "SELECT trigger_name, CONCAT(action_timing, ' ', event_manipulation), action_statement "
            "FROM information_schema.triggers "
            "WHERE event_object_schema = COALESCE(:schema, DATABASE()) AND event_object_table = :name ORDER BY trigger_name"
        )
    values = {"schema": table.schema, "name": table.name} if ":schema" in statement else {"name": table.name}
    return [Trigger(*row) for row in connection.execute(text(statement), values)]


def shows_triggers(connection: Connection, table: Table) -> bool:
    """Whether a trigger of the table would be shown to this account: on MariaDB, to one that may also write to it."""
    if connection.dialect.name == "sqlite" or triggers_of(connection, table):
        return True
    columns = connection.execute(text(literal_sql(f"SHOW FULL COLUMNS FROM {quoted_table(connection, table)}")))
    return any({"insert", "update"} & set(row.Privileges.split(",")) for row in columns)


def _master(connection: Connection, table: Table) -> str:
    """SQLite's list of what is in the file."""
    return _placed(connection, table, "sqlite_master")


def mentions(words: str, column: str) -> bool:
    """Whether SQL text has this name as a word."""
    return bool(re.search(rf"(?<!\w){re.escape(column)}(?!\w)", words, re.IGNORECASE))


def assigns(words: str, column: str) -> bool:
    """Whether SQL text seems to give the column a value: SET ... column =, or INTO NEW.column."""
    name = rf"[`\"\[]?(?<!\w){re.escape(column)}(?!\w)[`\"\]]?"
    return bool(re.search(rf"\bset\b[^;]*?{name}\s*:?=|\binto\b[^;(]*?\bnew\s*\.\s*{name}", words, re.I | re.S))


# The guard


def guard_name(table: Table) -> str:
    """The name of the trigger that refuses physical deletes from the table."""
    return f"evenbooks_guard_{table.name}"[:LONGEST_NAME]


def guard_statements(connection: Connection, table: Table, kind: str) -> tuple[str, str]:
    """The statement that makes the guard of the table, and the one that drops it. `kind`: customers or orders."""
    place = _placed(connection, table, guard_name(table))
    on = quoted(connection, table.name) if connection.dialect.name == "sqlite" else quoted_table(connection, table)
    return f"CREATE TRIGGER {place} BEFORE DELETE ON {on} {_action(connection, kind)}", f"DROP TRIGGER {place}"


def _action(connection: Connection, kind: str) -> str:
    """What the trigger does: one statement that refuses."""
    if connection.dialect.name == "sqlite":
        return f"BEGIN SELECT RAISE(ABORT, '{REFUSALS[kind]}'); END"
    return f"FOR EACH ROW SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = '{REFUSALS[kind]}'"


def guard_state(connection: Connection, table: Table) -> tuple[GuardState, str]:
    """Whether the table's guard stands as it was made; where it is another trigger now, what that one does."""
    if connection.dialect.name == "sqlite":
        return _guard_on_sqlite(connection, table)
    statement = (
        "SELECT event_object_table, CONCAT(action_timing, ' ', event_manipulation), action_statement, "
        "@@lower_case_table_names FROM information_schema.triggers "
        "WHERE trigger_schema = COALESCE(:schema, DATABASE()) AND trigger_name = :name"
    )
    row = connection.execute(text(statement), {"schema": table.schema, "name": guard_name(table)}).first()
    if row is None:
        return _guard_unlisted(connection, table), ""
    same = str.casefold if row[3] else str  # where the server does not tell Customers from customers
    moved = (same(row[0]), row[1]) != (same(table.name), "BEFORE DELETE")
    if row[2] is None and not moved:
        return "unseen", ""
    whole = f"FOR EACH ROW {_flat(row[2] or 'something that this account may not read')}"
    if moved or whole not in [_action(connection, kind) for kind in REFUSALS]:
        return "other", f"{row[1]} ON {row[0]} {whole}"
    return "there", ""


def _guard_on_sqlite(connection: Connection, table: Table) -> tuple[GuardState, str]:
    listed = f"SELECT sql FROM {_master(connection, table)} WHERE type = 'trigger' AND lower(name) = lower(:name)"
    sql = connection.execute(text(listed), {"name": guard_name(table)}).scalar()
    if sql is None:
        return "gone", ""
    begin = f"CREATE TRIGGER {quoted(connection, guard_name(table))} BEFORE DELETE ON"
    # A table that was renamed to and fro has its name in quotation marks there.
    names = (quoted(connection, table.name), '"' + table.name.replace('"', '""') + '"')
    ours = [_flat(f"{begin} {on} {_action(connection, kind)}") for on in names for kind in REFUSALS]
    return ("there", "") if _flat(sql) in ours else ("other", _flat(sql))


def _guard_unlisted(connection: Connection, table: Table) -> GuardState:
    """A trigger that is not listed is gone, or hidden from this account: asked by name, the server tells the two apart."""
    place = _placed(connection, table, guard_name(table))
    try:
        connection.execute(text(literal_sql(f"SHOW CREATE TRIGGER {place}"))).close()
    except DBAPIError as error:
        if error_code(error) == NO_SUCH_TRIGGER:
            return "gone"
        if error_code(error) not in HIDDEN:
            raise
    return "unseen"


def _flat(sql: str) -> str:
    return " ".join(sql.split())
