"""`--active-unique`: e-mail addresses that are unique among the active customers only."""

from __future__ import annotations

from contextlib import nullcontext
from dataclasses import replace

from sqlalchemy import Connection, Table, inspect, text
from sqlalchemy.dialects import mysql
from sqlalchemy.exc import DBAPIError

from data import faults
from data.errors import ConfigurationError
from data.inspection import column_information, master, placed, quoted, quoted_table, storage, unescaped
from data.migration.column import can_hide
from data.migration.indexes import invalid_indexes, name_is_taken
from data.migration.piece import Known, Piece, active_sql, alike, digest_of, ways
from data.migration.unique_keys import index_name, unique_keys
from data.schema import Schema, literal_sql

OPTION = "active_unique"
COLUMN = "evenbooks_active_email"
LONGEST_ADDRESS = 320  # characters: 64 before the @, 255 after it
TRIED = "evenbooks_try"


def refuse_active_unique(connection: Connection, schema: Schema, *, asked: bool) -> None:
    """Raises ConfigurationError where e-mail addresses cannot be kept apart among the active customers.

    `asked`: this time, and not before.
    """
    table = schema.customer_table
    ending = f"{'or leave out --active-unique' if asked else 'then run this again'}. Nothing was changed."
    if "email" not in schema.present:
        raise ConfigurationError(f"{table.name} has no mapped e-mail column. Name it under [customers] email, {ending}")
    for key in unique_keys(connection, schema):
        if key.plain:
            how = f"Drop it first ({key.drop};)," if key.drop else "Make the table anew without it,"
            raise ConfigurationError(
                f"{table.name} keeps all e-mail addresses apart already, those of deleted customers too ({key.name} "
                f"{key.over}), so it would change nothing to keep those of active customers apart. {how} {ending}"
            )
    _refuse_slice(connection, schema, ending)
    count, twins = duplicates(connection, schema)
    if count:
        shown = "; ".join(f"{address}: customers {ids}" for address, ids in twins) + ("; ..." if count > 3 else "")
        raise ConfigurationError(
            f"{count} e-mail addresses belong to several active customers ({shown}). Change or delete all but one of "
            f"each first, {ending}"
        )


def duplicates(connection: Connection, schema: Schema) -> tuple[int, list[tuple[str, str]]]:
    """How many addresses belong to several active customers of the slice, and the first three of them, each with the
    customers' ids as words."""
    place, number = quoted_table(connection, schema.customer_table), quoted(connection, schema.settings.customers.id)
    key = _address(connection, schema)
    kept = f"FROM {place} WHERE {key} IS NOT NULL{_and_slice(schema)}"
    kept += f" AND {active_sql(connection, schema)}" if schema.migrated else ""  # else everybody is active
    twins = f"SELECT {key} {kept} GROUP BY {key} HAVING count(*) > 1 ORDER BY 1"
    found, addresses = [], connection.execute(text(literal_sql(twins))).scalars().all()
    for address in addresses[:3]:  # each is a scan of the table
        which = literal_sql(f"SELECT {number} {kept} AND {key} = ") + ":address ORDER BY 1"
        ids = connection.execute(text(which), {"address": address}).scalars().all()
        found.append((str(address), ", ".join(map(str, ids[:3])) + (", ..." if ids[3:] else "")))
    return len(addresses), found


def active_unique(connection: Connection, schema: Schema, known: Known) -> list[Piece]:
    """The pieces of --active-unique: an index of the active rows, on MariaDB over a column computed for it."""
    if "email" not in schema.present:
        return []
    if schema.dialect == "mysql":
        return _on_computed_column(connection, schema, known)
    table, name = schema.customer_table, index_name(connection, schema)
    place, (key, condition) = quoted(connection, name), _key(connection, schema)
    over = f"({key}) WHERE {condition}"
    if schema.dialect == "sqlite":
        whole = f"{quoted(connection, table.schema)}.{place}" if table.schema else place
        make: tuple[str, ...] = (f"CREATE UNIQUE INDEX {whole} ON {quoted(connection, table.name)} {over}",)
        drop = (f"DROP INDEX {whole}",)
    else:
        begin, on = "CREATE UNIQUE INDEX", quoted_table(connection, table)
        make = tuple(f"{begin} {way}{place} ON {on} {over}" for way in ("CONCURRENTLY ", ""))
        drop = (f"DROP INDEX {placed(connection, table, name)}",)
    present = name_is_taken(connection, table, name)
    valid = present and name not in invalid_indexes(connection, table)
    said = _definition(connection, table, name) if valid else ""
    same = valid and alike(said, make[-1], table)
    return [_piece(f"index {name}", table, known, said, same, make, drop if present else ())]


