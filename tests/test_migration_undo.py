"""The migration's undo: removes what the migration made, and nothing else."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from migrating import ALL, MakeUrl, ask, bodies, build, contents, dump, opened, statements
from shops import ADMIN, settings_for

from data import customers, migration
from data.database import attach
from data.errors import ConfigurationError, EvenbooksError

pytestmark = pytest.mark.usefixtures("own_folder")


def test_undo_gives_back_the_very_tables_and_keeps_the_events(make_url: MakeUrl, tmp_path: Path) -> None:
    settings = build(url := make_url())
    schema, rows = dump(url), contents(url)
    migration.migrate(settings, **ALL)
    with opened(url) as engine:
        database = attach(settings, engine=engine)
        customers.delete_many(database, [1], actor=ADMIN, reason="other", note="héllo")
        customers.restore_many(database, [1], actor=ADMIN, reason="mistake")
    events = ask(url, "SELECT hash FROM evenbooks_events ORDER BY id")
    migrated = dump(url)
    lines: list[str] = []
    migration.undo(settings, dry_run=True, say=lines.append)
    assert dump(url) == migrated
    assert not list(tmp_path.glob("*.jsonl"))
    planned = statements("\n".join(lines))
    file = tmp_path / "events.jsonl"
    lines.clear()
    migration.undo(settings, say=lines.append, export=file)
    assert (dump(url), contents(url)) == (schema, rows)
    assert [sql for line in lines if line.endswith(";") for sql in statements(line)] == planned
    exported = [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()]
    assert [(e["hash"],) for e in exported] == events
    assert [e["note"] for e in exported if e["note"]] == ["héllo"]
    migration.undo(settings, say=lines.append)
    assert lines[-1] == "There is nothing to undo: this database has none of our tables."
    migration.migrate(settings)
    assert len(bodies(url)) == 1


def test_undo_is_refused_while_anybody_is_deleted(make_url: MakeUrl, tmp_path: Path) -> None:
    settings = build(url := make_url())
    migration.migrate(settings)
    with opened(url) as engine:
        database = attach(settings, engine=engine)
        customers.delete_many(database, [1], actor=ADMIN, reason="inactive")
        with pytest.raises(EvenbooksError, match=r"^1 customer has been deleted since the migration \(1\)"):
            migration.undo(settings)
        customers.delete_many(database, [5], actor=ADMIN, reason="inactive")
    schema, rows = dump(url), contents(url)
    with pytest.raises(EvenbooksError, match=r"2 customers have been deleted since the migration \(1, 5\)"):
        migration.undo(settings)
    assert (dump(url), contents(url)) == (schema, rows)
    assert not list(tmp_path.glob("*.jsonl"))


def test_undo_keeps_their_own_column_and_its_values(make_url: MakeUrl) -> None:
    column = "ALTER TABLE customers ADD COLUMN deleted_at {time} NULL DEFAULT NULL"
    gone = "UPDATE customers SET deleted_at = '2023-05-06 07:08:09' WHERE id IN (2, 4)"
    settings = build(url := make_url(), also=(column, gone))
    schema, rows = dump(url), contents(url)
    migration.migrate(settings)
    with opened(url) as engine:
        database = attach(settings, engine=engine)
        customers.delete_many(database, [3], actor=ADMIN, reason="inactive")
        with pytest.raises(EvenbooksError, match=r"1 customer has .* \(3\)"):
            migration.undo(settings)
        customers.restore_many(database, [3], actor=ADMIN, reason="mistake")
    migration.undo(settings)
    assert (dump(url), contents(url)) == (schema, rows)


def test_undo_under_another_mapping_is_refused(make_url: MakeUrl) -> None:
    settings = build(url := make_url())
    migration.migrate(settings)
    other = settings_for(url, {"customers": {"deleted_at": "removed_at"}})
    with pytest.raises(ConfigurationError, match="with another mapping than today's"):
        migration.undo(other)


def test_the_export_never_overwrites(make_url: MakeUrl, tmp_path: Path) -> None:
    settings = build(url := make_url())
    migration.migrate(settings)
    schema = dump(url)
    (tmp_path / "kept").write_text("mine")
    with pytest.raises(EvenbooksError, match="Nothing was changed"):
        migration.undo(settings, export=tmp_path / "kept")
    assert (tmp_path / "kept").read_text() == "mine"
    assert dump(url) == schema


def test_an_older_evenbooks_removes_nothing_of_a_newer_one(make_url: MakeUrl, tmp_path: Path) -> None:
    settings = build(url := make_url())
    migration.migrate(settings, **ALL)
    ask(url, "UPDATE evenbooks_version SET version_num = '9999'")
    schema, rows = dump(url), contents(url)
    for dry_run in (True, False):
        with pytest.raises(
            EvenbooksError, match=r"of version 9999, and this .* knows \d+ at most.*Nothing was changed"
        ):
            migration.undo(settings, dry_run=dry_run)
    with pytest.raises(EvenbooksError, match="of version 9999, "):
        migration.migrate(settings)
    assert (dump(url), contents(url)) == (schema, rows)
    assert not list(tmp_path.glob("*.jsonl"))
