"""The one table of role by action: what the page says is what holds, and every function of data/ that writes asks it."""

from __future__ import annotations

import ast
import importlib
import inspect
import json
import pkgutil
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from types import FunctionType, ModuleType
from typing import Any
from unittest.mock import patch

import pytest
import sqlalchemy
from approving import with_approval
from copies import DUMPS
from erasing import BOSS
from shops import ADMIN, execute, make_shop, rows, state

import data
from data import (
    approvals,
    backup_check,
    changes,
    customers,
    downloads,
    entering,
    erasing,
    erasures,
    integrity,
    jobs,
    probe,
    restoring,
    seals,
    tokens,
)
from data.access import ALLOWED, Actor, Door, Permission, Role, Standing
from data.changes import Wish
from data.database import Database, in_transaction, now
from data.errors import NotPermitted
from data.events import Reason, take_turns
from data.integrity import accept
from data.jobs.batch import Batch
from data.retention import asking, replay
from data.settings import Retention, load_settings
from data.sign_in import role_of

ROOT = Path(__file__).resolve().parent.parent
PAGE = ROOT / "docs" / "roles.md"
# What reads alone is asked for by whoever shows it: the pages and the API.
ASKED_ABOVE = {Permission.READ_CUSTOMERS, Permission.READ_REVENUE, Permission.READ_RETENTION}
WHY = Reason("mistake")


@dataclass(frozen=True)
class Action:
    """A function of data/ that somebody may or may not: how to call it, what must be so before, and whether it writes."""

    permission: Permission
    function: Callable[..., Any]
    call: Callable[[Database, Actor], Any]
    before: Callable[[Database], Any] = lambda shop: None
    writes: bool = True


def in_own_transaction(shop: Database, function: Callable[..., Any], customer_id: int, actor: Actor) -> None:
    """As a script calls it, with a connection of its own."""
    with shop.engine.connect() as connection:
        function(customer_id, actor=actor, reason="mistake", connection=connection)
        connection.commit()


def delete(shop: Database, *ids: int) -> None:
    customers.delete_many(shop, ids, actor=ADMIN, reason="mistake")


def restore(shop: Database, *ids: int) -> None:
    customers.restore_many(shop, ids, actor=ADMIN, reason="mistake")


def moved(shop: Database) -> None:
    """Customer 5 deleted behind the program's back, which is a finding."""
    execute(shop.engine, "UPDATE customers SET deleted_at = '2024-03-01 00:00:00' WHERE id = 5")


def asked(shop: Database) -> None:
    """Customer 2 is active, and their deletion was asked for by somebody else, where that waits."""
    restore(shop, 2)
    if not approvals.list_requests(shop, state="waiting"):
        delete(with_approval(shop), 2)


def last_request(shop: Database) -> int:
    return approvals.list_requests(shop)[0].id


def signed_in(actor: Actor) -> Actor:
    return replace(actor, standing=Standing(claims={"sub": actor.id}))


def checked(shop: Database) -> None:
    """A check that was kept, so that there is a file of it."""
    integrity.run_and_record(shop, actor=ADMIN)


OFFERED: list[str] = []  # the secret of a link


def job(shop: Database, *steps: Callable[[str], Any]) -> None:
    """A job of an administrator's about a new customer, taken as far as that; JOBS has its id."""
    customer = customers.add(shop, {"name": f"Of job {len(JOBS)}", "email": f"{len(JOBS)}@example.com"}, actor=ADMIN)
    made = jobs.prepare(shop, "delete", ids=[customer.id], actor=ADMIN, reason="mistake")
    JOBS.append(made.id)
    for step in steps:
        step(made.id)


JOBS: list[str] = []
ERASING: list[str] = []  # a job's id


def to_erase(shop: Database) -> None:
    """Customer 4's erasure asked for and approved, and not done yet."""
    delete(shop, 4)
    job = asking.ask(shop, asking.prepare_one(shop, 4, actor=ADMIN).id, actor=ADMIN)
    approvals.approve(shop, job.request_id or 0, actor=BOSS)
    ERASING[:] = [job.id]


