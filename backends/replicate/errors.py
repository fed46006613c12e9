"""Replicate's refusals and failures in our errors.

Sources: recorded answers (`tests/data/replicate`), its page on rate limits, and public logs. Bodies of 401 and 402
carry links into the account, so nothing of them is shown.
"""

import re
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any, Final

from backends.polling import RemoteForgotten
from backends.refusals import charged, filtered, no_credit_left, not_accepted, refused_key, slow_down, wait_of
from backends.replicate.facts import NAMES
from generation.errors import (
    BackendError,
    CapabilityError,
    GenerationError,
)
from lazy import pattern
from net.answers import read_json
from net.failures import DETAIL_CHARS, translate
from net.reply import Reply
from texts.text import _

_SAFETY: Final = pattern(r"nsfw|flagged as sensitive|\(e005\)|safety|content policy|moderat", re.IGNORECASE)
_IN_WORDS: Final = pattern(r"resets in ~?(\d{1,5}(?:\.\d{1,3})?)s")
_OURS: Final = {theirs: ours for ours, names in NAMES.items() for theirs in names}
_SHOWN: Final = {"ratio": "size", "area": "size", "width": "size", "height": "size", "images": "image"}


def translate_failure(label: str, reply: Reply) -> GenerationError:
    """Return our error for an answer that is no success."""
    problem = _problem(reply.body)
    text = _text(problem.get("detail")) or _text(problem.get("title"))
    detail = f"HTTP {reply.status} {_text(problem.get('title'))}: {text}"[:DETAIL_CHARS]
    status = reply.status
    if reply.is_page or not problem:
        return translate(label, reply)
    if status in {HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN}:
        return refused_key(label, detail)
    if status == HTTPStatus.PAYMENT_REQUIRED:
        return no_credit_left(label, detail)
    if status == HTTPStatus.TOO_MANY_REQUESTS:
        return slow_down(label, detail, _wait_s(reply, problem, text))
    if status == HTTPStatus.NOT_FOUND and "status" in problem:
        return CapabilityError(
            _("{label} has no such model.", label=label),
            field="model",
            detail=detail,
            hint=_("Pick another one: /models tells."),
        )
    if status in {HTTPStatus.BAD_REQUEST, HTTPStatus.UNPROCESSABLE_ENTITY, HTTPStatus.REQUEST_ENTITY_TOO_LARGE}:
        return _refused(label, problem, text, detail)
    return translate(label, reply)


def forgotten(label: str, detail: str) -> RemoteForgotten:
    return RemoteForgotten(
        _("{label} no longer knows this picture.", label=label),
        detail=detail,
        hint=_("It keeps one for an hour. Run it again if you like."),
        may_have_run=True,
    )


def failed(label: str, text: str, detail: str) -> GenerationError:
    """Return our error for a run that failed, in the model's own words."""
    if _SAFETY.search(text):
        error = filtered(label, text, detail)
        error.may_have_run = True  # its time is charged
        return error
    return charged(label, text, detail)


def stopped(label: str, *, is_charged: bool) -> BackendError:
    """Return the error for a run that was ended there: by its deadline, or by somebody on its page."""
    sentence = (
        _("{label} stopped it while it was being drawn.", label=label)
        if is_charged
        else _("{label} gave it up before it began; nothing was charged.", label=label)
    )
    return BackendError(
        sentence,
        detail="canceled" if is_charged else "aborted",
        hint=_("Run it again if you like, or take a model that starts faster."),
        may_have_run=is_charged,
    )


def _refused(label: str, problem: Mapping[str, Any], text: str, detail: str) -> GenerationError:
    if "version does not exist" in text:
        return CapabilityError(
            _("{label} has no such version of that model.", label=label),
            field="model",
            detail=detail,
            hint=_("Pick another one: /models tells."),
        )
    listed = problem.get("invalid_fields")
    first = listed[0] if isinstance(listed, list) and listed and isinstance(listed[0], dict) else {}
    theirs = _text(first.get("field")).rpartition(".")[2]
    words = _text(first.get("description")) or text
    ours = _OURS.get(theirs, "")
    return not_accepted(label, _SHOWN.get(ours, ours), words, detail)


def _wait_s(reply: Reply, problem: Mapping[str, Any], text: str) -> float:
    after = problem.get("retry_after")
    if isinstance(after, int | float) and not isinstance(after, bool):
        return max(1.0, float(after))
    match = None if reply.headers.get("retry-after") else _IN_WORDS.search(text)
    return max(1.0, float(match[1])) if match else wait_of(reply)


def _problem(body: bytes) -> dict[str, Any]:
    try:
        answer = read_json(body)
    except ValueError:
        return {}
    return answer if isinstance(answer, dict) and {"detail", "title"} & answer.keys() else {}


def _text(value: Any) -> str:
    return value if isinstance(value, str) else ""
