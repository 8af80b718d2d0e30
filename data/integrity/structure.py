"""The checks of how the database is built: foreign keys, deleted_at, the guard, what this account may do, the mapping."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import Connection, MetaData, Table
from sqlalchemy.exc import DBAPIError

from data import guard as guards
from data import inspection, queries
from data.engines import make_engine
from data.faults import READ_ONLY, SIGNALLED, Code, error_code
from data.inspection import ForeignKey
from data.integrity.look import NOT_ALLOWED, Look
from data.integrity.report import Answer, Finding, Level
from data.queries.dates import zone_sentence
from data.recording import recorded
from data.schema import MIGRATION

# The account may not, or nobody may on this server: read-only, a replica, a trigger that refuses it.
REFUSED: set[Code] = NOT_ALLOWED | READ_ONLY | SIGNALLED
ATTEMPTS = {
    "delete customers": "this account may delete customers physically",
    "change customer ids": "this account may change the ids of customers, and so part them from their orders",
    "delete orders": "this account may delete orders",
    "change orders": "this account may change orders",
    "delete events": "this account may delete events, and so rewrite history",
    "change events": "this account may change events, and so rewrite history",
    "delete records": "this account may delete seals, kept checks or the head of the chain",
    "drop or alter tables": "this account may drop or alter tables of this database",
}


def foreign_key(look: Look) -> Answer:
    """The orders' foreign key neither takes orders along nor unlinks them when a customer is physically deleted."""
    table, link = look.schema.order_table, look.schema.settings.orders.customer_id
    keys = inspection.keys_to_customers(look.connection, look.schema)
    names, unseen = inspection.reaching_keys(look.connection, look.schema)
    whole = "By no foreign key of the tables of [orders] query does a physical delete of a customer reach the orders."
    if table is not None:
        whole = f"{table.name}.{link} is no foreign key, so no physical delete of a customer takes orders along."
    if table is not None and keys:
        whole = f"{table.name}.{link} is a foreign key ON DELETE {keys[0].rule}: it leaves the orders alone."
    return Answer(
        whole=whole,
        broken=f"A physical delete of a customer would reach the orders ({', '.join(names)}). {_mend(look, [*names.values()])}",
        findings=[Finding(name, _reach(name, key)) for name, key in names.items()],
        level="error" if names.keys() - set(look.replay.baseline.foreign_keys) else "warning",
        unseen=_blind(look, unseen),
    )


def _blind(look: Look, unseen: list[str]) -> str | None:
    """What of the foreign keys could not be seen: a view has none of its own, and some tables are not this account's."""
    mapped = [t for t in (look.schema.order_table, look.schema.customer_table) if t is not None]
    kinds = {t.name: inspection.kind_of(look.connection, t) for t in mapped}
    words = [
        f"{name} is a {kind}; the keys of its tables were not looked for."
        for name, kind in kinds.items()
        if kind != "table"
    ]
    return " ".join([*words, *unseen]) or None


def _reach(name: str, key: ForeignKey) -> str:
    effect = "take their orders along" if key.rule == "CASCADE" else "unlink their orders"
    return f"{name}: deleting a customer physically would {effect}"


def _mend(look: Look, keys: list[ForeignKey]) -> str:
    """How to make the database refuse instead."""
    if look.schema.dialect == "sqlite":
        return "SQLite cannot change a foreign key: make the table anew with ON DELETE RESTRICT."
    statements = [sql for key in keys for sql in inspection.mending(look.connection, key)]
    return f"To mend it: {'; '.join(statements)};"


