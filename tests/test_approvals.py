"""A deletion that waits for a second person: who may decide, what is looked at again, and that silence deletes nobody."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from threading import Barrier
from typing import Any

import pytest
from approving import ASKER, BOSS, ON, ask, days_later, person, with_approval
from shops import ADMIN, MANAGER, execute, problems, rows, settings_for, state, whole_row
from test_it_must_catch import Rows, altered, forge, without

from data import approvals, changes, integrity, jobs, queries, tokens
from data.access import Actor, Door, Role, Standing
from data.customers import delete_many, edit, restore_many, soft_delete
from data.database import Database, attach, in_transaction, snapshot
from data.demo import Size
from data.demo.build import make_file
from data.errors import Conflict, InvalidInput, NotPermitted, RequestNotFound
from data.events import Reason
from data.probe import probe
from data.records import Event
from data.settings import Approval

ON_SQLITE = pytest.mark.parametrize("engine_name", ["sqlite"], indirect=True)


@pytest.fixture
def strict(shop: Database) -> Database:
    return with_approval(shop)


def events_of(shop: Database, customer_id: int | None = None) -> list[Event]:
    with snapshot(shop) as moment:
        return queries.list_events(moment.connection, shop.schema, customer_id=customer_id)


def actions(shop: Database, customer_id: int | None = None) -> list[str]:
    return [event.action for event in events_of(shop, customer_id)]


def is_active(shop: Database, customer_id: int) -> bool:
    return whole_row(shop, customer_id)["deleted_at"] is None


def test_a_deletion_becomes_a_request_and_an_approved_request_a_deletion(strict: Database) -> None:
    customers = rows(strict, "customers")
    (outcome,) = delete_many(strict, [1], actor=ASKER, reason="fraud", note="Called twice")
    assert (outcome.changed, outcome.event_id, outcome.orders, str(outcome.revenue["EUR"])) == (False, None, 3, "80.25")
    number = outcome.request_id
    assert number is not None
    assert rows(strict, "customers") == customers
    asked = events_of(strict, 1)[0]
    assert (asked.id, asked.action, asked.actor, asked.reason, asked.note) == (
        *(number, "request", "ann@example.com"),
        *("fraud", "Called twice"),
    )
    assert approvals.count_waiting(strict) == 1

    # Asked again, by whomever, it is the same request, and nothing is written.
    before = state(strict)
    assert ask(strict, 1) == number == ask(strict, 1, actor=ADMIN, reason="mistake")
    assert state(strict) == before

    done = approvals.approve(strict, number, actor=BOSS, note="Agreed")
    assert (done.state, done.decided_by) == ("approved", "max@example.com")
    assert approvals.get(strict, number) == done
    deleted, approved = events_of(strict, 1)[:2]
    assert (deleted.action, deleted.actor, deleted.door, deleted.reason, deleted.note) == (
        *("delete", "ann@example.com", "dashboard"),
        *("fraud", "Called twice"),
    )
    assert (approved.id, approved.action, approved.actor, approved.note) == (
        done.decision_id,
        *("approve", "max@example.com", "Agreed"),
    )
    assert not is_active(strict, 1)
    assert approvals.count_waiting(strict) == 0
    assert problems(strict) == []
    assert integrity.run_and_record(strict).even
    # Already deleted is answered as ever.
    assert delete_many(strict, [1], actor=ASKER, reason="fraud")[0].event_id == deleted.id


def test_every_door_asks_and_the_probe_still_sees(strict: Database) -> None:
    """Many at once, a script's own connection and the shared turns; what was asked for in one transaction is in one chain."""
    outcomes = delete_many(strict, [2, 3, 4], actor=ADMIN, reason="mistake")
    assert [o.changed for o in outcomes] == [False, False, False]
    assert [o.request_id is None for o in outcomes] == [False, False, True]  # 4 was deleted before
    with strict.engine.connect() as connection:
        wishes = [
            changes.Wish("delete", 1, ASKER, Reason("fraud")),
            changes.Wish("restore", 4, ASKER, Reason("restored")),
        ]
        with connection.begin():
            mixed = changes.change_each(connection, strict.schema, wishes)
    assert [(o.changed, o.request_id is not None) for o in mixed if not isinstance(o, Exception)] == [
        (False, True),
        (True, False),
    ]
    assert [is_active(strict, n) for n in (1, 2, 3, 4)] == [True] * 4
    assert probe(strict, actor=MANAGER, customer_id=5).even
    assert problems(strict) == []


