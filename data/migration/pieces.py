"""What is made on the company's tables, how, and how it is removed; and what cannot serve."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, String, Table, inspect, text

from data import queries
from data.errors import ConfigurationError
from data.guard import guard_name, guard_state, guard_statements
from data.inspection import (
    LONGEST_NAME,
    is_view,
    quoted,
    quoted_table,
    storage,
    unescaped,
    unusable,
)
from data.schema import Schema

COMMENT = "Customers table with soft delete support"
LONGEST_KEY = 3072  # bytes of an InnoDB index


@dataclass(frozen=True)
class Piece:
    """Something on the company's tables. `name` is what the events call it.

    `make` and `drop` are statements, the second of them for where the server refuses the first; `drop` is empty
    where nothing of ours is there. `clash` says why it cannot be made. `outside`: no transaction may contain it.
    `option` is what must be asked for, once, to have it made; `clear` is run first, where something else has its name;
    `unseen`: this account cannot know whether it is there.
    """

    name: str
    table: str
    there: bool
    make: tuple[str, ...]
    drop: tuple[str, ...]
    clash: str | None = None
    option: str | None = None
    outside: bool = False
    clear: tuple[str, ...] = ()
    unseen: bool = False

    @property
    def is_guard(self) -> bool:
        """Whether it is one of the triggers that refuse physical deletes."""
        return self.option in ("guard", "guard_orders")


def pieces(connection: Connection, schema: Schema) -> list[Piece]:
    """Everything that can be made on the company's tables, in that order, each inspected now."""
    table, column = schema.customer_table, schema.settings.customers.deleted_at
    found = [_column(connection, schema), _index(connection, table, [column])]
    if schema.dialect != "sqlite":
        found.append(_comment(connection, table))
    if schema.order_table is not None:
        dated, linked = revenue_columns(schema)
        found += [
            _index(connection, schema.order_table, dated, name_of=2, option="revenue_index"),
            _index(connection, schema.order_table, linked, name_of=3, option="revenue_index"),
        ]
    found += _guards(connection, schema)
    return found + ([_write_ahead_log(connection)] if schema.dialect == "sqlite" else [])


def _column(connection: Connection, schema: Schema) -> Piece:
    table, column = schema.customer_table, schema.settings.customers.deleted_at
    alter = f"ALTER TABLE {quoted_table(connection, table)}"
    # In full: a server with explicit_defaults_for_timestamp=0 would otherwise fill in the present time.
    add = f"{alter} ADD COLUMN {quoted(connection, column)} TIMESTAMP NULL DEFAULT NULL"
    drop = f"{alter} DROP COLUMN {quoted(connection, column)}"
    ways = [""] if schema.dialect == "sqlite" else [", ALGORITHM=INSTANT", ", ALGORITHM=INPLACE, LOCK=NONE"]
    make, remove = (tuple(sql + way for way in ways) for sql in (add, drop))
    return Piece(f"column {column}", table.name, schema.migrated, make, remove if schema.migrated else ())


def _comment(connection: Connection, table: Table) -> Piece:
    existing = inspect(connection).get_table_comment(table.name, schema=table.schema)["text"]
    alter = f"ALTER TABLE {quoted_table(connection, table)} COMMENT = "
    make, drop = (
        tuple(f"{alter}'{words}', ALGORITHM={way}" for way in ("INSTANT", "INPLACE")) for words in (COMMENT, "")
    )
    return Piece("comment", table.name, bool(existing), make, drop if existing == COMMENT else ())


def _guards(connection: Connection, schema: Schema) -> list[Piece]:
    """The triggers that refuse physical deletes. One that was changed since is dropped before it is made again."""
    tables = {"guard": ("customers", schema.customer_table)}
    if schema.order_table is not None:
        tables["guard_orders"] = ("orders", schema.order_table)
    found = []
    for option, (kind, table) in tables.items():
        if is_view(connection, table):
            continue  # made once, it went with the table; the check `guard` says so
        make, drop = guard_statements(connection, table, kind)
        state, _ = guard_state(connection, table)
        clash = None
        if option == "guard_orders" and guard_name(table) == guard_name(schema.customer_table):
            clash = (
                f"The guards of {schema.customer_table.name} and {table.name} would have one name: {guard_name(table)}"
            )
        piece = Piece(
            f"guard {table.name}",
            table.name,
            there=state == "there",
            make=(make,),
            drop=() if state == "gone" else (drop,),
            clash=clash,
            option=option,
            clear=(drop,) if state == "other" else (),
            unseen=state == "unseen",
        )
        found.append(piece)
    return found


