"""What is told of a failure: its own words to whoever can mend it; to others nothing of settings, servers and files."""

from __future__ import annotations

import logging

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
    SignInRefused,
)
from ui import door
from ui.text import typed

log = logging.getLogger("evenbooks")

# About what somebody did, in words that are theirs to read.
EVERYBODYS = (
    *(BooksMoved, BooksNotEven, CheckStopped, ChecksumCut, Conflict, CustomerNotFound),
    *(DatabaseBusy, InvalidInput, NotPermitted, NotProbed, SignInRefused),
)
PLAIN = {
    ConfigurationError: "Evenbooks is not configured rightly; the server's log says what is wrong.",
    DatabaseUnavailable: "The database does not answer; the server's log says more. Try again in a moment.",
    DatabaseReadOnly: "This database can be read but not written to. Nothing was changed.",
    NotMigrated: "The database is not prepared yet; the server's log says what is missing.",
    EvenbooksError: "This did not work; the server's log says why.",
}
ASK = "Ask whoever runs Evenbooks."


def words(error: EvenbooksError) -> str:
    """What whoever is at the screen is told: all of it without sign-in, as an admin, and of what they did themselves."""
    if isinstance(error, EVERYBODYS) or door.role_now() is Role.ADMIN:
        return str(error)
    plain = next(words for kind, words in PLAIN.items() if isinstance(error, kind))
    return f"{plain} {ASK}"


def note(error: EvenbooksError) -> None:
    """Keeps in the log what is wrong with the server; of what somebody did only the kind, for it may name people."""
    kind = type(error).__name__
    log.warning(kind if isinstance(error, EVERYBODYS) else f"{kind}: {error}")


def tell(error: EvenbooksError) -> str:
    """The same words as Markdown, and the whole in the log."""
    note(error)
    return typed(words(error))