def _definition(connection: Connection, table: Table, name: str) -> str:
    """The statement that makes the index, in the engine's words."""
    if connection.dialect.name == "sqlite":
        statement = text(f"SELECT sql FROM {master(connection, table)} WHERE type = 'index' AND name = :name")
        return str(connection.execute(statement, {"name": name}).scalar() or "")
    statement = text("SELECT pg_get_indexdef(CAST(:place AS regclass))")
    words = str(connection.execute(statement, {"place": placed(connection, table, name)}).scalar() or "")
    return words.replace(" USING btree ", " ")


def _on_computed_column(connection: Connection, schema: Schema, known: Known) -> list[Piece]:
    """On MariaDB, which has no index of a part of the rows: NULL is never like another NULL."""
    table, name = schema.customer_table, index_name(connection, schema)
    alter, place = f"ALTER TABLE {quoted_table(connection, table)}", quoted(connection, name)
    instant, online = ways(connection, table), ways(connection, table, "INPLACE")
    indexes = inspect(connection).get_indexes(table.name, schema=table.schema)
    named = next((i for i in indexes if unescaped(i["name"]) == name), None)
    indexed = named is not None and named["column_names"] == [COLUMN]
    unique = named is not None and bool(named["unique"])
    hidden = " INVISIBLE" if can_hide(connection) else ""
    kept = storage(connection, table)
    lives = "STORED" if kept and kept[1] == "Aria" else "VIRTUAL"  # Aria cannot index what it does not store
    computed = f"{COLUMN} {_kind(schema)} AS ({_key(connection, schema)[0]}) {lives}{hidden}"
    make = tuple(f"{alter} ADD COLUMN {computed}{way}" for way in instant)
    drop = tuple(f"{alter} DROP COLUMN {COLUMN}{way}" for way in instant) if COLUMN in table.c else ()
    said = _expression(connection, table)
    same = COLUMN in table.c and alike(said, _key(connection, schema)[0], table)
    column = _piece(f"column {COLUMN}", table, known, said, same, make, drop)
    unindex = tuple(f"{alter} DROP INDEX {place}{way}" for way in online) if indexed else ()
    index = Piece(
        f"index {name}",
        table.name,
        indexed and unique and column.there,
        tuple(f"{alter} ADD UNIQUE INDEX {place} ({COLUMN}){way}" for way in online),
        unindex,
        None
        if named is None or indexed
        else f"{table.name} has an index {name} already, which the migration did not make",
        OPTION,
        clear=unindex[:1] if column.there and not unique else (),
        reads=True,
    )
    # A computed column that is made anew takes its index along.
    return [replace(column, clear=unindex[:1] + column.clear) if column.clear else column, index]


def _expression(connection: Connection, table: Table) -> str:
    """What our column is computed by, in MariaDB's words."""
    return column_information(connection, table, COLUMN, "generation_expression")


def _piece(
    name: str, table: Table, known: Known, said: str, same: bool, make: tuple[str, ...], drop: tuple[str, ...]
) -> Piece:
    """There where it was made as it would be made today and is as it was then (`said`: the server's words for it, empty
    where it is of no use); what was not made by us keeps its name to itself."""
    digest = digest_of(make[0], said)
    there = bool(said) and known.stands(name, digest)
    clash = None
    if drop and not same and name not in known.made:
        clash = f"{table.name} has {'an' if name.startswith('index') else 'a'} {name} already, which the migration did not make"
    clear = drop[:1] if not there else ()
    return Piece(
        name, table.name, there, make, drop, clash, OPTION, clear=clear, reads=name.startswith("index"), digest=digest
    )


