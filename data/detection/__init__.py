"""Detection: what a company's database has, as a proposal for evenbooks.toml. Nothing is changed."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Engine
from sqlalchemy.engine import make_url
from sqlalchemy.exc import DBAPIError, SQLAlchemyError

from data.detection.catalog import read_catalog
from data.detection.composing import Draft, compose
from data.detection.omissions import say_omissions
from data.detection.pairing import Pair, find_pairs, named_like_orders
from data.detection.reading import Reader, Unreadable, read_only
from data.detection.rivals import say_other_amounts, say_other_tables
from data.detection.tables import Catalog, Table
from data.detection.trying import Sliced, Tried, Untrue, try_draft
from data.detection.writing import as_toml
from data.errors import EvenbooksError
from data.faults import error_words, translated

MOST_TRIED = 6
MOST_OTHERS = 3


@dataclass(frozen=True)
class Proposal:
    """What was found. `toml` is the file with its comments, `file` its sections; empty and None where nothing fits.

    `reasons` say why, or why each table that was looked at cannot be; `doubts` are what a person should look at.
    """

    found: bool
    toml: str
    file: dict[str, dict[str, Any]] | None
    reasons: list[str]
    doubts: list[str]


def propose(source: Engine | Connection, url: str) -> Proposal:
    """Looks at the database and proposes a mapping. It reads samples only, and changes nothing.

    `url` is the database's, for the settings that the proposal is tried with. Raises EvenbooksError where the database does
    not answer.
    """
    try:
        with translated(make_url(url)), _reading(source) as connection:
            return _propose(connection, url)
    except SQLAlchemyError as error:
        words = error_words(error) if isinstance(error, DBAPIError) else str(error)
        raise EvenbooksError(f"The database refused to be looked at: {words}. Nothing was changed.") from error


@contextmanager
def _reading(source: Engine | Connection) -> Iterator[Connection]:
    if isinstance(source, Connection):
        yield source
        return
    with source.connect() as connection, read_only(connection):
        yield connection


def _propose(connection: Connection, url: str) -> Proposal:
    reader, refused = Reader(connection), dict[str, Table | None]()
    catalog = read_catalog(connection)
    if not catalog.tables:
        return Proposal(False, "", None, [_nothing_there(catalog)], [])
    pairs = find_pairs(reader, catalog, refused)
    for pair in pairs[:MOST_TRIED]:
        try:
            draft, tried = _try(reader, pair, url)
        except (Untrue, Unreadable) as error:
            refused[f"{pair.words} does not attach: {error}"] = pair.orders
            continue
        say_other_amounts(reader, draft, tried.schema)
        say_other_tables(reader, draft, pairs)
        say_omissions(reader, draft, catalog)
        database = make_url(url).set(query={}).render_as_string(hide_password=True)
        file = {name: section for name, section in draft.file.items() if section}
        others = [
            line
            for line, table in refused.items()
            if table and table is not pair.orders and named_like_orders(table) >= 1
        ]
        toml = as_toml(draft, tried.figures, database, others[:MOST_OTHERS])
        return Proposal(True, toml, file, draft.reasons, draft.doubts)
    return Proposal(False, "", None, _why_nothing(catalog, refused), [])


def _try(reader: Reader, pair: Pair, url: str) -> tuple[Draft, Tried]:
    draft = compose(reader, pair)
    try:
        return draft, try_draft(reader, draft, url)
    except Sliced:
        where = draft.file["customers"].pop("where")
        draft.file["customers"].pop("insert", None)
        draft.comments.pop(("customers", "where"), None)
        draft.doubts.append(
            f"Most customers with orders are those where {where}, but not all, so all of {pair.customers.path} are customers."
        )
        return draft, try_draft(reader, draft, url)


def _nothing_there(catalog: Catalog) -> str:
    if catalog.views:
        return f"This database has no table, only views ({', '.join(catalog.views[:5])}); customers must be a table."
    return "This database has no table that this account can see."


def _why_nothing(catalog: Catalog, refused: Iterable[str]) -> list[str]:
    names = sorted(table.path for table in catalog.tables.values())
    shown = ", ".join(names[:12]) + (", ..." if len(names) > 12 else "")
    words = f"No customers with orders were found among {len(names)} tables: {shown}."
    return [words, *refused][:20]
