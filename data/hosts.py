"""MariaDB's hosts: one, or several of a cluster in one URL, of which the first that takes work is connected to."""

from __future__ import annotations

import re
import socket
import struct
import time
from collections.abc import Mapping, Sequence
from typing import Any
from weakref import WeakSet

import pymysql
from pymysql.constants import CR
from sqlalchemy.engine import URL

from data.waiting import GREET, bound

Host = tuple[str, int]
PORT = 3306
CONNECT = 5.0  # seconds for a host to take a connection
LEAST = 3.0  # seconds for each of several, who share the time that one has
AVOIDED = 30.0  # seconds for which a host that failed is asked last, so that not every connection waits for it
# A host that vanished without a word is noticed after some 25 seconds. Nothing bounds how long a statement may read.
ALIVE = {"TCP_KEEPIDLE": 10, "TCP_KEEPINTVL": 5, "TCP_KEEPCNT": 3, "TCP_USER_TIMEOUT": 25_000}
# ER_UNKNOWN_COM_ERROR and ER_ERROR_DURING_COMMIT: what a Galera node answers without its cluster, and where it loses it
# while it commits.
NOT_READY, ALONE = 1047, 1180
# Reads, updates and inserts that begin a transaction wait until the node has all that the cluster acknowledged before. One
# that is not in step (it sends its data to another, or a backup holds it) answers them after half a minute, with an error.
SYNC_WAIT, IN_STEP = 7, "4"
STATE = "SHOW STATUS WHERE Variable_name IN ('wsrep_ready', 'wsrep_local_state')"
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
        self._clustered: WeakSet[pymysql.Connection[Any]] = WeakSet()

    @property
    def patience(self) -> float:
        """Seconds for one host to say something."""
        return max(GREET / len(self._hosts), LEAST) if len(self._hosts) > 1 else GREET

    def connect(self, arguments: Mapping[str, Any]) -> pymysql.Connection[Any]:
        """A connection by the driver's arguments; to a node that is not in step with its cluster only where no other takes
        work. Raises the driver's error of the host that came furthest."""
        if "unix_socket" in arguments:
            return self._open(_prepared(arguments, self.patience), None)[0]
        errors: list[pymysql.err.Error] = []
        lagging: pymysql.Connection[Any] | None = None  # the first, kept in case there is no better one
        for host in self._in_order():
            if host in self._failed:
                self.avoid(host)  # while this one tries, nobody else has to
            try:
                connection, in_step = self._connect(host, {**arguments, "host": host[0], "port": host[1]})
            except pymysql.err.Error as error:
                self.avoid(host)
                errors.append(error)
                continue
            if in_step:
                self._failed.pop(host, None)
                if lagging:
                    lagging.close()
                return connection
            self.avoid(host)
            if lagging:
                connection.close()
            else:
                lagging = connection
        if lagging:
            return lagging
        raise max(errors, key=lambda error: error.args[0] not in (CR.CR_CONN_HOST_ERROR, CR.CR_SERVER_LOST))

    def avoid(self, host: Host) -> None:
        """Asks this host last for a while."""
        self._failed[host] = time.monotonic() + AVOIDED

    def look(self, connection: pymysql.Connection[Any]) -> None:
        """Raises where nobody answers at once, or where the node is not in step; its host is then asked last."""
        bound(connection, self.patience)
        try:
            if self._is_behind(connection):
                raise pymysql.err.OperationalError(NOT_READY, "This node is not in step with its cluster")
            if connection not in self._clustered:
                connection.ping(reconnect=False)
        except pymysql.err.Error:
            self.avoid((connection.host, connection.port))
            raise
        bound(connection, None)

    def waited_in_vain(self, connection: pymysql.Connection[Any]) -> bool:
        """Whether it was for the cluster that this waited, not for a row that somebody holds; its host is then asked last."""
        try:
            if not self._is_behind(connection):
                return False
        except pymysql.err.Error:
            pass  # nobody answers any more
        self.avoid((connection.host, connection.port))
        return True

    def _is_behind(self, connection: pymysql.Connection[Any]) -> bool:
        """Whether this leads to a node that is not in step with its cluster, of which other nodes are known."""
        if connection not in self._clustered:
            return False
        with connection.cursor() as cursor:
            cursor.execute(f"SET STATEMENT wsrep_sync_wait = 0 FOR {STATE}")
            return not _is_in_step(dict(cursor.fetchall()))

    def _in_order(self) -> Sequence[Host]:
        now = time.monotonic()
        return sorted(self._hosts, key=lambda host: self._failed.get(host, 0) > now)

    def _connect(self, host: Host, arguments: Mapping[str, Any]) -> tuple[pymysql.Connection[Any], bool]:
        connection = _prepared(arguments, self.patience)
        try:
            way = socket.create_connection(host, min(CONNECT, self.patience))
        except (OSError, UnicodeError) as error:  # UnicodeError: no name can be like this
            words = f"Can't connect to MySQL server on {host[0]!r} ({error})"
            raise pymysql.err.OperationalError(CR.CR_CONN_HOST_ERROR, words) from error
        way.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        way.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        for name, value in ALIVE.items():
            if hasattr(socket, name):  # not every system has each
                way.setsockopt(socket.IPPROTO_TCP, getattr(socket, name), value)
        return self._open(connection, way)

    def _open(
        self, connection: pymysql.Connection[Any], way: socket.socket | None
    ) -> tuple[pymysql.Connection[Any], bool]:
        """The connection, opened, and made to read what the cluster acknowledged where it leads to a Galera node; and
        whether that is in step.

        Raises OperationalError, after closing it, where that node is without its cluster (1047), or where who answers is no
        MariaDB.
        """
        in_step = True
        try:
            connection.connect(way)
            with connection.cursor() as cursor:
                if is_clustered(cursor):
                    cursor.execute(STATE)
                    state = dict(cursor.fetchall())
                    if state.get("wsrep_ready") != "ON":
                        raise pymysql.err.OperationalError(NOT_READY, "This node of the cluster is not ready for use")
                    cursor.execute(f"SET SESSION wsrep_sync_wait = {SYNC_WAIT}")
                    in_step = _is_in_step(state)
                    if len(self._hosts) > 1:
                        self._clustered.add(connection)
        except (pymysql.err.InternalError, struct.error, LookupError, ValueError) as error:
            connection.close()
            words = f"What answers there does not speak as MariaDB does ({type(error).__name__})"
            raise pymysql.err.OperationalError(CR.CR_SERVER_HANDSHAKE_ERR, words) from error
        except BaseException:
            connection.close()
            raise
        bound(connection, None)
        return connection, in_step


def _prepared(arguments: Mapping[str, Any], patience: float) -> pymysql.Connection[Any]:
    """Not connected yet. How long the greeting is waited for is ours, whatever the URL says of statements."""
    return pymysql.connect(**{**arguments, "read_timeout": patience, "defer_connect": True})


def is_clustered(cursor: Any) -> bool:
    """Whether this session is at a node of a Galera cluster, which copies the changes of InnoDB's tables only."""
    cursor.execute("SHOW VARIABLES LIKE 'wsrep_on'")
    found = cursor.fetchone()
    return found is not None and str(found[1]).upper() == "ON"


def _is_in_step(state: Mapping[str, str]) -> bool:
    return state.get("wsrep_local_state") == IN_STEP
