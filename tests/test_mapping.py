"""The mapping: tables of any shape, and errors that name the setting, the table or the column."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from shops import (
    ADMIN,
    CUSTOMERS,
    ORDERS,
    PEOPLE,
    STAFF,
    catch_up,
    execute,
    fill,
    migrated,
    problems,
    rows,
    settings_for,
)
from test_delete_customer import Shops
from test_list_customers import ids, page

from data import Customer, queries
from data.customers import add, delete_many, edit, restore_many
from data.database import Database, attach, snapshot
from data.engines import make_engine
from data.errors import ConfigurationError, CustomerNotFound, InvalidInput, NotMigrated


def tables(url: str, *statements: str) -> str:
    """Makes these tables; answers the URL."""
    engine = make_engine(settings_for(url).url)
    execute(engine, *statements)
    catch_up(engine)
    engine.dispose()
    return url


WRONG: dict[str, tuple[dict[str, Any], str]] = {
    "a table": (
        {"customers": {"table": "people"}},
        '[customers] table = "people": there is no such table in this database. It has: ',
    ),
    "orders' table": (
        {"orders": {"table": "sales"}},
        '[orders] table = "sales": there is no such table in this database. It has: ',
    ),
    "the id": (
        {"customers": {"id": "nr"}},
        '[customers] id = "nr": customers has no such column. It has: id, name, email,',
    ),
    "a name": ({"customers": {"name": ["name", "last"]}}, '[customers] name = "last": customers has no such column.'),
    "an e-mail": ({"customers": {"email": "mail"}}, '[customers] email = "mail": customers has no such column.'),
    "a phone": ({"customers": {"phone": "tel"}}, '[customers] phone = "tel": customers has no such column.'),
    "a constant": (
        {"customers": {"insert": {"kind": "x"}}},
        '[customers] insert = "kind": customers has no such column.',
    ),
    "what is erased": (
        {"customers": {"erase": ["street"]}},
        '[customers] erase = "street": customers has no such column.',
    ),
    "a total": (
        {"orders": {"total": "amount"}},
        '[orders] total = "amount": orders has no such column. It has: id, customer_id,',
    ),
    "a cost": ({"orders": {"cost": "cost"}}, '[orders] cost = "cost": orders has no such column.'),
    "a query's label": (
        {"orders": {"query": "SELECT id, customer_id, total FROM orders"}},
        "[orders] query has no column ordered_at. It has: id, customer_id, total.",
    ),
    "a key": (
        {"customers": {"id": "email"}},
        '[customers] id = "email": this is not the primary key of customers, which is id.',
    ),
}


@pytest.mark.parametrize(("sections", "sentence"), WRONG.values(), ids=WRONG.keys())
def test_what_is_not_there_is_named_with_what_is(shop: Database, sections: dict[str, Any], sentence: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        attach(settings_for(shop.settings.database_url, sections))
    assert str(caught.value).startswith(sentence)
    if "table" in sentence and "no such table" in sentence:
        assert "customers, " in str(caught.value)
        assert "orders" in str(caught.value)


def test_a_query_or_a_slice_that_is_no_sql_is_a_configuration_error(shop: Database) -> None:
    for sections in ({"orders": {"query": "SELEC 1"}}, {"orders": {"query": "SELECT id FROM nowhere"}}):
        with pytest.raises(ConfigurationError, match=r"^\[orders\] query cannot be run: "):
            attach(settings_for(shop.settings.database_url, sections))
    for section in ("customers", "orders"):
        with pytest.raises(ConfigurationError, match=rf"^\[{section}\] where cannot be run: "):
            attach(settings_for(shop.settings.database_url, {section: {"where": "colour = 'red'"}}))


def test_keys_that_cannot_be_mapped_are_refused(empty_url: str) -> None:
    tables(
        empty_url,
        ORDERS,
        "CREATE TABLE customers (a INTEGER NOT NULL, b INTEGER NOT NULL, name TEXT, PRIMARY KEY (a, b))",
    )
    with pytest.raises(ConfigurationError, match=r"customers has a key of several columns \(a, b\)"):
        attach(settings_for(empty_url, {"customers": {"id": "a"}}))
    tables(empty_url, "DROP TABLE customers", "CREATE TABLE customers (id INTEGER, name TEXT)")
    with pytest.raises(ConfigurationError, match="this is not the primary key of customers, which is missing"):
        attach(settings_for(empty_url))
    tables(empty_url, "DROP TABLE customers", "CREATE TABLE customers (id {time} PRIMARY KEY, name TEXT)")
    with pytest.raises(ConfigurationError, match=r"keys are integers or text; this one is (DATETIME|TIMESTAMP)"):
        attach(settings_for(empty_url))


def test_a_database_not_prepared_says_which_command_prepares_it(empty_url: str) -> None:
    tables(empty_url, CUSTOMERS, ORDERS)
    with pytest.raises(
        NotMigrated, match=r"no deleted_at column on customers yet. Run: python run_customer_soft_delete_migration.py"
    ):
        attach(settings_for(empty_url))
    tables(empty_url, "ALTER TABLE customers ADD COLUMN deleted_at TIMESTAMP NULL DEFAULT NULL")
    with pytest.raises(NotMigrated, match="no evenbooks_events table yet"):
        attach(settings_for(empty_url))


def test_default_columns_that_are_not_there_are_simply_absent(empty_url: str, opened: Shops) -> None:
    people = [{"id": 1, "name": "Ana"}, {"id": 2, "name": "Bo"}]
    shop = opened(
        empty_url, customers="CREATE TABLE customers (id {key}, name VARCHAR(60))", people=people, sections={}
    )
    assert page(shop).items == [Customer(1, "Ana"), Customer(2, "Bo")]
    assert ids(page(shop, search="bo")) == [2]
    assert ids(page(shop, search="a@b")) == []
    for sort in ("email", "created_at"):
        assert ids(page(shop, sort=sort)) == [1, 2]
    assert [f.key for f in shop.schema.form_fields] == ["name"]
    assert add(shop, {"name": "Cy"}, actor=STAFF).name == "Cy"


def test_several_columns_make_up_the_name(empty_url: str, opened: Shops) -> None:
    customers = CUSTOMERS.replace("name VARCHAR(60) NOT NULL", "`FirstName` VARCHAR(9) NOT NULL, last_name VARCHAR(20)")
    people = [{"id": 1, "FirstName": "Ana", "last_name": "Lima"}, {"id": 2, "FirstName": "Bo", "last_name": None}]
    shop = opened(
        empty_url, customers=customers, people=people, sections={"customers": {"name": ["FirstName", "last_name"]}}
    )
    assert [(c.id, c.name) for c in page(shop, sort="name").items] == [(1, "Ana Lima"), (2, "Bo")]
    assert ids(page(shop, search="a l")) == [1]
    fields = [(f.key, f.label, f.max_length, f.required) for f in shop.schema.form_fields]
    assert fields[:2] == [("name", "First name", 9, True), ("name1", "Last name", 20, False)]
    cy = add(shop, {"name": "Cy", "name1": "Young"}, actor=STAFF)
    assert (
        edit(
            shop,
            cy.id,
            {"name": "Cy", "name1": "Old", "email": ""},
            shown={"name": "Cy", "name1": "Young", "email": ""},
            actor=STAFF,
        ).name
        == "Cy Old"
    )


AWKWARD = {
    "customers": {
        "table": "Kunden Liste",
        "id": "Kunden Nr",
        "name": "select",
        "email": "E Mail%",
        "created_at": "seit:wann",
        "deleted_at": "weg am",
        "where": "`select` <> '%:x'",
    },
    "orders": {
        "table": "order",
        "id": "Nr",
        "customer_id": "Kunden Nr",
        "ordered_at": "from",
        "total": "Summe €",
        "where": "CAST(`from` AS CHAR(30)) <> ':y%'",
    },
}


def quoted_for(url: str, sections: dict[str, dict[str, str]]) -> dict[str, dict[str, str]]:
    """The mapping with PostgreSQL's quotation marks where that is the engine."""
    mark = '"' if url.startswith("postgresql") else "`"
    return {name: {k: v.replace("`", mark) for k, v in of.items()} for name, of in sections.items()}


