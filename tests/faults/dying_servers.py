"""Servers of our own and of the database that are killed in tests, and started again on the same data."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import NoReturn, Protocol

import httpx
import psycopg
import uvicorn
from browser_server import free_port
from servers import connected_postgresql, mariadb, postgresql, restartable
from shops import execute, settings_for
from sqlalchemy.engine import make_url as parsed

from data import database as databases
from data.engines import make_engine


class Mortal(Protocol):
    """A database server that may be killed, as if the power went, and started again."""

    def kill(self) -> None:
        """Ends it at once."""

    def start(self) -> None:
        """The same server on the same data; returns once it answers."""


class MortalPostgres:
    """PostgreSQL as `servers.postgresql` runs it."""

    def __init__(self, template: str) -> None:
        self.template = template
        self.home = Path(template.rpartition("host=")[2])
        # postgres -D directory "-c" "name=value" ...
        words = (self.home / "db/postmaster.opts").read_text().strip().split(' "', 1)
        self.options = words[1].removesuffix('"').replace('" "', " ") if len(words) > 1 else ""

    def kill(self) -> None:
        """The postmaster and all that it started, of which some would go on for a moment without it."""
        pid = int((self.home / "db/postmaster.pid").read_text().split()[0])
        started = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
        for one in (pid, *map(int, started)):
            with suppress(ProcessLookupError):
                os.kill(one, signal.SIGKILL)

    def kill_a_backend(self, name: str) -> None:
        """One of those who work in this database; the postmaster then ends the others, and recovers."""
        where = parsed(self.template.format(name="postgres"))
        with suppress(psycopg.OperationalError), connected_postgresql(where, autocommit=True) as connection:
            found = "SELECT pid FROM pg_stat_activity WHERE datname = %s ORDER BY random() LIMIT 1"
            row = connection.execute(found, (name,)).fetchone()
            if row:
                os.kill(row[0], signal.SIGKILL)

    def start(self) -> None:
        """Once the backends of the killed one have let go of the data."""
        programs = max(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda path: int(path.parent.name))
        as_user = ["runuser", "-u", "postgres", "--"] if os.geteuid() == 0 else []
        command = [*as_user, programs / "pg_ctl", "-D", f"{self.home}/db", "-w", "-l", f"{self.home}/log"]
        for _ in range(100):
            done = subprocess.run(
                [*command, "-o", self.options, "start"],
                cwd=self.home,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                check=False,
            )
            if done.returncode == 0:
                return
            time.sleep(0.1)
        raise TimeoutError((self.home / "log").read_text()[-2000:])


@contextmanager
def mortal(engine_name: str) -> Iterator[tuple[str, Mortal]]:
    """A private server with an empty database `shop`: its URL, and what kills and starts it."""
    if engine_name == "mariadb":
        small = ("--innodb-buffer-pool-size=32M", "--performance-schema=OFF")
        with mariadb(*small) as template, restartable(template) as server:
            engine = make_engine(settings_for(template.format(name="mysql")).url)
            execute(engine, "CREATE DATABASE shop CHARACTER SET utf8mb4")
            engine.dispose()
            yield template.format(name="shop"), server
    else:
        with postgresql() as template:
            with connected_postgresql(parsed(template.format(name="postgres")), autocommit=True) as connection:
                connection.execute("CREATE DATABASE shop TEMPLATE template0")
            yield template.format(name="shop"), MortalPostgres(template)


def die(*_: object, **__: object) -> NoReturn:
    """As `kill -9` from outside."""
    os.kill(os.getpid(), signal.SIGKILL)
    raise AssertionError("unreachable")


@contextmanager
def child(work: Callable[[], object]) -> Iterator[int]:
    """A process that does this; killed and waited for at the end, whatever it is at."""
    pid = os.fork()
    if not pid:
        try:
            databases._default = None  # connections are no other process's
            work()
        finally:
            os._exit(0)
    try:
        yield pid
    finally:
        with suppress(ProcessLookupError, ChildProcessError):
            os.kill(pid, signal.SIGKILL)
            os.waitpid(pid, 0)


def was_killed(work: Callable[[], object]) -> bool:
    """Does this in a process of its own; whether that was killed."""
    pid = os.fork()
    if not pid:
        try:
            databases._default = None
            work()
        finally:
            os._exit(0)
    return os.WIFSIGNALED(os.waitpid(pid, 0)[1])


@contextmanager
def api_server(prepare: Callable[[], object]) -> Iterator[str]:
    """The API as `uvicorn api:app` in a process of its own, in which this was done before; its address."""
    import api

    port = free_port()

    def run() -> None:
        prepare()
        out = os.open(os.devnull, os.O_WRONLY)
        os.dup2(out, 1)
        os.dup2(out, 2)
        uvicorn.run(api.app, host="127.0.0.1", port=port, log_config=None)

    with child(run) as pid:
        url = f"http://127.0.0.1:{port}"
        for _ in range(300):
            assert os.waitpid(pid, os.WNOHANG) == (0, 0), "the API ended while starting"
            try:
                httpx.get(f"{url}/healthz", timeout=5)
                break
            except httpx.TransportError:
                time.sleep(0.05)
        yield url
