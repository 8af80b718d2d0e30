"""Property: whatever is done in the product, in whatever order, the books are even, and nobody's rights are passed over.

Staff, managers and another program take turns: one at a time, bulk jobs that are stopped, resumed and undone, requests that
are approved, rejected, withdrawn or expire, erasures, seals. What must hold is looked at in the plain rows after each step.
"""

from __future__ import annotations

import json
import random
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any, cast
from unittest.mock import patch
from uuid import uuid4

import pytest
from approving import ASKER, BOSS, with_approval
from copies import copied
from hypothesis import HealthCheck, Phase, given, note, settings
from hypothesis import strategies as st
from shops import ADMIN, MANAGER, SALES, STAFF, by_hand, fill, make_shop, problems, rows
from test_no_false_alarm import alarms
from test_totals_never_move import parts

from data import approvals, jobs, seals
from data import database as databases
from data.customers import add, delete_many, edit, restore_each, restore_many
from data.database import Database
from data.errors import (
    Conflict,
    CustomerNotFound,
    EmailTaken,
    InvalidInput,
    JobNotFound,
    NotPermitted,
    RequestNotFound,
)
from data.jobs import running
from data.records import CustomerId, Job, Request
from data.retention import asking
from data.settings import Retention

CROWD = range(100, 112)
IDS = [1, 2, 3, 4, 5, *CROWD]
COLUMNS = ("id", "customer_id", "ordered_at", "total", "status")
MORE_SALES = [(n, n, f"2024-0{1 + n % 4}-05 00:00:00", f"{n}.01", "paid") for n in CROWD]
WORDS = ("Lima", "陈伟", "Dora", "ana@", "dora@", "uill", "+351", "by phone")  # personal: names, addresses, notes
MONTHS = ["2024-01", "2024-02", "2024-04"]
# What people are told, and look again. BooksMoved is none of them: nothing here may move the books.
EXPECTED = (Conflict, CustomerNotFound, EmailTaken, InvalidInput, JobNotFound, NotPermitted, RequestNotFound)


@dataclass
class World:
    """A shop, and what is known of it without asking it."""

    free: Database
    strict: Database
    sales: list[tuple[Any, ...]]
    deletions_wait: bool = False
    later: timedelta = timedelta()
    begun: set[str] = field(default_factory=set)  # jobs that were started while deletions did not wait: they may end
    seen: int = 3  # the last event that was looked at
    did: Counter[str] = field(default_factory=Counter)

    @property
    def shop(self) -> Database:
        """The shop as it is configured at this moment."""
        return self.strict if self.deletions_wait else self.free


Doing = Callable[[World, random.Random], object]


def some(dice: random.Random, most: int = 5) -> list[int]:
    return dice.sample(IDS, dice.randint(1, most))


# One after the other


def delete_some(world: World, dice: random.Random) -> None:
    note = dice.choice([None, "Quill asked by phone"])
    delete_many(world.shop, some(dice), actor=dice.choice([STAFF, ASKER]), reason="requested", note=note)


def restore_some(world: World, dice: random.Random) -> None:
    restore_many(world.shop, some(dice), actor=STAFF, reason="undo")


def restore_one_by_one(world: World, dice: random.Random) -> None:
    restore_each(world.shop, some(dice), actor=STAFF, reason="undo")


def add_one(world: World, dice: random.Random) -> None:
    values = {"name": "New Quill", "email": f"quill{dice.randint(100, 115)}@example.com", "phone": "+351 9"}
    add(world.shop, values, actor=STAFF, reason="Quill came by")


def edit_one(world: World, dice: random.Random) -> None:
    number = dice.choice(CROWD)
    shown = {"name": f"Quill {number}", "email": f"quill{number}@example.com", "phone": ""}
    edit(world.shop, number, {**shown, "phone": "+351 7"}, shown=shown, actor=STAFF)


