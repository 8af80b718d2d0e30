"""Reading the mapped tables from the database: what the mapping names is there, or a sentence says what was found."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import (
    Connection,
    CursorResult,
    Executable,
    FromClause,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    column,
    func,
    inspect,
    null,
    select,
    text,
    type_coerce,
)
from sqlalchemy.exc import NoSuchTableError, OperationalError, ProgrammingError
from sqlalchemy.sql import ColumnElement
from sqlalchemy.types import NullType, TypeEngine

from data.errors import ConfigurationError
from data.schema import NO_CURRENCY, Columns, Lens, Schema, literal_sql, own_tables
from data.settings import OrdersMapping, Settings
from data.times import UTCDateTime


def reflect(connection: Connection, settings: Settings) -> Schema:
    """Reads the mapped tables from the database and builds the schema.

    Raises ConfigurationError, naming the setting, the table or the column, and what was found instead.
    """
    table = _reflect_table(connection, "customers", settings.customers.table)
    present = _present_columns(table, settings)
    _check_key(table, settings)
    order_table, orders = _orders(connection, settings, table)
    lens = _customers(table, settings, present)
    for section, rows in (("customers", lens), ("orders", orders)):
        if getattr(settings, section).where:
            _try(connection, select(rows.c.id).where(text("1 = 0")), f"[{section}] where")
    dialect = "mysql" if connection.dialect.name == "mariadb" else connection.dialect.name
    return Schema(
        settings=settings,
        dialect=dialect,
        customer_table=table,
        order_table=order_table,
        customers=lens,
        orders=orders,
        present=present,
        indexed=_indexed_labels(connection, table, settings),
        self_updating=_self_updating(connection, table),
        own=own_tables(table.c[settings.customers.id].type),
    )


def split_name(name: str) -> tuple[str | None, str]:
    """`schema.table` as its two parts; the schema is None where the name has none."""
    schema, _, table = name.rpartition(".")
    return schema or None, table


def _reflect_table(connection: Connection, section: str, name: str) -> Table:
    schema, table = split_name(name)
    try:
        return Table(table, MetaData(), schema=schema, autoload_with=connection, resolve_fks=False)
    except NoSuchTableError:
        found = sorted(inspect(connection).get_table_names(schema=schema))
        shown = ", ".join(found[:12]) + (", ..." if len(found) > 12 else "") or "no table at all"
        raise ConfigurationError(
            f'[{section}] table = "{name}": there is no such table in this database. It has: {shown}.'
        ) from None


def _require(table: Table, section: str, key: str, physical: str) -> None:
    if physical not in table.c:
        raise ConfigurationError(
            f'[{section}] {key} = "{physical}": {table.name} has no such column. It has: {", ".join(table.c.keys())}.'
        )


def _present_columns(table: Table, settings: Settings) -> frozenset[str]:
    mapping = settings.customers
    _require(table, "customers", "id", mapping.id)
    for physical in mapping.name_columns:
        _require(table, "customers", "name", physical)
    for key in ("insert", "erase"):
        for physical in getattr(mapping, key):
            _require(table, "customers", key, physical)
    present = {"id", "name"}
    for key in ("email", "created_at", "deleted_at", "phone"):
        physical = getattr(mapping, key)
        if physical and physical in table.c:
            present.add(key)
        elif physical and key in mapping.model_fields_set and key != "deleted_at":
            _require(table, "customers", key, physical)
    return frozenset(present)


def _check_key(table: Table, settings: Settings) -> None:
    keys = [c.name for c in table.primary_key.columns]
    wanted = settings.customers.id
    if keys == [wanted]:
        pass
    elif len(keys) > 1:
        raise ConfigurationError(
            f"{table.name} has a key of several columns ({', '.join(keys)}). One column must tell customers apart: "
            "composite keys cannot be mapped."
        )
    else:
        raise ConfigurationError(
            f'[customers] id = "{wanted}": this is not the primary key of {table.name}, which is {keys[0] if keys else "missing"}.'
        )
    kind = table.c[wanted].type
    if not isinstance(kind, (Integer, String, NullType)) or isinstance(kind, LargeBinary):
        raise ConfigurationError(f'[customers] id = "{wanted}": keys are integers or text; this one is {kind}.')


def joined(columns: Sequence[ColumnElement[Any]]) -> ColumnElement[Any]:
    """One column as itself, so that its index serves; several as words with blanks between."""
    if len(columns) == 1:
        return columns[0]
    words: ColumnElement[Any] = func.coalesce(columns[0], "")
    for one in columns[1:]:
        words = words.concat(" ").concat(func.coalesce(one, ""))
    return func.trim(words)


def _customers(table: Table, settings: Settings, present: frozenset[str]) -> Lens:
    mapping = settings.customers

    def optional(key: str, kind: TypeEngine[Any] | None = None) -> ColumnElement[Any]:
        if key not in present:
            return null()
        physical = table.c[getattr(mapping, key)]
        return type_coerce(physical, kind) if kind else physical

    columns = Columns(
        id=table.c[mapping.id],
        name=joined([table.c[c] for c in mapping.name_columns]),
        email=optional("email"),
        phone=optional("phone"),
        created_at=optional("created_at", UTCDateTime()),
        deleted_at=optional("deleted_at", UTCDateTime()),
    )
    return _lens("customers", table, columns, mapping.where, computed=len(mapping.name_columns) > 1)


def _orders(connection: Connection, settings: Settings, customers: Table) -> tuple[Table | None, Lens]:
    mapping = settings.orders
    id_type = customers.c[settings.customers.id].type
    labels = ["id", "customer_id", "ordered_at", "total"]
    labels += [key for key in ("cost", "status", "currency") if getattr(mapping, key)]
    if mapping.query:
        types: dict[str, Any] = {"customer_id": id_type}
        columns = [column(label, types.get(label, NullType())) for label in labels]
        source: FromClause = text(_bare(mapping.query)).columns(*columns).subquery("order_query")
        _try_query(connection, mapping, labels)
        physical = Columns({label: source.c[label] for label in labels})
        table = None
    else:
        source = table = _reflect_table(connection, "orders", mapping.table)
        for label in labels:
            _require(table, "orders", label, getattr(mapping, label))
        physical = Columns({label: table.c[getattr(mapping, label)] for label in labels})
    if mapping.currency:
        # In capitals and trimmed, because MariaDB takes "EUR", "eur" and "EUR " for the same and answers any of them.
        code = func.upper(func.trim(physical.currency), type_=String())
        physical["currency"] = func.coalesce(func.nullif(code, ""), NO_CURRENCY)
    return table, _lens("orders", source, physical, mapping.where, computed=mapping.currency is not None)


def _bare(query: str) -> str:
    """The query without the semicolon it may end with, safe within brackets where it ends with a comment."""
    return literal_sql(query.strip().rstrip(";")) + "\n"


def _try_query(connection: Connection, mapping: OrdersMapping, labels: list[str]) -> None:
    """Runs the mapping's query for no rows, so that a label it lacks is named at the start."""
    statement = text(f"SELECT * FROM ({_bare(mapping.query or '')}) AS order_query WHERE 1 = 0")
    found = list(_try(connection, statement, "[orders] query").keys())
    for label in labels:
        if label not in found:
            raise ConfigurationError(f"[orders] query has no column {label}. It has: {', '.join(found)}.")


