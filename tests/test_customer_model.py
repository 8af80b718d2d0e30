"""`from data import Customer`: the guide's four methods, from a script and in a caller's own transaction."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from shops import execute, fill, problems, state, trigger
from sqlalchemy import create_engine, text

from data import Customer, changes, customers, queries
from data.access import Actor, Door, Role, os_user
from data.database import Database, database_of, snapshot
from data.errors import BooksMoved, CustomerNotFound, InvalidInput, NotPermitted
from data.recording import recorded


@pytest.fixture
def here(shop: Database, empty_url: str, monkeypatch: pytest.MonkeyPatch) -> Database:
    """The shop as the database that the environment names."""
    monkeypatch.setenv("DATABASE_URL", empty_url)
    return shop


def test_a_script_deletes_and_restores_as_the_user_of_the_machine(here: Database) -> None:
    deleted = Customer.soft_delete(1)
    assert (deleted.changed, deleted.customer.id, deleted.orders) == (True, 1, 3)
    restored = Customer.restore(1)
    assert (restored.changed, restored.customer.deleted_at) == (True, None)
    with snapshot(here) as moment:
        newest = queries.list_events(moment.connection, here.schema, customer_id=1)
    assert [(e.action, e.actor, e.door, e.reason) for e in newest] == [
        (action, f"os:{os_user()}", "command", "script") for action in ("restore", "delete")
    ]


def test_a_deleted_customer_is_not_got_by_id_and_comes_back_restored(here: Database) -> None:
    eve = Customer(5, "Eve Idle", "eve@example.com", created_at=datetime(2024, 2, 1, tzinfo=UTC))
    assert Customer.get_by_id_active(5) == eve
    Customer.soft_delete(5)
    assert Customer.get_by_id_active(5) is None
    Customer.restore(5)
    assert Customer.get_by_id_active(5) == eve
    assert Customer.get_by_id_active(404) is None
    assert Customer.get_by_id_active("abc") is None


def test_all_active_customers_come_in_id_order_over_several_pages_without_the_deleted(
    here: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(customers, "PAGE", 7)
    fill(here.engine, "customers", [{"id": 100 + n, "name": f"N{n}"} for n in range(30)])
    Customer.soft_delete(110)
    found = Customer.get_all_active()
    assert next(found).id == 1
    assert [c.id for c in found] == [2, 3, 5, *(n for n in range(100, 130) if n != 110)]


def test_unknown_ids_wrong_roles_and_blank_reasons_are_refused(here: Database) -> None:
    before = state(here)
    with pytest.raises(CustomerNotFound, match="There is no customer 404"):
        Customer.soft_delete(404)
    with pytest.raises(NotPermitted):
        Customer.soft_delete(1, actor=Actor("x", Role.AUDITOR, Door.COMMAND))
    with pytest.raises(InvalidInput):
        Customer.soft_delete(1, reason=" ")
    assert state(here) == before


def test_in_the_callers_transaction_a_rollback_undoes_everything(shop: Database) -> None:
    before = state(shop)
    with shop.engine.connect() as connection:
        assert Customer.soft_delete(1, connection=connection).changed
        assert Customer.restore(4, connection=connection).changed
        assert Customer.get_by_id_active(1, connection=connection) is None
        assert [c.id for c in Customer.get_all_active(connection=connection)] == [2, 3, 4, 5]
        connection.rollback()
    assert state(shop) == before


def test_in_the_callers_transaction_nothing_is_committed_before_the_caller_does(shop: Database) -> None:
    with shop.engine.connect() as connection:
        Customer.soft_delete(1, connection=connection)
        assert 1 in {c.id for c in _active(shop)}
        connection.commit()
    assert 1 not in {c.id for c in _active(shop)}
    assert problems(shop) == []


def test_a_refusal_in_the_callers_transaction_leaves_only_what_the_caller_did(shop: Database) -> None:
    execute(shop.engine, trigger(shop.engine, "DELETE FROM orders WHERE customer_id = 1"))
    before = state(shop)
    with shop.engine.connect().execution_options(write=True) as connection:
        connection.execute(text("INSERT INTO customers (id, name) VALUES (6, 'Finn')"))
        with pytest.raises(BooksMoved):
            Customer.soft_delete(1, connection=connection)
        connection.commit()
    after = state(shop)
    assert after.pop("customers")[:-1] == before.pop("customers")
    assert after == before


def test_a_connection_of_the_scripts_own_engine_will_do(shop: Database, empty_url: str) -> None:
    engine = create_engine(empty_url)
    try:
        with engine.begin() as connection:
            at = Customer.soft_delete(1, connection=connection).customer.deleted_at
            assert isinstance(at, datetime)
            assert at.tzinfo is UTC
        assert 1 not in {c.id for c in _active(shop)}
        assert problems(shop) == []
    finally:
        engine.dispose()


@pytest.mark.parametrize("engine_name", ["mariadb"], indirect=True)
def test_a_session_in_another_time_zone_still_writes_utc(shop: Database, empty_url: str) -> None:
    engine = create_engine(empty_url, connect_args={"init_command": "SET time_zone = '+11:00'"})
    try:
        with engine.begin() as connection:
            at = Customer.soft_delete(1, connection=connection).customer.deleted_at
        with snapshot(shop) as moment:
            customer = queries.get_customer(moment.connection, shop.schema, 1)
        assert customer is not None
        assert customer.deleted_at == at
        assert problems(shop) == []
        assert abs((datetime.now(UTC) - at).total_seconds()) < 600  # type: ignore[operator]
    finally:
        engine.dispose()


def _active(shop: Database) -> list[Customer]:
    with snapshot(shop) as moment:
        return list(Customer.get_all_active(connection=moment.connection))


def test_rows_are_frozen() -> None:
    with pytest.raises(AttributeError):
        Customer(1, "Ana").name = "Bo"  # type: ignore[misc]


@pytest.mark.parametrize("engine_name", ["postgresql"], indirect=True)
def test_an_order_that_comes_in_meanwhile_does_not_look_like_moved_books(
    shop: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A script's own connection is READ COMMITTED there: each of its statements sees another moment."""
    orders = iter([f"INSERT INTO orders VALUES ({n}, 1, '2024-02-01', 5, 'paid')" for n in (100, 101)])
    mark = changes._mark

    def meanwhile(*arguments: object) -> None:
        mark(*arguments)  # type: ignore[arg-type]
        execute(shop.engine, *list(orders)[:1])

    monkeypatch.setattr(changes, "_mark", meanwhile)
    engine = create_engine(shop.settings.url)
    with engine.connect() as connection:
        outcome = Customer.soft_delete(1, connection=connection)
        connection.commit()
    engine.dispose()
    assert (outcome.changed, outcome.orders) == (True, 4)
    assert problems(shop) == []


@pytest.mark.parametrize("engine_name", ["postgresql"], indirect=True)
def test_a_scripts_own_snapshot_begins_behind_the_lock(shop: Database) -> None:
    """A query before it would fix the snapshot, and whoever had waited for the lock would see an old head."""
    engine = create_engine(shop.settings.url, isolation_level="REPEATABLE READ")
    with engine.connect() as connection, connection.begin():
        database_of(connection)
        connection.rollback()
    with engine.connect() as connection, connection.begin(), recorded(connection) as statements:
        assert Customer.soft_delete(1, connection=connection).changed
    engine.dispose()
    lock = next(n for n, statement in enumerate(statements) if "LOCK TABLE" in statement)
    assert [statement for statement in statements[:lock] if "SELECT" in statement] == []
