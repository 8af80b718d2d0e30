"""What was done to the database behind the product's back is found by the audit in plain SQL, by the right question."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable

import pytest
from auditing import audited, found, told
from shops import ADMIN, execute

from data.database import Database
from data.seals import seal, unseal


@pytest.fixture
def story(shop_after: Callable[..., Database]) -> Database:
    """Events 1 (baseline), 2 (delete 4), 3 (delete 1, with a note), 4 (delete 2), 5 (restore 1), 6 (seals January 2024)."""
    return shop_after(told)


HARM: dict[str, tuple[str, dict[str, int]]] = {
    "an altered body": (
        "UPDATE evenbooks_events SET body = REPLACE(body, '\"door\"', '\"Door\"') WHERE id = 3",
        {"chain": 1},
    ),
    "a body that is no JSON": (
        "UPDATE evenbooks_events SET body = 'nothing, 没有' WHERE id = 4",
        {"chain": 1, "before and after": 1, "deletions": 1},
    ),
    "an altered after": (
        'UPDATE evenbooks_events SET body = REPLACE(body, \'"after":{{"all_orders":3\', \'"after":{{"all_orders":4\') WHERE id = 5',
        {"chain": 1, "before and after": 1},
    ),
    "an altered actor": ("UPDATE evenbooks_events SET actor = UPPER(actor) WHERE id = 4", {"chain": 1}),
    "an altered time": ("UPDATE evenbooks_events SET at = '2020-01-01 00:00:00' WHERE id = 4", {"chain": 1}),
    "an altered note": ("UPDATE evenbooks_events SET note = 'polite' WHERE id = 3", {"chain": 1}),
    "a note where none was written": ("UPDATE evenbooks_events SET note = 'rude' WHERE id = 4", {"chain": 1}),
    "an altered hash": ("UPDATE evenbooks_events SET hash = UPPER(hash) WHERE id = 3", {"chain": 2}),
    "an event removed in the middle": ("DELETE FROM evenbooks_events WHERE id = 3", {"chain": 1}),
    "the deleting event removed": ("DELETE FROM evenbooks_events WHERE id = 4", {"chain": 1, "deletions": 1}),
    "the last event removed": ("DELETE FROM evenbooks_events WHERE id = 6", {"chain": 1, "seals": 1}),
    "the baseline removed": ("DELETE FROM evenbooks_events WHERE id = 1", {"chain": 2, "missing customers": 1}),
    "every event removed": (
        "DELETE FROM evenbooks_events",
        {"chain": 1, "deletions": 2, "missing customers": 1, "seals": 1},
    ),
    "a moved head": ("UPDATE evenbooks_chain SET event_id = 4", {"chain": 1}),
    "a removed head": ("DELETE FROM evenbooks_chain", {"chain": 1}),
    "deleted behind its back": (
        "UPDATE customers SET deleted_at = '2024-05-05 05:05:05' WHERE id = 3",
        {"deletions": 1},
    ),
    "restored behind its back": ("UPDATE customers SET deleted_at = NULL WHERE id = 2", {"deletions": 1}),
    "another time of deletion": (
        "UPDATE customers SET deleted_at = '2024-05-05 05:05:05' WHERE id = 2",
        {"deletions": 1},
    ),
    "deleted in the future": (
        "UPDATE customers SET deleted_at = '2037-05-05 05:05:05' WHERE id = 2",
        {"deletions": 1, "future": 1},
    ),
    "a customer physically removed": (
        "DELETE FROM customers WHERE id = 1",
        {"missing customers": 1, "named customers": 1},
    ),
    "a deleted customer physically removed": (
        "DELETE FROM customers WHERE id = 4",
        {"missing customers": 1, "named customers": 1, "deletions": 1},
    ),
    "an order of a deleted customer removed": ("DELETE FROM orders WHERE id = 7", {"lost orders": 1}),
    "an order of a sealed month altered": ("UPDATE orders SET total = 0.01 + total WHERE id = 1", {"seals": 1}),
    "an order of a sealed month removed": ("DELETE FROM orders WHERE id = 8", {"seals": 1}),
    "a seal removed": ("DELETE FROM evenbooks_seals", {"seals": 1}),
    "a seal altered": ("UPDATE evenbooks_seals SET total = '1.000000'", {"seals": 2}),
    "a seal with another checksum": ("UPDATE evenbooks_seals SET checksum = UPPER(checksum)", {"seals": 1}),
    "a seal opened": ("UPDATE evenbooks_seals SET unsealed_event_id = 99", {"seals": 1}),
    "a seal of nobody": ("UPDATE evenbooks_seals SET event_id = 99", {"seals": 2}),
}


@pytest.mark.parametrize(("harm", "expected"), HARM.values(), ids=HARM.keys())
def test_it_finds(story: Database, harm: str, expected: dict[str, int]) -> None:
    assert found(story) == {}
    execute(story.engine, harm)
    assert found(story) == expected
    titles = {row["check"].lower() for row in audited(story) if "check" in row}
    assert set(expected) <= titles  # each is also listed by its own question


ENDED = {
    "an ended seal altered": "UPDATE evenbooks_seals SET orders = 9 WHERE event_id = 6",
    "an ended seal removed": "DELETE FROM evenbooks_seals WHERE event_id = 6",
    "an ended seal in force again": "UPDATE evenbooks_seals SET unsealed_event_id = NULL WHERE event_id = 6",
    "ended by a later event": "UPDATE evenbooks_seals SET unsealed_event_id = 10 WHERE event_id = 6",
    "ended by an event before it": "UPDATE evenbooks_seals SET unsealed_event_id = 7 WHERE event_id = 11",
    "ended by another month's event": "UPDATE evenbooks_seals SET unsealed_event_id = 12 WHERE event_id = 11",
    "ended by one that sealed": "UPDATE evenbooks_seals SET unsealed_event_id = 8 WHERE event_id = 11",
}


@pytest.mark.parametrize("harm", ENDED.values(), ids=ENDED.keys())
def test_it_finds_how_a_seal_was_ended(story: Database, harm: str) -> None:
    # 6 to 12: January sealed, unsealed, sealed; February sealed; January unsealed, and sealed; February unsealed.
    unseal(story, "2024-01", actor=ADMIN, reason="mistake")
    seal(story, "2024-01", actor=ADMIN, reason="undo")
    seal(story, "2024-02", actor=ADMIN)
    unseal(story, "2024-01", actor=ADMIN, reason="mistake")
    seal(story, "2024-01", actor=ADMIN, reason="undo")
    unseal(story, "2024-02", actor=ADMIN, reason="mistake")
    assert found(story) == {}
    execute(story.engine, harm)
    assert found(story) == {"seals": 1}


def test_it_finds_a_column_that_fills_itself(story: Database) -> None:
    if story.engine.dialect.name == "sqlite":
        path = story.engine.url.database
        story.engine.dispose()
        with sqlite3.connect(str(path)) as connection:
            connection.execute("PRAGMA writable_schema = ON")
            connection.execute(
                "UPDATE sqlite_master SET sql = replace(sql, 'DEFAULT NULL', 'DEFAULT CURRENT_TIMESTAMP')"
            )
        connection.close()
    else:
        execute(story.engine, "ALTER TABLE customers ALTER deleted_at SET DEFAULT '2024-01-01 00:00:00'")
    assert found(story) == {"deleted at": 1}


def test_it_says_what_is_wrong_with_an_event(story: Database) -> None:
    execute(story.engine, "DELETE FROM evenbooks_events WHERE id = 3", "UPDATE evenbooks_chain SET event_id = 5")
    problems = [(str(row["event"]), row["problem"]) for row in audited(story, "chain")]
    assert problems == [("4", "event before it is missing, prev"), ("6", "head points to event 5")]
