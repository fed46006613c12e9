"""The app's failures in our errors.

Source: recorded endings of real apps. A Python exception of the app reaches us without its text unless the app was
started with `show_error`; `gr.Error` always brings its text along.
"""

import re
from http import HTTPStatus
from typing import Final

from backends.drawing_errors import drawing_error
from generation.errors import (
    BackendAuthError,
    BackendError,
    BackendUnavailable,
    GenerationError,
    OutOfMemory,
    RateLimited,
    RequestRejected,
)
from lazy import pattern
from net.failures import UNCLEAR_ATTEMPTS, translate
from net.reasons import reason, with_reason
from net.reply import Reply
from texts.text import _

FULL_QUEUE_WAIT_S: Final = 10.0

_MEMORY = pattern(r"out of memory|outofmemory|alloc_failed|not enough memory", re.I)
_RANGE = pattern(r"greater than maximum|less than minimum|not in the list of choices", re.I)


def login_refused(label: str, reply: Reply) -> GenerationError:
    if 400 <= reply.status < 500:
        return BackendAuthError(
            _("{label} refuses this user name or password.", label=label),
            detail=f"HTTP {reply.status}",
            hint=_("Its owner has to connect it again."),
        )
    return translate(label, reply)


def join_refused(label: str, reply: Reply) -> GenerationError:
    """Return our error for an event that was not taken into the app's queue."""
    if reply.status == HTTPStatus.SERVICE_UNAVAILABLE and b"queue is full" in reply.body.lower():
        return RateLimited(
            _("{label} has a full queue of its own.", label=label),
            detail=reply.body[:200].decode("utf-8", "replace"),
            retry_after=FULL_QUEUE_WAIT_S,
            hint=_("Wait a little."),
        )
    return translate(label, reply)


def file_refused(label: str, reply: Reply) -> GenerationError:
    """Return our error for the file of a picture that is drawn."""
    if reply.status in {HTTPStatus.FORBIDDEN, HTTPStatus.NOT_FOUND}:
        return BackendError(
            _("{label} drew a picture, but does not hand out its file.", label=label),
            detail=f"HTTP {reply.status} for the file",
            hint=_("Try again."),
            may_have_run=True,
        )
    return translate(label, reply, may_have_run=True)


def undrawn(label: str, reply: Reply) -> GenerationError:
    """Return our error for an answer that is no success, before anything was drawn."""
    return translate(label, reply, may_have_run=False)


def drawing_failure(label: str, error: object) -> GenerationError:
    text = error if isinstance(error, str) else ""
    detail = text[:500] or _("the app gave no text")
    if _MEMORY.search(text):
        return OutOfMemory(
            _("{label} ran out of graphics memory.", label=label),
            detail=detail,
            hint=_("Try a smaller size."),
        ).for_owner(_("Close other programs that use the graphics card."))
    if _RANGE.search(text):
        return RequestRejected(
            with_reason(_("{label} does not take one of these values.", label=label), text),
            detail=detail,
            hint=_("Try other settings."),
        )
    if reason(text):
        return drawing_error(label, text, detail=detail)
    return BackendUnavailable(
        _("{label} failed while drawing and does not say why.", label=label),
        detail=detail,
        hint=_("Try a smaller size first."),
        may_have_run=True,
        max_attempts=UNCLEAR_ATTEMPTS,
    ).for_owner(_("Its console shows the reason."))
