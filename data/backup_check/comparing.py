"""A restored copy beside the live database, as of the copy's last event: what differs, and what cannot be seen."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from functools import partial
from typing import Any

from sqlalchemy import Connection

from data import inspection, queries
from data.backup_check.missing import missing_customers, missing_orders
from data.database import Snapshot
from data.integrity import accounts, sealed
from data.integrity.look import Look, Progress, Question, ask
from data.integrity.replay import Replay, replay
from data.integrity.report import Head
from data.money import add, plain
from data.queries.revenue import Key
from data.records import Figures, Time
from data.schema import Schema
from data.times import read_time

CLOCKS = timedelta(days=2)  # by which the orders' clocks and zones may be off the events'


@dataclass
class Comparison:
    """What comparing a copy came to. `head` is the copy's last event, `figures` what the copy holds; `differences` and
    `unseen` are sentences, without personal data. `event_id` is that of the result, once it is written."""

    head: Head
    figures: dict[str, Any] = field(default_factory=dict)
    differences: list[str] = field(default_factory=list)
    unseen: list[str] = field(default_factory=list)
    event_id: int | None = None

    @property
    def passed(self) -> bool:
        """Whether nothing differs. What could not be seen does not count against the copy, and is told."""
        return not self.differences


@dataclass(frozen=True)
class Side:
    """One of the two databases within its snapshot, with what its events say."""

    connection: Connection
    schema: Schema
    replay: Replay


def compare(
    live: Snapshot, live_schema: Schema, copy: Snapshot, copy_schema: Schema, *, progress: Progress
) -> Comparison:
    """Compares the two, which are of one origin and one mapping."""
    progress(0, "Following the copy's events")
    theirs = Side(copy.connection, copy_schema, replay(copy.connection, copy_schema))
    head = theirs.replay.head
    progress(0.1, "Following the live database's events")
    ours = Side(live.connection, live_schema, replay(live.connection, live_schema, hashes_of=[head.event_id]))
    found = Comparison(head)
    _compare_chains(ours, theirs, found)
    for words, side in (("the copy", theirs), ("the live database", ours)):
        hidden = inspection.hidden_rows(side.connection, side.schema)
        if hidden:
            found.unseen.append(f"Rows of {words} may be hidden from this account: {hidden}")
    progress(0.2, "Looking at the copy's deletions and sealed months")
    _look_at_copy(theirs, copy.at, found)
    moment = _moment(theirs)
    progress(0.5, "Comparing customers and orders, one by one")
    missing_customers(ours, theirs, moment, found.differences, found.unseen)
    missing_orders(ours, theirs, found.differences, found.unseen)
    progress(0.7, "Comparing the months")
    _compare_months(ours, theirs, moment, found)
    progress(1, "Done")
    return found


def _compare_chains(ours: Side, theirs: Side, found: Comparison) -> None:
    head, problems = found.head, theirs.replay.problems
    if problems:
        found.differences.append(f"The copy's chain of events is broken: {problems[0].words}.")
    known = ours.replay.hashes.get(head.event_id)
    if known is None:
        found.differences.append(
            f"The copy ends with event {head.event_id}, and the live database with event {ours.replay.head.event_id}: "
            "it is no earlier state of it."
        )
    elif known != head.hash:
        found.differences.append(f"Event {head.event_id}, the copy's last, is another one in the live database.")
    if ours.replay.problems:
        found.unseen.append("The live chain of events is broken itself; python -m data.integrity says where.")


def _look_at_copy(theirs: Side, at: datetime, found: Comparison) -> None:
    """The checks of the copy against its own events, which are the live ones up to there."""
    look = Look(theirs.connection, theirs.schema, at, theirs.replay)
    questions: list[tuple[str, Question]] = [
        ("deletions", accounts.deletions),
        ("named_customers", accounts.named_customers),
        ("lost_orders", accounts.lost_orders),
        ("seals", partial(sealed.seals, progress=lambda _done, _words: None)),
    ]
    for name, question in questions:
        check = ask(look, name, name, question)
        if check.ok is False:
            found.differences.append(f"In the copy: {check.detail}")
        elif check.ok is None:
            found.unseen.append(f"In the copy: {check.detail}")
    state = queries.count_state(theirs.connection, theirs.schema)
    found.figures |= {"events": found.head.event_id, **state, "sealed_months": len(theirs.replay.seals)}


def _moment(theirs: Side) -> datetime | None:
    """The latest time (UTC) that the copy knows of: of its last event, check and heartbeat."""
    check = queries.last_check(theirs.connection, theirs.schema)
    beat = queries.last_beat(theirs.connection, theirs.schema)
    times: list[Time | None] = [_time_of_head(theirs), check.snapshot_at if check else None, beat[1] if beat else None]
    return max((one for one in times if isinstance(one, datetime)), default=None)


def _time_of_head(theirs: Side) -> Time | None:
    last = queries.list_events(theirs.connection, theirs.schema, limit=1)
    return read_time(last[0].at) if last else None


def _compare_months(ours: Side, theirs: Side, moment: datetime | None, found: Comparison) -> None:
    """Each month and currency: those that were over when the copy was made exactly; of the others those orders that the
    copy can know, and where they differ nobody can say why."""
    held = queries.monthly_part(theirs.connection, theirs.schema, "total")
    known = queries.monthly_part(ours.connection, ours.schema, "total")
    first_open = f"{moment - CLOCKS:%Y-%m}" if moment else "0001-01"
    over = {key for key in {*held, *known} if key[0] is not None and key[0] < first_open}
    decimals = theirs.schema.settings.money.decimals
    for key in sorted(over, key=str):
        if _differ(held.get(key), known.get(key)):
            words = _words(key, held, known, decimals)
            found.differences.append(
                f"{words}. Either the copy is not true, or an order of that month was added or changed in the live "
                "database since, which a newer copy has too."
            )
    for key in sorted((k for k in {*held, *known} if k[0] is None), key=str):
        if _differ(held.get(key), known.get(key)):
            found.unseen.append(
                f"{_words(key, held, known, decimals)}. Orders without a date are of no month that is over."
            )
    bounds = queries.id_bounds(theirs.connection, theirs.schema, "orders")
    if bounds:
        known = queries.monthly_totals_up_to(ours.connection, ours.schema, bounds[1], first=first_open)
    for key in sorted({k for k in {*held, *known} if k[0] is not None} - over, key=str):
        if _differ(held.get(key), known.get(key)):
            found.unseen.append(
                f"{_words(key, held, known, decimals)}. The month was not over, and orders change in it."
            )
    totals = {c: plain(add(f.total for k, f in held.items() if k[1] == c), decimals) for c in {k[1] for k in held}}
    found.figures |= {
        "totals": totals,
        "months_compared": len({key[0] for key in over}),
        "last_order": bounds[1] if bounds else None,
    }


def _differ(one: Figures | None, other: Figures | None) -> bool:
    return _pair(one) != _pair(other)


def _pair(figures: Figures | None) -> tuple[int, Decimal]:
    return (figures.orders, figures.total) if figures else (0, Decimal(0))


def _words(key: Key, held: Mapping[Key, Figures], known: Mapping[Key, Figures], decimals: int) -> str:
    sides = []
    for name, figures in (("the copy", held), ("the live database", known)):
        orders, total = _pair(figures.get(key))
        sides.append(
            f"{name} has {orders} {'order' if orders == 1 else 'orders'} worth {key[1]} {plain(total, decimals)}"
        )
    return f"{key[0] or 'No date'}: {', '.join(sides)}"
