"""Many customers at once: jobs, kept in the database, done in batches by one worker thread a process."""

from data.jobs.preparing import prepare, undo
from data.jobs.reading import counts, get, items, latest, undone_by
from data.jobs.running import run_pending
from data.jobs.steering import may_stop, start, stop
from data.jobs.worker import ensure_worker, work_for_default

__all__ = [
    "counts",
    "ensure_worker",
    "get",
    "items",
    "latest",
    "may_stop",
    "prepare",
    "run_pending",
    "start",
    "stop",
    "undo",
    "undone_by",
    "work_for_default",
]
