"""A real MariaDB Galera cluster on loopback: nodes that a test may kill, cut off and bring back. Gone with the run."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path
from typing import Any

import pymysql
from browser_server import free_port
from patience import LONGEST, eventually
from servers import install_mariadb

PROVIDER = Path("/usr/lib/galera/libgalera_smm.so")
# Nodes notice within three seconds that one of them is gone; by default it takes five. Sooner, and on a busy machine they
# give up one that only had to wait for its turn.
QUICK = "pc.recovery=FALSE;evs.keepalive_period=PT0.5S;evs.inactive_check_period=PT0.5S;evs.suspect_timeout=PT3S;evs.inactive_timeout=PT9S"
SMALL = (
    "innodb-flush-log-at-trx-commit=0",
    "innodb-buffer-pool-size=32M",
    "innodb-log-file-size=16M",
    "performance-schema=OFF",
    "key-buffer-size=1M",
    "aria-pagecache-buffer-size=8M",
    "max-connections=300",
    "sync-binlog=0",
)
CLUSTERED = (
    "log-bin=log",
    "log-slave-updates",
    "binlog-format=ROW",
    "server-id=1",  # the same everywhere: with wsrep-gtid-mode the nodes are one source of changes
    "innodb-autoinc-lock-mode=2",
    "wsrep-on=ON",
    "wsrep-cluster-name=tests",
    "wsrep-gtid-mode=ON",  # a change has one number on every node, so a replica may go from one to another
    "wsrep-gtid-domain-id=1",
    "wsrep-slave-threads=2",
    "wsrep-sst-method=rsync",
)
# Not as root: the script that sends a node's state would make the receiver give up all its rights.
AT_ONCE = ["nice", "-n", "-10"] if os.geteuid() == 0 else []  # so that they are heard on a busy machine
AS_USER = ["--user=mysql"] if os.geteuid() == 0 else []


class Node:
    """A server of the cluster, with a data directory and ports of its own."""

    def __init__(self, home: Path, number: int) -> None:
        self.home, self.number = home / f"n{number}", number
        self.port, self.group, self.transfer, self.rest = (free_port() for _ in range(4))
        self.process: subprocess.Popen[bytes] | None = None

    @property
    def address(self) -> str:
        """Where it takes SQL, as DATABASE_URL has it."""
        return f"127.0.0.1:{self.port}"

    @property
    def pid(self) -> int:
        """The running server's process."""
        assert self.process is not None
        return self.process.pid

    @property
    def is_running(self) -> bool:
        """Whether its process is there."""
        return self.process is not None and self.process.poll() is None

    def url(self, name: str = "") -> str:
        """This node alone, as a SQLAlchemy URL."""
        return f"mysql+pymysql://root@{self.address}/{name}"

    def ask(self, *statements: str) -> list[Any]:
        """The rows that the last statement answers, on a connection of its own, each settled by itself."""
        options: dict[str, Any] = {"host": "127.0.0.1", "port": self.port, "user": "root", "autocommit": True}
        with closing(pymysql.connect(**options, connect_timeout=5, ssl_disabled=True)) as connection:
            cursor = connection.cursor()
            for statement in statements:
                cursor.execute(statement)
            return list(cursor.fetchall())

    @contextmanager
    def held_back(self) -> Iterator[None]:
        """Meanwhile it applies nothing of what the others acknowledge, though it is one of them and answers."""
        with closing(pymysql.connect(host="127.0.0.1", port=self.port, user="root")) as connection:
            connection.cursor().execute("FLUSH TABLES WITH READ LOCK")
            yield
            connection.cursor().execute("UNLOCK TABLES")

    def status(self, name: str) -> str:
        """A status of the cluster's as this node sees it; empty where the node does not answer."""
        try:
            found = self.ask(f"SHOW STATUS LIKE 'wsrep_{name}'")
        except pymysql.Error:
            return ""
        return str(found[0][1]) if found else ""

    def launch(self, members: str, *, first: bool = False) -> None:
        """Starts the server, and does not wait for it. One that was killed is first asked how far it had come, as the
        system's unit does; then only what it lacks is sent to it."""
        provider = (
            f"base_port={self.group};gmcast.listen_addr=tcp://127.0.0.1:{self.group};"
            f"ist.recv_addr=127.0.0.1:{self.rest};gcache.size=32M;{QUICK}"
        )
        # A file of options, for the scripts that send a node's state to another are given the whole command line, cut
        # off after a thousand characters.
        options = [
            "[mariadbd]",
            f"datadir={self.home}/db",
            f"socket={self.home}/s",
            f"pid-file={self.home}/pid",
            f"tmpdir={self.home}",
            f"port={self.port}",
            "bind-address=127.0.0.1",
            *SMALL,
            *CLUSTERED,
            f"wsrep-provider={PROVIDER}",
            f"wsrep-provider-options={provider}",
            f"wsrep-cluster-address=gcomm://{members}",
            f"wsrep-node-name=n{self.number}",
            f"wsrep-node-address=127.0.0.1:{self.group}",
            f"wsrep-sst-receive-address=127.0.0.1:{self.transfer}",
        ]
        (self.home / "options").write_text("\n".join(options))
        command = [shutil.which("mariadbd") or "/usr/sbin/mariadbd", f"--defaults-file={self.home}/options", *AS_USER]
        position = []
        if (self.home / "db" / "grastate.dat").exists() and not first:
            told = subprocess.run([*command, "--wsrep-recover"], check=True, capture_output=True, text=True)
            found = re.findall(r"Recovered position: (\S+:\d+)", told.stderr)
            position = [f"--wsrep-start-position={found[-1]}"] if found else []
        with (self.home / "log").open("a") as log:
            last = ["--wsrep-new-cluster"] if first else position
            self.process = subprocess.Popen([*AT_ONCE, *command, *last], stdout=log, stderr=log)

    def wait(self) -> None:
        """Returns once the node takes work."""
        eventually(self._synced, f"node {self.number} takes work; the end of its log:\n{self.log()[-2000:]}")

    def _synced(self) -> bool:
        assert self.process is not None
        assert self.process.poll() is None, f"node {self.number} ended:\n{self.log()[-2000:]}"
        return self.status("ready") == "ON" and self.status("local_state_comment") == "Synced"

    def log(self) -> str:
        """What the server has written so far."""
        return (self.home / "log").read_text(errors="replace")

    def kill(self) -> None:
        """As if the power went."""
        assert self.process is not None
        self.process.kill()
        self.process.wait(30)

    def lose_data(self) -> None:
        """As if the disk of this server, which does not run, had been replaced."""
        shutil.rmtree(self.home / "db")
        (self.home / "db").mkdir()
        give_away(self.home)

    def stop(self) -> None:
        """Ends the server in order."""
        assert self.process is not None
        self.process.terminate()
        self.process.wait(LONGEST)