def erase(shop: Database, actor: Actor) -> None:
    """That erasure done, as the worker does it."""

    def work(connection: sqlalchemy.Connection) -> None:
        head, job = take_turns(connection, shop.schema), jobs.get(shop, ERASING[0])
        erasing.erase(connection, shop.schema, Batch(job, jobs.items(shop, job.id), actor, WHY, head, now()))

    in_transaction(shop, work)


def past_due(shop: Database) -> Database:
    """The shop where whoever is deleted is due at once."""
    execute(shop.engine, "UPDATE customers SET deleted_at = '2020-01-01 00:00:00' WHERE id = 5")
    settings = shop.settings.model_copy(update={"retention": Retention(days=1000)})
    return replace(shop, settings=settings, schema=replace(shop.schema, settings=settings))


def named_in_file(shop: Database) -> None:
    """A file of erasures that names customer 3."""
    with shop.engine.connect() as connection:
        chain = erasures.chain_name(connection, shop.schema)
    line = {"chain": chain, "customer_id": 3, "at": "2100-01-01T00:00:00Z", "event_id": 9999, "job": None}
    line |= {"attempt": "a", "created_at": None, "deleted_at": None}
    shop.settings.retention.file.write_text(json.dumps(line) + "\n", encoding="utf-8")


def check_copy(shop: Database, actor: Actor) -> None:
    """A copy of the shop's file compared with it."""
    copy = Path(str(shop.engine.url.database)).with_name("copy.sqlite")
    copy.write_bytes(DUMPS["sqlite"](shop.engine.url))
    with patch.object(backup_check.run, "LOOKS", (0.0,)):
        backup_check.check(shop, f"sqlite:///{copy}", actor=actor)


