"""Whether a table is there and may be read, as far as this account is told."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import Connection, Table, false, inspect, literal_column, select, text, union_all
from sqlalchemy.exc import DBAPIError

from data.faults import NOT_ALLOWED, error_code


def is_there(connection: Connection, name: str, schema: str | None = None) -> bool | None:
    """Whether there is a table or view of this name; None where this account may not know.

    MariaDB refuses who has no right on a table, nor on all of its database, be it there or not.
    """
    try:
        return inspect(connection).has_table(name, schema=schema)
    except DBAPIError as error:
        if error_code(error) not in NOT_ALLOWED:
            raise
    return None


def index_names(connection: Connection, name: str) -> set[str]:
    """The names of a table's indexes, but that of its primary key.

    Of MariaDB's catalogue, because SHOW CREATE TABLE, which SQLAlchemy reads, is refused to who may read some columns only.
    """
    if connection.dialect.name in ("sqlite", "postgresql"):
        return {str(index["name"]) for index in inspect(connection).get_indexes(name)}
    statement = (
        "SELECT index_name FROM information_schema.statistics "
        "WHERE table_schema = DATABASE() AND table_name = :name AND index_name <> 'PRIMARY'"
    )
    return set(connection.execute(text(statement), {"name": name}).scalars())


def read_nothing(connection: Connection, tables: Sequence[Table]) -> None:
    """Reads no row of each of the tables, in one statement: the driver raises where one is gone or may not be read.

    A right on one column is enough.
    """
    connection.execute(union_all(*(select(literal_column("1")).select_from(t).where(false()) for t in tables))).close()
