"""Changes asked for at the same moment share a transaction; each gets its own answer, and nobody another's error."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

import pytest
from patience import eventually
from shops import ADMIN, STAFF, execute, problems, rows, state, trigger

from data import engines, queries
from data.customers import delete_many, restore_many
from data.database import Database, snapshot
from data.engines import make_engine
from data.errors import BooksMoved, CustomerNotFound

Act = Callable[[], Any]


@contextmanager
def held(shop: Database, monkeypatch: pytest.MonkeyPatch) -> Iterator[list[int]]:
    """Holds the first transaction at its first statement until the block ends; tells how many each one marked."""
    entered, go_on, marked = threading.Event(), threading.Event(), list[int]()
    lock_head, mark_deleted = queries.lock_head, queries.mark_deleted

    def wait(*arguments: Any) -> Any:
        monkeypatch.setattr(queries, "lock_head", lock_head)
        entered.set()
        assert go_on.wait(60)
        return lock_head(*arguments)

    def count(connection: Any, schema: Any, ids: Sequence[Any], **named: Any) -> int:
        marked.append(len(ids))
        return mark_deleted(connection, schema, ids, **named)

    monkeypatch.setattr(queries, "lock_head", wait)
    monkeypatch.setattr(queries, "mark_deleted", count)
    with ThreadPoolExecutor(1) as first:
        leading = first.submit(delete_many, shop, [5], actor=ADMIN, reason="inactive")
        assert entered.wait(60)
        try:
            yield marked
        finally:
            go_on.set()
        assert leading.result()[0].changed


def together(shop: Database, monkeypatch: pytest.MonkeyPatch, acts: Sequence[Act]) -> tuple[list[Any], list[int]]:
    """What became of these, all of which waited while the first transaction was held."""
    with ThreadPoolExecutor(len(acts)) as pool:
        with held(shop, monkeypatch) as marked:
            futures: list[Future[Any]] = []
            for number, act in enumerate(acts, start=1):
                futures.append(pool.submit(act))
                eventually(lambda number=number: len(shop.turns._waiting) >= number)  # type: ignore[misc]
        return [future.exception() or future.result()[0] for future in futures], marked


def deleting(shop: Database, customer_id: int, reason: str = "requested") -> Act:
    return lambda: delete_many(shop, [customer_id], actor=STAFF, reason=reason)


def test_those_who_wait_share_a_transaction_and_each_has_an_answer(
    shop: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    acts = [
        deleting(shop, 1, "by letter"),
        deleting(shop, 404),
        lambda: restore_many(shop, [4], actor=ADMIN, reason="mistake"),
        deleting(shop, 2),
        deleting(shop, 1),  # the same customer waits for the next turn
    ]
    (one, nobody, back, two, again), marked = together(shop, monkeypatch, acts)
    assert marked == [1, 2]
    assert isinstance(nobody, CustomerNotFound)
    assert [(o.customer.id, o.changed) for o in (one, back, two, again)] == [
        (1, True),
        (4, True),
        (2, True),
        (1, False),
    ]
    assert again.event_id == one.event_id
    with snapshot(shop) as moment:
        found = queries.list_events(moment.connection, shop.schema, limit=3)
    assert [(e.action, e.customer_id, e.actor, e.reason, e.note) for e in reversed(found)] == [
        ("delete", 1, "test:staff", "other", "by letter"),
        ("restore", 4, "test:admin", "mistake", None),
        ("delete", 2, "test:staff", "requested", None),
    ]
    assert problems(shop) == []


def test_one_that_fails_does_not_fail_the_others(shop: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    harm = "UPDATE orders SET total = total + 1 WHERE customer_id = OLD.id AND OLD.id = 2"
    execute(shop.engine, trigger(shop.engine, harm))
    orders = rows(shop, "orders")
    (one, moved, three), _ = together(shop, monkeypatch, [deleting(shop, n) for n in (1, 2, 3)])
    assert (one.changed, three.changed) == (True, True)
    assert isinstance(moved, BooksMoved)
    assert "customer 2" in str(moved)
    assert rows(shop, "orders") == orders
    assert [row[0] for row in state(shop)["customers"] if row[-1] is None] == [2]
    assert problems(shop) == []


KILLING = {
    "mysql": ("SELECT CONNECTION_ID()", "KILL ?"),
    "postgresql": ("SELECT pg_backend_pid()", "SELECT pg_terminate_backend(?)"),
}


@pytest.mark.parametrize("engine_name", ["mariadb", "postgresql"], indirect=True)
def test_a_connection_lost_during_a_pause_is_noticed(shop: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engines, "LONGEST_PAUSE", 0.0)
    with shop.engine.connect() as connection:
        ask, kill = KILLING[shop.schema.dialect]
        number = connection.exec_driver_sql(ask).scalar_one()
    other = make_engine(shop.settings.url)
    execute(other, kill.replace("?", str(number)))
    other.dispose()
    assert delete_many(shop, [1], actor=STAFF, reason="requested")[0].changed


@pytest.mark.parametrize("engine_name", ["mariadb", "postgresql"], indirect=True)
def test_a_connection_that_comes_back_in_a_transaction_is_rolled_back(shop: Database) -> None:
    before = state(shop)
    delete_many(shop, [1], actor=STAFF, reason="requested")  # leaves its connection known to be at rest
    restore_many(shop, [1], actor=STAFF, reason="undo")
    raw = shop.engine.raw_connection()
    raw.cursor().execute("UPDATE customers SET name = 'X'")
    raw.close()
    with shop.engine.begin() as connection:
        connection.exec_driver_sql("SELECT 1")
    assert state(shop)["customers"] == before["customers"]
