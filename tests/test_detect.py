"""The --detect command: what it prints and writes, that it changes nothing, and what it says where nothing fits."""

from __future__ import annotations

import hashlib
import tomllib
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from shops import execute, settings_for
from sqlalchemy import create_engine, event, text
from sqlalchemy.engine import make_url

import run_customer_soft_delete_migration as command
from data.detection import Proposal, propose, reading
from data.engines import make_engine

CUSTOMERS = "CREATE TABLE clients (client_no {key}, full_name VARCHAR(50), email VARCHAR(80), since {time})"
ORDERS = "CREATE TABLE sales (sale_no {key}, client_no INTEGER REFERENCES clients (client_no), sold_at {time}, total DECIMAL(10,2))"
ROWS = [
    "INSERT INTO clients VALUES (1, 'Ann', 'ann@example.com', '2024-01-01 00:00:00'), (2, 'Bob', 'bob@example.com', NULL)",
    "INSERT INTO sales VALUES (1, 1, '2024-01-31 00:00:00', 10.50), (2, 2, '2024-02-01 00:00:00', 1)",
]
MAPPING = {
    "customers": {"table": "clients", "id": "client_no", "name": "full_name", "email": "email", "created_at": "since"},
    "orders": {
        "table": "sales",
        "id": "sale_no",
        "customer_id": "client_no",
        "ordered_at": "sold_at",
        "total": "total",
    },
}


@pytest.fixture
def url(empty_url: str) -> str:
    """A small shop that nobody mapped."""
    run(empty_url, CUSTOMERS, ORDERS, *ROWS)
    return empty_url


def run(url: str, *statements: str) -> None:
    engine = make_engine(settings_for(url).url)
    execute(engine, *statements)
    engine.dispose()


def look(url: str, *statements: str) -> Proposal:
    """Runs statements and looks at what is there then."""
    engine = make_engine(settings_for(url).url)
    try:
        if statements:
            execute(engine, *statements)
        return propose(engine, url)
    finally:
        engine.dispose()


def detect(url: str, *more: str) -> int:
    return command.main(["--database-url", url, "--detect", *more])


