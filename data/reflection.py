"""Reading the mapped tables from the database: what the mapping names is there, or a sentence says what was found."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import (
    Connection,
    CursorResult,
    Enum,
    Executable,
    FromClause,
    MetaData,
    String,
    Table,
    cast,
    column,
    func,
    inspect,
    null,
    select,
    text,
    type_coerce,
)
from sqlalchemy.exc import DataError, NoSuchTableError, OperationalError, ProgrammingError, UnreflectableTableError
from sqlalchemy.sql import ColumnElement
from sqlalchemy.types import NullType, TypeEngine

from data.errors import ConfigurationError, NotMapped
from data.inspection.keys import check_key, collation_of_links, tell_defaults
from data.kinds import TextTime, as_link, of_query, simplify
from data.own import own_tables
from data.schema import MIGRATION, NO_CURRENCY, Columns, Lens, Schema, literal_sql
from data.settings import CustomersMapping, OrdersMapping, Settings
from data.times import UTCDateTime

DETECT = f"To have a mapping proposed: python {MIGRATION} --detect"


# The keys that name columns.
COLUMN_KEYS = {
    "customers": ("id", "name", "email", "created_at", "deleted_at", "phone", "insert", "erase"),
    "orders": ("id", "customer_id", "ordered_at", "total", "cost", "status", "currency"),
}


def reflect(connection: Connection, settings: Settings) -> Schema:
    """Reads the mapped tables from the database and builds the schema; its settings spell columns as the tables do.

    Raises ConfigurationError, naming the setting, the table or the column, and what was found instead.
    """
    table = _reflect_table(connection, "customers", settings.customers)
    settings = as_spelled(settings, "customers", table, dialect_of(connection))
    present = _present_columns(table, settings)
    check_key(connection, table, settings.customers, dialect_of(connection))
    tell_defaults(connection, table, dialect_of(connection))
    order_table = _order_table(connection, settings)
    if order_table is not None:
        settings = as_spelled(settings, "orders", order_table, dialect_of(connection))
    orders = _orders(connection, settings, table, order_table)
    lens = _customers(table, settings, present)
    for section, rows in (("customers", lens), ("orders", orders)):
        if getattr(settings, section).where:
            _try(connection, select(rows.c.id).where(text("1 = 0")), f"[{section}] where")
    return Schema(
        settings=settings,
        dialect=dialect_of(connection),
        customer_table=table,
        order_table=order_table,
        customers=lens,
        orders=orders,
        present=present,
        indexed=_indexed_labels(connection, table, settings),
        collation=collation_of_links(connection, lens, orders, dialect_of(connection)),
        self_updating=_self_updating(connection, table),
        own=own_tables(table.c[settings.customers.id].type),
    )


def dialect_of(connection: Connection) -> str:
    """sqlite, mysql (also MariaDB's) or postgresql."""
    return "mysql" if connection.dialect.name == "mariadb" else connection.dialect.name


def as_spelled(settings: Settings, section: str, table: Table, dialect: str) -> Settings:
    """The settings with the section's columns spelled as in the table, where the engine minds no case: PostgreSQL does."""
    if dialect == "postgresql":
        return settings
    known = {name.casefold(): name for name in table.c.keys()}  # noqa: SIM118 (a table's columns are no dict)

    def spelled(value: Any) -> Any:
        if isinstance(value, dict):
            return {spelled(name): constant for name, constant in value.items()}
        return [spelled(one) for one in value] if isinstance(value, list) else known.get(value.casefold(), value)

    mapping = getattr(settings, section)
    named = {key: getattr(mapping, key) for key in COLUMN_KEYS[section] if getattr(mapping, key)}
    other = {key: spelled(value) for key, value in named.items() if spelled(value) != value}
    return settings.model_copy(update={section: mapping.model_copy(update=other)}) if other else settings


def split_name(name: str) -> tuple[str | None, str]:
    """`schema.table` as its two parts; the schema is None where the name has none."""
    schema, _, table = name.rpartition(".")
    return schema or None, table


def _reflect_table(connection: Connection, section: str, mapping: CustomersMapping | OrdersMapping) -> Table:
    """The section's table. Raises NotMapped where the file names none and the usual one is not there."""
    name, named = mapping.table, "table" in mapping.model_fields_set
    inspector = inspect(connection)
    schemas: set[str | None] = {None}  # a name without a point asks for no list of them
    if "." in name:
        schemas.update(inspector.get_schema_names())
    for schema, table in dict.fromkeys((split_name(name), (None, name))):  # a table's own name may have a point in it
        if schema not in schemas:
            continue
        try:
            found = Table(table, MetaData(), schema=schema, autoload_with=connection, resolve_fks=False)
        except (NoSuchTableError, UnreflectableTableError):
            continue
        simplify(found)
        return found
    schema = split_name(name)[0]
    listed = inspector.get_table_names(schema=schema) if schema in schemas else []
    tables = sorted(one for one in listed if not one.startswith("evenbooks_"))  # ours are nobody's customers
    shown = ", ".join(tables[:12]) + (", ..." if len(tables) > 12 else "") or "no table at all"
    if not named:
        raise NotMapped(
            f"There is no table {name} in this database, and evenbooks.toml names no other for {section}. "
            f"It has: {shown}. {DETECT}"
        )
    raise ConfigurationError(
        f'[{section}] table = "{name}": there is no such table in this database. It has: {shown}. {DETECT}'
    )


def _require(table: Table, section: str, key: str, physical: str) -> None:
    if physical not in table.c:
        raise ConfigurationError(
            f'[{section}] {key} = "{physical}": {table.name} has no such column. It has: {", ".join(table.c.keys())}. '
            f"{DETECT}"
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
        created_at=optional("created_at", _time_of(table, mapping.created_at)),
        deleted_at=optional("deleted_at", UTCDateTime()),
    )
    return _lens("customers", table, columns, mapping.where, computed=len(mapping.name_columns) > 1)


def _time_of(table: Table, physical: str) -> UTCDateTime:
    """How the times of a column are read, and compared: times, or text that says a time."""
    return TextTime() if physical in table.c and isinstance(table.c[physical].type, String) else UTCDateTime()


def _order_table(connection: Connection, settings: Settings) -> Table | None:
    """The orders' table; None where they are a query."""
    return None if settings.orders.query else _reflect_table(connection, "orders", settings.orders)


def _orders(connection: Connection, settings: Settings, customers: Table, table: Table | None) -> Lens:
    mapping = settings.orders
    id_type = customers.c[settings.customers.id].type
    labels = ["id", "customer_id", "ordered_at", "total"]
    labels += [key for key in ("cost", "status", "currency") if getattr(mapping, key)]
    if table is None:
        kinds = _try_query(connection, mapping, labels)
        if isinstance(kinds["customer_id"], NullType):
            kinds["customer_id"] = id_type
        columns = [column(label, kinds[label]) for label in labels]
        source: FromClause = text(_bare(mapping.query or "")).columns(*columns).subquery("order_query")
        physical = Columns({label: source.c[label] for label in labels})
    else:
        source = table
        for label in labels:
            _require(table, "orders", label, getattr(mapping, label))
        physical = Columns({label: table.c[getattr(mapping, label)] for label in labels})
        for label in ("id", "customer_id"):
            physical[label].type = as_link(physical[label].type, dialect_of(connection))
    if mapping.currency:
        # In capitals and trimmed, because MariaDB takes "EUR", "eur" and "EUR " for the same and answers any of them.
        # As text, because PostgreSQL has no capitals of an enumeration.
        written = physical.currency
        if not isinstance(written.type, String) or isinstance(written.type, Enum):
            written = cast(written, String())
        code = func.upper(func.trim(written), type_=String())
        physical["currency"] = func.coalesce(func.nullif(code, ""), NO_CURRENCY)
    return _lens("orders", source, physical, mapping.where, computed=mapping.currency is not None)


def _bare(query: str) -> str:
    """The query without the semicolon it may end with, safe within brackets where it ends with a comment."""
    return literal_sql(query.strip().rstrip(";")) + "\n"


def _try_query(connection: Connection, mapping: OrdersMapping, labels: list[str]) -> dict[str, TypeEngine[Any]]:
    """Runs the mapping's query for no rows, so that a label it lacks is named at the start; answers its columns' types."""
    statement = text(f"SELECT * FROM ({_bare(mapping.query or '')}) AS order_query WHERE 1 = 0")
    result = _try(connection, statement, "[orders] query")
    found = list(result.keys())
    for label in labels:
        if label not in found:
            raise ConfigurationError(f"[orders] query has no column {label}. It has: {', '.join(found)}.")
    return of_query(result.cursor.description if result.cursor else [], dialect_of(connection))


def _try(connection: Connection, statement: Executable, setting: str) -> CursorResult[Any]:
    """Runs SQL of the mapping. Raises ConfigurationError with the database's own words where it cannot."""
    try:
        return connection.execute(statement)
    except (DataError, OperationalError, ProgrammingError) as error:
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
    if dialect_of(connection) != "mysql":
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
