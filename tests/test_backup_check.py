"""The backup check on copies that were really restored: a true one passes, whatever happened since; a false one is told."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from unittest.mock import patch

import pytest
from copies import DUMPS, LOADS
from shops import ADMIN, PEOPLE, PHONE, SALES, execute, make_shop, problems, rows, settings_for

from data import backup_check, integrity, retention
from data.backup_check import Comparison, run
from data.customers import add, delete_many, edit, restore_many
from data.database import Database, snapshot
from data.engines import make_engine
from data.errors import ConfigurationError, DatabaseUnavailable, EvenbooksError
from data.seals import seal, unseal

MakeUrl = Callable[[], str]
OLD = datetime(2024, 5, 15, tzinfo=UTC)


@pytest.fixture(autouse=True)
def _no_patience(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(run, "LOOKS", (0.0,))


def told(url: str) -> Database:
    """A shop with a deletion, a restored customer and January sealed."""
    shop = make_shop(url)
    delete_many(shop, [4, 2], actor=ADMIN, reason="mistake")
    restore_many(shop, [2], actor=ADMIN, reason="undo")
    seal(shop, "2024-01", actor=ADMIN)
    return shop


def dump(shop: Database) -> bytes:
    return DUMPS[shop.settings.url.get_backend_name()](shop.settings.url)


def load(make_url: MakeUrl, content: bytes) -> str:
    url = make_url()
    settings = settings_for(url, PHONE)
    LOADS[settings.url.get_backend_name()](settings.url, content)
    return url


def harm(url: str, *statements: str) -> None:
    """What somebody did to the copy."""
    engine = make_engine(settings_for(url).url)
    execute(engine, *statements)
    engine.dispose()


def check(shop: Database, url: str) -> Comparison:
    return backup_check.check(shop, url, actor=ADMIN)


def test_an_older_true_copy_passes_and_a_false_one_is_told(make_url: MakeUrl) -> None:
    shop = told(make_url())
    content = dump(shop)
    fresh = load(make_url, content)
    before = {name: rows(shop, name) for name in ("customers", "orders")}
    # What goes on in the live database afterwards: all of it is told by events, or came later.
    delete_many(shop, [1, 5], actor=ADMIN, reason="mistake")
    restore_many(shop, [4], actor=ADMIN, reason="undo")
    edit(shop, 3, {"name": "Chen"}, shown={"name": "陈伟"}, actor=ADMIN)
    add(shop, {"name": "New", "email": "new@example.com"}, actor=ADMIN)
    unseal(shop, "2024-01", actor=ADMIN, reason="mistake")
    execute(shop.engine, "INSERT INTO orders (customer_id, ordered_at, total) VALUES (3, '2099-01-01 00:00:00', 5)")
    found = check(shop, fresh)
    assert (found.differences, found.unseen, found.head.event_id) == ([], [], 5)
    assert found.figures == {
        "events": 5,
        "customers": 5,
        "deleted": 1,
        "orders": 10,
        "sealed_months": 1,
        "totals": {"EUR": "254.57"},
        "months_compared": 3,
        "last_order": 10,
    }
    with snapshot(shop) as moment:
        last = retention.last_backup_check(moment.connection, shop.schema)
    assert last
    assert (last.event_id, last.passed, last.unseen, last.differences) == (found.event_id, True, 0, ())
    assert "@" not in rows(shop, "evenbooks_events")[-1][8]
    harm(
        fresh,
        "UPDATE orders SET total = 1 WHERE id = 1",
        "DELETE FROM orders WHERE id = 4",
        "DELETE FROM customers WHERE id = 5",
        "UPDATE customers SET deleted_at = NULL WHERE id = 4",
        "UPDATE orders SET customer_id = 2 WHERE id = 5",
    )
    found = check(shop, fresh)
    words = "\n".join(found.differences)
    assert not found.passed
    assert (
        "Seals that do not hold: 1 (2024-01: EUR 99.10 less, as many orders: order 1 was 100.10 and is 1.00)" in words
    )
    assert "The copy lacks order 4 of the live database." in words
    assert "The copy lacks customer 5 of the live database." in words
    assert "customer 4" in words or "behind the back of Evenbooks, or gone: 1 (4)" in words
    assert "2024-04: orders of the copy are of other customers than in the live database." in words
    assert "2024-02: the copy has 3 orders worth EUR -14.30, the live database has 4 orders worth EUR 35.70" in words
    with snapshot(shop) as moment:
        last = retention.last_backup_check(moment.connection, shop.schema)
    assert last
    assert (last.passed, len(last.differences)) == (False, len(found.differences))
    assert {name: rows(shop, name)[: len(of)] for name, of in before.items() if name == "orders"} == {
        "orders": before["orders"]
    }
    assert problems(shop) == []
    shop.engine.dispose()


@pytest.fixture
def here(tmp_path: Path) -> Iterator[tuple[Database, str]]:
    """A shop on SQLite, and a copy of it."""
    shop = told(f"sqlite:///{tmp_path}/shop.sqlite")
    copy = tmp_path / "copy.sqlite"
    copy.write_bytes(dump(shop))
    yield shop, f"sqlite:///{copy}"
    shop.engine.dispose()


ONE_HARM = {
    "an amount of a month that is over": ("UPDATE orders SET total = 51 WHERE id = 4", "2024-02: the copy has"),
    "an order of nobody": ("DELETE FROM orders WHERE id = 8", "The copy lacks order 8"),
    "an order without a date": ("UPDATE orders SET id = 11 WHERE id = 10", "The live database does not have order 11"),
    "an order of somebody else": (
        "UPDATE orders SET customer_id = 5 WHERE id = 4",
        "2024-02: orders of the copy are of other customers",
    ),
    "an order too many": (
        "INSERT INTO orders (id, ordered_at, total) VALUES (0, '2024-02-01', 0)",
        "The live database does not have order 0",
    ),
    "a customer too many": (
        "INSERT INTO customers (id, name) VALUES (0, 'X')",
        "The live database does not have customer 0",
    ),
    "an event": ("UPDATE evenbooks_events SET actor = 'x' WHERE id = 3", "chain of events is broken: event 3"),
    "the last event": (
        "UPDATE evenbooks_events SET hash = 'x' WHERE id = 5",
        "Event 5, the copy's last, is another one",
    ),
    "a seal": ("UPDATE evenbooks_seals SET total = 1", "evenbooks_seals says another total"),
    "a deletion": ("UPDATE customers SET deleted_at = '2024-01-01 00:00:00' WHERE id = 1", "or gone: 1 (1)"),
}


@pytest.mark.parametrize("name", ONE_HARM)
def test_each_difference_is_found(here: tuple[Database, str], name: str) -> None:
    (shop, url), (statement, words) = here, ONE_HARM[name]
    assert check(shop, url).differences == []
    harm(url, statement)
    found = check(shop, url)
    assert words in "\n".join(found.differences)


def quiet(path: Path, *, checked: bool = False, **shape: Any) -> tuple[Database, Path]:
    """A shop in which nothing of Evenbooks' own happened since May 2024, and a copy of it."""
    with patch("data.migration.making.now", lambda: OLD):
        shop = make_shop(f"sqlite:///{path}/shop.sqlite", **shape)
    if checked:
        integrity.run_and_record(shop)
    copy = path / "copy.sqlite"
    copy.write_bytes(dump(shop))
    return shop, copy


