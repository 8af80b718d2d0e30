"""After a backup is restored: those whom the file of erasures names are erased again."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from sqlalchemy import Connection

from data import erasures, events, queries
from data.access import Actor, Permission
from data.database import Database, in_transaction, now, snapshot
from data.erasing import Erasing, blank, require_blanks, too_long
from data.errors import BooksMoved, Conflict
from data.events import Draft, Reason
from data.records import CustomerId
from data.retention.asking import ERASURE
from data.schema import Schema

BATCH = 200


@dataclass
class Replayed:
    """What became of those whom a file of erasures names: erased again (and of those deleted first), erased already,
    not in the table, and who cannot be erased, with a sentence each; lines of other databases, and the numbers of
    lines that cannot be read."""

    others: int = 0
    unreadable: list[int] = field(default_factory=list)
    erased: list[CustomerId] = field(default_factory=list)
    deleted: list[CustomerId] = field(default_factory=list)
    already: list[CustomerId] = field(default_factory=list)
    gone: list[CustomerId] = field(default_factory=list)
    refused: dict[CustomerId, str] = field(default_factory=dict)

    def add(self, other: Replayed) -> None:
        """Takes the people of a batch in."""
        for name in ("erased", "deleted", "already", "gone"):
            getattr(self, name).extend(getattr(other, name))
        self.refused |= other.refused


def replay(
    database: Database,
    path: Path,
    *,
    actor: Actor,
    dry_run: bool = False,
    tell: Callable[[int], None] = lambda _done: None,
) -> Replayed:
    """Erases again, in batches, whom the file names and who is not erased in this database; deletes them first where they
    are active. Repeating does nothing. `tell` is told how many are done.

    It needs no approval and no backup check: each of them was approved once. Raises NotPermitted, EvenbooksError (the
    file), Conflict (a column that cannot be blanked), BooksMoved.
    """
    actor.require(Permission.ERASE_CUSTOMERS)
    schema = database.schema
    with snapshot(database) as moment:
        require_blanks(moment.connection, schema)
        known = erasures.read(path, erasures.chain_name(moment.connection, schema))
    if not dry_run:
        erasures.require_writable(schema.settings.retention.file)
    result, named = Replayed(known.others, known.unreadable), list(known.people)
    for start in range(0, len(named), BATCH):
        ids = named[start : start + BATCH]
        if dry_run:
            with snapshot(database) as moment:
                result.add(look(moment.connection, schema, ids))
        else:
            result.add(in_transaction(database, partial(_erase_again, schema=schema, ids=ids, actor=actor)))
        tell(start + len(ids))
    return result


def look(connection: Connection, schema: Schema, ids: Sequence[CustomerId]) -> Replayed:
    """What a replay would do with these customers, within a snapshot."""
    keys = {key: one for one in ids if (key := schema.parse_id(one)) is not None}
    found = queries.get_customers(connection, schema, list(keys))
    before = queries.erased_ids(connection, schema, list(found))
    blanks = require_blanks(connection, schema)
    result = Replayed(gone=[one for one in ids if schema.parse_id(one) not in found])
    for key in (one for one in keys if one in found):
        words = too_long(key, blanks)
        if key in before:
            result.already.append(key)
        elif words:
            result.refused[key] = words
        else:
            result.erased.append(key)
            result.deleted += [key] if found[key].deleted_at is None else []
    return result


def drift(connection: Connection, schema: Schema) -> str | None:
    """Whom the file of erasures names and who is not erased here, as a sentence; None where there is nobody, or no file."""
    path = schema.settings.retention.file
    if not path.exists():
        return None
    named = list(erasures.read(path, erasures.chain_name(connection, schema)).people)
    waiting = sum(len(look(connection, schema, named[n : n + BATCH]).erased) for n in range(0, len(named), BATCH))
    if not waiting:
        return None
    return (
        f"{path} names {waiting} who are not erased in this database, most likely because a backup was restored. "
        f"Run: python -m data.retention --replay {path}"
    )


def _erase_again(connection: Connection, schema: Schema, ids: Sequence[CustomerId], actor: Actor) -> Replayed:
    head, at = events.take_turns(connection, schema), now()
    part = look(connection, schema, ids)
    if not part.erased:
        return part
    if part.deleted:
        _delete(connection, schema, part.deleted, actor)
        head = events.take_turns(connection, schema)  # which has moved
    found = queries.get_customers_with_impact(connection, schema, part.erased, by_month=True)
    blank(connection, schema, found, Erasing(actor, ERASURE, head, at), blanks=require_blanks(connection, schema))
    return part


def _delete(connection: Connection, schema: Schema, ids: Sequence[CustomerId], actor: Actor) -> None:
    """Marks them deleted, with events: what the backup does not know is not asked about a second time."""
    head, at = events.take_turns(connection, schema), now()
    decimals = schema.settings.money.decimals
    before = queries.impact(connection, schema, ids, by_month=True)
    if queries.mark_deleted(connection, schema, ids, at=at) != len(ids):
        raise Conflict("Another program changed one of these customers at this very moment. Nothing was changed.")
    after = queries.impact(connection, schema, ids, by_month=True)
    drafts = []
    for key in ids:
        body = {name: events.impact_body(of[key], decimals) for name, of in (("before", before), ("after", after))}
        if body["before"] != body["after"]:
            raise BooksMoved(f"Nothing was changed: to delete customer {key} would have moved the reports.")
        drafts.append(Draft("delete", actor, Reason(ERASURE), key, body={**body, "deleted_at": events.stamp(at)}))
    events.append(connection, schema, drafts, head=head, at=at)
