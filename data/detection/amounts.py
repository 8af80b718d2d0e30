"""Which column says how much: amounts of orders, and what their lines add up to."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from decimal import Decimal, InvalidOperation

from data.detection.dates import OWN_WORDS
from data.detection.reading import Reader
from data.detection.tables import Column, Table
from data.detection.words import listed, raw_words, weights, words_of
from data.detection.written import way_of

NEVER = listed("""
    quantity id percent weight date time created ordered status type points by email phone name position
    line latitude longitude distance version sequence exchange factor year month
""")
AGAINST = weights("""
    subtotal 2.5  tax 4  shipment 4  discount 4  cost 4  paid 1.2  due 0.6  balance 3  refund 4
    canceled 3  net 0.4  unit 2  real 0.6  invoice 0.2  fee 3  deposit 3  tip 3  commission 3  payment 0.5
    product 2.5  min 2  max 2  minimum 3  online 1  offline 1  gift 3  card 2  credit 2  previous 3
    customer 1  surcharge 3  penalty 3  insurance 3  service 2  adjustment 3  rounding 4  change 2
    given 2  tendered 2  cash 1.5  localtax1 5  localtax2 5  multicurrency 0.8  company 0.8  reward 3
    limit 4  salary 5  budget 3  estimated 2  expected 2  compensation 3
""")
RATES = listed("rate exchange exchangerate kurs wechselkurs factor conversion")


@dataclass(frozen=True)
class Counting:
    """An amount column. `divisor` is 100 where it counts cents; `way`: how its text writes numbers (point, comma)."""

    column: str
    score: float
    divisor: int | None = None
    way: str | None = None

    @property
    def is_plain(self) -> bool:
        """Whether the column can be mapped as it stands."""
        return self.divisor is None and self.way is None


def choose_amount(reader: Reader, table: Table) -> list[Counting]:
    """The columns that may be what an order amounts to, the best first; none below a name that says so."""
    found = []
    for c in table.columns.values():
        score = _by_name(c)
        if score is None or score < 1:
            continue
        values = reader.values(table, c.name)
        numbers = [n for n in map(number, values) if n is not None]
        way = None
        if len(numbers) < len(values) and c.is_text:
            way = way_of(_written(values))
        if way:
            numbers = [Decimal(1)]
        elif values and len(numbers) < 0.98 * len(values):
            continue
        cents = "cents" in words_of(c.name)
        score += {"decimal": 0.6, "double": 0.4, "float": 0.3, "any": 0.2, "integer": 0.0}.get(c.kind, -0.5)
        if reader.rows(table):
            score -= 0 if any(numbers) else 3
            score -= 2 if reader.filled(table, c.name) < 0.3 else 0
        found.append(Counting(c.name, score, 100 if cents else None, way))
    fitting = [one for one in found if one.score >= 1]
    return sorted(fitting, key=lambda one: (-one.score, list(table.columns).index(one.column)))


def unread_amounts(reader: Reader, table: Table) -> str:
    """Which columns are named like an amount and hold no numbers that can be read, with examples; "" where none is."""
    found = []
    for c in table.columns.values():
        words = _written(reader.values(table, c.name)) if c.is_text and (_by_name(c) or 0) >= 1 else []
        odd = list(dict.fromkeys(w for w in words if number(w) is None))[:3]
        if odd:
            found.append(
                f"{c.name} is text such as {', '.join(map(repr, odd))}, which no one way of writing numbers fits"
            )
    return "; ".join(found)


def _written(values: Sequence[object]) -> list[str]:
    return [words for v in values if (words := str(v).strip())]


def is_rate(c: Column) -> bool:
    """Whether a column's name says that it is an exchange rate: `conversion_rate`, `currency_value`, `kurs`."""
    words, raw = set(words_of(c.name)), set(raw_words(c.name))
    if not c.is_numeric or {"tax", "discount", "percent", "id", "total"} & words:
        return False
    return bool(RATES & raw) or ("currency" in words and "value" in raw)


def could_count(table: Table) -> bool:
    """Whether any column could be an amount, by kind and name alone."""
    return any((_by_name(c) or 0) >= 1 for c in table.columns.values())


def _by_name(c: Column) -> float | None:
    """How well the name says that this is what the order amounts to; None where it does not."""
    words = set(words_of(c.name))
    if not (c.is_numeric or c.kind in {"text", "any"}):
        return None
    if NEVER & words or (words & {"is", "has"}) or is_rate(c):
        return None
    main = words & {"total", "amount", "price", "gross", "net", "cents", "subtotal"}
    if not main:
        return None
    score = 0.0
    if "total" in words:
        score = 4.0 + 0.5 * ("amount" in words) + 0.8 * ("grand" in words)
    elif "amount" in words:
        score = 3.4
    elif "gross" in words or "cents" in words:
        score = 3.0
    elif "price" in words:
        score = 2.2
    elif "net" in words:
        score = 2.0
    elif "subtotal" in words:
        score = 4.0
    else:
        score = 2.4
    if OWN_WORDS & words:
        score += 0.3
    against = dict(AGAINST)
    if "tax" in words and {"gross", "net"} & words:
        against.pop("tax")  # total with tax
    if "gross" in words and "tax" not in words:
        score += 0.3
    score -= sum(weight for word, weight in against.items() if word in words)
    unknown = words - set(against) - main - OWN_WORDS - {"grand", "gross", "net"}
    return score - 0.25 * len(unknown) - (0.8 if "base" in c.name.lower().split("_") else 0)


