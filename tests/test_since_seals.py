"""A proof that was kept outside against today's head and seals, whoever made it."""

from __future__ import annotations

from typing import Any

import pytest
from shops import ADMIN, execute

from data import seals
from data.database import Database, snapshot
from data.errors import InvalidInput
from data.integrity import Check
from data.integrity.look import Look, ask
from data.integrity.proof import make_proof
from data.integrity.replay import replay
from data.integrity.sealed import since_head, since_seals


@pytest.fixture
def sealed(shop: Database) -> Database:
    """January and February 2024 are sealed by events 3 and 4."""
    for month in ("2024-01", "2024-02"):
        seals.seal(shop, month, actor=ADMIN)
    return shop


def asked(shop: Database, proof: Any) -> tuple[Check, Check]:
    """Both checks against the proof."""
    wanted = [proof["head"]["event_id"]] if isinstance(proof, dict) and isinstance(proof.get("head"), dict) else []
    with snapshot(shop) as moment:
        events = replay(moment.connection, shop.schema, hashes_of=[w for w in wanted if isinstance(w, int)])
        look = Look(moment.connection, shop.schema, moment.at, events)
        return (
            ask(look, "since_head", "?", lambda at: since_head(at, proof=proof)),
            ask(look, "since_seals", "?", lambda at: since_seals(at, proof=proof)),
        )


def test_an_unchanged_history_is_green(sealed: Database) -> None:
    head, kept = asked(sealed, make_proof(sealed))
    assert (head.ok, head.detail) == (True, "Event 4, the proof's last, is still in the chain; it has 4 now.")
    assert (kept.ok, kept.detail) == (True, "Every month that was sealed in the proof (2 seals) is sealed the same.")


def test_what_an_event_since_did_is_a_warning_that_names_it(sealed: Database) -> None:
    proof = make_proof(sealed)
    seals.unseal(sealed, "2024-01", actor=ADMIN, reason="mistake")
    seals.unseal(sealed, "2024-02", actor=ADMIN, reason="mistake")
    seals.seal(sealed, "2024-02", actor=ADMIN, reason="mistake")
    head, kept = asked(sealed, proof)
    assert (head.ok, kept.ok, kept.level, kept.count) == (True, False, "warning", 2)
    assert kept.examples == [
        "2024-02 EUR: unsealed or sealed anew since the proof, by event 6, 7",
        "2024-01 EUR: unsealed or sealed anew since the proof, by event 5",
    ]


@pytest.mark.parametrize(
    ("key", "value", "words"),
    [
        ("checksum", "0" * 64, "2024-02 EUR: event 4 has another checksum than the proof has of it"),
        ("currency", "USD", "2024-02 USD: event 4 has another checksum than the proof has of it"),
        ("event_id", 3, "2024-02 EUR: its seal is gone or another one, and no event since the proof says why"),
        ("month", "2023-12", "2023-12 EUR: its seal is gone or another one, and no event since the proof says why"),
    ],
)
def test_a_seal_that_is_another_one_is_an_error(sealed: Database, key: str, value: Any, words: str) -> None:
    proof = make_proof(sealed)
    proof["seals"][0][key] = value
    _, kept = asked(sealed, proof)
    assert (kept.ok, kept.level, kept.examples) == (False, "error", [words])


def test_one_that_is_explained_does_not_hide_one_that_is_not(sealed: Database) -> None:
    proof = make_proof(sealed)
    seals.unseal(sealed, "2024-01", actor=ADMIN, reason="mistake")
    proof["seals"][0]["checksum"] = "0" * 64
    _, kept = asked(sealed, proof)
    assert (kept.level, kept.count) == ("error", 2)


def test_a_head_that_is_another_one_or_gone_is_an_error(sealed: Database) -> None:
    proof = make_proof(sealed)
    proof["head"]["hash"] = "0" * 64
    head, _ = asked(sealed, proof)
    assert head.examples == ["event 4, the proof's last, is another one now: the history was rewritten"]
    assert head.level == "error"
    proof["head"]["event_id"] = 40
    assert asked(sealed, proof)[0].examples == ["event 40, the proof's last, is gone"]


def test_a_sealing_event_removed_from_the_end_shows(sealed: Database) -> None:
    proof = make_proof(sealed)
    execute(sealed.engine, "DELETE FROM evenbooks_events WHERE id = 4")
    head, kept = asked(sealed, proof)
    assert (head.ok, kept.ok, kept.level) == (False, False, "error")


@pytest.mark.parametrize(
    "proof",
    [
        {},
        [],
        None,
        {"head": None, "seals": []},
        {"head": {"event_id": "x", "hash": ""}, "seals": []},
        {"head": {"event_id": 1, "hash": "a"}, "seals": None},
        {"head": {"event_id": 1, "hash": "a"}, "seals": [{"month": "2024-01"}]},
        {"head": {"event_id": 1, "hash": "a"}, "seals": ["x"]},
    ],
)
def test_what_is_no_proof_is_said_to_be_none(shop: Database, proof: Any) -> None:
    with pytest.raises(InvalidInput, match="This is no proof"):
        asked(shop, proof)
