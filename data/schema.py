"""The mapped tables, our own tables, and `is_active`, written once."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from sqlalchemy import (
    CHAR,
    BigInteger,
    Boolean,
    Column,
    FromClause,
    Index,
    Integer,
    MetaData,
    String,
    Table,
    Text,
    and_,
    literal,
    or_,
    text,
    true,
)
from sqlalchemy.dialects.mysql import LONGTEXT, VARCHAR
from sqlalchemy.sql import ColumnElement
from sqlalchemy.types import TypeEngine

from data.money import StoredAmount
from data.records import CustomerId
from data.settings import Settings
from data.times import UTCDateTime

NO_CURRENCY = "XXX"  # ISO 4217's code for "no currency involved"
MIGRATION = "run_customer_soft_delete_migration.py"


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
    def mapping(self) -> str:
        """The mapping's fingerprint: figures under another one cannot be compared."""
        return self.settings.fingerprint

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
        link = self.orders.c.customer_id
        return or_(link.is_(None), link.in_(self._guests)) if self._guests else link.is_(None)

    @property
    def is_linked(self) -> ColumnElement[bool]:
        """An order that names a customer, whether or not that customer exists."""
        link = self.orders.c.customer_id
        return and_(link.is_not(None), link.not_in(self._guests)) if self._guests else link.is_not(None)

    @cached_property
    def _guests(self) -> list[str | int]:
        """The mapping's `no_customer` in the type of the orders' link.

        MariaDB compares text with a number as numbers: with 0 every key of letters would be a guest.
        """
        kind, values = self.orders.c.customer_id.type, self.settings.orders.no_customer
        if isinstance(kind, String):
            return [str(value) for value in values]
        if isinstance(kind, Integer):
            return [int(value) for value in values if re.fullmatch(r"\s*-?\d+\s*", str(value))]
        return list(values)

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
    seals: Table
    tokens: Table
    sign_outs: Table

    @property
    def all(self) -> list[Table]:
        """Every one, in the order in which they are made."""
        return [self.events, self.chain, self.checks, self.seals, self.tokens, self.sign_outs]


LongText = Text().with_variant(LONGTEXT(), "mysql", "mariadb")
# Currencies, which MariaDB's other collations would compare without case and accents.
ExactText = String(64).with_variant(VARCHAR(64, charset="utf8mb4", collation="utf8mb4_bin"), "mysql", "mariadb")


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
    seals = Table(
        "evenbooks_seals",
        metadata,
        Column("event_id", BigInteger().with_variant(Integer(), "sqlite"), primary_key=True, autoincrement=False),
        Column("currency", ExactText, primary_key=True),
        Column("month", CHAR(7), nullable=False),
        Column("orders", BigInteger().with_variant(Integer(), "sqlite"), nullable=False),
        Column("all_orders", BigInteger().with_variant(Integer(), "sqlite"), nullable=False),
        Column("total", StoredAmount(), nullable=False),
        Column("checksum", CHAR(64), nullable=False),
        Column("mapping", CHAR(64), nullable=False),
        Column("sealed_at", UTCDateTime(), nullable=False),
        Column("actor", String(255), nullable=False),
        Column("detail", LongText, nullable=False),
        Column("unsealed_event_id", BigInteger().with_variant(Integer(), "sqlite")),
        **options,
    )
    tokens = Table(
        "evenbooks_tokens",
        metadata,
        Column("id", CHAR(12), primary_key=True),
        Column("name", ExactText, nullable=False),
        Column("hash", CHAR(64), nullable=False),
        Column("role", String(40), nullable=False),
        Column("owner", String(255), nullable=False),
        Column("made_at", UTCDateTime(), nullable=False),
        Column("expires_at", UTCDateTime()),
        Column("last_used_at", UTCDateTime()),
        Column("revoked_at", UTCDateTime()),
        **options,
    )
    sign_outs = Table(
        "evenbooks_sign_outs",
        metadata,
        Column("person", CHAR(64), primary_key=True),
        Column("at", UTCDateTime(), nullable=False),
        **options,
    )
    return OwnTables(events, chain, checks, seals, tokens, sign_outs)


def currency_of(schema: Schema) -> ColumnElement[str]:
    """The currency of an order: its column, or the company's one currency."""
    return schema.orders.c.currency if schema.keeps_currency else literal(schema.settings.money.currency)


def as_json(value: object) -> str:
    """Canonical JSON: sorted keys, no blanks, ASCII only, so that every engine hashes the same bytes."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=True)
