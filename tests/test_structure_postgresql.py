"""What only PostgreSQL has: policies that hide rows, partitions, rules, domains, tables that a crash empties, owners."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from servers import fresh_postgresql
from shops import ORDERS, PHONE, SALES, execute, make_shop, settings_for
from test_structure_checks import found, keyed

from data import integrity
from data.database import Database, attach
from data.inspection import cautions
from data.integrity.look import OF_ROWS

KEPT = [sale for sale in SALES if sale[1] != 77]  # whom a foreign key allows


@pytest.fixture
def shop(postgresql_url: str) -> Iterator[Callable[..., Database]]:
    """Makes a shop of any shape in a database of its own; with `grants`, as a small account sees it."""
    made: list[Database] = []
    with fresh_postgresql(postgresql_url) as url:

        def open_shop(*grants: str, **shape: object) -> Database:
            if not made:
                made.append(make_shop(url, **shape))  # type: ignore[arg-type]
            if not grants:
                return made[0]
            execute(made[0].engine, "CREATE ROLE small LOGIN", *(f"GRANT {one} TO small" for one in grants))
            small = made[0].engine.url.set(username="small").render_as_string(hide_password=False)
            made.append(attach(settings_for(small, PHONE)))
            return made[-1]

        yield open_shop
        if len(made) > 1:
            execute(made[0].engine, "DROP OWNED BY small CASCADE", "DROP ROLE small")
        for database in made:
            database.engine.dispose()


READS = "SELECT ON ALL TABLES IN SCHEMA public"


def test_where_a_policy_hides_rows_nothing_is_called_even_and_nothing_gone(shop: Callable[..., Database]) -> None:
    owner = shop()
    execute(
        owner.engine,
        "ALTER TABLE customers ENABLE ROW LEVEL SECURITY",
        "CREATE POLICY theirs ON customers USING (id > 2)",
    )
    assert integrity.run_and_record(owner).as_dict()["unseen"] == 0  # it owns the table, and sees every row
    report = integrity.run_and_record(shop(READS))
    answers = {check.name: check for check in report.checks if check.name in OF_ROWS}
    assert len(answers) >= 9
    assert {check.ok for check in answers.values()} == {None}
    words = "Row level security is on for customers (policies: theirs), so this account may not see every row of it."
    assert {check.detail for check in answers.values()} == {words}
    execute(owner.engine, "ALTER ROLE small BYPASSRLS")
    assert found(shop(), "identity").ok is True


def test_a_view_that_depends_on_who_looks_hides_rows_too(shop: Callable[..., Database]) -> None:
    database = shop()
    execute(
        database.engine,
        "ALTER TABLE orders RENAME TO kept",
        "CREATE VIEW orders AS SELECT * FROM kept WHERE CURRENT_USER <> 'somebody'",
    )
    assert found(database, "identity").detail.startswith("orders is a view that depends on who looks")


PARTED = ORDERS.replace("status VARCHAR(10))", "status VARCHAR(10), PRIMARY KEY (id)) PARTITION BY RANGE (id)").replace(
    "id {key}", "id INTEGER NOT NULL"
)
PARTS = [
    "CREATE TABLE orders_1 PARTITION OF orders FOR VALUES FROM (0) TO (5)",
    "CREATE TABLE orders_2 PARTITION OF orders FOR VALUES FROM (5) TO (100)",
]


def test_a_partition_s_own_key_is_seen_and_mended(shop: Callable[..., Database]) -> None:
    database = shop(orders=PARTED, also=PARTS, sales=KEPT)
    assert found(database, "foreign_key").ok is True
    harm = "ADD CONSTRAINT `the key` FOREIGN KEY (customer_id) REFERENCES customers ON UPDATE CASCADE ON DELETE CASCADE"
    execute(database.engine, f"ALTER TABLE orders_2 {harm} DEFERRABLE")
    check = found(database, "foreign_key")
    assert (check.ok, check.level) == (False, "error")
    mending = check.detail.partition("To mend it: ")[2].removesuffix(";")
    assert mending == (
        'ALTER TABLE public.orders_2 DROP CONSTRAINT "the key", ADD CONSTRAINT "the key" '
        "FOREIGN KEY (customer_id) REFERENCES customers(id) ON UPDATE CASCADE ON DELETE RESTRICT DEFERRABLE"
    )
    execute(database.engine, mending)
    assert found(database, "foreign_key").ok is True


def test_a_key_of_the_whole_partitioned_table_is_one(shop: Callable[..., Database]) -> None:
    orders = PARTED.replace("customer_id INTEGER", "customer_id INTEGER REFERENCES customers (id) ON DELETE SET NULL")
    check = found(shop(orders=orders, also=PARTS, sales=KEPT), "foreign_key")
    assert [finding.id for finding in check.findings] == ["orders.customer_id SET NULL"]
    assert check.level == "warning"  # it was so at installation


def test_set_null_of_some_columns_and_set_default_are_mended(shop: Callable[..., Database]) -> None:
    database = shop(orders=keyed("ON DELETE SET NULL (customer_id)"), sales=KEPT)
    for _ in range(2):
        mending = found(database, "foreign_key").detail.partition("To mend it: ")[2].removesuffix(";")
        assert "(customer_id)" not in mending.rpartition("REFERENCES")[2]
        execute(database.engine, mending)
        assert found(database, "foreign_key").ok is True
        again = "FOREIGN KEY (customer_id) REFERENCES customers ON DELETE SET DEFAULT"
        execute(database.engine, f"ALTER TABLE orders DROP CONSTRAINT to_customer, ADD CONSTRAINT to_customer {again}")


def test_rules_count_as_triggers(shop: Callable[..., Database]) -> None:
    database = shop()
    rules = {
        "CREATE RULE theirs AS ON UPDATE TO customers DO INSTEAD NOTHING": "may keep a delete from being written",
        "CREATE RULE theirs AS ON UPDATE TO customers DO ALSO UPDATE orders SET status = 'x'": "mentions orders",
    }
    for rule, words in rules.items():
        execute(database.engine, rule)
        check = found(database, "deleted_at")
        assert (check.ok, check.level) == (False, "warning")
        assert words in check.examples[0]
        execute(database.engine, "DROP RULE theirs ON customers")
    assert found(database, "deleted_at").ok is True


def test_a_domain_is_what_it_is_made_of(shop: Callable[..., Database]) -> None:
    database = shop()
    domains = {
        "AS timestamptz": None,
        "AS timestamptz DEFAULT now()": "has the default now()",
        "AS text": "is TEXT, not a time",
    }
    for number, (domain, problem) in enumerate(domains.items()):
        execute(
            database.engine,
            f"CREATE DOMAIN moment{number} {domain}",
            f"ALTER TABLE customers DROP deleted_at, ADD deleted_at moment{number}",
            "UPDATE customers SET deleted_at = NULL",
        )
        check = found(database, "deleted_at")
        assert check.ok is (problem is None), domain
        assert problem is None or problem in check.examples[0]


def test_a_table_that_a_crash_empties_is_said(shop: Callable[..., Database]) -> None:
    database = shop()
    execute(database.engine, "ALTER TABLE orders SET UNLOGGED")
    with database.engine.connect() as connection:
        assert cautions(connection, database.schema.customer_table) == []
        assert "SET LOGGED" in cautions(connection, database.schema.order_table)[0]  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("grants", "expected"),
    [
        ([], []),
        (["UPDATE (deleted_at), INSERT ON customers", "UPDATE ON evenbooks_chain"], []),
        (["DELETE ON customers"], ["delete customers"]),
        (["TRUNCATE ON orders"], ["delete orders"]),
        (["UPDATE (id) ON customers"], ["change customer ids"]),
        (["UPDATE (status) ON orders"], ["change orders"]),
        (["UPDATE (prev) ON evenbooks_events"], ["change events"]),
        (["TRUNCATE ON evenbooks_seals"], ["delete records"]),
        (["pg_write_all_data"], [*map("change {}".format, ["customer ids", "orders", "events"])]),
    ],
)
def test_what_a_small_account_may_do_on_postgresql(
    shop: Callable[..., Database], grants: list[str], expected: list[str]
) -> None:
    shop()
    database = shop(READS, *grants)
    check = found(database, "rights")
    assert [f.id for f in check.findings if not f.id.startswith("delete") or f.id in expected] == expected
    assert check.ok is (not expected)


def test_an_owner_and_a_session_that_only_reads_by_its_own_will(shop: Callable[..., Database]) -> None:
    owner = shop()
    database = shop(READS, "DELETE ON orders")
    execute(
        owner.engine, "ALTER TABLE customers OWNER TO small", "ALTER ROLE small SET default_transaction_read_only = on"
    )
    names = [finding.id for finding in found(database, "rights").findings]
    assert {"delete orders", "drop or alter tables"} <= set(names)  # whoever may write need only say so
