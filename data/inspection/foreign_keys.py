"""Foreign keys of the orders: which lead to the customers, what a physical delete would do, and how that is mended."""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, MetaData, Table, inspect, text
from sqlalchemy.exc import DBAPIError, NoSuchTableError

from data.inspection.names import quoted, quoted_table, unescaped
from data.inspection.query_tables import tables_of_query
from data.schema import Schema

DANGEROUS = ("CASCADE", "SET NULL", "SET DEFAULT")  # they take orders along, or unlink them
RULES = {"a": "NO ACTION", "r": "RESTRICT", "c": "CASCADE", "n": "SET NULL", "d": "SET DEFAULT"}  # PostgreSQL's letters
# A partition's key may be its own; one that comes from the whole table, or stands for a partition of the other, is no more.
ON_POSTGRESQL = """
    WITH RECURSIVE family(oid) AS (
        SELECT CAST(to_regclass(:place) AS oid)
        UNION SELECT i.inhrelid FROM pg_inherits i JOIN family f ON i.inhparent = f.oid
    )
    SELECT k.conname, CAST(k.confdeltype AS text) AS letter, n.nspname, r.relname, pg_get_constraintdef(k.oid) AS definition,
        ARRAY(
            SELECT CAST(a.attname AS text) FROM unnest(k.conkey) WITH ORDINALITY AS one(number, place)
            JOIN pg_attribute a ON a.attrelid = k.conrelid AND a.attnum = one.number ORDER BY one.place
        ) AS columns,
        (SELECT format('%I.%I', o.nspname, t.relname) FROM pg_class t JOIN pg_namespace o ON o.oid = t.relnamespace
            WHERE t.oid = k.conrelid) AS owner
    FROM pg_constraint k JOIN pg_class r ON r.oid = k.confrelid JOIN pg_namespace n ON n.oid = r.relnamespace
    WHERE k.contype = 'f' AND k.conparentid = 0 AND k.conrelid IN (SELECT oid FROM family)
    ORDER BY k.conname, owner
"""
# The customers themselves, their partitions, and the whole that they may be a part of.
FAMILY = """
    WITH RECURSIVE below(oid) AS (
        SELECT CAST(to_regclass(:place) AS oid)
        UNION SELECT i.inhrelid FROM pg_inherits i JOIN below f ON i.inhparent = f.oid
    ), above(oid) AS (
        SELECT CAST(to_regclass(:place) AS oid)
        UNION SELECT i.inhparent FROM pg_inherits i JOIN above f ON i.inhrelid = f.oid
    )
    SELECT oid FROM below UNION SELECT oid FROM above
"""


@dataclass(frozen=True)
class ForeignKey:
    """A foreign key: its name (None on SQLite), columns, and rule on delete in capitals. The rest is for making it anew.

    `owner` is the quoted table that has it, on PostgreSQL maybe a partition; there `definition` is the server's own.
    """

    name: str | None
    columns: list[str]
    rule: str
    referred: tuple[str | None, str, list[str]] = (None, "", [])
    on_update: str | None = None
    definition: str = ""
    owner: str = ""


def foreign_keys(connection: Connection, table: Table) -> list[ForeignKey]:
    """The table's foreign keys. SQLAlchemy does not read every spelling of SQLite's, nor PostgreSQL's of partitions."""
    if connection.dialect.name == "sqlite":
        return _of_sqlite(connection, table)
    if connection.dialect.name == "postgresql":
        rows = connection.execute(text(ON_POSTGRESQL), {"place": quoted_table(connection, table)})
        return [
            ForeignKey(
                row.conname,
                list(row.columns),
                RULES[row.letter],
                (row.nspname, row.relname, []),
                definition=row.definition,
                owner=row.owner,
            )
            for row in rows
        ]
    owner, found = (
        quoted_table(connection, table),
        inspect(connection).get_foreign_keys(table.name, schema=table.schema),
    )
    return [_read_key(dict(key), owner) for key in found]


def _of_sqlite(connection: Connection, table: Table) -> list[ForeignKey]:
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


def _read_key(key: dict[str, Any], owner: str) -> ForeignKey:
    options = key.get("options", {})
    rule = str(options.get("ondelete") or "RESTRICT").upper()
    referred = (key["referred_schema"], unescaped(key["referred_table"]), [*map(unescaped, key["referred_columns"])])
    columns = [*map(unescaped, key["constrained_columns"])]
    return ForeignKey(unescaped(key["name"]), columns, rule, referred, options.get("onupdate"), owner=owner)


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
    """The keys that take orders along or unlink them with their customer, as the baseline keeps them."""
    return list(reaching_keys(connection, schema)[0])


def reaching_keys(connection: Connection, schema: Schema) -> tuple[dict[str, ForeignKey], list[str]]:
    """The keys by which a physical delete of a customer takes orders along or unlinks them: each by words such as
    `orders.customer_id CASCADE`, or a chain's. Beside them sentences on what could not be seen.

    Where [orders] is a query, any key to the customers of a table that it names may be the link.
    """
    if schema.order_table is None:
        return _keys_of_query(connection, schema)
    direct = {key_name(schema, key): key for key in keys_to_customers(connection, schema) if key.rule in DANGEROUS}
    chains, hidden = _chains_to_customers(connection, schema.order_table, schema)
    return {**direct, **chains}, _not_read(hidden)


