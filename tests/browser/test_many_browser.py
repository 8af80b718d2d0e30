"""Many customers at once in a real browser: all that match a search, the number typed, watched, undone."""

from __future__ import annotations

import re

import pytest
from browser_server import Server, cell, open_at, settled, tick
from playwright.sync_api import Page, expect


@pytest.mark.parametrize("engine_name", ["sqlite"], indirect=True)
def test_all_that_match_are_deleted_by_a_job_and_undone(page: Page, server: Server) -> None:
    open_at(page, server)
    counted = page.get_by_text(re.compile(r"active customers\.")).inner_text()
    tick(page, -1)  # the header's box: the whole page
    expect(page.get_by_role("button", name="Delete 50", exact=False)).to_be_visible()
    page.get_by_role("button", name="Delete all").click()
    dialog = page.get_by_role("dialog")
    expect(dialog).to_contain_text("Next you see what it means")
    dialog.get_by_label("Reason").click()
    page.get_by_text("Duplicate of another customer").click()
    dialog.get_by_role("button", name="Continue").click()
    field = dialog.get_by_label(re.compile(r"Type \d+ to confirm"))
    field.wait_for()
    number = re.findall(r"Type (\d+)", dialog.inner_text())[0]
    confirm = dialog.get_by_role("button", name=f"Delete {number} customers")
    confirm.click()
    expect(dialog.get_by_test_id("stAlert")).to_contain_text(f"Type {number} to confirm.")
    field.fill(number)
    confirm.click()
    expect(dialog).to_have_count(0)
    job = page.locator(".st-key-job")
    expect(job).to_contain_text(f"{number} of {number} done: {number} deleted.")
    expect(page).to_have_url(re.compile("job="))
    settled(page)
    expect(page.get_by_text("Every customer is deleted.")).to_be_visible()

    page.reload()
    settled(page)
    job.get_by_text("Each customer").click()
    settled(page)
    assert cell(page, 2, 0) == "deleted"
    job.get_by_role("button", name="Undo").click()
    expect(job).to_contain_text(f"{number} of {number} done: {number} restored.")
    job.get_by_role("button", name="Close").click()
    expect(job).to_have_count(0)
    expect(page.get_by_text(re.compile(r"active customers\."))).to_have_text(counted)
    expect(page).not_to_have_url(re.compile("job="))
