"""Tables that hold more than customers or orders: which slice is meant, where the data make it plain."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from data.detection.order_query import Names, needs_query
from data.detection.reading import Reader
from data.detection.statuses import counted
from data.detection.tables import Column, Table
from data.detection.words import listed, words_of

if TYPE_CHECKING:
    from data.detection.composing import Draft

SALES = listed("order sale invoice receipt booking ticket rental shop out transaction")
NO_SALES = listed("cart supplier purchase expense post page revision attachment template entry transfer in")
TELLING = {"type", "kind", "role"}


def slice_customers(reader: Reader, draft: Draft) -> None:
    """Sets [customers] where, if the customers of orders all have one value of a column that others do not have."""
    table, link = draft.pair.customers, draft.pair.link
    values = [v for v in reader.distinct(link.table, link.column.name) if v not in link.guests]
    if not values:
        return
    for c in table.columns.values():
        if not _tells(c, customers=True):
            continue
        everyone = reader.counts(table, c.name)
        linked = reader.known_beside(table, link.people.key.name, values, c.name)
        if not 1 < len(everyone) <= 12 or not linked:
            continue
        shown = counted(everyone)
        beyond = reader.beyond(table, c.name, everyone)
        plain = (len(everyone) == 2 or not c.is_numeric) and "rank" not in words_of(
            c.name
        )  # a rank is a number of orders
        if plain and not beyond and len(linked) == 1 and linked[0] is not None and _is_customer(c, linked[0]):
            value = linked[0]
            draft.file["customers"]["where"] = (
                f"{Names(reader.connection).quote(c.name)} = {_literal(reader, c, value)}"
            )
            draft.file["customers"]["insert"] = {c.name: value if isinstance(value, int | str) else str(value)}
            draft.say("customers", "where", f"{c.name} has {shown}; whoever has orders is {value}.")
            return
        draft.doubts.append(
            f"{table.path}.{c.name} has {shown}{f', and {beyond}' if beyond else ''}: all of them are taken for customers. [customers] where leaves some out."
        )


def _tells(c: Column, *, customers: bool) -> bool:
    words = set(words_of(c.name))
    if c.kind not in {"text", "enum", "boolean", "integer", "any"} or {
        "id",
        "date",
        "time",
        "email",
        "phone",
        "address",
        "payment",
        "note",
    } & words - {"customer"}:
        return False
    flag = customers and "customer" in words and words <= {"customer", "is", "flag", "rank"} and not c.is_text
    return bool(TELLING & words or flag)


def _is_customer(c: Column, value: Any) -> bool:
    """Whether a value says that this is a customer."""
    if "customer" in words_of(c.name) and not TELLING & set(words_of(c.name)):
        return str(value).lower() in {"1", "true", "t", "y", "yes"}
    words = set(words_of(value)) if isinstance(value, str) else set()
    return bool({"customer", "member", "patron"} & words) and "supplier" not in words


def slice_orders(reader: Reader, draft: Draft) -> str | None:
    """A condition that leaves out what is no sale, if a column of types says so in words; else a doubt."""
    table: Table = draft.pair.orders
    for c in table.columns.values():
        words = set(words_of(c.name))
        if (
            not TELLING & words
            or not _tells(c, customers=False)
            or words & {"user", "customer", "currency", "tax", "shipment", "discount", "card"}
        ):
            continue
        counts = reader.counts(table, c.name)
        beyond = reader.beyond(table, c.name, counts) if len(counts) <= 12 else None
        if len(counts) > 12 or (len(counts) < 2 and not beyond):
            continue
        shown = counted(counts)
        if beyond:
            draft.doubts.append(
                f"{table.path}.{c.name} has {shown}, and {beyond}: all of them count as orders. [orders] where leaves some out."
            )
            continue
        meanings = {v: _meaning(v) for v, _ in counts}
        if {"sale", "refund"} >= set(meanings.values()):
            draft.say("orders", "", f"{c.name} has {shown}: all of them count.")
        elif "sale" in meanings.values() and None not in meanings.values():
            kept = [v for v, meaning in meanings.items() if meaning in {"sale", "refund"}]
            draft.say("orders", "where", f"{c.name} has {shown}; only {', '.join(map(str, kept))} count as orders.")
            name, listed = Names(reader.connection).quote(c.name), ", ".join(_literal(reader, c, v) for v in kept)
            name = f"o.{name}" if needs_query(draft.pair) else name
            return f"{name} = {listed}" if len(kept) == 1 else f"{name} IN ({listed})"
        else:
            draft.doubts.append(
                f"{table.path}.{c.name} has {shown}: all of them count as orders. [orders] where leaves some out."
            )
    return None


def _meaning(value: Any) -> str | None:
    """Whether a kind of document is a sale, a refund of one, or neither ("other"); None where its name does not say."""
    words = set(words_of(value)) if isinstance(value, str) else set()
    if NO_SALES & words and not {"out"} & words:
        return "other"
    if "refund" in words:
        return "refund"
    return "sale" if SALES & words else None


def _literal(reader: Reader, c: Column, value: Any) -> str:
    if isinstance(value, bool):
        return ("TRUE" if value else "FALSE") if reader.connection.dialect.name == "postgresql" else str(int(value))
    return str(value) if isinstance(value, int) else "'" + str(value).replace("'", "''") + "'"
