"""Who is due to be erased, and when; what their orders amount to."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal

from sqlalchemy import Connection

from data import queries
from data.inspection.blanking import blanks_of
from data.money import add
from data.records import CustomerId, Revenue
from data.retention.policy import backup_blocker, due_at
from data.schema import Schema

BATCH = 500


@dataclass(frozen=True)
class Survey:
    """The deleted customers at one moment: how many are due, when the next one is (None: nobody ever), how many are
    deleted but not erased, and how many of those at a time that cannot be read, which is never due."""

    deleted: int
    due: int
    next_due: datetime | None
    unreadable: int
    erased: int


@dataclass(frozen=True)
class Totals:
    """What the orders of some customers amount to, which stays when they are erased."""

    customers: int = 0
    orders: int = 0
    revenue: Revenue = field(default_factory=dict)


def survey(connection: Connection, schema: Schema, at: datetime) -> Survey:
    """How many are due at this time (UTC), compared here and not by the database."""
    policy, deleted, due, unreadable = schema.settings.retention, 0, 0, 0
    coming: datetime | None = None
    for _, deleted_at in queries.stream_deleted(connection, schema):
        deleted += 1
        when = due_at(policy, deleted_at)
        unreadable += not isinstance(deleted_at, datetime)
        if when is not None and when <= at:
            due += 1
        elif when is not None:
            coming = min(when, coming or when)
    return Survey(deleted, due, coming, unreadable, queries.count_erased(connection, schema))


def due_ids(connection: Connection, schema: Schema, at: datetime) -> Iterator[CustomerId]:
    """The customers who are due at this time (UTC), first deleted first."""
    for customer_id, deleted_at in queries.stream_deleted(connection, schema):
        when = due_at(schema.settings.retention, deleted_at)
        if when is not None and when <= at:
            yield customer_id


def totals(connection: Connection, schema: Schema, ids: Sequence[CustomerId]) -> Totals:
    """What these customers' orders amount to: those that the reports count, by currency."""
    orders, revenue = 0, dict[str, Decimal]()
    for start in range(0, len(ids), BATCH):
        for impact in queries.impact(connection, schema, ids[start : start + BATCH]).values():
            orders += impact.orders
            for currency, amount in impact.revenue.items():
                revenue[currency] = add([revenue.get(currency, Decimal(0)), amount])
    return Totals(len(ids), orders, revenue)


@dataclass(frozen=True)
class DryRun:
    """What erasing everybody who is due would come to: the totals that stay, the columns that would be blanked, and what
    stands in the way, a sentence each."""

    totals: Totals
    columns: list[str]
    obstacles: list[str]


def dry_run(connection: Connection, schema: Schema, at: datetime) -> DryRun:
    """What would be done at this time (UTC); nothing is changed."""
    ids = list(due_ids(connection, schema, at))
    blanks, obstacles = blanks_of(connection, schema)
    backup = backup_blocker(connection, schema, at) if len(ids) > 1 else None
    columns = [one.column for one in blanks]
    return DryRun(totals(connection, schema, ids), columns, [*obstacles, *([backup] if backup else [])])
