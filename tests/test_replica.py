"""REPORTS_DATABASE_URL: exports come from a replica whose lag is measured, on real replication, and never silently late."""

from __future__ import annotations

import re
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace as changed
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from patience import eventually
from replicas import Pair, mariadb_pair, postgresql_pair
from servers import fresh_mariadb, fresh_postgresql
from shops import ADMIN, execute, make_shop, rows, state
from sqlalchemy.engine import URL

from data import exports, queries, replica
from data.customers import delete_many
from data.database import Database, in_transaction, snapshot
from data.engines import make_engine
from data.errors import ConfigurationError, DatabaseReadOnly, StaleReplica
from data.replica import freshness, source_of_reports
from data.settings import load_settings
from data.urls import parse_url

SERVERS = ["mariadb", "postgresql"]
ON_SQLITE = pytest.mark.parametrize("engine_name", ["sqlite"], indirect=True)


@pytest.fixture(scope="module", params=SERVERS)
def pair(request: pytest.FixtureRequest) -> Iterator[Pair]:
    """A primary and a replica of each server."""
    with mariadb_pair() if request.param == "mariadb" else postgresql_pair() as servers:
        yield servers


@pytest.fixture(autouse=True)
def _at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """No measurement is kept, and none waits long for a beat that does not come."""
    monkeypatch.setattr(replica, "KEPT", -1.0)
    monkeypatch.setattr(replica, "PATIENCE", 0.3)


@pytest.fixture
def followed(pair: Pair, monkeypatch: pytest.MonkeyPatch) -> Iterator[Database]:
    """A shop on the primary, customer 4 deleted, which the replica has too."""
    monkeypatch.setattr(replica, "PATIENCE", 20.0)
    fresh = fresh_mariadb if pair.primary.startswith("mysql") else fresh_postgresql
    with fresh(pair.primary) as url:
        shop = make_shop(url)
        delete_many(shop, [4], actor=ADMIN, reason="inactive")
        name = str(shop.engine.url.database)
        database = reported(shop, pair.replica.format(name=name))
        eventually(lambda: there(database))
        assert source_of_reports(database).lag is not None
        monkeypatch.setattr(replica, "PATIENCE", 0.3)
        yield database
        pair.resume()
        database.engine.dispose()
        replica._replicas[database.engine].engine.dispose()


def there(database: Database) -> bool:
    """Whether the replica has come as far as the heartbeat's table."""
    found = freshness(database)
    assert found is not None
    return found.trouble is None


def reported(database: Database, url: str, limit: int = 60) -> Database:
    """The shop with this replica and this limit."""
    settings = database.settings
    server = settings.server.model_copy(update={"replica_lag": limit})
    return changed(database, settings=settings.model_copy(update={"reports_database_url": url, "server": server}))


def beat_of(database: Database, ago: float) -> str:
    """Puts a beat onto the primary, as if it had been written so many seconds ago."""
    at, word = datetime.now(UTC) - timedelta(seconds=ago), f"{int(ago):032d}"
    in_transaction(database, lambda c: queries.keep_beat(c, database.schema, word, at=at))
    return word


def replicas_beat(database: Database) -> str | None:
    """The last beat that the replica has."""
    on = changed(database, engine=replica._replicas[database.engine].engine)
    with snapshot(on) as moment:
        found = queries.last_beat(moment.connection, database.schema)
    return found[0] if found else None


def replica_url(database: Database) -> URL:
    """The replica's URL, as it is used."""
    url = database.settings.reports_url
    assert url is not None
    return url


def exported(database: Database) -> str:
    """The deleted customers as a file."""
    return "".join(exports.csv_pages(*exports.open_report(database, "deleted_customers", {})))


def refusal(database: Database) -> str:
    """Why nothing is exported."""
    with pytest.raises(StaleReplica) as caught:
        exported(database)
    return str(caught.value)


def test_exports_come_from_the_replica_and_say_how_far_it_is_behind(followed: Database) -> None:
    before = state(followed)
    source = source_of_reports(followed)
    assert source.lag is not None
    assert 0 <= source.lag < 60
    assert source.database.engine.url.query == {**source.database.engine.url.query, **replica_url(followed).query}
    assert source.database.engine is not followed.engine
    from_replica = list(exports.csv_pages(*exports.deleted_customers(source.database, {})))
    assert from_replica == list(exports.csv_pages(*exports.deleted_customers(followed, {})))
    assert "Dora Gone" in from_replica[0]
    assert exported(followed) == "".join(from_replica)
    assert state(followed) == before  # the heartbeat is no change of customers, so there is no event
    assert len(rows(followed, "evenbooks_heartbeat")) == 1


