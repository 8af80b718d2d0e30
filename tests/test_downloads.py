"""One-time links: once, for a while, for whoever asked; what leaves the house with people in it leaves an event."""

from __future__ import annotations

import json
import threading
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from shops import ADMIN, MANAGER, STAFF, problems, rows

from data import downloads, exports
from data.access import Actor, Door, Role, Standing
from data.customers import delete_many
from data.database import Database, attach
from data.errors import DownloadNotFound, InvalidInput, NotPermitted

SQLITE = pytest.mark.parametrize("engine_name", ["sqlite"], indirect=True)
CLAIMS = {"iss": "https://id.example.com", "sub": "248", "iat": 1, "exp": 2}


def signed_in(name: str, *, role: Role = Role.MANAGER, **claims: Any) -> Actor:
    """Somebody who signed in."""
    return Actor(name, role, Door.DASHBOARD, Standing(claims={**CLAIMS, **claims}))


def offer(shop: Database, report: str = "revenue", *, actor: Actor = MANAGER, **filters: str | None) -> str:
    return downloads.offer(shop, report, "csv", filters, actor=actor)


def events_of(shop: Database) -> list[dict[str, Any]]:
    """The bodies of every export's event."""
    bodies = [json.loads(row[8]) for row in rows(shop, "evenbooks_events")]
    return [body for body in bodies if body["action"] == "export"]


def test_a_link_works_once_and_what_it_brings_is_what_was_asked_for(shop: Database) -> None:
    delete_many(shop, [1], actor=ADMIN, reason="mistake")
    secret = offer(shop, "deleted_customers", actor=STAFF, search="Ana Lima", reason=None)
    ((key, actor, what, made_at, expires_at, used_at),) = rows(shop, "evenbooks_downloads")
    assert secret not in f"{key} {what}"
    assert (len(key), actor, used_at) == (64, STAFF.id, None)
    assert str(expires_at) > str(made_at)
    made = downloads.fetch(shop, secret, actor=STAFF)
    assert (made.name, made.form) == ("deleted_customers.csv", "csv")
    words = "".join(exports.csv_pages(made.sheets[0]))
    assert "Ana Lima" in words
    assert "Dora Gone" not in words
    with pytest.raises(DownloadNotFound):
        downloads.fetch(shop, secret, actor=STAFF)
    assert "Ana" not in str(rows(shop, "evenbooks_downloads"))  # a search may be a person's name
    (body,) = events_of(shop)
    assert {name: body[name] for name in ("report", "format", "filtered", "actor", "customer_id")} == {
        "report": "deleted_customers",
        "format": "csv",
        "filtered": True,
        "actor": STAFF.id,
        "customer_id": None,
    }
    assert "Ana" not in json.dumps(body)
    assert problems(shop) == []


def test_of_two_servers_that_are_asked_at_once_one_sends_the_file(shop: Database) -> None:
    other = attach(shop.settings)
    for _ in range(4):
        secret, got = offer(shop, "history", actor=STAFF), []
        gate = threading.Barrier(4)

        def fetch(database: Database, secret: str = secret, got: list[str] = got, gate: Any = gate) -> None:
            gate.wait(30)
            try:
                got.append(downloads.fetch(database, secret, actor=STAFF).name)
            except DownloadNotFound:
                got.append("nothing")

        threads = [threading.Thread(target=fetch, args=(database,)) for database in (shop, other) * 2]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(60)
        assert sorted(got) == ["history.csv", "nothing", "nothing", "nothing"]
    assert len(events_of(shop)) == 4
    assert problems(shop) == []
    other.engine.dispose()


@SQLITE
def test_a_link_is_dead_after_some_minutes(shop: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    real, secret = downloads.now, offer(shop)
    monkeypatch.setattr(downloads, "now", lambda: real() + downloads.VALID)
    with pytest.raises(DownloadNotFound):
        downloads.fetch(shop, secret, actor=MANAGER)
    monkeypatch.setattr(downloads, "now", lambda: real() + downloads.VALID - timedelta(seconds=5))
    assert downloads.fetch(shop, secret, actor=MANAGER).name == "revenue.csv"


def test_what_a_dead_link_was_for_is_forgotten(shop: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    real, _ = downloads.now, offer(shop, "history", who="Ana Lima")
    offer(shop, "history", who="Bo Ek")
    assert "Ana Lima" in str(rows(shop, "evenbooks_downloads"))
    monkeypatch.setattr(downloads, "now", lambda: real() + downloads.VALID)
    offer(shop, "history", who="Eve Idle")
    said = str(rows(shop, "evenbooks_downloads"))
    assert [name in said for name in ("Ana Lima", "Bo Ek", "Eve Idle")] == [False, False, True]


@SQLITE
def test_a_link_is_for_the_person_who_asked(shop: Database) -> None:
    secret = offer(shop, actor=signed_in("max@example.com"))
    others = [
        MANAGER,
        signed_in("kim@example.com"),
        signed_in("max@example.com", sub="249"),  # another account that has the address by now
        replace(signed_in("max@example.com"), standing=Standing()),
    ]
    for other in others:
        with pytest.raises(DownloadNotFound):
            downloads.fetch(shop, secret, actor=other)
    for made_up in ("", "x" * 43, secret + "x", secret.swapcase(), "\ud800"):
        with pytest.raises(DownloadNotFound):
            downloads.fetch(shop, made_up, actor=signed_in("max@example.com"))
    with pytest.raises(NotPermitted):
        downloads.fetch(shop, secret, actor=signed_in("max@example.com", role=Role.STAFF))
    assert downloads.fetch(shop, secret, actor=signed_in("max@example.com")).name == "revenue.csv"
    assert events_of(shop) == []  # figures are nobody's personal data


@SQLITE
def test_what_cannot_be_made_makes_no_link(shop: Database) -> None:
    for report, form, filters in (
        ("nothing", "csv", {}),
        ("history", "pdf", {}),
        ("history", "csv", {"from": "yesterday"}),
        ("deleted_customers", "csv", {"search": "a\0b"}),
    ):
        with pytest.raises(InvalidInput):
            downloads.offer(shop, report, form, filters, actor=ADMIN)
    assert rows(shop, "evenbooks_downloads") == []


@SQLITE
def test_a_file_that_cannot_be_opened_leaves_the_link_good(shop: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    secret, real = offer(shop, "history", actor=STAFF), exports.open_report

    def failing(*_: Any) -> Any:
        raise InvalidInput("not now")

    monkeypatch.setattr(exports, "open_report", failing)
    with pytest.raises(InvalidInput):
        downloads.fetch(shop, secret, actor=STAFF)
    assert events_of(shop) == []
    monkeypatch.setattr(exports, "open_report", real)
    assert downloads.fetch(shop, secret, actor=STAFF).name == "history.csv"


@SQLITE
def test_a_time_zone_leaves_nothing_out_and_a_job_is_whole(shop: Database) -> None:
    for filters, filtered in (
        ({"zone": "Asia/Tokyo"}, False),
        ({"zone": "UTC", "who": "x"}, True),
        ({"to": None}, False),
    ):
        downloads.fetch(shop, downloads.offer(shop, "history", "xlsx", filters, actor=STAFF), actor=STAFF)
        assert events_of(shop)[-1]["filtered"] is filtered
