"""The checksums of sealed months: the same however the rows are kept, another when anything of an order is."""

from __future__ import annotations

import hashlib
import random
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest
from shops import ADMIN, CUSTOMERS, ORDERS, PHONE, SALES, execute, fill, settings_for
from sqlalchemy.engine import make_url

from data import queries, seals
from data.database import Database, attach, snapshot
from data.errors import EvenbooksError
from data.integrity import Check
from data.integrity.contents import Contents, measure, measure_month
from data.integrity.run import run
from data.queries import blocks
from data.records import Seal

Shops = Callable[..., Database]


def measured(shop: Database, month: str = "2024-02") -> list[Contents]:
    with snapshot(shop) as moment:
        return measure_month(moment.connection, shop.schema, month)


def check(shop: Database, name: str = "seals", proof: Any = None) -> Check:
    with snapshot(shop) as moment:
        report = run(moment.connection, shop.schema, moment.at, proof=proof)
    return next(c for c in report.checks if c.name == name)


@pytest.mark.parametrize("grain", ["order", "range:2", "range:64", "hash"])
def test_every_grain_holds_every_order_and_gives_the_same_figures(shop: Database, grain: str) -> None:
    with snapshot(shop) as moment:
        totals = queries.monthly_totals(moment.connection, shop.schema)
        for (month, currency), figures in totals.items():
            if month:
                found = measure(moment.connection, shop.schema, month, currency, grain=grain)
                assert (found.orders, found.all_orders, found.total) == (figures.orders, figures.orders, figures.total)


def test_every_engine_makes_the_same_checksum(shop: Database) -> None:
    text = "2|1|2024-02-01 00:00:00.000000|0.200000|1|\n"
    (found,) = measured(shop)
    assert found.blocks[0].digest == hashlib.sha256(text.encode()).hexdigest()
    # Whatever the grain; known from one engine, and met on the others.
    assert found.checksum.startswith("5d9374340108")
    with snapshot(shop) as moment:
        coarse = [measure(moment.connection, shop.schema, "2024-02", "EUR", grain=g) for g in ("range:4", "hash")]
    assert [b.digest[:8] for b in coarse[0].blocks] == ["bf8ae0fd", "dfedf588", "423fd9f2"]
    assert len(coarse[1].blocks) == 4


def test_the_order_of_rows_does_not_matter(empty_url: str, opened: Shops) -> None:
    shop = opened(empty_url)
    before = [measured(shop, month) for month in ("2024-01", "2024-02", "2024-04")]
    execute(shop.engine, "DELETE FROM orders")
    columns = ("id", "customer_id", "ordered_at", "total", "status")
    mixed = random.Random(7).sample(SALES, len(SALES))
    fill(shop.engine, "orders", [dict(zip(columns, sale, strict=True)) for sale in mixed])
    assert [measured(shop, month) for month in ("2024-01", "2024-02", "2024-04")] == before


def test_wider_columns_are_no_change(empty_url: str, engine_name: str, opened: Shops) -> None:
    shop = opened(empty_url)
    seals.seal(shop, "2024-02", actor=ADMIN)
    if engine_name == "mariadb":
        execute(
            shop.engine,
            "ALTER TABLE orders MODIFY total DECIMAL(20,8) NOT NULL, MODIFY ordered_at DATETIME(6) NULL, "
            "MODIFY customer_id BIGINT, MODIFY id BIGINT NOT NULL AUTO_INCREMENT, MODIFY status VARCHAR(200)",
        )
    elif engine_name == "postgresql":
        wider = {
            "total": "DECIMAL(20,8)",
            "ordered_at": "TIMESTAMPTZ",
            "customer_id": "BIGINT",
            "id": "BIGINT",
            "status": "TEXT",
        }
        execute(shop.engine, *(f"ALTER TABLE orders ALTER {name} TYPE {kind}" for name, kind in wider.items()))
    else:  # where a wider column is but another way to write the same
        execute(shop.engine, "UPDATE orders SET ordered_at = replace(ordered_at, ' ', 'T') || '.000' WHERE id = 3")
    assert check(shop).ok is True, "also for one who attached before"
    again = attach(shop.settings)
    assert check(again).ok is True
    execute(shop.engine, "UPDATE orders SET total = total + 0.00001 WHERE id = 4")
    assert "order 4 was 50.00 and is 50.00001" in check(again).examples[0]
    again.engine.dispose()


