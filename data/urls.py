"""Database URLs: which engines are known, by which drivers, and what a URL may not hold."""

from __future__ import annotations

import re

from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError

from data.errors import ConfigurationError
from data.hosts import list_hosts

DRIVERS = {
    "mysql": "mysql+pymysql",
    "mariadb": "mysql+pymysql",
    "mysql+pymysql": "mysql+pymysql",
    "mariadb+pymysql": "mysql+pymysql",
    "sqlite": "sqlite",
    "sqlite+pysqlite": "sqlite",
    "postgresql": "postgresql+psycopg",
    "postgres": "postgresql+psycopg",
    "postgresql+psycopg": "postgresql+psycopg",
}
REPORTS = "REPORTS_DATABASE_URL"
# Of a URL's query: who signs in, and what opens a key or an account. None of it is hidden where a URL is shown.
SECRET = re.compile(r"user|passw(or)?d|secret|scram_", re.IGNORECASE)


def parse_url(database_url: str, variable: str = "DATABASE_URL") -> URL:
    """The URL with the driver this project uses.

    Raises ConfigurationError, without the password, naming the variable, when it is malformed or of another engine.
    """
    try:
        url = make_url(database_url)
    except (ArgumentError, ValueError):
        raise ConfigurationError(
            f"{variable} is not a database URL. It looks like mysql+pymysql://user:password@host:3306/shop."
        ) from None
    if url.drivername not in DRIVERS:
        raise ConfigurationError(
            f"{variable} names {url.drivername}; these are known: sqlite, mysql+pymysql, mariadb+pymysql, postgresql+psycopg."
        )
    named = [name for name in url.query if SECRET.search(name)]
    if named:
        raise ConfigurationError(
            f"{variable} has {', '.join(sorted(named))} behind the question mark, where it would be printed; "
            "user and password stand before the @, as in mysql+pymysql://user:password@host:3306/shop, "
            "and a key file is without a password."
        )
    if "@" in (url.host or ""):
        raise ConfigurationError(f"{variable} has a second @: one that belongs to the password is written %40.")
    return _with_hosts(url.set(drivername=DRIVERS[url.drivername]), variable)


def _with_hosts(url: URL, variable: str) -> URL:
    """The URL whose hosts, several of a cluster or a single one, can be read and connected to."""
    named = url.query.get("host")
    if named is None or url.get_backend_name() == "sqlite":
        return url
    if url.host:
        raise ConfigurationError(
            f"{variable} names hosts before the question mark and behind it; name them all behind it."
        )
    if url.get_backend_name() == "postgresql":
        # The servers' own library tries one after the other; a standby that came first would refuse every change.
        wanted = "any" if variable == REPORTS else "read-write"
        several = isinstance(named, tuple) or "," in named
        return url.update_query_dict({"target_session_attrs": wanted, **url.query}) if several else url
    try:
        hosts = list_hosts(url)
    except ValueError as error:
        raise ConfigurationError(f"{variable} names the host {error}; one looks like db1.example.com:3306.") from None
    if len(hosts) > 1:
        return url
    return url.difference_update_query(["host"]).set(host=hosts[0][0], port=hosts[0][1])
