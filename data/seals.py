"""Seals: a month that is over keeps its count, its sum and a checksum over its orders, in the chain of events."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection

from data import events, queries
from data.access import Actor, Permission
from data.database import Database, in_transaction, now, snapshot
from data.errors import BooksNotEven, Conflict, InvalidInput
from data.events import Draft, Reason
from data.integrity.contents import Contents, measure_month, sha256
from data.integrity.look import Progress, no_progress, part_of
from data.integrity.report import verdict
from data.integrity.run import keep, run
from data.money import millionths, plain
from data.months import read_month
from data.records import Seal
from data.schema import Schema

CHECKING = 0.85  # the check's part of the work


def list_seals(connection: Connection, schema: Schema) -> list[Seal]:
    """The seals in force, newest month first, a row a currency."""
    return queries.list_seals(connection, schema)


def seal(
    database: Database, month: str, *, actor: Actor, reason: str | None = None, progress: Progress = no_progress
) -> list[Seal]:
    """Seals a month (YYYY-MM) that is over, with an event; answers its seals, one a currency.

    Every check runs before, on the same snapshot, and is kept. `progress` may raise CheckStopped. Raises NotPermitted,
    InvalidInput (the month; the reason, which a month needs that was sealed before), Conflict (sealed already),
    BooksNotEven.
    """
    actor.require(Permission.SEAL_MONTHS)
    _require_over(month)
    schema = database.schema
    with snapshot(database) as moment:
        before = _last_action(moment.connection, schema, month)
        why = _reason(database, month, reason, again=before is not None)
        known = queries.get_head(moment.connection, schema)
        report = run(moment.connection, schema, moment.at, progress=part_of(progress, 0, CHECKING))
        if report.even:
            progress(CHECKING, f"Adding up {month}")
            contents = measure_month(moment.connection, schema, month)
    keep(database, report)
    if not report.even:
        raise BooksNotEven(f"{month} was not sealed. {verdict(report)}")

    def write(connection: Connection) -> list[Seal]:
        head = events.take_turns(connection, schema)
        _last_action(connection, schema, month, after=known.event_id if known else 0)
        body = _body(schema, month, contents, again=before is not None, at=moment.at)
        at = now()
        (event_id,) = events.append(connection, schema, [Draft("seal", actor, why, body=body)], head=head, at=at)
        rows = [_row(schema, month, one, event_id=event_id, actor=actor, at=at) for one in contents]
        queries.insert_seals(connection, schema, rows)
        return [Seal(**{name: value for name, value in row.items() if name != "detail"}) for row in rows]

    progress(1, f"Sealing {month}")  # the last moment to stop
    return in_transaction(database, write)


def unseal(database: Database, month: str, *, actor: Actor, reason: str) -> None:
    """Ends a month's seal, with an event; its rows stay. Raises NotPermitted, InvalidInput (reason), Conflict (not sealed)."""
    actor.require(Permission.SEAL_MONTHS)
    why = events.read_reason(database.settings, reason)
    schema = database.schema

    def write(connection: Connection) -> None:
        head = events.take_turns(connection, schema)
        if queries.last_seal_action(connection, schema, month) != "seal" and not queries.list_seals(
            connection, schema, month=month
        ):
            raise Conflict(f"{month} is not sealed.")
        draft = Draft("unseal", actor, why, body={"month": month})
        (event_id,) = events.append(connection, schema, [draft], head=head, at=now())
        queries.mark_unsealed(connection, schema, month, event_id=event_id)

    in_transaction(database, write)


def _require_over(month: str) -> None:
    if read_month(month) != month:
        raise InvalidInput(f"A month looks like 2026-03; found {month!r}.", field="month")
    current = f"{now():%Y-%m}"
    if month >= current:
        raise InvalidInput(f"{month} is not over yet: only months before {current} (UTC) can be sealed.", field="month")


def _last_action(connection: Connection, schema: Schema, month: str, *, after: int = 0) -> str | None:
    """What happened last to this month's seal. Raises Conflict while it is sealed."""
    last = queries.last_seal_action(connection, schema, month, after=after)
    if last == "seal" or queries.list_seals(connection, schema, month=month):
        raise Conflict(f"{month} is sealed already. Unseal it first, with a reason.")
    return last


def _reason(database: Database, month: str, reason: str | None, *, again: bool) -> Reason | None:
    if again and not (reason or "").strip():
        raise InvalidInput(f"{month} was sealed before. Give a reason for sealing it again.", field="reason")
    return events.read_reason(database.settings, reason) if (reason or "").strip() else None


def _body(schema: Schema, month: str, contents: Sequence[Contents], *, again: bool, at: datetime) -> dict[str, Any]:
    sealed = [
        {
            "currency": one.currency,
            "orders": one.orders,
            "all_orders": one.all_orders,
            "total": plain(one.total),
            "checksum": one.checksum,
            "grain": one.grain,
            "detail_hash": sha256(one.detail),
        }
        for one in contents
    ]
    mapping = schema.settings.fingerprint
    return {"month": month, "again": again, "mapping": mapping, "snapshot_at": events.stamp(at), "seals": sealed}


def _row(schema: Schema, month: str, one: Contents, *, event_id: int, actor: Actor, at: datetime) -> dict[str, Any]:
    return {
        "month": month,
        "currency": one.currency,
        "orders": one.orders,
        "all_orders": one.all_orders,
        "total": millionths(one.total),
        "checksum": one.checksum,
        "mapping": schema.settings.fingerprint,
        "event_id": event_id,
        "sealed_at": at,
        "actor": actor.id,
        "detail": one.detail,
    }
