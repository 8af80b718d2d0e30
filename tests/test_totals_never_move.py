"""Property: whatever is deleted and restored, by whomever, every monthly total stays as it was."""

from __future__ import annotations

from typing import Any, get_args

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from servers import fresh_mariadb
from shops import PEOPLE, SALES, by_hand, make_shop, problems
from sqlalchemy import text

from data import money, queries
from data.access import Actor, Door, Role
from data.customers import delete_many, restore_many
from data.database import Database, snapshot
from data.queries.checks import Part
from data.records import Figures

IDS = [person["id"] for person in PEOPLE]
ACTORS = [
    Actor("ann", Role.STAFF, Door.DASHBOARD),
    Actor("bob", Role.ADMIN, Door.API),
    Actor("os:x", Role.ADMIN, Door.COMMAND),
]
STEPS = st.lists(
    st.tuples(
        st.sampled_from([delete_many, restore_many]),
        st.lists(st.sampled_from(IDS), min_size=1, max_size=4),
        st.sampled_from(ACTORS),
        st.sampled_from(["requested", "mistake", "because it rained"]),
    ),
    min_size=1,
    max_size=8,
)
Parts = dict[str, dict[tuple[str | None, str], Figures]]


@pytest.fixture(scope="module", params=["sqlite", "mariadb"])
def long_lived(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Any:
    """One shop for all the examples: each starts where the last one ended."""
    if request.param == "sqlite":
        yield make_shop(f"sqlite:///{tmp_path_factory.mktemp('long')}/shop.sqlite")
        return
    with fresh_mariadb(request.getfixturevalue("mariadb_url")) as url:
        database = make_shop(url)
        yield database
        database.engine.dispose()


def parts(database: Database) -> Parts:
    with snapshot(database) as moment:
        return {part: queries.monthly_part(moment.connection, database.schema, part) for part in get_args(Part)}


def assert_even(found: Parts) -> None:
    for key, total in found["total"].items():
        pieces = [figures[key] for part, figures in found.items() if part != "total" and key in figures]
        assert money.add(piece.total for piece in pieces) == total.total
        assert sum(piece.orders for piece in pieces) == total.orders


@given(steps=STEPS)
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_sequence_of_deletes_and_restores_moves_no_total(
    long_lived: Database, steps: list[tuple[Any, ...]]
) -> None:
    shop = long_lived
    start = parts(shop)["total"]
    assert {month: figures.total for (month, _), figures in start.items()} == by_hand(SALES)
    deleted = _deleted(shop)
    for change, ids, actor, reason in steps:
        outcomes = change(shop, ids, actor=actor, reason=reason)
        wanted = change is delete_many
        assert all((outcome.customer.deleted_at is not None) == wanted for outcome in outcomes)
        assert {o.customer.id for o in outcomes if o.changed} == {n for n in ids if (n in deleted) != wanted}
        deleted = deleted | set(ids) if wanted else deleted - set(ids)
        found = parts(shop)
        assert found["total"] == start
        assert_even(found)
        assert _deleted(shop) == deleted
        with snapshot(shop) as moment:
            counts = [queries.count_customers(moment.connection, shop.schema, deleted=d) for d in (False, True)]
            quick = queries.monthly_totals(moment.connection, shop.schema)
        assert counts == [len(IDS) - len(deleted), len(deleted)]
        assert quick == start
    assert problems(shop) == []


def _deleted(shop: Database) -> set[int]:
    with shop.engine.connect() as connection:
        return set(connection.execute(text("SELECT id FROM customers WHERE deleted_at IS NOT NULL")).scalars())


def test_the_property_is_checked_against_something(shop: Database) -> None:
    """The totals of the check are not compared with themselves: an order more is seen."""
    before = parts(shop)["total"]
    with shop.engine.connect().execution_options(write=True) as connection, connection.begin():
        connection.execute(text("UPDATE orders SET total = total + 0.01 WHERE id = 1"))
    assert parts(shop)["total"] != before
