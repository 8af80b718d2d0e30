"""Signing in and out as people do, at a real provider, in a real browser."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass

import pytest
from browser_server import Server, cell, open_at, settled, tick
from oidc import dashboard_with_sign_in, provider, say_of
from playwright.sync_api import Browser, Page, expect
from servers import fresh_mariadb
from shops import make_shop, rows, state

from data import sign_in as sign_ins
from data.access import Actor, Door, Role
from data.customers import delete_many
from data.database import Database

PEOPLE = [{"id": n, "name": f"Customer {n}", "email": f"c{n}@example.com"} for n in range(1, 10)]
SALES = [(n, n, f"2026-0{n}-01 00:00:00", "10.00", "paid") for n in range(1, 10)]
RIA = Actor("test:ria", Role.ADMIN, Door.COMMAND)
SQLITE = pytest.mark.parametrize("site", ["sqlite"], indirect=True)
MARIADB = pytest.mark.parametrize("site", ["mariadb"], indirect=True)


@dataclass(frozen=True)
class Site:
    """A dashboard with sign-in, its shop, and the provider."""

    server: Server
    shop: Database
    issuer: str


@pytest.fixture(scope="module")
def site(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """One for all journeys on an engine; customers 7 and 8 are deleted."""
    folder = tmp_path_factory.mktemp("site")
    with ExitStack() as stack:
        if request.param == "sqlite":
            url = f"sqlite:///{folder}/shop.sqlite"
        else:
            url = stack.enter_context(fresh_mariadb(request.getfixturevalue("mariadb_url")))
        shop = make_shop(url, people=PEOPLE, sales=SALES, sections=None)
        stack.callback(shop.engine.dispose)
        delete_many(shop, [7, 8], actor=RIA, reason="inactive")
        issuer = stack.enter_context(provider(folder / "provider.log"))
        yield Site(stack.enter_context(dashboard_with_sign_in(url, folder / "home", issuer)), shop, issuer)


def sign_in(page: Page, account: str) -> None:
    """Through the provider's own form, and back."""
    page.get_by_role("button", name="Sign in").click()
    page.locator("input[name=sub]").fill(account)
    page.locator("input[name=sub]").press("Enter")
    page.wait_for_url("http://localhost:*/**")
    settled(page)


def ask_to_delete(page: Page, row: int) -> None:
    """Opens the dialog for a row of Customer Management, and gives a reason."""
    tick(page, row)
    page.get_by_role("button", name="Delete", exact=True).click()
    page.get_by_role("dialog").get_by_label("Reason").click()
    page.get_by_text("Requested by the customer").click()


def expect_door(page: Page, heading: str) -> None:
    """The page is the front door's, with this heading; of any other nothing is there, and no menu."""
    expect(page.get_by_role("heading", name=heading)).to_be_visible()
    settled(page)
    expect(page.get_by_test_id("stDataFrame")).to_have_count(0)
    expect(page.get_by_role("dialog")).to_have_count(0)
    expect(page.get_by_role("link", name="Customer Management")).to_have_count(0)


@MARIADB
def test_staff_sign_in_delete_as_themselves_and_end_every_tab_by_signing_out(
    page: Page, site: Site, browser: Browser
) -> None:
    address = "deleted_customers?search=Customer"
    open_at(page, site.server, address)
    expect_door(page, "Sign in")
    sign_in(page, "ann")
    assert page.url == f"{site.server.url}/{address}"
    expect(page.get_by_role("heading", name="Deleted Customers")).to_be_visible()
    expect(page.get_by_role("link", name="Revenue")).to_have_count(0)

    listing = page.context.new_page()
    open_at(listing, site.server)
    ask_to_delete(listing, 0)
    listing.get_by_role("button", name="Delete customer").click()
    expect(listing.get_by_test_id("stAlert")).to_contain_text("Customer 1 is deleted.")
    assert rows(site.shop, "evenbooks_events")[-1][3] == "ann@example.com"

    page.reload()  # the list has one customer more
    settled(page)
    tick(page, 0)
    expect(page.get_by_role("button", name="Restore Customer")).to_be_enabled()
    asking = page.context.new_page()
    open_at(asking, site.server, "customers")
    ask_to_delete(asking, 0)
    stolen, before = page.context.cookies(), state(site.shop)
    listing.get_by_role("button", name="staff:").click()
    listing.get_by_role("button", name="Sign out").click()
    listing.wait_for_url("**/oauth2/end_session**")
    page.get_by_role("button", name="Restore Customer").click()
    expect_door(page, "You have signed out")
    asking.get_by_role("button", name="Delete customer").click()
    expect_door(asking, "You have signed out")
    thief = browser.new_context()
    thief.add_cookies(stolen)  # type: ignore[arg-type]
    tab = thief.new_page()
    open_at(tab, site.server, address)
    expect_door(tab, "You have signed out")
    thief.close()
    assert state(site.shop) == before

    sign_in(page, "ann")
    assert page.url == f"{site.server.url}/{address}"
    tick(page, 0)
    page.get_by_role("button", name="Restore Customer").click()
    expect(page.get_by_test_id("stAlert")).to_contain_text("is back in the customer list.")


