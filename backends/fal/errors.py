"""fal.ai's refusals and failures in our errors. Source: fal.ai/docs, its pages on errors."""

from http import HTTPStatus
from typing import Any, Final

from backends.polling import RemoteForgotten
from generation.errors import BackendError, ContentBlocked, GenerationError, RateLimited, RequestRejected
from net.answers import read_json
from net.failures import DETAIL_CHARS, parse_retry_after, translate
from net.reasons import explanation, with_reason
from net.reply import Reply
from texts.text import _, joined

BLOCKED: Final = "content_policy_violation"
NO_CREDIT: Final = ("exhausted balance", "user is locked", "insufficient")  # no text: parts of their sentences
NOT_THERE: Final = "request not found"  # no text: their words
RATE_RETRY_AFTER_S: Final = 10.0
_NAMES: Final = {"image_size": "size", "width": "size", "height": "size", "image_urls": "image"}


def translate_failure(label: str, reply: Reply) -> GenerationError:
    """Return our error for an answer that is no success."""
    status, text = reply.status, explanation(reply.body)
    detail = f"HTTP {status}: {text}"[:DETAIL_CHARS]
    if reply.is_page:
        return translate(label, reply)
    words = reply.body.decode(errors="replace").casefold()
    if status == HTTPStatus.NOT_FOUND and NOT_THERE in words:
        return forgotten(label)
    if status == HTTPStatus.PAYMENT_REQUIRED or (
        status == HTTPStatus.FORBIDDEN and any(part in words for part in NO_CREDIT)
    ):
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
        return _rejected(label, reply, detail)
    return translate(label, reply)


def held_back(label: str) -> ContentBlocked:
    return _blocked(_("The filter of {label} held the picture back.", label=label), "", "has_nsfw_concepts")


def forgotten(label: str) -> RemoteForgotten:
    return RemoteForgotten(
        _("{label} no longer knows this picture.", label=label),
        detail="request not found",
        hint=_("Run it again if you like."),
        may_have_run=True,
    )


def _rejected(label: str, reply: Reply, detail: str) -> GenerationError:
    found = _first_of(reply.body)
    if found.get("type") == BLOCKED:
        listed = found.get("categories")
        reasons = [item for item in listed if isinstance(item, str)] if isinstance(listed, list) else []
        words = joined(", ", reasons) or str(found.get("msg") or "")
        return _blocked(_("The filter of {label} refuses this.", label=label), words, detail)
    place = found.get("loc")
    theirs = place[-1] if isinstance(place, list) and place and isinstance(place[-1], str) else ""
    field = _NAMES.get(theirs, theirs)
    what = _("the value of {name}", name=field.replace("_", " ")) if field else _("this request")
    sentence = with_reason(_("{label} does not accept {what}.", label=label, what=what), explanation(reply.body))
    return RequestRejected(sentence, field=field, detail=detail, hint=_("Try other settings."))


def _blocked(sentence: str, reason: str, detail: str) -> ContentBlocked:
    return ContentBlocked(
        with_reason(sentence, reason),
        field="prompt",
        detail=detail[:DETAIL_CHARS],
        hint=_("Word it differently, or draw elsewhere."),
    )


def _first_of(body: bytes) -> dict[str, Any]:
    """Return the first of the problems that an answer lists."""
    try:
        answer: Any = read_json(body)
    except ValueError:
        return {}
    detail = answer.get("detail") if isinstance(answer, dict) else answer
    first = detail[0] if isinstance(detail, list) and detail else None
    return first if isinstance(first, dict) else {}