def deleted_at(look: Look) -> Answer:
    """deleted_at allows NULL and never fills itself: no default, no ON UPDATE, no trigger of theirs that sets it."""
    table, column = look.schema.customer_table, look.schema.settings.customers.deleted_at
    name, connection = f"{table.name}.{column}", look.connection
    problem = inspection.unusable(connection, look.schema)
    findings = [Finding("column", f"{name} {problem}")] if problem else []
    triggers = inspection.triggers_of(connection, table)
    level: Level = "error" if problem else "warning"
    for trigger in triggers:
        if trigger.body and inspection.mentions(trigger.body, column):
            sets = inspection.assigns(trigger.body, column)
            level = "error" if sets else level
            verb = "sets" if sets else "mentions"
            words = f"trigger {trigger.name} {trigger.when} {verb} {column}: {' '.join(trigger.body.split())[:500]}"
            findings.append(Finding(f"trigger {trigger.name}", words))
        elif _replaces_rows(trigger):
            words = f"trigger {trigger.name} {trigger.when} may keep a delete from being written, or undo it"
            findings.append(Finding(f"trigger {trigger.name}", words))
        if _reaches_orders(look, trigger):
            words = f"trigger {trigger.name} {trigger.when or 'UPDATE'} mentions orders, and runs with every delete and restore"
            findings.append(Finding(f"trigger {trigger.name} orders", words))
    hidden = ", ".join(t.name for t in triggers if t.body is None)
    aside = "no trigger of the table mentions it"
    if hidden:
        aside = f"what its triggers do ({hidden}) this account may not read"
    elif not inspection.shows_triggers(connection, table):
        aside = "whether the table has triggers is not shown to this account"
    return Answer(
        whole=f"{name} allows NULL, has no default and does not change by itself; {aside}.",
        broken=_broken(name, findings),
        findings=findings,
        level=level if findings else "error",
    )


def _broken(name: str, findings: list[Finding]) -> str:
    """The check's sentence. A trigger that only reaches the orders leaves the column alone."""
    own = [finding.words for finding in findings if not finding.id.endswith(" orders")]
    if own or not findings:
        return f"{name} may change although nobody deletes ({', '.join(own[:1])})."
    return f"A delete may change orders ({findings[0].words})."


def _reaches_orders(look: Look, trigger: inspection.Trigger) -> bool:
    """Whether a trigger of the customers runs on UPDATE and has the orders table in it: it may change orders unseen."""
    orders = look.schema.order_table
    if orders is None or not trigger.body:
        return False
    # SQLite has all of the trigger in its body.
    when = trigger.when or re.split(r"\bBEGIN\b", trigger.body, maxsplit=1, flags=re.IGNORECASE)[0]
    return inspection.mentions(when, "UPDATE") and inspection.mentions(trigger.body, orders.name)


def _replaces_rows(trigger: inspection.Trigger) -> bool:
    """Whether a trigger or rule of PostgreSQL may put another row, or none, in the place of one that is updated."""
    when, body = trigger.when, trigger.body or ""
    if when.startswith("INSTEAD OF"):
        return "UPDATE" in when
    if not when.startswith("BEFORE") or "UPDATE" not in when:
        return False
    # What deletes or inserts as well may answer so for those.
    whole = r"\bnew\s*:=" if "OR" in when.split() else r"\bnew\s*:=|\breturn\s+(?:null|old)\b"
    return bool(re.search(whole, body, re.IGNORECASE))


def guard(look: Look) -> Answer:
    """The triggers of --guard and --guard-orders are there, and say what they said."""
    installed = sorted(name.removeprefix("guard ") for name in look.replay.made if name.startswith("guard "))
    if not installed:
        return Answer("No guard was installed; --guard makes one.")
    findings, unseen = [], []
    for name in installed:
        table = _table(look, name)
        trigger = guards.guard_name(table)
        state, what = guards.guard_state(look.connection, table)
        if state == "gone":
            findings.append(Finding(f"guard {name}", f"trigger {trigger} on {name} is gone"))
        elif state == "other":
            findings.append(Finding(f"guard {name}", f"trigger {trigger} is not what was made: {what[:500]}"))
        elif state == "unseen":
            unseen.append(f"{trigger} on {name}")
    return Answer(
        whole=f"The guard stands: {', '.join(installed)} refuse every physical DELETE.",
        broken=f"The guard does not stand ({findings[0].words if findings else ''}). "
        f"To put it back: python {MIGRATION} --guard{'' if _of_customers(look, findings) else '-orders'}",
        findings=findings,
        unseen=f"This account may not read triggers (TRIGGER is needed): {', '.join(unseen)}." if unseen else None,
    )


