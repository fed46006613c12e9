"""The Grid's failures in our errors.

Source: recorded exchanges with grid-core 4ee16f7. Errors are FastAPI's `{"detail": text or list}`, but for the rate
limit, which is OpenAI's `{"error": {...}}` without any header that says when to come back.
"""

from http import HTTPStatus
from typing import Any, Final

from backends.drawing_errors import drawing_error
from backends.refusals import slow_down
from generation.errors import (
    BackendAuthError,
    BackendError,
    BackendUnavailable,
    CapabilityError,
    GenerationError,
    OutOfMemory,
    RateLimited,
    RequestRejected,
)
from lazy import pattern
from net.answers import read_json
from net.failures import parse_retry_after, translate
from net.reasons import reason, with_reason
from net.reply import Reply
from texts.text import _

RATE_RETRY_AFTER_S: Final = 20.0  # the window is a minute of the server's clock, and a third of it is a fair guess
BUSY_RETRY_AFTER_S: Final = 5.0
NO_WORKER_RETRY_AFTER_S: Final = 30.0

_FIELD = pattern(r"^'?(\w+)'? (?:dimensions )?must be")
_BETWEEN = pattern(r"between (-?[\d.]+) and (-?[\d.]+)")
_NAMES: Final = {"n": "batch_size", "denoise": "denoising_strength", "strength": "denoising_strength"}


def translate_failure(label: str, reply: Reply) -> GenerationError:
    """Return our error for an answer that is no success."""
    status = reply.status
    text, fields = _explanation(reply.body)
    detail = f"HTTP {status}: {text}"[:500]
    if reply.is_page or (status >= 500 and not text):
        return translate(label, reply)
    if status == HTTPStatus.UNAUTHORIZED:
        return BackendAuthError(
            _("{label} does not know this key.", label=label),
            detail=detail,
            hint=_("Its owner has to set one from its console; keys of the old Horde are not taken."),
        )
    if status == HTTPStatus.PAYMENT_REQUIRED:
        return no_credit(label, detail)
    if status == HTTPStatus.TOO_MANY_REQUESTS:
        return _too_many(label, reply, text, detail)
    if status == HTTPStatus.GONE:
        return BackendError(
            _("{label} has retired this API.", label=label), detail=detail, hint=_("Check the address.")
        )
    if status == HTTPStatus.NOT_FOUND and text.startswith("Model "):
        return CapabilityError(
            _("{label} has no worker for that model now.", label=label),
            field="model",
            detail=detail,
            hint=_("Pick another one."),
        )
    if status in {HTTPStatus.BAD_REQUEST, HTTPStatus.UNPROCESSABLE_ENTITY}:
        return _refused(label, text, fields, detail)
    if status in {HTTPStatus.BAD_GATEWAY, HTTPStatus.SERVICE_UNAVAILABLE, HTTPStatus.GATEWAY_TIMEOUT}:
        return _undrawn(label, status, text, detail)
    return translate(label, reply)


def no_credit(label: str, detail: str = "") -> BackendError:
    return BackendError(
        _("The account at {label} has too little credit for this.", label=label),
        detail=detail,
        hint=_("Its owner has to top it up, or draw on another engine."),
    )


def _undrawn(label: str, status: int, text: str, detail: str) -> GenerationError:
    """A failure in the Grid's own words: nothing is charged for a job that gave no picture, so it may run again."""
    low = text.lower()
    if status == HTTPStatus.SERVICE_UNAVAILABLE:
        return BackendUnavailable(
            _("{label} has no worker that draws now.", label=label),
            detail=detail,
            retry_after=NO_WORKER_RETRY_AFTER_S,
            hint=_("Try again in a few minutes."),
        )
    if "out of memory" in low:
        return OutOfMemory(
            _("A worker of {label} ran out of graphics memory.", label=label),
            detail=detail,
            hint=_("Try a smaller size or batch."),
        )
    if status == HTTPStatus.GATEWAY_TIMEOUT:
        return BackendUnavailable(
            _("No worker of {label} finished it in time.", label=label),
            detail=detail,
            hint=_("Try another model or fewer steps."),
        )
    words = reason(text)
    if not words or words == "Generation failed.":
        hint = _("Another model may do; nothing was charged.")
        return BackendError(_("A worker of {label} failed at it.", label=label), detail=detail, hint=hint)
    error = drawing_error(label, text, detail=detail)
    if isinstance(error, BackendError):
        error.may_have_run = False  # it charged nothing
    return error


def _too_many(label: str, reply: Reply, text: str, detail: str) -> BackendError:
    low = text.lower()
    given = parse_retry_after(reply.headers.get("retry-after"))
    if "per day" in low or "daily" in low or "today" in low or "/day" in low:
        return BackendError(
            _("{label} has drawn all of this account's pictures for today.", label=label),
            detail=detail,
            hint=_("It goes on after midnight UTC; until then another engine can draw."),
        )
    if "concurrent" in low:
        return RateLimited(
            _("{label} is drawing as many pictures for this account as it may.", label=label),
            detail=detail,
            retry_after=max(BUSY_RETRY_AFTER_S, given or 0.0),
            hint=_("It goes on as soon as one is done."),
        )
    return slow_down(label, detail, max(1.0, RATE_RETRY_AFTER_S if given is None else given))


def _refused(label: str, text: str, fields: list[str], detail: str) -> RequestRejected:
    low = text.lower()
    if "input image" in low or "strength/denoise" in low:
        return CapabilityError(
            _("That model of {label} does not draw from a picture.", label=label),
            field="model",
            detail=detail,
            hint=_("Pick one that does: /models tells."),
        )
    found = _FIELD.match(text)
    name = "image" if "image" in low else ""
    if found:
        name = found[1]
    if fields:
        name = fields[0]
    name = _NAMES.get(name, name)
    between = _BETWEEN.search(text)
    hint = (
        _("It takes {low} to {high} there.", low=between[1], high=between[2]) if between else _("Try other settings.")
    )
    what = _("the value of {name}", name=name.replace("_", " ")) if name else _("this request")
    sentence = with_reason(_("{label} does not accept {what}.", label=label, what=what), text)
    return RequestRejected(sentence, field=name, detail=detail, hint=hint)


def _explanation(body: bytes) -> tuple[str, list[str]]:
    """Return the text that explains an error, and the fields that a schema fault complains of."""
    try:
        answer: Any = read_json(body)
    except ValueError:
        return "", []
    if not isinstance(answer, dict):
        return "", []
    detail = answer.get("detail")
    if isinstance(detail, list):
        items = [item for item in detail if isinstance(item, dict)]
        fields = [str(item["loc"][-1]) for item in items if isinstance(item.get("loc"), list) and item["loc"]]
        return "; ".join(str(item.get("msg", "")) for item in items), fields
    if isinstance(detail, str):
        return detail, []
    error = answer.get("error")
    return (str(error.get("message", "")), []) if isinstance(error, dict) else (str(answer.get("message", "")), [])
