"""`python -m data.status`: what whoever watches wants to know and cannot read from outside, in a moment and without a full check."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta

from sqlalchemy import Connection

from data import queries
from data.database import Database, attach, snapshot
from data.looking import could_not_look
from data.migration.own import own_versions
from data.months import month_before, next_month
from data.retention import last_backup_check
from data.schema import Schema
from data.settings import load_settings
from data.times import CLOCKS_DIFFER, is_recent

CHECK_AGE = timedelta(hours=26)  # a nightly check, and what it takes itself
FAILURE_AGE = timedelta(hours=24)
ABOUT = """Prints the version of our tables, the end of the chain of events, the last check, seals, jobs, requests and the last backup check.
It reads little, runs no check and writes nothing. Exits 0 when nothing of that needs somebody, 1 when something does, 2 when it
could not look. docs/operations.md says what each asks, and what none of them sees."""


@dataclass(frozen=True)
class Signal:
    """Something to watch: its name, whether nobody needs to act, and how it is, in words."""

    name: str
    ok: bool
    words: str


def signals(database: Database) -> list[Signal]:
    """How everything is at one moment. Raises DatabaseUnavailable and the like."""
    looks: list[Callable[[Connection, Schema, datetime], Signal]] = [
        _tables,
        _chain,
        _check,
        _seals,
        _jobs,
        _requests,
        _backup,
    ]
    with snapshot(database) as moment:
        return [look(moment.connection, database.schema, moment.at) for look in looks]


def _tables(connection: Connection, schema: Schema, at: datetime) -> Signal:
    found, known = own_versions(connection)
    if found == known[0]:
        return Signal("tables", True, f"of version {found}, as this Evenbooks wants them")
    if found is None:
        return Signal("tables", False, "of no version that is noted: run the migration")
    if found in known:
        return Signal("tables", False, f"of version {found}, and this Evenbooks wants {known[0]}: run the migration")
    newer = f"of version {found}, which a newer Evenbooks made; this one knows {known[0]} at most"
    return Signal("tables", False, newer)


def _chain(connection: Connection, schema: Schema, at: datetime) -> Signal:
    head = queries.get_head(connection, schema)
    if head is None:
        return Signal("chain", False, "the chain of events has no head")
    last = queries.get_event(connection, schema, head.event_id)
    if last is None or last.hash != head.hash:
        return Signal("chain", False, f"the head names event {head.event_id}, which is gone or another one")
    (newest,) = queries.list_events(connection, schema, limit=1)
    if newest.id != head.event_id:
        words = f"the head names event {head.event_id}, and there are later ones, up to {newest.id}"
        return Signal("chain", False, words)
    return Signal("chain", True, f"ends with event {head.event_id} ({head.hash}), {_ago(last.at, at)}")


def _check(connection: Connection, schema: Schema, at: datetime) -> Signal:
    last = queries.last_check(connection, schema)
    if last is None:
        return Signal("check", False, "never checked")
    blind = f", {last.unseen} could not see" if last.unseen else ""
    fresh = is_recent(last.snapshot_at, CHECK_AGE, now=at)
    words = f"{'even' if last.even else 'NOT EVEN'}{blind}, {_ago(last.snapshot_at, at)}"
    return Signal("check", bool(last.even) and not last.unseen and fresh, words)


def _seals(connection: Connection, schema: Schema, at: datetime) -> Signal:
    """Who never sealed does not have to; who does is given the month after a month's end to seal it."""
    months = sorted({seal.month for seal in queries.list_seals(connection, schema)})
    if not months:
        return Signal("seals", True, "none")
    first, last = next_month(months[-1]), month_before(f"{at:%Y-%m}")
    late = f": {first} to {last} are over and not sealed" if first < last else ""
    return Signal("seals", not late, f"{len(months)} months, the last {months[-1]}{late}")


def _jobs(connection: Connection, schema: Schema, at: datetime) -> Signal:
    jobs = queries.list_jobs(connection, schema, limit=200)
    running = [job.id for job in jobs if job.state == "running"]
    alone = queries.list_free_jobs(connection, schema, at=at)
    failed = [
        job.id
        for job in jobs
        if job.state == "failed" and isinstance(job.ended_at, datetime) and at - job.ended_at <= FAILURE_AGE
    ]
    words = [f"{len(running)} running"]
    words += [f"nobody works on {', '.join(alone)}"] if alone else []
    words += [f"failed in the last 24 hours: {', '.join(failed)}"] if failed else []
    return Signal("jobs", not alone and not failed, "; ".join(words))


def _requests(connection: Connection, schema: Schema, at: datetime) -> Signal:
    return Signal("requests", True, f"{queries.count_waiting_requests(connection, schema, at=at)} waiting")


def _backup(connection: Connection, schema: Schema, at: datetime) -> Signal:
    """Who never checked one does not have to, unless the settings say how old a check may be, or when people are erased."""
    policy, last = schema.settings.retention, last_backup_check(connection, schema)
    days = policy.backup_check_days
    if last is None:
        wanted = policy.days is not None or "backup_check_days" in policy.model_fields_set
        return Signal("backup", not wanted, "never checked" + f", and [retention] wants it every {days} days" * wanted)
    if not last.passed:
        why = "not enough could be seen" if last.passed is None else "the copy differs"
        return Signal("backup", False, f"NOT PASSED: {why}, checked {_ago(last.at, at)}")
    fresh, words = _within(last.at, days, at)
    words = f"passed, checked {words}"
    if not fresh:
        return Signal("backup", False, words)
    if last.copy_at is None:
        return Signal("backup", False, f"{words}, but nobody knows how old the copy is")
    young, of_copy = _within(last.copy_at, days, at)
    return Signal("backup", young, words if young else f"{words}, but the copy is of {of_copy}")


def _within(then: datetime | str, days: int, at: datetime) -> tuple[bool, str]:
    """Whether this was in the last so many days, and how long ago it was, in words."""
    age = timedelta(days=days)
    older = isinstance(then, datetime) and at - then > age
    return is_recent(then, age, now=at), _ago(then, at) + f", which is older than {days} days" * older


def _ago(then: datetime | str, at: datetime) -> str:
    if not isinstance(then, datetime):
        return f"at {then}"
    hours = (at - then).total_seconds() / 3600
    if at - then < -CLOCKS_DIFFER:
        return f"{-hours:.1f} hours from now: a clock was put back"
    return f"{hours:.1f} hours ago" if hours < 48 else f"{hours / 24:.0f} days ago"


def main(arguments: Sequence[str] | None = None) -> int:
    """The command. Exits 0 when nothing needs somebody, 1 when something does, 2 when it could not look."""
    parser = argparse.ArgumentParser(prog="python -m data.status", description=ABOUT)
    parser.add_argument("--json", action="store_true", help="print the signals as JSON")
    parser.add_argument("--config", help="the configuration file (default: EVENBOOKS_CONFIG, or evenbooks.toml)")
    options = parser.parse_args(arguments)
    try:
        found = signals(attach(load_settings(config=options.config)))
    except Exception as error:
        return could_not_look(error, "ok", as_json=options.json)
    ok = all(signal.ok for signal in found)
    if options.json:
        print(json.dumps({"ok": ok, "signals": [asdict(signal) for signal in found]}, ensure_ascii=False))
    else:
        print("\n".join(f"{signal.name:10}{'ok' if signal.ok else 'LOOK':6}{signal.words}" for signal in found))
    return 0 if ok else 1


if __name__ == "__main__":
    sys.exit(main())
