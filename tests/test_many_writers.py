"""Eight at once: exactly one deletes each customer, and the chain stays whole."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from shops import fill, problems, rows
from sqlalchemy import text

from data.access import Actor, Door, Role
from data.customers import add, delete_many, restore_many
from data.database import Database, in_transaction
from data.errors import EmailTaken
from data.records import Customer

WRITERS = 8
MANY = range(100, 115)


def at_once(work: Callable[[int], Any]) -> list[Any]:
    """The work of eight threads that start together, with each one's number."""
    together = threading.Barrier(WRITERS)

    def one(number: int) -> Any:
        together.wait()
        return work(number)

    with ThreadPoolExecutor(WRITERS) as pool:
        return list(pool.map(one, range(WRITERS)))


def actor(number: int) -> Actor:
    return Actor(f"test:{number}", Role.STAFF, Door.API)


def crowd(shop: Database) -> None:
    fill(shop.engine, "customers", [{"id": n, "name": f"N{n}"} for n in MANY])
    fill(
        shop.engine,
        "orders",
        [{"id": n, "customer_id": n, "ordered_at": "2024-01-05 00:00:00", "total": "1.10"} for n in MANY],
    )


def test_each_customer_is_deleted_by_exactly_one_of_eight(shop: Database) -> None:
    crowd(shop)

    def delete_all(number: int) -> list[int]:
        ids = [*MANY[number:], *MANY[:number]]
        outcomes = [delete_many(shop, [n], actor=actor(number), reason="requested")[0] for n in ids]
        return [int(o.customer.id) for o in outcomes if o.changed]

    winners = Counter(n for won in at_once(delete_all) for n in won)
    assert winners == dict.fromkeys(MANY, 1)
    assert [row[0] for row in rows(shop, "evenbooks_events")] == list(range(1, 3 + len(MANY)))
    assert problems(shop) == []


def test_new_orders_meanwhile_raise_no_false_alarm(shop: Database) -> None:
    crowd(shop)
    done = threading.Event()
    sold: list[int] = []

    def sell() -> None:
        while not done.is_set():
            sale = {"customer": 100 + len(sold) % len(MANY)}
            statement = text(
                "INSERT INTO orders (customer_id, ordered_at, total) VALUES (:customer, '2024-01-06', 2.20)"
            )
            in_transaction(shop, lambda c: c.execute(statement, sale))  # noqa: B023
            sold.append(1)

    def to_and_fro(number: int) -> int:
        changed = 0
        for n in (*MANY, *MANY):
            change = delete_many if n % 2 == number % 2 else restore_many
            changed += change(shop, [n], actor=actor(number), reason="mistake")[0].changed
        return changed

    seller = threading.Thread(target=sell)
    seller.start()
    try:
        changes = sum(at_once(to_and_fro))
    finally:
        done.set()
        seller.join()
    assert sold
    assert len(rows(shop, "evenbooks_events")) == 2 + changes
    assert len(rows(shop, "orders")) == 10 + len(MANY) + len(sold)
    assert problems(shop) == []


def test_of_eight_who_add_the_same_e_mail_one_succeeds(shop: Database) -> None:
    def add_one(number: int) -> Customer | None:
        try:
            return add(shop, {"name": f"N{number}", "email": "same@example.com"}, actor=actor(number))
        except EmailTaken as taken:
            return None if taken.customer.email == "same@example.com" else taken.customer

    added = [customer for customer in at_once(add_one) if customer]
    assert len(added) == 1
    assert [row[2] for row in rows(shop, "customers")].count("same@example.com") == 1
    assert problems(shop) == []
