"""The log lines of writes: one each, after the commit or the failure, with nothing personal in them."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import pytest
from shops import AUDITOR, STAFF, execute, rows

from data import customers
from data.access import Actor, Door, Role
from data.database import Database
from data.errors import EvenbooksError
from data.write_log import name_actor

STAFF_SAID, AUDITOR_SAID = "person:d001a5a9ecede466", "person:211eb875daea8df9"
PERSONAL = ("test:", "Ana", "Lima", "ana@", "Dora", "example.com", "by phone", "Zoe")


def delete(shop: Database, *ids: Any, actor: Any = STAFF, reason: str = "Ana asked by phone") -> Any:
    return customers.delete_many(shop, list(ids), actor=actor, reason=reason)


def restore_each(shop: Database, *ids: Any) -> Any:
    return customers.restore_each(shop, list(ids), actor=STAFF, reason="mistake")


def edit(shop: Database, customer_id: Any, **values: str) -> Any:
    return customers.edit(shop, customer_id, values, shown={"name": "Ana Lima"}, actor=STAFF)


WRITES: list[tuple[Callable[[Database], Any], list[dict[str, Any]]]] = [
    (lambda s: delete(s, 1), [{"action": "delete", "id": 1, "outcome": "changed"}]),
    (lambda s: delete(s, "4"), [{"action": "delete", "id": 4, "outcome": "already"}]),
    (lambda s: delete(s, 1, 4, 2), [{"action": "delete", "count": 3, "batch": "THE BATCH", "outcome": "changed"}]),
    (lambda s: delete(s, 404), [{"action": "delete", "id": 404, "outcome": "CustomerNotFound"}]),
    (lambda s: delete(s, "ana@example.com"), [{"action": "delete", "id": None, "outcome": "CustomerNotFound"}]),
    (
        lambda s: delete(s, 1, 404),
        [{"action": "delete", "count": 2, "batch": "THE BATCH", "outcome": "CustomerNotFound"}],
    ),
    (lambda s: delete(s, 1, reason=" "), [{"action": "delete", "id": 1, "outcome": "InvalidInput"}]),
    (
        lambda s: delete(s, 1, actor=AUDITOR),
        [{"action": "delete", "actor": AUDITOR_SAID, "id": 1, "outcome": "NotPermitted"}],
    ),
    (
        lambda s: customers.restore_many(s, [4], actor=STAFF, reason="mistake"),
        [{"action": "restore", "id": 4, "outcome": "changed"}],
    ),
    (
        lambda s: restore_each(s, 4, 404, 1),
        [
            {"action": "restore", "id": 4, "batch": "THE BATCH", "outcome": "changed"},
            {"action": "restore", "id": 404, "batch": "THE BATCH", "outcome": "CustomerNotFound"},
            {"action": "restore", "id": 1, "batch": "THE BATCH", "outcome": "already"},
        ],
    ),
    (
        lambda s: customers.add(s, {"name": "Zoe"}, actor=STAFF),
        [{"action": "add", "id": 6, "outcome": "changed"}],
    ),
    (
        lambda s: customers.add(s, {"name": "Zoe", "email": "dora@example.com"}, actor=STAFF),
        [{"action": "add", "id": None, "outcome": "EmailTaken"}],
    ),
    (lambda s: edit(s, 1, name="Zoe"), [{"action": "edit", "id": 1, "outcome": "changed"}]),
    (lambda s: edit(s, 1, name="Ana Lima"), [{"action": "edit", "id": 1, "outcome": "already"}]),
    (lambda s: edit(s, 4, name="Zoe"), [{"action": "edit", "id": 4, "outcome": "Conflict"}]),
]


@pytest.mark.parametrize("engine_name", ["sqlite"], indirect=True)
@pytest.mark.parametrize(("write", "expected"), WRITES)
def test_every_write_leaves_its_line(
    shop: Database, caplog: pytest.LogCaptureFixture, write: Callable[[Database], Any], expected: list[dict[str, Any]]
) -> None:
    with caplog.at_level(logging.INFO, logger="evenbooks.writes"), suppress(EvenbooksError):
        write(shop)
    lines = [json.loads(record.message) for record in caplog.records if record.name == "evenbooks.writes"]
    assert all(isinstance(line.pop("ms"), float) for line in lines)
    batches = {line["batch"] for line in lines if line.get("batch")}
    assert all(line["batch"] == next(iter(batches)) for line in lines if line.get("batch"))
    told = [{**line, **({"batch": "THE BATCH"} if line.get("batch") else {})} for line in lines]
    last = max(row[0] for row in rows(shop, "evenbooks_events"))
    known = {("delete", "changed"): last, ("restore", "changed"): last}  # the others have no outcome
    events = [{"event": known.get((line["action"], line["outcome"]))} for line in expected]
    whole = [
        {"actor": STAFF_SAID, "door": "dashboard", **line, **of} for line, of in zip(expected, events, strict=True)
    ]
    assert told == whole
    assert len(batches) == (1 if any(line.get("batch") for line in expected) else 0)
    assert not any(word in caplog.text for word in PERSONAL)


@pytest.mark.parametrize(
    ("actor_id", "said"),
    [
        ("os:root", "os:root"),
        ("token:erp", "token:erp"),
        ("ana@example.com", "person:8e43ca37701228e7"),
        ("https://id.example#ana@example.com", "person:e04af4d238aa5c07"),
    ],
)
def test_who_signed_in_is_told_by_a_hash(actor_id: str, said: str) -> None:
    assert name_actor(Actor(actor_id, Role.STAFF, Door.DASHBOARD)) == said


@pytest.mark.parametrize("engine_name", ["sqlite"], indirect=True)
def test_the_line_comes_after_the_commit(shop: Database) -> None:
    seen: list[Any] = []

    class Look(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            with shop.engine.connect() as other:
                seen.append(other.exec_driver_sql("SELECT deleted_at FROM customers WHERE id = 1").scalar())

    logger, handler = logging.getLogger("evenbooks.writes"), Look()
    level = logger.level
    logger.addHandler(handler)
    logger.setLevel(logging.INFO)
    try:
        delete(shop, 1)
    finally:
        logger.removeHandler(handler)
        logger.setLevel(level)
    assert [bool(at) for at in seen] == [True]


@pytest.mark.parametrize("engine_name", ["sqlite"], indirect=True)
def test_a_text_id_is_told_only_of_a_customer_who_is_there(empty_url: str, opened: Any, caplog: Any) -> None:
    made = "CREATE TABLE customers (id VARCHAR(20) PRIMARY KEY, name VARCHAR(60), email VARCHAR(80), created_at {time})"
    sold = "CREATE TABLE orders (id {key}, customer_id VARCHAR(20), ordered_at {time}, total DECIMAL(12,2) NOT NULL)"
    shop = opened(empty_url, customers=made, orders=sold, people=[{"id": "A1", "name": "N"}], sales=[], sections=None)
    harm = "UPDATE customers SET deleted_at = NULL WHERE id = NEW.id; SELECT RAISE(ABORT, 'no')"
    with caplog.at_level(logging.INFO, logger="evenbooks.writes"):
        for key in ("A1", "Ana Lima"):
            try:
                delete(shop, key)
            except EvenbooksError:
                execute(shop.engine, f"CREATE TRIGGER t AFTER UPDATE ON customers BEGIN {harm}; END")
    assert [json.loads(record.message)["id"] for record in caplog.records] == ["A1", None]
    assert rows(shop, "customers")[0][0] == "A1"
