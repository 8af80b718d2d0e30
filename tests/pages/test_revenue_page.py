"""Revenue: figures against numbers added in Python from the rows, the chart's own data, the check, the download."""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from decimal import Decimal
from functools import partial
from typing import Any

import pytest
import streamlit as st
from screens import ANN, AUDITOR, MANAGER, as_read, ask_to_delete, check_now, confirm, said, scalar, taken
from shops import PHONE, SALES, execute, fill, problems
from streamlit.testing.v1 import AppTest

from data import customers, integrity
from data.database import Database
from data.months import without_gaps
from data.records import MonthlyRevenue
from data.settings import File, Settings
from data.spreadsheets import inert
from ui import text

ONE_ENGINE = pytest.mark.parametrize("engine_name", ["sqlite"], indirect=True)
NOW = datetime.now(UTC)
Sale = tuple[Any, ...]


def ago(months: int) -> str:
    """A month so long ago, as YYYY-MM."""
    number = NOW.year * 12 + NOW.month - 1 - months
    return f"{number // 12:04}-{number % 12 + 1:02}"


# By number of months ago; customer 4 is deleted, 77 is not there.
RECENT: list[Sale] = [
    (number, customer, f"{ago(months)}-01 00:00:00", amount, "paid")
    for number, (months, customer, amount) in enumerate(
        [
            (0, 1, "100.10"), (0, 4, "3.03"), (1, 4, "20.00"), (1, None, "9.99"), (3, 2, "-20.05"), (11, 4, "11.11"),
            (12, 4, "1000.00"), (13, 1, "5.00"), (23, 3, "23.23"), (30, None, "0.07"), (35, 4, "35.35"), (40, 1, "4.04"),
        ],
        start=1,
    )
]  # fmt: skip


def total(sales: Sequence[Sale], keep: Callable[[Sale], bool] = lambda sale: True) -> Decimal:
    """Amounts added in Python."""
    return sum((Decimal(str(sale[3])) for sale in sales if keep(sale)), Decimal(0))


def of(customer: int | None) -> Callable[[Sale], bool]:
    """Whether a sale is this customer's."""
    return lambda sale: sale[1] == customer


def within(first: str, last: str) -> list[Sale]:
    """The recent sales of these months."""
    return [sale for sale in RECENT if first <= sale[2][:7] <= last]


def figures(at: AppTest) -> dict[str, str]:
    """The key figures as a person reads them."""
    assert not at.exception, at.exception[0].value
    return {as_read(metric.label): str(metric.value) for metric in at.metric}


def traces(at: AppTest) -> dict[str, dict[str | None, float]]:
    """The chart's traces in their order: values by month."""
    spec = json.loads(at.get("plotly_chart")[0].proto.spec)
    return {trace["name"]: dict(zip(trace["x"], trace["y"], strict=True)) for trace in spec["data"]}


def period(at: AppTest, name: str) -> AppTest:
    """Chooses a period."""
    return at.get("button_group")[0].set_value(name).run()


def money(value: Decimal) -> str:
    """An amount as the page shows it."""
    return text.amount(value)


@pytest.fixture
def recent(opened: Any, empty_url: str, visit: Any) -> Any:
    """The Revenue page on recent sales, where customer 4 is deleted and nobody is missing."""
    shop = opened(empty_url, sales=RECENT)
    customers.delete_many(shop, [4], actor=ANN, reason="inactive")
    return partial(visit, "revenue", url=empty_url, sections=PHONE)


def test_the_lines_go_from_edge_to_edge_of_the_bars(recent: Any) -> None:
    spec = json.loads(recent().get("plotly_chart")[0].proto.spec)
    left, total = (trace for trace in spec["data"] if trace["type"] == "scatter")
    for line, shape in zip((left, total), spec["layout"]["shapes"], strict=True):
        points = [float(number) for number in re.findall(r"-?[0-9.]+", shape["path"])]
        assert points == pytest.approx([-0.5, line["y"][0], 0, line["y"][0], 11, line["y"][-1], 11.5, line["y"][-1]])
        assert shape["legendgroup"] == line["legendgroup"]  # the legend hides both