@pytest.mark.parametrize("engine_name", ["mariadb"], indirect=True)
def test_wider_columns_under_a_query_are_no_change(empty_url: str, opened: Shops) -> None:
    shop = opened(empty_url, sections={**PHONE, "orders": {"query": QUERY.format(id="id", more="")}})
    seals.seal(shop, "2024-02", actor=ADMIN)
    wider = "MODIFY total DECIMAL(20,8) NOT NULL, MODIFY ordered_at DATETIME(6) NULL, MODIFY id BIGINT NOT NULL"
    execute(shop.engine, f"ALTER TABLE orders {wider}")
    assert check(shop).ok is True
    execute(shop.engine, "UPDATE orders SET ordered_at = '2024-02-10 08:00:00.000001' WHERE id = 4")
    assert "order 4 changed (customer or date)" in check(shop).examples[0]


def test_numbers_below_zero_have_their_ranges_too(empty_url: str, opened: Shops) -> None:
    ids = (-9, -8, -7, -1, 1, 7, 8)
    shop = opened(empty_url, sales=[(n, 1, "2024-02-01 00:00:00", "1.00", "paid") for n in ids])
    with snapshot(shop) as moment:
        found = measure(moment.connection, shop.schema, "2024-02", "EUR", grain="range:8")
    assert [(b.label, b.orders) for b in found.blocks] == [("-1", 2), ("0", 4), ("1", 1)]
    lines = [f"{n}|1|2024-02-01 00:00:00.000000|1.000000|1|\n" for n in ids]
    texts = ["".join(lines[:2]), "".join(lines[2:6]), lines[6]]
    assert [b.digest for b in found.blocks] == [hashlib.sha256(text.encode()).hexdigest() for text in texts]


@pytest.mark.parametrize("engine_name", ["mariadb", "postgresql"], indirect=True)
def test_more_than_six_digits_are_kept(empty_url: str, opened: Shops) -> None:
    shop = opened(empty_url, orders=ORDERS.replace("DECIMAL(12,2)", "DECIMAL(20,9)"))
    execute(shop.engine, "UPDATE orders SET total = 50.000000001 WHERE id = 4")
    (made,) = seals.seal(shop, "2024-02", actor=ADMIN)
    assert made.total == Decimal("35.700000")
    assert check(shop).ok is True
    execute(shop.engine, "UPDATE orders SET total = 50.000000002 WHERE id = 4")
    assert "EUR 0.000000001 more" in check(shop).examples[0]
    with snapshot(shop) as moment:
        before = measure(moment.connection, shop.schema, "2024-02", "EUR", grain="range:64")
    execute(shop.engine, "UPDATE orders SET total = 50.000000001 WHERE id = 4", CANCEL)
    with snapshot(shop) as moment:
        after = measure(moment.connection, shop.schema, "2024-02", "EUR", grain="range:64")
    assert (before.total == after.total, before.checksum == after.checksum) == (True, False)


CANCEL = "UPDATE orders SET total = total + 0.000000001 WHERE id = 2"


def test_totals_beyond_a_double_are_kept_to_the_last_digit(empty_url: str, opened: Shops) -> None:
    orders = ORDERS.replace("DECIMAL(12,2)", "DECIMAL(20,6)")
    sales = [(n, 1, "2024-02-01 00:00:00", "1234567890.123456", "paid") for n in range(1, 102)]
    shop = opened(empty_url, orders=orders, sales=sales)
    (made,) = seals.seal(shop, "2024-02", actor=ADMIN)
    assert made.total == 101 * Decimal("1234567890.123456")
    assert in_force(shop) == [made]
    assert check(shop).ok is True


@pytest.mark.parametrize("kind", ["FLOAT", "REAL", "DOUBLE PRECISION", "VARCHAR(20)", "DECIMAL(14,4)"])
def test_amounts_of_any_type_are_sealed_as_they_are_added(empty_url: str, opened: Shops, kind: str) -> None:
    shop = opened(empty_url, orders=ORDERS.replace("DECIMAL(12,2) NOT NULL", f"{kind} NULL"))
    execute(shop.engine, "UPDATE orders SET total = NULL WHERE id = 9")
    (made,) = seals.seal(shop, "2024-02", actor=ADMIN)
    with snapshot(shop) as moment:
        assert made.total == queries.monthly_totals(moment.connection, shop.schema)["2024-02", "EUR"].total
    assert check(shop).ok is True
    execute(shop.engine, "UPDATE orders SET total = 0 WHERE id = 9")
    assert "order 9 changed" in check(shop).examples[0], "nothing is not zero"
    execute(shop.engine, "UPDATE orders SET total = 12345678.5 WHERE id = 4")
    assert "order 4 was" in check(shop).examples[0]


