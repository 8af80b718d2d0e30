"""deleted.csv from a replica: its lag is a header, and one that is late is a 503, never answered from the primary."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace as changed
from pathlib import Path

import pytest
from callers import Caller, Serve, is_error
from shops import make_shop, rows

from data import replica
from data.database import Database

CSV = "/staff/customers/deleted.csv"
LAG = "Evenbooks-Replica-Lag"


@pytest.fixture
def with_replica(standing: Caller, serve: Serve, monkeypatch: pytest.MonkeyPatch) -> Iterator[dict[str, Caller]]:
    """The API over the standing shop, whose exports are read from the URL that is put in."""
    monkeypatch.setattr(replica, "KEPT", -1.0)
    monkeypatch.setattr(replica, "PATIENCE", 0.2)
    monkeypatch.setattr(replica, "_replicas", type(replica._replicas)())

    class At(dict[str, Caller]):
        def __missing__(self, url: str) -> Caller:
            settings = standing.shop.settings.model_copy(update={"reports_database_url": url})
            serve(changed(standing.shop, settings=settings))
            return standing

    yield At()
    for one in replica._replicas.values():
        one.engine.dispose()


def test_the_lag_is_a_header(with_replica: dict[str, Caller], ask: Caller) -> None:
    without = ask("GET", CSV)
    assert (without.status_code, LAG in without.headers) == (200, False)
    answer = with_replica[ask.shop.settings.database_url]("GET", CSV)
    assert answer.status_code == 200
    assert 0 <= float(answer.headers[LAG]) < 60
    assert answer.text == without.text


def test_a_replica_that_cannot_be_trusted_is_503_and_says_why(
    with_replica: dict[str, Caller], tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    other = f"sqlite:///{tmp_path}/s3cret.sqlite"
    gone = with_replica[other]("GET", CSV)
    assert is_error(gone, 503, "stale_replica")
    assert "cannot be read" in gone.json()["error"]["message"]
    assert not Path(other.removeprefix("sqlite:///")).exists()
    make_shop(other).engine.dispose()
    stranger = with_replica[other]("GET", CSV)
    assert is_error(stranger, 503, "stale_replica")
    assert "does not follow this database" in stranger.json()["error"]["message"]
    for answer in (gone, stranger):
        assert answer.headers["Retry-After"] == "5"
        assert LAG not in answer.headers
        assert "s3cret" not in answer.text
    assert "stale_replica" in caplog.text


def test_lag_and_limit_are_named(with_replica: dict[str, Caller], ask: Caller, monkeypatch: pytest.MonkeyPatch) -> None:
    late = replica.Freshness(75.04, 60, at_most=True, trouble="stale")
    monkeypatch.setattr(replica.Replica, "look", lambda *_: late)
    answer = with_replica[ask.shop.settings.database_url]("GET", CSV)
    assert is_error(answer, 503, "stale_replica")
    assert answer.json()["error"]["message"] == (
        "Exports are read from a replica, which is up to 75.0 s behind; the limit is 60 s. "
        "Try again once it has caught up."
    )


def test_whoever_may_not_read_learns_nothing_and_no_heartbeat_is_written(
    with_replica: dict[str, Caller], ask: Caller
) -> None:
    shop: Database = ask.shop
    before = rows(shop, "evenbooks_heartbeat")
    call = with_replica[shop.settings.database_url]
    assert is_error(call("GET", CSV, role=None), 401, "no_token")
    for path in ("/staff/customers", "/staff/customers/deleted", "/staff/customers/4"):
        assert call("GET", path).status_code == 200  # lists read the primary
    assert rows(shop, "evenbooks_heartbeat") == before
