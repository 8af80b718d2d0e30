"""Financial Integrity: the verdict, the identity, every check with its evidence, the running check, seals, probe, proof."""

from __future__ import annotations

import importlib
import json
import threading
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
import streamlit as st
from screens import (
    AUDITOR,
    HOSTILE,
    MANAGER,
    STAFF,
    as_read,
    check_now,
    dialog,
    disabled,
    events_of,
    press,
    said,
    scalar,
)
from shops import PHONE, SALES, execute, fill, problems, rows, state
from streamlit.testing.v1 import AppTest

from data import customers, integrity, queries, seals
from data.database import Database, snapshot
from data.errors import DatabaseUnavailable
from data.integrity import Check, Finding, Report
from data.integrity.proof import read_proof_file
from data.integrity.report import Answer
from data.records import MonthlyRevenue
from data.settings import ROOT
from ui import checking, evidence, months, printed, text
from ui import integrity as screens

ONE_ENGINE = pytest.mark.parametrize("engine_name", ["sqlite"], indirect=True)
TABS = {"view": "Months"}


def labels(at: AppTest) -> list[str]:
    """The checks as listed: word and question."""
    assert not at.exception, at.exception[0].value
    return [as_read(e.label) for e in at.expander if "-badge[" in e.label]


def verdict(at: AppTest, kind: str) -> str:
    """The verdict's words, which must stand in a box of this kind (success, warning, error)."""
    said(at)
    found = [as_read(str(box.value)) for box in getattr(at, kind) if str(box.value).startswith("## ")]
    assert len(found) == 1, [b.value for name in ("success", "warning", "error") for b in getattr(at, name)]
    return found[0]


def open_check(at: AppTest, name: str, word: str = "Even") -> AppTest:
    """Opens a check's evidence."""
    at.session_state[f"open_{name}_{word}"] = True
    return at.run()


def figures(at: AppTest) -> dict[str, tuple[str, str]]:
    """The identity on the screen: each figure as counted, and as of now, empty where that is the same."""
    said(at)
    return {as_read(m.label): (str(m.value), str(m.delta)) for m in at.metric}


def number(shown: str) -> Decimal:
    """A figure as shown, as a number."""
    return Decimal(shown.replace(",", "").replace("\N{MINUS SIGN}", "-"))


def harm(shop: Database) -> None:
    """Somebody sets deleted_at behind the product's back."""
    execute(shop.engine, "UPDATE customers SET deleted_at = '2024-01-01 00:00:00' WHERE id = 2")


# The verdict


def test_even_at_one_glance(app: Any, shop: Database) -> None:
    at = app("integrity", actor=MANAGER)
    assert "The books are even" in verdict(at, "success")
    assert "to the last digit, in all 3 months, and in the orders without a date." in verdict(at, "success")
    assert "last checked, last even:" in said(at)
    assert len(labels(at)) == len(kept(shop).checks) + 1
    assert sum("Even]" in label for label in labels(at)) >= 13
    assert all(label.endswith("?") for label in labels(at))


def kept(shop: Database) -> Report:
    """The last kept run."""
    with snapshot(shop) as moment:
        report = integrity.read_kept(queries.last_check(moment.connection, shop.schema))
    assert report is not None
    return report


def test_the_identity_adds_up_on_screen_and_says_when(app: Any) -> None:
    at = app("integrity")
    found = figures(at)
    assert list(found) == ["Active", "+ No customer", "+ Missing customer", "+ Deleted", "= Total (EUR)"]
    counted = [number(value) for value, _ in found.values()]
    assert sum(counted[:-1]) == counted[-1] == sum(Decimal(s[3]) for s in SALES)
    *parts, total = [number(now or value) for value, now in found.values()]
    assert sum(parts) == total == counted[-1]
    assert "Each counted on its own, " in said(at)
    at = check_now(at)
    assert [now for _, now in figures(at).values()] == [""] * 5
    assert ". The same as now." in said(at)


def test_what_was_ordered_since_the_last_check_stands_beside_it(app: Any, shop: Database) -> None:
    integrity.run_and_record(shop)
    fill(shop.engine, "orders", [{"id": 99, "customer_id": 4, "ordered_at": "2024-05-01 00:00:00", "total": "1000.00"}])
    at = app("integrity")
    found = figures(at)
    assert number(found["= Total (EUR)"][1]) - number(found["= Total (EUR)"][0]) == 1000
    assert number(found["+ Deleted"][1]) - number(found["+ Deleted"][0]) == 1000
    assert [found[name][1] for name in ("Active", "+ No customer", "+ Missing customer")] == ["", "", ""]
    assert "Now: active is the total less the other parts." in said(at)
    assert "The same as now." not in said(at)


