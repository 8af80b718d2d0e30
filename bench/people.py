"""People at the dashboard without their browsers, as a process of their own: `python -m bench.people URL SECONDS PEOPLE`.

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
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from websockets.asyncio.client import ClientConnection, connect
from websockets.typing import Origin, Subprotocol

from bench.api_client import call_api

PAUSE = (5.0, 15.0)  # seconds between two clicks of a person; PACE= divides them
ARRIVING = 20.0  # seconds within which everybody has come
LONGEST = 60.0  # seconds until a run counts as lost
AGAIN = 2  # script_finished of a run that begins again at once
ERROR = 1  # st.error among the alerts
SEARCHES = ("mül", "müller", "garcía", "ana", "o'brien", "office", "bakery", "qzx", "lowell", "юля", "王", "weiß vogel")
EMAILS = ("alice.@", "office.", "emma.brooks@", "lukas.vogel", "nobody@")


class Trouble(Exception):
    """What no person should meet."""


@dataclass
class Person:
    """A session: what the page has on it, by key, and what a browser would remember."""

    socket: ClientConnection
    chance: random.Random
    took: Callable[[str, float], None]
    customers: int
    page: str = ""
    query: str = ""
    pages: dict[str, str] = field(default_factory=dict)
    parts: dict[str, Any] = field(default_factory=dict)
    fragments: dict[str, str] = field(default_factory=dict)
    values: dict[str, Any] = field(default_factory=dict)

    async def pause(self) -> None:
        """As long as a person looks at what came."""
        await asyncio.sleep(self.chance.uniform(*PAUSE) / float(os.environ.get("PACE", 1)))

    async def run(self, action: str, *, click: str = "", within: str = "", **values: Any) -> None:
        """Sends these values and this click, and waits until the page was run; `within` a fragment where that is said."""
        for key, value in values.items():
            self.values[self.part(key).id] = value
        message = BackMsg()
        state = message.rerun_script
        state.query_string, state.page_script_hash, state.fragment_id = self.query, self.page, within
        state.context_info.timezone = "Europe/Berlin"
        for widget, value in self.values.items():
            one = state.widget_states.widgets.add(id=widget)
            if isinstance(value, list):
                one.string_array_value.data.extend(value)
            else:
                one.string_value = value
        if click:
            state.widget_states.widgets.add(id=self.part(click).id, trigger_value=True)
        start = time.perf_counter()
        await self.socket.send(message.SerializeToString())
        await asyncio.wait_for(self._until_finished(action), LONGEST)
        self.took(action, time.perf_counter() - start)

    async def _until_finished(self, action: str) -> None:
        while True:
            answer = ForwardMsg.FromString(await self.socket.recv())
            kind = answer.WhichOneof("type")
            if kind == "new_session":
                self.page = answer.new_session.page_script_hash
                if not answer.metadata.run.fragment_ids:
                    self.parts, self.fragments = {}, {}
            elif kind == "navigation":
                self.pages = {page.url_pathname: page.page_script_hash for page in answer.navigation.app_pages}
            elif kind == "page_info_changed":
                self.query = answer.page_info_changed.query_string
            elif kind == "page_not_found":
                raise Trouble(f"{action}: no such page")
            elif kind == "delta" and answer.delta.WhichOneof("type") == "new_element":
                self._see(action, answer.delta)
            elif kind == "script_finished" and answer.script_finished != AGAIN:
                ids = {part.id for part in self.parts.values()}
                self.values = {widget: value for widget, value in self.values.items() if widget in ids}
                return

    def _see(self, action: str, delta: Any) -> None:
        element = delta.new_element
        kind = element.WhichOneof("type")
        part = getattr(element, kind)
        if kind == "exception" or (kind == "alert" and part.format == ERROR):
            raise Trouble(f"{action}: {part}")
        widget = getattr(part, "id", "")
        if isinstance(widget, str) and widget.startswith("$$ID-"):
            key = widget.split("-", 2)[2]
            key = "table" if key.startswith("table-") else key
            self.parts[key], self.fragments[key] = part, delta.fragment_id

    def part(self, key: str) -> Any:
        """What has this key on the page."""
        if key not in self.parts:
            raise Trouble(f"nothing is called {key} here; there are {sorted(self.parts)}")
        return self.parts[key]

    def may_click(self, key: str) -> bool:
        """Whether this button is there and can be clicked."""
        return key in self.parts and not self.parts[key].disabled

    async def turn(self, action: str) -> None:
        """The next page, where there is one."""
        if self.may_click("next"):
            await self.run(action, click="next")

    async def open(self, path: str, query: str = "", *, action: str = "") -> None:
        """Another page from the menu, or from a link with a query."""
        self.page, self.query, self.values = self.pages.get(path, ""), query, {}
        await self.run(action or path or "customers")

    async def browse(self) -> None:
        """Customer Management, some pages forth and one back, now and then in another order."""
        await self.open("", self.chance.choice(("", "", "sort=Name+A+to+Z", "sort=Newest+first", "sort=E-mail+A+to+Z")))
        for _ in range(self.chance.randint(1, 4)):
            await self.pause()
            await self.turn("next page")
        await self.pause()
        if self.may_click("previous"):
            await self.run("previous page", click="previous")

    async def search(self) -> None:
        """By a part of a name, in two goes as when typing; by e-mail; by number."""
        await self.open("")
        kind = self.chance.choice(("name", "name", "e-mail", "number"))
        words = self.chance.choice(SEARCHES if kind == "name" else EMAILS)
        words = words if kind != "number" else f"#{self.chance.randint(1, self.customers)}"
        await self.pause()
        if kind == "name" and len(words) > 3:
            await self.run(f"search by {kind}", search=words[:3])
        await self.run(f"search by {kind}", search=words)
        if self.chance.random() < 0.4:
            await self.pause()
            await self.turn("next page found")

    async def delete(self) -> None:
        """Somebody found by number, or the rows of a page; with a reason. Half of them are taken back with Undo."""
        one = self.chance.random() < 0.7
        await self.open("", f"search=%23{self.chance.randint(1, self.customers)}" if one else "sort=Last+number+first")
        if not one:
            for _ in range(self.chance.randint(0, 2)):
                await self.pause()
                await self.turn("next page")
        await self.pause()
        if "table" not in self.parts:
            return  # was deleted before
        rows = [0] if one else sorted(self.chance.sample(range(50), self.chance.randint(1, 3)))
        await self.run("select", table=json.dumps({"selection": {"rows": rows, "columns": [], "cells": []}}))
        await self.pause()
        if not self.may_click("delete"):
            return  # a list shorter than the row that was meant
        await self.run("ask to delete", click="delete")
        await self.pause()
        if "reason" not in self.parts:
            return  # somebody else was faster
        inside = self.fragments["reason"]
        reason = self.chance.choice(self.parts["reason"].options)
        await self.run("choose a reason", within=inside, reason=reason, note="Was on the phone.")
        await self.pause()
        await self.run("delete", within=inside, click="confirm_delete")
        await self.pause()
        if self.chance.random() < 0.5 and self.may_click("undo"):
            await self.run("undo", click="undo")

    async def restore(self) -> None:
        """Deleted Customers: one of the first pages, restored."""
        await self.open("deleted_customers")
        for _ in range(self.chance.randint(0, 2)):
            await self.pause()
            await self.turn("next page of deleted")
        await self.pause()
        rows = [self.chance.randrange(50)]
        await self.run("select deleted", table=json.dumps({"selection": {"rows": rows, "columns": [], "cells": []}}))
        await self.pause()
        if self.may_click("restore"):
            await self.run("restore", click="restore")

    async def watch_revenue(self) -> None:
        """Revenue of twelve months, then of more."""
        await self.open("revenue")
        for period in self.chance.sample(("24 months", "All", "12 months", "36 months"), self.chance.randint(1, 3)):
            await self.pause()
            await self.run(f"revenue, {period}", period=[period])

    async def watch_integrity(self) -> None:
        """Financial Integrity."""
        await self.open("integrity")

    async def read_history(self) -> None:
        """The newest events, older ones, and one customer's life."""
        await self.open("history")
        for _ in range(self.chance.randint(0, 2)):
            await self.pause()
            await self.turn("older events")
        await self.pause()
        await self.open("history", f"customer={self.chance.randint(1, self.customers)}", action="a customer's life")


HABITS: tuple[tuple[Callable[[Person], Awaitable[None]], int], ...] = (
    (Person.browse, 28),
    (Person.search, 24),
    (Person.delete, 14),
    (Person.restore, 8),
    (Person.watch_revenue, 12),
    (Person.watch_integrity, 5),
    (Person.read_history, 9),
)


async def visit(
    url: str,
    number: int,
    customers: int,
    until: float,
    took: Callable[[str, float], None],
    trouble: Callable[[str], None],
) -> None:
    """One person, from coming to leaving; after trouble they come again."""
    chance = random.Random(f"{os.environ.get('SEED', '1')}-{number}")
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
                await person.run("come")
                while time.monotonic() < until:
                    await person.pause()
                    (habit,) = chance.choices([habit for habit, _ in HABITS], [weight for _, weight in HABITS])
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

    clients = [call_api(url, number, customers, start + seconds, took, trouble) for number in range(2)]
    visits = [visit(url, number, customers, start + seconds, took, trouble) for number in range(people)]
    await asyncio.gather(*visits, *clients)


if __name__ == "__main__":
    asyncio.run(main())
