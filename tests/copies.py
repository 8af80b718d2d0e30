"""A shop that was made once, put into further empty databases: making it anew takes several times as long."""

from __future__ import annotations

import os
import sqlite3
import subprocess
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import psycopg
import pymysql
from pymysql.constants import CLIENT
from shops import PHONE, settings_for
from sqlalchemy.engine import URL, make_url

from data.database import Database, attach

_made: dict[tuple[str, str], bytes] = {}  # by engine and name, for as long as this process lives


def copied(url: str, make: Callable[[], Database], name: str = "shop") -> Database:
    """What `make` makes at this URL, attached with the usual mapping; from the second time on a copy, by its name."""
    kind = make_url(url).get_backend_name()
    if (kind, name) not in _made:
        database = make()
        _made[kind, name] = DUMPS[kind](make_url(url))
        return database
    LOADS[kind](make_url(url), _made[kind, name])
    return attach(settings_for(url, PHONE))


def _file_content(url: URL) -> bytes:
    with closing(sqlite3.connect(str(url.database))) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    return Path(str(url.database)).read_bytes()


def _write_file(url: URL, content: bytes) -> None:
    Path(str(url.database)).write_bytes(content)


def _dump_mariadb(url: URL) -> bytes:
    socket = url.query.get("unix_socket")
    where = [f"--socket={socket}"] if socket else [f"--host={url.host}", f"--port={url.port or 3306}"]
    plain = [
        "--skip-comments",
        "--skip-add-locks",
        "--skip-lock-tables",
        "--skip-add-drop-table",
        "--skip-disable-keys",
    ]
    command = ["mariadb-dump", "--no-defaults", *plain, f"--user={url.username}", *where, str(url.database)]
    environment = {**os.environ, "MYSQL_PWD": str(url.password or "")}
    return subprocess.run(command, check=True, capture_output=True, env=environment).stdout


def _load_mariadb(url: URL, script: bytes) -> None:
    socket = url.query.get("unix_socket")
    where = {"unix_socket": socket} if socket else {"host": url.host, "port": url.port or 3306}
    connection = pymysql.connect(
        **where,
        user=url.username,
        password=url.password or "",
        database=url.database,
        charset="utf8mb4",
        client_flag=CLIENT.MULTI_STATEMENTS,
        ssl_disabled=True,
    )
    with connection, connection.cursor() as cursor:
        cursor.execute(script.decode())
        while cursor.nextset():
            pass
        connection.commit()


def _dump_postgresql(url: URL) -> bytes:
    plain = url.set(drivername="postgresql").render_as_string(hide_password=False)
    command = ["pg_dump", "--no-owner", "--no-privileges", "--inserts", "--no-sync", f"--dbname={plain}"]
    script = subprocess.run(command, check=True, capture_output=True).stdout
    # What is for psql alone, and the schema that every database has.
    not_sql = (b"\\", b"CREATE SCHEMA public", b"COMMENT ON SCHEMA public")
    return b"\n".join(line for line in script.splitlines() if not line.startswith(not_sql))


def _load_postgresql(url: URL, script: bytes) -> None:
    plain = url.set(drivername="postgresql").render_as_string(hide_password=False)
    with psycopg.connect(plain) as connection:
        connection.execute(script)


DUMPS: dict[str, Callable[[URL], bytes]] = {
    "sqlite": _file_content,
    "mysql": _dump_mariadb,
    "postgresql": _dump_postgresql,
}
LOADS: dict[str, Callable[[URL, bytes], None]] = {
    "sqlite": _write_file,
    "mysql": _load_mariadb,
    "postgresql": _load_postgresql,
}
