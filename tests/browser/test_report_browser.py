"""The monthly report on paper: alone, on one sheet, dark on white, also when there is much to say."""

from __future__ import annotations

import re

import pytest
from browser_server import Server, open_at
from playwright.sync_api import Browser, expect
from shops import execute, settings_for
from test_analytics import change

from data.access import Actor, Door, Role
from data.database import attach
from data.months import month_before
from data.settings import DEFAULT_REASONS
from ui.revenue import this_month


@pytest.mark.parametrize("engine_name", ["sqlite"], indirect=True)
def test_it_prints_alone_on_one_sheet_whatever_the_theme(browser: Browser, server: Server, shop_url: str) -> None:
    shop, month = attach(settings_for(shop_url)), month_before(this_month())
    for number in range(1, 16):
        actor = Actor(f"{'very.' * 12}{number}@example.com", Role.STAFF, Door.DASHBOARD)
        reason = list(DEFAULT_REASONS)[number % 5]
        change(shop, "delete", [number], reason, f"{month}-{number:02} 10:00:00", actor)
    execute(shop.engine, f"UPDATE customers SET name = '{'A long name of a company ' * 4}' WHERE id < 16")
    shop.engine.dispose()

    page = browser.new_page(viewport={"width": 1366, "height": 768}, color_scheme="dark")
    open_at(page, server, "report")
    report = page.locator("article.report")
    expect(report.locator("img.on_screen")).to_be_visible()
    sheet = page.pdf(prefer_css_page_size=True)
    assert re.findall(rb"/Count (\d+)", sheet) == [b"1"]
    page.set_viewport_size({"width": 390, "height": 844})
    expect(report.locator("img.on_phone")).to_be_visible()
    expect(report.locator("img.on_screen")).to_be_hidden()
    page.emulate_media(media="print", color_scheme="dark")
    expect(report.locator("img.on_phone")).to_be_hidden()
    for other in ("stHeader", "stTopNavLink", "stSelectbox"):
        expect(page.get_by_test_id(other).first).to_be_hidden()
    expect(page.get_by_role("heading", name="Monthly Report")).to_be_hidden()
    expect(report.locator("img.on_paper")).to_be_visible()
    expect(report.locator("img.on_screen")).to_be_hidden()
    expect(report.locator(".lead")).to_have_css("color", "rgb(27, 36, 48)")
    expect(page.get_by_test_id("stMain")).to_have_css("background-color", "rgb(255, 255, 255)")
    page.close()
