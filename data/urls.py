"""Database URLs: which engines are known, by which drivers, and what a URL may not hold."""

from __future__ import annotations

import re

from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError

from data.errors import ConfigurationError

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
    if isinstance(url.query.get("host"), tuple):
        raise ConfigurationError(f"{variable} names several hosts; it can have one.")
    return url.set(drivername=DRIVERS[url.drivername])
