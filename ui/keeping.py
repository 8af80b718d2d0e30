"""What screens keep for a minute of what they read: one reader at a time for all who wait, anew ahead of its end, and
never older than the viewer's own last change."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, field
from functools import wraps
from typing import Any, ParamSpec, TypeVar

import streamlit as st
from streamlit import cache_data

from data.errors import DatabaseBusy

log = logging.getLogger("evenbooks")

KEPT = 60.0  # seconds
LONGEST = 60.0  # for which somebody else's reading is waited for
AHEAD_NAME = "evenbooks-ahead"
AHEAD = 40.0  # after so many of them the next viewer still gets what is kept, while it is read anew
# Whose changes make what is kept too old: anybody's, made in this process; for what takes long to read one's own, the
# last of which the session knows, or only that one added a customer.
ANYBODY, MINE, ADDED = "anybody", "changed", "added"

P = ParamSpec("P")
T = TypeVar("T")

_changed = 0.0  # when anybody last changed something here (monotonic)
_behind = threading.Lock()  # one is read ahead at a time: others wait for the database meanwhile


@dataclass
class _Slot:
    """What a function answered to these arguments, and when it began to read (monotonic)."""

    lock: threading.Lock = field(default_factory=threading.Lock)
    begun: float = float("-inf")
    value: Any = None
    ahead: bool = False

    def read(self, work: Callable[[], Any]) -> Any:
        """Reads, under the lock."""
        begun = time.monotonic()
        self.value = work()
        self.begun = begun
        return self.value


def kept(*, spinner: str | None = None, after: str = ANYBODY) -> Callable[[Callable[P, T]], Callable[P, T]]:
    """Keeps what a function answers to the same arguments for a minute, for every viewer of this process.

    A viewer gets nothing that began to be read before the changes that matter (`after`), their own always among them.
    What is answered belongs to all viewers, so nobody may alter it. The function reads the database and draws nothing,
    for it also runs where nobody waits for it; `spinner` is what those who wait are told.
    """

    def keeping(read: Callable[P, T]) -> Callable[P, T]:
        slots: dict[Any, _Slot] = {}

        @wraps(read)
        def ask(*args: P.args, **kwargs: P.kwargs) -> T:
            key = (args, tuple(sorted(kwargs.items())))
            slot = slots.get(key) or slots.setdefault(key, _Slot())
            changed = _changed if after == ANYBODY else st.session_state.get(after, 0.0)
            oldest = max(changed, _cleared())

            def is_fresh() -> bool:
                return bool(slot.begun >= max(oldest, time.monotonic() - KEPT))

            def work() -> T:
                return read(*args, **kwargs)

            if not is_fresh():
                with st.spinner(spinner) if spinner else nullcontext(), _held(slot.lock):
                    value: T = slot.value if is_fresh() else slot.read(work)
                _forget_old(slots)
                return value
            value = slot.value
            if time.monotonic() - slot.begun > AHEAD and not slot.ahead:
                slot.ahead = True
                threading.Thread(target=_read_ahead, args=(slot, work), name=AHEAD_NAME, daemon=True).start()
            return value

        return ask

    return keeping


@contextmanager
def _held(lock: threading.Lock) -> Iterator[None]:
    """The lock, unless whoever has it waits for a database that hangs."""
    if not lock.acquire(timeout=LONGEST):
        raise DatabaseBusy("The database takes very long to answer. Try again in a moment.")
    try:
        yield
    finally:
        lock.release()


def _read_ahead(slot: _Slot, work: Callable[[], Any]) -> None:
    """Where it fails, what is kept stays until its minute is over; whoever comes then is told why."""
    try:
        with _behind, slot.lock:
            if time.monotonic() - slot.begun > AHEAD:
                slot.read(work)
    except Exception:
        log.warning("What screens keep could not be read ahead", exc_info=True)
    finally:
        slot.ahead = False


def _forget_old(slots: dict[Any, _Slot]) -> None:
    """Searches come and go: what nobody may be shown any more is let go."""
    for key, slot in list(slots.items()):
        if slot.begun < time.monotonic() - KEPT and not slot.lock.locked():
            slots.pop(key, None)


@cache_data(show_spinner=False)
def _cleared() -> float:
    """When Streamlit's own caches were last cleared: what was read before goes with them."""
    return time.monotonic()


def forget_reads(*, added: bool = False) -> None:
    """After a change of this viewer's: what screens keep for a minute is read anew; what takes long, for this viewer
    alone. `added`: a customer."""
    global _changed
    _changed = st.session_state[MINE] = time.monotonic()
    if added:
        st.session_state[ADDED] = _changed
