"""The front door on every page: who is let in, what each role sees, and that nothing is written once a sign-in has ended."""

from __future__ import annotations

import time
from collections.abc import Mapping
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from screens import (
    ANN,
    AUDITOR,
    NOBODY,
    SECTIONS,
    ask_to_delete,
    check_now,
    claims_of,
    confirm,
    dialog,
    disabled,
    enter,
    press,
    said,
    select,
)
from shops import execute, rows, state
from streamlit import config
from streamlit.testing.v1 import AppTest

from data import sign_in
from data.access import ALLOWED, Permission, Role, os_user
from data.database import Database
from data.errors import ConfigurationError, DatabaseReadOnly, NotPermitted
from data.settings import ROOT
from ui import door, welcome
from ui.menu import PAGES


@pytest.fixture
def engine_name() -> str:
    """One engine: none of this differs on the other."""
    return "sqlite"


def page_of(file: str) -> str:
    return Path(file).stem


def is_shut(at: AppTest) -> bool:
    """Whether nothing of a page is there: no title, table, figure, nor any button but those of the door."""
    doors = {"sign_in_default", "sign_out"}
    return not (at.title or at.dataframe or at.metric or at.text_input or {b.key for b in at.button} - doors)


@pytest.mark.parametrize("role", list(Role))
def test_each_role_sees_the_pages_that_the_table_allows(app: Any, menu: list[str], role: Role) -> None:
    for entry in PAGES:
        at = enter(app, page_of(entry.file), role, period="All")
        allowed = entry.permission in ALLOWED[role]
        assert at.title[0].value == entry.title
        assert (f"The role {role} may not {entry.permission.replace(' and ', ' or ')}." in said(at)) is not allowed
        assert allowed or not (at.dataframe or at.metric or at.selectbox or at.text_input)
        assert menu == []  # AppTest runs the page alone
    at = AppTest.from_file(ROOT / "dashboard.py", default_timeout=60)
    at.secrets["auth"], at.user = {"client_id": "evenbooks"}, claims_of(role)
    home = "Revenue" if role in (Role.MANAGER, Role.AUDITOR) else "Customer Management"
    assert at.run().title[0].value == home
    assert menu == [entry.title for entry in PAGES if entry.permission in ALLOWED[role]]


# Each button that writes, where it is, and what one must be allowed to press it.
WRITES = [
    ("customers", {}, "add", Permission.CHANGE_CUSTOMERS),
    ("customers", {}, "edit", Permission.CHANGE_CUSTOMERS),
    ("customers", {}, "delete", Permission.CHANGE_CUSTOMERS),
    ("deleted_customers", {}, "restore", Permission.CHANGE_CUSTOMERS),
    ("revenue", {"period": "All"}, "check", Permission.READ_INTEGRITY),
    ("integrity", {}, "check", Permission.READ_INTEGRITY),
    ("integrity", {"view": "Months"}, "seal", Permission.SEAL_MONTHS),
    ("integrity", {"view": "Try it"}, "probe", Permission.PROBE),
    ("integrity", {}, "accept_deletions_0", Permission.ACCEPT_FINDINGS),
]


@pytest.mark.parametrize("role", list(Role))
def test_each_button_that_writes_is_there_for_those_who_may(app: Any, shop: Database, role: Role) -> None:
    execute(shop.engine, "UPDATE customers SET deleted_at = '2024-05-01 00:00:00' WHERE id = 2")  # to be accepted
    check_now(app("integrity"))
    for page, address, key, permission in WRITES:
        at = enter(app, page, role, **address)
        if key in ("edit", "delete", "restore") and at.dataframe:
            select(at, 0)
        offered = any(button.key == key and not button.disabled for button in at.button)
        assert offered is (permission in ALLOWED[role]), (page, key)


REFUSED = [
    (NOBODY, "Sign in", "sign_in_default"),
    ({}, "Sign in", "sign_in_default"),
    (claims_of("staff", is_logged_in="no") | {"is_logged_in": None}, "Sign in", "sign_in_default"),
    (claims_of("staff", exp=int(time.time()) - 1), "Your sign-in has ended", "sign_in_default"),
    (claims_of("staff", iat=None), "This sign-in cannot be read", "sign_in_default"),
    (claims_of("staff", exp="tomorrow"), "This sign-in cannot be read", "sign_in_default"),
    (claims_of("somebody"), "somebody@example.com has no role here", "sign_out"),
    (claims_of("staff", email_verified=False), "Staff has no role here", "sign_out"),
    (claims_of("staff", email_verified=None, name="**x**"), "**x** has no role here", "sign_out"),
]


@pytest.mark.parametrize("page", [page_of(entry.file) for entry in PAGES])
def test_whoever_is_not_let_in_sees_why_and_nothing_else(app: Any, menu: list[str], page: str) -> None:
    for claims, heading, button in REFUSED:
        at = app(page, sections=SECTIONS, claims=claims)
        assert heading in [as_read_heading(h.value) for h in at.header]
        assert is_shut(at)
        assert [b.key for b in at.button] == [button]
        assert menu == []


