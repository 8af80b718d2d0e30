"""When a backup was last restored and compared, in one line."""

from __future__ import annotations

from datetime import UTC, datetime

import streamlit as st

from data import database as databases
from data.database import snapshot
from data.records import Time
from data.retention import BackupCheck, last_backup_check
from ui.keeping import kept
from ui.shell import Here
from ui.text import count, typed

COMMAND = "python -m data.backup_check --restored-url URL"
SHOWN = 3  # differences that are told


@kept()
def read_last(url: str) -> BackupCheck | None:
    """The last backup check, kept for a minute; `url` keeps databases apart."""
    database = databases.default()
    with snapshot(database) as moment:
        return last_backup_check(moment.connection, database.schema)


def show_line(here: Here, *, instead: str | None = None) -> None:
    """Backup checked 3 days ago: passed. Of a copy that differed, how. Markdown that says more may stand `instead`."""
    with here.careful():
        last = read_last(here.database.settings.database_url)
    if instead and (last is None or last.passed):
        st.caption(f":material/backup: {instead}")
    elif last is None:
        st.caption(f":material/backup: No backup was checked yet: `{COMMAND}`", width="content")
    elif last.passed:
        unseen = f"; {count(last.unseen, 'thing')} could not be seen" if last.unseen else ""
        words = f"Backup checked {_ago(last.at)}: passed{_age(last)}{unseen}."
        st.caption(f":material/backup: {words}", width="content")
    else:
        told = " ".join(f"\n- {typed(words)}" for words in last.differences[:SHOWN])
        found = (
            "not passed, as not enough could be seen" if last.passed is None else "it differs from the live database"
        )
        st.warning(f"Backup checked {_ago(last.at)}: {found}.\n{told}", icon=":material/backup:")


def _age(last: BackupCheck) -> str:
    """How old the backup is today, at most: no event in it says more."""
    if not isinstance(last.copy_at, datetime):
        return ""
    return f"; the backup is at most {count((datetime.now(UTC) - last.copy_at).days + 1, 'day')} old"


def _ago(at: Time) -> str:
    """In the last 24 hours, or so many days ago."""
    if not isinstance(at, datetime):
        return f"at {typed(at)}"
    days = (datetime.now(UTC) - at).days
    return "in the last 24 hours" if days < 1 else f"{count(days, 'day')} ago"