def _address(connection: Connection, schema: Schema) -> str:
    """The address as it is compared; NULL where there is none."""
    name = quoted(connection, schema.settings.customers.email)
    if schema.dialect != "mysql":
        return f"NULLIF(lower({name}), '')"
    length = getattr(schema.physical("email").type, "length", None)
    words = f"NULLIF({name}, '')"
    return words if length and length <= LONGEST_ADDRESS else f"LEFT({words}, {LONGEST_ADDRESS})"


def _and_slice(schema: Schema) -> str:
    where = schema.settings.customers.where
    return f" AND ({where})" if where else ""


def _key(connection: Connection, schema: Schema) -> tuple[str, str]:
    """What is unique, and of which rows (empty: of those where it is not NULL)."""
    condition = f"{active_sql(connection, schema)}{_and_slice(schema)}"
    if schema.dialect == "mysql":
        return f"IF({condition}, {_address(connection, schema)}, NULL)", ""
    name = quoted(connection, schema.settings.customers.email)
    # The same, but SQLAlchemy cannot read SQLite's indexes of expressions, and says so to everybody.
    key = f"{name} COLLATE NOCASE" if schema.dialect == "sqlite" else f"lower({name})"
    return key, f"{condition} AND {name} <> ''"


def _kind(schema: Schema) -> str:
    """The computed column's type: the address's own, so that both are compared alike."""
    kind = schema.physical("email").type
    length = min(getattr(kind, "length", None) or LONGEST_ADDRESS, LONGEST_ADDRESS)
    charset, collation = (getattr(kind, what, None) for what in ("charset", "collation"))
    return str(mysql.VARCHAR(length, charset=charset, collation=collation).compile(dialect=mysql.dialect()))


def _refuse_slice(connection: Connection, schema: Schema, ending: str) -> None:
    """Raises ConfigurationError where [customers] where cannot stand in an index; tried on an empty table of this session."""
    if not schema.settings.customers.where:
        return
    place = quoted_table(connection, schema.customer_table)
    key, condition = _key(connection, schema)
    copies = {
        "sqlite": f"CREATE TEMP TABLE {TRIED} AS SELECT * FROM {place} WHERE 1 = 0",
        "postgresql": f"CREATE TEMP TABLE {TRIED} (LIKE {place})",
        "mysql": f"CREATE TEMPORARY TABLE {TRIED} LIKE {place}",
    }
    indexes = {
        "sqlite": f"CREATE UNIQUE INDEX temp.{TRIED}_key ON {TRIED} ({key}) WHERE {condition}",
        "postgresql": f"CREATE UNIQUE INDEX ON {TRIED} ({key}) WHERE {condition}",
        "mysql": f"ALTER TABLE {TRIED} ADD COLUMN {TRIED}_key VARCHAR(9) AS ({key}) VIRTUAL, ADD UNIQUE INDEX ({TRIED}_key)",
    }
    deleted_at = quoted(connection, schema.settings.customers.deleted_at)
    column = "" if schema.migrated else f"ALTER TABLE {TRIED} ADD COLUMN {deleted_at} TIMESTAMP NULL"
    try:
        # MariaDB's temporary tables know no savepoint; this one goes with the session.
        with nullcontext() if schema.dialect == "mysql" else connection.begin_nested():
            for sql in filter(None, (copies[schema.dialect], column, indexes[schema.dialect], f"DROP TABLE {TRIED}")):
                connection.execute(text(literal_sql(sql))).close()
    except DBAPIError as error:
        if faults.error_code(error) in faults.NOT_GRANTED:
            return  # it may not try; the server will say
        raise ConfigurationError(
            f"[customers] where cannot stand in an index ({faults.error_words(error)}), so only the e-mail addresses of the "
            f"whole table could be kept apart, and that is not what the mapping says. Change it, {ending}"
        ) from error