def awkwardly_named(url: str) -> dict[str, dict[str, str]]:
    """Makes two tables with such names, one customer of which the slice leaves out; answers the mapping."""
    tables(
        url,
        "CREATE TABLE `Kunden Liste` (`Kunden Nr` {key}, `select` VARCHAR(20) NOT NULL, `E Mail%` VARCHAR(40), `seit:wann` {time} NULL)",
        "CREATE TABLE `order` (`Nr` {key}, `Kunden Nr` INTEGER, `from` {time} NULL, `Summe €` DECIMAL(9,4))",
        "INSERT INTO `Kunden Liste` VALUES (1, 'Ana', 'a%b@x.com', '2024-01-01'), (2, '%:x', NULL, NULL)",
        "INSERT INTO `order` VALUES (1, 1, '2024-01-05', 1.1055), (2, 2, '2024-01-05', 2.20), (3, 1, '2024-02-05', NULL)",
    )
    return quoted_for(url, AWKWARD)


def test_names_with_blanks_capitals_and_reserved_words_work_throughout(empty_url: str) -> None:
    shop = migrated(empty_url, awkwardly_named(empty_url))
    assert ids(page(shop, search="a%b@")) == [1]
    cy = add(shop, {"name": "Cy", "email": "cy@x.com"}, actor=STAFF)
    edit(shop, cy.id, {"name": "Cyd", "email": "cy@x.com"}, shown={"name": "Cy", "email": "cy@x.com"}, actor=STAFF)
    assert delete_many(shop, [1], actor=STAFF, reason="mistake")[0].revenue == {"EUR": Decimal("1.1055")}
    with pytest.raises(CustomerNotFound):
        delete_many(shop, [2], actor=STAFF, reason="mistake")
    with snapshot(shop) as moment:
        missing = queries.monthly_part(moment.connection, shop.schema, "missing_customer")
    assert missing["2024-01", "EUR"].total == Decimal("2.20")
    assert restore_many(shop, [1], actor=STAFF, reason="undo")[0].changed
    assert problems(shop) == []
    shop.engine.dispose()


