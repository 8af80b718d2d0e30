"""A database that is not ready: a page that says so, and works once it is."""

from __future__ import annotations

from pathlib import Path

import pytest
from browser_server import dashboard, open_at, settled
from playwright.sync_api import Page, expect
from sqlalchemy import create_engine, text

from data.migration import migrate
from data.settings import load_settings


def test_an_unmigrated_database_names_the_command_and_works_after_it(
    page: Page, empty_url: str, tmp_path: Path
) -> None:
    engine = create_engine(empty_url)
    with engine.begin() as connection:
        connection.execute(text("CREATE TABLE customers (id INTEGER PRIMARY KEY, name VARCHAR(80) NOT NULL)"))
        connection.execute(
            text(
                "CREATE TABLE orders (id INTEGER PRIMARY KEY, customer_id INTEGER, ordered_at DATE, total DECIMAL(10,2))"
            )
        )
        connection.execute(text("INSERT INTO customers VALUES (1, 'Ana Souza')"))
    engine.dispose()
    with dashboard(empty_url, tmp_path / "log") as server:
        open_at(page, server)
        expect(page.get_by_test_id("stAlert")).to_contain_text(
            "This database has no deleted_at column on customers yet."
        )
        expect(page.get_by_text("python run_customer_soft_delete_migration.py --dry-run")).to_be_visible()
        migrate(load_settings(database_url=empty_url), say=lambda line: None)
        page.get_by_role("button", name="Try again").click()
        expect(page.get_by_text("1 active customer, none deleted.")).to_be_visible()


@pytest.mark.parametrize("path", ["", "deleted_customers", "revenue"])
def test_a_database_that_is_down_is_said_on_every_page_without_the_password(
    page: Page, tmp_path: Path, path: str
) -> None:
    with dashboard("mysql+pymysql://shop:secret@127.0.0.1:9/shop", tmp_path / "log") as server:
        open_at(page, server, path)
        expect(page.get_by_test_id("stAlert")).to_contain_text("The database does not answer")
        expect(page.get_by_role("button", name="Try again")).to_be_visible()
        settled(page)
        assert "secret" not in page.content()
        assert "Traceback" not in page.content()
    assert "secret" not in (tmp_path / "log").read_text()