def test_nothing_can_be_written_where_exports_are_read(followed: Database) -> None:
    source = source_of_reports(followed)
    with pytest.raises(DatabaseReadOnly), snapshot(source.database) as moment:
        queries.touch_chain(moment.connection, followed.schema)


def test_a_replica_that_stands_still_is_refused_beyond_the_limit_and_served_again_afterwards(
    followed: Database, pair: Pair
) -> None:
    word = beat_of(followed, ago=75)
    eventually(lambda: replicas_beat(followed) == word)
    pair.hold()
    delete_many(followed, [1], actor=ADMIN, reason="mistake")
    # MariaDB keeps whole seconds, so there the beat looks up to a second older.
    assert re.fullmatch(
        r"Exports are read from a replica, which is up to 7[5-8]\.\d s behind; the limit is 60 s\. "
        r"Try again once it has caught up\.",
        refusal(followed),
    )
    found = freshness(reported(followed, str(followed.settings.reports_database_url), limit=90))
    assert found is not None
    assert (found.trouble, found.at_most, found.limit) == (None, True, 90)
    assert 75 <= (found.lag or 0) < 90
    pair.resume()
    eventually(lambda: there(followed))
    assert "Ana Lima" in exported(followed)


def test_after_a_pause_the_next_try_knows_more_than_the_first(followed: Database, pair: Pair) -> None:
    # The last beat is an hour old because nobody asked, and the replica a moment behind.
    word = beat_of(followed, ago=3600)
    eventually(lambda: replicas_beat(followed) == word)
    pair.hold()
    assert "up to 36" in refusal(followed)
    pair.resume()
    eventually(lambda: replicas_beat(followed) != word)
    pair.hold()
    found = freshness(followed)
    assert found is not None
    assert (found.trouble, found.at_most) == (None, True)
    assert (found.lag or 99) < 60


