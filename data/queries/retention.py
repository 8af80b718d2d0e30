"""Statements on retention and erasure: who is deleted since when, who is erased, and blanking in place."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from functools import lru_cache
from typing import Any

from sqlalchemy import (
    Connection,
    LargeBinary,
    Select,
    String,
    bindparam,
    cast,
    exists,
    func,
    literal,
    literal_column,
    null,
    select,
    text,
    type_coerce,
    update,
)
from sqlalchemy.sql import ColumnElement

from data.inspection.blanking import Blank
from data.queries.paging import Keys, read_page
from data.records import Customer, CustomerId, Page, Time
from data.schema import Schema, is_active

CHUNK = 1000


def erased_ids(connection: Connection, schema: Schema, ids: Sequence[CustomerId]) -> set[CustomerId]:
    """Those of these customers whom an event says were erased."""
    one = len(ids) == 1
    return set(connection.execute(_erasures(schema, one), {"this": ids[0]} if one else {"ids": list(ids)}).scalars())


@lru_cache(maxsize=16)
def _erasures(schema: Schema, one: bool) -> Select[Any]:
    """Built once: every restore asks."""
    events = schema.own.events
    named = events.c.customer_id
    these = named == bindparam("this") if one else named.in_(bindparam("ids", expanding=True))
    return select(named).where(these, events.c.action == "erase")


def count_erased(connection: Connection, schema: Schema) -> int:
    """How many customers were erased."""
    statement = select(func.count()).select_from(schema.customers.source).where(*_deleted(schema, erased=True))
    return int(connection.execute(statement).scalar_one())


def list_kept(
    connection: Connection,
    schema: Schema,
    *,
    erased: bool = False,
    limit: int = 50,
    after: str | None = None,
    before: str | None = None,
) -> Page[Customer]:
    """A page of the deleted customers who are not erased yet (or are), first deleted first."""
    statement, keys = _by_deletion(schema, erased)
    rows, previous, following = read_page(connection, statement, keys, limit=limit, after=after, before=before)
    return Page([Customer(*row[:-1]) for row in rows], previous, following, scanned=False)


def stream_deleted(connection: Connection, schema: Schema) -> Iterator[tuple[CustomerId, Time]]:
    """Every deleted customer who is not erased, with the time as stored, first deleted first, a chunk at a time."""
    statement, keys = _by_deletion(schema, erased=False)
    after: str | None = None
    while True:
        rows, _, after = read_page(connection, statement, keys, limit=CHUNK, after=after)
        yield from ((row.id, row.deleted_at) for row in rows)
        if after is None:
            return


def _by_deletion(schema: Schema, erased: bool) -> tuple[Select[Any], Keys]:
    customers = schema.customers
    key = customers.c.deleted_at
    statement = select(*customers.labelled, type_coerce(key, String()).label("sort_key"))
    return statement.where(*_deleted(schema, erased)), Keys("deleted_at", key, customers.c.id, schema.parse_id)


def _deleted(schema: Schema, erased: bool) -> list[ColumnElement[bool]]:
    events, customers = schema.own.events, schema.customers
    told = exists(select(events.c.id).where(events.c.customer_id == customers.c.id, events.c.action == "erase"))
    return [~is_active(customers), told if erased else ~told]


def blank_people(connection: Connection, schema: Schema, ids: Sequence[CustomerId], *, blanks: Sequence[Blank]) -> int:
    """Puts what `blanks` say into these deleted customers' columns, and nothing else. Answers how many rows matched."""
    table, key = schema.customer_table, schema.physical("id")
    values: dict[str, Any] = {blank.column: _value(schema, blank) for blank in blanks}
    unchanged = {name: table.c[name] for name in schema.self_updating - set(values)}
    deleted = ~is_active(table, schema.settings.customers.deleted_at)
    statement = update(table).where(key.in_(ids), deleted, schema.in_slice).values({**unchanged, **values})
    return connection.execute(statement).rowcount


def _value(schema: Schema, blank: Blank) -> Any:
    column = schema.customer_table.c[blank.column]
    if blank.how == "null":
        return null()
    if blank.how == "empty":
        return literal(b"", LargeBinary()) if isinstance(column.type, LargeBinary) else literal("", String())
    if blank.how == "mark":
        before, after = blank.mark("\0").split("\0")
        words = literal(before, String()).concat(cast(schema.physical("id"), String()))
        return words.concat(after) if after else words
    if schema.dialect == "sqlite":  # it knows no DEFAULT here
        return text(f"({getattr(column.server_default, 'arg', 'NULL')})")
    return literal_column("DEFAULT")


