"""The check of sealed months: what turns it red, with which words, and what must not."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from typing import Any

import pytest
from shops import ADMIN, CUSTOMERS, ORDERS, PEOPLE, PHONE, SALES, execute, settings_for

from data import integrity, queries, seals
from data.customers import delete_many, restore_many
from data.database import Database, attach, snapshot
from data.integrity import Check
from data.integrity.accept import acknowledge
from data.queries import blocks

Shops = Callable[..., Database]
MONTHS = ("2024-01", "2024-02")


@pytest.fixture
def sealed(shop_after: Shops) -> Database:
    """A shop whose January and February 2024 are sealed (events 3 and 4)."""
    return shop_after(seal_all)


def seal_all(shop: Database, months: tuple[str, ...] = MONTHS) -> Database:
    for month in months:
        seals.seal(shop, month, actor=ADMIN)
    return shop


def checks(shop: Database) -> dict[str, Check]:
    return {check.name: check for check in integrity.run_and_record(shop).checks}


def red(shop: Database) -> list[str]:
    return [name for name, check in checks(shop).items() if check.ok is False and check.level == "error"]


def words(shop: Database) -> list[str]:
    """What the check of seals says, without the checksums."""
    check = checks(shop)["seals"]
    return [example.split(" (checksum")[0] for example in check.examples]


NEW = "INSERT INTO orders VALUES ({}, {}, '{}', {}, 'paid')"


@pytest.mark.parametrize(
    "statements",
    [
        [NEW.format(50, 1, "2024-03-01 00:00:00", "-5.55")],  # a refund as a row of its own
        [NEW.format(51, 4, "2026-01-01 10:00:00", "7")],  # a late order of a deleted customer
        [NEW.format(52, "NULL", "2023-12-31 23:59:59", "3")],
        ["UPDATE orders SET status = 'paid' WHERE id = 7", "UPDATE orders SET total = 8 WHERE id = 5"],
        ["DELETE FROM orders WHERE id = 5"],  # an open month's
        ["UPDATE orders SET status = 'sent' WHERE id = 1"],  # every status counts as revenue here
        ["UPDATE customers SET name = 'Another', email = NULL WHERE id = 1"],
        ["INSERT INTO customers (id, name) VALUES (77, 'Back')"],
    ],
)
def test_ordinary_shop_activity_leaves_seals_green(sealed: Database, statements: list[str]) -> None:
    execute(sealed.engine, *statements)
    assert checks(sealed)["seals"].ok is True


def test_deleting_and_restoring_customers_of_a_sealed_month_leaves_it_green(sealed: Database) -> None:
    delete_many(sealed, [1, 2, 3], actor=ADMIN, reason="requested")
    restore_many(sealed, [1, 4], actor=ADMIN, reason="mistake")
    assert red(sealed) == []
    assert checks(sealed)["seals"].detail == "Every sealed month (2) is as it was sealed."


@pytest.mark.parametrize(
    ("statements", "said"),
    [
        (["UPDATE orders SET total = 60.5 WHERE id = 4"], "EUR 10.50 more, as many orders: order 4 was 50.00 and is 60.50"),
        (["DELETE FROM orders WHERE id = 9"], "EUR 5.55 less, 1 order fewer: order 9 is gone (5.55)"),
        ([NEW.format(60, 1, "2024-02-05 00:00:00", 3)], "EUR 3.00 more, 1 order more: order 60 is new (3.00)"),
        ([NEW.format(60, 1, "2024-02-29 23:59:59", 0)], "EUR as much, 1 order more: order 60 is new (0.00)"),
        (["UPDATE orders SET customer_id = 1 WHERE id = 4"], "EUR as much, as many orders: order 4 changed (customer or date)"),
        (["UPDATE orders SET customer_id = NULL WHERE id = 9"], "EUR as much, as many orders: order 9 changed (customer or date)"),
        (["UPDATE orders SET ordered_at = '2024-02-10 08:00:01' WHERE id = 4"], "EUR as much, as many orders: order 4 changed (customer or date)"),
        (["UPDATE orders SET ordered_at = '2024-03-01 00:00:00' WHERE id = 4"], "EUR 50.00 less, 1 order fewer: order 4 is gone (50.00)"),
        (["UPDATE orders SET ordered_at = NULL WHERE id = 4"], "EUR 50.00 less, 1 order fewer: order 4 is gone (50.00)"),
        (["UPDATE orders SET ordered_at = '2024-02-01 00:00:00' WHERE id = 5"], "EUR 7.77 more, 1 order more: order 5 is new (7.77)"),
        (["UPDATE orders SET id = 99 WHERE id = 4"], "EUR as much, as many orders: order 4 is gone (50.00), order 99 is new (50.00)"),
        (
            ["UPDATE orders SET total = 60 WHERE id = 4", "UPDATE orders SET total = -9.8 WHERE id = 2"],
            "EUR as much, as many orders: order 2 was 0.20 and is -9.80, order 4 was 50.00 and is 60.00",
        ),
        (
            ["DELETE FROM orders WHERE id = 9", NEW.format(61, 77, "2024-02-20 00:00:00", "5.55")],
            "EUR as much, as many orders: order 9 is gone (5.55), order 61 is new (5.55)",
        ),
        (
            ["UPDATE orders SET customer_id = 2 WHERE id = 2", "UPDATE orders SET customer_id = 1 WHERE id = 4"],
            "EUR as much, as many orders: order 2 changed (customer or date), order 4 changed (customer or date)",
        ),
    ],
)  # fmt: skip
def test_a_change_in_a_sealed_month_is_named(sealed: Database, statements: list[str], said: str) -> None:
    execute(sealed.engine, *statements)
    assert words(sealed) == [f"2024-02: {said}"]
    assert set(red(sealed)) <= {"seals", "missing_customers"}


def test_an_order_moved_between_sealed_months_shows_in_both(sealed: Database) -> None:
    execute(sealed.engine, "UPDATE orders SET ordered_at = '2024-01-31 00:00:00' WHERE id = 4")
    check = checks(sealed)["seals"]
    assert (check.count, check.ok, check.level) == (2, False, "error")
    assert [f.id for f in check.findings] == ["2024-01", "2024-02"]
    assert "2024-01: EUR 50.00 more, 1 order more: order 4 is new (50.00)" in check.detail


def test_at_most_ten_orders_are_named(sealed: Database) -> None:
    execute(sealed.engine, *[NEW.format(n, 1, "2024-02-05 00:00:00", 1) for n in range(100, 113)])
    assert words(sealed)[0].endswith("order 109 is new (1.00), and 3 more")


def test_an_accepted_difference_is_red_again_when_more_changes(sealed: Database) -> None:
    execute(sealed.engine, "UPDATE orders SET customer_id = 1 WHERE id = 4")
    acknowledge(sealed, "seals", "2024-02", actor=ADMIN, reason="a wrong customer")
    assert checks(sealed)["seals"].ok is True
    execute(sealed.engine, "UPDATE orders SET customer_id = 3 WHERE id = 4")
    assert words(sealed) == ["2024-02: EUR as much, as many orders: order 4 changed (customer or date)"]


PAID = {**PHONE, "orders": {"status": "status", "revenue_statuses": ["paid", "sent"]}}


@pytest.mark.parametrize(
    ("statement", "said"),
    [
        ("UPDATE orders SET status = 'sent' WHERE id = 2", None),  # both count
        ("UPDATE orders SET status = NULL WHERE id = 4", None),  # neither does
        ("UPDATE orders SET status = 'paid' WHERE id = 4", "EUR 50.00 more, as many orders, 1 order more counted as revenue: order 4 now counts as revenue (50.00)"),
        ("UPDATE orders SET status = NULL WHERE id = 9", "EUR 5.55 less, as many orders, 1 order fewer counted as revenue: order 9 no longer counts as revenue (5.55)"),
        ("UPDATE orders SET total = 1 WHERE id = 4", "EUR as much, as many orders: order 4 changed (customer, date or amount)"),
        ("DELETE FROM orders WHERE id = 4", "EUR as much, 1 order fewer, as many counted as revenue: order 4 is gone (no revenue)"),
    ],
)  # fmt: skip
def test_a_status_that_makes_revenue_is_sealed_too(
    empty_url: str, opened: Callable[..., Database], statement: str, said: str | None
) -> None:
    shop = seal_all(opened(empty_url, sections=PAID))
    execute(shop.engine, statement)
    assert words(shop) == ([f"2024-02: {said}"] if said else [])


@pytest.mark.parametrize(
    ("statement", "said"),
    [
        ("UPDATE evenbooks_seals SET total = '1.5' WHERE event_id = 4", "says another total (EUR) than event 4: 1.5"),
        ("UPDATE evenbooks_seals SET orders = 5 WHERE event_id = 4", "says another number of orders (EUR) than event 4: 5 of 4"),
        ("UPDATE evenbooks_seals SET all_orders = 3 WHERE event_id = 4", "says another number of orders (EUR) than event 4: 4 of 3"),
        ("UPDATE evenbooks_seals SET checksum = 'abc' WHERE event_id = 4", "says another checksum (EUR) than event 4: abc"),
        ("UPDATE evenbooks_seals SET mapping = 'abc' WHERE event_id = 4", "says another mapping (EUR) than event 4: abc"),
        ("UPDATE evenbooks_seals SET month = '2023-02' WHERE event_id = 4", "says another month (EUR) than event 4: 2023-02"),
        ("UPDATE evenbooks_seals SET actor = 'x' WHERE event_id = 4", "says another actor (EUR) than event 4: x"),
        ("UPDATE evenbooks_seals SET sealed_at = '2020-01-01 00:00:00' WHERE event_id = 4", "says another time (EUR) than event 4: 2020-01-01"),
        ("UPDATE evenbooks_seals SET detail = '' WHERE event_id = 4", "says another detail (EUR) than event 4: e3b0c44298fc"),
        ("UPDATE evenbooks_seals SET unsealed_event_id = 4 WHERE event_id = 4", "says another unsealing (EUR) than event 4: 4"),
        ("UPDATE evenbooks_seals SET currency = 'eur' WHERE event_id = 4", "lacks the seal of event 4 (EUR), has a seal of event 4 (eur)"),
        ("DELETE FROM evenbooks_seals WHERE event_id = 4", "lacks the seal of event 4 (EUR)"),
        ("UPDATE evenbooks_seals SET event_id = 2 WHERE event_id = 4", "lacks the seal of event 4 (EUR), has a seal in force (EUR, event 2)"),
    ],
)  # fmt: skip
def test_a_seal_that_was_tampered_with_is_named(sealed: Database, statement: str, said: str) -> None:
    execute(sealed.engine, statement)
    assert red(sealed) == ["seals"]
    assert any(f"2024-02: evenbooks_seals {said}" in example for example in words(sealed)), words(sealed)


@pytest.mark.parametrize("engine_name", ["sqlite"], indirect=True)  # which keeps whatever it is given
def test_a_total_that_is_no_number_any_more_is_named(sealed: Database) -> None:
    execute(sealed.engine, "UPDATE evenbooks_seals SET total = 'much' WHERE event_id = 4")
    assert words(sealed) == ["2024-02: evenbooks_seals says another total (EUR) than event 4: NaN"]
    assert len(seals_of(sealed)) == 2


def seals_of(shop: Database) -> list[Any]:
    with snapshot(shop) as moment:
        return seals.list_seals(moment.connection, shop.schema)


def test_a_seal_brought_back_by_hand_is_named(sealed: Database) -> None:
    seals.unseal(sealed, "2024-02", actor=ADMIN, reason="mistake")
    assert red(sealed) == []
    execute(sealed.engine, "UPDATE evenbooks_seals SET unsealed_event_id = NULL")
    assert words(sealed) == ["2024-02: evenbooks_seals has a seal in force (EUR, event 4) that the events do not know"]


def test_without_its_row_a_changed_month_is_still_red_and_can_be_unsealed(sealed: Database) -> None:
    execute(sealed.engine, "DELETE FROM evenbooks_seals", "UPDATE orders SET total = 49 WHERE id = 4")
    said = words(sealed)
    assert "2024-02: EUR 1.00 less, as many orders, and its detail was altered" in said[0]
    for month in MONTHS:
        seals.unseal(sealed, month, actor=ADMIN, reason="mistake")
    gone = [f"{month}: evenbooks_seals lacks the seal of event {event} (EUR)" for event, month in enumerate(MONTHS, 3)]
    assert words(sealed) == gone


@pytest.mark.parametrize(
    ("statement", "said"),
    [
        ("UPDATE evenbooks_seals SET total = 5, checksum = 'zz' WHERE event_id = 4", "says another total (EUR) than event 4: 5"),
        ("UPDATE evenbooks_seals SET all_orders = 9 WHERE event_id = 4", "says another number of orders (EUR) than event 4: 4 of 9"),
        ("UPDATE evenbooks_seals SET month = '2023-02' WHERE event_id = 4", "says another month (EUR) than event 4: 2023-02"),
        ("UPDATE evenbooks_seals SET unsealed_event_id = 6 WHERE event_id = 4", "says another unsealing (EUR) than event 4: 6"),
        ("UPDATE evenbooks_seals SET unsealed_event_id = NULL WHERE event_id = 4", "has a seal in force (EUR, event 4) that the events do not know"),
        ("UPDATE evenbooks_seals SET unsealed_event_id = 5 WHERE event_id = 6", "says another unsealing (EUR) than event 6: 5"),
        ("UPDATE evenbooks_seals SET currency = 'CHF' WHERE event_id = 4", "lacks the seal of event 4 (EUR), has a seal of event 4 (CHF)"),
        ("DELETE FROM evenbooks_seals WHERE event_id = 4", "lacks the seal of event 4 (EUR)"),
    ],
)  # fmt: skip
def test_a_seal_that_was_ended_is_compared_all_the_same(sealed: Database, statement: str, said: str) -> None:
    seals.unseal(sealed, "2024-02", actor=ADMIN, reason="mistake")
    seals.seal(sealed, "2024-02", actor=ADMIN, reason="undo")
    assert checks(sealed)["seals"].ok is True
    execute(sealed.engine, statement)
    check = checks(sealed)["seals"]
    assert (check.ok, check.level, [f.id for f in check.findings]) == (False, "error", ["2024-02 table"])
    assert check.findings[0].words.startswith(f"2024-02: evenbooks_seals {said}")


def test_orders_of_a_seal_that_was_ended_may_change(sealed: Database) -> None:
    seals.unseal(sealed, "2024-02", actor=ADMIN, reason="mistake")
    execute(sealed.engine, "UPDATE orders SET total = 49 WHERE id = 4")
    assert checks(sealed)["seals"].ok is True


def test_a_detail_that_was_altered_names_no_orders(sealed: Database) -> None:
    execute(sealed.engine, "UPDATE orders SET total = 49 WHERE id = 4")
    execute(sealed.engine, "UPDATE evenbooks_seals SET detail = REPLACE(detail, '50.00', '49.00') WHERE event_id = 4")
    assert words(sealed)[0] == (
        "2024-02: EUR 1.00 less, as many orders, and its detail was altered, so the orders cannot be named"
    )


def test_another_mapping_is_no_broken_seal(sealed: Database) -> None:
    url = sealed.settings.database_url
    same = attach(settings_for(url, {"customers": {"phone": "phone", "erase": ["phone"]}}))
    assert checks(same)["seals"].ok is True, "the figures are the same"
    other = attach(settings_for(url, {**PHONE, "orders": {"where": "id <> 4"}}))
    check = checks(other)["seals"]
    assert (check.ok, check.count) == (None, 0)
    assert check.detail == (
        "Could not compare every sealed month: 2024-02 was sealed under another mapping and cannot be compared."
    )
    for database in (same, other):
        database.engine.dispose()


def test_grains_are_chosen_by_how_many_orders_there_are(monkeypatch: pytest.MonkeyPatch) -> None:
    grain = lambda orders, low, high: queries.MonthOrders("EUR", orders, low, high).grain  # noqa: E731
    assert grain(2000, 1, 10**9) == "order"
    assert grain(2001, 1, 2001) == "range:2"
    assert grain(300_000, 10_000_000, 10_300_000) == "range:256"
    assert grain(3000, -(2**62), 2**62) == f"range:{2**53}"
    assert grain(2001, "a", "b") == "hash"


def test_many_orders_are_sealed_by_ranges(shop: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(blocks, "MOST_ORDERS", 3)
    monkeypatch.setattr(blocks, "MOST_BLOCKS", 3)
    seal_all(shop)
    assert red(shop) == []
    execute(shop.engine, "UPDATE orders SET total = 60 WHERE id = 4", "DELETE FROM orders WHERE id = 9")
    assert words(shop) == [
        "2024-02: EUR 4.45 more, 1 order fewer: between order 4 and 7: 10.00 more, "
        "between order 8 and 11: 1 order fewer, 5.55 less"
    ]
    execute(
        shop.engine, "UPDATE orders SET customer_id = 2 WHERE id = 2", "UPDATE orders SET customer_id = 1 WHERE id = 4"
    )
    assert "between order 0 and 3: changed orders" in words(shop)[0]


TEXT_PEOPLE = CUSTOMERS.replace("{key}", "VARCHAR(40) PRIMARY KEY")
TEXT_ORDERS = ORDERS.replace("{key}", "VARCHAR(40) PRIMARY KEY").replace(
    "customer_id INTEGER", "customer_id VARCHAR(40)"
)


def text_shop(url: str, opened: Callable[..., Database]) -> Database:
    people = [{**person, "id": f"c-{person['id']}"} for person in PEOPLE]
    sales = [(f"Ö|{n}", None if c is None else f"c-{c}", *rest) for n, c, *rest in SALES]
    return opened(url, customers=TEXT_PEOPLE, orders=TEXT_ORDERS, people=people, sales=sales)


def test_orders_with_text_for_ids(empty_url: str, opened: Callable[..., Database]) -> None:
    shop = seal_all(text_shop(empty_url, opened))
    assert red(shop) == []
    # MariaDB's collation takes these for the same customer.
    execute(shop.engine, "UPDATE orders SET customer_id = 'C-2' WHERE id = 'Ö|4'")
    assert words(shop) == ["2024-02: EUR as much, as many orders: order Ö|4 changed (customer or date)"]


def test_many_orders_with_text_for_ids_are_sealed_by_hash(
    empty_url: str, opened: Callable[..., Database], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(blocks, "MOST_ORDERS", 3)
    shop = seal_all(text_shop(empty_url, opened))
    assert red(shop) == []
    execute(shop.engine, "UPDATE orders SET total = 60 WHERE id = 'Ö|4'")
    digits = hashlib.md5("Ö|4".encode()).hexdigest()[:3]
    assert words(shop) == [
        f"2024-02: EUR 10.00 more, as many orders: orders whose id has an MD5 that begins with {digits}: 10.00 more"
    ]
