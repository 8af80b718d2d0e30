"""Harm done behind the product's back, one way at a time: the right check turns red, names the place, and no other does without reason.

What no check can tell, because the database alone does not show it (the last test holds this list, so that it stays
true): an order removed, added, re-linked or changed in a month that is not sealed, of a customer who is not deleted;
an amount, a date or a status changed in such a month, whoever the customer is; an order removed that came after its
customer was deleted; a customer whom no event names removed with all orders while another one is put in their place;
two active customers whose ids were swapped; a row removed and put back with the same id and the same deleted_at but
another person in it; the kept runs removed. A chain that is forged whole (bodies, hashes, head) is told from the true one by
the last even run, and once that is removed too only by a proof kept outside. Whoever may write events can write a true one.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from itertools import chain
from typing import Any

import pytest
from copies import copied
from servers import fresh_mariadb, fresh_postgresql
from shops import ADMIN, MANAGER, ORDERS, PEOPLE, SALES, fill, make_shop, trigger
from sqlalchemy import text
from test_structure_checks import turn

from data import events, integrity, seals
from data.customers import add, delete_many, edit, restore_many
from data.database import Database, snapshot
from data.integrity import Check
from data.integrity.proof import make_proof
from data.migration import migrate

TABLES = ["customers", "orders", "evenbooks_events", "evenbooks_chain", "evenbooks_checks", "evenbooks_seals"]
FORM = {"name": "Bo Ek", "email": "bo@example.com", "phone": ""}
# Customer 7 and order 21 are named by no event; order 20 came after its customer was deleted.
MORE_PEOPLE = [*PEOPLE, {"id": 7, "name": "Gil Unnamed"}]
MORE_SALES = [*SALES, (21, 7, "2024-05-05 00:00:00", "12.00", "paid")]
LATE = {"id": 20, "customer_id": 4, "ordered_at": "2024-05-01 00:00:00", "total": "8.00", "status": "paid"}
GUESTS = {"customers": {"phone": "phone"}, "orders": {"no_customer": [0]}}


def live(shop: Database) -> None:
    """Ten events: the baseline, and what staff and managers do; January 2024 is sealed, and the books were even."""
    delete_many(shop, [4], actor=ADMIN, reason="moved to another town")
    delete_many(shop, [1], actor=ADMIN, reason="mistake")
    restore_many(shop, [1], actor=ADMIN, reason="undo")
    delete_many(shop, [3], actor=ADMIN, reason="requested")
    delete_many(shop, [5], actor=ADMIN, reason="inactive")
    edit(shop, 2, {**FORM, "phone": "+46 1"}, shown=FORM, actor=ADMIN)
    add(shop, {"name": "Fay New", "email": "fay@example.com"}, actor=ADMIN)
    seals.seal(shop, "2024-01", actor=MANAGER)
    restore_many(shop, [5], actor=ADMIN, reason="undo")
    fill(shop.engine, "orders", [LATE])
    assert integrity.run_and_record(shop).even


@dataclass(frozen=True)
class Healthy:
    """A shop with a history, copies of its tables, and a proof of it that is kept outside."""

    shop: Database
    proof: dict[str, Any]


@pytest.fixture(scope="module", params=["sqlite", "mariadb", "postgresql"])
def healthy(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Healthy]:
    """One shop for all harms of an engine; its tables are put back before each."""
    if request.param == "sqlite":
        yield prepare(f"sqlite:///{tmp_path_factory.mktemp('harm')}/shop.sqlite")
        return
    fresh = fresh_mariadb if request.param == "mariadb" else fresh_postgresql
    with fresh(request.getfixturevalue(f"{request.param}_url")) as url:
        found = prepare(url)
        yield found
        found.shop.engine.dispose()


def prepare(url: str) -> Healthy:
    shop = make_shop(url, people=MORE_PEOPLE, sales=MORE_SALES, sections=GUESTS)
    live(shop)
    sql(shop, *(f"CREATE TABLE kept_{name} AS SELECT * FROM {name}" for name in TABLES))
    return Healthy(shop, make_proof(shop))


@pytest.fixture
def shop(healthy: Healthy) -> Database:
    """The healthy shop as it was."""
    back = ((f"DELETE FROM {name}", f"INSERT INTO {name} SELECT * FROM kept_{name}") for name in TABLES)
    sql(healthy.shop, *chain.from_iterable(back))
    return healthy.shop


def sql(shop: Database, *statements: str) -> None:
    """Runs statements as somebody with a database client would."""
    with shop.engine.connect().execution_options(write=True) as connection, connection.begin():
        for statement in statements:
            connection.exec_driver_sql(statement)


Rows = list[dict[str, Any]]


def forge(shop: Database, change: Callable[[Rows], Rows], *, head: bool = True) -> None:
    """Rewrites the events as a thorough forger does: bodies and columns agree, every hash and the head are computed anew."""
    with shop.engine.connect().execution_options(write=True) as connection, connection.begin():
        found = connection.execute(text("SELECT * FROM evenbooks_events ORDER BY id")).mappings()
        rows = change([{**row, "body": json.loads(row["body"])} for row in found])
        connection.execute(text("DELETE FROM evenbooks_events"))
        prev = events.GENESIS
        for number, row in enumerate(rows, start=1):
            moved = {"new": number, "old": row["id"]}
            connection.execute(text("UPDATE evenbooks_seals SET event_id = :new WHERE event_id = :old"), moved)
            row["id"] = row["body"]["id"] = number
            words = json.dumps(row["body"], sort_keys=True, separators=(",", ":"))
            row.update(body=words, prev=prev, hash=events.link(prev, words))
            prev = row["hash"]
            columns = ", ".join(row)
            marks = ", ".join(f":{name}" for name in row)
            connection.execute(text(f"INSERT INTO evenbooks_events ({columns}) VALUES ({marks})"), row)
        if head:
            connection.execute(text("UPDATE evenbooks_chain SET event_id = :id, hash = :hash"), rows[-1])


def without(*ids: int) -> Callable[[Rows], Rows]:
    """The events without these."""
    return lambda rows: [row for row in rows if row["id"] not in ids]


def altered(event_id: int, **body: Any) -> Callable[[Rows], Rows]:
    """The events with this one saying something else, columns included."""

    def change(rows: Rows) -> Rows:
        row = rows[event_id - 1]
        row["body"].update(body)
        row.update({name: value for name, value in body.items() if name in row})
        return rows

    return change


def with_copy(of: int, **body: Any) -> Callable[[Rows], Rows]:
    """The events and one more, made after an earlier one."""

    def change(rows: Rows) -> Rows:
        copy = {**rows[of - 1], "body": {**rows[of - 1]["body"]}}
        return altered(len(rows) + 1, **body)([*rows, copy])

    return change


def both(*harms: Callable[[Database], None]) -> Callable[[Database], None]:
    def do(shop: Database) -> None:
        for harm in harms:
            harm(shop)

    return do


def run(*statements: str) -> Callable[[Database], None]:
    return lambda shop: sql(shop, *statements)


def forging(change: Callable[[Rows], Rows], *, head: bool = True) -> Callable[[Database], None]:
    return lambda shop: forge(shop, change, head=head)


@dataclass(frozen=True)
class Harm:
    """What is done, the words that name the place by the check that must say them, and which others are red, and why."""

    do: Callable[[Database], None]
    check: str
    words: str
    others: dict[str, str] = field(default_factory=dict)


HASHED = {"since_head": "the proof's last event has another hash, or is gone"}
ANOTHER = "event 10, the last when last even, is another one now"
GONE = "event 10, the last when last even, is gone"
MOVED = {**HASHED, "since_seals": "the event of the seal has another number"}
LINKED = {"missing_customers": "their orders are left behind"}
NAMED = {"named_customers": "events name them"}
STATE = {"deletions": "the events say that they are deleted"}
FEWER = {"customer_count": "they are one fewer"}
LOST = {"lost_orders": "the order was a deleted customer's"}
JANUARY = {"seals": "one of their orders is in the sealed month"}
FORGET = run("DELETE FROM evenbooks_checks")


def event_sql(assignment: str, event_id: int = 2) -> Callable[[Database], None]:
    return run(f"UPDATE evenbooks_events SET {assignment} WHERE id = {event_id}")


EVENTS: dict[str, Harm] = {
    "a body altered": Harm(event_sql("body = REPLACE(body, '\"other\"', '\"inactive\"')"), "chain", "event 2: "),
    "a body blanked": Harm(event_sql("body = ''", 7), "chain", "event 7: its body cannot be read"),
    "its hash altered": Harm(event_sql(f"hash = '{'a' * 64}'"), "chain", "event 2: its hash is not that"),
    "its link altered": Harm(event_sql(f"prev = '{'a' * 64}'"), "chain", "event 2: it does not continue"),
    "its customer altered": Harm(event_sql("customer_id = 1"), "chain", "event 2: its customer_id is not"),
    "its customer altered to nobody": Harm(
        event_sql("customer_id = 4711"),
        "chain",
        "event 2: its customer_id is not",
        {"named_customers": "4711 is nobody"},
    ),
    "its customer blanked": Harm(event_sql("customer_id = NULL"), "chain", "event 2: its customer_id is not"),
    "its time altered": Harm(event_sql("at = '2020-01-01 00:00:00'"), "chain", "event 2: its at is not"),
    "its actor altered": Harm(event_sql("actor = 'somebody'"), "chain", "event 2: its actor is not"),
    "its door altered": Harm(event_sql("door = 'api'"), "chain", "event 2: its door is not"),
    "its reason altered": Harm(event_sql("reason = 'mistake'"), "chain", "event 2: its reason is not"),
    "its action altered": Harm(event_sql("action = 'edit'"), "chain", "event 2: its action is not"),
    "its batch altered": Harm(event_sql("batch_id = 'x'"), "chain", "event 2: its batch_id is not"),
    "its note blanked, and nobody erased": Harm(
        event_sql("note = NULL, note_salt = NULL"), "chain", "event 2: its note is gone"
    ),
    "its note altered": Harm(event_sql("note = 'asked for it'"), "chain", "event 2: its note is not the one"),
    "its note's salt altered": Harm(event_sql("note_salt = 'x'"), "chain", "event 2: its note is not the one"),
    "a note added": Harm(event_sql("note = 'asked for it'", 3), "chain", "event 3: its note is not the one"),
    "removed from the middle": Harm(
        run("DELETE FROM evenbooks_events WHERE id = 7"), "chain", "event 8: it follows event 6, so events between them"
    ),
    "the first removed": Harm(
        run("DELETE FROM evenbooks_events WHERE id = 1"),
        "chain",
        "the baseline, its first event, is not there",
        {"missing_customers": "nobody knows any more that 77 was missing before"},
    ),
    "a deletion's event removed": Harm(
        run("DELETE FROM evenbooks_events WHERE id = 5"),
        "deletions",
        "customer 3: deleted at",
        {"chain": "the event after it does not continue"},
    ),
    "all events removed": Harm(
        run("DELETE FROM evenbooks_events"),
        "chain",
        "the chain ends here, but its head points to event 10",
        {
            "deletions": "nobody says who was deleted",
            "missing_customers": "nor that 77 was missing before",
            "seals": "nor that January was sealed",
            **HASHED,
            "since_seals": "nor that January was sealed",
        },
    ),
    "two swapped": Harm(
        run(
            "UPDATE evenbooks_events SET id = 99 WHERE id = 7",
            "UPDATE evenbooks_events SET id = 7 WHERE id = 8",
            "UPDATE evenbooks_events SET id = 8 WHERE id = 99",
        ),
        "chain",
        "event 7: its id is not what its body says",
    ),
    "the last cut off": Harm(
        run("DELETE FROM evenbooks_events WHERE id = 10"),
        "chain",
        "the chain ends here, but its head points to event 10",
        {"deletions": "it was the restoring of customer 5", **HASHED},
    ),
    "the last cut off and the head moved back": Harm(
        forging(without(10)), "chain", GONE, {"deletions": "it was the restoring of customer 5", **HASHED}
    ),
    "one inserted by hand": Harm(
        run(
            "INSERT INTO evenbooks_events SELECT 11, at, action, actor, door, reason, customer_id, batch_id, body, "
            "prev, hash, note, note_salt FROM kept_evenbooks_events WHERE id = 7"
        ),
        "chain",
        "event 11: its id is not what its body says",
    ),
    "one forged well, the head forgotten": Harm(
        both(
            run("UPDATE customers SET deleted_at = NULL WHERE id = 4"),
            forging(with_copy(4, customer_id=4), head=False),
        ),
        "chain",
        "the chain ends here, but its head points to event 10",
    ),
    "a restore forged well, which did not count the orders": Harm(
        both(
            run("UPDATE customers SET deleted_at = NULL WHERE id = 4"),
            forging(with_copy(4, customer_id=4, before={"all_orders": 1}, after={"all_orders": 1})),
        ),
        "lost_orders",
        "customer 4: 2 orders when deleted, 1 when restored by event 11",
    ),
    "altered, and its own hash computed anew": Harm(
        both(
            forging(altered(2, reason="mistake"), head=False),
            run(
                "UPDATE evenbooks_events SET prev = (SELECT k.prev FROM kept_evenbooks_events k WHERE k.id = evenbooks_events.id), hash = (SELECT k.hash FROM kept_evenbooks_events k WHERE k.id = evenbooks_events.id) WHERE id > 2"
            ),
        ),
        "chain",
        "event 3: it does not continue the event before it",
    ),
    "altered, and all the rest hashed anew": Harm(forging(altered(2, reason="mistake")), "chain", ANOTHER, HASHED),
    "removed, the rest renumbered and hashed anew": Harm(forging(without(7)), "chain", GONE, MOVED),
    "the same, and filled up with another": Harm(
        both(forging(without(7)), forging(with_copy(7))), "chain", ANOTHER, MOVED
    ),
    "a deletion hidden: event gone, rest forged, customer active": Harm(
        both(run("UPDATE customers SET deleted_at = NULL WHERE id = 3"), forging(without(5))), "chain", GONE, MOVED
    ),
    "the same, and the kept runs removed": Harm(
        both(run("UPDATE customers SET deleted_at = NULL WHERE id = 3"), forging(without(5)), FORGET),
        "since_head",
        "event 10, the proof's last, is gone",
        {"since_seals": "the event of the seal has another number"},
    ),
    "altered, all hashed anew, and the kept runs removed": Harm(
        both(forging(altered(2, reason="mistake")), FORGET), "since_head", "event 10, the proof's last, is another one"
    ),
    "the baseline altered so that an orphan is known": Harm(
        both(
            run("UPDATE orders SET customer_id = 78 WHERE id = 21"),
            forging(altered(1, missing=[[77, 1], [78, 1]], missing_orders=2)),
        ),
        "chain",
        ANOTHER,
        HASHED,
    ),
    "the baseline altered without its hash": Harm(
        event_sql("body = REPLACE(body, '\"missing_orders\":1', '\"missing_orders\":9')", 1),
        "chain",
        "event 1: its hash is not that of its content",
    ),
    "a deletion's before altered": Harm(
        forging(altered(3, before={"orders": 9, "all_orders": 9, "last_order": 3, "revenue": {}})),
        "before_after",
        "event 3 (delete of customer 1): its orders or revenue are not the same",
        {"chain": "its hash is another one", **HASHED},
    ),
    "an order lost, and the deletion's event says that it never was": Harm(
        both(
            run("DELETE FROM orders WHERE id = 7"),
            forging(altered(2, after={"all_orders": 1, "last_order": 6}, before={"all_orders": 1, "last_order": 6})),
        ),
        "chain",
        ANOTHER,
        HASHED,
    ),
    "the head gone": Harm(run("DELETE FROM evenbooks_chain"), "chain", "but its head is gone"),
    "the head elsewhere": Harm(run("UPDATE evenbooks_chain SET event_id = 9"), "chain", "its head points to event 9"),
    "the head's hash altered": Harm(run(f"UPDATE evenbooks_chain SET hash = '{'a' * 64}'"), "chain", "its head points"),
    "an acceptance inserted by hand": Harm(
        both(
            run("UPDATE customers SET deleted_at = '2024-01-01 00:00:00' WHERE id = 7"),
            lambda shop: accept_by_hand(shop),
        ),
        "chain",
        "event 11: its hash is not that of its content",
        {"deletions": "an event that is not whole accepts nothing"},
    ),
}


def accept_by_hand(shop: Database) -> None:
    words = "customer 7: deleted at 2024-01-01T00:00:00Z without an event"
    body = {"check": "deletions", "finding": "7", "words": words}
    forge(shop, with_copy(7, action="acknowledge", customer_id=None, **body))
    sql(shop, f"UPDATE evenbooks_events SET hash = '{'a' * 64}' WHERE id = 11")


PEOPLE_HARMS: dict[str, Harm] = {
    "a deleted one removed": Harm(
        run("DELETE FROM customers WHERE id = 3"),
        "named_customers",
        "customer 3: an event names them",
        {**STATE, **LINKED, **FEWER},
    ),
    "an idle one removed": Harm(
        run("DELETE FROM customers WHERE id = 5"), "named_customers", "customer 5: an event", FEWER
    ),
    "one whom no event names removed": Harm(
        run("DELETE FROM customers WHERE id = 7"), "missing_customers", "customer 7: 1 orders", FEWER
    ),
    "one whom no event names removed with all orders": Harm(
        run("DELETE FROM orders WHERE customer_id = 7", "DELETE FROM customers WHERE id = 7"),
        "customer_count",
        "customers; ",
    ),
    "the same, and the kept runs removed": Harm(
        both(run("DELETE FROM orders WHERE customer_id = 7", "DELETE FROM customers WHERE id = 7"), FORGET),
        "customer_count",
        "in the proof",
    ),
    "a deleted one removed with all orders": Harm(
        run("DELETE FROM orders WHERE customer_id = 3", "DELETE FROM customers WHERE id = 3"),
        "deletions",
        "customer 3: not in the table any more, deleted at",
        {**NAMED, **FEWER},
    ),
    "one with an order in the sealed month removed with all orders": Harm(
        run("DELETE FROM orders WHERE customer_id = 1", "DELETE FROM customers WHERE id = 1"),
        "named_customers",
        "customer 1: an event names them",
        {**JANUARY, **FEWER},
    ),
    "a deleted one with an order in the sealed month removed with all orders": Harm(
        run("DELETE FROM orders WHERE customer_id = 4", "DELETE FROM customers WHERE id = 4"),
        "deletions",
        "customer 4: not in the table any more",
        {**NAMED, **JANUARY, **FEWER},
    ),
    "removed and made anew with the same id": Harm(
        run("DELETE FROM customers WHERE id = 3", "INSERT INTO customers (id, name) VALUES (3, 'X')"),
        "deletions",
        "customer 3: active, although deleted at",
    ),
    "everybody removed": Harm(
        run("DELETE FROM customers"), "named_customers", "customer 1: an event names them", {**STATE, **LINKED, **FEWER}
    ),
    "the id changed": Harm(
        run("UPDATE customers SET id = 33 WHERE id = 3"),
        "deletions",
        "customer 33: deleted at",
        {**NAMED, **LINKED},
    ),
    "the id changed with the orders": Harm(
        run("UPDATE customers SET id = 33 WHERE id = 3", "UPDATE orders SET customer_id = 33 WHERE customer_id = 3"),
        "deletions",
        "customer 33: deleted at",
        NAMED,
    ),
    "the id changed with orders in the sealed month": Harm(
        run("UPDATE customers SET id = 11 WHERE id = 1", "UPDATE orders SET customer_id = 11 WHERE customer_id = 1"),
        "named_customers",
        "customer 1: an event names them",
        JANUARY,
    ),
    "a deleted and an active one's ids swapped": Harm(
        run(
            "UPDATE customers SET id = 99 WHERE id = 3",
            "UPDATE customers SET id = 3 WHERE id = 7",
            "UPDATE customers SET id = 7 WHERE id = 99",
        ),
        "deletions",
        "customer 7: deleted at",
    ),
    "deleted by hand": Harm(
        run("UPDATE customers SET deleted_at = '2024-01-01 00:00:00' WHERE id = 7"),
        "deletions",
        "customer 7: deleted at 2024-01-01T00:00:00Z without an event",
    ),
    "a restored one deleted by hand": Harm(
        run("UPDATE customers SET deleted_at = '2024-01-01 00:00:00' WHERE id = 1"),
        "deletions",
        "customer 1: deleted at 2024-01-01T00:00:00Z without an event",
    ),
    "everybody deleted by hand": Harm(
        run("UPDATE customers SET deleted_at = '2024-01-01 00:00:00' WHERE deleted_at IS NULL"),
        "deletions",
        "customer 1: deleted at 2024-01-01T00:00:00Z without an event",
    ),
    "restored by hand": Harm(
        run("UPDATE customers SET deleted_at = NULL WHERE id = 4"), "deletions", "customer 4: active, although deleted"
    ),
    "deleted at another time": Harm(
        run("UPDATE customers SET deleted_at = '2020-01-01 00:00:00' WHERE id = 4"), "deletions", "its event says"
    ),
    "deleted in the future": Harm(
        run("UPDATE customers SET deleted_at = '2037-01-01 00:00:00' WHERE id = 4"),
        "future",
        "customer 4: deleted at 2037-01-01T00:00:00Z, which is in the future",
        {"deletions": "their event says another time"},
    ),
    "one deleted by hand in another's place": Harm(
        run(
            "UPDATE customers SET deleted_at = (SELECT k.deleted_at FROM kept_customers k WHERE k.id = 4) WHERE id = 7",
            "UPDATE customers SET deleted_at = NULL WHERE id = 4",
        ),
        "deletions",
        "customer 4: active, although deleted",
    ),
}


def order_sql(assignment: str, order: int) -> Callable[[Database], None]:
    return run(f"UPDATE orders SET {assignment} WHERE id = {order}")


def new_order(order: int, customer: str, day: str, total: str) -> str:
    return f"INSERT INTO orders (id, customer_id, ordered_at, total) VALUES ({order}, {customer}, '{day}', {total})"


ORDERS_HARMS: dict[str, Harm] = {
    "a deleted one's order removed": Harm(
        run("DELETE FROM orders WHERE id = 7"),
        "lost_orders",
        "customer 4: 2 orders when deleted by event 2, 1 of them now",
    ),
    "their only one removed": Harm(
        run("DELETE FROM orders WHERE id = 5"), "lost_orders", "customer 3: 1 orders when deleted"
    ),
    "removed and replaced": Harm(
        run("DELETE FROM orders WHERE id = 7", new_order(99, "4", "2024-04-30 23:59:59", "66.67")),
        "lost_orders",
        "customer 4: 2 orders",
    ),
    "handed to another customer": Harm(
        order_sql("customer_id = 2", 5), "lost_orders", "customer 3: 1 orders when deleted"
    ),
    "handed to another deleted one": Harm(order_sql("customer_id = 4", 5), "lost_orders", "customer 3: 1 orders"),
    "unlinked": Harm(order_sql("customer_id = NULL", 5), "lost_orders", "customer 3: 1 orders when deleted"),
    "made a guest's": Harm(order_sql("customer_id = 0", 5), "lost_orders", "customer 3: 1 orders when deleted"),
    "handed to nobody": Harm(order_sql("customer_id = 4711", 21), "missing_customers", "customer 4711: 1 orders"),
    "a deleted one's handed to nobody": Harm(
        order_sql("customer_id = 4711", 5), "missing_customers", "customer 4711: 1 orders", LOST
    ),
    "one more handed to one who was missing before": Harm(
        order_sql("customer_id = 77", 21), "missing_customers", "customer 77: 2 orders"
    ),
    "one missing before taken for another": Harm(
        run("UPDATE orders SET customer_id = 78 WHERE id = 9"), "missing_customers", "customer 78: 1 orders"
    ),
    "the id changed": Harm(order_sql("id = 99", 7), "lost_orders", "customer 4: 2 orders when deleted by event 2"),
    "an amount in the sealed month": Harm(order_sql("total = 100.11", 1), "seals", "order 1 was 100.10 and is 100.11"),
    "amounts that make up for each other": Harm(
        run("UPDATE orders SET total = total + 10 WHERE id = 1", "UPDATE orders SET total = total - 10 WHERE id = 8"),
        "seals",
        "2024-01: ",
    ),
    "removed from the sealed month": Harm(run("DELETE FROM orders WHERE id = 1"), "seals", "order 1 is gone"),
    "a deleted one's removed from the sealed month": Harm(
        run("DELETE FROM orders WHERE id = 6"), "seals", "order 6 is gone", LOST
    ),
    "a guest's removed from the sealed month": Harm(run("DELETE FROM orders WHERE id = 8"), "seals", "order 8 is gone"),
    "removed and replaced by an equal one": Harm(
        run("DELETE FROM orders WHERE id = 8", new_order(30, "NULL", "2024-01-20 00:00:00", "9.99")),
        "seals",
        "order 8 is gone",
    ),
    "added to the sealed month": Harm(run(new_order(30, "2", "2024-01-09", "1.00")), "seals", "order 30 is new"),
    "an order of nothing added to it": Harm(run(new_order(30, "2", "2024-01-09", "0")), "seals", "order 30 is new"),
    "moved out of it": Harm(order_sql("ordered_at = '2024-02-01 00:00:00'", 1), "seals", "order 1 is gone"),
    "moved within it": Harm(order_sql("ordered_at = '2024-01-30 00:00:00'", 1), "seals", "order 1 changed"),
    "moved into it": Harm(order_sql("ordered_at = '2024-01-30 00:00:00'", 2), "seals", "order 2 is new"),
    "its date lost": Harm(order_sql("ordered_at = NULL", 1), "seals", "order 1 is gone"),
    "its customer changed": Harm(order_sql("customer_id = 2", 1), "seals", "order 1 changed (customer or date)"),
    "its guest given a name": Harm(order_sql("customer_id = 2", 8), "seals", "order 8 changed (customer or date)"),
    "two orders' customers swapped": Harm(
        run("UPDATE orders SET customer_id = 5 - customer_id WHERE id IN (1, 6)"), "seals", "order 1 changed"
    ),
}

SEALS_HARMS: dict[str, Harm] = {
    "its amount altered": Harm(run("UPDATE evenbooks_seals SET total = 1"), "seals", "says another total (EUR)"),
    "its count altered": Harm(run("UPDATE evenbooks_seals SET orders = 1"), "seals", "another number of orders"),
    "its checksum altered": Harm(
        run(f"UPDATE evenbooks_seals SET checksum = '{'a' * 64}'"), "seals", "another checksum"
    ),
    "its detail altered": Harm(run("UPDATE evenbooks_seals SET detail = '[]'"), "seals", "another detail"),
    "its month altered": Harm(run("UPDATE evenbooks_seals SET month = '2024-02'"), "seals", "2024-0"),
    "its row removed": Harm(run("DELETE FROM evenbooks_seals"), "seals", "lacks the seal of event 9 (EUR)"),
    "unsealed by hand": Harm(run("UPDATE evenbooks_seals SET unsealed_event_id = 10"), "seals", "another unsealing"),
    "its event removed": Harm(
        run("DELETE FROM evenbooks_events WHERE id = 9"),
        "seals",
        "has a seal in force (EUR, event 9) that the events do not know",
        {"chain": "the event after it does not continue", "since_seals": "the seal is gone without an event"},
    ),
    "event and row removed, the rest forged": Harm(
        both(run("DELETE FROM evenbooks_seals", "DELETE FROM orders WHERE id = 1"), forging(without(9))),
        "chain",
        GONE,
        {**HASHED, "since_seals": "the seal is gone without an event"},
    ),
    "an amount changed and the seal with it": Harm(
        both(order_sql("total = 100.11", 1), run("UPDATE evenbooks_seals SET total = 143.43")),
        "seals",
        "order 1 was 100.10 and is 100.11",
    ),
}


KEYED = ORDERS.replace(
    "status VARCHAR(10)",
    "status VARCHAR(10), CONSTRAINT to_customer FOREIGN KEY (customer_id) REFERENCES customers (id)",
)
GUARDS = ("evenbooks_guard_customers", "evenbooks_guard_orders")


@pytest.fixture
def guarded(empty_url: str) -> Iterator[Database]:
    """A shop with a foreign key and both guards, the same history, and its tables copied."""
    shop = copied(empty_url, lambda: make_guarded(empty_url), "guarded")
    yield shop
    shop.engine.dispose()


def make_guarded(url: str) -> Database:
    people = [{"id": 77, "name": "There"}, *MORE_PEOPLE]
    shop = make_shop(url, orders=KEYED, people=people, sales=MORE_SALES, sections=GUESTS)
    migrate(shop.settings, guard=True, guard_orders=True)
    live(shop)
    assert red(shop) == {}
    return shop


def drop(shop: Database, *guards: str) -> list[str]:
    """Drops the guards; answers the statements that put them back as they were."""
    made = []
    if shop.schema.dialect == "postgresql":  # where each guard has a second trigger
        guards = (*guards, *(name.replace("guard_", "guard_truncate_") for name in guards))
    with shop.engine.connect() as connection:
        for name in guards:
            if shop.schema.dialect == "sqlite":
                statement = text("SELECT sql FROM sqlite_master WHERE name = :name")
                made.append(str(connection.execute(statement, {"name": name}).scalar()))
            elif shop.schema.dialect == "postgresql":
                statement = text("SELECT pg_get_triggerdef(oid) FROM pg_trigger WHERE tgname = :name")
                made.append(str(connection.execute(statement, {"name": name}).scalar()))
            else:
                made.append(str(connection.exec_driver_sql(f"SHOW CREATE TRIGGER {name}").one()[2]))
    on = " ON {}" if shop.schema.dialect == "postgresql" else ""
    sql(shop, *(f"DROP TRIGGER {name}{on.format(name.rpartition('_')[2])}" for name in guards))
    return made


def turn_key(shop: Database, rule: str) -> None:
    """Gives the foreign key another rule. SQLite loses the table's triggers over it; they are put back."""
    made = drop(shop, GUARDS[1]) if shop.schema.dialect == "sqlite" else []
    turn(shop, rule)
    sql(shop, *made)


