"""The proof kept outside: printed by --head, held against today by --since; a rewritten history shows."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from shops import ADMIN, MANAGER, execute, rows
from sqlalchemy import text

from data import events, integrity, seals
from data.customers import delete_many, restore_many
from data.database import Database

Command = Callable[..., tuple[int, str]]


@pytest.fixture
def command(shop: Database, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Command:
    """Runs `python -m data.integrity` on the shop; answers its exit code and what it printed."""
    monkeypatch.setenv("DATABASE_URL", shop.settings.database_url)

    def run(*arguments: str) -> tuple[int, str]:
        code = integrity.main(arguments)
        captured = capsys.readouterr()
        return code, captured.out or captured.err

    return run


@pytest.fixture
def proof(shop: Database, command: Command, tmp_path: Path) -> Path:
    """A proof of the shop with January sealed, in a file."""
    seals.seal(shop, "2024-01", actor=MANAGER)
    code, out = command("--head")
    assert code == 0
    file = tmp_path / "proof.json"
    file.write_text(out, encoding="utf-8")
    return file


def since(command: Command, proof: Path) -> tuple[int, dict[str, Any]]:
    code, out = command("--json", "--since", str(proof))
    checks = {check["name"]: check for check in json.loads(out)["checks"]}
    assert {"since_head", "since_seals"} <= set(checks)
    return code, checks


def rewrite(shop: Database, first: int, change: Callable[[str], str]) -> None:
    """Alters an event's body and hashes the whole rest of the chain anew, head included: what a thorough forger does."""
    found = [row for row in rows(shop, "evenbooks_events") if row[0] >= first]
    with shop.engine.connect().execution_options(write=True) as connection, connection.begin():
        prev = found[0][9]
        for number, row in enumerate(found):
            body = change(row[8]) if number == 0 else row[8]
            digest = events.link(prev, body)
            connection.execute(
                text("UPDATE evenbooks_events SET body = :body, prev = :prev, hash = :hash WHERE id = :id"),
                {"body": body, "prev": prev, "hash": digest, "id": row[0]},
            )
            prev = digest
        connection.execute(text("UPDATE evenbooks_chain SET hash = :hash"), {"hash": prev})


def test_the_proof_names_head_counts_and_seals(shop: Database, proof: Path) -> None:
    kept = json.loads(proof.read_text())
    last = rows(shop, "evenbooks_events")[-1]
    assert kept["head"] == {"event_id": 3, "hash": last[10]}
    assert kept["counts"] == {"events": 3, "customers": 5, "deleted": 1, "orders": 10}
    assert [(s["month"], s["currency"], s["orders"], s["total"]) for s in kept["seals"]] == [
        ("2024-01", "EUR", 3, "143.42")
    ]
    assert len(kept["seals"][0]["checksum"]) == 64
    assert kept["snapshot_at"].endswith("Z")


def test_ordinary_life_goes_on_from_the_proof(shop: Database, command: Command, proof: Path) -> None:
    delete_many(shop, [1], actor=ADMIN, reason="mistake")
    restore_many(shop, [1, 4], actor=ADMIN, reason="restored")
    execute(shop.engine, "INSERT INTO orders VALUES (11, 1, '2024-05-01 00:00:00', 1.00, 'open')")
    seals.seal(shop, "2024-02", actor=MANAGER)
    code, checks = since(command, proof)
    assert (code, checks["since_head"]["ok"], checks["since_seals"]["ok"]) == (0, True, True)


def test_a_rewritten_history_shows(shop: Database, command: Command, proof: Path) -> None:
    execute(shop.engine, "DELETE FROM evenbooks_checks")
    rewrite(shop, 2, lambda body: body.replace("test:admin", "test:nobody"))
    execute(shop.engine, "UPDATE evenbooks_events SET actor = 'test:nobody' WHERE id = 2")
    assert command()[0] == 0, "inside the database nothing tells"
    code, checks = since(command, proof)
    assert (code, checks["since_head"]["ok"]) == (1, False)
    assert "event 3" in checks["since_head"]["examples"][0]


