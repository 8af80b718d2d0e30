"""The chain of events: whatever is altered, removed or moved is found, and without its head nothing is written."""

from __future__ import annotations

import pytest
from shops import STAFF, execute, problems, rows, state
from sqlalchemy import text

from data import events, queries
from data.customers import delete_many, restore_many
from data.database import Database, snapshot
from data.errors import EvenbooksError


@pytest.fixture
def story(shop: Database) -> Database:
    """Events 1 (baseline), 2 (delete 4), 3 (delete 1, with a note), 4 (delete 2), 5 (restore 1)."""
    delete_many(shop, [1], actor=STAFF, reason="rude on the phone")
    delete_many(shop, [2], actor=STAFF, reason="duplicate")
    restore_many(shop, [1], actor=STAFF, reason="undo")
    assert problems(shop) == []
    return shop


HARM = {
    "an altered body": (
        "UPDATE evenbooks_events SET body = REPLACE(body, '\"orders\":3', '\"orders\":4') WHERE id = 3",
        ["3: its hash is not that of its content"],
    ),
    "a body that is no JSON": (
        "UPDATE evenbooks_events SET body = 'nothing' WHERE id = 3",
        ["3: its body cannot be read", "3: its hash is not that of its content"],
    ),
    "an altered column": (
        "UPDATE evenbooks_events SET actor = 'somebody' WHERE id = 3",
        ["3: its actor is not what its body says"],
    ),
    "an altered time": (
        "UPDATE evenbooks_events SET at = '2020-01-01 00:00:00' WHERE id = 3",
        ["3: its at is not what its body says"],
    ),
    "an altered customer": (
        "UPDATE evenbooks_events SET customer_id = 5 WHERE id = 3",
        ["3: its customer_id is not what its body says"],
    ),
    "an altered note": (
        "UPDATE evenbooks_events SET note = 'polite' WHERE id = 3",
        ["3: its note is not the one that was written"],
    ),
    "a note where none was written": (
        "UPDATE evenbooks_events SET note = 'rude' WHERE id = 4",
        ["4: its note is not the one that was written"],
    ),
    "a note without its salt": (
        "UPDATE evenbooks_events SET note_salt = NULL WHERE id = 3",
        ["3: its note is not the one that was written"],
    ),
    "an altered hash": (
        "UPDATE evenbooks_events SET hash = REPEAT_A WHERE id = 3",
        ["3: its hash is not that of its content", "4: it does not continue the event before it"],
    ),
    "a removed event in the middle": (
        "DELETE FROM evenbooks_events WHERE id = 3",
        ["4: it follows event 2, so events between them are missing", "4: it does not continue the event before it"],
    ),
    "a removed first event": (
        "DELETE FROM evenbooks_events WHERE id = 1",
        ["2: it follows event 0, so events between them are missing", "2: it does not continue the event before it"],
    ),
    "a removed last event": (
        "DELETE FROM evenbooks_events WHERE id = 5",
        ["4: the chain ends here, but its head points to event 5"],
    ),
    "a moved head": (
        "UPDATE evenbooks_chain SET event_id = 4",
        ["5: the chain ends here, but its head points to event 4"],
    ),
    "a removed head": (
        "DELETE FROM evenbooks_chain",
        ["5: the chain ends here, but its head is gone"],
    ),
    "no event left": (
        "DELETE FROM evenbooks_events",
        ["0: the chain ends here, but its head points to event 5"],
    ),
}


@pytest.mark.parametrize(("harm", "found"), HARM.values(), ids=HARM.keys())
def test_it_finds(story: Database, harm: str, found: list[str]) -> None:
    execute(story.engine, harm.replace("REPEAT_A", f"'{'a' * 64}'"))
    assert sorted(problems(story)) == sorted(found)


def test_an_erased_note_is_no_harm(story: Database) -> None:
    execute(story.engine, "UPDATE evenbooks_events SET note = NULL, note_salt = NULL")
    assert problems(story) == []


def test_one_line_of_sql_recomputes_the_hashes(story: Database) -> None:
    if story.engine.dialect.name == "sqlite":
        assert all(row[10] == events.link(row[9], row[8]) for row in rows(story, "evenbooks_events"))
        return
    with story.engine.connect() as connection:
        by_hand = {
            "mysql": "SHA2(CONCAT(prev, body), 256)",
            "postgresql": "encode(sha256(convert_to(prev || body, 'UTF8')), 'hex')",
        }
        wrong = connection.execute(
            text(f"SELECT id FROM evenbooks_events WHERE hash <> {by_hand[story.schema.dialect]}")
        )
        assert wrong.all() == []


def test_a_forged_event_with_a_right_hash_does_not_fit_the_head(story: Database) -> None:
    body = rows(story, "evenbooks_events")[-1][8].replace('"actor":"test:staff"', '"actor":"test:boss"')
    prev = rows(story, "evenbooks_events")[-1][9]
    with story.engine.connect().execution_options(write=True) as connection, connection.begin():
        statement = text("UPDATE evenbooks_events SET body = :body, actor = 'test:boss', hash = :hash WHERE id = 5")
        connection.execute(statement, {"body": body, "hash": events.link(prev, body)})
    assert problems(story) == ["5: the chain ends here, but its head points to event 5"]


def test_without_its_head_every_change_is_refused_with_a_sentence(story: Database) -> None:
    execute(story.engine, "DELETE FROM evenbooks_chain")
    before = state(story)
    with pytest.raises(EvenbooksError, match=r"has lost its head .* Run: python -m data.integrity"):
        delete_many(story, [5], actor=STAFF, reason="requested")
    assert state(story) == before


def test_the_chain_is_read_in_chunks(story: Database) -> None:
    with snapshot(story) as moment:
        chunks = queries.stream_chain(moment.connection, story.schema, chunk=2)
        assert [row.id for row in chunks] == [1, 2, 3, 4, 5]


def test_lists_of_events_are_newest_first_and_of_one_customer(story: Database) -> None:
    with snapshot(story) as moment:

        def listed(**which: int) -> list[int]:
            return [e.id for e in queries.list_events(moment.connection, story.schema, **which)]

        assert listed() == [5, 4, 3, 2, 1]
        assert listed(customer_id=1) == [5, 3]
        assert listed(before_id=4, limit=2) == [3, 2]
        deletions = queries.list_deletions(moment.connection, story.schema, [1, 2, 3])
        assert {customer: event.id for customer, event in deletions.items()} == {1: 3, 2: 4}
