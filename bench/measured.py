"""The company that a run measures, and the yardsticks that several figures share."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

from sqlalchemy import text

from bench.measuring import reading, say, seconds
from data import queries
from data.database import Database, snapshot
from data.months import months_between

TEXTBOOK = """
SELECT {month} AS month,
       CASE WHEN o.customer_id IS NULL THEN 'no customer' WHEN c.id IS NULL THEN 'missing'
            WHEN c.deleted_at IS NULL THEN 'active' ELSE 'deleted' END AS part,
       COUNT(*), SUM(o.total)
FROM orders o LEFT JOIN customers c ON c.id = o.customer_id
GROUP BY 1, 2
"""
MONTHS = {
    "mariadb": "DATE_FORMAT(o.ordered_at, '%Y-%m')",
    "postgresql": "to_char(o.ordered_at, 'YYYY-MM')",
}
BARE = "SELECT SUM(total) FROM orders"


@dataclass(frozen=True, eq=False)
class Measured:
    """The attached database of a run: its engine (mariadb, postgresql), how many customers and orders it was made with."""

    database: Database
    engine: str
    customers: int
    orders: int

    @property
    def url(self) -> str:
        """Where it is."""
        return self.database.settings.database_url

    def textbook(self, times: int) -> float:
        """Seconds of the split as a plain report makes it: every order joined to its customer, as the indexes stand."""
        statement = text(TEXTBOOK.format(month=MONTHS[self.engine]))
        return seconds(reading(self.database, lambda c: c.execute(statement).all()), times=times)

    @cached_property
    def covered(self) -> float:
        """The same with the order indexes for reports."""
        taken = self.textbook(3)
        say(f"textbook join with the covering indexes {taken:.2f} s")
        return taken

    @cached_property
    def months(self) -> list[str]:
        """Every month from the first order's to the last one's."""
        with snapshot(self.database) as moment:
            bounds = queries.month_bounds(moment.connection, self.database.schema)
        assert bounds
        return list(months_between(*bounds))
