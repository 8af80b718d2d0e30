"""Analytics: what is drawn is what the rows add up to, nothing is dropped, and what cannot be known is said."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
from screens import ANN, as_read, said
from shops import MANAGER, PHONE, STAFF, execute, make_shop, settings_for
from streamlit.testing.v1 import AppTest
from test_revenue_page import ago, figures, money

from data import customers, queries, replica
from data.database import Database, snapshot
from ui import text
from ui.analytics_charts import by_reason

pytestmark = pytest.mark.parametrize("engine_name", ["sqlite"], indirect=True)
NOW = f"{datetime.now(UTC):%Y-%m}"
Opened = Callable[..., Database]


def drawn(at: AppTest, number: int) -> dict[str, list[float]]:
    """A chart's values by trace, in the order of the stack."""
    traces = json.loads(at.get("plotly_chart")[number].proto.spec)["data"]
    return {trace["name"]: trace["y"] for trace in traces}


def alts(at: AppTest) -> list[str]:
    return [chart.proto.alt for chart in at.get("plotly_chart")]


def test_what_is_drawn_is_what_the_deleted_bought(app: Any, shop: Database) -> None:
    customers.delete_many(shop, [1], actor=ANN, reason="fraud")
    execute(shop.engine, "UPDATE customers SET deleted_at = '2024-01-01 00:00:00' WHERE id = 2")
    at = app("analytics", period="All")
    stack = drawn(at, 0)
    assert list(stack) == ["No longer a customer", "Fraud or abuse", "Before Evenbooks"]
    with snapshot(shop) as moment:
        deleted = queries.monthly_deleted(moment.connection, shop.schema)
    assert sum(sum(values) for values in stack.values()) == pytest.approx(float(sum(f.total for f in deleted.values())))
    assert [sum(values) for values in stack.values()] == pytest.approx([100.00, 80.25, 51.01])
    table = at.dataframe[0].value
    assert table["Total"].iloc[0] == "180.25"
    assert list(table.iloc[-1]) == ["Jan 2024", "0.00", "0.00", "51.01", "51.01"]
    assert "EUR 231.26 of revenue rests with 3 deleted customers, and counts in every report." in said(at)


def test_each_chart_says_what_it_counts_and_its_finding(app: Any, shop: Database) -> None:
    at = app("analytics", actor=MANAGER, period="All")
    words = said(at)
    assert "Money counts by order." in words
    assert "Heads: each deletion counts once" in words
    assert "Heads at each month's end" in words
    assert figures(at) == {
        "Revenue at rest (EUR)": "100.00",
        "Deletions": "1",
        "Deleted now": "1",
        "Came back": "0 of 0",
    }
    assert alts(at)[0].startswith("Revenue at rest by month of the deletion: EUR 100.00 in all.")
    assert "The largest part is No longer a customer: EUR 100.00." in alts(at)[0]
    assert alts(at)[1].startswith("Deletions by month: 1 deletion in all.")
    assert alts(at)[2].startswith("4 customers are active and 1 deleted (20.0 %)")
    assert "Nobody was restored yet" in words
    assert drawn(at, 2)["Active customers"][-1] == 4
    assert drawn(at, 2)["Deleted customers"][-1] == 1
    assert list(at.dataframe[-1].value["Name"]) == ["Dora Gone"]


def test_a_reason_has_its_colour_and_its_pattern_whatever_stands_beside_it(app: Any, shop: Database) -> None:
    def looks(at: AppTest) -> dict[str, tuple[str, str]]:
        traces = json.loads(at.get("plotly_chart")[0].proto.spec)["data"]
        return {t["name"]: (t["marker"]["color"], t["marker"]["pattern"]["shape"]) for t in traces}

    before = looks(app("analytics", period="All"))
    customers.delete_many(shop, [1], actor=ANN, reason="requested")
    after = looks(app("analytics", period="All"))
    assert after["No longer a customer"] == before["No longer a customer"]
    assert len(set(after.values())) == 2


