"""Several hosts in one URL: the first that takes work is connected to, and one that does not is asked last for a while."""

from __future__ import annotations

import os
import signal
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path
from typing import Any, ClassVar

import pymysql
import pymysql.cursors
import pytest
from browser_server import free_port
from migrating import build, said
from patience import eventually
from servers import mariadb, postgresql
from shops import STAFF, make_shop, problems, settings_for
from sqlalchemy import text
from sqlalchemy.engine import make_url
from sqlalchemy.exc import OperationalError

from data import database as databases
from data import engines, hosts
from data.customers import delete_many
from data.database import ask, attach, snapshot
from data.engines import make_engine
from data.errors import DatabaseBusy, DatabaseUnavailable, EvenbooksError


@contextmanager
def taking(answer: bytes) -> Iterator[int]:
    """A port that takes connections and says just this; nothing where it is empty."""
    with closing(socket.create_server(("127.0.0.1", 0))) as server:
        asked: list[socket.socket] = []

        def serve() -> None:
            while True:
                try:
                    way, _ = server.accept()
                except OSError:
                    return
                asked.append(way)
                if answer:
                    way.sendall(answer)
                    way.close()

        threading.Thread(target=serve, daemon=True).start()
        yield server.getsockname()[1]
        for way in asked:
            way.close()


@pytest.fixture(scope="module")
def port() -> Iterator[int]:
    """Of a MariaDB server on loopback."""
    port = free_port()
    with mariadb("--skip-networking=0", f"--port={port}", "--bind-address=127.0.0.1", "--innodb-buffer-pool-size=32M"):
        yield port


def url_of(*ports: int, name: str = "mysql") -> str:
    return f"mysql+pymysql://root@/{name}?" + "&".join(f"host=127.0.0.1:{port}" for port in ports)


def port_of(connection: Any) -> int:
    with connection.cursor() as cursor:
        cursor.execute("SELECT @@port")
        return int(cursor.fetchone()[0])


def connector(*ports: int) -> hosts.Connector:
    return hosts.Connector(make_url(url_of(*ports)))


# What does not speak as MariaDB does: the web, SSH, somebody who is cut short, and a length of nothing.
FOREIGN = (b"HTTP/1.1 400\r\n\r\n", b"SSH-2.0-OpenSSH_9.2p1\r\n", b"\x01\0\0\0\x0a", b"\0\0\0\0")
REFUSE = "SIGNAL SQLSTATE '08S01' SET MYSQL_ERRNO = {}, MESSAGE_TEXT = 'x'"
WITH: dict[str, Any] = {"user": "root", "ssl_disabled": True}


def test_a_host_that_refuses_or_says_nothing_is_passed_over(port: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hosts, "LEAST", 0.3)
    monkeypatch.setattr(hosts, "GREET", 0.3)
    dead = free_port()
    with taking(b"") as mute, ExitStack() as stack:
        others = [stack.enter_context(taking(said)) for said in FOREIGN]
        for first in (dead, mute, *others):
            with closing(connector(first, port).connect(WITH)) as connection:
                assert port_of(connection) == port
    url = make_url(f"mysql+pymysql://root@/mysql?host=db..example&host={'x' * 64}.example&host=127.0.0.1:{port}")
    with closing(hosts.Connector(url).connect(WITH)) as connection:
        assert port_of(connection) == port


@pytest.mark.parametrize("said", FOREIGN)
def test_who_does_not_speak_as_mariadb_does_is_said_not_to_answer(said: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hosts, "GREET", 0.5)
    with taking(said) as other, pytest.raises(DatabaseUnavailable, match="does not answer"):
        attach(settings_for(f"mysql+pymysql://root@127.0.0.1:{other}/shop"))
    with pytest.raises(DatabaseUnavailable, match="does not answer"):
        attach(settings_for("mysql+pymysql://root@/shop?host=db..example"))