def test_a_slice_of_both_tables_stays_unambiguous_in_every_join(empty_url: str, opened: Shops) -> None:
    sections = {
        "customers": {"where": "status = 'customer'", "insert": {"status": "customer"}},
        "orders": {"where": "status = 'paid'"},
    }
    people = [{**person, "status": "customer" if person["id"] != 2 else "supplier"} for person in PEOPLE]
    shop = opened(
        empty_url, customers=CUSTOMERS.replace("phone", "status VARCHAR(10), phone"), people=people, sections=sections
    )
    assert ids(page(shop)) == [1, 3, 4, 5]
    with pytest.raises(CustomerNotFound):
        delete_many(shop, [2], actor=STAFF, reason="mistake")
    delete_many(shop, [1], actor=STAFF, reason="mistake")
    with snapshot(shop) as moment:
        assert queries.monthly_deleted(moment.connection, shop.schema)["2024-02", "EUR"].orders == 2
        assert queries.list_deleted_by_revenue(moment.connection, shop.schema)[0][0].id == 1
    assert add(shop, {"name": "Cy"}, actor=STAFF).id == 6


def test_constants_that_do_not_meet_the_slice_are_refused_and_rolled_back(empty_url: str, opened: Shops) -> None:
    sections = {"customers": {"where": "phone = 'x'", "insert": {"phone": "y"}}}
    shop = opened(empty_url, sections=sections)
    before = rows(shop, "customers"), rows(shop, "evenbooks_events")
    with pytest.raises(InvalidInput, match=r"would not be in the list. \[customers\] insert must meet"):
        add(shop, {"name": "Cy"}, actor=STAFF)
    assert (rows(shop, "customers"), rows(shop, "evenbooks_events")) == before


def test_a_column_that_nobody_fills_in_blocks_adding_and_says_so(empty_url: str, opened: Shops) -> None:
    customers = CUSTOMERS.replace("phone", "tax_no VARCHAR(10) NOT NULL, region INTEGER NOT NULL DEFAULT 1, phone")
    people = [{**person, "tax_no": "1"} for person in PEOPLE]
    shop = opened(empty_url, customers=customers, people=people)
    assert (
        shop.schema.add_blocker
        == "customers needs tax_no, which nobody fills in here. Give each a constant under [customers] insert."
    )
    with pytest.raises(InvalidInput, match="needs tax_no"):
        add(shop, {"name": "Cy"}, actor=STAFF)
    helped = attach(settings_for(empty_url, {"customers": {"insert": {"tax_no": "0"}}}))
    assert helped.schema.add_blocker is None
    assert add(helped, {"name": "Cy"}, actor=STAFF).name == "Cy"
    helped.engine.dispose()


TEXT_IDS = ["Val2 ", "VALON", "a/b", "10", "9", "Ä", "#7", "x:y%z"]