def as_read_heading(words: str) -> str:
    return words.replace("\\", "").replace("\u2060", "")


def test_an_unverified_address_is_said_and_the_account_can_be_named(app: Any) -> None:
    at = app("customers", sections=SECTIONS, claims=claims_of("staff", email_verified=False, sub='a"b'))
    assert "The provider has not verified its e-mail address" in said(at)
    assert at.code[0].language == "plaintext"  # the colours of a language are too faint
    assert at.code[0].value == 'subjects = [{ issuer = "https://login.example.com", subject = "a\\"b" }]'


def expired(at: AppTest, *_: Any) -> None:
    at.user["exp"] = int(time.time()) - 1


def signed_out(at: AppTest, shop: Database, *_: Any) -> None:
    sign_in.sign_out(shop, sign_in.read_identity(at.user))


def no_longer_known(at: AppTest, *_: Any) -> None:
    at.user = dict(NOBODY)


def without_role(_at: AppTest, _shop: Database, folder: Path) -> None:
    file = folder / "evenbooks.toml"
    file.write_text(file.read_text().replace("@example.com", "@example.org"))


def swapped(_at: AppTest, _shop: Database, folder: Path) -> None:
    """Who was staff is the auditor now, and the other way round."""
    file = folder / "evenbooks.toml"
    file.write_text(file.read_text().replace("auditor@", "@").replace("staff@", "auditor@").replace('"@', '"staff@'))


def ask_for_edit(at: AppTest) -> None:
    press(select(at, 0), "edit")
    at.text_input(key="field_name").set_value("Another")


ACTIONS = {
    "customers": [
        (lambda at: ask_to_delete(at, 0), lambda at: confirm(at)),
        (lambda at: confirm(ask_to_delete(at, 0)), lambda at: press(at, "undo")),
        (ask_for_edit, lambda at: press(at, "submit")),
    ],
    "deleted_customers": [(lambda at: select(at, 0), lambda at: press(at, "restore"))],
    "integrity": [(lambda at: at, check_now)],
    "revenue": [(lambda at: at, check_now)],
}
CASES = [(page, n, signed_out) for page, actions in ACTIONS.items() for n in range(len(actions))]
CASES += [("deleted_customers", 0, end) for end in (expired, no_longer_known, without_role)]


@pytest.mark.parametrize(("page", "number", "end"), CASES)
def test_nothing_is_written_once_the_sign_in_has_ended(
    app: Any, shop: Database, tmp_path: Path, page: str, number: int, end: Any
) -> None:
    prepare, act = ACTIONS[page][number]
    at = enter(app, page, "admin", period="All")
    prepare(at)
    before = state(shop), rows(shop, "evenbooks_checks")
    end(at, shop, tmp_path)
    act(at)
    assert (state(shop), rows(shop, "evenbooks_checks")) == before
    assert is_shut(at)


def test_a_role_that_changes_while_a_dialog_is_open_closes_it(app: Any, shop: Database, tmp_path: Path) -> None:
    at = ask_to_delete(enter(app, "customers", "staff"), 0)
    before = state(shop)
    swapped(at, shop, tmp_path)
    confirm(at)
    assert "The role auditor may not add, edit, delete or restore customers." in said(at)
    assert dialog(at) is None
    assert "with the role **auditor**" in said(at)
    assert state(shop) == before


def test_a_seal_whose_role_changes_meanwhile_is_not_made_and_its_dialog_closes(app: Any, shop: Database) -> None:
    at = press(app("integrity", view="Months"), "seal")
    before = rows(shop, "evenbooks_seals")
    at.session_state.actor = AUDITOR
    press(at, "confirm")
    assert "The role auditor may not seal or unseal months." in said(at)
    assert dialog(at) is None
    assert rows(shop, "evenbooks_seals") == before


def test_what_is_written_bears_the_name_of_who_signed_in(app: Any, shop: Database) -> None:
    at = confirm(ask_to_delete(enter(app, "customers", "staff"), 0))
    assert "is deleted." in said(at)
    assert [event[3] for event in rows(shop, "evenbooks_events")][-1] == "staff@example.com"


def test_signing_out_is_kept_before_the_cookie_goes(app: Any, shop: Database) -> None:
    at = enter(app, "customers", "staff")
    other = enter(app, "customers", "staff")
    assert at.title
    press(at, "sign_out")
    assert len(rows(shop, "evenbooks_sign_outs")) == 1
    assert at.user == NOBODY
    assert is_shut(at)
    assert is_shut(other.run())
    assert [h.value for h in other.header] == ["You have signed out"]
    assert enter(app, "customers", "admin").title  # somebody else


