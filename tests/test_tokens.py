"""Tokens of the API: made, shown once, kept as hashes, refused when wrong, expired or revoked; their events; the command."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from servers import fresh_mariadb
from shops import ADMIN, STAFF, execute, make_shop, problems, rows, state
from sqlalchemy import event

from data import integrity, tokens
from data.access import Actor, Door, Role
from data.database import Database, now
from data.errors import Conflict, DatabaseReadOnly, InvalidInput, NotPermitted, TokenRefused
from data.tokens import keeping
from data.tokens.cli import main

TEXT = re.compile(r"evb_[0-9a-f]{12}_[A-Za-z0-9_-]{43}")
NAMES = ("id", "name", "hash", "role", "owner", "made_at", "expires_at", "last_used_at", "revoked_at")


def whole(shop: Database) -> dict[str, Any]:
    """Everything that a refused action must leave as it was."""
    return {**state(shop), "evenbooks_tokens": rows(shop, "evenbooks_tokens")}


def kept(shop: Database) -> dict[str, Any]:
    """The one token's row."""
    (row,) = rows(shop, "evenbooks_tokens")
    return dict(zip(NAMES, row, strict=True))


def bodies(shop: Database, action: str) -> list[dict[str, Any]]:
    """What the events of this action say, oldest first."""
    said = [json.loads(row[8]) for row in rows(shop, "evenbooks_events")]
    return [body for body in said if body["action"] == action]


def refusal(shop: Database, bearer: str, **more: Any) -> str:
    with pytest.raises(TokenRefused) as refused:
        tokens.check(shop, bearer, **more)
    return str(refused.value)


@pytest.fixture
def small(tmp_path: Path) -> Iterator[Database]:
    """A shop on SQLite, for what no engine does differently."""
    shop = make_shop(f"sqlite:///{tmp_path}/shop.sqlite")
    yield shop
    shop.engine.dispose()


def test_a_token_lives_and_ends(shop: Database) -> None:
    made = tokens.add(shop, "  nightly sync ", role=Role.STAFF, days=30, owner="Ann", actor=ADMIN)
    assert TEXT.fullmatch(made)
    _, token_id, secret = made.split("_", 2)
    row = kept(shop)
    assert (row["id"], row["name"], row["role"], row["owner"]) == (token_id, "nightly sync", "staff", "Ann")
    assert row["hash"] == hashlib.sha256(secret.encode()).hexdigest()
    assert secret not in json.dumps([rows(shop, "evenbooks_tokens"), rows(shop, "evenbooks_events")], default=str)
    assert tokens.check(shop, made) == Actor("token:nightly sync", Role.STAFF, Door.API)
    tokens.wait_for_notes()

    (listed,) = tokens.list_all(shop, actor=ADMIN)
    assert listed.last_used_at is not None
    assert (listed.last_used_at.second, now() - listed.last_used_at < timedelta(minutes=2)) == (0, True)
    assert listed.expires_at == listed.made_at + timedelta(days=30)

    assert tokens.revoke(shop, "nightly sync", actor=ADMIN) == 1
    assert refusal(shop, made) == "This token was revoked."
    said = {
        "token": "nightly sync",
        "token_id": token_id,
        "role": "staff",
        "owner": "Ann",
        "expires_at": f"{listed.expires_at:%Y-%m-%dT%H:%M:%SZ}",
        "actor": ADMIN.id,
        "door": "command",
    }
    for action in ("token", "revoke"):
        (body,) = bodies(shop, action)
        assert said.items() <= body.items()
    assert problems(shop) == []
    assert integrity.run_and_record(shop).even


def test_a_name_is_free_again_once_its_token_is_revoked_or_expired(shop: Database) -> None:
    first = tokens.add(shop, "sync", role=Role.STAFF, actor=ADMIN)
    before = whole(shop)
    with pytest.raises(Conflict, match="There is a token sync already"):
        tokens.add(shop, "sync", role=Role.ADMIN, actor=ADMIN)
    assert whole(shop) == before
    tokens.revoke(shop, "sync", actor=ADMIN)
    second = tokens.add(shop, "sync", role=Role.AUDITOR, days=1, actor=ADMIN)
    assert kept_ids(shop) == {first[4:16], second[4:16]}
    assert tokens.check(shop, second).role is Role.AUDITOR
    past = f"{now() - timedelta(days=2):%Y-%m-%d %H:%M:%S}"
    execute(shop.engine, f"UPDATE evenbooks_tokens SET expires_at = '{past}' WHERE id = '{second[4:16]}'")
    third = tokens.add(shop, "sync", role=Role.MANAGER, actor=ADMIN)
    assert tokens.check(shop, third).role is Role.MANAGER
    assert tokens.revoke(shop, "sync", actor=ADMIN) == 2  # the expired one too
    before = whole(shop)
    with pytest.raises(InvalidInput, match="There is no token sync that could be revoked"):
        tokens.revoke(shop, "sync", actor=ADMIN)
    assert whole(shop) == before