def empty_guard(shop: Database) -> None:
    if shop.schema.dialect == "postgresql":
        lets = "RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN OLD; END $$"
        sql(shop, f"CREATE OR REPLACE FUNCTION {GUARDS[0]}() {lets}")
        return
    (made,) = drop(shop, GUARDS[0])
    body = "BEGIN SELECT 1; END" if shop.schema.dialect == "sqlite" else "SET @x = 1"
    start = made.index("BEGIN" if shop.schema.dialect == "sqlite" else "SIGNAL")
    sql(shop, made[:start] + body)


def remove_while_the_guard_is_away(shop: Database) -> None:
    made = drop(shop, *GUARDS)
    sql(shop, "DELETE FROM orders WHERE customer_id = 3", "DELETE FROM customers WHERE id = 3", *made)


def remove_with_checks_off(shop: Database) -> None:
    """Orders stay and point at nobody."""
    made = drop(shop, GUARDS[0])
    sqlite = shop.schema.dialect == "sqlite"
    with shop.engine.connect().execution_options(write=True) as connection:
        if sqlite:  # which ignores this within a transaction
            connection.connection.driver_connection.execute("PRAGMA foreign_keys = OFF")  # type: ignore[union-attr]
        elif shop.schema.dialect == "postgresql":
            connection.exec_driver_sql("SET session_replication_role = replica")
        else:
            connection.exec_driver_sql("SET foreign_key_checks = 0")
        connection.exec_driver_sql("DELETE FROM customers WHERE id = 3")
        connection.commit()
        connection.invalidate()
    sql(shop, *made)


