"""Whether the process lives, and whether it can work: for whoever watches it."""

from __future__ import annotations

import logging
import threading
import time
from concurrent.futures import Future, ThreadPoolExecutor
from concurrent.futures import TimeoutError as TooSlow
from typing import Literal

from fastapi import APIRouter
from fastapi.responses import JSONResponse
from pydantic import BaseModel

from data import demo
from data.errors import ConfigurationError, EvenbooksError, NotMigrated
from data.pool import pool_figures, require_ready

log = logging.getLogger("evenbooks")

PATIENCE = 2.0  # seconds that an answer waits for the database
KEPT = 1.0  # seconds for which a look is good enough

# What went wrong, without the database's own words: who asks here has shown no token.
SENTENCES = {
    "not_migrated": "The database is not prepared yet.",
    "configuration": "A setting is not right; the server's log says which.",
    "database_unavailable": "The database does not answer.",
}


class Alive(BaseModel):
    """The process answers."""

    alive: Literal[True]


class Pool(BaseModel):
    """Connections to the database: kept open, in use, in use beyond those, and the most there may be."""

    size: int
    in_use: int
    overflow: int
    limit: int


class Ready(BaseModel):
    """The database answers and is prepared; `pool` is null where the engine keeps none."""

    ready: Literal[True]
    pool: Pool | None


class Problem(BaseModel):
    """A code for programs and a sentence for people."""

    code: Literal["not_migrated", "configuration", "database_unavailable"]
    message: str


class NotReady(BaseModel):
    """Nothing can be read or changed at the moment."""

    ready: Literal[False]
    error: Problem


class Watch:
    """Looks at the database in one thread, one look at a time: a database that hangs holds up nobody but that thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._worker = ThreadPoolExecutor(1, "evenbooks-watch")
        self._look: Future[str | None] | None = None
        self._begun = 0.0

    def trouble(self) -> str | None:
        """A code of SENTENCES, or None where all is well."""
        with self._lock:
            fresh = self._look and (not self._look.done() or time.monotonic() - self._begun < KEPT)
            if not self._look or not fresh:
                self._begun = time.monotonic()
                self._look = self._worker.submit(_look)
            look = self._look
        try:
            return look.result(PATIENCE)
        except TooSlow:
            return "database_unavailable"


def _look() -> str | None:
    try:
        require_ready(demo.attached())
    except EvenbooksError as error:
        log.warning("Not ready: %s: %s", type(error).__name__, error)
        kinds = {NotMigrated: "not_migrated", ConfigurationError: "configuration"}
        return kinds.get(type(error), "database_unavailable")
    except Exception:
        log.exception("Not ready")
        return "database_unavailable"
    return None


watch = Watch()
router = APIRouter(tags=["health"])


@router.get("/healthz", operation_id="healthz", response_model=Alive)
async def healthz() -> JSONResponse:
    """Whether the process answers; the database is not asked."""
    return JSONResponse({"alive": True})


@router.get("/readyz", operation_id="readyz", response_model=Ready, responses={503: {"model": NotReady}})
def readyz() -> JSONResponse:
    """Whether the database answers and is prepared, asked at most once a second; and how busy its connections are."""
    code = watch.trouble()
    if code:
        return JSONResponse({"ready": False, "error": {"code": code, "message": SENTENCES[code]}}, 503)
    return JSONResponse({"ready": True, "pool": pool_figures(demo.attached()) or None})
