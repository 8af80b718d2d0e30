"""Financial Integrity as a manager uses it before an audit: check, seal, open a month, try the probe, take the proof along."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from browser_server import Server, cell, open_at, settled
from playwright.sync_api import Page, expect
from sqlalchemy import create_engine, text

ONE_ENGINE = pytest.mark.parametrize("engine_name", ["sqlite"], indirect=True)


def state(url: str) -> tuple[int, int]:
    """How many customers are deleted, and how many events there are."""
    engine = create_engine(url)
    with engine.connect() as connection:
        deleted = connection.execute(text("SELECT count(*) FROM customers WHERE deleted_at IS NOT NULL")).scalar_one()
        events = connection.execute(text("SELECT count(*) FROM evenbooks_events")).scalar_one()
    engine.dispose()
    return deleted, events


def choose_month(page: Page, row: int) -> None:
    """Selects a month's row by its checkbox."""
    table = page.get_by_test_id("stDataFrame").first
    page.get_by_test_id("glide-cell-1-0").first.wait_for(state="attached")
    box = table.bounding_box()
    assert box
    page.mouse.click(box["x"] + 17, box["y"] + 36 + 35 * row + 17)
    settled(page)


@pytest.mark.parametrize("engine_name", ["sqlite", "postgresql"], indirect=True)
def test_the_check_runs_to_its_end_and_a_harm_turns_the_page_red(page: Page, server: Server, shop_url: str) -> None:
    open_at(page, server, "integrity")
    expect(page.get_by_role("heading", name="The books are even")).to_be_visible()
    page.get_by_role("button", name="Check now").click()
    expect(page.get_by_text(re.compile(r"Checked now: (all even|\d+ warnings?)\."))).to_be_visible()
    expect(page.get_by_role("button", name="Stop")).to_have_count(0)
    settled(page)  # until then the last run's buttons stand beside this one's
    expect(page.get_by_role("button", name="Check now")).to_be_enabled()

    engine = create_engine(shop_url)
    with engine.begin() as connection:
        connection.execute(text("UPDATE customers SET deleted_at = NULL WHERE deleted_at IS NOT NULL"))
    engine.dispose()
    page.get_by_role("button", name="Check now").click()
    expect(page.get_by_role("heading", name="The books are not even")).to_be_visible()
    expect(page.get_by_text("Broken").first).to_be_visible()
    expect(page.get_by_role("button", name="Accept this finding").first).to_be_visible()
    expect(page.get_by_role("heading", name="The books are even")).to_have_count(0)


@pytest.mark.parametrize("engine_name", ["mariadb"], indirect=True)
def test_a_month_is_opened_to_its_orders_and_sealed(page: Page, server: Server) -> None:
    open_at(page, server, "integrity")
    page.get_by_role("tab", name="Months").click()
    settled(page)
    choose_month(page, 2)
    month = cell(page, 1, 2)
    page.get_by_role("button", name=f"Show the orders of {month}").click()
    settled(page)
    expect(page.get_by_role("heading", name=f"Orders of {month}")).to_be_visible()
    expect(page).to_have_url(re.compile(r"month=\d{4}-\d\d"))
    shared = page.url
    first = cell(page, 0, 0)

    page.goto(shared)
    settled(page)
    expect(page.get_by_role("heading", name=f"Orders of {month}")).to_be_visible()
    assert cell(page, 0, 0) == first
    page.get_by_role("button", name="All months").click()
    settled(page)
    expect(page).not_to_have_url(re.compile(r"month="))

    choose_month(page, 2)
    page.get_by_role("button", name=f"Seal {month}").click()
    page.get_by_role("dialog").get_by_role("button", name="Seal month").click()
    expect(page.get_by_text(f"{month} is sealed: ")).to_be_visible()
    expect(page.get_by_test_id("glide-cell-2-2").first).to_have_text("Sealed")
    expect(page.get_by_test_id("glide-cell-2-3").first).to_have_text("Open")


@pytest.mark.parametrize("engine_name", ["mariadb", "postgresql"], indirect=True)
def test_the_probe_shows_both_and_changes_nothing(page: Page, server: Server, shop_url: str) -> None:
    before = state(shop_url)
    open_at(page, server, "integrity?view=Try+it")
    page.get_by_role("button", name="Run the probe").click()
    expect(page.get_by_text("It was rolled back: the customer is active, and no event stays.")).to_be_visible()
    assert cell(page, 0, 3) == "Total"
    assert cell(page, 1, 3) == cell(page, 2, 3)
    assert cell(page, 3, 3) == "0.00"
    assert cell(page, 3, 2) == cell(page, 3, 0).removeprefix("\N{MINUS SIGN}")
    assert state(shop_url) == before


@ONE_ENGINE
def test_the_proof_is_taken_along_and_the_page_prints(page: Page, server: Server, tmp_path: Path) -> None:
    open_at(page, server, "integrity")
    for name, file in (("Download the proof", "proof.json"), ("Printable page", "proof.html")):
        with page.expect_download() as download:
            page.get_by_role("button", name=name).click()
        assert download.value.suggested_filename == file
        download.value.save_as(tmp_path / file)
    proof = json.loads((tmp_path / "proof.json").read_text(encoding="utf-8"))
    assert proof["even"] is True
    fetched: list[str] = []
    page.on("request", lambda request: fetched.append(request.url))
    page.goto((tmp_path / "proof.html").as_uri())
    expect(page.get_by_role("heading", name="Evenbooks: proof of the books")).to_be_visible()
    expect(page.get_by_text(proof["verdict"])).to_be_visible()
    assert len(fetched) == 1
    page.set_viewport_size({"width": 718, "height": 1000})  # A4 within its margins
    page.emulate_media(media="print")
    assert page.evaluate("document.documentElement.scrollWidth <= document.documentElement.clientWidth")


@ONE_ENGINE
def test_at_the_width_of_a_phone_nothing_is_cut_off(page: Page, server: Server) -> None:
    page.set_viewport_size({"width": 390, "height": 844})
    for view in ("Checks", "Months", "Try+it", "What+it+cannot+see"):
        open_at(page, server, f"integrity?view={view}")
        assert page.evaluate("document.documentElement.scrollWidth") <= 390
