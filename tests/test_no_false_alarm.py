"""No false alarm: whatever staff, managers and the shop do at once while the check runs, it stays green."""

from __future__ import annotations

import random
import threading
import time
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from servers import fresh_mariadb
from shops import ADMIN, MANAGER, PEOPLE, SALES, STAFF, fill, make_shop, problems
from sqlalchemy import text
from test_delete_customer import Shops

from data import integrity, queries, seals
from data.customers import add, delete_many, edit, restore_many
from data.database import Database, in_transaction, snapshot
from data.errors import Conflict, DatabaseUnavailable, EmailTaken, EvenbooksError, InvalidInput
from data.integrity.proof import make_proof
from data.probe import probe

SECTIONS = {
    "customers": {"phone": "phone"},
    "orders": {"status": "status", "revenue_statuses": ["paid", "refund"], "no_customer": [0]},
}
SECONDS = 8.0
CROWD = [*(p["id"] for p in PEOPLE), *range(100, 130)]
LOYAL = range(200, 205)  # nobody deletes them
OPEN_MONTHS = ["2024-06", "2024-07", "2024-08"]
SEALED_MONTHS = ["2024-01", "2024-02", "2024-04"]
# What busy people are told, and try again: no alarm of the check.
EXPECTED = (Conflict, DatabaseUnavailable, EmailTaken, InvalidInput)


def alarms(shop: Database, proof: dict[str, Any] | None = None) -> list[str]:
    """What is red, or could not be seen, of one run; what this account may do aside."""
    with snapshot(shop) as moment:
        report = integrity.run(moment.connection, shop.schema, moment.at, proof=proof)
    return [f"{c.name}: {c.detail} {c.examples}" for c in report.checks if c.ok is not True and c.name != "rights"]


def sql(shop: Database, statement: str, **values: Any) -> None:
    in_transaction(shop, lambda c: c.execute(text(statement), values))


def a_day(dice: random.Random, months: list[str]) -> str:
    return f"{dice.choice(months)}-{dice.randint(1, 28):02} {dice.randint(0, 23):02}:30:00"


# What the shop does, each as one transaction of its own.


def sell(shop: Database, dice: random.Random) -> None:
    """To anybody: also guests, and customers who are deleted."""
    insert = "INSERT INTO orders (customer_id, ordered_at, total, status) VALUES (:who, :at, :total, :status)"
    values = {
        "who": dice.choice([None, 0, *CROWD, *LOYAL]),
        "at": dice.choice([None, a_day(dice, OPEN_MONTHS), a_day(dice, OPEN_MONTHS)]),
        "total": dice.randint(1, 99999) / 100,
        "status": dice.choice(["paid", "paid", "open", "draft"]),
    }
    sql(shop, insert, **values)


def refund(shop: Database, dice: random.Random) -> None:
    """As a new row, of an order in whatever month."""
    insert = "INSERT INTO orders (customer_id, ordered_at, total, status) VALUES (:who, :at, :total, 'refund')"
    sql(shop, insert, who=dice.choice(CROWD), at=a_day(dice, OPEN_MONTHS), total=-dice.randint(1, 9999) / 100)


def change_status(shop: Database, dice: random.Random) -> None:
    """In an open month, also of deleted customers."""
    update = "UPDATE orders SET status = :status WHERE ordered_at >= '2024-06-01' AND id % 7 = :seventh AND status <> 'refund'"
    sql(shop, update, status=dice.choice(["paid", "open", "draft"]), seventh=dice.randint(0, 6))


def tidy_drafts(shop: Database, dice: random.Random) -> None:
    """Some shops delete drafts; those of guests and of customers whom nobody deletes."""
    delete = "DELETE FROM orders WHERE status = 'draft' AND (customer_id = :who OR customer_id IS NULL)"
    sql(shop, delete, who=dice.choice(LOYAL))


# What is done in the product.


def delete_some(shop: Database, dice: random.Random) -> None:
    delete_many(shop, dice.sample(CROWD, dice.randint(1, 6)), actor=STAFF, reason=dice.choice(["mistake", "it rained"]))


def restore_some(shop: Database, dice: random.Random) -> None:
    restore_many(shop, dice.sample(CROWD, dice.randint(1, 6)), actor=STAFF, reason="undo")


def add_one(shop: Database, dice: random.Random) -> None:
    add(shop, {"name": f"New {dice.random()}", "email": f"x{dice.randint(1, 99)}@example.com"}, actor=STAFF)


def edit_one(shop: Database, dice: random.Random) -> None:
    shown = {"name": f"N{dice.choice(CROWD)}", "email": "", "phone": ""}
    edit(shop, int(shown["name"][1:]), {**shown, "phone": "1"}, shown=shown, actor=STAFF)


def seal_one(shop: Database, dice: random.Random) -> None:
    seals.seal(shop, dice.choice(SEALED_MONTHS), actor=MANAGER, reason=dice.choice([None, "again"]))


def unseal_one(shop: Database, dice: random.Random) -> None:
    seals.unseal(shop, dice.choice(SEALED_MONTHS), actor=MANAGER, reason="a late invoice")


def probe_one(shop: Database, _dice: random.Random) -> None:
    assert probe(shop, actor=MANAGER).even


def check_one(shop: Database, _dice: random.Random) -> None:
    """A run that is kept, so that later ones hold the chain against it."""
    report = integrity.run_and_record(shop)
    assert report.even, [c.detail for c in report.checks if c.ok is False]


