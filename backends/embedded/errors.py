"""Failures of the child in words for people. What a crash or a hang cost is drawn once more, elsewhere if it can be."""

from typing import Final

from backends.child import ChildFailed, ChildFailure
from generation.errors import BackendError, BackendUnavailable, GenerationError, OutOfMemory, RequestRejected
from texts.text import _

ONCE_MORE: Final = 2  # runs in all


def translate(failed: ChildFailed) -> GenerationError:
    detail = str(failed)
    match failed.failure:
        case ChildFailure.REFUSED if failed.field:
            return RequestRejected(detail, field=failed.field)
        case ChildFailure.REFUSED:
            return BackendError(detail)
        case ChildFailure.MEMORY:
            return OutOfMemory(
                _("The built-in engine ran out of memory, also after it kept as little there as it can."),
                detail=detail,
                hint=_("Try half the size (512x512), one picture at a time, or a smaller model."),
            )
        case ChildFailure.HUNG:
            return BackendUnavailable(
                _("The built-in engine stopped responding and was ended."),
                detail=detail,
                hint=_("Try again; if it lasts, restart the machine: a GPU’s driver may hang."),
                max_attempts=ONCE_MORE,
            )
        case ChildFailure.CRASHED:
            return BackendUnavailable(
                _("The built-in engine crashed on this picture."),
                detail=detail,
                hint=_("Try another model or a smaller size. The log of Easel shows its last words."),
                max_attempts=ONCE_MORE,
            )
    return BackendError(
        _("The built-in engine failed on this picture."), detail=detail, hint=_("The log of Easel shows why.")
    )
