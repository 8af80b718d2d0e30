"""A restored copy beside the live database, as of the copy's last event: what differs, and what cannot be seen."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from functools import partial

from data import inspection, queries
from data.backup_check.missing import missing_customers, missing_orders
from data.backup_check.months import compare_months, last_month
from data.backup_check.sides import Comparison, Side, Times
from data.database import Snapshot
from data.events import stamp
from data.integrity import accounts, sealed
from data.integrity.look import Look, Progress, Question, ask
from data.integrity.replay import replay
from data.integrity.report import read_kept
from data.records import Time
from data.schema import Schema
from data.times import read_time


def compare(
    live: Snapshot, live_schema: Schema, copy: Snapshot, copy_schema: Schema, *, progress: Progress
) -> Comparison:
    """Compares the two, which are of one origin and one mapping."""
    progress(0, "Following the copy's events")
    theirs = Side(copy.connection, copy_schema, replay(copy.connection, copy_schema))
    head = theirs.replay.head
    progress(0.1, "Following the live database's events")
    ours = Side(live.connection, live_schema, replay(live.connection, live_schema, hashes_of=[head.event_id]))
    times = Times(_known(theirs), live.at)
    found = Comparison(head, stamp(times.known) if times.known else None)
    _compare_chains(ours, theirs, found)
    for words, side in (("the copy", theirs), ("the live database", ours)):
        hidden = inspection.hidden_rows(side.connection, side.schema)
        if hidden:
            found.blind.append(f"Rows of {words} may be hidden from this account: {hidden}")
    progress(0.2, "Looking at the copy's deletions and sealed months")
    _look_at_copy(theirs, copy.at, found)
    held = queries.monthly_orders(theirs.connection, theirs.schema)
    times = replace(times, last_month=last_month(held, times))
    progress(0.4, "Comparing customers and orders, one by one")
    missing_customers(ours, theirs, times, found)
    missing_orders(ours, theirs, found)
    progress(0.7, "Comparing the months")
    compare_months(ours, theirs, times, held, found)
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
        found.blind.append("The live chain of events is broken itself; python -m data.integrity says where.")


def _look_at_copy(theirs: Side, at: datetime, found: Comparison) -> None:
    """The checks of the copy against its own events, which are the live ones up to there, and against its own last check."""
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
            # A sealed month is also compared with the live one.
            (found.unseen if name == "seals" else found.blind).append(f"In the copy: {check.detail}")
    state = queries.count_state(theirs.connection, theirs.schema)
    found.figures |= {"events": found.head.event_id, **state, "sealed_months": len(theirs.replay.seals)}
    _compare_with_its_check(theirs, found)


def _compare_with_its_check(theirs: Side, found: Comparison) -> None:
    """The copy's last check counted customers and orders before the copy was made; neither is ever removed."""
    kept, mapping = read_kept(queries.last_check(theirs.connection, theirs.schema)), theirs.schema.settings
    if kept is None or kept.mapping != theirs.schema.mapping:
        return
    customers, orders = found.figures["customers"], found.figures["orders"]
    if not mapping.customers.where and kept.customers is not None and customers < kept.customers:
        found.differences.append(
            f"The copy has {customers} customers, and its own last check, before it was made, counted {kept.customers}."
        )
    selected = mapping.orders.where or mapping.orders.query or mapping.orders.revenue_statuses
    counted = sum(total.orders for total in kept.totals)
    if not selected and orders < counted:
        found.blind.append(
            f"The copy has {orders} orders, and its own last check, before it was made, counted {counted}. Either it lost "
            "them, or another program removed them before."
        )


def _known(theirs: Side) -> datetime | None:
    """The latest time (UTC) that the copy knows of by what is Evenbooks' own: of its last event, check and heartbeat."""
    check = queries.last_check(theirs.connection, theirs.schema)
    beat = queries.last_beat(theirs.connection, theirs.schema)
    times: list[Time | None] = [_time_of_head(theirs), check.snapshot_at if check else None, beat[1] if beat else None]
    return max((one for one in times if isinstance(one, datetime)), default=None)


def _time_of_head(theirs: Side) -> Time | None:
    last = queries.list_events(theirs.connection, theirs.schema, limit=1)
    return read_time(last[0].at) if last else None