def _keys_of_query(connection: Connection, schema: Schema) -> tuple[dict[str, ForeignKey], list[str]]:
    tables, unseen = tables_of_query(connection, schema)
    found: dict[str, ForeignKey] = {}
    walk = _Walk(connection, schema)
    for table in tables:
        if _place(connection, table) in walk.ends:
            continue
        for key in walk.keys_of(table):
            words = walk.follow(table, key, set()) if key.rule == "CASCADE" or walk.ends_at(key) else None
            found.update({words: key} if words and key.rule in DANGEROUS else {})
    return found, [*unseen, *_not_read(walk.hidden)]


def _not_read(hidden: set[str]) -> list[str]:
    return [f"This account may not read the foreign keys of {', '.join(sorted(hidden))}."] if hidden else []


def _chains_to_customers(
    connection: Connection, table: Table, schema: Schema
) -> tuple[dict[str, ForeignKey], set[str]]:
    """How deleting a customer takes orders along by other columns than their link, maybe through other tables.

    Each is the first key, by words such as `orders.account_id CASCADE -> accounts.customer_id CASCADE`. Only CASCADE
    deletes a row, and so goes on to the next table. Beside them the tables whose keys this account may not read.
    """
    link, found, walk = schema.settings.orders.customer_id.casefold(), {}, _Walk(connection, schema)
    for key in foreign_keys(connection, table):
        if key.rule == "CASCADE" and link not in [column.casefold() for column in key.columns]:
            words = walk.follow(table, key, set())
            found.update({words: key} if words else {})
    return found, walk.hidden


class _Walk:
    """Follows keys to the customers; `hidden` are the tables on the way that could not be read."""

    def __init__(self, connection: Connection, schema: Schema) -> None:
        self.connection = connection
        self.hidden: set[str] = set()
        self.ends: set[Hashable] = {_place(connection, schema.customer_table)}
        if schema.dialect == "postgresql":
            place = {"place": quoted_table(connection, schema.customer_table)}
            self.ends = set(connection.execute(text(FAMILY), place).scalars())

    def follow(self, table: Table, key: ForeignKey, seen: set[Hashable]) -> str | None:
        """The keys by which this one of the table leads to the customers, each table visited once; None if it does not."""
        words = f"{table.name}.{', '.join(key.columns)} {key.rule}"
        referred = Table(key.referred[1], MetaData(), schema=key.referred[0])
        place = _place(self.connection, referred)
        if place in self.ends:
            return words
        if place in seen:
            return None
        seen.add(place)
        chains = (self.follow(referred, one, seen) for one in self.keys_of(referred) if one.rule == "CASCADE")
        rest = next(filter(None, chains), None)
        return f"{words} -> {rest}" if rest else None

    def ends_at(self, key: ForeignKey) -> bool:
        """Whether the key refers to the customers themselves."""
        return _place(self.connection, Table(key.referred[1], MetaData(), schema=key.referred[0])) in self.ends

    def keys_of(self, table: Table) -> list[ForeignKey]:
        """The table's keys; none where it is gone, or this account may not read them, which is noted."""
        try:
            return foreign_keys(self.connection, table)
        except NoSuchTableError:
            return []
        except DBAPIError as error:
            if error.connection_invalidated:
                raise
            self.hidden.add(table.name)  # the account has no right on that table
            return []


def _place(connection: Connection, table: Table) -> Hashable:
    """What tells the table from every other: its whole name, as some servers do not tell Orders from orders; on PostgreSQL its number."""
    if connection.dialect.name == "postgresql":
        place = {"place": quoted_table(connection, table)}
        return connection.execute(text("SELECT CAST(to_regclass(:place) AS oid)"), place).scalar()
    default = connection.dialect.default_schema_name if connection.dialect.name != "sqlite" else "main"
    return f"{table.schema or default}.{table.name}".casefold()


def mending(connection: Connection, key: ForeignKey) -> list[str]:
    """The statements that make the server refuse a physical delete instead. MariaDB cannot drop and add one name in one statement."""
    name = quoted(connection, key.name or "")
    if key.definition:
        anew = _refusing(key.definition)
        return [f"ALTER TABLE {key.owner} DROP CONSTRAINT {name}, ADD CONSTRAINT {name} {anew}"]
    schema, referred, names = key.referred
    alter = f"ALTER TABLE {key.owner}"
    place = ".".join(quoted(connection, part) for part in (schema, referred) if part)
    columns, others = (", ".join(quoted(connection, c) for c in of) for of in (key.columns, names))
    update = f" ON UPDATE {key.on_update}" if key.on_update else ""
    anew = f"FOREIGN KEY ({columns}) REFERENCES {place} ({others}) ON DELETE RESTRICT{update}"
    return [f"{alter} DROP FOREIGN KEY {name}", f"{alter} ADD CONSTRAINT {name} {anew}"]


def _refusing(definition: str) -> str:
    """PostgreSQL's definition of a key with its rule on delete (the last that is said of it) turned to RESTRICT."""
    head, _, tail = definition.rpartition(" ON DELETE ")
    for rule in DANGEROUS:
        if tail.startswith(rule):
            rest = tail.removeprefix(rule)
            columns = rest.startswith(" (")  # SET NULL (one, other)
            return f"{head} ON DELETE RESTRICT{rest.partition(')')[2] if columns else rest}"
    return definition
