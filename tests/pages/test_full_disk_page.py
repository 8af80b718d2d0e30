"""The disk of the database is full while somebody deletes: what the page says, and that one click does it afterwards."""

from __future__ import annotations

from typing import Any

from screens import ask_to_delete, confirm, dialog, events_of, said, shown
from shops import STAFF, fill, make_shop, problems
from small_disks import small_disk

from data.customers import delete_many
from data.errors import DatabaseReadOnly

MANY = range(1000, 2200)


def test_a_full_disk_is_said_nothing_is_changed_and_the_next_click_does_it(visit: Any) -> None:
    with small_disk(4) as disk:
        url = f"sqlite:///{disk.home}/shop.sqlite"
        shop = make_shop(url)
        fill(shop.engine, "customers", [{"id": n, "name": f"Many {n}"} for n in MANY])
        at = visit("customers", url=url)
        disk.fill()
        for number in MANY:
            try:
                delete_many(shop, [number], actor=STAFF, reason="mistake")
            except DatabaseReadOnly:
                break
        before = len(events_of(shop))
        ask_to_delete(at, 0)
        confirm(at)
        words = said(at)
        assert "The disk of the database is full" in words
        assert "Nothing was changed" in words
        assert "is deleted" not in words
        assert len(events_of(shop)) == before
        disk.free()
        if dialog(at) is None:
            ask_to_delete(at, 0)
        confirm(at)
        assert "Ana Lima is deleted." in said(at)
        assert 1 not in list(shown(at)["id"])
        assert len(events_of(shop)) == before + 1
        assert problems(shop) == []
        shop.engine.dispose()