@ON_SQLITE
def test_a_script_with_a_connection_of_its_own_asks_too(strict: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("data.customers.in_transaction_of", lambda c, work: work(c, strict))
    with strict.engine.connect().execution_options(write=True) as connection, connection.begin():
        outcome = soft_delete(1, connection=connection)
    assert outcome.request_id == approvals.list_requests(strict)[0].id
    assert is_active(strict, 1)


TOKEN = Actor("token:sync", Role.STAFF, Door.API, Standing(token_id="0" * 12, owner=" Max@Example.com "))
UNVERIFIED = person("max", Role.STAFF, sub="other")
REFUSED: dict[str, tuple[Actor, Actor, str]] = {
    "staff": (ASKER, person("bo", Role.STAFF), "The role staff may not"),
    "an auditor": (ASKER, person("bo", Role.AUDITOR), "The role auditor may not"),
    "nobody signed in": (ASKER, ADMIN, "Only a person who has signed in"),
    "a token": (ASKER, Actor("token:x", Role.ADMIN, Door.API, Standing(token_id="1" * 12)), "Only a person who has"),
    "oneself": (person("max", Role.ADMIN), person("MAX", Role.ADMIN), "You asked for this yourself"),
    "the token's owner": (TOKEN, BOSS, "Your token asked for this"),
    "the owner written otherwise": (
        Actor("token:x", Role.STAFF, Door.API, Standing(token_id="2" * 12, owner="Max Lee <\uff4dax@Example.com>")),
        BOSS,
        "Your token asked for this",
    ),
    # Signed in at another provider, where the address was not verified: another id, and a name in common.
    "another account of one's own": (
        Actor("other (id.example.com)", Role.STAFF, Door.DASHBOARD, UNVERIFIED.standing),
        BOSS,
        "Whoever asked for this has one of your names",
    ),
}


@ON_SQLITE
@pytest.mark.parametrize(("asker", "decider", "words"), REFUSED.values(), ids=REFUSED.keys())
def test_only_another_person_who_signed_in_and_may_decides(
    strict: Database, asker: Actor, decider: Actor, words: str
) -> None:
    number = ask(strict, 1, actor=asker)
    before = {**state(strict), "approvals": rows(strict, "evenbooks_approvals")}
    for decide in (approvals.approve, approvals.reject):
        with pytest.raises(NotPermitted, match=f"^{words}"):
            decide(strict, number, actor=decider, note="x")
    assert {**state(strict), "approvals": rows(strict, "evenbooks_approvals")} == before
    # What is kept of the requester's names names nobody.
    assert "example.com" not in str(rows(strict, "evenbooks_approvals")[0][-1])


@ON_SQLITE
def test_it_is_rejected_with_a_note_or_withdrawn_by_whoever_asked(strict: Database) -> None:
    first, second, third = ask(strict, 1), ask(strict, 2), ask(strict, 3, actor=TOKEN)
    for note in ("", "  ", "x" * 2001):
        with pytest.raises(InvalidInput):
            approvals.reject(strict, first, actor=BOSS, note=note)
    assert approvals.reject(strict, first, actor=BOSS, note="Still a customer").state == "rejected"
    assert (events_of(strict, 1)[0].action, events_of(strict, 1)[0].note) == ("reject", "Still a customer")
    for somebody in (BOSS, ADMIN):
        with pytest.raises(NotPermitted, match="Only who asked"):
            approvals.withdraw(strict, second, actor=somebody)
    assert approvals.withdraw(strict, second, actor=ASKER).decided_by == "ann@example.com"
    assert approvals.withdraw(strict, third, actor=BOSS).state == "withdrawn"  # whose token it was
    for number, state_now in ((first, "rejected"), (second, "withdrawn")):
        with pytest.raises(Conflict, match=f"was {state_now} already"):
            approvals.approve(strict, number, actor=BOSS)
    for unknown in (0, 999, -1, 2**70):
        with pytest.raises(RequestNotFound):
            approvals.approve(strict, unknown, actor=BOSS)
        with pytest.raises(RequestNotFound):
            approvals.get(strict, unknown)
    assert all(is_active(strict, n) for n in (1, 2, 3))
    assert problems(strict) == []
    # An ended request is no obstacle to another one.
    assert ask(strict, 1) > third


def test_silence_ends_a_request_and_deletes_nobody(strict: Database) -> None:
    first, second = ask(strict, 1), ask(strict, 2)
    assert approvals.expire_due(strict) == 0
    with days_later(6.9):
        assert approvals.expire_due(strict) == 0
    with days_later(7):
        with pytest.raises(Conflict, match="had expired"):
            approvals.approve(strict, first, actor=BOSS)
        assert approvals.get(strict, first).state == "expired"
        assert approvals.expire_due(strict) == 1
        assert approvals.expire_due(strict) == 0
    for number in (first, second):
        request = approvals.get(strict, number)
        assert (request.state, request.decided_by) == ("expired", "evenbooks")
    assert [(e.action, e.actor, e.door) for e in events_of(strict)[:2]] == [("expire", "evenbooks", "command")] * 2
    assert is_active(strict, 1)
    assert is_active(strict, 2)
    assert problems(strict) == []
    assert ask(strict, 1) > second


def deleted_by_another_program(shop: Database) -> None:
    execute(shop.engine, "UPDATE customers SET deleted_at = '2024-05-01 00:00:00' WHERE id = 1")


def gone(shop: Database) -> None:
    execute(shop.engine, "DELETE FROM customers WHERE id = 1")


@pytest.mark.parametrize(
    ("meanwhile", "words"), [(deleted_by_another_program, "was deleted meanwhile"), (gone, "is not there any more")]
)
def test_what_cannot_be_done_any_more_ends_with_a_sentence(
    strict: Database, meanwhile: Callable[[Database], None], words: str
) -> None:
    number = ask(strict, 1)
    meanwhile(strict)
    people = rows(strict, "customers")
    with pytest.raises(Conflict, match=words):
        approvals.approve(strict, number, actor=BOSS)
    assert (approvals.get(strict, number).state, rows(strict, "customers")) == ("rejected", people)
    ended = events_of(strict, 1)[0]
    assert (ended.action, ended.actor) == ("reject", "max@example.com")
    assert words in str(ended.note)
    assert problems(strict) == []


@ON_SQLITE
def test_an_edit_meanwhile_does_not_stand_in_the_way(strict: Database) -> None:
    number = ask(strict, 1)
    edit(strict, 1, {"name": "Ana Lina"}, shown={"name": "Ana Lima"}, actor=ASKER)
    assert approvals.approve(strict, number, actor=BOSS).state == "approved"
    # Restored, and asked for again: the old approval is used up.
    restore_many(strict, [1], actor=ASKER, reason="undo")
    again = ask(strict, 1)
    assert again > number
    assert is_active(strict, 1)


def test_of_eight_who_decide_at_once_exactly_one_does(strict: Database) -> None:
    number, together = ask(strict, 1), Barrier(8)

    def decide(which: int) -> str:
        boss = person(f"boss{which}")
        together.wait()
        try:
            if which % 2:
                return approvals.reject(strict, number, actor=boss, note="No").state
            return approvals.approve(strict, number, actor=boss).state
        except Conflict as error:
            return "late" if "already, by boss" in str(error) else str(error)

    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(decide, range(8)))
    assert answers.count("late") == 7
    (decided,) = set(answers) - {"late"}
    assert decided == approvals.get(strict, number).state
    assert is_active(strict, 1) is (decided == "rejected")
    assert len(actions(strict, 1)) == (3 if decided == "approved" else 2)
    assert problems(strict) == []


