"""What is made on the company's tables, how, and how it is removed."""

from __future__ import annotations

from sqlalchemy import Connection, String, Table, inspect, text

from data.guard import guard_clearing, guard_name, guard_state, guard_statements
from data.inspection import is_view, quoted_table
from data.migration.column import OPTION as HIDDEN
from data.migration.column import column_pieces
from data.migration.indexes import index_piece
from data.migration.piece import Known, Piece
from data.migration.unique import active_unique
from data.migration.views import view_pieces
from data.schema import Schema

COMMENT = "Customers table with soft delete support"
LONGEST_KEY = 3072  # bytes of an InnoDB index


def pieces(connection: Connection, schema: Schema, known: Known) -> list[Piece]:
    """Everything that can be made on the company's tables, in that order, each inspected now."""
    table, column = schema.customer_table, schema.settings.customers.deleted_at
    hidden = HIDDEN in known.asked or f"invisible {column}" in known.made
    found = column_pieces(connection, schema, hidden)
    found.append(index_piece(connection, table, [column]))
    found += active_unique(connection, schema, known)
    if schema.dialect != "sqlite":
        found.append(_comment(connection, table))
    if schema.order_table is not None:
        dated, linked = revenue_columns(schema)
        found += [
            index_piece(connection, schema.order_table, dated, name_of=2, option="revenue_index"),
            index_piece(connection, schema.order_table, linked, name_of=3, option="revenue_index"),
        ]
    found += _guards(connection, schema)
    found += view_pieces(connection, schema, known)
    return found + ([_write_ahead_log(connection)] if schema.dialect == "sqlite" else [])


def _comment(connection: Connection, table: Table) -> Piece:
    existing = inspect(connection).get_table_comment(table.name, schema=table.schema)["text"]
    if connection.dialect.name == "postgresql":
        sql = f"COMMENT ON TABLE {quoted_table(connection, table)} IS "
        away = (f"{sql}NULL",) if existing == COMMENT else ()
        return Piece("comment", table.name, bool(existing), (f"{sql}'{COMMENT}'",), away)
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
            clear=(guard_clearing(connection, table),) if state == "other" else (),
            unseen=state == "unseen",
        )
        found.append(piece)
    return found


def _write_ahead_log(connection: Connection) -> Piece:
    mode = connection.execute(text("PRAGMA journal_mode")).scalar()
    drop = ("PRAGMA journal_mode = DELETE",) if mode == "wal" else ()
    return Piece("write-ahead log", "", mode in ("wal", "memory"), ("PRAGMA journal_mode = WAL",), drop, outside=True)


def revenue_columns(schema: Schema) -> list[list[str]]:
    """The columns of the two indexes that cover the statements of data/queries/revenue.py."""
    mapping = schema.settings.orders
    extras = [c for c in (mapping.cost, mapping.status, mapping.currency) if c]
    dated = [mapping.ordered_at, mapping.total, *extras]
    return [list(dict.fromkeys(columns)) for columns in (dated, [mapping.customer_id, *dated])]


def too_long(schema: Schema) -> str | None:
    """Why MariaDB cannot index the revenue columns whole, or None."""
    if schema.order_table is None or schema.dialect != "mysql":
        return None
    kinds = {column: schema.order_table.c[column].type for column in revenue_columns(schema)[1]}
    texts = {column: kind for column, kind in kinds.items() if isinstance(kind, String)}
    endless = [column for column, kind in texts.items() if kind.length is None]
    if endless:
        return f"{', '.join(endless)} has no length"
    size = sum(4 * (kind.length or 0) + 2 for kind in texts.values())
    return f"{', '.join(texts)} is too long together" if size > LONGEST_KEY - 60 else None