def sell(world: World, dice: random.Random) -> None:
    """Another program's: to anybody, also to guests and to those who are deleted or erased."""
    sale = (
        *(max(sale[0] for sale in world.sales) + 1, dice.choice([None, *IDS])),
        *(
            dice.choice([None, "2024-06-01 00:00:00", "2024-07-31 23:59:59"]),
            f"{dice.randint(-999, 9999) / 100:.2f}",
            "paid",
        ),
    )
    fill(world.shop.engine, "orders", [dict(zip(COLUMNS, sale, strict=True))])
    world.sales.append(sale)


# Months


def seal_one(world: World, dice: random.Random) -> None:
    seals.seal(world.shop, dice.choice(MONTHS), actor=MANAGER, reason=dice.choice([None, "again"]))


def unseal_one(world: World, dice: random.Random) -> None:
    month = dice.choice(MONTHS)
    seals.seal(world.shop, month, actor=MANAGER, reason="again")
    seals.unseal(world.shop, month, actor=MANAGER, reason="a late invoice")


# Many at once


def prepare(world: World, dice: random.Random) -> Job:
    kind = dice.choice(["delete", "delete", "restore"])
    whom = cast(dict[str, Any], {"ids": some(dice, 12)} if dice.random() < 0.7 else {"search": "quill"})
    return jobs.prepare(
        world.shop, kind, actor=dice.choice([STAFF, ADMIN]), reason="duplicate", note="by phone", **whom
    )


def pick(world: World, *states: str) -> list[str]:
    return [job.id for job in jobs.latest(world.shop, limit=100) if job.state in states and job.kind != "erase"]


def start_or_resume(world: World, dice: random.Random) -> None:
    jobs.start(world.shop, dice.choice(pick(world, "draft", "stopped") or [prepare(world, dice).id]), actor=STAFF)


def work(world: World, _dice: random.Random) -> None:
    jobs.run_pending(world.shop)


def work_and_stop(world: World, dice: random.Random) -> None:
    """Two customers to a batch, and somebody stops it after the first."""
    do = running._Run._do

    def one(run: Any, known: Job, *rest: Any) -> Job:
        done = do(run, known, *rest)
        return jobs.stop(world.shop, known.id, actor=ADMIN) if done.state == "running" else done

    start_or_resume(world, dice)
    with patch.object(running._Run, "_do", one):
        running.run_pending(world.shop, size=2)


def undo(world: World, dice: random.Random) -> None:
    """A job's work; also of one that was stopped."""
    if not pick(world, "done"):
        start_or_resume(world, dice)
        work(world, dice)
    jobs.undo(world.shop, dice.choice(pick(world, "done", "stopped") or ["none"]), actor=STAFF)


# Two people


def waiting(world: World, dice: random.Random) -> Request:
    """A request that waits; where there is none somebody asks for one first."""
    if not approvals.count_waiting(world.shop):
        if dice.random() < 0.3:
            ask_to_erase(world, dice)
        else:
            delete_many(world.strict, some(dice), actor=ASKER, reason="fraud", note="Quill asked by phone")
    found = approvals.list_requests(world.shop, state="waiting")
    if not found:
        raise Conflict("Nobody is left to ask for.")
    return dice.choice(found)


def approve(world: World, dice: random.Random) -> None:
    approvals.approve(world.shop, waiting(world, dice).id, actor=BOSS, note="Quill may go")


def approve_ones_own(world: World, dice: random.Random) -> None:
    """Who asks may not decide, whatever the role."""
    request = waiting(world, dice)
    with pytest.raises(NotPermitted):
        approvals.approve(world.shop, request.id, actor=replace(BOSS, id=request.actor))


def reject(world: World, dice: random.Random) -> None:
    approvals.reject(world.shop, waiting(world, dice).id, actor=BOSS, note="Quill still buys")


