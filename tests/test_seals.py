"""Sealing and unsealing a month: who may, when, and what is kept."""

from __future__ import annotations

import hashlib
import json
import threading
from decimal import Decimal
from typing import Any

import pytest
from shops import ADMIN, ORDERS, PHONE, SALES, STAFF, by_hand, execute, problems, rows, state

from data import integrity, seals
from data.access import Actor, Door, Role
from data.customers import delete_many, restore_many
from data.database import Database, now, snapshot
from data.errors import BooksNotEven, CheckStopped, Conflict, InvalidInput, NotPermitted
from data.records import Seal

MANAGER = Actor("test:manager", Role.MANAGER, Door.DASHBOARD)
AUDITOR = Actor("test:auditor", Role.AUDITOR, Door.API)
# What the seal of February is over, by the words of data/queries/blocks.py.
FEBRUARY = [
    "2|1|2024-02-01 00:00:00.000000|0.200000|1|\n",
    "3|1|2024-02-29 12:00:00.000000|-20.050000|1|\n",
    "4|2|2024-02-10 08:00:00.000000|50.000000|1|\n",
    "9|77|2024-02-20 00:00:00.000000|5.550000|1|\n",
]
AMOUNTS = ["0.20", "-20.05", "50.00", "5.55"]


def whole(shop: Database) -> dict[str, Any]:
    """Everything that a refused seal must leave as it was."""
    return {**state(shop), "evenbooks_seals": rows(shop, "evenbooks_seals")}


def in_force(shop: Database) -> list[Seal]:
    with snapshot(shop) as moment:
        return seals.list_seals(moment.connection, shop.schema)


def sha(words: str) -> str:
    return hashlib.sha256(words.encode()).hexdigest()


def last_body(shop: Database) -> dict[str, Any]:
    body: dict[str, Any] = json.loads(rows(shop, "evenbooks_events")[-1][8])
    return body


def test_a_seal_keeps_count_sum_and_a_checksum_that_anybody_can_recompute(shop: Database) -> None:
    (made,) = seals.seal(shop, "2024-02", actor=MANAGER)
    lines = "".join(
        f"{line.split('|')[0]}|1|1|{amount}|{sha(line)}\n" for line, amount in zip(FEBRUARY, AMOUNTS, strict=True)
    )
    assert made == Seal(
        month="2024-02",
        currency="EUR",
        orders=4,
        all_orders=4,
        total=by_hand(SALES)["2024-02"],
        checksum=sha(lines),
        mapping=shop.settings.fingerprint,
        event_id=3,
        sealed_at=made.sealed_at,
        actor="test:manager",
    )
    assert in_force(shop) == [made]
    assert problems(shop) == []


def test_the_event_says_what_was_sealed(shop: Database) -> None:
    (made,) = seals.seal(shop, "2024-02", actor=MANAGER)
    body, row = last_body(shop), rows(shop, "evenbooks_seals")[0]
    assert (body["action"], body["month"], body["again"], body["mapping"]) == ("seal", "2024-02", False, made.mapping)
    assert body["snapshot_at"][-1] == "Z"
    assert body["seals"] == [
        {
            "currency": "EUR",
            "orders": 4,
            "all_orders": 4,
            "total": "35.70",
            "checksum": made.checksum,
            "grain": "order",
            "detail_hash": sha(row[10]),
        }
    ]
    assert json.loads(row[10])["blocks"][0] == ["2", 1, 1, "0.20", sha(FEBRUARY[0])[:16]]


def test_a_month_without_orders_can_be_sealed(shop: Database) -> None:
    (made,) = seals.seal(shop, "2024-03", actor=MANAGER)
    assert (made.currency, made.orders, made.all_orders, made.total) == ("EUR", 0, 0, Decimal(0))
    execute(shop.engine, "INSERT INTO orders VALUES (99, 1, '2024-03-05 00:00:00', 4, 'paid')")
    check = {c.name: c for c in integrity.run_and_record(shop).checks}["seals"]
    assert "2024-03: EUR 4.00 more, 1 order more: order 99 is new (4.00)" in check.examples[0]


