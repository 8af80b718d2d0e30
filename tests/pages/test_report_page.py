"""The monthly report: its figures by hand, nobody's words as HTML, and what happened in the month alone."""

from __future__ import annotations

import base64
import re
from collections.abc import Callable
from datetime import UTC, datetime
from html import unescape
from pathlib import Path
from typing import Any

import pytest
from erasing import erased
from screens import ANN, HOSTILE, as_read, said
from shops import MANAGER, PHONE, STAFF, execute
from streamlit.testing.v1 import AppTest
from test_analytics import change
from test_revenue_page import ago

from data import approvals, customers, seals
from data.access import Actor, Door, Role, Standing
from data.database import Database
from data.months import month_before
from ui import text

pytestmark = pytest.mark.parametrize("engine_name", ["sqlite"], indirect=True)
NOW = f"{datetime.now(UTC):%Y-%m}"
Opened = Callable[..., Database]


def html(at: AppTest) -> str:
    """The report's own HTML, without its style."""
    assert not at.exception, at.exception[0].value
    (body,) = (str(one.proto.body) for one in at.get("html") if "<article" in one.proto.body)
    return body.split("</style>")[1]


def printed(at: AppTest) -> str:
    """Its words as a person reads them, cells apart by a bar."""
    cells = re.sub(r"</t[dh]>", "|", html(at)).replace("&nbsp;", " ")
    return unescape(re.sub(r"<[^>]+>", " ", cells))


def line(at: AppTest, name: str) -> list[str]:
    """A table's row that begins so."""
    found = re.search(rf"<tr[^>]*><td[^>]*>{name}</td>(.*?)</tr>", html(at))
    assert found, name
    return re.findall(r"<td[^>]*>(.*?)</td>", found[1])


def test_the_month_beside_the_one_before_and_a_year_ago(opened: Opened, empty_url: str, visit: Any) -> None:
    sales = [
        (1, 1, "2024-03-31 23:59:59", "100.10", "paid"),
        (2, 4, "2024-03-01 00:00:00", "20.00", "paid"),
        (3, None, "2024-03-10 00:00:00", "9.90", "paid"),
        (4, 77, "2024-03-20 00:00:00", "-1.00", "paid"),
        (5, 4, "2024-02-20 00:00:00", "65.00", "paid"),
        (6, 1, "2023-03-20 00:00:00", "258.00", "paid"),
        (7, 4, "2024-04-01 00:00:00", "1000.00", "paid"),
    ]
    shop = opened(empty_url, sales=sales)
    customers.delete_many(shop, [4], actor=ANN, reason="fraud")
    at = visit("report", url=empty_url, sections=PHONE, actor=MANAGER, month="2024-03")
    assert (
        "EUR 129.00 in Mar 2024, 98.5 % more than in Feb 2024 and 50.0 % less than in Mar 2023. "
        "EUR 20.00 of it (15.5 %) was bought by customers deleted since, and counts." in printed(at)
    )
    assert line(at, "Active customers") == ["100.10", "0.00", "258.00"]
    assert line(at, "No customer") == ["9.90", "0.00", "0.00"]
    assert line(at, "Missing customer") == ["\N{MINUS SIGN}1.00", "0.00", "0.00"]
    assert line(at, "Customers deleted since") == ["20.00", "65.00", "0.00"]
    assert line(at, "Total") == ["129.00", "65.00", "258.00"]
    assert line(at, "Orders") == ["4", "1", "1"]
    assert "The parts were counted apart from the total, and add up to it." in printed(at)
    assert line(at, "Dora Gone")[1] == "20.00"
    images = re.findall(r'alt="([^"]*)" src="data:image/svg\+xml;base64,([^"]*)"', html(at))
    assert images[0][0] == "Revenue by month in EUR, the highest 258.00 in Mar 2023"
    picture = base64.b64decode(images[1][1]).decode()
    assert "Mar 2024" in picture
    assert "Apr 2024" not in picture


def test_what_was_done_in_the_month_and_by_whom(app: Any, shop: Database) -> None:
    change(shop, "delete", [1, 2], "fraud", "2024-02-01 00:00:00", ANN)
    change(shop, "delete", [3], "mistake", "2024-02-29 23:59:59")
    change(shop, "restore", [3], "restored", "2024-03-01 00:00:00")
    execute(shop.engine, "UPDATE customers SET deleted_at = '2024-02-10 00:00:00' WHERE id = 5")
    february = app("report", month="2024-02")
    assert " 4 deletions." in printed(february)
    assert line(february, "Deleted") == ["Fraud or abuse", "test:ann", "2"]
    assert "Before Evenbooks" in printed(february)
    march = app("report", month="2024-03")
    assert line(march, "Restored") == ["Restored by hand", "test:admin", "1"]
    assert " 1 restore." in printed(march)
    assert "What|Why|By|Times|" in re.sub(r"\s*\|\s*", "|", printed(march))