ANN = {"name": "Ann", "email": "ann@example.com"}
CHANGE, SEAL, TOKENS = Permission.CHANGE_CUSTOMERS, Permission.SEAL_MONTHS, Permission.MANAGE_TOKENS
APPROVE, ERASE = Permission.APPROVE_REQUESTS, Permission.ERASE_CUSTOMERS
ACTIONS = [
    Action(CHANGE, customers.soft_delete, lambda s, a: in_own_transaction(s, customers.soft_delete, 1, a)),
    Action(CHANGE, customers.restore, lambda s, a: in_own_transaction(s, customers.restore, 4, a)),
    Action(CHANGE, customers.delete_many, lambda s, a: customers.delete_many(s, [2, 3], actor=a, reason="mistake")),
    Action(
        CHANGE,
        customers.restore_many,
        lambda s, a: customers.restore_many(s, [2, 3], actor=a, reason="undo"),
        before=lambda s: delete(s, 2, 3),
    ),
    Action(
        CHANGE,
        customers.restore_each,
        lambda s, a: customers.restore_each(s, [2], actor=a, reason="undo"),
        before=lambda s: delete(s, 2),
    ),
    Action(
        CHANGE,
        restoring.restore_as_seen,
        lambda s, a: in_transaction(
            s,
            lambda c: restoring.restore_as_seen(c, s.schema, [2], actor=a, reason=WHY, expected={}, without_email=[]),
        ),
        before=lambda s: delete(s, 2),
    ),
    Action(CHANGE, customers.add, lambda s, a: customers.add(s, ANN, actor=a)),
    Action(
        CHANGE,
        customers.edit,
        lambda s, a: customers.edit(s, 1, {"name": f"Ana of {a.role}"}, shown={"name": "Ana Lima"}, actor=a),
        before=lambda s: restore(s, 1),
    ),
    Action(CHANGE, entering.add, lambda s, a: entering.add(s, {"name": f"Di of {a.role}"}, actor=a)),
    Action(
        CHANGE,
        entering.edit,
        lambda s, a: entering.edit(s, 2, {"name": f"Bo of {a.role}"}, shown={"name": "Bo Ek"}, actor=a),
        before=lambda s: restore(s, 2),
    ),
    Action(
        CHANGE,
        changes.change,
        lambda s, a: in_transaction(s, lambda c: changes.change(c, s.schema, "delete", [3], actor=a, reason=WHY)),
        before=lambda s: restore(s, 3),
    ),
    Action(
        CHANGE,
        changes.change_each,
        lambda s, a: in_transaction(s, lambda c: changes.change_each(c, s.schema, [Wish("delete", 3, a, WHY)])),
        before=lambda s: restore(s, 3),
    ),
    Action(CHANGE, jobs.prepare, lambda s, a: jobs.prepare(s, "restore", ids=[4], actor=a, reason="mistake")),
    Action(CHANGE, jobs.start, lambda s, a: jobs.start(s, JOBS[-1], actor=a), before=lambda s: job(s)),
    Action(
        CHANGE,
        jobs.stop,
        lambda s, a: jobs.stop(s, JOBS[-1], actor=a),
        before=lambda s: job(s, lambda made: jobs.start(s, made, actor=ADMIN)),
    ),
    Action(
        CHANGE,
        jobs.undo,
        lambda s, a: jobs.undo(s, JOBS[-1], actor=a),
        before=lambda s: job(s, lambda made: jobs.start(s, made, actor=ADMIN), lambda _: jobs.run_pending(s)),
    ),
    Action(Permission.READ_INTEGRITY, integrity.run_and_record, lambda s, a: integrity.run_and_record(s, actor=a)),
    Action(Permission.PROBE, probe.probe, lambda s, a: probe.probe(s, actor=a, customer_id=5), writes=False),
    Action(
        APPROVE,
        approvals.approve,
        lambda s, a: approvals.approve(s, last_request(s), actor=signed_in(a)),
        before=asked,
    ),
    Action(
        APPROVE,
        approvals.reject,
        lambda s, a: approvals.reject(s, last_request(s), actor=signed_in(a), note="no"),
        before=asked,
    ),
    Action(SEAL, seals.seal, lambda s, a: seals.seal(s, "2024-02", actor=a)),
    Action(
        SEAL,
        seals.unseal,
        lambda s, a: seals.unseal(s, "2024-04", actor=a, reason="mistake"),
        before=lambda s: seals.seal(s, "2024-04", actor=ADMIN),
    ),
    Action(
        Permission.ACCEPT_FINDINGS,
        accept.acknowledge,
        lambda s, a: accept.acknowledge(s, "deletions", "5", actor=a, reason="mistake"),
        before=moved,
    ),
    Action(TOKENS, tokens.add, lambda s, a: tokens.add(s, "new", role=Role.STAFF, actor=a)),
    Action(
        TOKENS,
        tokens.revoke,
        lambda s, a: tokens.revoke(s, "old", actor=a),
        before=lambda s: tokens.add(s, "old", role=Role.STAFF, actor=ADMIN),
    ),
    Action(
        Permission.READ_INTEGRITY,
        downloads.offer,
        lambda s, a: downloads.offer(s, "integrity", "csv", {}, actor=a),
        before=checked,
    ),
    Action(
        Permission.READ_INTEGRITY,
        downloads.fetch,
        lambda s, a: downloads.fetch(s, OFFERED.pop(), actor=a),
        before=lambda s: OFFERED.append(
            downloads.offer(s, "integrity", "csv", {}, actor=Actor("test:somebody", Role.ADMIN, Door.API))
        ),
    ),
    Action(TOKENS, tokens.list_all, lambda s, a: tokens.list_all(s, actor=a), writes=False),
    Action(ERASE, erasing.erase, erase, before=to_erase),
    Action(ERASE, asking.prepare_one, lambda s, a: asking.prepare_one(s, 3, actor=a), before=lambda s: delete(s, 3)),
    Action(
        ERASE,
        asking.ask,
        lambda s, a: asking.ask(s, ERASING[0], actor=a),
        before=lambda s: ERASING.__setitem__(slice(None), [asking.prepare_one(s, 3, actor=ADMIN).id]),
    ),
    Action(ERASE, asking.prepare_due, lambda s, a: asking.prepare_due(past_due(s), actor=a), before=past_due),
    Action(
        ERASE,
        replay.replay,
        lambda s, a: replay.replay(s, [s.settings.retention.file], actor=a, also_active=True),
        before=named_in_file,
    ),
    Action(Permission.CHECK_BACKUPS, backup_check.check, check_copy),
]


