"""Errors as JSON: one sentence of what happened, one of what to do; never a traceback, a path or an address."""

import logging
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException

from api.context import web_of
from api.schemas.jobs import ErrorOut
from generation.errors import GenerationError, NotAllowed, RequestRejected
from services.refusals import SignInNeeded, error_body, retry_after, wrong_value
from texts.text import _, render

log = logging.getLogger(__name__)

JSON_HINT: Final = _('Send an object, like {{"prompt": "a red fox"}}.')

STATUS: Final = {  # by the code of the error
    "request_rejected": 400,
    "not_capable": 422,
    "content_blocked": 400,
    "limit_reached": 429,
    "budget_exceeded": 429,
    "price_not_agreed": 402,
    "not_allowed": 403,
    "banned": 403,
    "house_rule": 403,
    "over_cap": 422,
    "sign_in": 401,
    "not_found": 404,
    "gone": 410,
    "too_large": 413,
    "store_unavailable": 503,
    "backend_unavailable": 503,
    "rate_limited": 503,
    "timed_out": 504,
}
BY_STATUS: Final = {
    404: ("not_found", _("There is nothing at this address.")),
    405: ("not_allowed", _("This address does not take that method.")),
    408: ("request_rejected", _("The request took too long to arrive. Please send it again.")),
    413: ("too_large", _("That is too much at once.")),
}

MEANINGS: Final = {
    400: _("The request is invalid; the answer names the value and what is allowed."),
    401: _("Sign in or send an API key."),
    402: _("It costs more than the caller has agreed to: send `max_cost_usd`."),
    403: _("The caller may not do this."),
    404: _("There is no such thing, or it is not the caller's to see."),
    408: _("The request took too long to arrive."),
    409: _("It has ended already."),
    410: _("It was here and has expired."),
    413: _("The request is too large."),
    415: _("The body is compressed, or of a kind that is not taken."),
    421: _("This server does not answer to that name."),
    422: _("A value is missing, of the wrong kind or out of its range."),
    429: _("Too much at once; Retry-After says when to try again."),
    500: _("Easel made a mistake."),
    502: _("The engine failed."),
    503: _("The engine or the store does not answer now."),
    504: _("The engine took too long."),
}

SCHEMAS: Final = "#/components/schemas/"
ERROR_CONTENT: Final = {"application/json": {"schema": {"$ref": f"{SCHEMAS}{ErrorOut.__name__}"}}}


class CrossSite(NotAllowed):
    """This request came from another site's page. Reload the studio and try again."""


class NotFound(GenerationError):
    """There is no such thing here."""

    code = "not_found"


class Gone(GenerationError):
    """This picture has expired."""

    code = "gone"


def errors(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """Describe the errors of a route for the API's description; `create_app` adds the schema they refer to.

    A model here would be made into a validator of its own for each status of each route, when the first request comes.
    """
    return {status: {"description": MEANINGS[status], "content": ERROR_CONTENT} for status in statuses}


@contextmanager
def missing(field: str, kind: type[GenerationError] = NotFound) -> Iterator[None]:
    """Raise a refusal about `field` as what it is to a caller who named it in the address: there is no such thing."""
    try:
        yield
    except RequestRejected as error:
        if error.field != field:
            raise
        raise kind(error.user_message, hint=error.hint) from error


def status_of(error: GenerationError) -> int:
    return STATUS.get(error.code, 502)


def headers_of(error: GenerationError) -> dict[str, str]:
    wait_s = retry_after(error)
    headers = {"Retry-After": str(wait_s)} if wait_s is not None else {}
    return headers | ({"WWW-Authenticate": "Bearer"} if error.code == "sign_in" else {})


def rejection(error: RequestValidationError) -> dict[str, Any]:
    """Return which value is wrong and what would be right, from what pydantic found first."""
    found = error.errors()[0]
    if found["type"] == "json_invalid" or tuple(found["loc"]) == ("body",):
        return plain(400, _("The request body is not a JSON object.")) | {"hint": render(JSON_HINT)}
    place = [str(part) for part in found["loc"] if part not in ("body", "query", "path", "header")]
    return wrong_value(dict(found), ".".join(place))


def plain(status: int, detail: object) -> dict[str, Any]:
    """The body for an error that the framework raised."""
    code, words = BY_STATUS.get(status, ("request_rejected", str(detail)))
    return {"error": render(words), "hint": "", "field": None, "code": code, "retry_after": None}


def add_error_handlers(app: FastAPI) -> None:
    """Answer every error in one form."""

    @app.exception_handler(GenerationError)
    async def known(request: Request, error: GenerationError) -> JSONResponse:
        if status_of(error) >= 500:
            log.warning("a request failed", extra={"action": "api_failed", "error": str(error)})
        body = error_body(error)
        if isinstance(error, SignInNeeded):
            body["sign_in_url"] = web_of(request).sign_in_url or None
        return JSONResponse(body, status_of(error), headers_of(error))

    @app.exception_handler(RequestValidationError)
    async def invalid(request: Request, error: RequestValidationError) -> JSONResponse:
        return JSONResponse(rejection(error), 422)

    @app.exception_handler(HTTPException)
    async def framework(request: Request, error: HTTPException) -> JSONResponse:
        return JSONResponse(plain(error.status_code, error.detail), error.status_code, error.headers)

    @app.exception_handler(Exception)
    async def unknown(request: Request, error: Exception) -> JSONResponse:
        trace = secrets.token_hex(3)
        log.error("a request crashed", exc_info=error, extra={"action": "api_failed", "trace": trace})
        body = {
            "error": _("Easel made a mistake. Please try again."),
            "hint": _("Tell its owner this number: {trace}.", trace=trace),
        }
        return JSONResponse(body | {"field": None, "code": "internal", "retry_after": None}, 500)
