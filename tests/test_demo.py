"""The demo company: what is in it, that it is the same every time, and that nothing half made stays."""

from __future__ import annotations

import functools
import json
import os
import re
import signal
import sqlite3
import subprocess
import sys
import time
import unicodedata
from collections import Counter, defaultdict
from collections.abc import Iterator
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from shops import settings_for
from sqlalchemy import inspect, text

from data import events, integrity, queries
from data.database import Database, attach, snapshot
from data.demo import Size, build, ensure_demo, make
from data.demo.__main__ import main
from data.demo.build import CHUNK
from data.demo.company import NONE, Calendar, Orders, found_company, generate_orders
from data.engines import make_engine
from data.errors import DatabaseUnavailable, EvenbooksError
from data.settings import DEFAULT_REASONS, DEMO_FILE, ROOT, File, Settings

MOMENT = datetime(2026, 8, 20, 15, 30, tzinfo=UTC)
SIZE = Size(customers=400, orders=4000, months=15)
FICTION = r"\+1 202 555 01\d\d|\+44 1632 960\d{3}|\+44 20 7946 0\d{3}|\+33 1 99 00 \d\d \d\d|\+49 30 23125 \d{3}"
EMBEDDED_MOMENTS = [datetime(2026 + n // 12, n % 12 + 1, 1 + 2 * n, 9, 30, tzinfo=UTC) for n in range(12)]


def company_at(url: str, size: Size = SIZE) -> Database:
    """The company, made and attached."""
    make(settings_for(url, DEMO_FILE), size, moment=MOMENT)
    return attach(settings_for(url, DEMO_FILE))


@pytest.fixture
def company(empty_url: str) -> Iterator[Database]:
    """A small company on each engine."""
    database = company_at(empty_url)
    yield database
    database.engine.dispose()


def rows(database: Database, sql: str) -> list[Any]:
    """The rows of a statement."""
    with database.engine.connect() as connection:
        return list(connection.execute(text(sql)))


def cents(amount: object) -> Decimal:
    """A stored amount; SQLite answers numbers, of which the text is exact."""
    return Decimal(str(amount)).quantize(Decimal("0.01"))


def everything(database: Database) -> dict[str, list[Any]]:
    """Customers, orders and what was done to customers, as every engine tells it."""
    people = "SELECT id, name, email, phone, city, created_at, deleted_at FROM customers ORDER BY id"
    sales = "SELECT id, customer_id, ordered_at, total, cost, status FROM orders ORDER BY id"
    changes = (
        "SELECT id, at, action, actor, door, reason, note, customer_id FROM evenbooks_events WHERE id > 1 ORDER BY id"
    )
    return {
        "customers": [(*r[:5], str(r[5]), moment_of(r[6])) for r in rows(database, people)],
        "orders": [(r[0], r[1], str(r[2]), cents(r[3]), cents(r[4]), r[5]) for r in rows(database, sales)],
        "events": [(r[0], moment_of(r[1]), *r[2:]) for r in rows(database, changes)],
    }


def moment_of(value: object) -> str:
    """A time without the zone that PostgreSQL keeps."""
    return str(value).removesuffix("+00:00")


def chunks(moment: datetime, size: Size, chunk: int = CHUNK) -> list[Orders]:
    """Every order of a company, without a database."""
    calendar = Calendar.until(moment, size.months)
    base = found_company(calendar, size.customers, size.orders, size.seed)
    return list(generate_orders(calendar, base, size.orders, size.seed, chunk=chunk))


def generated(moment: datetime, size: Size) -> Orders:
    """The same in one."""
    return functools.reduce(Orders.and_, chunks(moment, size), NONE)


def test_large_companies_come_in_small_chunks_that_add_up() -> None:
    sizes = [len(some) for some in chunks(MOMENT, Size(), chunk=100)]
    assert max(sizes) <= 100
    assert sum(sizes) == 30_000
    latest = [int(some.at.max()) for some in chunks(MOMENT, Size(), chunk=100)]
    assert latest == sorted(latest)


def test_it_has_the_customers_orders_and_months_that_were_asked_for(company: Database) -> None:
    assert rows(company, "SELECT count(*), min(id), max(id) FROM customers") == [(400, 1, 400)]
    assert rows(company, "SELECT count(*), min(id), max(id) FROM orders") == [(4000, 1, 4000)]
    with snapshot(company) as moment:
        months = [month for month, _ in queries.monthly_totals(moment.connection, company.schema)]
        assert queries.month_bounds(moment.connection, company.schema) == ("2025-06", "2026-08")
    assert len(months) == 15


def test_two_runs_are_identical_whatever_the_engine(company: Database, tmp_path: Path) -> None:
    again = company_at(f"sqlite:///{tmp_path}/again.sqlite")
    other = company_at(f"sqlite:///{tmp_path}/other.sqlite", Size(400, 4000, 15, seed=43))
    assert everything(company) == everything(again)
    assert everything(company)["orders"] != everything(other)["orders"]
    for database in (again, other):
        database.engine.dispose()


def test_closed_months_stay_the_same_while_the_current_one_lasts() -> None:
    early = generated(datetime(2026, 8, 2, 9, tzinfo=UTC), Size())
    late = generated(datetime(2026, 8, 30, 23, tzinfo=UTC), Size())
    current = int(datetime(2026, 8, 1, tzinfo=UTC).timestamp())
    closed = int((early.at < current).sum())
    assert 28_000 < closed < 29_900
    for name in ("customer", "at", "total", "cost", "refund"):
        assert np.array_equal(getattr(early, name)[:closed], getattr(late, name)[:closed])


def test_nothing_is_dated_in_the_future_or_before_the_customer_joined(company: Database) -> None:
    latest = [
        str(r[0])
        for r in rows(company, "SELECT max(ordered_at) FROM orders UNION SELECT max(created_at) FROM customers")
    ]
    latest += [str(r[0]) for r in rows(company, "SELECT max(deleted_at) FROM customers")]
    assert max(latest) <= "2026-08-20 15:30:00"
    early = "SELECT count(*) FROM orders o JOIN customers c ON c.id = o.customer_id WHERE o.ordered_at <= c.created_at"
    assert rows(company, early) == [(0,)]


@pytest.mark.parametrize("moment", EMBEDDED_MOMENTS, ids=str)
def test_nobody_is_deleted_or_restored_in_the_future(moment: datetime) -> None:
    for months in (1, 2, 36):
        plan = found_company(Calendar.until(moment, months), 2000, 30_000, 42).deletions
        assert [one.at for one in plan] == sorted(one.at for one in plan)
        assert plan[-1].at <= moment.timestamp()


def test_it_grows_peaks_before_christmas_and_dips_in_summer() -> None:
    some = generated(datetime(2026, 11, 22, 12, tzinfo=UTC), Size())
    months = Counter(str(m) for m in some.at.astype("datetime64[s]").astype("datetime64[M]"))
    assert len(months) == 36
    for month in range(1, 11):
        assert months[f"2024-{month:02}"] < months[f"2025-{month:02}"] < months[f"2026-{month:02}"]
    for year in (2024, 2025):
        ordered = sorted((f"{year}-{month:02}" for month in range(1, 13)), key=months.__getitem__)
        assert set(ordered[-2:]) == {f"{year}-11", f"{year}-12"}
        assert min(months[f"{year}-06"], months[f"{year}-09"]) > max(months[f"{year}-07"], months[f"{year}-08"])


def test_refunds_follow_a_sale_of_the_same_customer_by_some_days(company: Database) -> None:
    sales: defaultdict[object, list[datetime]] = defaultdict(list)
    refunds = 0
    for customer, at, total, cost, status in rows(
        company, "SELECT customer_id, ordered_at, total, cost, status FROM orders ORDER BY id"
    ):
        moment = datetime.fromisoformat(str(at))
        assert (status == "refund") == (total < 0)
        assert Decimal("0.54") < cents(cost) / cents(total) < Decimal("0.76")
        if total > 0:
            sales[customer].append(moment)
            continue
        refunds += 1
        assert any(2 <= (moment - sale).days <= 28 for sale in sales[customer])
    assert 0.022 < refunds / SIZE.orders < 0.04


def test_some_orders_are_of_guests_and_a_few_customers_buy_much(company: Database) -> None:
    counts = dict(iter(rows(company, "SELECT customer_id, count(*) FROM orders GROUP BY customer_id")))
    assert 0.06 < counts.pop(None) / SIZE.orders < 0.1
    by_size = sorted(counts.values(), reverse=True)
    assert sum(by_size[: len(by_size) // 5]) > 0.35 * sum(by_size)


def test_names_are_in_several_scripts_and_addresses_are_reserved_ones(company: Database) -> None:
    people = rows(company, "SELECT name, email, phone FROM customers")
    scripts = {unicodedata.name(sign).split()[0] for name, _, _ in people for sign in name if sign.isalpha()}
    assert scripts >= {"LATIN", "GREEK", "CYRILLIC", "ARABIC", "HEBREW", "CJK", "KATAKANA", "HANGUL", "DEVANAGARI"}
    assert any("O'Brien" in name for name, _, _ in people)
    assert {"**Bold** & <b>Co</b> :red[x] $y$", "=SUM(1+1) Ltd"} <= {name for name, _, _ in people}
    emails = [email for _, email, _ in people if email]
    assert len(set(emails)) == len(emails) > 0.9 * SIZE.customers
    assert all(re.fullmatch(r"[a-z.]+\d*@example\.(com|org|net)", email) for email in emails)
    phones = [phone for _, _, phone in people if phone]
    assert 0 < len(phones) < SIZE.customers
    assert all(re.fullmatch(FICTION, phone) for phone in phones)


def test_deletions_went_through_the_chain_in_the_order_of_time(company: Database) -> None:
    with snapshot(company) as moment:
        links = list(events.walk(moment.connection, company.schema))
    assert [link.problems for link in links if link.problems] == []
    bodies = [link.body for link in links[1:]]
    assert [body["at"] for body in bodies] == sorted(body["at"] for body in bodies)
    assert {body["reason"] for body in bodies} <= set(DEFAULT_REASONS)
    assert {(body["actor"], body["door"]) for body in bodies} <= {
        (f"demo:{n}", "dashboard") for n in ("mara", "ivo", "chen")
    }
    assert any("note_hash" in body for body in bodies)
    alive = {body["customer_id"]: body["action"] for body in bodies}
    deleted = sorted(customer for customer, action in alive.items() if action == "delete")
    assert [r[0] for r in rows(company, "SELECT id FROM customers WHERE deleted_at IS NOT NULL ORDER BY id")] == deleted
    assert 0.01 < len(deleted) / SIZE.customers < 0.03
    assert "restore" in alive.values()


def test_its_first_check_is_kept_and_even(company: Database) -> None:
    with snapshot(company) as moment:
        kept = queries.last_check(moment.connection, company.schema)
    assert kept is not None
    assert (kept.even, kept.unseen) == (True, 0)
    # The migration keeps one too, from before anybody was deleted.
    assert Decimal(json.loads(kept.report)["totals"][0]["deleted"]) > 0


def test_its_money_is_exact(company: Database) -> None:
    expected: defaultdict[str, Decimal] = defaultdict(Decimal)
    for at, total in rows(company, "SELECT ordered_at, total FROM orders"):
        expected[str(at)[:7]] += cents(total)
    with snapshot(company) as moment:
        totals = queries.monthly_totals(moment.connection, company.schema)
    assert {month: figures.total for (month, _), figures in totals.items()} == expected
    assert sum(expected.values()) == Decimal(int(generated(MOMENT, SIZE).total.sum())).scaleb(-2)


def test_it_has_only_the_indexes_that_such_a_shop_has(company: Database) -> None:
    inspector = inspect(company.engine)
    assert {tuple(i["column_names"]) for i in inspector.get_indexes("orders")} == {("customer_id",)}
    assert company.schema.indexed == {"id", "name", "email", "created_at", "deleted_at"}
    [key] = inspector.get_foreign_keys("orders")
    assert (key["referred_table"], key["constrained_columns"]) == ("customers", ["customer_id"])
    assert not {"ondelete", "onupdate"} & {k.lower() for k in key["options"]}


@pytest.mark.parametrize("size", [Size(1, 0, 1), Size(1, 7, 1), Size(3, 1, 40), Size(60, 500, 2)], ids=str)
def test_tiny_companies_work_too(empty_url: str, size: Size) -> None:
    database = company_at(empty_url, size)
    assert rows(database, "SELECT count(*) FROM customers") == [(size.customers,)]
    assert rows(database, "SELECT count(*) FROM orders") == [(size.orders,)]
    assert rows(database, "SELECT count(*) FROM orders WHERE ordered_at > '2026-08-20 15:30:00'") == [(0,)]
    database.engine.dispose()


@pytest.mark.parametrize("moment", EMBEDDED_MOMENTS, ids=str)
def test_a_hard_delete_would_visibly_change_the_embedded_reports(moment: datetime) -> None:
    size = Size()
    calendar = Calendar.until(moment, size.months)
    deleted = found_company(calendar, size.customers, size.orders, size.seed).still_deleted
    some = generated(moment, size)
    recent = some.at >= calendar.starts[-12]
    share = some.total[recent & np.isin(some.customer, deleted)].sum() / some.total[recent].sum()
    assert 0.04 < share < 0.09
    revenue = np.bincount(some.customer, weights=some.total)
    revenue[0] = 0
    assert np.isin(np.argsort(-revenue)[:5], deleted).any()


# The command


def test_the_command_tells_what_it_made(empty_url: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--customers", "50", "--orders", "400", "--months", "6", "--database-url", empty_url]) == 0
    told = capsys.readouterr()
    assert re.fullmatch(
        r"Made the demo company: 50 customers \(\d of them deleted\), 400 orders over 6 months, in [\d.]+ s\.\n",
        told.out,
    )
    steps, mapping = told.err.split("For phone numbers and profit, evenbooks.toml says:\n")
    assert mapping == '[customers]\nphone = "phone"\n[orders]\ncost = "cost"\n'
    *written, last, indexes, migrating, deleting, checking = steps.splitlines()
    assert last == "450 of 450 rows written"
    assert len(written) < 4
    assert [indexes, migrating, checking] == ["Making the indexes", "Migrating", "Checking"]
    assert re.fullmatch(r"Deleting \d customers", deleting)


def test_it_refuses_a_database_with_a_company_and_changes_nothing(
    company: Database, capsys: pytest.CaptureFixture[str]
) -> None:
    before = everything(company)
    assert main(["--customers", "5", "--orders", "5", "--database-url", company.settings.database_url]) == 1
    assert capsys.readouterr().err == (
        "This database already has a table customers and a table orders, so nothing was changed. "
        "The demo company goes only into a database that has neither; name another one with --database-url.\n"
    )
    assert everything(company) == before


def test_it_refuses_where_only_orders_are_there(empty_url: str, capsys: pytest.CaptureFixture[str]) -> None:
    engine = make_engine(settings_for(empty_url).url)
    name = engine.dialect.identifier_preparer.quote("Orders")
    with engine.connect().execution_options(write=True) as connection, connection.begin():
        connection.execute(text(f"CREATE TABLE {name} (id INTEGER)"))
    assert main(["--database-url", empty_url]) == 1
    assert "already has a table orders" in capsys.readouterr().err
    assert inspect(engine).get_table_names() == ["Orders"]
    engine.dispose()


def test_the_password_is_never_printed(mariadb_url: str, capsys: pytest.CaptureFixture[str]) -> None:
    url = mariadb_url.format(name="shop").replace("://root@", "://nobody:s3cr3t@", 1)
    assert main(["--database-url", url]) == 1
    told = capsys.readouterr()
    assert "nobody" in told.err
    assert "s3cr3t" not in told.out + told.err


@pytest.mark.parametrize("wrong", [["--customers", "0"], ["--orders", "-1"], ["--orders", "many"], ["--months", "0"]])
def test_sizes_that_cannot_be_are_named(wrong: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(wrong)
    assert f"argument {wrong[0]}: this is a whole number from" in capsys.readouterr().err


# The embedded default


@pytest.fixture
def embedded(tmp_path: Path) -> Settings:
    """Settings as they are without any configuration, but in a folder of the test's own."""
    return Settings(
        **dict(File.model_validate(DEMO_FILE)), database_url=f"sqlite:///{tmp_path}/var/demo.sqlite", is_demo=True
    )


def test_the_first_start_makes_the_embedded_company_and_the_second_leaves_it(
    embedded: Settings, tmp_path: Path
) -> None:
    said: list[str] = []
    ensure_demo(embedded, said.append)
    assert said[0].startswith("Making the demo company (2,000 customers, 30,000 orders)")
    assert said[1].startswith("Made the demo company: 2,000 customers")
    assert sorted(p.name for p in (tmp_path / "var").iterdir()) == ["demo.sqlite", "demo.sqlite.lock"]
    content = (tmp_path / "var" / "demo.sqlite").read_bytes()
    ensure_demo(embedded, said.append)
    assert len(said) == 2
    assert (tmp_path / "var" / "demo.sqlite").read_bytes() == content
    database = attach(embedded)
    assert rows(database, "SELECT count(*) FROM orders") == [(30_000,)]
    assert rows(database, "PRAGMA journal_mode") == [("wal",)]
    assert len(inspect(database.engine).get_indexes("orders")) > 1
    assert integrity.run_and_record(database).even
    database.engine.dispose()


def test_another_database_gets_no_demo(tmp_path: Path) -> None:
    ensure_demo(settings_for(f"sqlite:///{tmp_path}/mine.sqlite"), pytest.fail)
    assert list(tmp_path.iterdir()) == []


def test_a_failure_at_the_end_leaves_no_half_company(
    embedded: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupt(_database: Database) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(build, "_check", interrupt)
        with pytest.raises(KeyboardInterrupt):
            ensure_demo(embedded, lambda line: None)
    assert [p.name for p in (tmp_path / "var").iterdir()] == ["demo.sqlite.lock"]
    ensure_demo(embedded, lambda line: None)
    assert (tmp_path / "var" / "demo.sqlite").exists()


def test_a_file_whose_log_is_still_in_use_is_not_taken(
    embedded: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    readers = []

    def look(_database: Database) -> None:
        readers.append(sqlite3.connect(tmp_path / "var" / "demo.sqlite.partial", isolation_level=None))
        readers[0].execute("BEGIN")
        readers[0].execute("SELECT count(*) FROM orders").fetchone()

    monkeypatch.setattr(build, "_check", look)
    with pytest.raises(EvenbooksError, match="something else has"):
        ensure_demo(embedded, lambda line: None)
    assert [p.name for p in (tmp_path / "var").iterdir()] == ["demo.sqlite.lock"]
    readers[0].close()


def test_a_folder_that_cannot_be_written_is_named(embedded: Settings, tmp_path: Path) -> None:
    (tmp_path / "var").write_text("a file, not a folder")
    with pytest.raises(DatabaseUnavailable, match=f"cannot be made in {tmp_path}/var .*set DATABASE_URL"):
        ensure_demo(embedded, lambda line: None)


START = """
import sys
from data.demo import ensure_demo
from data.settings import DEMO_FILE, File, Settings
ensure_demo(Settings(**dict(File.model_validate(DEMO_FILE)), database_url=sys.argv[1], is_demo=True), print)
"""


def started(settings: Settings) -> subprocess.Popen[str]:
    """A server's start in a process of its own."""
    return subprocess.Popen(
        [sys.executable, "-c", START, settings.database_url], cwd=ROOT, stdout=subprocess.PIPE, text=True
    )


def test_a_killed_start_leaves_no_half_company(embedded: Settings, tmp_path: Path) -> None:
    process = started(embedded)
    while not (tmp_path / "var" / "demo.sqlite.partial").exists():
        assert process.poll() is None
        time.sleep(0.01)
    os.kill(process.pid, signal.SIGKILL)
    process.communicate()
    assert not (tmp_path / "var" / "demo.sqlite").exists()
    ensure_demo(embedded, lambda line: None)
    assert sorted(p.name for p in (tmp_path / "var").iterdir()) == ["demo.sqlite", "demo.sqlite.lock"]


def test_of_two_starts_at_once_one_makes_it(embedded: Settings) -> None:
    processes = [started(embedded), started(embedded)]
    told = "".join(process.communicate()[0] for process in processes)
    assert [process.returncode for process in processes] == [0, 0]
    assert told.count("Made the demo company: 2,000 customers") == 1
    database = attach(embedded)
    assert rows(database, "SELECT count(*) FROM orders") == [(30_000,)]
    database.engine.dispose()
