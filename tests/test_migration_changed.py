"""What the migration made and somebody changed by hand since, or what the mapping now says otherwise, is made anew."""

from __future__ import annotations

import pytest
from migrating import MakeUrl, ask, build, dump, said
from shops import settings_for

from data import migration
from data.errors import EvenbooksError

pytestmark = pytest.mark.usefixtures("own_folder")
INDEX = "idx_customers_active_email"
OTHERWISE = [
    ("type = 'A'", "type = 'a'"),
    ("phone = '1' OR phone = '2' AND name = 'x'", "(phone = '1' OR phone = '2') AND name = 'x'"),
]


def changes(engine_name: str) -> dict[str, list[str]]:
    """What somebody does to our pieces, by the piece that it spoils."""
    found = {
        "view active_customers": [
            "DROP VIEW active_customers",
            "CREATE VIEW active_customers AS SELECT id, name, email, phone, created_at, deleted_at FROM customers",
        ],
        f"index {INDEX}": [f"DROP INDEX {INDEX}", f"CREATE INDEX {INDEX} ON customers (email)"],
    }
    if engine_name == "mariadb":
        alter, column = "ALTER TABLE customers", "evenbooks_active_email"
        found[f"index {INDEX}"] = [f"{alter} DROP INDEX {INDEX}", f"{alter} ADD INDEX {INDEX} ({column})"]
        found[f"column {column}"] = [
            f"{alter} DROP INDEX {INDEX}, DROP COLUMN {column}",
            f"{alter} ADD COLUMN {column} VARCHAR(80) AS (NULL) VIRTUAL INVISIBLE, ADD UNIQUE INDEX {INDEX} ({column})",
        ]
    if engine_name == "postgresql":
        found["view all_customers"] = ["ALTER VIEW all_customers RESET (security_invoker)"]
    return found


def test_what_was_changed_by_hand_is_made_anew(make_url: MakeUrl, engine_name: str) -> None:
    settings = build(url := make_url())
    before = dump(url)
    migration.migrate(settings, views=True, active_unique=True)
    whole = dump(url)
    for name, statements in changes(engine_name).items():
        ask(url, *statements)
        assert dump(url) != whole, name
        assert name in said(settings).partition("To do: ")[2].splitlines()[0], name
        assert dump(url) == whole, name
        assert "To do: nothing" in said(settings), name
    migration.undo(settings)
    assert dump(url) == before


@pytest.mark.parametrize(("before", "after"), OTHERWISE)
def test_a_slice_that_looks_alike_is_another(make_url: MakeUrl, before: str, after: str) -> None:
    build(url := make_url(), also=("ALTER TABLE customers ADD type VARCHAR(9)",))
    options = {"views": True, "active_unique": True}
    migration.migrate(settings_for(url, {"customers": {"where": before}}), **options)
    old = dump(url)
    settings = settings_for(url, {"customers": {"where": after}})
    todo = said(settings).partition("To do: ")[2].splitlines()[0]
    assert "view active_customers, view all_customers" in todo
    assert "active_email" in todo
    assert dump(url) != old
    assert "To do: nothing" in said(settings)


@pytest.mark.parametrize("dry_run", [False, True])
def test_tables_of_a_newer_version_are_left_to_it(make_url: MakeUrl, dry_run: bool) -> None:
    settings = build(url := make_url())
    migration.migrate(settings)
    ask(
        url,
        "UPDATE evenbooks_version SET version_num = '0099'",
        "DROP INDEX idx_evenbooks_events_batch ON evenbooks_events"
        if url.startswith("mysql")
        else "DROP INDEX idx_evenbooks_events_batch",
    )
    before = dump(url)
    with pytest.raises(EvenbooksError, match=r"are of version 0099, and this Evenbooks knows \d{4} at most"):
        migration.migrate(settings, dry_run=dry_run)
    assert dump(url) == before
