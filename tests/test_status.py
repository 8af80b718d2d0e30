"""`python -m data.status`: what needs somebody is told, and the code says whether anything does."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from auditing import told
from shops import ADMIN, execute, rows, state
from sqlalchemy import update

from data import integrity, jobs
from data.database import Database, in_transaction, now
from data.status import main, signals


@pytest.fixture
def story(shop_after: Callable[..., Database]) -> Database:
    """A shop with deletions and a sealed month (tests/auditing.py), just checked."""
    database = shop_after(told)
    integrity.run_and_record(database)
    return database


def trouble(database: Database) -> dict[str, str]:
    return {signal.name: signal.words for signal in signals(database) if not signal.ok}


def put(database: Database, table: Any, **values: Any) -> None:
    in_transaction(database, lambda connection: connection.execute(update(table).values(values)))


def test_a_sound_shop_needs_nobody_and_nothing_is_written(
    story: Database, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    before = state(story), rows(story, "evenbooks_checks"), rows(story, "evenbooks_heartbeat")
    monkeypatch.setenv("DATABASE_URL", story.settings.database_url)
    assert main(["--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["ok"] is True
    words = {signal["name"]: signal["words"] for signal in found["signals"]}
    head = rows(story, "evenbooks_chain")[0]
    # The shop is a copy of one that other tests began with, so it may be some minutes old.
    assert re.fullmatch(rf"ends with event {head[1]} \({head[2]}\), \d\.\d hours ago", words["chain"])
    assert words["seals"] == "1 months, the last 2024-01"
    assert (words["jobs"], words["requests"], words["backup"]) == ("0 running", "0 waiting", "never checked")
    assert main([]) == 0
    assert capsys.readouterr().out.splitlines()[1] == "check     ok    even, 0.0 hours ago"
    assert (state(story), rows(story, "evenbooks_checks"), rows(story, "evenbooks_heartbeat")) == before


def test_a_check_that_is_old_red_blind_or_absent(story: Database) -> None:
    checks = story.schema.own.checks
    put(story, checks, snapshot_at=now() - timedelta(hours=27))
    assert trouble(story) == {"check": "even, 27.0 hours ago"}
    put(story, checks, snapshot_at=now() + timedelta(hours=30))
    assert trouble(story) == {"check": "even, 30.0 hours from now: a clock was put back"}
    put(story, checks, snapshot_at=now(), unseen=2)
    assert trouble(story) == {"check": "even, 2 could not see, 0.0 hours ago"}
    put(story, checks, even=False, unseen=0)
    assert trouble(story) == {"check": "NOT EVEN, 0.0 hours ago"}
    execute(story.engine, "DELETE FROM evenbooks_checks")
    assert trouble(story) == {"check": "never checked"}


@pytest.mark.parametrize(
    ("damage", "words"),
    [
        ("UPDATE evenbooks_chain SET event_id = 99", "the head names event 99, which is gone or another one"),
        ("UPDATE evenbooks_chain SET event_id = 2", "the head names event 2, which is gone or another one"),
        ("DELETE FROM evenbooks_chain", "the chain of events has no head"),
    ],
)
def test_a_broken_end_of_the_chain(story: Database, damage: str, words: str) -> None:
    execute(story.engine, damage)
    assert trouble(story) == {"chain": words}


def test_a_job_that_nobody_works_on_and_one_that_failed(story: Database) -> None:
    job = jobs.prepare(story, "delete", actor=ADMIN, reason="inactive", ids=[3, 5])
    jobs.start(story, job.id, actor=ADMIN)
    own = story.schema.own.jobs
    put(story, own, owner="o", lease_until=now() + timedelta(seconds=60))
    assert trouble(story) == {}
    put(story, own, lease_until=now() - timedelta(seconds=90))
    assert trouble(story) == {"jobs": f"1 running; nobody works on {job.id}"}
    put(story, own, state="failed", ended_at=now())
    assert trouble(story) == {"jobs": f"0 running; failed in the last 24 hours: {job.id}"}
    put(story, own, ended_at=now() - timedelta(hours=30))
    assert trouble(story) == {}


def test_what_cannot_be_looked_at_is_no_answer(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("DATABASE_URL", "sqlite:////nowhere/at.all")
    assert main([]) == 2
    assert capsys.readouterr().err.startswith("Could not look: There is no database file /nowhere/at.all.")
    assert main(["--json"]) == 2
    assert json.loads(capsys.readouterr().out)["ok"] is None
