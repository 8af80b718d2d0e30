"""A shop that was made once, put into further empty databases: making it anew takes several times as long."""

from __future__ import annotations

import os
import sqlite3
import subprocess
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any
from unittest.mock import patch

from pymysql.constants import CLIENT
from servers import connected_mariadb, connected_postgresql
from shops import make_shop
from sqlalchemy.engine import URL, make_url

from data.database import Database, attach
from data.engines import make_engine


@dataclass(frozen=True)
class Kept:
    """A shop as it was made: its content, what attaching it read, and the statements compiled for it so far."""

    content: bytes
    made: Database
    compiled: dict[Any, Any] = field(default_factory=dict)


_made: dict[tuple[str, str], Kept | None] = {}  # by engine and name, for as long as this process lives


def copied(url: str, make: Callable[[], Database], name: str = "shop") -> Database:
    """What `make` makes at this URL; from the second time on a copy of what was made first, by its name."""
    kind = make_url(url).get_backend_name()
    if kept := _made.get((kind, name)):
        return _copy(url, kept)
    database = make()
    database.engine.dispose()  # reading the file of SQLite would end the locks of this process on it
    _made[kind, name] = Kept(DUMPS[kind](make_url(url)), database)
    return database


def shop_of(url: str, **shape: Any) -> Database:
    """What `make_shop` makes of this shape; from the third time on a copy, as most shapes are asked for only once."""
    key = make_url(url).get_backend_name(), repr(sorted(shape.items()))
    if key in _made:
        return copied(url, lambda: make_shop(url, **shape), key[1])
    _made[key] = None
    return make_shop(url, **shape)


def _copy(url: str, kept: Kept) -> Database:
    """The copy, attached. What the first one's attaching read of its tables is not read again."""
    where = make_url(url)
    LOADS[where.get_backend_name()](where, kept.content)
    settings = kept.made.settings.model_copy(update={"database_url": url})
    engine, first = make_engine(settings.url), kept.made.engine
    if where.database == first.url.database or engine.dialect.name != "mysql":  # there it knows its database's name
        engine.dialect = first.dialect
        engine.update_execution_options(compiled_cache=kept.compiled)
    schema = replace(kept.made.schema, settings=settings)
    with patch.multiple("data.database", reflect=lambda *_: schema, require_migrated=lambda *_: None):
        return attach(settings, engine=engine)


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
    script = subprocess.run(command, check=True, capture_output=True, env=environment).stdout
    # What is for the client alone: the server knows itself where a trigger's body ends.
    lines = (line for line in script.splitlines() if not line.startswith(b"DELIMITER "))
    return b"\n".join(line.removesuffix(b";") if line.endswith(b";;") else line for line in lines)


def _load_mariadb(url: URL, script: bytes) -> None:
    with connected_mariadb(url, client_flag=CLIENT.MULTI_STATEMENTS) as connection, connection.cursor() as cursor:
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
    with connected_postgresql(url) as connection:
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
