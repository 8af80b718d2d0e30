"""After a backup is restored: those whom the file of erasures names are erased again, where they are still the same ones."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, fields
from datetime import datetime
from functools import partial
from pathlib import Path

from sqlalchemy import Connection

from data import compensation, erasures, events, queries
from data.access import Actor, Permission
from data.database import Database, in_transaction, now, snapshot
from data.erasing import Erasing, blank, blank_already, require_blanks, too_long
from data.erasures import Named
from data.errors import BooksMoved, Conflict
from data.events import Draft, Reason
from data.records import Customer, CustomerId
from data.retention.asking import ERASURE
from data.schema import Schema

BATCH = 200
SHOWN = 10  # numbers in a sentence


@dataclass
class Replayed:
    """What became of those whom files of erasures name: erased again (of those: deleted first; those whom no request in
    this database asked to erase), erased already, not in the table, `active` and so left alone, no more the same ones or
    restored since (`others_now`), and who cannot be erased, with a sentence each; how many lines are of other databases,
    and which ones cannot be read."""

    others: int = 0
    unreadable: list[str] = field(default_factory=list)
    erased: list[CustomerId] = field(default_factory=list)
    deleted: list[CustomerId] = field(default_factory=list)
    unasked: list[CustomerId] = field(default_factory=list)
    already: list[CustomerId] = field(default_factory=list)
    gone: list[CustomerId] = field(default_factory=list)
    active: list[CustomerId] = field(default_factory=list)
    others_now: dict[CustomerId, str] = field(default_factory=dict)
    refused: dict[CustomerId, str] = field(default_factory=dict)

    @property
    def is_whole(self) -> bool:
        """Whether every line could be read, and nobody was left alone."""
        return not (self.unreadable or self.active or self.others_now or self.refused)

    def add(self, other: Replayed) -> None:
        """Takes the people of a batch in."""
        for one in fields(self):
            mine, theirs = getattr(self, one.name), getattr(other, one.name)
            if isinstance(mine, list):
                mine.extend(theirs)
            elif isinstance(mine, dict):
                mine.update(theirs)


def replay(
    database: Database,
    paths: Sequence[Path],
    *,
    actor: Actor,
    dry_run: bool = False,
    also_active: bool = False,
    tell: Callable[[int], None] = lambda _done: None,
) -> Replayed:
    """Erases again, in batches, whom the files name and who is not erased in this database. Who is active is left alone,
    unless `also_active`: then they are deleted first. Whoever is not the same one any more, or was restored later, is
    always left alone. Repeating does nothing. `tell` is told how many are done.

    It needs no approval and no backup check: each of them was approved once. Raises NotPermitted, EvenbooksError (a
    file), Conflict (a column that cannot be blanked), BooksMoved.
    """
    actor.require(Permission.ERASE_CUSTOMERS)
    schema = database.schema
    with snapshot(database) as moment:
        require_blanks(moment.connection, schema)
        known = erasures.read(paths, erasures.chain_name(moment.connection, schema))
        # One at a time where the table cannot roll back, so that a killed command leaves one at most.
        size = 1 if compensation.is_lasting(moment.connection, schema) else BATCH
    if not dry_run:
        erasures.require_writable(schema.settings.retention.file)
    result = Replayed(known.others, known.unreadable)
    done = 0
    for batch in _batches(known.people, size):
        if dry_run:
            with snapshot(database) as moment:
                result.add(look(moment.connection, schema, batch, also_active=also_active))
        else:
            work = partial(_erase_again, schema=schema, named=batch, actor=actor, also_active=also_active)
            result.add(in_transaction(database, work))
        done += len(batch)
        tell(done)
    return result


def _batches(people: Mapping[CustomerId, Named], size: int) -> list[dict[CustomerId, Named]]:
    named = list(people.items())
    return [dict(named[start : start + size]) for start in range(0, len(named), size)]


def look(
    connection: Connection, schema: Schema, named: Mapping[CustomerId, Named], *, also_active: bool = False
) -> Replayed:
    """What a replay would do with these customers, within a snapshot."""
    lines = {key: line for one, line in named.items() if (key := schema.parse_id(one)) is not None}
    found = queries.get_customers(connection, schema, list(lines))
    blanks = require_blanks(connection, schema)
    before = blank_already(connection, schema, list(found), blanks)
    lives = queries.last_lives(connection, schema, list(found))
    asked = queries.asked_to_erase(connection, schema, list(found))
    result = Replayed(gone=[one for one in named if schema.parse_id(one) not in found])
    for key in (one for one in lines if one in found):
        line, customer = lines[key], found[key]
        if key in before:
            result.already.append(key)
        elif other := _another(schema, customer, line, lives.get(key)):
            result.others_now[key] = other
        elif customer.deleted_at is None and not also_active:
            result.active.append(key)
        elif words := too_long(key, blanks):
            result.refused[key] = words
        else:
            result.erased.append(key)
            result.deleted += [key] if customer.deleted_at is None else []
            result.unasked += [key] if (key, line.job) not in asked else []
    return result


def _another(schema: Schema, customer: Customer, line: Named, life: tuple[int, object] | None) -> str | None:
    """Why this is not whom the line means, or not any more, as a sentence; None where nothing says so. A number may have
    been given to somebody else since, and a line may be of an erasure that was never carried out."""
    if life is not None:
        event_id, at = life
        if event_id >= line.event_id or (isinstance(at, datetime) and at >= line.at):
            return f"was added or restored later, by event {event_id}"
    if "created_at" in schema.present:
        if isinstance(customer.created_at, datetime) and customer.created_at > line.at:
            return "was created later"
        if line.created_at is not None and events.stamp(customer.created_at) != line.created_at:
            return "was created at another time than who was erased"
    if isinstance(customer.deleted_at, datetime) and customer.deleted_at > line.at:
        return "was deleted later"
    return None


def drift(connection: Connection, schema: Schema) -> str | None:
    """Whom the file of erasures names and who is not erased here, in sentences; None where there is nobody, or no file."""
    path = schema.settings.retention.file
    if not path.exists():
        return None
    found = Replayed()
    for batch in _batches(erasures.read([path], erasures.chain_name(connection, schema)).people, BATCH):
        found.add(look(connection, schema, batch))
    command = f"python -m data.retention --replay {path}"
    told, left = [], [*found.active, *found.others_now]
    if found.erased:
        told.append(
            f"{path} names {len(found.erased)} who are not erased in this database, or were filled again since; most "
            f"likely a backup was restored. Run: {command}"
        )
    if left:
        told.append(
            f"A replay leaves {shown(left)} of the file alone, being active or not the same any more. Why of each says: "
            f"{command} --dry-run"
        )
    return "\n\n".join(told) or None


def shown(ids: Sequence[object]) -> str:
    """How many, and the first numbers."""
    return f"{len(ids)} ({', '.join(map(str, ids[:SHOWN]))}{', ...' if len(ids) > SHOWN else ''})"


def _erase_again(
    connection: Connection, schema: Schema, named: Mapping[CustomerId, Named], actor: Actor, also_active: bool
) -> Replayed:
    head, at = events.take_turns(connection, schema), now()
    part = look(connection, schema, named, also_active=also_active)
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
    if compensation.is_lasting(connection, schema):
        marked = compensation.Marked(schema, dict.fromkeys(ids), dict.fromkeys(ids, at), head.event_id)
        compensation.watch(connection, marked)
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
