"""Which tables are the orders: links, dates and amounts weighed together, the best pair first."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from data.detection.amounts import (
    NOT_LINES,
    Counting,
    Pricing,
    choose_amount,
    choose_pricing,
    could_count,
    flat_pricing,
    unread_amounts,
)
from data.detection.dates import Dating, choose_date, could_date
from data.detection.links import Link, find_links, readable_links
from data.detection.people import PREFIXES, possible_customers
from data.detection.reading import Reader, Unreadable
from data.detection.tables import Catalog, Table
from data.detection.words import weights, words_of

NAMES = weights("""
    order 3  invoice 2.9  billing 1.5  sale 2.8  purchase 2.3  booking 2.2  receipt 2.2  rental 2  ticket 2
    donation 2.2  transaction 1.8  document 1.4  contract 1.6  payment 1
""")
AGAINST = weights("""
    line 4  status 4  log 4  note 3  address 4  cart 3.5  refund 3  shipment 3  product 2  discount 3
    tax 3  type 3  group 3  customer 0.3  employee 3  supplier 3  membership 2  email 3  balance 3
    currency 3  grid 1.5  subscription 1  recurring 2  template 3  method 3  schedule 3
""")
MOST_PAIRS = 40


@dataclass
class Lines:
    """A table whose rows make up the orders: its column that names the order, and what a row amounts to.

    `only`: a column and the value of it that the rows that count have, where each order has rows of several kinds.
    """

    table: Table
    link: str
    pricing: Pricing
    only: tuple[str, str] | None = None


@dataclass
class Pair:
    """Customers and orders that may be the company's, with what speaks for them."""

    link: Link
    date: Dating
    dates: list[Dating]
    amount: Counting | None
    amounts: list[Counting]
    lines: Lines | None
    flat: Pricing | None
    score: float
    reasons: list[str] = field(default_factory=list)

    @property
    def orders(self) -> Table:
        """The orders' table."""
        return self.link.table

    @property
    def order_key(self) -> str:
        """The column that tells orders apart."""
        key = self.orders.only_key
        assert key is not None
        return key.name

    @property
    def customers(self) -> Table:
        """The customers' table."""
        return self.link.people.table

    @property
    def words(self) -> str:
        """What it is, for a runner-up: `payments.amount by paymentDate, of customers`."""
        if self.amount:
            what = self.amount.column
        else:
            what = f"the sum of {self.lines.table.path}" if self.lines else "price times quantity"
        return f"{self.orders.path} ({what} by {self.date.column}, of {self.customers.path})"


def find_pairs(reader: Reader, catalog: Catalog, refused: dict[str, Table | None]) -> list[Pair]:
    """The pairs of customers and orders, the best first. What was looked at and why it cannot be goes to `refused`."""
    tables = list(catalog.tables.values())
    people, problems = possible_customers(tables)
    refused.update(dict.fromkeys(problems))
    if not people:
        refused.setdefault(
            "No table looks like customers: none has one key column and a name, an e-mail address or a name of its own that says so."
        )
        return []
    links = find_links(tables, people)
    if not links:
        refused[f"No column names a customer of {people[0].table.path}, by foreign key or by its name."] = None
    links.sort(key=lambda one: (-_promise(one), one.table.path, one.column.name))
    pairs = []
    for link in readable_links(reader, links[:MOST_PAIRS], refused):
        try:
            pair = _pair(reader, catalog, link, refused)
        except Unreadable as error:
            refused[f"{link.table.path} could not be read: {error}"] = link.table
            continue
        if pair:
            pairs.append(pair)
    return sorted(pairs, key=lambda one: (-one.score, one.orders.path, one.customers.path))


def named_like_orders(table: Table) -> float:
    """What the table's name says: up to 3 for orders and invoices, below 0 for lines, logs and the like."""
    words = [w for w in words_of(table.name) if w not in PREFIXES]
    score = max((NAMES[w] for w in words if w in NAMES), default=0.0)
    score -= sum(AGAINST.get(w, 0) for w in set(words))
    return score - 0.2 * max(0, len(set(words) - set(NAMES) - set(AGAINST)))


def _promise(link: Link) -> float:
    """How much a link is worth a look, before any row is read."""
    shape = 1.5 * could_date(link.table) + 1.5 * could_count(link.table)
    return link.score + link.people.score * 0.5 + named_like_orders(link.table) + shape


