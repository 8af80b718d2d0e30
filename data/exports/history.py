"""The history as a file: every event that the page's filter lets through."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from data import history, queries
from data.database import Database, snapshot
from data.exports import sheets
from data.exports.sheets import Column, Kind, Row, Sheet
from data.queries import EventFilter


def events(database: Database, filters: Mapping[str, str | None]) -> list[Sheet]:
    """Newest first; `filters` are those of data/history.py. Raises InvalidInput where one cannot be read."""
    columns = (
        Column("id", Kind.NUMBER, 10),
        Column("at", Kind.TIME, 20),
        Column("action", width=14),
        Column("actor", width=26),
        Column("door", width=12),
        Column("reason", width=14),
        Column("note", width=40),
        Column("customer_id", Kind.NUMBER, 14),
        Column("batch_id", width=34),
    )
    where = history.read_filter(database.schema, filters)
    return [Sheet("History", columns, _pages(database, where), database.settings.money.decimals)]


def _pages(database: Database, where: EventFilter) -> Iterator[list[Row]]:
    before: int | None = None
    while True:
        with snapshot(database) as moment:
            page = queries.list_events(
                moment.connection, database.schema, where=where, before_id=before, limit=sheets.EVENTS
            )
        yield [[e.id, e.at, e.action, e.actor, e.door, e.reason, e.note, e.customer_id, e.batch_id] for e in page]
        if len(page) < sheets.EVENTS:
            return
        before = page[-1].id
