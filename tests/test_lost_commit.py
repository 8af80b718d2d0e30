"""The answer to COMMIT is lost: what was done is told as done, once; what was not is done; what nobody knows is said."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any

import pymysql
import pytest
from shops import STAFF, execute, problems, refuse, rows, trigger
from sqlalchemy.exc import OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from data import customers, integrity, jobs, queries
from data import database as databases
from data import turns as turns_module
from data.changes import change
from data.customers import add, delete_many, edit, restore_many
from data.database import Database, in_transaction
from data.engines import make_engine
from data.errors import Conflict, DatabaseBusy, DatabaseUnavailable, OutcomeUnknown
from data.events import Reason
from data.turns import Turns

ON_SERVERS = pytest.mark.parametrize("engine_name", ["mariadb", "postgresql"], indirect=True)


class Lost:
    """The next connections that commit are cut, before the server has heard of it or after it has done it."""

    def __init__(self, shop: Database, *moments: str) -> None:
        self.moments, self.shop = list(moments), shop
        self.dialect = shop.engine.dialect

    def __enter__(self) -> Lost:
        self.commit = self.dialect.do_commit
        self.dialect.do_commit = self._cut  # type: ignore[method-assign]
        return self

    def __exit__(self, *_: object) -> None:
        self.dialect.do_commit = self.commit  # type: ignore[method-assign]

    def _cut(self, connection: Any) -> None:
        moment = self.moments.pop(0) if self.moments else ""
        if moment == "after":
            self.commit(connection)
        if moment:
            connection.dbapi_connection.close()
            if self.dialect.name == "postgresql":
                connection.dbapi_connection.execute("")  # says it as the driver does
            connection.dbapi_connection.ping(reconnect=False)
        self.commit(connection)


def number_of_events(shop: Database) -> int:
    return len(rows(shop, "evenbooks_events"))


def well(shop: Database) -> None:
    assert problems(shop) == []
    assert integrity.run_and_record(shop).even


CHANGES: dict[str, Callable[[Database], Any]] = {
    "delete": lambda shop: delete_many(shop, [1], actor=STAFF, reason="mistake")[0].changed,
    "delete two": lambda shop: all(o.changed for o in delete_many(shop, [1, 2], actor=STAFF, reason="mistake")),
    "restore": lambda shop: restore_many(shop, [4], actor=STAFF, reason="mistake")[0].changed,
    "add": lambda shop: add(shop, {"name": "New"}, actor=STAFF).name == "New",
    "edit": lambda shop: edit(shop, 1, {"name": "Anna"}, shown={"name": "Ana Lima"}, actor=STAFF).name == "Anna",
}


@ON_SERVERS
@pytest.mark.parametrize("moments", [("after",), ("before",), ("before", "after"), ("before", "before", "after")])
@pytest.mark.parametrize("change", CHANGES)
def test_it_is_done_once_and_told_as_done(shop: Database, change: str, moments: tuple[str, ...]) -> None:
    before, customers = number_of_events(shop), len(rows(shop, "customers"))
    with Lost(shop, *moments) as lost:
        assert CHANGES[change](shop)
    assert lost.moments == []
    assert number_of_events(shop) == before + (2 if change == "delete two" else 1)
    assert len(rows(shop, "customers")) == customers + (change == "add")
    well(shop)


@ON_SERVERS
@pytest.mark.parametrize("moment", ["before", "after"])
def test_where_the_database_stays_away_it_is_said_that_nobody_knows(
    shop: Database, monkeypatch: pytest.MonkeyPatch, moment: str
) -> None:
    monkeypatch.setattr(databases, "PATIENCE", 0.5)
    before = number_of_events(shop)

    with Lost(shop, moment), monkeypatch.context() as gone:
        original = databases._run

        def run(this: Any, *given: Any) -> Any:
            if given[2]:  # a second try
                given = (closed(shop), *given[1:])
            return original(this, *given)

        gone.setattr(databases, "_run", run)
        with pytest.raises(OutcomeUnknown, match="it is not known whether this was done"):
            delete_many(shop, [1], actor=STAFF, reason="mistake")
    assert number_of_events(shop) == before + (moment == "after")
    # Who looks and tries again finds it done, or does it; there is one event either way.
    again = delete_many(shop, [1], actor=STAFF, reason="mistake")[0]
    assert again.changed is (moment == "before")
    assert number_of_events(shop) == before + 1
    well(shop)


def closed(shop: Database) -> Database:
    """The same on a port where nobody listens."""
    url = shop.engine.url.difference_update_query(["unix_socket", "host"]).set(host="127.0.0.1", port=9)
    return replace(shop, engine=make_engine(url))


@ON_SERVERS
def test_what_appends_no_event_is_not_done_again(shop: Database) -> None:
    calls: list[int] = []
    with Lost(shop, "after"), pytest.raises(OutcomeUnknown):
        in_transaction(
            shop, lambda c: calls.append(1) or queries.keep_beat(c, shop.schema, "0" * 32, at=databases.now())
        )
    assert calls == [1]
    well(shop)


@ON_SERVERS
def test_a_job_goes_on_after_a_lost_commit_and_does_each_once(shop: Database) -> None:
    job = jobs.prepare(shop, "delete", actor=STAFF, reason="inactive", ids=[1, 2, 3])
    jobs.start(shop, job.id, actor=STAFF)
    before = number_of_events(shop)
    with Lost(shop, "", "after", "before", "after"):
        jobs.run_pending(shop, size=1)
    done = jobs.get(shop, job.id)
    assert (done.state, done.changed) == ("done", 3)
    assert number_of_events(shop) == before + 3
    well(shop)


@ON_SERVERS
def test_many_who_share_a_transaction_are_each_told_rightly(shop: Database) -> None:
    before = number_of_events(shop)

    def delete(customer_id: int) -> bool:
        return delete_many(shop, [customer_id], actor=STAFF, reason="mistake")[0].changed

    with Lost(shop, "after", "before", "after", "before"), ThreadPoolExecutor(3) as pool:
        assert list(pool.map(delete, [1, 2, 3])) == [True, True, True]
    assert number_of_events(shop) == before + 3
    well(shop)


@pytest.mark.parametrize("error", [OutcomeUnknown(), DatabaseUnavailable("It does not answer.")])
def test_of_a_shared_transaction_nobody_is_tried_again_where_the_database_is_away(error: DatabaseUnavailable) -> None:
    turns: Turns[int, int] = Turns()
    begun: list[list[int]] = []
    first, go = threading.Event(), threading.Event()

    def work(wishes: Any) -> list[int]:
        begun.append(list(wishes))
        if wishes == [0]:
            first.set()
            go.wait(10)
            return [0]
        raise error

    def ask(number: int) -> int | str:
        try:
            return turns.ask(number, number, work)
        except type(error) as told:
            return str(told)

    with ThreadPoolExecutor(4) as pool:
        leading = pool.submit(ask, 0)
        first.wait(10)
        waiting = [pool.submit(ask, number) for number in (1, 2, 3)]
        while len(turns._waiting) < 3:
            pass
        go.set()
        assert leading.result() == 0
        assert [one.result() for one in waiting] == [str(error)] * 3
    assert sorted(begun[1]) == [1, 2, 3]
    assert len(begun) == 2


def test_behind_a_database_that_hangs_nobody_waits_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(turns_module, "LONGEST", 0.3)
    turns: Turns[int, int] = Turns()
    hangs, go, taken = threading.Event(), threading.Event(), threading.Event()

    def work(wishes: Any) -> list[int]:
        if wishes == [0]:
            hangs.set()
            go.wait(10)
        elif 1 in wishes:
            taken.set()
            go.wait(10)
        return list(wishes)

    def ask(number: int) -> int | str:
        try:
            return turns.ask(number, number, work)
        except DatabaseUnavailable as told:
            return type(told).__name__

    with ThreadPoolExecutor(4) as pool:
        leading = pool.submit(ask, 0)
        hangs.wait(10)
        assert pool.submit(ask, 5).result() == "DatabaseBusy"
        assert turns._waiting == []
        monkeypatch.setattr(turns_module, "LONGEST", 2.0)
        among = [pool.submit(ask, 1), pool.submit(ask, 2)]
        while len(turns._waiting) < 2:
            pass
        go.set()
        assert leading.result() == 0
        assert sorted(str(one.result()) for one in among) == ["1", "2"]
        go.clear()
        hangs.clear()
        leading = pool.submit(ask, 0)
        hangs.wait(10)
        first = pool.submit(ask, 1)
        while len(turns._waiting) < 1:
            pass
        second = pool.submit(ask, 2)
        while len(turns._waiting) < 2:
            pass
        turns._hand_over([])  # as if the first had hung up: the next leads, with the other beside
        assert taken.wait(10)
        assert second.result() == "OutcomeUnknown"
        go.set()
        assert (leading.result(), first.result()) == (0, 1)


@ON_SERVERS
def test_who_waited_long_before_the_connection_was_lost_asks_once_more(
    shop: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(databases, "RECONNECTING", 0.1)
    monkeypatch.setattr(databases, "PATIENCE", 0.1)
    calls: list[int] = []

    def work(connection: Any) -> int:
        calls.append(1)
        if len(calls) == 1:
            time.sleep(0.3)
            connection.connection.dbapi_connection.close()
        queries.lock_head(connection, shop.schema)
        return len(calls)

    assert in_transaction(shop, work) == 2


@ON_SERVERS
def test_where_no_connection_is_left_to_look_it_is_said_that_nobody_knows(
    shop: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = number_of_events(shop)
    original = databases._run

    def run(this: Any, *given: Any) -> Any:
        if given[2]:
            raise PoolTimeout
        return original(this, *given)

    with Lost(shop, "after"), monkeypatch.context() as full:
        full.setattr(databases, "_run", run)
        with pytest.raises(OutcomeUnknown):
            delete_many(shop, [1], actor=STAFF, reason="mistake")
    assert number_of_events(shop) == before + 1


@ON_SERVERS
def test_a_shared_transaction_waits_for_the_lock_under_which_it_looks(
    shop: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    code = OperationalError("", {}, pymysql.err.OperationalError(1205, "Lock wait timeout exceeded"))
    original, tried = databases._run, list[int]()

    def run(this: Any, *given: Any) -> Any:
        tried.append(len(given[2]))
        if len(tried) in (2, 3):
            raise code
        return original(this, *given)

    monkeypatch.setattr(databases, "_run", run)
    with Lost(shop, "after"):
        assert in_transaction(shop, lambda c: work_of(c, shop), patient=False)[0].changed
    assert tried == [0, 1, 1, 1]
    tried[:] = [0]
    with pytest.raises(DatabaseBusy):
        in_transaction(shop, lambda c: work_of(c, shop), patient=False)
    assert len(tried) == 2


def work_of(connection: Any, shop: Database) -> Any:
    return change(connection, shop.schema, "delete", [2], actor=STAFF, reason=Reason("mistake"))


@ON_SERVERS
def test_of_many_to_restore_those_after_an_unknown_one_were_not_tried(
    shop: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    delete_many(shop, [1, 2], actor=STAFF, reason="mistake")

    def unknown(*_: Any, **__: Any) -> Any:
        raise OutcomeUnknown

    monkeypatch.setattr(customers, "in_transaction", unknown)
    answers = customers.restore_each(shop, [1, 2, 4], actor=STAFF, reason="mistake")
    assert [type(one) for one in answers] == [OutcomeUnknown, DatabaseUnavailable, DatabaseUnavailable]
    assert "was not tried. Nothing was changed." in str(answers[1])


@pytest.mark.parametrize("engine_name", ["mariadb"], indirect=True)
def test_who_ends_a_statement_from_outside_gets_a_sentence_for_it(shop: Database) -> None:
    before = number_of_events(shop)

    def work(connection: Any) -> None:
        queries.lock_head(connection, shop.schema)
        connection.exec_driver_sql("SET STATEMENT max_statement_time = 0.2 FOR SELECT SLEEP(5), id FROM customers")

    with pytest.raises(DatabaseUnavailable, match=r"ended this before it was done .* Nothing was changed"):
        in_transaction(shop, work)
    assert number_of_events(shop) == before
    well(shop)


@pytest.mark.parametrize("engine_name", ["sqlite", "mariadb", "postgresql"], indirect=True)
def test_a_rule_of_theirs_that_says_locked_is_no_lock(shop: Database) -> None:
    refusal = f"IF NEW.id = 1 THEN {refuse(shop.engine, 'June is locked')}; END IF"
    if shop.engine.dialect.name == "sqlite":
        refusal = (
            f"SELECT CASE WHEN NEW.id = 1 THEN {refuse(shop.engine, 'June is locked').removeprefix('SELECT ')} END"
        )
    execute(shop.engine, trigger(shop.engine, refusal, when="BEFORE UPDATE"))
    begun = list[int]()

    def work(connection: Any) -> Any:
        begun.append(1)
        return change(connection, shop.schema, "delete", [1], actor=STAFF, reason=Reason("mistake"))

    with pytest.raises(Conflict, match="June is locked"):
        in_transaction(shop, work)
    assert len(begun) == 1
