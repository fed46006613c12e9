"""The Horde's failures in our errors.

Source: recorded exchanges with AI Horde 5.1.5. Messages of 404 carry a tail of guessed paths, so `rc` is what is read.
"""

import re
from enum import Enum
from http import HTTPStatus
from typing import Any, Final

from backends.ai_horde.answers import HordeStatus
from generation.errors import (
    BackendAuthError,
    BackendError,
    BackendUnavailable,
    CapabilityError,
    ContentBlocked,
    GenerationError,
    RateLimited,
    RequestRejected,
)
from generation.request import GenerationRequest
from lazy import dataclass, pattern
from net.answers import read_json
from net.failures import parse_retry_after, translate
from net.reasons import with_reason
from net.reply import Reply
from texts.text import Text, _, joined, template

MIN_RETRY_AFTER_S: Final = 1.0  # `Retry-After: 0` comes with 429 too: the window ends within this second
BUSY_RETRY_AFTER_S: Final = 10.0  # our own waiting jobs have to be drawn first, whatever the header says
MAINTENANCE_RETRY_AFTER_S: Final = 60.0


class JobForgotten(BackendUnavailable):
    """The job has expired there."""


class Call(Enum):
    """The call that was answered: the same status means different things."""

    SUBMIT = "submit"
    JOB = "job"  # check, status and delete
    LIST = "list"
    ACCOUNT = "account"


@dataclass(frozen=True, kw_only=True)
class _Meaning:
    """The meaning of one `rc` for people."""

    kind: type[GenerationError]
    text: str
    hint: str = ""
    field: str = ""


_MEANINGS: Final = {
    "InvalidAPIKey": _Meaning(
        kind=BackendAuthError,
        text=template("{label} does not know this key."),
        hint=_("Its owner has to set a valid one."),
    ),
    "UserNotFound": _Meaning(
        kind=BackendAuthError,
        text=template("{label} does not know this key."),
        hint=_("Its owner has to set a valid one."),
    ),
    "CorruptPrompt": _Meaning(
        kind=ContentBlocked,
        text=template("{label} refuses this prompt."),
        hint=_("Word it differently."),
        field="prompt",
    ),
    "TimeoutIP": _Meaning(
        kind=BackendError,
        text=template("{label} has put this bot in time-out."),
        hint=_("Use another engine for some minutes."),
    ),
    "BannedClientAgent": _Meaning(
        kind=BackendError, text=template("{label} does not let this bot in."), hint=_("Use another engine.")
    ),
    "TooManyLoras": _Meaning(
        kind=RequestRejected, text=template("{label} takes no more LoRAs."), hint=_("Leave some out."), field="loras"
    ),
    "BadLoraVersion": _Meaning(
        kind=RequestRejected,
        text=template("{label} knows no such LoRA."),
        hint=_("Give the number of its version."),
        field="loras",
    ),
    "InpaintingMissingMask": _Meaning(
        kind=RequestRejected, text=template("{label} needs a mask for that."), hint=_("Attach one."), field="mask"
    ),
    "ImageValidationFailed": _Meaning(
        kind=RequestRejected,
        text=template("{label} cannot read that picture."),
        hint=_("Send it as PNG or JPEG."),
        field="image",
    ),
    "ControlNetMismatch": _Meaning(
        kind=CapabilityError,
        text=template("{label} has no control pictures for that model."),
        hint=_("Pick one of the Stable Diffusion 1.5 family."),
        field="control",
    ),
    "HiResMismatch": _Meaning(
        kind=CapabilityError,
        text=template("{label} has no hires fix for that model."),
        hint=_("Leave it out."),
        field="hires",
    ),
    "WorkerNotFound": _Meaning(
        kind=BackendError,
        text=template("{label} does not know the worker its owner chose."),
        hint=_("Its owner has to change that."),
    ),
}
_FIELDS: Final = {"cfg_scale": "cfg_scale", "n": "batch_size", "sampler_name": "sampler", "source_image": "image"}
_PRICE: Final = pattern(r"requires ([\d.]+) kudos")

_MOST_LORAS: Final = pattern(r"(\d{1,3}) loras", re.IGNORECASE)
_FREE_SIZE: Final = pattern(r"over ([1-9][\d,]{0,6}) ?[xX×] ?([1-9][\d,]{0,6})")
_FREE_STEPS: Final = pattern(r"over ([1-9]\d{0,4}) steps")