@pytest.mark.parametrize("kind", ["DATE", "TIMESTAMP", "VARCHAR(30)"])
def test_dates_of_any_type_are_sealed(empty_url: str, opened: Shops, kind: str) -> None:
    shop = opened(empty_url, orders=ORDERS.replace("{time}", kind))
    for month in ("2024-01", "2024-02", "2024-04"):
        (made,) = seals.seal(shop, month, actor=ADMIN)
        assert made.all_orders == sum(str(sale[2]).startswith(month) for sale in SALES)
    assert check(shop).ok is True
    execute(shop.engine, "UPDATE orders SET ordered_at = '2024-02-11 08:00:00' WHERE id = 4")
    assert "2024-02: EUR as much, as many orders: order 4 changed" in check(shop).examples[0]


@pytest.mark.parametrize("engine_name", ["sqlite", "mariadb"], indirect=True)  # PostgreSQL has no such days
def test_days_that_are_none_belong_to_their_month_and_zero_dates_to_none(empty_url: str, opened: Shops) -> None:
    shop = opened(empty_url)
    lax = not empty_url.startswith("sqlite")
    with shop.engine.connect().execution_options(write=True) as connection, connection.begin():
        if lax:
            connection.exec_driver_sql("SET SESSION sql_mode = ''")
        connection.exec_driver_sql("UPDATE orders SET ordered_at = '2024-02-00 00:00:00' WHERE id = 4")
        connection.exec_driver_sql("UPDATE orders SET ordered_at = '0000-00-00 00:00:00' WHERE id = 9")
        if lax:
            connection.exec_driver_sql("SET SESSION sql_mode = DEFAULT")
    (made,) = seals.seal(shop, "2024-02", actor=ADMIN)
    assert (made.all_orders, str(made.total)) == (3, "30.150000")
    assert check(shop).ok is True
    execute(shop.engine, "UPDATE orders SET ordered_at = '2024-02-01 00:00:00' WHERE id = 4")
    assert "order 4 changed (customer or date)" in check(shop).examples[0]


QUERY = "SELECT {id} AS id, customer_id, ordered_at, total FROM orders WHERE id <> 10{more}"


@pytest.mark.parametrize(
    ("ids", "more", "name"),
    [("id", "", "order 4"), ("id DIV 100", "", "order 0"), ("NULL", "", "an order without an id"), ("id", " UNION ALL SELECT id, customer_id, ordered_at, total FROM orders WHERE id = 4", "order 4")],
)  # fmt: skip
def test_orders_that_are_a_query_even_with_ids_that_repeat(
    empty_url: str, opened: Shops, ids: str, more: str, name: str
) -> None:
    if not empty_url.startswith("mysql"):
        ids = ids.replace("DIV", "/")
    shop = opened(empty_url, sections={**PHONE, "orders": {"query": QUERY.format(id=ids, more=more)}})
    seals.seal(shop, "2024-02", actor=ADMIN)
    assert check(shop).ok is True
    assert check(shop).sql
    execute(shop.engine, "UPDATE orders SET customer_id = 3 WHERE id = 4")
    assert name in check(shop).examples[0]


def test_guests_are_told_apart_from_customer_0(empty_url: str, opened: Shops) -> None:
    shop = opened(empty_url, sections={**PHONE, "orders": {"no_customer": [0]}})
    seals.seal(shop, "2024-01", actor=ADMIN)
    execute(shop.engine, "UPDATE orders SET customer_id = 0 WHERE id = 8")
    assert "order 8 changed (customer or date)" in check(shop).examples[0]


def test_text_that_looks_like_another_order_is_another(empty_url: str, opened: Shops) -> None:
    orders = ORDERS.replace("customer_id INTEGER", "customer_id VARCHAR(60)")
    people = CUSTOMERS.replace("{key}", "VARCHAR(60) PRIMARY KEY")
    found = set()
    for number, customer in enumerate([None, "", "N", "x", "|", "1|2024-02-01 00:00:00.000000|1.000000|1|\n"]):
        url = empty_url if not number else None
        shop = opened(empty_url, orders=orders, customers=people, people=[], sales=[]) if url else shop  # noqa: F821
        execute(shop.engine, "DELETE FROM orders")
        fill(shop.engine, "orders", [{"id": 1, "customer_id": customer, "ordered_at": "2024-02-01", "total": 1}])
        found.add(measured(shop)[0].checksum)
    assert len(found) == 6