def _write_ahead_log(connection: Connection) -> Piece:
    mode = connection.execute(text("PRAGMA journal_mode")).scalar()
    drop = ("PRAGMA journal_mode = DELETE",) if mode == "wal" else ()
    return Piece("write-ahead log", "", mode in ("wal", "memory"), ("PRAGMA journal_mode = WAL",), drop, outside=True)


def _index(
    connection: Connection, table: Table, columns: Sequence[str], *, name_of: int = 1, option: str | None = None
) -> Piece:
    """An index on these columns, named after the first `name_of`; another one that begins with them serves as well."""
    name = "_".join(["idx", table.name, *columns[:name_of]])[:LONGEST_NAME]
    indexes = {unescaped(i["name"]): i for i in inspect(connection).get_indexes(table.name, schema=table.schema)}
    whole = [i["column_names"] for i in indexes.values() if not i.get("dialect_options", {}).get("sqlite_where")]
    there = any(found[: len(columns)] == list(columns) for found in whole)
    on, place = quoted_table(connection, table), quoted(connection, name)
    listed = ", ".join(quoted(connection, column) for column in columns)
    if connection.dialect.name == "sqlite":
        place = f"{quoted(connection, table.schema)}.{place}" if table.schema else place
        make = f"CREATE INDEX {place} ON {quoted(connection, table.name)} ({listed})"
        drop = f"DROP INDEX {place}"
    else:
        make = f"CREATE INDEX {place} ON {on} ({listed}) ALGORITHM=INPLACE LOCK=NONE"
        instead = _index_of_foreign_key(connection, table, columns[0], name)
        drop = f"ALTER TABLE {on} {instead}DROP INDEX {place}, ALGORITHM=INPLACE, LOCK=NONE"
    clash = None
    if not there and name in indexes:
        listed = ", ".join(map(str, indexes[name]["column_names"]))
        clash = f"{table.name} has an index {name} already, on other columns ({listed}; needed: {', '.join(columns)})"
    return Piece(f"index {name}", table.name, there, (make,), (drop,) if name in indexes else (), clash, option)


def _index_of_foreign_key(connection: Connection, table: Table, column: str, name: str) -> str:
    """What must be put back with the index `name`: MariaDB drops the index that it made itself for a foreign key
    as soon as another one serves, and then does not let that one go."""
    inspector = inspect(connection)
    indexes = inspector.get_indexes(table.name, schema=table.schema)
    if any(unescaped(i["name"]) != name and i["column_names"][:1] == [column] for i in indexes):
        return ""
    keys = inspector.get_foreign_keys(table.name, schema=table.schema)
    names = [str(key["name"]) for key in keys if key["constrained_columns"] == [column]]
    return f"ADD INDEX {quoted(connection, names[0])} ({quoted(connection, column)}), " if names else ""


def revenue_columns(schema: Schema) -> list[list[str]]:
    """The columns of the two indexes that cover the statements of data/queries/revenue.py."""
    mapping = schema.settings.orders
    extras = [c for c in (mapping.cost, mapping.status, mapping.currency) if c]
    dated = [mapping.ordered_at, mapping.total, *extras]
    return [list(dict.fromkeys(columns)) for columns in (dated, [mapping.customer_id, *dated])]


def too_long(schema: Schema) -> str | None:
    """Why MariaDB cannot index the revenue columns whole, or None."""
    if schema.order_table is None or schema.dialect == "sqlite":
        return None
    kinds = {column: schema.order_table.c[column].type for column in revenue_columns(schema)[1]}
    texts = {column: kind for column, kind in kinds.items() if isinstance(kind, String)}
    endless = [column for column, kind in texts.items() if kind.length is None]
    if endless:
        return f"{', '.join(endless)} has no length"
    size = sum(4 * (kind.length or 0) + 2 for kind in texts.values())
    return f"{', '.join(texts)} is too long together" if size > LONGEST_KEY - 60 else None


def refuse_unusable(connection: Connection, schema: Schema) -> None:
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
    row = storage(connection, table)
    if row and row[0] == "NO":
        raise ConfigurationError(
            f"{table.name} is stored by {row[1]}, which cannot roll anything back. Convert it first: "
            f"ALTER TABLE {quoted_table(connection, table)} ENGINE=InnoDB. Nothing was changed."
        )
