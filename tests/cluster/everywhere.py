"""A shop on a cluster: reached through each node first, and compared on every node."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from threading import Barrier
from typing import Any

from galera import Cluster
from shops import execute, problems, rows, settings_for

from data import integrity, queries
from data.access import Actor, Door, Role
from data.database import Database, attach, snapshot
from data.records import Event

CROWD = range(100, 160)
TABLES = ("customers", "orders", "evenbooks_events", "evenbooks_chain", "evenbooks_seals", "evenbooks_job_items")


def actor(number: int, role: Role = Role.ADMIN) -> Actor:
    """One of those who work at once."""
    return Actor(f"test:{number}", role, Door.API)


def at_once(count: int, work: Callable[[int], Any]) -> list[Any]:
    """The work of so many threads that start together, with each one's number."""
    together = Barrier(count)

    def one(number: int) -> Any:
        together.wait(60)
        return work(number)

    with ThreadPoolExecutor(count) as pool:
        return list(pool.map(one, range(count)))


def address(database: Database) -> int:
    """The port of the node that this database's next connection leads to."""
    with snapshot(database) as moment:
        return int(str(moment.connection.exec_driver_sql("SHOW VARIABLES LIKE 'port'").one()[1]))


def last(database: Database) -> int:
    """The number of the newest event that is read there."""
    with snapshot(database) as moment:
        return queries.list_events(moment.connection, database.schema, limit=1)[0].id


@dataclass
class Shop:
    """A database on the cluster, attached as servers with differently ordered hosts have it."""

    nodes: Cluster
    name: str
    made: Database
    opened: list[Database] = field(default_factory=list)

    def through(self, first: int) -> Database:
        """The shop, attached anew, with this node as the first host."""
        self.opened.append(attach(settings_for(self.nodes.url(self.name, first), {"customers": {"phone": "phone"}})))
        return self.opened[-1]

    def on(self, number: int) -> Database:
        """The shop as this one node has it."""
        url = self.nodes.node(number).url(self.name)
        self.opened.append(attach(settings_for(url, {"customers": {"phone": "phone"}})))
        return self.opened[-1]

    def crowd(self) -> None:
        """More customers, each with an order of 1.10."""
        ids = ", ".join(f"({n}, 'Many')" for n in CROWD)
        sales = ", ".join(f"({n}, {n}, '2024-01-05 00:00:00', 1.10, 'paid')" for n in CROWD)
        execute(
            self.made.engine,
            f"INSERT INTO customers (id, name) VALUES {ids}",
            f"INSERT INTO orders (id, customer_id, ordered_at, total, status) VALUES {sales}",
        )

    def events(self, number: int = 1) -> list[Event]:
        """Every event that this node has, the first first."""
        database = self.on(number)
        with snapshot(database) as moment:
            return list(reversed(queries.list_events(moment.connection, database.schema, limit=10_000)))

    def assert_same(self) -> list[Event]:
        """Every node has the same rows, a whole chain and even books; answers the events."""
        shops = [self.on(node.number) for node in self.nodes.nodes]
        first = {table: rows(shops[0], table) for table in TABLES}
        for shop in shops:
            assert {table: rows(shop, table) for table in TABLES} == first
            assert problems(shop) == []
            with snapshot(shop) as moment:
                report = integrity.run(moment.connection, shop.schema, moment.at)
            assert report.even, integrity.verdict(report)
        return self.events()

    def close(self) -> None:
        """Nothing stays connected."""
        for database in (self.made, *self.opened):
            database.engine.dispose()
