"""Times: aware UTC on every engine."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any

from sqlalchemy import DateTime, String
from sqlalchemy.engine import Dialect
from sqlalchemy.types import TypeDecorator, TypeEngine

CLOCKS_DIFFER = timedelta(minutes=5)


class UTCDateTime(TypeDecorator[datetime | str]):
    """Aware UTC times on every engine; what cannot be read as a time comes back as its text.

    Binding a naive time is an error: nobody would know its zone.
    """

    impl = DateTime
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        """SQLite keeps times as text, and not always as text that its own type can read; PostgreSQL keeps the zone."""
        kinds: dict[str, TypeEngine[Any]] = {"sqlite": String(), "postgresql": DateTime(timezone=True)}
        return dialect.type_descriptor(kinds.get(dialect.name, DateTime()))

    def process_bind_param(self, value: datetime | str | None, dialect: Dialect) -> Any:
        """UTC, without the zone where the engine does not store it."""
        if not isinstance(value, datetime):
            return value
        if value.tzinfo is None:
            raise ValueError(f"the time {value} has no zone")
        if dialect.name == "postgresql":
            return value.astimezone(UTC)
        moment = value.astimezone(UTC).replace(tzinfo=None)
        return moment.isoformat(sep=" ") if dialect.name == "sqlite" else moment

    def process_result_value(self, value: Any, dialect: Dialect) -> datetime | str | None:
        """An aware time, or the stored text."""
        return read_time(value)


def read_time(value: object) -> datetime | str | None:
    """What a driver answers for a time, as aware UTC; its text where it is no time."""
    if value is None:
        return None
    moment = value
    if isinstance(value, str):
        try:
            moment = datetime.fromisoformat(value.strip())
        except ValueError:
            return value
    elif isinstance(value, date) and not isinstance(value, datetime):
        moment = datetime(value.year, value.month, value.day)
    if not isinstance(moment, datetime):
        return str(value)
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)


def is_recent(at: object, age: timedelta, *, now: datetime) -> bool:
    """Whether this was a time of the last `age`. What cannot be read as one was not, nor what is yet to come: the clock
    was put back since."""
    return isinstance(at, datetime) and -CLOCKS_DIFFER < now - at <= age
