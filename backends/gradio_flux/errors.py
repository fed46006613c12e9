"""The app's failures in our errors.

Source: recorded endings of real apps. A Python exception of the app reaches us without its text unless the app was
started with `show_error`; `gr.Error` always brings its text along.
"""

import re

from backends.drawing_errors import drawing_error
from generation.errors import (
    BackendUnavailable,
    GenerationError,
    OutOfMemory,
    RequestRejected,
)
from net.failures import UNCLEAR_ATTEMPTS
from net.reasons import reason, with_reason
from texts.text import _

_MEMORY = re.compile(r"out of memory|outofmemory|alloc_failed|not enough memory", re.I)
_RANGE = re.compile(r"greater than maximum|less than minimum|not in the list of choices", re.I)


def drawing_failure(label: str, error: object) -> GenerationError:
    text = error if isinstance(error, str) else ""
    detail = text[:500] or _("the app gave no text")
    if _MEMORY.search(text):
        return OutOfMemory(
            _("{label} ran out of graphics memory.", label=label),
            detail=detail,
            hint=_("Try a smaller size, or close other programs."),
        )
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
        hint=_("Its console shows the reason. Try a smaller size first."),
        may_have_run=True,
        max_attempts=UNCLEAR_ATTEMPTS,
    )
