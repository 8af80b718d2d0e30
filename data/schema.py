"""The mapped tables, our own tables, and `is_active`, written once."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from functools import cached_property
from typing import Any

from sqlalchemy import (
    CHAR,
    BigInteger,
    Boolean,
    Column,
    Connection,
    CursorResult,
    DateTime,
    Executable,
    FromClause,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
    and_,
    column,
    func,
    inspect,
    literal,
    null,
    or_,
    select,
    text,
    true,
    type_coerce,
)
from sqlalchemy.dialects.mysql import LONGTEXT
from sqlalchemy.engine import Dialect
from sqlalchemy.exc import NoSuchTableError, OperationalError, ProgrammingError
from sqlalchemy.sql import ColumnElement
from sqlalchemy.types import NullType, TypeDecorator, TypeEngine

from data.errors import ConfigurationError
from data.records import CustomerId
from data.settings import OrdersMapping, Settings

NO_CURRENCY = "XXX"  # ISO 4217's code for "no currency involved"
MIGRATION = "run_customer_soft_delete_migration.py"


class UTCDateTime(TypeDecorator[datetime | str]):
    """Aware UTC times on every engine; what cannot be read as a time comes back as its text.

    Binding a naive time is an error: nobody would know its zone.
    """

    impl = DateTime
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        """SQLite keeps times as text, and not always as text that its own type can read."""
        return dialect.type_descriptor(String() if dialect.name == "sqlite" else DateTime())

    def process_bind_param(self, value: datetime | str | None, dialect: Dialect) -> Any:
        """UTC, without the zone, which neither engine stores."""
        if not isinstance(value, datetime):
            return value
        if value.tzinfo is None:
            raise ValueError(f"the time {value} has no zone")
        moment = value.astimezone(UTC).replace(tzinfo=None)
        return moment.isoformat(sep=" ") if dialect.name == "sqlite" else moment

    def process_result_value(self, value: Any, dialect: Dialect) -> datetime | str | None:
        """An aware time, or the stored text."""
        return read_time(value)


def read_time(value: object) -> datetime | str | None:
    """What a driver answers for a time, as aware UTC; its text where it is no time."""
    if value is None:
        return None
    moment = value
    if isinstance(value, str):
        try:
            moment = datetime.fromisoformat(value.strip())
        except ValueError:
            return value
    elif isinstance(value, date) and not isinstance(value, datetime):
        moment = datetime(value.year, value.month, value.day)
    if not isinstance(moment, datetime):
        return str(value)
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)


def literal_sql(sql: str) -> str:
    """Raw SQL of the mapping, safe in `text()`, which takes `:x` for a parameter."""
    return sql.replace("\\", "\\\\").replace(":", "\\:")


def is_text(words: str) -> bool:
    """Whether a database can hold it: no NUL, no half of a surrogate pair."""
    return not any(c == "\0" or "\ud800" <= c <= "\udfff" for c in words)


class Columns(dict[str, ColumnElement[Any]]):
    """Expressions by label: `c.id`, or `c["id"]`."""

    def __getattr__(self, label: str) -> ColumnElement[Any]:
        return self[label]


@dataclass(frozen=True, eq=False)
class Lens:
    """A table of the company as the rest of the program knows it: what to read from, and its columns by label.

    The table itself where each label is a column of it, which reads best and costs the server least; else a
    SELECT with the mapping's `where`, query or computed columns inside, so that joins are never ambiguous.
    """

    source: FromClause
    c: Columns

    @property
    def labelled(self) -> list[ColumnElement[Any]]:
        """Every column, for a SELECT whose rows have the labels as names."""
        return [expression.label(label) for label, expression in self.c.items()]


def _lens(name: str, source: FromClause, columns: Columns, where: str | None, *, computed: bool) -> Lens:
    if not where and not computed:
        return Lens(source, columns)
    rows = select(*Lens(source, columns).labelled).select_from(source)
    inner = (rows.where(text(f"({literal_sql(where)})")) if where else rows).subquery(name)
    return Lens(inner, Columns({label: inner.c[label] for label in columns}))


def is_active(customers: Lens | Table, deleted_at: str = "deleted_at") -> ColumnElement[bool]:
    """The one place that says what an active customer is."""
    return customers.c[deleted_at].is_(None)


@dataclass(frozen=True)
class FormField:
    """A field of the Add and Edit forms. `key` is stable; `column` is the physical column."""

    key: str
    column: str
    label: str
    max_length: int | None
    required: bool


@dataclass(frozen=True, eq=False)  # itself the key of the statements that are built once for it
class Schema:
    """The attached database's tables as the rest of the program knows them.

    `customers` and `orders` are for reading, with the mapping's `where` inside; `customer_table` has the physical names, for writing. `self_updating` are its columns with ON UPDATE
    CURRENT_TIMESTAMP, which a delete must leave as they are.
    """

    settings: Settings
    dialect: str
    customer_table: Table
    order_table: Table | None
    customers: Lens
    orders: Lens
    present: frozenset[str]
    indexed: frozenset[str]
    self_updating: frozenset[str]
    own: OwnTables

    @property
    def migrated(self) -> bool:
        """Whether the customers have their `deleted_at` column."""
        return "deleted_at" in self.present

    @property
    def id_type(self) -> TypeEngine[Any]:
        """The reflected type of the customers' key."""
        return self.physical("id").type

    @property
    def has_integer_id(self) -> bool:
        """Whether customers are numbered."""
        return isinstance(self.id_type, Integer)

    def physical(self, label: str) -> Column[Any]:
        """The customers' column behind a label (id, email, phone, created_at, deleted_at)."""
        found: Column[Any] = self.customer_table.c[getattr(self.settings.customers, label)]
        return found

    def parse_id(self, value: object) -> CustomerId | None:
        """The value as this database's key, or None where it cannot be one.

        Compared as given, `WHERE id = 'abc'` would find customer 0 on MariaDB.
        """
        if not self.has_integer_id:
            words = str(value) if type(value) is int else value
            return words if isinstance(words, str) and len(words) <= 255 and is_text(words) else None
        if type(value) is str and re.fullmatch(r"-?[0-9]{1,19}", value):
            value = int(value)
        return value if type(value) is int and abs(value) < 2**63 else None

    def is_this(self, customer_id: CustomerId) -> ColumnElement[bool]:
        """The physical row with this id, within the mapping's slice."""
        return and_(self.physical("id") == customer_id, self.in_slice)

    @property
    def in_slice(self) -> ColumnElement[bool]:
        """The mapping's `where` for statements on the physical customers table."""
        where = self.settings.customers.where
        return text(f"({literal_sql(where)})") if where else true()  # type: ignore[return-value]

    @property
    def is_revenue(self) -> ColumnElement[bool]:
        """Whether an order counts as revenue: every one, unless statuses are named."""
        statuses = self.settings.orders.revenue_statuses
        return self.orders.c.status.in_(statuses) if statuses else true()

    @property
    def is_guest(self) -> ColumnElement[bool]:
        """An order of no customer: NULL, or one of the mapping's `no_customer` values."""
        link, guests = self.orders.c.customer_id, self.settings.orders.no_customer
        return or_(link.is_(None), link.in_(guests)) if guests else link.is_(None)

    @property
    def is_linked(self) -> ColumnElement[bool]:
        """An order that names a customer, whether or not that customer exists."""
        link, guests = self.orders.c.customer_id, self.settings.orders.no_customer
        return and_(link.is_not(None), link.not_in(guests)) if guests else link.is_not(None)

    @property
    def keeps_currency(self) -> bool:
        """Whether orders carry their currency; otherwise all are in `[money] currency`."""
        return self.settings.orders.currency is not None

    @cached_property
    def form_fields(self) -> list[FormField]:
        """The fields of Add New Customer and Edit: each name column, e-mail, phone."""
        mapping = self.settings.customers
        names = [(f"name{n or ''}", c) for n, c in enumerate(mapping.name_columns)]
        others = [(f, getattr(mapping, f)) for f in ("email", "phone") if f in self.present]
        several = len(names) > 1
        return [
            FormField(
                key=key,
                column=physical,
                label=humanized(physical)
                if several and key.startswith("name")
                else {"email": "E-mail"}.get(key, key.capitalize()),
                max_length=getattr(self.customer_table.c[physical].type, "length", None),
                required=key == "name" or not self.customer_table.c[physical].nullable,
            )
            for key, physical in names + others
        ]

    @cached_property
    def add_blocker(self) -> str | None:
        """Why Add New Customer cannot work here, or None where it can."""
        mapping = self.settings.customers
        filled = {*mapping.name_columns, *mapping.insert, *(f.column for f in self.form_fields), mapping.created_at}
        lacking = [c.name for c in self.customer_table.columns if not _fills_itself(c) and c.name not in filled]
        if not lacking:
            return None
        return (
            f"{mapping.table} needs {', '.join(lacking)}, which nobody fills in here. "
            "Give each a constant under [customers] insert."
        )


