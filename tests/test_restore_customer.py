"""Restoring customers: the way back, with the same checklist as deleting."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
from shops import ADMIN, CUSTOMERS, PEOPLE, STAFF, execute, problems, rows, state, trigger, whole_row
from test_delete_customer import NOT_IDS, Shops

from data import Customer, queries
from data.access import Actor, Door, Role
from data.customers import delete_many, find_sharing_email, restore_each, restore_many
from data.database import Database, snapshot
from data.errors import BooksMoved, Conflict, CustomerNotFound, EmailTaken, InvalidInput, NotPermitted
from data.records import Event, Outcome


def test_it_clears_deleted_at_and_tells_the_orders_and_revenue(shop: Database) -> None:
    outcome = restore_many(shop, [4], actor=STAFF, reason="mistake")[0]
    assert outcome == Outcome(
        changed=True,
        customer=Customer(4, "Dora Gone", "dora@example.com", None, datetime(2023, 12, 31, 23, 59, 59, tzinfo=UTC)),
        orders=2,
        revenue={"EUR": Decimal("100.00")},
        event_id=3,
    )


def test_deleting_and_restoring_leaves_every_byte_of_customers_and_orders(shop: Database) -> None:
    customers, orders = rows(shop, "customers"), rows(shop, "orders")
    delete_many(shop, [1, 2, 3], actor=STAFF, reason="requested")
    restore_many(shop, [3, 1, 2], actor=STAFF, reason="undo")
    assert rows(shop, "customers") == customers
    assert rows(shop, "orders") == orders


def test_it_writes_one_event_that_keeps_when_the_customer_had_been_deleted(shop: Database) -> None:
    deleted = whole_row(shop, 4)["deleted_at"]
    restore_many(shop, [4], actor=STAFF, reason="mistake", note="sorry")
    with snapshot(shop) as moment:
        newest = queries.list_events(moment.connection, shop.schema)[0]
    assert newest == Event(3, newest.at, "restore", "test:staff", "dashboard", "mistake", "sorry", 4, None)
    moment_of_deletion = str(deleted).removesuffix("+00:00").replace(" ", "T") + "Z"
    assert f'"deleted_at":"{moment_of_deletion}"' in rows(shop, "evenbooks_events")[-1][8]
    assert problems(shop) == []


def test_repeating_changes_nothing_and_names_the_first_event(shop: Database) -> None:
    first = restore_many(shop, [4], actor=STAFF, reason="mistake")[0]
    before = state(shop)
    second = restore_many(shop, [4], actor=ADMIN, reason="mistake")[0]
    assert second == Outcome(False, first.customer, first.orders, first.revenue, first.event_id)
    assert state(shop) == before


def test_somebody_never_deleted_has_no_event_to_name(shop: Database) -> None:
    before = state(shop)
    outcome = restore_many(shop, [1], actor=STAFF, reason="mistake")[0]
    assert (outcome.changed, outcome.event_id) == (False, None)
    assert state(shop) == before


@pytest.mark.parametrize("customer_id", NOT_IDS, ids=repr)
def test_an_unknown_id_is_named_and_nothing_is_written(shop: Database, customer_id: Any) -> None:
    before = state(shop)
    with pytest.raises(CustomerNotFound) as caught:
        restore_many(shop, [customer_id], actor=STAFF, reason="mistake")
    assert str(caught.value) == f"There is no customer {customer_id}."
    assert state(shop) == before


@pytest.mark.parametrize("role", [Role.MANAGER, Role.AUDITOR])
def test_a_role_without_the_right_is_refused_and_nothing_changes(shop: Database, role: Role) -> None:
    before = state(shop)
    with pytest.raises(NotPermitted, match=f"The role {role} may not"):
        restore_many(shop, [4], actor=Actor("test:x", role, Door.API), reason="mistake")
    assert state(shop) == before


def test_a_blank_reason_is_refused(shop: Database) -> None:
    before = state(shop)
    with pytest.raises(InvalidInput, match="Give a reason"):
        restore_many(shop, [4], actor=STAFF, reason=" ")
    assert state(shop) == before


def test_many_at_once_are_restored_all_or_none(shop: Database) -> None:
    delete_many(shop, [1, 2], actor=STAFF, reason="requested")
    before = state(shop)
    with pytest.raises(CustomerNotFound, match="404"):
        restore_many(shop, [1, 404, 2], actor=STAFF, reason="mistake")
    assert state(shop) == before
    outcomes = restore_many(shop, [2, 5, 1], actor=STAFF, reason="mistake")
    assert [(o.customer.id, o.changed, o.customer.deleted_at) for o in outcomes] == [
        (2, True, None),
        (5, False, None),
        (1, True, None),
    ]
    assert problems(shop) == []


def test_a_trigger_that_touches_orders_makes_it_refuse_and_roll_back(shop: Database) -> None:
    harm = "DELETE FROM orders WHERE customer_id = OLD.id"
    execute(shop.engine, trigger(shop.engine, harm))
    before = state(shop)
    with pytest.raises(BooksMoved, match="to restore customer 4 would have moved the reports"):
        restore_many(shop, [4], actor=STAFF, reason="mistake")
    assert state(shop) == before


@pytest.mark.parametrize("engine_name", ["mariadb"], indirect=True)
def test_a_column_that_updates_itself_is_left_alone(empty_url: str, opened: Shops) -> None:
    people = [{**person, "touched": "2020-01-01 00:00:00"} for person in PEOPLE]
    column = "touched TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP ON UPDATE CURRENT_TIMESTAMP, phone"
    shop = opened(empty_url, customers=CUSTOMERS.replace("phone", column), people=people)
    before = whole_row(shop, 1)
    delete_many(shop, [1], actor=STAFF, reason="requested")
    restore_many(shop, [1], actor=STAFF, reason="undo")
    assert whole_row(shop, 1) == before


PARTIAL = "CREATE UNIQUE INDEX one_each ON customers (email) WHERE deleted_at IS NULL"
UNIQUE = {
    "sqlite": PARTIAL,
    "postgresql": PARTIAL,
    "mysql": "ALTER TABLE customers ADD active_email VARCHAR(80) AS (IF(deleted_at IS NULL, email, NULL)) VIRTUAL, "
    "ADD UNIQUE one_each (active_email)",
}


@pytest.fixture
def taken(shop: Database) -> Database:
    """The shop, where the database keeps active e-mail addresses apart and Eve has the deleted Dora's by now."""
    execute(
        shop.engine,
        UNIQUE[shop.engine.dialect.name],
        "UPDATE customers SET email = 'dora@example.com' WHERE id = 5",
    )
    return shop