def kept_ids(shop: Database) -> set[str]:
    return {row[0] for row in rows(shop, "evenbooks_tokens")}


def test_names_differ_by_case_and_are_trimmed(shop: Database) -> None:
    tokens.add(shop, "Sync", role=Role.STAFF, actor=ADMIN)
    tokens.add(shop, "sync", role=Role.STAFF, actor=ADMIN)
    tokens.add(shop, "Zo\u0065\u0301", role=Role.STAFF, actor=ADMIN)
    with pytest.raises(Conflict):
        tokens.add(shop, "Zo\u00e9", role=Role.STAFF, actor=ADMIN)
    assert tokens.revoke(shop, " sync ", actor=ADMIN) == 1
    assert [t.name for t in tokens.list_all(shop, actor=ADMIN) if t.revoked_at is None] == ["Sync", "Zo\u00e9"]


WRONG = {
    "secret": lambda made: made[:-1] + ("A" if made[-1] != "A" else "B"),
    "id": lambda made: "evb_" + "0" * 12 + made[16:],
    "secret of another": lambda made: made[:17] + "A" * 43,
    "cut": lambda made: made[:-1],
    "longer": lambda made: made + "A",
    "line end": lambda made: made + "\n",
    "capital id": lambda made: made[:4] + made[4:16].upper() + made[16:],
    "nothing": lambda made: "",
    "other letters": lambda made: made[:-1] + "\u0661",
    "half a pair": lambda made: made[:-1] + "\ud800",
    "a wildcard": lambda made: "evb_" + "%" * 12 + made[16:],
}


def test_whatever_is_wrong_the_answer_is_the_same(shop: Database) -> None:
    made = "evb_abcdefabcdef_" + tokens.add(shop, "sync", role=Role.STAFF, actor=ADMIN)[17:]
    execute(shop.engine, "UPDATE evenbooks_tokens SET id = 'abcdefabcdef'")
    assert tokens.check(shop, made).id == "token:sync"
    before = whole(shop)
    for name, wrong in WRONG.items():
        assert refusal(shop, wrong(made)) == "This token is not known.", name
    assert whole(shop) == before
    # Who has the wrong secret does not learn that it was revoked or has expired.
    tokens.revoke(shop, "sync", actor=ADMIN)
    assert refusal(shop, WRONG["secret"](made)) == "This token is not known."
    assert refusal(shop, made) == "This token was revoked."


def test_it_expires_at_its_time_and_not_before(shop: Database) -> None:
    made = tokens.add(shop, "sync", role=Role.STAFF, days=1, actor=ADMIN)
    end = tokens.list_all(shop, actor=ADMIN)[0].expires_at
    assert end is not None
    assert tokens.check(shop, made, at=end - timedelta(seconds=1)).id == "token:sync"
    assert refusal(shop, made, at=end) == "This token has expired."


ALTERED = ["expires_at = 'never'", "expires_at = ''", "role = 'owner'", "role = 'Admin'", "role = ''", "hash = ''"]


def test_an_altered_row_is_refused(small: Database) -> None:
    made = tokens.add(small, "sync", role=Role.STAFF, days=1, actor=ADMIN)
    hashed = kept(small)["hash"]
    for altered in ALTERED:
        good = f"UPDATE evenbooks_tokens SET expires_at = NULL, role = 'staff', hash = '{hashed}'"
        execute(small.engine, good, f"UPDATE evenbooks_tokens SET {altered}")
        before = whole(small)
        assert refusal(small, made), altered
        assert len(tokens.list_all(small, actor=ADMIN)) == 1
        assert whole(small) == before
    execute(small.engine, good)
    assert tokens.check(small, made).role is Role.STAFF


def test_a_zero_date_is_no_expiry(mariadb_url: str, opened: Any) -> None:
    with fresh_mariadb(mariadb_url) as url:
        shop = opened(url)
        made = tokens.add(shop, "sync", role=Role.STAFF, days=1, actor=ADMIN)
        execute(shop.engine, "SET sql_mode = ''", "UPDATE evenbooks_tokens SET expires_at = '0000-00-00'")
        assert "cannot be read" in refusal(shop, made)


WRONG_INPUT = {
    "name": [{"name": name} for name in ("", "  ", "a" * 65, "a\nb", "a\0b", "\u200b", "\ud800", "a\u202eb")],
    "owner": [{"owner": owner} for owner in ("", " ", "o" * 256, "a\tb")],
    "days": [{"days": days} for days in (0, -1, 36_501, 10**12, True, 1.5)],
}


def test_what_cannot_be_used_is_refused(small: Database) -> None:
    before = whole(small)
    for field, given in [(field, one) for field, several in WRONG_INPUT.items() for one in several]:
        with pytest.raises(InvalidInput) as refused:
            tokens.add(small, **{"name": "sync", "role": Role.STAFF, "actor": ADMIN, **given})
        assert refused.value.field == field, given
    assert whole(small) == before


