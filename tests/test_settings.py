"""Settings: every error names the setting and what was found; passwords are never shown."""

from __future__ import annotations

from pathlib import Path

import pytest

from data.errors import ConfigurationError
from data.hosts import list_hosts
from data.settings import DEMO_URL, FOLDERS, ROOT, load_settings

URL = "sqlite:///shop.sqlite"


def refused(tmp_path: Path, content: str) -> str:
    """What loading this file says."""
    config = tmp_path / "evenbooks.toml"
    config.write_text(content, encoding="utf-8")
    with pytest.raises(ConfigurationError) as caught:
        load_settings(config=config, database_url=URL)
    assert str(config) in str(caught.value)
    return str(caught.value).replace(str(config), "FILE")


WRONG = {
    "customer = 1": "FILE: customer is not a known key; did you mean customers?",
    "zzz = 1": "FILE: zzz is not a known key; these are: customers, orders, money,",
    "[customers]\ntabel = 'x'": "FILE: [customers] tabel is not a known key; did you mean table?",
    "[customers]\nstring = 'x'": "FILE: [customers] string is not a known key; these are: table, id,",
    "[roles]\nstaff = {subjects = [{issuer = 'a', subject = 'b', zzz = 1}]}": "FILE: [roles] staff.subjects.0.zzz is not a known key.",
    "[customers]\ninteger = 'x'": "FILE: [customers] integer is not a known key",
    "[customers]\ntable = 7": "FILE: [customers] table: input should be a valid string; found 7.",
    "[customers]\ntable = ''": "FILE: [customers] table: is empty; found ''.",
    "[customers]\nname = []": "FILE: [customers] name: input should be a valid string, or list should have at least 1 item",
    "[customers]\nname = 7": "FILE: [customers] name: input should be a valid",
    "[customers]\nname = ['a', 7]": "FILE: [customers] name.1: input should be a valid string; found 7.",
    "[customers]\ninsert = {a = []}": "FILE: [customers] insert.a: input should be a valid",
    "customers = 7": "FILE: customers: input should be a valid dictionary",
    "[orders]\nno_customer = 0": "FILE: [orders] no_customer: input should be a valid list; found 0.",
    "[orders]\nno_customer = [true]": "FILE: [orders] no_customer.0: input should be a valid",
    "[orders]\ntable = 'a'\nquery = 'SELECT 1'": "FILE: [orders] names both table and query; one of them is enough.",
    "[orders]\nrevenue_statuses = ['paid']": "FILE: [orders] has revenue_statuses, but no status column is named.",
    "[orders]\nstatus = 's'\nrevenue_statuses = []": "FILE: [orders] revenue_statuses: list should have at least 1 item",
    "[money]\ncurrency = 'euro'": "FILE: [money] currency: string should match pattern",
    "[money]\ndecimals = 9": "FILE: [money] decimals: input should be less than or equal to 6; found 9.",
    "[money]\ndecimals = '2'": "FILE: [money] decimals: input should be a valid integer; found '2'.",
    "[money]\ndecimals = true": "FILE: [money] decimals: input should be a valid integer; found True.",
    "[reasons]\nint = 7": "FILE: [reasons] int: input should be a valid string; found 7.",
    "[reasons]\n'A B' = 'x'": "FILE: [reasons] A B",
    "[customers": "FILE is not valid TOML:",
    "a = 1\na = 2": "FILE is not valid TOML:",
}


@pytest.mark.parametrize(("content", "sentence"), WRONG.items(), ids=[repr(key)[:40] for key in WRONG])
def test_it_names_the_setting_and_what_was_found(tmp_path: Path, content: str, sentence: str) -> None:
    found = refused(tmp_path, content)
    assert found.startswith(sentence)
    assert "pydantic" not in found
    assert len(found.splitlines()) <= 2


def test_every_problem_is_told_at_once(tmp_path: Path) -> None:
    found = refused(tmp_path, "zzz = 1\n[customers]\ntable = 7\n[money]\ndecimals = 9")
    assert len(found.splitlines()) == 3


def test_a_file_that_is_named_and_not_there_is_an_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ConfigurationError, match=r"none.toml: there is no such file \(EVENBOOKS_CONFIG or --config"):
        load_settings(config=tmp_path / "none.toml", database_url=URL)
    monkeypatch.setenv("EVENBOOKS_CONFIG", str(tmp_path / "none.toml"))
    with pytest.raises(ConfigurationError, match="there is no such file"):
        load_settings(database_url=URL)
    monkeypatch.setenv("EVENBOOKS_CONFIG", str(tmp_path))
    with pytest.raises(ConfigurationError, match="cannot be read: "):
        load_settings(database_url=URL)


def test_a_file_that_is_no_text_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "x.toml").write_bytes(b"\xff\xfe")
    with pytest.raises(ConfigurationError, match="cannot be read: "):
        load_settings(config=tmp_path / "x.toml", database_url=URL)


