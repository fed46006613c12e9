"""Black Forest Labs' refusals and failures in our errors. Source: docs.bfl.ai, its page on errors."""

from http import HTTPStatus
from typing import Any, Final

from backends.bfl.answers import BflResult
from backends.drawing_errors import drawing_error
from backends.polling import RemoteForgotten
from generation.errors import (
    BackendError,
    ContentBlocked,
    GenerationError,
    RateLimited,
    RequestRejected,
    UnexpectedAnswer,
)
from net.answers import read_json
from net.failures import DETAIL_CHARS, parse_retry_after, translate
from net.reasons import explanation, with_reason
from net.reply import Reply
from texts.text import _

NOT_FOUND: Final = "Task not found"  # no text: their word
RATE_RETRY_AFTER_S: Final = 10.0
_NAMES: Final = {"width": "size", "height": "size", "input_image": "image"}


def translate_failure(label: str, reply: Reply) -> GenerationError:
    """Return our error for an answer that is no success."""
    status, text = reply.status, explanation(reply.body)
    detail = f"HTTP {status}: {text}"[:DETAIL_CHARS]
    if reply.is_page:
        return translate(label, reply)
    if status == HTTPStatus.NOT_FOUND and NOT_FOUND.encode() in reply.body:
        return forgotten(label)
    if status == HTTPStatus.PAYMENT_REQUIRED:
        return BackendError(
            _("The account at {label} has no credit left.", label=label),
            detail=detail,
            hint=_("Its owner has to pay there, or draw on another engine."),
        )
    if status == HTTPStatus.TOO_MANY_REQUESTS:
        given = parse_retry_after(reply.headers.get("retry-after"))
        return RateLimited(
            _("{label} asks us to slow down.", label=label),
            detail=detail,
            retry_after=RATE_RETRY_AFTER_S if given is None else max(1.0, given),
            hint=_("Wait a little."),
        )
    if status in {HTTPStatus.BAD_REQUEST, HTTPStatus.UNPROCESSABLE_ENTITY}:
        theirs = _field_of(reply.body)
        field = _NAMES.get(theirs, theirs)
        what = _("the value of {name}", name=field.replace("_", " ")) if field else _("this request")
        sentence = with_reason(_("{label} does not accept {what}.", label=label, what=what), text)
        return RequestRejected(sentence, field=field, detail=detail, hint=_("Try other settings."))
    return translate(label, reply)


def ended(label: str, result: BflResult) -> GenerationError:
    """Return why a job that has ended drew nothing."""
    status = result.status
    if status in {"Request Moderated", "Content Moderated"}:
        sentence = (
            _("The filter of {label} refuses this.", label=label)
            if status == "Request Moderated"
            else _("The filter of {label} held the picture back.", label=label)
        )
        return ContentBlocked(
            with_reason(sentence, result.reasons),
            field="prompt",
            detail=f"{status}: {result.reasons}"[:DETAIL_CHARS],
            hint=_("Word it differently, or draw elsewhere."),
        )
    if status == NOT_FOUND:
        return forgotten(label)
    if status == "Ready":
        return UnexpectedAnswer(_("{label} answered without a picture.", label=label), may_have_run=True)
    error = drawing_error(label, str(result.details or ""), detail=status)
    if isinstance(error, BackendError):
        error.may_have_run = True
    return error


def forgotten(label: str) -> RemoteForgotten:
    return RemoteForgotten(
        _("{label} no longer knows this picture.", label=label),
        detail=NOT_FOUND,
        hint=_("It keeps one for ten minutes. Run it again if you like."),
        may_have_run=True,
    )


def _field_of(body: bytes) -> str:
    """Return the field that FastAPI complains of."""
    try:
        answer: Any = read_json(body)
    except ValueError:
        return ""
    detail = answer.get("detail") if isinstance(answer, dict) else None
    first = detail[0] if isinstance(detail, list) and detail else None
    place = first.get("loc") if isinstance(first, dict) else None
    return place[-1] if isinstance(place, list) and place and isinstance(place[-1], str) else ""