def _try(connection: Connection, statement: Executable, setting: str) -> CursorResult[Any]:
    """Runs SQL of the mapping. Raises ConfigurationError with the database's own words where it cannot."""
    try:
        return connection.execute(statement)
    except (OperationalError, ProgrammingError) as error:
        if error.connection_invalidated:
            raise
        raise ConfigurationError(f"{setting} cannot be run: {error.orig}") from error


def _indexed_labels(connection: Connection, table: Table, settings: Settings) -> frozenset[str]:
    """Which labels an index serves: those whose column leads one."""
    leading = {settings.customers.id}
    inspector = inspect(connection)
    for index in inspector.get_indexes(table.name, schema=table.schema):
        leading.update(name for name in index["column_names"][:1] if name)
    for unique in inspector.get_unique_constraints(table.name, schema=table.schema):
        leading.update(unique["column_names"][:1])
    mapping = settings.customers
    single = {
        "id": mapping.id,
        "email": mapping.email,
        "created_at": mapping.created_at,
        "deleted_at": mapping.deleted_at,
        "phone": mapping.phone,
    }
    if len(mapping.name_columns) == 1:
        single["name"] = mapping.name_columns[0]
    return frozenset(label for label, physical in single.items() if physical in leading)


def _self_updating(connection: Connection, table: Table) -> frozenset[str]:
    """Asked of the server, because SQLAlchemy loses ON UPDATE beside most defaults."""
    if connection.dialect.name == "sqlite":
        return frozenset()
    quoted = connection.dialect.identifier_preparer.format_table(table)
    columns = connection.exec_driver_sql(f"SHOW COLUMNS FROM {quoted}")  # the name's percent signs are doubled already
    return frozenset(row.Field for row in columns if "on update" in row.Extra.lower())


def _lens(name: str, source: FromClause, columns: Columns, where: str | None, *, computed: bool) -> Lens:
    if not where and not computed:
        return Lens(source, columns)
    rows = select(*Lens(source, columns).labelled).select_from(source)
    inner = (rows.where(text(f"({literal_sql(where)})")) if where else rows).subquery(name)
    return Lens(inner, Columns({label: inner.c[label] for label in columns}))
