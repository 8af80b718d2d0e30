"""The catalogue of MariaDB and MySQL, where SQLAlchemy would read a table at a time."""

from __future__ import annotations

from sqlalchemy import Connection, inspect, text
from sqlalchemy.exc import DBAPIError, NoSuchTableError

from data.detection.tables import Catalog, Column, Table, as_references, is_theirs

MOST_KEYS_READ = (
    1500  # tables whose foreign keys are read one by one, because the server's list of all shows small accounts none
)
KINDS = {
    **dict.fromkeys(("tinyint", "smallint", "mediumint", "int", "bigint"), "integer"),
    **dict.fromkeys(("decimal", "numeric"), "decimal"),
    **dict.fromkeys(("char", "varchar", "tinytext", "text", "mediumtext", "longtext"), "text"),
    **dict.fromkeys(("datetime", "timestamp"), "datetime"),
    **dict.fromkeys(("binary", "varbinary", "tinyblob", "blob", "mediumblob", "longblob"), "binary"),
    **{
        "float": "float",
        "double": "double",
        "date": "date",
        "time": "time",
        "enum": "enum",
        "uuid": "uuid",
        "bit": "boolean",
    },
}


def read_mariadb(connection: Connection) -> Catalog:
    """Tables, columns and keys of the database that the connection is in; of the others nothing."""
    catalog = Catalog({})
    tables = (
        "SELECT table_name AS name, table_type AS kind, table_rows AS size FROM information_schema.tables "
        "WHERE table_schema = DATABASE() ORDER BY table_name"
    )
    for row in connection.execute(text(tables)):
        if row.kind == "VIEW":
            catalog.views.append(str(row.name))
        elif row.kind in {"BASE TABLE", "SYSTEM VERSIONED"} and is_theirs(row.name):
            catalog.tables[None, row.name] = Table(None, row.name, size=int(row.size or 0))
    columns = (
        "SELECT table_name AS place, column_name AS name, data_type AS kind, column_type AS whole, is_nullable AS nullable, "
        "column_default AS usual, column_key AS part, extra AS more FROM information_schema.columns "
        "WHERE table_schema = DATABASE() ORDER BY table_name, ordinal_position"
    )
    for row in connection.execute(text(columns)):
        one = catalog.tables.get((None, row.place))
        if one is None:
            continue
        kind = "boolean" if row.whole == "tinyint(1)" else KINDS.get(row.kind, "other")
        kind = "integer" if kind == "decimal" and ",0)" in row.whole else kind
        has_default = row.usual not in (None, "NULL") or any(
            w in row.more.lower() for w in ("auto_increment", "generated")
        )
        one.columns[row.name] = Column(row.name, kind, row.nullable == "YES", has_default)
        if row.part == "PRI":
            one.key.append(row.name)
        elif row.part == "UNI":
            one.unique.append(row.name)
    _read_mariadb_keys(connection, catalog)
    return catalog


def _read_mariadb_keys(connection: Connection, catalog: Catalog) -> None:
    """Foreign keys, of the tables that have something to count or to link: the only list that a small account may read is
    each table's own."""
    inspector = inspect(connection)
    wanted = [t for t in catalog.tables.values() if any(_may_refer(c) for c in t.columns.values())]
    for one in wanted[:MOST_KEYS_READ]:
        try:
            with connection.begin_nested():
                one.references = as_references(inspector.get_foreign_keys(one.name), inspector.default_schema_name)
        except NoSuchTableError:
            continue
        except DBAPIError as error:
            if error.connection_invalidated:
                raise


def _may_refer(column: Column) -> bool:
    return column.is_numeric or column.kind in {"datetime", "date"}
