"""Customers in a table that cannot roll back (MyISAM, Aria): what a failed change marked or blanked is put back."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from weakref import WeakKeyDictionary

from sqlalchemy import Connection, event

from data import queries
from data.inspection import storage
from data.records import CustomerId
from data.schema import Schema


@dataclass(frozen=True)
class Marked:
    """What a change marks: each customer's deleted_at as it was and as it is to be; `head` is the chain's last event
    before the change."""

    schema: Schema
    before: Mapping[CustomerId, datetime | str | None]
    after: Mapping[CustomerId, datetime | None]
    head: int

    def action(self, key: CustomerId) -> str:
        """What the customer's event would say."""
        return "restore" if self.after[key] is None else "delete"


@dataclass(frozen=True)
class Blanked:
    """What an erasure blanks: what each customer's columns held; `head` likewise."""

    schema: Schema
    before: Mapping[CustomerId, Mapping[str, Any]] = field(repr=False)
    head: int

    def action(self, _key: CustomerId) -> str:
        """What the customer's event would say."""
        return "erase"


Changed = Marked | Blanked

_lasting: WeakKeyDictionary[Schema, bool] = WeakKeyDictionary()
# What each connection's transaction has marked so far.
_marked: WeakKeyDictionary[Connection, list[Changed]] = WeakKeyDictionary()


def is_lasting(connection: Connection, schema: Schema) -> bool:
    """Whether what is written to the customers' table stays, whatever becomes of the transaction. Asked once."""
    if schema.dialect != "mysql":
        return False
    if schema not in _lasting:
        kept = storage(connection, schema.customer_table)
        _lasting[schema] = kept is not None and kept[0] == "NO"
    return _lasting[schema]


def watch(connection: Connection, marked: Changed) -> None:
    """From now on these changes are taken back where the transaction, or a savepoint around them, is rolled back."""
    if connection not in _marked:
        _marked[connection] = []
        event.listen(connection, "rollback", _take_back_all)
        event.listen(connection, "rollback_savepoint", _take_back_undone)
        event.listen(connection, "begin", _begin_anew)
    _marked[connection].append(marked)


def take_back(connection: Connection, marked: Changed) -> None:
    """Puts these customers back at once, on a connection of its own: the failed one may be of no use any more.

    Whose change has its event after all, by a COMMIT whose answer was lost, stays as it is.
    """
    _marked[connection].remove(marked)
    with connection.engine.connect() as other, other.begin():
        if connection.invalidated:  # its COMMIT may still be on its way, and it holds the chain until then
            queries.lock_head(other, marked.schema)
        for key in marked.before:
            if (queries.last_event_id(other, marked.schema, key, marked.action(key)) or 0) <= marked.head:
                _put_back(other, marked, key)


def _put_back(connection: Connection, changed: Changed, key: CustomerId) -> None:
    if isinstance(changed, Blanked):
        queries.fill_again(connection, changed.schema, key, values=changed.before[key])
    else:  # unless somebody else has changed the mark since
        queries.mark_back(connection, changed.schema, key, now=changed.after[key], was=changed.before[key])


@contextmanager
def taken_back(connection: Connection) -> Iterator[None]:
    """Takes back what was marked within, if this fails otherwise than by a rollback: at COMMIT."""
    try:
        yield
    except BaseException:
        if connection in _marked:
            _take_back_all(connection)
        raise


def _take_back_all(connection: Connection) -> None:
    for marked in reversed(_marked[connection][:]):
        take_back(connection, marked)


def _take_back_undone(connection: Connection, name: str, _context: None) -> None:
    """Takes back what has no event any more once a savepoint is rolled back; what was marked before it stays."""
    if connection.invalidated:
        return  # the transaction is gone as a whole, and its own rollback follows
    # SQLAlchemy says it beforehand, and what goes with the savepoint can be asked only afterwards; twice does no harm.
    connection.dialect.do_rollback_to_savepoint(connection, name)
    for marked in reversed(_marked[connection][:]):
        if not _has_event(connection, marked):
            take_back(connection, marked)


def _has_event(connection: Connection, marked: Changed) -> bool:
    key = next(iter(marked.before))  # all of a change are written at once
    return (queries.last_event_id(connection, marked.schema, key, marked.action(key)) or 0) > marked.head


def _begin_anew(connection: Connection, *_: Any) -> None:
    _marked[connection].clear()