def _pair(reader: Reader, catalog: Catalog, link: Link, refused: dict[str, Table | None]) -> Pair | None:
    table, named = link.table, named_like_orders(link.table)
    dates = choose_date(reader, table) if could_date(table) else []
    amounts = choose_amount(reader, table)
    lines = None if amounts else _lines_of(reader, catalog, table)
    flat = None
    if not lines and table.only_key is not None:
        flat = flat_pricing(reader, table, amounts[0] if amounts else None)
        amounts = [] if flat else amounts
    problem = _problem(table, link, bool(dates), bool(amounts or lines or flat), named)
    if problem:
        unread = unread_amounts(reader, table) if not (amounts or lines or flat) else ""
        if named >= 1 or link.score >= 1:  # it came near, so it is said why it is not taken
            refused[f"{problem.rstrip('.')}: {unread}." if unread else problem] = table
        return None
    has_rows = bool(reader.rows(table))
    score = named + link.score + 0.6 * link.people.score + min(dates[0].score, 5) * 0.3
    score += min(amounts[0].score, 5) * 0.3 if amounts else 0.7 if lines else 0.2
    score += 0.5 if has_rows else -1.5
    reasons = [*link.reasons]
    if named > 0:
        reasons.append(f"{table.path} is named like orders")
    return Pair(link, dates[0], dates, amounts[0] if amounts else None, amounts, lines, flat, score, reasons)


def _problem(table: Table, link: Link, dated: bool, counted: bool, named: float) -> str | None:
    if not dated and not counted:
        return f"{table.path} has neither a date nor an amount."
    if not dated:
        return f"{table.path} has no date that can be read."
    if not counted:
        return f"{table.path} has no amount, and no table with its lines was found."
    if table.only_key is None:
        return f"{table.path} has {'a key of several columns (' + ', '.join(table.key) + ')' if table.key else 'no primary key'}, so its orders cannot be told apart."
    if named < -2 or link.score < 0:
        return f"{table.path} does not look like orders of {link.people.table.path}."
    return None


def _lines_of(reader: Reader, catalog: Catalog, orders: Table) -> Lines | None:
    """The table whose rows make up these orders."""
    key = orders.only_key
    if key is None:
        return None
    found: list[tuple[float, Lines]] = []
    totals = next((one for table in catalog.tables.values() if (one := _totals_of(reader, table, orders))), None)
    if totals:
        return totals
    for table in catalog.tables.values():
        words = set(words_of(table.name))
        link = _line_link(table, orders)
        if link is None or NOT_LINES & words or table is orders:
            continue
        try:
            pricing = choose_pricing(reader, table)
            if pricing is None or not _names_orders(reader, table, link, orders):
                continue
        except Unreadable:
            continue
        score = 2.0 * ("line" in words) + len(words & set(words_of(orders.name))) + (1.0 if pricing.price else 0.0)
        found.append((score + bool(table.reference(link)), Lines(table, link, pricing)))
    return max(found, key=lambda one: (one[0], one[1].table.path))[1] if found else None


def _totals_of(reader: Reader, table: Table, orders: Table) -> Lines | None:
    """A table with a row for each sum of an order (subtotal, tax, total), told apart by a class: its row of the total."""
    link = _line_link(table, orders) if table is not orders and "total" in words_of(table.name) else None
    amount = next(
        (c.name for c in table.columns.values() if c.is_numeric and c.name.lower() in {"value", "amount"}), None
    )
    if link is None or amount is None:
        return None
    for c in table.columns.values():
        if c.is_text and c.name.lower() in {"class", "code", "type"}:
            try:
                names = [v for v, _ in reader.counts(table, c.name) if isinstance(v, str)]
                totals = [v for v in names if re.fullmatch(r"(ot_)?(grand_?)?total", v.casefold())]
                if len(totals) == 1 and _names_orders(reader, table, link, orders):
                    return Lines(table, link, Pricing(total=amount), (c.name, totals[0]))
            except Unreadable:
                return None
    return None


def _line_link(table: Table, orders: Table) -> str | None:
    """The column by which a table names these orders, by foreign key or by name."""
    key = orders.only_key
    assert key is not None
    for one in table.references:
        if (one.schema, one.table) == orders.place and one.referred in ("", key.name):
            return one.column
    own = set(words_of(orders.name)) & set(NAMES)
    for c in table.columns.values():
        words = words_of(c.name)
        same = c.name.casefold() == key.name.casefold() and set(words) != {"id"}
        if (
            c.kind == key.kind
            and not table.reference(c.name)
            and (same or ("id" in words and set(words) - {"id"} and set(words) - {"id"} <= own))
        ):
            return c.name
    return None


def _names_orders(reader: Reader, table: Table, link: str, orders: Table) -> bool:
    if table.reference(link):
        return True
    key = orders.only_key
    values = reader.distinct(table, link)
    return key is not None and (not values or len(reader.known(orders, key.name, values)) >= 0.5 * len(values))
