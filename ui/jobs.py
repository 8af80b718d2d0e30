"""Many customers at once, as a page shows them: how far a job is, what became of each, stop, go on, undo."""

from __future__ import annotations

from ui.shell import Here


def show_job(here: Here) -> None:
    """The job that the address names (?job=), at the top of its page; nothing where it names none."""
