"""Real replication on private servers: a primary, a replica of it, and a way to hold the replica back."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from browser_server import free_port
from servers import mariadb, postgresql
from sqlalchemy import create_engine

SMALL = ("--innodb-flush-log-at-trx-commit=0", "--performance-schema=OFF", "--innodb-buffer-pool-size=32M")


@dataclass(frozen=True)
class Pair:
    """URLs of a primary and of its replica, each with {name}, and what stops and resumes the replica's work."""

    primary: str
    replica: str
    hold: Callable[[], None]
    resume: Callable[[], None]


def run(url: str, *statements: str) -> None:
    """Runs statements on a server, each by itself."""
    engine = create_engine(url, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        for statement in statements:
            connection.exec_driver_sql(statement)
    engine.dispose()


@contextmanager
def mariadb_pair() -> Iterator[Pair]:
    """MariaDB with a binary log, and a second server that follows it."""
    port = free_port()
    logging = ("--skip-networking=0", f"--port={port}", "--bind-address=127.0.0.1", "--log-bin=log", "--server-id=1")
    with mariadb(*SMALL, *logging) as primary, mariadb(*SMALL, "--server-id=2") as replica:
        run(
            primary.format(name=""),
            "CREATE USER follower@'127.0.0.1' IDENTIFIED BY 'follows'",
            "GRANT REPLICATION SLAVE ON *.* TO follower@'127.0.0.1'",
        )
        on = replica.format(name="")
        run(
            on,
            f"CHANGE MASTER TO MASTER_HOST = '127.0.0.1', MASTER_PORT = {port}, MASTER_USER = 'follower', "
            "MASTER_PASSWORD = 'follows', MASTER_USE_GTID = slave_pos",
            "START SLAVE",
        )
        yield Pair(
            primary, replica, lambda: run(on, "STOP SLAVE SQL_THREAD"), lambda: run(on, "START SLAVE SQL_THREAD")
        )


@contextmanager
def postgresql_pair() -> Iterator[Pair]:
    """PostgreSQL, and a hot standby that streams from it."""
    with postgresql() as primary:
        home = Path(tempfile.mkdtemp(prefix="eb-"))
        programs = max(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda path: int(path.parent.name))
        as_user: list[str] = []
        if os.geteuid() == 0:
            shutil.chown(home, "postgres", "postgres")
            as_user = ["runuser", "-u", "postgres", "--"]
        source = primary.rpartition("host=")[2]

        def call(program: str, *arguments: str) -> None:
            command = [*as_user, str(programs / program), *arguments]
            out = subprocess.DEVNULL  # a server that is started here would hold a pipe open
            done = subprocess.run(command, cwd=home, stdin=out, stdout=out, stderr=out, check=False)
            assert done.returncode == 0, f"PostgreSQL: {program} ended with {done.returncode}"

        options = f"-c listen_addresses='' -c unix_socket_directories={home} -c fsync=off -c max_connections=200"
        try:
            call(
                "pg_basebackup", "-h", source, "-U", "postgres", "-D", f"{home}/db", "-R", "-X", "stream", "-c", "fast"
            )
            call("pg_ctl", "-D", f"{home}/db", "-w", "-l", f"{home}/log", "-o", options, "start")
            url = primary.replace(source, str(home))
            on = url.format(name="postgres")
            yield Pair(
                primary,
                url,
                lambda: run(on, "SELECT pg_wal_replay_pause()"),
                lambda: run(on, "SELECT pg_wal_replay_resume()"),
            )
        finally:
            stop = [*as_user, str(programs / "pg_ctl"), "-D", f"{home}/db", "-m", "immediate", "-w", "stop"]
            subprocess.run(stop, cwd=home, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=False)
            shutil.rmtree(home, ignore_errors=True)
