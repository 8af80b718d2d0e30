"""People at the dashboard without their browsers, a process of its own: `python -m bench.people URL SECONDS PEOPLE CUSTOMERS`.

Each has a websocket as a browser's tab has one, sends what a browser would, and pauses between clicks. Two clients of the
API work beside them, with the token in TOKEN. Prints JSON lines: each run of a page as [action, seconds, since the start]
and each trouble as {"error": ...}. The same SEED (1) clicks the same.
"""

from __future__ import annotations

import asyncio
import json
import os
import random
import sys
import time
from collections.abc import Awaitable, Callable, Sequence
from urllib.parse import urlencode, urlsplit

from streamlit.proto.Alert_pb2 import Alert
from websockets.asyncio.client import ClientConnection, connect
from websockets.typing import Origin, Subprotocol

from bench.api_client import CLIENTS, call_api
from bench.tab import Tab, Trouble

PAUSE = (5.0, 15.0)  # seconds between two clicks of a person; PACE= divides them
ARRIVING = 20.0  # seconds within which everybody has come
LARGE = 5_000  # customers, among whom everybody of SEARCHES and EMAILS is
SEARCHES = ("mül", "müller", "garcía", "ana", "o'brien", "office", "bakery", "lowell", "王")
EMAILS = ("office.", "lukas.vogel")
RARE = ("qzx", "юля", "weiß vogel", "alice.@", "emma.brooks@", "nobody@")
NOBODY = ("No active customer matches", "No customer matches")
NO_EVENT = ("No event names this customer",)
OLD = ("Even when last checked",)  # of a company that was made more than a day ago
ORDERS = ("By number", "By number", "Name A to Z", "Newest first", "E-mail A to Z")
TRIES = 3  # at selecting a row, where the list changes meanwhile


class Person(Tab):
    """What a person does at the dashboard, and what must be there for it."""

    def __init__(
        self,
        socket: ClientConnection,
        chance: random.Random,
        took: Callable[[str, float], None],
        customers: int,
    ) -> None:
        super().__init__(socket, took)
        self.chance, self.customers = chance, customers
        self.boxes = ("", "")  # search and order, which stay while nobody leaves Customer Management

    async def pause(self) -> None:
        """As long as a person looks at what came."""
        await asyncio.sleep(self.chance.uniform(*PAUSE) / float(os.environ.get("PACE", 1)))

    async def come(self) -> None:
        """The first page."""
        await self.run("come")
        self.rows()

    async def list_customers(self, search: str = "", sort: str = "By number", may: Sequence[str] = ()) -> None:
        """Customer Management with this search and this order: by a link, or, for who is there already, by its boxes."""
        if "sort" in self.parts and self.boxes != (search, sort):
            await self.run("customers", search=search, sort=sort, may=may)
        else:
            await self.open("", urlencode({"search": search, "sort": sort}), action="customers", may=may)
        self.boxes = (search, sort)
        if not (may and self.tells(*may)):
            self.rows()

    async def turn(self, action: str, table: str = "table") -> bool:
        """The next page, where there is one; whether there was."""
        if not self.may_click("next"):
            return False
        await self.flip(action, "next", table)
        return True

    async def flip(self, action: str, button: str, table: str = "table") -> None:
        """Another page, which must have other rows."""
        before = self.part(table).id
        await self.run(action, click=button)
        self.rows(table)
        if self.part(table).id == before:
            raise Trouble(f"{action}: the same page came again")

    async def select(self, action: str, rows: list[int], button: str) -> bool:
        """Rows of the table; whether the button can be clicked then. It must, unless the list has changed meanwhile."""
        before = self.part("table").id
        selection = json.dumps({"selection": {"rows": rows, "columns": [], "cells": []}})
        await self.run(action, table=selection, may=NOBODY)
        if self.may_click(button):
            return True
        if "table" in self.parts and self.part("table").id == before:
            raise Trouble(f"{action}: {button} cannot be clicked with rows {rows} of the same table")
        if "table" not in self.parts and not self.tells(*NOBODY):
            raise Trouble(f"{action}: the table is gone")
        return False

    async def browse(self) -> None:
        """Customer Management, some pages forth and one back, now and then in another order."""
        await self.list_customers(sort=self.chance.choice(ORDERS))
        turned = 0
        for _ in range(self.chance.randint(1, 4)):
            await self.pause()
            turned += await self.turn("next page")
        await self.pause()
        if turned:
            await self.flip("previous page", "previous")

    async def search_by_name(self) -> None:
        """By a part of a name, in two goes as when typing."""
        words = self.chance.choice((*SEARCHES, *RARE[:3]))
        await self._search("name", ([words[:3]] if len(words) > 3 else []) + [words])

    async def search_by_email(self) -> None:
        """By the beginning of an e-mail address."""
        await self._search("e-mail", [self.chance.choice((*EMAILS, *RARE[3:]))])

    async def search_by_number(self) -> None:
        """One customer, who may be deleted."""
        await self._search("number", [f"#{self.chance.randint(1, self.customers)}"])

    async def _search(self, kind: str, goes: list[str]) -> None:
        await self.list_customers()
        await self.pause()
        for words in goes:
            surely = words[:3] not in {rare[:3] for rare in RARE} and kind != "number" and self.customers >= LARGE
            await self.run(f"search by {kind}", search=words, may=() if surely else NOBODY)
            self.boxes = (words, self.boxes[1])
            if not self.tells(*NOBODY):
                self.rows()
        if "table" in self.parts and self.chance.random() < 0.4:
            await self.pause()
            await self.turn("next page found")

    async def delete(self, *, undo: bool = False) -> None:
        """Somebody found by number, or the rows of a page; with a reason."""
        one = self.chance.random() < 0.7
        if one:
            await self.list_customers(f"#{self.chance.randint(1, self.customers)}", may=NOBODY)
            if self.tells(*NOBODY):
                return  # was deleted before
        else:
            await self.list_customers(sort="Last number first")
            for _ in range(self.chance.randint(0, 2)):
                await self.pause()
                await self.turn("next page")
        await self.pause()
        there = self.rows()
        rows = sorted(self.chance.sample(range(there), min(there, self.chance.randint(1, 3))))
        if not await self.select("select", rows, "delete"):
            return  # somebody else deleted or restored one of the page
        await self.pause()
        await self.run("ask to delete", click="delete")
        await self.pause()
        reason = self.chance.choice(self.part("reason").options)
        inside = self.fragments["reason"]
        await self.run("choose a reason", within=inside, reason=reason, note="Was on the phone.")
        await self.pause()
        empty = NOBODY if one else ()  # what was searched for is not in the list any more
        done = await self.change("delete", "deleted.", within=inside, click="confirm_delete", may=empty)
        await self.pause()
        if done and undo:
            await self.change("undo", "back in the customer list", click="undo", may=empty)

    async def delete_and_undo(self) -> None:
        """The same, and taken back with Undo."""
        await self.delete(undo=True)

    async def restore(self) -> None:
        """Deleted Customers: one of the first pages, restored. Who selects while the list changes selects again."""
        await self.open("deleted_customers", action="deleted customers")
        for _ in range(self.chance.randint(0, 2)):
            await self.pause()
            await self.turn("next page of deleted")
        for _ in range(TRIES):
            await self.pause()
            if await self.select("select deleted", [self.chance.randrange(self.rows())], "restore"):
                await self.pause()
                await self.change("restore", "back in the customer list", click="restore")
                return

    async def watch_revenue(self) -> None:
        """Revenue of twelve months, then of more."""
        await self.open("revenue", action="revenue")
        self.require(metric=4, plotly_chart=1)
        for period in self.chance.sample(("24 months", "All", "12 months", "36 months"), self.chance.randint(1, 3)):
            await self.pause()
            await self.run("revenue, another period", period=[period])
            self.require(metric=4, plotly_chart=1)

    async def watch_integrity(self) -> None:
        """Financial Integrity, whose verdict is an alert too."""
        await self.open("integrity", action="integrity", may=OLD)
        self.require(metric=4)
        if not (Alert.SUCCESS in self.told.values() or self.tells(*OLD)):
            raise Trouble("integrity: there is no verdict")

    async def read_history(self) -> None:
        """The newest events, older ones, and one customer's life."""
        await self.open("history", action="history")
        self.rows("events")
        for _ in range(self.chance.randint(0, 2)):
            await self.pause()
            await self.turn("older events", "events")
        await self.pause()
        wanted = f"customer={self.chance.randint(1, self.customers)}"
        await self.open("history", wanted, action="a customer's life", may=NO_EVENT)
        self.part("everyone")
        if not self.tells(*NO_EVENT):
            self.rows("events")


