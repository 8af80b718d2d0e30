"""The answer to COMMIT is lost: whoever waits for it is told what became of it, alone, in a group, and through the API."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import pytest
from acts import assert_well, delete, events_since, last_event
from cutting_proxy import CuttingProxy, cutting_proxy
from fastapi.testclient import TestClient
from migrating import build, said
from servers import fresh_mariadb
from shops import ADMIN, STAFF, problems, rows
from staff_client import staff_client
from test_shared_turns import together

from data import database as databases
from data import queries
from data.customers import delete_many, restore_many
from data.database import Database, attach
from data.errors import CustomerNotFound, OutcomeUnknown

ON_SERVERS = pytest.mark.parametrize("engine_name", ["mariadb", "postgresql"], indirect=True)
ON_ONE = pytest.mark.parametrize("engine_name", ["mariadb"], indirect=True)
MARK = "UPDATE customers"


def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """A database that is away is given up soon."""
    monkeypatch.setattr(databases, "PATIENCE", 0.05)
    monkeypatch.setattr(databases, "RECONNECTING", 0.05)


@ON_SERVERS
@pytest.mark.parametrize("how", ["after", "late"])
def test_done_and_told_as_done_and_the_second_time_it_had_been_done(
    shop: Database, through: Database, proxy: CuttingProxy, how: Any
) -> None:
    before = last_event(shop)
    proxy.cut("COMMIT", how, following=MARK)
    (event_id,) = delete(through, [1])
    assert events_since(shop, before) == {event_id: "delete"}
    (again,) = delete_many(through, [1], actor=STAFF, reason="requested")
    assert (again.changed, again.event_id) == (False, event_id)
    assert_well(shop, through)


@ON_SERVERS
def test_lost_twice_it_is_still_told_as_done(
    shop: Database, through: Database, proxy: CuttingProxy, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The first COMMIT does not arrive; the answer to the second is lost; so is the answer to who asks what became of it."""
    before, asked = last_event(shop), list[str]()
    original = queries.event_hash

    def look(*arguments: Any) -> Any:
        found = original(*arguments)
        asked.append("asked")
        if len(asked) == 1:  # nothing of the first was there, so the work goes on; its COMMIT is lost the other way
            proxy.cut("COMMIT", "after", following=MARK)
        elif len(asked) == 2:
            proxy.cut(1, "before")
        return found

    monkeypatch.setattr(queries, "event_hash", look)
    proxy.cut("COMMIT", "before", following=MARK)
    (event_id,) = delete(through, [1])
    assert len(asked) > 2
    assert events_since(shop, before) == {event_id: "delete"}
    assert_well(shop, through)


def cut_together(
    shop: Database,
    through: Database,
    proxy: CuttingProxy,
    monkeypatch: pytest.MonkeyPatch,
    acts: Sequence[Callable[[], Any]],
    order: Callable[[], None],
) -> list[Any]:
    """What became of these, who waited for one transaction, while `order` was given when it began."""
    impact = queries.get_customers_with_impact

    def begin(connection: Any, schema: Any, ids: Sequence[Any], **named: Any) -> Any:
        if len(ids) > 1:
            monkeypatch.setattr(queries, "get_customers_with_impact", impact)
            order()
        return impact(connection, schema, ids, **named)

    monkeypatch.setattr(queries, "get_customers_with_impact", begin)
    answers, _ = together(through, monkeypatch, acts)
    assert proxy.has_cut.is_set()
    return answers


def several(through: Database) -> list[Callable[[], Any]]:
    """Of different customers; one is not there."""
    return [
        lambda: delete_many(through, [1], actor=STAFF, reason="requested"),
        lambda: delete_many(through, [404], actor=STAFF, reason="requested"),
        lambda: restore_many(through, [4], actor=ADMIN, reason="mistake"),
        lambda: delete_many(through, [2], actor=STAFF, reason="duplicate"),
    ]


@ON_SERVERS
@pytest.mark.parametrize("how", ["before", "after", "late"])
def test_of_a_group_each_gets_the_answer_that_is_theirs(
    shop: Database, through: Database, proxy: CuttingProxy, monkeypatch: pytest.MonkeyPatch, how: Any
) -> None:
    before = last_event(shop)
    one, nobody, back, two = cut_together(
        shop, through, proxy, monkeypatch, several(through), lambda: proxy.cut("COMMIT", how)
    )
    assert isinstance(nobody, CustomerNotFound)
    assert [(o.customer.id, o.changed) for o in (one, back, two)] == [(1, True), (4, True), (2, True)]
    found = events_since(shop, before)
    assert {found.pop(o.event_id) for o in (one, two)} == {"delete"}
    assert found.pop(back.event_id) == "restore"
    assert list(found.values()) == ["delete"]  # the one before them
    assert_well(shop, through)


