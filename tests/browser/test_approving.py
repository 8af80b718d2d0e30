"""Two people delete, in a real browser: one asks, the other one sees the figures and approves."""

from __future__ import annotations

from pathlib import Path

from browser_server import open_at, settled, tick
from oidc import dashboard_with_sign_in, provider
from playwright.sync_api import Browser, Page, expect
from shops import make_shop, rows
from test_signing_in import PEOPLE, SALES, ask_to_delete, expect_door, sign_in

WAITS = "\n[approval]\ndeletion = true\n"


def test_staff_ask_and_a_manager_approves(page: Page, browser: Browser, tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/shop.sqlite"
    shop = make_shop(url, people=PEOPLE, sales=SALES, sections=None)
    with (
        provider(tmp_path / "provider.log") as issuer,
        dashboard_with_sign_in(url, tmp_path / "home", issuer, also=WAITS) as server,
    ):
        open_at(page, server)
        expect_door(page, "Sign in")
        sign_in(page, "ann")
        ask_to_delete(page, 0)
        page.get_by_role("button", name="Ask for deletion").click()
        expect(page.get_by_test_id("stAlert")).to_contain_text("Asked for.")
        assert [row[5] for row in rows(shop, "customers")] == [None] * 9

        # In the other one's own browser.
        context = browser.new_context(viewport={"width": 1366, "height": 768}, timezone_id="Europe/Lisbon")
        other = context.new_page()
        open_at(other, server, "approvals")
        sign_in(other, "max")
        expect(other.get_by_role("link", name="Approvals (1)")).to_be_visible()
        tick(other, 0)
        other.get_by_role("button", name="Approve", exact=True).click()
        dialog = other.get_by_role("dialog")
        expect(dialog).to_contain_text("1 order worth EUR 10.00 stays in every report")
        dialog.get_by_role("button", name="Approve").click()
        expect(other.get_by_test_id("stAlert").first).to_contain_text(
            "Customer 1 is deleted. 1 order (EUR 10.00) still counts."
        )
        settled(other)
        expect(other.get_by_role("link", name="Approvals", exact=True)).to_be_visible()
        context.close()
    assert [row[5] is None for row in rows(shop, "customers")] == [False] + [True] * 8
    assert [row[2:4] for row in rows(shop, "evenbooks_events")[-3:]] == [
        ("request", "ann@example.com"),
        ("approve", "max@example.com"),
        ("delete", "ann@example.com"),
    ]
    shop.engine.dispose()
