"""When an order was, in SQL: its month, windows of months, and which orders have none.

Real dates have a month where they lie in the years 1000 to 9999. Of anything else it is the text that counts: it has a
month where it begins YYYY-MM. Columns that carry a zone have their months in `[orders] time_zone`, else in UTC.
"""

from __future__ import annotations

from calendar import monthrange
from collections.abc import Sequence
from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import (
    TIMESTAMP,
    Date,
    DateTime,
    Enum,
    Integer,
    String,
    Text,
    and_,
    case,
    cast,
    extract,
    func,
    literal,
    literal_column,
    not_,
    or_,
    type_coerce,
)
from sqlalchemy.sql import ColumnElement

from data.months import FIRST_YEAR, LAST_MONTH, month_before, next_month, read_month
from data.schema import Schema
from data.times import read_time
from data.zones import changes_of

# A year from 1000 and a month from 01 to 12, as `read_month` reads it: in SQLite's words, and in the servers'.
READABLE = [f"[1-9][0-9][0-9][0-9]-{month}" for month in ("0[1-9]", "1[0-2]")]
READABLE_BEGINNING = "^[1-9][0-9]{3}-(0[1-9]|1[0-2])"
# Real dates as numbers YYYYMM: the first and the last that are months.
LEAST, GREATEST = FIRST_YEAR * 100 + 1, 999912


def has_dates(schema: Schema) -> bool:
    """Whether orders carry real dates that ranges of an index can serve. SQLite has only text."""
    return schema.dialect != "sqlite" and isinstance(schema.orders.c.ordered_at.type, (Date, DateTime))


def carries_zone(schema: Schema) -> bool:
    """Whether the orders' dates are moments, which fall into another month elsewhere: timestamptz, MariaDB's TIMESTAMP."""
    kind = schema.orders.c.ordered_at.type
    if schema.dialect == "postgresql":
        return isinstance(kind, DateTime) and kind.timezone
    return schema.dialect == "mysql" and isinstance(kind, TIMESTAMP)


def zone_of(schema: Schema) -> str | None:
    """The zone in which orders have their months, where it is another than the one they are stored in."""
    zone = schema.settings.orders.time_zone
    return zone if zone not in (None, "UTC") and carries_zone(schema) else None


def zone_sentence(schema: Schema) -> str | None:
    """What `[orders] time_zone` does here, where it is set."""
    zone = schema.settings.orders.time_zone
    if zone is None:
        return None
    if carries_zone(schema):
        return f"Months of orders are those of {zone}."
    return (
        f"[orders] time_zone = {zone} has no effect: the orders' dates carry no zone, so months are as they are stored."
    )


def month_expression(schema: Schema) -> ColumnElement[Any]:
    """The month of an order as the engine says it; `read_month` understands each."""
    if schema.dialect == "sqlite":
        return func.substr(_words(schema), literal_column("1"), literal_column("7"))
    if not has_dates(schema):
        words = _words(schema)
        beginning = func.substr(words, literal_column("1"), literal_column("7"))
        return case((words.regexp_match(READABLE_BEGINNING), beginning))
    if schema.dialect == "mysql":
        return extract("year_month", _local(schema))
    # Infinity has no month, so there the sum is NULL.
    local = _local(schema)
    year, month = (func.date_part(literal_column(f"'{part}'"), local) for part in ("year", "month"))
    return cast(year * literal_column("100") + month, Integer())


def month_text(schema: Schema) -> ColumnElement[Any]:
    """YYYY-MM, or NULL where `read_month` finds no month: for statements that people read."""
    found = month_expression(schema)
    if schema.dialect == "sqlite":
        return case((or_(*(found.op("GLOB")(readable) for readable in READABLE)), found))
    if not has_dates(schema):
        return found
    if schema.dialect == "postgresql":
        return case((found.between(LEAST, GREATEST), func.to_char(_local(schema), "YYYY-MM")))
    of_year = found % 100
    words = func.concat(func.floor(found / 100), "-", func.lpad(of_year, 2, "0"))
    return case((and_(found >= LEAST, of_year.between(1, 12)), words))


