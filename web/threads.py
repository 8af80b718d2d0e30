"""The API's own threads. Streamlit's files and pages have anyio's, so that a locked row holds up none of those."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from anyio import CapacityLimiter, to_thread

from web.failing import LATER, Refused

T = TypeVar("T")
THREADS = CapacityLimiter(20)  # of 30 connections to the database, so that the pages keep some
READERS = CapacityLimiter(8)  # of the pages of a file; a slow client holds none of them while it reads
MOST_WAITING = 200  # requests; further ones would be answered after their clients had given up


async def run_in_thread(work: Callable[[], T]) -> T:
    """What `work` answers, in a thread of the API's own. Raises Refused at once where too many wait for one."""
    if THREADS.available_tokens < 1 and THREADS.statistics().tasks_waiting >= MOST_WAITING:
        words = "The server is busy with other requests. Nothing was changed; try again in a moment."
        raise Refused(503, "busy", words, {"Retry-After": str(LATER)})
    return await to_thread.run_sync(work, limiter=THREADS)
