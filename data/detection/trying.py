"""A draft is tried before it is shown: does it attach, what does it add up to, and what would the migration meet."""

from __future__ import annotations

import re
from dataclasses import dataclass

from pydantic import ValidationError
from sqlalchemy import Connection, inspect
from sqlalchemy.exc import DBAPIError

from data import money, queries
from data.detection.composing import Draft
from data.detection.marks import OWN_NAME
from data.detection.reading import LARGE, Reader
from data.errors import ConfigurationError, EvenbooksError
from data.faults import Code, error_code, error_words
from data.inspection import is_view, storage, triggers_of, unusable
from data.queries.dates import carries_zone
from data.queries.revenue import Key
from data.records import Figures
from data.reflection import reflect
from data.schema import Schema
from data.settings import File, Settings
from data.wording import sentences

SHOWN = 3  # months from each end
STOPPED: set[Code] = {1969, 3024, "57014"}  # by the server, because it lasted
CONSTANTS = {
    "text": '""',
    "any": '""',
    "boolean": "false",
    **dict.fromkeys(("integer", "decimal", "float", "double"), "0"),
}


class Untrue(Exception):
    """The draft does not hold; the message says why."""


@dataclass
class Tried:
    """A draft that attaches, and sentences on its figures."""

    schema: Schema
    figures: list[str]


def try_draft(reader: Reader, draft: Draft, url: str) -> Tried:
    """Attaches to what the draft names and adds up its figures. Raises Untrue where that cannot be."""
    schema = _reflect(reader.connection, draft, url)
    problem = unusable(reader.connection, schema) if schema.migrated else None
    if problem:
        mark = schema.settings.customers.deleted_at
        draft.file["customers"]["deleted_at"] = OWN_NAME
        draft.say("customers", "deleted_at", f"{mark} {problem}; another column is made beside it.")
        schema = _reflect(reader.connection, draft, url)
    _observe(reader, draft, schema)
    return Tried(schema, _figures(reader, draft, schema, url))


def _reflect(connection: Connection, draft: Draft, url: str) -> Schema:
    try:
        file = File.model_validate({name: section for name, section in draft.file.items() if section})
        with connection.begin_nested():
            return reflect(connection, Settings(**dict(file), database_url=url))
    except ValidationError as error:
        raise Untrue(sentences(error, "the proposal", File)) from error
    except ConfigurationError as error:
        raise Untrue(str(error)) from error
    except DBAPIError as error:
        if error.connection_invalidated:
            raise
        raise Untrue(error_words(error)) from error


def _figures(reader: Reader, draft: Draft, schema: Schema, url: str) -> list[str]:
    """Orders and totals as the reports will show them; skipped where there are too many orders."""
    size = reader.size(draft.pair.orders)
    if size > LARGE:
        draft.doubts.append(
            f"There are about {size:,} orders, so their figures were not added up here; the migration does that."
        )
        return [f"about {size:,} orders; not added up, because there are so many"]
    try:
        with reader.connection.begin_nested():
            totals = queries.monthly_totals(reader.connection, schema)
            parts = {
                part: queries.monthly_part(reader.connection, schema, part)
                for part in ("no_customer", "missing_customer")
            }
    except DBAPIError as error:
        if error.connection_invalidated:
            raise
        if error_code(error) not in STOPPED:
            raise Untrue(f"its figures cannot be added up: {error_words(error)}") from error
        draft.doubts.append(
            "The figures took too long to add up, so they were not looked at here; the migration does that."
        )
        return ["not added up, because it took too long"]
    except (ArithmeticError, ValueError, EvenbooksError) as error:
        raise Untrue(f"its figures cannot be added up: {error}") from error
    missing = sum(f.orders for f in parts["missing_customer"].values())
    if missing and "where" in draft.file["customers"]:
        raise Sliced
    orders = sum(f.orders for f in totals.values())
    if totals and set(m for m, _ in totals) == {None}:
        raise Untrue(f"no date in {draft.pair.orders.path}.{draft.pair.date.column} can be read")
    return [*_shown(totals, schema), *_told(draft, orders, totals, parts["no_customer"], missing)]


class Sliced(Exception):
    """The customers' slice leaves out customers who have orders."""


def _shown(totals: dict[Key, Figures], schema: Schema) -> list[str]:
    dated = sorted(key for key in totals if key[0])
    lines = [_line(str(month), totals[month, currency]) for month, currency in dated]
    if len(lines) > 2 * SHOWN:
        lines[SHOWN:-SHOWN] = [f"... {len(lines) - 2 * SHOWN} more"]
    for currency in sorted({key[1] for key in totals}):
        ours = [f for key, f in totals.items() if key[1] == currency]
        whole = Figures(None, currency, sum(f.orders for f in ours), money.add([f.total for f in ours]))
        lines.append(_line("in all", whole))
    return lines or ["There are no orders yet."]


