"""What screens keep for a minute: for whom it is read anew, by how many at once, and what is read ahead."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from types import SimpleNamespace
from typing import Any

import pytest
import streamlit as st

from ui import keeping
from ui.keeping import ADDED, AHEAD_NAME, ANYBODY, MINE, forget_reads, kept


class Clock:
    """A clock that stands still until it is put forward."""

    def __init__(self) -> None:
        self.at = 1000.0

    def monotonic(self) -> float:
        self.at += 0.001
        return self.at


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    found = Clock()
    monkeypatch.setattr(keeping, "time", found)
    return found


@pytest.fixture
def sit_down(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[dict[str, Any]], None]]:
    """Puts another viewer, with a session of their own, before the screen."""

    def sit(session: dict[str, Any]) -> None:
        monkeypatch.setattr(keeping, "st", SimpleNamespace(session_state=session, spinner=st.spinner))

    monkeypatch.setattr(keeping, "_changed", 0.0)
    st.cache_data.clear()
    sit({})
    yield sit
    st.cache_data.clear()


def counting(after: str) -> tuple[Callable[[str], int], list[str]]:
    """A read that is kept, and each time that it was really read."""
    reads: list[str] = []

    @kept(after=after)
    def read(url: str) -> int:
        reads.append(url)
        return len(reads)

    return read, reads


@pytest.mark.parametrize(("after", "others_read"), [(ANYBODY, 3), (MINE, 2)])
def test_whoever_changed_something_sees_it_at_once(clock: Clock, sit_down: Any, after: str, others_read: int) -> None:
    read, _ = counting(after)
    mine: dict[str, Any] = {}
    sit_down(mine)
    assert (read("one"), read("one"), read("another")) == (1, 1, 2)
    forget_reads()
    assert (read("one"), read("one")) == (3, 3)
    sit_down({})
    assert read("another") == (4 if after == ANYBODY else 2)
    sit_down(mine)
    assert read("one") == 3


def test_a_number_of_rows_is_kept_over_deletions_and_not_over_an_addition(clock: Clock, sit_down: Any) -> None:
    read, reads = counting(ADDED)
    read("one")
    forget_reads()
    assert read("one") == 1
    forget_reads(added=True)
    assert read("one") == 2 == len(reads)


def test_nothing_is_kept_for_longer_than_a_minute_nor_over_trying_again(clock: Clock, sit_down: Any) -> None:
    read, _ = counting(MINE)
    read("one")
    clock.at += 61
    assert read("one") == 2
    st.cache_data.clear()
    assert read("one") == 3


def test_of_many_who_wait_one_reads(sit_down: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    asked, reads, found = threading.Semaphore(0), list[str](), list[int]()
    cleared = keeping._cleared

    def ask_when() -> float:
        asked.release()
        return cleared()

    @kept(after=MINE)
    def read(url: str) -> int:
        reads.append(url)
        for _ in range(7 if len(reads) == 1 else 0):
            assert asked.acquire(timeout=60)
        time.sleep(0.3)  # so that they have come to wait
        return 7

    monkeypatch.setattr(keeping, "_cleared", ask_when)
    threads = [threading.Thread(target=lambda: found.append(read("one"))) for _ in range(7)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert (found, reads) == ([7] * 7, ["one"])


def test_what_is_old_is_read_ahead_while_it_is_still_shown(clock: Clock, sit_down: Any) -> None:
    read, reads = counting(MINE)
    read("one")
    clock.at += 45
    assert read("one") == 1
    for thread in threading.enumerate():
        if thread.name == AHEAD_NAME:
            thread.join(60)
    assert len(reads) == 2
    clock.at += 30
    assert read("one") == 2


def test_what_cannot_be_read_ahead_is_shown_until_its_minute_is_over(clock: Clock, sit_down: Any) -> None:
    fails = False

    @kept(after=MINE)
    def read(url: str) -> int:
        if fails:
            raise OSError("gone")
        return 1

    read("one")
    fails = True
    clock.at += 45
    assert read("one") == 1
    clock.at += 20
    with pytest.raises(OSError, match="gone"):
        read("one")