@pytest.mark.parametrize("ids", [[4], [1, 4]])
def test_who_has_the_email_now_is_named_where_the_database_refuses(taken: Database, ids: list[int]) -> None:
    delete_many(taken, [1], actor=STAFF, reason="requested")
    before = state(taken)
    with pytest.raises(EmailTaken, match=r"dora@example.com belongs to Eve Idle \(customer 5\)\.") as caught:
        restore_many(taken, ids, actor=STAFF, reason="mistake")
    assert caught.value.customer.id == 5
    assert state(taken) == before


def test_another_refusal_of_the_database_stays_a_conflict(shop: Database) -> None:
    unique_name = UNIQUE[shop.engine.dialect.name].replace("email", "name")
    execute(shop.engine, unique_name, "UPDATE customers SET name = 'Dora Gone' WHERE id = 5")
    before = state(shop)
    with pytest.raises(Conflict, match="The database refused this because of another row") as caught:
        restore_many(shop, [4], actor=STAFF, reason="mistake")
    assert not isinstance(caught.value, EmailTaken)
    assert state(shop) == before


def test_who_shares_the_email_is_found_whatever_its_case_and_only_if_active(shop: Database) -> None:
    execute(shop.engine, "UPDATE customers SET email = 'DORA@Example.com' WHERE id = 5")
    dora, ana = (restore_many(shop, [n], actor=STAFF, reason="mistake")[0].customer for n in (4, 1))
    found = find_sharing_email(shop, dora)
    assert found is not None
    assert found.id == 5
    assert find_sharing_email(shop, ana) is None
    delete_many(shop, [5], actor=STAFF, reason="requested")
    assert find_sharing_email(shop, dora) is None


def test_each_of_many_is_restored_alone_with_an_answer_of_its_own(taken: Database) -> None:
    delete_many(taken, [1, 2], actor=STAFF, reason="requested")
    found = restore_each(taken, [2, 404, 4, 1, 1], actor=STAFF, reason="mistake", note="sorry")
    kinds = [type(one) for one in found]
    assert kinds == [Outcome, CustomerNotFound, EmailTaken, Outcome, Outcome]
    assert [(o.customer.id, o.changed) for o in found if isinstance(o, Outcome)] == [(2, True), (1, True), (1, False)]
    written = [row for row in rows(taken, "evenbooks_events") if row[2] == "restore"]
    assert [row[6] for row in written] == [2, 1]
    batches = {row[7] for row in written}
    assert len(batches) == 1
    assert batches != {None}
    assert problems(taken) == []


@pytest.mark.parametrize("engine_name", ["sqlite"], indirect=True)
def test_restoring_each_is_refused_before_anything_is_done(shop: Database) -> None:
    before = state(shop)
    auditor = Actor("test:x", Role.AUDITOR, Door.API)
    with pytest.raises(NotPermitted):
        restore_each(shop, [4], actor=auditor, reason="mistake")
    with pytest.raises(InvalidInput, match="Give a reason"):
        restore_each(shop, [4], actor=STAFF, reason=" ")
    with pytest.raises(InvalidInput, match="201 customers were named; 200 at once are allowed"):
        restore_each(shop, [4] * 201, actor=STAFF, reason="mistake")
    assert state(shop) == before