def test_each_period_against_numbers_added_by_hand(recent: Any) -> None:
    at = recent()
    windows = {"12 months": ago(11), "24 months": ago(23), "36 months": ago(35), "All": "0000-00"}
    for name, first in windows.items():
        sales = within(first, ago(0))
        period(at, name)
        words = "in all months" if name == "All" else f"in the last {name}"
        all_of_it, gone = money(total(sales)), money(total(sales, of(4)))
        share = text.share(total(sales, of(4)), total(sales))
        assert (
            f"EUR {all_of_it} {words}. EUR {gone} of it ({share}) was bought by customers deleted since; "
            "a hard delete would have taken it out of this chart." in said(at)
        )
        assert figures(at) == {
            "Revenue (EUR)": all_of_it,
            "Less, had they been hard-deleted (EUR)": gone,
            "Orders": str(len(sales)),
            "No customer (EUR)": money(total(sales, of(None))),
        }
        assert f"Deleted customers that matter most {words}" in said(at)
        assert list(at.dataframe[1].value["Name"]) == ["Dora Gone"]
        assert list(at.dataframe[1].value["Revenue (EUR)"]) == [gone]


@ONE_ENGINE
def test_from_and_to_in_both_orders(recent: Any) -> None:
    at = recent(period="From, to")
    assert "Traceback" not in said(at)
    for first, last in ((12, 1), (1, 12)):
        at.selectbox(key="from").set_value(ago(first))
        at.selectbox(key="to").set_value(ago(last)).run()
        sales = within(ago(12), ago(1))
        assert f"EUR {money(total(sales))} from {text.month(ago(12))} to {text.month(ago(1))}." in said(at)
        assert figures(at)["Orders"] == str(len(sales))
    at.selectbox(key="to").set_value(ago(12)).run()
    at.selectbox(key="from").set_value(ago(12)).run()
    assert figures(at)["Revenue (EUR)"] == "1,000.00"


@ONE_ENGINE
def test_an_address_with_a_period_that_is_none_shows_the_last_twelve_months(recent: Any) -> None:
    assert "in the last 12 months" in said(recent(period="yesterday"))


def test_the_chart_holds_the_stack_in_order_and_its_lines_agree(recent: Any) -> None:
    at = recent(period="All")
    drawn = traces(at)
    assert list(drawn) == [
        "Active customers", "No customer", "Deleted customers", "What a hard delete would show", "Total"
    ]  # fmt: skip
    labels = [text.month(ago(months), unfinished=months == 0) for months in range(40, -1, -1)]
    for values in drawn.values():
        assert list(values) == labels
    for months in range(41):
        month, label = ago(months), text.month(ago(months), unfinished=months == 0)
        sales = within(month, month)
        bars = [drawn[name][label] for name in list(drawn)[:3]]
        expected = [total(sales, lambda s: s[1] in (1, 2, 3)), total(sales, of(None)), total(sales, of(4))]
        assert bars == [float(value) for value in expected]
        assert round(sum(bars), 6) == drawn["Total"][label] == float(total(sales))
        assert drawn["What a hard delete would show"][label] == float(total(sales) - total(sales, of(4)))


@ONE_ENGINE
def test_the_unfinished_month_is_hatched_and_named_and_the_lines_are_told_apart(recent: Any) -> None:
    at = recent()
    chart = at.get("plotly_chart")[0].proto
    spec = json.loads(chart.spec)["data"]
    for bar in spec[:3]:
        assert bar["marker"]["pattern"]["shape"][-1] == "/"
        assert not any(bar["marker"]["pattern"]["shape"][:-1])
        assert bar["x"][-1] == f"{text.month(ago(0))} (so far)"
    assert [trace["line"].get("dash") for trace in spec[3:]] == ["dot", None]
    assert spec[2]["customdata"][-1] == "3.03"
    assert len({bar["marker"]["color"] for bar in spec[:3]}) == 3
    assert chart.alt == as_read(at.markdown[0].value)
    assert chart.alt.startswith("EUR ")


