"""Sign-ins: what is read of the claims, which role they give, when they end, and who it is in the events."""

from __future__ import annotations

import json
import math
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from shops import execute, make_shop, rows, state
from test_settings import refused

from data import sign_in
from data.access import Actor, Door, Role
from data.database import Database, now
from data.errors import DatabaseReadOnly, SignInRefused
from data.queries import signed_out_at
from data.settings import Roles, load_settings

ISSUER = "https://id.example.com/realms/shop"
START = datetime(2026, 3, 1, 9, 0, 0, tzinfo=UTC)
CLAIMS = {
    "iss": ISSUER,
    "sub": "u-1",
    "name": "Ann Lee",
    "email": "Ann@Example.com",
    "email_verified": True,
    "iat": int(START.timestamp()),
    "exp": int(START.timestamp()) + 3600,
}
FILE = f"""
[roles]
claim = "teams"
[roles.admin]
subjects = [{{ issuer = "{ISSUER}", subject = "u-9" }}]
[roles.manager]
claim = ["shop managers"]
emails = ["ann@example.com"]
[roles.staff]
claim = ["shop staff", "helpers"]
subjects = [{{ issuer = "{ISSUER}", subject = "u-2" }}]
[roles.auditor]
emails = ["straße@example.com", "mark@example.com"]
claim = ["shop managers", "auditors"]
"""


@pytest.fixture(scope="module")
def roles(tmp_path_factory: pytest.TempPathFactory) -> Roles:
    """The roles as the file gives them."""
    config = tmp_path_factory.mktemp("roles") / "evenbooks.toml"
    config.write_text(FILE, encoding="utf-8")
    return load_settings(config=config, database_url="sqlite:///shop.sqlite").roles


@pytest.fixture
def small(tmp_path: Path) -> Iterator[Database]:
    """A shop on SQLite, for what no engine does differently."""
    shop = make_shop(f"sqlite:///{tmp_path}/shop.sqlite")
    yield shop
    shop.engine.dispose()


def claims(**changed: Any) -> dict[str, Any]:
    """Ann's claims with these changed; None takes one away."""
    return {name: value for name, value in {**CLAIMS, **changed}.items() if value is not None}


def identity(**changed: Any) -> sign_in.Identity:
    return sign_in.read_identity(claims(**changed))


def refuses(shop: Database, who: sign_in.Identity, at: datetime = START) -> str | None:
    """What is said of this sign-in; None where it is valid."""
    try:
        sign_in.require_valid(shop, who, at)
    except SignInRefused as refusal:
        return str(refusal)
    return None


def test_the_claims_make_an_identity() -> None:
    found = sign_in.Identity(ISSUER, "u-1", "Ann@Example.com", "Ann Lee", START, START + timedelta(hours=1))
    assert identity() == found
    assert identity(iat=START.timestamp() + 0.9, email_verified="true") == found
    assert sign_in.actor_of(found, Role.STAFF) == Actor("Ann@Example.com", Role.STAFF, Door.DASHBOARD)


@pytest.mark.parametrize("name", ["iat", "exp"])
def test_a_time_that_cannot_be_read_is_refused(name: str) -> None:
    numbers = [None, True, "1772355600", math.nan, math.inf, -math.inf, 0, -1, 10**12, 10**400, 1e300, [1], {}]
    for value in numbers:
        with pytest.raises(SignInRefused, match=f"has no {name} that can be read"):
            identity(**{name: value})


@pytest.mark.parametrize("name", ["iss", "sub"])
def test_an_account_that_cannot_be_read_is_refused(name: str) -> None:
    for value in (None, "", "  ", 7, True, ["u-1"], "u\n1", "u\x00", "u\u202e1", "\ud800"):
        with pytest.raises(SignInRefused, match=f"has no {name} that can be read"):
            identity(**{name: value})


