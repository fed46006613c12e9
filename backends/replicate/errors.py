"""Replicate's refusals and failures in our errors.

Sources: recorded answers (`tests/data/replicate`), its page on rate limits, and public logs. Bodies of 401 and 402
carry links into the account, so nothing of them is shown.
"""

import re
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any, Final

from backends.drawing_errors import drawing_error
from backends.polling import RemoteForgotten
from backends.replicate.facts import NAMES
from generation.errors import (
    BackendAuthError,
    BackendError,
    CapabilityError,
    ContentBlocked,
    GenerationError,
    RateLimited,
    RequestRejected,
)
from net.answers import read_json
from net.failures import DETAIL_CHARS, parse_retry_after, translate
from net.reasons import with_reason
from net.reply import Reply
from texts.text import _

RATE_RETRY_AFTER_S: Final = 10.0
_SAFETY: Final = re.compile(r"nsfw|flagged as sensitive|\(e005\)|safety|content policy|moderat", re.IGNORECASE)
_IN_WORDS: Final = re.compile(r"resets in ~?(\d{1,5}(?:\.\d{1,3})?)s")
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
        return BackendAuthError(
            _("{label} refuses the key.", label=label),
            detail=detail,
            hint=_("Its owner has to set one that is valid there."),
        )
    if status == HTTPStatus.PAYMENT_REQUIRED:
        return BackendError(
            _("The account at {label} has no credit left.", label=label),
            detail=detail,
            hint=_("Its owner has to pay there, or draw on another engine."),
        )
    if status == HTTPStatus.TOO_MANY_REQUESTS:
        return RateLimited(
            _("{label} asks us to slow down.", label=label),
            detail=detail,
            retry_after=_wait_s(reply, problem, text),
            hint=_("Wait a little."),
        )
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
        return ContentBlocked(
            with_reason(_("The filter of {label} refuses this.", label=label), text),
            field="prompt",
            detail=detail,
            hint=_("Word it differently, or draw elsewhere."),
        )
    error = drawing_error(label, text, detail=detail)
    if isinstance(error, BackendError):
        error.may_have_run = True  # its time is charged
    return error


def held_back(label: str) -> ContentBlocked:
    """Return the error for a run that ended well without a picture: Flux drops what its filter finds."""
    return ContentBlocked(
        _("The filter of {label} held the picture back.", label=label),
        field="prompt",
        detail="succeeded without output",
        hint=_("Word it differently, or draw elsewhere; it may have been charged."),
    )


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
    field = _SHOWN.get(ours, ours)
    what = _("the value of {name}", name=field.replace("_", " ")) if field else _("this request")
    sentence = with_reason(_("{label} does not accept {what}.", label=label, what=what), words)
    return RequestRejected(sentence, field=field, detail=detail, hint=_("Try other settings."))


def _wait_s(reply: Reply, problem: Mapping[str, Any], text: str) -> float:
    after = problem.get("retry_after")
    if isinstance(after, int | float) and not isinstance(after, bool):
        return max(1.0, float(after))
    given = parse_retry_after(reply.headers.get("retry-after"))
    if given is None and (match := _IN_WORDS.search(text)):
        given = float(match[1])
    return RATE_RETRY_AFTER_S if given is None else max(1.0, given)


def _problem(body: bytes) -> dict[str, Any]:
    try:
        answer = read_json(body)
    except ValueError:
        return {}
    return answer if isinstance(answer, dict) and {"detail", "title"} & answer.keys() else {}


def _text(value: Any) -> str:
    return value if isinstance(value, str) else ""
