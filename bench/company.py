"""The company that is measured: made once and kept under `var/bench/`; every run has a server of its own on a copy.

So what one run changes no other run meets, and no run waits for millions of rows to be made again.
"""

from __future__ import annotations

import fcntl
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from servers import connected_mariadb, connected_postgresql, install_mariadb, wait_for
from sqlalchemy.engine import make_url

from bench.measuring import say
from data.migration import migrate
from data.settings import load_settings

ROOT = Path(__file__).resolve().parent.parent
KEPT = ROOT / "var" / "bench"
NAME = "company"
AS_ROOT = os.geteuid() == 0
# Memory for all of the data, and the default durability: a flush to disk with every commit.
MARIADB = (
    "--innodb-buffer-pool-size=3G",
    "--innodb-log-file-size=1G",
    "--tmp-table-size=256M",
    "--max-heap-table-size=256M",
)
POSTGRESQL = (
    "shared_buffers=2GB",
    "work_mem=256MB",
    "maintenance_work_mem=512MB",
    "max_wal_size=4GB",
    "max_connections=200",
)


@contextmanager
def company(engine: str, customers: int, orders: int, *, revenue_index: bool = False) -> Iterator[str]:
    """The URL of the demo company of this size on a private server (engine: mariadb or postgresql), as `data.demo`
    made it: migrated, with stock indexes, or with the two order indexes for reports too where `revenue_index` is
    said. The server works on a copy and is ended afterwards, when the copy is gone too."""
    stock = KEPT / f"{engine}-{customers}-{orders}"
    indexed = stock.with_name(f"{stock.name}-indexed")
    with _alone(stock):
        if not stock.exists():
            _make(stock, engine, customers, orders)
        if revenue_index and not indexed.exists():
            _index(stock, indexed, engine)
        home = _copy(indexed if revenue_index else stock)
    try:
        with server(engine, home) as url:
            yield url
    finally:
        shutil.rmtree(home)


def _make(kept: Path, engine: str, customers: int, orders: int) -> None:
    """Makes the company in a folder that has its name only once it is whole."""
    say(f"making {customers:,} customers and {orders:,} orders on {engine}; this is kept in {kept.relative_to(ROOT)}")
    start, home = time.perf_counter(), _folder(KEPT)
    command = [sys.executable, "-m", "data.demo", "--customers", str(customers), "--orders", str(orders)]
    with _renamed_when_whole(home, kept):
        _install(engine, home)
        with server(engine, home, loading=True) as url:
            subprocess.run([*command, "--database-url", url], check=True, cwd=ROOT)
            _analyze(engine, url)
    say(f"made in {time.perf_counter() - start:.0f} s")


def _index(stock: Path, kept: Path, engine: str) -> None:
    """The same company with the order indexes, beside it."""
    say(f"making the order indexes for reports; this is kept in {kept.relative_to(ROOT)}")
    start, home = time.perf_counter(), _copy(stock)
    with _renamed_when_whole(home, kept), server(engine, home, loading=True) as url:
        migrate(load_settings(database_url=url), revenue_index=True, say=lambda line: None)
        _analyze(engine, url)
    say(f"made in {time.perf_counter() - start:.0f} s")


@contextmanager
def _renamed_when_whole(home: Path, kept: Path) -> Iterator[None]:
    try:
        yield
        home.rename(kept)
    except BaseException:
        shutil.rmtree(home)
        raise


def _copy(kept: Path) -> Path:
    """A folder of its own with the same data."""
    home = _folder(KEPT)
    try:
        subprocess.run(["cp", "-a", "--reflink=auto", kept / "db", home / "db"], check=True)
    except BaseException:
        shutil.rmtree(home)
        raise
    return home


@contextmanager
def server(engine: str, home: Path, *, loading: bool = False) -> Iterator[str]:
    """A running server on `home / "db"`, reached through a socket only; ended in good order, so that the folder can
    be copied. `loading` leaves out the flushes, for data that is thrown away unless it is made whole."""
    with tempfile.TemporaryDirectory(prefix="eb-") as sockets:  # short: a socket's path has a limit
        run = _postgresql if engine == "postgresql" else _mariadb
        with run(home, Path(sockets), loading) as url:
            yield url