def test_the_newest_month_is_listed_first(shop: Database) -> None:
    for month in ("2024-02", "2024-04", "2024-01"):
        seals.seal(shop, month, actor=MANAGER)
    assert [s.month for s in in_force(shop)] == ["2024-04", "2024-02", "2024-01"]


def test_sealing_twice_is_refused(shop: Database) -> None:
    seals.seal(shop, "2024-02", actor=MANAGER)
    before = whole(shop)
    with pytest.raises(Conflict, match="2024-02 is sealed already"):
        seals.seal(shop, "2024-02", actor=MANAGER, reason="again")
    assert whole(shop) == before


@pytest.mark.parametrize("month", ["9999-12", "2024-13", "2024-2", "", "0024-02", "2024-02-01", "2024_02", "%"])
def test_what_is_no_past_month_is_refused(shop: Database, month: str) -> None:
    before = whole(shop)
    with pytest.raises(InvalidInput) as refusal:
        seals.seal(shop, month, actor=MANAGER)
    assert refusal.value.field == "month"
    assert whole(shop) == before


def test_the_current_month_is_not_over(shop: Database) -> None:
    with pytest.raises(InvalidInput, match="is not over yet"):
        seals.seal(shop, f"{now():%Y-%m}", actor=MANAGER)


@pytest.mark.parametrize("actor", [STAFF, AUDITOR])
def test_only_managers_seal_and_unseal(shop: Database, actor: Actor) -> None:
    seals.seal(shop, "2024-01", actor=ADMIN)
    before = whole(shop)
    with pytest.raises(NotPermitted):
        seals.seal(shop, "2024-02", actor=actor)
    with pytest.raises(NotPermitted):
        seals.unseal(shop, "2024-01", actor=actor, reason="mistake")
    assert whole(shop) == before


def test_while_the_check_is_red_nothing_is_sealed(shop: Database) -> None:
    execute(shop.engine, "UPDATE customers SET deleted_at = '2024-01-01 00:00:00' WHERE id = 1")
    before = whole(shop)
    with pytest.raises(
        BooksNotEven, match=r"2024-02 was not sealed\. The books are not even: Customers deleted or restored behind"
    ):
        seals.seal(shop, "2024-02", actor=MANAGER)
    assert whole(shop) == before
    assert rows(shop, "evenbooks_checks")[-1][2] == 0, "the red run is kept"


def test_stopped_before_the_end_nothing_is_sealed(shop: Database) -> None:
    before = whole(shop)

    def stop(done: float, _words: str) -> None:
        if done > 0.5:
            raise CheckStopped

    with pytest.raises(CheckStopped):
        seals.seal(shop, "2024-02", actor=MANAGER, progress=stop)
    assert whole(shop) == before


def test_progress_goes_up_to_the_end(shop: Database) -> None:
    told: list[float] = []
    seals.seal(shop, "2024-02", actor=MANAGER, progress=lambda done, _words: told.append(done))
    assert told == sorted(told)
    assert told[-1] == 1


def test_unsealing_and_sealing_again_need_a_reason_and_are_events(shop: Database) -> None:
    (first,) = seals.seal(shop, "2024-02", actor=MANAGER)
    with pytest.raises(InvalidInput, match="Give a reason"):
        seals.unseal(shop, "2024-02", actor=MANAGER, reason=" ")
    assert in_force(shop) == [first]
    seals.unseal(shop, "2024-02", actor=MANAGER, reason="a refund was booked wrongly")
    assert in_force(shop) == []
    assert (last_body(shop)["action"], last_body(shop)["month"], last_body(shop)["reason"]) == (
        "unseal",
        "2024-02",
        "other",
    )
    execute(shop.engine, "UPDATE orders SET total = 51 WHERE id = 4")
    with pytest.raises(InvalidInput, match=r"2024-02 was sealed before\. Give a reason"):
        seals.seal(shop, "2024-02", actor=MANAGER)
    (second,) = seals.seal(shop, "2024-02", actor=MANAGER, reason="mistake")
    assert last_body(shop)["again"] is True
    assert (second.total - first.total, second.checksum != first.checksum) == (Decimal(1), True)
    assert in_force(shop) == [second]
    kept = {row[0]: row[11] for row in rows(shop, "evenbooks_seals")}
    assert kept == {first.event_id: first.event_id + 1, second.event_id: None}, "no row is removed"
    assert integrity.run_and_record(shop).even
    assert problems(shop) == []


