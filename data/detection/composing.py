"""A pair of tables as the mapping of evenbooks.toml, each choice with its reason or its doubt."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from data.detection.currencies import choose_currency
from data.detection.dates import created_column
from data.detection.marks import deletion_mark, find_flags
from data.detection.order_query import needs_query, order_query
from data.detection.pairing import Pair
from data.detection.people import choose_email, choose_name, choose_phone
from data.detection.reading import Reader
from data.detection.slices import SALES, slice_customers, slice_orders
from data.detection.statuses import say_statuses
from data.detection.tables import Column
from data.detection.words import words_of

FORMS = {
    "seconds": "counts seconds since 1970",
    "milliseconds": "counts milliseconds since 1970",
    "compact": "has dates as YYYYMMDD",
    "dmy": "has dates as day, month, year",
    "mdy": "has dates as month, day, year",
}


@dataclass
class Draft:
    """A proposal in the making: the file's sections, and comments by section and key ("" for the section's end)."""

    pair: Pair
    file: dict[str, dict[str, Any]]
    comments: dict[tuple[str, str], list[str]] = field(default_factory=dict)
    reasons: list[str] = field(default_factory=list)
    doubts: list[str] = field(default_factory=list)

    def say(self, section: str, key: str, line: str) -> None:
        """A comment beside a key, or at the section's end."""
        self.comments.setdefault((section, key), []).append(line)


def compose(reader: Reader, pair: Pair) -> Draft:
    """The mapping that this pair leads to. Raises Unreadable where a sample cannot be read."""
    draft = Draft(pair, {"customers": {}, "orders": {}, "money": {}})
    _customers(reader, draft)
    _orders(reader, draft)
    return draft


def _customers(reader: Reader, draft: Draft) -> None:
    table, file = draft.pair.customers, draft.file["customers"]
    names, why = choose_name(reader, table)
    file.update(table=table.path, id=draft.pair.link.people.key.name, name=names[0] if len(names) == 1 else names)
    if table.key != [file["id"]]:
        draft.say(
            "customers", "id", f"Orders name customers by {file['id']}, which is unique, and not by the primary key."
        )
    draft.reasons.append(
        f"Customers are in {table.path}: {'; '.join([*draft.pair.link.people.reasons, 'orders refer to it'])}."
    )
    if why:
        draft.say("customers", "name", f"{why}.")
        if "every customer" not in why:
            draft.doubts.append(f"The name of a customer is {' and '.join(names)}: {why}.")
    chosen = {
        "email": choose_email(reader, table),
        "phone": choose_phone(reader, table),
        "created_at": created_column(reader, table),
    }
    for key, found in chosen.items():
        if found:
            file[key] = found
    if not chosen["email"]:
        draft.say("customers", "", "There is no column of e-mail addresses.")
    mark, explanation = deletion_mark(reader, table)
    if mark:
        file["deleted_at"] = mark
    if explanation:
        draft.say("customers", "deleted_at" if mark else "", explanation)
    for line in find_flags(reader, table, mark):
        draft.say("customers", "", line)
    slice_customers(reader, draft)


def _orders(reader: Reader, draft: Draft) -> None:
    pair, file = draft.pair, draft.file["orders"]
    table = pair.orders
    draft.reasons.append(f"Orders are in {table.path}: {'; '.join(pair.reasons)}.")
    where = slice_orders(reader, draft)
    currency = choose_currency(reader, draft)
    if needs_query(pair):
        file["query"] = order_query(reader.connection, pair, currency=currency, where=where)
        draft.say("orders", "query", _why_query(pair))
    else:
        assert pair.amount is not None
        file.update(table=table.path, id=pair.order_key, customer_id=pair.link.column.name)
        file.update(ordered_at=pair.date.column, total=pair.amount.column)
        if where:
            file["where"] = where
    if pair.link.guests:
        file["no_customer"] = pair.link.guests
        shown = ", ".join(map(repr, pair.link.guests))
        draft.say(
            "orders",
            "no_customer",
            f"{shown} in {pair.link.column.name} is no customer's key, so these are orders of guests.",
        )
    if currency:
        file["currency"] = "currency" if "query" in file else currency
    draft.doubts += [doubt for doubt in (pair.link.doubt,) if doubt]
    if not reader.rows(table):
        draft.doubts.append(f"{table.path} has no rows, so names alone decided.")
    if "payment" in words_of(table.name) and not SALES & set(words_of(table.name)):
        draft.doubts.append(
            f"There are no orders or invoices with an amount, so payments are taken for orders: {table.path}."
        )
    _say_dates(draft)
    _say_amounts(reader, draft)
    say_statuses(reader, draft)


