"""How long it will take on big tables, and what it does to others meanwhile: said before the work."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import Connection, Table, text

from data.inspection import quoted_table, roughly, storage
from data.migration.piece import Piece, has_transactions
from data.migration.session import LOCK_WAIT
from data.schema import Schema, literal_sql

BIG = 100_000  # rows
SMALL = 20_000_000  # bytes that are counted at once
# Rows a second of one index, measured on 1,000,000 rows of 150 bytes in memory, two cores.
RATES = {"mysql": 600_000, "postgresql": 900_000, "sqlite": 2_000_000}


def rows_of(connection: Connection, table: Table) -> int | None:
    """How many rows the table has: by the catalogue, roughly; on SQLite, and where it is small, counted. None where nobody knows."""
    rough = None
    if connection.dialect.name == "postgresql":
        rough = (
            _of_partitions(connection, table)[0] if _is_partitioned(connection, table) else roughly(connection, table)
        )
    never_counted = connection.dialect.name == "postgresql" and rough is None
    if rough is not None:
        return rough
    if never_counted and (size_of(connection, table) or 0) > SMALL:
        return None
    if never_counted or connection.dialect.name == "sqlite":
        statement = text(literal_sql(f"SELECT count(*) FROM {quoted_table(connection, table)}"))
        return int(connection.execute(statement).scalar_one())
    row = storage(connection, table)
    return None if row is None else int(row[2] or 0)


def size_of(connection: Connection, table: Table) -> int | None:
    """How many bytes the table and its indexes take; on SQLite the whole file; None where nobody knows."""
    if connection.dialect.name == "sqlite":
        pages = "SELECT p.page_count * s.page_size FROM pragma_page_count() p, pragma_page_size() s"
        return int(connection.execute(text(pages)).scalar() or 0)
    if connection.dialect.name == "postgresql":
        if _is_partitioned(connection, table):
            return _of_partitions(connection, table)[1]
        statement = "SELECT pg_total_relation_size(CAST(:place AS regclass))"
        return int(connection.execute(text(statement), {"place": quoted_table(connection, table)}).scalar() or 0)
    statement = (
        "SELECT data_length + index_length FROM information_schema.tables "
        "WHERE table_schema = COALESCE(:schema, DATABASE()) AND table_name = :name"
    )
    size = connection.execute(text(statement), {"schema": table.schema, "name": table.name}).scalar()
    return None if size is None else int(size)


def _is_partitioned(connection: Connection, table: Table) -> bool:
    """Whether this is one of PostgreSQL's tables in partitions, which have no rows of their own."""
    if connection.dialect.name != "postgresql":
        return False
    statement = "SELECT relkind = 'p' FROM pg_class WHERE oid = CAST(:place AS regclass)"
    return bool(connection.execute(text(statement), {"place": quoted_table(connection, table)}).scalar())


def _of_partitions(connection: Connection, table: Table) -> tuple[int | None, int]:
    """The rows of all partitions, roughly, None where some were never counted, and their bytes, indexes included."""
    statement = (
        "SELECT coalesce(sum(greatest(c.reltuples, 0)), 0), coalesce(sum(pg_total_relation_size(c.oid)), 0), "
        "coalesce(bool_or(c.reltuples < 0 AND pg_relation_size(c.oid) > 0), false) "
        "FROM pg_partition_tree(CAST(:place AS regclass)) t JOIN pg_class c ON c.oid = t.relid WHERE t.isleaf"
    )
    rows, size, uncounted = connection.execute(text(statement), {"place": quoted_table(connection, table)}).one()
    return None if uncounted else int(rows), int(size)


def as_size(size: int) -> str:
    """Bytes as people say them."""
    for unit, bytes_of_it in (("GB", 10**9), ("MB", 10**6), ("kB", 10**3)):
        if size >= bytes_of_it:
            return f"{size / bytes_of_it:,.0f} {unit}"
    return f"{size} bytes"


def estimate(connection: Connection, schema: Schema, todo: Sequence[Piece]) -> list[str]:
    """What of the work reads whole tables, and roughly how long it takes; nothing where the tables are small."""
    lines = []
    for table in (t for t in (schema.customer_table, schema.order_table) if t is not None):
        rows = rows_of(connection, table)
        mine = [piece for piece in todo if piece.table == table.name and not piece.is_guard]
        if not mine or (rows is not None and rows < BIG):
            continue
        copied = not has_transactions(connection, table)
        slow = [piece for piece in mine if piece.reads or copied]
        quick = [piece.name for piece in mine if piece not in slow]
        if quick:
            lines.append(f"Instant on {table.name}, whatever its size: {', '.join(quick)}.")
        if slow:
            meanwhile = _meanwhile(schema, copied, _is_partitioned(connection, table))
            lines.append(_slow(schema, table, [piece.name for piece in slow], rows, meanwhile))
    if lines and schema.dialect != "sqlite":
        lines.append(
            f"Each step waits at most {LOCK_WAIT} seconds for those who hold the table, and is then given up: run this "
            "again, best when no long transaction, report or backup is running."
        )
    return lines


def _slow(schema: Schema, table: Table, names: Sequence[str], rows: int | None, meanwhile: str) -> str:
    how_long = "nobody knows how long, because its rows were never counted"
    if rows is not None:
        seconds = max(1, round(len(names) * rows / RATES[schema.dialect]))
        shown = f"{seconds} seconds" if seconds < 120 else f"{seconds // 60} minutes"
        how_long = (
            f"about {shown} at {RATES[schema.dialect]:,} rows a second, as measured with the table in memory; a busy "
            "server or a slow disk takes several times that"
        )
    return f"Reads all of {table.name}: {', '.join(names)}; {how_long}. {meanwhile}"


def _meanwhile(schema: Schema, copied: bool, partitioned: bool) -> str:
    """What others can do to the table while it is read, as a sentence."""
    if copied:
        return "Others can only read meanwhile, because a table without transactions is copied."
    if partitioned:
        return "Others can only read meanwhile and writing waits, because PostgreSQL indexes a table in partitions only so."
    if schema.dialect == "sqlite":
        return "Others can only read until all is done."
    return "Others read and write meanwhile."