def remove_every_order(shop: Database) -> None:
    """By TRUNCATE, which no trigger sees; SQLite does not have it, and PostgreSQL's guard does, so there it is away meanwhile."""
    if shop.schema.dialect == "sqlite":
        made = drop(shop, GUARDS[1])
        sql(shop, "DELETE FROM orders", *made)
    elif shop.schema.dialect == "postgresql":
        made = drop(shop, GUARDS[1])
        sql(shop, "TRUNCATE TABLE orders", *made)
    else:
        sql(shop, "TRUNCATE TABLE orders")


def trigger_that_restores(shop: Database) -> None:
    if shop.schema.dialect == "sqlite":
        sql(
            shop,
            "CREATE TRIGGER theirs AFTER UPDATE ON customers WHEN NEW.deleted_at IS NOT NULL "
            "BEGIN UPDATE customers SET deleted_at = NULL WHERE id = NEW.id; END",
        )
    elif shop.schema.dialect == "postgresql":
        sql(shop, trigger(shop.engine, "NEW.deleted_at = NULL", name="theirs", when="BEFORE UPDATE"))
    else:
        sql(shop, "CREATE TRIGGER theirs BEFORE UPDATE ON customers FOR EACH ROW SET NEW.deleted_at = NULL")


STRUCTURE: dict[str, Harm] = {
    "the foreign key turned to CASCADE": Harm(
        lambda shop: turn_key(shop, "ON DELETE CASCADE"), "foreign_key", "orders.customer_id CASCADE"
    ),
    "the foreign key turned to SET NULL": Harm(
        lambda shop: turn_key(shop, "ON DELETE SET NULL"), "foreign_key", "orders.customer_id SET NULL"
    ),
    "the guard dropped": Harm(
        lambda shop: drop(shop, GUARDS[0]) and None, "guard", "trigger evenbooks_guard_customers on customers is gone"
    ),
    "the orders' guard dropped": Harm(
        lambda shop: drop(shop, GUARDS[1]) and None, "guard", "trigger evenbooks_guard_orders on orders is gone"
    ),
    "the guard emptied": Harm(empty_guard, "guard", "trigger evenbooks_guard_customers is not what was made"),
    "removed while the guard was away": Harm(
        remove_while_the_guard_is_away, "named_customers", "customer 3: an event names them", {**STATE, **FEWER}
    ),
    "removed with foreign keys off": Harm(
        remove_with_checks_off, "named_customers", "customer 3: an event names them", {**STATE, **LINKED, **FEWER}
    ),
    "every order removed at once": Harm(remove_every_order, "seals", "2024-01: ", LOST),
    "a trigger that restores at once": Harm(trigger_that_restores, "deleted_at", "trigger theirs"),
}


