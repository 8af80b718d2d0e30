"""Which columns name a customer: by foreign key, or by name and by the values that are there."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from typing import Any

from data.detection.people import KEYS, OFTEN_CUSTOMERS, People, email_columns
from data.detection.reading import Reader, Unreadable
from data.detection.tables import Column, Table
from data.detection.words import raw_words, weights, words_of

GUESTS = (0, -1, "0", "-1", "")
# Columns that name a person who is not the one who buys.
OTHERS = weights("""
    by 3  employee 4  supplier 4  updated 4  shipment 1.5  billing 1  invoice 1  sale 1.5  support 3
    deleted 4  parent 2  group 4  address 4  type 4  approved 2  canceled 3  payment 0.5  last 2  owner 2
    second 1  secondary 1  commercial 1.5  manager 3  email 4  status 4  currency 4
""")


@dataclass
class Link:
    """A column of a table that may name customers. `guests` are values that mean nobody, found in the sample."""

    table: Table
    column: Column
    people: People
    score: float
    reasons: list[str]
    rule: str = ""
    is_key: bool = False
    guests: list[int | str] = field(default_factory=list)
    doubt: str | None = None


def find_links(tables: Iterable[Table], candidates: list[People]) -> list[Link]:
    """Every column that may name a customer of one of these tables, by foreign key or by its name."""
    by_place = {one.table.place: one for one in candidates}
    named = candidates[:40]
    return [link for table in tables for link in _links_of(table, by_place, named)]


def _links_of(table: Table, by_place: dict[tuple[str | None, str], People], named: list[People]) -> Iterable[Link]:
    for c in table.columns.values():
        reference = table.reference(c.name)
        if reference:
            people = _told_by(by_place.get((reference.schema, reference.table)), reference.referred)
            if people and people.table is not table:
                score, words = (
                    2.0 + _by_role(c, people),
                    f"{table.path}.{c.name} is a foreign key to {people.table.path}",
                )
                yield Link(table, c, people, score, [words], reference.rule, is_key=True)
        elif c.kind in KEYS:
            for candidate in named:
                people = _told_by(candidate, c.name) or candidate
                score = _by_name(table, c, people)
                if people.table is not table and score > 0:
                    yield Link(table, c, people, score, [f"{table.path}.{c.name} is named like {people.table.path}"])


def _told_by(people: People | None, name: str) -> People | None:
    """These people, told apart by the column of this name ("": the key); None where it does not tell them apart."""
    if people is None or not name or name.casefold() == people.key.name.casefold():
        return people
    fitting = [c for c in people.table.telling_columns if c.name.casefold() == name.casefold() and c.kind in KEYS]
    return replace(people, key=fitting[0]) if fitting else None


def _by_role(c: Column, people: People) -> float:
    """What a column's name says about the role in which it names a person: the one who buys, or another."""
    words = words_of(c.name)
    score = -sum(float(OTHERS.get(word, 0)) for word in set(words))
    own = set(words_of(people.table.name))
    if "customer" in words:
        score += 1.0
    elif set(words) & own & OFTEN_CUSTOMERS:
        score += 0.6
    return score - 0.2 * max(0, len([w for w in words if w != "id"]) - 1)


def _by_name(table: Table, c: Column, people: People) -> float:
    """How well a column's name leads to these customers, without a foreign key; 0 where it does not."""
    words, own = words_of(c.name), words_of(people.table.name)
    stem = [w for w in words if w != "id"]
    key = people.key.name
    if c.name in table.key and len(table.key) == 1:
        return 0.0
    if not _comparable({c.kind, people.key.kind}):
        return 0.0
    if c.name.casefold() == key.casefold() and set(stem) - {"name", "type", "status", "email"}:
        return 1.5 + _by_role(c, people)
    if not stem or (
        len(stem) == len(words)
        and not {c.name.lower(), f"{c.name.lower()}s"} & set(raw_words(people.table.name))
        and c.kind == "text"
    ):
        return 0.0
    same = set(stem) & set(own) & {"customer", *OFTEN_CUSTOMERS}
    if same:
        literal = set(raw_words(c.name)) & set(raw_words(people.table.name))
        return 1.2 + 0.3 * bool(literal) + _by_role(c, people)
    if "customer" in stem or ("user" in stem and "customer" in own):
        return 0.6 + _by_role(c, people) if people.score >= 2 else 0.0
    short = [w for w in raw_words(c.name) if len(w) >= 3 and "id" not in words_of(w)]
    if people.score >= 3 and any(whole.startswith(w) for w in short for whole in raw_words(people.table.name)):
        return 0.5 + _by_role(c, people)
    return 0.0