def test_parts_that_rounding_would_tear_apart_show_all_their_digits(opened: Any, empty_url: str, visit: Any) -> None:
    orders = "CREATE TABLE orders (id {key}, customer_id INTEGER, ordered_at {time} NULL, total DECIMAL(12,4), status VARCHAR(10))"
    sales = [
        (1, 1, "2024-01-05", "0.3333", None),
        (2, None, "2024-01-05", "0.3333", None),
        (3, 4, "2024-01-05", "0.3334", None),
    ]
    shop = opened(empty_url, orders=orders, sales=sales)
    customers.delete_many(shop, [4], actor=MANAGER_OF_CUSTOMERS, reason="fraud")
    found = figures(check_now(visit("integrity", url=empty_url, sections=PHONE)))
    assert list(found.values()) == [("0.333300", ""), ("0.333300", ""), ("0.333400", ""), ("1.000000", "")]


MANAGER_OF_CUSTOMERS = replace(MANAGER, role=STAFF.role)


def test_never_checked_is_amber_and_opening_runs_no_check(
    app: Any, shop: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    execute(shop.engine, "DELETE FROM evenbooks_checks")
    checking._reports.clear()
    with monkeypatch.context() as patched:
        patched.setattr(
            importlib.import_module("data.integrity.run"),
            "run",
            lambda *a, **k: pytest.fail("opening the page ran the check"),
        )
        at = app("integrity")
    assert "Never checked" in verdict(at, "warning")
    assert "never checked" in said(at)
    assert not at.success
    assert len(labels(at)) == 1  # the chart's own
    assert "As of now; active is the total less the other parts" in said(at)
    assert not at.get("download_button")
    assert scalar(shop, "SELECT count(*) FROM evenbooks_checks") == 0


def test_a_stale_check_is_amber_on_both_pages(app: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(checking, "STALE_AFTER", timedelta(seconds=-1))
    at = app("integrity")
    assert "Even when last checked" in verdict(at, "warning")
    assert "more than a day ago. Check now looks again." in said(at)
    assert not at.success
    words = said(app("revenue", period="All"))
    assert "more than a day ago" in words
    assert "orange-badge" in words


def test_a_red_check_is_named_first_and_open(app: Any, shop: Database) -> None:
    at = app("integrity")
    harm(shop)
    at = check_now(at)
    assert "The books are not even" in verdict(at, "error")
    assert "Customers deleted or restored behind the back of Evenbooks, or gone: 1 (2)." in verdict(at, "error")
    assert not at.success
    assert "red-badge" in labels(at)[0]
    assert "Broken] Has every deleted customer the event that deleted them" in labels(at)[0]
    assert "- customer 2: deleted at 2024-01-01T00:00:00Z without an event" in said(at)
    assert "Checked now: " in said(at)
    assert "1 broken" in said(at)
    assert "not even when checked" in said(at)


def test_what_could_not_be_seen_is_amber_and_named(app: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    at = app("integrity")
    monkeypatch.setattr("data.integrity.structure.guard", lambda look: Answer("", unseen="No right to look."))
    at = check_now(at)
    assert "Even as far as could be seen" in verdict(at, "warning")
    assert "1 check could not look: Does the guard" in verdict(at, "warning")
    assert not any("The books are even" in str(b.value) for b in at.success)
    unseen = [label for label in labels(at) if "Could not see]" in label]
    assert len(unseen) == 1
    assert labels(at).index(unseen[0]) < next(n for n, label in enumerate(labels(at)) if "Even]" in label)
    assert "No right to look." in said(open_check(at, "guard", "Could not see"))
    assert "1 not seen." in " ".join(str(b.value) for b in at.info)
    for words in (said(at), said(app("revenue", period="All"))):
        assert ":orange-badge[:material/visibility_off: even as far as could be seen, " in words
        assert "green-badge[:material/check: last checked" not in words


def test_sums_that_could_not_be_seen_are_neither_even_nor_uneven(app: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    at = app("integrity")
    monkeypatch.setattr("data.inspection.hidden_rows", lambda *_: "A policy may hide rows.")
    at = check_now(at)
    assert "Could not see whether the books are even" in verdict(at, "warning")
    assert "A policy may hide rows." in verdict(at, "warning")
    assert not at.success
    assert not at.error
    for words in (said(at), said(app("revenue", period="All"))):
        assert ":orange-badge[:material/visibility_off: could not see when checked, " in words
        assert "not even when checked" not in words
        assert "green-badge[:material/check: last checked" not in words


def test_a_warning_is_no_error_and_is_said(app: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    at = app("integrity")
    warned = Answer("", broken="Look at this.", findings=[Finding("a", "this")], level="warning")
    monkeypatch.setattr("data.integrity.structure.guard", lambda look: warned)
    monkeypatch.setattr("data.integrity.structure.rights", lambda look: Answer("All is well."))
    at = check_now(at)
    assert "The books are even" in verdict(at, "success")
    assert "1 warning, listed below." in verdict(at, "success")
    assert "Warning] Does the guard" in labels(at)[0]


# What is kept


def test_a_run_of_an_earlier_version_is_read_and_garbage_is_as_never_checked(app: Any, shop: Database) -> None:
    old = json.loads(scalar(shop, "SELECT report FROM evenbooks_checks ORDER BY id DESC LIMIT 1"))
    for check in old["checks"]:
        for key in ("question", "sql", "accepted", "findings"):
            check.pop(key, None)
    for key in ("head", "decimals"):
        old.pop(key, None)
    write_report(shop, json.dumps(old))
    at = app("integrity")
    assert "The books are even" in verdict(at, "success")
    assert "Even] identity" in labels(at)[1] + labels(at)[0]
    for garbage in ("", "nonsense", "[]", '{"checks": 3}', '{"months": [{}]}', "null"):
        write_report(shop, garbage)
        assert "Never checked" in verdict(app("integrity"), "warning")
        assert not app("revenue", period="All").exception


def write_report(shop: Database, words: str) -> None:
    """Puts this in the place of every kept run."""
    quoted = words.replace("'", "''").replace("{", "{{").replace("}", "}}")
    execute(shop.engine, f"UPDATE evenbooks_checks SET report = '{quoted}'")


@ONE_ENGINE
def test_an_account_that_may_only_read_sees_its_own_run(visit: Any, shop: Database, tmp_path: Path) -> None:
    url = f"sqlite:///file:{tmp_path}/shop.sqlite?mode=ro&uri=true"
    at = visit("integrity", url=url, sections=PHONE, actor=MANAGER)
    runs = scalar(shop, "SELECT count(*) FROM evenbooks_checks")
    assert disabled(visit("integrity", url=url, sections=PHONE, actor=MANAGER, **TABS), "seal") == [True]
    harm(shop)
    at = check_now(at)
    assert "The books are not even" in verdict(at, "error")
    assert scalar(shop, "SELECT count(*) FROM evenbooks_checks") == runs


# The running check


@pytest.fixture
def slow(monkeypatch: pytest.MonkeyPatch) -> Any:
    """A check that goes on until it is told to end, or stopped."""
    end, runs = threading.Event(), []

    def run(database: Database, *, progress: Callable[[float, str], None], **_: Any) -> Report:
        runs.append(threading.current_thread().name)
        progress(0.25, "Counting every part on its own")
        while not end.wait(0.01):
            progress(0.5, "Half of it")
        return kept(database)

    monkeypatch.setattr("data.integrity.run_and_record", run)
    end.runs = runs  # type: ignore[attr-defined]
    yield end
    end.set()
    checking.wait()


def test_a_check_runs_beside_the_page_and_every_viewer_sees_it(app: Any, slow: Any, empty_url: str) -> None:
    first = press(app("integrity", actor=MANAGER), "check")
    assert checking.running()
    assert disabled(first, "check") == [True]
    assert not first.button(key="stop").disabled
    second = AppTest.from_file(ROOT / "dashboard.py", default_timeout=60)
    second.session_state.actor = AUDITOR
    second.query_params["period"] = "All"
    second.switch_page("pages/revenue.py").run()
    assert disabled(second, "check") == [True]
    assert second.button(key="stop").label == "Stop"
    assert not checking.start("Another", lambda progress: pytest.fail("two at once"))  # type: ignore[arg-type,return-value]
    assert getattr(checking.running(), "title", "") == "The check"
    slow.set()
    checking.wait()
    assert len(slow.runs) == 1
    for at in (first, second):
        at.run()
        assert not at.exception
        assert disabled(at, "check") == [False]
    assert "Checked now: " in said(first)
    assert "The books are even." in said(second)
    assert "Checked now: " not in said(check_told_once(first))


def check_told_once(at: AppTest) -> AppTest:
    """The same page after what was told has been replaced."""
    del at.session_state.flash
    return at.run()


def test_the_bar_has_words_before_the_work_has_any(app: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    begun, end = threading.Event(), threading.Event()

    def run(database: Database, *, progress: Callable[[float, str], None], **_: Any) -> Report:
        progress(0, "")
        begun.set()
        end.wait(60)
        return kept(database)

    at = app("integrity")
    monkeypatch.setattr("data.integrity.run_and_record", run)
    press(at, "check")
    assert begun.wait(60)
    bar = at.run().get("progress")[0].proto.text
    end.set()
    checking.wait()
    assert bar.startswith("Beginning, ")


def test_stop_ends_it_and_nothing_is_kept(app: Any, slow: Any, shop: Database) -> None:
    runs = scalar(shop, "SELECT count(*) FROM evenbooks_checks")
    at = press(press(app("integrity"), "check"), "stop")
    checking.wait()
    assert "The check was stopped before its end, so it says nothing." in said(at.run())
    assert scalar(shop, "SELECT count(*) FROM evenbooks_checks") == runs


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (DatabaseUnavailable("The database is gone: **x**."), "The database is gone: **x**."),
        (RuntimeError("secret"), "The check broke off on something unexpected; the server's log names it."),
    ],
)
@ONE_ENGINE
def test_a_check_that_breaks_off_says_so(
    app: Any, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, error: Exception, words: str
) -> None:
    def broken(*_: Any, **__: Any) -> Report:
        raise error

    at = app("integrity")
    monkeypatch.setattr("data.integrity.run_and_record", broken)
    at = check_now(at)
    assert words in said(at)
    assert "secret" not in said(at)
    assert ("secret" in caplog.text) == isinstance(error, RuntimeError)
    assert disabled(at, "check") == [False]


# Evidence


def test_a_check_opens_to_its_detail_and_sql(app: Any) -> None:
    at = open_check(app("integrity"), "identity")
    assert "Active + deleted + no customer + missing customer = total" in said(at)
    assert any("SELECT" in code.value and "orders" in code.value for code in at.code)
    assert {code.language for code in at.code} == {"plaintext"}  # the colours of a language are too faint
    assert any(e.label.startswith("Show the SQL (") for e in at.expander)


def test_every_check_can_be_opened(app: Any, shop: Database) -> None:
    at = app("integrity")
    for check in kept(shop).checks:
        at.session_state[f"open_{check.name}_{evidence.state_of(check).word}"] = True
    at.session_state["open_chart_Even"] = True
    at.run()
    assert all(as_read(text.typed(check.detail)) in said(at) for check in kept(shop).checks)
    assert at.get("plotly_chart")


def test_a_finding_is_accepted_with_a_reason_and_shown_ever_after(app: Any, shop: Database) -> None:
    harm(shop)
    at = press(check_now(app("integrity", actor=MANAGER)), "accept_deletions_0")
    assert dialog(at) == "Accept this finding?"
    assert "customer 2: deleted at 2024-01-01T00:00:00Z without an event" in said(at)
    before = len(events_of(shop))
    assert "Give a reason." in said(press(at, "confirm"))
    assert len(events_of(shop)) == before
    at.text_input(key="why").set_value("Deleted by hand in **May**")
    press(at, "confirm")
    checking.wait()
    at.run()
    assert dialog(at) is None
    assert "Accepted: customer 2: deleted at 2024-01-01T00:00:00Z without an event." in said(at)
    assert "The books are even" in verdict(at, "success")
    event = events_of(shop)[0]
    assert (event.action, event.actor, event.note) == ("acknowledge", "test:manager", "Deleted by hand in **May**")
    words = said(open_check(at, "deletions"))
    assert "shown as accepted ever after" in words
    assert "by test:manager" in words
    assert problems(shop) == []


def test_an_auditor_reads_everything_and_changes_nothing(app: Any, shop: Database) -> None:
    harm(shop)
    at = check_now(app("integrity", actor=AUDITOR))
    assert "The books are not even" in verdict(at, "error")
    assert not [b.key for b in at.button if str(b.key).startswith("accept_")]
    assert len(at.get("download_button")) == 2
    at = app("integrity", actor=AUDITOR, **TABS)
    assert not [b.key for b in at.button if b.key in ("seal", "unseal")]
    assert "The role auditor may not seal or unseal months." in said(at)
    at = app("integrity", actor=AUDITOR, view="Try it")
    assert "The role auditor may not run the live probe; managers and admins may." in said(at)
    assert not [b.key for b in at.button if b.key == "probe"]


def test_staff_do_not_get_here(app: Any) -> None:
    at = app("integrity", actor=STAFF)
    assert "The role staff may not read or run the integrity check." in said(at)
    assert not at.metric
    assert not at.get("download_button")


# The chart


def month(name: str | None, active: str, deleted: str = "0", currency: str = "EUR") -> MonthlyRevenue:
    """A month of two parts."""
    one, other, zero = Decimal(active), Decimal(deleted), Decimal(0)
    return MonthlyRevenue(name, currency, 1, one, other, zero, zero, one + other)


HELD = [month("2024-01", "10.10", "5.05"), month("2024-03", "-20.005"), month(None, "1.01")]


def draw(rows_of: list[MonthlyRevenue]) -> str:
    """The chart of these months as the browser gets it."""
    return str(screens.draw(rows_of, 2).to_json())


def test_the_drawn_chart_shows_what_is_held() -> None:
    check = screens.check_chart(draw(HELD), HELD, "EUR", 2)
    assert (check.ok, check.count) == (True, 0)
    assert (
        check.detail
        == "The bars of the chart add up to EUR \N{MINUS SIGN}3.85, the database to EUR \N{MINUS SIGN}3.85, and each bar is its month's."
    )
    huge = [month("2024-01", "123456789012345678.91", "0.01")]
    assert screens.check_chart(draw(huge), huge, "EUR", 2).ok
    assert screens.check_chart(draw([]), [], "EUR", 2).ok


@pytest.mark.parametrize("lost", range(3))
def test_a_month_lost_on_the_way_to_the_chart_is_red(lost: int) -> None:
    drawn = [row for at, row in enumerate(HELD) if at != lost]
    check = screens.check_chart(draw(drawn), HELD, "EUR", 2)
    assert check.ok is False
    name = text.month(HELD[lost].month)
    assert any(name in words for words in check.examples)
    sums = [text.amount(sum((r.total for r in some), Decimal(0))) for some in (drawn, HELD)]
    assert f"add up to EUR {sums[0]}, the database to EUR {sums[1]}" in check.detail


@pytest.mark.parametrize("value", [None, float("nan"), 10.11, 1e300])
def test_a_bar_of_another_value_is_red(value: float | None) -> None:
    figure = screens.draw(HELD, 2)
    figure.data[0].y = [value, *figure.data[0].y[1:]]
    check = screens.check_chart(figure.to_json(), HELD, "EUR", 2)
    assert check.ok is False
    assert check.examples[0].startswith("Active customers, Jan 2024: drawn ")


def test_a_trace_that_is_not_drawn_and_one_month_too_many_are_red() -> None:
    figure = json.loads(draw(HELD))
    less = {**figure, "data": [t for t in figure["data"] if t["name"] != "Deleted customers"]}
    assert screens.check_chart(json.dumps(less), HELD, "EUR", 2).examples == [
        "Deleted customers, Jan 2024: drawn 0.00, in the database 5.05"
    ]
    assert screens.check_chart(draw(HELD), HELD[:-1], "EUR", 2).ok is False
    packed = {**figure, "data": [{**t, "y": {"dtype": "f8", "bdata": ""}} for t in figure["data"]]}
    assert screens.check_chart(json.dumps(packed), HELD, "EUR", 2).ok is False


def test_a_chart_that_lost_a_month_turns_the_whole_verdict_red(app: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = screens.draw
    monkeypatch.setattr("ui.integrity.draw", lambda rows_of, decimals: whole(rows_of[1:], decimals))
    at = app("integrity")
    assert "The books are not even" in verdict(at, "error")
    assert "Does the drawn chart show what the database holds?" in labels(at)[0]


# Months, seals, orders


def table(at: AppTest) -> Any:
    """The months' table."""
    assert not at.exception, at.exception[0].value
    return next(frame for frame in at.dataframe if str(frame.key).startswith("months-"))


def choose(at: AppTest, row: int) -> AppTest:
    """Selects a month's row."""
    at.session_state[table(at).key] = {"selection": {"rows": [row], "columns": [], "cells": []}}
    return at.run()


def test_the_oldest_open_month_is_offered_sealed_and_unsealed(app: Any, shop: Database) -> None:
    at = app("integrity", actor=MANAGER, **TABS)
    assert list(table(at).value["Month"]) == ["No date", "Apr 2024", "Mar 2024", "Feb 2024", "Jan 2024"]
    assert list(table(at).value["Seal"]) == ["", "Open", "Open", "Open", "Open"]
    assert at.button(key="seal").label == "Seal Jan 2024"
    press(at, "seal")
    assert dialog(at) == "Seal Jan 2024?"
    press(at, "confirm")
    checking.wait()
    at.run()
    assert "Jan 2024 is sealed: 3 orders, EUR 143.42." in said(at)
    assert list(table(at).value["Seal"]) == ["", "Open", "Open", "Open", "Sealed"]
    assert table(at).value["By"].iloc[-1] == "test:manager"
    assert at.button(key="seal").label == "Seal Feb 2024"
    press(choose(at, 4), "unseal")
    assert dialog(at) == "Unseal Jan 2024?"
    assert "Give a reason." in said(press(at, "confirm"))
    at.text_input(key="why").set_value("A late refund")
    press(at, "confirm")
    assert "Jan 2024 is open again." in said(at)
    assert list(table(at).value["Seal"]) == ["", "Open", "Open", "Open", "Open"]
    assert [e.action for e in events_of(shop)[:2]] == ["unseal", "seal"]
    press(choose(at, 4), "seal")
    press(at, "confirm")
    checking.wait()
    assert "2024-01 was sealed before. Give a reason for sealing it again." in said(at.run())


@ONE_ENGINE
def test_a_sealed_month_without_an_order_is_listed(app: Any, shop: Database) -> None:
    seals.seal(shop, "2023-11", actor=MANAGER)
    frame = table(app("integrity", **TABS)).value
    assert list(frame["Month"])[-3:] == ["Jan 2024", "Dec 2023", "Nov 2023"]
    assert list(frame["Seal"])[-3:] == ["Open", "Open", "Sealed"]


def test_a_broken_seal_stands_in_the_table_and_a_red_check_seals_nothing(app: Any, shop: Database) -> None:
    seals.seal(shop, "2024-01", actor=MANAGER)
    execute(shop.engine, "UPDATE orders SET total = 100.20 WHERE id = 1")
    at = check_now(app("integrity", actor=MANAGER, **TABS))
    assert list(table(at).value["Seal"])[-1] == months.BROKEN
    before = len(events_of(shop))
    press(at, "seal")
    press(at, "confirm")
    checking.wait()
    at.run()
    assert "2024-02 was not sealed. The books are not even" in said(at)
    assert len(events_of(shop)) == before


def test_an_opened_month_shows_its_seal_and_what_does_not_hold(app: Any, shop: Database) -> None:
    seals.seal(shop, "2024-01", actor=replace(MANAGER, id="test:**m**"))
    integrity.run_and_record(shop)
    at = app("integrity", actor=AUDITOR, month="2024-01")
    assert "Sealed with 3 orders, EUR 143.42, " in said(at)
    assert ", by test:**m**." in said(at)
    assert not at.error
    assert "Sealed with" not in said(app("integrity", actor=AUDITOR, month="2024-02"))
    execute(shop.engine, "UPDATE orders SET total = 100.20 WHERE id = 1")
    integrity.run_and_record(shop)
    st.cache_data.clear()
    at = app("integrity", actor=AUDITOR, month="2024-01")
    assert "Sealed with 3 orders, EUR 143.42, " in said(at)
    found = [as_read(str(e.value)) for e in at.error if not str(e.value).startswith("## ")]
    assert len(found) == 1
    assert found[0].startswith("2024-01: ")


@ONE_ENGINE
def test_many_orders_are_shown_with_thousands(shop: Database, app: Any) -> None:
    fill(
        shop.engine,
        "orders",
        [{"id": n, "customer_id": 1, "ordered_at": "2024-04-05 00:00:00", "total": "1.00"} for n in range(1000, 2100)],
    )
    frame = table(app("integrity", **TABS)).value.set_index("Month")
    assert frame.loc["Apr 2024", "Orders"].startswith("1,1")


def test_months_that_are_not_over_or_have_no_date_cannot_be_sealed(app: Any, shop: Database) -> None:
    at = choose(app("integrity", actor=MANAGER, **TABS), 0)
    assert disabled(at, "seal") == [True]
    assert at.button(key="open_month").label == "Show the orders of No date"


def test_a_month_opens_down_to_its_orders_which_add_up(app: Any, shop: Database) -> None:
    at = press(choose(app("integrity", **TABS), 4), "open_month")
    assert at.query_params["month"] == "2024-01"
    frame = orders(at)
    assert "Orders of Jan 2024, EUR" in said(at)
    assert sum(map(number, frame["Amount (EUR)"])) == Decimal("143.42")
    assert list(frame["Whose"]) == ["Deleted customer", "No customer", "Active customer"]
    assert list(frame["Customer"]) == ["Dora Gone", "", "Ana Lima"]
    assert str(frame["Ordered (UTC)"].iloc[-1]).startswith("2024-01-31 23:59:59+00:00")
    press(at, "months")
    assert "month" not in at.query_params
    assert len(table(at).value) == 5


def orders(at: AppTest) -> Any:
    """The orders on the screen."""
    assert not at.exception, at.exception[0].value
    return next(f.value for f in at.dataframe if "Order" in f.value.columns)


def test_a_shared_address_opens_the_month_with_orders_of_anybody(app: Any, shop: Database) -> None:
    name = HOSTILE[:60]  # as much as the column holds
    execute(shop.engine, f"UPDATE customers SET name = '{name}' WHERE id = 1")
    at = app("integrity", month="2024-02", currency="EUR")
    frame = orders(at)
    assert list(frame["Whose"]) == ["Active customer", "Active customer", "Missing customer", "Active customer"]
    assert list(frame["Customer"]) == [name, "Bo Ek", "", name]
    assert list(frame["Number"]) == ["1", "2", "77", "1"]
    assert list(orders(app("integrity", month="none"))["Amount (EUR)"]) == ["1.01"]
    assert len(table(app("integrity", **TABS, month="2024-13")).value) == 5
    assert "There is no order here" in said(app("integrity", month="2031-01"))
    assert "This page address cannot be read." in said(app("integrity", month="2024-02", after="x"))


def test_orders_are_paged_both_ways(app: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(months, "ROWS", 3)
    at = app("integrity", month="2024-02")
    first = list(orders(at)["Order"])
    assert disabled(at, "previous", "next") == [True, False]
    press(at, "next")
    assert len(orders(at)) == 1
    assert not set(orders(at)["Order"]) & set(first)
    press(at, "previous")
    assert list(orders(at)["Order"]) == first


# The probe


def test_the_probe_shows_both_and_leaves_nothing(app: Any, shop: Database) -> None:
    before = state(shop)
    at = app("integrity", actor=MANAGER, view="Try it")
    at.text_input(key="probed_number").set_value("#1")
    press(at, "probe")
    assert "Ana Lima, customer 1, with 3 orders (EUR 80.25), was deleted; no total moved." in said(at)
    assert "It was rolled back: the customer is active, and no event stays." in said(at)
    frame = at.dataframe[0].value.set_index("EUR")
    assert list(frame.loc["Total"]) == ["254.57", "254.57", "0.00"]
    assert frame.loc["Deleted", "Difference"] == "80.25"
    assert frame.loc["Active", "Difference"] == "\N{MINUS SIGN}80.25"
    for column in ("Before", "Inside the deletion"):
        *parts, total = map(number, frame[column])
        assert sum(parts) == total
    assert state(shop) == before


@pytest.mark.parametrize(
    ("asked", "words"),
    [
        ("4", "Dora Gone (customer 4) is deleted already."),
        ("99", "There is no customer 99."),
        ("*x*", "There is no customer *x*."),
    ],
)
def test_a_probe_that_is_refused_says_why(app: Any, shop: Database, asked: str, words: str) -> None:
    before = state(shop)
    at = app("integrity", view="Try it")
    at.text_input(key="probed_number").set_value(asked)
    assert words in said(press(at, "probe"))
    assert state(shop) == before


def test_a_blank_number_chooses_somebody(app: Any, shop: Database) -> None:
    at = press(app("integrity", view="Try it"), "probe")
    assert "was deleted; no total moved." in said(at)
    assert rows(shop, "evenbooks_events")[-1][0] == 2


# The proof as a file


def proof_of(shop: Database) -> dict[str, Any]:
    """The proof that the page offers of the last run."""
    with snapshot(shop) as moment:
        found = seals.list_seals(moment.connection, shop.schema)
    whole = kept(shop)
    return printed.as_proof(whole, found, screens.limits(shop.settings), about=screens.about(shop.settings))


def test_the_file_and_the_page_have_the_same_content_and_nothing_runs(shop: Database, tmp_path: Path) -> None:
    execute(shop.engine, "UPDATE orders SET customer_id = 4711 WHERE id = 5")
    seals_before = integrity.run_and_record(shop)
    assert not seals_before.even
    execute(shop.engine, "UPDATE orders SET customer_id = 3 WHERE id = 5")
    seals.seal(shop, "2024-01", actor=replace(MANAGER, id="<script>alert(1)</script>"))
    integrity.run_and_record(shop)
    proof = proof_of(shop)
    page = printed.as_page(proof)
    assert json.loads(printed.as_json(proof)) == proof
    for words in strings(proof):
        assert printed.escape(words) in page, words
    assert "<script" not in page
    assert "&lt;script&gt;alert(1)" in page
    assert page.count("http") == 1  # the name of a header
    file = tmp_path / "proof.json"
    file.write_text(printed.as_json(proof), encoding="utf-8")
    report = integrity.run_and_record(shop, proof=read_proof_file(file))
    assert [c.ok for c in report.checks if c.name.startswith("since_")] == [True, True]


def strings(value: Any, key: str = "") -> list[str]:
    """Every word of the proof that a person would look for on paper; a check's own name stands there as its question."""
    if isinstance(value, dict):
        skipped = {"made_by", "level", "findings", "name"}
        return [w for k, v in value.items() if k not in skipped for w in strings(v, k)]
    if isinstance(value, list):
        return [w for v in value for w in strings(v, key)]
    return [value] if isinstance(value, str) else []


def test_paper_names_warnings_and_the_orders_of_the_deleted(shop: Database) -> None:
    proof = proof_of(shop)
    for check in proof["checks"]:
        check |= {"ok": True}
    assert "listed below" not in printed.as_page(proof)
    proof["checks"][-1] |= {"ok": False, "level": "warning"}
    assert f"{printed.escape(proof['verdict'])} 1 warning, listed below.</p>" in printed.as_page(proof)
    proof["totals"][0]["deleted_orders"] = 424242
    page = printed.as_page(proof)
    assert '<th class="n">Of deleted</th>' in page
    assert '<td class="n">424242</td>' in page


def test_a_red_run_with_hostile_words_is_printed_as_typed() -> None:
    bad = Check("deletions", False, "error", 12, f"Broken {HOSTILE}", [HOSTILE], "Why <b>?", [HOSTILE], [HOSTILE])
    report = Report("2024-01-01", [bad], [], [], 2)
    page = printed.as_page(printed.as_proof(report, [], ["x"], about="y"))
    assert "<script>" not in page
    assert "<b>" not in page
    assert 'class="verdict red"' in page
    assert "the first 1 of 12" in page
    assert "This run did not keep where the chain of events ended." in page


def test_the_proof_names_no_password() -> None:
    from shops import settings_for

    words = screens.about(settings_for("mysql+pymysql://app:s3cret@db.example/shop"))
    assert "s3cret" not in words
    assert "db.example/shop" in words


def test_both_downloads_are_offered(app: Any) -> None:
    names = [d.proto.label for d in app("integrity", actor=AUDITOR).get("download_button")]
    assert names == ["Download the proof", "Printable page"]


# The rest


def test_several_currencies_are_shown_one_at_a_time(opened: Any, empty_url: str, visit: Any) -> None:
    sections = {"orders": {"currency": "status"}}
    sales = [(1, 1, "2024-01-05", "10.00", "EUR"), (2, 4, "2024-01-05", "20.00", "$x$")]
    opened(empty_url, sales=sales, sections=sections)
    at = check_now(visit("integrity", url=empty_url, sections=sections))
    assert figures(at)["= Total ($X$)"][0] == "20.00"  # capitals, as the totals are by currency
    at.selectbox(key="currency").set_value("EUR").run()
    assert figures(at)["= Total (EUR)"][0] == "10.00"
    assert "$X$" not in str([m.label for m in at.metric] + [m.value for m in at.markdown])


def test_a_shop_without_orders(opened: Any, empty_url: str, visit: Any) -> None:
    opened(empty_url, checked=True, sales=[])
    at = visit("integrity", url=empty_url, sections=PHONE)
    assert "The books are even" in verdict(at, "success")
    assert "There are no orders yet." in verdict(at, "success")
    assert figures(at)["= Total (EUR)"] == ("0.00", "")
    at = visit("integrity", url=empty_url, sections=PHONE, **TABS)
    assert "When there are orders, their months are listed here" in said(at)


def test_the_page_says_what_it_cannot_see(app: Any, engine_name: str) -> None:
    words = said(app("integrity"))
    assert "An order removed from a month that is not sealed" in words
    assert ("On SQLite whoever may write the file" in words) == (engine_name == "sqlite")


def test_the_document_names_the_same_limits() -> None:
    words = (ROOT / "docs" / "integrity.md").read_text(encoding="utf-8")
    for limit in (*screens.CANNOT_SEE, screens.CANNOT_SEE_ON_SQLITE):
        assert f"- {limit[:30]}" in words


def test_revenue_leads_here(app: Any) -> None:
    links = app("revenue", period="All").get("page_link")
    assert "Financial Integrity" in [link.proto.label for link in links]
