"""Fixtures: one cluster of three nodes for all tests of a run, whole again before each, with an empty database."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from everywhere import Shop
from galera import Cluster, cluster
from shops import make_shop


@pytest.fixture(scope="session")
def running() -> Iterator[Cluster]:
    """The cluster, for all tests."""
    with cluster() as made:
        yield made


@pytest.fixture
def nodes(running: Cluster) -> Cluster:
    """The cluster, with every node at work."""
    running.revive()
    return running


@pytest.fixture
def name(nodes: Cluster, request: pytest.FixtureRequest) -> Iterator[str]:
    """An empty database on every node, dropped afterwards."""
    made = f"shop{abs(hash(request.node.name)) % 10**8}"
    nodes.node(1).ask(f"CREATE DATABASE {made} CHARACTER SET utf8mb4")
    yield made
    nodes.revive()
    nodes.node(1).ask(f"DROP DATABASE {made}")


@pytest.fixture
def shop(nodes: Cluster, name: str) -> Iterator[Shop]:
    """A migrated shop with customers 100 to 159 more, each with an order, reached through each node first."""
    made = Shop(nodes, name, make_shop(nodes.url(name)))
    made.crowd()
    yield made
    made.close()
