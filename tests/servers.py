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
from contextlib import contextmanager
from pathlib import Path

import pymysql
from sqlalchemy import create_engine, text


@contextmanager
def mariadb(*options: str) -> Iterator[str]:
    """A running server, as a SQLAlchemy URL with `{name}` where the database's name goes."""
    home = Path(tempfile.mkdtemp(prefix="eb-"))  # short: a socket's path has a limit
    process = None
    try:
        user = ["--user=root"] if os.geteuid() == 0 else []
        subprocess.run(
            [
                "mariadb-install-db",
                "--no-defaults",
                *user,
                f"--datadir={home}/db",
                "--auth-root-authentication-method=normal",
                "--skip-test-db",
            ],
            check=True,
            capture_output=True,
        )
        with (home / "log").open("w") as log:
            process = subprocess.Popen(
                [
                    shutil.which("mariadbd") or "/usr/sbin/mariadbd",
                    "--no-defaults",
                    *user,
                    f"--datadir={home}/db",
                    f"--socket={home}/s",
                    f"--pid-file={home}/pid",
                    f"--tmpdir={home}",  # a starting server empties the tmpdir of temporary tables, others' too
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
    name = f"eb_test_{os.getpid()}_{next(_numbers)}"
    engine = create_engine(postgresql_url.format(name="postgres"), isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.execute(text(f"CREATE DATABASE {name} TEMPLATE template0"))
    try:
        yield postgresql_url.format(name=name)
    finally:
        with engine.connect() as connection:
            connection.execute(text(f"DROP DATABASE {name} WITH (FORCE)"))
        engine.dispose()


@contextmanager
def fresh_mariadb(mariadb_url: str) -> Iterator[str]:
    """The URL of an empty database, dropped afterwards."""
    name = f"eb_test_{os.getpid()}_{next(_numbers)}"
    engine = create_engine(mariadb_url.format(name=""), connect_args={"ssl_disabled": True})
    with engine.begin() as connection:
        connection.execute(text(f"CREATE DATABASE {name} CHARACTER SET utf8mb4"))
    try:
        yield mariadb_url.format(name=name)
    finally:
        with engine.begin() as connection:
            connection.execute(text(f"DROP DATABASE {name}"))
        engine.dispose()
