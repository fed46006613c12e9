"""Stability AI's refusals and failures in our errors.

Sources: its REST reference (`{id, name, errors}` of v2beta, `{id, name, message}` of v1), and public logs for the 402.
"""

from http import HTTPStatus
from typing import Any, Final

from generation.errors import (
    BackendAuthError,
    BackendError,
    BackendUnavailable,
    ContentBlocked,
    GenerationError,
    RateLimited,
    RequestRejected,
)
from net.answers import read_json
from net.failures import DETAIL_CHARS, UNCLEAR_ATTEMPTS, parse_retry_after, translate
from net.reasons import explanation, with_reason
from net.reply import Reply
from texts.text import _

RATE_RETRY_AFTER_S: Final = 60.0
MODERATION: Final = "content_moderation"
_FIELDS: Final = {
    "prompt": "prompt", "negative_prompt": "negative_prompt", "seed": "seed", "image": "image", "mask": "mask",
    "strength": "denoising_strength", "cfg_scale": "cfg_scale", "aspect_ratio": "size",
}  # fmt: skip


def translate_failure(label: str, reply: Reply) -> GenerationError:
    """Return our error for an answer that is no success."""
    status, name, text = reply.status, *_named(reply.body)
    detail = f"HTTP {status} {name}: {text}"[:DETAIL_CHARS]
    if reply.is_page or not text:
        return translate(label, reply)
    if status == HTTPStatus.PAYMENT_REQUIRED:
        return BackendError(
            _("The account at {label} has no credit left.", label=label),
            detail=detail,
            hint=_("Its owner has to pay there, or draw on another engine."),
        )
    if name == MODERATION:
        return ContentBlocked(
            _("The filter of {label} refuses this; nothing was charged.", label=label),
            field="prompt",
            detail=detail,
            hint=_("Word it differently, or draw elsewhere."),
        )
    if status in {HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN}:
        return BackendAuthError(
            _("{label} refuses the key.", label=label),
            detail=detail,
            hint=_("Its owner has to set one that is valid there."),
        )
    if status == HTTPStatus.TOO_MANY_REQUESTS:
        given = parse_retry_after(reply.headers.get("retry-after"))
        return RateLimited(
            _("{label} asks us to slow down.", label=label),
            detail=detail,
            retry_after=RATE_RETRY_AFTER_S if given is None else max(1.0, given),
            hint=_("Wait a little."),
        )
    if status in {HTTPStatus.BAD_REQUEST, HTTPStatus.UNPROCESSABLE_ENTITY, HTTPStatus.REQUEST_ENTITY_TOO_LARGE}:
        return _refused(label, text, detail)
    if status == HTTPStatus.INTERNAL_SERVER_ERROR:
        return BackendUnavailable(
            with_reason(_("{label} failed inside.", label=label), text.split(". ")[0]),
            detail=detail,
            hint=_("Try again in a moment; nothing was charged."),
            max_attempts=UNCLEAR_ATTEMPTS,
        )
    return translate(label, reply)


def held_back(label: str) -> ContentBlocked:
    """Return the error for a picture that came blurred."""
    return ContentBlocked(
        _("The filter of {label} held the picture back.", label=label),
        field="prompt",
        detail="finish reason CONTENT_FILTERED",
        hint=_("Word it differently, or draw elsewhere; it may have been charged."),
    )


def _refused(label: str, text: str, detail: str) -> RequestRejected:
    word = text.partition(":")[0].strip()
    field = _FIELDS.get(word, "")
    what = _("the value of {name}", name=field.replace("_", " ")) if field else _("this request")
    sentence = with_reason(_("{label} does not accept {what}.", label=label, what=what), text)
    return RequestRejected(sentence, field=field, detail=detail, hint=_("Try other settings."))


def _named(body: bytes) -> tuple[str, str]:
    """Return the name of an error, and the first thing that it says."""
    try:
        answer: Any = read_json(body)
    except ValueError:
        return "", ""
    if not isinstance(answer, dict):
        return "", ""
    name, listed = answer.get("name"), answer.get("errors")
    text = next((entry for entry in listed if isinstance(entry, str)), "") if isinstance(listed, list) else ""
    return name if isinstance(name, str) else "", text or explanation(body)
