"""Deleted customers by the reason of their deletion: lists, counts and pages, on every engine."""

from __future__ import annotations

from shops import ADMIN, execute, fill

from data import queries
from data.customers import delete_many, restore_many
from data.database import Database, snapshot
from data.records import Customer, Page


def pages(shop: Database, reason: str, *, search: str = "", sort: str = "id", limit: int = 2) -> list[list[object]]:
    """The ids of each page, forward; backward they must be the same."""
    with snapshot(shop) as moment:

        def read(**cursor: str | None) -> Page[Customer]:
            return queries.list_customers(
                moment.connection,
                shop.schema,
                deleted=True,
                search=search,
                reason=reason,
                sort=sort,
                limit=limit,
                **cursor,
            )

        found = [read()]
        while found[-1].next:
            found.append(read(after=found[-1].next))
        ids = [[customer.id for customer in page.items] for page in found]
        back = [ids[-1]]
        cursor = found[-1].previous
        while cursor:
            page = read(before=cursor)
            back.insert(0, [customer.id for customer in page.items])
            cursor = page.previous
        assert [one for page in back for one in page] == [one for page in ids for one in page]
        counted = queries.count_customers(moment.connection, shop.schema, deleted=True, search=search, reason=reason)
    assert counted == sum(map(len, ids))
    return ids


def test_only_the_last_deletion_counts_and_only_where_it_is_the_present_one(shop: Database) -> None:
    fill(shop.engine, "customers", [{"id": 100 + n, "name": f"N{n}"} for n in range(7)])
    delete_many(shop, [*range(100, 105), 2], actor=ADMIN, reason="fraud")
    restore_many(shop, [2, 104], actor=ADMIN, reason="undo")
    delete_many(shop, [2, 105], actor=ADMIN, reason="duplicate")
    delete_many(shop, [106], actor=ADMIN, reason="fraud")
    execute(
        shop.engine,
        "UPDATE customers SET deleted_at = '2024-05-03 13:58:00' WHERE id IN (104, 5)",  # somebody else did it
        "UPDATE customers SET deleted_at = '2031-05-03 13:58:00' WHERE id = 106",  # or did it anew
    )
    assert pages(shop, "fraud") == [[100, 101], [102, 103]]
    assert pages(shop, "fraud", sort="deleted_at", limit=3) == [[100, 101, 102], [103]]
    assert pages(shop, "duplicate", limit=50) == [[2, 105]]
    assert pages(shop, "inactive") == [[4]]
    assert pages(shop, queries.NO_REASON, limit=50) == [[5, 104, 106]]
    assert pages(shop, "fraud", search="N3") == [[103]]
    assert pages(shop, "undo") == pages(shop, "\0") == [[]]
    assert pages(shop, "", limit=50) == [[2, 4, 5, *range(100, 107)]]


def test_a_reason_is_nothing_that_an_active_customer_has(shop: Database) -> None:
    with snapshot(shop) as moment:
        assert queries.count_customers(moment.connection, shop.schema, reason="inactive") == 0
        assert queries.list_customers(moment.connection, shop.schema, reason="inactive").items == []
