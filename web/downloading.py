"""GET /downloads/<secret>: the file that somebody asked for on a page, once, to that person, as a stream."""

from __future__ import annotations

import logging
import tempfile
from collections.abc import AsyncIterator, Callable
from functools import partial
from typing import IO

from anyio import to_thread
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response, StreamingResponse
from starlette.routing import Route

from data import downloads, exports
from data.access import Actor
from data.demo import attached
from data.downloads import Download
from data.errors import DownloadNotFound, EvenbooksError, NotPermitted, SignInRefused
from web.failing import Refused, describe, name_error
from web.guarding import DOWNLOADS
from web.refusing import Refusal
from web.threads import READERS, run_in_thread

log = logging.getLogger("evenbooks.downloads")

TYPES = {"csv": "text/csv; charset=utf-8", "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"}
CHUNK = 256 * 1024
NOTHING = "There is nothing here."
# What somebody reads who opens such an address by hand.
OPENED = {
    "not_found": "This link was used, has expired, or is not yours. Ask for the file again on its page.",
    "not_permitted": "Your role may not have this file.",
}
LATER = "The file could not be made just now. Ask for it again on its page."
OWN = ("same-origin", "none")  # a page of ours, or somebody who opened the address


def make_app(who: Callable[[Request], Actor]) -> Starlette:
    """The route; `who` says who asks, by the same rules as the pages. Raises SignInRefused for nobody."""

    async def answer(request: Request) -> Response:
        try:
            if request.method != "GET" or request.headers.get("sec-fetch-site", "none") not in OWN:
                raise DownloadNotFound
            return await _send(request, who)
        except Exception as error:
            refused = _told(error)
            return _in_words(refused) if "text/html" in request.headers.get("accept", "") else refused

    return Starlette(routes=[Route(f"{DOWNLOADS}/{{secret}}", answer)])


async def _send(request: Request, who: Callable[[Request], Actor]) -> Response:
    """The first page of a CSV file is read before the answer begins, so that a database that does not answer is a 503."""
    made = await run_in_thread(partial(_fetch, request, who))
    headers = {"Content-Disposition": f'attachment; filename="{made.name}"'}
    parts = _workbook(made)
    if made.form == "csv":
        lines = exports.csv_pages(made.sheets[0])
        first = await to_thread.run_sync(next, lines, limiter=READERS)
        parts = _lines(first, partial(next, lines, None))
    return StreamingResponse(_watched(made, parts), headers=headers, media_type=TYPES[made.form])


def _fetch(request: Request, who: Callable[[Request], Actor]) -> Download:
    return downloads.fetch(attached(), request.path_params["secret"], actor=who(request))


async def _lines(first: str, following: Callable[[], str | None]) -> AsyncIterator[bytes]:
    yield first.encode()
    while (page := await to_thread.run_sync(following, limiter=READERS)) is not None:
        yield page.encode()


async def _workbook(made: Download) -> AsyncIterator[bytes]:
    """A workbook's beginning is written last, so it is made whole first, in a file without a name that is gone with it."""
    with tempfile.TemporaryFile(prefix="evenbooks-") as file:
        await to_thread.run_sync(exports.write_xlsx, made.sheets, file, limiter=READERS)
        file.seek(0)
        while chunk := await to_thread.run_sync(_read, file):
            yield chunk


def _read(file: IO[bytes]) -> bytes:
    return file.read(CHUNK)


async def _watched(made: Download, parts: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    """The stream, broken off where it fails, so that nobody takes a part for the whole."""
    try:
        async for part in parts:
            yield part
    except Exception as error:
        log.error("%s broke off: %s", made.name, name_error(error))
        raise ConnectionAbortedError(f"{made.name} broke off") from None


def _in_words(refused: Refusal) -> Response:
    """The same for a browser: a sentence."""
    return PlainTextResponse(OPENED.get(refused.code, LATER), refused.status_code)


def _told(error: Exception) -> Refusal:
    """Whoever may not have the file reads the same as whoever made the address up."""
    if isinstance(error, DownloadNotFound | SignInRefused):
        return Refusal(404, "not_found", NOTHING)
    if isinstance(error, NotPermitted):
        return Refusal(403, "not_permitted", "Your role may not do this.")
    if isinstance(error, Refused):
        return Refusal(error.status, error.code, str(error))
    if isinstance(error, EvenbooksError):
        return Refusal(*describe(error))
    log.error("a download failed: %s", name_error(error))
    return Refusal(500, "internal_error", "This did not work. What happened is in the server's log.")
