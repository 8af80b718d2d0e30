"""The statements that run meanwhile, with their values: evidence for whoever wants to run them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import psycopg
from sqlalchemy import Connection, event

MOST_RECORDED = 20


@contextmanager
def recorded(connection: Connection) -> Iterator[list[str]]:
    """Collects the statements that run meanwhile, with their values, each text once: evidence for whoever wants to run them."""
    statements: dict[str, str] = {}

    def note(_c: Connection, cursor: Any, statement: str, parameters: Any, _context: Any, many: bool) -> None:
        if statement not in statements and len(statements) < MOST_RECORDED:
            statements[statement] = statement if many else _with_values(cursor, statement, parameters)

    found: list[str] = []
    event.listen(connection, "before_cursor_execute", note)
    try:
        yield found
    finally:
        event.remove(connection, "before_cursor_execute", note)
        found.extend(statements.values())


def _with_values(cursor: Any, statement: str, parameters: Any) -> str:
    """The statement as the server gets it; SQLite's driver does not say, so there the values are put in here."""
    if isinstance(cursor, psycopg.Cursor):
        return str(psycopg.ClientCursor(cursor.connection).mogrify(statement, parameters))
    if hasattr(cursor, "mogrify"):
        return str(cursor.mogrify(statement, parameters or None))
    values = iter(parameters or ())

    def literal(_mark: object) -> str:
        value = next(values, None)
        if value is None:
            return "NULL"
        return str(value) if isinstance(value, (int, float)) else "'" + str(value).replace("'", "''") + "'"

    return re.sub(r"\?", literal, statement)