def read_columns(
    connection: Connection, schema: Schema, ids: Sequence[CustomerId], *, columns: Sequence[str]
) -> dict[CustomerId, dict[str, Any]]:
    """What these physical columns hold now, by customer."""
    table, key = schema.customer_table, schema.physical("id")
    statement = select(key.label("id"), *(table.c[c].label(f"c{n}") for n, c in enumerate(columns))).where(key.in_(ids))
    return {row[0]: dict(zip(columns, row[1:], strict=True)) for row in connection.execute(statement)}


def fill_again(connection: Connection, schema: Schema, customer_id: CustomerId, *, values: Mapping[str, Any]) -> None:
    """Puts back what these physical columns held, and nothing else: for tables that cannot roll back."""
    table = schema.customer_table
    unchanged = {name: table.c[name] for name in schema.self_updating - set(values)}
    connection.execute(update(table).where(schema.is_this(customer_id)).values({**unchanged, **values}))


def blank_notes(connection: Connection, schema: Schema, ids: Sequence[CustomerId]) -> None:
    """Blanks what was written about these people by hand: the notes of their events with the salts, and of the jobs that
    hold them the note, the search, what was said of them, and the notes of the requests. What links for files are for
    goes too, for it may be a search for one of them: such a link has to be made anew."""
    events, jobs, items = schema.own.events, schema.own.jobs, schema.own.job_items
    blank = {"note": null(), "note_salt": null()}
    noted = events.c.note.is_not(None)
    connection.execute(update(events).where(events.c.customer_id.in_(ids), noted).values(blank))
    if ids:
        downloads = schema.own.downloads
        connection.execute(update(downloads).where(downloads.c.what != "").values(what=""))
    connection.execute(
        update(items).where(items.c.customer_id.in_(ids), items.c.words.is_not(None)).values(words=null())
    )
    holding = select(items.c.job_id).where(items.c.customer_id.in_(ids)).distinct()
    found = connection.execute(holding).scalars().all()
    if not found:
        return
    about = events.c.customer_id.is_(None)
    connection.execute(update(events).where(events.c.batch_id.in_(found), about, noted).values(blank))
    connection.execute(update(jobs).where(jobs.c.id.in_(found), jobs.c.note.is_not(None)).values(note=null()))
    for job_id, preview in connection.execute(select(jobs.c.id, jobs.c.preview).where(jobs.c.id.in_(found))).all():
        known = json.loads(preview)
        if known.get("search"):
            words = json.dumps({**known, "search": None})
            connection.execute(update(jobs).where(jobs.c.id == job_id).values(preview=words))


def jobs_holding_erased(connection: Connection, schema: Schema, job_ids: Sequence[str]) -> set[str]:
    """Those of these jobs that hold somebody who was erased."""
    events, items = schema.own.events, schema.own.job_items
    told = exists(select(events.c.id).where(events.c.customer_id == items.c.customer_id, events.c.action == "erase"))
    return set(connection.execute(select(items.c.job_id).where(items.c.job_id.in_(job_ids), told).distinct()).scalars())


def asked_to_erase(connection: Connection, schema: Schema, ids: Sequence[CustomerId]) -> set[tuple[CustomerId, str]]:
    """The jobs that a request asked for to erase one of these customers, each with the customer."""
    approvals, items = schema.own.approvals, schema.own.job_items
    statement = select(items.c.customer_id, items.c.job_id).join(approvals, approvals.c.job_id == items.c.job_id)
    rows = connection.execute(statement.where(approvals.c.kind == "erase", items.c.customer_id.in_(ids)))
    return {(customer, job) for customer, job in rows}


def last_lives(
    connection: Connection, schema: Schema, ids: Sequence[CustomerId]
) -> dict[CustomerId, tuple[int, datetime | None]]:
    """The last event that added or restored each of these customers, with its time: since then it is alive, or another."""
    events = schema.own.events
    alive = (events.c.customer_id.in_(ids), events.c.action.in_(("add", "restore")))
    statement = select(events.c.customer_id, func.max(events.c.id), func.max(events.c.at)).where(*alive)
    rows = connection.execute(statement.group_by(events.c.customer_id))
    return {customer: (event_id, at) for customer, event_id, at in rows}


def is_approved(connection: Connection, schema: Schema, request_id: int | None) -> bool:
    """Whether this request was approved."""
    approvals = schema.own.approvals
    statement = select(approvals.c.id).where(approvals.c.id == request_id, approvals.c.state == "approved")
    return request_id is not None and connection.execute(statement).first() is not None


def first_hash(connection: Connection, schema: Schema) -> str | None:
    """The hash of the chain's first event, by which a database and its copies are told from others."""
    events = schema.own.events
    return connection.execute(select(events.c.hash).where(events.c.id == 1)).scalar()
