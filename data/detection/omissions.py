"""What the proposed revenue may leave out or count wrongly: charges beside the lines, credits, missing amounts, archives."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import func, select, text

from data.detection.amounts import number
from data.detection.order_query import Names, needs_query
from data.detection.reading import Reader, Unreadable
from data.detection.tables import Catalog, Column, Table
from data.detection.words import listed, raw_words, words_of

if TYPE_CHECKING:
    from data.detection.composing import Draft

CHARGES = listed("discount tax fee surcharge tip")
FREIGHT = listed("freight shipping postage porto fracht versandkosten handling livraison")
NO_CHARGE = listed("id type status date time quantity weight name address by email phone")
CREDITS = listed("storno stornorechnung reversal refunded returned gutschriften avoirs nc abono")
CREDITED = listed("type typ kind art doctype")
MOST_SHOWN = 12


def say_omissions(reader: Reader, draft: Draft, catalog: Catalog) -> None:
    """Doubts about what is not in the figures, or is in them with the wrong sign; the heaviest first."""
    try:
        _say_header_charges(reader, draft)
        _say_missing_amounts(reader, draft)
        _say_twins(reader, draft, catalog)
        _say_row_security(reader, draft)
        _say_credits(reader, draft)
    except Unreadable as error:
        draft.doubts.insert(0, f"Not everything about these orders could be looked at: {error}.")


def _say_header_charges(reader: Reader, draft: Draft) -> None:
    """An order's own discount, shipping and tax, where an order is the sum of its lines."""
    pair = draft.pair
    if not pair.lines or pair.lines.only:
        return
    names = [
        c.name
        for c in pair.orders.columns.values()
        if _is_charge(c, pair.orders) and any(number(v) for v in reader.values(pair.orders, c.name))
    ]
    if names:
        shown = ", ".join(f"{pair.orders.path}.{name}" for name in names)
        draft.doubts.append(
            f"Not in the sum of the lines: {shown}. If these belong to revenue, add them to total in the query of [orders]."
        )


def _is_charge(c: Column, table: Table) -> bool:
    words, raw = set(words_of(c.name)), set(raw_words(c.name))
    if not (c.is_numeric or c.kind == "any") or table.reference(c.name) or NO_CHARGE & words:
        return False
    return bool(
        CHARGES & words or FREIGHT & raw or ("shipment" in words and words & {"cost", "amount", "price", "total"})
    )


def _say_missing_amounts(reader: Reader, draft: Draft) -> None:
    pair = draft.pair
    if pair.amount is None:
        return
    column = pair.orders.clause.c[pair.amount.column]
    try:
        missing = int(reader.run(select(func.count()).select_from(pair.orders.clause).where(column.is_(None)))[0][0])
    except Unreadable:
        draft.doubts.append(f"How many orders have no {pair.amount.column} could not be counted.")
        return
    if missing:
        draft.doubts.append(
            f"{missing} of {reader.size(pair.orders)} orders have no {pair.amount.column} (NULL): they count with 0."
        )


def _say_twins(reader: Reader, draft: Draft, catalog: Catalog) -> None:
    """Tables with the same columns as the orders, such as an archive: their orders are not counted."""
    orders = draft.pair.orders
    own = {name.casefold() for name in orders.columns}
    for table in catalog.tables.values():
        if table is orders or len(own) < 3 or {name.casefold() for name in table.columns} != own:
            continue
        try:
            rows = f"{reader.size(table):,}"
        except Unreadable:
            rows = "an unknown number of"
        draft.doubts.append(
            f"{table.path} has the same columns as {orders.path}, and {rows} rows, which are not counted. If they are revenue, "
            "make [orders] a query with UNION ALL."
        )


def _say_row_security(reader: Reader, draft: Draft) -> None:
    """PostgreSQL may show each account other rows of the same table."""
    if reader.connection.dialect.name != "postgresql":
        return
    pair = draft.pair
    tables = [pair.customers, pair.orders, *([pair.lines.table] if pair.lines else [])]
    statement = text(
        "SELECT c.relrowsecurity FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace "
        "WHERE c.relname = :name AND n.nspname = COALESCE(CAST(:schema AS text), current_schema())"
    )
    for table in tables:
        if any(row[0] for row in reader.run(statement.bindparams(name=table.name, schema=table.schema))):
            draft.doubts.append(
                f"{table.path} has row level security: an account sees only the rows that its policies show, so the figures may "
                "be of a part. Use an account that sees every row (BYPASSRLS)."
            )


def _say_credits(reader: Reader, draft: Draft) -> None:
    """Credit notes whose amounts are positive are added, where they should be subtracted or left out."""
    pair = draft.pair
    where = draft.file["orders"].get("where") or draft.file["orders"].get("query", "")
    for c in pair.orders.columns.values():
        if not CREDITED & set(raw_words(c.name)) or not (c.is_text or c.kind == "enum"):
            continue
        counts = {str(v): n for v, n in reader.counts(pair.orders, c.name) if v is not None}
        credits = [v for v in counts if {"refund"} & set(words_of(v)) or CREDITS & set(raw_words(v))]
        if not credits or len(counts) > MOST_SHOWN or not _positive(reader, draft, c, credits):
            continue
        name = Names(reader.connection).quote(c.name)
        values = ", ".join("'" + v.replace("'", "''") + "'" for v in credits)
        kept = f"{where} AND " if where and not needs_query(pair) else ""
        total = Names(reader.connection).quote(pair.amount.column) if pair.amount else "total"
        shown = ", ".join(f"{v}: {counts[v]}" for v in credits)
        draft.doubts.insert(
            0,
            f"{pair.orders.path}.{c.name} has {shown}, with amounts that are not negative, and they are ADDED to revenue. To leave "
            f"them out: {kept}{name} NOT IN ({values}) as the condition. To subtract them: a query with "
            f"CASE WHEN {name} IN ({values}) THEN -{total} ELSE {total} END AS total.",
        )


def _positive(reader: Reader, draft: Draft, c: Column, values: list[str]) -> bool:
    """Whether any such order of the sample has an amount above 0; lines cannot tell, so there it is taken for true."""
    pair = draft.pair
    if pair.amount is None:
        return True
    rows = [row for row in reader.rows(pair.orders) if str(row.get(c.name)) in values]
    found = [n for row in rows if (n := number(row.get(pair.amount.column))) is not None]
    return not found or any(n > 0 for n in found)