def test_a_beat_that_another_process_has_overtaken_counts_as_come(
    followed: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    keep = queries.keep_beat

    def keep_two(connection: Any, schema: Any, beat: str, *, at: datetime) -> None:
        keep(connection, schema, beat, at=at)
        keep(connection, schema, "f" * 32, at=at)

    monkeypatch.setattr(queries, "keep_beat", keep_two)
    monkeypatch.setattr(replica, "PATIENCE", 20.0)
    found = freshness(followed)
    assert found is not None
    assert (found.trouble, found.at_most) == (None, False)


@pytest.mark.parametrize("known", ["a copy of an hour ago", "somebody else's beats", "no heartbeat's table"])
def test_a_database_that_does_not_follow_this_one_is_never_read(empty_url: str, known: str, request: Any) -> None:
    with twin(request, empty_url) as other:
        shop, stranger = make_shop(empty_url), make_shop(other)
        if known == "a copy of an hour ago":
            beat_of(shop, ago=3600)
            beat_of(stranger, ago=3600)
        elif known == "somebody else's beats":
            in_transaction(stranger, lambda c: queries.keep_beat(c, stranger.schema, "a" * 32, at=datetime.now(UTC)))
        else:
            execute(stranger.engine, "DROP TABLE evenbooks_heartbeat")
        stranger.engine.dispose()
        database = reported(shop, other)
        said = refusal(database)
        assert "Dora" not in said
        assert ("up to 360" if known == "a copy of an hour ago" else "does not follow this database") in said
        shop.engine.dispose()
        replica._replicas[shop.engine].engine.dispose()


def twin(request: pytest.FixtureRequest, url: str) -> Any:
    """Another empty database of the same engine."""
    engine_name = request.getfixturevalue("engine_name")
    if engine_name == "sqlite":
        from contextlib import nullcontext

        return nullcontext(url.replace("shop.sqlite", "other.sqlite"))
    fresh = fresh_mariadb if engine_name == "mariadb" else fresh_postgresql
    return fresh(request.getfixturevalue(f"{engine_name}_url"))


def test_a_replica_that_is_not_there_is_said_without_its_password_and_nothing_is_exported(
    shop: Database, engine_name: str, caplog: pytest.LogCaptureFixture
) -> None:
    nowhere = {
        "sqlite": "sqlite:////nowhere/s3cret.sqlite",
        "mariadb": "mysql+pymysql://shop:s3cret@127.0.0.1:9/shop",
        "postgresql": "postgresql+psycopg://shop:s3cret@127.0.0.1:9/shop",
    }[engine_name]
    database = reported(shop, nowhere)
    assert "cannot be read at the moment; the server's log says why." in refusal(database)
    assert "s3cret" not in refusal(database)
    assert "does not answer" in caplog.text or "There is no database file" in caplog.text
    assert engine_name == "sqlite" or "s3cret" not in caplog.text
    found = freshness(database)
    assert found is not None
    assert (found.lag, found.limit, found.trouble) == (None, 60, "unreadable")


@ON_SQLITE
def test_where_the_primary_takes_no_writing_the_lag_cannot_be_measured(shop: Database, tmp_path: Path) -> None:
    reader = make_engine(parse_url(f"sqlite:///file:{tmp_path}/shop.sqlite?mode=ro&uri=true"))
    database = reported(changed(shop, engine=reader), shop.settings.database_url)
    assert "whose lag cannot be measured" in refusal(database)
    reader.dispose()


@ON_SQLITE
def test_without_a_replica_the_database_itself_is_read_and_nothing_is_measured(shop: Database) -> None:
    source = source_of_reports(shop)
    assert (source.database, source.lag) == (shop, None)
    assert freshness(shop) is None
    assert rows(shop, "evenbooks_heartbeat") == []


@ON_SQLITE
def test_many_who_ask_at_once_get_one_measurement(
    shop: Database, empty_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(replica, "KEPT", 60.0)
    database, keep, written = reported(shop, empty_url), queries.keep_beat, []

    def count(*arguments: Any, **how: Any) -> None:
        written.append(threading.get_ident())
        keep(*arguments, **how)

    monkeypatch.setattr(queries, "keep_beat", count)
    with ThreadPoolExecutor(8) as threads:
        lags = [source.lag for source in threads.map(lambda _: source_of_reports(database), range(24))]
    assert len(written) == 1
    assert len(set(lags)) == 1
    replica._replicas[shop.engine].engine.dispose()


@ON_SQLITE
def test_a_measurement_grows_old(shop: Database) -> None:
    found = replica.Freshness(58.0, 60)
    assert found.by_now().trouble is None
    late = changed(found, seen=found.seen - 3).by_now()
    assert (late.trouble, late.at_most) == ("stale", True)
    assert replica.Freshness(None, 60, trouble="unrelated").by_now().lag is None


@pytest.mark.parametrize(
    ("url", "told"),
    [
        ("nonsense", "REPORTS_DATABASE_URL is not a database URL."),
        ("oracle://u:s3cret@h/db", "REPORTS_DATABASE_URL names oracle; these are known"),
        ("mysql+pymysql://u:s3cret@h/db", "REPORTS_DATABASE_URL names mysql, but the database is sqlite"),
    ],
)
def test_a_url_that_cannot_be_a_replicas_stops_the_start(
    url: str, told: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DATABASE_URL", f"sqlite:///{tmp_path}/shop.sqlite")
    monkeypatch.setenv("REPORTS_DATABASE_URL", url)
    with pytest.raises(ConfigurationError) as caught:
        load_settings()
    assert told in str(caught.value)
    assert "s3cret" not in str(caught.value)
    assert load_settings(database_url="sqlite:///other.sqlite").reports_url is None  # it is no replica of that one


@pytest.mark.parametrize("limit", ["0", '"60"', "-1", "1.5"])
def test_a_limit_is_a_whole_number_of_seconds(limit: str, tmp_path: Path) -> None:
    file = tmp_path / "evenbooks.toml"
    file.write_text(f"[server]\nreplica_lag = {limit}\n")
    with pytest.raises(ConfigurationError, match=r"\[server\] replica_lag"):
        load_settings(config=file)
    file.write_text("[server]\nreplica_lag = 5\n")
    assert load_settings(config=file).server.replica_lag == 5
