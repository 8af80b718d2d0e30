"""What is measured, beside what, and how."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from data.database import Database, snapshot


@dataclass(frozen=True)
class Figure:
    """A measured figure, its yardstick, and the bound on their ratio."""

    name: str
    value: float
    yardstick: str
    ratio: float
    bound: float

    @property
    def held(self) -> bool:
        """Whether the ratio stays within its bound."""
        return self.ratio <= self.bound


def seconds(work: Callable[[], Any], *, times: int) -> float:
    """The median of several runs, in seconds."""
    measured = []
    for _ in range(times):
        start = time.perf_counter()
        work()
        measured.append(time.perf_counter() - start)
    return statistics.median(measured)


def say(line: str) -> None:
    """A line of the run, at once."""
    print(line, flush=True)


def reading(database: Database, work: Callable[[Any], Any]) -> Callable[[], Any]:
    """The work on a snapshot of its own, as a screen does it."""

    def run() -> Any:
        with snapshot(database) as moment:
            return work(moment.connection)

    return run