class Cluster:
    """The nodes, by number from 1."""

    def __init__(self, home: Path, size: int) -> None:
        self.home = home
        self.nodes = [Node(home, number) for number in range(1, size + 1)]

    @property
    def members(self) -> str:
        """Where the nodes speak with each other."""
        return ",".join(f"127.0.0.1:{node.group}" for node in self.nodes)

    def node(self, number: int) -> Node:
        """The node of this number."""
        return self.nodes[number - 1]

    def url(self, name: str, first: int = 1) -> str:
        """DATABASE_URL of all nodes, beginning with this one."""
        nodes = self.nodes[first - 1 :] + self.nodes[: first - 1]
        return f"mysql+pymysql://root@/{name}?" + "&".join(f"host={node.address}" for node in nodes)

    def start(self, number: int) -> None:
        """Brings a node back into the running cluster, and waits until it takes work.

        The others have noticed first that it was gone: one that is back too early confuses them for half a minute.
        """
        self.without(number)
        self.node(number).launch(self.members)
        self.whole()

    def revive(self) -> None:
        """Makes the cluster whole again, whatever a test left behind."""
        for node in self.nodes:
            if not node.is_running:
                self.without(node.number)
                node.launch(self.members)
            elif node.status("cluster_status") != "Primary":
                node.ask("SET GLOBAL wsrep_provider_options = 'gmcast.isolate=0'")
            node.wait()
        self.whole()

    def whole(self) -> None:
        """Returns once every node takes work and sees all of them."""
        for node in self.nodes:
            node.wait()
        everybody = str(len(self.nodes))
        eventually(lambda: all(n.status("cluster_size") == everybody for n in self.nodes), "the cluster is whole")

    def without(self, number: int) -> None:
        """Returns once the others go on without this node."""
        rest = [node for node in self.nodes if node.number != number]
        alone = str(len(rest))
        eventually(
            lambda: all(n.status("cluster_size") == alone for n in rest), f"the others go on without node {number}"
        )

    def isolate(self, number: int) -> None:
        """Cuts a node off from the others, which go on without it; it knows that it is alone."""
        self.node(number).ask("SET GLOBAL wsrep_provider_options = 'gmcast.isolate=1'")
        eventually(
            lambda: self.node(number).status("cluster_status") == "non-Primary", f"node {number} knows it is alone"
        )
        self.without(number)

    def join_again(self, number: int) -> None:
        """Ends the isolation, and waits until the node is one of them again."""
        self.node(number).ask("SET GLOBAL wsrep_provider_options = 'gmcast.isolate=0'")
        self.whole()


@contextmanager
def cluster(size: int = 3) -> Iterator[Cluster]:
    """A running cluster of empty servers, ended afterwards whatever became of its nodes."""
    home = Path(tempfile.mkdtemp(prefix="eb-"))  # short: a socket's path has a limit
    made = Cluster(home, size)
    with ExitStack() as stack:
        stack.callback(shutil.rmtree, home, ignore_errors=True)
        one, *others = made.nodes
        one.home.mkdir()
        give_away(home)
        install_mariadb(one.home, *AS_USER)
        for node in made.nodes:
            stack.callback(_end, node)
        # Once up and down: its state is a certain one now, and the others begin with it; so nothing has to be sent.
        one.launch(made.members, first=True)
        one.wait()
        one.stop()
        for node in others:
            shutil.copytree(one.home / "db", node.home / "db", ignore=shutil.ignore_patterns("galera.cache"))
            give_away(node.home)
        for node in made.nodes:
            node.launch(made.members, first=node is one)
            node.wait()
        made.whole()
        yield made


def give_away(directory: Path) -> None:
    """Makes a directory and all in it the servers' own."""
    for path in [directory, *directory.rglob("*")] if AS_USER else []:
        shutil.chown(path, "mysql", "mysql")


def _end(node: Node) -> None:
    if node.process:
        node.process.kill()
        node.process.wait(30)
