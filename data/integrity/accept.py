"""A way back to green that hides nothing: one named finding accepted, as an event, and shown as accepted ever after."""

from __future__ import annotations

from sqlalchemy import Connection

from data import events
from data.access import Actor, Permission
from data.database import Database, in_transaction, now, snapshot
from data.errors import InvalidInput
from data.events import Draft
from data.integrity.look import Progress, no_progress
from data.integrity.report import Check, Finding, Report
from data.integrity.run import run, run_and_record

SHOWN = 12


def acknowledge(
    database: Database, check: str, finding: str, *, actor: Actor, reason: str, progress: Progress = no_progress
) -> Finding:
    """Accepts one finding of a check, by its id, as it is found now; answers it.

    The event keeps the finding's words, so the same finding is red again when it changes. The check runs before, to see
    that the finding is there, and once more afterwards, which is kept. Raises NotPermitted, and InvalidInput where
    there is no such check or finding, or no reason.
    """
    actor.require(Permission.ACCEPT_FINDINGS)
    why = events.read_reason(database.settings, reason)
    with snapshot(database) as moment:
        report = run(moment.connection, database.schema, moment.at, progress=progress)
    found = find(report, check, finding)
    body = {"check": check, "finding": found.id, "words": found.words}

    def write(connection: Connection) -> None:
        head = events.take_turns(connection, database.schema)
        draft = Draft("acknowledge", actor, why, body=body)
        events.append(connection, database.schema, [draft], head=head, at=now())

    in_transaction(database, write)
    run_and_record(database, progress=progress, actor=actor)
    return found


def find(report: Report, check: str, finding: str) -> Finding:
    """The finding of this id among those that are red. Raises InvalidInput, naming what there is."""
    checks = {c.name: c for c in report.checks}
    if check not in checks:
        raise InvalidInput(f"There is no check {check}. The checks are: {', '.join(checks)}.", field="check")
    known = {f.id: f for f in checks[check].findings}
    if finding not in known:
        raise InvalidInput(_not_found(checks[check], finding), field="finding")
    return known[finding]


def _not_found(check: Check, finding: str) -> str:
    if not check.findings:
        return f"The check {check.name} has no finding that could be accepted."
    names = ", ".join(f.id for f in check.findings[:SHOWN]) + (", ..." if len(check.findings) > SHOWN else "")
    return f"The check {check.name} has no finding {finding}. Its findings are: {names}."
