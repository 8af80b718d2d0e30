"""Lists of customers: pages in id order, searches, counts; and what looking after a pooled connection costs."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from unittest import mock

from sqlalchemy import text

from bench.measured import Measured
from bench.measuring import Figure, in_turns, reading
from data import engines, queries
from data.queries.paging import write_cursor

PAGE = 50
NOBODY = "qxzv"  # is in no name: every customer is looked at


def page(measured: Measured, **asked: Any) -> Callable[[], Any]:
    """A page of active customers, on a snapshot of its own."""
    schema = measured.database.schema
    return reading(measured.database, lambda c: queries.list_customers(c, schema, limit=PAGE, **asked))


def deep_cursor(measured: Measured) -> str:
    """Nine tenths into the customers, by id."""
    deep = measured.customers * 9 // 10
    return write_cursor("id", deep, deep)


def bench_lists(measured: Measured) -> list[Figure]:
    """A page in id order, the first and one nine tenths in; the first again on a connection that is pinged before."""
    deep = measured.customers * 9 // 10
    pinged = page(measured)

    def after_a_pause() -> None:
        with mock.patch.object(engines, "LONGEST_PAUSE", -1):  # as if every pause were long
            pinged()

    works = {"first": page(measured), "far": page(measured, after=deep_cursor(measured)), "pinged": after_a_pause}
    for work in works.values():
        work()
    taken = in_turns(works, times=51)
    first, far = taken["first"] * 1000, taken["far"] * 1000
    return [
        Figure("list page in id order", first, "ms", "20 ms", 20, 1),
        Figure(f"page {deep:,} rows in", far, "ms", "first page", first, 2),
        Figure("page, its connection pinged first", taken["pinged"] * 1000, "ms", "page without", first, 1.5),
    ]


def bench_search(measured: Measured) -> list[Figure]:
    """Searches by a part of a name, an e-mail's beginning and an id, and counts, beside what they cannot do without."""
    database = measured.database
    like = text("SELECT id FROM customers WHERE deleted_at IS NULL AND LOWER(name) LIKE '%qxzv%' LIMIT 50")
    counting = text("SELECT COUNT(*) FROM customers WHERE deleted_at IS NULL")
    with database.engine.connect() as connection:
        email = connection.execute(
            text("SELECT email FROM customers WHERE email <> '' ORDER BY id DESC LIMIT 1")
        ).scalar_one()
    works = {
        "like": reading(database, lambda c: c.execute(like).all()),
        "name": page(measured, search=NOBODY),
        "counting": reading(database, lambda c: c.execute(counting).all()),
        "count": reading(database, lambda c: queries.count_customers(c, database.schema)),
        "email": page(measured, search=email),
        "id": page(measured, search=f"#{measured.customers // 2}"),
    }
    for work in works.values():
        work()
    taken = in_turns(works, times=5)
    return [
        Figure("search for a name that nobody has", taken["name"], "s", "bare LIKE over the table", taken["like"], 1.5),
        Figure("count of active customers", taken["count"], "s", "bare COUNT(*)", taken["counting"], 1.2),
        Figure("search for an e-mail address", taken["email"] * 1000, "ms", "20 ms", 20, 1),
        Figure("search for a customer's number", taken["id"] * 1000, "ms", "20 ms", 20, 1),
    ]
