"""The connection to the database breaks while somebody deletes, in a real browser on a real server."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from browser_server import cell, dashboard, open_at, settled, tick
from cutting_proxy import CuttingProxy, cutting_proxy
from playwright.sync_api import Page, expect
from sqlalchemy import create_engine, text

AWAY = 60_000  # milliseconds: a database that is away is tried for some seconds


@pytest.fixture
def proxy(shop_url: str) -> Iterator[CuttingProxy]:
    """Between the dashboard and its database."""
    with cutting_proxy(shop_url) as between:
        yield between


def deletions(url: str) -> int:
    engine = create_engine(url)
    with engine.connect() as connection:
        count = connection.execute(text("SELECT count(*) FROM evenbooks_events WHERE action = 'delete'")).scalar_one()
    engine.dispose()
    return int(count)


@pytest.mark.parametrize("engine_name", ["mariadb"], indirect=True)
def test_a_lost_answer_is_told_as_done_and_a_database_that_goes_is_back_with_a_click(
    page: Page, shop_url: str, proxy: CuttingProxy, tmp_path: Path
) -> None:
    before = deletions(shop_url)
    with dashboard(proxy.url, tmp_path / "serve.log") as server:
        open_at(page, server)
        name = cell(page, 2, 2)
        tick(page, 2)
        page.get_by_role("button", name="Delete", exact=True).click()
        dialog = page.get_by_role("dialog")
        dialog.get_by_label("Reason").click()
        page.get_by_text("Requested by the customer").click()
        proxy.cut("COMMIT", "after", following="UPDATE customers")
        dialog.get_by_role("button", name="Delete customer").click()
        expect(page.get_by_test_id("stAlert")).to_contain_text(f"{name} is deleted.")
        assert proxy.has_cut.is_set()
        expect(page.get_by_test_id("glide-cell-2-2").first).not_to_have_text(name)
        assert deletions(shop_url) == before + 1

        proxy.go()
        page.reload()
        expect(page.get_by_test_id("stAlert")).to_contain_text("The database does not answer", timeout=AWAY)
        expect(page.get_by_test_id("stException")).to_have_count(0)
        proxy.come_back()
        page.get_by_role("button", name="Try again").click()
        expect(page.get_by_text(re.compile(r"active customers\."))).to_be_visible(timeout=AWAY)
        settled(page)
        assert cell(page, 2, 2) != name
        assert deletions(shop_url) == before + 1
    assert "Traceback" not in (tmp_path / "serve.log").read_text()
