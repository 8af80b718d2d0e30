"""Keys: what tells customers apart, what orders name them by, and how the two are compared."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from typing import Any

from sqlalchemy import (
    Connection,
    DefaultClause,
    Integer,
    Numeric,
    Select,
    String,
    Table,
    func,
    inspect,
    literal_column,
    select,
    text,
    true,
)
from sqlalchemy.exc import DBAPIError
from sqlalchemy.types import BigInteger

from data.errors import ConfigurationError
from data.inspection.names import quoted_table
from data.inspection.tables import is_view
from data.kinds import NumberKey, as_key, is_key
from data.schema import CAST_LINK, Lens, literal_sql
from data.settings import CustomersMapping

# Of columns that nothing is mapped to: said to nobody, who could do nothing about it.
warnings.filterwarnings("ignore", message="Did not recognize type")
MIXED = "(1267,"  # MariaDB's number of "Illegal mix of collations"


def check_key(connection: Connection, table: Table, mapping: CustomersMapping, dialect: str) -> None:
    """Gives the customers' key its type. Raises ConfigurationError where the column cannot tell customers apart."""
    keys, wanted = [c.name for c in table.primary_key.columns], mapping.id
    if keys == [wanted] or wanted in _unique_columns(connection, table):
        pass
    elif len(keys) > 1:
        raise ConfigurationError(
            f"{table.name} has a key of several columns ({', '.join(keys)}). One column must tell customers apart: "
            "composite keys cannot be mapped."
        )
    elif not keys and is_view(connection, table):
        raise ConfigurationError(
            f"{mapping.table} is a view, which can have no {mapping.deleted_at} of its own. Name the table behind it under "
            "[customers] table, with [customers] where for the part of it that are customers."
        )
    else:
        raise ConfigurationError(
            f'[customers] id = "{wanted}": this is not the primary key of {table.name}, which is {keys[0] if keys else "missing"}.'
        )
    kind = as_key(table.c[wanted].type, dialect)
    if dialect == "sqlite":
        kind = _stored(connection, table, mapping) or kind
    elif (
        type(kind) is not NumberKey
        and isinstance(kind, Numeric)
        and kind.asdecimal
        and _is_whole(connection, table, wanted)
    ):
        kind = NumberKey()
    table.c[wanted].type = kind
    if not is_key(kind):
        raise ConfigurationError(f'[customers] id = "{wanted}": keys are integers or text; this one is {kind}.')


def _unique_columns(connection: Connection, table: Table) -> set[str]:
    """The columns that are a unique key of the whole table by themselves and never NULL: they tell customers apart as well."""
    inspector = inspect(connection)
    constraints = inspector.get_unique_constraints(table.name, schema=table.schema)
    # SQLite's own indexes too: SQLAlchemy does not read every spelling of a unique key there.
    indexes = inspector.get_indexes(table.name, schema=table.schema, include_auto_indexes=True)
    whole = [i for i in indexes if i["unique"] and not any("where" in o for o in i.get("dialect_options", {}))]
    keys: list[Sequence[str | None]] = [key["column_names"] for key in constraints]
    keys += [index["column_names"] for index in whole]
    return {
        str(columns[0]) for columns in keys if len(columns) == 1 and columns[0] and not table.c[columns[0]].nullable
    }


def _is_whole(connection: Connection, table: Table, name: str) -> bool:
    """Whether a column of decimals holds whole numbers alone."""
    key = table.c[name]
    statement: Select[Any] = select(literal_column("1")).select_from(table).where(func.floor(key) != key).limit(1)
    return connection.execute(statement).first() is None


def _stored(connection: Connection, table: Table, mapping: CustomersMapping) -> BigInteger | String | None:
    """What SQLite's key column really holds, whatever it is declared as; None where it can hold nothing else."""
    key = table.c[mapping.id]
    if isinstance(key.type, String) or is_numbered(connection, table, mapping.id):
        return None
    inside = text(f"({literal_sql(mapping.where)})") if mapping.where else true()
    found = set(connection.execute(select(func.typeof(key)).select_from(table).where(inside).distinct()).scalars())
    if "null" in found:
        raise ConfigurationError(
            f'[customers] id = "{mapping.id}": some rows of {table.name} have none (NULL), so nothing tells them apart. '
            f'Give each its own, or leave them out with [customers] where = "{mapping.id} IS NOT NULL".'
        )
    if len(found) > 1 or found & {"real", "blob"}:
        raise ConfigurationError(
            f'[customers] id = "{mapping.id}": keys are integers or text, all of one kind; {table.name} holds {" and ".join(sorted(found))}.'
        )
    if found == {"integer"}:
        return BigInteger()
    return String() if found == {"text"} else None


def is_numbered(connection: Connection, table: Table, name: str) -> bool:
    """Whether SQLite numbers the rows by this column itself: INTEGER PRIMARY KEY, and nothing that only looks like it."""
    # The name of the rowid's column is told by no pragma; a table without rowid refuses to be asked for it.
    if [c.name for c in table.primary_key.columns] != [name]:
        return False
    statement = text("SELECT upper(type) FROM pragma_table_info(:table, :schema) WHERE name = :name")
    values = {"table": table.name, "schema": table.schema or "main", "name": name}
    if connection.execute(statement, values).scalar() != "INTEGER":
        return False
    indexes = text("SELECT 1 FROM pragma_index_list(:table, :schema) WHERE origin = 'pk'")
    return connection.execute(indexes, values).first() is None


def tell_defaults(connection: Connection, table: Table, dialect: str) -> None:
    """What fills itself in, where SQLAlchemy does not see it: defaults on MariaDB, numbers that only seem to be on SQLite."""
    if dialect == "sqlite":
        for key in table.primary_key.columns:
            if isinstance(key.type, Integer) and not is_numbered(connection, table, key.name):
                key.autoincrement = False
    if dialect == "mysql":
        for row in connection.execute(text(literal_sql(f"SHOW COLUMNS FROM {quoted_table(connection, table)}"))):
            if row.Default is not None and row.Field in table.c and table.c[row.Field].server_default is None:
                table.c[row.Field].server_default = DefaultClause(text("DEFAULT"))


def collation_of_links(connection: Connection, customers: Lens, orders: Lens, dialect: str) -> str | None:
    """The collation in which links and keys are compared, where the server does not know which; CAST_LINK: as our own text."""
    key, link = customers.c.id, orders.c.customer_id
    if not (isinstance(key.type, String) and isinstance(link.type, String)):
        return None
    if dialect == "postgresql":
        apart = key.type.collation and link.type.collation and key.type.collation != link.type.collation
        return key.type.collation if apart else None
    if dialect != "mysql":
        return None
    source = orders.source.join(customers.source, link == key)
    try:
        connection.execute(select(literal_column("1")).select_from(source).limit(0)).close()
    except DBAPIError as error:
        if not str(error.orig).startswith(MIXED):
            raise
        pair = orders.source.join(customers.source, true())
        asked = select(func.charset(link), func.charset(key), func.collation(key)).select_from(pair).limit(1)
        row = connection.execute(asked).first()
        return str(row[2]) if row and row[0] == row[1] else CAST_LINK
    return None