def number(value: object) -> Decimal | None:
    """The value as a number, None where it is none."""
    try:
        found = Decimal(str(value).strip())
    except InvalidOperation:
        return None
    return found if found.is_finite() else None


# Lines

PRICE, QUANTITY = {"price", "amount", "net", "gross"}, {"quantity"}
NOT_LINES = listed("payment refund shipment log tax cart note status discount address")


@dataclass(frozen=True)
class Pricing:
    """What a row of lines amounts to: a column of its own, or price times quantity, less a discount.

    `less` says how: fraction (0.15), percent (15), amount (of the line), or "" without.
    """

    total: str | None = None
    price: str | None = None
    quantity: str | None = None
    discount: str | None = None
    less: str = ""
    doubt: str | None = None


def choose_pricing(reader: Reader, table: Table) -> Pricing | None:
    """How this table's rows amount to something, or None where they do not."""
    numbers = {c.name: words_of(c.name) for c in table.columns.values() if c.is_numeric or c.kind == "any"}
    quantity = _first(
        numbers, lambda w: "quantity" in w and not {"discount", "refund", "canceled", "shipment", "invoice"} & set(w)
    )
    price = _first(numbers, lambda w: "price" in w and "unit" in w and not BARRED & set(w)) or _first(
        numbers, lambda w: "price" in w and not (BARRED - {"list"}) & set(w) and not {"line", "total"} & set(w)
    )
    total = _first(
        numbers,
        lambda w: (
            {"total", "line"} <= set(w) or ("price" in w and {"total", "extended"} & set(w) and not BARRED & set(w))
        ),
    ) or _first(numbers, lambda w: set(w) & {"total", "amount"} and not (BARRED | NEVER) & set(w))
    if price and quantity:
        discount = _first(numbers, lambda w: "discount" in w and not {"id", "type"} & set(w))
        less, doubt = _discounting(reader, table, discount)
        if total and "line" in words_of(total):
            return Pricing(total=total)
        return Pricing(price=price, quantity=quantity, discount=discount if less else None, less=less, doubt=doubt)
    if price and not total and "line" in words_of(table.name):
        return Pricing(total=price, doubt=f"{table.path} has no quantity, so each row counts with its {price}")
    return Pricing(total=total) if total else None


def flat_pricing(reader: Reader, table: Table, amount: Counting | None) -> Pricing | None:
    """What orders without lines amount to, where their best amount is none or no more than a price: price times quantity."""
    words = set(words_of(amount.column)) if amount else {"price"}
    if "price" not in words or {"total", "amount", "gross", "net", "cents", "extended", "line"} & words:
        return None
    found = choose_pricing(reader, table)
    if found is None or not found.quantity or found.total:
        return None if amount else found
    doubt = (
        f"{table.path} has no amount, so an order is {found.price} times {found.quantity}"
        f"{f' less {found.discount}' if found.discount else ''}; if {found.price} is of the whole order, make it the total"
    )
    return replace(found, doubt=f"{found.doubt}. {doubt}" if found.doubt else doubt)


BARRED = listed("tax cost discount refund canceled original list base retail old shipment subtotal purchase")


def _first(numbers: dict[str, tuple[str, ...]], fits: object) -> str | None:
    fitting = [n for n, w in numbers.items() if callable(fits) and fits(w)]
    return min(fitting, key=lambda n: len(numbers[n])) if fitting else None


def _discounting(reader: Reader, table: Table, name: str | None) -> tuple[str, str | None]:
    """How a discount is meant, by its name and its values; and the doubt that remains."""
    if name is None:
        return "", None
    values = [n for n in map(number, reader.values(table, name)) if n is not None]
    if not any(values):
        return (
            "",
            f"{table.path}.{name} looks like a discount, but it is 0 in every row of the sample, so it is left out",
        )
    if max(values) <= 1 and min(values) >= 0:
        return (
            "fraction",
            f"{table.path}.{name} is 0 to 1 in the sample, so it is taken for a part of the price (0.15 = 15 %)",
        )
    if "percent" in words_of(name) or (
        max(values) <= 100 and min(values) >= 0 and "amount" not in words_of(name) and all(v == int(v) for v in values)
    ):
        return (
            "percent",
            f"{table.path}.{name} is {min(values)} to {max(values)} in the sample, so it is taken for percent",
        )
    return (
        "amount",
        f"{table.path}.{name} is {min(values)} to {max(values)} in the sample, so it is taken for an amount off the line",
    )
