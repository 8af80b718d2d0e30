"""What every check looks through: one snapshot, the events walked once, the SQL that is run, and how far it is."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import Connection
from sqlalchemy.exc import DBAPIError

from data import queries
from data.faults import NOT_GRANTED, Code, error_code
from data.integrity.replay import Replay
from data.integrity.report import EXAMPLES, Answer, Check
from data.recording import recorded
from data.records import MonthlyRevenue
from data.schema import Schema

# Told how much of the work is done (0 to 1) and what is being done; it may raise CheckStopped.
Progress = Callable[[float, str], None]
# The account may not: table, column, command, function, database, server.
NOT_ALLOWED: set[Code] = {1370, 1345, *NOT_GRANTED}
# The checks that count rows of customers or orders, or look for them: where rows are hidden, they say nothing.
OF_ROWS = {
    "identity",
    "long_way",
    "missing_customers",
    "deletions",
    "future",
    "named_customers",
    "customer_count",
    "lost_orders",
    "seals",
    "amounts",
}
MOST_SQL = 12
LONGEST_SQL = 6000


def no_progress(_done: float, _words: str) -> None:
    """Tells nobody."""


@dataclass
class Look:
    """The one moment of the database that all checks see. `replay` is what the events say, `months` the split that was
    counted, `customers` how many there are; `last_even` is what the last even run said (`head`, `counts`, `mapping`), and
    `outside` a proof that was kept outside, or None; `hidden` says why rows may be hidden from this account."""

    connection: Connection
    schema: Schema
    at: datetime
    replay: Replay
    months: list[MonthlyRevenue] = field(default_factory=list)
    customers: int = 0
    last_even: dict[str, Any] | None = None
    outside: dict[str, Any] | None = None
    hidden: str | None = None


Question = Callable[[Look], Answer]


def ask(look: Look, name: str, question: str, answer_of: Question) -> Check:
    """Asks one check; what was accepted before is not red again, and missing rights are not green."""
    with recorded(look.connection) as sql:
        try:
            with queries.tried(look.connection):
                answer = _seen(look, name, answer_of(look))
        except DBAPIError as error:
            if error_code(error) not in NOT_ALLOWED:
                raise
            answer = Answer("", unseen=f"Could not look: this account may not ({error.orig}).")
    said = {(a.check, a.finding, a.words): a for a in look.replay.accepted}
    accepted = [said[name, f.id, f.words] for f in answer.findings if (name, f.id, f.words) in said]
    fresh = [f for f in answer.findings if (name, f.id, f.words) not in said]
    count = len(fresh) if answer.count is None else max(answer.count - len(accepted), len(fresh))
    ok = None if answer.unseen and not fresh else not fresh
    detail = answer.broken if fresh else answer.unseen or answer.whole
    if accepted and not fresh:
        detail = f"Nothing but what was accepted: {len(accepted)}."
    return Check(
        name=name,
        ok=ok,
        level=answer.level,
        count=count,
        detail=detail,
        examples=[f.words for f in fresh[:EXAMPLES]],
        question=question,
        sql=[one[:LONGEST_SQL] for one in [*sql, *answer.sql][:MOST_SQL]],
        accepted=[a.told for a in accepted],
        findings=fresh[:10_000],
    )


def _seen(look: Look, name: str, answer: Answer) -> Answer:
    """The answer, or none where rows may be hidden: what seems even, or gone, may be neither."""
    return Answer("", level=answer.level, unseen=look.hidden) if look.hidden and name in OF_ROWS else answer


def part_of(progress: Progress, start: float, end: float) -> Progress:
    """Progress of a part of the work, from `start` to `end` of the whole."""
    return lambda done, words: progress(start + (end - start) * done, words)
