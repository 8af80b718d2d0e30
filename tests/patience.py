"""Waiting for what a busy machine takes its time over."""

from __future__ import annotations

import time
from collections.abc import Callable

LONGEST = 120  # seconds


def eventually(done: Callable[[], bool], what: str = "what is waited for") -> None:
    """Returns once this is so; fails after two minutes."""
    last = time.monotonic() + LONGEST
    while not done():
        assert time.monotonic() < last, f"it never was so: {what}"
        time.sleep(0.02)
