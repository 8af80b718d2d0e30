"""A row that is written once, by whoever comes first."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection, Table, insert
from sqlalchemy.dialects import postgresql


def insert_once(connection: Connection, table: Table, **values: Any) -> None:
    """Inserts a row that was not there. Of several who do at once the others' transactions are tried again.

    On PostgreSQL a plain INSERT would end with a duplicate key instead, which no new try is made for.
    """
    if connection.dialect.name == "postgresql":
        connection.execute(postgresql.insert(table).values(**values).on_conflict_do_nothing())
    else:
        connection.execute(insert(table).values(**values))
