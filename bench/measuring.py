"""What is measured, beside what, and how."""

from __future__ import annotations

import gc
import statistics
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from data.database import Database, snapshot


@dataclass(frozen=True)
class Figure:
    """A measured value and its yardstick, both in `unit`, and the bound on their ratio.

    The ratio is value / yardstick; where `more` is better (rates) yardstick / value. `why` says what a miss is made of.
    """

    name: str
    value: float
    unit: str
    beside: str
    yardstick: float
    bound: float
    more: bool = False
    why: str = ""

    @property
    def ratio(self) -> float:
        """How many times the yardstick it costs."""
        above, below = (self.yardstick, self.value) if self.more else (self.value, self.yardstick)
        return above / below

    @property
    def held(self) -> bool:
        """Whether the ratio stays within its bound."""
        return self.ratio <= self.bound

    def as_json(self) -> dict[str, Any]:
        """What is kept of it."""
        rounded = {name: float(f"{getattr(self, name):.4g}") for name in ("value", "yardstick", "ratio")}
        return {**asdict(self), **rounded, "held": self.held}


def seconds(work: Callable[[], Any], *, times: int) -> float:
    """The median of several runs, in seconds."""
    return in_turns({"alone": work}, times=times)["alone"]


def in_turns(works: Mapping[str, Callable[[], Any]], *, times: int) -> dict[str, float]:
    """The median seconds of each, run in turns, so that what slows the machine for a while slows all of them."""
    measured: dict[str, list[float]] = {name: [] for name in works}
    gc.collect()
    for _ in range(times):
        for name, work in works.items():
            start = time.perf_counter()
            work()
            measured[name].append(time.perf_counter() - start)
    return {name: statistics.median(taken) for name, taken in measured.items()}


def resident(pid: int, *, peak: bool = False) -> float:
    """A process's resident memory in MB: now, or the most since it began or since its `clear_refs` was written to."""
    name = "VmHWM" if peak else "VmRSS"
    status = Path(f"/proc/{pid}/status").read_text()
    line = next(line for line in status.splitlines() if line.startswith(name))
    return int(line.split()[1]) / 1024


def say(line: str) -> None:
    """A line of the run, at once."""
    print(line, flush=True)


def reading(database: Database, work: Callable[[Any], Any]) -> Callable[[], Any]:
    """The work on a snapshot of its own, as a screen does it."""

    def run() -> Any:
        with snapshot(database) as moment:
            return work(moment.connection)

    return run


def told(value: float, unit: str) -> str:
    """A figure as people read it: three digits, and its unit."""
    words = f"{value:,.0f}" if value >= 100 else f"{value:.3g}"
    return f"{words} {unit}" if unit else words


def table(figures: Sequence[Mapping[str, Any]]) -> str:
    """The figures (as_json) as a table for a terminal, and what the missed ones are made of."""
    lines = [f"{'':58} {'measured':>11} {'yardstick':>11} {'ratio':>7} {'bound':>6}"]
    for f in figures:
        value, yardstick = told(f["value"], f["unit"]), told(f["yardstick"], f["unit"])
        name, missed = f"{f['name']} / {f['beside']}", "" if f["held"] else "MISSED"
        lines.append(f"{name:58} {value:>11} {yardstick:>11} {f['ratio']:7.3f} {f['bound']:6.2f}  {missed}".rstrip())
    lines += [f"MISSED {f['name']}: {f['why'] or 'see bench/README.md.'}" for f in figures if not f["held"]]
    return "\n".join(lines)
