"""Fixtures: every query and action test gets an empty, migrated database on each engine."""

from __future__ import annotations

import gc
import os
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy.engine import make_url as parsed_url

sys.path.insert(0, str(Path(__file__).parent))
import migrating
from copies import copied, shop_of
from servers import fresh_mariadb, fresh_postgresql, mariadb, postgresql
from shops import ADMIN, make_shop

from data import database as databases
from data.customers import delete_many
from data.settings import Retention

ENGINES = ["sqlite", "mariadb", "postgresql"]
MEMORY = Path("/dev/shm")  # where thousands of small databases are made and dropped in a fraction of the time
MEMORY_NEEDED = 4_000_000_000  # bytes for two servers a worker, and what the tests write


def pytest_configure() -> None:
    """Files of the tests and of the private servers are kept in memory where there is enough of it."""
    if "TMPDIR" not in os.environ and MEMORY.is_dir() and shutil.disk_usage(MEMORY).free > MEMORY_NEEDED:
        os.environ["TMPDIR"] = tempfile.tempdir = str(MEMORY)


def pytest_collection_finish() -> None:
    """What is there once all tests are collected stays; looking for garbage among it took a quarter of a run's time."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 20, 50)


@pytest.fixture(autouse=True)
def _no_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[None]:
    """No test reads this machine's settings, and none leaves its default database behind."""
    for name in ("DATABASE_URL", "REPORTS_DATABASE_URL", "EVENBOOKS_CONFIG", "HOST", "PORT"):
        monkeypatch.delenv(name, raising=False)
    # Erasures of a test are not this machine's; what names a place of its own keeps it.
    monkeypatch.setattr(Retention, "file", property(lambda self: tmp_path / self.erasures))
    yield
    databases.forget_default()


def _with_name(url: str) -> str:
    """The URL with {name} as its database."""
    return parsed_url(url).set(database="{name}").render_as_string(hide_password=False).replace("%7Bname%7D", "{name}")


@pytest.fixture(scope="session")
def mariadb_url() -> Iterator[str]:
    """A server for the whole run, as a URL with {name}: TEST_DATABASE_URL's, or a private one."""
    given = os.environ.get("TEST_DATABASE_URL")
    if given:
        yield _with_name(given)
        return
    with mariadb(
        "--innodb-flush-log-at-trx-commit=0", "--performance-schema=OFF", "--innodb-buffer-pool-size=128M"
    ) as url:
        yield url


@pytest.fixture(scope="session")
def postgresql_url() -> Iterator[str]:
    """A server for the whole run, as a URL with {name}: TEST_POSTGRES_URL's, or a private one."""
    given = os.environ.get("TEST_POSTGRES_URL")
    if given:
        yield _with_name(given)
        return
    with postgresql() as url:
        yield url


@pytest.fixture(params=ENGINES)
def engine_name(request: pytest.FixtureRequest) -> str:
    """Each engine in turn."""
    return str(request.param)


@pytest.fixture
def empty_url(engine_name: str, tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[str]:
    """The URL of an empty database of this engine."""
    if engine_name == "sqlite":
        yield f"sqlite:///{tmp_path}/shop.sqlite"
        return
    fresh = fresh_mariadb if engine_name == "mariadb" else fresh_postgresql
    with fresh(request.getfixturevalue(f"{engine_name}_url")) as url:
        yield url


@pytest.fixture
def make_url(engine_name: str, tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Callable[[], str]]:
    """Makes the URLs of as many empty databases of this engine as a test asks for."""
    with ExitStack() as stack:
        made: list[str] = []

        def make() -> str:
            if engine_name == "sqlite":
                made.append(f"sqlite:///{tmp_path}/shop{len(made)}.sqlite")
            else:
                fresh = fresh_mariadb if engine_name == "mariadb" else fresh_postgresql
                made.append(stack.enter_context(fresh(request.getfixturevalue(f"{engine_name}_url"))))
            return made[-1]

        yield make


@pytest.fixture
def own_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Exports of the events go where the test's other files go, and no engine of the test stays open."""
    monkeypatch.chdir(tmp_path)
    yield
    migrating.close_all()


@pytest.fixture
def shop(empty_url: str) -> Iterator[databases.Database]:
    """A migrated shop of known rows (tests/shops.py), attached; customer 4 was deleted before the test."""
    database = copied(empty_url, lambda: _make_known(empty_url))
    yield database
    database.engine.dispose()


def _make_known(url: str) -> databases.Database:
    made = make_shop(url, checked=True)  # pages show the last check
    delete_many(made, [4], actor=ADMIN, reason="inactive")
    return made


@pytest.fixture
def shop_after(empty_url: str) -> Iterator[Callable[..., databases.Database]]:
    """The same shop after something that is done to it once, by a function of its own name, for many tests."""
    made: list[databases.Database] = []

    def after(then: Callable[[databases.Database], object]) -> databases.Database:
        def make() -> databases.Database:
            then(known := _make_known(empty_url))
            return known

        made.append(copied(empty_url, make, f"{then.__module__}.{then.__qualname__}"))
        return made[-1]

    yield after
    for database in made:
        database.engine.dispose()


@pytest.fixture
def opened() -> Iterator[Callable[..., databases.Database]]:
    """Makes shops of any shape at a URL, as `make_shop` does, and closes them afterwards."""
    made: list[databases.Database] = []

    def open_shop(url: str, **shape: Any) -> databases.Database:
        made.append(shop_of(url, **shape))
        return made[-1]

    yield open_shop
    for database in made:
        database.engine.dispose()
