"""In which currency the orders' amounts are: the column of codes that goes with the amount, and exchange rates beside it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from data.detection.amounts import is_rate, number
from data.detection.reading import Reader
from data.detection.tables import Column, Table
from data.detection.words import listed, raw_words, words_of

if TYPE_CHECKING:
    from data.detection.composing import Draft

NOT_A_CURRENCY = listed("rate factor exchange symbol name conversion")
# Whose currency: an amount and its code have the same of these words, or neither has any.
ROLES = listed("base store global company local home foreign shop account settlement presentment accounting reporting")


def choose_currency(reader: Reader, draft: Draft) -> str | None:
    """The column of currency codes of the amount that is taken, where its values are such codes; and what is in doubt."""
    table = draft.pair.orders
    coded = {c.name: codes for c in table.columns.values() if (codes := _codes(reader, table, c))}
    amount = draft.pair.amount
    role = roles(amount.column) if amount else set[str]()
    fitting = [name for name in coded if roles(name) == role]
    if not fitting:
        _doubt_currency(reader, draft, list(coded))
        return None
    # With several, the order's own: `order_currency` before others.
    name = min(fitting, key=lambda one: ("order" not in words_of(one), list(coded).index(one)))
    _say_chosen(draft, coded[name])
    if not _say_rivals(draft, name, list(coded)):
        _doubt_rates(reader, draft, name)
    return name


def roles(name: str) -> set[str]:
    """Which of several currencies a column's name speaks of; the order's own is none of them."""
    return ROLES & set(raw_words(name))


def _codes(reader: Reader, table: Table, c: Column) -> list[str]:
    """The sample's currency codes, each as often as it occurs; empty where the column does not hold such codes."""
    words = set(words_of(c.name))
    if "currency" not in words or c.kind not in {"text", "any", "enum"} or NOT_A_CURRENCY & words:
        return []
    values = [str(v).strip().upper() for v in reader.values(table, c.name) if str(v).strip()]
    codes = [v for v in values if len(v) == 3 and v.isalpha()]
    return codes if len(codes) >= 0.9 * len(values) else []


def _say_chosen(draft: Draft, values: list[str]) -> None:
    codes = sorted(set(values))
    if len(codes) > 1:
        draft.say(
            "orders",
            "currency",
            f"Orders are in several currencies ({', '.join(codes[:8])}); figures are kept apart, never added across.",
        )
    draft.file["money"]["currency"] = max(codes, key=values.count)


def _say_rivals(draft: Draft, chosen: str, coded: list[str]) -> bool:
    """Names the other pairs of an amount and its currency, such as those of a shop's base currency."""
    pair, rivals = draft.pair, []
    for name in coded:
        amounts = [one.column for one in pair.amounts if roles(one.column) == roles(name) != roles(chosen)]
        rivals += [f"{amounts[0]} with {name}"] if amounts else []
    if rivals and pair.amount:
        draft.doubts.append(
            f"Amounts are those of {pair.amount.column} in {chosen}. {pair.orders.path} also has {', '.join(rivals)}: "
            "take both names of a pair, never one of each."
        )
    return bool(rivals)


def _doubt_rates(reader: Reader, draft: Draft, chosen: str) -> None:
    """An exchange rate beside the code often means that amounts are not in that currency."""
    table = draft.pair.orders
    for c in table.columns.values():
        if is_rate(c) and any(number(v) not in (None, 0, 1) for v in reader.values(table, c.name)):
            draft.doubts.append(
                f"{table.path}.{c.name} looks like an exchange rate: the amounts may be in the shop's base currency, whatever "
                f"{chosen} says. If they are, leave out [orders] currency and write the base currency under [money]."
            )
            return


def _doubt_currency(reader: Reader, draft: Draft, others: list[str]) -> None:
    table = draft.pair.orders
    if others:
        draft.doubts.append(
            f"{', '.join(f'{table.path}.{name}' for name in others)} says a currency, but by its name not that of the amount "
            "that is taken. Write the amount's currency under [money]; until then figures are shown as EUR."
        )
    for c in table.columns.values():
        words = set(words_of(c.name))
        coded = "currency" in words and not {"factor", "exchange", "price"} & words
        if coded and c.name not in others and c.kind in {"integer", "text", "any"}:
            different = len(set(reader.values(table, c.name)))
            if different > 1:
                draft.doubts.append(
                    f"Amounts may be in several currencies: {table.path}.{c.name} has {different} values, which are no currency codes. "
                    "They are added up as one currency, until [orders] is a query that joins the codes."
                )
                return
    if not others:
        draft.say(
            "money",
            "",
            "No column says the currency. Write yours here as a code such as USD; until then figures are shown as EUR.",
        )
