"""A wrong clock: every module of ours that asks for the time is told another one."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

from data import tokens

OURS = ("data", "ui", "web")


class Clock:
    """The machine's clock, `off` by so much. What does not depend on it (time.monotonic) goes on as ever."""

    def __init__(self) -> None:
        self.off = timedelta()

    def now(self, zone: Any = None) -> datetime:
        """What the clock says."""
        return datetime.now(zone) + self.off

    def step(self, **by: float) -> None:
        """Puts the clock forward, or back."""
        self.off += timedelta(**by)

    def right(self) -> None:
        """Puts the clock right."""
        self.off = timedelta()


@contextmanager
def clock_of_ours() -> Iterator[Clock]:
    """The clock of every module of ours, put right at the end."""
    clock = Clock()

    class Any_(type):
        def __instancecheck__(cls, value: object) -> bool:
            return isinstance(value, datetime)

    class Wrong(datetime, metaclass=Any_):
        @classmethod
        def now(cls, tz: Any = None) -> datetime:  # type: ignore[override]
            return clock.now(tz)

    changed = [
        module
        for name, module in list(sys.modules.items())
        if name.split(".")[0] in OURS and getattr(module, "datetime", None) is datetime
    ]
    for module in changed:
        module.datetime = Wrong  # type: ignore[attr-defined]
    try:
        yield clock
    finally:
        tokens.wait_for_notes()
        for module in changed:
            module.datetime = datetime  # type: ignore[attr-defined]


def true_time() -> datetime:
    """The time in UTC, in whole seconds."""
    return datetime.now(UTC).replace(microsecond=0)
