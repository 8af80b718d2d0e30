"""Runs every check on one snapshot, and keeps the result."""

from __future__ import annotations

import json
from contextlib import suppress
from dataclasses import replace
from datetime import datetime
from functools import partial
from typing import Any

from sqlalchemy import Connection

from data import inspection, queries
from data.access import Actor, Permission, script_actor
from data.database import Database, in_transaction, snapshot
from data.errors import DatabaseReadOnly
from data.integrity import accounts, books, sealed, structure
from data.integrity.amounts import amounts
from data.integrity.look import Look, Progress, Question, ask, no_progress, part_of
from data.integrity.replay import replay
from data.integrity.report import Answer, Finding, Report, add_up
from data.recording import recorded
from data.schema import Schema

COUNTED = 0.75  # how much of the work is done when the orders are counted


def run(
    connection: Connection,
    schema: Schema,
    at: datetime,
    *,
    first: str | None = None,
    last: str | None = None,
    progress: Progress = no_progress,
    proof: dict[str, Any] | None = None,
) -> Report:
    """Runs every check on a snapshot's connection. `first` and `last` (YYYY-MM) bound the split, not the other checks.

    `proof` is one that was kept outside (`data.integrity.proof`); then two checks more compare it with today.
    `progress` is told how far it is, and may raise CheckStopped.
    """
    kept = _last_even(connection, schema)
    known = [one["head"]["event_id"] for one in (kept, proof) if one]
    progress(0, "Following the chain of events")
    with recorded(connection) as walked:
        events = replay(connection, schema, hashes_of=known, tick=lambda n: progress(0, f"Event {n:,}"))
    events.sql = walked
    customers = queries.count_all_customers(connection, schema)
    hidden = inspection.hidden_rows(connection, schema)
    if not hidden:
        inspection.see_every_row(connection, schema)
    look = Look(connection, schema, at, events, last_even=kept, outside=proof, customers=customers, hidden=hidden)
    with recorded(connection) as counting:
        part = part_of(progress, 0.02, COUNTED)
        counted = books.count(connection, schema, first=first, last=last, progress=part)
    look.months = counted.months()
    questions: list[tuple[str, str, Question]] = [
        (
            "identity",
            "Do active, deleted, no customer and missing customer add up to the total?",
            partial(books.identity, counted=counted),
        ),
        (
            "long_way",
            "Does joining every order to its customer give the same figures?",
            partial(books.long_way, counted=counted),
        ),
        (
            "missing_customers",
            "Does every order that names a customer find that customer?",
            partial(books.missing_customers, counted=counted),
        ),
        ("amounts", "Is every order's amount a number?", amounts),
        ("deletions", "Has every deleted customer the event that deleted them, at that time?", accounts.deletions),
        ("future", "Was nobody deleted in the future?", accounts.future),
        ("named_customers", "Is every customer whom an event names still in the table?", accounts.named_customers),
        ("customer_count", "Are there no fewer customers than before?", accounts.customer_count),
        ("before_after", "Did every delete and restore leave orders and revenue as they were?", accounts.before_after),
        (
            "approvals",
            "Was whatever was asked for approved by somebody else before it was done?",
            accounts.approvals,
        ),
        ("lost_orders", "Has no deleted customer lost an order since?", accounts.lost_orders),
        ("chain", "Does every event follow the one before, unbroken, up to where it was left?", chain),
        (
            "seals",
            "Is every sealed month as it was sealed?",
            partial(sealed.seals, progress=part_of(progress, COUNTED, 1)),
        ),
        ("foreign_key", "Would a physical delete of a customer leave the orders alone?", structure.foreign_key),
        ("deleted_at", "Is deleted_at empty unless somebody deletes?", structure.deleted_at),
        ("guard", "Does the guard against physical deletes stand where it was installed?", structure.guard),
        ("mapping", "Is the mapping that of the installation?", structure.mapping),
        ("rights", "Is this account unable to delete customers and orders physically?", structure.rights),
    ]
    if proof is not None:
        questions += [
            ("since_head", "Is the proof's head an ancestor of today's?", partial(sealed.since_head, proof=proof)),
            ("since_seals", "Are the proof's sealed months unchanged?", partial(sealed.since_seals, proof=proof)),
        ]
    checks = [ask(look, name, question, answer_of) for name, question, answer_of in questions]
    evidence = {"identity": counting, "long_way": counting, "missing_customers": counting, "chain": walked}
    for check in checks:
        check.sql[:0] = [sql for sql in evidence.get(check.name, []) if sql not in check.sql]
    progress(1, "Done")
    months = look.months
    return Report(
        at, checks, months, add_up(months), schema.settings.money.decimals, events.head, customers, schema.mapping
    )


def _last_even(connection: Connection, schema: Schema) -> dict[str, Any] | None:
    """The last even run's head and counts: a run that found the chain cut must not become what is expected.

    None where there was none yet; empty where it cannot be read.
    """
    row = queries.last_check(connection, schema, even=True)
    if row is None:
        return None
    try:
        kept = json.loads(row.report)
        head = {"event_id": int(kept["head"]["event_id"]), "hash": str(kept["head"]["hash"])}
        return {"head": head, "mapping": kept.get("mapping"), "counts": dict(kept.get("counts") or {})}
    except (ValueError, TypeError, KeyError, AttributeError):
        return {}


def chain(look: Look) -> Answer:
    """Every event continues the one before, the head is the last, and what was the head when last looked at still is where it was."""
    found = list(look.replay.problems)
    before = look.last_even["head"] if look.last_even else None
    if before and look.replay.hashes.get(before["event_id"]) != before["hash"]:
        missing = before["event_id"] > look.replay.head.event_id
        words = "is gone" if missing else "is another one now"
        found.append(
            Finding(f"head {before['event_id']}", f"event {before['event_id']}, the last when last even, {words}")
        )
    return Answer(
        whole=f"Every event ({look.replay.head.event_id}) follows the one before, unbroken.",
        broken=f"The chain of events ({look.replay.head.event_id}) is broken ({found[0].words if found else ''}).",
        findings=found,
        count=max(look.replay.problem_count, len(found)),
        unseen="The last even run that was kept cannot be read, so where the chain ended then is not known."
        if look.last_even == {}
        else None,
    )


def run_and_record(
    database: Database,
    *,
    first: str | None = None,
    last: str | None = None,
    progress: Progress = no_progress,
    proof: dict[str, Any] | None = None,
    actor: Actor | None = None,
) -> Report:
    """Runs the check in one snapshot. A run over all months is kept, where the account may write; one against a
    proof is not, as it answers other questions. Without an actor it is a script's. Raises NotPermitted."""
    (actor or script_actor()).require(Permission.READ_INTEGRITY)
    with snapshot(database) as moment:
        report = run(
            moment.connection, database.schema, moment.at, first=first, last=last, progress=progress, proof=proof
        )
    if first is None and last is None and proof is None:
        return replace(report, kept=keep(database, report))
    return report


def keep(database: Database, report: Report) -> bool:
    """Keeps a run, where the account may write, and answers whether it may; an auditor's has the result on screen."""
    with suppress(DatabaseReadOnly):
        in_transaction(
            database,
            lambda c: queries.record_check(c, database.schema, at=report.snapshot_at, report=report.as_proof()),  # type: ignore[arg-type]
        )
        return True
    return False
