"""MariaDB's hosts: one, or several of a cluster in one URL, of which the first that takes work is connected to."""

from __future__ import annotations

import re
import socket
import time
from collections.abc import Mapping, Sequence
from typing import Any

import pymysql
from pymysql.constants import CR
from sqlalchemy.engine import URL

Host = tuple[str, int]
PORT = 3306
CONNECT = 5.0  # seconds for a host to take a connection
GREET = 10.0  # seconds for it to say something: one that hangs accepts connections all the same
CHANGE = 300.0  # seconds for an answer within a change; no statement of one takes as long
AVOIDED = 10.0  # seconds for which a host that failed is asked last, so that not every connection waits for it
# A host that vanished without a word is noticed after some 25 seconds. Nothing bounds how long a statement may read.
ALIVE = {"TCP_KEEPIDLE": 10, "TCP_KEEPINTVL": 5, "TCP_KEEPCNT": 3, "TCP_USER_TIMEOUT": 25_000}
# ER_UNKNOWN_COM_ERROR and ER_ERROR_DURING_COMMIT: what a Galera node answers without its cluster, and where it loses it
# while it commits.
NOT_READY, ALONE = 1047, 1180
# Reads, updates and inserts that begin a transaction wait until the node has all that the cluster acknowledged before.
SYNC_WAIT = 7
_HOST = re.compile(r"(?P<host>\[[0-9a-fA-F:.]+\]|[^:\[\]/@\s]+)(?::(?P<port>\d{1,5}))?")


def read_host(words: str) -> Host:
    """`host`, `host:port` or `[::1]:port` as host and port. Raises ValueError."""
    found = _HOST.fullmatch(words)
    if not found or not 0 < int(found["port"] or PORT) < 65536:
        raise ValueError(words)
    return found["host"].strip("[]"), int(found["port"] or PORT)


def list_hosts(url: URL) -> list[Host]:
    """The hosts of MariaDB's URL, in its order. Raises ValueError for one that cannot be read."""
    named = url.query.get("host", ())
    several = (named,) if isinstance(named, str) else named
    return [read_host(one) for one in several] or [(url.host or "localhost", url.port or PORT)]


class Connector:
    """Makes connections to the first host that takes work. Safe between threads."""

    def __init__(self, url: URL) -> None:
        self._hosts = list_hosts(url)
        self._failed: dict[Host, float] = {}  # until when (monotonic seconds) they are asked last

    def connect(self, arguments: Mapping[str, Any]) -> pymysql.Connection[Any]:
        """A connection by the driver's arguments. Raises the driver's error of the host that came furthest."""
        if "unix_socket" in arguments:
            return _open(_prepared(arguments), None)
        errors = []
        for host in self._in_order():
            try:
                connection = _connect(host, {**arguments, "host": host[0], "port": host[1]})
            except pymysql.err.Error as error:
                self._failed[host] = time.monotonic() + AVOIDED
                errors.append(error)
            else:
                self._failed.pop(host, None)
                return connection
        raise max(errors, key=lambda error: error.args[0] not in (CR.CR_CONN_HOST_ERROR, CR.CR_SERVER_LOST))

    def _in_order(self) -> Sequence[Host]:
        now = time.monotonic()
        return sorted(self._hosts, key=lambda host: self._failed.get(host, 0) > now)


def _prepared(arguments: Mapping[str, Any]) -> pymysql.Connection[Any]:
    """Not connected yet. How long the greeting is waited for is ours, whatever the URL says of statements."""
    return pymysql.connect(**{**arguments, "read_timeout": GREET, "defer_connect": True})


def _connect(host: Host, arguments: Mapping[str, Any]) -> pymysql.Connection[Any]:
    connection = _prepared(arguments)
    try:
        way = socket.create_connection(host, CONNECT)
    except OSError as error:
        words = f"Can't connect to MySQL server on {host[0]!r} ({error})"
        raise pymysql.err.OperationalError(CR.CR_CONN_HOST_ERROR, words) from error
    way.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    way.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    for name, value in ALIVE.items():
        if hasattr(socket, name):  # not every system has each
            way.setsockopt(socket.IPPROTO_TCP, getattr(socket, name), value)
    return _open(connection, way)


def bound(connection: Any, seconds: float | None) -> None:
    """How long this connection's next answers are waited for; then it counts as lost. Nothing where it is no MariaDB's.

    The driver has one time-out, for the greeting as for a statement that takes long.
    """
    if isinstance(connection, pymysql.Connection):
        connection._read_timeout = seconds  # type: ignore[attr-defined]


def ping(connection: pymysql.Connection[Any]) -> None:
    """Raises where nobody answers at once."""
    bound(connection, GREET)
    connection.ping(reconnect=False)
    bound(connection, None)


def _open(connection: pymysql.Connection[Any], way: socket.socket | None) -> pymysql.Connection[Any]:
    """The connection, opened, and made to read what the cluster acknowledged where it leads to a Galera node.

    Raises OperationalError (1047), after closing it, where that node is without its cluster.
    """
    connection.connect(way)
    try:
        with connection.cursor() as cursor:
            if is_clustered(cursor):
                if not _is_on(cursor, "SHOW STATUS LIKE 'wsrep_ready'"):
                    raise pymysql.err.OperationalError(NOT_READY, "This node of the cluster is not ready for use")
                cursor.execute(f"SET SESSION wsrep_sync_wait = {SYNC_WAIT}")
    except BaseException:
        connection.close()
        raise
    bound(connection, None)
    return connection


def is_clustered(cursor: Any) -> bool:
    """Whether this session is at a node of a Galera cluster, which copies the changes of InnoDB's tables only."""
    return _is_on(cursor, "SHOW VARIABLES LIKE 'wsrep_on'")


def _is_on(cursor: Any, question: str) -> bool:
    cursor.execute(question)
    found = cursor.fetchone()
    return found is not None and str(found[1]).upper() == "ON"
