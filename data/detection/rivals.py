"""What else could be meant: other amounts of the same orders, other tables."""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.exc import SQLAlchemyError

from data import money
from data.detection.composing import Draft
from data.detection.pairing import Pair
from data.detection.reading import LARGE, Reader, Unreadable
from data.queries.amounts import exact_sum
from data.schema import Schema

MOST, CLOSE = 3, 2.5  # runners-up, and how many points they may be behind
CLOSE_CUSTOMERS = 1.0
CLOSE_AMOUNT = 1.0


def say_other_amounts(reader: Reader, draft: Draft, schema: Schema) -> None:
    """The sums of the orders' other amounts beside the chosen one: a doubt where a name says as much, else a comment."""
    pair, table = draft.pair, schema.order_table
    others = pair.amounts[1 : MOST + 1]
    if table is None or pair.amount is None or not others or reader.size(pair.orders) > LARGE:
        return
    sums = {}
    for one in (pair.amount, *others):
        total = exact_sum(schema, table.c[one.column])
        try:
            sums[one.column] = money.plain(reader.run(select(total))[0][0])
        except (Unreadable, SQLAlchemyError, ArithmeticError):
            continue
    if len(set(sums.values())) < 2:
        return
    shown = ", ".join(f"{name} {total}" for name, total in sums.items())
    line = f"The orders' amounts add up to: {shown}. {pair.amount.column} is taken."
    if pair.amount.score - others[0].score < CLOSE_AMOUNT:
        draft.doubts.append(line)
    else:
        draft.say("orders", "total", line)


def say_other_tables(reader: Reader, draft: Draft, pairs: list[Pair]) -> None:
    """What else looks like orders or customers, as doubts."""
    best = draft.pair
    orders, customers = {best.orders.place}, {best.customers.place}
    for other in pairs:
        behind = best.score - other.score
        if other.orders.place not in orders and behind <= CLOSE and len(orders) <= MOST:
            orders.add(other.orders.place)
            draft.doubts.append(
                f"{other.words} also looks like orders: {_rows(reader, other)} rows. If these are the ones, change [orders]."
            )
        elif other.orders is best.orders and other.customers.place not in customers and behind <= CLOSE_CUSTOMERS:
            customers.add(other.customers.place)
            draft.doubts.append(
                f"{other.orders.path}.{other.link.column.name} also fits {other.customers.path}. If these are the customers, "
                "change [customers] and customer_id."
            )


def _rows(reader: Reader, pair: Pair) -> str:
    try:
        return f"{reader.size(pair.orders):,}"
    except Unreadable:
        return "an unknown number of"
