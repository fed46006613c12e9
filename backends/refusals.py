"""Refusals that many services give in the same sense: the words for people, the same for all of them."""

from typing import Any, Final

from backends.drawing_errors import drawing_error
from generation.errors import (
    BackendAuthError,
    BackendError,
    ContentBlocked,
    GenerationError,
    RateLimited,
    RequestRejected,
)
from net.answers import read_json
from net.failures import DETAIL_CHARS, parse_retry_after
from net.reasons import with_reason
from net.reply import Reply
from texts.text import _

RETRY_AFTER_S: Final = 10.0


def refused_key(label: str, detail: str) -> BackendAuthError:
    return BackendAuthError(
        _("{label} refuses the key.", label=label),
        detail=detail,
        hint=_("Its owner has to set one that is valid there."),
    )


def no_credit_left(label: str, detail: str) -> BackendError:
    return BackendError(
        _("The account at {label} has no credit left.", label=label),
        detail=detail,
        hint=_("Its owner has to pay there, or draw on another engine."),
    )


def slow_down(label: str, detail: str, wait_s: float) -> RateLimited:
    return RateLimited(
        _("{label} asks us to slow down.", label=label),
        detail=detail,
        retry_after=wait_s,
        hint=_("Wait a little."),
    )


def wait_of(reply: Reply, usual_s: float = RETRY_AFTER_S) -> float:
    """Return how long an answer asks to wait."""
    given = parse_retry_after(reply.headers.get("retry-after"))
    return usual_s if given is None else max(1.0, given)


def not_accepted(label: str, field: str, words: str, detail: str) -> RequestRejected:
    """Return the error for a value, or a whole request (no `field`), that it does not take, in its own words."""
    what = _("the value of {name}", name=field.replace("_", " ")) if field else _("this request")
    sentence = with_reason(_("{label} does not accept {what}.", label=label, what=what), words)
    return RequestRejected(sentence, field=field, detail=detail, hint=_("Try other settings."))


def held_back(label: str, detail: str, reason: str = "") -> ContentBlocked:
    """Return the error for a picture that was drawn, and that a filter keeps."""
    error = ContentBlocked(
        with_reason(_("The filter of {label} held the picture back.", label=label), reason),
        field="prompt",
        detail=detail[:DETAIL_CHARS],
        hint=_("Word it differently, or draw elsewhere; it may have been charged."),
    )
    error.may_have_run = True
    return error


def filtered(label: str, reason: str, detail: str) -> ContentBlocked:
    """Return the error for what a filter refuses, with its reason."""
    return ContentBlocked(
        with_reason(_("The filter of {label} refuses this.", label=label), reason),
        field="prompt",
        detail=detail[:DETAIL_CHARS],
        hint=_("Word it differently, or draw elsewhere."),
    )


def charged(label: str, words: str, detail: str) -> GenerationError:
    """Return the error for a run that failed where what had begun may be charged."""
    error = drawing_error(label, words, detail=detail)
    if isinstance(error, BackendError):
        error.may_have_run = True
    return error


def first_problem(body: bytes) -> dict[str, Any]:
    """Return the first of the problems that an answer of FastAPI lists."""
    try:
        answer: Any = read_json(body)
    except ValueError:
        return {}
    detail = answer.get("detail") if isinstance(answer, dict) else answer
    first = detail[0] if isinstance(detail, list) and detail else None
    return first if isinstance(first, dict) else {}


def place_of(problem: dict[str, Any]) -> str:
    """Return the field that a problem is about."""
    place = problem.get("loc")
    return place[-1] if isinstance(place, list) and place and isinstance(place[-1], str) else ""