@contextmanager
def _mariadb(home: Path, sockets: Path, loading: bool) -> Iterator[str]:
    command = [shutil.which("mariadbd") or "/usr/sbin/mariadbd", "--no-defaults", f"--datadir={home}/db"]
    command += [f"--socket={sockets}/s", f"--tmpdir={home}", "--skip-networking", *MARIADB]
    command += ["--user=root"] if AS_ROOT else []
    command += ["--innodb-flush-log-at-trx-commit=0", "--skip-innodb-doublewrite"] if loading else []
    with (home / "log").open("w") as log:
        process = subprocess.Popen(command, stdout=log, stderr=log)
    try:
        wait_for(f"{sockets}/s", process)
        url = f"mysql+pymysql://root@/{NAME}?unix_socket={sockets}/s"
        with connected_mariadb(make_url(url).set(database="")) as connection:
            connection.cursor().execute(f"CREATE DATABASE IF NOT EXISTS {NAME} CHARACTER SET utf8mb4")
        yield url
    finally:
        process.terminate()
        process.wait(300)


@contextmanager
def _postgresql(home: Path, sockets: Path, loading: bool) -> Iterator[str]:
    options = [*POSTGRESQL, "listen_addresses=''", f"unix_socket_directories={sockets}"]
    options += ["fsync=off"] if loading else []
    listed = " ".join(f"-c {option}" for option in options)
    if AS_ROOT:
        shutil.chown(sockets, "postgres", "postgres")
    _pg(home, "pg_ctl", "-D", f"{home}/db", "-w", "-l", f"{home}/log", "-o", listed, "start")
    try:
        url = f"postgresql+psycopg://postgres@/{NAME}?host={sockets}"
        with connected_postgresql(make_url(url).set(database="postgres"), autocommit=True) as connection:
            if not connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", (NAME,)).fetchone():
                connection.execute(f"CREATE DATABASE {NAME} TEMPLATE template0")
        yield url
    finally:
        _pg(home, "pg_ctl", "-D", f"{home}/db", "-m", "fast", "-w", "-t", "300", "stop")


def _install(engine: str, home: Path) -> None:
    """An empty data directory."""
    if engine == "postgresql":
        _pg(home, "initdb", "-D", f"{home}/db", "-A", "trust", "-U", "postgres", "-E", "UTF8", "--locale=C.UTF-8")
        return
    install_mariadb(home, *(["--user=root"] if AS_ROOT else []))


def _analyze(engine: str, url: str) -> None:
    """The figures by which the planner chooses, as a server that has run for a while has them."""
    if engine == "mariadb":
        with connected_mariadb(make_url(url)) as connection:
            connection.cursor().execute("ANALYZE TABLE customers, orders")
    else:
        with connected_postgresql(make_url(url), autocommit=True) as there:
            there.execute("VACUUM ANALYZE customers")
            there.execute("VACUUM ANALYZE orders")


def _pg(home: Path, program: str, *options: str) -> None:
    """One of PostgreSQL's programs, as a user under which it does not refuse to run."""
    programs = max(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda path: int(path.parent.name))
    as_user = ["runuser", "-u", "postgres", "--"] if AS_ROOT else []
    quiet = subprocess.DEVNULL
    subprocess.run([*as_user, programs / program, *options], cwd=home, stdout=quiet, stderr=quiet, check=True)


def _folder(inside: Path) -> Path:
    """A new folder that PostgreSQL's user may use too."""
    inside.mkdir(parents=True, exist_ok=True)
    home = Path(tempfile.mkdtemp(prefix="run-", dir=inside))
    home.chmod(0o777)
    return home


@contextmanager
def _alone(kept: Path) -> Iterator[None]:
    """Of two who need the same company one makes it and the other waits."""
    kept.parent.mkdir(parents=True, exist_ok=True)
    with kept.with_name(f"{kept.name}.lock").open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def main() -> None:
    """Makes the company that `bench` and `soak` need, or says that it is there: `python -m bench.company`."""
    size, orders = int(os.environ.get("CUSTOMERS", 1_000_000)), int(os.environ.get("ORDERS", 10_000_000))
    with company(os.environ.get("ENGINE", "mariadb"), size, orders, revenue_index=True) as url:
        say(url)


if __name__ == "__main__":
    main()
