"""A proxy on loopback between the product and a private server: it loses a command, or the answer to one.

It knows just enough of the two protocols to tell where a command begins and ends.
"""

from __future__ import annotations

import select
import socket
import struct
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Literal

from sqlalchemy.engine import make_url

# before: the command does not reach the server. after: the server has answered, and the answer is lost. late: the command
# reaches the server a moment after the product has seen the connection end. In these cases the connection ends.
# swallowed, unanswered: as before and after, but the connection stays, and nothing is heard of it but its end.
How = Literal["before", "after", "late", "swallowed", "unanswered"]
LATE = 0.3  # seconds
COM_QUIT, COM_QUERY = 1, 3
STARTS_OTHERWISE = {80877102, 80877103, 80877104}  # cancel, TLS, GSS: no session begins with these


@dataclass(frozen=True)
class _Order:
    """What is to be lost: the n-th command, or the first of this text, counted from the first that has `following` in it;
    and whether the server is gone then."""

    at: int | str
    how: How
    gone: bool
    following: str


class CuttingProxy:
    """The proxy of one server. `commands` are those that came since the last order, the lost one included."""

    def __init__(self, url: str) -> None:
        upstream = make_url(url)
        self.is_mysql = upstream.get_backend_name() == "mysql"
        self.commands: list[str] = []
        self.has_cut = threading.Event()
        self._lock = threading.Lock()
        self._order: _Order | None = None
        self._open: set[socket.socket] = set()
        self._listener: socket.socket | None = None
        self._port = 0
        if self.is_mysql:
            self._upstream, plain = str(upstream.query["unix_socket"]), {}
        else:
            self._upstream = f"{upstream.query['host']}/.s.PGSQL.5432"
            plain = {"sslmode": "disable", "gssencmode": "disable"}
        self.come_back()
        self.url = upstream.set(host="127.0.0.1", port=self._port, query=plain).render_as_string(hide_password=False)

    def cut(self, at: int | str, how: How = "before", *, gone: bool = False, following: str = "") -> None:
        """Loses one command, or its answer, once: the n-th from now on, or the first of this text; where something is
        `following`, the first command that has this in it is 1. With `gone` nobody reaches the server afterwards.
        """
        with self._lock:
            self._order = _Order(at, how, gone, following)
            self.commands = []
            self.has_cut.clear()

    def let_pass(self) -> None:
        """Takes the order back, and counts anew."""
        with self._lock:
            self._order = None
            self.commands = []

    def go(self) -> None:
        """Ends every connection, and takes no other: as if the server were gone."""
        with self._lock:
            listener, self._listener = self._listener, None
            open_now = list(self._open)
        if listener:
            with suppress(OSError):
                listener.shutdown(socket.SHUT_RDWR)  # wakes who accepts
            listener.close()
        for one in open_now:
            with suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)

    def come_back(self) -> None:
        """Takes connections (again), at the same port."""
        listener = socket.socket()
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(("127.0.0.1", self._port))
        listener.listen(100)
        self._port = listener.getsockname()[1]
        self._listener = listener
        threading.Thread(target=self._accept, args=(listener,), daemon=True).start()

    def connections(self) -> int:
        """How many are open."""
        with self._lock:
            return len(self._open)

    def _accept(self, listener: socket.socket) -> None:
        with suppress(OSError):
            while True:
                client, _ = listener.accept()
                threading.Thread(target=self._serve, args=(client,), daemon=True).start()

    def _serve(self, client: socket.socket) -> None:
        server = socket.socket(socket.AF_UNIX)
        with client, server, suppress(OSError):
            server.connect(self._upstream)
            client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            with self._lock:
                if self._listener is None:
                    return
                self._open.add(client)
            try:
                self._carry(client, server)
            finally:
                with self._lock:
                    self._open.discard(client)

    def _carry(self, client: socket.socket, server: socket.socket) -> None:
        """Passes on what both say until one of them leaves, or something of theirs is lost."""
        frames = _MySql() if self.is_mysql else _PostgreSql()
        while True:
            ready, _, _ = select.select([client, server], [], [])
            if server in ready:
                if not (answer := server.recv(65536)):
                    return
                client.sendall(answer)
            if client in ready:
                if not (data := client.recv(65536)):
                    return
                for whole, command in frames.read(data):
                    order = self._order_for(command)
                    if order:
                        self._lose(order, whole, client, server)
                        return
                    server.sendall(whole)

    def _order_for(self, command: str | None) -> _Order | None:
        """The order, where it is for this command; it is then carried out."""
        if command is None:
            return None
        with self._lock:
            self.commands.append(command)
            order = self._order
            if order is None:
                return None
            before = next((n for n, one in enumerate(self.commands) if order.following in one), None)
            if before is None or order.at not in (len(self.commands) - before, command):
                return None
            self._order = None
            return order

    def _lose(self, order: _Order, data: bytes, client: socket.socket, server: socket.socket) -> None:
        if order.how in ("after", "unanswered"):
            server.sendall(data)
            self._await_answer(server)
        if order.gone:
            self.go()
        self.has_cut.set()
        if order.how == "late":
            client.shutdown(socket.SHUT_RDWR)
            time.sleep(LATE)
            server.sendall(data)
            self._await_answer(server)
        while order.how in ("swallowed", "unanswered"):
            ready, _, _ = select.select([client, server], [], [])
            if not all(one.recv(65536) for one in ready):
                return

    def _await_answer(self, server: socket.socket) -> None:
        """Returns once the server has done what it was asked: MariaDB answers no sooner, PostgreSQL says when it is ready."""
        answer = b""
        while not answer or not (self.is_mysql or answer[-6:-1] == b"Z\0\0\0\5"):
            more = server.recv(65536)
            if not more:
                return
            answer += more


