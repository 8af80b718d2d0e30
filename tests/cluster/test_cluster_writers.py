"""Writers through all three nodes at once: each change once, on every node, and of many who wish the same one gets it."""

from __future__ import annotations

import random
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor

from approving import ASKER, ask, person, with_approval
from everywhere import CROWD, Shop, actor, at_once, last
from shops import ADMIN, STAFF

from data import approvals, downloads, jobs, seals, tokens
from data.access import Role
from data.customers import add, delete_many, edit, restore_many
from data.database import Database
from data.errors import Conflict, DownloadNotFound, EmailTaken, TokenRefused
from data.jobs import running

WRITERS = 6
ROUNDS = 12


def test_every_acknowledged_change_is_there_once_on_every_node(shop: Shop) -> None:
    known = len(shop.events())
    job = jobs.prepare(shop.made, "delete", actor=STAFF, reason="inactive", ids=range(140, 160))
    jobs.start(shop.made, job.id, actor=STAFF)
    told: list[tuple[int | None, str, object, str]] = []  # event, action, customer, who

    def work(number: int) -> None:
        database, who, chance = shop.through(number % 3 + 1), actor(number), random.Random()
        for turn in range(ROUNDS):
            one = chance.choice(CROWD[:10])
            change = chance.choice((delete_many, restore_many))
            outcome = change(database, [one], actor=who, reason="mistake")[0]
            if outcome.changed:
                told.append((outcome.event_id, "delete" if change is delete_many else "restore", one, who.id))
            if turn % 4 == 0:
                added = add(database, {"name": f"New {number} {turn}"}, actor=who)
                told.append((None, "add", added.id, who.id))
                edit(database, added.id, {"phone": f"{turn}"}, shown={"phone": ""}, actor=who)
                told.append((None, "edit", added.id, who.id))

    def bulk(_number: int) -> None:
        running.run_pending(shop.through(2), size=7)

    def close(_number: int) -> None:
        seals.seal(shop.through(3), "2024-01", actor=ADMIN)

    at_once(WRITERS + 2, lambda number: (bulk, close, work)[min(number, 2)](number))
    assert jobs.get(shop.made, job.id).state == "done"
    events = shop.assert_same()[known:]
    singles = [event for event in events if event.actor.startswith("test:") and event.actor not in (STAFF.id, ADMIN.id)]
    found = Counter((event.action, event.customer_id, event.actor) for event in singles)
    assert found == Counter((action, customer, who) for _, action, customer, who in told)
    by_id = {event.id: (event.action, event.customer_id, event.actor) for event in events}
    assert all(by_id[event] == (action, customer, who) for event, action, customer, who in told if event)
    assert Counter(event.customer_id for event in events if event.batch_id == job.id) == Counter(range(140, 160))
    assert [event.action for event in events].count("seal") == 1


def test_of_many_on_three_nodes_one_deletes_the_customer_and_one_gets_the_address(shop: Shop) -> None:
    shops = [shop.through(number % 3 + 1) for number in range(8)]
    for customer in CROWD[:4]:
        outcomes = at_once(8, lambda n, c=customer: delete_many(shops[n], [c], actor=actor(n), reason="requested")[0])
        assert [outcome.changed for outcome in outcomes].count(True) == 1
        assert len({outcome.customer.deleted_at for outcome in outcomes}) == 1

    def take(number: int) -> bool:
        try:
            add(shops[number], {"name": f"N{number}", "email": "same@example.com"}, actor=actor(number))
        except EmailTaken:
            return False
        return True

    assert at_once(8, take).count(True) == 1
    shop.assert_same()


def test_a_job_that_workers_on_two_nodes_see_is_done_by_one(shop: Shop) -> None:
    shops = [shop.through(number % 3 + 1) for number in range(4)]
    for ids in (CROWD[:20], CROWD[20:40]):
        job = jobs.prepare(shop.made, "delete", actor=STAFF, reason="inactive", ids=ids)
        jobs.start(shop.made, job.id, actor=STAFF)
        taken = at_once(4, lambda n: running.run_pending(shops[n], size=6))
        assert sum(taken) == 1
        assert (jobs.get(shop.made, job.id).state, jobs.counts(shop.made, job.id)) == ("done", {"done": 20})
    events = shop.assert_same()
    assert max(Counter(event.customer_id for event in events if event.action == "delete").values()) == 1


def test_a_link_is_used_once_and_a_request_decided_once(shop: Shop) -> None:
    shops = [shop.through(number % 3 + 1) for number in range(3)]

    def fetch(database: Database, secret: str) -> bool:
        try:
            downloads.fetch(database, secret, actor=STAFF)
        except DownloadNotFound:
            return False
        return True

    for report in ("history", "deleted_customers", "history"):
        secret = downloads.offer(shop.made, report, "csv", {}, actor=STAFF)
        assert at_once(3, lambda n, s=secret: fetch(shops[n], s)).count(True) == 1

    strict = [with_approval(one) for one in shops]
    bosses = [person(name) for name in ("max", "eva", "tom")]

    def decide(number: int, request: int) -> str | None:
        try:
            if number == 1:
                return approvals.reject(strict[number], request, actor=bosses[number], note="No").state
            return approvals.approve(strict[number], request, actor=bosses[number]).state
        except Conflict:
            return None

    for customer in CROWD[:3]:
        request = ask(strict[0], customer, actor=ASKER)
        (decided,) = filter(None, at_once(3, lambda n, r=request: decide(n, r)))
        assert {approvals.get(one, request).state for one in strict} == {decided}
    shop.assert_same()


def test_a_token_that_is_revoked_on_one_node_is_refused_by_the_next_question_on_another(shop: Shop) -> None:
    one, other = shop.through(1), shop.through(2)
    for number in range(5):
        bearer = tokens.add(one, f"robot{number}", role=Role.STAFF, actor=ADMIN)
        assert tokens.check(other, bearer).id == f"token:robot{number}"
        tokens.revoke(other, f"robot{number}", actor=ADMIN)
        try:
            tokens.check(one, bearer)
        except TokenRefused:
            continue
        raise AssertionError("it was still good")
    tokens.wait_for_notes()


def test_what_was_written_through_one_node_is_read_at_once_through_another(shop: Shop) -> None:
    """The other node is held back, so that it has not applied the change when it is asked."""
    writer, reader = shop.through(1), shop.on(2)
    for customer in CROWD[:3]:
        with ThreadPoolExecutor(1) as pool:
            with shop.nodes.node(2).held_back():
                outcome = delete_many(writer, [customer], actor=ADMIN, reason="requested")[0]
                answer = pool.submit(last, reader)
                time.sleep(0.3)  # for whoever would not wait
            assert answer.result(60) == outcome.event_id
