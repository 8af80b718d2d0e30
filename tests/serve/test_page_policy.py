"""Chromium under the dashboard's own policy: every page and a dialog ask for nothing that it refuses."""

from __future__ import annotations

from browser_server import chromium, open_at, settled, tick
from playwright.sync_api import expect
from serving import Served


def test_the_pages_work_under_their_policy(served: Served) -> None:
    said: list[str] = []
    with chromium() as browser:
        page = browser.new_page()
        page.on("console", lambda line: said.append(line.text))
        page.on("pageerror", lambda error: said.append(f"Security Policy? {error}"))
        for _ in ("first", "from the browser's cache"):
            open_at(page, served.server, "revenue?period=All")
            expect(page.locator(".js-plotly-plot .bars").first).to_be_visible(timeout=20_000)
        for path in ("integrity", "deleted_customers", ""):
            open_at(page, served.server, path)
        tick(page, 0)
        page.mouse.move(0, 0)
        page.get_by_role("button", name="Delete", exact=True).click()
        expect(page.get_by_role("dialog")).to_contain_text("Delete Ana Lima?")
        settled(page)
        inline = (
            "const s = document.createElement('script'); s.text = 'window.ran = 1'; document.head.append(s); window.ran"
        )
        assert page.evaluate(inline) is None
    refused = [line for line in said if "Security Policy" in line]
    assert "inline script" in refused.pop()
    assert refused == []
