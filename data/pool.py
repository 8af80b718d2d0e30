"""How busy the connections to the database are, and whether it is ready for work."""

from __future__ import annotations

from sqlalchemy.pool import QueuePool

from data import queries
from data.database import Database, snapshot
from data.errors import NotMigrated
from data.inspection import read_nothing


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
    """Two cheap reads of our own tables.

    Raises DatabaseUnavailable, NotMigrated where one is gone, ConfigurationError where this account may not read one.
    """
    with snapshot(database) as moment:
        read_nothing(moment.connection, database.schema.own.all)
        if queries.get_head(moment.connection, database.schema) is None:
            raise NotMigrated("The chain of events has no head.")
