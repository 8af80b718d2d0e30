"""The tables that an `[orders] query` reads, as far as its text tells."""

from __future__ import annotations

import re
from collections.abc import Iterator

from sqlalchemy import Connection, MetaData, Table, inspect

from data.inspection.names import mentions
from data.schema import Schema

NAME = r"""(?:"[^"]+"|`[^`]+`|\[[^\]]+\]|[^\W\d][\w$]*)"""
PLACE = rf"{NAME}(?:\s*\.\s*{NAME})*"
COMMENT = r"--[^\n]*|/\*.*?\*/"
READ = rf"\b(?:from|join|straight_join)\s+(?:(?:only|lateral)\s+)?({PLACE})(\s*\()?"
NAMED_PART = (
    rf"({NAME})\s*(?:\([^()]*\)\s*)?as\s+(?:not\s+)?(?:materialized\s+)?\(|({NAME})\s+as\s*\("  # WITH name AS (
)
# FROM stands here too, and reads no table.
OTHER_FROM = r"\bdistinct\s+from\b|\b(?:extract|substring|trim|overlay|position)\s*\([^()]*?\bfrom\b"


def tables_of_query(connection: Connection, schema: Schema) -> tuple[list[Table], list[str]]:
    """The tables of the customers' schema whose name the query has as a word; sentences on what it reads beside them.

    Raises nothing where the query is none: then it has no tables.
    """
    own, words = schema.customer_table.schema, schema.settings.orders.query or ""
    inspector = inspect(connection)
    names = [name for name in inspector.get_table_names(schema=own) if mentions(words, name)]
    views = [name for name in inspector.get_view_names(schema=own) if mentions(words, name)]
    unseen = [f"{name} is a view; the keys of its tables were not looked for." for name in views]
    default = own or connection.dialect.default_schema_name or "main"
    places = {default, "main"} if connection.dialect.name == "sqlite" else {default}
    known = {name.casefold() for name in [*names, *views]}
    others = list(dict.fromkeys(_others(words, known, {place.casefold() for place in places})))
    others += [
        name for name in _schemas(connection, words) if name not in {*places, *(o.partition(".")[0] for o in others)}
    ]
    if others or not (names or views):
        what = ", ".join(others) or "what [orders] query reads"
        unseen.append(f"The foreign keys of {what} were not looked for.")
    return [Table(name, MetaData(), schema=own) for name in names], unseen


def _others(words: str, known: set[str], places: set[str]) -> Iterator[str]:
    """What stands after FROM and JOIN and is none of the known tables of these schemas, nor a part named by WITH."""
    bare = re.sub(OTHER_FROM, " ", re.sub(COMMENT, " ", words, flags=re.S), flags=re.I)
    parts = {_plain(a or b) for a, b in re.findall(NAMED_PART, bare, re.I)}
    for place, function in re.findall(READ, bare, re.I):
        names = [_plain(name) for name in re.findall(NAME, place)]
        if names == ["lateral"] or names == ["select"]:
            continue
        here = len(names) == 1 or names[-2] in places
        if function or not here or not (names[-1] in known or (len(names) == 1 and names[-1] in parts)):
            yield ".".join(names)


def _schemas(connection: Connection, words: str) -> list[str]:
    """The server's schemas that the query names before a point."""
    return [
        name
        for name in inspect(connection).get_schema_names()
        if re.search(rf"(?<!\w){re.escape(name)}[`\"\]]?\s*\.", words, re.IGNORECASE)
    ]


def _plain(name: str) -> str:
    return name.strip('"`[]').casefold()