def test_every_reason_has_its_own_colour_and_far_more_have_their_own_look(engine_name: str) -> None:
    reasons = {f"of_the_company_{number}": f"Reason {number}" for number in range(60)}
    for sections, many in (({}, False), ({"reasons": reasons}, True)):
        settings = settings_for("sqlite://", sections)
        stack = {(NOW, why): Decimal(1) for why in settings.reason_labels}
        figure = by_reason(stack, [NOW], settings, unfinished=NOW, decimals=0)
        looks = [(one.marker.color, one.marker.pattern.shape) for one in figure.data]
        assert len(set(looks if many else [colour for colour, _ in looks])) == len(settings.reason_labels)


def test_the_period_is_that_of_the_deletion(opened: Opened, empty_url: str, visit: Any) -> None:
    sales = [(1, 1, "2020-01-01 00:00:00", "5.00", "paid"), (2, 4, "2020-01-01 00:00:00", "7.00", "paid")]
    shop = opened(empty_url, sales=sales)
    execute(shop.engine, f"UPDATE customers SET deleted_at = '{ago(14)}-01 00:00:00' WHERE id = 4")
    customers.delete_many(shop, [1], actor=ANN, reason="fraud")
    at = visit("analytics", url=empty_url)
    assert "EUR 5.00 of it with those deleted in the last 12 months." in said(at)
    assert figures(at)["Revenue at rest (EUR)"] == "5.00"
    at = visit("analytics", url=empty_url, period="24 months")
    assert figures(at)["Revenue at rest (EUR)"] == "12.00"
    assert len(drawn(at, 0)["Before Evenbooks"]) == 24  # the whole period


def test_all_charts_have_the_same_months_and_the_sentence_the_first_of_them(
    opened: Opened, empty_url: str, visit: Any
) -> None:
    sales = [(1, 1, f"{ago(0)}-28 23:59:59", "5.00", "paid")]
    shop = opened(empty_url, sales=sales)
    execute(shop.engine, f"UPDATE customers SET created_at = '{ago(30)}-01 00:00:00'")
    execute(shop.engine, f"UPDATE customers SET deleted_at = '{ago(3)}-01 00:00:00' WHERE id = 1")
    customers.restore_many(shop, [1], actor=ANN, reason="restored")
    execute(shop.engine, "UPDATE orders SET customer_id = 4")
    customers.delete_many(shop, [4], actor=ANN, reason="fraud")
    execute(shop.engine, f"UPDATE customers SET deleted_at = '{ago(5)}-01 00:00:00' WHERE id = 4")
    period = [ago(number) for number in range(11, -1, -1)]
    for address, months in (({}, period), ({"period": "All"}, [ago(number) for number in range(30, -1, -1)])):
        at = visit("analytics", url=empty_url, **address)
        labels = [text.month(month, unfinished=month == NOW) for month in months]
        assert len(alts(at)) >= 3
        for chart in at.get("plotly_chart"):
            axis = json.loads(chart.proto.spec)["layout"]["xaxis"]
            assert axis["categoryarray"] == labels
            assert axis["range"] == [-0.5, len(labels) - 0.5]
        assert f"at the end of {text.month(months[0])} it was" in said(at)
        assert len([head for head in at.subheader if head.value == "Revenue at rest"]) == 1


def test_currencies_are_never_added_and_heads_are_the_same_in_each(opened: Opened, empty_url: str, visit: Any) -> None:
    sections = {"orders": {"currency": "status"}}
    sales = [(1, 1, "2024-01-05", "10.00", "EUR"), (2, 1, "2024-01-05", "900.00", "$X$")]
    shop = opened(empty_url, sales=sales, sections=sections)
    customers.delete_many(shop, [1, 2], actor=ANN, reason="fraud")
    for currency, amount in (("EUR", "10.00"), ("$X$", "900.00")):
        at = visit("analytics", url=empty_url, sections=sections, currency=currency)
        assert figures(at)[f"Revenue at rest ({currency})"] == amount
        assert figures(at)["Deletions"] == "2"
        assert f"{currency} {amount} of revenue rests with 2 deleted customers" in said(at)


