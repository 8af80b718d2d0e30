"""--views: active_customers and all_customers, for other programs."""

from __future__ import annotations

import pytest
from migrating import MakeUrl, ask, build, dump, opened, said
from shops import ADMIN, settings_for
from sqlalchemy import inspect

from data import customers, migration
from data.database import attach
from data.errors import ConfigurationError

pytestmark = pytest.mark.usefixtures("own_folder")


def ids(url: str, view: str) -> list[int]:
    return [row[0] for row in ask(url, f"SELECT id FROM {view} ORDER BY id")]


def columns(url: str, view: str) -> list[str]:
    with opened(url) as engine:
        return [column["name"] for column in inspect(engine).get_columns(view)]


def test_they_show_who_is_active_and_everybody(make_url: MakeUrl) -> None:
    settings = build(url := make_url())
    before = dump(url)
    migration.migrate(settings, views=True, active_unique=True)
    names = ["id", "name", "email", "phone", "created_at", "deleted_at"]
    assert columns(url, "active_customers") == columns(url, "all_customers") == names
    with opened(url) as engine:
        database = attach(settings, engine=engine)
        customers.delete_many(database, [2, 5], actor=ADMIN, reason="inactive")
        assert ids(url, "active_customers") == [1, 3, 4]
        assert ids(url, "all_customers") == [1, 2, 3, 4, 5]
        customers.restore_many(database, [2, 5], actor=ADMIN, reason="mistake")
    migration.undo(settings)
    assert dump(url) == before


def test_they_follow_the_slice_and_the_columns(make_url: MakeUrl) -> None:
    build(url := make_url())
    settings = settings_for(url, {"customers": {"where": "id <> 3 AND name <> 'a:b%'"}})
    migration.migrate(settings, views=True)
    assert ids(url, "all_customers") == [1, 2, 4, 5]
    assert "To do: nothing" in said(settings)
    ask(url, "ALTER TABLE customers ADD COLUMN city VARCHAR(20)")
    assert "view active_customers, view all_customers" in said(settings)
    assert columns(url, "all_customers")[-1] == "city"
    migration.migrate(settings_for(url, {"customers": {"where": "id <> 4"}}))
    assert ids(url, "active_customers") == [1, 2, 3, 5]
    assert "To do: nothing" in said(settings_for(url, {"customers": {"where": "id <> 4"}}))


def test_a_dropped_view_is_made_again(make_url: MakeUrl) -> None:
    settings = build(url := make_url())
    migration.migrate(settings, views=True)
    after = dump(url)
    ask(url, "DROP VIEW active_customers")
    migration.migrate(settings)
    assert dump(url) == after


@pytest.mark.parametrize(
    "theirs", ["CREATE TABLE all_customers (id INTEGER)", "CREATE VIEW all_customers AS SELECT id FROM customers"]
)
def test_names_of_theirs_are_left_alone(make_url: MakeUrl, theirs: str) -> None:
    settings = build(url := make_url(), also=(theirs,))
    before = dump(url)
    with pytest.raises(ConfigurationError, match="There is a table or view all_customers already"):
        migration.migrate(settings, views=True)
    assert dump(url) == before
    migration.migrate(settings)
    migration.undo(settings)
    assert dump(url) == before
