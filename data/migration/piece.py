"""A piece: something that the migration makes on the company's tables, and removes again."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Collection, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field

from sqlalchemy import Connection, Table, column

from data.inspection import quoted, storage
from data.reflection import dialect_of
from data.schema import Columns, Lens, Schema, is_active


@dataclass(frozen=True)
class Piece:
    """Something on the company's tables. `name` is what the events call it.

    `make` and `drop` are statements, each next one for where the server refuses the one before; `make` is empty where
    another piece makes it along, `drop` where nothing of ours is there or goes with another piece. `clash` says why it
    cannot be made. `outside`: no transaction may contain it. `option` is what must be asked for, once, to have it made;
    `clear` is run first, where something else has its name; `unseen`: this account cannot know whether it is there.
    `also_make` and `also_drop` are statements that follow. `reads`: making it reads the whole table. `digest`: of what is
    meant and of what the server says now, where the server does not keep it word for word.
    """

    name: str
    table: str
    there: bool
    make: tuple[str, ...]
    drop: tuple[str, ...]
    clash: str | None = None
    option: str | None = None
    outside: bool = False
    clear: tuple[str, ...] = ()
    unseen: bool = False
    also_make: tuple[str, ...] = ()
    also_drop: tuple[str, ...] = ()
    reads: bool = False
    digest: str | None = None

    @property
    def is_guard(self) -> bool:
        """Whether it is one of the triggers that refuse physical deletes."""
        return self.option in ("guard", "guard_orders")


@dataclass(frozen=True)
class Known:
    """What is known before looking: the options that were given, the names of the pieces that the migration made, by the
    events, and the digests of those that were made."""

    asked: Collection[str] = ()
    made: AbstractSet[str] = frozenset()
    digests: Mapping[str, str] = field(default_factory=dict)

    def stands(self, name: str, digest: str) -> bool:
        """Whether it was made as it would be made today, and the server still says of it what it said then."""
        return name in self.made and self.digests.get(name) == digest


def digest_of(make: str, said: str) -> str:
    """SHA-256 of the statement that makes something and of what the server says of it."""
    return hashlib.sha256(f"{make}\n{said}".encode()).hexdigest()


def alike(one: str, other: str, table: Table) -> bool:
    """Whether two texts of SQL seem to say the same of the table: engines write down in their own way what they were told.

    Good enough to know a piece of ours again, not to know that it is right: the case of words in quotes and all brackets
    are left out.
    """
    return _flat(one, table) == _flat(other, table)


def _flat(sql: str, table: Table) -> str:
    bare = re.sub(r"::(text|character varying|character|bpchar)\b", "", sql.lower())
    bare = re.sub(r"[`\"\[\]()\s;]", "", bare.replace("!=", "<>"))
    words = bare.replace(f"{table.name}.".lower().replace(" ", ""), "")
    return words.replace(f"{table.schema or 'public'}.".lower(), "")


def has_transactions(connection: Connection, table: Table) -> bool:
    """Whether the table's engine can roll back; MyISAM and Aria cannot."""
    if dialect_of(connection) != "mysql":
        return True
    row = storage(connection, table)
    return row is None or row[0] != "NO"


def ways(connection: Connection, table: Table, *algorithms: str) -> tuple[str, ...]:
    """The endings of an ALTER TABLE, the one that disturbs others least first; only MariaDB has several.

    A table without transactions is always copied.
    """
    if dialect_of(connection) != "mysql" or not has_transactions(connection, table):
        return ("",)
    endings = {"INSTANT": ", ALGORITHM=INSTANT", "INPLACE": ", ALGORITHM=INPLACE, LOCK=NONE", "COPY": ""}
    return tuple(endings[one] for one in algorithms or ("INSTANT", "INPLACE"))


def active_sql(connection: Connection, schema: Schema) -> str:
    """What an active customer is, as SQL text on the customers' table alone."""
    name = schema.settings.customers.deleted_at
    lens = Lens(schema.customer_table, Columns({name: column("evenbooks_placeholder")}))
    return str(is_active(lens, name)).replace("evenbooks_placeholder", quoted(connection, name))
