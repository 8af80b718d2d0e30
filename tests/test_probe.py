"""The live probe: it shows that a deletion moves no total, and leaves nothing behind."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest
from shops import ADMIN, ORDERS, PEOPLE, SALES, STAFF, execute, fill, problems, rows, state, trigger
from sqlalchemy import event, text
from test_delete_customer import Shops
from test_many_writers import at_once, crowd

from data import integrity, queries
from data import probe as probing
from data.access import Actor, Door, Role
from data.customers import delete_many, restore_many
from data.database import Database, snapshot
from data.engines import make_engine
from data.errors import (
    BooksMoved,
    Conflict,
    CustomerNotFound,
    DatabaseUnavailable,
    EvenbooksError,
    InvalidInput,
    NotPermitted,
    NotProbed,
)
from data.probe import Probe, Totals, probe

MANAGER = Actor("test:manager", Role.MANAGER, Door.DASHBOARD)
AUDITOR = Actor("test:auditor", Role.AUDITOR, Door.DASHBOARD)
SLOW = {
    "sqlite": "WITH RECURSIVE t(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM t WHERE n < 1000000000) SELECT count(*) FROM t",
    "mysql": "SELECT SLEEP(60)",
    "postgresql": "SELECT pg_sleep(60)",
}


@pytest.fixture
def changes() -> None:
    """For tests in which more happens than probes."""


@pytest.fixture
def shop(shop: Database, request: pytest.FixtureRequest) -> Iterator[Database]:
    """The shop, which must be left as it was, byte for byte, whatever became of the probe."""
    before = state(shop)
    yield shop
    if "changes" not in request.fixturenames:
        assert state(shop) == before
        assert problems(shop) == []


def totals(*values: str | int | None) -> Totals:
    orders, total, deleted_orders, deleted, active = values
    return Totals(
        "EUR",
        int(orders or 0),
        Decimal(str(total)),
        int(deleted_orders or 0),
        Decimal(str(deleted)),
        Decimal(str(active)),
    )


def calmly(shop: Database, **how: Any) -> Probe:
    """A probe with time enough on a machine that is busy with something else."""
    return probe(shop, at_most=60, **how)


def test_revenue_moves_from_active_to_deleted_and_the_total_stays(shop: Database) -> None:
    seen = calmly(shop, actor=MANAGER, customer_id=1)
    assert (seen.customer.id, seen.customer.deleted_at) == (1, None)
    assert (seen.orders, seen.revenue) == (3, {"EUR": Decimal("80.25")})
    assert seen.before == [totals(10, "254.57", 2, "100.00", "139.03")]
    assert seen.after == [totals(10, "254.57", 5, "180.25", "58.78")]
    assert (seen.even, seen.rolled_back) == (True, True)
    assert seen.seconds > 0
    assert seen.at.tzinfo is not None
    assert seen.before[0].not_deleted == Decimal("154.57")


def test_without_an_id_it_takes_the_active_customer_of_the_latest_order(shop: Database) -> None:
    assert calmly(shop, actor=MANAGER).customer.id == 2


def test_of_deleted_and_unknown_customers_the_next_one_is_taken(empty_url: str, opened: Shops) -> None:
    shop = opened(empty_url)
    delete_many(shop, [2, 4], actor=ADMIN, reason="inactive")
    assert calmly(shop, actor=MANAGER).customer.id == 3
    delete_many(shop, [1, 3], actor=ADMIN, reason="inactive")
    idle = calmly(shop, actor=MANAGER)
    assert (idle.customer.id, idle.orders, idle.revenue, idle.even) == (5, 0, {}, True)
    delete_many(shop, [5], actor=ADMIN, reason="inactive")
    with pytest.raises(InvalidInput, match="There is no active customer to run the probe with"):
        calmly(shop, actor=MANAGER)


@pytest.mark.parametrize("engine_name", ["mariadb", "postgresql"], indirect=True)
def test_it_looks_for_a_customer_among_the_last_orders_only(shop: Database) -> None:
    sent: list[str] = []
    with snapshot(shop) as moment:
        event.listen(moment.connection, "before_cursor_execute", lambda c, k, sql, *_: sent.append(sql))
        queries.find_customer_to_probe(moment.connection, shop.schema)
    assert any("ORDER BY orders.id DESC" in sql and "LIMIT" in sql for sql in sent)


def test_a_deleted_and_an_unknown_customer_are_refused(shop: Database) -> None:
    with pytest.raises(InvalidInput, match=r"Dora Gone \(customer 4\) is deleted already"):
        calmly(shop, actor=MANAGER, customer_id=4)
    for unknown in (4711, "x", ""):
        with pytest.raises(CustomerNotFound):
            calmly(shop, actor=MANAGER, customer_id=unknown)


def test_only_managers_and_admins_may(shop: Database) -> None:
    for actor in (STAFF, AUDITOR):
        with pytest.raises(NotPermitted, match="may not run the live probe"):
            probe(shop, actor=actor)
    assert probe(shop, actor=ADMIN).even


@pytest.mark.parametrize("step", ["grand_totals", "grand_deleted", "monthly_part", "get_customers_with_impact"])
def test_it_stops_when_its_time_is_over(shop: Database, monkeypatch: pytest.MonkeyPatch, step: str) -> None:
    def slow(connection: Any, *_: Any, **__: Any) -> Any:
        connection.execute(text(SLOW[connection.dialect.name])).all()
        raise AssertionError("it should have been stopped")

    monkeypatch.setattr(queries, step, slow)
    monkeypatch.setattr(probing, "ROOM", 0)  # however slow this machine is, the active part is counted
    start = time.monotonic()
    with pytest.raises(NotProbed, match=r"stopped after 2 seconds and rolled back. Nothing was changed\."):
        probe(shop, actor=MANAGER, customer_id=1, at_most=2)
    assert time.monotonic() - start < 60


def test_slow_python_between_two_statements_counts_too(shop: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    quick = queries.grand_totals

    def slow(*arguments: Any) -> Any:
        time.sleep(2.5)
        return quick(*arguments)

    monkeypatch.setattr(queries, "grand_totals", slow)
    with pytest.raises(NotProbed, match="stopped after 2 seconds"):
        probe(shop, actor=MANAGER, customer_id=1, at_most=2)


@pytest.mark.usefixtures("changes")
def test_the_connection_goes_back_without_a_limit(shop: Database) -> None:
    connections: list[Any] = []
    event.listen(shop.engine, "checkout", lambda raw, *_: connections.append(raw))
    calmly(shop, actor=MANAGER)
    assert len(set(map(id, connections))) == 1  # so that this one is the one
    with shop.engine.connect() as connection:
        if connection.dialect.name == "sqlite":
            assert connection.exec_driver_sql("PRAGMA busy_timeout").scalar() == 5000
            long = "WITH RECURSIVE t(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM t WHERE n < 300000) SELECT count(*) FROM t"
            assert connection.execute(text(long)).scalar() == 300000
        else:
            asked = {"mysql": "SELECT @@max_statement_time", "postgresql": "SHOW statement_timeout"}
            assert float(str(connection.exec_driver_sql(asked[shop.schema.dialect]).scalar())) == 0
    time.sleep(0.1)
    assert delete_many(shop, [3], actor=ADMIN, reason="mistake")[0].changed
    assert restore_many(shop, [3], actor=ADMIN, reason="undo")[0].changed


def test_while_others_hold_the_locks_it_does_not_begin(shop: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("data.probe.LONGEST_WAIT", 0.3)
    with shop.engine.connect().execution_options(write=True) as other, other.begin():
        queries.lock_head(other, shop.schema)
        start = time.monotonic()
        with pytest.raises(DatabaseUnavailable, match=r"Others are changing customers|database is busy"):
            calmly(shop, actor=MANAGER)
        assert time.monotonic() - start < 3


@pytest.mark.parametrize("step", ["grand_deleted", "mark_deleted", "append_events", "get_head"])
def test_whatever_goes_wrong_is_rolled_back(shop: Database, monkeypatch: pytest.MonkeyPatch, step: str) -> None:
    real = getattr(queries, step)

    def fail(*arguments: Any, **how: Any) -> Any:
        real(*arguments, **how)
        raise RuntimeError("unforeseen")

    monkeypatch.setattr(queries, step, fail)
    with pytest.raises(RuntimeError):
        calmly(shop, actor=MANAGER, customer_id=1)
    monkeypatch.undo()


@pytest.mark.parametrize("room", [0, 10**9], ids=["with the active part", "without"])
def test_a_total_that_moves_is_shown_as_uneven(shop: Database, monkeypatch: pytest.MonkeyPatch, room: int) -> None:
    real = queries.mark_deleted
    monkeypatch.setattr(probing, "ROOM", room)

    def mark(connection: Any, *arguments: Any, **how: Any) -> int:
        connection.execute(text("UPDATE orders SET total = total - 1 WHERE id = 5"))  # another customer's
        return real(connection, *arguments, **how)

    monkeypatch.setattr(queries, "mark_deleted", mark)
    seen = calmly(shop, actor=MANAGER, customer_id=1)
    assert (seen.even, seen.rolled_back) == (False, True)
    assert seen.before[0].total - seen.after[0].total == 1


@pytest.mark.parametrize("part", ["deleted_orders", "deleted", "active"])
def test_a_part_that_does_not_move_as_the_customers_orders_do_is_uneven(
    shop: Database, monkeypatch: pytest.MonkeyPatch, part: str
) -> None:
    real = probing._add_active
    reads: list[int] = []

    def wrong(*arguments: Any) -> list[Totals]:
        reads.append(1)
        found = real(*arguments)
        return found if len(reads) == 1 else [replace(t, **{part: getattr(t, part) + 1}) for t in found]

    monkeypatch.setattr(probing, "_add_active", wrong)
    assert calmly(shop, actor=MANAGER, customer_id=1).even is False


def test_where_counting_the_active_part_would_take_too_long_it_is_left_out(
    shop: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(probing, "ROOM", 10**9)
    seen = calmly(shop, actor=MANAGER, customer_id=1)
    assert [t.active for t in (*seen.before, *seen.after)] == [None, None]
    assert seen.even


def test_a_trigger_that_takes_orders_along_stops_it(shop: Database) -> None:
    execute(shop.engine, trigger(shop.engine, "UPDATE orders SET total = 0 WHERE customer_id = NEW.id", name="thief"))
    with pytest.raises(BooksMoved, match="would have moved the reports"):
        calmly(shop, actor=MANAGER, customer_id=1)
    execute(shop.engine, f"DROP TRIGGER thief{' ON customers' if shop.schema.dialect == 'postgresql' else ''}")


def test_currencies_and_statuses(empty_url: str, opened: Shops) -> None:
    orders = ORDERS.replace("status VARCHAR(10)", "status VARCHAR(10), currency VARCHAR(3)")
    sections = {"orders": {"currency": "currency", "status": "status", "revenue_statuses": ["paid"]}}
    shop = opened(empty_url, orders=orders, sections=sections, sales=[])
    sales = [
        (1, 1, "EUR", "paid"),
        (2, 1, "USD", "paid"),
        (3, 1, "USD", "open"),
        (4, 2, "USD", "paid"),
        (5, None, "GBP", "paid"),
    ]
    fill(
        shop.engine,
        "orders",
        [
            {"id": n, "customer_id": who, "ordered_at": "2024-01-05", "total": f"{n}.10", "currency": c, "status": s}
            for n, who, c, s in sales
        ],
    )
    seen = calmly(shop, actor=MANAGER, customer_id=1)
    assert seen.revenue == {"EUR": Decimal("1.10"), "USD": Decimal("2.10")}
    told = {t.currency: (t.orders, t.total, t.deleted_orders, t.deleted, t.active) for t in seen.after}
    assert told == {
        "EUR": (1, Decimal("1.10"), 1, Decimal("1.10"), 0),
        "GBP": (1, Decimal("5.10"), 0, 0, 0),
        "USD": (2, Decimal("6.20"), 1, Decimal("2.10"), Decimal("4.10")),
    }
    assert seen.even


MYISAM = ["customers", "orders", "evenbooks_events", "evenbooks_chain", "evenbooks_checks"]


@pytest.mark.parametrize("engine_name", ["mariadb"], indirect=True)
@pytest.mark.parametrize("table", MYISAM)
def test_tables_that_cannot_roll_back_are_refused(shop: Database, table: str) -> None:
    execute(shop.engine, f"ALTER TABLE {table} ENGINE=MyISAM")
    with pytest.raises(NotProbed, match=rf"The probe was not run: {table} \(MyISAM\) cannot roll back"):
        calmly(shop, actor=MANAGER, customer_id=1)


@pytest.mark.parametrize("engine_name", ["mariadb"], indirect=True)
def test_a_trigger_and_a_table_that_cannot_roll_back_are_refused_together(shop: Database) -> None:
    execute(shop.engine, "CREATE TABLE their_log (id INTEGER) ENGINE=Aria TRANSACTIONAL=0")
    assert calmly(shop, actor=MANAGER, customer_id=1).rolled_back
    execute(
        shop.engine, "CREATE TRIGGER theirs AFTER INSERT ON customers FOR EACH ROW INSERT INTO their_log VALUES (1)"
    )
    assert calmly(shop, actor=MANAGER, customer_id=1).rolled_back
    execute(shop.engine, "CREATE TRIGGER more AFTER UPDATE ON customers FOR EACH ROW INSERT INTO their_log VALUES (1)")
    with pytest.raises(NotProbed, match=r"may run with the delete and write to their_log \(Aria\)"):
        calmly(shop, actor=MANAGER, customer_id=1)
    assert rows(shop, "their_log") == []


@pytest.mark.parametrize("engine_name", ["mariadb"], indirect=True)
def test_an_account_that_cannot_see_triggers_does_not_assume_that_there_are_none(
    shop: Database, mariadb_url: str
) -> None:
    name = shop.engine.url.database
    words = [f"CREATE USER app_{name} IDENTIFIED BY 'x'"]
    words += [f"GRANT SELECT, INSERT, UPDATE ON {name}.{table} TO app_{name}" for table in MYISAM[:4]]
    execute(shop.engine, *words)
    url = shop.engine.url.set(username=f"app_{name}", password="x")
    small = Database(make_engine(url), shop.settings, shop.schema)
    try:
        assert probe(small, actor=MANAGER, customer_id=1).rolled_back
        execute(
            shop.engine,
            "CREATE TABLE their_log (id INTEGER) ENGINE=MyISAM",
            f"GRANT SELECT ON {name}.their_log TO app_{name}",
        )
        with pytest.raises(NotProbed, match="their_log"):
            probe(small, actor=MANAGER, customer_id=1)
        # What it cannot see at all, the server says after rolling back.
        execute(
            shop.engine,
            f"REVOKE SELECT ON {name}.their_log FROM app_{name}",
            "CREATE TRIGGER theirs AFTER UPDATE ON customers FOR EACH ROW INSERT INTO their_log VALUES (1)",
        )
        seen = probe(small, actor=MANAGER, customer_id=1)
        assert (seen.even, seen.rolled_back) == (True, False)
        assert len(rows(shop, "their_log")) == 1
    finally:
        small.engine.dispose()
        execute(shop.engine, "DROP TRIGGER IF EXISTS theirs", f"DROP USER app_{name}")


@pytest.mark.usefixtures("changes")
def test_many_probes_at_once_and_deletes_beside_them(shop: Database) -> None:
    crowd(shop)

    def one(number: int) -> list[Probe]:
        seen = []
        for n in range(100, 106):
            change: Callable[..., Any] = delete_many if n % 2 else restore_many
            if number < 4:
                change(shop, [n + number], actor=ADMIN, reason="mistake")
                continue
            with suppress(InvalidInput, DatabaseUnavailable, Conflict):
                seen.append(calmly(shop, actor=MANAGER, customer_id=n if number == 4 else None))
        return seen

    seen = [p for found in at_once(one) for p in found]
    assert seen
    assert all(p.even and p.rolled_back for p in seen)
    assert problems(shop) == []
    report = integrity.run_and_record(shop)
    assert [c.name for c in report.checks if c.ok is False and c.level == "error"] == []


@pytest.mark.usefixtures("changes")
def test_an_own_event_that_stayed_is_noticed(shop: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    """The look afterwards does look: on a transaction that was committed it says so."""
    monkeypatch.setattr(queries, "roll_back", lambda connection: connection.commit() or True)
    seen = calmly(shop, actor=MANAGER, customer_id=1)
    assert (seen.even, seen.rolled_back) == (True, False)


@pytest.mark.usefixtures("changes")
def test_a_deletion_by_others_meanwhile_is_not_taken_for_the_probes(
    shop: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = queries.roll_back

    def then_delete(connection: Any) -> bool:
        whole = real(connection)
        delete_many(shop, [1], actor=ADMIN, reason="requested")
        return whole

    monkeypatch.setattr(queries, "roll_back", then_delete)
    assert calmly(shop, actor=MANAGER, customer_id=1).rolled_back


@pytest.mark.usefixtures("changes")
def test_a_customer_deleted_at_that_very_moment_is_said(shop: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    real = queries.get_customer

    def then_delete(*arguments: Any) -> Any:
        found = real(*arguments)
        worker = threading.Thread(target=lambda: delete_many(shop, [1], actor=ADMIN, reason="requested"))
        if found and found.deleted_at is None and not done:
            done.append(1)
            worker.start()
            worker.join()
        return found

    done: list[int] = []
    monkeypatch.setattr(queries, "get_customer", then_delete)
    with pytest.raises(EvenbooksError, match="deleted by somebody else at this very moment"):
        calmly(shop, actor=MANAGER, customer_id=1)


def test_no_statement_of_the_total_knows_of_customers_or_deletion(shop: Database) -> None:
    sent: list[str] = []
    with snapshot(shop) as moment:
        event.listen(moment.connection, "before_cursor_execute", lambda c, k, sql, *_: sent.append(sql.lower()))
        found = queries.grand_totals(moment.connection, shop.schema)["EUR"]
        assert all("deleted_at" not in sql and "customers" not in sql and "join" not in sql for sql in sent)
        assert len(sent) == 1
    assert (found.orders, found.total) == (len(SALES), sum(Decimal(sale[3]) for sale in SALES))
    assert len(PEOPLE) == 5
