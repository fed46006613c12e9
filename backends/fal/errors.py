"""fal.ai's refusals and failures in our errors. Source: fal.ai/docs, its pages on errors."""

from http import HTTPStatus
from typing import Final

from backends.polling import RemoteForgotten
from backends.refusals import filtered, first_problem, no_credit_left, not_accepted, place_of, slow_down, wait_of
from generation.errors import GenerationError
from net.failures import DETAIL_CHARS, translate
from net.reasons import explanation
from net.reply import Reply
from texts.text import _, joined

BLOCKED: Final = "content_policy_violation"
NO_CREDIT: Final = ("exhausted balance", "user is locked", "insufficient")  # no text: parts of their sentences
NOT_THERE: Final = "request not found"  # no text: their words
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
        return no_credit_left(label, detail)
    if status == HTTPStatus.TOO_MANY_REQUESTS:
        return slow_down(label, detail, wait_of(reply))
    if status in {HTTPStatus.BAD_REQUEST, HTTPStatus.UNPROCESSABLE_ENTITY}:
        return _rejected(label, reply, detail)
    return translate(label, reply)


def forgotten(label: str) -> RemoteForgotten:
    return RemoteForgotten(
        _("{label} no longer knows this picture.", label=label),
        detail="request not found",
        hint=_("Run it again if you like."),
        may_have_run=True,
    )


def _rejected(label: str, reply: Reply, detail: str) -> GenerationError:
    found = first_problem(reply.body)
    if found.get("type") == BLOCKED:
        listed = found.get("categories")
        reasons = [item for item in listed if isinstance(item, str)] if isinstance(listed, list) else []
        words = joined(", ", reasons) or str(found.get("msg") or "")
        return filtered(label, words, detail)
    theirs = place_of(found)
    return not_accepted(label, _NAMES.get(theirs, theirs), explanation(reply.body), detail)
