"""The memory of a process while it is used: watched by second, and judged for whether it goes on growing."""

from __future__ import annotations

import statistics
import threading
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import combinations

from bench.measuring import resident

GROWTH = 1.05  # of the half minute after the first, by the last half minute
SWAY = 3.0  # MB by which the second half may rise: it goes up and down by so much where nothing grows
SETTLED, WINDOW = 60, 15  # seconds
STEP, SIDE = 2.5, 4  # MB from one minute (so many windows) to the next, which is more than a leak or the sway
LONG_ENOUGH = 180  # seconds of the second half; in less the sway is steeper than a leak


@dataclass
class Watched:
    """A process: its resident memory (MB) by second."""

    pid: int
    memory: list[float] = field(default_factory=list)
    over: threading.Event = field(default_factory=threading.Event)

    def watch(self) -> None:
        """Looks every second until it is over."""
        while not self.over.wait(1):
            self.memory.append(resident(self.pid))


@dataclass(frozen=True)
class Growth:
    """MB after the first minute and at the end, and MB a minute over the second half, which lasted so many minutes; None
    where that was too short. And the MB of each minute from its beginning, medians."""

    first: float
    last: float
    slope: float | None
    minutes: float
    by_minute: Sequence[float] = ()

    @property
    def ratio(self) -> float:
        """The end by the beginning."""
        return self.last / self.first

    @property
    def bounds(self) -> dict[str, bool]:
        """In words, and whether each was held. A steady leak stays below the ratio for long, and what grows only at the
        beginning has no slope later, so both are asked. The longer the run, the smaller the leak that is told."""
        found = {f"memory {self.ratio:.3f} of what it was (bound {GROWTH})": self.ratio <= GROWTH}
        if self.slope is not None:
            bound = SWAY / self.minutes
            words = f"memory {self.slope:+.2f} MB a minute over the last {self.minutes:.1f} minutes (bound {bound:.2f})"
            found[words] = self.slope <= bound
        return found


def growth(memory: Sequence[float]) -> Growth:
    """How a memory by second went on after the first minute, in medians of windows."""
    settled = memory[min(SETTLED, len(memory) // 2) :]
    ends = min(2 * WINDOW, max(1, len(settled) // 2))
    half = settled[len(settled) // 2 :]
    return Growth(
        statistics.median(settled[:ends]),
        statistics.median(settled[-ends:]),
        slope(half) if len(half) >= LONG_ENOUGH else None,
        len(half) / 60,
        [statistics.median(memory[at : at + 60]) for at in range(0, len(memory), 60)],
    )


def slope(memory: Sequence[float]) -> float:
    """MB a minute: the median of the slopes between any two windows (Theil and Sen), which a peak does not move.

    Where there is a step, windows before it are not compared with those after it: a table that doubles (Python's own of its
    strings, probably: 4 MB, seen once a run) does so seldom, and would lie within half of the pairs.
    """
    whole = len(memory) // WINDOW
    windows = [statistics.median(memory[at * WINDOW : (at + 1) * WINDOW]) for at in range(whole)]
    rises = {
        at: statistics.median(windows[at : at + SIDE]) - statistics.median(windows[at - SIDE : at])
        for at in range(SIDE, whole - SIDE + 1)
    }
    step = max(rises, key=lambda at: rises[at])
    parts = [windows[:step], windows[step:]] if rises[step] > STEP else [windows]
    slopes = [(late - early) / (b - a) for part in parts for (a, early), (b, late) in combinations(enumerate(part), 2)]
    return statistics.median(slopes) * 60 / WINDOW
