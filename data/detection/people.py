"""Which tables look like customers, and which of their columns are name, e-mail, phone and the rest."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field

from data.detection.reading import Reader
from data.detection.tables import Column, Table
from data.detection.words import listed, words_of
from data.settings import EMAIL

PREFIXES = listed("wp wc oc ps tbl dbo t tb llx res auth shop crm app public my mst m x header")
OFTEN_CUSTOMERS = listed("user member account contact partner person guest patron company")
NOT_PEOPLE = listed("""
    employee supplier address group log note type status cart refund shipment product order sale invoice
    purchase booking rental ticket receipt transaction donation contract payment document line tax
    discount price cost membership email phone currency balance
""")
NOT_A_NAME = listed("""
    first last user file domain middle nick address product bank host image alias nice short father
    mother suffix prefix group id type status tax email phone employee supplier note legal maiden kana by
    billing shipment md5 hash sort
""")
NOT_AN_EMAIL = listed("""
    canceled verified status token opt note count hash id template subject sent type time date active
    employee supplier
""")
NOT_A_PHONE = {*NOT_AN_EMAIL, "fax", "ext", "extension", "country", "code", "prefix"}
KEYS = {"integer", "text", "uuid", "any"}


@dataclass
class People:
    """A table that may be the customers: the column that tells them apart, how much speaks for it, and why."""

    table: Table
    key: Column
    score: float
    reasons: list[str] = field(default_factory=list)


def named_like_customers(table: Table) -> float:
    """What the table's name says: 4 for customers, 2 for users, members and the like, less for what is no person."""
    words = [word for word in words_of(table.name) if word not in PREFIXES]
    against = sum(word in NOT_PEOPLE for word in words)
    if "customer" in words:
        extra = len([word for word in words if word != "customer" and word not in OFTEN_CUSTOMERS])
        return 4 - 0.3 * extra - 4 * against
    if OFTEN_CUSTOMERS & set(words):
        return 2 - 0.3 * (len(words) - 1) - 4 * against
    return -4.0 * against


def possible_customers(tables: Iterable[Table]) -> tuple[list[People], list[str]]:
    """The tables that may be customers, the likeliest first; and why tables of such a name cannot be."""
    found, refused = [], []
    for table in tables:
        score, reasons = named_like_customers(table), []
        if score > 0:
            reasons.append("its name")
        features = {
            "a name": (1.0, bool(name_columns(table))),
            "an e-mail address": (1.0, bool(email_columns(table))),
            "a phone number": (0.5, bool(phone_columns(table))),
            "an address": (0.5, any("address" in words_of(c) for c in table.columns)),
        }
        present = [label for label, (_, there) in features.items() if there]
        score += sum(weight for weight, there in features.values() if there)
        if score < 1.5:
            continue
        problem = _key_problem(table)
        if problem:
            if score >= 3:
                refused.append(problem)
            continue
        reasons += [f"it has {', '.join(present)}"] if present else []
        score -= 0 if present else 1.5  # more likely a table beside the customers, one row for each
        if table.only_key is not None:
            found.append(People(table, table.only_key, score, reasons))
    return sorted(found, key=lambda one: (-one.score, one.table.path)), refused


def _key_problem(table: Table) -> str | None:
    if table.only_key is None and table.key:
        return (
            f"{table.path} looks like customers, but its key has several columns ({', '.join(table.key)}); "
            "one column must tell customers apart, so composite keys cannot be mapped."
        )
    if table.only_key is None:
        return f"{table.path} looks like customers, but it has no primary key, so nothing tells its rows apart for certain."
    if table.only_key.kind not in KEYS:
        return f"{table.path} looks like customers, but its key {table.only_key.name} is {table.only_key.kind}; keys are integers or text."
    return None


def _is_full_name(words: tuple[str, ...]) -> bool:
    return (
        "name" in words and not NOT_A_NAME & set(words) and not {"contact", "company"} & set(words) and len(words) <= 3
    )


