"""Stability AI's refusals and failures in our errors.

Sources: its REST reference (`{id, name, errors}` of v2beta, `{id, name, message}` of v1), and public logs for the 402.
"""

from http import HTTPStatus
from typing import Any, Final

from backends.refusals import no_credit_left, not_accepted, refused_key, slow_down, wait_of
from generation.errors import (
    BackendUnavailable,
    ContentBlocked,
    GenerationError,
    RequestRejected,
)
from net.answers import read_json
from net.failures import DETAIL_CHARS, UNCLEAR_ATTEMPTS, translate
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
        return no_credit_left(label, detail)
    if name == MODERATION:
        return ContentBlocked(
            _("The filter of {label} refuses this; nothing was charged.", label=label),
            field="prompt",
            detail=detail,
            hint=_("Word it differently, or draw elsewhere."),
        )
    if status in {HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN}:
        return refused_key(label, detail)
    if status == HTTPStatus.TOO_MANY_REQUESTS:
        return slow_down(label, detail, wait_of(reply, RATE_RETRY_AFTER_S))
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


def _refused(label: str, text: str, detail: str) -> RequestRejected:
    word = text.partition(":")[0].strip()
    return not_accepted(label, _FIELDS.get(word, ""), text, detail)


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