def humanized(physical: str) -> str:
    """FirstName and first_name as `First name`."""
    words = re.sub(r"(?<=[a-z])(?=[A-Z])|_", " ", physical).lower()
    return words[:1].upper() + words[1:]


def _fills_itself(c: Column[Any]) -> bool:
    automatic = c.primary_key and isinstance(c.type, Integer) and c.autoincrement in (True, "auto")
    return bool(c.nullable and not c.primary_key) or c.server_default is not None or c.computed is not None or automatic


@dataclass(frozen=True)
class OwnTables:
    """Our tables; `customer_id` has the type of the mapped key, collation included, so that joins work."""

    events: Table
    chain: Table
    checks: Table

    @property
    def all(self) -> list[Table]:
        """Every one, in the order in which they are made."""
        return [self.events, self.chain, self.checks]


LongText = Text().with_variant(LONGTEXT(), "mysql", "mariadb")


def own_tables(id_type: TypeEngine[Any]) -> OwnTables:
    """Our tables beside customers whose key is of this type."""
    metadata = MetaData()
    # utf8mb4 because MariaDB's default may be latin1; InnoDB because elsewhere nothing rolls back.
    options: dict[str, Any] = {
        "mysql_engine": "InnoDB",
        "mysql_charset": "utf8mb4",
        "mariadb_engine": "InnoDB",
        "mariadb_charset": "utf8mb4",
    }
    events = Table(
        "evenbooks_events",
        metadata,
        Column("id", BigInteger().with_variant(Integer(), "sqlite"), primary_key=True, autoincrement=False),
        Column("at", UTCDateTime(), nullable=False),
        Column("action", String(40), nullable=False),
        Column("actor", String(255), nullable=False),
        Column("door", String(40), nullable=False),
        Column("reason", String(40)),
        Column("customer_id", id_type),
        Column("batch_id", String(40)),
        Column("body", LongText, nullable=False),
        Column("prev", CHAR(64), nullable=False),
        Column("hash", CHAR(64), nullable=False),
        Column("note", Text()),
        Column("note_salt", CHAR(32)),
        Index("idx_evenbooks_events_customer", "customer_id", "id"),
        **options,
    )
    chain = Table(
        "evenbooks_chain",
        metadata,
        Column("id", Integer, primary_key=True, autoincrement=False),
        Column("event_id", BigInteger().with_variant(Integer(), "sqlite"), nullable=False),
        Column("hash", CHAR(64), nullable=False),
        **options,
    )
    checks = Table(
        "evenbooks_checks",
        metadata,
        Column("id", BigInteger().with_variant(Integer(), "sqlite"), primary_key=True, autoincrement=True),
        Column("snapshot_at", UTCDateTime(), nullable=False),
        Column("even", Boolean(create_constraint=False), nullable=False),
        Column("unseen", Integer, nullable=False),
        Column("report", LongText, nullable=False),
        **options,
    )
    return OwnTables(events, chain, checks)


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
        source: FromClause = text(literal_sql(mapping.query)).columns(*columns).subquery("order_query")
        _try_query(connection, mapping, labels)
        physical = Columns({label: source.c[label] for label in labels})
        table = None
    else:
        source = table = _reflect_table(connection, "orders", mapping.table)
        for label in labels:
            _require(table, "orders", label, getattr(mapping, label))
        physical = Columns({label: table.c[getattr(mapping, label)] for label in labels})
    if mapping.currency:
        physical["currency"] = func.coalesce(func.nullif(physical.currency, ""), NO_CURRENCY)
    return table, _lens("orders", source, physical, mapping.where, computed=mapping.currency is not None)


def _try_query(connection: Connection, mapping: OrdersMapping, labels: list[str]) -> None:
    """Runs the mapping's query for no rows, so that a label it lacks is named at the start."""
    statement = text(f"SELECT * FROM ({literal_sql(mapping.query or '')}) AS order_query WHERE 1 = 0")
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
    columns = connection.execute(text(f"SHOW COLUMNS FROM {literal_sql(quoted)}"))
    return frozenset(row.Field for row in columns if "on update" in row.Extra.lower())


def currency_of(schema: Schema) -> ColumnElement[str]:
    """The currency of an order: its column, or the company's one currency."""
    return schema.orders.c.currency if schema.keeps_currency else literal(schema.settings.money.currency)


def as_json(value: object) -> str:
    """Canonical JSON: sorted keys, no blanks, ASCII only, so that every engine hashes the same bytes."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=True)
