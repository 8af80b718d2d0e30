"""Prepares a company's database: inspect, say, do only what is missing, verify, prove; and undo."""

from __future__ import annotations

from pathlib import Path

from sqlalchemy import Engine

from data import integrity
from data.database import attach, now
from data.migration.making import run_steps
from data.migration.session import Say, explained, open_engine, open_session
from data.migration.undoing import undo_steps
from data.settings import Settings


def _silent(_line: str) -> None:
    """Says nothing."""


def migrate(
    settings: Settings,
    *,
    dry_run: bool = False,
    revenue_index: bool = False,
    active_unique: bool = False,
    invisible: bool = False,
    views: bool = False,
    guard: bool = False,
    guard_orders: bool = False,
    say: Say = _silent,
    engine: Engine | None = None,
) -> None:
    """Makes what soft delete needs and is not there yet; running it again does nothing, or mends.

    `active_unique` keeps the e-mail addresses of active customers apart, `invisible` hides the column from programs that
    insert by position, `views` makes active_customers and all_customers, `guard` and `guard_orders` triggers that refuse
    physical deletes. A dry run says the exact SQL and changes nothing. What was asked for once is made again where it is
    gone. Raises EvenbooksError (of several kinds), after which running it again continues.
    """
    options = {
        "revenue_index": revenue_index,
        "active_unique": active_unique,
        "invisible": invisible,
        "views": views,
        "guard": guard,
        "guard_orders": guard_orders,
    }
    with open_session(settings, dry_run, say, engine) as session:
        run_steps(session, [name for name, given in options.items() if given])
    if not dry_run:
        with open_engine(settings, engine) as used, explained(used):
            say(integrity.verdict(integrity.run_and_record(attach(settings, engine=used))))


def undo(
    settings: Settings,
    *,
    dry_run: bool = False,
    say: Say = _silent,
    export: Path | None = None,
    engine: Engine | None = None,
) -> None:
    """Removes what the events say the migration made, after writing every event to a JSON-lines file.

    The file is `export`, or evenbooks-events-<UTC time>.jsonl in the current folder. Raises EvenbooksError
    while anybody is deleted who was not before the migration.
    """
    with open_session(settings, dry_run, say, engine) as session:
        file = export or Path.cwd() / f"evenbooks-events-{now():%Y%m%dT%H%M%SZ}.jsonl"
        undo_steps(session, file)
