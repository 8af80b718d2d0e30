"""How long a server's answer is waited for: the drivers themselves would wait for as long as it is there."""

from __future__ import annotations

from typing import Any

import psycopg
import pymysql
from psycopg.errors import _WaitTimeout

GREET = 10.0  # seconds for a server to say something: one that hangs accepts connections all the same
CHANGE = 120.0  # for an answer within a change: the longest reads the orders of a whole batch, without an index
# For the answer to COMMIT, which takes a flush to disk. Where none comes, the chain is asked what became of it; until then
# nobody else of this process deletes or restores.
COMMIT = 20.0


class PostgresConnection(psycopg.Connection[Any]):
    """The driver's connection, whose answers may be waited for only so long (seconds; None: without end)."""

    answer_within: float | None = None

    def wait(self, gen: Any, interval: float = 0.1, timeout: float | None = None) -> Any:
        """As the driver's. Raises OperationalError after closing it, as nobody knows what it will say next."""
        limit = self.answer_within if timeout is None else timeout
        try:
            return super().wait(gen, interval, limit)
        except _WaitTimeout as error:
            self.close()
            raise psycopg.OperationalError(f"the server has not answered for {limit:g} s") from error


def bound(connection: Any, seconds: float | None) -> None:
    """How long this connection's next answers are waited for; then it counts as lost. Nothing where it is SQLite's."""
    if isinstance(connection, pymysql.Connection):
        # The driver has one time-out, for the greeting as for a statement that takes long.
        connection._read_timeout = seconds  # type: ignore[attr-defined]
    elif isinstance(connection, PostgresConnection):
        connection.answer_within = seconds
