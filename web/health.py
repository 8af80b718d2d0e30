"""Whether the process lives, and whether it can work: for whoever watches it."""

from __future__ import annotations

import asyncio
import logging
import time
import traceback
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any, Generic, Literal, TypeVar

from fastapi import APIRouter
from fastapi.responses import JSONResponse
from pydantic import BaseModel

from data import demo
from data.database import Database
from data.errors import ConfigurationError, EvenbooksError, NotMigrated
from data.pool import pool_figures, require_ready
from data.replica import Freshness, freshness
from web.admitting import ERRORS, FAILED
from web.failing import name_error

log = logging.getLogger("evenbooks")
T = TypeVar("T")

PATIENCE = 2.0  # seconds that an answer waits for the database
REPLICA_PATIENCE = 0.5  # seconds for the replica; whoever watches may not wait long, and it makes nothing unready
KEPT = 1.0  # seconds for which a look is good enough

# What went wrong, without the database's own words: who asks here has shown no token.
SENTENCES = {
    "not_migrated": "The database is not prepared yet.",
    "configuration": "A setting is not right; the server's log says which.",
    "database_unavailable": "The database does not answer.",
}
FULL = "Every connection to the database is in use."

TOO_LARGE: dict[int | str, dict[str, Any]] = {413: {"description": ERRORS[413], "content": FAILED}}


class Alive(BaseModel):
    """The process answers."""

    alive: Literal[True]


class Pool(BaseModel):
    """Connections to the database: kept open, in use, in use beyond those, and the most there may be."""

    size: int
    in_use: int
    overflow: int
    limit: int


class Reports(BaseModel):
    """The replica that exports are read from: seconds behind (null: not known), the most allowed, and whether it is read."""

    lag: float | None
    limit: int
    fresh: bool


class Ready(BaseModel):
    """The database answers and is prepared; `pool` is null where the engine keeps none, `reports` without a replica."""

    ready: Literal[True]
    pool: Pool | None
    reports: Reports | None


class Problem(BaseModel):
    """A code for programs and a sentence for people."""

    code: Literal["not_migrated", "configuration", "database_unavailable"]
    message: str


class NotReady(BaseModel):
    """Nothing can be read or changed at the moment; `pool` is null where none is known."""

    ready: Literal[False]
    error: Problem
    pool: Pool | None


class Watch(Generic[T]):
    """Looks in one thread of its own, one look at a time: a database that hangs holds up nobody but that thread."""

    def __init__(self, look: Callable[[], T]) -> None:
        self._worker = ThreadPoolExecutor(1, "evenbooks-watch")
        self._do_look = look
        self._look: Future[T] | None = None
        self._begun = 0.0

    async def look(self, patience: float) -> T | None:
        """What was seen, or None where so many seconds were not enough. Waits in no thread of the server's."""
        look = self._look
        if look is None or (look.done() and time.monotonic() - self._begun >= KEPT):
            self._begun = time.monotonic()
            look = self._look = self._worker.submit(self._do_look)
        if not look.done():
            await asyncio.wait({asyncio.wrap_future(look)}, timeout=patience)
        return look.result() if look.done() else None


def look_at_database() -> Database | str:
    """The database, or a code of SENTENCES."""
    global _seen
    try:
        database = _seen = demo.attached()
        require_ready(database)
    except EvenbooksError as error:
        log.warning("Not ready: %s: %s", type(error).__name__, error)
        kinds = {NotMigrated: "not_migrated", ConfigurationError: "configuration"}
        return next((code for kind, code in kinds.items() if isinstance(error, kind)), "database_unavailable")
    except Exception as error:
        log.error("Not ready: %s\n%s", name_error(error), "".join(traceback.format_tb(error.__traceback__)))
        return "database_unavailable"
    return database


def look_at_replica() -> Freshness | None:
    """How far the replica is behind; None without one."""
    global _last
    _last = freshness(demo.attached())
    return _last


async def _reports(database: Database) -> dict[str, Any] | None:
    """What is said of the replica, which makes nothing unready."""
    if database.settings.reports_url is None:
        return None
    found: Freshness | None = None
    try:
        found = await replica_watch.look(REPLICA_PATIENCE) or _last
    except Exception as error:
        log.error("The replica: %s", name_error(error))
    found = (found or Freshness(None, database.settings.server.replica_lag, trouble="unreadable")).by_now()
    lag = None if found.lag is None else round(found.lag, 1)
    return {"lag": lag, "limit": found.limit, "fresh": found.trouble is None}


watch = Watch(look_at_database)
replica_watch = Watch(look_at_replica)
_last: Freshness | None = None
_seen: Database | None = None
router = APIRouter(tags=["health"])


@router.head("/healthz", include_in_schema=False)
@router.get("/healthz", operation_id="healthz", response_model=Alive, responses=TOO_LARGE)
async def healthz() -> JSONResponse:
    """Whether the process answers; the database is not asked."""
    return JSONResponse({"alive": True})


@router.head("/readyz", include_in_schema=False)
@router.get("/readyz", operation_id="readyz", response_model=Ready, responses={503: {"model": NotReady}, **TOO_LARGE})
async def readyz() -> JSONResponse:
    """Whether the database answers and is prepared, asked at most once a second; how busy its connections are; and the replica."""
    seen = await watch.look(PATIENCE) or "database_unavailable"
    if isinstance(seen, str):
        pool = pool_figures(_seen) if _seen else {}  # a full one is why nothing answers
        full = seen == "database_unavailable" and pool and pool["in_use"] >= pool["limit"]
        problem = {"code": seen, "message": FULL if full else SENTENCES[seen]}
        return JSONResponse({"ready": False, "error": problem, "pool": pool or None}, 503)
    return JSONResponse({"ready": True, "pool": pool_figures(seen) or None, "reports": await _reports(seen)})