def _comparable(kinds: set[str]) -> bool:
    return len(kinds) == 1 or "any" in kinds or kinds == {"integer", "text"}


def weigh(reader: Reader, link: Link) -> str | None:
    """Adds what the data say to a link's score; answers why it cannot be, where its values are no customers."""
    people = link.people
    values = reader.distinct(link.table, link.column.name)
    if not values:
        return None
    asked = [v for v in (_as_key(value, people.key) for value in values) if v is not None]
    known = {_folded(v) for v in reader.known(people.table, people.key.name, asked)}
    link.guests = [_plain(v) for v in values if _is_guest(v) and _folded(v) not in known]
    named = [v for v in values if not _is_guest(v) or _folded(v) in known]
    found = [v for v in named if _folded(v) in known]
    if not named:
        return None
    part = len(found) / len(named)
    words = f"{len(found)} of {len(named)} sampled values are there"
    if not link.is_key and part < 0.5:
        return f"{link.table.path}.{link.column.name} does not name {people.table.path}: {words}"
    link.score += 1.5 * part - (0.0 if link.is_key else 0.5 + 2 * (1 - part))
    link.reasons.append(words)
    if part < 1:
        link.doubt = f"{link.table.path}.{link.column.name}: only {words} in {people.table.path}; orders of the others are shown as of a missing customer."
    _compare_emails(reader, link)
    return None


def _compare_emails(reader: Reader, link: Link) -> None:
    """Where an order and its customer both have an e-mail address, these should be the same for most."""
    theirs, ours = email_columns(link.people.table), email_columns(link.table)
    if not theirs or not ours:
        return
    pairs = [
        (r[link.column.name], str(r[ours[0]]).casefold()) for r in reader.rows(link.table) if "@" in str(r.get(ours[0]))
    ]
    known = {_folded(r[link.people.key.name]): str(r[theirs[0]]).casefold() for r in reader.rows(link.people.table)}
    same = [known[_folded(key)] == mail for key, mail in pairs if _folded(key) in known]
    if len(same) < 2:
        return
    part = sum(same) / len(same)
    if part >= 0.6:
        link.score += 1.0
        link.reasons.append(f"{sum(same)} of {len(same)} e-mail addresses are those of the customer")
    elif part < 0.2:
        link.score -= 2.0


def _as_key(value: Any, key: Column) -> Any:
    """The value as this key would be compared, None where it cannot be one."""
    if key.kind == "integer":
        words = str(value).strip()
        return int(words) if words.lstrip("-").isdigit() and abs(int(words)) < 2**63 else None
    return str(value) if key.kind == "text" else value


def _folded(value: Any) -> str:
    return str(value).casefold().rstrip()


def _plain(value: Any) -> int | str:
    return value if isinstance(value, int | str) else str(value)


def _is_guest(value: Any) -> bool:
    return not isinstance(value, bool) and isinstance(value, int | str) and value in GUESTS


def readable_links(reader: Reader, links: list[Link], refused: dict[str, Table | None]) -> list[Link]:
    """The links that the data do not speak against; why the others were refused goes to `refused`, with their table."""
    kept = []
    for link in links:
        try:
            problem = weigh(reader, link)
        except Unreadable as error:
            problem = (
                f"{link.table.path}.{link.column.name} could not be compared with {link.people.table.path}: {error}"
            )
        if problem:
            refused[problem] = link.table
        else:
            kept.append(link)
    return kept
