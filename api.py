"""The REST API: parse, ask the books, answer JSON. Runs under serve.py, and alone: `uvicorn api:app`."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp

from data.errors import EvenbooksError
from web import changing, customers, exporting, health, reports, requests
from web.describing import describe
from web.failing import answer_error, as_json
from web.guarding import STRICT_POLICY, BodyLimit, SecurityHeaders
from web.logs import set_up_logging
from web.threads import run_in_thread

DESCRIPTION = (
    "Delete customers, keep the books even. Every answer is JSON, errors included, but for `deleted.csv`. "
    "Unknown parameters and keys are refused. Money is text, exact; times are UTC."
)


@asynccontextmanager
async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
    """The log, where the API is alone: under serve.py nothing comes by here."""
    set_up_logging()
    yield


class Api(FastAPI):
    """FastAPI, with a document that knows the shop, and with headers on every answer, also those of what fails."""

    def build_middleware_stack(self) -> ASGIApp:
        """Everything, behind the headers; under serve.py its own are there already, and these step back."""
        return SecurityHeaders(super().build_middleware_stack(), policy=STRICT_POLICY, https=False)

    def openapi(self) -> dict[str, Any]:
        """The OpenAPI document of the attached shop."""
        return describe(super().openapi())


app = Api(
    title="Evenbooks",
    version="1",
    description=DESCRIPTION,
    openapi_url=None,
    docs_url=None,
    redoc_url=None,
    redirect_slashes=False,
    lifespan=lifespan,
)
# The routes themselves: an included router would look every path up twice.
for router in (changing.router, customers.router, exporting.router, requests.router, reports.router, health.router):
    app.router.routes.extend(router.routes)


@app.get("/staff/openapi.json", include_in_schema=False)
async def show_document() -> Response:
    """The OpenAPI document, made in a thread: it asks the database for the fields of a customer."""
    return await run_in_thread(lambda: as_json(app.openapi()))


async def answer(request: Request, error: Exception) -> Response:
    """What goes wrong outside of the routes: unknown paths and methods."""
    return answer_error(request, error)


for kind in (HTTPException, RequestValidationError, EvenbooksError, Exception):
    app.add_exception_handler(kind, answer)
app.add_middleware(BodyLimit)