def whole(shop: Database) -> dict[str, Any]:
    """Everything that a refused action must leave as it was."""
    return {**state(shop), **{table.name: rows(shop, table.name) for table in shop.schema.own.all}}


@pytest.mark.parametrize("role", Role)
def test_each_role_may_what_the_table_says_and_is_refused_the_rest(role: Role, tmp_path: Path) -> None:
    shop = make_shop(f"sqlite:///{tmp_path}/shop.sqlite")
    delete(shop, 4)
    actor = Actor("test:somebody", role, Door.API)
    for action in ACTIONS:
        name = action.function.__qualname__
        action.before(shop)
        before = whole(shop)
        if action.permission in ALLOWED[role]:
            action.call(shop, actor)
            assert (whole(shop) != before) is action.writes, name
        else:
            with pytest.raises(NotPermitted, match=f"^{actor.refusal(action.permission)}$"):
                action.call(shop, actor)
            assert whole(shop) == before, name
    shop.engine.dispose()


def test_every_permission_is_asked_for_somewhere() -> None:
    assert {action.permission for action in ACTIONS} | ASKED_ABOVE == set(Permission)
    for role in Role:
        actor = Actor("test:somebody", role, Door.DASHBOARD)
        assert {p for p in Permission if actor.may(p)} == ALLOWED[role]


def test_the_page_says_what_holds() -> None:
    lines = [line for line in PAGE.read_text(encoding="utf-8").splitlines() if line.startswith("|")]
    table = [[cell.strip() for cell in re.split(r"\s*\|\s*", line.strip("| "))] for line in lines]
    heading, _, *said = table
    roles = [Role(word) for word in heading[2:]]
    assert set(roles) == set(Role)
    holds = [[str(p), *("yes" if p in ALLOWED[role] else "-" for role in roles)] for p in Permission]
    assert [[row[0], *row[2:]] for row in said] == holds


