"""Lists of customers: paging forward and back gives every row exactly once, in the engine's own order."""

from __future__ import annotations

import base64
import itertools
import json
from collections.abc import Iterator
from typing import Any

import pytest
from copies import copied
from hypothesis import given
from hypothesis import strategies as st
from shops import ADMIN, CUSTOMERS, execute, make_shop
from sqlalchemy import event, text

from data import queries
from data.customers import delete_many
from data.database import Database, snapshot
from data.errors import InvalidInput
from data.queries.customers import SORTS
from data.queries.paging import read_cursor, write_cursor
from data.records import Customer, Page

NAMES = [
    None,
    "",
    "x",
    "x ",
    "X",
    "xy",
    "Ana",
    "ana",
    "Änne",
    "Zoë",
    "陈伟",
    "Ёлка",
    "ёж",
    "ß",
    "🚀",
    "a_b",
    "a%b",
    "10",
    "9",
    "x",
    "x",
]
TIMES = [None, "2024-01-01 00:00:00", "2023-06-30 23:59:59", "2024-01-01 00:00:00"]


def crowd() -> list[dict[str, Any]]:
    """Rows with equal, missing, blank and trailing-blank values, in several scripts."""
    times = itertools.cycle(TIMES)
    emails = itertools.cycle([None, "a@x.com", "B@x.com", "b@x.com", ""])
    return [
        {"id": n, "name": name, "email": email, "created_at": at}
        for n, (name, email, at) in enumerate(zip(NAMES, emails, times, strict=False), start=11)
    ]


@pytest.fixture
def lists(empty_url: str) -> Iterator[Database]:
    """A shop of people with awkward names; five of them deleted, two at the same time."""
    database = copied(empty_url, lambda: make_lists(empty_url), "lists")
    yield database
    database.engine.dispose()


def make_lists(url: str) -> Database:
    shop = make_shop(
        url,
        customers=CUSTOMERS.replace("name VARCHAR(60) NOT NULL", "name VARCHAR(60)"),
        people=crowd(),
        sales=[],
    )
    delete_many(shop, [12, 14], actor=ADMIN, reason="inactive")
    delete_many(shop, [16, 18, 20], actor=ADMIN, reason="inactive")
    execute(shop.engine, "UPDATE customers SET deleted_at = '2024-03-01 00:00:00' WHERE id IN (12, 14)")
    return shop


def page(shop: Database, **how: Any) -> Page[Customer]:
    with snapshot(shop) as moment:
        return queries.list_customers(moment.connection, shop.schema, **how)


def ids(found: Page[Customer]) -> list[Any]:
    return [customer.id for customer in found.items]


def own_order(shop: Database, sort: str, *, descending: bool, deleted: bool) -> list[int]:
    """The ids as the engine itself orders them, NULL as the least."""
    least = "'0001-01-01 00:00:00'" if sort.endswith("_at") else "''"
    key = "id" if sort == "id" else f"COALESCE({sort}, {least})"
    way = "DESC" if descending else "ASC"
    state = "IS NOT NULL" if deleted else "IS NULL"
    statement = f"SELECT id FROM customers WHERE deleted_at {state} ORDER BY {key} {way}, id {way}"
    with shop.engine.connect() as connection:
        return list(connection.execute(text(statement)).scalars())


@pytest.mark.parametrize("deleted", [False, True])
@pytest.mark.parametrize("descending", [False, True])
@pytest.mark.parametrize("sort", SORTS)
def test_paging_forward_and_back_gives_every_row_once(
    lists: Database, sort: str, descending: bool, deleted: bool
) -> None:
    how = {"sort": sort, "descending": descending, "deleted": deleted, "limit": 2}
    pages = [page(lists, **how)]
    while pages[-1].next:
        pages.append(page(lists, **how, after=pages[-1].next))
        assert len(pages) < 20, "the pages never end"
    forward = [ids(p) for p in pages]
    assert list(itertools.chain(*forward)) == own_order(lists, sort, descending=descending, deleted=deleted)
    assert pages[0].previous is None
    back = [pages[-1]]
    while back[-1].previous:
        back.append(page(lists, **how, before=back[-1].previous))
        assert len(back) < 20, "the way back never ends"
    # From a last page that is not full, the way back still cuts the pages at the same rows.
    assert [ids(p) for p in reversed(back)] == forward
    assert all(p.next for p in back[1:])