def test_a_chain_that_was_cut_shows(shop: Database, command: Command, proof: Path) -> None:
    seals.unseal(shop, "2024-01", actor=MANAGER, reason="mistake")
    kept = json.loads(proof.read_text())
    kept["head"] = {"event_id": 9, "hash": "0" * 64}
    proof.write_text(json.dumps(kept))
    code, checks = since(command, proof)
    assert (code, checks["since_head"]["ok"]) == (1, False)
    assert "event 9" in checks["since_head"]["examples"][0]


def test_a_month_sealed_again_since_is_said_and_is_no_forgery(shop: Database, command: Command, proof: Path) -> None:
    seals.unseal(shop, "2024-01", actor=MANAGER, reason="mistake")
    execute(shop.engine, "UPDATE orders SET total = 100.20 WHERE id = 1")
    seals.seal(shop, "2024-01", actor=MANAGER, reason="Corrected invoice")
    code, checks = since(command, proof)
    check = checks["since_seals"]
    assert (code, check["ok"], check["level"]) == (0, False, "warning")
    assert "2024-01" in check["examples"][0]
    assert "4" in check["examples"][0], "the events that did it are named"


def test_a_seal_in_the_proof_of_which_no_event_tells_is_a_forgery(
    shop: Database, command: Command, proof: Path
) -> None:
    kept = json.loads(proof.read_text())
    kept["seals"][0]["checksum"] = "f" * 64
    proof.write_text(json.dumps(kept))
    code, checks = since(command, proof)
    assert (code, checks["since_seals"]["ok"], checks["since_seals"]["level"]) == (1, False, "error")


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (None, "cannot be read"),
        ("no JSON", "is no JSON"),
        ("[]", "is no proof"),
        ('{"head": {"event_id": "1"}, "seals": []}', "is no proof"),
        ('{"head": {"event_id": 1, "hash": "a"}, "seals": [{"month": 1}]}', "is no proof"),
    ],
)
def test_what_is_no_proof_exits_2(command: Command, tmp_path: Path, content: str | None, words: str) -> None:
    file = tmp_path / "none.json"
    if content is not None:
        file.write_text(content)
    code, out = command("--json", "--since", str(file))
    assert code == 2
    assert words in json.loads(out)["error"]["message"]
    assert json.loads(out)["even"] is None


def test_a_run_against_a_proof_is_not_kept(shop: Database, command: Command, proof: Path) -> None:
    before = rows(shop, "evenbooks_checks")
    since(command, proof)
    assert rows(shop, "evenbooks_checks") == before


def test_months_are_sealed_and_unsealed_from_the_command_line(shop: Database, command: Command) -> None:
    assert command("--seal", "2024-01") == (0, "2024-01 is sealed: 3 orders, EUR 143.42.\n")
    code, out = command("--seal", "2024-01")
    assert code == 1
    assert "2024-01" in out
    assert command("--unseal", "2024-01")[0] == 2, "without a reason"
    assert command("--unseal", "2024-01", "--reason", "Late invoice") == (0, "2024-01 is no longer sealed.\n")
    assert command("--seal", "2024-01")[0] == 1, "sealing again needs a reason"
    assert command("--seal", "2024-01", "--reason", "Late invoice")[0] == 0
    assert json.loads(command("--json", "--unseal", "2024-01", "--reason", "x")[1])["done"] is True


def test_a_month_is_not_sealed_while_the_check_is_red(shop: Database, command: Command) -> None:
    execute(shop.engine, "UPDATE customers SET deleted_at = NULL WHERE id = 4")
    before = rows(shop, "evenbooks_events")
    code, out = command("--seal", "2024-01")
    assert code == 1
    assert "The books are not even" in out
    assert rows(shop, "evenbooks_events") == before


@pytest.mark.parametrize(
    "arguments",
    [
        ("--seal", "2024-01", "--from", "2024-01"),
        ("--reason", "because"),
        ("--from", "2024-03", "--to", "2024-01"),
        ("--head", "--since", "x"),
    ],
)
def test_options_that_do_not_fit_together_exit_2(command: Command, arguments: tuple[str, ...]) -> None:
    code, out = command("--json", *arguments)
    assert (code, json.loads(out)["even"]) == (2, None)
