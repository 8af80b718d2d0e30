"""Keyset paging: pages of a list that cost the same however deep, and their opaque cursors."""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import Connection, Row, Select, and_, literal, or_
from sqlalchemy.sql import ColumnElement

from data.errors import InvalidInput

LONGEST_PAGE = 1000
Id = int | str


@dataclass(frozen=True, eq=False)
class Keys:
    """What a list is sorted by: `key`, never NULL, then `tie`, the id (the same expression: by id alone).

    Where there is a condition `blank`, its rows have no key and come first, by id; their cursors have the value "".
    `sort` names the order in the cursors; `parse` reads an id from one, None where it cannot be an id.
    """

    sort: str
    key: ColumnElement[Any]
    tie: ColumnElement[Any]
    parse: Callable[[object], Id | None]
    blank: ColumnElement[bool] | None = None


def read_page(
    connection: Connection,
    statement: Select[Any],
    keys: Keys,
    *,
    limit: int,
    descending: bool = False,
    after: str | None = None,
    before: str | None = None,
) -> tuple[list[Row[*tuple[Any, ...]]], str | None, str | None]:
    """The rows of a page, and the cursors of the pages before and after it (None where there is none).

    The statement's rows have an `id` and a `sort_key` (the key as text). Raises InvalidInput where a cursor cannot be
    read, or `limit` is not 1 to 1000.
    """
    if not 1 <= limit <= LONGEST_PAGE:
        raise InvalidInput(f"A page has 1 to {LONGEST_PAGE} rows; not {limit}.", field="limit")
    backwards = before is not None
    down = descending != backwards
    written = before if backwards else after
    cursor = None if written is None else read_cursor(written, keys.parse, keys.sort)
    rows: list[Row[*tuple[Any, ...]]] = []
    for part, of, beyond in _parts(statement, keys, cursor, down):
        if len(rows) <= limit:
            some = part if beyond is None else part.where(_beyond(of, beyond, down))
            rows += connection.execute(_ordered(some, of, down).limit(limit + 1 - len(rows)))
    more, rows = len(rows) > limit, rows[:limit]
    if backwards:
        rows.reverse()
    first, last = (write_cursor(keys.sort, r.sort_key, r.id) for r in (rows[0], rows[-1])) if rows else (None, None)
    return (
        rows,
        first if (more if backwards else after is not None) else None,
        last if (more or backwards) else None,
    )


def _parts(
    statement: Select[Any], keys: Keys, cursor: tuple[Any, Id] | None, down: bool
) -> list[tuple[Select[Any], Keys, tuple[Any, Id] | None]]:
    """The list's parts from the cursor on, each with its order, and the cursor within it. Rows without a key are a part
    of their own: in one statement with the others no index would serve."""
    if keys.blank is None:
        return [(statement, keys, cursor)]
    by_id = replace(keys, key=keys.tie)
    without, others = statement.where(keys.blank), statement.where(~keys.blank)
    at = cursor if cursor and cursor[0] == "" else None
    parts = [(without, by_id, at), (others, keys, None if at else cursor)]
    if down:
        parts.reverse()
    return parts[1:] if cursor and (at is None) != down else parts


def _ordered(statement: Select[Any], keys: Keys, down: bool) -> Select[Any]:
    by = [keys.tie] if keys.key is keys.tie else [keys.key, keys.tie]
    return statement.order_by(*(k.desc() if down else k.asc() for k in by))


def _beyond(keys: Keys, cursor: tuple[Any, Id], down: bool) -> ColumnElement[bool]:
    """The rows after the cursor. Not a row comparison: MariaDB reads the whole index for one."""
    # In the type of the column: PostgreSQL compares no time with text.
    key = keys.key
    value, row_id = literal(cursor[0], key.type), literal(cursor[1], keys.tie.type)
    past = keys.tie < row_id if down else keys.tie > row_id
    if key is keys.tie:
        return past
    return and_(key <= value, or_(key < value, past)) if down else and_(key >= value, or_(key > value, past))


def write_cursor(sort: str, value: Any, row_id: Id) -> str:
    """An opaque cursor: where a page of this sort begins or ends."""
    value = value if isinstance(value, (int, float, str)) else str(value)
    return base64.urlsafe_b64encode(json.dumps([sort, value, row_id]).encode()).decode().rstrip("=")


def read_cursor(cursor: str, parse: Callable[[object], Id | None], sort: str) -> tuple[Any, Id]:
    """The sort value and id of a cursor. Raises InvalidInput when it is unreadable or of another sort."""
    try:
        of_sort, value, raw = json.loads(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
        row_id = parse(raw)
        if of_sort != sort or not isinstance(value, (int, float, str)) or isinstance(value, bool) or row_id is None:
            raise ValueError
        str(value).encode()  # half a surrogate pair is no text
        if isinstance(value, int) and abs(value) >= 2**63 and value != row_id:
            raise ValueError
    except (ValueError, TypeError, binascii.Error, RecursionError):
        raise InvalidInput(
            "This page address cannot be read. Start again from the first page.", field="after"
        ) from None
    return value, row_id