def in_month(schema: Schema, month: str) -> ColumnElement[bool]:
    """The orders that the statements of revenue count in this month."""
    inside = window(schema, month, month)
    if schema.dialect == "sqlite":
        # The window for its index; the month because text such as 2024-0x stands within a window too.
        return and_(month_expression(schema) == literal(month, String()), *inside)
    return and_(*inside)


def in_no_month(schema: Schema) -> ColumnElement[bool]:
    """The orders that they count in none."""
    found = month_expression(schema)
    if schema.dialect == "sqlite":
        return or_(found.is_(None), and_(*(not_(found.op("GLOB")(readable)) for readable in READABLE)))
    if not has_dates(schema):
        return found.is_(None)
    number = type_coerce(found, Integer())
    if schema.dialect == "postgresql":
        return or_(number.is_(None), not_(number.between(LEAST, GREATEST)))
    return or_(number.is_(None), number < LEAST, func.mod(number, 100) == 0)


def window(schema: Schema, first: str | None, last: str | None) -> list[ColumnElement[bool]]:
    """Conditions for the months from first to last, both included; on SQLite text that is no date may be among them."""
    if not first and not last:
        return []
    if schema.dialect == "sqlite":  # which compares text: "2024-02" stands before every time in February
        words = _words(schema)
        lower = [words >= literal(first, String())] if first else []
        return [*lower, *([words < literal(next_month(last), String())] if last and last < LAST_MONTH else [])]
    if not has_dates(schema):
        return _window_of_text(schema, first, last)
    if zone_of(schema):
        # A day more on either side, for the index; in which month a moment is the zone says.
        return [*_range(schema, first, last, days=1), _between(schema, first, last)]
    return _range(schema, first, last)


def _between(schema: Schema, first: str | None, last: str | None) -> ColumnElement[bool]:
    number = type_coerce(month_expression(schema), Integer())
    low, high = (int((month or end).replace("-", "")) for month, end in ((first, "1000-01"), (last, LAST_MONTH)))
    return number.between(low, high)


def _window_of_text(schema: Schema, first: str | None, last: str | None) -> list[ColumnElement[bool]]:
    """By the beginning of the text; on MariaDB its index serves, whose collation has its own idea of what stands before."""
    found = month_expression(schema)
    conditions = [found >= literal(first, String())] if first else [found.is_not(None)]
    conditions += [found <= literal(last, String())] if last else []
    if schema.dialect == "mysql":
        words = _words(schema)
        conditions += [words >= literal(f"{month_before(first)}-99", String())] if first else []
        conditions += [words < literal(next_month(last), String())] if last and last < LAST_MONTH else []
    return conditions


def _range(schema: Schema, first: str | None, last: str | None, *, days: int = 0) -> list[ColumnElement[bool]]:
    """Real dates from the first month's first moment to the last month's last, and so many days (0 or 1) around."""
    dated = schema.orders.c.ordered_at
    if schema.dialect == "mysql":
        return _range_of_mariadb(dated, first, last, days)
    begin = f"{month_before(first)}-28" if first and days else f"{first or f'{FIRST_YEAR}-01'}-01"
    beyond = f"{next_month(last)}-{1 + days:02}" if last and last < LAST_MONTH else "10000-01-01"
    return [dated >= _moment(schema, begin), dated < _moment(schema, beyond)]


def _moment(schema: Schema, day: str) -> ColumnElement[Any]:
    """The beginning of a day (YYYY-MM-DD, UTC) in the type of the orders' dates. PostgreSQL's, as it knows no other."""
    words = f"{day} 00:00:00+00" if carries_zone(schema) else day
    return cast(literal_column(f"'{words}'"), schema.orders.c.ordered_at.type)


