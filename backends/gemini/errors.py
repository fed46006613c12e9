"""The Gemini API's refusals and failures in our errors.

Source: its REST reference (`{"error": {code, message, status, details}}`, the finish reasons), and public logs. A key
that is wrong is a 400 there.
"""

import re
from collections.abc import Iterator
from http import HTTPStatus
from typing import Any, Final

from backends.gemini.answers import GeminiAnswer
from backends.refusals import slow_down
from generation.errors import (
    BackendAuthError,
    BackendError,
    BackendUnavailable,
    CapabilityError,
    ContentBlocked,
    GenerationError,
    RequestRejected,
    UnexpectedAnswer,
)
from lazy import pattern
from net.answers import read_json
from net.failures import DETAIL_CHARS, UNCLEAR_ATTEMPTS, parse_retry_after, translate
from net.reasons import with_reason
from net.reply import Reply
from texts.text import _

RATE_RETRY_AFTER_S: Final = 30.0
_SECONDS: Final = pattern(r"(\d{1,5}(?:\.\d{1,9})?)s")
_NO_QUOTA: Final = pattern(r"limit: 0\b|billing", re.IGNORECASE)
# Their words for what a filter found; any other that holds one of them counts too.
_BLOCKED: Final = {
    "SPII": _("personal data"),
    "RECITATION": _("it comes too close to a work of others"),
    "BLOCKLIST": _("a forbidden word"),
    "PROHIBITED": _("forbidden content"),
    "SAFETY": _("safety"),
}


def translate_failure(label: str, reply: Reply) -> GenerationError:
    """Return our error for an answer that is no success."""
    error = _error(reply.body)
    status, text = reply.status, _text(error.get("message"))
    detail = f"HTTP {status} {_text(error.get('status'))}: {text}"[:DETAIL_CHARS]
    if reply.is_page or not error:
        return translate(label, reply)
    is_key = "API_KEY" in "".join(_text(item.get("reason")) for item in _details(error)) or "API key" in text
    if status in {HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN} or (status == HTTPStatus.BAD_REQUEST and is_key):
        return BackendAuthError(
            _("{label} refuses the key.", label=label),
            detail=detail,
            hint=_("Its owner has to set one that is valid there."),
        )
    if status == HTTPStatus.TOO_MANY_REQUESTS:
        return _too_many(label, reply, error, text, detail)
    if status == HTTPStatus.NOT_FOUND:
        return CapabilityError(
            _("{label} has no such model for this key.", label=label),
            field="model",
            detail=detail,
            hint=_("Pick another one: /models tells."),
        )
    if status in {HTTPStatus.BAD_REQUEST, HTTPStatus.UNPROCESSABLE_ENTITY, HTTPStatus.REQUEST_ENTITY_TOO_LARGE}:
        sentence = with_reason(_("{label} does not accept this request.", label=label), text.split(". ")[0])
        return RequestRejected(sentence, detail=detail, hint=_("Try other settings."))
    if status in {HTTPStatus.INTERNAL_SERVER_ERROR, HTTPStatus.SERVICE_UNAVAILABLE}:
        return BackendUnavailable(
            with_reason(_("{label} failed inside.", label=label), text.split(". ")[0]),
            detail=detail,
            hint=_("Try again in a moment; nothing was charged."),
            max_attempts=UNCLEAR_ATTEMPTS,
        )
    return translate(label, reply)


def without_picture(label: str, answer: GeminiAnswer) -> GenerationError:
    """Return why an answer has no picture: a filter, or a model that would rather talk."""
    reason = answer.reason
    if found := next((words for sign, words in _BLOCKED.items() if sign in reason), None):
        return ContentBlocked(
            _("The filter of {label} refuses this: {found}.", label=label, found=found),
            field="prompt",
            detail=reason,
            hint=_("Word it differently, or draw elsewhere."),
        )
    if answer.words:
        return RequestRejected(
            with_reason(_("{label} answered in words, without a picture.", label=label), answer.words),
            field="prompt",
            detail=f"{reason}: {answer.words}"[:DETAIL_CHARS],
            hint=_("Ask for a picture more plainly: “Draw a red fox in the snow.”"),
        )
    return UnexpectedAnswer(
        _("{label} answered without a picture.", label=label),
        detail=reason,
        hint=_("Word it differently, or try again."),
        may_have_run=True,
    )


def _too_many(label: str, reply: Reply, error: dict[str, Any], text: str, detail: str) -> GenerationError:
    if _NO_QUOTA.search(text):
        return BackendError(
            _("The account at {label} may not draw with this model.", label=label),
            detail=detail,
            hint=_("Its owner has to switch billing on there, or pick another model."),
        )
    delays = (_SECONDS.fullmatch(_text(item.get("retryDelay"))) for item in _details(error))
    wait = next((float(match[1]) for match in delays if match), None)
    given = parse_retry_after(reply.headers.get("retry-after")) if wait is None else wait
    return slow_down(label, detail, RATE_RETRY_AFTER_S if given is None else max(1.0, given))


def _details(error: dict[str, Any]) -> Iterator[dict[str, Any]]:
    listed = error.get("details")
    yield from (item for item in listed if isinstance(item, dict)) if isinstance(listed, list) else ()


def _error(body: bytes) -> dict[str, Any]:
    try:
        answer: Any = read_json(body)
    except ValueError:
        return {}
    error = answer.get("error") if isinstance(answer, dict) else None
    return error if isinstance(error, dict) else {}


def _text(value: Any) -> str:
    return value if isinstance(value, str) else ""
