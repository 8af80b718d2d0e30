"""The history: every event by filter and page, and the evidence that one is whole."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from shops import ADMIN, STAFF, execute, rows

from data import history, queries
from data.customers import delete_many, restore_many
from data.database import Database, snapshot
from data.errors import InvalidInput
from data.history import Evidence
from data.queries import EventFilter
from data.records import Event, Page

SQLITE = pytest.mark.parametrize("engine_name", ["sqlite"], indirect=True)


def read(shop: Database, *, after: str | None = None, before: str | None = None, **asked: str | None) -> Page[Event]:
    """A page of three events."""
    with snapshot(shop) as moment:
        where = history.read_filter(shop.schema, asked)
        return history.list_page(moment.connection, shop.schema, where, after=after, before=before, limit=3)


def ids(page: Page[Event]) -> list[int]:
    return [event.id for event in page.items]


def evidence(shop: Database, event_id: int) -> Evidence:
    with snapshot(shop) as moment:
        found = history.get_evidence(moment.connection, shop.schema, event_id)
    assert found is not None
    return found


@pytest.fixture
def told(shop: Database) -> Database:
    """Two deletions together by staff, one with a note by admin, then one customer restored."""
    delete_many(shop, [1, 2], actor=STAFF, reason="requested")
    delete_many(shop, [3], actor=ADMIN, reason="mistake", note="why")
    restore_many(shop, [1], actor=ADMIN, reason="undo")
    return shop


def test_pages_lead_to_every_event_and_back(told: Database) -> None:
    last = rows(told, "evenbooks_events")[-1][0]
    seen, page = [], read(told)
    assert page.previous is None
    while page.next:
        seen += ids(page)
        page = read(told, after=page.next)
    seen += ids(page)
    assert seen == list(range(last, 0, -1))
    back = read(told, before=page.previous)
    assert ids(back) == [ids(page)[0] + n for n in (3, 2, 1)]
    while back.previous:
        back = read(told, before=back.previous)
    assert ids(back)[0] == last
    for cursor in ("x", "-1", "1e3", "9" * 30, "²"):
        with pytest.raises(InvalidInput):
            read(told, after=cursor)


def test_each_filter_lets_through_what_it_names(told: Database) -> None:
    last = rows(told, "evenbooks_events")[-1][0]
    batch = "f" * 32
    execute(told.engine, f"UPDATE evenbooks_events SET batch_id = '{batch}' WHERE id BETWEEN {last - 3} AND {last - 2}")
    today = f"{datetime.now(UTC):%Y-%m-%d}"
    for asked, expected in (
        ({"customer": "1"}, [last, last - 3]),
        ({"action": "restore"}, [last]),
        ({"who": "STAFF"}, [last - 2, last - 3]),  # a part of the name, small or capital
        ({"who": "%"}, []),
        ({"reason": "mistake"}, [last - 1]),
        ({"door": "dashboard"}, [last - 2, last - 3]),
        ({"batch": batch}, [last - 2, last - 3]),
        ({"customer": "1", "action": "delete", "who": "test:"}, [last - 3]),
        ({"from": "2999-01-01"}, []),
        ({"to": "1999-01-01"}, []),
        ({"from": today, "to": today, "action": "restore"}, [last]),
        ({"customer": "999"}, []),
    ):
        assert ids(read(told, **asked)) == expected, asked
    assert [read(told, **{name: "x"}).scanned for name in ("who", "batch", "action")] == [True, False, True]


@SQLITE
def test_a_day_is_one_of_the_viewers_zone(told: Database) -> None:
    event = rows(told, "evenbooks_events")[-1][0]
    execute(told.engine, f"UPDATE evenbooks_events SET at = '2026-03-01 23:30:00' WHERE id <= {event}")
    assert not ids(read(told, **{"from": "2026-03-02", "zone": "UTC"}))
    assert ids(read(told, **{"from": "2026-03-02", "to": "2026-03-02", "zone": "Europe/Berlin"}))[0] == event
    for asked in (
        {"from": "2026-3-1"},
        {"to": "9999-12-31"},
        {"zone": "Moon/Base"},
        {"customer": "Ana"},
        {"who": "\0"},
    ):
        with pytest.raises(InvalidInput):
            read(told, **asked)


@SQLITE
def test_days_find_their_events_by_halves_also_where_clocks_differed(shop: Database) -> None:
    """400 events, a minute apart, of which every third clock is 20 minutes behind: none of half an hour is missed."""
    with shop.engine.connect() as connection:
        last = connection.exec_driver_sql("SELECT max(id) FROM evenbooks_events").scalar_one()
    first, day = datetime(2026, 3, 1, 20, tzinfo=UTC), datetime(2026, 3, 2, tzinfo=UTC)
    times = [first + timedelta(minutes=n - (20 if n % 3 == 0 else 0)) for n in range(400)]
    values = ", ".join(
        f"({last + n}, '{at:%Y-%m-%d %H:%M:%S}', 'edit', 'a', 'api', '-', 'p', 'h')" for n, at in enumerate(times, 1)
    )
    execute(
        shop.engine,
        f"UPDATE evenbooks_events SET at = '2026-01-01 00:00:00' WHERE id <= {last}",
        f"INSERT INTO evenbooks_events (id, at, action, actor, door, body, prev, hash) VALUES {values}",
    )
    numbered = {last + n: at for n, at in enumerate(times, 1)}
    with snapshot(shop) as moment:
        for since in (day + timedelta(minutes=n) for n in range(-40, 40)):
            where = EventFilter(since=since, until=since + timedelta(minutes=30))
            found = queries.list_events(moment.connection, shop.schema, where=where, limit=1000)
            expected = [number for number, at in numbered.items() if since <= at < since + timedelta(minutes=30)]
            assert [event.id for event in found] == expected[::-1], since


@SQLITE
def test_the_evidence_of_an_event_says_what_was_altered(told: Database) -> None:
    last = rows(told, "evenbooks_events")[-1][0]
    for event_id in range(1, last + 1):
        assert evidence(told, event_id).problems == []
    noted = last - 1
    execute(told.engine, f"UPDATE evenbooks_events SET note = 'other' WHERE id = {noted}")
    assert evidence(told, noted).problems == ["Its note is not the one that was written."]
    execute(told.engine, f"UPDATE evenbooks_events SET body = replace(body, 'delete', 'forget') WHERE id = {last - 2}")
    assert evidence(told, last - 2).problems == ["Its hash is not that of its content."]
    execute(told.engine, f"UPDATE evenbooks_events SET hash = 'x' WHERE id = {last - 1}")
    assert "It does not continue the event before it." in evidence(told, last).problems
