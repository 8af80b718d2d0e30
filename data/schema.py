"""The mapped tables, our own tables, and `is_active`, written once."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from decimal import Decimal
from functools import cached_property
from typing import Any
from uuid import UUID

from sqlalchemy import (
    BigInteger,
    Column,
    Date,
    DateTime,
    Enum,
    Float,
    FromClause,
    Integer,
    Numeric,
    SmallInteger,
    String,
    Table,
    Uuid,
    and_,
    cast,
    literal,
    or_,
    text,
    true,
)
from sqlalchemy.sql import ColumnElement
from sqlalchemy.types import NullType, TypeEngine

from data.own import OwnTables
from data.records import CustomerId
from data.settings import Settings

CAST_LINK = "utf8mb4_general_ci"  # for links whose character set does not go with the key's
NO_CURRENCY = "XXX"  # ISO 4217's code for "no currency involved"
MIGRATION = "run_customer_soft_delete_migration.py"


def literal_sql(sql: str) -> str:
    """Raw SQL of the mapping, safe in `text()`, which takes `:x` for a parameter; it leaves other backslashes alone."""
    return sql.replace(":", "\\:")


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
    collation: str | None = None

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
        if isinstance(self.id_type, Uuid):
            return _uuid(value)
        if not self.has_integer_id:
            words = str(value) if type(value) is int else value
            return words if isinstance(words, str) and len(words) <= 255 and is_text(words) else None
        if type(value) is str and re.fullmatch(r"-?[0-9]{1,20}", value):
            value = int(value)
        return value if type(value) is int and self._holds(value, self.id_type) else None

    def _holds(self, number: int, kind: TypeEngine[Any]) -> bool:
        """Whether an integer type has this number: PostgreSQL raises where it is asked for another."""
        if getattr(kind, "unsigned", False):
            return abs(number) < 2**64
        bits = 64
        if self.dialect == "postgresql" and not isinstance(kind, BigInteger):
            bits = 16 if isinstance(kind, SmallInteger) else 32
        return abs(number) < 1 << (bits - 1)

    def is_this(self, customer_id: CustomerId) -> ColumnElement[bool]:
        """The physical row with this id, within the mapping's slice."""
        return and_(self.physical("id") == customer_id, self.in_slice)

    @property
    def in_slice(self) -> ColumnElement[bool]:
        """The mapping's `where` for statements on the physical customers table."""
        where = self.settings.customers.where
        return text(f"({literal_sql(where)})") if where else true()  # type: ignore[return-value]

    def names(self, link: ColumnElement[Any]) -> ColumnElement[bool]:
        """Whether an order's link (to a customer) names this customer.

        Text and numbers are compared as text: PostgreSQL refuses to compare them, for MariaDB '12b' is 12, and for SQLite '012'.
        Text of two collations, which neither compares, in the key's.
        """
        key = self.customers.c.id
        if self.collation is not None:
            words = cast(link, String()) if self.collation == CAST_LINK else link
            return words.collate(self.collation) == key
        alike = _family(link.type) == _family(key.type) or NullType in map(type, (link.type, key.type))
        return link == key if alike else cast(link, String()) == cast(key, String())

    @property
    def is_revenue(self) -> ColumnElement[bool]:
        """Whether an order counts as revenue: every one, unless statuses are named."""
        statuses = self.settings.orders.revenue_statuses
        if not statuses:
            return true()
        status, kind = self.orders.c.status, self.orders.c.status.type
        if isinstance(kind, (Integer, Numeric)) and all(type(one) is int for one in statuses):
            return status.in_(statuses)
        # An enumeration of theirs would raise for a status that it does not have.
        words = status if isinstance(kind, String) and not isinstance(kind, Enum) else cast(status, String())
        return (words if self.dialect != "sqlite" else status).in_(
            [str(s) if self.dialect != "sqlite" else s for s in statuses]
        )

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
    def _guests(self) -> list[str | int | Decimal]:
        """The mapping's `no_customer` in the type of the orders' link; what cannot be of that type names nothing there.

        MariaDB compares text with a number as numbers: with 0 every key of letters would be a guest.
        """
        kind, values = self.orders.c.customer_id.type, self.settings.orders.no_customer
        if isinstance(kind, String):
            return [str(value) for value in values]
        if isinstance(kind, Uuid):
            return [found for value in values if (found := _uuid(value))]
        if isinstance(kind, Integer):
            numbers = [int(value) for value in values if re.fullmatch(r"\s*-?\d+\s*", str(value))]
            return [number for number in numbers if self._holds(number, kind)]
        if isinstance(kind, (Numeric, Float)):
            return [Decimal(value) for value in values if re.fullmatch(r"\s*-?\d+(\.\d+)?\s*", str(value))]
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

    @property
    def stamps_creation(self) -> bool:
        """Whether `created_at` is given the time when a customer is added: not a column that fills itself, or holds no time."""
        if "created_at" not in self.present:
            return False
        column = self.physical("created_at")
        if self.dialect == "sqlite":
            timely = not isinstance(column.type, (Integer, Numeric))
        else:
            timely = isinstance(column.type, (Date, DateTime, String))
        return timely and column.server_default is None and column.computed is None

    @cached_property
    def add_blocker(self) -> str | None:
        """Why Add New Customer cannot work here, or None where it can."""
        mapping = self.settings.customers
        filled = {*mapping.name_columns, *mapping.insert, *(f.column for f in self.form_fields)}
        filled |= {mapping.created_at} if self.stamps_creation else set()
        lacking = [c.name for c in self.customer_table.columns if not _fills_itself(c) and c.name not in filled]
        if not lacking:
            return None
        return (
            f"{mapping.table} needs {', '.join(lacking)}, which nobody fills in here. "
            "Give each a constant under [customers] insert."
        )


def _family(kind: TypeEngine[Any]) -> str:
    """What can be compared with what: numbers, text, or keys of a kind of their own."""
    if isinstance(kind, (Integer, Numeric, Float)):
        return "number"
    return "text" if isinstance(kind, String) else type(kind).__name__


def _uuid(value: object) -> str | None:
    try:
        return str(UUID(value)) if isinstance(value, str) else None
    except ValueError:
        return None


def humanized(physical: str) -> str:
    """FirstName and first_name as `First name`."""
    words = re.sub(r"(?<=[a-z])(?=[A-Z])|_", " ", physical).lower()
    return words[:1].upper() + words[1:]


def _fills_itself(c: Column[Any]) -> bool:
    automatic = c.primary_key and isinstance(c.type, Integer) and c.autoincrement in (True, "auto")
    return bool(c.nullable and not c.primary_key) or c.server_default is not None or c.computed is not None or automatic


def currency_of(schema: Schema) -> ColumnElement[str]:
    """The currency of an order: its column, or the company's one currency."""
    return schema.orders.c.currency if schema.keeps_currency else literal(schema.settings.money.currency)


def as_json(value: object) -> str:
    """Canonical JSON: sorted keys, no blanks, ASCII only, so that every engine hashes the same bytes."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=True)
