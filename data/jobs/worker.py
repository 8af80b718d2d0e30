"""The worker: one thread a process and database, which does jobs and lets requests expire."""

from __future__ import annotations

import logging
import threading
import time
import weakref
from weakref import WeakKeyDictionary

from sqlalchemy import Engine, event

from data import approvals
from data.database import Database, default
from data.errors import EvenbooksError
from data.jobs import running

LOGGER = logging.getLogger("evenbooks")
LOOK = 2.0  # seconds between two looks for jobs that another process started
EXPIRE = 60.0  # seconds between two looks for requests that nobody answered
ATTACH = 30.0  # seconds between two looks whether the database is the one that the worker has

_workers: WeakKeyDictionary[Engine, _Worker] = WeakKeyDictionary()
_lock = threading.Lock()


def ensure_worker(database: Database) -> None:
    """Starts this process's worker for this database, unless it runs already. Costs next to nothing then."""
    with _lock:
        known = _workers.get(database.engine)
        if known is None or not known.is_alive():
            _workers[database.engine] = _Worker(database)
            _workers[database.engine].start()


def wake(database: Database) -> None:
    """Lets this process's worker, where there is one, look at once."""
    known = _workers.get(database.engine)
    if known is not None:
        known.due.set()


def work_for_default(over: threading.Event | None = None) -> None:
    """Starts the worker of the database that the environment names as soon as that can be reached, in the background;
    and again where that was let go and attached anew, as by Try again. `over` ends this."""
    ended = over or threading.Event()

    def begin() -> None:
        while not ended.is_set():
            try:
                ensure_worker(default())
            except EvenbooksError:
                pass  # the pages say what is wrong
            except Exception:  # whatever it is: nobody else would begin
                LOGGER.exception("The jobs' worker could not be started; tried again in %d s.", ATTACH)
            ended.wait(ATTACH)

    threading.Thread(target=begin, name="evenbooks-attach", daemon=True).start()


class _Worker(threading.Thread):
    """The thread. It ends when the engine is disposed of or is gone, and never keeps it for itself."""

    def __init__(self, database: Database) -> None:
        super().__init__(name="evenbooks-jobs", daemon=True)
        self.engine = weakref.ref(database.engine)
        self.rest = database.settings, database.schema, database.turns
        self.due, self.over = threading.Event(), False
        self.expired, self.trouble = 0.0, ""
        event.listen(database.engine, "engine_disposed", self._end, once=True)

    def is_alive(self) -> bool:
        """Whether it still works, or is about to."""
        return super().is_alive() and not self.over

    def run(self) -> None:
        """Looks, works, waits; what fails is tried again at the next look."""
        while not self.over and self._look():
            self.due.wait(LOOK)
            self.due.clear()

    def _look(self) -> bool:
        engine = self.engine()
        if engine is None:
            return False
        try:
            self._work(Database(engine, *self.rest))
            self.trouble = ""
        except Exception as error:  # whatever it is: nobody else would go on with the jobs
            if str(error) != self.trouble:
                LOGGER.warning("Jobs wait: %s", error)
            self.trouble = str(error)
        return True

    def _work(self, database: Database) -> None:
        running.run_pending(database)
        if time.monotonic() - self.expired > EXPIRE:
            self.expired = time.monotonic()
            approvals.expire_due(database)

    def _end(self, _engine: Engine) -> None:
        self.over = True
        self.due.set()
