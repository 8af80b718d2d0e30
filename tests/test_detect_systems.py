"""What --detect proposes for tables of well-known systems and of companies' own making, on the engines that each lives on."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator
from contextlib import ExitStack
from decimal import Decimal
from pathlib import Path

import doubtful_systems
import own_systems
import pytest
from known_systems import SYSTEMS, System
from servers import fresh_mariadb, fresh_postgresql
from shops import execute, settings_for

from data import queries
from data.database import Database, snapshot
from data.detection import Proposal, propose
from data.engines import make_engine
from data.reflection import reflect

ALL = [*SYSTEMS, *own_systems.SYSTEMS, *doubtful_systems.SYSTEMS]
PLACES = [pytest.param(one, engine, id=f"{one.name}-{engine}") for one in ALL for engine in one.engines]


@pytest.fixture
def system_url(engine_name: str, tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[str]:
    """The URL of an empty database of the engine that the test names."""
    with ExitStack() as stack:
        if engine_name == "sqlite":
            yield f"sqlite:///{tmp_path}/shop.sqlite"
        else:
            fresh = fresh_mariadb if engine_name == "mariadb" else fresh_postgresql
            yield stack.enter_context(fresh(request.getfixturevalue(f"{engine_name}_url")))


def look(url: str, sql: str = "") -> Proposal:
    """Makes these tables and looks at the database."""
    engine = make_engine(settings_for(url).url)
    try:
        if sql:
            execute(engine, *(one for one in sql.split(";\n") if one.strip()))
        return propose(engine, url)
    finally:
        engine.dispose()


def amount(url: str, proposal: Proposal) -> Decimal:
    """What the reports add up under the proposal."""
    settings = settings_for(url, proposal.file)
    engine = make_engine(settings.url)
    try:
        with engine.connect() as connection:
            schema = reflect(connection, settings)
        with snapshot(Database(engine, settings, schema)) as moment:
            return sum((f.total for f in queries.monthly_totals(moment.connection, schema).values()), Decimal(0))
    finally:
        engine.dispose()


@pytest.mark.parametrize(("system", "engine_name"), PLACES)
def test_the_tables_are_found(system: System, engine_name: str, system_url: str) -> None:
    proposal = look(system_url, system.sql)
    assert proposal.found, proposal.reasons
    assert proposal.file is not None
    assert proposal.file == tomllib.loads(proposal.toml)
    orders = dict(proposal.file["orders"])
    assert ("query" in orders) is system.query
    orders.pop("query", None)
    assert proposal.file["customers"] == system.customers
    assert orders == system.orders
    assert proposal.file.get("money", {}) == system.money
    assert amount(system_url, proposal) == Decimal(system.total)
    unfolded = " ".join(line.lstrip("# ") for line in proposal.toml.splitlines())
    for words in system.says:
        assert words in unfolded


def test_amounts_that_are_written_in_two_ways_are_named(tmp_path: Path) -> None:
    proposal = look(
        f"sqlite:///{tmp_path}/shop.sqlite",
        """
        CREATE TABLE customers (id {key}, name VARCHAR(20), email VARCHAR(40));
        CREATE TABLE orders (id {key}, customer_id INTEGER, order_date {time}, total VARCHAR(20));
        INSERT INTO customers VALUES (1, 'Ann', 'a@example.com');
        INSERT INTO orders VALUES (1, 1, '2024-01-31 00:00:00', '1.234,56'), (2, 1, '2024-01-31 00:00:00', '1,234.56');
        """,
    )
    assert not proposal.found
    assert "total is text such as '1.234,56', '1,234.56'" in " ".join(proposal.reasons)


def test_a_table_that_came_near_has_its_reason(tmp_path: Path) -> None:
    proposal = look(
        f"sqlite:///{tmp_path}/shop.sqlite",
        """
        CREATE TABLE customers (id {key}, name VARCHAR(20), email VARCHAR(40));
        CREATE TABLE charges (id {key}, customer_id INTEGER, amount INTEGER);
        INSERT INTO customers VALUES (1, 'Ann', 'a@example.com');
        INSERT INTO charges VALUES (1, 1, 5);
        """,
    )
    assert not proposal.found
    assert "charges has no date that can be read." in proposal.reasons