def test_orders_of_missing_customers_are_red_and_only_where_there_are_some(app: Any) -> None:
    at = app("revenue", period="All")
    drawn = traces(at)
    assert list(drawn)[:4] == ["Active customers", "No customer", "Missing customer", "Deleted customers"]
    assert drawn["Missing customer"] == {"Jan 2024": 0, "Feb 2024": 5.55, "Mar 2024": 0, "Apr 2024": 0, "No date": 0}
    assert figures(at)["Revenue (EUR)"] == money(total(SALES))
    assert list(at.dataframe[0].value["Missing customer"]) == ["0.00", "0.00", "0.00", "5.55", "0.00"]


def test_orders_without_a_date_are_a_line_of_their_own_and_in_no_window(app: Any) -> None:
    at = app("revenue", period="All")
    assert traces(at)["Active customers"]["No date"] == 1.01
    assert at.dataframe[0].value["Month"][0] == "No date"
    period(at, "From, to")
    at.selectbox(key="from").set_value("2024-01")
    at.selectbox(key="to").set_value("2024-04").run()
    assert figures(at)["Revenue (EUR)"] == money(total(SALES) - Decimal("1.01"))
    assert "No date" not in traces(at)["Total"]


@ONE_ENGINE
def test_the_table_is_newest_first_with_months_in_which_nobody_ordered(app: Any) -> None:
    frame = app("revenue", period="All").dataframe[0].value
    assert list(frame.columns) == ["Month", "Orders", "Active", "No customer", "Missing customer", "Deleted", "Total"]
    assert list(frame["Month"]) == ["No date", "Apr 2024", "Mar 2024", "Feb 2024", "Jan 2024"]
    assert list(frame.loc[2]) == ["Mar 2024", 0, "0.00", "0.00", "0.00", "0.00", "0.00"]
    assert list(frame.loc[4]) == ["Jan 2024", 3, "100.10", "9.99", "0.00", "33.33", "143.42"]


def test_cost_turns_profit_on(opened: Any, empty_url: str, visit: Any) -> None:
    sections = {"orders": {"cost": "cost"}}
    shop = opened(empty_url, also=["ALTER TABLE orders ADD COLUMN cost DECIMAL(12,2)"])
    execute(
        shop.engine,
        "UPDATE orders SET cost = total / 2 WHERE customer_id = 4",
        "UPDATE orders SET cost = 1 WHERE id = 1",
    )
    at = visit("revenue", url=empty_url, sections=sections, period="All")
    cost = Decimal(str(scalar(shop, "SELECT round(sum(cost), 2) FROM orders")))
    assert figures(at)["Profit (EUR)"] == money(total(SALES) - cost)
    assert "No customer (EUR)" not in figures(at)
    assert at.dataframe[0].value["Profit"].iloc[-1] == at_jan(shop)


def at_jan(shop: Database) -> str:
    """January's profit, by one plain statement."""
    sql = "SELECT round(sum(total) - sum(coalesce(cost, 0)), 2) FROM orders WHERE ordered_at < '2024-02-01'"
    return money(Decimal(str(scalar(shop, sql))))