def _range_of_mariadb(
    dated: ColumnElement[Any], first: str | None, last: str | None, days: int
) -> list[ColumnElement[bool]]:
    # From day 00: MariaDB keeps dates such as 2024-02-00, and they are of that month.
    begin = f"{first or f'{FIRST_YEAR}-01'}-00"
    if first and days:
        begin = f"{month_before(first)}-28"
    start = literal(begin, String())
    if not last:
        return [dated >= start]
    later = days and last < LAST_MONTH
    day = f"{next_month(last)}-01" if later else f"{last}-{monthrange(int(last[:4]), int(last[5:]))[1]}"
    # One BETWEEN, because MariaDB compares each row of an index range again, once a condition. Engines keep no less
    # than a microsecond.
    return [dated.between(start, literal(f"{day} 23:59:59.999999", String()))]


def since_first_year(schema: Schema) -> list[ColumnElement[bool]]:
    """The real dates among which there are months, as a range."""
    dated = schema.orders.c.ordered_at
    return _range(schema, None, None) if schema.dialect == "postgresql" else [dated >= date(FIRST_YEAR, 1, 1)]


def month_of(schema: Schema, value: object) -> str | None:
    """The month of a real date as the driver answers it, in the zone of the orders' months; None where it has none."""
    zone = zone_of(schema)
    known = read_time(value) if zone else None
    if zone and isinstance(known, datetime):
        return read_month(f"{known.astimezone(ZoneInfo(zone)):%Y-%m}")
    return read_month(str(value or "")[:7])


def stored_moment(schema: Schema) -> ColumnElement[Any]:
    """A real date as text to the microsecond, in UTC where it carries a zone."""
    dated = schema.orders.c.ordered_at
    if schema.dialect == "postgresql":
        utc = func.timezone(literal_column("'UTC'"), dated) if carries_zone(schema) else dated
        return func.to_char(utc, literal_column("'YYYY-MM-DD HH24:MI:SS.US'"))
    # Formatted, not cast, because a cast may make NULL of a zero date.
    return func.date_format(dated, "%Y-%m-%d %H:%i:%s.%f")


def date_key(schema: Schema) -> ColumnElement[Any]:
    """What orders are sorted by within a month: a real date, whose index serves, else its text."""
    return schema.orders.c.ordered_at if has_dates(schema) else _words(schema)


def _words(schema: Schema) -> ColumnElement[Any]:
    """The text of a date that is kept as text, or as what is no date; ISO where the engine writes it."""
    dated = schema.orders.c.ordered_at
    if schema.dialect == "sqlite":
        return type_coerce(dated, String())
    if schema.dialect == "postgresql":  # whose patterns need a plain collation
        return type_coerce(cast(dated, Text()).collate("C"), String())
    plain = isinstance(dated.type, String) and not isinstance(dated.type, Enum)
    return dated if plain else cast(dated, String())


def _local(schema: Schema) -> ColumnElement[Any]:
    """A real date as the clocks show it in the zone of the orders' months."""
    dated, zone = schema.orders.c.ordered_at, zone_of(schema)
    if schema.dialect == "postgresql":
        # Said also where it is UTC, since the session may be elsewhere.
        return func.timezone(literal_column(f"'{zone or 'UTC'}'"), dated) if carries_zone(schema) else dated
    if zone is None:
        return dated
    return func.timestampadd(literal_column("SECOND"), _offset(dated, changes_of(zone)), dated)


def _offset(dated: ColumnElement[Any], changes: Sequence[tuple[datetime, int]]) -> ColumnElement[Any]:
    """The zone's offset in seconds at each moment, found by halves. MariaDB's own tables of zones are mostly empty."""
    if len(changes) == 1:
        return literal_column(str(changes[0][1]))
    half = len(changes) // 2
    change = literal_column(f"'{changes[half][0]:%Y-%m-%d %H:%M:%S}'", String())
    return case((dated < change, _offset(dated, changes[:half])), else_=_offset(dated, changes[half:]))