def test_several_hosts_that_say_nothing_take_no_longer_than_one(port: int, monkeypatch: pytest.MonkeyPatch) -> None:
    waited: list[float] = []

    def never(host: object, seconds: float) -> socket.socket:
        waited.append(seconds)
        raise TimeoutError

    monkeypatch.setattr(hosts.socket, "create_connection", never)  # type: ignore[attr-defined]
    for count in (1, 2, 3):
        waited.clear()
        assert connector(*range(1, count + 1)).patience * count == pytest.approx(hosts.GREET)
        with pytest.raises(pymysql.err.OperationalError):
            connector(*range(1, count + 1)).connect(WITH)
        assert len(waited) == count
        assert sum(waited) <= hosts.GREET


def test_who_failed_is_asked_last_for_a_while_and_then_first_again(port: int, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[int] = []
    create = socket.create_connection

    def count(host: tuple[str, int], *rest: Any) -> socket.socket:
        asked.append(host[1])
        return create(host, *rest)

    monkeypatch.setattr(hosts.socket, "create_connection", count)  # type: ignore[attr-defined]
    dead = free_port()
    ours = connector(dead, port)
    for _ in range(2):
        ours.connect(WITH).close()
    assert asked == [dead, port, port]
    monkeypatch.setattr(hosts, "AVOIDED", -1.0)
    ours._failed.clear()
    for _ in range(2):
        ours.connect(WITH).close()
    assert asked[3:] == [dead, port, dead, port]


def test_where_nobody_takes_work_it_is_told_what_the_one_who_answered_said(port: int) -> None:
    with pytest.raises(pymysql.err.OperationalError) as caught:
        connector(port, free_port()).connect({**WITH, "user": "nobody_here"})
    assert caught.value.args[0] in (1044, 1045, 1698)
    with pytest.raises(pymysql.err.OperationalError) as refused:
        connector(free_port(), free_port()).connect(WITH)
    assert refused.value.args[0] == 2003


def test_a_statement_may_take_longer_than_the_greeting(port: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hosts, "GREET", 0.5)
    with closing(connector(port).connect(WITH)) as connection, connection.cursor() as cursor:
        cursor.execute("SELECT SLEEP(1)")
        assert cursor.fetchone() == (0,)


def stop(pid: int) -> None:
    """Stops the process, and returns once each of its threads stands still."""
    os.kill(pid, signal.SIGSTOP)
    tasks = list(Path(f"/proc/{pid}/task").glob("*/stat"))
    eventually(lambda: all(task.read_text().rpartition(")")[2].split()[0] == "T" for task in tasks))


@pytest.mark.parametrize("by_socket", [False, True])
def test_a_server_that_hangs_is_noticed_by_who_comes_back_to_it(
    monkeypatch: pytest.MonkeyPatch, by_socket: bool
) -> None:
    """It is stopped, and its machine goes on taking what is sent to it."""
    monkeypatch.setattr(hosts, "GREET", 0.5)
    monkeypatch.setattr(engines, "LONGEST_PAUSE", 0.0)
    port = free_port()
    options = ("--skip-networking=0", f"--port={port}", "--bind-address=127.0.0.1", "--innodb-buffer-pool-size=32M")
    with mariadb(*options) as template:
        pid = int(Path(template.rpartition("unix_socket=")[2]).with_name("pid").read_text())
        engine = make_engine(make_url(template.format(name="mysql") if by_socket else url_of(port)))
        with engine.connect():
            pass
        stop(pid)
        try:
            with pytest.raises(OperationalError, match=r"2013|2003|2006"):
                engine.connect()
        finally:
            os.kill(pid, signal.SIGCONT)
        with engine.connect() as connection:
            assert connection.execute(text("SELECT 1")).scalar_one() == 1
        engine.dispose()


def test_an_answer_within_a_change_is_waited_for_so_long_and_the_change_is_done_anew(
    port: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    with cut_off(port) as (shop, _):
        monkeypatch.setattr(databases, "CHANGE", 0.5)
        tries: list[int] = []

        def work(connection: Any) -> int:
            tries.append(1)
            return int(connection.execute(text(f"SELECT SLEEP({2 if len(tries) == 1 else 0})")).scalar_one())

        assert databases.in_transaction(shop, work) == 0
        assert len(tries) == 2
        with shop.engine.connect() as connection:  # what only reads takes as long as it takes
            assert connection.execute(text("SELECT SLEEP(1)")).scalar_one() == 0


class Pretended(pymysql.cursors.Cursor):
    """The cursor of a node of a cluster: `state` (wsrep_ready, wsrep_local_state) is what it says of itself by port."""

    state: ClassVar[dict[int, tuple[str, str]]] = {}

    def execute(self, query: str, args: Any = None) -> int:
        if "wsrep" not in query or not query.startswith(("SHOW", "SET STATEMENT")):
            return super().execute(query, args)
        said = self.state[self.connection.port]
        if "wsrep_on" in query:
            return super().execute(f"SELECT 'wsrep_on', '{'ON' if said[0] else 'OFF'}'")
        return super().execute(f"SELECT 'wsrep_ready', '{said[0]}' UNION SELECT 'wsrep_local_state', '{said[1]}'")


AS_NODE = {**WITH, "cursorclass": Pretended}
IN_STEP, SENDING, ALONE, NO_CLUSTER = ("ON", "4"), ("ON", "2"), ("OFF", "0"), ("", "")


@pytest.mark.parametrize("state", [IN_STEP, SENDING, ALONE, NO_CLUSTER])
def test_a_node_without_its_cluster_is_not_connected_to(
    port: int, monkeypatch: pytest.MonkeyPatch, state: tuple[str, str]
) -> None:
    """What a real cluster answers is asked of one in tests/cluster; here every state, and a server that knows none."""
    monkeypatch.setattr(Pretended, "state", {port: state})
    if state == ALONE:
        with pytest.raises(pymysql.err.OperationalError, match="not ready"):
            connector(port).connect(AS_NODE)
        return
    with closing(connector(port).connect(AS_NODE)) as connection, connection.cursor() as cursor:
        cursor.execute("SELECT @@wsrep_sync_wait")
        assert cursor.fetchone() == (0 if state == NO_CLUSTER else 7,)


def test_a_node_that_is_not_in_step_is_connected_to_only_where_no_other_takes_work_and_left_once_it_is_not(
    port: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    behind = free_port()
    with mariadb(
        "--skip-networking=0", f"--port={behind}", "--bind-address=127.0.0.1", "--innodb-buffer-pool-size=32M"
    ):
        monkeypatch.setattr(Pretended, "state", {behind: SENDING, port: IN_STEP})
        ours = connector(behind, port)
        with closing(ours.connect(AS_NODE)) as connection:
            assert connection.port == port
            ours.look(connection)
            assert not ours.waited_in_vain(connection)
            Pretended.state[port] = SENDING
            with pytest.raises(pymysql.err.OperationalError, match="not in step"):
                ours.look(connection)
            assert ours.waited_in_vain(connection)
        with closing(ours.connect(AS_NODE)) as connection:  # nobody is in step, and both are asked last: in their order
            assert connection.port == behind
        Pretended.state[port] = ALONE
        with closing(ours.connect(AS_NODE)) as connection:
            assert connection.port == behind
        with closing(connector(behind).connect(AS_NODE)) as alone:  # where else should one go
            assert not connector(behind).waited_in_vain(alone)


def test_the_pool_leaves_a_node_that_lost_its_cluster(port: int) -> None:
    engine = make_engine(make_url(url_of(free_port(), port)))

    def number() -> int:
        with engine.connect() as connection:
            return int(connection.execute(text("SELECT CONNECTION_ID()")).scalar_one())

    try:
        for code, leaves in ((1047, True), (1180, True), (1053, True), (1927, True), (1644, False)):
            before = number()
            with engine.connect() as connection, pytest.raises(Exception, match=str(code)):
                connection.exec_driver_sql(REFUSE.format(code))
            assert (number() != before) is leaves
    finally:
        engine.dispose()


def test_the_whole_product_works_by_such_a_url(port: int) -> None:
    with closing(pymysql.connect(host="127.0.0.1", port=port, user="root")) as connection:
        connection.cursor().execute("CREATE DATABASE cluster CHARACTER SET utf8mb4")
    shop = make_shop(url_of(free_port(), port, name="cluster"))
    assert delete_many(shop, [1], actor=STAFF, reason="mistake")[0].changed
    assert problems(shop) == []
    shop.engine.dispose()
    with pytest.raises(DatabaseUnavailable, match="does not answer") as caught:
        attach(settings_for(url_of(free_port(), free_port(), name="cluster")))
    assert "root@" not in str(caught.value) or "***" not in str(caught.value)


def test_two_names_of_one_server_do_not_keep_the_migration_from_itself(port: int, own_folder: None) -> None:
    with closing(pymysql.connect(host="127.0.0.1", port=port, user="root")) as connection:
        connection.cursor().execute("CREATE DATABASE named CHARACTER SET utf8mb4")
    build(url_of(port, name="named"))
    twice = settings_for(f"mysql+pymysql://root@/named?host=127.0.0.1:{port}&host=localhost:{port}")
    assert "Verified" in said(twice)


def test_of_several_postgresql_servers_the_one_that_runs_is_found() -> None:
    port = free_port()
    options = ["-c listen_addresses=127.0.0.1", f"-c port={port}"]
    with postgresql(*options) as template:
        folder = Path(make_url(template).query["host"])  # type: ignore[arg-type]
        here = f"postgresql://postgres@/postgres?host=127.0.0.1:{free_port()}&host=127.0.0.1:{port}"
        engine = make_engine(settings_for(here).url)
        try:
            with engine.connect() as connection:
                found = connection.exec_driver_sql("SELECT inet_server_port(), current_setting('data_directory')")
                assert tuple(found.one()) == (port, f"{folder}/db")
        finally:
            engine.dispose()


def test_a_screen_takes_another_connection_where_its_own_is_dead(port: int) -> None:
    with cut_off(port) as (shop, cut):
        with snapshot(shop):
            pass
        cut()
        with snapshot(shop) as moment:
            assert moment.connection.execute(text("SELECT 1")).scalar_one() == 1


def test_one_question_is_asked_again_where_its_connection_is_dead_or_its_node_waited_in_vain(port: int) -> None:
    with cut_off(port) as (shop, cut):
        tries: list[int] = []

        def question(connection: Any) -> int:
            if not tries:
                cut()
            tries.append(1)
            return int(connection.execute(text("SELECT 1")).scalar_one())

        assert ask(shop, question) == 1
        assert len(tries) == 2
        tries.clear()

        def in_vain(connection: Any) -> int:
            tries.append(1)
            code = {1: 1205, 2: 1047}.get(len(tries))
            if code:
                connection.exec_driver_sql(REFUSE.format(code))
            return 7

        assert ask(shop, in_vain) == 7
        with pytest.raises(DatabaseBusy):
            ask(shop, lambda connection: connection.exec_driver_sql(REFUSE.format(1205)))
        tries.clear()

        def wrong(connection: Any) -> None:
            tries.append(1)
            connection.exec_driver_sql(REFUSE.format(1690))

        with pytest.raises(EvenbooksError):
            ask(shop, wrong)
        assert tries == [1]


@contextmanager
def cut_off(port: int) -> Iterator[tuple[Any, Callable[[], None]]]:
    """A shop on this server, and what ends every session of it."""
    with closing(pymysql.connect(host="127.0.0.1", port=port, user="root", autocommit=True)) as connection:
        cursor = connection.cursor()
        cursor.execute("CREATE OR REPLACE DATABASE screens CHARACTER SET utf8mb4")
        shop = make_shop(url_of(port, name="screens"))

        def cut() -> None:
            cursor.execute("SELECT id FROM information_schema.processlist WHERE db = 'screens'")
            for (number,) in cursor.fetchall():
                cursor.execute(f"KILL {number}")

        yield shop, cut
        shop.engine.dispose()


@pytest.mark.parametrize("engine_name", ["mariadb"], indirect=True)
def test_the_url_may_have_the_drivers_own_time_outs(empty_url: str) -> None:
    engine = make_engine(make_url(empty_url).update_query_dict({"read_timeout": "5", "connect_timeout": "5"}))
    with engine.connect() as connection:
        assert connection.exec_driver_sql("SELECT 1").scalar() == 1
    engine.dispose()
