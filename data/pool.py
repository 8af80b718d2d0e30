"""How busy the connections to the database are, and whether it is ready for work."""

from __future__ import annotations

from sqlalchemy.pool import QueuePool

from data import queries
from data.database import Database, snapshot
from data.errors import NotMigrated


def pool_figures(database: Database) -> dict[str, int]:
    """Connections of this process: kept open (`size`), in use, in use beyond `size` (`overflow`), and the most (`limit`).

    Empty where the engine keeps no such pool (SQLite in memory).
    """
    pool = database.engine.pool
    if not isinstance(pool, QueuePool):
        return {}
    return {
        "size": pool.size(),
        "in_use": pool.checkedout(),
        "overflow": max(0, pool.overflow()),
        "limit": pool.size() + pool._max_overflow,
    }


def require_ready(database: Database) -> None:
    """One cheap read of our own tables. Raises DatabaseUnavailable, or NotMigrated where they are gone."""
    with snapshot(database) as moment:
        if queries.get_head(moment.connection, database.schema) is None:
            raise NotMigrated("The chain of events has no head.")