def test_what_is_printed_is_the_file(url: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert detect(url) == 0
    printed = capsys.readouterr()
    assert tomllib.loads(printed.out) == MAPPING
    assert "# What the reports would show:\n#   2024-01         1 orders              10.50 EUR" in printed.out
    assert printed.err == ""


def test_the_file_is_written_where_told_and_the_migration_takes_it(
    url: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "evenbooks.toml"
    file.touch()  # as a shell makes it for `> evenbooks.toml`
    assert detect(url, str(file)) == 0
    assert file.read_text(encoding="utf-8") == capsys.readouterr().out
    assert command.main(["--database-url", url, "--config", str(file)]) == 0
    other = tmp_path / "other.toml"
    assert command.main(["--database-url", url, "--config", str(other), "--detect"]) == 0
    assert tomllib.loads(other.read_text(encoding="utf-8")) == {
        **MAPPING,
        "customers": {**MAPPING["customers"], "deleted_at": "deleted_at"},
    }


def test_a_file_that_is_there_is_left_alone(url: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "mine.toml"
    file.write_text("# mine", encoding="utf-8")
    assert detect(url, str(file)) == 1
    assert "is there already" in capsys.readouterr().err
    assert file.read_text(encoding="utf-8") == "# mine"
    assert detect(url, str(tmp_path / "no" / "folder.toml")) == 1
    assert "cannot be written" in capsys.readouterr().err


def test_nothing_is_changed(tmp_path: Path) -> None:
    file = tmp_path / "shop.sqlite"
    url = f"sqlite:///{file}"
    run(url, CUSTOMERS, ORDERS, *ROWS)
    before = hashlib.sha256(file.read_bytes()).hexdigest()
    file.chmod(0o444)
    assert look(url).found
    assert hashlib.sha256(file.read_bytes()).hexdigest() == before
    assert [path.name for path in tmp_path.iterdir()] == ["shop.sqlite"]


def as_reader(url: str, *granted: str) -> str:
    """The URL of a new account that may only read these tables (without any: the whole database)."""
    admin = make_url(url)
    account = f"reader{uuid4().hex[:12]}"  # accounts are the server's, and names of databases come again
    if admin.get_backend_name() == "postgresql":
        statements = [f"CREATE ROLE {account} LOGIN", *(f"GRANT SELECT ON {table} TO {account}" for table in granted)]
    else:
        statements = [f"CREATE USER {account}", *(f"GRANT SELECT ON {table} TO {account}" for table in granted)]
    engine = create_engine(admin, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        for statement in statements:
            connection.execute(text(statement))
    engine.dispose()
    return admin.set(username=account).render_as_string(hide_password=False)


@pytest.mark.parametrize("engine_name", ["mariadb", "postgresql"])
def test_an_account_that_may_only_read_is_enough(url: str) -> None:
    reader = as_reader(url, "clients", "sales")
    assert look(reader).file == MAPPING


@pytest.mark.parametrize("engine_name", ["postgresql"])
def test_a_table_that_may_not_be_read_is_said(url: str) -> None:
    proposal = look(as_reader(url, "clients"))
    assert not proposal.found
    assert any("sales" in line and "permission denied" in line for line in proposal.reasons), proposal.reasons


def test_where_nothing_fits_it_says_why(empty_url: str, capsys: pytest.CaptureFixture[str]) -> None:
    run(
        empty_url,
        "CREATE TABLE customers (region INTEGER, no INTEGER, name VARCHAR(50), email VARCHAR(80), PRIMARY KEY (region, no))",
        "CREATE TABLE users (id {key}, name VARCHAR(50), email VARCHAR(80))",
        "CREATE TABLE orders (id {key}, user_id INTEGER REFERENCES users (id), total DECIMAL(10,2))",
    )
    assert detect(empty_url) == 1
    printed = capsys.readouterr()
    assert printed.out == ""
    assert "No customers with orders were found among 3 tables: customers, orders, users." in printed.err
    assert "composite keys cannot be mapped" in printed.err
    assert "orders has no date that can be read." in printed.err
    assert "docs/attach.md" in printed.err


def test_an_empty_database_and_a_missing_one_are_told_apart(
    empty_url: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    if empty_url.startswith("sqlite"):
        assert detect(f"sqlite:///{tmp_path}/no.sqlite") == 1
        assert "There is no database file" in capsys.readouterr().err
        run(empty_url)
        Path(make_url(empty_url).database or "").touch()
    assert detect(empty_url) == 1
    assert "no table" in capsys.readouterr().err


def test_views_and_broken_views_do_no_harm(url: str) -> None:
    found = look(
        url,
        "CREATE TABLE gone (id {key}, customer_id INTEGER, total DECIMAL(10,2))",
        "CREATE VIEW customer_orders AS SELECT c.client_no, c.full_name, s.total, s.sold_at FROM clients c JOIN sales s ON s.client_no = c.client_no",
    )
    assert found.file == MAPPING
    if not url.startswith("postgresql"):
        assert look(url, "CREATE VIEW orders AS SELECT * FROM gone", "DROP TABLE gone").file == MAPPING


def test_the_password_is_not_printed(url: str) -> None:
    if url.startswith("sqlite"):
        pytest.skip("a file has no password")
    secret = make_url(url).set(password="hunter2").render_as_string(hide_password=False)
    engine = make_engine(make_url(url))
    proposal = propose(engine, secret)
    engine.dispose()
    assert proposal.found
    assert "hunter2" not in proposal.toml


def test_what_stands_behind_the_question_mark_is_not_printed(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/shop.sqlite"
    proposal = look(url, CUSTOMERS, ORDERS, *ROWS)
    engine = make_engine(make_url(url))
    assert "hunter2" not in propose(engine, f"{url}?timeout=5&key=hunter2").toml
    engine.dispose()
    assert "for sqlite:///" in proposal.toml


@pytest.mark.parametrize("engine_name", ["mariadb"])
def test_the_doubts_say_what_the_migration_says(empty_url: str) -> None:
    held = " REFERENCES clients (client_no)"
    words = " ".join(look(empty_url, f"{CUSTOMERS} ENGINE=MyISAM", ORDERS.replace(held, ""), *ROWS).doubts)
    assert "marked back, and if the server dies in between it stays marked" in words
    assert "half done" not in words
    cascading = ORDERS.replace(held, f"{held} ON DELETE CASCADE")
    words = " ".join(look(empty_url, "DROP TABLE sales", "DROP TABLE clients", CUSTOMERS, cascading).doubts)
    assert "run_customer_soft_delete_migration.py --dry-run " in words


def test_many_tables_are_read_together(url: str) -> None:
    engine = make_engine(make_url(url))
    with engine.begin() as connection:
        connection.execution_options(write=True)
        for n in range(200):
            connection.exec_driver_sql(
                f"CREATE TABLE gadget_{n} (id INTEGER PRIMARY KEY, label VARCHAR(20), amount INTEGER)"
            )
    statements: list[str] = []

    @event.listens_for(engine, "before_cursor_execute")
    def note(_c: Any, _cursor: Any, statement: str, *_more: Any) -> None:
        statements.append(statement)

    assert propose(engine, url).file == MAPPING
    engine.dispose()
    rows = [
        s
        for s in statements
        if "gadget_" in s and "SELECT" in s.upper() and "pragma" not in s.lower() and "sqlite_master" not in s
    ]
    assert rows == []
    if engine.dialect.name == "postgresql":
        assert len(statements) < 120


KINDS_OF_ORDERS = [
    "CREATE TABLE people (id {key}, name VARCHAR(20), email VARCHAR(40))",
    "CREATE TABLE documents (id {key}, person_id INTEGER REFERENCES people (id), doc_date DATE, doc_type VARCHAR(20), total DECIMAL(8,2))",
    "INSERT INTO people VALUES (1, 'Ann', 'a@example.com'), (2, 'Bob', 'b@example.com')",
]


@pytest.mark.parametrize(
    ("kinds", "where"),
    [
        (["invoice", "cart", "invoice", "cart", "pos", "pos"], None),
        (["invoice", "cart", "invoice", "cart", "cart", None], None),
        (["invoice", "invoice", "invoice", "invoice", "cart", "cart"], None),
        (["invoice", "cart", "invoice", "cart", "cart", "invoice"], "doc_type = 'invoice'"),
    ],
)
@pytest.mark.parametrize("slow", [False, True])
def test_a_kind_of_order_that_the_first_rows_do_not_have_is_not_left_out(
    empty_url: str, monkeypatch: pytest.MonkeyPatch, kinds: list[str | None], where: str | None, slow: bool
) -> None:
    monkeypatch.setattr(reading, "GROUPED", 4)

    def stopped(*_: Any) -> bool:
        raise reading.Unreadable("it lasted")

    if slow:
        monkeypatch.setattr(reading.Reader, "has_others", stopped)
    values = ", ".join(
        f"({n}, {1 + n % 2}, '2024-01-31', {'NULL' if kind is None else repr(kind)}, 1)"
        for n, kind in enumerate(kinds, start=1)
    )
    proposal = look(empty_url, *KINDS_OF_ORDERS, f"INSERT INTO documents VALUES {values}")
    assert proposal.file is not None
    assert proposal.file["orders"].get("where") == (None if slow else where)
    said = [one for one in proposal.doubts if "doc_type" in one and "in the first 4 rows" in one]
    assert bool(said) == (slow or where is None), proposal.doubts


def test_a_slice_that_would_leave_out_a_customer_with_orders_is_not_proposed(tmp_path: Path) -> None:
    """The sample does not see the one in the middle; the figures do."""
    people = ", ".join(
        f"({n}, 'P{n}', '{'supplier' if n == 300 else 'customer'}', 'p{n}@example.com')" for n in range(1, 602)
    )
    sales = ", ".join(f"({n}, {n}, '2024-01-31', 1)" for n in range(1, 601))
    url = f"sqlite:///{tmp_path}/shop.sqlite"
    proposal = look(
        url,
        "CREATE TABLE partners (id {key}, name VARCHAR(20), kind VARCHAR(20), email VARCHAR(40))",
        "CREATE TABLE orders (id {key}, partner_id INTEGER REFERENCES partners (id), order_date DATE, total DECIMAL(8,2))",
        f"INSERT INTO partners VALUES {people}, (602, 'Idle', 'supplier', NULL)",
        f"INSERT INTO orders VALUES {sales}",
    )
    assert proposal.file is not None
    assert proposal.file["customers"] == {"table": "partners", "id": "id", "name": "name", "email": "email"}
    assert any("not all" in doubt for doubt in proposal.doubts), proposal.doubts
    assert "600 orders             600.00" in proposal.toml
    assert "0 of a missing customer" in proposal.toml


@pytest.mark.parametrize("engine_name", ["postgresql"])
def test_an_enumeration_is_asked_beyond_the_first_rows(empty_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading, "GROUPED", 2)
    documents = KINDS_OF_ORDERS[1].replace("VARCHAR(20)", "type_of_document")
    rows = "INSERT INTO documents SELECT n, 1, '2024-01-31', (CASE n % 2 WHEN 0 THEN 'cart' ELSE 'invoice' END)::type_of_document, 1 FROM generate_series(1, 4) n"
    kind = "CREATE TYPE type_of_document AS ENUM ('invoice', 'cart', 'pos')"
    proposal = look(empty_url, kind, KINDS_OF_ORDERS[0], documents, KINDS_OF_ORDERS[2], rows)
    assert proposal.file is not None
    assert proposal.file["orders"]["where"] == "doc_type = 'invoice'"