@ON_SQLITE
def test_nothing_half_done_where_the_books_would_move(strict: Database) -> None:
    number = ask(strict, 1)
    execute(
        strict.engine,
        "CREATE TRIGGER t AFTER UPDATE ON customers BEGIN UPDATE orders SET total = 0 WHERE customer_id = 1; END",
    )
    before = {**state(strict), "approvals": rows(strict, "evenbooks_approvals")}
    with pytest.raises(Exception, match="would have moved the reports"):
        approvals.approve(strict, number, actor=BOSS)
    assert {**state(strict), "approvals": rows(strict, "evenbooks_approvals")} == before


@ON_SQLITE
def test_a_job_runs_once_it_is_approved_and_ends_where_it_is_not(strict: Database) -> None:
    def wait_for(job: str) -> int:
        columns = "id, kind, state, actor, role, door, reason, made_at, total, done, changed, preview"
        values = (
            f"'{job}', 'erase', 'waiting', 'a', 'manager', 'dashboard', 'erasure', '2026-01-01', 1, 0, 0, '{{{{}}}}'"
        )
        execute(strict.engine, f"INSERT INTO evenbooks_jobs ({columns}) VALUES ({values})")

        def work(connection: Any) -> int:
            head = changes.events.take_turns(connection, strict.schema)
            known: Any = {"head": head, "at": changes.now(), "kind": "erase", "actor": ASKER}
            why = Reason("erasure")
            return approvals.request(connection, strict.schema, **known, reason=why, job_id=job).id

        return in_transaction(strict, work)

    def job_state(job: str) -> tuple[str, bool]:
        row = next(row for row in rows(strict, "evenbooks_jobs") if row[0] == job)
        return row[2], row[10] is not None

    for job, decide, expected in [
        ("a" * 32, lambda n: approvals.approve(strict, n, actor=BOSS), ("running", False)),
        ("b" * 32, lambda n: approvals.reject(strict, n, actor=BOSS, note="No"), ("refused", True)),
        ("c" * 32, lambda n: approvals.withdraw(strict, n, actor=ASKER), ("refused", True)),
    ]:
        decide(wait_for(job))
        assert job_state(job) == expected
    last = wait_for("d" * 32)
    with days_later(8):
        assert approvals.expire_due(strict) == 1
    assert job_state("d" * 32) == ("refused", True)
    with pytest.raises(Conflict):
        approvals.approve(strict, last, actor=BOSS)
    number = wait_for("e" * 32)
    execute(strict.engine, f"UPDATE evenbooks_jobs SET state = 'stopped' WHERE id = '{'e' * 32}'")
    with pytest.raises(Conflict, match="does not wait any more"):
        approvals.approve(strict, number, actor=BOSS)
    assert approvals.get(strict, number).state == "rejected"
    assert problems(strict) == []


