"""A finding accepted: green again, shown ever after, red again when it changes."""

from __future__ import annotations

import json
from typing import Any

import pytest
from shops import AUDITOR, MANAGER, STAFF, execute, rows, state

from data import integrity
from data.database import Database
from data.errors import InvalidInput, NotPermitted
from data.integrity.accept import acknowledge
from data.integrity.report import Check

ORPHANED = "UPDATE orders SET customer_id = 4711 WHERE id = 5"


def found(shop: Database, name: str) -> Check:
    return next(check for check in integrity.run_and_record(shop).checks if check.name == name)


def test_an_accepted_finding_is_green_and_stays_on_show(shop: Database) -> None:
    execute(shop.engine, ORPHANED)
    accepted = acknowledge(shop, "missing_customers", "4711", actor=MANAGER, reason="Imported without its customer")
    assert accepted.words == "customer 4711: 1 orders"
    check = found(shop, "missing_customers")
    assert (check.ok, check.count, check.examples) == (True, 0, [])
    assert check.detail == "Nothing but what was accepted: 1."
    assert len(check.accepted) == 1
    for words in ("customer 4711: 1 orders", "by test:manager", "event 3", "other: Imported without its customer"):
        assert words in check.accepted[0]
    assert "accepted: customer 4711" in integrity.render(integrity.run_and_record(shop))


def test_the_event_names_the_check_the_finding_and_its_words(shop: Database) -> None:
    execute(shop.engine, ORPHANED)
    acknowledge(shop, "missing_customers", "4711", actor=MANAGER, reason="mistake")
    body = json.loads(rows(shop, "evenbooks_events")[-1][8])
    assert (body["action"], body["actor"], body["reason"]) == ("acknowledge", "test:manager", "mistake")
    assert (body["check"], body["finding"]) == ("missing_customers", "4711")
    assert body["words"] == "customer 4711: 1 orders"


def test_a_finding_that_changes_is_red_again(shop: Database) -> None:
    execute(shop.engine, ORPHANED)
    acknowledge(shop, "missing_customers", "4711", actor=MANAGER, reason="mistake")
    execute(shop.engine, "UPDATE orders SET customer_id = 4711 WHERE id = 3")
    check = found(shop, "missing_customers")
    assert (check.ok, check.examples, check.accepted) == (False, ["customer 4711: 2 orders"], [])


def test_one_accepted_finding_leaves_the_others_red(shop: Database) -> None:
    execute(shop.engine, "UPDATE customers SET deleted_at = '2024-01-01 00:00:00' WHERE id IN (1, 2)")
    acknowledge(shop, "deletions", "1", actor=MANAGER, reason="mistake")
    check = found(shop, "deletions")
    assert (check.ok, check.count, len(check.accepted)) == (False, 1, 1)
    assert check.examples == ["customer 2: deleted at 2024-01-01T00:00:00Z without an event"]


def test_the_run_that_follows_is_kept(shop: Database) -> None:
    execute(shop.engine, ORPHANED)
    before = len(rows(shop, "evenbooks_checks"))
    acknowledge(shop, "missing_customers", "4711", actor=MANAGER, reason="mistake")
    kept = rows(shop, "evenbooks_checks")
    assert (len(kept), json.loads(kept[-1][4])["even"]) == (before + 1, True)


@pytest.mark.parametrize("actor", [STAFF, AUDITOR])
def test_who_may_not_is_refused(shop: Database, actor: Any) -> None:
    execute(shop.engine, ORPHANED)
    before = state(shop)
    with pytest.raises(NotPermitted):
        acknowledge(shop, "missing_customers", "4711", actor=actor, reason="mistake")
    assert state(shop) == before


@pytest.mark.parametrize(
    ("check", "finding", "reason", "words"),
    [
        ("nonsense", "4711", "mistake", "There is no check nonsense"),
        ("missing_customers", "12", "mistake", "no finding 12. Its findings are: 4711"),
        ("chain", "1", "mistake", "no finding that could be accepted"),
        ("missing_customers", "4711", " ", "Give a reason"),
    ],
)
def test_what_is_not_there_cannot_be_accepted(
    shop: Database, check: str, finding: str, reason: str, words: str
) -> None:
    execute(shop.engine, ORPHANED)
    before = state(shop)
    with pytest.raises(InvalidInput, match=words):
        acknowledge(shop, check, finding, actor=MANAGER, reason=reason)
    assert state(shop) == before


def test_an_acceptance_that_was_tampered_with_counts_for_nothing(shop: Database) -> None:
    execute(shop.engine, ORPHANED)
    acknowledge(shop, "missing_customers", "4711", actor=MANAGER, reason="mistake")
    execute(shop.engine, "UPDATE evenbooks_events SET actor = 'somebody else' WHERE action = 'acknowledge'")
    assert found(shop, "missing_customers").ok is False


def test_the_command_accepts_and_says_what(
    shop: Database, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("DATABASE_URL", shop.settings.database_url)
    execute(shop.engine, ORPHANED)
    assert integrity.main([]) == 1
    capsys.readouterr()
    assert integrity.main(["--acknowledge", "missing_customers", "4711", "--reason", "Known since May"]) == 0
    assert capsys.readouterr().out == "Accepted: customer 4711: 1 orders\n"
    assert integrity.main([]) == 0
    assert "Known since May" in capsys.readouterr().out
    assert integrity.main(["--acknowledge", "missing_customers", "4711", "--reason", "again"]) == 1
    assert "no finding that could be accepted" in capsys.readouterr().err
