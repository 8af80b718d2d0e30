"""Tables as detection knows them: names, kinds of columns, keys."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from sqlalchemy import column, table
from sqlalchemy.engine.interfaces import ReflectedForeignKeyConstraint
from sqlalchemy.sql import TableClause
from sqlalchemy.sql.elements import quoted_name

from data.inspection import unescaped

# Ours, those of migration tools, and what extensions of PostgreSQL keep beside the company's tables.
NOT_THEIRS = ("evenbooks_", "alembic_version", "sqlite_", "django_migrations", "spatial_ref_sys", "pg_stat_")


@dataclass(frozen=True)
class Column:
    """A column: its name, what it holds (integer, decimal, float, double, boolean, text, enum, datetime, date, time,
    uuid, binary, any, other), and whether a row can do without a value for it."""

    name: str
    kind: str
    nullable: bool = True
    has_default: bool = False

    @property
    def is_numeric(self) -> bool:
        """Whether it holds numbers."""
        return self.kind in {"integer", "decimal", "float", "double"}

    @property
    def is_text(self) -> bool:
        """Whether it holds text; SQLite's columns without a type may."""
        return self.kind in {"text", "any"}


@dataclass(frozen=True)
class Reference:
    """A foreign key of one column."""

    column: str
    schema: str | None
    table: str
    referred: str
    rule: str


@dataclass
class Table:
    """A table of the company. `schema` is None in the schema that needs no name; `key` has the primary key's columns,
    `unique` the columns that are a unique key by themselves."""

    schema: str | None
    name: str
    columns: dict[str, Column] = field(default_factory=dict)
    key: list[str] = field(default_factory=list)
    unique: list[str] = field(default_factory=list)
    references: list[Reference] = field(default_factory=list)
    size: int | None = None

    @property
    def path(self) -> str:
        """The name as the mapping has it: `table`, or `schema.table`."""
        return f"{self.schema}.{self.name}" if self.schema else self.name

    @property
    def place(self) -> tuple[str | None, str]:
        """Schema and name, by which tables are told apart."""
        return self.schema, self.name

    @property
    def only_key(self) -> Column | None:
        """The column that tells rows apart: the primary key's, where it is one, else a unique one that is never NULL."""
        return next(iter(self.telling_columns), None)

    @property
    def telling_columns(self) -> list[Column]:
        """Every column that tells rows apart by itself, the primary key first."""
        primary = self.key if len(self.key) == 1 else []
        named = [name for name in dict.fromkeys([*primary, *self.unique]) if name in self.columns]
        return [self.columns[n] for n in named if n in primary or not self.columns[n].nullable]

    @cached_property
    def clause(self) -> TableClause:
        """The table in a statement; its columns have no types, so that the driver's own values come back."""
        names: list[Any] = [column(quoted_name(name, True)) for name in self.columns]
        schema = quoted_name(self.schema, True) if self.schema else None
        return table(quoted_name(self.name, True), *names, schema=schema)

    def reference(self, column: str) -> Reference | None:
        """The foreign key of this column, if there is one."""
        return next((one for one in self.references if one.column == column), None)


@dataclass
class Catalog:
    """Every table, by schema and name, and how many views there are beside them."""

    tables: dict[tuple[str | None, str], Table]
    views: list[str] = field(default_factory=list)
    schemas: list[str] = field(default_factory=list)


def is_theirs(name: str) -> bool:
    """Whether a table of this name is the company's own."""
    return not name.lower().startswith(NOT_THEIRS)


def as_references(found: Iterable[ReflectedForeignKeyConstraint], default: str | None) -> list[Reference]:
    """The foreign keys of one column; `default` is the schema that needs no name."""
    single: list[dict[str, Any]] = [dict(key) for key in found if len(key["constrained_columns"]) == 1]
    return [
        Reference(
            unescaped(key["constrained_columns"][0]),
            None if key["referred_schema"] == default else key["referred_schema"],
            unescaped(key["referred_table"]),
            unescaped((key["referred_columns"] or [""])[0]),
            str((key.get("options") or {}).get("ondelete") or "").upper(),
        )
        for key in single
    ]