def test_only_a_verified_address_counts(roles: Roles) -> None:
    for verified in (None, False, "false", "True", "yes", 1, 1.0, [True], "true "):
        assert identity(email_verified=verified).email is None, verified
        assert sign_in.role_of(roles, claims(email_verified=verified)) is None, verified
    for email in (None, "", "ann", 7, ["ann@example.com"], "ann@example.com\n", "a\u200bnn@example.com", "a b@c.de"):
        assert identity(email=email).email is None, email
    assert sign_in.role_of(roles, claims(email_verified="true")) is Role.MANAGER


def test_somebody_without_a_name_is_shown_by_what_there_is() -> None:
    assert identity(name="  Ann ").name == "Ann"
    assert identity(name=None).name == "Ann@Example.com"
    assert identity(name="a\nb", email_verified=False).name == "u-1"


NOBODY = {"email": None}
GIVEN = [
    (NOBODY, None),
    ({**NOBODY, "sub": "u-9"}, Role.ADMIN),
    ({**NOBODY, "sub": "u-2"}, Role.STAFF),
    ({**NOBODY, "sub": "u-9", "iss": ISSUER + "/"}, None),
    ({**NOBODY, "sub": "U-9"}, None),
    ({**NOBODY, "sub": ["u-9"]}, None),
    ({"email": "ANN@EXAMPLE.COM"}, Role.MANAGER),
    ({"email": "ann@example.com.evil.org"}, None),
    ({"email": "strasse@example.com"}, None),
    ({"email": "straße@example.com"}, Role.AUDITOR),
    ({"email": "mar\u212a@example.com"}, None),  # the sign of Kelvin, whose small letter is k
    ({"email": "MARK@example.com"}, Role.AUDITOR),
    ({**NOBODY, "teams": "shop staff"}, Role.STAFF),
    ({**NOBODY, "teams": ["x", "helpers"]}, Role.STAFF),
    ({**NOBODY, "teams": "auditors"}, Role.AUDITOR),
    # Of several roles the first of admin, manager, staff, auditor.
    ({**NOBODY, "teams": ["auditors", "helpers", "shop managers"]}, Role.MANAGER),
    ({**NOBODY, "teams": ["auditors", "helpers"]}, Role.STAFF),
    ({"sub": "u-9"}, Role.ADMIN),
    # Neither parts of a text nor other kinds of values.
    ({**NOBODY, "teams": "auditors, helpers"}, None),
    ({**NOBODY, "teams": "Helpers"}, None),
    ({**NOBODY, "teams": ["helpers", 7]}, None),
    ({**NOBODY, "teams": {"helpers": True}}, None),
    ({**NOBODY, "teams": [["helpers"]]}, None),
    ({**NOBODY, "teams": True}, None),
    ({**NOBODY, "groups": ["helpers"]}, None),
]


def test_the_role_by_account_claim_or_verified_address(roles: Roles) -> None:
    for changed, role in GIVEN:
        assert sign_in.role_of(roles, claims(**changed)) is role, changed
    assert sign_in.role_of(roles, {}) is None
    assert sign_in.role_of(Roles(), claims(groups=["admin"], sub="admin")) is None


def test_it_ends_at_its_time(small: Database) -> None:
    end = START + timedelta(hours=1)
    assert refuses(small, identity(), end - timedelta(seconds=1)) is None
    assert refuses(small, identity(), end) == "Your sign-in has expired. Sign in again."


def test_signing_out_ends_every_earlier_sign_in_of_this_person(shop: Database) -> None:
    at = now()
    soon = {"exp": at.timestamp() + 3600}
    early, late = (identity(iat=at.timestamp() + after, **soon) for after in (-30, 90))
    others = [identity(**soon, sub="u-2"), identity(**soon, iss=ISSUER + "2"), identity(**soon, iat=1)]
    before = state(shop)
    sign_in.sign_out(shop, early)
    assert refuses(shop, early, at) == "You have signed out since. Sign in again."
    assert refuses(shop, identity(**soon, sub="u-1", email=None, iat=1), at) is not None
    assert refuses(shop, late, at) is None
    assert [refuses(shop, other, at) is None for other in others] == [True, True, False]
    # The clock of the provider may be ahead: who asks is signed out all the same.
    sign_in.sign_out(shop, late)
    assert refuses(shop, late, at) is not None
    assert refuses(shop, identity(**soon, iat=at.timestamp() + 91), at) is None
    sign_in.sign_out(shop, early)  # what is kept is the latest
    assert refuses(shop, late, at) is not None
    assert len(rows(shop, "evenbooks_sign_outs")) == 1
    assert "u-1" not in json.dumps(rows(shop, "evenbooks_sign_outs"), default=str)
    assert state(shop) == before


