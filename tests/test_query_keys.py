"""Foreign keys under an `[orders] query`: seen in the tables that it names, red with the statement that mends them."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from migrating import said
from shops import execute, settings_for
from test_structure_checks import KEPT, found, keyed

from data.database import Database, attach
from data.inspection import dangerous_keys

Open = Callable[..., Database]
pytestmark = pytest.mark.usefixtures("own_folder")
LINES = """CREATE TABLE `Order Lines` (id {key}, order_id INTEGER, total DECIMAL(12,2),
    CONSTRAINT to_order FOREIGN KEY (order_id) REFERENCES orders (id) ON DELETE CASCADE)"""
QUERY = """SELECT o.id, o.customer_id, MAX(o.ordered_at) AS ordered_at, SUM(COALESCE(l.total, o.total)) AS total
    FROM orders o LEFT JOIN `Order Lines` l ON l.order_id = o.id GROUP BY o.id, o.customer_id"""


def over(url: str, query: str = QUERY) -> dict[str, dict[str, str]]:
    """The mapping whose orders are this query, in the engine's quotation marks."""
    return {"orders": {"query": query if url.startswith("mysql") else query.replace("`", '"')}}


@pytest.mark.parametrize(
    ("rule", "effect"), [("CASCADE", "takes its orders along"), ("SET NULL", "unlinks its orders")]
)
def test_what_reaches_the_orders_is_red_and_the_statement_mends_it(
    opened: Open, empty_url: str, engine_name: str, rule: str, effect: str
) -> None:
    database = opened(empty_url, orders=keyed(f"ON DELETE {rule}"), also=[LINES], sales=KEPT, sections=over(empty_url))
    name = f"orders.customer_id {rule}"
    ways = [name, f"Order Lines.order_id CASCADE -> {name}"] if rule == "CASCADE" else [name]
    check = found(database, "foreign_key")
    assert sorted(finding.id for finding in check.findings) == sorted(ways)
    assert (check.ok, check.level) == (False, "warning")  # it was so at installation
    lines = [line for line in said(database.settings, dry_run=True).splitlines() if "RED:" in line]
    assert len(lines) == len(ways)
    red = next(line for line in lines if f"({name})" in line)
    assert effect in red
    if engine_name == "sqlite":
        assert "make the table anew with ON DELETE RESTRICT" in red
        return
    execute(database.engine, *filter(str.strip, red.partition("To mend it: ")[2].split(";")))
    check = found(database, "foreign_key")
    assert (check.ok, "By no foreign key" in check.detail) == (True, True)
    assert "No foreign key of the tables of [orders] query" in said(database.settings, dry_run=True)


def test_a_key_turned_after_installation_is_an_error(opened: Open, empty_url: str) -> None:
    database = opened(empty_url, sections=over(empty_url, "SELECT id, customer_id, ordered_at, total FROM orders"))
    assert found(database, "foreign_key").ok is True
    link = "buyer_id INTEGER NULL REFERENCES customers (id) ON DELETE CASCADE"
    execute(database.engine, f"ALTER TABLE orders ADD COLUMN {link}")
    check = found(database, "foreign_key")
    assert (check.ok, check.level, [f.id for f in check.findings]) == (False, "error", ["orders.buyer_id CASCADE"])
    schema = attach(database.settings, engine=database.engine).schema
    with database.engine.connect() as connection:
        assert dangerous_keys(connection, schema) == ["orders.buyer_id CASCADE"]


def test_what_cannot_be_followed_is_said_and_is_not_green(opened: Open, empty_url: str, engine_name: str) -> None:
    view = "CREATE VIEW sold AS SELECT id, customer_id, ordered_at, total FROM orders"
    database = opened(empty_url, also=[view], sections=over(empty_url, "SELECT * FROM sold WHERE id > 0"))
    check = found(database, "foreign_key")
    assert (check.ok, check.detail) == (None, "sold is a view; the keys of its tables were not looked for.")
    assert "sold is a view" in said(database.settings, dry_run=True)
    if engine_name == "postgresql":
        schema = "CREATE SCHEMA crm; CREATE TABLE crm.cards (id INTEGER); CREATE TABLE cards (id INTEGER)"
        execute(database.engine, *schema.split("; "))
        query = "SELECT o.* FROM orders o LEFT JOIN crm . cards c USING (id)"
        other = settings_for(empty_url, {"orders": {"query": query}})
        check = found(attach(other, engine=database.engine), "foreign_key")
        assert (check.ok, check.detail) == (None, "The foreign keys of crm.cards were not looked for.")


def test_parts_of_a_query_are_no_tables(opened: Open, empty_url: str) -> None:
    query = """WITH kept AS (SELECT * FROM orders WHERE EXTRACT(YEAR FROM ordered_at) > 0) -- from elsewhere
        SELECT k.id, k.customer_id, k.ordered_at, k.total FROM kept k JOIN customers c ON c.id = k.customer_id"""
    if empty_url.startswith("sqlite"):
        query = query.replace("EXTRACT(YEAR FROM ordered_at) > 0", "ordered_at > ''")
    assert found(opened(empty_url, sections=over(empty_url, query)), "foreign_key").ok is True
