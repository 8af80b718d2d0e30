"""What is asked of the company's tables themselves: storage, foreign keys, deleted_at, triggers."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, MetaData, Table, inspect, text
from sqlalchemy.exc import DBAPIError, NoSuchTableError

from data.schema import Schema, literal_sql

LONGEST_NAME = 64
DANGEROUS = ("CASCADE", "SET NULL", "SET DEFAULT")  # they take orders along, or unlink them


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


def is_view(connection: Connection, table: Table) -> bool:
    """Whether the mapped table is a view: it then has neither foreign keys nor triggers of its own."""
    if connection.dialect.name == "sqlite":
        statement = f"SELECT type FROM {master(connection, table)} WHERE lower(name) = lower(:name) AND type = 'view'"
        return connection.execute(text(statement), {"name": table.name}).first() is not None
    statement = (
        "SELECT table_type FROM information_schema.tables "
        "WHERE table_schema = COALESCE(:schema, DATABASE()) AND table_name = :name"
    )
    kind = connection.execute(text(statement), {"schema": table.schema, "name": table.name}).scalar()
    return str(kind).upper() == "VIEW"


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
            'SELECT id, "from" AS name, upper(on_delete) AS rule, "table" AS referred '
            "FROM pragma_foreign_key_list(:name, :schema) ORDER BY id, seq"
        )
        values = {"name": table.name, "schema": table.schema or "main"}
        listed = connection.execute(text(statement), values).all()
        numbers = dict.fromkeys(row.id for row in listed)
        grouped = [[row for row in listed if row.id == number] for number in numbers]
        return [
            ForeignKey(None, [str(row.name) for row in rows], str(rows[0].rule), (table.schema, rows[0].referred, []))
            for rows in grouped
        ]
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
    """The orders' foreign keys that take orders along or unlink them with their customer, as `table.column RULE`."""
    direct = [key_name(schema, key) for key in keys_to_customers(connection, schema) if key.rule in DANGEROUS]
    return [*direct, *chains_to_customers(connection, schema)[0]]


def chains_to_customers(connection: Connection, schema: Schema) -> tuple[dict[str, ForeignKey], list[str]]:
    """How deleting a customer takes orders along by other columns than their link, maybe through other tables.

    Each is the first key, by words such as `orders.account_id CASCADE -> accounts.customer_id CASCADE`. Only CASCADE
    deletes a row, and so goes on to the next table. Beside them the tables whose keys this account may not read.
    """
    if schema.order_table is None:
        return {}, []
    link, found, hidden = schema.settings.orders.customer_id.casefold(), {}, set[str]()
    for key in foreign_keys(connection, schema.order_table):
        if key.rule == "CASCADE" and link not in [column.casefold() for column in key.columns]:
            words = _chain(connection, schema, schema.order_table, key, set(), hidden)
            found.update({words: key} if words else {})
    return found, sorted(hidden)


def _chain(
    connection: Connection, schema: Schema, table: Table, key: ForeignKey, seen: set[str], hidden: set[str]
) -> str | None:
    """The keys by which this one of the table leads to the customers, each table visited once; None if it does not."""
    words = f"{table.name}.{', '.join(key.columns)} {key.rule}"
    referred = Table(key.referred[1], MetaData(), schema=key.referred[0])
    if _place(connection, referred) == _place(connection, schema.customer_table):
        return words
    if _place(connection, referred) in seen:
        return None
    seen.add(_place(connection, referred))
    try:
        keys = foreign_keys(connection, referred)
    except NoSuchTableError:
        return None
    except DBAPIError as error:
        if error.connection_invalidated:
            raise
        hidden.add(referred.name)  # the account has no right on that table
        return None
    chains = (_chain(connection, schema, referred, one, seen, hidden) for one in keys if one.rule == "CASCADE")
    rest = next(filter(None, chains), None)
    return f"{words} -> {rest}" if rest else None


def _place(connection: Connection, table: Table) -> str:
    """The table's whole name, for comparing: some servers do not tell Orders from orders."""
    default = connection.dialect.default_schema_name if connection.dialect.name != "sqlite" else "main"
    return f"{table.schema or default}.{table.name}".casefold()


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
        statement = f"SELECT name, '', sql FROM {master(connection, table)} WHERE type = 'trigger' AND lower(tbl_name) = lower(:name)"
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


def master(connection: Connection, table: Table) -> str:
    """SQLite's list of what is in the file."""
    return placed(connection, table, "sqlite_master")


def mentions(words: str, column: str) -> bool:
    """Whether SQL text has this name as a word."""
    return bool(re.search(rf"(?<!\w){re.escape(column)}(?!\w)", words, re.IGNORECASE))


def assigns(words: str, column: str) -> bool:
    """Whether SQL text seems to give the column a value: SET ... column =, or INTO NEW.column."""
    name = rf"[`\"\[]?(?<!\w){re.escape(column)}(?!\w)[`\"\]]?"
    return bool(re.search(rf"\bset\b[^;]*?{name}\s*:?=|\binto\b[^;(]*?\bnew\s*\.\s*{name}", words, re.I | re.S))