def test_the_books_the_seal_and_what_was_asked_for(app: Any, shop: Database) -> None:
    staff = Actor("jo@example.com", Role.STAFF, Door.DASHBOARD, Standing(claims={"email": "jo@example.com"}))
    seals.seal(shop, "2024-01", actor=ANN)
    at = app("report", month="2024-01")
    assert "The books are even." in printed(at)
    assert re.search(r"Jan 2024 was sealed .* by test:ann \(event \d+\)\.", printed(at))
    assert "No backup was ever checked." in printed(at)
    assert "Nobody asked for an approval." in printed(at)
    assert "Nobody took any." in printed(at)
    ask_for_approval(shop, staff)
    execute(shop.engine, "DELETE FROM evenbooks_checks")
    at = app("report", month=NOW)
    assert "1 asked for; none was decided. 1 wait now." in printed(at)
    assert "The books were never checked." in printed(at)
    assert f"{text.month(NOW)} is not sealed." in printed(at)


def ask_for_approval(shop: Database, actor: Actor) -> None:
    """A deletion that waits."""
    from data import events
    from data.database import in_transaction, now

    def work(connection: Any) -> None:
        head = events.take_turns(connection, shop.schema)
        reason = events.Reason("fraud")
        approvals.request(
            connection, shop.schema, head=head, at=now(), kind="delete", actor=actor, reason=reason, customer_id=1
        )

    in_transaction(shop, work)


def test_the_last_whole_month_unless_the_address_names_one_that_is_over(app: Any) -> None:
    shown = text.month(month_before(NOW))
    for address in ({}, {"month": "tomorrow"}, {"month": "2999-01"}, {"month": "**2020-13**"}):
        at = app("report", **address)
        assert f"Revenue report for {shown}" in printed(at)
        words = [as_read(info.value) for info in at.info]
        reach = f"Reports go from Jan 2024 to {text.month(NOW)}; this is the one of {shown}."
        assert words == [f"There is no report of {asked}. {reach}" for asked in address.values()]
    at = app("report", month=NOW)
    assert not at.info
    assert f"EUR 0.00 in {text.month(NOW)} so far." in printed(at)
    assert at.selectbox(key="month").options[0] == text.month(NOW)


def test_a_month_that_still_runs_is_not_compared_in_per_cent(opened: Opened, empty_url: str, visit: Any) -> None:
    sales = [
        (number, 1, f"{ago(back)}-01 00:00:00", f"{back + 1}0.00", "paid") for number, back in enumerate((0, 1, 12))
    ]
    opened(empty_url, sales=sales)
    at = visit("report", url=empty_url, sections=PHONE, month=NOW)
    before = f"the whole of {text.month(ago(1))} had EUR 20.00, the whole of {text.month(ago(12))} had EUR 130.00."
    assert f"EUR 10.00 in {text.month(NOW)} so far; {before} None of it" in printed(at)


def test_nobody_s_words_are_html(opened: Opened, empty_url: str, visit: Any) -> None:
    people = [{"id": 1, "name": f"<img src=x onerror=alert(1)>{HOSTILE}"}]
    shop = opened(empty_url, people=people, sales=[(1, 1, f"{ago(1)}-05 00:00:00", "5.00", "<b>X")], sections={})
    change(shop, "delete", [1], "fraud", f"{ago(1)}-06 00:00:00", Actor("<i>eve</i>", Role.ADMIN, Door.API))
    at = visit("report", url=empty_url, sections={"orders": {"currency": "status"}})
    assert "<script" not in html(at)
    assert "<img src=x" not in html(at)
    assert "<i>" not in html(at)
    assert "<b>" not in html(at)
    assert "<i>eve</i>" in unescape(html(at))
    assert "&lt;img src=x onerror=alert(1)&gt;" in html(at)


def test_parts_that_do_not_add_up_are_said(app: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    from data import month_report, queries

    whole = queries.monthly_long_way
    lose = {"active": {}}
    monkeypatch.setattr(month_report.queries, "monthly_long_way", lambda *a, **k: whole(*a, **k) | lose)
    assert "The parts do not add up to the total: Feb 2024, Jan 2024." in printed(app("report", month="2024-02"))


def test_the_erased_have_no_name_but_count(
    app: Any, shop: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("data.settings.ROOT", tmp_path)  # where the file of erasures goes
    erased(shop, [4])
    at = app("report", month="2024-01")
    assert line(at, "Erased customer 4")[1] == "33.33"
    assert line(app("report", month=NOW), "Erased") == ["Erasure asked for by the person", "test:admin", "1"]
    assert list(app("analytics", period="All").dataframe[-1].value["Name"]) == ["Erased customer 4"]


def test_staff_are_refused(app: Any) -> None:
    at = app("report", actor=STAFF)
    assert "The role staff may not read revenue." in said(at)
    assert "<article" not in "".join(str(one.proto.body) for one in at.get("html"))
