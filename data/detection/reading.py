"""Small samples of the company's rows: bounded, read only, and never an error that ends the look."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from sqlalchemy import Connection, Executable, Select, String, and_, cast, func, or_, select
from sqlalchemy.exc import DBAPIError
from sqlalchemy.sql import ColumnElement

from data.detection.tables import Column, Table
from data.faults import error_words

SAMPLE = 200  # rows from each end of a table
VALUES = 200  # values of a link that are looked for in the customers' key
GROUPED = 100_000  # rows of which values are counted
LARGE = 2_000_000  # rows, above which figures are not added up
PATIENCE = 30  # seconds that the server may spend on one statement
TOO_LONG = 200  # characters of a text that are read


class Unreadable(Exception):
    """This table cannot be read; the message says why."""


@contextmanager
def read_only(connection: Connection) -> Iterator[None]:
    """One transaction that cannot write, and whose statements the server itself stops when they last."""
    name = connection.dialect.name
    if name == "sqlite":
        connection.exec_driver_sql("PRAGMA query_only = ON")
    elif name == "postgresql":
        connection.exec_driver_sql(f"SET TRANSACTION READ ONLY; SET LOCAL statement_timeout = '{PATIENCE}s'").close()
    else:
        _limit_mariadb(connection, PATIENCE)
        connection.exec_driver_sql("START TRANSACTION WITH CONSISTENT SNAPSHOT, READ ONLY")
    try:
        yield
    finally:
        if not connection.invalidated:
            connection.rollback()
            if name == "sqlite":
                connection.exec_driver_sql("PRAGMA query_only = OFF")
                connection.rollback()
            elif name != "postgresql":
                _limit_mariadb(connection, 0)


def _limit_mariadb(connection: Connection, seconds: int) -> None:
    is_mariadb = getattr(connection.dialect, "is_mariadb", False)
    limit = f"max_statement_time = {seconds}" if is_mariadb else f"max_execution_time = {seconds * 1000}"
    connection.exec_driver_sql(f"SET SESSION {limit}")
    connection.rollback()


def is_whole(counts: Sequence[tuple[Any, int]]) -> bool:
    """Whether a column's counts are of every row, and not of the first ones only."""
    return sum(number for _, number in counts) < GROUPED


class Reader:
    """Reads samples, each once. Raises Unreadable where the account may not read, or the server gave up."""

    def __init__(self, connection: Connection) -> None:
        self.connection = connection
        self._rows: dict[tuple[str | None, str], list[dict[str, Any]]] = {}

    def run(self, statement: Executable) -> Sequence[Any]:
        """Every row of a statement, in a savepoint, so that an error leaves the transaction as it was."""
        try:
            with self.connection.begin_nested():
                return self.connection.execute(statement).all()
        except DBAPIError as error:
            if error.connection_invalidated:
                raise
            raise Unreadable(error_words(error)) from error

    def rows(self, source: Table) -> list[dict[str, Any]]:
        """The first and the last rows by key (any rows where the key is not one column), as the driver answers them."""
        if source.place not in self._rows:
            self._rows[source.place] = self._read(source)
        return self._rows[source.place]

    def _read(self, source: Table) -> list[dict[str, Any]]:
        wanted = [c for c in source.columns.values() if c.kind not in {"binary", "other"}]
        shown = [self._short(source, c).label(f"c{n}") for n, c in enumerate(wanted)]
        base = select(*shown).select_from(source.clause)
        if source.only_key is None:
            found = self.run(base.limit(2 * SAMPLE))
        else:
            key = source.clause.c[source.only_key.name]
            found = self.run(base.order_by(key).limit(SAMPLE))
            if len(found) == SAMPLE:
                found = list(
                    dict.fromkeys([*map(tuple, found), *map(tuple, self.run(base.order_by(key.desc()).limit(SAMPLE)))])
                )
        return [dict(zip([c.name for c in wanted], row, strict=True)) for row in found]

    def _short(self, source: Table, c: Column) -> ColumnElement[Any]:
        physical = source.clause.c[c.name]
        return func.substr(physical, 1, TOO_LONG) if c.kind == "text" else physical

    def values(self, source: Table, name: str) -> list[Any]:
        """The sample's values of a column, NULL left out."""
        return [row[name] for row in self.rows(source) if row.get(name) is not None]

    def filled(self, source: Table, name: str) -> float:
        """Which part of the sample has something in this column, 0 to 1; 0 where there are no rows."""
        rows = self.rows(source)
        there = [row for row in rows if row.get(name) is not None and str(row[name]).strip()]
        return len(there) / len(rows) if rows else 0.0

    def distinct(self, source: Table, name: str) -> list[Any]:
        """Some hundred different values of a column, NULL left out, from its first rows and from the sample."""
        inner = select(source.clause.c[name].label("v")).limit(GROUPED // 10).subquery("some")
        found = self.run(select(inner.c.v).where(inner.c.v.is_not(None)).distinct().limit(VALUES))
        return list(dict.fromkeys([*(row[0] for row in found), *self.values(source, name)]))[: 2 * VALUES]

    def known(self, source: Table, name: str, values: Sequence[Any]) -> list[Any]:
        """Which of the values the column has."""
        if not values:
            return []
        c = source.clause.c[name]
        return [row[0] for row in self.run(select(c).where(c.in_(list(values))).distinct())]

    def known_beside(self, source: Table, name: str, values: Sequence[Any], other: str) -> list[Any]:
        """The different values of another column in the rows with these values; some dozen."""
        c = source.clause.c
        statement = select(c[other]).where(c[name].in_(list(values))).distinct().limit(13)
        return [row[0] for row in self.run(statement)]

    def counts(self, source: Table, name: str) -> list[tuple[Any, int]]:
        """A column's values with how often each occurs in its first rows, the most frequent first; at most 13."""
        inner = select(source.clause.c[name].label("v")).limit(GROUPED).subquery("some")
        number = func.count()
        statement: Select[Any] = (
            select(inner.c.v, number).group_by(inner.c.v).order_by(number.desc(), inner.c.v).limit(13)
        )
        return [(row[0], int(row[1])) for row in self.run(statement)]

    def beyond(self, source: Table, name: str, counts: Sequence[tuple[Any, int]]) -> str | None:
        """What `counts` do not tell of a column, as half a sentence; None where every row has one of their values."""
        if is_whole(counts):
            return None
        try:
            return "later rows have others" if self.has_others(source, name, [value for value, _ in counts]) else None
        except Unreadable:
            return "whether later rows have others could not be asked"

    def has_others(self, source: Table, name: str, values: Sequence[Any]) -> bool:
        """Whether any row of the whole table has another value, or NULL where that is none of them."""
        c: ColumnElement[Any] = source.clause.c[name]
        # PostgreSQL compares no enumeration with text.
        compared = cast(c, String) if source.columns[name].kind == "enum" else c
        other = compared.not_in([value for value in values if value is not None])
        whole = and_(c.is_not(None), other) if None in values else or_(c.is_(None), other)
        return bool(self.run(select(c).where(whole).limit(1)))

    def size(self, source: Table) -> int:
        """How many rows: the server's estimate where that is large, else counted, up to the limit."""
        if source.size is not None and source.size > LARGE:
            return source.size
        inner = select(source.clause.c[next(iter(source.columns))]).limit(LARGE + 1).subquery("some")
        source.size = int(self.run(select(func.count()).select_from(inner))[0][0])
        return source.size