def withdraw(world: World, dice: random.Random) -> None:
    request = waiting(world, dice)
    asker = next(who for who in (STAFF, ADMIN, ASKER) if who.id == request.actor)
    approvals.withdraw(world.shop, request.id, actor=asker)


def wait_a_while(world: World, dice: random.Random) -> None:
    waiting(world, dice)
    world.later += timedelta(days=dice.choice([1, 8]))
    world.did["a request that expired"] += approvals.expire_due(world.shop)


def change_the_settings(world: World, _dice: random.Random) -> None:
    world.deletions_wait = not world.deletions_wait


def ask_to_erase(world: World, dice: random.Random) -> None:
    deleted = [row[0] for row in rows(world.free, "customers") if row[5] is not None]
    if not deleted:
        raise Conflict("Nobody is deleted.")
    job = asking.prepare_one(world.shop, dice.choice(deleted), actor=ADMIN, note="by phone")
    asking.ask(world.shop, job.id, actor=ADMIN)


def erase(world: World, dice: random.Random) -> None:
    ask_to_erase(world, dice)
    for request in approvals.list_requests(world.shop, state="waiting"):
        if request.kind == "erase":
            approvals.approve(world.shop, request.id, actor=BOSS)
    jobs.run_pending(world.shop)


DOINGS: list[Doing] = [
    *(delete_some, delete_some, restore_some, restore_one_by_one, add_one, edit_one, sell, seal_one, unseal_one),
    *(prepare, start_or_resume, start_or_resume, work, work, work_and_stop, undo, undo),
    *(approve, approve, approve_ones_own, reject, withdraw, wait_a_while, change_the_settings, ask_to_erase, erase),
]
# All of them in any order, or so many of them, so that a failure can be told in few steps.
STEPS = st.builds(lambda order, number: order[:number], st.permutations(DOINGS), st.integers(15, len(DOINGS)))


@contextmanager
def clock(world: World) -> Iterator[None]:
    """The time goes on as the steps say: everywhere, and never back."""
    real = databases.now

    def now() -> datetime:
        return real() + world.later

    asking_it = [m for name, m in sys.modules.items() if name.startswith("data.") and getattr(m, "now", None) is real]
    with pytest.MonkeyPatch.context() as patches:
        for module in asking_it:
            patches.setattr(module, "now", now)
        yield


def assert_all_is_well(world: World, customers: dict[CustomerId, Any]) -> dict[CustomerId, Any]:
    """What must hold after each step, from the plain rows. `customers`: who was deleted when before it; answers who is now."""
    shop, found = world.free, parts(world.free)
    now = {row[0]: row[5] for row in rows(shop, "customers")}
    assert {month: figures.total for (month, _), figures in found["total"].items()} == by_hand(world.sales)
    kinds: dict[str, Callable[[Any], bool]] = {
        "active": lambda who: who in now and now[who] is None,
        "deleted": lambda who: who in now and now[who] is not None,
        "no_customer": lambda who: who is None,
        "missing_customer": lambda who: who is not None and who not in now,
    }
    for part, is_of in kinds.items():
        mine = {m: figures.total for (m, _), figures in found[cast(Any, part)].items()}
        theirs = by_hand(world.sales, lambda sale, of=is_of: of(sale[1]))
        assert {m: total for m, total in mine.items() if total} == {m: total for m, total in theirs.items() if total}
    assert problems(shop) == []
    assert alarms(shop) == []
    every = [{"id": row[0], **json.loads(row[8])} for row in rows(shop, "evenbooks_events")]
    assert not [word for row in rows(shop, "evenbooks_events") for word in WORDS if word in row[8]]
    assert_changes_are_told(customers, now, [event for event in every if event["id"] > world.seen])
    approved = {event["request"]: event["actor"] for event in every if event["action"] == "approve"}
    asked = {event["id"]: event["actor"] for event in every if event["action"] == "request"}
    for event in every:
        if event["action"] == "erase" or (event.get("request") and event["action"] == "delete"):
            assert approved[event["request"]] == BOSS.id != asked[event["request"]]
        if event["action"] == "delete" and event["id"] > world.seen and world.deletions_wait:
            assert event.get("request") in approved or event.get("batch_id") in world.begun
    erased = {event["customer_id"] for event in every if event["action"] == "erase"}
    for row in rows(shop, "customers"):
        if str(row[0]) in set(map(str, erased)):
            assert row[5] is not None, "somebody who was erased is active"
            assert not [word for word in WORDS if word in str(row)]
    world.seen = every[-1]["id"]
    if not world.deletions_wait:
        world.begun |= {job.id for job in jobs.latest(shop, limit=1000) if job.state != "draft"}
    return now