def name_columns(table: Table) -> dict[str, list[str]]:
    """Columns that may name a customer, by kind (full, company, person, contact, login), each in reading order."""
    texts = {c.name: words_of(c.name) for c in table.columns.values() if c.is_text}
    own = set(words_of(table.name))
    first = _shortest(texts, "first")
    last = _shortest(texts, "last")
    found = {
        "full": sorted(
            (n for n, w in texts.items() if _is_full_name(w)),
            key=lambda n: (n in table.key, len(texts[n]), _rank(texts[n])),
        ),
        "company": [n for n, w in texts.items() if "company" in w and set(w) <= {"company", "name", "customer"}],
        "person": [n for n in (first, last) if n],
        "contact": [n for n, w in texts.items() if {"contact", "name"} <= set(w) and not {"first", "last"} & set(w)],
        "login": [
            n
            for n, w in texts.items()
            if set(w) <= {"user", "name", "nick", "nice", "alias", "handle", "display"} and w
        ],
        "self": [n for n, w in texts.items() if len(w) == 1 and w[0] in own and w[0] in {"customer", *OFTEN_CUSTOMERS}],
    }
    return {kind: names for kind, names in found.items() if names}


def _rank(words: tuple[str, ...]) -> int:
    """name before display name before customer name, where lengths are equal."""
    order = ("name", "full", "display", "customer")
    return min((order.index(w) for w in words if w in order and w != "name"), default=0)


def _shortest(texts: dict[str, tuple[str, ...]], word: str) -> str | None:
    fitting = [
        n
        for n, w in texts.items()
        if word in w
        and set(w) <= {word, "name", "customer", "user", "contact", "person", "billing", "header"}
        and len(w) <= 3
    ]
    return min(fitting, key=lambda n: len(texts[n])) if fitting else None


def choose_name(reader: Reader, table: Table) -> tuple[list[str], str]:
    """The columns that make up the name, and why; the key where nothing names a customer."""
    options = name_columns(table)
    person, company = options.get("person", []), options.get("company", [])
    fills = {n: reader.filled(table, n) for names in options.values() for n in names}
    empty = not reader.rows(table)
    if company and ((empty and not person) or fills[company[0]] >= 0.9):
        full = options.get("full", [])
        if not full or fills[full[0]] < fills[company[0]]:
            return company[:1], "every customer has a company name"
    ordered = [
        options.get("full", [])[:1],
        person,
        company[:1],
        options.get("contact", [])[:1],
        options.get("self", [])[:1],
        options.get("login", [])[:1],
    ]
    for names in ordered:
        if names and (empty or max(fills[n] for n in names) >= 0.5):
            return names, ""
    for names in ordered:
        if names and max(fills[n] for n in names) > 0:
            return names, "it is empty for more than half of the sample"
    others = [
        c.name
        for c in table.columns.values()
        if c.is_text and set(words_of(c.name)) & {"id", "account"} and c.name not in table.key
    ]
    if others and reader.filled(table, others[0]) >= 0.9:
        return others[:1], "no column has names, so customers are shown by this"
    email = email_columns(table)
    if email:
        return email[:1], "no column has names, so customers are shown by their address"
    return [c.name for c in table.telling_columns[:1]], "no column has names, so customers are shown by their key"


def email_columns(table: Table) -> list[str]:
    """Columns that may hold e-mail addresses, the plainest name first."""
    found = {c.name: words_of(c.name) for c in table.columns.values() if c.is_text}
    fitting = [n for n, w in found.items() if "email" in w and not (NOT_AN_EMAIL - {"id"}) & set(w)]
    return sorted(fitting, key=lambda n: (len(found[n]), n))


def choose_email(reader: Reader, table: Table) -> str | None:
    """The column of e-mail addresses: one whose values mostly are."""
    for name in email_columns(table):
        values = [str(v).strip() for v in reader.values(table, name) if str(v).strip()]
        if not values or sum(bool(EMAIL.fullmatch(v)) for v in values) >= 0.5 * len(values):
            return name
    return None


def phone_columns(table: Table) -> list[str]:
    """Columns that may hold phone numbers: fixed before mobile."""
    found = {c.name: words_of(c.name) for c in table.columns.values() if c.is_text}
    fitting = [n for n, w in found.items() if {"phone", "mobile"} & set(w) and not (NOT_A_PHONE - {"id"}) & set(w)]
    return sorted(fitting, key=lambda n: ("phone" not in found[n], len(found[n]), n))


def choose_phone(reader: Reader, table: Table) -> str | None:
    """The phone column that is filled most, in the order of `phone_columns` where that is equal."""
    fitting = [n for n in phone_columns(table) if _has_digits(reader.values(table, n))]
    return max(fitting, key=lambda n: reader.filled(table, n)) if fitting else None


def _has_digits(values: list[object]) -> bool:
    words = [str(v) for v in values if str(v).strip()]
    return not words or sum(bool(re.search(r"\d{3}", w)) for w in words) >= 0.5 * len(words)