@pytest.mark.parametrize("name", STRUCTURE)
def test_harm_to_the_tables_themselves_is_caught_and_named(guarded: Database, name: str) -> None:
    STRUCTURE[name].do(guarded)
    assert_caught(red(guarded), STRUCTURE[name])


def red(shop: Database, proof: dict[str, Any] | None = None) -> dict[str, Check]:
    """The checks that are red, whatever their level, but for what this account may do."""
    with snapshot(shop) as moment:
        report = integrity.run(moment.connection, shop.schema, moment.at, proof=proof)
    assert all(check.ok is not None for check in report.checks)
    return {check.name: check for check in report.checks if check.ok is False and check.name != "rights"}


def assert_caught(found: dict[str, Check], harm: Harm) -> None:
    assert set(found) == {harm.check, *harm.others}
    assert any(harm.words in words for words in found[harm.check].examples), found[harm.check].examples


ALL = {
    f"{kind}: {name}": harm
    for kind, harms in [("event", EVENTS), ("customer", PEOPLE_HARMS), ("order", ORDERS_HARMS), ("seal", SEALS_HARMS)]
    for name, harm in harms.items()
}


@pytest.mark.parametrize("name", ALL)
def test_harm_is_caught_and_named(shop: Database, healthy: Healthy, name: str) -> None:
    ALL[name].do(shop)
    assert_caught(red(shop, healthy.proof), ALL[name])