@SQLITE
def test_a_manager_lands_on_revenue_and_cannot_delete(page: Page, site: Site) -> None:
    open_at(page, site.server)
    sign_in(page, "max")
    expect(page.get_by_role("heading", name="Revenue")).to_be_visible()
    page.get_by_role("link", name="Customer Management").click()
    settled(page)
    assert cell(page, 2, 0) == "Customer 1"
    tick(page, 0)
    expect(page.get_by_role("button", name="Delete", exact=True)).to_be_disabled()


@SQLITE
def test_staff_at_a_page_of_managers_are_told_so(page: Page, site: Site) -> None:
    open_at(page, site.server, "integrity")
    sign_in(page, "ann")
    expect(page.get_by_test_id("stAlert")).to_contain_text("The role staff may not read or run the integrity check.")
    expect(page.get_by_role("dialog")).to_have_count(0)
    page.get_by_test_id("stPageLink").get_by_role("link", name="Deleted Customers").click()
    settled(page)
    assert page.url == f"{site.server.url}/deleted_customers"
    expect(page.get_by_role("heading", name="Deleted Customers")).to_be_visible()


@SQLITE
@pytest.mark.parametrize(
    ("account", "heading"), [("bob", "bob@example.com has no role here"), ("eve", "Eve has no role here")]
)
def test_nobody_and_unverified_addresses_have_no_role(page: Page, site: Site, account: str, heading: str) -> None:
    open_at(page, site.server, "revenue")
    sign_in(page, account)
    expect(page.get_by_text(heading.replace("@", "@\u2060"))).to_be_visible()
    expect_door(page, "has no role here")
    page.get_by_role("button", name="Sign out").click()
    page.wait_for_url("**/oauth2/end_session**")
    open_at(page, site.server)
    expect_door(page, "Sign in")


@SQLITE
def test_a_sign_in_that_ends_while_a_dialog_is_open_changes_nothing(page: Page, site: Site) -> None:
    ends = int(time.time()) + 8
    say_of(site.issuer, "kim", exp=ends)
    open_at(page, site.server)
    sign_in(page, "kim")
    ask_to_delete(page, 2)
    before = state(site.shop)
    page.wait_for_timeout(max(0, ends - time.time()) * 1000 + 500)
    page.get_by_role("button", name="Delete customer").click()
    expect_door(page, "Your sign-in has ended")
    assert state(site.shop) == before
    page.reload()
    settled(page)
    expect_door(page, "Your sign-in has ended")


@SQLITE
def test_files_are_downloaded_once_and_after_a_sign_out_elsewhere_the_page_says_why_not(page: Page, site: Site) -> None:
    open_at(page, site.server, "revenue?period=All")
    sign_in(page, "max")
    for form, kind in (("CSV", b"month,"), ("Excel (XLSX)", b"PK")):
        page.get_by_role("button", name="Download", exact=True).click()
        with page.expect_download() as made:
            page.get_by_text(form, exact=True).click()
        assert made.value.path().read_bytes().startswith(kind)
    link = made.value.url
    assert page.context.request.get(link).status == 404  # the same person, a second time
    settled(page)
    logged = len(site.server.log.read_text())
    claims = {"iss": site.issuer, "sub": "max", "iat": 1, "exp": 2}
    sign_ins.sign_out(site.shop, sign_ins.read_identity(claims))
    page.get_by_role("button", name="Download", exact=True).click()
    page.get_by_text("CSV", exact=True).click()
    expect_door(page, "You have signed out")
    said = site.server.log.read_text()[logged:]
    assert "Traceback" not in said