def test_who_came_back(app: Any, shop: Database) -> None:
    customers.restore_many(shop, [4], actor=ANN, reason="restored")
    execute(
        shop.engine,
        f"INSERT INTO orders (customer_id, ordered_at, total, status) VALUES (4, '{NOW}-28 23:59:59', 12.34, 'paid')",
    )
    at = app("analytics", period="All")
    assert "1 of 1 restored customer bought again since. What they bought in all months: EUR 12.34 in 1 order." in said(
        at
    )
    assert drawn(at, -1) == {"Revenue since the restore": [12.34]}
    assert "Nobody is deleted." in said(at)
    assert "No revenue in EUR rests with anybody who was deleted in all months." in said(at)


def test_a_shop_without_dates_of_creation_says_what_cannot_be_known(opened: Opened, empty_url: str, visit: Any) -> None:
    bare = "CREATE TABLE customers (id {key}, name VARCHAR(60) NOT NULL)"
    opened(empty_url, customers=bare, people=[{"id": 1, "name": "A"}], sales=[], sections={})
    at = visit("analytics", url=empty_url)
    assert "1 customer is active and 0 deleted." in said(at)
    assert "How many were active when cannot be known" in said(at)
    assert list(drawn(at, 0)) == ["Deleted customers"]
    assert at.dataframe[0].value["Active"].iloc[0] == "not known"


def test_a_change_past_us_is_said(app: Any, shop: Database) -> None:
    execute(shop.engine, "UPDATE customers SET deleted_at = NULL WHERE id = 4")
    assert "1 customer fewer is deleted now than the events say" in said(app("analytics", period="All"))


def test_a_reason_s_name_is_shown_as_typed(app: Any, shop: Database, visit: Any, empty_url: str) -> None:
    sections = PHONE | {"reasons": {"inactive": "**bold** $x$"}}
    at = visit("analytics", url=empty_url, sections=sections, period="All")
    assert "The largest part is **bold** $x$" in as_read(said(at))
    assert "**bold**" not in [m.value for m in at.markdown][1]


def test_it_is_read_from_the_replica_which_must_follow(
    app: Any, empty_url: str, tmp_path: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(replica, "KEPT", -1.0)
    monkeypatch.setattr(replica, "PATIENCE", 0.2)
    monkeypatch.setenv("REPORTS_DATABASE_URL", empty_url)
    assert "Read from the replica, 0." in said(app("analytics"))
    other = f"sqlite:///{tmp_path}/other.sqlite"
    make_shop(other).engine.dispose()
    monkeypatch.setenv("REPORTS_DATABASE_URL", other)
    at = app("analytics")
    assert "which does not follow this database" in said(at)
    assert not at.metric


def test_staff_are_refused(app: Any) -> None:
    at = app("analytics", actor=STAFF)
    assert "The role staff may not read revenue." in said(at)
    assert not at.metric


def test_amounts_too_fine_for_the_money_s_decimals_are_whole_in_the_table(
    opened: Opened, empty_url: str, visit: Any
) -> None:
    sales = [(1, 1, "2024-01-05", "0.004", "paid"), (2, 2, "2024-01-05", "0.004", "paid")]
    orders = """CREATE TABLE orders (id {key}, customer_id INTEGER, ordered_at {time} NULL, total DECIMAL(12,3) NOT NULL, status VARCHAR(10))"""
    shop = opened(empty_url, orders=orders, sales=sales)
    customers.delete_many(shop, [1], actor=ANN, reason="fraud")
    customers.delete_many(shop, [2], actor=ANN, reason="mistake")
    at = visit("analytics", url=empty_url)
    assert list(at.dataframe[0].value.iloc[0])[1:] == ["0.004000", "0.004000", "0.008000"]
    assert figures(at)["Revenue at rest (EUR)"] == money(Decimal("0.01"))
