"""What the comparison of two databases passes on: each of the two in its snapshot, the times that count, and what was found."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection

from data.integrity.replay import Replay
from data.integrity.report import Head
from data.schema import Schema

CLOCKS = timedelta(days=2)  # by which the company's clocks and zones may be off the events'
NEVER = "0001-01"  # a month before all others


@dataclass
class Comparison:
    """What comparing a copy came to. `head` is the copy's last event, `copy_at` the latest time (UTC, its stamp) by which
    the copy is known to be no older, `figures` what it holds. `differences`, `blind` (what has to be seen and could not
    be) and `unseen` (what need not be) are sentences, without personal data. `event_id` is that of the result, once it
    is written."""

    head: Head
    copy_at: str | None = None
    figures: dict[str, Any] = field(default_factory=dict)
    differences: list[str] = field(default_factory=list)
    blind: list[str] = field(default_factory=list)
    unseen: list[str] = field(default_factory=list)
    event_id: int | None = None

    @property
    def passed(self) -> bool | None:
        """Whether nothing differs; None where nothing does, but customers, orders or a month that is over could not be seen."""
        if self.differences:
            return False
        return None if self.blind else True


@dataclass(frozen=True)
class Side:
    """One of the two databases within its snapshot, with what its events say."""

    connection: Connection
    schema: Schema
    replay: Replay


@dataclass(frozen=True)
class Times:
    """What is known of when the copy was made: not before `known` (UTC; by its last event, check and heartbeat). `now` is
    the moment of the live database, and `last_month` the last month of an order of the copy that is not to come."""

    known: datetime | None
    now: datetime
    last_month: str = NEVER

    @property
    def first_open(self) -> str:
        """The first month that may not have been over when the copy was made, by its events."""
        return f"{self.known - CLOCKS:%Y-%m}" if self.known else NEVER

    @property
    def running(self) -> str:
        """The first month that may not be over today."""
        return f"{self.now - CLOCKS:%Y-%m}"
