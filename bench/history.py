"""A long history: pages of 1,000,000 events, the newest and one nine tenths back."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from datetime import timedelta
from typing import Any

from sqlalchemy import text

from bench.measured import Measured
from bench.measuring import Figure, in_turns, reading, say
from data import events, history
from data.access import script_actor
from data.database import in_transaction, now
from data.events import Draft, Reason
from data.queries import EventFilter

EVENTS = int(os.environ.get("EVENTS", 1_000_000))
AT_ONCE = 5000
YEARS = 5


def bench_history(measured: Measured) -> list[Figure]:
    """A page of the history beside a bare SELECT of as many events by their key; a customer's life; a day long ago."""
    last = write_events(measured)
    schema, deep = measured.database.schema, last // 10
    bare = text("SELECT * FROM evenbooks_events WHERE id < :id ORDER BY id DESC LIMIT 51")
    day = now() + timedelta(days=365 * YEARS // 2)
    one_day = EventFilter(since=day, until=day + timedelta(days=1))

    def shown(where: EventFilter, after: str | None = None) -> Callable[[], Any]:
        return reading(measured.database, lambda c: history.list_page(c, schema, where, after=after))

    works = {
        "bare": reading(measured.database, lambda c: c.execute(bare, {"id": last}).all()),
        "first": shown(EventFilter()),
        "deep": shown(EventFilter(), after=str(deep)),
        "customer": shown(EventFilter(customer_id=1)),
        "day": shown(one_day),
    }
    for work in works.values():
        work()
    taken = {name: one * 1000 for name, one in in_turns(works, times=21).items()}
    return [
        Figure(f"page of {last:,} events", taken["first"], "ms", "bare SELECT by key", taken["bare"], 3),
        Figure(f"page {last - deep:,} events back", taken["deep"], "ms", "first page", taken["first"], 2),
        Figure("one customer's life among them", taken["customer"], "ms", "20 ms", 20, 1),
        Figure("a day years back among them", taken["day"], "ms", "100 ms", 100, 1),
    ]


def write_events(measured: Measured) -> int:
    """Fills the chain up to EVENTS, each hashed over the one before, as if the next five years were over: an event is later
    than those before it. Answers the last one's number."""
    database, actor, start = measured.database, script_actor(), time.perf_counter()
    schema, reason = database.schema, Reason("mistake")
    begin, step = now(), timedelta(days=365 * YEARS) / EVENTS

    def work(connection: Any) -> int:
        head = events.take_turns(connection, schema)
        numbers = range(head.event_id, min(head.event_id + AT_ONCE, EVENTS))
        drafts = [
            Draft("edit", actor, reason, 1 + n % measured.customers, body={"columns": ["phone"]}) for n in numbers
        ]
        at = (begin + step * head.event_id).replace(microsecond=0)
        return events.append(connection, schema, drafts, head=head, at=at)[-1] if drafts else 0

    last = 0
    while written := in_transaction(database, work):
        last = written
    with database.engine.connect() as connection:
        last = last or int(connection.execute(text("SELECT event_id FROM evenbooks_chain")).scalar_one())
    say(f"wrote events up to {last:,} in {time.perf_counter() - start:.0f} s")
    return last