def test_a_month_is_over_by_today_where_nothing_happened_since(tmp_path: Path) -> None:
    later = [(n, 1, f"2025-0{n - 20}-05 00:00:00", "100.00", "paid") for n in (21, 22, 23)]
    shop, copy = quiet(tmp_path, sales=[*SALES, *later])
    url, content = f"sqlite:///{copy}", copy.read_bytes()
    found = check(shop, url)
    assert (found.passed, found.unseen, found.copy_at) == (True, [], "2024-05-15T00:00:00Z")
    assert found.figures["months_compared"] == 5  # of March nobody knows whether it was over
    harm(url, "UPDATE orders SET total = 0 WHERE id = 21", "UPDATE orders SET customer_id = 2 WHERE id = 22")
    words = check(shop, url).differences
    assert "2025-01: the copy has 1 order worth EUR 0.00, the live database has 1 order worth EUR 100.00" in words[0]
    assert "2025-02: orders of the copy are of other customers" in words[1]
    for harmed in ("UPDATE orders SET total = 0 WHERE id = 23", "DELETE FROM orders WHERE id = 23"):
        copy.write_bytes(content)
        harm(url, harmed)
        found = check(shop, url)
        assert (found.passed, found.differences) == (None, [])
        assert "2025-03: the copy has" in found.blind[-1]
    # An order that came later, of a month that was over by the copy's own orders.
    copy.write_bytes(content)
    execute(shop.engine, "INSERT INTO orders (id, customer_id, ordered_at, total) VALUES (30, 1, '2025-02-07', 1)")
    found = check(shop, url)
    assert (found.passed, found.differences, len(found.blind)) == (None, [], 1)
    with snapshot(shop) as moment:
        last = retention.last_backup_check(moment.connection, shop.schema)
    assert last
    assert (last.passed, last.differences, last.copy_at) == (
        None,
        tuple(found.blind),
        datetime(2024, 5, 15, tzinfo=UTC),
    )
    shop.engine.dispose()


