"""How the check runs: in chunks, with progress, stoppable; what it keeps, and what it says of its evidence."""

from __future__ import annotations

import json
from typing import Any

import pytest
from shops import ADMIN, PEOPLE, execute, rows, settings_for
from sqlalchemy import select, text

from data import integrity, queries
from data.customers import delete_many, restore_many
from data.database import Database, attach, snapshot
from data.errors import CheckStopped
from data.integrity.report import Check, read_proof
from data.queries import checks as check_queries

COVERING = "CREATE INDEX i_cover ON orders (customer_id, ordered_at, total)"


def found(shop: Database) -> dict[str, Check]:
    return {check.name: check for check in integrity.run_and_record(shop).checks}


def red(shop: Database) -> list[str]:
    return [name for name, check in found(shop).items() if check.ok is False and check.level == "error"]


@pytest.fixture
def in_pieces(monkeypatch: pytest.MonkeyPatch) -> None:
    """Chunks of three orders."""
    whole = check_queries.order_chunks
    monkeypatch.setattr(queries, "order_chunks", lambda c, schema: whole(c, schema, size=3))


@pytest.mark.parametrize("covering", [False, True])
def test_every_order_is_in_exactly_one_chunk(shop: Database, covering: bool) -> None:
    if covering:
        execute(shop.engine, COVERING)
    orders = shop.schema.orders
    with snapshot(shop) as moment:
        pieces = check_queries.order_chunks(moment.connection, shop.schema, size=3)
        ids = [
            list(moment.connection.execute(select(orders.c.id).select_from(orders.source).where(piece)).scalars())
            for piece in pieces
        ]
    assert len(pieces) > 2
    assert sorted(id for piece in ids for id in piece) == list(range(1, 11))


@pytest.mark.parametrize("covering", [False, True])
def test_chunks_add_up_to_the_same_report(shop: Database, in_pieces: None, covering: bool) -> None:
    if covering:
        execute(shop.engine, COVERING)
    chunked = integrity.run_and_record(shop)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(queries, "order_chunks", lambda c, schema: check_queries.order_chunks(c, schema))
        whole = integrity.run_and_record(shop)
    assert (chunked.months, chunked.totals) == (whole.months, whole.totals)
    assert chunked.even
    assert [c.detail for c in chunked.checks] == [c.detail for c in whole.checks]


def test_orders_in_the_last_chunk_are_looked_at_too(shop: Database, in_pieces: None) -> None:
    execute(shop.engine, "UPDATE orders SET customer_id = 4711 WHERE id = 10")
    assert red(shop) == ["missing_customers"]


def test_orders_that_count_for_no_revenue_are_missed_as_well(shop: Database, opened: Any, empty_url: str) -> None:
    sections = {"orders": {"status": "status", "revenue_statuses": ["paid"]}}
    execute(shop.engine, "DROP TABLE customers", "DROP TABLE orders")
    for table in ("events", "chain", "checks", "version", "seals"):
        execute(shop.engine, f"DROP TABLE IF EXISTS evenbooks_{table}")
    database = opened(empty_url, sections=sections)
    execute(database.engine, "UPDATE orders SET customer_id = 4711 WHERE status = 'open'")
    check = found(database)["missing_customers"]
    assert (check.ok, check.examples) == (False, ["customer 4711: 2 orders"])


def test_progress_goes_forward_to_the_end(shop: Database, in_pieces: None) -> None:
    told: list[float] = []
    integrity.run_and_record(shop, progress=lambda done, words: told.append(done))
    assert told == sorted(told)
    assert told[0] == 0
    assert told[-1] == 1
    assert len(told) > 6


def test_a_check_that_is_stopped_keeps_nothing(shop: Database, in_pieces: None) -> None:
    before = rows(shop, "evenbooks_checks")

    def stop(done: float, words: str) -> None:
        if done > 0.3:
            raise CheckStopped

    with pytest.raises(CheckStopped):
        integrity.run_and_record(shop, progress=stop)
    assert rows(shop, "evenbooks_checks") == before
    assert integrity.run_and_record(shop).even


def test_each_check_names_its_question_and_the_sql_it_ran(shop: Database) -> None:
    checks = found(shop)
    assert all(check.question.endswith("?") for check in checks.values())
    assert any("sum" in sql.lower() for sql in checks["identity"].sql)
    assert any("LEFT OUTER JOIN" in sql for sql in checks["long_way"].sql)
    assert any("evenbooks_events" in sql for sql in checks["chain"].sql)
    assert not any("%(" in sql or "?" in sql for check in checks.values() for sql in check.sql)


def test_the_sql_that_is_shown_can_be_run(shop: Database) -> None:
    for check in found(shop).values():
        for sql in check.sql:
            if not sql.upper().startswith(("SELECT", "SHOW")):
                continue
            with shop.engine.connect() as connection:
                connection.execute(text(sql.replace("\\", "\\\\").replace(":", "\\:"))).fetchall()


def test_a_kept_run_is_read_as_it_was(shop: Database) -> None:
    report = integrity.run_and_record(shop)
    again = read_proof(json.loads(rows(shop, "evenbooks_checks")[-1][4]))
    assert again.as_proof() == report.as_proof()
    assert again.as_dict() == report.as_dict()
    assert (again.even, again.head) == (report.even, report.head)


def test_a_run_kept_by_an_earlier_version_can_be_read(shop: Database) -> None:
    kept = integrity.run_and_record(shop).as_dict()
    assert read_proof(kept).even