def test_without_anything_it_is_the_demo(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("data.settings.FOLDERS", FOLDERS[:1])
    monkeypatch.setenv("DATABASE_URL", "")
    settings = load_settings()
    assert (settings.is_demo, settings.database_url, settings.orders.cost) == (True, DEMO_URL, "cost")


def test_the_file_beside_is_found_and_the_arguments_win(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "evenbooks.toml").write_text("[money]\ncurrency = 'USD'\n[customers]\nname = ['a', 'b']")
    (tmp_path / "other.toml").write_text("[money]\ncurrency = 'CHF'")
    monkeypatch.setenv("DATABASE_URL", "mysql://root@/x")
    settings = load_settings()
    assert (settings.money.currency, settings.customers.name_columns) == ("USD", ["a", "b"])
    assert (settings.url.drivername, settings.is_demo) == ("mysql+pymysql", False)
    monkeypatch.setenv("EVENBOOKS_CONFIG", "other.toml")
    assert load_settings(database_url=URL).money.currency == "CHF"
    assert load_settings(database_url=URL).url.drivername == "sqlite"


def test_a_script_that_runs_elsewhere_obeys_the_project_s_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    project, elsewhere = tmp_path / "project", tmp_path / "elsewhere"
    for folder in (project, elsewhere):
        folder.mkdir()
    (project / "evenbooks.toml").write_text("[approval]\ndeletion = true")
    monkeypatch.setattr("data.settings.FOLDERS", (FOLDERS[0], project))
    assert list(FOLDERS) == [Path(), ROOT]
    monkeypatch.chdir(elsewhere)
    assert load_settings(database_url=URL).approval.deletion
    (elsewhere / "evenbooks.toml").write_text("")
    assert not load_settings(database_url=URL).approval.deletion


BAD_URLS = [
    "nonsense",
    "mssql://u:hunter2@h/db",
    "mysql+pymysql://u:hunter2@h:port/db",
    "oracle://u:hunter2@h/db",
    "://",
    "mysql+pymysql:///shop?host=h&user=u&password=hunter2",
    "mysql+pymysql://u:hunter2@h0/shop?host=h1:3306&host=h2:3306",
    "mysql+pymysql://u:hunter2@/shop?host=h1:3306&host=h2:port",
    "mysql+pymysql://u:hunter2@/shop?host=h1:3306,h2:3306",
    "mysql+pymysql://u:hunter2@/shop?host=h1:0&host=h2",
    "postgresql://u:hunter2@h0/shop?host=h1:5432&host=h2:5432",
    "mysql+pymysql://u@h/shop?ssl_key=k.pem&ssl_key_password=hunter2",
    "postgresql://u@h/shop?sslkey=k.pem&sslpassword=hunter2",
    "postgresql://u@h/shop?scram_client_key=hunter2",
    "postgresql://u@h/shop?oauth_client_id=x&oauth_client_secret=hunter2",
    "postgresql://u:not@hunter2@h/shop",
]


def test_the_hosts_of_a_cluster_are_named_behind_the_question_mark() -> None:
    url = load_settings(database_url="mysql://u:p@/shop?host=h1&host=h2:3307&host=[::1]:3308").url
    assert list_hosts(url) == [("h1", 3306), ("h2", 3307), ("::1", 3308)]
    one = load_settings(database_url="mysql://u:p@/shop?host=h1:3307").url
    assert (one.host, one.port, dict(one.query)) == ("h1", 3307, {})
    assert list_hosts(one) == [("h1", 3307)]


def test_of_several_postgresql_servers_changes_go_to_the_one_that_takes_them(monkeypatch: pytest.MonkeyPatch) -> None:
    several = "postgresql://u:p@/shop?host=h1:5432&host=h2:5432"
    monkeypatch.setenv("DATABASE_URL", several)
    monkeypatch.setenv("REPORTS_DATABASE_URL", several)
    settings = load_settings()
    assert settings.reports_url
    assert settings.url.query["target_session_attrs"] == "read-write"
    assert settings.reports_url.query["target_session_attrs"] == "any"
    asked = load_settings(database_url=f"{several}&target_session_attrs=primary").url
    assert asked.query["target_session_attrs"] == "primary"
    assert "target_session_attrs" not in load_settings(database_url="postgresql://u:p@/shop?host=/run/pg").url.query


@pytest.mark.parametrize("url", BAD_URLS)
def test_a_bad_database_url_is_told_without_its_password(url: str) -> None:
    with pytest.raises(ConfigurationError, match=r"^DATABASE_URL ") as caught:
        load_settings(database_url=url)
    assert "hunter2" not in str(caught.value)
    assert caught.value.__cause__ is None


def test_a_bad_port_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PORT", "http")
    with pytest.raises(ConfigurationError, match=r"^The environment: port: .*; found 'http'\.$"):
        load_settings()


def test_settings_never_show_a_password(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REPORTS_DATABASE_URL", "mysql://u:hunter2@replica/db")
    settings = load_settings(database_url="mysql://u:hunter2@h/db")
    assert "hunter2" not in f"{settings} {settings!r} {settings.url} {settings.url!r}"
    assert settings.url.password == "hunter2"


def test_the_fingerprint_is_of_the_mapping_and_not_of_the_place(tmp_path: Path) -> None:
    (tmp_path / "a.toml").write_text("[money]\ndecimals = 3")
    plain, other = load_settings(database_url=URL), load_settings(database_url="mysql://root@/x")
    assert (
        plain.fingerprint
        == other.fingerprint
        != load_settings(config=tmp_path / "a.toml", database_url=URL).fingerprint
    )