def _line(label: str, figures: Figures) -> str:
    return f"{label:<8} {figures.orders:>8} orders {money.plain(figures.total):>18} {figures.currency}"


def _told(draft: Draft, orders: int, totals: dict[Key, Figures], guests: dict[Key, Figures], missing: int) -> list[str]:
    undated = sum(f.orders for (month, _), f in totals.items() if month is None)
    free = sum(f.orders for f in guests.values())
    if missing:
        draft.doubts.append(f"{missing} of {orders} orders name a customer who is not in {draft.pair.customers.path}.")
    if undated:
        draft.doubts.append(f"{undated} of {orders} orders have no readable date; they are a line of their own.")
    return [f"{free} orders of no customer, {missing} of a missing customer, {undated} without a readable date"]


def _observe(reader: Reader, draft: Draft, schema: Schema) -> None:
    """What the migration and the check will meet: foreign keys that delete, unique e-mail addresses, triggers, tables
    without transactions, columns that Add New Customer cannot fill."""
    pair, connection = draft.pair, reader.connection
    if pair.link.rule in {"CASCADE", "SET NULL"}:
        does = "deletes its orders" if pair.link.rule == "CASCADE" else "takes its orders' customer away"
        draft.doubts.append(
            f"RED: deleting a row of {pair.customers.path} physically {does} (ON DELETE {pair.link.rule} of {pair.orders.path}). "
            "run_customer_soft_delete_migration.py --dry-run prints RED with what mends it; until then the check warns."
        )
    elif not pair.link.is_key:
        draft.say(
            "orders",
            "",
            f"No foreign key holds {pair.link.column.name}: the database itself lets orders lose their customer. The check sees it.",
        )
    _say_unique(connection, draft, schema)
    for trigger in triggers_of(connection, schema.customer_table):
        draft.say(
            "customers",
            "",
            f"Trigger {trigger.name} {trigger.when}: the migration says whether it changes rows on delete.".replace(
                "  ", " "
            ),
        )
    if carries_zone(schema):
        draft.say(
            "orders",
            "ordered_at",
            'These times carry a zone: months are those of UTC, or of time_zone = "Australia/Sydney" or another.',
        )
    if schema.dialect == "mysql":
        kept = storage(connection, schema.customer_table)
        if kept and kept[0] != "YES":
            draft.doubts.append(
                f"{pair.customers.path} is {kept[1]}, which cannot roll back: what a failed change marked is marked back, "
                "and if the server dies in between it stays marked, and the check says so."
            )
    if is_view(connection, schema.customer_table):
        raise Untrue(f"{pair.customers.path} is a view, which cannot get a column")
    _say_blocker(draft, schema)


def _say_blocker(draft: Draft, schema: Schema) -> None:
    """What Add New Customer lacks: the key, which no constant can be, or columns that can have one."""
    blocker, mapping = schema.add_blocker, schema.settings.customers
    if not blocker:
        return
    lacking = [
        c
        for c in draft.pair.customers.columns.values()
        if not c.nullable and not c.has_default and re.search(rf"(?<!\w){re.escape(c.name)}(?!\w)", blocker)
    ]
    if re.search(rf"(?<!\w){re.escape(mapping.id)}(?!\w)", blocker):
        draft.say(
            "customers",
            "",
            f"Add New Customer stays off: the database does not number customers ({mapping.id}) by itself.",
        )
        return
    dated = [c.name for c in lacking if c.kind not in CONSTANTS]
    if dated:
        draft.say("customers", "", f"Add New Customer stays off: no constant can fill {', '.join(dated)}.")
        return
    shown = ", ".join(f"{c.name} = {CONSTANTS[c.kind]}" for c in lacking)
    draft.say("customers", "", f"Add New Customer stays off until these have a constant: insert = {{ {shown} }}")


def _say_unique(connection: Connection, draft: Draft, schema: Schema) -> None:
    email = schema.settings.customers.email
    if "email" not in schema.present:
        return
    inspector, table = inspect(connection), schema.customer_table
    unique = [list(one["column_names"]) for one in inspector.get_unique_constraints(table.name, schema=table.schema)]
    indexes = [one for one in inspector.get_indexes(table.name, schema=table.schema) if one["unique"]]
    if [email] in unique or any(one["column_names"] == [email] for one in indexes):
        draft.say(
            "customers",
            "email",
            f"A unique key holds {email}: a deleted customer keeps the address, until --active-unique makes it unique among the active.",
        )