def test_a_sign_out_that_cannot_be_kept_is_said_and_can_still_be_done(
    app: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise DatabaseReadOnly()

    monkeypatch.setattr(sign_in, "sign_out", refuse)
    at = press(enter(app, "customers", "staff"), "sign_out")
    assert welcome.LEFT_ONLY_HERE in said(at)
    assert at.user["is_logged_in"]
    assert press(at, "sign_out").user == NOBODY


def test_a_download_is_not_made_for_whom_the_page_is_not_any_more(
    app: Any, shop: Database, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    makers = []
    monkeypatch.setattr("ui.printed.download_buttons", makers.append)
    check_now(app("integrity"))
    for end, refusal in ((without_role, door.Closed), (swapped, NotPermitted), (signed_out, door.Closed)):
        at = enter(app, "integrity", "auditor")
        assert makers[-1]()["even"] is True
        end(at, shop, tmp_path)
        with pytest.raises(refusal):
            makers[-1]()


def test_without_sign_in_every_page_says_so(app: Any) -> None:
    for entry in PAGES:
        at = app(page_of(entry.file), actor=None)
        assert f"No sign-in: everybody on this machine is admin (os:{os_user()})." in said(at)
        assert not at.sidebar.radio


@pytest.mark.parametrize(
    "header", ["Forwarded", "X-Forwarded-For", "x-forwarded-proto", "X-Forwarded-Host", "X-Real-IP", "Via", None]
)
def test_without_sign_in_only_this_machine_is_let_in(
    app: Any, browser_request: SimpleNamespace, menu: list[str], header: str | None
) -> None:
    if header:
        browser_request.headers.append((header, "127.0.0.1"))
    else:
        browser_request.remote_ip = "192.0.2.7"
    at = app("customers", actor=ANN)
    assert [h.value for h in at.header] == ["Not from here"]
    assert "[auth]" in said(at)
    assert is_shut(at)
    assert menu == []


@pytest.mark.parametrize("peer", ["127.0.0.9", "::1"])
def test_every_name_of_this_machine_is_let_in(app: Any, browser_request: SimpleNamespace, peer: str) -> None:
    browser_request.remote_ip = peer
    assert app("customers", actor=None).title


def test_secrets_that_cannot_be_read_may_hold_auth_so_nobody_is_let_in(
    app: Any, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    file = tmp_path / "secrets.toml"
    file.write_text("[auth\n")
    config.set_option("secrets.files", [str(file)])
    try:
        at = app("customers")
    finally:
        config.set_option("secrets.files", config.get_config_files("secrets.toml"))
    assert "Evenbooks is not configured rightly" in said(at)
    assert "Streamlit's secrets (.streamlit/secrets.toml) cannot be read" in caplog.text
    assert not at.dataframe


def test_on_the_demo_company_roles_can_be_tried(
    app: Any, shop: Database, monkeypatch: pytest.MonkeyPatch, menu: list[str]
) -> None:
    app("customers")
    monkeypatch.setattr("data.settings.DEMO_URL", shop.settings.database_url)
    monkeypatch.delenv("DATABASE_URL")
    at = AppTest.from_file(ROOT / "dashboard.py", default_timeout=60).run()
    assert at.sidebar.radio[0].value == Role.ADMIN
    at = at.sidebar.radio[0].set_value(Role.STAFF).run()
    assert menu == ["Customer Management", "Deleted Customers", "History", "Approvals"]
    assert f"No sign-in: seen as staff (os:{os_user()})." in said(at)
    confirm(ask_to_delete(at, 0))
    assert rows(shop, "evenbooks_events")[-1][3] == f"os:{os_user()} (no sign-in)"
    at.switch_page("pages/revenue.py").run()
    assert "The role staff may not read revenue." in said(at)
    at = at.sidebar.radio[0].set_value(Role.AUDITOR).run()
    assert "may not" not in said(at)
    select(at.switch_page("pages/customers.py").run(), 0)
    assert disabled(at, "delete") == [True]


def test_elsewhere_a_kept_role_counts_for_nothing(app: Any) -> None:
    at = app("customers", actor=AUDITOR)
    at.session_state.seen_as = Role.ADMIN
    select(at.run(), 0)
    assert disabled(at, "add", "delete") == [True, True]


@pytest.mark.parametrize("auth", [1, "", []])
def test_auth_that_is_no_section_is_said(monkeypatch: pytest.MonkeyPatch, auth: Any) -> None:
    monkeypatch.setattr("streamlit.secrets", {"auth": auth})
    with pytest.raises(ConfigurationError, match="is not a section"):
        door.sign_in_configured()


@pytest.mark.parametrize(
    ("auth", "ways"),
    [
        ({"client_id": "x"}, {"default": "Sign in"}),
        ({"okta": {"client_id": "x"}}, {"okta": "Sign in"}),
        (
            {"okta": {"client_id": "x"}, "entra": {"client_id": "y"}, "client_kwargs": {"scope": "openid"}},
            {"okta": "Sign in with Okta", "entra": "Sign in with Entra"},
        ),
        ({"redirect_uri": "x"}, {}),
    ],
)
def test_each_provider_has_its_button(monkeypatch: pytest.MonkeyPatch, auth: Mapping[str, Any], ways: Any) -> None:
    monkeypatch.setattr("streamlit.secrets", {"auth": auth})
    assert door.providers() == ways
