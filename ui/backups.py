"""When a backup was last restored and compared, in one line."""

from __future__ import annotations

from datetime import UTC, datetime

import streamlit as st

from data import database as databases
from data.database import snapshot
from data.retention import BackupCheck, last_backup_check
from ui.shell import Here
from ui.text import count, typed

COMMAND = "python -m data.backup_check --restored-url URL"
SHOWN = 3  # differences that are told


@st.cache_data(ttl=60, show_spinner=False)
def read_last(url: str) -> BackupCheck | None:
    """The last backup check, kept for a minute; `url` keeps databases apart."""
    database = databases.default()
    with snapshot(database) as moment:
        return last_backup_check(moment.connection, database.schema)


def show_line(here: Here) -> None:
    """Backup checked 3 days ago: passed. Of a copy that differed, how."""
    with here.careful():
        last = read_last(here.database.settings.database_url)
    if last is None:
        st.caption(f":material/backup: No backup was checked yet: `{COMMAND}`", width="content")
    elif last.passed:
        unseen = f"; {count(last.unseen, 'thing')} could not be seen" if last.unseen else ""
        st.caption(f":material/backup: Backup checked {_ago(last)}: passed{unseen}.", width="content")
    else:
        told = " ".join(f"\n- {typed(words)}" for words in last.differences[:SHOWN])
        st.warning(f"Backup checked {_ago(last)}: it differs from the live database.\n{told}", icon=":material/backup:")


def _ago(last: BackupCheck) -> str:
    """Today, yesterday, or so many days ago."""
    if not isinstance(last.at, datetime):
        return f"at {typed(last.at)}"
    days = (datetime.now(UTC) - last.at).days
    return "in the last 24 hours" if days < 1 else f"{count(days, 'day')} ago"