def translate_failure(label: str, reply: Reply, call: Call) -> GenerationError:
    """Return our error for an answer that is no success."""
    status = reply.status
    given = _said(reply.body)
    rc, message = str(given.get("rc") or ""), str(given.get("message") or "")
    detail = f"HTTP {status}: {rc} {message}"[:500]
    if status == HTTPStatus.GONE:
        return BackendError(
            _("{label} has retired the Horde's /v2 API.", label=label),
            detail=detail,
            hint=_("An AI Power Grid is connected as aipowergrid now, with a key from its console."),
        )
    if status == HTTPStatus.TOO_MANY_REQUESTS:
        return _too_many(label, reply, rc, detail)
    if rc == "RequestNotFound":
        return JobForgotten(
            _("{label} has forgotten this picture: it keeps a job for 20 minutes.", label=label),
            detail=detail,
            hint=_("Run it again."),
        )
    if rc == "MaintenanceMode":
        return BackendUnavailable(
            _("{label} is closed for maintenance.", label=label),
            detail=detail,
            retry_after=MAINTENANCE_RETRY_AFTER_S,
            hint=_("It comes back by itself."),
        )
    if rc == "KudosUpfront":
        return _upfront(label, message, detail)
    if meaning := _MEANINGS.get(rc):
        text: str = Text(meaning.text, {"label": label})
        if rc == "TooManyLoras" and (most := _MOST_LORAS.search(message)):
            text = _("{label} takes at most {most} LoRAs.", label=label, most=most[1])
        if issubclass(meaning.kind, RequestRejected):
            return meaning.kind(text, field=meaning.field, detail=detail, hint=meaning.hint)
        return meaning.kind(text, detail=detail, hint=meaning.hint)
    if status == HTTPStatus.BAD_REQUEST and call is Call.SUBMIT and given:
        return _refused(label, given, detail)
    return translate(label, reply)


def end_of(label: str, status: HordeStatus, request: GenerationRequest) -> GenerationError | None:
    """Return why a job that ended gave no picture to show; None if it gave some."""
    if any(not generation.censored and generation.img for generation in status.generations):
        return None
    detail = f"done={status.done} faulted={status.faulted} restarted={status.restarted}"  # no text: for the log
    if any(generation.censored for generation in status.generations):
        return ContentBlocked(
            _("{label} drew it, but the worker’s filter held the picture back.", label=label),
            field="prompt",
            detail=detail,
            hint=_("Word it differently, or take another model."),
        )
    if status.faulted or status.restarted:
        return BackendError(
            _(
                "{label} tried {count} times, and its workers failed each time.",
                label=label,
                count=max(status.restarted, 1),
            ),
            detail=detail,
            hint=_("Try another model, a smaller size or fewer steps.")
            + (_(" Or without the LoRA.") if request.loras else ""),
        )
    return BackendError(
        _("{label} ended the job without a picture: it was taken back there.", label=label),
        detail=detail,
        hint=_("Run it again."),
    )


def impossible(label: str, model: str) -> CapabilityError:
    return CapabilityError(
        _("No worker of {label} can draw this now", label=label) + (_(" with {model}.", model=model) if model else "."),
        field="model",
        hint=_("Pick another model from the list, a smaller size or fewer steps."),
    )


def dropped(label: str) -> BackendUnavailable:
    return BackendUnavailable(
        _("{label} dropped the job, as it does when it closes for maintenance.", label=label),
        retry_after=MAINTENANCE_RETRY_AFTER_S,
        hint=_("Run it again in a few minutes."),
    )


def _too_many(label: str, reply: Reply, rc: str, detail: str) -> RateLimited:
    after = parse_retry_after(reply.headers.get("retry-after")) or 0.0
    if rc == "TooManyPrompts":
        return RateLimited(
            _("{label} has enough pictures of this account waiting.", label=label),
            detail=detail,
            retry_after=max(BUSY_RETRY_AFTER_S, after),
            hint=_("It goes on as soon as some are drawn."),
        )
    return RateLimited(
        _("{label} asks us to slow down.", label=label),
        detail=detail,
        retry_after=max(MIN_RETRY_AFTER_S, after),
        hint=_("Wait a little."),
    )


def _upfront(label: str, message: str, detail: str) -> CapabilityError:
    found = _PRICE.search(message)
    price = _("{found:.0f} kudos", found=float(found[1])) if found else _("more kudos than the account holds")
    return CapabilityError(
        _("{label} is busy, and wants {price} beforehand for a request of this size.", label=label, price=price),
        field="size",
        detail=detail,
        hint=_limits(message),
    )


def _limits(message: str) -> str:
    """Return what would pass, by the Horde's own numbers: they fall as its queue grows."""
    size, steps = _FREE_SIZE.search(message), _FREE_STEPS.search(message)
    parts = [f"{size[1].replace(',', '')}×{size[2].replace(',', '')}"] if size else []
    parts += [_("{steps} steps", steps=steps[1])] if steps else []
    if not parts:
        return _("Make the picture smaller, or take fewer steps.")
    note = _("; a second-order sampler such as k_heun counts twice") if steps else ""
    return _("Stay within {parts}{note}.", parts=joined(" and ", parts), note=note)


def _refused(label: str, given: dict[str, Any], detail: str) -> RequestRejected:
    errors = given.get("errors")
    if isinstance(errors, dict) and errors:
        wire = str(next(iter(errors))).removeprefix("params.").split(".")[0]
        name = _FIELDS.get(wire, wire)
        words = next(iter(errors.values()))
        detail = f"{detail} {name}: {words}"[:500]
        return RequestRejected(
            with_reason(
                _("{label} does not accept the value of {name}.", label=label, name=name.replace("_", " ")), words
            ),
            field=name,
            detail=detail,
            hint=_("Try another one."),
        )
    sentence = with_reason(_("{label} does not accept this request.", label=label), given.get("message"))
    return RequestRejected(sentence, detail=detail, hint=_("Try other settings."))


def _said(body: bytes) -> dict[str, Any]:
    try:
        answer = read_json(body)
    except ValueError:
        return {}
    return answer if isinstance(answer, dict) else {}
