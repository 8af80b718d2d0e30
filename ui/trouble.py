"""What is told of a failure: its own words to whoever can mend it; to others nothing of settings, servers and files."""

from __future__ import annotations

import logging
import re

from data.access import Role
from data.errors import (
    BooksMoved,
    BooksNotEven,
    CheckStopped,
    ChecksumCut,
    ConfigurationError,
    Conflict,
    CustomerNotFound,
    DatabaseBusy,
    DatabaseReadOnly,
    DatabaseUnavailable,
    EvenbooksError,
    InvalidInput,
    NotMigrated,
    NotPermitted,
    NotProbed,
    OutcomeUnknown,
    RequestNotFound,
    SignInRefused,
    StaleReplica,
)
from data.schema import MIGRATION
from ui import door
from ui.text import typed

log = logging.getLogger("evenbooks")

# About what somebody did, in words that are theirs to read.
EVERYBODYS = (
    *(BooksMoved, BooksNotEven, CheckStopped, ChecksumCut, Conflict, CustomerNotFound, RequestNotFound),
    *(DatabaseBusy, InvalidInput, NotPermitted, NotProbed, OutcomeUnknown, SignInRefused, StaleReplica),
)
PLAIN = {
    ConfigurationError: "Evenbooks is not configured rightly; the server's log says what is wrong.",
    DatabaseUnavailable: "The database does not answer; the server's log says more. Try again in a moment.",
    DatabaseReadOnly: "This database can be read but not written to. Nothing was changed.",
    NotMigrated: "The database is not prepared yet; the server's log says what is missing.",
    EvenbooksError: "This did not work; the server's log says why.",
}
# How a sentence goes on to a command, and what is said before it on a page.
COMMANDS = {
    "Run": "Run this where Evenbooks is installed, then try again:",
    "To have a mapping proposed": "This looks at the database, changes nothing, and proposes the evenbooks.toml that Evenbooks needs. "
    "Run it where Evenbooks is installed, save what it proposes as evenbooks.toml, then try again:",
}
# Trying again after this alone would find the database as it was.
REHEARSAL = "This says what would be done, and changes nothing. Run it where Evenbooks is installed, then once more without --dry-run, then try again:"
# One of our own alone: a table of theirs may have any name.
COMMAND = re.compile(
    rf"(.*)\b({'|'.join(COMMANDS)}): (python (?:{re.escape(MIGRATION)}|-m data\.\w+)(?: --?[\w-]+)*)", re.DOTALL
)
ASK = "Ask whoever runs Evenbooks."


def words(error: EvenbooksError) -> str:
    """What whoever is at the screen is told: all of it without sign-in, as an admin, and of what they did themselves."""
    if isinstance(error, EVERYBODYS) or door.role_now() is Role.ADMIN:
        return str(error)
    plain = next(words for kind, words in PLAIN.items() if isinstance(error, kind))
    return f"{plain} {ASK}"


def split_command(words: str) -> tuple[str, str, str]:
    """The words without the command that they end with, what to do with it, and the command; both empty where there is none."""
    found = COMMAND.fullmatch(words)
    if not found:
        return words, "", ""
    return found[1], REHEARSAL if found[3].endswith(" --dry-run") else COMMANDS[found[2]], found[3]


def note(error: EvenbooksError) -> None:
    """Keeps in the log what is wrong with the server; of what somebody did only the kind, for it may name people."""
    kind = type(error).__name__
    log.warning(kind if isinstance(error, EVERYBODYS) else f"{kind}: {error}")


def tell(error: EvenbooksError) -> str:
    """The same words as Markdown, and the whole in the log."""
    note(error)
    return typed(words(error))