def test_kept_runs_that_say_nothing_any_more_are_no_green_chain(shop: Database, healthy: Healthy) -> None:
    both(forging(altered(2, reason="mistake")), run("UPDATE evenbooks_checks SET report = '{}'"))(shop)
    with snapshot(shop) as moment:
        report = integrity.run(moment.connection, shop.schema, moment.at, proof=healthy.proof)
    answers = {check.name: check.ok for check in report.checks}
    assert (answers["chain"], answers["since_head"]) == (None, False)


def test_nothing_is_red_where_nothing_was_done(shop: Database, healthy: Healthy) -> None:
    assert red(shop, healthy.proof) == {}


NOT_CAUGHT: dict[str, Callable[[Database], None]] = {
    "an order removed from an open month": run("DELETE FROM orders WHERE id = 2"),
    "an order added to one": run(new_order(30, "2", "2024-02-09", "1.00")),
    "an order handed to another in one": order_sql("customer_id = 2", 2),
    "an amount changed in one": order_sql("total = 0", 2),
    "a deleted one's amount changed in one": order_sql("total = 0", 5),
    "a deleted one's order moved between two": order_sql("ordered_at = '2024-06-01 00:00:00'", 5),
    "a late order of a deleted one removed": run("DELETE FROM orders WHERE id = 20"),
    "two active ones' ids swapped": run(
        "UPDATE customers SET id = 99 WHERE id = 2",
        "UPDATE customers SET id = 2 WHERE id = 7",
        "UPDATE customers SET id = 7 WHERE id = 99",
    ),
    "another person in a deleted one's row": run("UPDATE customers SET name = 'X', email = NULL WHERE id = 3"),
    "the kept runs removed": FORGET,
    "a true event written by hand": both(
        run("UPDATE customers SET deleted_at = NULL WHERE id = 4"), forging(with_copy(4, customer_id=4))
    ),
}


@pytest.mark.parametrize("name", NOT_CAUGHT)
def test_what_cannot_be_told_is_known(shop: Database, healthy: Healthy, name: str) -> None:
    NOT_CAUGHT[name](shop)
    assert red(shop, healthy.proof) == {}