def test_a_customer_in_the_future_is_named_and_a_wrong_clock_is_not(shop: Database) -> None:
    execute(shop.engine, "UPDATE customers SET deleted_at = '2037-01-01 00:00:00' WHERE id = 4")
    check = found(shop)["future"]
    assert (check.ok, check.examples) == (
        False,
        ["customer 4: deleted at 2037-01-01T00:00:00Z, which is in the future"],
    )


def test_a_deleted_customer_who_lost_an_order_is_named_whatever_its_status(shop: Database) -> None:
    execute(shop.engine, "DELETE FROM orders WHERE id = 7")
    check = found(shop)["lost_orders"]
    assert check.ok is False
    assert check.examples == ["customer 4: 2 orders when deleted by event 2, 1 of them now"]


def test_a_later_order_does_not_hide_a_lost_one(shop: Database) -> None:
    execute(
        shop.engine,
        "DELETE FROM orders WHERE id = 7",
        "INSERT INTO orders VALUES (11, 4, '2024-05-01 00:00:00', 66.67, 'open')",
    )
    assert found(shop)["lost_orders"].ok is False


def test_late_orders_of_a_deleted_customer_are_no_loss(shop: Database) -> None:
    execute(shop.engine, "INSERT INTO orders VALUES (11, 4, '2024-05-01 00:00:00', 1.00, 'open')")
    assert red(shop) == []


def test_an_order_lost_before_a_restore_is_still_named_afterwards(shop: Database) -> None:
    execute(shop.engine, "DELETE FROM orders WHERE id = 7")
    restore_many(shop, [4], actor=ADMIN, reason="restored")
    check = found(shop)["lost_orders"]
    assert check.examples == ["customer 4: 2 orders when deleted, 1 when restored by event 3"]


def test_an_order_lost_by_somebody_deleted_before_the_installation_is_named(opened: Any, empty_url: str) -> None:
    people = [{**person, "deleted_at": None} for person in PEOPLE]
    people[3] = {**people[3], "deleted_at": "2024-05-01 00:00:00"}
    columns = "id {key}, name VARCHAR(60) NOT NULL, email VARCHAR(80), phone VARCHAR(20), created_at {time} NULL"
    table = f"CREATE TABLE customers ({columns}, deleted_at {{time}} NULL)"
    shop = opened(empty_url, customers=table, people=people)
    assert red(shop) == []
    execute(shop.engine, "DELETE FROM orders WHERE id = 6")
    assert red(shop) == ["lost_orders"]


def test_an_event_whose_before_is_not_its_after_is_named(shop: Database) -> None:
    from data import events

    row = rows(shop, "evenbooks_events")[-1]
    body = row[8].replace('"after":{"all_orders":2', '"after":{"all_orders":1')
    assert body != row[8]
    digest = events.link(row[9], body)
    with shop.engine.connect().execution_options(write=True) as connection, connection.begin():
        values = {"body": body, "hash": digest}
        connection.execute(text("UPDATE evenbooks_events SET body = :body, hash = :hash WHERE id = 2"), values)
        connection.execute(text("UPDATE evenbooks_chain SET event_id = 2, hash = :hash"), {"hash": digest})
    checks = found(shop)
    assert checks["before_after"].ok is False
    assert "event 2 (delete of customer 4)" in checks["before_after"].examples[0]


def test_a_customer_whom_an_event_names_and_who_is_gone_is_named(shop: Database) -> None:
    delete_many(shop, [5], actor=ADMIN, reason="mistake")
    restore_many(shop, [5], actor=ADMIN, reason="restored")
    execute(shop.engine, "DELETE FROM customers WHERE id = 5")
    checks = found(shop)
    red = [n for n, c in checks.items() if c.ok is False and c.level == "error"]
    assert red == ["named_customers", "customer_count"]
    assert checks["customer_count"].examples == ["4 customers; 5 when all was last even"]
    assert checks["named_customers"].examples == ["customer 5: an event names them, but the table does not have them"]


def test_a_head_moved_back_is_seen_against_the_last_kept_run(shop: Database) -> None:
    delete_many(shop, [5], actor=ADMIN, reason="mistake")
    restore_many(shop, [5], actor=ADMIN, reason="restored")
    assert integrity.run_and_record(shop).even
    hashes = [row[10] for row in rows(shop, "evenbooks_events")]
    execute(
        shop.engine,
        "DELETE FROM evenbooks_events WHERE id > 2",
        f"UPDATE evenbooks_chain SET event_id = 2, hash = '{hashes[1]}'",
    )
    checks = found(shop)
    assert checks["chain"].examples == ["event 4, the last when last even, is gone"]
    # Told again and again, not only once: a red run does not become the new truth.
    assert found(shop)["chain"].ok is False


def test_the_number_of_customers_says_nothing_under_another_mapping_or_of_a_slice(
    shop: Database, empty_url: str
) -> None:
    execute(shop.engine, "DELETE FROM customers WHERE id = 5")
    assert red(shop) == ["customer_count"]
    for where in (None, "name IS NOT NULL"):
        sections = {"customers": {"phone": "phone", "email": "name", **({"where": where} if where else {})}}
        other = attach(settings_for(empty_url, sections))
        assert red(other) == []
        other.engine.dispose()


def test_a_kept_run_that_was_overwritten_is_no_green_chain(shop: Database) -> None:
    execute(shop.engine, "UPDATE evenbooks_checks SET report = '{{}}'")
    check = found(shop)["chain"]
    assert (check.ok, "cannot be read" in check.detail) == (None, True)