def test_currencies_are_shown_one_at_a_time_and_never_added(opened: Any, empty_url: str, visit: Any) -> None:
    sections = {"orders": {"currency": "status"}}
    sales = [
        (1, 1, "2024-01-05", "10.00", "EUR"), (2, 4, "2024-01-05", "20.00", "EUR"), (3, 4, "2024-02-05", "0.70", "$X$"),
        (4, 1, "2024-02-05", "7.00", "$X$"), (5, None, "2024-01-05", "1.00", None),
    ]  # fmt: skip
    shop = opened(empty_url, sales=sales, sections=sections)
    customers.delete_many(shop, [4], actor=ANN, reason="fraud")
    at = visit("revenue", url=empty_url, sections=sections, period="All")
    assert at.selectbox(key="currency").options == ["$X$", "EUR", "XXX"]
    expected = {"$X$": ("7.70", "0.70"), "EUR": ("30.00", "20.00"), "XXX": ("1.00", "0.00")}
    for currency, (whole, gone) in expected.items():
        at.selectbox(key="currency").set_value(currency).run()
        assert figures(at)[f"Revenue ({currency})"] == whole
        assert figures(at)[f"Less, had they been hard-deleted ({currency})"] == gone
        assert f"{currency} {whole} in all months." in said(at)
        assert "$X$" not in str([m.value for m in at.markdown]) + str([m.label for m in at.metric])
    assert "None of it was bought by customers deleted since." in said(at)
    assert visit("revenue", url=empty_url, sections=sections, period="All", currency="EUR").metric[0].value == "30.00"


def test_each_currency_has_its_own_deleted_customers_that_matter_most(opened: Any, empty_url: str, visit: Any) -> None:
    sections = {"orders": {"currency": "status"}}
    people = [{"id": number, "name": f"N{number}"} for number in range(1, 13)]
    yen = [(number, number, "2024-01-05", f"{number}000", "JPY") for number in range(1, 13)]
    shop = opened(empty_url, people=people, sales=[*yen, (99, 1, "2024-01-05", "5.00", "EUR")], sections=sections)
    customers.delete_many(shop, list(range(1, 13)), actor=ANN, reason="fraud")
    at = visit("revenue", url=empty_url, sections=sections, period="All", currency="EUR")
    assert list(at.dataframe[1].value["Name"]) == ["N1"]
    at.selectbox(key="currency").set_value("JPY").run()
    assert list(at.dataframe[1].value["Name"]) == [f"N{number}" for number in range(12, 2, -1)]


def test_deleting_leaves_the_total_and_moves_the_amount_from_active_to_deleted(app: Any, shop: Database) -> None:
    at = app("revenue", period="All")
    before, lines = figures(at), traces(at)
    at.switch_page("pages/customers.py").run()
    confirm(ask_to_delete(at, 0))
    assert "Ana Lima is deleted. 3 orders (EUR 80.25) still count." in said(at)
    at.switch_page("pages/revenue.py").run()
    period(at, "All")
    after, drawn = figures(at), traces(at)
    assert after["Revenue (EUR)"] == before["Revenue (EUR)"] == money(total(SALES))
    assert after["Orders"] == before["Orders"] == str(len(SALES))
    assert before["Less, had they been hard-deleted (EUR)"] == "100.00"
    assert after["Less, had they been hard-deleted (EUR)"] == "180.25"
    assert drawn["Total"] == lines["Total"]
    assert drawn["No customer"] == lines["No customer"]
    moved = {"Jan 2024": 100.10, "Feb 2024": -19.85, "Mar 2024": 0.0, "Apr 2024": 0.0, "No date": 0.0}
    for label, amount in moved.items():
        assert round(drawn["Deleted customers"][label] - lines["Deleted customers"][label], 6) == amount
        assert round(lines["Active customers"][label] - drawn["Active customers"][label], 6) == amount


# The check


def test_never_checked_even_and_not_even(app: Any, shop: Database) -> None:
    execute(shop.engine, "DELETE FROM evenbooks_checks")
    at = app("revenue", period="All")
    assert "never checked" in said(at)
    check_now(at)
    assert scalar(shop, "SELECT count(*) FROM evenbooks_checks") == 1
    assert re.search(r"last checked, last even: \d+ \w{3} \d{4}, \d\d:\d\d", said(at))
    assert (
        "The books are even. Active + deleted + no customer + missing customer = total, to the last digit, in all 3 months"
        in said(at)
    )

    execute(shop.engine, "UPDATE customers SET deleted_at = '2024-01-01 00:00:00' WHERE id = 2")
    check_now(at)
    assert scalar(shop, "SELECT count(*) FROM evenbooks_checks") == 2
    assert re.search(r"not even when checked, \d+ \w{3} \d{4}", said(at))
    assert re.search(r"last even: \d+ \w{3} \d{4}, \d\d:\d\d", said(at))
    assert (
        "The books are not even: Customers deleted or restored behind the back of Evenbooks, or gone: 1 (2)."
        in said(at)
    )
    assert not at.success
    execute(shop.engine, "DELETE FROM evenbooks_checks WHERE even")
    st.cache_data.clear()
    assert "last even" not in said(at.run())