class _MySql:
    """Packets of three bytes of length and a number; a command's first has the number 0."""

    def __init__(self) -> None:
        self._rest = b""

    def read(self, data: bytes) -> Iterator[tuple[bytes, str | None]]:
        """Each whole packet, and the command that it begins."""
        self._rest += data
        while len(self._rest) >= 4:
            end = 4 + int.from_bytes(self._rest[:3], "little")
            if len(self._rest) < end:
                return
            packet, self._rest = self._rest[:end], self._rest[end:]
            yield packet, self._command(packet)

    def _command(self, packet: bytes) -> str | None:
        if packet[3] or packet[4] == COM_QUIT:
            return None
        return packet[5:].decode(errors="replace") if packet[4] == COM_QUERY else f"command {packet[4]}"


class _PostgreSql:
    """Messages of a letter and four bytes of length. A command is a Query, or what ends with a Sync."""

    def __init__(self) -> None:
        self._rest = b""
        self._begun = False
        self._waiting, self._words = b"", ""

    def read(self, data: bytes) -> Iterator[tuple[bytes, str | None]]:
        """What belongs together, and the command that it is."""
        self._rest += data
        while message := self._next():
            if message[:1] not in b"PBDECQS":  # a start, a password, rows of a COPY, a good-bye
                yield message, None
                continue
            if message[:1] == b"P":  # its name, then the text
                self._words = message[5:].split(b"\0")[1].decode(errors="replace")
            elif message[:1] == b"Q":
                self._words = message[5:].split(b"\0")[0].decode(errors="replace")
            self._waiting += message
            if message[:1] in b"QS":
                whole, words, self._waiting, self._words = self._waiting, self._words, b"", ""
                yield whole, words

    def _next(self) -> bytes:
        letter = 1 if self._begun else 0  # the first message has none
        if len(self._rest) < letter + 4:
            return b""
        end = letter + struct.unpack_from("!I", self._rest, letter)[0]
        if len(self._rest) < end:
            return b""
        message, self._rest = self._rest[:end], self._rest[end:]
        if not self._begun:
            self._begun = struct.unpack_from("!I", message, 4)[0] not in STARTS_OTHERWISE
        return message


@contextmanager
def cutting_proxy(url: str) -> Iterator[CuttingProxy]:
    """A proxy of the server at this URL, whose own `url` leads through it."""
    proxy = CuttingProxy(url)
    try:
        yield proxy
    finally:
        proxy.go()
