"""What is done to the books while something fails: each change, what is prepared for it, and what it must leave."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from approving import BOSS, with_approval
from approving import ask as ask_for_deletion
from shops import ADMIN, MANAGER, STAFF, problems, rows
from sqlalchemy import text

from data import approvals, customers, integrity, jobs, queries, seals
from data.database import Database, snapshot
from data.errors import Conflict, EvenbooksError
from data.jobs import running
from data.pool import pool_figures

_numbers = itertools.count(1)


@dataclass(frozen=True)
class Act:
    """A change: what is prepared for it, how it is done (it answers the ids of its events, where it tells them), and the
    events that it writes.

    What `goes_on` is several transactions, and is finished by whoever does it again.
    """

    prepare: Callable[[Database], Any]
    do: Callable[[Database, Any], list[int | None] | None]
    events: tuple[str, ...]
    goes_on: bool = False


def active(shop: Database, *ids: int) -> list[int]:
    """These customers, none of them deleted."""
    customers.restore_many(shop, ids, actor=ADMIN, reason="undo")
    return list(ids)


def deleted(shop: Database, *ids: int) -> list[int]:
    """These customers, all deleted."""
    customers.delete_many(shop, ids, actor=ADMIN, reason="inactive")
    return list(ids)


def delete(shop: Database, ids: list[int]) -> list[int | None]:
    """Deletes them; each was changed by this."""
    outcomes = customers.delete_many(shop, ids, actor=STAFF, reason="requested")
    assert all(outcome.changed and outcome.customer.deleted_at for outcome in outcomes)
    return [outcome.event_id for outcome in outcomes]


def restore(shop: Database, ids: list[int]) -> list[int | None]:
    """Restores them; each was changed by this."""
    outcomes = customers.restore_many(shop, ids, actor=STAFF, reason="undo")
    assert all(outcome.changed and outcome.customer.deleted_at is None for outcome in outcomes)
    return [outcome.event_id for outcome in outcomes]


def _form(shop: Database) -> tuple[dict[str, str], dict[str, str]]:
    with snapshot(shop) as moment:
        shown = queries.get_form_values(moment.connection, shop.schema, 3)
    return {**shown, "phone": f"+1 {next(_numbers)}"}, dict(shown)


def _edit(shop: Database, form: tuple[dict[str, str], dict[str, str]]) -> None:
    entered, shown = form
    assert customers.edit(shop, 3, entered, shown=shown, actor=STAFF).phone == entered["phone"]


def _person(_shop: Database) -> dict[str, str]:
    number = next(_numbers)
    return {"name": f"New {number}", "email": f"new{number}@example.com"}


def _add(shop: Database, values: dict[str, str]) -> None:
    assert customers.add(shop, values, actor=STAFF).email == values["email"]


def _job(shop: Database) -> str:
    job = jobs.prepare(shop, "delete", actor=STAFF, reason="inactive", ids=active(shop, 1, 2, 5))
    return jobs.start(shop, job.id, actor=STAFF).id


def _work_off(shop: Database, _job_id: str) -> None:
    running.run_pending(shop, lease=timedelta(seconds=-1), size=3)  # afterwards the job is anybody's at once


def _month(shop: Database) -> str:
    with suppress(Conflict):
        seals.unseal(shop, "2024-02", actor=MANAGER, reason="anew")
    return "2024-02"


def _seal(shop: Database, month: str) -> list[int | None]:
    return [made.event_id for made in seals.seal(shop, month, actor=MANAGER, reason="closed")]


def _request(shop: Database) -> int:
    return ask_for_deletion(with_approval(shop), *active(shop, 1))


def _approve(shop: Database, number: int) -> None:
    assert approvals.approve(with_approval(shop), number, actor=BOSS).state == "approved"


ACTS = {
    "delete": Act(lambda shop: active(shop, 1), delete, ("delete",)),
    "delete two": Act(lambda shop: active(shop, 1, 2), delete, ("delete",) * 2),
    "restore": Act(lambda shop: deleted(shop, 1), restore, ("restore",)),
    "edit": Act(_form, _edit, ("edit",)),
    "add": Act(_person, _add, ("add",)),
    "a batch": Act(_job, _work_off, ("delete",) * 3, goes_on=True),
    "seal": Act(_month, _seal, ("seal",)),
    "approve": Act(_request, _approve, ("approve", "delete")),
}


def tried(act: Act, shop: Database, subject: Any) -> list[int | None] | EvenbooksError | None:
    """What came of it: what it answers, or the error of ours that it raises."""
    try:
        return act.do(shop, subject)
    except EvenbooksError as error:
        return error


def last_event(shop: Database) -> int:
    """The number of the chain's last event."""
    return int(rows(shop, "evenbooks_chain")[0][1])


def events_since(shop: Database, event_id: int) -> dict[int, str]:
    """What the chain has gained since then: each event's action by its number."""
    listed = text("SELECT id, action FROM evenbooks_events WHERE id > :id ORDER BY id")
    with shop.engine.connect() as connection:
        return {row.id: row.action for row in connection.execute(listed, {"id": event_id})}


def assert_well(shop: Database, used: Database) -> None:
    """The chain holds, every check is even, and no connection of those that were used is kept."""
    assert problems(shop) == []
    with snapshot(shop) as moment:
        report = integrity.run(moment.connection, shop.schema, moment.at)
    assert report.even, integrity.verdict(report)
    assert pool_figures(used)["in_use"] == 0