def _table(look: Look, name: str) -> Table:
    """The mapped table of this name; else one without a schema, where the mapping has changed since."""
    mapped = [t for t in (look.schema.customer_table, look.schema.order_table) if t is not None and t.name == name]
    return mapped[0] if mapped else Table(name, MetaData())


def _of_customers(look: Look, findings: list[Finding]) -> bool:
    return f"guard {look.schema.customer_table.name}" in [finding.id for finding in findings]


def rights(look: Look) -> Answer:
    """What this account may do to customers, orders and events, found by trying on no rows."""
    if look.schema.dialect == "sqlite":
        return _rights_of_file(look)
    try:
        with _aside(look) as connection, recorded(connection) as sql:
            attempts = queries.list_attempts(connection, look.schema)
            answers = {name: _may(connection, several) for name, several in attempts.items()}
    except DBAPIError as error:
        return Answer("", level="warning", unseen=f"There was no second connection to try this on ({error.orig}).")
    may = [name for name, answer in answers.items() if answer]
    unseen = [name for name, answer in answers.items() if answer is None]
    reasons = (
        [f"Others hold a lock, or the server is not ready, so this was not tried: {', '.join(unseen)}."]
        if unseen
        else []
    )
    if look.schema.order_table is None:
        reasons.append("[orders] is a query; what this account may do to its tables was not tried.")
    return Answer(
        whole="This account may neither delete customers nor delete or change orders and events, nor drop or alter tables.",
        broken=f"This account may do more than Evenbooks needs: {', '.join(may)}. "
        "python -m data.sql grants prints the rights that are enough.",
        findings=[Finding(name, ATTEMPTS[name]) for name in may],
        level="warning",
        unseen=" ".join(reasons) or None,
        sql=sql,
    )


@contextmanager
def _aside(look: Look) -> Iterator[Connection]:
    """A connection that is not the snapshot's, nor one of its pool, which may be exhausted; rolled back at the end."""
    engine = make_engine(look.connection.engine.url)
    try:
        with engine.connect() as connection:
            queries.wait_shortly(connection)
            yield connection
            connection.rollback()
    finally:
        engine.dispose()


def _may(connection: Connection, statements: list[queries.Attempt]) -> bool | None:
    """Whether any of the statements is allowed; None where a lock kept it from being found out."""
    locked = False
    for statement in statements:
        try:
            if queries.attempt(connection, statement):
                return True
        except DBAPIError as error:
            if error.connection_invalidated:
                raise
            locked = locked or error_code(error) not in REFUSED
    return None if locked else False


def _rights_of_file(look: Look) -> Answer:
    url, file = look.connection.engine.url, queries.get_file(look.connection)
    reads = url.query.get("mode") == "ro" or "immutable" in url.query or bool(file and not os.access(file, os.W_OK))
    words = "SQLite has no accounts: whoever may write the file may delete from it"
    return Answer(
        whole="The file is opened for reading only.",
        broken=f"{words}. MariaDB and PostgreSQL have rights that prevent it.",
        findings=[] if reads else [Finding("file", words)],
        level="warning",
    )


def mapping(look: Look) -> Answer:
    """The mapping is still that of the installation, and of the proof that was kept outside, where there is one."""
    now, findings = look.schema.mapping, []
    known = [("mapping", "installed with", look.replay.baseline.mapping)]
    if look.outside:
        known.append(("mapping of the proof", "the proof was made with", look.outside.get("mapping")))
    for name, words, before in known:
        if isinstance(before, str) and before != now:
            findings.append(Finding(name, f"the mapping is {now[:12]}; {words} {before[:12]}"))
    zone = zone_sentence(look.schema)
    since = "the proof" if findings and findings[0].id != "mapping" else "the installation"
    return Answer(
        whole=" ".join(filter(None, ["The tables are mapped as when Evenbooks was installed.", zone])),
        broken=f"The mapping in evenbooks.toml has changed since {since}, so figures may be of other rows.",
        findings=findings,
        level="warning",
    )
