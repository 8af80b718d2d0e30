"""Amounts, counts, dates and other people's words as the screens say them."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest

from ui import text

LISBON, SYDNEY = ZoneInfo("Europe/Lisbon"), ZoneInfo("Australia/Sydney")
D = Decimal


@pytest.mark.parametrize(
    ("words", "markdown"),
    [
        ("Ana Souza", "Ana Souza"),
        ("**b** _i_ `c`", r"\*\*b\*\* \_i\_ \`c\`"),
        (":red[x] $x$", r"\:red\[x\] \$x\$"),
        ("<script>", r"\<script\>"),
        ("[a](http://x)", "\\[a\\]\\(http\\:\\/\\/\u2060x\\)"),
        ("a@b.cc", "a\\@\u2060b\\.cc"),
        ("www.x.com WWW.x", "www\u2060\\.x\\.com WWW\u2060\\.x"),
        (":streamlit:", "\\:\u2060streamlit\\:"),
        ("a -> b -- c", "a \\-\u2060\\> b \\-\u2060\\- c"),
        ("<-> ~= >=", "\\<\u2060\\-\\> \\~\u2060\\= \\>\u2060\\="),
        ("a->b -1 > 0", r"a\-\>b \-1 \> 0"),
        ("one\r\ntwo\nthree\rfour", "one two three four"),
        ("1. # x", r"1\. \# x"),
        ("&amp; \\", r"\&amp\; \\"),
        ("陈伟 Ä", "陈伟 Ä"),
        (None, "None"),
        (7, "7"),
    ],
)
def test_somebodys_words_are_shown_as_typed(words: object, markdown: str) -> None:
    assert text.typed(words) == markdown


def test_nothing_but_escapes_and_word_joiners_is_added() -> None:
    every = "".join(map(chr, range(32, 127)))
    assert re.sub(r"\\([!-/:-@\[-`{-~])", r"\1", text.typed(every)).replace("\u2060", "") == every


@pytest.mark.parametrize(
    ("value", "decimals", "words"),
    [
        ("1284310.2", 2, "1,284,310.20"),
        ("0.005", 2, "0.01"),
        ("-0.005", 2, "\N{MINUS SIGN}0.01"),
        ("-0.004", 2, "0.00"),
        ("-20.05", 2, "\N{MINUS SIGN}20.05"),
        ("2.5", 0, "3"),
        ("-0.4", 0, "0"),
        ("1265793.0395", 6, "1,265,793.039500"),
        ("99999999999999999999.995", 2, "100,000,000,000,000,000,000.00"),
    ],
)
def test_amounts_are_rounded_half_up_once(value: str, decimals: int, words: str) -> None:
    assert text.amount(D(value), decimals) == words


def test_money_is_by_currency_and_never_across() -> None:
    assert text.money({}) == "nothing"
    assert text.money({"EUR": D("4310.5")}) == "EUR 4,310.50"
    assert text.money({"USD": D("1"), "EUR": D("-2")}) == "EUR \N{MINUS SIGN}2.00 and USD 1.00"
    assert text.money({"JPY": D("1200")}, 0) == "JPY 1,200"
    added = text.add_revenue([{"EUR": D("0.1")}, {"EUR": D("0.2"), "USD": D("1")}, {}])
    assert added == {"EUR": D("0.3"), "USD": D("1")}


def test_a_row_whose_rounded_parts_would_not_add_up_shows_all_its_digits() -> None:
    assert text.row_of_amounts([D("1.10"), D("2.20"), D("3.30")]) == ["1.10", "2.20", "3.30"]
    assert text.row_of_amounts([D("0.004"), D("0.004"), D("0.008")]) == ["0.004000", "0.004000", "0.008000"]
    assert text.row_of_amounts([D("0.004"), D("1"), D("1.004")]) == ["0.00", "1.00", "1.00"]


@pytest.mark.parametrize(
    ("part", "whole", "words"),
    [
        ("84112.40", "1284310.20", "6.5 %"),
        ("0", "5", "0.0 %"),
        ("0.001", "5", "less than 0.1 %"),
        ("-1", "4", "\N{MINUS SIGN}25.0 %"),
        ("5", "5", "100.0 %"),
        ("1", "0", "\N{EN DASH}"),
    ],
)
def test_shares(part: str, whole: str, words: str) -> None:
    assert text.share(D(part), D(whole)) == words


@pytest.mark.parametrize(
    ("number", "words"), [(0, "0 orders"), (1, "1 order"), (2, "2 orders"), (1960, "1,960 orders")]
)
def test_counts(number: int, words: str) -> None:
    assert text.count(number, "order") == words


def test_times_are_the_viewers_and_what_is_no_time_is_as_stored() -> None:
    at = datetime(2026, 5, 3, 22, 58, tzinfo=UTC)
    assert text.day_and_time(at, LISBON) == "3 May 2026, 23:58"
    assert text.day_and_time(at, SYDNEY) == "4 May 2026, 08:58"
    assert text.day_and_time("0000-00-00 00:00:00", LISBON) == "0000-00-00 00:00:00"
    assert text.day_and_time(None, LISBON) == ""


def test_a_day_is_today_by_the_viewers_clock() -> None:
    at, now = datetime(2026, 5, 3, 22, 58, tzinfo=UTC), datetime(2026, 5, 3, 23, 30, tzinfo=UTC)
    assert text.since(at, LISBON, now) == "on 3 May 2026"  # there it is already the 4th
    assert text.since(at, SYDNEY, now) == "today at 08:58"
    assert text.since("03/02/2024", LISBON, now) == "on 03/02/2024"


def test_months() -> None:
    assert text.month("2026-03") == "Mar 2026"
    assert text.month("2026-03", unfinished=True) == "Mar 2026 (so far)"
    assert text.month(None) == "No date"
