"""The chain of events walked once: whether it is whole, and what the database should look like by it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Connection

from data import events, queries
from data.events import Link
from data.integrity.asked import Requests
from data.integrity.report import Finding, Head
from data.records import CustomerId
from data.schema import Schema

MOST_AT_ONCE = 500  # jobs that one statement asks about
MOST_FINDINGS = 10_000  # kept to be named; the rest is only counted


@dataclass
class Baseline:
    """What stood before the first event of ours: orders of customers who were missing already, by customer and in
    all; foreign keys that already took orders along (`table.column RULE`); how many customers there were, and by which
    mapping; amounts that were no numbers, by name and in all."""

    found: bool = False
    missing: dict[CustomerId, int] = field(default_factory=dict)
    missing_orders: int = 0
    foreign_keys: list[str] = field(default_factory=list)
    customers: int | None = None
    mapping: str | None = None
    unreadable: dict[str, str] = field(default_factory=dict)
    unreadable_amounts: int = 0


@dataclass(frozen=True)
class Deleted:
    """A customer who is deleted by the events: since when (the stored stamp), by which event, and with how many orders
    of whatever status up to which order's id; None where the event does not say."""

    at: str | None
    event_id: int
    orders: int | None = None
    last_order: Any = None


@dataclass(frozen=True)
class Accepted:
    """A finding that somebody accepted: `words` are the finding's, `told` says who, when, why."""

    check: str
    finding: str
    words: str
    event_id: int
    at: str
    actor: str
    why: str

    @property
    def told(self) -> str:
        """As it is shown ever after."""
        return f"{self.words} (accepted {self.at} by {self.actor}, event {self.event_id}: {self.why})"


@dataclass(frozen=True)
class SealEvent:
    """The event that sealed a month: its body has `seals`, one a currency."""

    event_id: int
    body: Mapping[str, Any]


@dataclass(frozen=True)
class EndedSeal:
    """A month's seal that is not in force any more, and the id of the event that ended it."""

    month: str
    event: SealEvent
    ended_by: int


@dataclass
class Replay:
    """What the events say. `problems` are the chain's own; `unequal` events whose before is not their after; `lost`
    deleted customers who had fewer orders when they were restored; `seals` those in force by month, `ended` the others;
    `hashes` those of the event ids that were asked for; `erased` those who were erased, each with the last event that did
    it, and `unnoted` the events whose note is gone (number, customer, batch)."""

    deleted: dict[CustomerId, Deleted] = field(default_factory=dict)
    baseline: Baseline = field(default_factory=Baseline)
    problems: list[Finding] = field(default_factory=list)
    problem_count: int = 0
    unequal: list[Finding] = field(default_factory=list)
    lost: list[Finding] = field(default_factory=list)
    seals: dict[str, SealEvent] = field(default_factory=dict)
    ended: list[EndedSeal] = field(default_factory=list)
    seal_events: dict[str, list[int]] = field(default_factory=dict)
    accepted: list[Accepted] = field(default_factory=list)
    made: set[str] = field(default_factory=set)
    hashes: dict[int, str] = field(default_factory=dict)
    counts: dict[str, int] = field(default_factory=dict)
    head: Head = field(default_factory=lambda: Head(0, events.GENESIS))
    sql: list[str] = field(default_factory=list)
    erased: dict[CustomerId, int] = field(default_factory=dict)
    requests: Requests = field(default_factory=Requests)
    unnoted: list[tuple[int, CustomerId | None, str | None]] = field(default_factory=list)

    def add_problem(self, finding: Finding) -> None:
        """Counts a problem of the chain, and names it among the first."""
        self.problem_count += 1
        if len(self.problems) < MOST_FINDINGS:
            self.problems.append(finding)


def replay(
    connection: Connection, schema: Schema, *, hashes_of: Sequence[int] = (), tick: Callable[[int], None] | None = None
) -> Replay:
    """Walks every event, in chunks; `tick` is told the number of each thousandth."""
    result, wanted = Replay(), set(hashes_of)
    for link in events.walk(connection, schema):
        for problem in link.problems:
            result.add_problem(Finding(str(link.event_id), f"event {link.event_id}: {problem}"))
        if link.hash is None:  # what walk() says of the head
            continue
        result.head = Head(link.event_id, link.hash)
        if link.event_id in wanted:
            result.hashes[link.event_id] = link.hash
        try:
            _apply(link, result)
        except (TypeError, ValueError, KeyError, AttributeError):
            words = f"event {link.event_id}: its body does not say what such an event says"
            result.add_problem(Finding(str(link.event_id), words))
        if tick and link.event_id % 1000 == 0:
            tick(link.event_id)
    _require_notes(connection, schema, result)
    if not result.baseline.found:
        result.add_problem(Finding("baseline", "the baseline, its first event, is not there"))
    return result


