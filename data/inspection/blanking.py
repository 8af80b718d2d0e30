"""How each column of a person is blanked in place, and which cannot be."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

from sqlalchemy import Column, Connection, Enum, LargeBinary, String, inspect
from sqlalchemy.types import NullType

from data.schema import Schema

How = Literal["null", "empty", "mark", "default"]


@dataclass(frozen=True)
class Blank:
    """A physical column and what takes the place of what it holds: NULL, nothing, a mark with the customer's id, or the
    column's default. `length` is the most characters that it takes, None without a limit."""

    column: str
    how: How
    address: bool = False
    length: int | None = None

    def mark(self, customer_id: object) -> str:
        """What stands in a column that must tell its rows apart: `erased-12`, as an address where e-mail is wanted."""
        return f"erased-{customer_id}@invalid" if self.address else f"erased-{customer_id}"


def blanks_of(connection: Connection, schema: Schema) -> tuple[list[Blank], list[str]]:
    """What is blanked of a person (name, e-mail, phone, [customers] erase), and a sentence for each column that cannot be."""
    mapping, table = schema.settings.customers, schema.customer_table
    mapped = [(name, "name") for name in mapping.name_columns]
    mapped += [(getattr(mapping, label), label) for label in ("email", "phone") if label in schema.present]
    named = dict([*((name, "erase") for name in mapping.erase), *mapped])
    apart, alone = _unique(connection, schema)
    referred = _referred(connection, schema)
    found, problems = [], []
    for name, key in named.items():
        column = table.c[name]
        why = _problem(schema, column, referred)
        how = None if why else _how(column, key == "email", name in apart, name in alone)
        if how is None:
            why = why or f"it must have a value, and is {_kind(column)} without a default"
            problems.append(f"[customers] {key} names {name} of {table.name}, which cannot be blanked: {why}.")
        else:
            found.append(Blank(name, how, key == "email", getattr(column.type, "length", None)))
    return found, problems


def _problem(schema: Schema, column: Column[Any], referred: set[str]) -> str | None:
    mapping = schema.settings.customers
    if column.primary_key or column.name == mapping.id:
        return "it is the key by which orders name their customer"
    if column.name == mapping.deleted_at:
        return "it says since when somebody is deleted"
    if column.computed is not None or column.identity is not None:
        return "the database computes it"
    return "orders refer to it" if column.name in referred else None


def _how(column: Column[Any], address: bool, apart: bool, alone: bool) -> How | None:
    """`apart`: no two rows may hold the same; `alone`: not even NULL."""
    if column.nullable and not alone:
        return "null"
    words = isinstance(column.type, (String, LargeBinary, NullType)) and not isinstance(column.type, Enum)
    if words:
        return "mark" if address or apart or alone else "empty"
    return "default" if column.server_default is not None and not (apart or alone) else None


def _kind(column: Column[Any]) -> str:
    """The column's type in the server's words."""
    return str(column.type).lower()


def _unique(connection: Connection, schema: Schema) -> tuple[set[str], set[str]]:
    """The columns that take part in telling rows apart, and those of them where NULL counts as a value too."""
    table, inspector = schema.customer_table, inspect(connection)
    apart: set[str] = set()
    alone: set[str] = set()
    # On SQLite a UNIQUE beside a column is an index that is left out otherwise, and not read from every spelling.
    also = {"include_auto_indexes": True} if schema.dialect == "sqlite" else {}
    rules: list[Any] = [one for one in inspector.get_indexes(table.name, schema=table.schema, **also) if one["unique"]]
    rules += inspector.get_unique_constraints(table.name, schema=table.schema)
    for rule in rules:
        columns = {name for name in rule["column_names"] if name}
        apart |= columns
        if (rule.get("dialect_options") or {}).get("postgresql_nulls_not_distinct"):
            alone |= columns
    return apart, alone


def _referred(connection: Connection, schema: Schema) -> set[str]:
    """The customers' columns that a foreign key of the orders names, beside their key."""
    orders, table = schema.order_table, schema.customer_table
    if orders is None:
        return set()
    keys = inspect(connection).get_foreign_keys(orders.name, schema=orders.schema)
    return {name for key in keys if key["referred_table"] == table.name for name in key["referred_columns"]}
