"""Deleting customers: what changes, what does not, and what is refused."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
from shops import ADMIN, CUSTOMERS, PEOPLE, STAFF, execute, problems, rows, state, trigger, whole_row
from sqlalchemy import text

from data import Customer, queries
from data.access import Actor, Door, Role
from data.customers import delete_many
from data.database import Database, attach, now, snapshot
from data.errors import BooksMoved, Conflict, CustomerNotFound, InvalidInput, NotPermitted
from data.records import Event, Outcome

Shops = Callable[..., Database]
NOT_IDS = ["abc", "1abc", True, None, 10**30, -1, "1 ", " 1", "", "\uff11", 1.0, b"1", [1], "\ud800"]


def test_it_sets_deleted_at_and_tells_the_orders_and_revenue_that_stay(shop: Database) -> None:
    before = whole_row(shop, 1)
    started = now()
    outcome = delete_many(shop, [1], actor=STAFF, reason="requested")[0]
    at = outcome.customer.deleted_at
    assert isinstance(at, datetime)
    assert started <= at <= now()
    assert at.tzinfo is UTC
    assert at.microsecond == 0
    assert outcome == Outcome(
        changed=True,
        customer=Customer(
            1, "Ana Lima", "ana@example.com", "+351 1", datetime(2024, 1, 2, 10, tzinfo=UTC), deleted_at=at
        ),
        orders=3,
        revenue={"EUR": Decimal("80.25")},
        event_id=3,
    )
    after = whole_row(shop, 1)
    assert before.pop("deleted_at") is None
    assert after.pop("deleted_at") is not None
    assert after == before


def test_orders_and_other_customers_stay_as_they_are(shop: Database) -> None:
    orders, others = rows(shop, "orders"), [row for row in rows(shop, "customers") if row[0] != 1]
    delete_many(shop, [1], actor=STAFF, reason="requested")
    assert rows(shop, "orders") == orders
    assert [row for row in rows(shop, "customers") if row[0] != 1] == others


def test_it_writes_one_event_that_says_who_when_why_and_through_which_door(shop: Database) -> None:
    outcome = delete_many(shop, [1], actor=STAFF, reason="duplicate", note="same as 2")[0]
    with snapshot(shop) as moment:
        newest = queries.list_events(moment.connection, shop.schema)[0]
    assert newest == Event(
        3, outcome.customer.deleted_at, "delete", "test:staff", "dashboard", "duplicate", "same as 2", 1, None
    )
    assert problems(shop) == []


def test_the_body_of_the_event_holds_the_proof_and_no_personal_data(shop: Database) -> None:
    delete_many(shop, [1], actor=STAFF, reason="Ana asked by phone")
    body = rows(shop, "evenbooks_events")[-1][8]
    proof = json.loads(body)
    assert proof["before"] == proof["after"]
    assert len(proof["before"].pop("months")) == 64
    assert proof["before"] == {"all_orders": 3, "last_order": 3, "orders": 3, "revenue": {"EUR": "80.25"}}
    for word in ("Ana", "Lima", "example.com", "phone"):
        assert word not in body


def test_free_text_becomes_the_note_under_other(shop: Database) -> None:
    delete_many(shop, [1], actor=STAFF, reason="Moved to Mars 🚀")
    with snapshot(shop) as moment:
        newest = queries.list_events(moment.connection, shop.schema)[0]
    assert (newest.reason, newest.note) == ("other", "Moved to Mars 🚀")


def test_a_customer_without_orders_is_deleted_with_nothing_at_stake(shop: Database) -> None:
    outcome = delete_many(shop, [5], actor=STAFF, reason="inactive")[0]
    assert (outcome.changed, outcome.orders, outcome.revenue) == (True, 0, {})


def test_repeating_keeps_the_first_time_stamp_and_writes_no_second_event(shop: Database) -> None:
    first = delete_many(shop, [1], actor=STAFF, reason="requested")[0]
    with shop.engine.connect().execution_options(write=True) as connection, connection.begin():
        connection.execute(text("UPDATE customers SET deleted_at = '2024-05-05 05:05:05' WHERE id = 1"))
    before = state(shop)
    second = delete_many(shop, [1], actor=ADMIN, reason="fraud")[0]
    assert not second.changed
    assert second.customer.deleted_at == datetime(2024, 5, 5, 5, 5, 5, tzinfo=UTC)
    assert (second.orders, second.revenue, second.event_id) == (first.orders, first.revenue, first.event_id)
    assert state(shop) == before


@pytest.mark.parametrize("customer_id", NOT_IDS, ids=repr)
def test_an_unknown_id_is_named_and_nothing_is_written(shop: Database, customer_id: Any) -> None:
    before = state(shop)
    with pytest.raises(CustomerNotFound) as caught:
        delete_many(shop, [customer_id], actor=STAFF, reason="requested")
    assert str(caught.value) == f"There is no customer {customer_id}."
    assert state(shop) == before


def test_an_id_may_come_as_text(shop: Database) -> None:
    assert delete_many(shop, ["1"], actor=STAFF, reason="requested")[0].customer.id == 1


@pytest.mark.parametrize("role", [Role.MANAGER, Role.AUDITOR])
def test_a_role_without_the_right_is_refused_and_nothing_changes(shop: Database, role: Role) -> None:
    before = state(shop)
    with pytest.raises(NotPermitted, match=f"The role {role} may not"):
        delete_many(shop, [1], actor=Actor("test:x", role, Door.API), reason="requested")
    assert state(shop) == before


@pytest.mark.parametrize("reason", ["", "  \n"])
def test_a_blank_reason_is_refused(shop: Database, reason: str) -> None:
    before = state(shop)
    with pytest.raises(InvalidInput, match="Give a reason") as caught:
        delete_many(shop, [1], actor=STAFF, reason=reason)
    assert caught.value.field == "reason"
    assert state(shop) == before


def test_an_overlong_note_is_refused(shop: Database) -> None:
    with pytest.raises(InvalidInput, match="2001 characters; 2000 are allowed"):
        delete_many(shop, [1], actor=STAFF, reason="other", note="é" * 2001)
    assert delete_many(shop, [1], actor=STAFF, reason="other", note="é" * 2000)[0].changed
    assert problems(shop) == []


def test_many_at_once_are_all_deleted_in_the_order_given(shop: Database) -> None:
    outcomes = delete_many(shop, [3, 4, 1, 1], actor=STAFF, reason="requested")
    assert [(o.customer.id, o.changed, o.orders) for o in outcomes] == [
        (3, True, 1),
        (4, False, 2),
        (1, True, 3),
        (1, True, 3),
    ]
    assert len(rows(shop, "evenbooks_events")) == 4
    assert problems(shop) == []


def test_one_unknown_id_among_many_deletes_nobody(shop: Database) -> None:
    before = state(shop)
    with pytest.raises(CustomerNotFound, match="There is no customer 404"):
        delete_many(shop, [1, 404, 2], actor=STAFF, reason="requested")
    assert state(shop) == before


HARM = {
    "deletes orders": "DELETE FROM orders WHERE customer_id = OLD.id",
    "forgets whose they are": "UPDATE orders SET customer_id = NULL WHERE customer_id = OLD.id",
    "changes an amount": "UPDATE orders SET total = total + 0.01 WHERE id = 1",
    "moves them to another month": "UPDATE orders SET ordered_at = '2030-01-01 00:00:00' WHERE customer_id = OLD.id",
}


@pytest.mark.parametrize("harm", HARM.values(), ids=HARM.keys())
def test_a_trigger_that_touches_orders_makes_it_refuse_and_roll_back(shop: Database, harm: str) -> None:
    execute(shop.engine, trigger(shop.engine, harm))
    before = state(shop)
    with pytest.raises(BooksMoved, match=r"Nothing was changed: to delete customer [12] would have moved the reports"):
        delete_many(shop, [2, 1], actor=STAFF, reason="requested")
    assert state(shop) == before


@pytest.mark.parametrize("engine_name", ["mariadb"], indirect=True)
def test_another_program_that_deletes_at_the_same_moment_is_not_overwritten(
    shop: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    original = queries.get_customers_with_impact

    def meanwhile(*arguments: Any, **how: Any) -> Any:
        monkeypatch.setattr(queries, "get_customers_with_impact", original)
        found = original(*arguments, **how)
        execute(shop.engine, "UPDATE customers SET deleted_at = '2024-05-05 05:05:05' WHERE id = 1")
        return found

    monkeypatch.setattr(queries, "get_customers_with_impact", meanwhile)
    before = state(shop)
    with pytest.raises(Conflict, match=r"Another program changed one of these customers .* Nothing was changed"):
        delete_many(shop, [2, 1], actor=STAFF, reason="requested")
    assert whole_row(shop, 1)["deleted_at"] == datetime(2024, 5, 5, 5, 5, 5)
    assert whole_row(shop, 2)["deleted_at"] is None
    after = state(shop)
    assert after.pop("customers") != before.pop("customers")
    assert after == before


STAMPED = (
    "touched TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP ON UPDATE CURRENT_TIMESTAMP",
    "touched DATETIME(3) NULL DEFAULT NULL ON UPDATE CURRENT_TIMESTAMP(3)",
    "touched DATETIME NULL ON UPDATE CURRENT_TIMESTAMP",
)


@pytest.mark.parametrize("engine_name", ["mariadb"], indirect=True)
@pytest.mark.parametrize("column", STAMPED)
def test_a_column_that_updates_itself_is_left_alone(empty_url: str, opened: Shops, column: str) -> None:
    people = [{**person, "touched": "2020-01-01 00:00:00"} for person in PEOPLE]
    shop = opened(empty_url, customers=CUSTOMERS.replace("phone", f"{column}, phone"), people=people)
    before = whole_row(shop, 1)
    delete_many(shop, [1], actor=STAFF, reason="requested")
    after = whole_row(shop, 1)
    assert after.pop("deleted_at") is not before.pop("deleted_at")
    assert after == before


@pytest.mark.parametrize("engine_name", ["mariadb"], indirect=True)
def test_a_deleted_at_that_updates_itself_is_still_written(empty_url: str, opened: Shops) -> None:
    shop = opened(empty_url)
    execute(
        shop.engine, "ALTER TABLE customers MODIFY deleted_at TIMESTAMP NULL DEFAULT NULL ON UPDATE CURRENT_TIMESTAMP"
    )
    shop = attach(shop.settings)
    assert delete_many(shop, [1], actor=STAFF, reason="requested")[0].customer.deleted_at is not None
    assert whole_row(shop, 1)["deleted_at"] is not None
