"""MariaDB's accounts whose rights are per table: what they may not see is neither taken for gone nor for done."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from migrating import ask, build, dump, said, statements
from servers import fresh_mariadb
from shops import make_shop, settings_for
from sqlalchemy.engine import make_url
from test_grants import APP, PASSWORD, READER, accounts

from data import migration
from data.database import Database, attach
from data.engines import make_engine
from data.errors import ConfigurationError, DatabaseReadOnly, NotMigrated
from data.migration.own import own_present, own_unseen
from data.settings import Settings

pytestmark = pytest.mark.usefixtures("own_folder")
SECRET = "secret-word"
READS = ("SELECT ON customers", "SELECT ON orders")
NOT_READ = r"^This account may not read what Evenbooks needs \(.*{}.*python -m data\.sql grants"


@pytest.fixture
def url(mariadb_url: str) -> Iterator[str]:
    with fresh_mariadb(mariadb_url) as fresh:
        yield fresh


@pytest.fixture
def shop(url: str) -> Iterator[Database]:
    made = make_shop(url)
    yield made
    made.engine.dispose()


def seen_by(settings: Settings, account: str, password: str) -> Settings:
    """The same database with another account."""
    url = make_url(settings.database_url).set(username=account, password=password)
    return settings.model_copy(update={"database_url": url.render_as_string(hide_password=False)})


@contextmanager
def small(url: str, *grants: str) -> Iterator[Settings]:
    """An account with these rights alone."""
    name = "eb_small"
    ask(url, f"CREATE OR REPLACE USER {name} IDENTIFIED BY '{SECRET}'", *(f"GRANT {one} TO {name}" for one in grants))
    try:
        yield seen_by(settings_for(url), name, SECRET)
    finally:
        ask(url, f"DROP USER {name}")


def undone(settings: Settings, *, dry_run: bool = False) -> str:
    lines: list[str] = []
    migration.undo(settings, dry_run=dry_run, say=lines.append)
    return "\n".join(lines)


def test_the_applications_account_is_told_that_there_is_nothing_to_do(shop: Database) -> None:
    with accounts(shop):
        app = seen_by(shop.settings, APP, PASSWORD)
        output = said(app, dry_run=True)
        assert "-- To do: nothing; everything is there." in output
        assert statements(output) == []
        before = dump(shop.settings.database_url)
        assert "Verified: everything is there," in said(app)
        assert dump(shop.settings.database_url) == before


def test_what_the_applications_account_may_not_see_is_said_and_left(shop: Database) -> None:
    migration.migrate(shop.settings, views=True, guard=True)
    with accounts(shop):
        app = seen_by(shop.settings, APP, PASSWORD)
        before = dump(shop.settings.database_url)
        for dry_run in (True, False):
            output = said(app, dry_run=dry_run)
            assert "may not see triggers, so the guard customers is left as it is." in output
            assert "may not see the view active_customers, so it is left as it is." in output
            assert "To do: nothing; everything that this account may see is there." in output
            assert "everything is there" not in output
        assert dump(shop.settings.database_url) == before


def test_views_that_are_asked_for_name_the_rights_that_they_need(shop: Database) -> None:
    with accounts(shop):
        app = seen_by(shop.settings, APP, PASSWORD)
        assert "RED: This account may not do what the migration needs" in said(app, dry_run=True, views=True)
        with pytest.raises(DatabaseReadOnly, match=r"CREATE VIEW, CREATE, DROP on \S*\.active_customers; CREATE VIEW"):
            migration.migrate(app, views=True)


@pytest.mark.parametrize("is_migrated", [False, True])
def test_who_sees_the_companys_tables_alone_is_told_every_right_that_it_needs(url: str, is_migrated: bool) -> None:
    settings = build(url)
    if is_migrated:
        migration.migrate(settings)
    before = dump(url)
    with small(url, *READS) as account:
        output = said(account, dry_run=True)
        assert "-- RED: This account may not do what the migration needs: CREATE, INDEX, SELECT, INSERT" in output
        assert "-- This account may not see whether these are there: evenbooks_events, " in output
        assert "everything is there" not in output
        with pytest.raises(DatabaseReadOnly) as refused:
            migration.migrate(account)
        words = str(refused.value)
        assert words.startswith("This account may not do what the migration needs: CREATE, INDEX, SELECT, INSERT")
        assert dump(url) == before
        grants = words.partition("To allow it: ")[2].split(" Or give ")[0]
        ask(url, *[sql for sql in grants.split(";") if sql.strip()])
        if is_migrated:
            assert "To do: nothing; everything is there." in said(account)
        else:
            assert "Verified: everything is there," in said(account)


def test_undo_by_who_may_not_see_our_tables_is_no_calm(url: str, shop: Database) -> None:
    before = dump(url)
    many = [f"ALL PRIVILEGES ON {name}" for name in ("customers", "orders", "evenbooks_chain", "evenbooks_version")]
    for grants in (READS, many):
        with small(url, *grants) as account:
            for dry_run in (True, False):
                with pytest.raises(
                    DatabaseReadOnly, match=r"may not see whether these are there: evenbooks_events, .*Nothing was"
                ):
                    undone(account, dry_run=dry_run)
    assert dump(url) == before


def test_attaching_with_rights_on_the_companys_tables_alone(url: str, shop: Database) -> None:
    with small(url, *READS) as account, pytest.raises(ConfigurationError, match=NOT_READ.format("evenbooks_events")):
        attach(account)
    migration.undo(shop.settings)
    with small(url, *READS) as account, pytest.raises(NotMigrated, match="no deleted_at column on customers yet"):
        attach(account)


def test_who_may_not_read_the_orders_is_not_told_that_it_may(url: str, shop: Database) -> None:
    with (
        small(url, "SELECT ON customers") as account,
        pytest.raises(ConfigurationError, match=NOT_READ.format("orders")),
    ):
        attach(account)


def test_who_may_read_some_columns_only_sees_our_tables_as_everybody_does(shop: Database) -> None:
    found = []
    with accounts(shop):
        for settings in (shop.settings, seen_by(shop.settings, READER, PASSWORD)):
            engine = make_engine(settings.url)
            with engine.connect() as connection:
                present = own_present(connection, shop.schema)
                assert own_unseen(connection, shop.schema, present) == []
                found.append(present)
            engine.dispose()
    assert found[0] == found[1]
    assert "evenbooks_approvals.idx_evenbooks_approvals_state" in found[0]
