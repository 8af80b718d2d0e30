"""The replica that exports and analytics are read from: how far it is behind, measured by a heartbeat.

A random word is written on the primary and looked for on the replica. That asks for no right to look at replication, is
the same on every engine and through any chain of servers, and proves that it is a replica of this very database.
"""

from __future__ import annotations

import logging
import secrets
import threading
import time
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from weakref import WeakKeyDictionary, finalize

from sqlalchemy import Engine
from sqlalchemy.exc import DBAPIError

from data import queries
from data.database import Database, in_transaction, require_file, snapshot
from data.engines import make_engine
from data.errors import EvenbooksError, NotMigrated, StaleReplica

log = logging.getLogger("evenbooks")

PATIENCE = 2.0  # seconds for which a beat is waited for
KEPT = 3.0  # seconds for which a measurement is good enough
SHORTEST_PAUSE = 0.01  # seconds between two looks; later ones are further apart
MOST_KNOWN = 100  # beats of this database that are remembered
CLOCKS_DIFFER = 1.0  # seconds, by which the clocks of two servers of ours may


@dataclass(frozen=True)
class Freshness:
    """What a measurement found: the replica's lag in seconds, `at_most` where only a bound of it is known, and the limit.

    `lag` is None where it could not be measured. `trouble` is a key of StaleReplica.SENTENCES where the replica is not
    to be read; None where it is fresh. `seen` is when it was measured (monotonic seconds).
    """

    lag: float | None
    limit: int
    at_most: bool = False
    trouble: str | None = None
    seen: float = field(default_factory=time.monotonic, compare=False)

    @property
    def behind(self) -> str:
        """How far behind, in words: 0.4 s, or up to 12.0 s."""
        return f"{'up to ' if self.at_most else ''}{self.lag or 0:.1f} s"

    @property
    def problem(self) -> StaleReplica | None:
        """The error that says why the replica is not read; a new one each time, for each is raised in a thread of its own."""
        return StaleReplica(self.trouble, behind=self.behind, limit=self.limit) if self.trouble else None

    def by_now(self) -> Freshness:
        """The same at this moment: at the worst the replica has stood still since."""
        if self.lag is None:
            return self
        lag = self.lag + time.monotonic() - self.seen
        return replace(self, lag=lag, at_most=True, trouble=self.trouble or ("stale" if lag > self.limit else None))


@dataclass(frozen=True)
class Source:
    """Where an export is read from, and how far behind that is; None of the primary, which is never behind."""

    database: Database
    lag: float | None


def source_of_reports(database: Database) -> Source:
    """The replica, or the primary where REPORTS_DATABASE_URL is not set. Raises StaleReplica; the primary never steps in."""
    replica = _replica_of(database)
    if replica is None:
        return Source(database, None)
    found = replica.look(database)
    if found.problem is not None:
        raise found.problem
    return Source(replace(database, engine=replica.engine), found.lag)


def freshness(database: Database) -> Freshness | None:
    """How far the replica is behind, measured now or within the last seconds; None without a replica. Never raises."""
    replica = _replica_of(database)
    return replica.look(database) if replica else None


class Replica:
    """The replica's engine, and what is known of its lag. Safe between threads: of several who ask one measures."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self._lock = threading.Lock()
        self._kept: Freshness | None = None
        # Of the primary, the oldest first, with when they were written, and seen here (monotonic seconds).
        self._beats: dict[str, tuple[datetime, float]] = {}

    def look(self, database: Database) -> Freshness:
        """The last measurement, or a new one where that is more than a few seconds ago; `database` is the primary."""
        with self._lock:
            if self._kept is None or time.monotonic() - self._kept.seen > KEPT:
                self._kept = self._measure(database)
            return self._kept

    def _measure(self, database: Database) -> Freshness:
        limit = database.settings.server.replica_lag
        try:
            beat = self._beat(database)
        except (EvenbooksError, DBAPIError) as error:
            return _refused("unmeasured", limit, error)
        begun = time.monotonic()
        try:
            require_file(self.engine.url, "REPORTS_DATABASE_URL")
            lag, at_most = self._wait_for(beat, begun, database)
        except NotMigrated as error:
            return _refused("unrelated", limit, error)
        except (EvenbooksError, DBAPIError) as error:
            return _refused("unreadable", limit, error)
        if lag is None:
            return _refused("unrelated", limit)
        return Freshness(lag, limit, at_most, "stale" if lag > limit else None)

    def _beat(self, database: Database) -> str:
        """Writes a new beat on the primary, and answers it. The one before may be all that the replica has."""
        schema, beat, now = database.schema, secrets.token_hex(16), datetime.now(UTC)
        self._know(database)
        in_transaction(database, lambda connection: queries.keep_beat(connection, schema, beat, at=now))
        self._remember(beat, now)
        return beat

    def _know(self, database: Database) -> str | None:
        """Remembers the primary's last beat, which another process may have written, and answers it."""
        with snapshot(database) as moment:
            beat, at = queries.last_beat(moment.connection, database.schema) or (None, None)
        if beat and isinstance(at, datetime):
            self._remember(beat, at)
        return beat

    def _remember(self, beat: str, at: datetime) -> None:
        self._beats.setdefault(beat, (at, time.monotonic()))
        while len(self._beats) > MOST_KNOWN:
            del self._beats[next(iter(self._beats))]

    def _wait_for(self, beat: str, begun: float, database: Database) -> tuple[float | None, bool]:
        """The lag, and whether that is only a bound; None where the replica has no beat of this database.

        Where the beat comes, the lag is the time that it took. Where it does not, whatever the replica lacks was written
        after its own last beat, so that one's age is the most that it can be behind.
        """
        on_replica = replace(database, engine=self.engine)
        while True:
            with snapshot(on_replica) as moment:
                found, _ = queries.last_beat(moment.connection, database.schema) or (None, None)
            waited = time.monotonic() - begun
            # Another process may have written the next one meanwhile: then the replica has that, as the primary does.
            if found == beat or (found and found not in self._beats and found == self._know(database)):
                return waited, False
            if waited > PATIENCE:
                known = self._beats.get(found or "")
                age = None if known is None else _age(*known)
                return (None if age is None else max(waited, age)), True
            time.sleep(SHORTEST_PAUSE + waited / 10)


def _age(written: datetime, seen: float) -> float | None:
    """Seconds since a beat was written; None where the clock says fewer than have passed since it was seen here, for
    then it was put back, and nobody knows by how much."""
    age, known = (datetime.now(UTC) - written).total_seconds(), time.monotonic() - seen
    return None if age < known - CLOCKS_DIFFER else age


def _refused(why: str, limit: int, error: Exception | None = None) -> Freshness:
    found = Freshness(None, limit, trouble=why)
    log.warning("%s %s", found.problem, error or "")
    return found


_replicas: WeakKeyDictionary[Engine, Replica] = WeakKeyDictionary()  # by the primary's engine, and gone with it
_lock = threading.Lock()


def _replica_of(database: Database) -> Replica | None:
    url = database.settings.reports_url
    if url is None:
        return None
    with _lock:
        if database.engine not in _replicas:
            engine = make_engine(url)
            _replicas[database.engine] = Replica(engine)
            finalize(database.engine, engine.dispose)
        return _replicas[database.engine]