def test_unsealing_ends_the_seal_in_force_and_no_other(shop: Database) -> None:
    for month in ("2024-01", "2024-02"):
        seals.seal(shop, month, actor=MANAGER)
    seals.unseal(shop, "2024-02", actor=MANAGER, reason="mistake")
    seals.seal(shop, "2024-02", actor=MANAGER, reason="mistake")
    seals.unseal(shop, "2024-02", actor=MANAGER, reason="mistake")
    assert {row[0]: row[11] for row in rows(shop, "evenbooks_seals")} == {3: None, 4: 5, 6: 7}
    assert [s.month for s in in_force(shop)] == ["2024-01"]


def test_what_is_not_sealed_cannot_be_unsealed(shop: Database) -> None:
    seals.seal(shop, "2024-02", actor=MANAGER)
    before = whole(shop)
    for month in ("2024-01", "2024-0", "nonsense"):
        with pytest.raises(Conflict, match="is not sealed"):
            seals.unseal(shop, month, actor=MANAGER, reason="mistake")
    assert whole(shop) == before


def test_of_several_who_seal_at_once_one_does(shop: Database) -> None:
    answers: list[Any] = []
    start = threading.Barrier(4)

    def work() -> None:
        start.wait()
        try:
            answers.append(seals.seal(shop, "2024-02", actor=MANAGER))
        except Conflict as refusal:
            answers.append(refusal)

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(answers) == 4
    assert sum(isinstance(a, list) for a in answers) == 1
    assert len(in_force(shop)) == 1
    assert integrity.run_and_record(shop).even


def test_who_is_deleted_does_not_matter(shop: Database) -> None:
    (before,) = seals.seal(shop, "2024-02", actor=MANAGER)
    seals.unseal(shop, "2024-02", actor=MANAGER, reason="mistake")
    delete_many(shop, [1, 2], actor=ADMIN, reason="requested")
    restore_many(shop, [4], actor=ADMIN, reason="mistake")
    (after,) = seals.seal(shop, "2024-02", actor=MANAGER, reason="mistake")
    assert after.checksum == before.checksum


def test_each_currency_has_its_own_seal_and_a_new_one_shows(empty_url: str, opened: Any) -> None:
    orders = ORDERS.replace("status VARCHAR(10)", "status VARCHAR(10), currency VARCHAR(8)")
    set_to = (
        "UPDATE orders SET currency = CASE id WHEN 2 THEN 'CHF' WHEN 3 THEN 'USD' WHEN 4 THEN '' WHEN 9 THEN 'EUR' END"
    )
    shop = opened(empty_url, orders=orders, sections={**PHONE, "orders": {"currency": "currency"}})
    execute(shop.engine, set_to)
    made = seals.seal(shop, "2024-02", actor=MANAGER)
    assert [(s.currency, s.orders, str(s.total)) for s in made] == [
        ("CHF", 1, "0.200000"),
        ("EUR", 1, "5.550000"),
        ("USD", 1, "-20.050000"),
        ("XXX", 1, "50.000000"),
    ]
    assert in_force(shop) == made
    execute(shop.engine, "UPDATE orders SET currency = 'USD' WHERE id = 2")
    check = {c.name: c for c in integrity.run_and_record(shop).checks}["seals"]
    assert check.examples[0].startswith(
        "2024-02: CHF 0.20 less, 1 order fewer: order 2 is gone (0.20); USD 0.20 more, 1 order more: order 2 is new (0.20)"
    )
    execute(shop.engine, "UPDATE orders SET currency = 'CHF' WHERE id = 2", "UPDATE orders SET total = 3 WHERE id = 5")
    assert integrity.run_and_record(shop).even
    execute(shop.engine, "UPDATE orders SET ordered_at = '2024-02-03 00:00:00', currency = 'GBP' WHERE id = 5")
    check = {c.name: c for c in integrity.run_and_record(shop).checks}["seals"]
    assert "2024-02: GBP 3.00 more, 1 order more: order 5 is new (3.00); nothing in GBP was sealed" in check.examples[0]
