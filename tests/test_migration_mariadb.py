"""MariaDB's own traps for the migration."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from migrating import ask, bodies, build, dump, opened, said
from servers import fresh_mariadb
from shops import CUSTOMERS, ORDERS, settings_for
from sqlalchemy import event, text

from data import migration
from data.errors import DatabaseUnavailable, EvenbooksError
from data.migration import session

pytestmark = pytest.mark.usefixtures("own_folder")


@pytest.fixture
def shop_url(mariadb_url: str) -> Iterator[str]:
    with fresh_mariadb(mariadb_url) as url:
        yield url


def test_a_server_that_fills_timestamps_deletes_nobody(shop_url: str) -> None:
    settings = build(shop_url)
    with opened(shop_url) as engine:

        @event.listens_for(engine, "connect")
        def old_ways(connection: Any, _record: object) -> None:
            connection.cursor().execute("SET SESSION explicit_defaults_for_timestamp = 0")

        with engine.connect() as connection:  # the trap is armed: written short, everybody would be deleted
            connection.execute(text("CREATE TABLE trap AS SELECT id FROM customers"))
            connection.execute(text("ALTER TABLE trap ADD COLUMN deleted_at TIMESTAMP"))
            assert connection.execute(text("SELECT count(*) FROM trap WHERE deleted_at IS NULL")).scalar() == 0
        migration.migrate(settings, engine=engine)
    assert ask(shop_url, "SELECT count(*) FROM customers WHERE deleted_at IS NULL") == [(5,)]


def test_their_comment_stays(shop_url: str) -> None:
    settings = build(shop_url, also=("ALTER TABLE customers COMMENT = 'Stammkunden'",))
    migration.migrate(settings)
    assert "COMMENT='Stammkunden'" in dump(shop_url)["customers"]
    migration.undo(settings)
    assert "COMMENT='Stammkunden'" in dump(shop_url)["customers"]


def test_column_options_survive(shop_url: str) -> None:
    options = (
        "ALTER TABLE customers MODIFY name VARCHAR(60) CHARACTER SET utf8mb4 COLLATE utf8mb4_swedish_ci NOT NULL DEFAULT 'x' COMMENT 'full name', "
        "ADD updated_at TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP ON UPDATE CURRENT_TIMESTAMP, "
        "ADD big VARCHAR(61) AS (concat(name, '!')) VIRTUAL, ADD CHECK (char_length(name) < 60)"
    )
    settings = build(shop_url, also=(options, "UPDATE customers SET updated_at = '2020-01-01'"))
    before = dump(shop_url)["customers"].splitlines()
    migration.migrate(settings)
    after = dump(shop_url)["customers"].splitlines()
    assert [line for line in before if line not in after and not line.startswith(")") and "PRIMARY" not in line] == []
    assert ask(shop_url, "SELECT DISTINCT updated_at FROM customers")[0][0].year == 2020


def test_while_others_hold_the_table_it_gives_up_soon_and_says_so(
    shop_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(session, "LOCK_WAIT", 1)
    settings = build(shop_url)
    with opened(shop_url) as engine, engine.connect() as other:
        other.execute(text("SELECT * FROM customers")).all()
        with pytest.raises(DatabaseUnavailable) as refused:
            migration.migrate(settings)
    assert "held the table customers" in str(refused.value)
    assert "Run this again: it continues here." in str(refused.value)
    migration.migrate(settings)
    assert len(bodies(shop_url)) == 1


def test_where_instant_is_refused_the_next_way_is_taken(shop_url: str) -> None:
    settings = build(shop_url, CUSTOMERS + " ROW_FORMAT=COMPRESSED")
    before = dump(shop_url)
    output = said(settings)
    assert "ADD COLUMN deleted_at TIMESTAMP NULL DEFAULT NULL, ALGORITHM=INPLACE" in output
    migration.undo(settings)
    assert dump(shop_url) == before


def test_zero_dates_as_defaults_do_not_stop_it(shop_url: str) -> None:
    settings = build(shop_url)
    ask(shop_url, "ALTER TABLE customers ADD seen TIMESTAMP NOT NULL DEFAULT '0000-00-00 00:00:00'")
    with opened(shop_url) as engine:

        @event.listens_for(engine, "connect")
        def strict(connection: Any, _record: object) -> None:
            connection.cursor().execute("SET SESSION sql_mode = 'STRICT_ALL_TABLES,NO_ZERO_DATE,NO_ZERO_IN_DATE'")

        migration.migrate(settings, engine=engine)
    assert "deleted_at" in dump(shop_url)["customers"]


def test_columns_too_long_for_an_index_are_said_and_left_out(shop_url: str) -> None:
    build(shop_url, orders_sql=ORDERS.replace("VARCHAR(10)", "TEXT"))
    settings = settings_for(shop_url, {"orders": {"status": "status"}})
    output = said(settings, revenue_index=True)
    assert "status has no length" in output
    assert "idx_orders" not in dump(shop_url)["orders"]


def test_an_account_that_may_not_change_tables_is_told_so(shop_url: str) -> None:
    settings = build(shop_url)
    name = settings.url.database
    ask(shop_url, "CREATE OR REPLACE USER small IDENTIFIED BY 'secret-word'", f"GRANT SELECT ON {name}.* TO small")
    url = settings.url.set(username="small", password="secret-word").render_as_string(hide_password=False)
    with pytest.raises(EvenbooksError, match="may not do what the migration needs: CREATE, INDEX") as refused:
        migration.migrate(settings_for(url))
    assert "secret-word" not in str(refused.value)
    ask(shop_url, "DROP USER small")


def test_the_index_that_mariadb_made_for_a_foreign_key_comes_back(shop_url: str) -> None:
    key = (
        "DELETE FROM orders WHERE customer_id = 77",
        "ALTER TABLE orders ADD CONSTRAINT fk_c FOREIGN KEY (customer_id) REFERENCES customers (id)",
    )
    settings = build(shop_url, also=key)
    before = dump(shop_url)
    migration.migrate(settings, revenue_index=True)
    assert "KEY `fk_c` (" not in dump(shop_url)["orders"].replace("CONSTRAINT `fk_c` FOREIGN KEY", "")
    migration.undo(settings)
    assert dump(shop_url) == before
