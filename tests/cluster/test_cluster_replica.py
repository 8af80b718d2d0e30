"""A replica for reports that follows a node of the cluster: read while it follows, refused when its node is dead."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace as changed
from typing import Any

import pymysql
import pytest
from everywhere import CROWD, Shop
from galera import Cluster, Node
from patience import eventually
from replicas import SMALL
from servers import mariadb
from shops import ADMIN, STAFF

from data import exports, replica
from data.customers import delete_many
from data.database import Database
from data.errors import StaleReplica
from data.replica import freshness


class Follower:
    """A server outside the cluster that follows one of its nodes."""

    def __init__(self, template: str) -> None:
        self.template = template
        self.socket = template.rpartition("unix_socket=")[2]

    def ask(self, *statements: str) -> list[Any]:
        """The rows that the last statement answers."""
        with closing(pymysql.connect(unix_socket=self.socket, user="root", autocommit=True)) as connection:
            cursor = connection.cursor()
            for statement in statements:
                cursor.execute(statement)
            return list(cursor.fetchall())

    def follow(self, node: Node) -> None:
        """Goes on with this node from where it is."""
        self.ask(
            "STOP SLAVE",
            f"CHANGE MASTER TO MASTER_HOST = '127.0.0.1', MASTER_PORT = {node.port}, MASTER_USER = 'follower', "
            "MASTER_PASSWORD = 'follows', MASTER_USE_GTID = slave_pos, MASTER_CONNECT_RETRY = 1, MASTER_HEARTBEAT_PERIOD = 1",
            "START SLAVE",
        )


@pytest.fixture
def follower(nodes: Cluster) -> Iterator[Follower]:
    """Follows node 3, from before the shop is made."""
    node = nodes.node(3)
    node.ask(
        "CREATE USER IF NOT EXISTS follower@'127.0.0.1' IDENTIFIED BY 'follows'",
        "GRANT REPLICATION SLAVE ON *.* TO follower@'127.0.0.1'",
    )
    with mariadb(*SMALL, "--server-id=9") as template:
        made = Follower(template)
        ((position,),) = node.ask("SELECT @@gtid_binlog_pos")
        made.ask(f"SET GLOBAL gtid_slave_pos = '{position}'")
        made.follow(node)
        yield made


def trouble(database: Database) -> str | None:
    """What is wrong with the replica now, measured anew."""
    found = freshness(database)
    assert found is not None
    return found.trouble


def exported(database: Database) -> str:
    """The deleted customers as a file."""
    return "".join(exports.csv_pages(*exports.open_report(database, "deleted_customers", {})))


def test_reports_follow_a_node_are_refused_when_it_is_dead_and_served_again_from_another(
    follower: Follower, shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(replica, "KEPT", 0.0)
    settings = shop.made.settings
    url = follower.template.format(name=shop.name)
    limited = settings.server.model_copy(update={"replica_lag": 1})
    database = changed(
        shop.through(1), settings=settings.model_copy(update={"reports_database_url": url, "server": limited})
    )
    delete_many(database, [1], actor=STAFF, reason="requested")
    eventually(lambda: trouble(database) is None, "the replica follows")
    assert "Ana Lima" in exported(database)

    shop.nodes.node(3).kill()
    delete_many(database, [2], actor=STAFF, reason="requested")  # the primary does not care
    eventually(lambda: trouble(database) == "stale", "the replica is known to stand still")
    with pytest.raises(StaleReplica, match=r"which is .* behind; the limit is 1 s"):
        exported(database)

    follower.follow(shop.nodes.node(2))
    eventually(lambda: trouble(database) is None, "the replica follows another node")
    assert "Bo Ek" in exported(database)
    shop.nodes.start(3)
    delete_many(database, list(CROWD), actor=ADMIN, reason="requested")
    shop.assert_same()
    follower.ask("STOP SLAVE")