def test_signing_out_everywhere_at_once(shop: Database) -> None:
    failed: list[Exception] = []

    def leave() -> None:
        try:
            sign_in.sign_out(shop, identity())
        except Exception as error:
            failed.append(error)

    threads = [threading.Thread(target=leave) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failed == []
    assert len(rows(shop, "evenbooks_sign_outs")) == 1


def test_a_kept_time_that_cannot_be_read_ends_the_sign_in(small: Database) -> None:
    sign_in.sign_out(small, identity())
    execute(small.engine, "UPDATE evenbooks_sign_outs SET at = 'never'")
    assert refuses(small, identity(iat=START.timestamp() + 1)) is not None
    sign_in.sign_out(small, identity())
    with small.engine.connect() as connection:
        assert isinstance(signed_out_at(connection, small.schema, identity().person), datetime)


def test_where_it_cannot_be_kept_signing_out_says_so(small: Database) -> None:
    with small.engine.connect() as connection:
        connection.exec_driver_sql("PRAGMA query_only = ON")  # stays with the connection, the only one in the pool
    with pytest.raises(DatabaseReadOnly):
        sign_in.sign_out(small, identity())


def test_the_actor_without_an_address_is_the_account() -> None:
    def actor(**changed: Any) -> str:
        return sign_in.actor_of(identity(email=None, **changed), Role.STAFF).id

    assert actor() == "u-1 (id.example.com)"
    assert actor(iss="http://localhost:9400") == "u-1 (localhost)"
    assert actor(iss="accounts.google.com") == "u-1 (accounts.google.com)"
    assert actor(iss="http://[") == "u-1 (http://[)"
    long = [actor(sub="u" * 300 + end) for end in "ab"] + [actor(sub="u" * 300 + "a", iss=ISSUER + "2")]
    assert [len(one) for one in long] == [255] * 3
    assert len(set(long)) == 3
    assert len(actor(sub="陈" * 255)) == 255


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        ("[roles]\nclaim = 'email'", "FILE: [roles] claim: is not a claim by which the provider grants anything"),
        ("[roles]\nclaim = ''", "FILE: [roles] claim: is empty; found ''."),
        ("[roles]\nowner = {}", "FILE: [roles] owner is not a known key; these are: claim, admin, manager, staff"),
        ("[roles.staff]\nemails = ['ann']", "FILE: [roles] staff.emails.0: is not an e-mail address; found 'ann'."),
        ("[roles.staff]\nemails = ['a@b.c ']", "FILE: [roles] staff.emails.0: is not an e-mail address"),
        ("[roles.staff]\nemails = 'a@b.c'", "FILE: [roles] staff.emails: input should be a valid list"),
        ("[roles.staff]\nemail = []", "FILE: [roles] staff.email is not a known key; did you mean emails?"),
        ("[roles.staff]\nsubjects = [{issuer='x'}]", "FILE: [roles] staff.subjects.0.subject: field required"),
        ("[roles.staff]\nclaim = [7]", "FILE: [roles] staff.claim.0: input should be a valid string; found 7."),
    ],
)
def test_wrong_roles_stop_the_start(tmp_path: Path, content: str, sentence: str) -> None:
    assert refused(tmp_path, content).startswith(sentence)


def test_roles_beside_a_mapping_do_not_change_its_fingerprint(tmp_path: Path) -> None:
    config = tmp_path / "evenbooks.toml"
    config.write_text(FILE, encoding="utf-8")
    with_roles = load_settings(config=config, database_url="sqlite:///shop.sqlite")
    config.write_text("", encoding="utf-8")
    assert with_roles.fingerprint == load_settings(config=config, database_url="sqlite:///shop.sqlite").fingerprint
