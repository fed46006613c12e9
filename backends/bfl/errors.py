"""Black Forest Labs' refusals and failures in our errors. Source: docs.bfl.ai, its page on errors."""

from http import HTTPStatus
from typing import Final

from backends.bfl.answers import BflResult
from backends.polling import RemoteForgotten
from backends.refusals import (
    charged,
    filtered,
    first_problem,
    held_back,
    no_credit_left,
    not_accepted,
    place_of,
    slow_down,
    wait_of,
)
from generation.errors import GenerationError, UnexpectedAnswer
from net.failures import DETAIL_CHARS, translate
from net.reasons import explanation
from net.reply import Reply
from texts.text import _

NOT_FOUND: Final = "Task not found"  # no text: their word
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
        return no_credit_left(label, detail)
    if status == HTTPStatus.TOO_MANY_REQUESTS:
        return slow_down(label, detail, wait_of(reply))
    if status in {HTTPStatus.BAD_REQUEST, HTTPStatus.UNPROCESSABLE_ENTITY}:
        theirs = place_of(first_problem(reply.body))
        return not_accepted(label, _NAMES.get(theirs, theirs), text, detail)
    return translate(label, reply)


def ended(label: str, result: BflResult) -> GenerationError:
    """Return why a job that has ended drew nothing."""
    status = result.status
    if status == "Request Moderated":
        return filtered(label, result.reasons, f"{status}: {result.reasons}")
    if status == "Content Moderated":
        return held_back(label, f"{status}: {result.reasons}", result.reasons)
    if status == NOT_FOUND:
        return forgotten(label)
    if status == "Ready":
        return UnexpectedAnswer(_("{label} answered without a picture.", label=label), may_have_run=True)
    return charged(label, str(result.details or ""), status)


def forgotten(label: str) -> RemoteForgotten:
    return RemoteForgotten(
        _("{label} no longer knows this picture.", label=label),
        detail=NOT_FOUND,
        hint=_("It keeps one for ten minutes. Run it again if you like."),
        may_have_run=True,
    )
