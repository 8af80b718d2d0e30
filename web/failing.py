"""What went wrong as JSON: one table from class of error to status and code, one shape for all of them."""

from __future__ import annotations

import json
import logging
import re
import traceback
from collections.abc import Mapping
from typing import Any

from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Match

from data import errors
from data.errors import EvenbooksError
from web.refusing import access, name_peer

log = logging.getLogger("evenbooks.api")

# The first class that fits, from the error's own upwards.
STATUS: dict[type[EvenbooksError], tuple[int, str]] = {
    errors.TokenRefused: (401, "token_refused"),
    errors.SignInRefused: (401, "sign_in_refused"),
    errors.NotPermitted: (403, "not_permitted"),
    errors.CustomerNotFound: (404, "customer_not_found"),
    errors.RequestNotFound: (404, "request_not_found"),
    errors.EmailTaken: (409, "email_taken"),
    errors.BooksMoved: (409, "books_moved"),
    errors.Conflict: (409, "conflict"),
    errors.InvalidInput: (422, "invalid_input"),
    errors.NotMigrated: (503, "not_migrated"),
    errors.OutcomeUnknown: (503, "outcome_unknown"),
    errors.DatabaseBusy: (503, "database_busy"),
    errors.DatabaseUnavailable: (503, "database_unavailable"),
    errors.DatabaseReadOnly: (503, "database_read_only"),
    errors.StaleReplica: (503, "stale_replica"),
    errors.ConfigurationError: (500, "misconfigured"),
    EvenbooksError: (500, "internal_error"),
}
# What clients read instead of words that name tables, servers, or what a driver said.
SENTENCES = {
    "internal_error": "Something went wrong on the server, and its log says what.",
    "misconfigured": "The server is not configured for this database, and its log says what is wrong.",
    "not_migrated": "The database is not prepared yet; the server's log says what is missing.",
    "database_unavailable": "The database does not answer. Try again in a moment.",
    "outcome_unknown": str(errors.OutcomeUnknown()),
    "database_busy": "The database is busy: others hold its locks. Nothing was changed; try again.",
    "database_read_only": "The database cannot be written to. Nothing was changed.",
    "conflict": "Another row of the database stands against this. Nothing was changed.",
    "invalid_input": "This cannot be kept or looked for in this database.",
}
HTTP = {
    404: ("not_found", "There is nothing at this address."),
    413: ("too_large", "The body of a request has at most 64 KiB."),
}
LATER = 5  # seconds after which a client may try again
MOST_PROBLEMS = 5


class Refused(Exception):
    """A request that is refused before it reaches the books."""

    def __init__(self, status: int, code: str, message: str, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(message)
        self.status, self.code, self.headers = status, code, dict(headers or {})


def as_json(content: Any, status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    """A JSON answer. Half a surrogate pair, which a client may have sent, becomes its JSON escape."""
    body = json.dumps(content, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "backslashreplace")
    return Response(body, status, headers, "application/json")


def describe(error: EvenbooksError) -> tuple[int, str, str]:
    """Status, code and sentence of an error of the books. What a driver said is not passed on.

    The log has it where the server is at fault; of a row that stands against a change it would name the values.
    """
    status, code = next(STATUS[kind] for kind in type(error).__mro__ if kind in STATUS)
    if isinstance(error, errors.StaleReplica):
        log.warning("%s: %s", code, error)
        return status, code, str(error)  # its words are our own
    if status >= 500:
        log.error("%s: %s", code, error)
    elif error.__cause__ is None or code not in SENTENCES:
        return status, code, str(error)
    return status, code, SENTENCES[code]


def answer_error(request: Request, error: Exception) -> Response:
    """Any error as `{"error": {"code", "message"}}`; a refusal is one line in the log."""
    status, code, message, headers = _told(request, error)
    if status in (401, 403, 429):
        log_refusal(request, status, code)
    return as_json({"error": {"code": code, "message": message}}, status, headers)


def _told(request: Request, error: Exception) -> tuple[int, str, str, dict[str, str]]:
    if isinstance(error, Refused):
        return error.status, error.code, str(error), error.headers
    if isinstance(error, EvenbooksError):
        status, code, message = describe(error)
        again = status == 503 and not isinstance(error, errors.OutcomeUnknown)  # which may have been done
        return status, code, message, {"Retry-After": str(LATER)} if again else {}
    if isinstance(error, RequestValidationError):
        return 422, "invalid_input", _sentences(error), {}
    if isinstance(error, HTTPException):
        return _http(request, error)
    # Without the error's words: those of a driver hold the values of a row.
    frames = "".join(traceback.format_tb(error.__traceback__))
    log.error("internal_error: %s\n%s", name_error(error), frames)
    return 500, "internal_error", SENTENCES["internal_error"], {}


def name_error(error: BaseException) -> str:
    """An error's class, and of one of the database the number that the driver gives it."""
    arguments = getattr(getattr(error, "orig", None), "args", ())
    number = arguments[0] if arguments and isinstance(arguments[0], int) else None
    return type(error).__name__ if number is None else f"{type(error).__name__} {number}"


def _http(request: Request, error: HTTPException) -> tuple[int, str, str, dict[str, str]]:
    if error.status_code == 405:
        allowed = ", ".join(allowed_methods(request))
        return (
            405,
            "method_not_allowed",
            f"{request.method} is not possible here; these are: {allowed}.",
            {"Allow": allowed},
        )
    if error.status_code == 400:
        return 422, "invalid_input", "The body cannot be read; it should be JSON.", {}
    code, message = HTTP.get(error.status_code, ("internal_error", SENTENCES["internal_error"]))
    return error.status_code, code, message, {}


def allowed_methods(request: Request) -> list[str]:
    """Every method of this path: each is a route of its own, and starlette names only the first one's."""
    found = [route for route in request.app.routes if route.matches(request.scope)[0] is not Match.NONE]
    return sorted({method for route in found for method in getattr(route, "methods", None) or ()})


def _sentences(error: RequestValidationError) -> str:
    """The first problems, each with the parameter or key that it is about; what was sent is not repeated."""
    problems = [_sentence(dict(problem)) for problem in error.errors()]
    return " ".join(dict.fromkeys(problems[:MOST_PROBLEMS]))


def _sentence(problem: dict[str, Any]) -> str:
    where = ".".join(str(part) for part in problem["loc"][1:] if not str(part).startswith(("function-", "tagged-")))
    if problem["type"] == "json_invalid":
        return "The body is not JSON."
    if tuple(problem["loc"]) == ("body",):
        return "Send a JSON object as application/json."
    if problem["type"] == "extra_forbidden":
        return f"{where} is not a key that is known here."
    return f"{where}: {problem['msg'].removeprefix('Value error, ').rstrip('.')}."


def log_refusal(request: Request, status: int, code: str) -> None:
    """Who was refused what. Neither the token's secret nor the query, which may name a person."""
    peer = name_peer(request.scope)
    token = getattr(request.state, "token_id", None) or "-"
    access.warning("refused %s %s %s %s %s token=%s", peer, request.method, _path(request), status, code, token)


def _path(request: Request) -> str:
    """The path as the route has it, with the id where that is a number: as text it may be a name or an address."""
    ids = {n: v if re.fullmatch(r"-?[0-9]{1,19}", v) else "..." for n, v in request.path_params.items()}
    return str(request.scope["route"].path_format).format(**ids)
