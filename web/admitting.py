"""Who may come in: tokens, the limit on failed tries, and the route that asks before anything else."""

from __future__ import annotations

import time
from collections.abc import Callable, Coroutine
from functools import partial, wraps
from typing import Any
from urllib.parse import parse_qsl

from fastapi import APIRouter, Request, Response
from fastapi.routing import APIRoute
from limits import RateLimitItemPerMinute
from limits.storage import MemoryStorage
from limits.strategies import MovingWindowRateLimiter
from starlette.convertors import StringConvertor, register_url_convertor

from data import tokens
from data.access import Actor, Permission
from data.demo import attached
from data.errors import TokenRefused
from web.failing import Refused, answer_error
from web.threads import run_in_thread

# A constant rate would allow twice as many around the turn of a minute.
FAILURES = RateLimitItemPerMinute(60)
failures = MovingWindowRateLimiter(MemoryStorage())
# Paths of their own; a customer whose text id is one of them is reached by ?id=.
OWN_PATHS = ("deleted", "deleted.csv", "history", "restore")
ERRORS = {
    401: "No token, or one that is refused.",
    403: "The token's role may not do this.",
    404: "There is no such customer, or no such request.",
    409: "Something stands against it; nothing was changed.",
    413: "The body is larger than 64 KiB.",
    422: "A parameter or the body cannot be used.",
    429: "Too many refused tokens from this address.",
    500: "Something went wrong; the server's log says what.",
    503: "The database does not answer, is not prepared, or is busy; or the replica is too far behind.",
}
# By reference: a `model` would be told as CSV where the answer is.
FAILED = {"application/json": {"schema": {"$ref": "#/components/schemas/Failed"}}}
SECONDS = {"Retry-After": {"description": "Seconds.", "schema": {"type": "integer"}}}
HEADERS = {401: {"WWW-Authenticate": {"schema": {"type": "string"}}}, 429: SECONDS, 503: SECONDS}
ALWAYS = (401, 403, 413, 422, 429, 500, 503)


class CustomerKey(StringConvertor):
    """A customer's id in a path: opaque text, but none of the paths that stand in its place."""

    regex = rf"(?!(?:{'|'.join(word.replace('.', '[.]') for word in OWN_PATHS)})$)[^/]+"


register_url_convertor("customer", CustomerKey())


def admit(request: Request, permission: Permission) -> Actor:
    """Who asks, by the token that was sent. Raises Refused, NotPermitted, or what the database raises."""
    request.state.token_id = None
    bearer = _bearer(request)
    request.state.token_id = tokens.public_id(bearer)
    try:
        actor = tokens.check(attached(), bearer)
    except TokenRefused as error:
        raise _refusal(request, error) from None
    actor.require(permission)
    return actor


def _bearer(request: Request) -> str:
    sent = request.headers.getlist("authorization")
    scheme, _, bearer = (sent[0] if len(sent) == 1 else "").partition(" ")
    if scheme.lower() != "bearer" or not bearer.strip():
        words = "Send a token: Authorization: Bearer evb_... (python -m data.tokens makes one)."
        raise Refused(401, "no_token", words, {"WWW-Authenticate": "Bearer"})
    return bearer.strip()


def _refusal(request: Request, error: TokenRefused) -> Refused:
    """401, or 429 from the 61st refused token of this address within a minute on."""
    peer = request.client.host if request.client else "unknown"
    if failures.hit(FAILURES, peer):
        headers = {"WWW-Authenticate": 'Bearer error="invalid_token"'}
        return Refused(401, "token_refused", str(error), headers)
    wait = max(1, int(failures.get_window_stats(FAILURES, peer).reset_time - time.time()) + 1)
    words = "Too many refused tokens from this address. Wait, then try again."
    return Refused(429, "too_many_tries", words, {"Retry-After": str(wait)})


class Guarded(APIRoute):
    """A route that answers nobody without a token of the right role: not with what it finds, nor with what is wrong.

    The token is looked up in the thread that does the work; a second change of threads costs a tenth of a millisecond.
    """

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """The handler that FastAPI made, behind the guard; whatever goes wrong is answered as JSON."""
        answer = super().get_route_handler()
        permission: Permission = self.endpoint.permission  # type: ignore[attr-defined]
        known = {parameter.alias for parameter in self.dependant.query_params}

        async def read_and_answer(request: Request) -> Response:
            try:
                _refuse_unknown(request, known)
                return await answer(request)
            except Exception:
                # What is wrong with a request is told only to who may make it.
                if not hasattr(request.state, "token_id"):
                    await run_in_thread(partial(admit, request, permission))
                raise

        async def handle(request: Request) -> Response:
            try:
                return await read_and_answer(request)
            except Exception as error:
                return answer_error(request, error)

        return handle


def _refuse_unknown(request: Request, known: set[str]) -> None:
    """A mistyped parameter would otherwise be a filter that does not filter, or a reason that is lost."""
    query = request.scope["query_string"]
    if not query:
        return
    names = [name for name, _ in parse_qsl(query.decode("latin-1"), keep_blank_values=True)]
    for name in names:
        if name not in known:
            these = f"; these are: {', '.join(sorted(known))}" if known else ""
            raise Refused(422, "invalid_input", f"{name[:50]} is not a parameter here{these}.")
        if names.count(name) > 1:
            raise Refused(422, "invalid_input", f"{name} is given twice.")


def new_router(tag: str) -> APIRouter:
    """A router whose routes are guarded."""
    return APIRouter(route_class=Guarded, tags=[tag])


def route(
    router: APIRouter,
    method: str,
    path: str,
    permission: Permission,
    *,
    answers: Any,
    status: int = 200,
    errors: tuple[int, ...] = (),
    **more: Any,
) -> Callable[[Callable[..., Response]], Callable[..., Response]]:
    """Adds an endpoint that needs this permission, and says in the OpenAPI document all that it may answer."""
    told: dict[int | str, dict[str, Any]] = {
        code: {"description": ERRORS[code], "content": FAILED, "headers": HEADERS.get(code, {})}
        for code in sorted({*ALWAYS, *errors})
    }

    def add(endpoint: Callable[..., Response]) -> Callable[..., Response]:
        @wraps(endpoint)
        async def admitted(request: Request, **given: Any) -> Response:
            def work() -> Response:
                request.state.actor = admit(request, permission)
                return endpoint(request, **given)

            return await run_in_thread(work)

        admitted.permission = permission  # type: ignore[attr-defined]
        extra = {"security": [{"bearer": []}], "x-permission": str(permission)}
        router.add_api_route(
            path,
            admitted,
            methods=[method],
            response_model=answers,
            status_code=status,
            operation_id=endpoint.__name__,
            responses={**more.pop("responses", {}), **told},
            openapi_extra=extra,
            **more,
        )
        return endpoint

    return add
