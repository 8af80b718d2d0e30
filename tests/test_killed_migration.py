"""The migration killed at every step: run again it completes, and can be undone; two at once are one after the other."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from acts import assert_well
from migrating import ALL, MakeUrl, ask, bodies, build, dump
from shops import settings_for

from data import migration, queries
from data.database import attach
from data.migration.session import Session
from data.settings import ROOT, Settings

pytestmark = pytest.mark.usefixtures("own_folder")
OPTIONS = [f"--{name.replace('_', '-')}" for name in ALL]
TOTAL = "SELECT count(*), sum(total) FROM orders"
STEPS = [(Session, "_execute"), (Session, "run_outside"), (queries, "append_events")]


@pytest.fixture(autouse=True)
def _without_the_check(monkeypatch: pytest.MonkeyPatch) -> None:
    """The check at the end takes most of a run's time; here it is asked once after each step."""
    monkeypatch.setattr(migration.integrity, "run_and_record", lambda database: None)
    monkeypatch.setattr(migration.integrity, "verdict", lambda report: "")


def killed(work: Callable[[], None], number: int) -> bool:
    """Runs it in a process of its own, which is killed (SIGKILL) right after its nth statement; whether it came to that."""
    child = os.fork()
    if not child:
        try:
            _count(number)
            work()
        finally:
            os._exit(0)
    _, status = os.waitpid(child, 0)
    return os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGKILL


def _count(number: int) -> None:
    """Every statement of the migration, and every event that it writes, counts; the nth is the last."""
    count = 0

    def counted(method: Any) -> Any:
        def call(*arguments: Any, **named: Any) -> Any:
            nonlocal count
            result = method(*arguments, **named)
            count += 1
            if count == number:
                os.kill(os.getpid(), signal.SIGKILL)
            return result

        return call

    for place, name in STEPS:
        setattr(place, name, counted(getattr(place, name)))


def told(url: str) -> list[dict[str, Any]]:
    """The events without their times, and what they say was made in one: a killed run may have written it in two."""
    return [{key: value for key, value in body.items() if key not in ("at", "made", "digests")} for body in bodies(url)]


def assert_books_well(settings: Settings) -> None:
    """The chain is whole, and the check is even."""
    shop = attach(settings)
    assert_well(shop, shop)
    shop.engine.dispose()


def made(url: str) -> set[str]:
    return {name for body in bodies(url) for name in body.get("made", [])}


def test_killed_at_every_step_and_run_again_it_completes_and_so_does_its_undo(make_url: MakeUrl) -> None:
    migration.migrate(build(whole := make_url()), **ALL)
    settings = build(url := make_url())
    empty, all_of_it = dump(url), dump(whole)
    step, last = 1, {"migrate": 0, "undo": 0}
    while step - 1 in (0, *last.values()):
        if killed(lambda: migration.migrate(settings, **ALL), step):
            last["migrate"] = step
        migration.migrate(settings, **ALL)
        assert dump(url) == all_of_it, step
        assert [body["action"] for body in told(url)].count("baseline") == 1, step
        assert made(url) == made(whole), step
        assert ask(url, TOTAL) == ask(whole, TOTAL), step
        assert_books_well(settings)
        if killed(lambda: migration.undo(settings, export=Path.cwd() / str(os.getpid())), step):
            last["undo"] = step
        migration.undo(settings, export=Path.cwd() / f"undone{step}")
        assert dump(url) == empty, step
        step += 1
    assert last["migrate"] > 20
    assert last["undo"] > 15


def test_two_commands_at_once(make_url: MakeUrl) -> None:
    build(url := make_url())
    command = [sys.executable, str(ROOT / "run_customer_soft_delete_migration.py"), "--database-url", url]
    both = [subprocess.Popen([*command, *OPTIONS], stdout=subprocess.PIPE, stderr=subprocess.PIPE) for _ in range(2)]
    ended = [(process.wait(), process.communicate()[1].decode()) for process in both]
    assert any(code == 0 for code, _ in ended), ended
    assert all(code == 0 or "Somebody else is running this migration" in words for code, words in ended), ended
    settings = settings_for(url)
    migration.migrate(settings, **ALL)
    assert [body["action"] for body in bodies(url)].count("baseline") == 1
    migration.undo(settings)