def test_the_roles_that_the_page_shows_can_be_read(tmp_path: Path) -> None:
    examples = re.findall(r"```toml\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    (roles,) = [example for example in examples if example.startswith("[roles]")]
    (tmp_path / "evenbooks.toml").write_text(roles, encoding="utf-8")
    read = load_settings(config=tmp_path / "evenbooks.toml", database_url="sqlite:///shop.sqlite").roles
    assert role_of(read, {"iss": "https://id.example.com", "sub": "248289761001"}) is Role.ADMIN
    assert role_of(read, {"groups": ["support", "finance"]}) is Role.MANAGER
    assert role_of(read, {"email": "audit@example.org", "email_verified": True}) is Role.AUDITOR


# What writes without asking for a role, and why.
UNASKED = {
    "data.events.append": "writes the event of whatever asked, in its transaction; each draft names the actor",
    **dict.fromkeys(
        ("data.requesting.request", "data.requesting.ask"),
        "asks in the transaction of whatever asked, which asks for the role",
    ),
    "data.jobs.carrying.carry": "carries out a batch for who asked for the job, whose role the worker has just asked again",
    "data.approvals.deciding.withdraw": "whoever asked may take it back, whatever their role is by now",
    **dict.fromkeys(
        ("data.approvals.deciding.expire_due", "data.approvals.deciding.expire_quietly"),
        "ends what nobody answered, as evenbooks; nothing is carried out",
    ),
    "data.integrity.run.keep": "keeps the run of a check that was asked for",
    "data.sign_in.sign_out": "everybody may end their own sign-in",
    "data.tokens.keeping.check": "notes that a token was used; it is how an actor is found",
    "data.integrity.cli.main": "a command, run by whoever holds the database's password: admin",
    "data.tokens.cli.main": "likewise",
    "data.retention.cli.main": "likewise",
    "data.backup_check.cli.main": "likewise",
    "data.erasing.blank": "blanks whom erase or replay, which ask, hand to it",
    "data.erasing.rehearse": "blanks in a savepoint that it takes back, for who asked for the role",
    **dict.fromkeys(
        (
            *("data.compensation.watch", "data.compensation.take_back", "data.compensation.taken_back"),
            *("data.database.in_transaction", "data.database.in_transaction_of"),
        ),
        "takes back what a change marked that failed, where its table cannot roll back",
    ),
}
# Those who run these prepare a database, or make one.
PREPARING = ("data.migration", "data.demo", "data.queries")
# Statements that find no row, by which a right is tried.
HARMLESS = {"data.queries.rights", "data.queries.events.touch_chain"}
WRITING = {sqlalchemy.insert, sqlalchemy.update, sqlalchemy.delete}


def modules() -> Iterator[ModuleType]:
    for found in pkgutil.walk_packages(data.__path__, "data."):
        if not found.name.endswith("__main__"):
            yield importlib.import_module(found.name)


def named(function: Any) -> str:
    return f"{function.__module__}.{function.__qualname__}"


def used(module: ModuleType, node: ast.AST) -> Iterator[Any]:
    """What the names within this piece of code stand for."""
    for part in ast.walk(node):
        found: Any = None
        if isinstance(part, ast.Name):
            found = vars(module).get(part.id)
        elif isinstance(part, ast.Attribute) and isinstance(part.value, ast.Name):
            found = getattr(vars(module).get(part.value.id), part.attr, None)
        if callable(found):
            yield inspect.unwrap(found)


def writers(*, everywhere: bool = False) -> set[str]:
    """The public functions of data/ by which, directly or not, something is written; `everywhere`: also statements, and
    what prepares a database."""
    calls: dict[str, list[Any]] = {}
    for module in modules():
        for node in ast.parse(inspect.getsource(module)).body:
            if isinstance(node, ast.FunctionDef) and module.__name__ not in HARMLESS:
                calls[f"{module.__name__}.{node.name}"] = list(used(module, node))
    found = {name for name, uses in calls.items() if any(use in WRITING for use in uses)} - HARMLESS
    while more := {
        name
        for name, uses in calls.items()
        if name not in found | HARMLESS and any(isinstance(use, FunctionType) and named(use) in found for use in uses)
    }:
        found |= more
    public = {name for name in found if not name.rsplit(".", 1)[1].startswith("_")}
    return public if everywhere else {name for name in public if not name.startswith(PREPARING)}


def test_whatever_writes_is_in_the_table() -> None:
    tried = {named(action.function) for action in ACTIONS if action.function is not tokens.list_all}
    assert writers() == (tried | set(UNASKED)), "a new function that writes: put it into ACTIONS, or say why not"


def test_the_upper_floors_write_through_these_functions_alone() -> None:
    direct = {name.rsplit(".", 1)[1] for name in writers(everywhere=True) if name.startswith("data.queries.")}
    assert {"mark_deleted", "insert_token", "append_events"} <= direct
    for path in [*ROOT.glob("*.py"), *(f for folder in ("ui", "pages", "web") for f in (ROOT / folder).rglob("*.py"))]:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            said = node.id if isinstance(node, ast.Name) else node.attr if isinstance(node, ast.Attribute) else ""
            assert said not in direct | {"in_transaction", "in_transaction_of"}, f"{path.name}, line {node.lineno}"