def assert_changes_are_told(
    before: dict[CustomerId, Any], now: dict[CustomerId, Any], new: list[dict[str, Any]]
) -> None:
    """Whoever is deleted or active otherwise than before has an event that says so, the last of their own."""
    last = {str(e["customer_id"]): e["action"] for e in new if e["action"] in ("delete", "restore")}
    for key, deleted_at in now.items():
        if key in before and (before[key] is None) != (deleted_at is None):
            assert last.get(str(key)) == ("restore" if deleted_at is None else "delete")
        elif str(key) in last:
            assert last[str(key)] == ("restore" if deleted_at is None else "delete")
    assert before.keys() <= now.keys(), "a customer is gone"


def make_crowded(url: str) -> Database:
    """The shop with a dozen customers more, an order each."""
    shop = make_shop(url)
    fill(shop.engine, "customers", [{"id": n, "name": f"Quill {n}", "email": f"quill{n}@example.com"} for n in CROWD])
    fill(shop.engine, "orders", [dict(zip(COLUMNS, sale, strict=True)) for sale in MORE_SALES])
    delete_many(shop, [4, 101], actor=ADMIN, reason="inactive")
    return shop


def begin(url: str) -> World:
    """A shop of its own, and a file of erasures of its own."""
    shop = copied(url, lambda: make_crowded(url), "crowded")
    settings = shop.settings.model_copy(update={"retention": Retention(erasures=f"{uuid4().hex}.jsonl")})
    shop = replace(shop, settings=settings, schema=replace(shop.schema, settings=settings))
    return World(shop, with_approval(shop), [*SALES, *MORE_SALES])


def live(world: World, steps: list[Doing], dice: random.Random) -> None:
    with clock(world), patch.object(running, "REST", 0):
        customers = assert_all_is_well(world, {})
        for doing in steps:
            note(doing.__name__)
            try:
                doing(world, dice)
                world.did[doing.__name__] += 1
            except EXPECTED as error:
                world.did[f"{doing.__name__}: {type(error).__name__}"] += 1
            customers = assert_all_is_well(world, customers)


SETTINGS = settings(deadline=None, suppress_health_check=list(HealthCheck), derandomize=True, phases=[Phase.generate])


@pytest.mark.parametrize(
    ("engine_name", "examples"), [("sqlite", 10), ("mariadb", 4), ("postgresql", 4)], indirect=["engine_name"]
)
def test_whatever_is_done_the_books_are_even_and_rights_hold(
    make_url: Callable[[], str], engine_name: str, examples: int
) -> None:
    did: Counter[str] = Counter()

    @given(steps=STEPS, seed=st.integers(0, 10**6), deletions_wait=st.booleans())
    @settings(SETTINGS, max_examples=examples)
    def check(steps: list[Doing], seed: int, deletions_wait: bool) -> None:
        world = begin(make_url())
        world.deletions_wait = deletions_wait
        try:
            live(world, steps, random.Random(seed))
        finally:
            did.update(world.did)
            world.free.engine.dispose()

    check()
    if engine_name == "sqlite":  # elsewhere a step may have been in vain each time
        assert [doing.__name__ for doing in DOINGS if not did[doing.__name__]] == [], did
        assert did["a request that expired"], did
