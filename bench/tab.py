"""A browser's tab without the browser: one websocket to the dashboard, and what is on the page that it shows.

It judges what comes: an alert that is no success, a table without rows, a button that is missing is `Trouble`, unless
whoever looks says that it may be so.
"""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import pyarrow
from streamlit.proto.Alert_pb2 import Alert
from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from websockets.asyncio.client import ClientConnection

LONGEST = 60.0  # seconds until a run counts as lost
AGAIN = 2  # script_finished of a run that begins again at once
TABLES = {"table": "table", "events": "events"}  # whose keys go on with what is in them
# What those are told who wanted to change what somebody else had changed a moment before. It stays on its page.
TOO_LATE = ("already deleted", "not deleted any more", "restored and deleted anew")


class Trouble(Exception):
    """What no person should meet."""


@dataclass
class Tab:
    """A session: what the page has on it, by key, what it tells in alerts, and what a browser would remember."""

    socket: ClientConnection
    took: Callable[[str, float], None]
    page: str = ""
    query: str = ""
    pages: dict[str, str] = field(default_factory=dict)
    parts: dict[str, Any] = field(default_factory=dict)
    fragments: dict[str, str] = field(default_factory=dict)
    kinds: Counter[str] = field(default_factory=Counter)
    told: dict[str, int] = field(default_factory=dict)
    values: dict[str, Any] = field(default_factory=dict)

    async def run(
        self, action: str, *, click: str = "", within: str = "", may: Sequence[str] = (), **values: Any
    ) -> None:
        """Sends these values and this click, and waits until the page was run; `within` a fragment where that is said.

        `may`: words of alerts that may come of it.
        """
        self.took(action, await self._send(action, click, within, values))
        self._judge(action, may)

    async def change(self, action: str, success: str, *, click: str, within: str = "", may: Sequence[str] = ()) -> bool:
        """A click that changes something: it must be told with these words, or that somebody else was faster, and then
        it counts as another action; answers whether it was done."""
        before = dict(self.told)
        seconds = await self._send(action, click, within, {})
        self._judge(action, may)
        new = {words: kind for words, kind in self.told.items() if words not in before}
        done = any(kind == Alert.SUCCESS and success in words for words, kind in new.items())
        if not done and not any(late in words for words in new for late in TOO_LATE):
            raise Trouble(f"{action}: nothing tells that it was done; told is {list(self.told)}")
        self.took(action if done else f"{action}, too late", seconds)
        return done

    async def open(self, path: str, query: str = "", *, action: str, may: Sequence[str] = ()) -> None:
        """Another page from the menu, or from a link with a query."""
        if path not in self.pages:
            raise Trouble(f"{action}: the menu has no page {path!r}; it has {sorted(self.pages)}")
        self.page, self.query, self.values = self.pages[path], query, {}
        await self.run(action, may=may)

    async def _send(self, action: str, click: str, within: str, values: dict[str, Any]) -> float:
        """The run of a page, from the message that asks for it to the last that comes; the seconds."""
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
            if not self.may_click(click):
                raise Trouble(f"{action}: {click} cannot be clicked")
            state.widget_states.widgets.add(id=self.part(click).id, trigger_value=True)
        start = time.perf_counter()
        await self.socket.send(message.SerializeToString())
        await asyncio.wait_for(self._until_finished(action), LONGEST)
        return time.perf_counter() - start

    async def _until_finished(self, action: str) -> None:
        while True:
            answer = ForwardMsg.FromString(await self.socket.recv())
            kind = answer.WhichOneof("type")
            if kind == "new_session":
                self.page = answer.new_session.page_script_hash
                if not answer.metadata.run.fragment_ids:
                    self.parts, self.fragments, self.kinds, self.told = {}, {}, Counter(), {}
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
        self.kinds[kind] += 1
        if kind == "exception":
            raise Trouble(f"{action}: {part}")
        if kind == "alert":
            self.told[part.body] = part.format
        widget = getattr(part, "id", "")
        if isinstance(widget, str) and widget.startswith("$$ID-"):
            key = widget.split("-", 2)[2]
            key = TABLES.get(key.partition("-")[0], key)
            self.parts[key], self.fragments[key] = part, delta.fragment_id

    def _judge(self, action: str, may: Sequence[str] = ()) -> None:
        """Of what the page tells, only success is nothing to ask about."""
        for words, kind in self.told.items():
            if kind != Alert.SUCCESS and not any(known in words for known in (*may, *TOO_LATE)):
                raise Trouble(f"{action}: {Alert.Format.Name(kind)} {words}")

    def part(self, key: str) -> Any:
        """What has this key on the page."""
        if key not in self.parts:
            raise Trouble(f"nothing is called {key} here; there are {sorted(self.parts)}")
        return self.parts[key]

    def may_click(self, key: str) -> bool:
        """Whether this button, which must be there, can be clicked."""
        return not self.part(key).disabled

    def tells(self, *words: str) -> bool:
        """Whether an alert has any of these words."""
        return any(known in told for told in self.told for known in words)

    def rows(self, table: str = "table") -> int:
        """How many rows this table has, which must be there and have some."""
        number = int(pyarrow.ipc.open_stream(self.part(table).arrow_data.data).read_all().num_rows)
        if not number:
            raise Trouble(f"{table} has no rows")
        return number

    def require(self, **kinds: int) -> None:
        """So many elements of these kinds must be on the page."""
        for kind, least in kinds.items():
            if self.kinds[kind] < least:
                raise Trouble(
                    f"{self.kinds[kind]} of {kind} are on the page, not {least}; there are {dict(self.kinds)}"
                )
