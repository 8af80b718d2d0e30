"""`python -m data.status`: what needs somebody is told, and the code says whether anything does."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from auditing import told
from shops import ADMIN, execute, rows, state
from sqlalchemy import update

from data import events, integrity, jobs
from data.database import Database, in_transaction, now
from data.events import Draft
from data.months import month_before
from data.seals import seal
from data.settings import Retention
from data.status import main, signals

CLOSED = month_before(f"{now():%Y-%m}")


def closed(shop: Database) -> None:
    """The story of tests/auditing.py, and the last month that is over sealed too."""
    told(shop)
    seal(shop, CLOSED, actor=ADMIN)


@pytest.fixture
def story(shop_after: Callable[..., Database]) -> Database:
    """A shop with deletions and two sealed months, just checked."""
    database = shop_after(closed)
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
    assert words["seals"] == f"2 months, the last {CLOSED}"
    assert words["tables"] == "of version 0005, as this Evenbooks wants them"
    assert (words["jobs"], words["requests"], words["backup"]) == ("0 running", "0 waiting", "never checked")
    assert main([]) == 0
    assert capsys.readouterr().out.splitlines()[2] == "check     ok    even, 0.0 hours ago"
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
        (
            "UPDATE evenbooks_events SET id = 99 WHERE id = 3",
            "the head names event 7, and there are later ones, up to 99",
        ),
    ],
)
def test_a_broken_end_of_the_chain(story: Database, damage: str, words: str) -> None:
    execute(story.engine, damage)
    assert trouble(story) == {"chain": words}


@pytest.mark.parametrize(
    ("damage", "words"),
    [
        (
            "UPDATE evenbooks_version SET version_num = '0004'",
            "of version 0004, and this Evenbooks wants 0005: run the migration",
        ),
        (
            "UPDATE evenbooks_version SET version_num = '0099'",
            "of version 0099, which a newer Evenbooks made; this one knows 0005 at most",
        ),
        ("DELETE FROM evenbooks_version", "of no version that is noted: run the migration"),
        ("DROP TABLE evenbooks_version", "of no version that is noted: run the migration"),
    ],
)
def test_tables_of_another_version(story: Database, damage: str, words: str) -> None:
    execute(story.engine, damage)
    assert trouble(story) == {"tables": words}


def test_a_company_that_seals_is_told_of_the_second_month_that_waits(story: Database) -> None:
    late, later = month_before(CLOSED), month_before(month_before(CLOSED))
    seals = story.schema.own.seals
    put(story, seals, month=late)
    assert trouble(story) == {}
    put(story, seals, month=later)
    assert trouble(story) == {"seals": f"1 months, the last {later}: {late} to {CLOSED} are over and not sealed"}
    put(story, seals, unsealed_event_id=6)
    assert trouble(story) == {}


def backed_up(database: Database, *, days: int = 0, copy_days: int = 0, **body: Any) -> None:
    """An event as `data.backup_check` writes it, of so many days ago, of a copy of so many days before today."""
    at = now() - timedelta(days=days)
    copy_at = events.stamp(now() - timedelta(days=copy_days))
    body = {"passed": True, "unseen": 0, "differences": [], "copy_at": copy_at, **body}

    def write(connection: Any) -> None:
        head = events.take_turns(connection, database.schema)
        events.append(connection, database.schema, [Draft("backup_check", ADMIN, None, body=body)], head=head, at=at)

    in_transaction(database, write)


@pytest.mark.parametrize(
    ("found", "ok", "words"),
    [
        ({}, True, "passed, checked 0.0 hours ago"),
        ({"days": 6, "copy_days": 6}, True, "passed, checked 6 days ago"),
        ({"days": 8, "copy_days": 8}, False, "passed, checked 8 days ago, which is older than 7 days"),
        ({"days": -2}, False, "passed, checked 48.0 hours from now: a clock was put back"),
        (
            {"copy_days": 9},
            False,
            "passed, checked 0.0 hours ago, but the copy is of 9 days ago, which is older than 7 days",
        ),
        ({"copy_at": None}, False, "passed, checked 0.0 hours ago, but nobody knows how old the copy is"),
        ({"passed": None}, False, "NOT PASSED: not enough could be seen, checked 0.0 hours ago"),
        ({"passed": False, "differences": ["x"]}, False, "NOT PASSED: the copy differs, checked 0.0 hours ago"),
        ({"differences": 5}, False, "NOT PASSED: the copy differs, checked 0.0 hours ago"),
    ],
)
def test_a_backup_check_is_good_as_long_as_the_company_allows(
    story: Database, found: dict[str, Any], ok: bool, words: str
) -> None:
    backed_up(story, **found)
    (backup,) = [signal for signal in signals(story) if signal.name == "backup"]
    assert (backup.ok, backup.words) == (ok, words)


def test_never_checked_is_trouble_where_the_settings_ask_for_it(story: Database) -> None:
    for section, expected in (
        (Retention(), {}),
        (Retention(erasures="elsewhere"), {}),
        (Retention(days=3650), {"backup": "never checked, and [retention] wants it every 7 days"}),
        (Retention(backup_check_days=30), {"backup": "never checked, and [retention] wants it every 30 days"}),
    ):
        settings = story.settings.model_copy(update={"retention": section})
        schema = replace(story.schema, settings=settings)
        assert trouble(replace(story, settings=settings, schema=schema)) == expected


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
