"""The migration beside another one at the same moment."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest
from migrating import MakeUrl, bodies, build, opened
from sqlalchemy import text

from data import migration
from data.errors import DatabaseUnavailable

pytestmark = pytest.mark.usefixtures("own_folder")


LOCKS = {
    "mariadb": "SELECT GET_LOCK(CONCAT('evenbooks.', SHA1(DATABASE())), 0)",
    "postgresql": "SELECT pg_advisory_lock(hashtext('evenbooks migration'))",
}


def test_two_at_once_are_one_after_the_other(make_url: MakeUrl, engine_name: str) -> None:
    settings = build(url := make_url())
    with opened(url) as engine, engine.connect().execution_options(write=True) as other:
        if engine_name == "sqlite":
            other.execute(text("SELECT 1"))  # begins, and so locks
        else:
            other.execute(text(LOCKS[engine_name]))
        with pytest.raises(DatabaseUnavailable, match=r"busy|Somebody else is running this migration"):
            migration.migrate(settings)
        other.rollback()
    migration.migrate(settings)


def test_several_runners_at_the_same_moment_make_it_once(make_url: MakeUrl, engine_name: str) -> None:
    settings = build(url := make_url())
    with ThreadPoolExecutor(4) as pool:
        runs = [pool.submit(migration.migrate, settings) for _ in range(4)]
    failures = [run.exception() for run in runs if run.exception()]
    # SQLite's runners wait for each other; the servers' do some seconds long and are then told that somebody is at it.
    assert not failures if engine_name == "sqlite" else len(failures) < 4
    assert all("Somebody else is running this migration" in str(failure) for failure in failures)
    migration.migrate(settings)
    assert [body["action"] for body in bodies(url)] == ["baseline"]