@pytest.mark.parametrize("checked", [False, True])
def test_customers_without_a_time_are_missed(tmp_path: Path, checked: bool) -> None:
    timeless = [{"id": n, "name": f"P{n}", "created_at": None} for n in range(6, 30)]
    shop, copy = quiet(tmp_path, people=[*PEOPLE, *timeless], checked=checked)
    url = f"sqlite:///{copy}"
    add(shop, {"name": "New"}, actor=ADMIN)
    execute(shop.engine, "UPDATE customers SET created_at = NULL WHERE id = 30")
    assert check(shop, url).passed  # an event says that this one came later
    harm(url, "DELETE FROM customers WHERE id > 10")
    found = check(shop, url)
    assert "lost customers 11, 12, 13, 14, 15, 16, 17, 18, 19, 20 and more, or was made" in found.blind[0]
    told = ["The copy has 10 customers, and its own last check, before it was made, counted 29."]
    assert (found.passed, found.differences) == ((False, told) if checked else (None, []))
    shop.engine.dispose()


def test_orders_that_its_last_check_counted_are_missed(tmp_path: Path) -> None:
    shop, copy = quiet(tmp_path, sales=[*SALES, (11, 1, "2099-01-01 00:00:00", "5.00")], checked=True)
    harm(f"sqlite:///{copy}", "DELETE FROM orders WHERE id = 11")
    found = check(shop, f"sqlite:///{copy}")
    assert (found.passed, found.differences) == (None, [])
    assert "The copy has 10 orders, and its own last check, before it was made, counted 11." in found.blind[0]
    shop.engine.dispose()


def test_of_a_slice_the_whole_table_is_compared(tmp_path: Path) -> None:
    sections = {
        "customers": {"where": "name <> 'Dora Gone'"},
        "orders": {"where": "total > 0", "status": "status", "revenue_statuses": ["paid"]},
    }
    shop, copy = quiet(tmp_path, sections=sections)
    url = f"sqlite:///{copy}"
    execute(shop.engine, "UPDATE customers SET name = 'Dora Gone' WHERE id = 5", "DELETE FROM customers WHERE id = 4")
    assert check(shop, url).passed  # one left the slice, and one was never of it
    harm(url, "DELETE FROM customers WHERE id = 3", "DELETE FROM orders WHERE id = 3")
    harm(url, "UPDATE orders SET total = 49 WHERE id = 4")
    assert [words.split(", the live")[0] for words in check(shop, url).differences] == [
        "The copy lacks customer 3 of the live database.",
        "The copy lacks order 3 of the live database.",
        "2024-02: the copy has 3 orders worth EUR 54.75",  # of whatever status: the one that differs does not count
    ]
    shop.engine.dispose()


def test_what_was_lost_in_the_live_database_is_told_too(here: tuple[Database, str]) -> None:
    shop, url = here
    execute(shop.engine, "DELETE FROM orders WHERE id = 8")
    assert "The live database does not have order 8 of the copy any more." in check(shop, url).differences


def test_an_unfinished_month_that_differs_could_not_be_seen(here: tuple[Database, str]) -> None:
    shop, url = here
    for engine_url in (shop.settings.database_url, url):
        harm(engine_url, "INSERT INTO orders (id, customer_id, ordered_at, total) VALUES (50, 3, '2099-01-01', 5)")
    assert check(shop, url).unseen == []
    execute(shop.engine, "UPDATE orders SET total = 6 WHERE id = 50")
    found = check(shop, url)
    assert (found.passed, found.blind, len(found.unseen)) == (True, [], 1)
    assert (
        "2099-01: the copy has 1 order worth EUR 5.00, the live database has 1 order worth EUR 6.00" in found.unseen[0]
    )
    # Of orders without a date nobody knows when they were over, so nothing says which is right.
    execute(shop.engine, "UPDATE orders SET total = 2 WHERE id = 10")
    found = check(shop, url)
    assert (found.passed, found.differences) == (None, [])
    assert "No date: the copy has 1 order worth EUR 1.01" in found.blind[0]
    # What came to the live database later, and was lost at the copy's end, cannot be told apart there.
    execute(shop.engine, "INSERT INTO customers (id, name, created_at) VALUES (90, 'Old', '2024-01-01 00:00:00')")
    assert "The copy lacks customer 90 of the live database." in check(shop, url).differences