@ON_SQLITE
def test_without_the_setting_only_erasures_wait(shop: Database) -> None:
    assert not approvals.needed(shop.settings, "delete")
    assert approvals.needed(shop.settings, "erase")
    assert delete_many(shop, [1], actor=ASKER, reason="fraud")[0].changed
    strict = with_approval(shop)
    assert approvals.needed(strict.settings, "delete")
    assert not approvals.needed(strict.settings, "restore")
    assert restore_many(strict, [1], actor=ASKER, reason="undo")[0].changed


def red(shop: Database) -> list[str]:
    """What the check of requests finds."""
    report = integrity.run_and_record(shop)
    return next(check for check in report.checks if check.name == "approvals").examples


FORGED: dict[str, tuple[Callable[[Rows], Rows], str]] = {
    "approved by who asked": (altered(4, actor="Ann@example.com"), "event 4: request 3 was approved by who asked"),
    "approved too late": (
        altered(4, at="2099-01-01T00:00:00Z"),
        "event 4: request 3 was approved after it had expired",
    ),
    "never approved": (without(4), "event 4 (delete of customer 1): its request was not approved"),
    "never asked for": (altered(3, action="seen"), "event 4: request 3 was approved, but did not wait"),
    "for somebody else": (
        altered(3, customer_id=2),
        "event 5 (delete of customer 1): its request was approved for another",
    ),
}


@ON_SQLITE
@pytest.mark.parametrize(("change", "words"), FORGED.values(), ids=FORGED.keys())
def test_the_check_sees_what_was_done_without_approval(
    strict: Database, change: Callable[[Rows], Rows], words: str
) -> None:
    number = ask(strict, 1)
    assert approvals.approve(strict, number, actor=BOSS).decision_id == 4
    other = ask(strict, 2)
    approvals.reject(strict, other, actor=BOSS, note="No")
    assert red(strict) == []
    forge(strict, change)
    assert red(strict)[0].startswith(words)


@ON_SQLITE
def test_a_job_that_was_let_run_behind_the_program_s_back_is_seen(strict: Database) -> None:
    job = jobs.prepare(strict, "delete", actor=ADMIN, reason="inactive", ids=[1, 2])
    assert jobs.start(strict, job.id, actor=ADMIN).state == "waiting"
    jobs.run_pending(strict)
    assert is_active(strict, 1)
    let_run = f"UPDATE evenbooks_jobs SET state = 'running' WHERE id = '{job.id}'"
    execute(strict.engine, let_run)
    jobs.run_pending(strict)
    assert is_active(strict, 1)
    assert "needs somebody's approval" in str(jobs.get(strict, job.id).error)
    execute(strict.engine, let_run, "UPDATE evenbooks_approvals SET state = 'approved'")
    jobs.run_pending(strict)
    assert not is_active(strict, 1)
    assert len(red(strict)) == 2


def cases(shop: Database, *requests: int) -> list[approvals.Case]:
    with snapshot(shop) as moment:
        found = [approvals.get(shop, number) for number in requests]
        return approvals.list_cases(moment.connection, shop.schema, found, anew=True)


