"""Making the demo company: load the tables, migrate, delete through the product's own code, check."""

from __future__ import annotations

import fcntl
import os
import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
from sqlalchemy import Connection

from data import changes, integrity
from data.access import Actor, Door, Role
from data.database import Database, attach, in_transaction, now
from data.demo.company import Base, Calendar, Deletion, found_company, generate_orders
from data.demo.load import AlreadyThere, create_indexes, create_tables, insert_customers, insert_orders, refuse_company
from data.demo.people import people
from data.engines import make_engine
from data.errors import DatabaseUnavailable, EvenbooksError, NotMigrated
from data.events import Reason
from data.faults import translated
from data.migration import migrate
from data.settings import Approval, Settings

CHUNK = 100_000  # rows in memory at once

Say = Callable[[str], None]
Step = Callable[[int, str], None]  # so many more rows are written; or 0 and what begins


def quietly(_count: int, _what: str) -> None:
    """Shows no progress."""


@dataclass(frozen=True)
class Size:
    """How large a company, and which: closed months are the same for the same size, seed and current month."""

    customers: int = 2_000
    orders: int = 30_000
    months: int = 36
    seed: int = 42


def ensure_demo(settings: Settings, say: Say) -> None:
    """Makes the embedded demo's file where the settings mean the demo and it is not there yet; migrates an older one.

    Of two processes that start at once one makes it and the other waits. Raises EvenbooksError.
    """
    if not settings.is_demo:
        return
    if Path(settings.url.database or "").exists():
        return bring_up_to_date(settings, say)
    size = Size()
    say(f"Making the demo company ({size.customers:,} customers, {size.orders:,} orders); this takes some seconds.")
    try:
        say(make_file(settings, size, revenue_index=True))
    except AlreadyThere:
        say("Another process has made it meanwhile.")


def bring_up_to_date(settings: Settings, say: Say) -> None:
    """Migrates the demo's file where an older version made it. What else is wrong with it is told where it is used."""
    engine = make_engine(settings.url)
    try:
        attach(settings, engine=engine)
    except NotMigrated:
        with _alone(_lock_of(settings)):
            migrate(settings, revenue_index=True, engine=engine)
        say("The demo company was made by an older version; it is up to date now.")
    except EvenbooksError:
        pass
    finally:
        engine.dispose()


def make_file(settings: Settings, size: Size, *, revenue_index: bool = False, step: Step = quietly) -> str:
    """Makes the company in a SQLite file that is not there yet; answers what was made.

    It is built under another name and renamed when whole, so an interruption leaves no half company.
    Raises AlreadyThere where the file exists, perhaps because another process was faster, and
    DatabaseUnavailable where none can be made.
    """
    path = Path(settings.url.database or "")
    partial = path.with_name(f"{path.name}.partial")
    url = settings.url.set(database=str(partial)).render_as_string(hide_password=False)
    with _alone(_lock_of(settings)):
        if path.exists():
            raise AlreadyThere(f"There is already a file {path}, so nothing was changed. Move it away first.")
        _remove(partial)
        try:
            # Who was deleted in its past was not asked about.
            there = settings.model_copy(update={"database_url": url, "approval": Approval()})
            line = make(there, size, revenue_index=revenue_index, step=step)
            _fold_journal(partial)
            os.replace(partial, path)
        finally:
            _remove(partial)
    return line


def _lock_of(settings: Settings) -> Path:
    return Path(f"{settings.url.database}.lock")


@contextmanager
def _alone(lock: Path) -> Iterator[None]:
    """Waits until no other process holds this lock; a process that dies lets go of it."""
    try:
        lock.parent.mkdir(parents=True, exist_ok=True)
        file = lock.open("w")
    except OSError as error:
        raise DatabaseUnavailable(
            f"The demo company cannot be made in {lock.parent} ({error.strerror}). "
            "Make that folder writable, or set DATABASE_URL to a database of your own."
        ) from error
    with file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _remove(path: Path) -> None:
    for suffix in ("", "-wal", "-shm", "-journal"):
        path.with_name(path.name + suffix).unlink(missing_ok=True)


def _fold_journal(path: Path) -> None:
    """Moves what is in the write-ahead log into the file itself: a log does not follow a rename."""
    with closing(sqlite3.connect(path)) as connection:
        busy, *_ = connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
    if busy or path.with_name(f"{path.name}-wal").exists():
        raise EvenbooksError(f"The demo company could not be finished: something else has {path} open. Start again.")


def make(
    settings: Settings,
    size: Size,
    *,
    revenue_index: bool = False,
    moment: datetime | None = None,
    step: Step = quietly,
) -> str:
    """Makes the company in the settings' database, as of `moment` (UTC; default now); answers what was made.

    Raises AlreadyThere where the database has customers or orders, and then changes nothing.
    """
    begun = time.monotonic()
    calendar = Calendar.until(moment or now(), size.months)
    base = found_company(calendar, size.customers, size.orders, size.seed)
    engine = make_engine(settings.url)
    try:
        with translated(settings.url), engine.connect().execution_options(write=True) as connection:
            refuse_company(connection)
            _load(connection, calendar, base, size, step)
        step(0, "migrating")
        migrate(settings, revenue_index=revenue_index, engine=engine)
        database = attach(settings, engine=engine)
        step(0, f"deleting {len(base.still_deleted):,} customers")
        for deletion in base.deletions:
            _carry_out(database, deletion)
        step(0, "checking")
        _check(database)
    finally:
        engine.dispose()
    return _summary(base, size, time.monotonic() - begun)


def _load(connection: Connection, calendar: Calendar, base: Base, size: Size, step: Step) -> None:
    """Fills both tables. On SQLite it is one transaction; on the servers one a chunk, which bounds MariaDB's undo log."""
    create_tables(connection)
    number = 1
    names = np.random.default_rng([size.seed, 0])
    for chunk in people(size.customers, names, chunk=CHUNK, companies=base.best.tolist()):
        insert_customers(connection, number, chunk, base.created[number - 1 : number - 1 + len(chunk)])
        number += len(chunk)
        _keep(connection)
        step(len(chunk), "customers")
    number = 1
    for some in generate_orders(calendar, base, size.orders, size.seed, chunk=CHUNK):
        insert_orders(connection, number, some)
        number += len(some)
        _keep(connection)
        step(len(some), "orders")
    step(0, "making the indexes")
    create_indexes(connection)
    connection.commit()


def _keep(connection: Connection) -> None:
    if connection.dialect.name != "sqlite":
        connection.commit()


def _carry_out(database: Database, deletion: Deletion) -> None:
    """Deletes or restores these customers in one transaction, as if it were then."""
    actor = Actor(f"demo:{deletion.actor}", Role.STAFF, Door.DASHBOARD)
    reason = Reason(deletion.reason, deletion.note)
    at = datetime.fromtimestamp(deletion.at, UTC)

    def work(connection: Connection) -> None:
        changes.change(connection, database.schema, deletion.action, deletion.ids, actor=actor, reason=reason, at=at)

    in_transaction(database, work)


def _check(database: Database) -> None:
    report = integrity.run_and_record(database)
    if not report.even:
        raise EvenbooksError("The demo company was made, but its books are not even. Run: python -m data.integrity")


def _summary(base: Base, size: Size, seconds: float) -> str:
    deleted = len(base.still_deleted)
    return (
        f"Made the demo company: {size.customers:,} customers ({deleted:,} of them deleted), "
        f"{size.orders:,} orders over {size.months} months, in {seconds:.1f} s."
    )
