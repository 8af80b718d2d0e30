"""The migration on a cluster: unchanged through a URL of several hosts, once, and refused where rows would not be everywhere."""

from __future__ import annotations

import pytest
from everywhere import at_once
from galera import Cluster
from migrating import ALL, bodies, build, contents, dump, said
from shops import CUSTOMERS, ORDERS, settings_for

from data import migration
from data.database import attach
from data.errors import ConfigurationError, EvenbooksError

pytestmark = pytest.mark.usefixtures("own_folder")
OWN = (
    "SELECT table_name, engine, (SELECT COUNT(*) FROM information_schema.statistics s WHERE s.table_schema = t.table_schema "
    "AND s.table_name = t.table_name AND s.index_name = 'PRIMARY') FROM information_schema.tables t "
    "WHERE table_schema = '{}' AND table_name LIKE 'evenbooks%'"
)


def test_all_of_it_is_made_on_every_node_and_the_second_run_finds_nothing_to_do(nodes: Cluster, name: str) -> None:
    settings = build(nodes.url(name), missing=False)
    before = contents(nodes.url(name))
    said(settings, **ALL)
    once, events = dump(nodes.node(1).url(name)), bodies(nodes.node(1).url(name))
    assert "To do: nothing" in said(settings_for(nodes.url(name, 2)), **ALL)
    for node in nodes.nodes:
        assert dump(node.url(name)) == once
        assert contents(node.url(name))["orders"] == before["orders"]
        assert bodies(node.url(name)) == events
        own = node.ask(OWN.format(name))
        assert len(own) == 12
        assert [row for row in own if row[1] != "InnoDB" or not row[2]] == []  # else it would not be replicated
    database = attach(settings_for(nodes.url(name, 3)))
    database.engine.dispose()


def test_commands_at_once_on_different_nodes_make_it_once(nodes: Cluster, name: str) -> None:
    build(nodes.url(name), missing=False)

    def run(number: int) -> EvenbooksError | None:
        try:
            migration.migrate(settings_for(nodes.url(name, number + 1)))
        except EvenbooksError as refused:
            return refused
        return None

    refusals = [str(refused) for refused in at_once(3, run) if refused]
    assert len(refusals) < 3
    assert all("Somebody else is running this migration" in words for words in refusals), refusals
    migration.migrate(settings_for(nodes.url(name, 2)))
    for node in nodes.nodes:
        assert [body["action"] for body in bodies(node.url(name))] == ["baseline"]
        assert dump(node.url(name)) == dump(nodes.node(1).url(name))


@pytest.mark.parametrize(("table", "engine"), [("customers", "MyISAM"), ("customers", "Aria"), ("orders", "Aria")])
def test_tables_that_the_cluster_does_not_replicate_are_refused(
    nodes: Cluster, name: str, table: str, engine: str
) -> None:
    shapes = {"customers": CUSTOMERS, "orders": ORDERS}
    shapes[table] += f" ENGINE={engine}"
    build(nodes.url(name), shapes["customers"], shapes["orders"])
    before = dump(nodes.url(name))
    with pytest.raises(
        ConfigurationError, match=f"{table} is stored by {engine}, which this cluster does not copy"
    ) as told:
        migration.migrate(settings_for(nodes.url(name)))
    assert f"ALTER TABLE {table} ENGINE=InnoDB" in str(told.value)
    assert dump(nodes.url(name)) == before
