"""Private servers for the tests, MariaDB and PostgreSQL: own data directory, a socket and no port, gone with the run."""

from __future__ import annotations

import itertools
import os
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import psycopg
import pymysql
from sqlalchemy.engine import URL, make_url


@contextmanager
def mariadb(*options: str) -> Iterator[str]:
    """A running server, as a SQLAlchemy URL with `{name}` where the database's name goes."""
    home = Path(tempfile.mkdtemp(prefix="eb-"))  # short: a socket's path has a limit
    process = None
    try:
        user = ["--user=root"] if os.geteuid() == 0 else []
        install_mariadb(home, *user)
        with (home / "log").open("w") as log:
            process = subprocess.Popen(
                [
                    shutil.which("mariadbd") or "/usr/sbin/mariadbd",
                    "--no-defaults",
                    *user,
                    f"--datadir={home}/db",
                    f"--socket={home}/s",
                    f"--pid-file={home}/pid",
                    f"--tmpdir={home}",  # as in install_mariadb
                    "--skip-networking",
                    *options,
                ],
                stdout=log,
                stderr=log,
            )
        wait_for(f"{home}/s", process)
        yield f"mysql+pymysql://root@/{{name}}?unix_socket={home}/s"
    finally:
        if process:
            process.terminate()
            process.wait(30)
        shutil.rmtree(home, ignore_errors=True)


def install_mariadb(home: Path, *options: str) -> None:
    """An empty data directory in `home / "db"`, whose root needs no password.

    `home` is also where it puts its temporary tables: a server that starts removes all it finds in that place, those of
    other servers too.
    """
    command = ["mariadb-install-db", "--no-defaults", *options, f"--datadir={home}/db", "--skip-test-db"]
    done = subprocess.run(
        [*command, "--auth-root-authentication-method=normal"],
        env={**os.environ, "TMPDIR": str(home)},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout + done.stderr


def wait_for(socket: str, process: subprocess.Popen[bytes]) -> None:
    """Returns once the server answers on its socket."""
    for _ in range(300):
        assert process.poll() is None, "MariaDB ended while starting"
        try:
            pymysql.connect(unix_socket=socket, user="root").close()
            return
        except pymysql.Error:
            time.sleep(0.1)
    raise TimeoutError("MariaDB did not answer within 30 s")


class Restartable:
    """A private server that a test may kill and start again."""

    def __init__(self, template: str) -> None:
        self.socket = template.rpartition("unix_socket=")[2]
        self.pid = int(Path(self.socket).with_name("pid").read_text())
        self.command = Path(f"/proc/{self.pid}/cmdline").read_text().rstrip("\0").split("\0")
        self.again: subprocess.Popen[bytes] | None = None

    def kill(self) -> None:
        """As if the power went."""
        if self.again is None:
            os.kill(self.pid, signal.SIGKILL)
        else:
            self.again.kill()
            self.again.wait(30)

    def start(self) -> None:
        """The same server on the same data, once the killed one has let go of it."""
        self.again = subprocess.Popen(self.command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        wait_for(self.socket, self.again)


@contextmanager
def restartable(template: str) -> Iterator[Restartable]:
    """The server of this URL, to be killed and started by a test."""
    server = Restartable(template)
    try:
        yield server
    finally:
        if server.again:
            server.again.kill()
            server.again.wait(30)


_numbers = itertools.count(1)
_free: list[str] = []  # names of databases that were dropped: the next is called the same


@contextmanager
def _own_name() -> Iterator[str]:
    """A database's name that nobody uses meanwhile."""
    name = _free.pop() if _free else f"eb_test_{os.getpid()}_{next(_numbers)}"
    yield name
    _free.append(name)


@contextmanager
def postgresql(*options: str) -> Iterator[str]:
    """A running PostgreSQL server, as a SQLAlchemy URL with `{name}` where the database's name goes."""
    home = Path(tempfile.mkdtemp(prefix="eb-"))
    programs = max(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda path: int(path.parent.name))
    as_user: list[str] = []
    if os.geteuid() == 0:  # it refuses to run as root
        shutil.chown(home, "postgres", "postgres")
        as_user = ["runuser", "-u", "postgres", "--"]
    settings = {"listen_addresses": "''", "unix_socket_directories": home, "fsync": "off", "max_connections": 200}
    listed = " ".join([*(f"-c {name}={value}" for name, value in settings.items()), *options])
    make = [
        "initdb",
        "-D",
        f"{home}/db",
        "-A",
        "trust",
        "-U",
        "postgres",
        "-E",
        "UTF8",
        "--locale=C.UTF-8",
        "--no-sync",
    ]
    run = ["pg_ctl", "-D", f"{home}/db", "-w", "-l", f"{home}/log"]
    try:
        for command in (make, [*run, "-o", listed, "start"]):
            program, *rest = command
            done = subprocess.run(
                [*as_user, programs / program, *rest],
                cwd=home,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                check=False,
            )
            assert done.returncode == 0, f"PostgreSQL: {program} ended with {done.returncode}"
        yield f"postgresql+psycopg://postgres@/{{name}}?host={home}"
    finally:
        stop = [*as_user, programs / "pg_ctl", "-D", f"{home}/db", "-m", "immediate", "-w", "stop"]
        subprocess.run(stop, cwd=home, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=False)
        shutil.rmtree(home, ignore_errors=True)


@contextmanager
def fresh_postgresql(postgresql_url: str) -> Iterator[str]:
    """The URL of an empty database, dropped afterwards."""
    with (
        _own_name() as name,
        closing(connected_postgresql(make_url(postgresql_url.format(name="postgres")), autocommit=True)) as connection,
    ):
        connection.execute(f"CREATE DATABASE {name} TEMPLATE template0")
        try:
            yield postgresql_url.format(name=name)
        finally:
            connection.execute(f"DROP DATABASE {name} WITH (FORCE)")


@contextmanager
def fresh_mariadb(mariadb_url: str) -> Iterator[str]:
    """The URL of an empty database, dropped afterwards."""
    with _own_name() as name, closing(connected_mariadb(make_url(mariadb_url.format(name="")))) as connection:
        cursor = connection.cursor()
        cursor.execute(f"CREATE DATABASE {name} CHARACTER SET utf8mb4")
        try:
            yield mariadb_url.format(name=name)
        finally:
            cursor.execute(f"DROP DATABASE {name}")


def connected_mariadb(url: URL, **options: Any) -> pymysql.Connection[Any]:
    """The driver's own connection, which takes a fraction of the time of an engine's first."""
    socket = url.query.get("unix_socket")
    where = {"unix_socket": socket} if socket else {"host": url.host, "port": url.port or 3306}
    given = {"user": url.username, "password": url.password or "", "database": url.database or None}
    return pymysql.connect(**where, **given, charset="utf8mb4", ssl_disabled=True, **options)


def connected_postgresql(url: URL, **options: Any) -> psycopg.Connection[Any]:
    """The driver's own connection, likewise."""
    return psycopg.connect(url.set(drivername="postgresql").render_as_string(hide_password=False), **options)
