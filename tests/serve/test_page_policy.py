"""Chromium under the dashboard's own policy: every page and a dialog ask for nothing that it refuses."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

from browser_server import chromium, open_at, settled, tick
from playwright.sync_api import expect
from serving import Served


def test_the_pages_work_under_their_policy(served: Served) -> None:
    # In a thread of its own: another test's browser may be open in this one, and there is one to a thread.
    with ThreadPoolExecutor(1) as alone:
        refused = [line for line in alone.submit(look_around, served).result() if "Security Policy" in line]
    assert "inline script" in refused.pop()
    assert refused == []


def look_around(served: Served) -> list[str]:
    """Opens every page and a dialog, then tries to run a script; what the browser said meanwhile."""
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
    return said