@pytest.mark.parametrize("engine_name", ["mariadb"], indirect=True)
def test_what_the_server_cuts_off_is_not_taken_for_a_checksum(shop: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    seals.seal(shop, "2024-02", actor=ADMIN)
    for longest in (100, 44, 43, 4):
        monkeypatch.setattr(blocks, "LONGEST_BLOCK", longest)
        with snapshot(shop) as moment, pytest.raises(EvenbooksError, match="cut the checksum of 2024-02 off"):
            measure(moment.connection, shop.schema, "2024-02", "EUR", grain="range:64")
    found = check(shop)
    assert (found.ok, found.count) == (None, 0)
    assert "2024-02: The server cut the checksum" in found.detail
    with pytest.raises(EvenbooksError, match="cut the checksum"):
        seals.seal(shop, "2024-01", actor=ADMIN)
    assert [s.month for s in in_force(shop)] == ["2024-02"]


def in_force(shop: Database) -> list[Seal]:
    with snapshot(shop) as moment:
        return seals.list_seals(moment.connection, shop.schema)


@pytest.mark.parametrize("engine_name", ["mariadb"], indirect=True)
@pytest.mark.parametrize("grain", ["order", "range:2", "hash"])
def test_a_backslash_that_escapes_nothing_makes_no_other_checksum(shop: Database, grain: str) -> None:
    found = []
    for mode in ("", ",NO_BACKSLASH_ESCAPES"):
        with snapshot(shop) as moment:
            before = moment.connection.exec_driver_sql("SELECT @@session.sql_mode").scalar_one()
            moment.connection.exec_driver_sql(f"SET SESSION sql_mode = CONCAT(@@sql_mode, '{mode}')")
            found.append(measure(moment.connection, shop.schema, "2024-02", "EUR", grain=grain))
            moment.connection.exec_driver_sql(f"SET SESSION sql_mode = '{before}'")
    assert found[0] == found[1]


@pytest.mark.parametrize("engine_name", ["mariadb"], indirect=True)
def test_the_session_is_left_as_it_was(shop: Database) -> None:
    with snapshot(shop) as moment:
        ask = "SELECT @@session.group_concat_max_len"
        before = moment.connection.exec_driver_sql(ask).scalar_one()
        measure_month(moment.connection, shop.schema, "2024-02")
        assert moment.connection.exec_driver_sql(ask).scalar_one() == before


@pytest.mark.parametrize("engine_name", ["mariadb"], indirect=True)
def test_an_account_that_may_only_read_checks_every_seal(shop: Database) -> None:
    seals.seal(shop, "2024-02", actor=ADMIN)
    with reader(shop) as other:
        assert check(other).ok is True
        execute(shop.engine, "UPDATE orders SET total = 1 WHERE id = 4")
        assert check(other).ok is False


@contextmanager
def reader(shop: Database) -> Iterator[Database]:
    url = make_url(shop.settings.database_url)
    name = f"seal_reader_{url.database}"
    execute(shop.engine, f"CREATE USER {name}@localhost", f"GRANT SELECT ON {url.database}.* TO {name}@localhost")
    other = attach(settings_for(url.set(username=name).render_as_string(hide_password=False), PHONE))
    yield other
    other.engine.dispose()
    execute(shop.engine, f"DROP USER {name}@localhost")


def test_thousands_of_orders_by_ranges_and_hashes(
    empty_url: str, opened: Shops, monkeypatch: pytest.MonkeyPatch
) -> None:
    days = [date(2024, 5, 1) + timedelta(days=n % 31) for n in range(3000)]
    sales = [(n * 7, n % 5 or None, f"{day} 10:00:00", f"{n}.25", "paid") for n, day in enumerate(days, start=1)]
    shop = opened(empty_url, sales=sales)
    (made,) = seals.seal(shop, "2024-05", actor=ADMIN)
    assert (made.all_orders, made.total) == (3000, sum(Decimal(sale[3]) for sale in sales))
    (found,) = measured(shop, "2024-05")
    assert (found.grain, 1000 < len(found.blocks) <= 2001, len(found.detail) < 200_000) == ("range:16", True, True)
    execute(shop.engine, "UPDATE orders SET customer_id = 5 WHERE id = 7000")
    assert "EUR as much, as many orders: between order 6992 and 7007: changed orders" in check(shop).examples[0]
