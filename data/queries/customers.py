"""Statements on customers: lists, one customer, and the writes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from functools import lru_cache
from typing import Any

from sqlalchemy import (
    Connection,
    Select,
    String,
    Update,
    bindparam,
    case,
    func,
    insert,
    literal,
    or_,
    select,
    true,
    type_coerce,
    update,
)
from sqlalchemy.sql import ColumnElement

from data.errors import InvalidInput
from data.queries.paging import Keys, read_page
from data.queries.searching import matching, search_reads_all
from data.records import Customer, CustomerId, Page
from data.schema import Schema, is_active

SORTS = ("id", "name", "email", "created_at", "deleted_at")


def get_customer(connection: Connection, schema: Schema, customer_id: object) -> Customer | None:
    """The customer with this id, active or deleted; None where there is none."""
    return get_customers(connection, schema, [customer_id]).get(schema.parse_id(customer_id))  # type: ignore[arg-type]


def get_customers(connection: Connection, schema: Schema, ids: Sequence[object]) -> dict[CustomerId, Customer]:
    """The customers with these ids, active or deleted, by id."""
    keys = [key for key in map(schema.parse_id, ids) if key is not None]
    one = len(keys) == 1
    rows = connection.execute(_customers(schema, one), {"this": keys[0]} if one else {"ids": keys})
    return {row[0]: Customer(*row) for row in rows}


@lru_cache(maxsize=16)
def _customers(schema: Schema, one: bool) -> Select[Any]:
    """Built once; asked for one by its key, which is less for the driver to write than a list of one."""
    key = schema.customers.c.id
    these = key == bindparam("this") if one else key.in_(bindparam("ids", expanding=True))
    return select(*schema.customers.labelled).where(these)


def count_customers(
    connection: Connection,
    schema: Schema,
    *,
    deleted: bool = False,
    search: str = "",
    reason: str = "",
    limit: int | None = None,
) -> int:
    """How many active (or deleted) customers match the search, and of the deleted the reason; at most `limit` of them
    are counted."""
    conditions = matching(schema, deleted=deleted, search=search, reason=reason)
    if limit is not None:
        some = select(schema.customers.c.id).where(*conditions).limit(limit).subquery("some")
        return int(connection.execute(select(func.count()).select_from(some)).scalar_one())
    statement = select(func.count()).select_from(schema.customers.source).where(*conditions)
    return int(connection.execute(statement).scalar_one())


def count_rows(connection: Connection, schema: Schema) -> int:
    """How many customers there are, active and deleted."""
    return int(connection.execute(select(func.count()).select_from(schema.customers.source)).scalar_one())


def list_customers(
    connection: Connection,
    schema: Schema,
    *,
    deleted: bool = False,
    search: str = "",
    reason: str = "",
    sort: str = "id",
    descending: bool = False,
    limit: int = 50,
    after: str | None = None,
    before: str | None = None,
) -> Page[Customer]:
    """A page of active (or deleted) customers, keyset-paged by `sort`, then id.

    `search` is an id, the beginning of an e-mail address, or a part of a name; `reason`, of the deleted, the code for
    which they were, or NO_REASON. `after` and `before` are the cursors of another page; InvalidInput when one cannot be
    read, or `limit` is not 1 to 1000.
    """
    if sort not in SORTS:
        raise InvalidInput(f"Lists are sorted by {', '.join(SORTS)}; not by {sort}.", field="sort")
    state, *conditions = matching(schema, deleted=deleted, search=search, reason=reason)
    search_scans = search_reads_all(schema, search)
    key, key_scans = _sort_key(schema, sort, deleted)
    shown, blank = key, None
    if sort in _served_in_parts(schema):
        key, key_scans = schema.customers.c[sort], False
        blank = or_(key.is_(None), key == "")
        shown = case((blank, ""), else_=key)
    # Nearly all are active: tested as a truth value, MariaDB does not walk the index on deleted_at up to a deep page.
    state = state if deleted else state.is_(true())
    statement = select(*schema.customers.labelled, type_coerce(shown, String()).label("sort_key")).where(
        state, *conditions
    )
    keys = Keys(sort, key, schema.customers.c.id, schema.parse_id, blank)
    rows, previous, following = read_page(
        connection, statement, keys, descending=descending, limit=limit, after=after, before=before
    )
    return Page(
        items=[Customer(*row[:-1]) for row in rows],
        previous=previous,
        next=following,
        scanned=search_scans or (key_scans and not conditions),
    )


def _sort_key(schema: Schema, sort: str, deleted: bool) -> tuple[ColumnElement[Any], bool]:
    """The expression to sort by, never NULL, and whether sorting by it scans."""
    key = schema.customers.c[sort]
    if sort == "id" or (sort == "deleted_at" and deleted):
        return key, False
    several = sort == "name" and len(schema.settings.customers.name_columns) > 1
    if several:
        return key, True
    # coalesce() only where the column may be NULL: with it, no index serves.
    if sort not in schema.present or _may_be_null(schema, sort):
        earliest = "0001-01-01 00:00:00" if sort.endswith("_at") else ""
        return func.coalesce(key, literal(earliest, key.type)), True  # PostgreSQL takes no text beside a time
    return key, sort not in schema.indexed


def _served_in_parts(schema: Schema) -> set[str]:
    """The texts that may be NULL and have an index: MariaDB walks it where those without a text are asked for apart."""
    texts = {"email"} & schema.present & schema.indexed if schema.dialect == "mysql" else set()
    return {sort for sort in texts if _may_be_null(schema, sort)}


def _may_be_null(schema: Schema, sort: str) -> bool:
    physical = schema.settings.customers.name_columns[0] if sort == "name" else getattr(schema.settings.customers, sort)
    return bool(schema.customer_table.c[physical].nullable)


def list_deleted_ids(connection: Connection, schema: Schema) -> list[tuple[CustomerId, Any]]:
    """Every deleted customer's id with the time as stored (text), in id order."""
    customers = schema.customers
    statement = select(customers.c.id, customers.c.deleted_at).where(~is_active(customers)).order_by(customers.c.id)
    return [(customer_id, deleted_at) for customer_id, deleted_at in connection.execute(statement)]