def _apply(link: Link, result: Replay) -> None:
    """What an event changes. Raises TypeError, ValueError, KeyError or AttributeError for a body that was tampered with."""
    body = link.body
    action = str(body.get("action"))
    if "note_hash" in body and link.note is None:
        result.unnoted.append((link.event_id, body.get("customer_id"), body.get("batch_id")))
    result.counts[action] = result.counts.get(action, 0) + 1
    result.requests.follow(link)
    if action in ("baseline", "migrate"):
        result.made.update(map(str, body.get("made", [])))
    if action == "baseline" and not result.baseline.found:
        _begin(link, result)
    elif action in ("delete", "restore"):
        _change(action, link, result)
    elif action == "erase":
        _require_equal(action, link, result)
        result.erased[body["customer_id"]] = link.event_id
    elif action == "seal":
        result.seals[str(body["month"])] = SealEvent(link.event_id, body)
        result.seal_events.setdefault(str(body["month"]), []).append(link.event_id)
    elif action == "unseal":
        ended = result.seals.pop(str(body["month"]), None)
        if ended is not None:
            result.ended.append(EndedSeal(str(body["month"]), ended, link.event_id))
        result.seal_events.setdefault(str(body["month"]), []).append(link.event_id)
    elif action == "acknowledge" and not link.problems:
        why = ": ".join(filter(None, [body.get("reason"), link.note]))
        check, finding, words = (str(body[key]) for key in ("check", "finding", "words"))
        told = Accepted(check, finding, words, link.event_id, str(body["at"]), str(body["actor"]), why)
        result.accepted.append(told)


def _begin(link: Link, result: Replay) -> None:
    body, baseline = link.body, result.baseline
    for known, at, *orders in body["deleted"]:
        result.deleted[known] = Deleted(at, link.event_id, *orders)
    baseline.missing.update((known, int(orders)) for known, orders in body["missing"])
    baseline.missing_orders = int(body["missing_orders"])
    baseline.foreign_keys = [str(rule) for rule in body.get("foreign_keys", [])]
    baseline.customers, baseline.mapping = body.get("customers"), body.get("mapping")
    baseline.unreadable = {str(name): str(words) for name, words in body.get("unreadable", [])}
    baseline.unreadable_amounts = int(body.get("unreadable_amounts", 0))
    baseline.found = True


def _require_notes(connection: Connection, schema: Schema, result: Replay) -> None:
    """A note that is gone is a problem of the chain, unless it was written before somebody was erased: about that
    customer, or about a job that holds them."""
    of_jobs = sorted({batch for _, customer, batch in result.unnoted if customer is None and batch is not None})
    holding: set[str] = set()
    for start in range(0, len(of_jobs), MOST_AT_ONCE):
        holding |= queries.jobs_holding_erased(connection, schema, of_jobs[start : start + MOST_AT_ONCE])
    for event_id, customer, batch in result.unnoted:
        if batch not in holding if customer is None else result.erased.get(customer, 0) < event_id:
            result.add_problem(
                Finding(str(event_id), f"event {event_id}: its note is gone, and nobody was erased since")
            )


def _require_equal(action: str, link: Link, result: Replay) -> None:
    body: Any = link.body
    if body["before"] != body["after"] and len(result.unequal) < MOST_FINDINGS:
        words = f"event {link.event_id} ({action} of customer {body['customer_id']}): its orders or revenue are not the same before and after"
        result.unequal.append(Finding(str(link.event_id), words))


def _change(action: str, link: Link, result: Replay) -> None:
    body: Any = link.body
    customer, before, after = body["customer_id"], body["before"], body["after"]
    _require_equal(action, link, result)
    known = result.deleted.pop(customer, None)
    if action == "delete":
        result.deleted[customer] = Deleted(
            body["deleted_at"], link.event_id, int(after["all_orders"]), after.get("last_order")
        )
    elif known and known.orders is not None and int(before["all_orders"]) < known.orders:
        words = f"customer {customer}: {known.orders} orders when deleted, {before['all_orders']} when restored by event {link.event_id}"
        result.lost.append(Finding(str(customer), words))
