"""Restoring where something came between: the address is somebody else's by now, or the deletion is another one."""

from __future__ import annotations

from typing import Any

import pytest
from shops import ADMIN, CUSTOMERS, PEOPLE, STAFF, execute, make_shop, problems, state, whole_row

from data import customers, integrity, migration, queries, sharing
from data.database import Database, attach, snapshot
from data.errors import Conflict, CustomerNotFound, InvalidInput
from data.records import Customer

SHARED = "UPDATE customers SET email = 'DORA@example.com' WHERE id = 5"
ONE_ENGINE = pytest.mark.parametrize("engine_name", ["sqlite"], indirect=True)


def deleted(shop: Database, *ids: int) -> list[Customer]:
    """The customers as a list shows them."""
    with snapshot(shop) as moment:
        found = queries.get_customers(moment.connection, shop.schema, ids)
    return [found[one] for one in ids]


def actions(shop: Database, customer_id: int) -> list[tuple[str, str | None]]:
    """What happened to a customer, newest first, with the reason."""
    with snapshot(shop) as moment:
        found = queries.list_events(moment.connection, shop.schema, customer_id=customer_id)
    return [(event.action, event.reason) for event in found]


def test_who_has_the_address_by_now_is_found_for_many_whatever_the_case(shop: Database) -> None:
    execute(
        shop.engine,
        "UPDATE customers SET email = 'DORA@example.com' WHERE id = 5",
        "UPDATE customers SET email = 'Jos\u00c9@example.com' WHERE id = 3",
        "UPDATE customers SET email = 'jos\u00e9@example.com' WHERE id = 2",
    )
    customers.delete_many(shop, [1, 2], actor=ADMIN, reason="fraud")
    found = sharing.find_sharing_emails(shop, deleted(shop, 1, 2, 4))
    assert {key: other.id for key, other in found.items()} == {4: 5, 2: 3}
    assert sharing.find_sharing_emails(shop, []) == {}


@ONE_ENGINE
def test_of_two_deleted_ones_with_one_address_the_second_is_told(shop: Database) -> None:
    execute(shop.engine, "UPDATE customers SET email = 'Dora@Example.com' WHERE id = 1")
    customers.delete_many(shop, [1, 3], actor=ADMIN, reason="fraud")  # 3 has no address
    found = sharing.find_sharing_emails(shop, deleted(shop, 3, 4, 1))
    assert {key: other.id for key, other in found.items()} == {1: 4}


def test_restored_without_the_address_is_an_edit_and_a_restore_and_the_books_stay_even(shop: Database) -> None:
    customers.delete_many(shop, [1], actor=ADMIN, reason="fraud")
    execute(shop.engine, SHARED)
    outcomes = customers.restore_many(shop, [1, 4], actor=STAFF, reason="mistake", without_email=[4])
    assert [(o.customer.id, o.changed, o.customer.email) for o in outcomes] == [
        (1, True, "ana@example.com"),
        (4, True, None),
    ]
    row = whole_row(shop, 4)
    assert (row["email"], row["deleted_at"], row["name"]) == (None, None, "Dora Gone")
    assert actions(shop, 4)[:2] == [("restore", "mistake"), ("edit", "mistake")]
    assert actions(shop, 1)[0] == ("restore", "mistake")
    assert problems(shop) == []
    assert integrity.run_and_record(shop).even


@ONE_ENGINE
def test_where_customers_need_an_address_nobody_is_restored_without(empty_url: str) -> None:
    needs = CUSTOMERS.replace("email VARCHAR(80)", "email VARCHAR(80) NOT NULL")
    shop = make_shop(empty_url, customers=needs, people=[{**one, "email": one["email"] or "x@y.zz"} for one in PEOPLE])
    customers.delete_many(shop, [1], actor=ADMIN, reason="fraud")
    before = state(shop)
    with pytest.raises(InvalidInput, match="needs an e-mail"):
        customers.restore_many(shop, [1], actor=ADMIN, reason="undo", without_email=[1])
    assert state(shop) == before
    assert not sharing.may_lose_email(shop.schema)
    shop.engine.dispose()


def test_a_restore_that_fails_takes_the_blanked_address_back(shop: Database) -> None:
    execute(shop.engine, SHARED)
    before = state(shop)
    with pytest.raises(CustomerNotFound):
        customers.restore_many(shop, [4, 77], actor=ADMIN, reason="undo", without_email=[4])
    assert state(shop) == before


@ONE_ENGINE
def test_nobody_loses_an_address_that_nobody_else_has(shop: Database) -> None:
    before = state(shop)
    with pytest.raises(Conflict, match="Nobody else has the e-mail address of customer 4"):
        customers.restore_many(shop, [4], actor=STAFF, reason="mistake", without_email=[4])
    assert state(shop) == before
    execute(shop.engine, "UPDATE customers SET email = 'Dora@Example.com' WHERE id = 1")
    customers.delete_many(shop, [1], actor=ADMIN, reason="fraud")
    # Who is restored together with somebody of the same address may.
    outcomes = customers.restore_many(shop, [1, 4], actor=STAFF, reason="mistake", without_email=[4])
    assert [o.customer.email for o in outcomes] == ["Dora@Example.com", None]


def test_what_was_seen_decides_which_deletion_is_taken_back(shop: Database) -> None:
    seen = {4: deleted(shop, 4)[0].deleted_at}
    assert customers.restore_many(shop, [4], actor=ADMIN, reason="undo", expected=seen)[0].changed
    assert not customers.restore_many(shop, [4], actor=ADMIN, reason="undo", expected=seen)[0].changed  # already
    execute(shop.engine, "UPDATE customers SET deleted_at = '2031-05-03 13:58:00' WHERE id = 4")
    with pytest.raises(
        Conflict,
        match=r"Dora Gone \(customer 4\) was restored and deleted anew, at 2031-05-03T13:58:00Z, since the list was read\. Nothing was changed",
    ):
        customers.restore_many(shop, [4], actor=ADMIN, reason="undo", expected=seen)


def test_whether_addresses_are_kept_apart_is_seen_of_keys_of_theirs_and_ours(opened: Any, make_url: Any) -> None:
    assert not sharing.are_kept_apart(opened(make_url()))
    theirs = CUSTOMERS.replace("email VARCHAR(80)", "email VARCHAR(80) UNIQUE")
    assert sharing.are_kept_apart(opened(make_url(), customers=theirs))
    shop = opened(make_url())
    migration.migrate(shop.settings, active_unique=True)
    again = attach(shop.settings)
    assert sharing.are_kept_apart(again)
    again.engine.dispose()