def test_its_use_is_noted_once_a_minute(shop: Database) -> None:
    made = tokens.add(shop, "sync", role=Role.STAFF, actor=ADMIN)
    written: list[str] = []
    sent: list[str] = []

    @event.listens_for(shop.engine, "before_cursor_execute")
    def note(_c: Any, _cursor: Any, statement: str, *_rest: Any) -> None:
        sent.append(statement)
        if statement.startswith("UPDATE"):
            written.append(statement)

    start = now().replace(second=10)
    for second in (0, 1, 30):
        tokens.check(shop, made, at=start + timedelta(seconds=second))
    tokens.wait_for_notes()
    assert len(written) == 1
    sent.clear()
    tokens.check(shop, made, at=start)
    assert [s for s in sent if not s.startswith(("BEGIN", "ROLLBACK"))] == sent[-1:]  # one SELECT, and nothing else
    keeping._noted.clear()  # another process, which sees what this one has noted
    tokens.check(shop, made, at=start)
    assert len(written) == 1
    tokens.check(shop, made, at=start + timedelta(minutes=1))
    tokens.wait_for_notes()
    assert len(written) == 2
    (listed,) = tokens.list_all(shop, actor=ADMIN)
    assert listed.last_used_at == (start + timedelta(minutes=1)).replace(second=0)


def test_where_nothing_can_be_written_it_works_all_the_same(small: Database) -> None:
    made = tokens.add(small, "sync", role=Role.STAFF, actor=ADMIN)

    @event.listens_for(small.engine, "checkout")
    def read_only(connection: Any, *_rest: Any) -> None:
        connection.execute("PRAGMA query_only = ON")

    small.engine.dispose()
    before = whole(small)
    taken: list[Any] = []
    event.listen(small.engine, "checkout", lambda connection, *_rest: taken.append(connection))
    at = now().replace(second=10)
    for second in range(3):
        assert tokens.check(small, made, at=at + timedelta(seconds=second)).id == "token:sync"
    tokens.wait_for_notes()
    assert len(taken) == 3 + 1  # a look-up each, and one attempt to note it
    with pytest.raises(DatabaseReadOnly):
        tokens.revoke(small, "sync", actor=ADMIN)
    assert whole(small) == before


def test_of_a_token_the_id_is_logged_and_nothing_else(small: Database, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("DEBUG")
    made = tokens.add(small, "sync", role=Role.STAFF, owner="Ann Lee", actor=ADMIN)
    tokens.revoke(small, "sync", actor=ADMIN)
    with pytest.raises(NotPermitted):
        tokens.add(small, "sync", role=Role.STAFF, actor=STAFF)
    refusal(small, made)
    lines = [json.loads(record.getMessage()) for record in caplog.records if record.name == "evenbooks.writes"]
    assert [(line["action"], line["id"], line["outcome"]) for line in lines] == [
        ("token", made[4:16], "changed"),
        ("revoke", made[4:16], "changed"),
        ("token", None, "NotPermitted"),
    ]
    assert not re.search(f"{made[17:]}|Ann Lee", caplog.text)
    assert tokens.public_id(made) == made[4:16]
    assert tokens.public_id(made[:-1]) is None


def test_the_command(small: Database, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setenv("DATABASE_URL", small.settings.database_url)

    def run(*arguments: str) -> tuple[int, str, str]:
        code = main(arguments)
        said = capsys.readouterr()
        return code, said.out, said.err

    assert run("list") == (0, "There are no tokens. Make one: python -m data.tokens add NAME --role ROLE\n", "")
    code, out, err = run("add", "nightly", "--role", "manager", "--days", "7", "--owner", "Ann Lee")
    lines = out.splitlines()
    assert (code, err, len(lines), "once" in lines[0]) == (0, "", 2, True)
    assert tokens.check(small, lines[1]).role is Role.MANAGER
    run("add", "x", "--role", "staff")
    code, out, _ = run("list")
    heading, first, second = out.splitlines()
    assert re.split(r"  +", heading) == ["name", "role", "owner", "made (UTC)", "expires", "last used", "state"]
    cells = re.split(r"  +", first)
    assert (cells[:3], cells[-1]) == (["nightly", "manager", "Ann Lee"], "in force")
    assert re.split(r"  +", second)[4:] == ["never", "never", "in force"]
    assert heading.index("state") == first.index("in force") == second.index("in force")
    assert lines[1][17:] not in out
    assert run("revoke", "nightly") == (0, "nightly is revoked.\n", "")
    assert run("revoke", "nightly") == (1, "", "There is no token nightly that could be revoked.\n")
    assert run("add", "x", "--role", "staff")[0] == 1
    assert run("add", "y", "--role", "staff", "--days", "0")[::2] == (
        1,
        "A token lasts 1 to 36500 days, or, without --days, until it is revoked.\n",
    )
    for wrong in (["add", "y"], ["add", "y", "--role", "owner"], ["add", "--role", "staff"], [], ["remove", "x"]):
        with pytest.raises(SystemExit) as stopped:
            main(wrong)
        assert stopped.value.code == 2
    assert [t.name for t in tokens.list_all(small, actor=ADMIN)] == ["nightly", "x"]
