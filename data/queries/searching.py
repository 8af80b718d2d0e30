"""Which customers a list is of: their state, a search, and for the deleted why they were deleted."""

from __future__ import annotations

from typing import Any

from sqlalchemy import String, case, cast, false, or_, select
from sqlalchemy.sql import ColumnElement

from data.schema import Schema, is_active, is_text

LONGEST_SEARCH = 200
NO_REASON = "-"  # deleted by no event of ours, so that no reason is known; no code of a list looks like this


def matching(schema: Schema, *, deleted: bool, search: str = "", reason: str = "") -> list[ColumnElement[bool]]:
    """The conditions of a list of active (or deleted) customers: those that the search finds, and of the deleted those
    whose deletion has this reason's code (NO_REASON: none of ours)."""
    active = is_active(schema.customers)
    return [~active if deleted else active, *_search(schema, search)[0], *_because(schema, deleted, reason)]


def _because(schema: Schema, deleted: bool, reason: str) -> list[ColumnElement[bool]]:
    """Whether the last event that deleted a customer has this reason, and is of the time at which they are deleted."""
    if not reason:
        return []
    if not deleted or not is_text(reason):
        return [false()]
    known = reason_of(schema)
    return [known.is_(None) if reason == NO_REASON else known == reason]


def reason_of(schema: Schema) -> ColumnElement[str | None]:
    """The code for which a deleted customer was deleted; NULL where the last event that did it is of another time.

    One look into an index for each customer, so that a page is read only as far as it goes; EXISTS would be worked out
    for all of them first on MariaDB.
    """
    event, customers = schema.own.events, schema.customers
    known = case((event.c.at == customers.c.deleted_at, event.c.reason))
    deleting = (event.c.customer_id == customers.c.id, event.c.action == "delete")
    last = select(known).where(*deleting).order_by(event.c.id.desc()).limit(1)
    return last.correlate(customers.source).scalar_subquery()


def search_reads_all(schema: Schema, search: str) -> bool:
    """Whether no index serves this search."""
    return _search(schema, search)[1]


def _search(schema: Schema, search: str) -> tuple[list[ColumnElement[bool]], bool]:
    """The conditions of a search, and whether it has to read every row."""
    words = search.strip()[:LONGEST_SEARCH]
    if not words:
        return [], False
    if not is_text(words):
        return [false()], False
    customers = schema.customers
    customer_id = schema.parse_id(words.removeprefix("#")) if schema.has_integer_id else None
    if customer_id is not None and words.startswith("#"):
        return [customers.c.id == customer_id], False
    email = comparable(schema, customers.c.email, words.isascii())
    by_email = or_(*(_has(schema, email, form, begins=True) for form in spellings(schema, words)))
    if "@" in words and "email" in schema.present:
        # Elsewhere LIKE ignores case and an index does not, so there it reads them all.
        return [by_email], "email" not in schema.indexed or schema.dialect != "mysql"
    name = comparable(schema, customers.c.name, words.isascii())
    conditions = [_has(schema, name, form) for form in spellings(schema, words)]
    if "email" in schema.present:
        conditions.append(by_email)
    if customer_id is not None:
        conditions.append(customers.c.id == customer_id)
    elif not schema.has_integer_id and (key := schema.parse_id(words)) is not None:
        conditions.append(comparable(schema, customers.c.id, words.isascii()) == key)
    return [or_(*conditions)], True


def comparable(schema: Schema, column: ColumnElement[Any], plain: bool) -> ColumnElement[Any]:
    """The column, or its text in our character set: MariaDB does not compare latin1 with what it cannot hold.

    `plain` where it is compared with ASCII alone.
    """
    return column if plain or schema.dialect == "sqlite" else cast(column, String())


def _has(schema: Schema, column: ColumnElement[Any], words: str, *, begins: bool = False) -> ColumnElement[bool]:
    """Whether the text has these words in it (or begins with them), whatever the case; LIKE minds it on PostgreSQL."""
    if schema.dialect == "postgresql":
        found = column.istartswith if begins else column.icontains
    else:
        found = column.startswith if begins else column.contains
    return found(words, autoescape=True)


def spellings(schema: Schema, words: str) -> list[str]:
    """SQLite, and PostgreSQL in some locales, ignore case in ASCII only: other scripts are tried as typed, lower, upper and title."""
    if schema.dialect == "mysql" or words.isascii():
        return [words]
    return list(dict.fromkeys([words, words.lower(), words.upper(), words.title()]))