def get_form_values(connection: Connection, schema: Schema, customer_id: CustomerId) -> dict[str, str]:
    """What the Edit form starts from: each field's present text, by the field's key."""
    columns = [schema.customer_table.c[f.column].label(f.key) for f in schema.form_fields]
    row = connection.execute(select(*columns).where(schema.is_this(customer_id))).mappings().one()
    return {key: "" if value is None else str(value) for key, value in row.items()}


def mark_deleted(connection: Connection, schema: Schema, ids: Sequence[CustomerId], *, at: datetime) -> int:
    """Sets `deleted_at` where it is NULL, and nothing else. Answers how many rows it changed."""
    return _set_deleted_at(connection, schema, ids, at)


def mark_restored(connection: Connection, schema: Schema, ids: Sequence[CustomerId]) -> int:
    """Clears `deleted_at` where it is set, and nothing else. Answers how many rows it changed."""
    return _set_deleted_at(connection, schema, ids, None)


def mark_back(
    connection: Connection, schema: Schema, customer_id: CustomerId, *, now: datetime | None, was: datetime | str | None
) -> int:
    """Sets `deleted_at` to what it `was` where it is what it became, and nothing else: for tables that cannot roll back."""
    table, name = schema.customer_table, schema.settings.customers.deleted_at
    kind = schema.customers.c.deleted_at.type
    became = is_active(table, name) if now is None else table.c[name] == type_coerce(now, kind)
    unchanged = {c: table.c[c] for c in schema.self_updating - {name}}
    values = {name: type_coerce(was, kind), **unchanged}
    return connection.execute(update(table).where(schema.is_this(customer_id), became).values(values)).rowcount


def _set_deleted_at(connection: Connection, schema: Schema, ids: Sequence[CustomerId], at: datetime | None) -> int:
    one = len(ids) == 1
    statement = _update_of_deleted_at(schema, at is not None, one)
    return connection.execute(statement, {"at": at, **({"this": ids[0]} if one else {"ids": list(ids)})}).rowcount


@lru_cache(maxsize=16)
def _update_of_deleted_at(schema: Schema, deletes: bool, one: bool) -> Update:
    table, name = schema.customer_table, schema.settings.customers.deleted_at
    active = is_active(table, name)
    # Named as themselves, columns with ON UPDATE CURRENT_TIMESTAMP stay as they are.
    unchanged = {c: table.c[c] for c in schema.self_updating - {name}}
    key = schema.physical("id")
    these = key == bindparam("this") if one else key.in_(bindparam("ids", expanding=True))
    at = bindparam("at", type_=schema.customers.c.deleted_at.type)
    return update(table).where(these, active if deletes else ~active, schema.in_slice).values({name: at, **unchanged})


def update_customer(
    connection: Connection,
    schema: Schema,
    customer_id: CustomerId,
    *,
    values: Mapping[str, str | None],
    deleted: bool = False,
) -> int:
    """Writes these physical columns of one active (or deleted) customer. Answers how many rows matched."""
    active = is_active(schema.customer_table, schema.settings.customers.deleted_at)
    state = ~active if deleted else active
    statement = update(schema.customer_table).where(schema.is_this(customer_id), state).values(dict(values))
    return connection.execute(statement).rowcount


def insert_customer(
    connection: Connection, schema: Schema, *, values: Mapping[str, Any], created_at: datetime | None
) -> CustomerId:
    """Adds a row of these physical columns, `created_at` (UTC) where one is given; answers its id."""
    row = dict(values)
    if created_at is not None:
        row[schema.settings.customers.created_at] = type_coerce(created_at, schema.customers.c.created_at.type)
    result = connection.execute(insert(schema.customer_table).values(row))
    key = result.inserted_primary_key
    assert key is not None
    return key[0]  # type: ignore[no-any-return]