def test_customers_may_be_known_by_text(empty_url: str, opened: Shops) -> None:
    key = "VARCHAR(20) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin" if empty_url.startswith("mysql") else "VARCHAR(20)"
    customers = CUSTOMERS.replace("id {key}", f"id {key} NOT NULL PRIMARY KEY")
    people = [{"id": one, "name": "IT"} for one in TEXT_IDS]
    sales = [(n, one, "2024-01-05", "1.00", "paid") for n, one in enumerate(TEXT_IDS, start=1)]
    shop = opened(
        empty_url,
        customers=customers,
        orders=ORDERS.replace("customer_id INTEGER", f"customer_id {key}"),
        people=people,
        sales=sales,
        sections={},
    )
    outcomes = delete_many(shop, TEXT_IDS, actor=ADMIN, reason="mistake")
    assert [(o.customer.id, o.orders) for o in outcomes] == [(one, 1) for one in TEXT_IDS]
    assert restore_many(shop, ["Val2 ", 10], actor=ADMIN, reason="undo")[1].customer.id == "10"
    for unknown in ("Val2", "valon", "", "x" * 300, "🚀", None, True):
        with pytest.raises(CustomerNotFound):
            delete_many(shop, [unknown], actor=ADMIN, reason="mistake")  # type: ignore[list-item]
    first = page(shop, deleted=True, limit=2)
    rest = page(shop, deleted=True, limit=50, after=first.next)
    assert sorted(ids(first) + ids(rest)) == sorted(set(TEXT_IDS) - {"Val2 ", "10"})
    assert ids(page(shop, deleted=True, search="#7")) == ["#7"]
    assert shop.schema.add_blocker is not None
    assert problems(shop) == []


@pytest.mark.parametrize("engine_name", ["mariadb"], indirect=True)
def test_a_text_id_that_the_column_cannot_hold_is_refused_with_a_sentence(empty_url: str, opened: Shops) -> None:
    customers = CUSTOMERS.replace("id {key}", "id VARCHAR(20) NOT NULL PRIMARY KEY") + " CHARACTER SET latin1"
    orders = ORDERS.replace("customer_id INTEGER", "customer_id VARCHAR(20)") + " CHARACTER SET latin1"
    shop = opened(
        empty_url,
        customers=customers,
        orders=orders,
        people=[{"id": "é", "name": "x"}],
        sales=[(1, "é", "2024-01-05", "1.00", "paid")],
    )
    for unknown in ("🚀", "陈"):
        with pytest.raises(InvalidInput, match="cannot be kept or looked for in this database"):
            delete_many(shop, [unknown], actor=ADMIN, reason="mistake")
    assert delete_many(shop, ["é"], actor=ADMIN, reason="mistake")[0].orders == 1
    assert problems(shop) == []


def test_one_column_may_be_both_name_and_e_mail(empty_url: str, opened: Shops) -> None:
    shop = opened(empty_url, sections={"customers": {"name": "email"}}, sales=[])
    fill(shop.engine, "customers", [{"id": 9, "name": "x", "email": "zed@x.com"}])
    assert ids(page(shop, search="zed@")) == [9]
    assert shop.schema.form_fields[0].column == "email"


@pytest.mark.parametrize("engine_name", ["sqlite", "mariadb"], indirect=True)
def test_columns_in_other_letters_are_found_where_the_engine_minds_no_case(empty_url: str) -> None:
    tables(
        empty_url,
        "CREATE TABLE customers (ID {key}, Name VARCHAR(20), EMail VARCHAR(40), DELETED_AT {time} NULL)",
        "CREATE TABLE orders (Id {key}, Customer_ID INTEGER, Ordered_At {time}, TOTAL DECIMAL(9,2))",
        "INSERT INTO customers VALUES (1, 'Ana', 'a@x.com', NULL), (2, 'Bo', NULL, '2024-01-01 00:00:00')",
        "INSERT INTO orders VALUES (1, 1, '2024-01-05', 1.10), (2, 2, '2024-01-05', 2.20)",
    )
    shop = migrated(empty_url, {"customers": {"insert": {"name": "x"}}})
    assert [c.id for c in page(shop).items] == [1]
    assert shop.schema.physical("email").name == "EMail"
    assert delete_many(shop, [1], actor=STAFF, reason="mistake")[0].revenue == {"EUR": Decimal("1.10")}
    assert restore_many(shop, [2], actor=STAFF, reason="mistake")[0].changed
    assert problems(shop) == []
    shop.engine.dispose()