Habit = Callable[[Person], Awaitable[None]]

# So many times each, of all that is begun: dealt, not drawn, so that a short run too has some of every kind.
HABITS: tuple[tuple[Habit, int], ...] = (
    (Person.browse, 14),
    (Person.search_by_name, 6),
    (Person.search_by_email, 3),
    (Person.search_by_number, 3),
    (Person.delete, 4),
    (Person.delete_and_undo, 3),
    (Person.restore, 4),
    (Person.watch_revenue, 6),
    (Person.watch_integrity, 2),
    (Person.read_history, 5),
)


def deal() -> list[Habit]:
    """The habits in their numbers, shuffled."""
    dealt = [habit for habit, number in HABITS for _ in range(number)]
    random.Random(os.environ.get("SEED", "1")).shuffle(dealt)
    return dealt


async def visit(
    url: str,
    number: int,
    people: int,
    customers: int,
    until: float,
    took: Callable[[str, float], None],
    trouble: Callable[[str], None],
) -> None:
    """One person, from coming to leaving; after trouble they come again. In each round the people's habits are those
    dealt next, the first of them to the next person."""
    chance = random.Random(f"{os.environ.get('SEED', '1')}-{number}")
    dealt, begun = deal(), 0
    await asyncio.sleep(chance.uniform(0, ARRIVING))
    while time.monotonic() < until:
        try:
            async with connect(
                f"ws://{urlsplit(url).netloc}/_stcore/stream",
                origin=Origin(url),
                subprotocols=[Subprotocol("streamlit")],
                max_size=None,
                compression=None,
            ) as socket:
                person = Person(socket, chance, took, customers)
                await person.come()
                while time.monotonic() < until:
                    await person.pause()
                    habit = dealt[(begun * people + (number + begun) % people) % len(dealt)]
                    begun += 1
                    await habit(person)
        except Exception as error:
            trouble(f"person {number}: {type(error).__name__} {error}"[:600])
            await asyncio.sleep(5)


async def main() -> None:
    """Everybody at once, until the time is over."""
    url, seconds, people, customers = sys.argv[1], float(sys.argv[2]), int(sys.argv[3]), int(sys.argv[4])
    start = time.monotonic()

    def took(action: str, taken: float) -> None:
        print(json.dumps([action, round(taken, 4), round(time.monotonic() - start, 1)]), flush=True)

    def trouble(words: str) -> None:
        print(json.dumps({"error": words}), flush=True)

    until = start + seconds
    clients = [call_api(url, number, customers, until, took, trouble) for number in range(CLIENTS)]
    visits = [visit(url, number, people, customers, until, took, trouble) for number in range(people)]
    await asyncio.gather(*visits, *clients)


if __name__ == "__main__":
    asyncio.run(main())
