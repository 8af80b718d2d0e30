"""Search: an id, the beginning of an e-mail address, or a part of a name; and whether it had to scan."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from copies import copied
from shops import CUSTOMERS, make_shop
from test_delete_customer import Shops
from test_list_customers import ids, page

from data.database import Database

PEOPLE = [
    {"id": 7, "name": "Ёлка Иванова", "email": "yolka@example.com"},
    {"id": 8, "name": "陈伟", "email": "chen@example.com"},
    {"id": 9, "name": "100% Cotton", "email": "under_score@example.com"},
    {"id": 10, "name": "100 Cotton", "email": "underXscore@example.com"},
    {"id": 11, "name": "back\\slash /slash", "email": "Ana@example.com"},
    {"id": 12, "name": 'O\'Hara "Q" <b>', "email": None},
    {"id": 70, "name": "Ana 7 Lima", "email": "7seas@example.com"},
]
INDEXED = "CREATE INDEX e ON customers (email)"


@pytest.fixture
def people(empty_url: str) -> Iterator[Database]:
    also = [INDEXED, "CREATE INDEX n ON customers (name)"]
    database = copied(empty_url, lambda: make_shop(empty_url, people=PEOPLE, sales=[], also=also), "people")
    yield database
    database.engine.dispose()


FOUND = {
    "#7": [7],
    "# 7": [],
    "#999": [],
    "#" + "9" * 40: [],
    "7": [7, 70],
    " 7 ": [7, 70],
    "ana": [11, 70],
    "ANA@": [11],
    "ana@example.com": [11],
    "@example.com": [],
    "example.com": [],
    "yolka": [7],
    "lima": [70],
    "100%": [9],
    "%": [9],
    "_": [],
    "under_": [9],
    "under_score@": [9],
    "back\\": [11],
    "/s": [11],
    "O'Hara": [12],
    '"Q"': [12],
    "ёлка": [7],
    "ЁЛКА": [7],
    "иванова": [7],
    "伟": [8],
    ":x": [],
    "🚀": [],
    "\x00": [],
    "\ud800": [],
    "\ud800@": [],
    "x" * 5000: [],
    "  ": [7, 8, 9, 10, 11, 12, 70],
}


@pytest.mark.parametrize(("words", "found"), FOUND.items(), ids=lambda v: repr(v)[:20])
def test_it_finds(people: Database, words: str, found: list[int]) -> None:
    assert ids(page(people, search=words)) == found


@pytest.mark.parametrize("engine_name", ["mariadb"], indirect=True)
@pytest.mark.parametrize("charset", ["latin1", "utf8mb3"])
@pytest.mark.parametrize("words", ["🚀", "陈", "陈@", "é", "🚀@x"])
def test_a_table_in_an_old_character_set_can_be_searched_for_anything(
    empty_url: str, opened: Shops, charset: str, words: str
) -> None:
    people = [{"id": 1, "name": "José", "email": "jose@example.com"}]
    shop = opened(empty_url, customers=f"{CUSTOMERS} CHARACTER SET {charset}", people=people, sales=[])
    assert ids(page(shop, search=words)) == ([1] if words == "é" else [])


SCANS = {
    ("", "id"): False,
    ("", "name"): False,
    ("", "email"): True,  # it may be NULL, so it is sorted by an expression
    ("  ", "email"): True,
    ("", "created_at"): True,
    ("#7", "id"): False,
    ("#7", "email"): False,
    ("ana", "id"): True,
    ("7", "id"): True,
}


@pytest.mark.parametrize(("how", "scanned"), SCANS.items(), ids=str)
def test_it_says_when_it_had_to_scan(people: Database, how: tuple[str, str], scanned: bool) -> None:
    search, sort = how
    if not search.strip() and sort == "email" and people.engine.dialect.name == "mysql":
        scanned = False  # those without an address are asked for apart, so that its index serves the others
    assert page(people, search=search, sort=sort).scanned is scanned


def test_an_e_mail_address_is_looked_up_in_its_index_where_the_engine_can(people: Database) -> None:
    # Elsewhere the index minds the case and the search does not, so it has to read them all.
    assert page(people, search="ana@").scanned is (people.engine.dialect.name != "mysql")


def test_without_an_index_an_e_mail_address_is_scanned_for(shop: Database) -> None:
    found: Any = page(shop, search="ana@")
    assert (ids(found), found.scanned) == ([1], True)
