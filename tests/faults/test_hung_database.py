"""A connection of which nothing is heard any more: what waits for it, what goes on meanwhile, and what ends it."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

import pytest
from acts import assert_well, delete, events_since, last_event
from cutting_proxy import CuttingProxy, How
from shops import STAFF

from data import database as databases
from data import engines, hosts, queries
from data.customers import delete_many
from data.database import Database, attach, snapshot
from data.errors import DatabaseBusy, OutcomeUnknown
from data.pool import pool_figures

ON_SERVERS = pytest.mark.parametrize("engine_name", ["mariadb", "postgresql"], indirect=True)
MARK = "UPDATE customers"


@contextmanager
def hanging(through: Database, proxy: CuttingProxy, at: int | str, how: How) -> Iterator[Future[Any]]:
    """A deletion of customer 1 that hangs there."""
    with ThreadPoolExecutor(1) as pool:
        proxy.cut(at, how, following=MARK)
        deletion = pool.submit(delete, through, [1])
        try:
            assert proxy.has_cut.wait(60)
            yield deletion
        finally:
            proxy.go()
            proxy.come_back()


@ON_SERVERS
def test_whose_answer_does_not_come_waits_the_others_go_on_and_in_the_end_it_is_told_as_done(
    shop: Database, through: Database, proxy: CuttingProxy
) -> None:
    before = last_event(shop)
    with hanging(through, proxy, "COMMIT", "unanswered") as deletion:
        with snapshot(through) as moment:  # reads of the same process
            assert queries.count_customers(moment.connection, through.schema)
        other = attach(through.settings)  # as another process
        assert delete_many(other, [2], actor=STAFF, reason="requested")[0].changed
        other.engine.dispose()
        assert not deletion.done()
        assert pool_figures(through)["in_use"] == 1
    (event_id,) = deletion.result(60)
    assert list(events_since(shop, before).values()) == ["delete"] * 2
    assert event_id == before + 1
    assert_well(shop, through)


@ON_SERVERS
@pytest.mark.parametrize("how", ["unanswered", "swallowed"])
def test_an_answer_to_commit_is_waited_for_so_long_and_then_all_who_waited_with_it_go_on(
    shop: Database, through: Database, proxy: CuttingProxy, monkeypatch: pytest.MonkeyPatch, how: How
) -> None:
    """The connection stays, and nothing is heard of it: what became of the change is asked on another."""
    monkeypatch.setattr(databases, "COMMIT", 1.0)
    before = last_event(shop)
    with hanging(through, proxy, "COMMIT", how) as deletion:
        (behind,) = delete(through, [2])  # one customer: it waits for that one's turn
        (event_id,) = deletion.result(60)
    assert sorted(events_since(shop, before)) == sorted([event_id, behind])
    assert pool_figures(through)["in_use"] == 0
    assert_well(shop, through)


@ON_SERVERS
def test_an_answer_within_a_change_is_waited_for_so_long_and_then_it_is_done_anew(
    shop: Database, through: Database, proxy: CuttingProxy, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(databases, "CHANGE", 1.0)
    before = last_event(shop)
    with hanging(through, proxy, 2, "unanswered") as deletion:
        (event_id,) = deletion.result(60)
    assert events_since(shop, before) == {event_id: "delete"}
    assert_well(shop, through)


@pytest.mark.parametrize("engine_name", ["mariadb"], indirect=True)
def test_a_commit_that_took_all_patience_is_looked_for_all_the_same(
    shop: Database, through: Database, proxy: CuttingProxy, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Somebody holds the chain at the first look: without patience of its own, the second would not be made."""
    monkeypatch.setattr(databases, "PATIENCE", 4.0)
    monkeypatch.setattr(databases, "COMMIT", 5.0)
    look, looks = queries.event_hash, list[int]()

    def held_once(connection: Any, schema: Any, event_id: int) -> str | None:
        looks.append(event_id)
        if len(looks) == 1:
            connection.exec_driver_sql("SIGNAL SQLSTATE 'HY000' SET MYSQL_ERRNO = 1205, MESSAGE_TEXT = 'x'")
        return look(connection, schema, event_id)

    monkeypatch.setattr(queries, "event_hash", held_once)
    before = last_event(shop)
    with hanging(through, proxy, "COMMIT", "unanswered") as deletion:
        (event_id,) = deletion.result(60)
    assert len(looks) == 2
    assert events_since(shop, before) == {event_id: "delete"}
    assert_well(shop, through)


@ON_SERVERS
def test_where_nobody_says_what_became_of_it_all_are_told_so_and_nobody_waits_for_ever(
    shop: Database, through: Database, proxy: CuttingProxy, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The server holds the chain for that session still: whoever comes after it is told that others hold its locks."""
    monkeypatch.setattr(databases, "COMMIT", 0.5)
    monkeypatch.setattr(databases, "PATIENCE", 1.0)
    before = last_event(shop)
    with (
        hanging(through, proxy, "COMMIT", "swallowed") as deletion,
        shop.engine.connect().execution_options(write=True) as somebody,
        somebody.begin(),
    ):
        queries.lock_head(somebody, shop.schema)  # waits until that session is gone, and was there before the next try
        with pytest.raises(OutcomeUnknown):
            deletion.result(60)
        with pytest.raises(DatabaseBusy):
            delete(through, [2])
    assert events_since(shop, before) == {}
    assert delete_many(through, [1], actor=STAFF, reason="requested")[0].changed
    assert_well(shop, through)


@ON_SERVERS
@pytest.mark.parametrize("number", [2, 3])
def test_a_session_that_says_nothing_after_it_wrote_is_ended_by_the_server_and_the_change_is_done_once(
    shop: Database, proxy: CuttingProxy, monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    """Else whoever vanished in the middle of a change would hold the chain for hours."""
    locking = queries.events._LOCK_CHAIN.replace(f"'{engines.IDLE}s'", "'1s'")
    assert "'1s'" in locking
    monkeypatch.setattr(queries.events, "_LOCK_CHAIN", locking)
    monkeypatch.setattr(engines, "IDLE", 1)
    monkeypatch.setattr(engines, "LONGEST_PAUSE", 3600.0)
    through = attach(shop.settings.model_copy(update={"database_url": proxy.url}))
    before = last_event(shop)
    proxy.cut(number, "swallowed", following=MARK)
    (event_id,) = delete(through, [1])
    assert proxy.has_cut.is_set()
    assert events_since(shop, before) == {event_id: "delete"}
    assert_well(shop, through)
    through.engine.dispose()


@ON_SERVERS
def test_a_connection_that_hangs_after_a_rest_is_given_up_for_another(
    shop: Database, through: Database, proxy: CuttingProxy, monkeypatch: pytest.MonkeyPatch
) -> None:
    with snapshot(through):
        pass
    monkeypatch.setattr(engines, "LONGEST_PAUSE", 0.0)
    for module in (engines, hosts):
        monkeypatch.setattr(module, "GREET", 1)
    proxy.cut(1, "unanswered")
    with snapshot(through) as moment:
        assert queries.count_customers(moment.connection, through.schema)
    assert proxy.has_cut.is_set()
    assert pool_figures(through)["in_use"] == 0
    assert_well(shop, through)