def test_a_page_just_full_has_no_next(lists: Database) -> None:
    whole = page(lists, limit=16)
    assert (len(whole.items), whole.next, whole.previous) == (16, None, None)
    assert page(lists, limit=15).next is not None
    assert page(lists, search="nobody at all").items == []


def test_a_cursor_still_works_when_its_row_is_gone(lists: Database) -> None:
    first = page(lists, limit=4)
    delete_many(lists, [ids(first)[-1]], actor=ADMIN, reason="inactive")
    assert ids(page(lists, limit=4, after=first.next)) == own_order(lists, "id", descending=False, deleted=False)[3:7]


def cursor(*parts: Any) -> str:
    return base64.urlsafe_b64encode(json.dumps(list(parts)).encode()).decode()


BAD = [
    "garbage",
    "",
    "é",
    "\ud800",
    "a" * 5000,
    cursor("name", "x", 1),
    cursor("id", 1),
    cursor("id", "\ud800", 1),
    cursor("id", 1, 2, 3),
    cursor("id", 10**30, 1),
    cursor("id", 1, 10**30),
    cursor("id", True, 1),
    cursor("id", None, 1),
    cursor("id", [1], 1),
    cursor("id", 1, "abc"),
    cursor("id", 1, None),
    base64.urlsafe_b64encode(b'{"id": 1}').decode(),
    base64.urlsafe_b64encode(b"[" * 5000).decode(),
    base64.urlsafe_b64encode(b"\xff\xfe").decode(),
    base64.urlsafe_b64encode(b"9" * 5000).decode(),
]


@pytest.mark.parametrize("bad", BAD, ids=lambda bad: repr(bad)[:24])
@pytest.mark.parametrize("way", ["after", "before"])
def test_a_cursor_that_cannot_be_read_is_refused(shop: Database, bad: str, way: str) -> None:
    with pytest.raises(InvalidInput, match="This page address cannot be read"):
        page(shop, **{way: bad})


@given(st.text())
def test_any_text_as_a_cursor_is_read_or_refused(words: str) -> None:
    with pytest.raises(InvalidInput):
        read_cursor(words, lambda value: value if isinstance(value, int) else None, "id")


@pytest.mark.parametrize("limit", [0, -1, 1001, 10**30])
def test_a_page_has_1_to_1000_rows(shop: Database, limit: int) -> None:
    with pytest.raises(InvalidInput, match=f"A page has 1 to 1000 rows; not {limit}"):
        page(shop, limit=limit)


def test_an_unknown_sort_is_refused(shop: Database) -> None:
    with pytest.raises(InvalidInput, match="sorted by id, name, email, created_at, deleted_at; not by phone"):
        page(shop, sort="phone")


def test_lists_and_counts_agree(lists: Database) -> None:
    with snapshot(lists) as moment:
        for deleted, search in itertools.product([False, True], ["", "x", "a@x"]):
            count = queries.count_customers(moment.connection, lists.schema, deleted=deleted, search=search)
            assert count == len(ids(page(lists, deleted=deleted, search=search)))


@pytest.mark.parametrize("engine_name", ["mariadb"], indirect=True)
@pytest.mark.parametrize("descending", [False, True])
@pytest.mark.parametrize("depth", [200, 2000, 3800])
def test_a_page_in_id_order_reads_no_more_rows_than_it_shows(shop: Database, depth: int, descending: bool) -> None:
    execute(shop.engine, "INSERT INTO customers (id, name) SELECT seq, CONCAT('N', seq) FROM seq_100_to_4100")
    execute(shop.engine, "UPDATE customers SET deleted_at = '2024-01-01 00:00:00' WHERE id % 40 = 0")
    with shop.engine.connect() as connection:
        connection.execute(text("ANALYZE TABLE customers")).all()
        sent: list[str] = []
        event.listen(
            connection, "before_cursor_execute", lambda c, cur, sql, values, *_: sent.append(cur.mogrify(sql, values))
        )
        queries.list_customers(
            connection, shop.schema, limit=20, after=write_cursor("id", depth, depth), descending=descending
        )
        plan = connection.exec_driver_sql("EXPLAIN " + sent[0].replace("%", "%%")).mappings().one()
        connection.exec_driver_sql("FLUSH STATUS")
        connection.exec_driver_sql(sent[0].replace("%", "%%"))
        counters = connection.exec_driver_sql("SHOW SESSION STATUS LIKE 'Handler%%'").all()
    assert (plan["type"], plan["key"]) == ("range", "PRIMARY")
    assert "filesort" not in plan["Extra"]
    assert sum(int(count) for name, count in counters if "read" in name or "icp" in name) < 30
