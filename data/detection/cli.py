"""The command: --detect of the migration."""

from __future__ import annotations

import sys
import warnings
from pathlib import Path

from pydantic import ValidationError
from sqlalchemy.exc import SAWarning

from data.detection import Proposal, propose
from data.engines import make_engine
from data.errors import ConfigurationError, DatabaseUnavailable
from data.settings import DEMO_URL, Environment
from data.urls import parse_url
from data.wording import sentences


def detect(*, database_url: str | None, file: str | None) -> int:
    """Prints a proposal and, where a file is named, writes it there. Answers the exit code: 1 where nothing was found.

    Raises EvenbooksError where the database does not answer, or the file is there already.
    """
    target = Path(file) if file else None
    if target:
        _require_free(target)
    proposal = _look(_url(database_url))
    if not proposal.found:
        print("\n".join(proposal.reasons), file=sys.stderr)
        print("Write the mapping by hand: docs/attach.md has every key.", file=sys.stderr)
        return 1
    if target:
        _write(target, proposal.toml)
    print(proposal.toml, end="")
    return 0


def _url(given: str | None) -> str:
    """The database's URL; the configuration file is not read, since it is what is to be made."""
    try:
        return given or Environment().database_url or DEMO_URL
    except ValidationError as error:
        raise ConfigurationError(sentences(error, "The environment", Environment)) from None


def _look(database_url: str) -> Proposal:
    url = parse_url(database_url)
    name = (url.database or "").removeprefix("file:")
    if url.get_backend_name() == "sqlite":
        if name and ":memory:" not in name and not Path(name.partition("?")[0]).exists():
            raise DatabaseUnavailable(f"There is no database file {name}. --database-url or DATABASE_URL names it.")
    elif not name:
        raise ConfigurationError("The URL names no database to look at; its name stands behind the last slash.")
    engine = make_engine(url)
    warnings.simplefilter("ignore", SAWarning)  # of types that SQLAlchemy does not know; none of them is used
    try:
        return propose(engine, url.render_as_string(hide_password=False))
    finally:
        engine.dispose()


def _require_free(target: Path) -> None:
    if target.exists() and (not target.is_file() or target.stat().st_size):
        raise ConfigurationError(
            f"{target} is there already and is not empty, so nothing was written. Name another file, or move it away."
        )


def _write(target: Path, toml: str) -> None:
    try:
        target.write_text(toml, encoding="utf-8")
    except OSError as error:
        raise ConfigurationError(f"{target} cannot be written: {error}") from None
