"""Customers in a table that cannot roll back: what it means is said, and a failed change is marked back."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from migrating import ask, build, said
from servers import fresh_mariadb
from shops import ADMIN, CUSTOMERS, ORDERS, state
from sqlalchemy import event, text

from data import customers, queries
from data.database import Database, attach
from data.errors import EvenbooksError

pytestmark = pytest.mark.usefixtures("own_folder")


@pytest.fixture
def lasting(mariadb_url: str) -> Iterator[Database]:
    """A migrated shop whose customers are stored by MyISAM; customer 4 is deleted."""
    with fresh_mariadb(mariadb_url) as url:
        settings = build(url, CUSTOMERS + " ENGINE=MyISAM")
        said(settings)
        database = attach(settings)
        customers.delete_many(database, [4], actor=ADMIN, reason="inactive")
        yield database
        database.engine.dispose()


@pytest.mark.parametrize("kind", ["MyISAM", "Aria"])
def test_it_is_said_what_it_means_and_how_to_convert_it(mariadb_url: str, kind: str) -> None:
    with fresh_mariadb(mariadb_url) as url:
        settings = build(url, f"{CUSTOMERS} ENGINE={kind}", f"{ORDERS} ENGINE={kind}")
        output = said(settings, dry_run=True)
        assert f"RED: customers is stored by {kind}, where nothing can be rolled back" in output
        assert "if the server dies in between it stays marked" in output
        assert f"RED: orders is stored by {kind}" in output
        assert output.count("the probe cannot run") == 2
        assert "ALTER TABLE customers ENGINE=InnoDB;" in output
        said(settings, active_unique=True, revenue_index=True, views=True, guard=True, invisible=True)
        assert "To do: nothing" in said(settings)
        ask(url, "ALTER TABLE customers ENGINE=InnoDB", "ALTER TABLE orders ENGINE=InnoDB")
        assert "RED" not in said(settings)


def test_a_delete_whose_event_cannot_be_written_is_marked_back(lasting: Database, monkeypatch: Any) -> None:
    before = state(lasting)

    def broken(*_: Any, **__: Any) -> None:
        raise RuntimeError("no event")

    monkeypatch.setattr(queries, "append_events", broken)
    with pytest.raises(RuntimeError):
        customers.delete_many(lasting, [1, 2], actor=ADMIN, reason="mistake")
    assert state(lasting) == before
    with pytest.raises(RuntimeError):
        customers.restore_many(lasting, [4], actor=ADMIN, reason="mistake")
    assert state(lasting) == before
    with pytest.raises(RuntimeError):
        customers.delete_many(lasting, [1], actor=ADMIN, reason="mistake")
    assert state(lasting) == before


def test_a_commit_that_fails_is_marked_back(lasting: Database) -> None:
    before = state(lasting)

    def broken(_connection: Any) -> None:
        raise EvenbooksError("no commit")

    event.listen(lasting.engine, "commit", broken)
    try:
        with pytest.raises(EvenbooksError, match="no commit"):
            customers.delete_many(lasting, [1, 2], actor=ADMIN, reason="mistake")
    finally:
        event.remove(lasting.engine, "commit", broken)
    assert state(lasting) == before


def test_a_callers_rollback_marks_back_and_a_commit_does_not(lasting: Database) -> None:
    before = state(lasting)
    with lasting.engine.connect() as connection:
        customers.soft_delete(1, actor=ADMIN, connection=connection)
        connection.rollback()
        assert state(lasting) == before
        customers.soft_delete(2, actor=ADMIN, connection=connection)
        connection.commit()
        connection.execute(text("SELECT 1"))
        connection.rollback()
    after = state(lasting)
    assert after["orders"] == before["orders"]
    assert [row[0] for row in after["customers"] if row[-1] is not None] == [2, 4]
    assert len(after["evenbooks_events"]) == len(before["evenbooks_events"]) + 1


def test_a_callers_savepoint_marks_back_what_was_marked_since(lasting: Database) -> None:
    before = state(lasting)
    with lasting.engine.connect() as connection, connection.begin():
        customers.soft_delete(1, actor=ADMIN, connection=connection)
        outer = connection.begin_nested()
        customers.restore(1, actor=ADMIN, connection=connection)
        customers.soft_delete(2, actor=ADMIN, connection=connection)
        inner = connection.begin_nested()
        customers.soft_delete(3, actor=ADMIN, connection=connection)
        inner.rollback()
        assert deleted(lasting) == [2, 4]
        outer.rollback()
        assert deleted(lasting) == [1, 4]
        assert customers.soft_delete(2, actor=ADMIN, connection=connection).changed
    after = state(lasting)
    assert deleted(lasting) == [1, 2, 4]
    assert len(after["evenbooks_events"]) == len(before["evenbooks_events"]) + 2


def test_a_rollback_undoes_the_last_change_first(lasting: Database) -> None:
    before = state(lasting)
    with lasting.engine.connect() as connection:
        customers.soft_delete(1, actor=ADMIN, connection=connection)
        customers.restore(1, actor=ADMIN, connection=connection)
        connection.rollback()
    assert state(lasting) == before


def deleted(shop: Database) -> list[int]:
    return [row[0] for row in state(shop)["customers"] if row[-1] is not None]


def test_a_change_goes_through(lasting: Database) -> None:
    assert customers.delete_many(lasting, [1], actor=ADMIN, reason="mistake")[0].changed
    assert customers.restore_many(lasting, [1, 4], actor=ADMIN, reason="mistake")[1].changed
    assert [row[-1] for row in state(lasting)["customers"]] == [None] * 5
