"""A connection that is cut at every command of a change: it is done once and told as done, or not done and told so."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass

import pytest
from acts import ACTS, Act, assert_well, events_since, last_event, tried
from cutting_proxy import CuttingProxy, How
from shops import ADMIN, state

from data import customers
from data import database as databases
from data.database import Database
from data.errors import Conflict, DatabaseUnavailable, EvenbooksError, OutcomeUnknown
from data.pool import pool_figures

pytestmark = pytest.mark.parametrize("engine_name", ["mariadb", "postgresql"], indirect=True)
CUTS: tuple[How, ...] = ("before", "after")
MANY = 30  # commands; of a longer work some are cut, and all of its last transaction
LOCKING = ("FOR UPDATE", "LOCK TABLE")  # the chain, on either engine


@dataclass(frozen=True)
class Cut:
    """The n-th command, counted from the first that locks the chain where it is said how that is done."""

    number: int
    words: str
    following: str = ""


def warm(through: Database) -> None:
    """One connection is open, and was in use a moment ago."""
    with through.engine.connect() as connection:
        connection.exec_driver_sql("SELECT 1")


def cuts_of(act: Act, shop: Database, through: Database, proxy: CuttingProxy) -> tuple[list[Cut], list[Cut]]:
    """Where the work can be cut: before what it writes, and in the transaction that writes."""
    for _ in range(2):  # the second time nothing is done for the first time
        subject = act.prepare(shop)
        warm(through)
        proxy.let_pass()
        act.do(through, subject)
    said = list(proxy.commands)
    sign = next(sign for sign in LOCKING if any(sign in words for words in said))
    locks = [n for n, words in enumerate(said) if sign in words]
    reading, writing = range(locks[-1]), range(locks[-1], len(said))
    if len(said) <= MANY:
        return [Cut(n + 1, said[n]) for n in reading], [Cut(n + 1, said[n]) for n in writing]
    early = [Cut(n + 1, said[n]) for n in reading[:: len(reading) // 3]]
    return early, [Cut(n - locks[0] + 1, said[n], sign) for n in writing]


@pytest.mark.parametrize("name", ACTS)
def test_cut_once_it_is_done_once_and_told_so(
    name: str, shop: Database, through: Database, proxy: CuttingProxy
) -> None:
    act = ACTS[name]
    reading, writing = cuts_of(act, shop, through, proxy)
    ways = [(how, cut) for how in CUTS for cut in [*reading, *writing]]
    for how, cut in [*ways, ("late", next(cut for cut in writing if cut.words == "COMMIT"))]:
        subject = act.prepare(shop)
        warm(through)
        before = last_event(shop)
        proxy.cut(cut.number, how, following=cut.following)
        answer = tried(act, through, subject)
        where = (name, how, cut, answer)
        assert proxy.has_cut.wait(10), where
        if act.goes_on:
            tried(act, through, subject)
        found = events_since(shop, before)
        if isinstance(answer, EvenbooksError) and not act.goes_on:
            assert cut in reading, where  # of what only reads some may fail, and says so
            assert type(answer) is DatabaseUnavailable, where
            assert not found, where
        else:
            assert tuple(found.values()) == act.events, where
            assert isinstance(answer, EvenbooksError) or set(answer or ()) <= set(found), where
    assert_well(shop, through)


@pytest.mark.parametrize("name", ["delete", "add", "a batch", "seal", "approve"])
def test_the_database_gone_from_some_command_on_nothing_is_done_untold_and_nothing_twice(
    name: str, shop: Database, through: Database, proxy: CuttingProxy, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(databases, "PATIENCE", 0.05)
    monkeypatch.setattr(databases, "RECONNECTING", 0.05)
    act = ACTS[name]
    reading, writing = cuts_of(act, shop, through, proxy)
    if name != "delete":  # what is like it there
        reading, writing = [], [cut for cut in writing if cut.words.startswith(("INSERT", "COMMIT"))]
    unknown: list[tuple[How, str]] = []
    for how, cut in [(how, cut) for how in CUTS for cut in [*reading, *writing]]:
        subject = act.prepare(shop)
        warm(through)
        before = last_event(shop)
        proxy.cut(cut.number, how, gone=True, following=cut.following)
        answer = tried(act, through, subject)
        where = (name, how, cut, answer)
        assert proxy.has_cut.wait(10), where
        assert isinstance(answer, DatabaseUnavailable), where
        found = tuple(events_since(shop, before).values())
        if isinstance(answer, OutcomeUnknown):
            unknown.append((how, cut.words))
            assert found in ((), act.events), where
        elif not act.goes_on:
            assert found == (), where
        proxy.come_back()
        with suppress(Conflict):  # done already
            act.do(through, subject) if act.goes_on or not found else None
        assert tuple(events_since(shop, before).values()) == act.events, where
    assert {how for how, words in unknown if words == "COMMIT"} == set(CUTS)
    assert act.goes_on or all(words == "COMMIT" for _, words in unknown)
    assert_well(shop, through)


def test_in_a_callers_transaction_it_raises_and_nothing_is_half_done(
    shop: Database, through: Database, proxy: CuttingProxy
) -> None:
    before = state(shop)

    def deleting() -> None:
        with through.engine.connect() as connection, connection.begin():
            customers.soft_delete(1, actor=ADMIN, connection=connection)
            connection.rollback()

    for _ in range(2):
        warm(through)
        proxy.let_pass()
        deleting()
    count = proxy.commands.index("ROLLBACK")  # the caller's own
    for how in CUTS:
        for number in range(1, count + 1):
            warm(through)
            proxy.cut(number, how)
            with pytest.raises(DatabaseUnavailable, match="does not answer"):
                deleting()
            assert proxy.has_cut.wait(10)
            assert pool_figures(through)["in_use"] == 0
    assert state(shop) == before
    assert customers.delete_many(through, [1], actor=ADMIN, reason="requested")[0].changed
    assert_well(shop, through)
