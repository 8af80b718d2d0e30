"""Orders as a query: sums of their lines, cents, and times that are numbers."""

from __future__ import annotations

from sqlalchemy import Connection

from data.detection.amounts import Pricing
from data.detection.pairing import Pair
from data.detection.tables import Table
from data.detection.written import converted
from data.reflection import dialect_of


def needs_query(pair: Pair) -> bool:
    """Whether no column of the orders is the amount or the date as it stands."""
    return pair.amount is None or not pair.amount.is_plain or not pair.date.is_plain


def order_query(connection: Connection, pair: Pair, *, currency: str | None, where: str | None) -> str:
    """The SELECT with the labels id, customer_id, ordered_at and total, and currency where there is one."""
    sql = Names(connection)
    table = pair.orders
    columns = {
        "id": sql.column("o", pair.order_key),
        "customer_id": sql.column("o", pair.link.column.name),
        "ordered_at": _dated(sql, dialect_of(connection), pair),
    }
    if currency:
        columns["currency"] = sql.column("o", currency)
    lines = [f"SELECT {', '.join(f'{expression} AS {label}' for label, expression in columns.items())},"]
    lines.append(f"       {_amount(sql, dialect_of(connection), pair)} AS total")
    lines.append(f"FROM {sql.table(table)} AS o")
    if pair.lines:
        link = f"{sql.column('l', pair.lines.link)} = {sql.column('o', pair.order_key)}"
        if pair.lines.only:
            column, value = pair.lines.only
            link += f" AND {sql.column('l', column)} = '{value}'"
        lines.append(f"LEFT JOIN {sql.table(pair.lines.table)} AS l ON {link}")
    if where:
        lines.append(f"WHERE {where}")
    if pair.lines:
        raw = dict.fromkeys(
            [
                sql.column("o", c)
                for c in (pair.order_key, pair.link.column.name, pair.date.column, *([currency] if currency else []))
            ]
        )
        lines.append(f"GROUP BY {', '.join(raw)}")
    return "\n".join([*lines, ""])


class Names:
    """Names as this engine quotes them."""

    def __init__(self, connection: Connection) -> None:
        self._preparer = connection.dialect.identifier_preparer

    def quote(self, name: str) -> str:
        """One name."""
        return self._preparer.quote(name).replace("%%", "%")  # doubled for drivers, which the mapping does not ask

    def column(self, alias: str, name: str) -> str:
        """A column of an aliased table."""
        return f"{alias}.{self.quote(name)}"

    def table(self, table: Table) -> str:
        """A table with its schema, if it needs one."""
        return ".".join(self.quote(part) for part in (table.schema, table.name) if part)


JOINT = ", '-', "
# Where year, month and day begin in a text, and how long each is.
PARTS = {"compact": ((1, 4), (5, 2), (7, 2)), "dmy": ((7, 4), (4, 2), (1, 2)), "mdy": ((7, 4), (1, 2), (4, 2))}


def _dated(sql: Names, dialect: str, pair: Pair) -> str:
    stored, form = sql.column("o", pair.date.column), pair.date.form
    if pair.date.is_plain:
        return stored
    if form in PARTS:
        words = (
            stored
            if pair.orders.columns[pair.date.column].is_text
            else f"CAST({stored} AS {'CHAR' if dialect == 'mysql' else 'TEXT'})"
        )
        parts = [f"SUBSTR({words}, {start}, {length})" for start, length in PARTS[form]]
        return f"CONCAT({JOINT.join(parts)})" if dialect == "mysql" else " || '-' || ".join(parts)
    seconds = f"NULLIF({stored}, 0)" + (" / 1000" if form == "milliseconds" else "")
    return {"sqlite": f"datetime({seconds}, 'unixepoch')", "postgresql": f"to_timestamp({seconds})"}.get(
        dialect, f"FROM_UNIXTIME({seconds})"
    )


def _amount(sql: Names, dialect: str, pair: Pair) -> str:
    if pair.amount:
        stored = sql.column("o", pair.amount.column)
        if pair.amount.way:
            stored = converted(stored, pair.amount.way, dialect)
        return f"{stored} / {pair.amount.divisor}.0" if pair.amount.divisor else stored
    if pair.lines:
        return f"COALESCE(SUM({_priced(sql, dialect, 'l', pair.lines.table, pair.lines.pricing)}), 0)"
    assert pair.flat is not None
    return _priced(sql, dialect, "o", pair.orders, pair.flat)


def _priced(sql: Names, dialect: str, alias: str, table: Table, pricing: Pricing) -> str:
    def exact(name: str, digits: int) -> str:
        """Floats of four bytes hold 0.15 as 0.1500000060, so they are rounded to what they show."""
        stored = sql.column(alias, name)
        if table.columns[name].kind != "float" or dialect == "sqlite":
            return stored
        return f"CAST(CAST({stored} AS TEXT) AS NUMERIC)" if dialect == "postgresql" else f"ROUND({stored}, {digits})"

    if pricing.total:
        return exact(pricing.total, 2)
    assert pricing.price is not None
    assert pricing.quantity is not None
    product = f"{exact(pricing.price, 2)} * {exact(pricing.quantity, 3)}"
    if not pricing.discount:
        return product
    off = f"COALESCE({exact(pricing.discount, 4)}, 0)"
    ways = {
        "fraction": f"{product} * (1 - {off})",
        "percent": f"{product} * (100 - {off}) / 100.0",
        "amount": f"({product} - {off})",
    }
    return ways[pricing.less]
