"""What staff and managers do, in a real browser on a real server."""

from __future__ import annotations

import re

import pytest
from browser_server import Server, cell, open_at, settled, tick
from playwright.sync_api import Page, expect
from sqlalchemy import create_engine, text


def revenue(page: Page) -> str:
    """The Revenue page's total, as shown."""
    figure = page.get_by_test_id("stMetric").filter(
        has_text=re.compile(r"^Revenue \(")
    )  # others may be drawn before it
    return figure.get_by_test_id("stMetricValue").inner_text()


def test_delete_leaves_the_total_and_restore_brings_the_customer_back(page: Page, server: Server) -> None:
    open_at(page, server, "revenue?period=All")
    before = revenue(page)

    open_at(page, server)
    name = cell(page, 2, 2)
    tick(page, 2)
    page.get_by_role("button", name="Delete", exact=True).click()
    dialog = page.get_by_role("dialog")
    expect(dialog).to_contain_text(f"Delete {name}?")
    expect(dialog).to_contain_text("This is a soft delete. The customer leaves the list;")
    dialog.get_by_label("Reason").click()
    page.get_by_text("Requested by the customer").click()
    dialog.get_by_role("button", name="Delete customer").click()
    expect(page.get_by_test_id("stAlert")).to_contain_text(f"{name} is deleted.")
    expect(dialog).to_have_count(0)
    expect(page.get_by_test_id("glide-cell-2-2").first).not_to_have_text(name)

    page.get_by_role("link", name="Revenue").click()
    settled(page)
    page.get_by_text("All", exact=True).click()
    settled(page)
    assert revenue(page) == before

    page.get_by_role("link", name="Deleted Customers").click()
    settled(page)
    assert cell(page, 2, 0) == name
    assert "Requested by the customer" in cell(page, 5, 0)
    tick(page, 0)
    page.get_by_role("button", name="Restore Customer").click()
    expect(page.get_by_test_id("stAlert")).to_contain_text(f"{name} is back in the customer list.")

    page.get_by_role("link", name="Customer Management").click()
    settled(page)
    assert cell(page, 2, 2) == name
    open_at(page, server, "revenue?period=All")
    assert revenue(page) == before


@pytest.mark.parametrize("engine_name", ["postgresql"], indirect=True)
def test_undo_takes_a_delete_back(page: Page, server: Server) -> None:
    open_at(page, server)
    name = cell(page, 2, 0)
    tick(page, 0)
    page.get_by_role("button", name="Delete", exact=True).click()
    page.get_by_role("dialog").get_by_label("Reason").click()
    page.get_by_text("Duplicate of another customer").click()
    page.get_by_role("button", name="Delete customer").click()
    page.get_by_role("button", name="Undo").click()
    expect(page.get_by_test_id("stAlert")).to_contain_text(f"{name} is back in the customer list.")
    expect(page.get_by_test_id("glide-cell-2-0").first).to_have_text(name)


@pytest.mark.parametrize("engine_name", ["mariadb"], indirect=True)
def test_escape_closes_the_dialog_and_changes_nothing(page: Page, server: Server) -> None:
    open_at(page, server)
    counted = page.get_by_text(re.compile(r"active customers\.")).inner_text()
    tick(page, 0, 1)
    page.get_by_role("button", name="Delete 2").click()
    expect(page.get_by_role("dialog")).to_contain_text("Delete 2 customers?")
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog")).to_have_count(0)
    page.get_by_role("button", name="Next").click()
    settled(page)
    expect(page.get_by_role("dialog")).to_have_count(0)
    assert page.get_by_text(re.compile(r"active customers\.")).inner_text() == counted


@pytest.mark.parametrize("engine_name", ["sqlite"], indirect=True)
@pytest.mark.parametrize(
    ("path", "title"), [("deleted_customers", "Deleted Customers"), ("revenue?period=24+months", "Revenue")]
)
def test_a_deep_link_on_a_fresh_server_shows_its_page(page: Page, server: Server, path: str, title: str) -> None:
    open_at(page, server, path)
    expect(page.get_by_role("heading", name=title)).to_be_visible()
    expect(page.get_by_role("link", name="Customer Management")).to_be_visible()
    expect(page.get_by_role("dialog")).to_have_count(0)
    assert page.url == f"{server.url}/{path}"


@pytest.mark.parametrize("engine_name", ["sqlite"], indirect=True)
def test_search_sort_and_page_are_in_the_address_and_survive_a_reload(page: Page, server: Server) -> None:
    open_at(page, server)
    page.get_by_label("Order").click()
    page.get_by_role("option", name="Name Z to A").click()
    settled(page)
    page.get_by_role("button", name="Next").click()
    settled(page)
    name = cell(page, 2, 0)
    expect(page).to_have_url(re.compile(r"sort=Name\+Z\+to\+A"))
    expect(page).to_have_url(re.compile(r"after="))
    page.reload()
    settled(page)
    assert cell(page, 2, 0) == name
    page.get_by_placeholder("Name, beginning").fill(name[:4])
    expect(page).to_have_url(re.compile(r"search="))
    expect(page).not_to_have_url(re.compile(r"after="))


HOSTILE = "**bold** :red[x] $x$ <script>document.title='owned'</script> [a](http://x.example) www.x.example a@b.example"


@pytest.mark.parametrize("engine_name", ["sqlite"], indirect=True)
def test_a_name_full_of_markup_is_shown_as_typed(page: Page, server: Server, shop_url: str) -> None:
    engine = create_engine(shop_url)
    with engine.begin() as connection:
        connection.execute(text("UPDATE customers SET name = :name WHERE id = 1"), {"name": HOSTILE})
    engine.dispose()
    open_at(page, server, "?search=%231")
    assert cell(page, 2, 0) == HOSTILE
    tick(page, 0)
    page.get_by_role("button", name="Delete", exact=True).click()
    dialog = page.get_by_role("dialog")
    shown = dialog.get_by_role("heading").first.inner_text().replace("\u2060", "")
    assert shown == f"Delete {HOSTILE}?"
    dialog.get_by_label("Reason").click()
    page.get_by_text("Entered by mistake").click()
    dialog.get_by_role("button", name="Delete customer").click()
    flash = page.get_by_test_id("stAlert").first
    expect(flash).to_contain_text("is deleted.")
    assert HOSTILE in flash.inner_text().replace("\u2060", "")
    expect(flash.get_by_role("link")).to_have_count(0)
    assert "owned" not in page.title()


@pytest.mark.parametrize("engine_name", ["sqlite"], indirect=True)
def test_a_double_click_on_delete_deletes_once(page: Page, server: Server, shop_url: str) -> None:
    open_at(page, server)
    tick(page, 3)
    page.get_by_role("button", name="Delete", exact=True).click()
    page.get_by_role("dialog").get_by_label("Reason").click()
    page.get_by_text("Fraud or abuse").click()
    page.get_by_role("button", name="Delete customer").dblclick()
    expect(page.get_by_test_id("stAlert")).to_be_visible()
    settled(page)
    engine = create_engine(shop_url)
    with engine.connect() as connection:
        count = connection.execute(
            text("SELECT count(*) FROM evenbooks_events WHERE actor LIKE 'os:%' AND action = 'delete'")
        ).scalar()
    engine.dispose()
    assert count == 1