def test_what_became_of_a_job_s_customers_is_shown_and_who_was_restored_is_left(strict: Database) -> None:
    job = jobs.prepare(strict, "delete", actor=ADMIN, reason="requested", ids=[1, 2, 5])
    number = jobs.start(strict, job.id, actor=ADMIN).request_id or 0
    single = ask(strict, 3)
    before, _ = cases(strict, number, single)
    assert (before.changed, before.moved, before.orders) == (0, False, 5)
    delete_many(replace(strict, schema=without_approval(strict)), [1, 3], actor=ADMIN, reason="mistake")
    restore_many(strict, [1, 3], actor=ADMIN, reason="mistake")
    edit(strict, 2, {"name": "Bo Ekman"}, shown={"name": "Bo Ek"}, actor=ADMIN)
    execute(
        strict.engine, "INSERT INTO orders (customer_id, ordered_at, total, status) VALUES (1, '2024-05-01', 9, 'x')"
    )
    now, alone = cases(strict, number, single)
    assert (now.changed, now.moved, now.orders, alone.changed, alone.moved) == (2, True, 6, 1, False)
    assert (now.revenue, now.asked.revenue) == ({"EUR": Decimal("140.26")}, {"EUR": Decimal("131.26")})
    approvals.approve(strict, number, actor=BOSS)
    jobs.run_pending(strict)
    found = {item.customer_id: (item.result, item.words) for item in jobs.items(strict, job.id)}
    assert found == {
        1: ("conflict", "Deleted or restored by somebody since this was asked for."),
        2: ("done", None),
        5: ("done", None),
    }
    assert is_active(strict, 1)
    assert problems(strict) == []


def without_approval(shop: Database) -> Any:
    settings = shop.settings.model_copy(update={"approval": Approval()})
    return replace(shop.schema, settings=settings)


@ON_SQLITE
def test_a_token_that_ended_meanwhile_takes_its_request_with_it(strict: Database) -> None:
    def made(owner: str) -> Actor:
        return tokens.check(strict, tokens.add(strict, "sync", role=Role.STAFF, owner=owner, actor=ADMIN))

    first, second = ask(strict, 1, actor=made("ann@example.com")), 0
    tokens.revoke(strict, "sync", actor=ADMIN)
    execute(strict.engine, "UPDATE evenbooks_approvals SET requested_at = '2024-01-01 00:00:00'")
    second = ask(strict, 2, actor=made("ann@example.com"))
    with pytest.raises(Conflict, match="token:sync, which asked for this, is no longer in force"):
        approvals.approve(strict, first, actor=BOSS)
    assert approvals.get(strict, first).state == "rejected"
    assert is_active(strict, 1)
    assert approvals.approve(strict, second, actor=BOSS).state == "approved"


@ON_SQLITE
def test_a_token_has_an_owner_where_deletions_wait(strict: Database, shop: Database) -> None:
    with pytest.raises(InvalidInput, match="--owner"):
        tokens.add(strict, "sync", role=Role.STAFF, actor=ADMIN)
    assert tokens.add(shop, "sync", role=Role.STAFF, actor=ADMIN)


@ON_SQLITE
def test_a_display_name_withdraws_nothing(strict: Database) -> None:
    token = Actor("token:sync", Role.STAFF, Door.API, Standing(token_id="0" * 12, owner="Max <MAX@example.com>"))
    number = ask(strict, 1, actor=token)
    pretender = person("eve", Role.STAFF, preferred_username="max@example.com")
    with pytest.raises(NotPermitted, match="Only who asked"):
        approvals.withdraw(strict, number, actor=pretender)
    assert approvals.withdraw(strict, number, actor=BOSS).state == "withdrawn"


@ON_SQLITE
def test_an_approved_job_is_carried_out_and_proved(strict: Database) -> None:
    job = jobs.prepare(strict, "delete", actor=ADMIN, reason="inactive", ids=[1, 2])
    waiting = jobs.start(strict, job.id, actor=ADMIN)
    assert waiting.request_id is not None
    approvals.approve(strict, waiting.request_id, actor=BOSS)
    jobs.run_pending(strict)
    assert not is_active(strict, 1)
    assert jobs.get(strict, job.id).state == "done"
    assert red(strict) == []


def test_the_demo_company_has_its_past_where_deletions_wait(tmp_path: Path) -> None:
    settings = settings_for(f"sqlite:///{tmp_path}/demo.sqlite", ON)
    make_file(settings, Size(customers=60, orders=300))
    demo = attach(settings)
    with snapshot(demo) as moment:
        assert queries.count_customers(moment.connection, demo.schema, deleted=True) > 0
    assert approvals.list_requests(demo) == []
    demo.engine.dispose()