def test_customers_that_are_not_numbered_are_compared_by_their_keys(tmp_path: Path) -> None:
    table = "CREATE TABLE customers (id VARCHAR(20) PRIMARY KEY, name VARCHAR(60), created_at {time} NULL)"
    orders = "CREATE TABLE orders (id VARCHAR(20) PRIMARY KEY, customer_id VARCHAR(20), ordered_at {time}, total DECIMAL(12,2))"
    people = [{"id": key, "name": key, "created_at": "2024-01-01 00:00:00"} for key in "abcd"]
    shop = make_shop(
        f"sqlite:///{tmp_path}/shop.sqlite", customers=table, orders=orders, people=people, sections=None,
        sales=[("x", "a", "2024-01-01 00:00:00", "5.00"), ("y", "b", "2024-01-02 00:00:00", "6.00")],
    )  # fmt: skip
    copy = tmp_path / "copy.sqlite"
    copy.write_bytes(dump(shop))
    assert check(shop, f"sqlite:///{copy}").differences == []
    execute(shop.engine, "INSERT INTO customers VALUES ('bb', 'later', '2099-01-01 00:00:00', NULL)")
    execute(shop.engine, "INSERT INTO customers VALUES ('cc', 'when', NULL, NULL)")
    execute(shop.engine, "INSERT INTO orders VALUES ('z', 'a', '2099-01-01 00:00:00', 5)")
    harm(f"sqlite:///{copy}", "DELETE FROM customers WHERE id = 'c'", "INSERT INTO customers (id) VALUES ('e')")
    found = check(shop, f"sqlite:///{copy}")
    assert found.differences == [
        "The copy lacks customer c of the live database.",
        "The live database does not have customer e of the copy any more.",
    ]
    assert any("lost customer cc, or was made before" in words for words in found.blind)
    assert any("Orders are not numbered" in words for words in found.unseen)
    shop.engine.dispose()


def test_a_lost_order_among_many_is_found_by_its_number(tmp_path: Path) -> None:
    sales = [(n, 1, "2024-01-05 00:00:00", "1.00", "paid") for n in range(1, 6001)]
    shop = make_shop(f"sqlite:///{tmp_path}/shop.sqlite", sales=sales)
    copy = tmp_path / "copy.sqlite"
    copy.write_bytes(dump(shop))
    harm(f"sqlite:///{copy}", "DELETE FROM orders WHERE id IN (17, 3500, 5999)")
    assert "The copy lacks orders 17, 3500, 5999 of the live database." in check(shop, f"sqlite:///{copy}").differences
    shop.engine.dispose()


def test_where_nothing_can_be_said_nothing_is_kept(here: tuple[Database, str], tmp_path: Path) -> None:
    shop, url = here
    with patch("data.migration.making.now", lambda: OLD):  # made in the same second it would begin with the same event
        other = make_shop(f"sqlite:///{tmp_path}/other.sqlite")
    empty = tmp_path / "empty.sqlite"
    empty.touch()
    before = rows(shop, "evenbooks_events")
    for wrong, error, words in (
        (f"sqlite:///{tmp_path}/other.sqlite", EvenbooksError, "of another database"),
        (shop.settings.database_url, EvenbooksError, "leads to the live database itself"),
        (f"sqlite:///{tmp_path}/none.sqlite", DatabaseUnavailable, "--restored-url names it"),
        (f"sqlite:///{empty}", ConfigurationError, "no table customers"),
        ("mysql://u:secret@localhost/shop", ConfigurationError, "another engine"),
        ("nonsense", ConfigurationError, "--restored-url is not a database URL"),
    ):
        with pytest.raises(error, match=words):
            check(shop, wrong)
    harm(url, "DROP TABLE evenbooks_seals")
    with pytest.raises(ConfigurationError, match="no evenbooks_seals"):
        check(shop, url)
    assert rows(shop, "evenbooks_events") == before
    other.engine.dispose()


def test_the_command_says_it_and_its_exit_code_too(
    here: tuple[Database, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    shop, url = here
    monkeypatch.setenv("DATABASE_URL", shop.settings.database_url)
    config = tmp_path / "evenbooks.toml"
    config.write_text('[customers]\nphone = "phone"\n', encoding="utf-8")
    monkeypatch.setenv("EVENBOOKS_CONFIG", str(config))
    assert backup_check.main(["--restored-url", url]) == 0
    assert "The backup passed: nothing differs. Kept as event 6." in capsys.readouterr().out
    harm(url, "UPDATE orders SET total = 2 WHERE id = 10")
    assert backup_check.main(["--restored-url", url]) == 2
    assert "The backup has not passed: nothing differs, but" in capsys.readouterr().out
    harm(url, "DELETE FROM orders WHERE id = 8")
    assert backup_check.main(["--restored-url", url, "--json"]) == 1
    said = json.loads(capsys.readouterr().out)
    assert (said["passed"], said["head"]["event_id"]) == (False, 5)
    assert backup_check.main(["--restored-url", f"{url}x", "--json"]) == 2
    assert json.loads(capsys.readouterr().out)["passed"] is None
    assert backup_check.main(["--restored-url", f"{url}x"]) == 2
    assert capsys.readouterr().err.startswith("Could not look: There is no database file")
    report = integrity.run_and_record(shop)
    assert [c.name for c in report.checks if c.ok is False and c.level == "error"] == []
