"""Time zones: when a zone's clocks change, for engines that do not know it themselves."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

# What MariaDB's TIMESTAMP can hold, with room to spare: it ends in 2038, and from 11.5 in 2106.
FIRST, LAST = datetime(1969, 12, 1, tzinfo=UTC), datetime(2107, 1, 1, tzinfo=UTC)
STEP = timedelta(hours=12)


def offset_at(zone: str, moment: datetime) -> int:
    """Seconds by which the zone's clocks are ahead of UTC at this moment (aware)."""
    offset = moment.astimezone(ZoneInfo(zone)).utcoffset()
    assert offset is not None
    return int(offset.total_seconds())


@lru_cache(maxsize=8)
def changes_of(zone: str) -> tuple[tuple[datetime, int], ...]:
    """Each moment (UTC) from which on the zone has another offset (seconds), from 1969 to 2106, oldest first.

    The first one is the beginning. `zone` is an IANA name; zoneinfo raises for another.
    """
    before, offset = FIRST, offset_at(zone, FIRST)
    found = [(before, offset)]
    while before < LAST:
        after = before + STEP
        if offset_at(zone, after) != offset:
            moment = _between(zone, before, after)
            offset = offset_at(zone, moment)
            found.append((moment, offset))
            after = moment  # nothing is skipped, were there another change on the same day
        before = after
    return tuple(found)


def _between(zone: str, before: datetime, after: datetime) -> datetime:
    """The first second of the change that lies between."""
    offset = offset_at(zone, before)
    while after - before > timedelta(seconds=1):
        middle = (before + (after - before) / 2).replace(microsecond=0)
        before, after = (middle, after) if offset_at(zone, middle) == offset else (before, middle)
    return after