def _why_query(pair: Pair) -> str:
    if pair.lines and pair.lines.only:
        column, value = pair.lines.only
        return f"{pair.orders.path} has no amount, so an order is its row of {pair.lines.table.path} with {column} = {value}; an order without counts with 0."
    if pair.lines:
        return f"{pair.orders.path} has no amount, so an order is the sum of its rows in {pair.lines.table.path}; an order without any counts with 0."
    if pair.flat:
        return f"{pair.orders.path} has no amount, so it is price times quantity."
    parts = []
    if pair.amount and pair.amount.divisor:
        parts.append(f"{pair.amount.column} counts cents, so it is divided by {pair.amount.divisor}")
    if pair.amount and pair.amount.way:
        parts.append(f"{pair.amount.column} is text with a decimal {pair.amount.way}, so it is made a number")
    if not pair.date.is_plain:
        parts.append(f"{pair.date.column} {FORMS[pair.date.form]}, so it is made a date")
    return f"{'; '.join(parts)}."


def _say_dates(draft: Draft) -> None:
    pair = draft.pair
    others = [one.column for one in pair.dates[1:4] if one.score > 0]
    if others:
        draft.say(
            "orders", "ordered_at", f"{pair.date.column} decides the month; {', '.join(others)} would be possible too."
        )
    if pair.date.score < 2:
        draft.doubts.append(f"The date of an order is {pair.orders.path}.{pair.date.column}: its name does not say so.")
    if pair.date.unsure:
        draft.doubts.append(
            f"{pair.orders.path}.{pair.date.column} {FORMS[pair.date.form]}, or day and month the other way round: the sample does not tell."
        )
    if pair.date.form == "text":
        draft.say("orders", "ordered_at", f"{pair.date.column} is text that reads as a date.")


def _say_amounts(reader: Reader, draft: Draft) -> None:
    pair = draft.pair
    for pricing in (pair.lines.pricing if pair.lines else None, pair.flat):
        if pricing and pricing.doubt:
            draft.doubts.append(f"{pricing.doubt}.")
    if pair.amount is None:
        return
    amount: Column = pair.orders.columns[pair.amount.column]
    if amount.kind == "integer" and not pair.amount.divisor:
        draft.doubts.append(
            f"{pair.orders.path}.{amount.name} holds whole numbers: if these are cents, make [orders] a query that divides by 100.0."
        )
    if pair.amount.way:
        draft.doubts.append(
            f"{pair.orders.path}.{amount.name} is text, and every value of the sample is a number with a decimal {pair.amount.way}. "
            "A value written otherwise would count wrongly: look at the query's conversion."
        )
    elif amount.kind in {"text"}:
        draft.say("orders", "total", f"{amount.name} is text; every value of the sample is a number.")
    costs = [
        c.name for c in pair.orders.columns.values() if c.is_numeric and set(words_of(c.name)) <= {"cost", "total"}
    ]
    costs = [name for name in costs if "cost" in words_of(name)]
    if costs and not needs_query(pair):
        draft.say("orders", "", f'{costs[0]} looks like what the order cost: cost = "{costs[0]}" turns profit on.')
    if pair.amount.score < 2.5:
        draft.doubts.append(
            f"The amount of an order is {pair.orders.path}.{amount.name}: its name does not quite say so."
        )
