"""A company's database before the migration, what it looks like after it, and what the migration said."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from shops import CUSTOMERS, ORDERS, PEOPLE, SALES, execute, fill, settings_for
from sqlalchemy import Engine, text

from data import migration
from data.engines import make_engine
from data.schema import literal_sql
from data.settings import Settings

OURS = [
    "evenbooks_approvals",
    "evenbooks_chain",
    "evenbooks_checks",
    "evenbooks_downloads",
    "evenbooks_events",
    "evenbooks_heartbeat",
    "evenbooks_job_items",
    "evenbooks_jobs",
    "evenbooks_seals",
    "evenbooks_sign_outs",
    "evenbooks_tokens",
    "evenbooks_version",
]
MakeUrl = Callable[[], str]
ASKING: dict[str, Engine] = {}
ALL: dict[str, Any] = {
    "revenue_index": True,
    "active_unique": True,
    "views": True,
    "guard": True,
    "guard_orders": True,
}


@contextmanager
def opened(url: str) -> Iterator[Engine]:
    engine = make_engine(settings_for(url).url)
    try:
        yield engine
    finally:
        engine.dispose()


def build(
    url: str,
    customers_sql: str = CUSTOMERS,
    orders_sql: str = ORDERS,
    also: tuple[str, ...] = (),
    *,
    missing: bool = True,
) -> Settings:
    """A company's database before the migration; one order is of a customer who is `missing`."""
    with opened(url) as engine:
        execute(engine, customers_sql, orders_sql)
        fill(engine, "customers", PEOPLE)
        columns = ("id", "customer_id", "ordered_at", "total", "status")
        sales = [sale for sale in SALES if missing or sale[1] != 77]
        fill(engine, "orders", [dict(zip(columns, sale, strict=True)) for sale in sales])
        execute(engine, *also)
    return settings_for(url)


def ask(url: str, *statements: str) -> list[Any]:
    """The rows that the last statement answers; everything is committed."""
    if url not in ASKING:
        ASKING[url] = make_engine(settings_for(url).url)
    try:
        with ASKING[url].connect().execution_options(write=True) as connection, connection.begin():
            for statement in statements:
                result = connection.execute(text(literal_sql(statement)))
            return [tuple(row) for row in result] if result.returns_rows else []
    finally:
        if url.startswith("sqlite"):
            ASKING.pop(url).dispose()  # one who only has the file open keeps it in its journal mode


def close_all() -> None:
    """No engine stays open."""
    while ASKING:
        ASKING.popitem()[1].dispose()


def dump(url: str, *, only: Callable[[str], bool] = lambda name: True) -> dict[str, str]:
    """Every table's definition as the engine says it, indexes included."""
    if url.startswith("sqlite"):
        found = ask(url, "SELECT name, sql FROM sqlite_master WHERE sql IS NOT NULL")
        found += [("journal", ask(url, "PRAGMA journal_mode")[0][0])]
        return {name: " ".join(sql.split()) for name, sql in found if only(name)}
    if url.startswith("postgresql"):
        return {name: sql for name, sql in _on_postgresql(url) if only(name)}
    names = [row[0] for row in ask(url, "SHOW TABLES")]
    tables = {
        name: ask(url, "SHOW CREATE TABLE `" + name.replace("`", "``") + "`")[0][1] for name in names if only(name)
    }
    definitions = {name: _in_order(re.sub(r" AUTO_INCREMENT=\d+", "", sql)) for name, sql in tables.items()}
    return definitions | {
        row[0]: f"{row[4]} {row[1]} {row[2]} {row[3]}" for row in ask(url, "SHOW TRIGGERS") if only(row[0])
    }


_POSTGRESQL = """
SELECT c.relname, concat_ws(chr(10), c.relkind, obj_description(c.oid, 'pg_class'), array_to_string(c.reloptions, ','),
  (SELECT string_agg(concat_ws(' ', a.attname, format_type(a.atttypid, a.atttypmod), a.attnotnull, a.attidentity,
    pg_get_expr(d.adbin, d.adrelid)), chr(10) ORDER BY a.attname)
    FROM pg_attribute a LEFT JOIN pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
    WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped),
  (SELECT string_agg(pg_get_indexdef(x.indexrelid) || x.indisvalid, chr(10) ORDER BY x.indexrelid::regclass::text)
    FROM pg_index x WHERE x.indrelid = c.oid),
  (SELECT string_agg(conname || pg_get_constraintdef(k.oid), chr(10) ORDER BY conname) FROM pg_constraint k WHERE conrelid = c.oid),
  CASE WHEN c.relkind = 'v' THEN pg_get_viewdef(c.oid) END)
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind IN ('r', 'v', 'p') AND n.nspname NOT IN ('pg_catalog', 'information_schema')
UNION ALL SELECT t.tgname, pg_get_triggerdef(t.oid) || p.prosrc || t.tgenabled::text
FROM pg_trigger t JOIN pg_proc p ON p.oid = t.tgfoid WHERE NOT t.tgisinternal
UNION ALL SELECT p.proname, p.prosrc FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace AND n.nspname = 'public'
"""


def _on_postgresql(url: str) -> list[Any]:
    return ask(url, _POSTGRESQL)


def _in_order(sql: str) -> str:
    """MariaDB lists indexes in the order in which they were made, which does not matter here."""
    lines = [line.removesuffix(",") for line in sql.splitlines()]
    return "\n".join(sorted(lines, key=lambda line: (line.startswith(")"), line if " KEY " in line else "")))


def contents(url: str) -> dict[str, list[Any]]:
    """Every row of the company's tables and of the chain."""
    tables = ["customers", "orders", *(name for name in ("evenbooks_events", "evenbooks_chain") if name in dump(url))]
    return {name: sorted(ask(url, f"SELECT * FROM {name}"), key=str) for name in tables}


def bodies(url: str) -> list[dict[str, Any]]:
    return [json.loads(row[0]) for row in ask(url, "SELECT body FROM evenbooks_events ORDER BY id")]


def said(settings: Settings, **options: Any) -> str:
    lines: list[str] = []
    migration.migrate(settings, say=lines.append, **options)
    return "\n".join(lines)


def statements(output: str) -> list[str]:
    """The SQL in what a dry run says: all that is no comment."""
    sql = "\n".join(line for line in output.splitlines() if not line.startswith("-- "))
    return [statement.strip() for statement in f"{sql}\n".split(";\n") if statement.strip()]


def is_ours(name: str) -> bool:
    return "evenbooks" in name