@pytest.mark.parametrize("actor", [MANAGER, AUDITOR])
@ONE_ENGINE
def test_managers_and_auditors_may_look_and_check(app: Any, shop: Database, actor: Any) -> None:
    at = check_now(app("revenue", actor=actor, period="All"))
    assert "The books are even." in said(at)
    assert problems(shop) == []


# The rest


def test_no_orders_at_all_and_none_in_this_period_say_what_to_do(opened: Any, empty_url: str, visit: Any) -> None:
    shop = opened(empty_url, sales=[])
    for name in ("12 months", "From, to", "All"):
        at = visit("revenue", url=empty_url, period=name)
        assert "No orders" in said(at)
        assert "When there are orders, their revenue by month is drawn here." in said(at)
        assert not at.metric
    fill(shop.engine, "orders", [{"id": 1, "customer_id": 1, "ordered_at": "2024-01-05 00:00:00", "total": "5.00"}])
    at = visit("revenue", url=empty_url)
    assert "No orders in the last 12 months." in said(at)
    assert "The last orders are of Jan 2024: choose All to see them." in said(at)
    assert figures(period(at, "All"))["Revenue (EUR)"] == "5.00"


@ONE_ENGINE
def test_the_screen_says_when_its_figures_were_read(app: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    at = app("revenue", period="All")
    first = at.caption[0].value
    assert re.fullmatch(r"as of \d\d:\d\d:\d\d, your time", first)
    monkeypatch.setattr("data.database.now", lambda: datetime(2026, 1, 1, 12, 34, 56, tzinfo=UTC))
    assert at.run().caption[0].value == first  # kept for a minute, and says so
    st.cache_data.clear()
    assert at.run().caption[0].value == "as of 12:34:56, your time"


def settings(**sections: Any) -> Settings:
    """Settings of a file with these sections."""
    return Settings(**dict(File.model_validate(sections)), database_url="sqlite://")


def row(month: str | None, currency: str = "EUR", **amounts: str) -> MonthlyRevenue:
    """A month with these parts."""
    parts = {name: Decimal(amounts.get(name, "0")) for name in ("active", "deleted", "no_customer", "missing_customer")}
    cost = Decimal(amounts.get("cost", "0"))
    return MonthlyRevenue(month, currency, 3, **parts, total=sum(parts.values(), Decimal(0)), cost=cost)


@pytest.mark.parametrize("sign", ["=", "+", "-", "@", "\t", "\r"])
def test_text_that_begins_a_formula_is_made_inert(sign: str) -> None:
    assert inert(f"{sign}1") == f"'{sign}1"
    assert inert("EUR") == "EUR"


def test_the_download_is_of_the_months_that_are_shown(recent: Any) -> None:
    at = recent(period="24 months")
    head, *months = list(csv.reader(io.StringIO(taken(at, ANN))))
    assert (head[0], head[-1]) == ("month", "total")
    assert [month[0] for month in months] == sorted(ago(n) for n in range(24))
    assert sum(Decimal(month[-1]) for month in months) == total(within(ago(23), ago(0)))


def test_gaps_are_filled_within_reason_only() -> None:
    months = [row("2024-01", active="1"), row("2024-03", active="2"), row(None, active="3")]
    filled = without_gaps(months)
    assert [m.month for m in filled] == ["2024-01", "2024-02", "2024-03", None]
    assert (filled[1].currency, filled[1].orders) == ("EUR", 0)
    assert integrity.add_up(filled) == integrity.add_up(months)
    assert without_gaps([]) == []
    far = [row("1001-01"), row("2024-03")]
    assert without_gaps(far) == far
