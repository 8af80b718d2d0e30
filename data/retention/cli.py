"""`python -m data.retention`: who is due to be erased; and erasing again after a backup was restored."""

from __future__ import annotations

import argparse
import logging
import sys
from collections.abc import Sequence
from pathlib import Path

from data.access import script_actor
from data.database import Database, attach, now, snapshot
from data.errors import EvenbooksError
from data.events import stamp
from data.money import plain
from data.retention.due import due_ids, survey, totals
from data.retention.policy import backup_blocker
from data.retention.replay import SHOWN, Replayed, drift, replay, shown
from data.settings import load_settings

ABOUT = """Says who is due to be erased by [retention] and what their orders amount to, and changes nothing. With
--replay it erases again, after a backup was restored, whom the files of erasures name. Exits 0 when that is done, 1 when
somebody was left alone or could not be erased, or a line could not be read, 2 when it could not look or write."""


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m data.retention", description=ABOUT)
    parser.add_argument(
        "--replay", metavar="FILE", nargs="+", help="erase again whom these files of erasures name, each server's own"
    )
    parser.add_argument(
        "--also-active", action="store_true", help="with --replay: also who is active here, whom it deletes first"
    )
    parser.add_argument("--dry-run", action="store_true", help="with --replay: say what would be done, change nothing")
    parser.add_argument("--config", help="the configuration file (default: EVENBOOKS_CONFIG, or evenbooks.toml)")
    return parser


def main(arguments: Sequence[str] | None = None) -> int:
    """The command. Exits 0 when it is done, 1 when a part of it could not be, 2 when it could not look or write."""
    parser = _parser()
    options = parser.parse_args(arguments)
    if (options.dry_run or options.also_active) and not options.replay:
        parser.error("--dry-run and --also-active belong to --replay; without it nothing is changed.")
    try:
        database = attach(load_settings(config=options.config))
        if not options.replay:
            print("\n".join(_report(database)))
            return 0
        paths = [Path(name) for name in options.replay]
        how = {"dry_run": options.dry_run, "also_active": options.also_active}
        result = replay(database, paths, actor=script_actor(), **how)
        print("\n".join(_told(result, dry_run=options.dry_run)))
        return 0 if result.is_whole else 1
    except Exception as error:
        if not isinstance(error, EvenbooksError):
            logging.getLogger("evenbooks").exception("retention failed")
        print(error, file=sys.stderr)
        return 2


def _report(database: Database) -> list[str]:
    """The policy, who is due and what stays."""
    policy, at, decimals = database.settings.retention, now(), database.settings.money.decimals
    with snapshot(database) as moment:
        connection, schema = moment.connection, database.schema
        found = survey(connection, schema, at)
        due = list(due_ids(connection, schema, at))
        kept = totals(connection, schema, due)
        blocked = backup_blocker(connection, schema, at) if len(due) > 1 else None
        drifted = drift(connection, schema)
    if policy.days is None:
        lines = ["[retention] days is not set, so nobody is ever due to be erased."]
    else:
        lines = [f"Customers are due to be erased {policy.days} days after they were deleted."]
    worth = " and ".join(f"{c} {plain(a, decimals)}" for c, a in sorted(kept.revenue.items())) or "nothing"
    lines.append(f"Due now: {len(due)}. Their {kept.orders} orders, worth {worth}, stay in every report.")
    if due:
        lines.append(f"First deleted first: {_named(due)}")
    lines.append(f"Deleted and not erased: {found.deleted}. Erased: {found.erased}.")
    if found.next_due:
        lines.append(f"The next one is due {stamp(found.next_due)}.")
    if found.unreadable:
        lines.append(f"Deleted at a time that cannot be read, so never due: {found.unreadable}.")
    return [*lines, *filter(None, [blocked, drifted])]


def _told(result: Replayed, *, dry_run: bool) -> list[str]:
    would = "To be erased again" if dry_run else "Erased again"
    lines = [f"{would}: {_named(result.erased)}"]
    if result.deleted:
        lines.append(f"{'To be deleted' if dry_run else 'Deleted'} first, being active here: {_named(result.deleted)}")
    if result.unasked:
        lines.append(
            f"Of these nobody asked for the erasure in this database: {_named(result.unasked)} The backup is older than the "
            "request, or the line was written by hand."
        )
    lines.append(f"Erased already: {len(result.already)}.")
    if result.gone:
        lines.append(f"Not in the table: {_named(result.gone)}")
    if result.active:
        lines.append(
            f"Active here, so left alone: {_named(result.active)} See whether they are the same people; then --also-active "
            "deletes and erases them."
        )
    lines += [f"Customer {key} is left alone, since it {words}." for key, words in result.others_now.items()]
    lines += [f"Customer {key} cannot be erased: {words}" for key, words in result.refused.items()]
    if result.others:
        lines.append(f"Lines of other databases, left alone: {result.others}.")
    if result.unreadable:
        lines.append(f"Cannot be read: {', '.join(result.unreadable[:SHOWN])}.")
    return [*lines, *(["Nothing was changed: this was a dry run."] if dry_run else [])]


def _named(ids: Sequence[object]) -> str:
    return f"{shown(ids)}." if ids else "nobody."