Doing = Callable[[Database, random.Random], None]
SHOP: list[Doing] = [sell, sell, sell, refund, change_status, tidy_drafts]
STAFFS: list[Doing] = [delete_some, delete_some, restore_some, restore_some, add_one, edit_one]
MANAGERS: list[Doing] = [seal_one, unseal_one, probe_one, check_one]


def crowded(url: str) -> Database:
    people = [*PEOPLE, *({"id": n, "name": f"N{n}"} for n in (*range(100, 130), *LOYAL))]
    shop = make_shop(url, people=people, sections=SECTIONS)
    fill(
        shop.engine,
        "orders",
        [
            {"id": n, "customer_id": n, "ordered_at": f"2024-0{1 + n % 2}-05", "total": "1.10", "status": "paid"}
            for n in range(100, 130)
        ],
    )
    delete_many(shop, [4, 101], actor=ADMIN, reason="inactive")
    return shop


@pytest.mark.parametrize("seed", [1, 2])
def test_whatever_is_done_at_once_the_check_stays_green(empty_url: str, seed: int) -> None:
    shop, done, said = crowded(empty_url), threading.Event(), Counter[str]()
    proof = make_proof(shop)

    def work(doings: list[Doing], number: int) -> None:
        dice = random.Random(1000 * seed + number)
        while not done.is_set():
            doing = dice.choice(doings)
            try:
                doing(shop, dice)
                said[doing.__name__] += 1
            except EXPECTED:
                said[f"{doing.__name__} again"] += 1

    def watch() -> list[str]:
        found: list[str] = []
        end = time.monotonic() + SECONDS
        try:
            while time.monotonic() < end and not found:
                found = [words for words in alarms(shop, proof) if not words.startswith("since_seals")]
                said["watched"] += 1
        finally:
            done.set()
        return found

    try:
        with ThreadPoolExecutor(8) as pool:
            workers = [
                pool.submit(work, doings, n) for n, doings in enumerate([SHOP, SHOP, STAFFS, STAFFS, STAFFS, MANAGERS])
            ]
            assert watch() == []
            for worker in workers:
                worker.result()
        assert alarms(shop, proof) == []
        assert problems(shop) == []
        for one in (sell, delete_some, restore_some, add_one, seal_one, check_one):
            assert said[one.__name__], said
        assert said["watched"] > 1
    finally:
        done.set()
        shop.engine.dispose()


STEPS = st.lists(
    st.tuples(st.sampled_from([*SHOP, *STAFFS, *MANAGERS]), st.integers(0, 10**6)), min_size=1, max_size=25
)


@pytest.fixture(scope="module", params=["sqlite", "mariadb"])
def long_lived(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Any:
    """One shop for all sequences: each starts where the last one ended."""
    if request.param == "sqlite":
        yield crowded(f"sqlite:///{tmp_path_factory.mktemp('long')}/shop.sqlite")
        return
    with fresh_mariadb(request.getfixturevalue("mariadb_url")) as url:
        shop = crowded(url)
        yield shop
        shop.engine.dispose()


@given(steps=STEPS)
@settings(max_examples=12, deadline=None, suppress_health_check=list(HealthCheck))
def test_whatever_is_done_one_after_the_other_the_check_stays_green(
    long_lived: Database, steps: list[tuple[Doing, int]]
) -> None:
    for doing, seed in steps:
        with suppress(*EXPECTED):
            doing(long_lived, random.Random(seed))
    assert alarms(long_lived) == []


CURRENCIES = {
    "in capitals and small letters": ["EUR", "eur", "Eur"],
    "with blanks": ["EUR", "EUR ", " EUR"],
    "none at all": ["EUR", "", " "],
}


@pytest.mark.parametrize("words", CURRENCIES.values(), ids=CURRENCIES.keys())
def test_currencies_that_the_database_takes_for_the_same_are_the_same(
    empty_url: str, opened: Shops, words: list[str]
) -> None:
    people = [1, 2, None, 77, 4, 1, 4, 3, 2]
    sales = [(n, who, "2024-01-05 00:00:00", f"{n}.10", words[n % 3]) for n, who in enumerate(people, 1)]
    shop = opened(empty_url, sales=sales, sections={"orders": {"currency": "status"}})
    delete_many(shop, [4, 2], actor=ADMIN, reason="inactive")
    assert alarms(shop) == []
    seals.seal(shop, "2024-01", actor=MANAGER)
    restore_many(shop, [2], actor=ADMIN, reason="undo")
    assert alarms(shop) == []
    assert probe(shop, actor=MANAGER, customer_id=1).even
    with snapshot(shop) as moment:
        found = integrity.run(moment.connection, shop.schema, moment.at).months
        for row in found:
            page = queries.list_month_orders(moment.connection, shop.schema, row.month, currency=row.currency)
            assert len(page.items) == row.orders
    assert {row.currency for row in found} == ({"EUR"} if all(w.strip() for w in words) else {"EUR", "XXX"})


def test_the_watcher_does_see_an_alarm(empty_url: str) -> None:
    shop = crowded(empty_url)
    try:
        sql(shop, "DELETE FROM orders WHERE id = 101")
        assert [words.split(":")[0] for words in alarms(shop)] == ["lost_orders"]
        assert len(SALES) == 10
        assert issubclass(Conflict, EvenbooksError)
    finally:
        shop.engine.dispose()