@ON_SERVERS
@pytest.mark.parametrize("how", ["before", "after"])
def test_of_a_group_whose_database_stays_away_each_is_told_that_nobody_knows(
    shop: Database, through: Database, proxy: CuttingProxy, monkeypatch: pytest.MonkeyPatch, how: Any
) -> None:
    before = last_event(shop)
    impatient(monkeypatch)
    acts = several(through)
    answers = cut_together(shop, through, proxy, monkeypatch, acts, lambda: proxy.cut("COMMIT", how, gone=True))
    assert [type(answer) for answer in answers] == [OutcomeUnknown] * 4
    done = list(events_since(shop, before).values())[1:]
    assert sorted(done) == ([] if how == "before" else ["delete", "delete", "restore"])
    proxy.come_back()
    again = [act()[0] for act in (acts[0], acts[2], acts[3])]
    assert [outcome.changed for outcome in again] == [how == "before"] * 3
    found = events_since(shop, before)
    assert sorted(found.values()) == ["delete", "delete", "delete", "restore"]
    assert {outcome.event_id for outcome in again} < set(found)
    assert_well(shop, through)


@pytest.fixture
def lasting(mariadb_url: str, own_folder: None) -> Iterator[Database]:
    """A migrated shop whose customers are stored by MyISAM."""
    with fresh_mariadb(mariadb_url) as url:
        settings = build(
            url,
            "CREATE TABLE customers (id {key}, name VARCHAR(60) NOT NULL, email VARCHAR(80), phone VARCHAR(20), created_at {time} NULL) ENGINE=MyISAM",
        )
        said(settings)
        database = attach(settings)
        yield database
        database.engine.dispose()


def marked(shop: Database) -> list[int]:
    return [row[0] for row in rows(shop, "customers") if row[-1] is not None]


@pytest.mark.parametrize("how", ["before", "after", "late"])
def test_where_nothing_rolls_back_the_mark_and_the_event_agree(lasting: Database, how: Any) -> None:
    with cutting_proxy(lasting.settings.database_url) as proxy:
        through = attach(lasting.settings.model_copy(update={"database_url": proxy.url}))
        for number in (1, 2):
            before = last_event(lasting)
            proxy.cut("COMMIT", how, following=MARK)
            (event_id,) = delete(through, [number])
            assert proxy.has_cut.wait(10)
            assert events_since(lasting, before) == {event_id: "delete"}
        assert marked(lasting) == [1, 2]
        assert problems(lasting) == []
        through.engine.dispose()


@pytest.fixture
def http(through: Database, monkeypatch: pytest.MonkeyPatch) -> Iterator[TestClient]:
    """The API on the shop, with somebody's token, whose use was noted a moment ago."""
    with staff_client(through, monkeypatch) as client:
        yield client


@ON_SERVERS
def test_the_api_answers_that_it_is_done(
    shop: Database, through: Database, proxy: CuttingProxy, http: TestClient
) -> None:
    before = last_event(shop)
    proxy.cut("COMMIT", "after", following=MARK)
    answer = http.delete("/staff/customers/1", params={"reason": "requested"})
    assert (answer.status_code, answer.json()["changed"]) == (200, True)
    assert list(events_since(shop, before)) == [answer.json()["event_id"]]
    assert proxy.has_cut.is_set()
    assert_well(shop, through)


@ON_SERVERS
def test_the_api_answers_that_nobody_knows_and_the_second_time_it_had_been_done(
    shop: Database, through: Database, proxy: CuttingProxy, http: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = last_event(shop)
    with monkeypatch.context() as soon:
        impatient(soon)
        proxy.cut("COMMIT", "after", gone=True, following=MARK)
        answer = http.delete("/staff/customers/1", params={"reason": "requested"})
        assert answer.status_code == 503
        assert "Retry-After" not in answer.headers  # which would say that it should be sent again
        assert answer.json()["error"] == {"code": "outcome_unknown", "message": str(OutcomeUnknown())}
        answer = http.delete("/staff/customers/2", params={"reason": "requested"})
        assert (answer.status_code, answer.json()["error"]["code"]) == (503, "database_unavailable")
    proxy.come_back()
    answer = http.delete("/staff/customers/1", params={"reason": "requested"})
    assert (answer.status_code, answer.json()["changed"]) == (200, False)
    assert list(events_since(shop, before)) == [answer.json()["event_id"]]
    assert_well(shop, through)
